//! Interrupters: what stops wasm that runs, and what a host does then.

use super::{
    borrow, borrow_mut, fallible, infallible, inlay_error_t, inlay_store_t, inlay_trap_t, look,
    not_an_exception, outcome, produce_handle, read_table,
};
use crate::error::{Error, Result};
use crate::fallible::{Shared, boxed};
use crate::image::trap::Trap;
use crate::runtime::{HostData, Interrupter, OnStop, Store};
use std::ffi::c_void;
use std::mem::offset_of;

/// What stops the wasm of one store, from any thread or from a signal handler.
///
/// The host deletes it. It may outlive its store, and then does nothing; a store may have any number of them, which do the
/// same. Any number of threads may use one at once.
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
/// Wasm that runs stops within a millisecond of its own running time, in loops, recursion, tail calls and circles of
/// exceptions, and in operations on whole memories or tables, of which a part is then done; only to grow one is a single
/// step. Wasm that waits in `memory.atomic.wait32` or `wait64` wakes within some milliseconds. Host functions are not
/// stopped, unless they look themselves (`inlay_caller_stop`); wasm that they return to is. The error has a backtrace, if wasm had begun, no `catch_all` of wasm's catches it,
/// and the store stays usable. A host function that calls into the store itself may be the one that gets the error.
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

/// What a host does where wasm of a store is to stop, in place of the trap. The host sets `size` to
/// `sizeof(inlay_on_stop_t)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_on_stop_t {
    /// `sizeof(inlay_on_stop_t)`. A table that ends after `stop`, or is longer than this version's, is accepted.
    pub size: usize,
    /// Passed to each callback; Inlay does not look at it.
    pub env: *mut c_void,
    /// Called where wasm is to stop, on the thread that runs it. `trap` says why: `INLAY_TRAP_INTERRUPTED`, or
    /// `INLAY_TRAP_OUT_OF_FUEL`.
    ///
    /// NULL lets wasm go on as if nothing had been. Where it was out of fuel, the callback has to give some with
    /// `inlay_store_set_fuel` before that: it is called again if what the store then has is not enough, and the trap comes if
    /// that is not more than before. An error ends it: `inlay_error_new_trap(trap)` for the trap that it would be without this,
    /// or any other but an exception; the frames that it leaves are added. It may switch to another coroutine, and come back
    /// when it likes, on any thread that then is the one which uses the store.
    ///
    /// Meanwhile the store's wasm waits in the middle of an instruction. So the callback may read the store, and what is in its
    /// memories it may write; but calls into the store, instantiating in it, and growing its memories, unless they are shared,
    /// and tables is `INLAY_ERROR_INVALID_ARGUMENT`, and wasm may have read before what is set in globals and tables. Other
    /// stores may be used as ever.
    pub stop: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            store: *mut inlay_store_t,
            trap: inlay_trap_t,
        ) -> *mut inlay_error_t,
    >,
    /// Called once, when the store goes or has another table, and no `stop` is running, or at once if the table was refused.
    /// May be NULL. It may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
    pub finalize: Option<unsafe extern "C" fn(env: *mut c_void)>,
}

/// The host's table, as what the store asks.
struct HostStop {
    stop: Option<
        unsafe extern "C" fn(*mut c_void, *mut inlay_store_t, inlay_trap_t) -> *mut inlay_error_t,
    >,
    data: HostData,
}

// SAFETY: the contract of the table is that whichever thread uses the store may call it.
unsafe impl Send for HostStop {}
// SAFETY: as above.
unsafe impl Sync for HostStop {}

impl OnStop for HostStop {
    unsafe fn stop(&self, store: *mut Store, trap: Trap) -> Result<()> {
        let stop = self.stop.expect("checked when it was set");
        // SAFETY: the host's function, called as its contract says.
        let outcome = unsafe {
            outcome(stop(
                self.data.env,
                store.cast(),
                trap.class() as inlay_trap_t,
            ))
        };
        outcome.map_err(|error| not_an_exception(error, "the stop of an inlay_on_stop_t"))
    }
}

/// Sets what is done where the store's wasm is to stop, in place of what was set before; NULL for the trap, as a store starts.
///
/// Copies the table; `finalize` is now Inlay's to call, once, also when this fails. It has an effect only where
/// `inlay_config_interruption` or `inlay_config_fuel` is set. `INLAY_ERROR_INVALID_ARGUMENT` if the size is none that this
/// version knows, or `stop` is missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_store_on_stop(
    store: *mut inlay_store_t,
    on_stop: *const inlay_on_stop_t,
) -> *mut inlay_error_t {
    fallible(|| {
        let on_stop = match on_stop.is_null() {
            true => None,
            false => {
                let none = inlay_on_stop_t {
                    size: 0,
                    env: std::ptr::null_mut(),
                    stop: None,
                    finalize: None,
                };
                let least = offset_of!(inlay_on_stop_t, finalize);
                // SAFETY: the caller gives a table of the size that it says.
                let table = unsafe { read_table(on_stop, none, least, "inlay_on_stop_t") }?;
                Some(HostStop {
                    stop: table.stop,
                    data: HostData {
                        env: table.env,
                        finalize: table.finalize,
                    },
                })
            }
        };
        if on_stop
            .as_ref()
            .is_some_and(|on_stop| on_stop.stop.is_none())
        {
            return Err(Error::argument("an inlay_on_stop_t needs stop"));
        }
        // SAFETY: the caller gives a store or NULL.
        let store = unsafe { borrow_mut(store.cast::<Store>(), "store") }?;
        let on_stop = match on_stop {
            Some(on_stop) => Some(Shared::new(boxed(on_stop)? as _)?),
            None => None,
        };
        let before = std::mem::replace(&mut store.on_stop, on_stop);
        drop(before);
        Ok(())
    })
}
