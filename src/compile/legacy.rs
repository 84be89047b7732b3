//! The exceptions that came before `try_table`: `try`, `catch`, `catch_all`, `delegate` and `rethrow`.
//!
//! Source: the exception handling proposal's document of its legacy instructions. What a `try` catches stands after its
//! body, but calls in the body must name it: so a body with a `try` is read once before it is translated. Each clause
//! is the landing block of those calls, and its instructions follow there.

use super::exception::Clause;
use super::func::Translator;
use crate::image::Handler;
use cranelift_codegen::ir::{Value, types::I64};
use wasmparser::{BlockType, FunctionBody, Operator};

/// What follows the body of a `try`.
#[derive(Debug, PartialEq)]
pub enum After {
    Clauses(Vec<Handler>),
    /// A `delegate` to the label of this depth.
    Delegate(u32),
}

/// What a clause of a `try` has caught.
pub enum Caught {
    /// The values of a tag: thrown again they are the same exception, for nothing refers to it.
    Values(u32, Vec<Value>),
    Exception(Value),
}

/// What follows each `try` of a body, as far as it can be read, in the order in which they begin.
pub fn tries(body: &FunctionBody<'_>) -> Vec<After> {
    let mut tries = Vec::new();
    let Ok(mut ops) = body.get_operators_reader() else {
        return tries;
    };
    // Of each open block, the number of its `try`, if it is one.
    let mut open = vec![None];
    while let (false, Ok(op)) = (ops.eof(), ops.read()) {
        let innermost = open.last().copied().flatten();
        match op {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => open.push(None),
            Operator::Try { .. } => {
                open.push(Some(tries.len()));
                tries.push(After::Clauses(Vec::new()));
            }
            Operator::Catch { tag_index } => catch(&mut tries, innermost, Some(tag_index)),
            Operator::CatchAll => catch(&mut tries, innermost, None),
            Operator::Rethrow { relative_depth } => {
                let what = open.iter().rev().nth(relative_depth as usize);
                if let Some(After::Clauses(clauses)) =
                    what.copied().flatten().map(|n| &mut tries[n])
                    && let Some(clause) = clauses.last_mut()
                {
                    // Only of an exception of any tag is it not known what it is.
                    clause.reference |= clause.tag.is_none();
                }
            }
            Operator::Delegate { relative_depth } => {
                if let Some(n) = innermost {
                    tries[n] = After::Delegate(relative_depth);
                }
                open.pop();
            }
            Operator::End => drop(open.pop()),
            _ => {}
        }
        if open.is_empty() {
            break;
        }
    }
    tries
}

fn catch(tries: &mut [After], innermost: Option<usize>, tag: Option<u32>) {
    if let Some(After::Clauses(clauses)) = innermost.map(|n| &mut tries[n]) {
        clauses.push(Handler {
            tag,
            reference: false,
        });
    }
}

impl Translator<'_, '_> {
    /// Begins a `try`; it ends as a block does, or with its `delegate`.
    pub fn legacy_try(&mut self, ty: BlockType) {
        let after = self.survey.tries.next().expect("it has been read");
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
        let Some(landing) = self.next_clause() else {
            // In unreachable code.
            return;
        };
        self.vm.b.switch_to_block(landing);
        self.reachable = true;
        let exception = self.vm.b.block_params(landing)[0];
        let caught = match tag {
            None => Caught::Exception(exception),
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
            Caught::Exception(exception) => {
                let exception = *exception;
                self.throw_again(exception);
            }
            Caught::Values(tag, values) => {
                let (tag, values) = (*tag, values.clone());
                self.survey.carry(values.len(), 0, 0);
                self.stack.extend(values);
                self.throw(tag);
            }
        }
    }
}
