//! What a host function learns about who calls it.

use super::{infallible, inlay_instance_t, inlay_memory_t, inlay_store_t, null, reference, text};
use crate::error::Result;
use crate::layout::VmHostFunc;
use crate::runtime::{Extern, Instance};
use std::ffi::c_char;

/// Who calls a host function. Valid during that call, on its thread.
pub struct inlay_caller_t {
    _private: [u8; 0],
}

/// # Safety
/// The caller is NULL or valid.
unsafe fn context<'a>(caller: *mut inlay_caller_t) -> Result<&'a VmHostFunc> {
    // SAFETY: as the caller promises; an inlay_caller_t is the host function's vmctx.
    unsafe { reference(caller.cast::<VmHostFunc>(), "caller") }
}

/// The store that the calling wasm runs in; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_caller_store(caller: *mut inlay_caller_t) -> *mut inlay_store_t {
    // SAFETY: the caller gives a valid inlay_caller_t or NULL.
    infallible(std::ptr::null_mut(), || unsafe {
        Ok(context(caller)?.header.store.cast())
    })
}

/// The instance that imports the function; NULL if none does, as with `inlay_func_new`.
///
/// When another instance calls the function by reference, this is still the one that imported it. While an
/// instance is being made, as in its start function, its exports can be used already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_caller_instance(
    caller: *mut inlay_caller_t,
) -> *mut inlay_instance_t {
    // SAFETY: the caller gives a valid inlay_caller_t or NULL.
    infallible(std::ptr::null_mut(), || unsafe {
        Ok(context(caller)?.instance.cast())
    })
}

/// The memory that the importing instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_caller_memory(
    caller: *mut inlay_caller_t,
    name: *const c_char,
) -> *mut inlay_memory_t {
    // SAFETY: the caller gives a valid inlay_caller_t and a string, or NULL.
    infallible(std::ptr::null_mut(), || unsafe {
        let instance: *const Instance = context(caller)?.instance.cast_const().cast();
        let instance = reference(instance, "instance")?;
        match instance.export(text(name, "name")?) {
            Some(Extern::Memory(memory)) => Ok(memory.cast()),
            _ => Err(null("the memory")),
        }
    })
}
