//! What holds of values in a block and in those that it dominates.

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::Value;

pub struct Scoped<T: Clone> {
    map: SecondaryMap<Value, T>,
    /// What was there before, newest last.
    undo: Vec<(Value, T)>,
    /// For each block that dominates this one, how much there was to undo before it.
    marks: Vec<usize>,
}

impl<T: Clone> Scoped<T> {
    /// One that has this of every value.
    pub fn of(default: T) -> Scoped<T> {
        Scoped {
            map: SecondaryMap::with_default(default),
            undo: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Enters a block that so many blocks dominate; forgets what the others of these told.
    pub fn enter(&mut self, depth: usize) {
        if let Some(&mark) = self.marks.get(depth) {
            self.forget(mark);
        }
        self.marks.truncate(depth);
        self.marks.push(self.undo.len());
    }

    pub fn insert(&mut self, value: Value, new: T) {
        let before = std::mem::replace(&mut self.map[value], new);
        self.undo.push((value, before));
    }

    pub fn get(&self, value: Value) -> &T {
        &self.map[value]
    }

    /// All that holds now.
    pub fn map(&self) -> &SecondaryMap<Value, T> {
        &self.map
    }

    /// A point to go back to within a block.
    pub fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Goes back to a point.
    pub fn forget(&mut self, mark: usize) {
        for (value, before) in self.undo.drain(mark..).rev() {
            self.map[value] = before;
        }
    }
}
