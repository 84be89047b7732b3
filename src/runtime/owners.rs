//! Owners that do not meet: what many threads own for a short time each is counted in several lines of the CPU's cache.
//!
//! To count one owner more and one less costs little by itself, but where several threads do it with one count, each waits for
//! the others' caches. So whoever has a thing for long has several owners of it, each with a count of its own, and threads share
//! different ones of these.

use super::stack;
use crate::error::Result;
use crate::fallible::Shared;
use std::ops::Deref;

/// How many places there are for what threads do not want to meet at.
pub const PLACES: usize = 8;

/// One owner, in a line of its own with the count of those who share it.
#[repr(align(64))]
pub struct Owner<T>(Shared<T>);

impl<T> Deref for Owner<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Several owners of one thing.
pub struct Owners<T>([Shared<Owner<T>>; PLACES]);

impl<T> Owners<T> {
    pub fn new(value: &Shared<T>) -> Result<Owners<T>> {
        let owner = || Shared::new(Owner(value.clone()));
        Ok(Owners([
            owner()?,
            owner()?,
            owner()?,
            owner()?,
            owner()?,
            owner()?,
            owner()?,
            owner()?,
        ]))
    }

    /// The one for this thread to share.
    pub fn of_this_thread(&self) -> &Shared<Owner<T>> {
        &self.0[place()]
    }
}

impl<T> Clone for Owners<T> {
    fn clone(&self) -> Self {
        Owners(self.0.clone())
    }
}

/// One of the places, mostly another one for each thread.
pub fn place() -> usize {
    // Threads' numbers are often multiples of the same number, so that all bits of them count.
    let mixed = (stack::thread() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize % PLACES
}
