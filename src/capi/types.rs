//! Values and types.

use super::{inlay_error_t, inlay_func_t, inlay_v128_t, produce, reference, text};
use crate::error::{Error, Result, c_string};
use crate::layout::VmFuncRef;
use crate::module::{
    FuncType, GlobalType, HeapType, MemoryType, PAGE_LOG2, RefType, TableType, ValType,
};
use crate::runtime::{Slot, Store};
use std::ffi::{CString, c_char, c_void};

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
/// `funcref`; signature letter `r`.
pub const INLAY_FUNCREF: inlay_value_kind_t = 5;
/// `externref`; signature letter `e`.
pub const INLAY_EXTERNREF: inlay_value_kind_t = 6;
/// `exnref`; signature letter `x`.
pub const INLAY_EXNREF: inlay_value_kind_t = 7;

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
    /// `INLAY_EXNREF`: an exception of the store's, to be handed back to wasm of that store, or NULL.
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
    pub(super) ty: FuncType,
    signature: CString,
}

/// Makes a function type from its signature: the letters of the parameters, a colon, those of the results.
///
/// The letters are `i` i32, `I` i64, `f` f32, `F` f64, `V` v128, `r` funcref, `e` externref, `x` exnref; "iI:f" takes an i32
/// and an i64 and gives an f32. The caller deletes `*out`. `INLAY_ERROR_INVALID_ARGUMENT` for another string,
/// or for more than 1,000 parameters or results.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_functype_new(
    signature: *const c_char,
    out: *mut *mut inlay_functype_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a string and a place for the type, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let ty = FuncType::from_signature(text(signature, "signature")?)?;
            let signature = c_string(&ty.signature());
            Ok(Box::into_raw(Box::new(inlay_functype_t { ty, signature })))
        })
    }
}

/// The signature of a function type. Borrowed from the type; "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_functype_signature(ty: *const inlay_functype_t) -> *const c_char {
    // SAFETY: the caller gives a type or NULL.
    super::infallible(c"".as_ptr(), || unsafe {
        Ok(reference(ty, "type")?.signature.as_ptr())
    })
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
}

/// The type of a global.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_global_type_t {
    /// The kind of its value.
    pub content: inlay_value_kind_t,
    /// Whether it can be set.
    pub is_mutable: bool,
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
    };

    pub(super) fn new(ty: TableType) -> Self {
        Self {
            minimum: ty.minimum,
            maximum: ty.maximum.unwrap_or(INLAY_NO_MAXIMUM),
            element: kind_of(ValType::Ref(ty.element)),
            is_64: ty.table64,
        }
    }

    pub(super) fn read(&self) -> Result<TableType> {
        let ValType::Ref(element) = value_type(self.element)? else {
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
    };

    pub(super) fn new(ty: GlobalType) -> Self {
        Self {
            content: kind_of(ty.content),
            is_mutable: ty.mutable,
        }
    }

    pub(super) fn read(&self) -> Result<GlobalType> {
        Ok(GlobalType {
            content: value_type(self.content)?,
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

fn value_type(kind: inlay_value_kind_t) -> Result<ValType> {
    Ok(match kind {
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
    })
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
        let size = crate::layout::value_size(ty);
        // SAFETY: every member starts at the union's start, and any bytes are a value of it.
        unsafe { value.of.v128.bytes[..size].copy_from_slice(&slot[..size]) };
        value
    }

    /// The value as a slot, if it is of this type and of this store.
    ///
    /// # Safety
    /// The member that the kind says is initialized; a function is NULL or alive.
    pub(super) unsafe fn to_slot(self, ty: ValType, store: *const Store) -> Result<Slot> {
        if self.kind != kind_of(ty) {
            return Err(Error::argument(format_args!(
                "a value of kind {} where one of kind {} ('{}') is wanted",
                self.kind,
                kind_of(ty),
                ty.letter()
            )));
        }
        if let ValType::Ref(ty) = ty {
            // SAFETY: as the caller promises; all references are pointers.
            unsafe { check_reference(ty, self.of.funcref, store) }?;
        }
        let mut slot = [0; 16];
        let size = crate::layout::value_size(ty);
        // SAFETY: as the caller promises, the first bytes are initialized.
        unsafe {
            let from = (&raw const self.of).cast::<u8>();
            slot.as_mut_ptr().copy_from_nonoverlapping(from, size);
        }
        Ok(slot)
    }
}

/// A reference must be one of its type, and a function one of this store.
///
/// # Safety
/// A function is NULL or alive.
unsafe fn check_reference(
    ty: RefType,
    reference: *mut inlay_func_t,
    store: *const Store,
) -> Result<()> {
    if reference.is_null() {
        return match ty.nullable {
            true => Ok(()),
            false => Err(Error::argument("a null reference where none is allowed")),
        };
    }
    let func: *const VmFuncRef = reference.cast();
    // SAFETY: as the caller promises; every vmctx starts with a header.
    let in_store = || unsafe { (*(*func).vmctx).store.cast_const().cast() == store };
    match ty.heap {
        HeapType::Extern => Ok(()),
        // SAFETY: the store is that of the function, table or global which the value is for.
        HeapType::Exn if unsafe { &*store }.references.has(reference as usize) => Ok(()),
        HeapType::Func | HeapType::Type(_) if !in_store() => {
            Err(Error::argument("the function is of another store"))
        }
        HeapType::Func => Ok(()),
        // SAFETY: as above.
        HeapType::Type(id) if unsafe { (*func).type_id } == id => Ok(()),
        _ => Err(Error::argument(
            "the reference is not of the type that is wanted",
        )),
    }
}
