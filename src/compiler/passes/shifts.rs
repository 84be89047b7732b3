//! Leaves out what shifts do not need.
//!
//! A shift takes no more bits of its amount than it has a use for, in wasm, in CLIF and in x86-64 alike. So `x << (y & 63)`,
//! of 64 bits, is `x << y`; Cranelift knows that, but not of a `y` that is extended. And `x >> 3 & ~7`, where a multiple of
//! 8 bytes is made of a number of bits, becomes `(x >> 6) << 3`, whose last shift can go into an address.

use super::insts;
use super::range::{constant, instruction};
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{
    Block, DataFlowGraph, Inst, InstBuilder, InstructionData, Opcode, Value,
};

/// How many instructions an amount is followed through.
const DEPTH: usize = 4;

pub fn simplify(_: &Env<'_>, context: &mut Context) {
    let blocks: Vec<Block> = context.func.layout.blocks().collect();
    for block in blocks {
        for inst in insts(context, block) {
            match context.func.dfg.insts[inst] {
                InstructionData::Binary {
                    opcode: Opcode::Ishl | Opcode::Ushr | Opcode::Sshr | Opcode::Rotl | Opcode::Rotr,
                    args: [x, amount],
                } => {
                    let dfg = &mut context.func.dfg;
                    let needed = needed_amount(dfg, dfg.value_type(x).bits(), amount);
                    if let InstructionData::Binary { args, .. } = &mut dfg.insts[inst] {
                        args[1] = needed;
                    }
                }
                InstructionData::Binary {
                    opcode: Opcode::Band,
                    args: [x, mask],
                } => shift_back(context, inst, x, mask),
                _ => {}
            }
        }
    }
}

/// A value with the same lowest bits as an amount, as many as a shift of so many bits takes.
fn needed_amount(dfg: &DataFlowGraph, bits: u32, mut amount: Value) -> Value {
    if !bits.is_power_of_two() || bits > 64 {
        return amount;
    }
    let taken = u64::from(bits - 1);
    for _ in 0..DEPTH {
        amount = match instruction(dfg, amount) {
            Some(InstructionData::Unary {
                opcode: Opcode::Uextend | Opcode::Sextend,
                arg,
            }) if dfg.value_type(arg) == I32 => arg,
            Some(InstructionData::Binary {
                opcode: Opcode::Band,
                args: [x, mask],
            }) if constant(dfg, mask).is_some_and(|mask| mask & taken == taken) => x,
            _ => break,
        };
    }
    amount
}

/// Makes two shifts of one whose lowest bits are masked, at most three of them.
fn shift_back(context: &mut Context, inst: Inst, x: Value, mask: Value) {
    let func = &mut context.func;
    let Some(InstructionData::Binary {
        opcode: Opcode::Ushr,
        args: [whole, by],
    }) = instruction(&func.dfg, x)
    else {
        return;
    };
    let known = |value| constant(&func.dfg, value);
    let (Some(by), Some(mask)) = (known(by), known(mask)) else {
        return;
    };
    let low = u64::from(mask.trailing_zeros());
    if func.dfg.value_type(whole) != I32
        || !(1..=3).contains(&low)
        || by + low > 31
        || mask != u64::from(u32::MAX) >> by >> low << low
    {
        return;
    }
    let masked = func.dfg.first_result(inst);
    let mut pos = FuncCursor::new(func).at_inst(inst);
    pos.use_srcloc(inst);
    let down = pos.ins().iconst(I32, (by + low) as i64);
    let down = pos.ins().ushr(whole, down);
    let up = pos.ins().iconst(I32, low as i64);
    let up = pos.ins().ishl(down, up);
    func.layout.remove_inst(inst);
    func.dfg.clear_results(inst);
    func.dfg.change_to_alias(masked, up);
}
