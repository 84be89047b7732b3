//! Leaves out counters that only tell a loop when to end.
//!
//! A loop that copies bytes counts three numbers: where it reads, where it writes, and how many are left. The last one is
//! there for the end alone. Where another one goes on by as much, up or down, the loop ends as well when that one is where it
//! will then be, which is computed once. That holds with numbers that wrap, too: both take their steps together.

use super::dead::Uses;
use super::in_dominance_order;
use super::loops::{End, Param, entrance_and_back, params, ways};
use super::range;
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{Function, Inst, InstBuilder, Value};

pub fn compare_others(_: &Env<'_>, context: &mut Context) {
    let mut uses = Uses::default();
    for (head, _) in in_dominance_order(context) {
        if context.func.dfg.block_params(head).len() < 2 {
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
        if !end.is_used(func, &mut uses, counter, 0) {
            continue;
        }
        let Some(other) = other(func, &params, end.counter) else {
            continue;
        };
        let limit = other_limit(func, &mut uses, entrance, (counter, end.limit), other);
        end.compare(func, &mut uses, back.inst, other.next, limit);
        // Nothing is left that uses the counter but itself.
        if let Some(step) = func.dfg.value_def(counter.next).inst()
            && func.layout.inst_block(step).is_some()
        {
            func.layout.remove_inst(step);
        }
        for branch in [entrance, back.inst] {
            for way in ways(&func.dfg, branch, head) {
                let dfg = &mut func.dfg;
                let ways = dfg.insts[branch]
                    .branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
                ways[way].remove(*position, &mut dfg.value_lists);
            }
        }
        func.dfg.remove_block_param(counter.param);
    }
}

/// A counter that goes on by as much as this one, up or down.
fn other<'a>(func: &Function, params: &'a [(usize, Param)], counter: usize) -> Option<&'a Param> {
    let alike = |param: &Param| {
        let step = param.step.map(i64::unsigned_abs);
        (func.dfg.value_type(param.param), step)
    };
    let (_, this) = &params[counter];
    let others = params.iter().enumerate().filter(|(at, _)| *at != counter);
    let mut others = others.map(|(_, (_, param))| param);
    others.find(|other| alike(other) == alike(this))
}

/// What another counter would go on with when this one would with its limit.
fn other_limit(
    func: &mut Function,
    uses: &mut Uses,
    entrance: Inst,
    (counter, limit): (&Param, u64),
    other: &Param,
) -> Value {
    for value in [counter.first, other.first] {
        uses.add(func, value);
    }
    let mut pos = FuncCursor::new(func).at_inst(entrance);
    pos.use_srcloc(entrance);
    let ty = pos.func.dfg.value_type(counter.param);
    let limit = pos.ins().iconst(ty, range::immediate(ty, limit));
    let way = match counter.step == other.step {
        true => pos.ins().isub(limit, counter.first),
        false => pos.ins().isub(counter.first, limit),
    };
    pos.ins().iadd(other.first, way)
}
