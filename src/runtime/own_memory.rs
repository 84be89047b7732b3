//! The provider for hosts that give none: address space of its own for each memory, of which pages become accessible as it
//! grows.
//!
//! To reserve address space, to make its pages accessible and to give it back are three calls of the system, which take
//! longer than the rest of making an instance. So what a memory leaves is emptied, which is one call, and kept for the next
//! one of its size. Where the host lets it stay resident, that call is one which finds out what was touched, and the rest is
//! overwriting it.

use super::linear_memory::{LinearMemory, Request, Span};
use super::stack;
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::OutOfMemory;
use crate::image::RESERVED;
use crate::os::{self, Access, Touched};
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// How many lists of spans there are that are not in use, so that threads seldom meet.
const LISTS: usize = 8;

/// How many spans each of them keeps.
const MOST_IDLE: usize = 4;

/// Linear memory from the operating system.
pub struct OwnMemory {
    /// What is not in use, whose bytes are zeros; the last one of a list was used last. A list is passed over where another
    /// thread has it, so that nobody waits, and a process that forks meanwhile does not wait for ever.
    idle: [Idle; LISTS],
    /// How many bytes of each of these may stay resident.
    resident: usize,
    /// What tells which pages to overwrite for that; none where the system does not.
    touched: Option<Touched>,
}

/// A list of what is not in use, in a line of the CPU's cache of its own.
#[derive(Default)]
#[repr(align(64))]
struct Idle(Mutex<Vec<Span>>);

impl OwnMemory {
    pub fn new(resident: usize) -> Result<OwnMemory> {
        let mut idle: [Idle; LISTS] = Default::default();
        for Idle(list) in &mut idle {
            let list = list.get_mut().unwrap_or_else(PoisonError::into_inner);
            list.try_reserve_exact(MOST_IDLE)
                .map_err(OutOfMemory::from)?;
        }
        Ok(OwnMemory {
            idle,
            resident,
            touched: (resident > 0).then(Touched::new).flatten(),
        })
    }

    /// What an earlier memory left that had as much address space as this one wants, with `end` bytes accessible.
    fn reuse(&self, request: &Request, end: usize) -> Option<Span> {
        let size = wanted(request, end)?;
        let as_large = |span: &Span| span.reserved == size;
        let the_same = |span: &Span| as_large(span) && span.accessible == end;
        let mut span = self.take(the_same).or_else(|| self.take(as_large))?;
        let start = NonNull::new(span.base)?;
        let has = span.accessible;
        // SAFETY: the pages are of the reservation, which nobody uses.
        let done = unsafe {
            match has <= end {
                true => os::protect(start.add(has), end - has, Access::ReadWrite),
                false => os::protect(start.add(end), has - end, Access::None),
            }
        };
        span.accessible = end;
        if !done {
            give_back(&span);
            return None;
        }
        Some(span)
    }

    /// Keeps a span for later; gives what is to be given back for that.
    fn keep(&self, span: Span) -> Option<Span> {
        let start = NonNull::new(span.base)?;
        // SAFETY: it is what was given, and nothing uses it any more.
        if !unsafe { self.empty(start, span.accessible) } {
            return Some(span);
        }
        let mut lists = self.lists().filter_map(|list| list.try_lock().ok());
        let mut full = None;
        let free = lists.find_map(|list| match list.len() < MOST_IDLE {
            true => Some(list),
            false => {
                full.get_or_insert(list);
                None
            }
        });
        let Some(mut list) = free.or(full) else {
            return Some(span);
        };
        let oldest = (list.len() == MOST_IDLE).then(|| list.remove(0));
        list.push(span);
        oldest
    }

