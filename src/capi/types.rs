//! Values and types.
//!
//! A function's type is written as a *signature*: a letter for each parameter, a colon, a letter for each result. `i` is
//! i32, `I` i64, `f` f32, `F` f64, `V` v128, `r` funcref, `e` externref and `x` exnref: "iI:f" takes an i32 and an i64 and
//! gives an f32. A capital `R`, `E` or `X` is a reference that is not null. `r(ii:i)` is a reference to functions of the
//! type in the parentheses, `r<0>` one to functions of the very type that it is written in, and `r-`, `e-` and `x-` are
//! always null. In what Inlay writes, `r(?)` is a reference to a type that a signature cannot say: one that is in a
//! recursion group with others, or too long.

use super::{inlay_error_t, inlay_func_t, look, produce_handle, text};
use crate::error::{Error, Result};
use crate::fallible::Text;
use crate::image::vmctx::VmFuncRef;
use crate::image::{
    ClosedType, GlobalType, HeapType, MemoryType, PAGE_LOG2, RefType, TableType, ValType,
};
use crate::runtime::{Slot, Store};
use std::ffi::{c_char, c_void};
use std::fmt::{self, Display};
use std::mem::MaybeUninit;

/// The kind of a value: one of `INLAY_I32` to `INLAY_EXNREF`.
pub type inlay_value_kind_t = u8;

/// `i32`; signature letter `i`.
pub const INLAY_I32: inlay_value_kind_t = 0;
/// `i64`; signature letter `I`.
pub const INLAY_I64: inlay_value_kind_t = 1;
/// `f32`; signature letter `f`.
pub const INLAY_F32: inlay_value_kind_t = 2;
/// `f64`; signature letter `F`.
pub const INLAY_F64: inlay_value_kind_t = 3;
/// `v128`; signature letter `V`.
pub const INLAY_V128: inlay_value_kind_t = 4;
/// A reference to a function; signature letters `r` and `R`.
pub const INLAY_FUNCREF: inlay_value_kind_t = 5;
/// A reference to something of the host's; signature letters `e` and `E`.
pub const INLAY_EXTERNREF: inlay_value_kind_t = 6;
/// A reference to an exception; signature letters `x` and `X`.
pub const INLAY_EXNREF: inlay_value_kind_t = 7;

/// The 16 bytes of a `v128`, lane 0 first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_v128_t {
    /// The bytes.
    pub bytes: [u8; 16],
}

/// What a value holds; its kind says which member.
#[repr(C)]
#[derive(Clone, Copy)]
pub union inlay_value_of_t {
    /// `INLAY_I32`
    pub i32: i32,
    /// `INLAY_I64`
    pub i64: i64,
    /// `INLAY_F32`
    pub f32: f32,
    /// `INLAY_F64`
    pub f64: f64,
    /// `INLAY_V128`
    pub v128: inlay_v128_t,
    /// `INLAY_FUNCREF`: a function of the store, or NULL for a null reference.
    pub funcref: *mut inlay_func_t,
    /// `INLAY_EXTERNREF`: a pointer of the host's, which Inlay carries and never follows. NULL is the null reference.
    pub externref: *mut c_void,
    /// `INLAY_EXNREF`: an exception of the store's, to be handed back to wasm of that store, or NULL. It is not an address,
    /// and no exception gets that of an earlier one.
    pub exnref: *mut c_void,
}

/// A WebAssembly value with its kind: 24 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_value_t {
    /// What it is.
    pub kind: inlay_value_kind_t,
    /// What it holds.
    pub of: inlay_value_of_t,
}

const _: () = {
    assert!(size_of::<inlay_value_t>() == 24 && align_of::<inlay_value_t>() == 8);
    assert!(std::mem::offset_of!(inlay_value_t, of) == 8);
};

/// A function's type. Immutable: any number of threads may use it. The host deletes it.
pub struct inlay_functype_t {
    pub(super) ty: ClosedType,
    signature: Text,
}

impl inlay_functype_t {
    pub(super) fn new(ty: ClosedType) -> Result<Self> {
        let signature = ty.signature()?;
        Ok(inlay_functype_t { ty, signature })
    }
}

/// Makes a function type from its signature.
///
/// The caller deletes `*out`. `INLAY_ERROR_INVALID_ARGUMENT` for a string that is no signature, or for more than 1,000
/// parameters or results. A type that no signature can say is had from a module that has it, with
/// `inlay_module_import_functype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_functype_new(
    signature: *const c_char,
    out: *mut *mut inlay_functype_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a string and a place for the type, or NULL.
    unsafe {
        produce_handle(out, || {
            let ty = ClosedType::from_signature(text(signature, "signature")?)?;
            inlay_functype_t::new(ty)
        })
    }
}

