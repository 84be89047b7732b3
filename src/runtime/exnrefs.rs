//! The exceptions that wasm refers to, in one store.
//!
//! An `exnref` is a number, not an address, and no number is given twice: whoever has an old one has no other exception by
//! it. Exceptions are dropped by a sweep, which is told the words in which numbers can be; `Store::catch` says when.

use super::Exception;
use crate::error::{Error, Result};
use crate::fallible::OutOfMemory;

/// How many there may be, and what they may carry in all: what wasm can make the host keep.
const MOST: usize = 1_000_000;
const MOST_VALUES: usize = 8_000_000;

/// Fewer than this, with their values, are not worth a sweep.
const FEW: usize = 1_000;

/// What the upper half of every number has, so that few other words on a stack look like one.
const MARK: u64 = 0xe8c3 << 48;

pub struct ExnRefs {
    /// With ascending numbers. Landing code has addresses of them, so they stay where they are.
    #[expect(
        clippy::vec_box,
        reason = "the addresses of exceptions outlive the growth of the list"
    )]
    held: Vec<Box<Exception>>,
    /// How many values those carry.
    values: usize,
    /// The number that was given last. Each store has numbers of its own.
    last: u64,
    /// With so many, and values, those that are no longer referred to are worth a search.
    many: usize,
    /// Whether the host, globals, tables or other exceptions can have references, and not only functions.
    pub may_be_anywhere: bool,
}

impl ExnRefs {
    /// Those of the store with this id.
    pub fn new(store: u64) -> ExnRefs {
        ExnRefs {
            held: Vec::new(),
            values: 0,
            // 65,536 stores have numbers of their own, each four billion of them; after that they may meet.
            last: MARK | (store & 0xffff) << 32,
            many: FEW,
            may_be_anywhere: false,
        }
    }

    /// The exception of this number, if there is one.
    pub fn get(&self, exnref: u64) -> Option<&Exception> {
        self.position(exnref).map(|at| &*self.held[at])
    }

    fn position(&self, exnref: u64) -> Option<usize> {
        let position = self
            .held
            .binary_search_by_key(&exnref, |held| held.exnref());
        position.ok()
    }

    /// Makes room for one more with so many values; an error if that is too many.
    pub fn make_room(&mut self, values: usize) -> Result<()> {
        if self.held.len() >= MOST || self.values + values > MOST_VALUES {
            return Err(Error::limit(format_args!(
                "wasm may refer to {MOST} exceptions in a store, with {MOST_VALUES} values in all, and it already does"
            )));
        }
        self.held.try_reserve(1).map_err(OutOfMemory::from)?;
        Ok(())
    }

    /// Holds one more, for which there is room; gives its number, and where it is.
    pub fn keep(&mut self, mut exception: Box<Exception>) -> (u64, *mut Exception) {
        self.last += 1;
        exception.set_exnref(self.last);
        self.values += exception.values().len();
        let address = &raw mut *exception;
        self.held.push(exception);
        (self.last, address)
    }

    pub fn are_many(&self) -> bool {
        self.held.len() + self.values >= self.many
    }

    /// Drops all but those whose numbers are among these words.
    pub fn sweep(&mut self, words: impl Iterator<Item = u64>) {
        for word in words {
            if let Some(at) = self.position(word) {
                self.held[at].found = true;
            }
        }
        self.held.retain_mut(|held| std::mem::take(&mut held.found));
        self.values = self.held.iter().map(|held| held.values().len()).sum();
        // So that a sweep looks at no more than what has come since the last one, and as much again.
        self.many = FEW.max(2 * (self.held.len() + self.values));
    }
}
