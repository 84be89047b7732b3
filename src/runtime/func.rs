//! Functions: calling wasm, and host functions that wasm calls.

use super::store::Store;
use super::types::Types;
use crate::error::{Details, Error, Result};
use crate::fallible::Shared;
use crate::image::vmctx::{SLOT, VmFuncRef, VmHeader, VmHostFunc};
use crate::image::{ClosedType, TrampolineKind};
use std::ffi::c_void;

/// A value between Rust and compiled code: its bytes, in the order of the target, from the first on.
pub type Slot = [u8; SLOT];

/// A host function of boxed values: it reads its arguments from the slots and writes its results there.
pub trait Boxed: Send + Sync {
    /// Gives the error, or null. It does not panic; but what the host throws passes.
    ///
    /// # Safety
    /// The context is that of the function, for its store's thread, and the slots have its arguments and room for its
    /// results.
    unsafe fn call(&self, context: *mut HostContext, slots: *mut Slot) -> *mut Details;
}

/// How a host function is called.
pub enum HostCall {
    Boxed(Box<dyn Boxed>),
    /// A C function of the type that belongs to the wasm type.
    Typed(*const c_void),
}

/// What the host gave with a function or an error; finalized once, when nothing can use it any more.
pub struct HostData {
    pub env: *mut c_void,
    pub finalize: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: the contract of what takes such a pointer is that any thread may be the last one to use it.
unsafe impl Send for HostData {}
// SAFETY: as above.
unsafe impl Sync for HostData {}

impl Drop for HostData {
    fn drop(&mut self) {
        if let Some(finalize) = self.finalize {
            // SAFETY: the host gave both, for this one call.
            unsafe { finalize(self.env) };
        }
    }
}

/// A host function, shared by the linker that has it and the stores that use it.
pub struct HostFunc {
    pub ty: ClosedType,
    pub call: HostCall,
    pub data: HostData,
}

// SAFETY: the contract of host functions is that any thread which runs a store may call them.
unsafe impl Send for HostFunc {}
// SAFETY: as above.
unsafe impl Sync for HostFunc {}

/// A host function in a store: its vmctx, and a reference to it.
#[repr(C)]
pub struct HostContext {
    pub vm: VmHostFunc,
    pub func_ref: VmFuncRef,
    /// Its type's id in the store says what its values are.
    pub host: Shared<HostFunc>,
}

impl HostContext {
    /// A host function in a store, for an instance that imports it or for none. Its reference has no code yet, and no vmctx
    /// before it has [settled](HostContext::settle).
    pub fn new(
        store: *mut Store,
        host: &Shared<HostFunc>,
        type_id: u32,
        instance: *mut c_void,
    ) -> HostContext {
        // SAFETY: the caller gives a living store.
        let (vm, builtins) = unsafe { (Shared::as_ptr(&(*store).vm), (*store).engine.builtins()) };
        HostContext {
            vm: VmHostFunc {
                header: VmHeader {
                    store: vm,
                    builtins,
                },
                function: match host.call {
                    HostCall::Boxed(_) => std::ptr::null(),
                    HostCall::Typed(function) => function,
                },
                env: host.data.env,
                instance,
            },
            func_ref: VmFuncRef {
                code: std::ptr::null(),
                vmctx: std::ptr::null_mut(),
                type_id,
            },
            host: host.clone(),
        }
    }

    /// Notes that a context is where it stays. A vmctx is the start of its context.
    ///
    /// # Safety
    /// The context is alive and does not move from now on.
    pub unsafe fn settle(this: *mut HostContext) {
        // SAFETY: as the caller promises.
        unsafe { (*this).func_ref.vmctx = this.cast() };
    }
}

/// The store of a function.
///
/// # Safety
/// The function is alive.
pub unsafe fn store_of(func: *const VmFuncRef) -> *mut Store {
    // SAFETY: as the caller promises; a function's vmctx lives as long.
    unsafe { Store::of((*func).vmctx) }
}

/// The types of a function's store, and the function's id among them.
///
/// # Safety
/// The function is alive; the reference is used while nothing adds to the store.
pub unsafe fn func_type<'a>(func: *const VmFuncRef) -> (&'a Types, u32) {
    // SAFETY: as the caller promises; type ids are those of the function's store.
    unsafe { (&(*store_of(func)).types, (*func).type_id) }
}

/// The typed C entry for a function.
///
/// # Safety
/// The function is alive.
pub unsafe fn typed_entry(func: *const VmFuncRef) -> Result<*const c_void> {
    // SAFETY: as the caller promises.
    let (types, id) = unsafe { func_type(func) };
    let entry = types.trampoline(id, TrampolineKind::TypedEntry);
    entry.ok_or_else(|| match types.get(id).is_plain() {
        true => Error::unsupported(
            "no module in the store exports a function of this type, and so none has code to enter it by; use \
             inlay_func_call",
        ),
        false => Error::unsupported(
            "a parameter or result is a reference that is not null or to functions of one type, which a C function \
             pointer does not check; use inlay_func_call",
        ),
    })
}

/// Calls a function: arguments are in the slots, and results after it returns. There are as many slots as the larger of both
/// counts. Gives the error, or null. It does not panic; but what the host throws in a function of its own passes.
///
/// # Safety
/// The function is alive, its store is used by this thread alone and no reference into it is held; the slots hold values of
/// its parameter types.
pub unsafe fn call(func: *mut VmFuncRef, slots: *mut Slot) -> *mut Details {
    type Entry = unsafe extern "C-unwind" fn(*mut VmFuncRef, *mut Slot) -> *mut Details;
    // SAFETY: as the caller promises; the entry is published code of this type.
    unsafe {
        let (types, id) = func_type(func);
        match types.trampoline(id, TrampolineKind::BoxedEntry) {
            Some(entry) => std::mem::transmute::<*const c_void, Entry>(entry)(func, slots),
            // No module has functions of this type, so this is one of the host's.
            None => {
                let context: *mut HostContext = (*func).vmctx.cast();
                let host = (*context).host.clone();
                call_boxed(context, &host, slots)
            }
        }
    }
}

/// Calls a host function of boxed values, as [`Boxed::call`].
///
/// # Safety
/// As for that.
pub unsafe fn call_boxed(
    context: *mut HostContext,
    host: &HostFunc,
    slots: *mut Slot,
) -> *mut Details {
    match &host.call {
        // SAFETY: as the caller promises.
        HostCall::Boxed(boxed) => unsafe { boxed.call(context, slots) },
        HostCall::Typed(_) => Error::internal("a typed function in a boxed call").into_raw(),
    }
}
