//! What numbers are never above in a block, because of the branches that lead there and the loops around it.
//!
//! # Loops
//! A parameter of a loop's first block is what the loop was entered with, or what it goes on with. Of a *counter* that is the
//! parameter itself, plus a constant step. A branch that is taken in each turn that is not the last compares a counter with a
//! limit, and so tells how many turns there are at the most; and after so many turns each counter has its largest value, if it
//! does not wrap on the way.

use super::loops::{Comparison, Param, comparisons, entrance_and_back, params};
use super::range::{self, constant};
use super::scoped::Scoped;
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, DataFlowGraph, Value};

/// What values are never above.
pub struct Facts(Scoped<u64>);

impl Facts {
    pub fn new() -> Facts {
        Facts(Scoped::of(u64::MAX))
    }

    /// Enters a block that so many blocks dominate, and learns what leads to it.
    pub fn enter(&mut self, context: &Context, block: Block, depth: usize) {
        self.0.enter(depth);
        self.learn_from_branch(context, block);
        self.learn_from_loop(context, block);
    }

    /// A number that a value is never above.
    pub fn max(&self, dfg: &DataFlowGraph, value: Value) -> u64 {
        range::max(dfg, self.0.map(), value)
    }

    /// As [`Facts::max`], of what is compared with.
    fn limit(&self, dfg: &DataFlowGraph, value: Option<Value>) -> u64 {
        value.map_or(0, |value| self.max(dfg, value))
    }

    pub fn add(&mut self, value: Value, most: u64) {
        if most < *self.0.get(value) {
            self.0.insert(value, most);
        }
    }

    /// Learns from the branch that alone leads to a block.
    fn learn_from_branch(&mut self, context: &Context, block: Block) {
        let mut predecessors = context.cfg.pred_iter(block);
        if let (Some(from), None) = (predecessors.next(), predecessors.next())
            && let Some(comparison) = Comparison::of(&context.func.dfg, from.inst, block)
        {
            self.learn(&context.func.dfg, comparison);
        }
    }

    fn learn(&mut self, dfg: &DataFlowGraph, comparison: Comparison) {
        for Comparison { cond, x, y } in comparison.both_ways() {
            let most = self.limit(dfg, y);
            match cond {
                IntCC::UnsignedLessThan => self.add(x, most.saturating_sub(1)),
                IntCC::UnsignedLessThanOrEqual | IntCC::Equal => self.add(x, most),
                _ => {}
            }
        }
    }

    /// Learns about the parameters of a loop's first block, if the loop has one entrance and goes on from one place.
    fn learn_from_loop(&mut self, context: &Context, head: Block) {
        let dfg = &context.func.dfg;
        if dfg.block_params(head).is_empty() {
            return;
        }
        let Some((entrance, back)) = entrance_and_back(context, head) else {
            return;
        };
        let Some(params) = params(dfg, head, entrance, back.inst) else {
            return;
        };
        let params: Vec<Param> = params.into_iter().map(|(_, param)| param).collect();
        let comparisons = comparisons(context, head, back.block, back.inst);
        let turns = comparisons.iter().filter_map(|comparison| {
            let mut counters = params.iter();
            counters.find_map(|counter| self.turns(dfg, *comparison, counter))
        });
        let turns = turns.min();
        // What the end of the loop knows holds for what it goes on with.
        let mark = self.0.mark();
        comparisons.iter().for_each(|&known| self.learn(dfg, known));
        let nexts: Vec<u64> = params.iter().map(|p| self.max(dfg, p.next)).collect();
        self.0.forget(mark);
        for (param, next) in params.iter().zip(nexts) {
            let first = self.max(dfg, param.first);
            let all = range::all(dfg.value_type(param.param));
            let most = match (param.step, turns) {
                (Some(step), Some(turns)) => {
                    last(dfg, param, first, step, turns).filter(|&last| last <= all)
                }
                _ => None,
            };
            let most = most.unwrap_or(u64::MAX).min(first.max(next));
            if most < all {
                self.add(param.param, most);
            }
        }
    }

    /// How often a loop goes on, at the most, because this holds whenever it does.
    fn turns(&self, dfg: &DataFlowGraph, known: Comparison, counter: &Param) -> Option<u64> {
        let step = counter.step?;
        let known = known
            .both_ways()
            .find(|known| known.x == counter.param || known.x == counter.next)?;
        let all = range::all(dfg.value_type(counter.param));
        let first = constant(dfg, counter.first);
        // The counter in the turn that is at hand, or in the next one.
        let ahead = u64::from(known.x == counter.next);
        if known.cond == IntCC::NotEqual {
            let (first, limit) = (first?, known.limit(dfg)?);
            let distance = match step > 0 {
                true => limit.wrapping_sub(first),
                false => first.wrapping_sub(limit),
            } & all;
            let exact = distance.is_multiple_of(step.unsigned_abs());
            return (distance / step.unsigned_abs())
                .checked_sub(ahead)
                .filter(|_| exact);
        }
        let signed = all >> 1;
        let (limit, all) = match known.cond {
            IntCC::UnsignedLessThan => (self.limit(dfg, known.y), all),
            IntCC::UnsignedLessThanOrEqual => (self.limit(dfg, known.y).checked_add(1)?, all),
            // A number that is not negative is below a signed one only as it is below an unsigned one.
            IntCC::SignedLessThan => (self.limit(dfg, known.y).min(signed), signed),
            _ => return None,
        };
        let step = u64::try_from(step).ok().filter(|&step| step > 0)?;
        let first = match (first, known.cond) {
            (Some(first), _) if first <= all => first,
            (None, IntCC::UnsignedLessThan | IntCC::UnsignedLessThanOrEqual) => 0,
            _ => return None,
        };
        // It is compared before it can wrap.
        let largest = limit.saturating_sub(1).max(self.max(dfg, counter.first));
        largest.checked_add(step).filter(|&next| next <= all)?;
        let distance = limit.saturating_sub(first);
        distance.div_ceil(step).checked_sub(ahead).or(Some(0))
    }
}

