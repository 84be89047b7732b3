//! Linear memories. Their bytes are a provider's (`linear_memory.rs`).

use super::budget::{Counted, Share};
use super::contents::Contents;
use super::linear_memory::{Request, Span};
use super::memories::Memories;
use super::window::Window;
use super::{Engine, SharedMemory, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{Pinned, Shared};
use crate::image::vmctx::VmMemory;
use crate::image::{GUARDED, MemoryType, PAGE_LOG2};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A linear memory. What compiled code sees of it is behind `definition`.
pub struct Memory {
    pub store: *mut Store,
    pub ty: MemoryType,
    definition: NonNull<VmMemory>,
    /// The definition of a memory that the host made.
    own: VmMemory,
    /// Where its bytes are from, which its engine has, or what is shared; none if it has no bytes of its own.
    memories: Option<NonNull<Memories>>,
    /// The contents that its provider has written; 0 if there are none.
    populated: u64,
    request: Request,
    /// None until it has any.
    span: Option<Span>,
    /// What the store counts of it; none if it is not in one.
    share: Option<Share>,
    /// The most pages that it may have.
    most: u64,
    /// What this is a view of; pages and their limit are then there.
    pub shared: Option<Shared<SharedMemory>>,
    /// What it is if its bytes are the host's, which points it.
    pub window: Option<Window>,
}

impl Memory {
    /// A memory of zeros, or of contents, if its provider can give it those. Its definition is at `place`, or in itself if there
    /// is none; that of a shared memory is with what is shared.
    pub fn new(
        store: *mut Store,
        engine: &Engine,
        ty: MemoryType,
        place: Option<NonNull<VmMemory>>,
        contents: Option<&Contents>,
    ) -> Result<Pinned<Memory>> {
        let maximum = ty.bytes(most(engine, &ty)?);
        let minimum = ty.bytes(ty.minimum);
        // SAFETY: the store lives while things are made in it, by this thread alone.
        let share = unsafe { Share::new(store, (Counted::MemoryBytes, 0), minimum, maximum) }?;
        let memory = match ty.shared {
            true => Memory::of_shared(store, SharedMemory::new(engine, ty)?)?,
            false => Memory::owned(store, engine, ty, place, contents)?,
        };
        // SAFETY: nobody else knows the memory yet.
        unsafe { (*memory.as_ptr()).share = Some(share) };
        Ok(memory)
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
            memories: None,
            populated: 0,
            request: shared.request(),
            span: None,
            // SAFETY: the store lives while things are made in it.
            share: unsafe { store.as_ref() }
                .map(|store| Share::none(&store.budget, Counted::MemoryBytes, 0)),
            most: 0,
            shared: Some(shared),
            window: None,
        })?)
    }

    /// A window over nothing yet.
    pub(super) fn of_window(store: *mut Store, window: Window) -> Result<Pinned<Memory>> {
        let ty = MemoryType {
            minimum: 0,
            maximum: None,
            memory64: true,
            shared: false,
            page_log2: 0,
        };
        let memory = Pinned::new(Memory {
            store,
            ty,
            definition: NonNull::dangling(),
            own: VmMemory {
                base: std::ptr::null_mut(),
                len: 0,
            },
            memories: None,
            populated: 0,
            request: Request::NONE,
            span: None,
            share: None,
            most: 0,
            shared: None,
            window: Some(window),
        })?;
        // SAFETY: nobody else knows the memory yet.
        unsafe {
            let this = memory.as_ptr();
            (*this).definition = NonNull::new_unchecked(&raw mut (*this).own);
        }
        Ok(memory)
    }

    /// A memory with pages of its own.
    pub(super) fn owned(
        store: *mut Store,
        engine: &Engine,
        ty: MemoryType,
        place: Option<NonNull<VmMemory>>,
        contents: Option<&Contents>,
    ) -> Result<Pinned<Memory>> {
        let most = most(engine, &ty)?;
        let maximum = usize::try_from(ty.bytes(most)).unwrap_or(usize::MAX);
        let memory = Pinned::new(Memory {
            store,
            ty,
            definition: NonNull::dangling(),
            own: VmMemory {
                base: NonNull::<u128>::dangling().as_ptr().cast(),
                len: 0,
            },
            memories: NonNull::new(Shared::as_ptr(&engine.memories).cast_mut()),
            populated: 0,
            request: Request {
                minimum: bytes(&ty, ty.minimum)?,
                maximum: maximum.min(isize::MAX as usize),
                stays: ty.stays(engine.memory_moves),
                guarded: match engine.faults && ty.can_be_guarded() {
                    true => GUARDED,
                    false => 0,
                },
                memory64: ty.memory64,
                shared: ty.shared,
                // SAFETY: a store lives while things are made in it.
                data: unsafe { store.as_ref() }.map_or(std::ptr::null_mut(), |store| store.data),
            },
            span: None,
            share: None,
            most,
            shared: None,
            window: None,
        })?;
        // SAFETY: nobody else knows the memory yet; the place is a definition in the vmctx of an instance that is being
        // made.
        unsafe {
            let this = memory.as_ptr();
            let own = NonNull::new_unchecked(&raw mut (*this).own);
            (*this).definition = place.unwrap_or(own);
            *(*this).definition.as_ptr() = (*this).own;
            (*this).begin(contents)?;
        }
        Ok(memory)
    }

    /// Where its bytes are from. What it gives lives longer than the memory.
    fn memories<'a>(&self) -> Option<&'a Memories> {
        // SAFETY: a store has its engine until its memories are gone, and so has what is shared.
        self.memories.map(|memories| unsafe { memories.as_ref() })
    }

    /// Gives it its first bytes.
    fn begin(&mut self, contents: Option<&Contents>) -> Result<()> {
        let Some(contents) = contents else {
            return self.resize(self.request.minimum, 0);
        };
        self.resize(self.request.minimum, contents.id)?;
        if let (0, Some(memories), Some(span)) = (self.populated, self.memories(), &self.span)
            && memories.populate(&self.request, span, contents)
        {
            self.populated = contents.id;
        }
        Ok(())
    }

    /// Whether it began with the contents that its module has for it.
    pub fn is_populated(&self) -> bool {
        self.populated != 0
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

    /// The addresses of its bytes, and of those that it can have without moving; none of a window.
    pub fn extent(&self) -> Range<usize> {
        let reserved = match (&self.span, &self.shared) {
            (Some(span), _) => span.reserved.max(span.accessible),
            (None, Some(_)) => self.request.maximum,
            (None, None) => 0,
        };
        let base = self.base().addr();
        base..base.saturating_add(reserved)
    }

    /// Its type, as an import of this type sees it: its minimum is what it has, and a window is what the import says.
    pub fn seen_as(&self, wanted: &MemoryType) -> MemoryType {
        match self.window {
            Some(_) => MemoryType {
                minimum: self.len() as u64 >> wanted.page_log2,
                maximum: None,
                shared: false,
                ..*wanted
            },
            None => MemoryType {
                minimum: self.pages(),
                ..self.ty
            },
        }
    }

    /// Whether an address of this process is in the address space of a guarded memory, beyond its length: pages within it that
    /// cannot be accessed are the host's doing. Of a shared memory it is all of its address space, since other threads may
    /// have made it longer since the access. Async-signal-safe.
    pub fn is_guarded_at(&self, address: usize) -> bool {
        let VmMemory { base, len } = self.vm();
        let beyond = if self.shared.is_some() { 0 } else { len };
        self.is_guarded() && (beyond..GUARDED).contains(&address.wrapping_sub(base.addr()))
    }

    /// Whether it has [`GUARDED`] bytes of address space, where an access beyond its length faults.
    pub fn is_guarded(&self) -> bool {
        self.request.guarded != 0
    }

    /// What its provider was asked for.
    pub fn request(&self) -> Request {
        self.request
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

    /// How many bytes so many more pages have; none if its maximum or the engine's limit does not allow them.
    pub fn growth(&self, delta: u64) -> Option<u64> {
        if self.window.is_some() {
            return None;
        }
        let new = self.pages().checked_add(delta)?;
        (new <= self.most()).then(|| delta << self.ty.page_log2)
    }

    /// How many bytes are counted of so many more pages of this memory; none if the store may not have them.
    /// [`Memory::grow`] comes next. The host may be asked. What cannot be for other reasons is left to that.
    ///
    /// # Safety
    /// The memory is one of a store, which lives and is used by this thread alone, and no reference into it is held.
    pub unsafe fn admit(this: *mut Memory, delta: u64) -> Result<Option<u64>> {
        // SAFETY: as the caller promises.
        unsafe {
            let Some(more) = (*this).growth(delta).filter(|&more| more > 0) else {
                return Ok(Some(0));
            };
            let before = (*this).len() as u64;
            let maximum = (*this).request.maximum as u64;
            let share = (*this).share.as_mut().map(|share| &raw mut *share);
            match share {
                Some(share) => Share::ask(share, (*this).store, before, before + more, maximum),
                None => Ok(Some(0)),
            }
        }
    }

    /// The error where [`Memory::admit`] says no.
    pub fn refused(&self, delta: u64) -> Error {
        let more = self.growth(delta).unwrap_or(0);
        match &self.share {
            Some(share) => share.refused(more),
            None => Error::internal("a memory without a store was refused"),
        }
    }

    /// Adds pages of zeros, of which so many bytes have been `admitted`; gives how many there were, or why it cannot grow so
    /// far.
    pub fn grow(&mut self, delta: u64, admitted: u64) -> Result<u64> {
        let grown = match (&self.shared, &self.window) {
            (Some(shared), _) => shared.grow(delta),
            (None, None) => self.grow_own(delta),
            (None, Some(_)) => Err(Error::argument(
                "a window does not grow; inlay_memory_point gives it other bytes",
            )),
        };
        if grown.is_err()
            && let Some(share) = &mut self.share
        {
            share.give_back(admitted);
        }
        grown
    }

    fn grow_own(&mut self, delta: u64) -> Result<u64> {
        let (pages, most) = (self.pages(), self.most);
        let Some(new) = pages.checked_add(delta).filter(|&new| new <= most) else {
            return Err(Error::limit(format_args!(
                "a memory of {pages} pages cannot grow by {delta}; its type and the engine's limit allow {most}"
            )));
        };
        self.resize(bytes(&self.ty, new)?, 0)?;
        Ok(pages)
    }

    /// Makes the memory `len` bytes, which is not less than it has; the first of them have these contents, if there are some and
    /// it is known where. If that fails, nothing has changed.
    fn resize(&mut self, len: usize, contents: u64) -> Result<()> {
        let memories = self.memories().expect("it has bytes of its own");
        let before = self.span;
        let span = match before {
            // It can come when there is something to have, unless code wants to know by then where it is.
            None if len == 0 && !(self.request.stays && self.request.maximum > 0) => return Ok(()),
            None => {
                let request = Request {
                    minimum: len,
                    ..self.request
                };
                let (span, is_populated) = memories.allocate(&request, contents)?;
                if let Err(error) = check(&request, len, &span) {
                    memories.give_back(&span);
                    return Err(error);
                }
                self.populated = if is_populated { contents } else { 0 };
                span
            }
            Some(span) if len <= span.accessible => span,
            Some(span) if self.request.stays && len > span.reserved => {
                return Err(Error::new(
                    ErrorKind::OutOfMemory,
                    format_args!(
                        "the memory cannot grow to {} pages: when it was made, there was address space for {}, and it does not \
                         move; make it where there is more",
                        len >> self.ty.page_log2,
                        span.reserved >> self.ty.page_log2
                    ),
                ));
            }
            Some(before) => {
                let mut span = before;
                memories.grow(&self.request, &mut span, len)?;
                if self.request.stays && span.base != before.base {
                    return Err(misbehaves("another place to a memory that has to stay"));
                }
                if let Err(error) = check(&self.request, len, &span) {
                    // It may have moved all the same, and what was there is gone then.
                    if !span.base.is_null() && span.accessible >= self.len() {
                        self.show(span, self.len());
                    }
                    return Err(error);
                }
                span
            }
        };
        self.show(span, len);
        Ok(())
    }

    /// Lets compiled code see so many bytes of a span.
    fn show(&mut self, span: Span, len: usize) {
        self.span = Some(span);
        // SAFETY: the definition lives as long as the memory, and no reference to it is held. Other threads, if it is
        // shared, see the length grow after the bytes are there; the base has then not changed.
        unsafe {
            let definition = self.definition.as_ptr();
            if (*definition).base != span.base {
                (*definition).base = span.base;
            }
            let shown = AtomicUsize::from_ptr(&raw mut (*definition).len);
            shown.store(len, Ordering::SeqCst);
        }
    }
}

/// The most pages that a memory of this type may have; an error if it has more at first.
fn most(engine: &Engine, ty: &MemoryType) -> Result<u64> {
    // The host counts in pages of 64 KiB; and wasm must be able to say the size.
    let limit = engine.limits.memory_pages;
    let limit = limit.saturating_mul(1 << (PAGE_LOG2 - ty.page_log2));
    if ty.minimum > limit {
        return Err(Error::limit(format_args!(
            "a memory of {} pages of {} bytes; inlay_config_max_memory_pages allows {limit} of them",
            ty.minimum,
            1u64 << ty.page_log2
        )));
    }
    Ok(ty.maximum.unwrap_or(u64::MAX).min(limit).min(sayable(ty)))
}

/// The most pages that the size of a memory of this type can say, all of which its addresses reach.
pub(super) fn sayable(ty: &MemoryType) -> u64 {
    match ty.memory64 {
        true => u64::MAX >> ty.page_log2,
        false => (1 << (32 - ty.page_log2)).min(u64::from(u32::MAX)),
    }
}

/// A memory's bytes are aligned to this, as atomic accesses need them to be and vectors are faster.
pub(super) const ALIGN: usize = 16;

/// An error unless a provider gave what it was asked for, with `len` bytes.
fn check(request: &Request, len: usize, span: &Span) -> Result<()> {
    let why = if span.base.is_null() {
        "a memory at NULL"
    } else if !span.base.addr().is_multiple_of(ALIGN) {
        "a memory that does not begin at a multiple of 16"
    } else if span.accessible < len {
        "a memory with fewer accessible bytes than it was asked for"
    } else if request.guarded != 0 && span.accessible != len {
        "a memory with more accessible bytes than it was asked for, in an engine whose traps are faults"
    } else if request.shared && span.reserved < request.maximum {
        "a shared memory that is not reserved up to its maximum"
    } else if span.guarded < request.guarded {
        "a memory with fewer guarded bytes than it was asked for, in an engine whose traps are faults"
    } else {
        return Ok(());
    };
    Err(misbehaves(why))
}

/// The error for a provider that does not do what its contract says.
fn misbehaves(what: &str) -> Error {
    Error::new(
        ErrorKind::LinearMemory,
        format_args!("the host's linear memory gave {what}"),
    )
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some((memories, span)) = self.memories().zip(self.span) {
            // The store is going, or the instance was never seen, and with it all that uses the memory.
            memories.release(&self.request, span, self.populated);
        }
    }
}

/// Pages as bytes, or that no memory of this machine can have so many.
fn bytes(ty: &MemoryType, pages: u64) -> Result<usize> {
    let bytes = usize::try_from(ty.bytes(pages)).ok();
    let bytes = bytes.filter(|&bytes| bytes <= isize::MAX as usize);
    bytes.ok_or_else(|| {
        Error::out_of_memory(format_args!("a memory of {pages} pages, in any process"))
    })
}