    /// The lists of what is not in use, beginning with this thread's.
    fn lists(&self) -> impl Iterator<Item = &Mutex<Vec<Span>>> {
        // Threads' numbers are often multiples of the same number, so that all bits of them count.
        let mixed = (stack::thread() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (before, from) = self.idle.split_at((mixed >> 32) as usize % LISTS);
        from.iter().chain(before).map(|Idle(list)| list)
    }

    /// Takes a span that fits, the one that was used last of the first list that has any.
    fn take(&self, fits: impl Fn(&Span) -> bool) -> Option<Span> {
        let mut lists = self.lists().filter_map(|list| list.try_lock().ok());
        lists.find_map(|mut list| {
            let at = list.iter().rposition(&fits)?;
            Some(list.remove(at))
        })
    }

    /// Makes pages zeros again; whether that worked.
    ///
    /// # Safety
    /// They are accessible pages of a span that nobody uses any more.
    unsafe fn empty(&self, start: NonNull<u8>, len: usize) -> bool {
        // SAFETY: as the caller promises.
        unsafe {
            let touched = self.touched.as_ref();
            if touched.is_some_and(|touched| touched.zero(start, len, self.resident)) {
                return true;
            }
            // Where nobody knows what was touched, all that may stay is overwritten.
            if touched.is_none() && len <= self.resident {
                start.write_bytes(0, len);
                return true;
            }
            os::empty(start, len)
        }
    }

    /// Gives back all that is not in use; whether there was anything.
    fn give_back_idle(&self) -> bool {
        let mut any = false;
        while let Some(span) = self.take(|_| true) {
            give_back(&span);
            any = true;
        }
        any
    }

    /// A reservation for `end` bytes and as much more as there is, accessible from `used` to `end`: what could fail has then
    /// been done before anything moves. All sizes are whole pages.
    fn reserve(&self, request: &Request, used: usize, end: usize) -> Option<(NonNull<u8>, usize)> {
        let page = os::page_size();
        let mut size = wanted(request, end)?;
        let start = loop {
            match os::reserve(size, page) {
                Some(start) => break start,
                None if self.give_back_idle() => {}
                None if size == end || request.shared || request.guarded != 0 => return None,
                // Less than wished, but not so little that the next page would move the memory again.
                None => {
                    size = (end + (size - end) / 4)
                        .next_multiple_of(page)
                        .min(size - page)
                }
            }
        };
        // SAFETY: the reservation is new.
        unsafe {
            if os::protect(start.add(used), end - used, Access::ReadWrite) {
                return Some((start, size));
            }
            os::release(start, size);
        }
        None
    }

    /// Moves the first `used` bytes to a new reservation, of which `end` bytes are then accessible; gives its start and size.
    /// If there is none, nothing has changed.
    fn relocate(
        &self,
        request: &Request,
        before: (NonNull<u8>, usize),
        used: usize,
        end: usize,
    ) -> Option<(NonNull<u8>, usize)> {
        let (start, size) = self.reserve(request, used, end)?;
        // SAFETY: the reservations are ours and do not overlap; what moved, and what is given back, is not used again.
        unsafe {
            if os::move_pages(before, (start, size), used) {
                return Some((start, size));
            }
            let (start, size) = self.reserve(request, used, end)?;
            if !os::protect(start, used, Access::ReadWrite) {
                os::release(start, size);
                return None;
            }
            copy_pages(before.0, start, used);
            os::release(before.0, before.1);
            Some((start, size))
        }
    }
}

impl Drop for OwnMemory {
    fn drop(&mut self) {
        self.give_back_idle();
    }
}

impl LinearMemory for OwnMemory {
    fn allocate(&self, request: &Request) -> Result<Span> {
        let end = request.minimum.checked_next_multiple_of(os::page_size());
        if let Some(span) = end.and_then(|end| self.reuse(request, end)) {
            return Ok(span);
        }
        let place = end.and_then(|end| self.reserve(request, 0, end).map(|place| (place, end)));
        // A shared memory never moves, so that there must be room for all that it may grow to.
        let wanted = match request.shared {
            true => request.maximum,
            false => request.minimum,
        };
        let ((start, size), end) = place.ok_or_else(|| no_room(wanted))?;
        Ok(Span {
            base: start.as_ptr(),
            accessible: end,
            reserved: size,
            guarded: size,
            handle: std::ptr::null_mut(),
        })
    }

    fn grow(&self, request: &Request, span: &mut Span, len: usize) -> Result<()> {
        let before = NonNull::new(span.base).expect("it was allocated");
        let used = span.accessible;
        let grown = || {
            let end = len.checked_next_multiple_of(os::page_size())?;
            let (start, size) = match end <= span.reserved {
                true => {
                    // SAFETY: the range is in the reservation, and nobody uses it yet.
                    let committed =
                        unsafe { os::protect(before.add(used), end - used, Access::ReadWrite) };
                    committed.then_some((before, span.reserved))?
                }
                false => self.relocate(request, (before, span.reserved), used, end)?,
            };
            Some(Span {
                base: start.as_ptr(),
                accessible: end,
                reserved: size,
                guarded: size,
                ..*span
            })
        };
        *span = grown().ok_or_else(|| no_room(len))?;
        Ok(())
    }

    fn release(&self, span: &Span) {
        if let Some(span) = self.keep(*span) {
            give_back(&span);
        }
    }
}

/// Gives a span back to the system.
fn give_back(span: &Span) {
    if let Some(start) = NonNull::new(span.base) {
        // SAFETY: it is a reservation of this provider's, and nothing uses it any more.
        unsafe { os::release(start, span.reserved) };
    }
}

/// The error for so many bytes, which the system has just refused.
fn no_room(len: usize) -> Error {
    Error::new(
        ErrorKind::OutOfMemory,
        format_args!(
            "out of memory: the system has no room for a memory of {len} bytes ({}); ask for less, let {}, or give the engine \
             memory of your own with inlay_config_linear_memory",
            os::last_error(),
            os::MORE_ROOM
        ),
    )
}

/// How much address space to reserve for a memory of `len` bytes: all that it may grow to if it never moves. One of 64 bits
/// seldom moves, and when it does, it then has as much again, so that growing page by page does not move it each time.
/// Another one moves only where the engine says that memories do, so that they take no more than they have.
fn ahead(request: &Request, len: usize) -> usize {
    let most = match (request.stays, request.memory64) {
        (true, _) => request.maximum,
        (false, true) => {
            let ahead = len.saturating_mul(2).max(RESERVED as usize);
            ahead.min(request.maximum)
        }
        (false, false) => len,
    };
    most.max(len).max(request.guarded)
}

/// How much that is in whole pages, one at least.
fn wanted(request: &Request, end: usize) -> Option<usize> {
    let page = os::page_size();
    ahead(request, end).max(page).checked_next_multiple_of(page)
}

/// Copies pages to pages of zeros, without touching those that would stay so.
///
/// # Safety
/// Both ranges are whole pages that do not overlap; the old ones can be read, and the new ones written.
unsafe fn copy_pages(from: NonNull<u8>, to: NonNull<u8>, len: usize) {
    let page = os::page_size();
    for at in (0..len).step_by(page) {
        // SAFETY: as the caller promises.
        unsafe {
            let bytes = std::slice::from_raw_parts(from.add(at).as_ptr(), page);
            if bytes.iter().any(|&byte| byte != 0) {
                let to = to.add(at).as_ptr();
                to.copy_from_nonoverlapping(bytes.as_ptr(), page);
            }
        }
    }
}
