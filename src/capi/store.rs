//! Stores: what instances live in.

use super::{
    borrow, borrow_mut, fallible, infallible, inlay_engine_t, inlay_error_t, look, produce,
};
use crate::error::Error;
use crate::fallible::Pinned;
use crate::runtime::Store;
use std::ffi::c_void;

/// What instances live in, with their functions, memories, tables and globals.
///
/// One thread at a time uses a store and what is in it; which thread may change between calls. The host deletes
/// the store, and with it everything in it: pointers to that are then no longer valid.
pub struct inlay_store_t {
    _private: [u8; 0],
}

/// Makes an empty store. The caller deletes `*out`.
///
/// `data` is the host's own, given back by `inlay_store_data`; Inlay does not look at it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_store_new(
    engine: *mut inlay_engine_t,
    data: *mut c_void,
    out: *mut *mut inlay_store_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine and a place for the store, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let store = Store::new(borrow(engine, "engine")?.owners.of_this_thread(), data)?;
            Ok(store.into_raw().cast())
        })
    }
}

/// Deletes a store and all that is in it; host functions that only it used are finalized. NULL is fine.
///
/// No wasm of the store may be running.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_store_delete(store: *mut inlay_store_t) {
    if !store.is_null() {
        infallible((), || {
            // SAFETY: the caller owns it, and `inlay_store_new` gave it.
            drop(unsafe { Pinned::<Store>::from_raw(store.cast()) });
            Ok(())
        });
    }
}

/// What `inlay_store_new` was given as `data`; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_store_data(store: *const inlay_store_t) -> *mut c_void {
    // SAFETY: the caller gives a store or NULL.
    unsafe {
        look(store.cast(), std::ptr::null_mut(), |store: &Store| {
            store.data
        })
    }
}

/// Says on which stack wasm of this store is entered from now on: a coroutine's, by its lowest address and its size.
///
/// Wasm then traps with `INLAY_TRAP_STACK_OVERFLOW` when less than 32 KiB of it are left, whatever
/// `inlay_config_stack_bytes` says. Calls are a little faster then, too, since nothing has to be looked up. (NULL, 0) goes
/// back to how a store starts: it asks the system for the bounds of the thread's own stack, once for each thread, and
/// `inlay_config_stack_bytes` counts; what the system said before is forgotten. Call it before entering on another
/// stack; wasm that is already running keeps the bounds that it was entered with. `INLAY_ERROR_INVALID_ARGUMENT` for a stack
/// of less than 64 KiB.
///
/// Calls into one store end in the reverse order of their beginning, on whatever stacks they are: coroutines that take
/// turns in the middle of calls need a store each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_store_stack(
    store: *mut inlay_store_t,
    lowest: *const c_void,
    len: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a store or NULL.
        let store = unsafe { borrow_mut(store.cast::<Store>(), "store") }?;
        match (lowest.is_null(), len) {
            (true, 0) => store.set_stack(None),
            (true, _) => Err(Error::argument("lowest is NULL")),
            (false, _) => store.set_stack(Some((lowest as usize, len))),
        }
    })
}

/// Sets how much fuel a store has, in units as `inlay_config_fuel` says; a store begins without any. More than `INT64_MAX`
/// units count as so many.
///
/// Like all of a store, it is for the thread that uses it. A host function may call this while wasm runs, and so may what
/// `inlay_store_on_stop` sets. `INLAY_ERROR_INVALID_ARGUMENT` if `inlay_config_fuel` was not called for the store's engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_store_set_fuel(
    store: *mut inlay_store_t,
    units: u64,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a store or NULL.
        let store = unsafe { borrow_mut(store.cast::<Store>(), "store") }?;
        store.set_fuel(units)
    })
}

/// How much fuel a store has left, in units as `inlay_config_fuel` says: 0 if its wasm uses none, and for NULL.
///
/// In a host function the run that called it is paid already. Where wasm ends by a trap or an error, what it has used until
/// then is gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_store_fuel(store: *const inlay_store_t) -> u64 {
    // SAFETY: the caller gives a store or NULL.
    unsafe { look(store.cast(), 0, Store::fuel) }
}
