//! Files of what memories begin with, mapped instead of copied, where that is faster.
//!
//! Pages of a file that only this process has are put into a memory's place: they are shared by all memories until one writes to
//! them, and what it wrote goes when they are emptied. A module that is instantiated once is not worth the file, so the first
//! memory with some contents gets a copy, and the second one makes the file.

use super::contents::Contents;
use super::linear_memory::{Request, Span};
use crate::fallible;
use crate::os::{self, MappedFile};
use std::ptr::NonNull;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Contents of fewer bytes are copied: to map a file is a call of the system, and each page that is touched is a fault.
const LEAST: usize = 32 << 10;

/// How much of a file may be zeros between pieces, by the sum of the pieces.
const SPARSEST: usize = 4;

/// How often a file that goes waits for those who use the list, which is for the time of a system call. If that is not enough,
/// it stays as long as the engine.
const PATIENCE: usize = 1000;

/// A list of files, which nobody waits for: where a thread changes it, others copy, also one in a process that forks
/// meanwhile.
#[derive(Default)]
pub struct ContentsFiles {
    known: RwLock<Vec<Known>>,
    /// How many contents there have been.
    ids: AtomicU64,
}

/// Contents that a memory had before.
struct Known {
    id: u64,
    /// None until they are wanted again, or if there can be none.
    file: Option<File>,
}

struct File {
    /// Where it begins in a memory: at a page.
    start: usize,
    file: MappedFile,
}

impl ContentsFiles {
    /// An id for contents.
    pub fn new_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Maps the contents of a new memory; whether it has. Of those of up to `resident` bytes a copy stays where it is.
    pub fn map(
        &self,
        request: &Request,
        span: &Span,
        contents: &Contents,
        resident: usize,
    ) -> bool {
        let page = os::page_size();
        let range = contents.range();
        let start = range.start - range.start % page;
        let len = range.end.next_multiple_of(page) - start;
        let sum: usize = contents.pieces.iter().map(|piece| piece.len).sum();
        // What moves is moved as one mapping.
        let is_worth_it = sum >= LEAST.max(resident) && len / SPARSEST <= sum && request.stays;
        let base =
            NonNull::new(span.base).filter(|_| is_worth_it && start + len <= span.accessible);
        let Some(base) = base else { return false };
        // SAFETY: the pages are the memory's, which nobody uses yet.
        let map = |file: &File| unsafe { file.file.map(base.add(file.start)) };
        if let Ok(known) = self.known.try_read()
            && let Some(known) = known.iter().find(|known| known.id == contents.id)
            && let Some(file) = &known.file
        {
            return map(file);
        }
        let Ok(mut known) = self.known.try_write() else {
            return false;
        };
        let Some(known) = known.iter_mut().find(|known| known.id == contents.id) else {
            let id = contents.id;
            // Without memory for that it is copied the next time, too.
            let _ = fallible::push(&mut known, Known { id, file: None });
            return false;
        };
        if known.file.is_none() {
            let file = MappedFile::new(len, |bytes| contents.write(start, bytes));
            known.file = file.map(|file| File { start, file });
        }
        known.file.as_ref().is_some_and(map)
    }

    /// Closes the file of contents that no memory begins with any more.
    pub fn forget(&self, contents: u64) {
        for _ in 0..PATIENCE {
            if let Ok(mut known) = self.known.try_write() {
                known.retain(|known| known.id != contents);
                return;
            }
            std::thread::yield_now();
        }
    }
}
