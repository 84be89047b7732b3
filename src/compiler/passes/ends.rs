//! Leaves out counters that only tell a loop when to end.
//!
//! A loop that copies bytes counts three numbers: where it reads, where it writes, and how many are left. The last one is
//! there for the end alone. Where another one goes on by as much, up or down, the loop ends as well when that one is where it
//! will then be, which is computed once. That holds with numbers that wrap, too: both take their steps together.

use super::dead::Uses;
use super::in_dominance_order;
use super::loops::{Comparison, Param, entrance_and_back, params};
use super::range::{self, instruction};
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, Function, Inst, InstBuilder, InstructionData};

pub fn compare_others(_: &Env<'_>, context: &mut Context) {
    let mut uses = Uses::default();
    for (head, _) in in_dominance_order(context) {
        if context.func.dfg.block_params(head).len() < 2 {
            continue;
        }
        let Some((entrance, back)) = entrance_and_back(context, head) else {
            continue;
        };
        let branches = [entrance, back.inst];
        if let Some(end) = End::of(&context.func, &mut uses, head, branches) {
            end.compare_other(&mut context.func, &mut uses, head, branches);
        }
    }
}

/// The end of a loop: when a counter is a constant.
struct End {
    /// Where among the parameters the counter is.
    position: usize,
    counter: Param,
    /// What it would go on with when the loop ends.
    limit: u64,
    /// How the branch compares it.
    cond: IntCC,
    /// A counter that goes on by as much.
    other: Param,
}

impl End {
    /// The end of a loop whose counter nothing else uses.
    fn of(
        func: &Function,
        uses: &mut Uses,
        head: Block,
        [entrance, back]: [Inst; 2],
    ) -> Option<End> {
        let dfg = &func.dfg;
        let comparison = Comparison::of(dfg, back, head)?;
        let limit = comparison.limit(dfg)?;
        if comparison.cond != IntCC::NotEqual {
            return None;
        }
        let mut params = params(dfg, head, entrance, back)?;
        let compared = |(_, p): &(usize, Param)| [p.param, p.next].contains(&comparison.x);
        let (position, counter) = params.remove(params.iter().position(compared)?);
        let step = counter.step?;
        // Each is used for the other, and one of them is compared, for this branch alone.
        let InstructionData::Brif { arg, .. } = dfg.insts[back] else {
            return None;
        };
        let arg = dfg.resolve_aliases(arg);
        let cond = match instruction(dfg, arg) {
            Some(InstructionData::IntCompare { cond, .. }) if uses.of(func, arg) == 1 => cond,
            _ if arg == comparison.x => IntCC::NotEqual,
            _ => return None,
        };
        let is_param = comparison.x == counter.param;
        if uses.of(func, counter.param) != 1 + u32::from(is_param)
            || uses.of(func, counter.next) != 2 - u32::from(is_param)
        {
            return None;
        }
        let ty = dfg.value_type(counter.param);
        let (_, other) = params.into_iter().find(|(_, other)| {
            let other_step = other.step.map(i64::unsigned_abs);
            dfg.value_type(other.param) == ty && other_step == Some(step.unsigned_abs())
        })?;
        let limit = match is_param {
            true => limit.wrapping_add(step as u64),
            false => limit,
        };
        Some(End {
            cond,
            position,
            counter,
            limit,
            other,
        })
    }

    /// Compares the other counter, and takes this one out.
    fn compare_other(
        &self,
        func: &mut Function,
        uses: &mut Uses,
        head: Block,
        [entrance, back]: [Inst; 2],
    ) {
        let End { counter, other, .. } = self;
        let mut pos = FuncCursor::new(func).at_inst(entrance);
        pos.use_srcloc(entrance);
        let ty = pos.func.dfg.value_type(counter.param);
        let limit = pos.ins().iconst(ty, range::immediate(ty, self.limit));
        let way = match counter.step == other.step {
            true => pos.ins().isub(limit, counter.first),
            false => pos.ins().isub(counter.first, limit),
        };
        let end = pos.ins().iadd(other.first, way);
        let mut pos = FuncCursor::new(func).at_inst(back);
        pos.use_srcloc(back);
        let compared = pos.ins().icmp(self.cond, other.next, end);
        for value in [counter.first, other.first, other.next] {
            uses.add(func, value);
        }
        let InstructionData::Brif { arg, .. } = &mut func.dfg.insts[back] else {
            unreachable!("only such a branch compares");
        };
        let before = std::mem::replace(arg, compared);
        // What is taken out is used by nothing but the counter itself.
        for value in [before, counter.next] {
            if let Some(inst) = func.dfg.value_def(value).inst()
                && func.layout.inst_block(inst).is_some()
            {
                func.layout.remove_inst(inst);
            }
        }
        for branch in [entrance, back] {
            let dfg = &mut func.dfg;
            let calls = dfg.insts[branch]
                .branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
            for call in calls {
                if call.block(&dfg.value_lists) == head {
                    call.remove(self.position, &mut dfg.value_lists);
                }
            }
        }
        func.dfg.remove_block_param(counter.param);
    }
}
