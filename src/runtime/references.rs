//! The exceptions that wasm refers to, in one store.
//!
//! They are dropped by a sweep, which is told the words in which references can be; `Store::catch` says when.

use super::Exception;
use crate::error::{Error, ErrorKind, Result};
use std::collections::{HashMap, HashSet};

/// How many there may be, and what they may carry in all: what wasm can make the host keep.
const MOST: usize = 1_000_000;
const MOST_VALUES: usize = 8_000_000;

/// Fewer than this, with their values, are not worth a sweep.
const FEW: usize = 1_000;

/// One of them: its address, which another can have once it is gone, and its number, which no other has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    address: usize,
    number: u64,
}

pub struct References {
    /// By their addresses.
    held: HashMap<usize, Box<Exception>>,
    /// How many values those carry.
    values: usize,
    /// How many there have been.
    numbers: u64,
    /// With so many, and values, those that are no longer referred to are worth a search.
    many: usize,
    /// Whether the host, globals, tables or other exceptions can have references, and not only functions.
    pub may_be_anywhere: bool,
}

impl References {
    pub fn new() -> References {
        References {
            held: HashMap::new(),
            values: 0,
            numbers: 0,
            many: FEW,
            may_be_anywhere: false,
        }
    }

    /// Whether there is an exception at this address.
    pub fn has(&self, address: usize) -> bool {
        self.held.contains_key(&address)
    }

    /// The exception that was given this reference, if it is still held.
    pub fn get(&mut self, reference: Reference) -> Option<*mut Exception> {
        let exception = self.held.get_mut(&reference.address)?;
        (exception.reference() == Some(reference)).then_some(&raw mut **exception)
    }

    /// Whether one more with so many values may be held.
    pub fn has_room(&self, values: usize) -> Result<()> {
        if self.held.len() < MOST && self.values + values <= MOST_VALUES {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Limit,
            format_args!(
                "wasm may refer to {MOST} exceptions in a store, with {MOST_VALUES} values in all, and it already does"
            ),
        ))
    }

    /// Holds one more; gives its address.
    pub fn keep(&mut self, mut exception: Box<Exception>) -> *mut Exception {
        let address = &raw mut *exception;
        self.numbers += 1;
        exception.refer(Reference {
            address: address as usize,
            number: self.numbers,
        });
        self.values += exception.values().len();
        self.held.insert(address as usize, exception);
        address
    }

    pub fn are_many(&self) -> bool {
        self.held.len() + self.values >= self.many
    }

    /// Drops all but those whose addresses are among these words.
    pub fn sweep(&mut self, words: impl Iterator<Item = usize>) {
        let found: HashSet<usize> = words.filter(|&word| self.has(word)).collect();
        self.held.retain(|address, _| found.contains(address));
        self.values = self.held.values().map(|e| e.values().len()).sum();
        // So that a sweep looks at no more than what has come since the last one, and as much again.
        self.many = FEW.max(2 * (self.held.len() + self.values));
    }
}
