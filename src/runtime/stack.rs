//! How far down its stack wasm may go, where the host has not said so.
//!
//! From where it is entered wasm may use as many bytes as the engine's limit says, but not the last [`STACK_RESERVE`] bytes
//! of the thread's own stack. What the system says of that stack is remembered by thread, since asking takes microseconds.

use crate::image::vmctx::STACK_RESERVE;
use crate::os;

/// How many threads are remembered. A store that goes around among more asks again each time.
const MOST: usize = 8;

/// What is known of a thread's stack.
#[derive(Clone, Copy, Default)]
struct Known {
    /// The thread; 0 for none.
    thread: usize,
    /// The bounds of the thread's own stack, both 0 if the system did not say.
    low: usize,
    high: usize,
}

/// The stacks of the threads that a store has been used on; the first is that of the last.
#[derive(Default)]
pub struct Stacks {
    known: [Known; MOST],
    /// Which gives way next.
    next: usize,
}

impl Stacks {
    /// The lowest address that wasm may use which is entered on this thread with this stack pointer. It is asked for by
    /// every outermost entry of a store whose host gave no bounds.
    pub fn limit(&mut self, sp: usize, bytes: usize) -> usize {
        let thread = os::thread();
        if self.known[0].thread != thread {
            self.find(thread);
        }
        let counted = sp.saturating_sub(bytes);
        let stack = &self.known[0];
        // Elsewhere it is on a stack that the system does not know, such as a coroutine's.
        let is_its_own = sp.wrapping_sub(stack.low) < stack.high - stack.low;
        match is_its_own {
            true => counted.max(stack.low + STACK_RESERVE),
            false => counted,
        }
    }

    /// Moves what is known of this thread to the front. The system is asked if nothing is.
    #[cold]
    fn find(&mut self, thread: usize) {
        let place = self.known.iter().position(|known| known.thread == thread);
        if place.is_none() {
            self.next = self.next % (MOST - 1) + 1;
            let (low, high) = os::thread_stack().unwrap_or_default();
            self.known[self.next] = Known { thread, low, high };
        }
        self.known.swap(0, place.unwrap_or(self.next));
    }
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
        let mut stacks = Stacks::default();
        let main = stacks.limit(here(), 1 << 30);
        for kib in [64usize, 256, 1024] {
            let thread = std::thread::Builder::new().stack_size(kib << 10);
            let limit = |stacks: &mut Stacks| {
                let sp = here();
                let limit = stacks.limit(sp, 1 << 30);
                assert_eq!(limit, stacks.limit(sp, 1 << 30));
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
                thread.spawn_scoped(scope, || limit(&mut stacks)).unwrap();
            });
        }
        assert_eq!(stacks.limit(here(), 1 << 30), main);
    }

    /// As for a coroutine: some other memory.
    #[test]
    fn an_unknown_stack_counts() {
        let mut stacks = Stacks::default();
        let memory = vec![0u8; 1 << 16];
        let sp = memory.as_ptr().addr() + (1 << 15);
        assert_eq!(stacks.limit(sp, 4096), sp - 4096);
        assert_eq!(stacks.limit(sp, 8192), sp - 8192);
    }
}
