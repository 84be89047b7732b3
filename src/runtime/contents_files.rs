//! Files of what memories begin with, mapped instead of copied, where that is faster.
//!
//! Pages of a file that only this process has are put into a memory's place: they are shared by all memories until one writes to
//! them, and what it wrote goes when they are emptied. A module that is instantiated once is not worth the file, so the first
//! memory with some contents gets a copy, and the second one makes the file.

use super::contents::Contents;
use super::linear_memory::{Request, Span};
use crate::fallible::{self, Shared};
use crate::os::{self, MappedFile};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard};

/// Contents of fewer bytes are copied: a mapped memory counts as two mappings more, of which a process may not have any number.
const LEAST: usize = 32 << 10;

/// How much of a file may be zeros between pieces, by the sum of the pieces.
const SPARSEST: usize = 4;

/// How often a thread looks whether another one still has the list, which is for less than a microsecond. In a process that
/// forked meanwhile it is for ever; there contents are copied then, and a file that would go stays as long as the engine.
const PATIENCE: usize = 10_000;

#[derive(Default)]
pub struct ContentsFiles(Mutex<Vec<Known>>);

/// Contents that a memory had before.
struct Known {
    id: u64,
    file: Wanted,
}

/// A file that is made when contents are wanted for the second time.
enum Wanted {
    Once,
    /// A thread makes it, or found that it cannot be made; others copy.
    Begun,
    Made(Shared<File>),
}

struct File {
    /// Where it begins in a memory: at a page.
    start: usize,
    file: MappedFile,
}

impl ContentsFiles {
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
        let Some(file) = self.file(contents, start, len) else {
            return false;
        };
        // SAFETY: the pages are the memory's, which nobody uses yet.
        unsafe { file.file.map(base.add(file.start)) }
    }

    /// The file of contents, which takes up so many bytes of a memory from `start` on. None if it is not to be had yet.
    fn file(&self, contents: &Contents, start: usize, len: usize) -> Option<Shared<File>> {
        let id = contents.id;
        {
            let mut list = self.lock()?;
            let Some(known) = list.iter_mut().find(|known| known.id == id) else {
                let file = Wanted::Once;
                // Without memory for that it is copied the next time, too.
                let _ = fallible::push(&mut list, Known { id, file });
                return None;
            };
            match &known.file {
                Wanted::Once => known.file = Wanted::Begun,
                Wanted::Begun => return None,
                Wanted::Made(file) => return Some(file.clone()),
            }
        }
        let file = MappedFile::new(len, |bytes| contents.write(start, bytes))?;
        let file = Shared::new(File { start, file }).ok()?;
        let mut list = self.lock()?;
        let known = list.iter_mut().find(|known| known.id == id)?;
        known.file = Wanted::Made(file.clone());
        Some(file)
    }

    /// Lets go of the file of contents that no memory begins with any more.
    pub fn forget(&self, contents: u64) {
        if let Some(mut known) = self.lock() {
            known.retain(|known| known.id != contents);
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Vec<Known>>> {
        (0..PATIENCE).find_map(|turn| {
            if turn > 0 {
                std::thread::yield_now();
            }
            self.0.try_lock().ok()
        })
    }
}
