//! What a block of CLIF has computed for its memory accesses, so that the next access can use it again.
//!
//! Each access extends an address, loads where the memory is and how long, and subtracts what it wants from that. The optimizer
//! would find all that is there twice; but what is made only once need not be found, which saves a good part of its time.

use super::translate::Translator;
use cranelift_codegen::ir::{Block, Value};
use std::collections::VecDeque;

/// How much is remembered, since each access looks through it.
const MOST: usize = 16;

/// Something that accesses compute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Computed {
    /// An address of 32 bits as one of 64.
    Extended(Value),
    /// A field of the definition of a memory, by the memory's index and the field's offset.
    Field(u32, usize),
    /// The last address that has so many bytes behind it in a memory of a length.
    Last(Value, u64),
}

/// What was computed in a block since the last instruction that may have changed a memory's definition.
#[derive(Default)]
pub struct Recent {
    block: Option<Block>,
    /// Oldest first.
    values: VecDeque<(Computed, Value)>,
}

impl Translator<'_, '_> {
    /// What the block at hand has computed already, or what is made of it now.
    pub fn once(&mut self, what: Computed, make: impl FnOnce(&mut Self) -> Value) -> Value {
        let block = self.vm.b.current_block();
        if self.recent.block != block {
            self.forget_recent();
            self.recent.block = block;
        }
        let mut values = self.recent.values.iter().rev();
        if let Some((_, value)) = values.find(|(found, _)| *found == what) {
            return *value;
        }
        let value = make(self);
        if self.recent.values.len() == MOST {
            self.recent.values.pop_front();
        }
        self.recent.values.push_back((what, value));
        value
    }

    /// Says that a memory's definition may have changed.
    pub fn forget_recent(&mut self) {
        self.recent.values.clear();
    }
}
