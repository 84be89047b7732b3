//! Which module an address in code belongs to, for a handler of faults.

use super::Placed;
use super::read_list::{ReadList, Slot};
use crate::error::Result;
use std::ptr;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    start: usize,
    end: usize,
    module: *const Placed,
}

/// The code of an engine's modules.
pub struct CodeMap(ReadList<Range>);

impl CodeMap {
    pub const fn new() -> CodeMap {
        CodeMap(ReadList::new())
    }

    /// Adds a module with its code. It is removed before it goes.
    pub fn add(&self, start: usize, len: usize, module: *const Placed) -> Result<()> {
        let end = start + len;
        self.0.add(Range { start, end, module })
    }

    /// Removes a module. Nothing of it is read then.
    pub fn remove(&self, module: *const Placed) {
        self.0.remove(|range| ptr::eq(range.module, module));
    }

    /// Looks up an address, and reads in the module whose code it is in, at an offset in its text. Async-signal-safe if
    /// what reads is.
    pub fn read<T>(&self, address: usize, read: impl FnOnce(&Placed, u32) -> T) -> Option<T> {
        self.0.read(|slots| {
            // Code that is gone may have made room for other code: of those that begin before, only one is left.
            let after = slots.partition_point(|slot| slot.item().start <= address);
            let range = slots[..after].iter().rev().find_map(Slot::get)?;
            // SAFETY: a module is removed before it goes, and this waits for who reads.
            let module = unsafe { &*range.module };
            (address < range.end).then(|| read(module, (address - range.start) as u32))
        })
    }
}
