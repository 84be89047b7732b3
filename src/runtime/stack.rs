//! How far down its stack wasm may go, where the host has not said so.
//!
//! Wasm may use as many bytes as the engine's limit says, counted from where it is entered, but not more than the thread's
//! own stack has. What the system says of that is remembered by thread, since asking takes microseconds.

use crate::os;

/// Bytes that stay free below the stack limit: frames that are not checked, and the handling of a trap, fit in them.
pub const RESERVE: usize = 32 << 10;

/// How many threads are remembered. A store that goes around among more asks again each time.
const MOST: usize = 8;

/// What is known of a thread's stack.
#[derive(Clone, Copy, Default)]
struct Known {
    /// The thread; 0 for none.
    thread: usize,
    /// The stack's bounds, both 0 if the system did not say.
    low: usize,
    high: usize,
    /// The page of a stack pointer that was not in those bounds, and still was not when the system was asked again: it is
    /// on a stack that the system does not know, such as a coroutine's.
    elsewhere: usize,
}

impl Known {
    /// Whether this is what the system says of the stack that a stack pointer of this thread is on.
    fn is_of(&self, thread: usize, sp: usize) -> bool {
        self.thread == thread && (self.has(sp) || self.elsewhere == page(sp))
    }

    fn has(&self, sp: usize) -> bool {
        sp.wrapping_sub(self.low) < self.high - self.low
    }
}

/// The stacks that a store has been used on; the first is the one that it was used on last.
#[derive(Default)]
pub struct Stacks {
    known: [Known; MOST],
    /// Which gives way next.
    next: usize,
}

/// What is near enough to a stack pointer to be on the same stack.
fn page(sp: usize) -> usize {
    sp >> 12
}

impl Stacks {
    /// The lowest address that wasm may use which is entered here on this thread, with this stack pointer. Every call from
    /// outside comes by here.
    pub fn limit(&mut self, sp: usize, bytes: usize) -> usize {
        let thread = os::thread();
        if !self.known[0].is_of(thread, sp) {
            self.find(thread, sp);
        }
        let counted = sp.saturating_sub(bytes);
        let stack = &self.known[0];
        match stack.has(sp) {
            true => counted.max(stack.low + RESERVE),
            false => counted,
        }
    }

    /// Makes this thread's stack the first; the system is asked if it is not known, or if the stack pointer does not fit
    /// what is.
    #[cold]
    fn find(&mut self, thread: usize, sp: usize) {
        let place = self.known.iter().position(|known| known.thread == thread);
        let place = place.unwrap_or_else(|| {
            self.next = self.next % (MOST - 1) + 1;
            self.next
        });
        self.known.swap(0, place);
        let known = &mut self.known[0];
        if known.is_of(thread, sp) {
            return;
        }
        let (low, high) = os::thread_stack().unwrap_or_default();
        *known = Known {
            thread,
            low,
            high,
            elsewhere: 0,
        };
        if !known.has(sp) {
            known.elsewhere = page(sp);
        }
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
                assert!(limit == low + RESERVE && limit < sp && sp < high);
                // What is left below the limit can be written.
                let lowest = (limit - RESERVE + 64) as *mut u8;
                // SAFETY: it is on this thread's stack, below all that is in use.
                unsafe { lowest.write_volatile(1) };
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
