//! Lets counters begin at zero that end there, or pass it.
//!
//! LLVM lets many a counted loop run from a negative number to zero, where the end needs no number to compare with, and adds
//! to the counter where the array lies. That sum wraps in every turn: so as `addresses` sees it, it cannot go into an address.
//! If such a counter begins at zero instead, and each of its sums adds so much less, none wraps.

use super::dead::Uses;
use super::in_dominance_order;
use super::loops::{End, Param, entrance_and_back, params, pass, ways};
use super::range::{constant, sum};
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Function, Inst, InstBuilder, InstructionData, Opcode, Value};
use std::collections::HashMap;

pub fn begin_at_zero(env: &Env<'_>, context: &mut Context) {
    if !env.target.is_x86_64() || env.module.memories.is_empty() {
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
        let Some(end) = End::of(func, &mut uses, &params, head, back.inst) else {
            continue;
        };
        let (position, counter) = &params[end.counter];
        let Some(first) = negative_first(func, counter, end.limit as u32) else {
            continue;
        };
        // Nothing but sums may use it besides.
        let sums = sums.get_or_insert_with(|| sums_by_root(func));
        let sums = sums.get(&counter.param).map_or(&[][..], |sums| sums);
        let step = func.dfg.value_def(counter.next).inst();
        let sums: Vec<Inst> = sums.iter().copied().filter(|&s| Some(s) != step).collect();
        if !end.is_used(func, &mut uses, counter, sums.len() as u32) {
            continue;
        }
        for inst in sums {
            add_first(func, inst, counter.param, first);
        }
        let limit = (end.limit as u32).wrapping_sub(first);
        let mut pos = FuncCursor::new(func).at_inst(back.inst);
        let limit = pos.ins().iconst(I32, i64::from(limit));
        end.compare(func, &mut uses, back.inst, counter.next, limit);
        let zero = FuncCursor::new(func).at_inst(entrance).ins().iconst(I32, 0);
        for way in ways(&func.dfg, entrance, head) {
            pass(&mut func.dfg, entrance, way, *position, zero);
        }
    }
}

/// What a counter of 32 bits begins with, if that is negative, and it counts up until it wraps, or further.
fn negative_first(func: &Function, counter: &Param, end: u32) -> Option<u32> {
    let step = u32::try_from(counter.step?).ok()?;
    let first = constant(&func.dfg, counter.first)? as u32;
    let distance = end.wrapping_sub(first);
    let wraps = first.checked_add(distance).is_none() && distance.is_multiple_of(step);
    let is_narrow = func.dfg.value_type(counter.param) == I32;
    (is_narrow && (first as i32) < 0 && wraps).then_some(first)
}

/// Lets a sum of a counter and a constant add more.
fn add_first(func: &mut Function, inst: Inst, counter: Value, first: u32) {
    let (_, by) = sum(&func.dfg, func.dfg.first_result(inst)).expect("it is a sum");
    let by = (by as u32).wrapping_add(first);
    let by = FuncCursor::new(func)
        .at_inst(inst)
        .ins()
        .iconst(I32, i64::from(by));
    if let InstructionData::Binary { args, .. } = &mut func.dfg.insts[inst] {
        *args = [counter, by];
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
