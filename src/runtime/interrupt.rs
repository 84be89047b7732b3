//! Stopping wasm: from any thread, from a signal handler, and where it is out of fuel.
//!
//! The truth is one word, [`VmStore::stop`], which an interrupter sets. Compiled code that can be interrupted looks at it in
//! each turn of a loop and now and then between calls (`compiler/passes/polls.rs`), and so do builtins. When a function that
//! calls begins, it looks at nothing more than it does anyway: it compares its stack pointer, but with
//! [`VmStore::threshold`], which is the stack limit, or [`STOP`] while the word is set. What finds either calls the builtin
//! `Stop`, which looks at the word and at the limit itself, and lets the code go on if neither wants it to end. Where fuel
//! does not suffice wasm stops in the same way, by the builtin `Pay` ([`VmStore::pay`]).
//!
//! So the threshold is a hint, and may be wrong in one direction only: it must not stay at the limit while the word is set.
//! The interrupter sets the word and then the threshold; whoever sets the threshold to a limit looks at the word after that
//! ([`VmStore::arm`]). All four accesses are sequentially consistent, so that one of the two sees what the other did. That
//! costs tens of cycles, and is not done on every way into wasm: trampolines compare the threshold with the limit, and leave
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

    /// Asks the host where wasm is to stop, once for each interrupt: an error if it does stop.
    pub fn look(&self) -> Result<()> {
        if !self.is_stopping() || self.stop.swap(0, SeqCst) == 0 {
            return Ok(());
        }
        self.ask(Trap::Interrupted)
    }

    /// Takes fuel, which the host is asked for while there is too little.
    pub fn pay(&self, cost: u64) -> Result<()> {
        loop {
            let fuel = self.fuel.get();
            if let Some(left) = (fuel as u64).checked_sub(cost) {
                self.fuel.set(left as i64);
                return Ok(());
            }
            self.ask(Trap::OutOfFuel)?;
            if self.fuel.get() <= fuel {
                return Err(Trap::OutOfFuel.into());
            }
        }
    }

    /// Asks the host whether wasm goes on: an error if it does not. The threshold is then the limit's
    /// again. It is called on the store's thread, and the host may read the store meanwhile: no reference into it is held.
    fn ask(&self, trap: Trap) -> Result<()> {
        // Compiled code has bases of memories and tables in registers, and knows of nothing that is called here. So nothing
        // may move meanwhile: what enters finds the threshold and is refused, as is what grows.
        self.threshold.store(STOP, SeqCst);
        let limit = self.stack_limit.get();
        // SAFETY: the store lives, since its thread is here.
        let outcome = unsafe { ask(self.store.get().cast(), trap) };
        // The host may have said on which stack it enters next.
        self.stack_limit.set(limit);
        self.arm(limit);
        outcome
    }

    /// Does something with `len` elements in steps, each of which takes well below a millisecond, forwards or backwards. Where
    /// wasm is to stop, the rest is not done.
    pub fn in_steps<T>(
        &self,
        len: usize,
        backwards: bool,
        mut step: impl FnMut(usize, usize),
    ) -> Result<()> {
        let most = STEP / size_of::<T>();
        let mut done = 0;
        while done < len {
            let now = most.min(len - done);
            step(if backwards { len - done - now } else { done }, now);
            done += now;
            if done < len {
                self.look()?;
            }
        }
        Ok(())
    }

    /// Copies elements in steps. The ranges may overlap: no step writes what a later one reads.
    ///
    /// # Safety
    /// So many elements can be read and written there.
    pub unsafe fn copy_in_steps<T>(&self, from: *const T, to: *mut T, len: usize) -> Result<()> {
        let backwards = to.cast_const() > from;
        self.in_steps::<T>(len, backwards, |at, len| {
            // SAFETY: as the caller promises.
            unsafe { from.add(at).copy_to(to.add(at), len) }
        })
    }
}

/// Bytes that are copied or filled before the next look, which takes some tens of microseconds, or some hundreds if the
/// pages are new.
const STEP: usize = 256 << 10;

/// What the host does where wasm is to stop. Its drop is its `finalize`.
pub trait OnStop: Send + Sync {
    /// Lets wasm go on, or gives the error that it ends with in place of the trap.
    ///
    /// # Safety
    /// The store lives, its wasm waits on this thread, and no reference into it is held.
    unsafe fn stop(&self, store: *mut Store, trap: Trap) -> Result<()>;
}

/// Gives the error that wasm ends with where it is to stop; none if the host lets it go on.
///
/// # Safety
/// As for [`OnStop::stop`].
unsafe fn ask(store: *mut Store, trap: Trap) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        let Some(on_stop) = (*store).on_stop.clone() else {
            return Err(trap.into());
        };
        (*store).is_waiting = true;
        let outcome = on_stop.stop(store, trap);
        (*store).is_waiting = false;
        outcome
    }
}

impl Store {
    /// An error while the host is asked whether wasm goes on.
    pub fn must_not_be_waiting(&self) -> Result<()> {
        match self.is_waiting {
            false => Ok(()),
            true => Err(Error::argument(
                "the store's wasm waits for what its inlay_on_stop_t says; return from that first",
            )),
        }
    }
}

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