/// The signature of a function type. Borrowed from the type; "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_functype_signature(ty: *const inlay_functype_t) -> *const c_char {
    // SAFETY: the caller gives a type or NULL.
    unsafe { look(ty, c"".as_ptr(), |ty| ty.signature.as_ptr()) }
}

/// Deletes a function type. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_functype_delete(ty: *mut inlay_functype_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(ty) };
}

/// For a memory or table without a maximum.
pub const INLAY_NO_MAXIMUM: u64 = u64::MAX;

/// The type of a memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_memory_type_t {
    /// Pages that it starts with.
    pub minimum: u64,
    /// Pages that it may grow to, or `INLAY_NO_MAXIMUM`.
    pub maximum: u64,
    /// Bytes of a page: 65,536, which 0 stands for too, or 1.
    pub page_size: u32,
    /// Whether addresses are i64.
    pub is_64: bool,
    /// Whether several threads may use it at once. It then has a maximum.
    pub is_shared: bool,
}

/// The type of a table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_table_type_t {
    /// Elements that it starts with.
    pub minimum: u64,
    /// Elements that it may grow to, or `INLAY_NO_MAXIMUM`.
    pub maximum: u64,
    /// `INLAY_FUNCREF`, `INLAY_EXTERNREF` or `INLAY_EXNREF`.
    pub element: inlay_value_kind_t,
    /// Whether indices are i64.
    pub is_64: bool,
    /// The element's type as a signature writes it, such as "r", "E" or "r(ii:i)". From the host, NULL stands for what the
    /// kind says: any such reference, or null. From Inlay, it is never NULL, and borrowed from the module or the table.
    pub element_type: *const c_char,
}

/// The type of a global.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_global_type_t {
    /// The kind of its value.
    pub content: inlay_value_kind_t,
    /// Whether it can be set.
    pub is_mutable: bool,
    /// The value's type as a signature writes it. From the host, NULL stands for what the kind says: of a reference, any of
    /// that kind, or null. From Inlay, it is never NULL, and borrowed from the module or the global.
    pub content_type: *const c_char,
}

impl inlay_memory_type_t {
    pub(super) const NONE: Self = Self {
        minimum: 0,
        maximum: 0,
        page_size: 0,
        is_64: false,
        is_shared: false,
    };

    pub(super) fn new(ty: MemoryType) -> Self {
        Self {
            minimum: ty.minimum,
            maximum: ty.maximum.unwrap_or(INLAY_NO_MAXIMUM),
            page_size: 1 << ty.page_log2,
            is_64: ty.memory64,
            is_shared: ty.shared,
        }
    }

    pub(super) fn read(&self) -> Result<MemoryType> {
        let page_log2 = match self.page_size {
            0 | 65536 => PAGE_LOG2,
            1 => 0,
            other => {
                return Err(Error::argument(format_args!(
                    "a page of {other} bytes; it has 65,536 or 1"
                )));
            }
        };
        let address_bits = if self.is_64 { 64 } else { 32 };
        let most = (1u128 << (address_bits - page_log2)).min(u128::from(u64::MAX)) as u64;
        let maximum = (self.maximum != INLAY_NO_MAXIMUM).then_some(self.maximum);
        if self.minimum > most || maximum.is_some_and(|m| m > most || m < self.minimum) {
            return Err(Error::argument(format_args!(
                "such a memory has at most {most} pages, and its maximum is not below its minimum"
            )));
        }
        if self.is_shared && maximum.is_none() {
            return Err(Error::argument("a shared memory needs a maximum"));
        }
        Ok(MemoryType {
            minimum: self.minimum,
            maximum,
            memory64: self.is_64,
            page_log2,
            shared: self.is_shared,
        })
    }
}

impl inlay_table_type_t {
    pub(super) const NONE: Self = Self {
        minimum: 0,
        maximum: 0,
        element: 0,
        is_64: false,
        element_type: std::ptr::null(),
    };

    pub(super) fn new(ty: TableType, element_type: *const c_char) -> Self {
        Self {
            minimum: ty.minimum,
            maximum: ty.maximum.unwrap_or(INLAY_NO_MAXIMUM),
            element: kind_of(ValType::Ref(ty.element)),
            is_64: ty.table64,
            element_type,
        }
    }

