//! How far down its stack wasm may go, where the host has not said so.
//!
//! From where it is entered wasm may use as many bytes as the engine's limit says, but not the last [`STACK_RESERVE`] bytes
//! of the thread's own stack. What the system says of that stack is remembered by each thread, since asking can take tens of
//! microseconds: of a process's first thread it is read from a list of all that is mapped.

use crate::image::vmctx::STACK_RESERVE;
use crate::os;
use std::cell::Cell;

thread_local! {
    /// The bounds of the thread's own stack, both 0 if the system did not say; none before it is asked.
    static KNOWN: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// The lowest address that wasm may use which is entered on this thread with this stack pointer. It is asked for by
/// every outermost entry of a store whose host gave no bounds.
pub fn limit(sp: usize, bytes: usize) -> usize {
    // On Windows fibers take their stacks from thread to thread, and what is asked is at hand.
    let known = KNOWN.get().filter(|_| cfg!(unix));
    let (low, high) = known.unwrap_or_else(ask);
    let counted = sp.saturating_sub(bytes);
    // Elsewhere it is on a stack that the system does not know, such as a coroutine's.
    let is_its_own = sp.wrapping_sub(low) < high - low;
    match is_its_own {
        true => counted.max(low + STACK_RESERVE),
        false => counted,
    }
}

/// A number that no other living thread has.
pub fn thread() -> usize {
    KNOWN.with(|known| (&raw const *known).addr())
}

/// Asks the system for the bounds of this thread's stack, again if it has been asked.
#[cold]
pub fn ask() -> (usize, usize) {
    let bounds = os::thread_stack().unwrap_or_default();
    KNOWN.set(Some(bounds));
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> usize {
        let local = 0u8;
        (&raw const local).expose_provenance()
    }

    #[test]
    fn a_small_thread_has_a_small_stack() {
        let main = limit(here(), 1 << 30);
        for kib in [64usize, 256, 1024] {
            let thread = std::thread::Builder::new().stack_size(kib << 10);
            let limit = || {
                let sp = here();
                let limit = super::limit(sp, 1 << 30);
                assert_eq!(limit, super::limit(sp, 1 << 30));
                // The C library may give a thread a larger stack than was asked for, if it has one left.
                let (low, high) = os::thread_stack().unwrap();
                assert!(limit == low + STACK_RESERVE && limit < sp && sp < high);
                // What is left below the limit can be written, if it is done from the top down, as on Windows it must.
                let lowest = limit - STACK_RESERVE + 64;
                let pages = (lowest..sp - 4096).rev().step_by(4096);
                for place in pages.chain([lowest]) {
                    // SAFETY: it is on this thread's stack, below all that is in use.
                    unsafe { (place as *mut u8).write_volatile(1) };
                }
            };
            std::thread::scope(|scope| {
                thread.spawn_scoped(scope, limit).unwrap();
            });
        }
        assert_eq!(limit(here(), 1 << 30), main);
    }

    /// As for a coroutine: some other memory.
    #[test]
    fn an_unknown_stack_counts() {
        let memory = vec![0u8; 1 << 16];
        let sp = memory.as_ptr().addr() + (1 << 15);
        assert_eq!(limit(sp, 4096), sp - 4096);
        assert_eq!(limit(sp, 8192), sp - 8192);
    }
}
