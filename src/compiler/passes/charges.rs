//! Puts what takes fuel in the place of markers (`fuel.rs`).
//!
//! The cost is subtracted, and a conditional trap tells that there was less. What it calls pays the cost once there is
//! enough, or ends wasm: so it is a hint, and code goes on behind it. As with looks whether wasm is to stop, this comes
//! after Cranelift's optimizer and the other passes.

use super::range::{constant, instruction};
use crate::compiler::Env;
use crate::compiler::trap::trap_code;
use crate::compiler::vm::{Region, constant as never_changes, flags};
use crate::image::trap::Trap;
use crate::image::vmctx::{VmHeader, VmStore};
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{DataFlowGraph, Inst, InstBuilder, InstructionData, Opcode};
use std::mem::offset_of;

/// Puts charges in the place of a function's markers.
pub fn insert(env: &Env<'_>, context: &mut Context) {
    let func = &mut context.func;
    let blocks = func.layout.blocks();
    let insts = blocks.flat_map(|block| func.layout.block_insts(block));
    let markers = insts.filter_map(|inst| Some((inst, marked(&func.dfg, inst)?)));
    let markers: Vec<_> = markers.collect();
    if markers.is_empty() {
        return;
    }
    let store = match env.target.has_fuel_register() {
        true => None,
        false => {
            let entry = func.layout.entry_block().expect("a function has code");
            let vmctx = func.dfg.block_params(entry)[0];
            let mut pos = FuncCursor::new(func).at_first_insertion_point(entry);
            let offset = offset_of!(VmHeader, store) as i32;
            Some(pos.ins().load(I64, never_changes(), vmctx, offset))
        }
    };
    let flags = flags(func, Region::Store);
    let offset = offset_of!(VmStore, fuel) as i32;
    for (marker, cost) in markers {
        let mut pos = FuncCursor::new(func).at_inst(marker);
        pos.use_srcloc(marker);
        let fuel = match store {
            None => pos.ins().get_pinned_reg(I64),
            Some(store) => pos.ins().load(I64, flags, store, offset),
        };
        let cost = pos.ins().iconst(I64, cost as i64);
        let left = pos.ins().isub(fuel, cost);
        match store {
            None => pos.ins().set_pinned_reg(left),
            Some(store) => pos.ins().store(flags, left, store, offset),
        };
        let zero = pos.ins().iconst(I64, 0);
        let too_little = pos.ins().icmp(IntCC::SignedLessThan, left, zero);
        pos.ins().trapnz(too_little, trap_code(Trap::OutOfFuel));
        pos.remove_inst();
    }
}

/// What a marker says; none for any other instruction.
fn marked(dfg: &DataFlowGraph, inst: Inst) -> Option<u64> {
    match dfg.insts[inst] {
        InstructionData::Unary {
            opcode: Opcode::SetPinnedReg,
            arg,
        } => constant(dfg, arg),
        _ => None,
    }
}

/// What the conditional trap of a charge charges.
pub fn charged(dfg: &DataFlowGraph, trap: Inst) -> Option<u64> {
    let InstructionData::CondTrap { arg, .. } = dfg.insts[trap] else {
        return None;
    };
    let InstructionData::IntCompare {
        args: [left, _], ..
    } = instruction(dfg, arg)?
    else {
        return None;
    };
    match instruction(dfg, left)? {
        InstructionData::Binary { args, .. } => constant(dfg, args[1]),
        _ => None,
    }
}