    /// # Safety
    /// The type of the element is null or a string.
    pub(super) unsafe fn read(&self, store: &mut Store) -> Result<TableType> {
        // SAFETY: as the caller promises.
        let element = unsafe { value_type(self.element, self.element_type, store) }?;
        let ValType::Ref(element) = element else {
            return Err(Error::argument("a table's elements are references"));
        };
        let most = if self.is_64 {
            u64::MAX - 1
        } else {
            u64::from(u32::MAX)
        };
        let maximum = (self.maximum != INLAY_NO_MAXIMUM).then_some(self.maximum);
        if self.minimum > most || maximum.is_some_and(|m| m > most || m < self.minimum) {
            return Err(Error::argument(format_args!(
                "such a table has at most {most} elements, and its maximum is not below its minimum"
            )));
        }
        Ok(TableType {
            element,
            minimum: self.minimum,
            maximum,
            table64: self.is_64,
        })
    }
}

impl inlay_global_type_t {
    pub(super) const NONE: Self = Self {
        content: 0,
        is_mutable: false,
        content_type: std::ptr::null(),
    };

    pub(super) fn new(ty: GlobalType, content_type: *const c_char) -> Self {
        Self {
            content: kind_of(ty.content),
            is_mutable: ty.mutable,
            content_type,
        }
    }

    /// # Safety
    /// The type of the content is null or a string.
    pub(super) unsafe fn read(&self, store: &mut Store) -> Result<GlobalType> {
        Ok(GlobalType {
            // SAFETY: as the caller promises.
            content: unsafe { value_type(self.content, self.content_type, store) }?,
            mutable: self.is_mutable,
        })
    }
}

pub(super) fn kind_of(ty: ValType) -> inlay_value_kind_t {
    match ty {
        ValType::I32 => INLAY_I32,
        ValType::I64 => INLAY_I64,
        ValType::F32 => INLAY_F32,
        ValType::F64 => INLAY_F64,
        ValType::V128 => INLAY_V128,
        ValType::Ref(ty) => match ty.heap {
            HeapType::Extern | HeapType::NoExtern => INLAY_EXTERNREF,
            HeapType::Exn | HeapType::NoExn => INLAY_EXNREF,
            _ => INLAY_FUNCREF,
        },
    }
}

/// A value's type, by its kind and how a signature writes it. Types of functions in it are by the store's ids.
///
/// # Safety
/// The text is null or a string.
unsafe fn value_type(
    kind: inlay_value_kind_t,
    written: *const c_char,
    store: &mut Store,
) -> Result<ValType> {
    let by_kind = match kind {
        INLAY_I32 => ValType::I32,
        INLAY_I64 => ValType::I64,
        INLAY_F32 => ValType::F32,
        INLAY_F64 => ValType::F64,
        INLAY_V128 => ValType::V128,
        INLAY_FUNCREF => ValType::Ref(RefType::FUNC),
        INLAY_EXTERNREF => ValType::Ref(RefType::EXTERN),
        INLAY_EXNREF => ValType::Ref(RefType::EXN),
        other => {
            return Err(Error::argument(format_args!(
                "no value has the kind {other}"
            )));
        }
    };
    if written.is_null() {
        return Ok(by_kind);
    }
    // SAFETY: as the caller promises.
    let written = unsafe { text(written, "the type") }?;
    // One value is written as the parameters of a function that has one.
    let signature = Text::new(format_args!("{written}:"))?;
    let id = store
        .types
        .id(&ClosedType::from_signature(signature.as_str())?)?;
    match store.types.get(id).params[..] {
        [ty] if kind_of(ty) == kind => Ok(ty),
        [_] => Err(Error::argument(format_args!(
            "the type \"{written}\" is of another kind than the one beside it, {}",
            Kind(kind)
        ))),
        _ => Err(Error::argument(format_args!(
            "\"{written}\" is not one type"
        ))),
    }
}

/// The kind of a value in words.
struct Kind(inlay_value_kind_t);

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            INLAY_I32 => "an i32",
            INLAY_I64 => "an i64",
            INLAY_F32 => "an f32",
            INLAY_F64 => "an f64",
            INLAY_V128 => "a v128",
            INLAY_FUNCREF => "a funcref",
            INLAY_EXTERNREF => "an externref",
            INLAY_EXNREF => "an exnref",
            other => return write!(f, "of the kind {other}, which no value has"),
        })
    }
}

impl inlay_value_t {
    /// Zero of this type.
    pub(super) fn zero(ty: ValType) -> Self {
        let v128 = inlay_v128_t { bytes: [0; 16] };
        Self {
            kind: kind_of(ty),
            of: inlay_value_of_t { v128 },
        }
    }

