//! Callers: what a host function learns about who calls it.

use super::{
    fallible, inlay_error_t, inlay_instance_memory, inlay_instance_t, inlay_memory_t,
    inlay_store_t, look,
};
use crate::image::vmctx::VmHostFunc;
use crate::runtime::Store;
use std::ffi::c_char;

/// Who calls a host function. Valid during that call, on its thread.
pub struct inlay_caller_t {
    _private: [u8; 0],
}

/// The store that the calling wasm runs in; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_caller_store(caller: *mut inlay_caller_t) -> *mut inlay_store_t {
    // SAFETY: a caller is the host function's vmctx, which is alive during its call.
    let store = |context: &VmHostFunc| unsafe { Store::of(&raw const context.header) }.cast();
    // SAFETY: the caller gives a valid inlay_caller_t or NULL.
    unsafe { look(caller.cast_const().cast(), std::ptr::null_mut(), store) }
}

/// The instance that imports the function; NULL if none does, as with `inlay_func_new`.
///
/// When another instance calls the function by reference, this is still the one that imported it. While an
/// instance is being made, as in its start function, its exports can be used already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_caller_instance(
    caller: *mut inlay_caller_t,
) -> *mut inlay_instance_t {
    let instance = |context: &VmHostFunc| context.instance.cast();
    // SAFETY: as above.
    unsafe { look(caller.cast_const().cast(), std::ptr::null_mut(), instance) }
}

/// The memory that the importing instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_caller_memory(
    caller: *mut inlay_caller_t,
    name: *const c_char,
) -> *mut inlay_memory_t {
    // SAFETY: the caller gives a valid inlay_caller_t and a string, or NULL.
    unsafe { inlay_instance_memory(inlay_caller_instance(caller), name) }
}

/// Whether the calling wasm is to stop: an interrupt has come that has not stopped anything yet.
///
/// A host function that waits asks this now and then, and calls `inlay_caller_stop`, or returns: what it returns to is stopped
/// then. False where `inlay_config_interruption` was not called for the store's engine, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_caller_interrupted(caller: *const inlay_caller_t) -> bool {
    // SAFETY: a caller is the host function's vmctx, which is alive during its call, and so is its store.
    let interrupted = |context: &VmHostFunc| unsafe { (*context.header.store).is_stopping() };
    // SAFETY: the caller gives a valid inlay_caller_t or NULL.
    unsafe { look(caller.cast(), false, interrupted) }
}

/// Stops the calling wasm in the middle of a host function, if an interrupt has come that has not stopped anything yet.
///
/// NULL if there is none, or the host lets wasm go on (`inlay_store_on_stop`): the host function then goes on, too. Else the error
/// that wasm ends with, `INLAY_TRAP_INTERRUPTED` or what the host gave in its place, which the host function returns. On the
/// thread of the call, which may be another one after that if the host has switched coroutines meanwhile. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_caller_stop(caller: *mut inlay_caller_t) -> *mut inlay_error_t {
    // SAFETY: a caller is the host function's vmctx, which is alive during its call, and so is its store. No reference into
    // the store is held: what is looked at is what it shares with compiled code.
    let vm = |context: &VmHostFunc| unsafe { (*context.header.store).look() };
    fallible(|| {
        // SAFETY: the caller gives a valid inlay_caller_t or NULL.
        unsafe { look(caller.cast_const().cast(), Ok(()), vm) }
    })
}
