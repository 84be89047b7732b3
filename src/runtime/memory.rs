//! Linear memories.

use super::{SharedMemory, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::layout::VmMemory;
use crate::module::{MemoryType, PAGE_LOG2};
use crate::os::{self, Access};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Address space that is reserved for a memory ahead of its growth.
const MOST_RESERVED: u64 = 1 << 32;

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
    /// What this is a view of; pages and their limit are then there.
    pub shared: Option<Arc<SharedMemory>>,
}

impl Memory {
    /// A memory of zeros. Its definition is at `place`, or in itself if there is none; that of a shared memory is
    /// with what is shared.
    pub fn new(
        store: *mut Store,
        limit: u64,
        ty: MemoryType,
        place: Option<NonNull<VmMemory>>,
    ) -> Result<Box<Memory>> {
        match ty.shared {
            true => Ok(Memory::of_shared(store, SharedMemory::new(limit, ty)?)),
            false => Memory::owned(store, limit, ty, place),
        }
    }

    /// A store's view of a shared memory.
    pub fn of_shared(store: *mut Store, shared: Arc<SharedMemory>) -> Box<Memory> {
        Box::new(Memory {
            store,
            ty: shared.ty(),
            definition: shared.definition(),
            own: VmMemory {
                base: std::ptr::null_mut(),
                len: 0,
            },
            reserved: 0,
            most: 0,
            shared: Some(shared),
        })
    }

    /// A memory with pages of its own.
    pub(super) fn owned(
        store: *mut Store,
        limit: u64,
        ty: MemoryType,
        place: Option<NonNull<VmMemory>>,
    ) -> Result<Box<Memory>> {
        // The host counts in pages of 64 KiB; and wasm must be able to say the size.
        let limit = limit.saturating_mul(1 << (PAGE_LOG2 - ty.page_log2));
        let sayable = match ty.memory64 {
            true => u64::MAX >> ty.page_log2,
            false => (1 << (32 - ty.page_log2)).min(u64::from(u32::MAX)),
        };
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
            most: ty.maximum.unwrap_or(u64::MAX).min(limit).min(sayable),
            shared: None,
        });
        let own = NonNull::from(&mut memory.own);
        memory.definition = place.unwrap_or(own);
        // SAFETY: the place is a definition in the vmctx of an instance that is being made.
        unsafe { *memory.definition.as_ptr() = memory.own };
        let len = bytes(&ty, ty.minimum).ok_or_else(|| too_large(ty.minimum))?;
        if ty.shared && memory.reserve(len).is_none() {
            return Err(too_large(memory.most));
        }
        if !memory.resize(len) {
            return Err(too_large(ty.minimum));
        }
        Ok(memory)
    }

    pub fn definition(&self) -> NonNull<VmMemory> {
        self.definition
    }

    fn vm(&self) -> VmMemory {
        let definition = self.definition.as_ptr();
        // SAFETY: the definition lives as long as the memory, and no reference to it is held; other threads change
        // nothing but the length.
        unsafe {
            let len = AtomicUsize::from_ptr(&raw mut (*definition).len);
            VmMemory {
                base: (*definition).base,
                len: len.load(Ordering::SeqCst),
            }
        }
    }

    pub fn base(&self) -> *mut u8 {
        self.vm().base
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.vm().len
    }

    pub fn pages(&self) -> u64 {
        self.len() as u64 >> self.ty.page_log2
    }

    /// The most pages that it may have.
    pub fn most(&self) -> u64 {
        match &self.shared {
            Some(shared) => shared.most(),
            None => self.most,
        }
    }

    /// Adds pages of zeros; gives the old size, or none if it cannot grow so far.
    pub fn grow(&mut self, delta: u64) -> Option<u64> {
        if let Some(shared) = &self.shared {
            return shared.grow(delta);
        }
        let old = self.pages();
        let new = old.checked_add(delta).filter(|&new| new <= self.most)?;
        self.resize(bytes(&self.ty, new)?).then_some(old)
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
        // The system's pages up to the old length are accessible already.
        let page = os::page_size();
        let (from, to) = (old.len.next_multiple_of(page), len.next_multiple_of(page));
        // SAFETY: the range is in the reservation, which is whole pages, and nobody uses it yet.
        let committed = unsafe { os::protect(start.add(from), to - from, Access::ReadWrite) };
        if committed {
            // SAFETY: the definition lives as long as the memory. Other threads, if it is shared, see the length
            // grow after the pages are there; the base has then not changed.
            unsafe {
                let definition = self.definition.as_ptr();
                if (*definition).base != start.as_ptr() {
                    (*definition).base = start.as_ptr();
                }
                let shown = AtomicUsize::from_ptr(&raw mut (*definition).len);
                shown.store(len, Ordering::SeqCst);
            }
        }
        committed
    }

    /// Moves the contents to a reservation for `len` bytes or more; gives its start.
    fn reserve(&mut self, len: usize) -> Option<NonNull<u8>> {
        // All that it may ever need, up to 4 GiB, so that it seldom moves; or as much as there is.
        let page = os::page_size();
        let len = len.checked_next_multiple_of(page)?;
        let most = self.ty.bytes(self.most);
        // What other threads use never moves.
        let most = match self.ty.shared {
            true if self.reserved != 0 => return None,
            true => usize::try_from(most).ok()?,
            false => most.min(MOST_RESERVED) as usize,
        };
        let most = most.checked_next_multiple_of(page)?.max(len).max(page);
        let (start, size) = match os::reserve(most) {
            Some(start) => (start, most),
            None if self.ty.shared => return None,
            None => (os::reserve(len)?, len),
        };
        let old = self.vm();
        // SAFETY: both ranges are ours and do not overlap; the old one is not used again.
        unsafe {
            if !os::protect(start, old.len.next_multiple_of(page), Access::ReadWrite) {
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
        if self.shared.is_some() {
            return;
        }
        if let Some(base) = NonNull::new(self.vm().base) {
            // SAFETY: the store is going, and with it all that uses the memory.
            unsafe { os::release(base, self.reserved) };
        }
    }
}

/// Pages as bytes, if a memory of this machine can have so many.
fn bytes(ty: &MemoryType, pages: u64) -> Option<usize> {
    let bytes = usize::try_from(ty.bytes(pages)).ok()?;
    (bytes <= isize::MAX as usize).then_some(bytes)
}

fn too_large(pages: u64) -> Box<Error> {
    Error::out_of_memory(format_args!("a memory of {pages} pages"))
}
