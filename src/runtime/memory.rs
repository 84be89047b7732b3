//! Linear memories.

use super::{Engine, SharedMemory, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{Pinned, Shared};
use crate::image::vmctx::VmMemory;
use crate::image::{GUARDED, MemoryType, PAGE_LOG2, RESERVED};
use crate::os::{self, Access};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A linear memory. What compiled code sees of it is behind `definition`.
pub struct Memory {
    pub store: *mut Store,
    pub ty: MemoryType,
    definition: NonNull<VmMemory>,
    /// The definition of a memory that the host made.
    own: VmMemory,
    /// Its own address space; pages beyond the length are not accessible. None if there is none, or it is shared.
    mapped: Option<NonNull<u8>>,
    reserved: usize,
    /// The most pages that it may have.
    most: u64,
    /// Whether it has [`GUARDED`] bytes of address space, where an access beyond its length faults.
    pub guarded: bool,
    /// What this is a view of; pages and their limit are then there.
    pub shared: Option<Shared<SharedMemory>>,
}

impl Memory {
    /// A memory of zeros. Its definition is at `place`, or in itself if there is none; that of a shared memory is
    /// with what is shared.
    pub fn new(
        store: *mut Store,
        engine: &Engine,
        ty: MemoryType,
        place: Option<NonNull<VmMemory>>,
    ) -> Result<Pinned<Memory>> {
        match ty.shared {
            true => Memory::of_shared(store, SharedMemory::new(engine, ty)?),
            false => Memory::owned(store, engine, ty, place),
        }
    }

    /// A store's view of a shared memory.
    pub fn of_shared(store: *mut Store, shared: Shared<SharedMemory>) -> Result<Pinned<Memory>> {
        Ok(Pinned::new(Memory {
            store,
            ty: shared.ty(),
            definition: shared.definition(),
            own: VmMemory {
                base: std::ptr::null_mut(),
                len: 0,
            },
            mapped: None,
            reserved: 0,
            most: 0,
            guarded: shared.guarded(),
            shared: Some(shared),
        })?)
    }

    /// A memory with pages of its own.
    pub(super) fn owned(
        store: *mut Store,
        engine: &Engine,
        ty: MemoryType,
        place: Option<NonNull<VmMemory>>,
    ) -> Result<Pinned<Memory>> {
        // The host counts in pages of 64 KiB; and wasm must be able to say the size.
        let limit = engine.limits.memory_pages;
        let limit = limit.saturating_mul(1 << (PAGE_LOG2 - ty.page_log2));
        let sayable = match ty.memory64 {
            true => u64::MAX >> ty.page_log2,
            false => (1 << (32 - ty.page_log2)).min(u64::from(u32::MAX)),
        };
        if ty.minimum > limit {
            return Err(Error::limit(format_args!(
                "a memory of {} pages of {} bytes; inlay_config_max_memory_pages allows {limit} of them",
                ty.minimum,
                1u64 << ty.page_log2
            )));
        }
        let memory = Pinned::new(Memory {
            store,
            ty,
            definition: NonNull::dangling(),
            own: VmMemory {
                base: NonNull::<u128>::dangling().as_ptr().cast(),
                len: 0,
            },
            mapped: None,
            reserved: 0,
            most: ty.maximum.unwrap_or(u64::MAX).min(limit).min(sayable),
            guarded: engine.faults && ty.can_be_guarded(),
            shared: None,
        })?;
        // SAFETY: nobody else knows the memory yet; the place is a definition in the vmctx of an instance that is being
        // made.
        unsafe {
            let this = memory.as_ptr();
            let own = NonNull::new_unchecked(&raw mut (*this).own);
            (*this).definition = place.unwrap_or(own);
            *(*this).definition.as_ptr() = (*this).own;
            (*this).first(ty.minimum)?;
        }
        Ok(memory)
    }

    /// Gives a new memory its pages.
    fn first(&mut self, pages: u64) -> Result<()> {
        if bytes(&self.ty, pages).is_some_and(|len| self.resize(len)) {
            return Ok(());
        }
        // A shared memory never moves, so that there must be room for all that it may grow to.
        Err(self.no_room(match self.ty.shared {
            true => self.most,
            false => pages,
        }))
    }

    /// The error for so many pages, which the system has just refused.
    fn no_room(&self, pages: u64) -> Error {
        if bytes(&self.ty, pages).is_none() {
            return Error::out_of_memory(format_args!("a memory of {pages} pages, in any process"));
        }
        Error::new(
            ErrorKind::OutOfMemory,
            format_args!(
                "out of memory: the system has no room for a memory of {pages} pages ({}); ask for less, or let {}",
                os::last_error(),
                os::MORE_ROOM
            ),
        )
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

    /// Whether an address of this process is in the address space of a guarded memory, beyond its length: pages within it that
    /// cannot be accessed are the host's doing. Of a shared memory it is all of its address space, since other threads may
    /// have made it longer since the access. Async-signal-safe.
    pub fn is_guarded_at(&self, address: usize) -> bool {
        let VmMemory { base, len } = self.vm();
        let beyond = if self.shared.is_some() { 0 } else { len };
        self.guarded && (beyond..GUARDED).contains(&address.wrapping_sub(base.addr()))
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

    /// Whether so many pages are more than the address space of a memory that stays in it. A shared one has all that it may need.
    fn has_no_place_for(&self, pages: u64) -> bool {
        self.shared.is_none() && self.ty.stays() && self.ty.bytes(pages) > self.reserved as u64
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

    /// How many bytes so many more pages have; none if its maximum or the engine's limit does not allow them.
    pub fn growth(&self, delta: u64) -> Option<u64> {
        let new = self.pages().checked_add(delta)?;
        (new <= self.most()).then(|| delta << self.ty.page_log2)
    }

    /// As [`Memory::grow`], for a host, which is told why it cannot.
    pub fn grow_or_error(&mut self, delta: u64) -> Result<u64> {
        self.grow(delta).ok_or_else(|| {
            let (pages, most) = (self.pages(), self.most());
            match most.saturating_sub(pages) < delta {
                true => Error::limit(format_args!(
                    "a memory of {pages} pages cannot grow by {delta}; its type and the engine's limit allow {most}"
                )),
                false if self.has_no_place_for(pages + delta) => {
                    let message = format_args!(
                        "the memory cannot grow to {} pages: when it was made, the system had address space for {}, and it \
                         does not move; make it where there is more",
                        pages + delta,
                        self.reserved as u64 >> self.ty.page_log2
                    );
                    Error::new(ErrorKind::OutOfMemory, message)
                }
                false => self.no_room(pages + delta),
            }
        })
    }

    /// Makes the memory `len` bytes, which is not less than it has; whether that worked. If not, nothing has changed.
    fn resize(&mut self, len: usize) -> bool {
        let old = self.vm();
        let page = os::page_size();
        let used = old.len.next_multiple_of(page);
        let Some(end) = len.checked_next_multiple_of(page) else {
            return false;
        };
        let place = match self.mapped {
            None if len == 0 && !self.ty.stays() => return true,
            Some(start) if end <= self.reserved => {
                // SAFETY: the range is in the reservation, and nobody uses it yet.
                let committed =
                    unsafe { os::protect(start.add(used), end - used, Access::ReadWrite) };
                committed.then_some((start, self.reserved))
            }
            Some(_) if self.ty.stays() => None,
            _ => self.relocate(used, end),
        };
        let Some((start, reserved)) = place else {
            return false;
        };
        (self.mapped, self.reserved) = (Some(start), reserved);
        // SAFETY: the definition lives as long as the memory, and no reference to it is held. Other threads, if it is
        // shared, see the length grow after the pages are there; the base has then not changed.
        unsafe {
            let definition = self.definition.as_ptr();
            if (*definition).base != start.as_ptr() {
                (*definition).base = start.as_ptr();
            }
            let shown = AtomicUsize::from_ptr(&raw mut (*definition).len);
            shown.store(len, Ordering::SeqCst);
        }
        true
    }

    /// How much address space to reserve for a memory of `len` bytes: all that it may grow to if it never moves, and else so
    /// much that it seldom moves, and when it does, that it then has as much again, so that growing page by page does not move
    /// it each time.
    fn ahead(&self, len: usize) -> usize {
        let most = usize::try_from(self.ty.bytes(self.most)).unwrap_or(usize::MAX);
        if self.guarded {
            return GUARDED;
        }
        let ahead = match self.ty.stays() {
            true => most,
            false => len.saturating_mul(2).max(RESERVED as usize).min(most),
        };
        ahead.max(len)
    }

    /// Moves the first `used` bytes to a new reservation, of which `end` bytes are then accessible; gives its start and size.
    /// If there is none, nothing has changed. All sizes are whole pages.
    fn relocate(&mut self, used: usize, end: usize) -> Option<(NonNull<u8>, usize)> {
        let (start, size) = self.reserve_new(used, end)?;
        let Some(before) = self.mapped else {
            return Some((start, size));
        };
        // SAFETY: the reservations are ours and do not overlap; what moved, and what is given back, is not used again.
        unsafe {
            if os::move_pages((before, self.reserved), (start, size), used) {
                return Some((start, size));
            }
            let (start, size) = self.reserve_new(used, end)?;
            if !os::protect(start, used, Access::ReadWrite) {
                os::release(start, size);
                return None;
            }
            copy_pages(before, start, used);
            os::release(before, self.reserved);
            Some((start, size))
        }
    }

    /// A reservation for `end` bytes and as much more as there is, accessible from `used` to `end`: what could fail has then
    /// been done before anything moves.
    fn reserve_new(&self, used: usize, end: usize) -> Option<(NonNull<u8>, usize)> {
        let page = os::page_size();
        let mut size = self.ahead(end).max(page).checked_next_multiple_of(page)?;
        let start = loop {
            match os::reserve(size, page) {
                Some(start) => break start,
                None if size == end || self.ty.shared || self.guarded => return None,
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
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(start) = self.mapped {
            // SAFETY: the store is going, or the instance was never seen, and with it all that uses the memory.
            unsafe { os::release(start, self.reserved) };
        }
    }
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

/// Pages as bytes, if a memory of this machine can have so many.
fn bytes(ty: &MemoryType, pages: u64) -> Option<usize> {
    let bytes = usize::try_from(ty.bytes(pages)).ok()?;
    (bytes <= isize::MAX as usize).then_some(bytes)
}
