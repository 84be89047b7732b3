//! Lets counters begin at zero that end there, or pass it.
//!
//! LLVM lets many a counted loop run from a negative number to zero, where the end needs no number to compare with, and adds
//! to the counter where the array lies. That sum wraps in every turn: so as `addresses` sees it, it cannot go into an address.
//! If such a counter begins at zero instead, and each of its sums adds so much less, none wraps.

use super::dead::Uses;
use super::loops::{Comparison, Param, entrance_and_back, params};
use super::range::{constant, sum};
use super::{in_dominance_order, is_x86_64};
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{
    Block, BlockArg, Function, Inst, InstBuilder, InstructionData, Opcode, Value,
};
use std::collections::HashMap;

pub fn begin_at_zero(env: &Env<'_>, context: &mut Context) {
    if !is_x86_64(env) || env.module.memories.is_empty() {
        return;
    }
    let mut uses = Uses::default();
    let mut sums = None;
    for (head, _) in in_dominance_order(context) {
        if context.func.dfg.block_params(head).is_empty() {
            continue;
        }
        let Some((entrance, back)) = entrance_and_back(context, head) else {
            continue;
        };
        let func = &mut context.func;
        let params = params(&func.dfg, head, entrance, back.inst).unwrap_or_default();
        for (position, param) in params {
            let Some(counter) = Counter::of(func, &param, head, back.inst) else {
                continue;
            };
            let sums = sums.get_or_insert_with(|| sums_by_root(func));
            if let Some(sums) = counter.sums(func, &mut uses, sums) {
                counter.begin_at_zero(func, &sums, (entrance, head, position));
            }
        }
    }
}

/// What adds a constant, by what it adds to.
fn sums_by_root(func: &Function) -> HashMap<Value, Vec<Inst>> {
    let mut sums: HashMap<Value, Vec<Inst>> = HashMap::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            if func.dfg.insts[inst].opcode() == Opcode::Iadd
                && let Some((root, _)) = sum(&func.dfg, func.dfg.first_result(inst))
            {
                let root = func.dfg.resolve_aliases(root);
                sums.entry(root).or_default().push(inst);
            }
        }
    }
    sums
}

/// A counter that begins with a negative number and counts up, until it is what it is compared with.
struct Counter {
    param: Value,
    first: u32,
    next: Value,
    /// Which of these two is compared at the end of each turn, with what, and the branch.
    compared: Value,
    limit: u32,
    back: Inst,
}

impl Counter {
    fn of(func: &Function, param: &Param, head: Block, back: Inst) -> Option<Counter> {
        let dfg = &func.dfg;
        let step = u32::try_from(param.step?).ok()?;
        let first = constant(dfg, param.first)?;
        let comparison = Comparison::of(dfg, back, head)?;
        let limit = comparison.limit(dfg)? as u32;
        if dfg.value_type(param.param) != I32
            || comparison.cond != IntCC::NotEqual
            || ![param.param, param.next].contains(&comparison.x)
        {
            return None;
        }
        let first = u32::try_from(first)
            .ok()
            .filter(|&first| (first as i32) < 0)?;
        // What the counter would go on with when the loop ends.
        let end = match comparison.x == param.param {
            true => limit.wrapping_add(step),
            false => limit,
        };
        let distance = end.wrapping_sub(first);
        // The loop ends where it wraps, or beyond, and the counter gets there.
        if first.checked_add(distance).is_some() || !distance.is_multiple_of(step) {
            return None;
        }
        Some(Counter {
            param: param.param,
            first,
            next: param.next,
            compared: comparison.x,
            limit,
            back,
        })
    }

    /// What adds a constant to the counter, besides its step, if nothing else uses it.
    fn sums(
        &self,
        func: &Function,
        uses: &mut Uses,
        sums: &HashMap<Value, Vec<Inst>>,
    ) -> Option<Vec<Inst>> {
        let step = func.dfg.value_def(self.next).inst()?;
        let compared = |value| u32::from(self.compared == value);
        // The next one is passed on, and compared at the most.
        if uses.of(func, self.next) != 1 + compared(self.next) {
            return None;
        }
        let sums = sums.get(&self.param)?.iter().copied();
        let sums: Vec<Inst> = sums.filter(|&inst| inst != step).collect();
        let known = 1 + compared(self.param) + sums.len() as u32;
        (uses.of(func, self.param) == known).then_some(sums)
    }

    fn begin_at_zero(
        &self,
        func: &mut Function,
        sums: &[Inst],
        (entrance, head, position): (Inst, Block, usize),
    ) {
        for &inst in sums {
            let (_, by) = sum(&func.dfg, func.dfg.first_result(inst)).expect("it is a sum");
            let by = (by as u32).wrapping_add(self.first);
            let mut pos = FuncCursor::new(func).at_inst(inst);
            let by = pos.ins().iconst(I32, i64::from(by));
            if let InstructionData::Binary { args, .. } = &mut func.dfg.insts[inst] {
                *args = [self.param, by];
            }
        }
        let InstructionData::Brif { arg, .. } = func.dfg.insts[self.back] else {
            unreachable!("only such a branch compares");
        };
        let arg = func.dfg.resolve_aliases(arg);
        let limit = i64::from(self.limit.wrapping_sub(self.first));
        // Whatever else uses the comparison gets the same from it.
        let at = match func.dfg.value_def(arg).inst() {
            Some(comparison) if arg != self.compared => comparison,
            _ => self.back,
        };
        let mut pos = FuncCursor::new(func).at_inst(at);
        let limit = pos.ins().iconst(I32, limit);
        if at == self.back {
            let compared = pos.ins().icmp(IntCC::NotEqual, arg, limit);
            if let InstructionData::Brif { arg, .. } = &mut func.dfg.insts[self.back] {
                *arg = compared;
            }
        } else if let InstructionData::IntCompare { args, .. } = &mut func.dfg.insts[at] {
            args[1] = limit;
        }
        let zero = FuncCursor::new(func).at_inst(entrance).ins().iconst(I32, 0);
        let dfg = &mut func.dfg;
        let calls = dfg.insts[entrance]
            .branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
        for call in calls {
            if call.block(&dfg.value_lists) != head {
                continue;
            }
            let mut at = 0;
            call.update_args(&mut dfg.value_lists, |arg| {
                at += 1;
                match at == position + 1 {
                    true => BlockArg::Value(zero),
                    false => arg,
                }
            });
        }
    }
}
