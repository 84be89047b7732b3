//! The provider for hosts that give none: address space of its own for each memory, of which pages become accessible as it grows.
//!
//! To reserve address space, to make its pages accessible and to give it back are three calls of the system, which take longer than
//! the rest of making an instance. So what a memory leaves is emptied, which is one call, and kept for the next one of its size.

use super::linear_memory::{LinearMemory, Request, Span};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::OutOfMemory;
use crate::image::RESERVED;
use crate::os::{self, Access};
use std::ptr::NonNull;
use std::sync::Mutex;

/// How many spans are kept that are not in use.
const MOST_IDLE: usize = 32;

/// Linear memory from the operating system.
pub struct OwnMemory {
    /// What is not in use, whose bytes are zeros; the last one was used last. It is passed over where another thread has it, so
    /// that nobody waits, and a process that forks meanwhile does not wait for ever.
    idle: Mutex<Vec<Span>>,
}

impl OwnMemory {
    pub fn new() -> Result<OwnMemory> {
        let mut idle = Vec::new();
        idle.try_reserve_exact(MOST_IDLE)
            .map_err(OutOfMemory::from)?;
        Ok(OwnMemory {
            idle: Mutex::new(idle),
        })
    }

    /// What an earlier memory left that had as much address space as this one wants, with `end` bytes accessible.
    fn reuse(&self, request: &Request, end: usize) -> Option<Span> {
        let size = wanted(request, end)?;
        let mut idle = self.idle.try_lock().ok()?;
        let fits = |span: &Span| span.reserved == size;
        let at = idle
            .iter()
            .rposition(|span| fits(span) && span.accessible == end)
            .or_else(|| idle.iter().rposition(fits))?;
        let mut span = idle.remove(at);
        drop(idle);
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
        if !unsafe { os::empty(start, span.accessible) } {
            return Some(span);
        }
        let Ok(mut idle) = self.idle.try_lock() else {
            return Some(span);
        };
        let oldest = (idle.len() == MOST_IDLE).then(|| idle.remove(0));
        idle.push(span);
        oldest
    }

    /// Gives back all that is not in use; whether there was anything.
    fn give_back_idle(&self) -> bool {
        let mut any = false;
        while let Some(span) = self.idle.try_lock().ok().and_then(|mut idle| idle.pop()) {
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

/// How much address space to reserve for a memory of `len` bytes: all that it may grow to if it never moves. One of 64 bits seldom
/// moves, and when it does, it then has as much again, so that growing page by page does not move it each time. Another one moves
/// only where the engine says that memories do, so that they take no more than they have.
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
