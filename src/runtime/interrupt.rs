//! Stopping wasm from any thread, and from a signal handler.
//!
//! The truth is one word, [`VmStore::stop`], which an interrupter sets. Compiled code that can be interrupted looks at it in each
//! turn of a loop. A function that calls looks at nothing more than it does anyway: it compares its stack pointer when it begins,
//! but with [`VmStore::threshold`], which is the stack limit, or [`STOP`] while the word is set. What finds either calls the
//! builtin `Stop`, which looks at the word and at the limit itself, and lets the code go on if neither wants it to end.
//!
//! So the threshold is a hint, and may be wrong in one direction only: it must not stay at the limit while the word is set. The
//! interrupter sets the word and then the threshold; whoever sets the threshold to a limit looks at the word after that
//! ([`VmStore::arm`]). All four accesses are sequentially consistent, so that one of the two sees what the other did. That costs
//! tens of cycles, and is not done on every way into wasm: trampolines compare the threshold with the limit, and leave
//! it alone if it is that already. For the same reason a threshold stays as it is when wasm ends.

use super::Store;
use crate::error::{Error, Result};
use crate::fallible::Shared;
use crate::image::trap::Trap;
use crate::image::vmctx::{STOP, VmStore};
use std::sync::atomic::Ordering::SeqCst;

impl VmStore {
    /// Sets what functions compare with to a stack limit, unless wasm is to stop.
    pub fn arm(&self, limit: usize) {
        self.threshold.store(limit, SeqCst);
        if self.is_stopping() {
            self.threshold.store(STOP, SeqCst);
        }
    }

    /// Whether wasm is to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(SeqCst) != 0
    }

    /// Whether wasm is to stop, of which only the first who asks is told.
    pub fn take_stop(&self) -> bool {
        self.stop.load(SeqCst) != 0 && self.stop.swap(0, SeqCst) != 0
    }

    /// Does something with `len` elements in steps, each of which takes well below a millisecond, forwards or backwards. Where
    /// wasm is to stop, the rest is not done.
    pub fn in_steps<T>(
        &self,
        len: usize,
        backwards: bool,
        mut step: impl FnMut(usize, usize),
    ) -> std::result::Result<(), Trap> {
        let most = STEP / size_of::<T>();
        let mut done = 0;
        while done < len {
            let now = most.min(len - done);
            step(if backwards { len - done - now } else { done }, now);
            done += now;
            if done < len && self.take_stop() {
                return Err(Trap::Interrupted);
            }
        }
        Ok(())
    }

    /// Copies elements in steps. The ranges may overlap: no step writes what a later one reads.
    ///
    /// # Safety
    /// So many elements can be read and written there.
    pub unsafe fn copy_in_steps<T>(
        &self,
        from: *const T,
        to: *mut T,
        len: usize,
    ) -> std::result::Result<(), Trap> {
        let backwards = to.cast_const() > from;
        self.in_steps::<T>(len, backwards, |at, len| {
            // SAFETY: as the caller promises.
            unsafe { from.add(at).copy_to(to.add(at), len) }
        })
    }
}

/// Bytes that are copied or filled before the next look, which takes some tens of microseconds, or some hundreds if the pages are
/// new.
const STEP: usize = 256 << 10;

/// What stops a store's wasm. Any number of threads may use it, and it may outlive the store.
pub struct Interrupter(Shared<VmStore>);

impl Interrupter {
    pub fn new(store: &Store) -> Result<Interrupter> {
        match store.engine.interruption {
            true => Ok(Interrupter(store.vm.clone())),
            false => Err(Error::argument(
                "wasm of this engine cannot be interrupted; call inlay_config_interruption on its configuration",
            )),
        }
    }

    /// Async-signal-safe.
    pub fn interrupt(&self) {
        self.0.stop.store(STOP, SeqCst);
        self.0.threshold.store(STOP, SeqCst);
    }

    /// Takes an interrupt back that has not stopped anything. Async-signal-safe. The threshold stays, and is found to be
    /// wrong.
    pub fn clear(&self) {
        self.0.stop.store(0, SeqCst);
    }
}