/// The largest value of a counter that is at most `first` when the loop is entered, if the loop goes on so often.
fn last(dfg: &DataFlowGraph, counter: &Param, first: u64, step: i64, turns: u64) -> Option<u64> {
    let way = turns.checked_mul(step.unsigned_abs())?;
    match step >= 0 {
        true => first.checked_add(way),
        // It must not go below 0.
        false => constant(dfg, counter.first).filter(|&first| first >= way),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cranelift_codegen::ir::types::I32;
    use cranelift_codegen::ir::{BlockArg, Function, InstBuilder};
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    /// What the parameter of a loop is known not to be above. The loop begins with `first`, or with what the function is
    /// given, adds
    /// `step`, and goes on while this holds of the sum, or of what it was made of.
    fn most(first: Option<i64>, step: i64, cond: IntCC, sum: bool, limit: i64) -> u64 {
        let mut func = Function::new();
        let mut builder = FunctionBuilderContext::new();
        let mut b = FunctionBuilder::new(&mut func, &mut builder);
        let [entry, head, exit] = [(); 3].map(|()| b.create_block());
        b.append_block_param(entry, I32);
        let param = b.append_block_param(head, I32);
        b.switch_to_block(entry);
        let first = match first {
            Some(first) => b.ins().iconst(I32, first & 0xffff_ffff),
            None => b.block_params(entry)[0],
        };
        b.ins().jump(head, &[BlockArg::Value(first)]);
        b.switch_to_block(head);
        let by = b.ins().iconst(I32, step & 0xffff_ffff);
        let next = b.ins().iadd(param, by);
        let limit = b.ins().iconst(I32, limit & 0xffff_ffff);
        let compared = if sum { next } else { param };
        let goes_on = b.ins().icmp(cond, compared, limit);
        b.ins()
            .brif(goes_on, head, &[BlockArg::Value(next)], exit, &[]);
        b.switch_to_block(exit);
        b.ins().return_(&[]);
        b.seal_all_blocks();
        let mut context = Context::for_function(func);
        context.compute_cfg();
        context.compute_domtree();
        let mut facts = Facts::new();
        facts.enter(&context, entry, 0);
        facts.enter(&context, head, 1);
        facts.max(&context.func.dfg, param)
    }

    #[test]
    fn counters_are_never_above_what_their_loops_let_them_be() {
        use IntCC::*;
        let none = u64::from(u32::MAX);
        for (first, step, cond, sum, limit, expected) in [
            // The sum leaves the loop when it is the limit, and the counter one turn later.
            (Some(0), 4, NotEqual, true, 128, 124),
            (Some(0), 4, NotEqual, false, 128, 128),
            // It passes the limit and wraps.
            (Some(0), 4, NotEqual, true, 126, none),
            (Some(8), 4, NotEqual, true, 4, none),
            (None, 4, NotEqual, true, 128, none),
            (Some(100), -4, NotEqual, true, 0, 100),
            (Some(100), -3, NotEqual, true, 0, none),
            (Some(0), 4, UnsignedLessThan, true, 126, 124),
            (Some(0), 4, UnsignedLessThan, false, 126, 128),
            (Some(0), 4, UnsignedLessThanOrEqual, true, 128, 128),
            (Some(7), 1, UnsignedLessThan, true, 3, 7),
            (Some(7), 1, UnsignedLessThan, false, 3, 7),
            // The sum can wrap before it is compared.
            (Some(0), 4, UnsignedLessThan, true, -1, 0xffff_fffe),
            (Some(1), 8, UnsignedLessThan, false, -2, none),
            (Some(0), 1, SignedLessThan, true, 100, 99),
            (Some(0), 1, SignedLessThan, false, 100, 100),
            (Some(-5), 1, SignedLessThan, true, 100, none),
            (Some(0), 1, SignedLessThan, true, -1, 0x7fff_fffe),
            (Some(0), 0, UnsignedLessThan, true, 100, 99),
            (Some(0), 1, UnsignedGreaterThan, true, 100, none),
        ] {
            assert_eq!(
                most(first, step, cond, sum, limit),
                expected,
                "{first:?} {step} {cond} {sum} {limit}"
            );
        }
    }
}
