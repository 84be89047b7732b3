//! Interrupters: what stops wasm that runs.

use super::{borrow, infallible, inlay_error_t, inlay_store_t, look, produce_handle};
use crate::runtime::{Interrupter, Store};

/// What stops the wasm of one store, from any thread or from a signal handler.
///
/// The host deletes it. It may outlive its store, and then does nothing; a store may have any number of them, which do the same.
/// Any number of threads may use one at once.
pub struct inlay_interrupter_t {
    _private: [u8; 0],
}

/// Makes an interrupter of a store. The caller deletes `*out`.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if `inlay_config_interruption` was not called for the store's engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_interrupter_new(
    store: *mut inlay_store_t,
    out: *mut *mut inlay_interrupter_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a store and a place for the interrupter, or NULL.
    unsafe {
        produce_handle(out.cast(), || {
            Interrupter::new(borrow(store.cast::<Store>(), "store")?)
        })
    }
}

/// Stops the store's wasm with `INLAY_TRAP_INTERRUPTED`: what runs now, or the next call into the store, if none does.
///
/// Wasm that runs stops within a millisecond of its own running time, in loops, recursion, tail calls and circles of exceptions,
/// and in operations on whole memories or tables, of which a part is then done; wasm that waits in `memory.atomic.wait32` or `wait64`
/// wakes within some milliseconds. Host functions are not stopped; wasm that they return to is. The error has a backtrace, no
/// `catch_all` of wasm's catches it, and the store stays usable. A host function that calls into the store itself may be the one
/// that gets the error.
///
/// An interrupt stops one call; several before that count as one. Any thread may call this, and a signal handler may.
/// NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_interrupter_interrupt(interrupter: *const inlay_interrupter_t) {
    // SAFETY: the caller gives an interrupter or NULL.
    unsafe { look(interrupter.cast(), (), Interrupter::interrupt) }
}

/// Takes back an interrupt that has not stopped anything yet: one that came when the call had already ended.
///
/// Any thread may call this, and a signal handler may. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_interrupter_clear(interrupter: *const inlay_interrupter_t) {
    // SAFETY: the caller gives an interrupter or NULL.
    unsafe { look(interrupter.cast(), (), Interrupter::clear) }
}

/// Deletes an interrupter; an interrupt that has not stopped anything stays. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_interrupter_delete(interrupter: *mut inlay_interrupter_t) {
    if !interrupter.is_null() {
        infallible((), || {
            // SAFETY: the caller owns it, and `inlay_interrupter_new` gave it.
            drop(unsafe { Box::from_raw(interrupter.cast::<Interrupter>()) });
            Ok(())
        });
    }
}
