//! The exceptions that came before `try_table`: `try`, `catch`, `catch_all`, `delegate` and `rethrow`.
//!
//! Source: the exception handling proposal's document of its legacy instructions. What a `try` catches stands after its
//! body, but calls in the body must name it: so the survey, which walks the body before it is translated, writes down
//! what follows each `try`. Each clause is the landing block of those calls, and its instructions follow there.

use super::exception::Clause;
use super::translate::Translator;
use crate::image::Catch;
use cranelift_codegen::ir::{Value, types::I64};
use wasmparser::BlockType;

/// What follows the body of a `try`.
#[derive(Debug, PartialEq)]
pub enum After {
    Clauses(Vec<Catch>),
    /// A `delegate` to the label of this depth.
    Delegate(u32),
}

/// What a clause of a `try` has caught.
pub enum Caught {
    /// The values of a tag: thrown again they are the same exception, for nothing refers to it.
    Values(u32, Vec<Value>),
    /// A reference to an exception of any tag.
    ExnRef(Value),
    /// An exception of any tag that is not thrown again.
    Anything,
}

/// What follows each `try` of a body, found while the body is looked through.
#[derive(Default)]
pub struct Tries {
    all: Vec<After>,
    /// The region that the body of each is, in the survey.
    regions: Vec<usize>,
}

impl Tries {
    /// A `try` begins, whose body is this region; gives its number.
    pub fn begin(&mut self, region: usize) -> usize {
        self.all.push(After::Clauses(Vec::new()));
        self.regions.push(region);
        self.all.len() - 1
    }

    /// A clause begins of a `try`, for a tag or for all; gives the region that it catches in.
    pub fn catch(&mut self, tried: Option<usize>, tag: Option<u32>) -> Option<usize> {
        let After::Clauses(clauses) = &mut self.all[tried?] else {
            return None;
        };
        clauses.push(Catch { tag, exnref: false });
        Some(self.regions[tried?])
    }

    /// What the current clause of a `try` has caught is thrown again.
    pub fn rethrow(&mut self, tried: Option<usize>) {
        if let Some(After::Clauses(clauses)) = tried.map(|n| &mut self.all[n])
            && let Some(clause) = clauses.last_mut()
        {
            // Only of an exception of any tag is it not known what it is.
            clause.exnref |= clause.tag.is_none();
        }
    }

    /// A `try` ends with a `delegate` to the label of this depth; gives the region whose exceptions go there.
    pub fn delegate(&mut self, tried: Option<usize>, depth: u32) -> Option<usize> {
        self.all[tried?] = After::Delegate(depth);
        Some(self.regions[tried?])
    }

    /// In the order in which they begin.
    pub fn into_list(self) -> Vec<After> {
        self.all
    }
}

impl Translator<'_, '_> {
    /// Begins a `try`; it ends as a block does, or with its `delegate`.
    pub fn legacy_try(&mut self, ty: BlockType) {
        let after = self.tries.next().expect("it was surveyed");
        if !self.reachable {
            return self.block(ty);
        }
        match after {
            After::Clauses(clauses) => {
                let clauses = clauses.into_iter().map(|catches| {
                    let landing = self.vm.b.create_block();
                    self.vm.b.append_block_param(landing, I64);
                    self.vm.b.set_cold_block(landing);
                    Clause { catches, landing }
                });
                let clauses: Vec<_> = clauses.collect();
                self.try_block(ty, clauses.clone());
                self.begin_scope(clauses, 0);
            }
            After::Delegate(depth) => {
                self.block(ty);
                self.begin_scope(Vec::new(), depth);
            }
        }
    }

    /// Ends the body of a `try`, or a clause, and begins its next clause.
    pub fn legacy_catch(&mut self, tag: Option<u32>) {
        self.end_scope();
        let Some(Clause { catches, landing }) = self.next_clause() else {
            // In unreachable code.
            return;
        };
        self.vm.b.switch_to_block(landing);
        self.begin_run();
        self.load_fuel();
        self.reachable = true;
        let exception = self.vm.b.block_params(landing)[0];
        let caught = match tag {
            None if catches.exnref => Caught::ExnRef(self.exnref(exception)),
            None => Caught::Anything,
            Some(tag) => {
                let height = self.stack.len();
                self.push_values(tag, exception);
                Caught::Values(tag, self.stack[height..].to_vec())
            }
        };
        self.set_caught(caught);
    }

    /// Throws what the clause of this depth has caught.
    pub fn rethrow(&mut self, depth: u32) {
        match self.caught(depth) {
            Caught::ExnRef(exnref) => {
                let exnref = *exnref;
                self.throw_again(exnref);
            }
            Caught::Anything => unreachable!("surveyed"),
            Caught::Values(tag, values) => {
                let (tag, values) = (*tag, values.clone());
                self.budget.results(values.len(), 0, 0);
                self.stack.extend(values);
                self.throw(tag);
            }
        }
    }
}