    /// What a slot holds.
    pub(super) fn from_slot(ty: ValType, slot: &Slot) -> Self {
        let mut value = Self::zero(ty);
        // SAFETY: every member starts at the union's start, and any bytes are a value of it.
        let bytes = unsafe { &mut value.of.v128.bytes };
        // Each size by itself, so that each is one instruction.
        match ty.size() {
            4 => bytes[..4].copy_from_slice(&slot[..4]),
            8 => bytes[..8].copy_from_slice(&slot[..8]),
            _ => *bytes = *slot,
        }
        value
    }

    /// The value as a slot, if it is of this type and of this store; if not, the error says what of `what`.
    ///
    /// # Safety
    /// The member that the kind says is initialized; a function is NULL or alive, and so is the store.
    pub(super) unsafe fn to_slot(
        self,
        ty: ValType,
        store: *const Store,
        what: impl Display,
    ) -> Result<Slot> {
        if self.kind != kind_of(ty) {
            return Err(Error::argument(format_args!(
                "{what} is {}, where {} is wanted",
                Kind(self.kind),
                Kind(kind_of(ty))
            )));
        }
        if let ValType::Ref(wanted) = ty {
            // SAFETY: as the caller promises; all references are pointers.
            let misfit = unsafe { misfit(wanted, self.of.funcref, &*store) };
            if let Some(misfit) = misfit {
                // SAFETY: as the caller promises.
                let wanted = unsafe { (*store).types.value_text(ty) }?;
                return Err(Error::argument(format_args!(
                    "{what} is {misfit}, where a reference of type \"{wanted}\" is wanted"
                )));
            }
        }
        // SAFETY: as the caller promises.
        Ok(unsafe { self.bytes(ty) })
    }

    /// The value as a slot, if it is of this type and that is one of numbers, for which nothing else is looked at.
    ///
    /// # Safety
    /// The member that the kind says is initialized.
    #[inline(always)]
    pub(super) unsafe fn to_plain_slot(self, ty: ValType) -> Option<Slot> {
        let is_plain = self.kind == kind_of(ty) && !matches!(ty, ValType::Ref(_));
        // SAFETY: as the caller promises.
        is_plain.then(|| unsafe { self.bytes(ty) })
    }

    /// The bytes of the member for this type.
    ///
    /// # Safety
    /// It is initialized.
    #[inline(always)]
    unsafe fn bytes(self, ty: ValType) -> Slot {
        let mut slot = [0; 16];
        // SAFETY: as the caller promises, the first bytes are initialized.
        unsafe {
            let from = (&raw const self.of).cast::<u8>();
            match ty.size() {
                4 => slot.as_mut_ptr().copy_from_nonoverlapping(from, 4),
                8 => slot.as_mut_ptr().copy_from_nonoverlapping(from, 8),
                _ => slot.as_mut_ptr().copy_from_nonoverlapping(from, 16),
            }
        }
        slot
    }
}

/// What keeps a reference from being of a type and of a store.
///
/// # Safety
/// A function is NULL or alive.
unsafe fn misfit(ty: RefType, reference: *mut inlay_func_t, store: &Store) -> Option<&'static str> {
    if reference.is_null() {
        return (!ty.nullable).then_some("null");
    }
    let func: *const VmFuncRef = reference.cast();
    // SAFETY: as the caller promises; every vmctx starts with a header.
    let of_store = || unsafe { std::ptr::eq(Store::of((*func).vmctx), store) };
    match ty.heap {
        HeapType::Extern => None,
        HeapType::Exn if store.exnrefs.get(reference as u64).is_some() => None,
        HeapType::Exn => Some("no exception that this store has"),
        HeapType::Func | HeapType::Type(_) if !of_store() => Some("a function of another store"),
        HeapType::Func => None,
        // SAFETY: as above.
        HeapType::Type(id) if unsafe { (*func).type_id } == id => None,
        HeapType::Type(_) => Some("a function of another type"),
        _ => Some("not null"),
    }
}

/// How many values are few; see [`Room`].
const FEW: usize = 8;

/// Room for values or slots of one call: on the stack if they are few, as they mostly are. Only what is used is written.
pub(super) struct Room<T> {
    few: [MaybeUninit<T>; FEW],
    many: Vec<T>,
}

impl<T: Copy> Room<T> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Room {
            few: [const { MaybeUninit::uninit() }; FEW],
            many: Vec::new(),
        }
    }

    /// So many of them, all of this value.
    #[inline]
    pub(super) fn fill(&mut self, value: T, len: usize) -> Result<&mut [T]> {
        let Some(few) = self.few.get_mut(..len) else {
            self.many = crate::fallible::repeat(value, len)?;
            return Ok(&mut self.many);
        };
        for place in few.iter_mut() {
            place.write(value);
        }
        // SAFETY: all of them have just been written.
        Ok(unsafe { few.assume_init_mut() })
    }
}
