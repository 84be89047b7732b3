//! Lets loops compare what they go on with.
//!
//! A counted loop adds to its counter, compares the sum, and goes on with it. Cranelift's optimizer rewrites `i + 4 != 128` to
//! `i != 124`, which is as good by itself. But then the counter and the sum both live at the end of the loop, in two
//! registers, and each turn moves one to the other and jumps. This turns the comparison back: the counter dies where the
//! sum is made, both have one register, and the loop ends in a single branch.

use super::dead::Uses;
use super::range::{constant, immediate, instruction};
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    BlockArg, Function, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef,
};

pub fn compare_sums(_: &Env<'_>, context: &mut Context) {
    let func = &mut context.func;
    let branches: Vec<Inst> = func
        .layout
        .blocks()
        .filter_map(|block| func.layout.last_inst(block))
        .collect();
    let mut uses = Uses::default();
    for branch in branches {
        let Some(step) = Step::of(func, branch) else {
            continue;
        };
        step.compare_sum(func, &mut uses, branch);
    }
}

/// A loop's branch on its counter.
struct Step {
    condition: Value,
    equal: IntCC,
    /// What the counter is compared with.
    limit: Value,
    /// The counter in the next turn, and how much more that is.
    sum: Value,
    by: Value,
}

impl Step {
    /// The step of a branch on whether a parameter of the block that it goes to is a constant.
    fn of(func: &Function, branch: Inst) -> Option<Step> {
        let dfg = &func.dfg;
        let InstructionData::Brif { arg, blocks, .. } = dfg.insts[branch] else {
            return None;
        };
        let InstructionData::IntCompare {
            cond: equal @ (IntCC::Equal | IntCC::NotEqual),
            args: [counter, limit],
            ..
        } = instruction(dfg, arg)?
        else {
            return None;
        };
        constant(dfg, limit)?;
        let ValueDef::Param(head, position) = dfg.value_def(counter) else {
            return None;
        };
        let back = blocks
            .iter()
            .find(|call| call.block(&dfg.value_lists) == head)?;
        let Some(BlockArg::Value(sum)) = back.args(&dfg.value_lists).nth(position) else {
            return None;
        };
        let sum = dfg.resolve_aliases(sum);
        let InstructionData::Binary {
            opcode: Opcode::Iadd,
            args: [x, by],
        } = instruction(dfg, sum)?
        else {
            return None;
        };
        constant(dfg, by)?;
        (x == counter).then_some(Step {
            condition: arg,
            equal,
            limit,
            sum,
            by,
        })
    }

    /// Compares the sum in place of the counter.
    fn compare_sum(&self, func: &mut Function, uses: &mut Uses, branch: Inst) {
        let ty = func.dfg.value_type(self.sum);
        let ValueDef::Result(sum, _) = func.dfg.value_def(self.sum) else {
            return;
        };
        let known = |value| constant(&func.dfg, value).expect("the step has checked it");
        let limit = known(self.limit).wrapping_add(known(self.by));
        // The counter is used above the branch alone, if the sum is made last.
        if uses.of(func, self.sum) == 1 {
            func.layout.remove_inst(sum);
            func.layout.insert_inst(sum, branch);
        }
        let mut pos = FuncCursor::new(func).at_inst(branch);
        pos.use_srcloc(branch);
        let limit = pos.ins().iconst(ty, immediate(ty, limit));
        let compared = pos.ins().icmp(self.equal, self.sum, limit);
        let before = pos.func.dfg.value_def(self.condition);
        if let InstructionData::Brif { arg, .. } = &mut pos.func.dfg.insts[branch] {
            *arg = compared;
        }
        if let ValueDef::Result(before, _) = before
            && uses.of(func, self.condition) == 1
        {
            uses.remove(func, before);
        }
    }
}
