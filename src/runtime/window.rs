//! Windows: memories over bytes of the host's, which it points elsewhere while no wasm of their store runs.
//!
//! Code takes for granted, from one entry to its return, that an imported memory stays where it is and grows at the most,
//! and for ever that it has the import's minimum. So a window is pointed only between calls, and never to fewer bytes than
//! the largest minimum that it was linked to, nor to more than an address of what it was linked to reaches. It has no page
//! size and no maximum of its own: it is what the import says, if that has no maximum. Code also takes for granted that the
//! memories a module imports have no bytes in common with those that it makes, so that no window is over a memory of its
//! store.

use super::Store;
use super::memory::{ALIGN, Memory, sayable};
use crate::error::{Error, Result};
use crate::fallible::Pinned;
use crate::image::MemoryType;
use crate::image::vmctx::VmMemory;

/// Bytes of the host's.
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    pub base: *mut u8,
    pub len: usize,
    /// Whether wasm only reads them.
    pub read_only: bool,
}

/// What makes a memory a window.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub read_only: bool,
    /// To how many bytes at least, and at the most, it may be pointed.
    least: usize,
    most: usize,
}

impl Window {
    /// Notes that an instance has it for an import of this type, which it fits.
    pub fn link(&mut self, wanted: &MemoryType) {
        let least = usize::try_from(wanted.bytes(wanted.minimum)).unwrap_or(usize::MAX);
        self.least = self.least.max(least);
        self.most = self.most.min(reach(wanted));
    }
}

/// How many bytes the addresses of a memory of this type reach, and its size can say.
pub fn reach(ty: &MemoryType) -> usize {
    let bytes = ty.bytes(sayable(ty));
    usize::try_from(bytes).map_or(isize::MAX as usize, |bytes| bytes.min(isize::MAX as usize))
}

impl Memory {
    /// A window onto bytes of the host's.
    ///
    /// # Safety
    /// The store is alive, used by this thread alone, and no reference into it is held. The bytes are there while the window is
    /// over them and wasm runs.
    pub unsafe fn window(store: *mut Store, bytes: Bytes) -> Result<Pinned<Memory>> {
        let window = Window {
            read_only: bytes.read_only,
            least: 0,
            most: isize::MAX as usize,
        };
        // SAFETY: as the caller promises; nobody else knows the memory yet.
        unsafe {
            (*store).must_not_be_waiting()?;
            let memory = Memory::of_window(store, window)?;
            Memory::place(memory.as_ptr(), &window, &bytes)?;
            Ok(memory)
        }
    }

    /// Points a window at other bytes.
    ///
    /// # Safety
    /// As for [`Memory::window`], of the memory's store.
    pub unsafe fn point(this: *mut Memory, bytes: Bytes) -> Result<()> {
        // SAFETY: as the caller promises.
        unsafe {
            let store = (*this).store;
            (*store).must_not_be_waiting()?;
            let Some(window) = (*this).window else {
                return Err(Error::argument(
                    "the memory has bytes of its own; inlay_memory_new_window makes those that can be pointed",
                ));
            };
            let vm = &(*store).vm;
            if !vm.activation.get().is_null() {
                return Err(Error::argument(
                    "a call into the window's store is not finished; point it before the call or after it",
                ));
            }
            Memory::place(this, &window, &bytes)
        }
    }

    /// Has a window show other bytes, if it can be over them.
    ///
    /// # Safety
    /// As for [`Memory::window`]; no wasm that runs has the window.
    unsafe fn place(this: *mut Memory, window: &Window, bytes: &Bytes) -> Result<()> {
        check(window, bytes)?;
        let range = bytes.base.addr()..bytes.base.addr() + bytes.len;
        // SAFETY: as the caller promises.
        unsafe {
            let overlaps = |memory: *mut Memory| {
                let other = (*memory).extent();
                range.start.max(other.start) < range.end.min(other.end)
            };
            if (*(*this).store).all_memories().any(overlaps) {
                return Err(Error::argument(
                    "the bytes of a window are those of a memory in its store; code takes these two to be apart",
                ));
            }
            *(*this).definition().as_ptr() = VmMemory {
                base: bytes.base,
                len: bytes.len,
            };
        }
        Ok(())
    }
}

/// An error unless a window can be over these bytes.
fn check(window: &Window, bytes: &Bytes) -> Result<()> {
    let Bytes { base, len, .. } = *bytes;
    let why = if bytes.read_only != window.read_only {
        "a window is read-only from its beginning on, or never"
    } else if !base.addr().is_multiple_of(ALIGN) {
        "the bytes of a window begin at a multiple of 16"
    } else if base.is_null() && len > 0 {
        "the bytes of a window are at NULL"
    } else if len > isize::MAX as usize || base.addr().checked_add(len).is_none() {
        "no process has so many bytes"
    } else if len > window.most {
        return Err(Error::argument(format_args!(
            "a window of {len} bytes; a module that it is linked to has addresses for {}",
            window.most
        )));
    } else if len < window.least {
        return Err(Error::argument(format_args!(
            "a window of {len} bytes; a module that it is linked to wants {} at least",
            window.least
        )));
    } else {
        return Ok(());
    };
    Err(Error::argument(why))
}
