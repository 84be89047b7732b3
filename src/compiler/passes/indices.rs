//! Keeps in 64 bits what loops count in 32 and use as an address.
//!
//! An address in wasm has 32 bits, and is extended before it is added to the memory's base. On x86-64 that costs nothing
//! where the number is made: instructions with 32 bits clear the upper half. But what a loop goes on with is a parameter of
//! its first block, and Cranelift does not know what was done to it: each turn moves it for the sake of its upper half. So
//! such a parameter becomes one of 64 bits, which is extended where the loop goes on with it; its other uses take its lower
//! half, which costs nothing either.

use super::loops::{pass, ways};
use super::range::{constant, instruction};
use super::{in_dominance_order, insts};
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    Block, BlockArg, DataFlowGraph, Function, Inst, InstBuilder, InstructionData, Opcode, Value,
    ValueDef,
};
use std::collections::HashMap;

pub fn widen(env: &Env<'_>, context: &mut Context) {
    if !env.target.is_x86_64() {
        return;
    }
    // The extensions of each parameter that is worth it, in the order of the first ones.
    let mut extensions: HashMap<Value, Vec<Inst>> = HashMap::new();
    let mut params = Vec::new();
    for (block, _) in in_dominance_order(context) {
        for inst in insts(context, block) {
            if let Some((param, head)) = extended_param(&context.func.dfg, inst) {
                let found = extensions.entry(param).or_default();
                if found.is_empty() {
                    params.push((param, head));
                }
                found.push(inst);
            }
        }
    }
    for (param, head) in params {
        if let Some(edges) = edges(context, param, head) {
            replace(&mut context.func, param, head, &edges, &extensions[&param]);
        }
    }
}

/// The parameter of 32 bits, and its block, that an instruction extends without its sign.
fn extended_param(dfg: &DataFlowGraph, inst: Inst) -> Option<(Value, Block)> {
    let InstructionData::Unary {
        opcode: Opcode::Uextend,
        arg,
    } = dfg.insts[inst]
    else {
        return None;
    };
    let param = dfg.resolve_aliases(arg);
    let ValueDef::Param(head, _) = dfg.value_def(param) else {
        return None;
    };
    let is_widened = dfg.value_type(param) == I32 && dfg.value_type(dfg.first_result(inst)) == I64;
    is_widened.then_some((param, head))
}

/// The branches to a loop's first block, if the loop is one, and extending what it goes on with costs nothing.
fn edges(context: &Context, param: Value, head: Block) -> Option<Vec<Inst>> {
    let dfg = &context.func.dfg;
    let ValueDef::Param(_, position) = dfg.value_def(param) else {
        return None;
    };
    let mut edges = Vec::new();
    let mut turns = false;
    for from in context.cfg.pred_iter(head) {
        let goes_on = context.domtree.block_dominates(head, from.block);
        turns |= goes_on;
        for call in dfg.insts[from.inst].branch_destination(&dfg.jump_tables, &dfg.exception_tables)
        {
            if call.block(&dfg.value_lists) != head {
                continue;
            }
            let Some(BlockArg::Value(value)) = call.args(&dfg.value_lists).nth(position) else {
                return None;
            };
            let value = dfg.resolve_aliases(value);
            if goes_on && value != param && !clears_upper_half(dfg, value) {
                return None;
            }
        }
        edges.push(from.inst);
    }
    turns.then_some(edges)
}

/// Whether Cranelift knows that the instruction that gives this number of 32 bits clears the upper half of the register.
fn clears_upper_half(dfg: &DataFlowGraph, value: Value) -> bool {
    instruction(dfg, value).is_some_and(|data| {
        matches!(
            data.opcode(),
            Opcode::Iconst
                | Opcode::Iadd
                | Opcode::Isub
                | Opcode::Imul
                | Opcode::Band
                | Opcode::Bor
                | Opcode::Bxor
                | Opcode::Ishl
                | Opcode::Ushr
        )
    })
}

/// Makes a parameter one of 64 bits.
fn replace(func: &mut Function, param: Value, head: Block, edges: &[Inst], extensions: &[Inst]) {
    let ValueDef::Param(_, position) = func.dfg.value_def(param) else {
        return;
    };
    let wide = func.dfg.replace_block_param(param, I64);
    for &extension in extensions {
        let extended = func.dfg.first_result(extension);
        func.layout.remove_inst(extension);
        func.dfg.clear_results(extension);
        func.dfg.change_to_alias(extended, wide);
    }
    for &branch in edges {
        extend_argument(func, branch, head, position, (param, wide));
    }
    let mut pos = FuncCursor::new(func).at_first_insertion_point(head);
    let narrow = pos.ins().ireduce(I32, wide);
    func.dfg.change_to_alias(param, narrow);
}

/// Passes 64 bits where a branch passes 32; what it had of the parameter is the new one.
fn extend_argument(
    func: &mut Function,
    branch: Inst,
    head: Block,
    position: usize,
    (param, wide): (Value, Value),
) {
    for way in ways(&func.dfg, branch, head) {
        let dfg = &func.dfg;
        let calls = dfg.insts[branch].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
        let passed = calls[way].args(&dfg.value_lists).nth(position);
        let Some(BlockArg::Value(passed)) = passed else {
            continue;
        };
        let passed = func.dfg.resolve_aliases(passed);
        let extended = match passed == param {
            true => wide,
            false => {
                let mut pos = FuncCursor::new(func).at_inst(branch);
                pos.use_srcloc(branch);
                match constant(&pos.func.dfg, passed) {
                    Some(number) => pos.ins().iconst(I64, number as i64),
                    None => pos.ins().uextend(I64, passed),
                }
            }
        };
        pass(&mut func.dfg, branch, way, position, extended);
    }
}
