//! Functions: calling wasm, and host functions that wasm calls.

use super::Store;
use super::store::StoreType;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::{SLOT, VmFuncRef, VmHeader, VmHostFunc};
use crate::module::FuncType;
use std::ffi::c_void;
use std::sync::Arc;

/// A value between Rust and compiled code: its bytes, in the order of the target, from the first on.
pub type Slot = [u8; SLOT];

/// A host function of boxed values: it reads its arguments from the slots and writes its results there.
pub type BoxedFn = dyn Fn(*mut VmHostFunc, &mut [Slot]) -> Result<()>;

/// How a host function is called.
pub enum HostCall {
    Boxed(Box<BoxedFn>),
    /// A C function of the type that belongs to the wasm type.
    Typed(*const c_void),
}

/// What the host gave with a function; finalized once, when nothing can call the function any more.
pub struct HostEnv {
    pub env: *mut c_void,
    pub finalize: Option<unsafe extern "C" fn(*mut c_void)>,
}

impl Drop for HostEnv {
    fn drop(&mut self) {
        if let Some(finalize) = self.finalize {
            // SAFETY: the host gave both, for this one call.
            unsafe { finalize(self.env) };
        }
    }
}

/// A host function, shared by the linker that has it and the stores that use it.
pub struct HostFunc {
    pub ty: FuncType,
    pub call: HostCall,
    pub env: HostEnv,
}

// SAFETY: the contract of host functions is that any thread which runs a store may call them.
unsafe impl Send for HostFunc {}
// SAFETY: as above.
unsafe impl Sync for HostFunc {}

impl HostFunc {
    /// The vmctx for one importer of this function.
    pub fn context(self: &Arc<Self>, store: &mut Store, instance: *mut c_void) -> *mut VmHostFunc {
        let context = Box::new(VmHostFunc {
            header: VmHeader {
                store: &mut store.vm,
                builtins: store.engine.builtins(),
            },
            function: match self.call {
                HostCall::Boxed(_) => std::ptr::null(),
                HostCall::Typed(function) => function,
            },
            env: self.env.env,
            instance,
            host: Arc::as_ptr(self).cast(),
        });
        store.host_funcs.push(self.clone());
        store.host_contexts.push(context);
        &mut **store.host_contexts.last_mut().expect("just pushed")
    }
}

/// Makes a host function in a store.
pub fn new_host_func(store: &mut Store, host: HostFunc) -> *mut VmFuncRef {
    let host = Arc::new(host);
    let vmctx = host.context(store, std::ptr::null_mut()).cast();
    let type_id = store.type_id(&host.ty);
    let code = store.types[type_id as usize].boxed_host;
    store.func_refs.push(Box::new(VmFuncRef {
        code: code.unwrap_or(std::ptr::null()),
        vmctx,
        type_id,
    }));
    let func: *mut VmFuncRef = &mut **store.func_refs.last_mut().expect("just pushed");
    if code.is_none() {
        store.without_code.push(func);
    }
    func
}

/// The store of a function.
///
/// # Safety
/// The function is alive.
unsafe fn store_of(func: *const VmFuncRef) -> *mut Store {
    // SAFETY: every vmctx starts with a header, and a VmStore is the start of its store.
    unsafe { (*(*func).vmctx).store.cast() }
}

/// The type of a function.
///
/// # Safety
/// The function is alive; the reference is used while nothing adds to the store.
pub unsafe fn func_type<'a>(func: *const VmFuncRef) -> &'a StoreType {
    // SAFETY: as the caller promises; type ids are those of the function's store.
    unsafe { &(&(*store_of(func)).types)[(*func).type_id as usize] }
}

/// The typed C entry for a function.
///
/// # Safety
/// The function is alive.
pub unsafe fn typed_entry(func: *const VmFuncRef) -> Result<*const c_void> {
    // SAFETY: as the caller promises.
    let ty = unsafe { func_type(func) };
    ty.typed_entry.ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            format_args!(
                "no module in the store exports a function of type {:?}, or its references say more than a \
                 signature can; use inlay_func_call",
                ty.signature
            ),
        )
    })
}

/// Calls a function: arguments are in the slots, and results after it returns.
/// There are as many slots as the larger of both counts.
///
/// # Safety
/// The function is alive, its store is used by this thread alone and no
/// reference into it is held; the slots hold values of its parameter types.
pub unsafe fn call(func: *mut VmFuncRef, slots: &mut [Slot]) -> Result<()> {
    type Entry = unsafe extern "C" fn(*mut VmFuncRef, *mut Slot) -> *mut Error;
    // SAFETY: as the caller promises; the entry is published code of this type.
    unsafe {
        let Some(entry) = func_type(func).boxed_entry else {
            // No module has functions of this type, so this is one of the host's.
            let context: *mut VmHostFunc = (*func).vmctx.cast();
            let host: &HostFunc = &*(*context).host.cast();
            return match &host.call {
                HostCall::Boxed(call) => call(context, slots),
                HostCall::Typed(_) => {
                    Err(Error::internal("a typed host function without a module"))
                }
            };
        };
        let entry: Entry = std::mem::transmute(entry);
        let error = entry(func, slots.as_mut_ptr());
        match error.is_null() {
            true => Ok(()),
            false => Err(Box::from_raw(error)),
        }
    }
}
