//! Takes out of loops what they load again and again of memories that do not change.
//!
//! Every access adds the memory's base, and compares with its length, less how many bytes it wants. A memory that stays has
//! one base for ever; but Cranelift takes nothing out of a loop that is loaded there under a condition. And only calls let a
//! memory grow, those of builtins included, unless other threads use it: so in a loop without calls the length is the same
//! in each turn. Both are loaded once, where the loop is entered, and what is subtracted from a length is subtracted there.
//!
//! Lengths, and what is subtracted from them, take registers for the whole loop. So only from small loops these are hoisted.

use super::bounds::Field;
use super::range::sum;
use super::{in_dominance_order, insts};
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, Function, Inst, InstBuilder, InstructionData, Value, ValueDef};
use cranelift_codegen::loop_analysis::Loop;
use std::collections::HashMap;

/// How many instructions a small loop has at the most.
const LARGEST: usize = 128;

/// How many loops are left at once at the most.
const DEEPEST: usize = 16;

pub fn definitions_of_memories(env: &Env<'_>, context: &mut Context) {
    if env.module.memories.is_empty() {
        return;
    }
    context.compute_loop_analysis();
    let Some(entry) = context.func.layout.entry_block() else {
        return;
    };
    if context.loop_analysis.loops().next().is_none() {
        return;
    }
    let vmctx = context.func.dfg.block_params(entry)[0];
    let sizes = sizes(context);
    // What is loaded before a loop, what is subtracted from it there, and where that is.
    let mut loads: HashMap<(Loop, Value, i32), Value> = HashMap::new();
    let mut sums: HashMap<(Value, i64), Value> = HashMap::new();
    let mut hoisted: HashMap<Value, Inst> = HashMap::new();
    for (block, _) in in_dominance_order(context) {
        let Some(innermost) = context.loop_analysis.innermost_loop(block) else {
            continue;
        };
        for inst in insts(context, block) {
            let func = &context.func;
            let &[value] = func.dfg.inst_results(inst) else {
                continue;
            };
            let before = if let Some(field) = Field::of(env, vmctx, &func.dfg, value) {
                let InstructionData::Load { flags, .. } = func.dfg.insts[inst] else {
                    continue;
                };
                let flags = func.dfg.mem_flags[flags];
                let base = func.dfg.resolve_aliases(field.base);
                let loops = &context.loop_analysis;
                let is_invariant = |found: Loop| {
                    let from = block_of(func, base);
                    from.is_some_and(|from| !loops.is_in_loop(from, found))
                        && (flags.can_move() || sizes[found] <= LARGEST && !field.shared)
                };
                let Some((left, entrance)) = outermost(context, innermost, is_invariant) else {
                    continue;
                };
                let func = &mut context.func;
                *loads.entry((left, base, field.offset)).or_insert_with(|| {
                    let mut pos = FuncCursor::new(func).at_inst(entrance);
                    let value = pos.ins().load(I64, flags, base, field.offset);
                    hoisted.insert(value, entrance);
                    value
                })
            } else if let Some((length, by)) = sum(&func.dfg, value)
                && let length = func.dfg.resolve_aliases(length)
                && let Some(&entrance) = hoisted.get(&length)
            {
                *sums.entry((length, by)).or_insert_with(|| {
                    let mut pos = FuncCursor::new(&mut context.func).at_inst(entrance);
                    let by = pos.ins().iconst(I64, by);
                    pos.ins().iadd(length, by)
                })
            } else {
                continue;
            };
            let func = &mut context.func;
            func.layout.remove_inst(inst);
            func.dfg.clear_results(inst);
            func.dfg.change_to_alias(value, before);
        }
    }
}

/// How many instructions each loop has, counted as far as beyond [`LARGEST`]; a call counts as too many.
fn sizes(context: &Context) -> SecondaryMap<Loop, usize> {
    let mut sizes: SecondaryMap<Loop, usize> = SecondaryMap::new();
    let loops = &context.loop_analysis;
    for block in context.func.layout.blocks() {
        let mut around = loops.innermost_loop(block);
        if around.is_none() {
            continue;
        }
        let is_call = |inst| context.func.dfg.insts[inst].opcode().is_call();
        let insts = context.func.layout.block_insts(block);
        let cost: usize = insts
            .map(|inst| 1 + usize::from(is_call(inst)) * LARGEST)
            .sum();
        // A loop around one that is too large is so, too, and need not be counted.
        while let Some(found) = around
            && sizes[found] <= LARGEST
        {
            sizes[found] += cost;
            around = loops.loop_parent(found);
        }
    }
    sizes
}

/// The outermost loop around and with the innermost one that has an entrance, and this property, as all between them have.
fn outermost(
    context: &Context,
    innermost: Loop,
    is: impl Fn(Loop) -> bool,
) -> Option<(Loop, Inst)> {
    let parent = |&found: &Loop| context.loop_analysis.loop_parent(found);
    let around = std::iter::successors(Some(innermost), parent).take(DEEPEST);
    let found = around.take_while(|&found| is(found));
    found
        .filter_map(|found| Some((found, entrance(context, found)?)))
        .last()
}

/// The branch by which a loop is entered, if it is the only one, and no call that lets a memory grow at the same time.
fn entrance(context: &Context, entered: Loop) -> Option<Inst> {
    let loops = &context.loop_analysis;
    let predecessors = context.cfg.pred_iter(loops.loop_header(entered));
    let mut outside = predecessors.filter(|from| !loops.is_in_loop(from.block, entered));
    let only = outside.next().filter(|_| outside.next().is_none())?;
    let is_call = context.func.dfg.insts[only.inst].opcode().is_call();
    (!is_call).then_some(only.inst)
}

/// The block that a value is from.
fn block_of(func: &Function, value: Value) -> Option<Block> {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst, _) => func.layout.inst_block(inst),
        ValueDef::Param(block, _) => Some(block),
        ValueDef::Union(..) => None,
    }
}
