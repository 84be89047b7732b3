//! How much there is to a function body: what compiling it takes can be a square of that, and a module must not be able
//! to hold up its host.

use super::legacy::{self, After};
use crate::error::{Error, ErrorKind, Result};
use cranelift_codegen::ir;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmparser::{Catch, FunctionBody, Operator};

/// A function beyond any of these is compiled in linear time: what its locals, its operands and its size take of the
/// optimizer and the usual register allocator grows faster than they do. What compilers make seldom gets there.
const MOST_LOCALS: usize = 2_000;
const MOST_OPERANDS: usize = 1_000;
const MOST_HANDLERS: usize = 5_000;
const MOST_MERGES: usize = 16_000;
const MOST_BYTES: usize = 256 << 10;

/// Locals as variables take more than their number: each can be an argument of each edge, and has an entry for each
/// block, of which every check of a bound begins one.
const MOST_LOCALS_BY_EDGES: usize = 4_000_000;
const MOST_LOCALS_BY_BYTES: usize = 64_000_000;

/// How many operands branches, calls and handlers may carry: for each byte of the body, and beyond that in a whole
/// module. A type of a thousand results makes a thousand of them from two bytes.
const CARRIED_PER_BYTE: usize = 16;
const CARRIED: usize = 1_000_000;

/// An exception handler takes what so many operands take that are carried.
const HANDLER: usize = 16;

/// So many operands that only stay where they are, over the end of a CLIF block, take what one takes that is carried.
const STAYING: usize = 64;

/// A body, counted before and while it is translated.
pub struct Survey {
    /// Whether it calls other wasm: only then can it take part in recursion, and needs to look at the stack limit.
    pub calls: bool,
    /// What follows each legacy `try` in it, in their order.
    pub tries: std::vec::IntoIter<After>,
    bytes: usize,
    edges: usize,
    /// How many exception handlers its calls list.
    handlers: usize,
    /// The most operands at once so far, and all that were carried.
    operands: usize,
    carried: usize,
    /// How many edges have arguments; known when the body is translated.
    merges: usize,
}

impl Survey {
    /// Counts as far as the body can be read; what cannot is for validation to find.
    pub fn new(body: &FunctionBody<'_>) -> Survey {
        let mut survey = Survey {
            calls: false,
            tries: Vec::new().into_iter(),
            bytes: body.as_bytes().len(),
            edges: 0,
            handlers: 0,
            operands: 0,
            carried: 0,
            merges: 0,
        };
        let Ok(mut ops) = body.get_operators_reader() else {
            return survey;
        };
        // For each open block, how many catch clauses are in force in it.
        let mut in_force = vec![0];
        let mut tried = 0;
        while let (false, Ok(op)) = (ops.eof(), ops.read()) {
            survey.edges += edges(&op);
            let clauses = in_force.last().copied().unwrap_or(0);
            match op {
                Operator::Call { .. }
                | Operator::CallIndirect { .. }
                | Operator::CallRef { .. } => {
                    survey.calls = true;
                    survey.handlers += clauses;
                }
                Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. } => survey.calls = true,
                Operator::Throw { .. } | Operator::ThrowRef | Operator::Rethrow { .. } => {
                    survey.handlers += clauses
                }
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    in_force.push(clauses);
                }
                Operator::TryTable { ref try_table } => {
                    let catches = &try_table.catches;
                    in_force.push(match catches.iter().position(catches_all) {
                        Some(last) => last + 1,
                        None => clauses + catches.len(),
                    });
                }
                Operator::Try { .. } => {
                    if tried == 0 {
                        survey.tries = legacy::tries(body).into_iter();
                    }
                    in_force.push(match survey.tries.as_slice().get(tried) {
                        Some(After::Clauses(all)) => match all.iter().any(|c| c.tag.is_none()) {
                            true => all.len(),
                            false => clauses + all.len(),
                        },
                        Some(&After::Delegate(depth)) => {
                            let mut outwards = in_force.iter().rev();
                            outwards.nth(depth as usize).copied().unwrap_or(0)
                        }
                        None => clauses,
                    });
                    tried += 1;
                }
                // What a clause throws, the `try` around it catches.
                Operator::Catch { .. } | Operator::CatchAll => {
                    in_force.pop();
                    in_force.push(in_force.last().copied().unwrap_or(0));
                }
                Operator::End | Operator::Delegate { .. } => drop(in_force.pop()),
                _ => {}
            }
        }
        survey
    }

    /// Counts an instruction that is to be translated, at so many operands, for the edges that it makes.
    pub fn carry_edges(&mut self, op: &Operator<'_>, operands: usize) {
        self.operands = self.operands.max(operands);
        self.carried += edges(op) * (1 + operands);
    }

    /// Counts the exception handlers of a call.
    pub fn carry_handlers(&mut self, handlers: usize, operands: usize) {
        self.carried += handlers * (HANDLER + operands);
    }

    /// Counts what an instruction gave, and what stayed below it over the ends of its blocks.
    pub fn carry(&mut self, results: usize, blocks: usize, operands: usize) {
        self.carried += results + blocks * operands / STAYING;
    }

    /// Refuses a function if it and what others have `carried` beyond their size is too much. With several threads, which
    /// function that is may differ from run to run; that there is one does not.
    pub fn check(&self, carried: &AtomicUsize, function: u32) -> Result<()> {
        if self.excess() + carried.load(Ordering::Relaxed) <= CARRIED {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Limit,
            format_args!(
                "up to function {function}, branches, calls and exception handlers carry {CARRIED} operands more than \
                 {CARRIED_PER_BYTE} for each byte; use types of fewer results, or nest fewer try_table around calls"
            ),
        ))
    }

    /// What a whole function has carried beyond its size.
    pub fn excess(&self) -> usize {
        self.carried.saturating_sub(CARRIED_PER_BYTE * self.bytes)
    }

    /// Counts what there is to a function only when it is translated.
    pub fn translated(&mut self, func: &ir::Function) {
        let dfg = &func.dfg;
        let last = |block| func.layout.last_inst(block);
        let ends = func.layout.blocks().filter_map(last);
        self.merges = ends
            .flat_map(|i| dfg.insts[i].branch_destination(&dfg.jump_tables, &dfg.exception_tables))
            .filter(|call| call.len(&dfg.value_lists) > 0)
            .count();
    }

    /// Whether a function, with so many locals, needs to be compiled in linear time, as far as is known.
    pub fn is_large(&self, locals: usize) -> bool {
        self.bytes > MOST_BYTES
            || locals > MOST_LOCALS
            || self.operands > MOST_OPERANDS
            || self.handlers > MOST_HANDLERS
            || self.merges > MOST_MERGES
            || locals.saturating_mul(self.edges + self.handlers) > MOST_LOCALS_BY_EDGES
            || locals.saturating_mul(self.bytes) > MOST_LOCALS_BY_BYTES
    }
}

fn catches_all(catch: &Catch) -> bool {
    matches!(catch, Catch::All { .. } | Catch::AllRef { .. })
}

/// How many edges to blocks with others an instruction makes, but for those of calls to exception handlers.
fn edges(op: &Operator<'_>) -> usize {
    match op {
        Operator::Loop { .. }
        | Operator::If { .. }
        | Operator::Else
        | Operator::Br { .. }
        | Operator::BrIf { .. }
        | Operator::BrOnNull { .. }
        | Operator::BrOnNonNull { .. }
        | Operator::Catch { .. }
        | Operator::CatchAll => 1,
        Operator::BrTable { targets } => targets.len() as usize + 1,
        Operator::TryTable { try_table } => try_table.catches.len(),
        _ => 0,
    }
}
