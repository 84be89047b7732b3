//! Linear memories.

use super::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::VmMemory;
use crate::module::{MemoryType, PAGE};
use crate::os::{self, Access};
use std::ptr::NonNull;

/// A linear memory. What compiled code sees of it is behind `definition`.
pub struct Memory {
    pub store: *mut Store,
    pub ty: MemoryType,
    definition: NonNull<VmMemory>,
    /// The definition of a memory that the host made.
    own: VmMemory,
    /// Address space from the base on; pages beyond the length are not accessible.
    reserved: usize,
    /// The most pages that it may have.
    most: u64,
}

impl Memory {
    /// A memory of zeros. Its definition is at `place`, or in itself if there is none.
    pub fn new(
        store: *mut Store,
        limit: u64,
        ty: MemoryType,
        place: Option<NonNull<VmMemory>>,
    ) -> Result<Box<Memory>> {
        if ty.minimum > limit {
            return Err(Error::new(
                ErrorKind::Limit,
                format_args!(
                    "a memory of {} pages; the limit that the host set is {limit}",
                    ty.minimum
                ),
            ));
        }
        let mut memory = Box::new(Memory {
            store,
            ty,
            definition: NonNull::dangling(),
            own: VmMemory {
                base: NonNull::<u128>::dangling().as_ptr().cast(),
                len: 0,
            },
            reserved: 0,
            most: ty.maximum.unwrap_or(u64::MAX).min(limit),
        });
        let own = NonNull::from(&mut memory.own);
        memory.definition = place.unwrap_or(own);
        // SAFETY: the place is a definition in the vmctx of an instance that is being made.
        unsafe { *memory.definition.as_ptr() = memory.own };
        let len = bytes(ty.minimum).ok_or_else(|| too_large(ty.minimum))?;
        if !memory.resize(len) {
            return Err(too_large(ty.minimum));
        }
        Ok(memory)
    }

    pub fn definition(&self) -> NonNull<VmMemory> {
        self.definition
    }

    fn vm(&self) -> VmMemory {
        // SAFETY: the definition lives as long as the memory, and no reference to it is held.
        unsafe { *self.definition.as_ptr() }
    }

    pub fn base(&self) -> *mut u8 {
        self.vm().base
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.vm().len
    }

    pub fn pages(&self) -> u64 {
        self.len() as u64 / PAGE
    }

    /// The most pages that it may have.
    pub fn most(&self) -> u64 {
        self.most.min(1 << 16)
    }

    /// Adds pages of zeros; gives the old size, or none if it cannot grow so far.
    pub fn grow(&mut self, delta: u64) -> Option<u64> {
        let old = self.pages();
        let new = old.checked_add(delta).filter(|&new| new <= self.most)?;
        self.resize(bytes(new)?).then_some(old)
    }

    /// Makes the memory `len` bytes, which is not less than it has; whether that worked.
    fn resize(&mut self, len: usize) -> bool {
        let old = self.vm();
        if len == old.len {
            return true;
        }
        let start = match NonNull::new(old.base) {
            Some(base) if len <= self.reserved => base,
            _ => match self.reserve(len) {
                Some(moved) => moved,
                None => return false,
            },
        };
        // The pages up to the old length are accessible already.
        // SAFETY: the range is in the reservation, since len <= reserved, and nobody uses it yet.
        let committed =
            unsafe { os::protect(start.add(old.len), len - old.len, Access::ReadWrite) };
        if committed {
            let new = VmMemory {
                base: start.as_ptr(),
                len,
            };
            // SAFETY: compiled code reads the definition anew after whatever may grow a memory.
            unsafe { *self.definition.as_ptr() = new };
        }
        committed
    }

    /// Moves the contents to a reservation for `len` bytes or more; gives its start.
    fn reserve(&mut self, len: usize) -> Option<NonNull<u8>> {
        // All that it may ever need, so that it never moves; or as much as there is.
        let most = bytes(self.most.min(1 << 16)).unwrap_or(len).max(len);
        let (start, size) = match os::reserve(most) {
            Some(start) => (start, most),
            None => (os::reserve(len)?, len),
        };
        let old = self.vm();
        // SAFETY: both ranges are ours and do not overlap; the old one is not used again.
        unsafe {
            if !os::protect(start, old.len, Access::ReadWrite) {
                os::release(start, size);
                return None;
            }
            start.as_ptr().copy_from_nonoverlapping(old.base, old.len);
            if let Some(base) = NonNull::new(old.base) {
                os::release(base, self.reserved);
            }
            *self.definition.as_ptr() = VmMemory {
                base: start.as_ptr(),
                len: old.len,
            };
        }
        self.reserved = size;
        Some(start)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(base) = NonNull::new(self.vm().base) {
            // SAFETY: the store is going, and with it all that uses the memory.
            unsafe { os::release(base, self.reserved) };
        }
    }
}

fn bytes(pages: u64) -> Option<usize> {
    let bytes = usize::try_from(pages.checked_mul(PAGE)?).ok()?;
    (bytes <= isize::MAX as usize).then_some(bytes)
}

fn too_large(pages: u64) -> Box<Error> {
    Error::out_of_memory(format_args!("a memory of {pages} pages"))
}
