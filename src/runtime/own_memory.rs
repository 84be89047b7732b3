//! The provider for hosts that give none: address space of its own for each memory, of which pages become accessible as it
//! grows.
//!
//! What a memory leaves is emptied, which is one call of the system. Where the host lets it stay resident, that call is one which
//! finds out what was touched, and the rest is overwriting it.

use super::contents::Contents;
use super::contents_files::ContentsFiles;
use super::linear_memory::{LinearMemory, Request, Room, Span};
use crate::error::{Error, ErrorKind, Result};
use crate::image::RESERVED;
use crate::os::{self, Access, Touched};
use std::ptr::NonNull;

/// Linear memory from the operating system.
pub struct OwnMemory {
    /// How many bytes of each memory that is gone may stay resident.
    resident: usize,
    /// What tells which pages to overwrite for that; none where the system does not.
    touched: Option<Touched>,
    /// Contents to map.
    files: ContentsFiles,
}

/// A memory that can never have more has all of it from the beginning.
const SMALL: usize = 1 << 20;

impl OwnMemory {
    pub fn new(resident: usize) -> OwnMemory {
        OwnMemory {
            resident,
            touched: (resident > 0).then(Touched::new).flatten(),
            files: ContentsFiles::default(),
        }
    }

    /// Makes pages again what they were at first: zeros, or the contents that a file is mapped for; whether that worked.
    ///
    /// # Safety
    /// They are accessible pages of a span that nobody uses any more.
    unsafe fn empty(&self, start: NonNull<u8>, len: usize, populated: bool) -> bool {
        // SAFETY: as the caller promises.
        unsafe {
            if populated {
                return os::empty(start, len);
            }
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

    /// A reservation for `end` bytes and as much more as there is, accessible from `used` to `end`: what could fail has then
    /// been done before anything moves. All sizes are whole pages.
    fn reserve(
        &self,
        request: &Request,
        used: usize,
        end: usize,
        room: Room<'_>,
    ) -> Option<(NonNull<u8>, usize)> {
        let page = os::page_size();
        let mut size = wanted(request, end)?;
        let start = loop {
            match os::reserve(size, page) {
                Some(start) => break start,
                None if room() => {}
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
        room: Room<'_>,
    ) -> Option<(NonNull<u8>, usize)> {
        let (start, size) = self.reserve(request, used, end, room)?;
        // SAFETY: the reservations are ours and do not overlap; what moved, and what is given back, is not used again.
        unsafe {
            if os::move_pages(before, (start, size), used) {
                return Some((start, size));
            }
            let (start, size) = self.reserve(request, used, end, room)?;
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

impl LinearMemory for OwnMemory {
    fn allocate(&self, request: &Request, room: Room<'_>) -> Result<Span> {
        let end = first(request);
        let place = end.and_then(|end| Some((self.reserve(request, 0, end, room)?, end)));
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

    fn grow(&self, request: &Request, span: &mut Span, len: usize, room: Room<'_>) -> Result<()> {
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
                false => self.relocate(request, (before, span.reserved), used, end, room)?,
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
        if let Some(start) = NonNull::new(span.base) {
            // SAFETY: it is a reservation of this provider's, and nothing uses it any more.
            unsafe { os::release(start, span.reserved) };
        }
    }

    fn reset(&self, request: &Request, span: &mut Span, populated: bool) -> bool {
        let (Some(start), Some(end)) = (NonNull::new(span.base), first(request)) else {
            return false;
        };
        let has = span.accessible;
        // Of what is larger only guarded pages are taken away: for others there is no harm in them.
        let fits = match request.guarded {
            0 => end.max(has),
            _ => end,
        };
        // SAFETY: the pages are of the reservation, which nobody uses.
        unsafe {
            let done = self.empty(start, has, populated)
                && match has <= fits {
                    true => os::protect(start.add(has), fits - has, Access::ReadWrite),
                    false => os::protect(start.add(fits), has - fits, Access::None),
                };
            span.accessible = fits;
            done
        }
    }

    fn populate(&self, request: &Request, span: &Span, contents: &Contents) -> bool {
        self.files.map(request, span, contents, self.resident)
    }

    fn forget(&self, contents: u64) {
        self.files.forget(contents);
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

/// How many bytes are accessible at first: whole pages; all that it may ever have, if that is little, so that it takes no call
/// to grow.
fn first(request: &Request) -> Option<usize> {
    let bytes = match request.guarded == 0 && request.maximum <= SMALL {
        true => request.maximum,
        false => request.minimum,
    };
    bytes.checked_next_multiple_of(os::page_size())
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
