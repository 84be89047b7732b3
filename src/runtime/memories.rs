//! Memories that are gone, kept for the next ones.
//!
//! To reserve address space, to make its pages accessible and to give it back takes longer than the rest of making an instance.
//! So what a memory leaves is made as it was when it was new, where its provider can do that, and kept for the next one like
//! it: one with the same contents, which need not be written again, or one of two without any.

use super::contents::Contents;
use super::linear_memory::{LinearMemories, Request, Span};
use super::owners::{self, PLACES};
use crate::error::Result;
use crate::fallible::OutOfMemory;
use std::sync::{Mutex, PoisonError};

/// How many spans that are not in use each list of them keeps.
const MOST_IDLE: usize = 4;

/// Where an engine's memories have their bytes from.
pub struct Memories {
    provider: LinearMemories,
    /// What is not in use; the last one of a list was used last. A list is passed over where another thread has it, so that
    /// nobody waits, and a process that forks meanwhile does not wait for ever.
    idle: [List; PLACES],
}

/// A list of what is not in use, in a line of the CPU's cache of its own.
#[derive(Default)]
#[repr(align(64))]
struct List(Mutex<Vec<Idle>>);

/// What a memory left. It is as it was when it was new.
#[derive(Clone, Copy)]
struct Idle {
    span: Span,
    /// What the memory asked for.
    request: Request,
    /// What is in it; 0 if all is zeros.
    contents: u64,
}

impl Idle {
    /// Whether a memory that asks for this could have it, perhaps after it is made larger or smaller.
    fn fits(&self, request: &Request, contents: u64) -> bool {
        let idle = &self.request;
        self.contents == contents
            && (idle.maximum, idle.guarded) == (request.maximum, request.guarded)
            && (idle.stays, idle.memory64, idle.shared)
                == (request.stays, request.memory64, request.shared)
            && request.minimum <= self.span.reserved
    }

    /// Whether it is as large as that asks for, and not larger than it may be.
    fn is_as_large(&self, request: &Request) -> bool {
        match request.guarded {
            0 => self.span.accessible >= request.minimum,
            _ => self.request.minimum == request.minimum,
        }
    }
}

impl Memories {
    pub fn new(provider: LinearMemories) -> Result<Memories> {
        let mut idle: [List; PLACES] = Default::default();
        for List(list) in &mut idle {
            let list = list.get_mut().unwrap_or_else(PoisonError::into_inner);
            list.try_reserve_exact(MOST_IDLE)
                .map_err(OutOfMemory::from)?;
        }
        Ok(Memories { provider, idle })
    }

    /// Gives a new memory its bytes, and says whether its contents are in them.
    pub fn allocate(&self, request: &Request, contents: u64) -> Result<(Span, bool)> {
        let zeros = (contents != 0).then_some(0);
        for contents in std::iter::once(contents).chain(zeros) {
            let same = |idle: &Idle| idle.fits(request, contents) && idle.is_as_large(request);
            if let Some(idle) = self.take(same) {
                return Ok((idle.span, contents != 0));
            }
        }
        if let Some(Idle { mut span, .. }) = self.take(|idle| idle.fits(request, 0)) {
            if self.provider.reset(request, &mut span, false) {
                return Ok((span, false));
            }
            self.provider.release(&span);
        }
        let span = self.provider.allocate(request, &|| self.make_room())?;
        Ok((span, false))
    }

    /// Makes more bytes of a memory accessible.
    pub fn grow(&self, request: &Request, span: &mut Span, len: usize) -> Result<()> {
        self.provider.grow(request, span, len, &|| self.make_room())
    }

    /// Writes a new memory's contents, if the provider can do that better than by copying; whether it has.
    pub fn populate(&self, request: &Request, span: &Span, contents: &Contents) -> bool {
        self.provider.populate(request, span, contents)
    }

    /// Takes a memory's bytes back, which nothing uses any more. Contents are those that the provider has written.
    pub fn release(&self, request: &Request, mut span: Span, contents: u64) {
        if !self.provider.reset(request, &mut span, contents != 0) {
            return self.provider.release(&span);
        }
        let idle = Idle {
            span,
            request: *request,
            contents,
        };
        if let Some(idle) = self.keep(idle) {
            self.provider.release(&idle.span);
        }
    }

    /// Gives bytes back that are not as they were asked for.
    pub fn give_back(&self, span: &Span) {
        self.provider.release(span);
    }

    /// Forgets contents, whose module goes.
    pub fn forget(&self, contents: u64) {
        while let Some(idle) = self.take(|idle| idle.contents == contents) {
            self.provider.release(&idle.span);
        }
        self.provider.forget(contents);
    }

    /// Gives back a span that is not in use; whether there was one.
    fn make_room(&self) -> bool {
        let idle = self.take(|_| true);
        idle.map(|idle| self.provider.release(&idle.span)).is_some()
    }

    /// Keeps a span for later; gives what is to be given back for that.
    fn keep(&self, idle: Idle) -> Option<Idle> {
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
            return Some(idle);
        };
        let oldest = (list.len() == MOST_IDLE).then(|| list.remove(0));
        list.push(idle);
        oldest
    }

    /// Takes a span that fits, the one that was used last of the first list that has any.
    fn take(&self, fits: impl Fn(&Idle) -> bool) -> Option<Idle> {
        let mut lists = self.lists().filter_map(|list| list.try_lock().ok());
        lists.find_map(|mut list| {
            let at = list.iter().rposition(&fits)?;
            Some(list.remove(at))
        })
    }

    /// The lists of what is not in use, beginning with this thread's.
    fn lists(&self) -> impl Iterator<Item = &Mutex<Vec<Idle>>> {
        let (before, from) = self.idle.split_at(owners::place());
        from.iter().chain(before).map(|List(list)| list)
    }
}

impl Drop for Memories {
    fn drop(&mut self) {
        while self.make_room() {}
    }
}
