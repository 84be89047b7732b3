//! The exceptions of one store that wasm has references to.
//!
//! An `exnref` is a number, not an address. No number is given twice in a store, so an old one never refers to another
//! exception. Exceptions are dropped by a sweep, which is given all words where an exnref could be; `Store::sweep`
//! decides when.

use super::budget::{Budget, Counted};
use super::{Exception, Slot};
use crate::error::{Error, Result};
use crate::fallible::{OutOfMemory, Shared};

/// The most exceptions that wasm may refer to in a store, and the most values that they may carry in all. They bound
/// the memory that wasm can make the host keep.
const MOST: usize = 1_000_000;
const MOST_VALUES: usize = 8_000_000;

/// With fewer exceptions plus values than this, a sweep is not worth it.
const FEW: usize = 1_000;

/// Where there is no room, a sweep is worth it if more than one in so many came since the last one.
const FRESH: usize = 8;

/// The high bits of every exnref. Other words on a stack seldom have them.
const MARK: u64 = 0xe8c3 << 48;

pub struct ExnRefs {
    /// In ascending order of exnrefs. Compiled code has their addresses, so they stay where they are.
    #[expect(
        clippy::vec_box,
        reason = "the addresses of exceptions outlive the growth of the list"
    )]
    held: Vec<Box<Exception>>,
    /// How many values all of them carry.
    values: usize,
    /// Where what is kept for them is counted.
    budget: Shared<Budget>,
    /// The exnref that was given last.
    last: u64,
    /// Exceptions plus values from which on a sweep is worth it.
    many: usize,
    /// Exceptions plus values that were kept since the last sweep.
    fresh: usize,
    /// Whether exnrefs can be elsewhere than in stack frames: with the host, or in globals, tables or other exceptions.
    pub may_be_anywhere: bool,
}

impl ExnRefs {
    /// No exceptions, for the store with this id and budget.
    pub fn new(store: u64, budget: &Shared<Budget>) -> ExnRefs {
        ExnRefs {
            held: Vec::new(),
            values: 0,
            budget: budget.clone(),
            // The low 16 bits of the store's id keep the numbers of stores apart, and each store has 2^32 numbers. Only
            // stores whose ids are a multiple of 65,536 apart share them.
            last: MARK | (store & 0xffff) << 32,
            many: FEW,
            fresh: 0,
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

    /// Makes room for one more exception with so many values. It is an error if the store may not keep that.
    pub fn make_room(&mut self, values: usize) -> Result<()> {
        if self.held.len() >= MOST || self.values + values > MOST_VALUES {
            return Err(Error::limit(format_args!(
                "wasm may refer to {MOST} exceptions in a store, with {MOST_VALUES} values in all, and it already does"
            )));
        }
        if !self.budget.may_keep(size(1, values)) {
            // It ends the wasm that wants it, and what only that referred to is gone next time.
            self.fresh = usize::MAX;
            return Err(self.budget.refused(Counted::Bookkeeping, size(1, values)));
        }
        self.held.try_reserve(1).map_err(OutOfMemory::from)?;
        Ok(())
    }

    /// Keeps one more exception, for which there is room. Gives its exnref and its address.
    pub fn keep(&mut self, mut exception: Box<Exception>) -> (u64, *mut Exception) {
        self.last += 1;
        exception.set_exnref(self.last);
        self.values += exception.values().len();
        let fresh = 1 + exception.values().len();
        self.fresh = self.fresh.saturating_add(fresh);
        self.budget.keep(size(1, exception.values().len()));
        let address = &raw mut *exception;
        self.held.push(exception);
        (self.last, address)
    }

    /// Whether a sweep is worth it before there is one more with so many values.
    pub fn are_many(&self, values: usize) -> bool {
        let all = self.held.len() + self.values;
        // Where there is no room, a sweep goes through few for each that came, too: what is full of what is held is full.
        let full = !self.budget.may_keep(size(1, values)) && self.fresh > all / FRESH;
        all >= self.many || full
    }

    /// Drops all exceptions but those whose exnrefs are among these words.
    pub fn sweep(&mut self, words: impl Iterator<Item = u64>) {
        for word in words {
            if let Some(at) = self.position(word) {
                self.held[at].found = true;
            }
        }
        let before = size(self.held.len(), self.values);
        self.held.retain_mut(|held| std::mem::take(&mut held.found));
        self.values = self.held.iter().map(|held| held.values().len()).sum();
        self.budget
            .drop_kept(before - size(self.held.len(), self.values));
        self.fresh = 0;
        // Each sweep goes through all exceptions. Waiting until they have doubled keeps the cost of all sweeps
        // proportional to the number of exceptions that were ever kept.
        self.many = FEW.max(2 * (self.held.len() + self.values));
    }
}

/// How many bytes so many exceptions with so many values in all take.
fn size(exceptions: usize, values: usize) -> u64 {
    const EACH: usize = size_of::<Exception>() + size_of::<Box<Exception>>();
    (exceptions * EACH + values * size_of::<Slot>()) as u64
}
