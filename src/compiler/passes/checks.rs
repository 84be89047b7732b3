//! Chooses how a memory access is compared.
//!
//! `address + n <= length` is compared as `address <= length - n`, since accesses that want as many bytes share the difference,
//! and it can be made before a loop. Where a difference is of one comparison alone, it takes a copy of the length and a
//! subtraction; the sum takes one instruction and no register for longer.

use super::bounds::Field;
use super::dead::Uses;
use super::range::{self, instruction, nothing_known, sum};
use crate::compiler::Env;
use crate::compiler::trap::trap_of;
use crate::image::trap::Trap;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Function, Inst, InstBuilder, InstructionData, Value};

pub fn compare_ends(env: &Env<'_>, context: &mut Context) {
    if env.module.memories.is_empty() {
        return;
    }
    let func = &mut context.func;
    let Some(entry) = func.layout.entry_block() else {
        return;
    };
    let vmctx = func.dfg.block_params(entry)[0];
    let checks: Vec<Inst> = func
        .layout
        .blocks()
        .flat_map(|block| func.layout.block_insts(block))
        .filter(|&inst| {
            let code = func.dfg.insts[inst].trap_code();
            code.and_then(trap_of) == Some(Trap::OutOfBoundsMemory)
        })
        .collect();
    let mut uses = Uses::default();
    for check in checks {
        compare_end(env, vmctx, func, &mut uses, check);
    }
}

fn compare_end(
    env: &Env<'_>,
    vmctx: Value,
    func: &mut Function,
    uses: &mut Uses,
    check: Inst,
) -> Option<()> {
    let InstructionData::CondTrap { arg, .. } = func.dfg.insts[check] else {
        return None;
    };
    let Some(InstructionData::IntCompare {
        cond: IntCC::UnsignedGreaterThan,
        args: [address, last],
        ..
    }) = instruction(&func.dfg, arg)
    else {
        return None;
    };
    let (length, minus) = sum(&func.dfg, last)?;
    Field::length(env, vmctx, &func.dfg, length)?;
    let most = range::max(&func.dfg, &nothing_known(), address);
    if minus >= 0
        || uses.of(func, last) != 1
        || uses.of(func, arg) != 1
        || most > u64::from(u32::MAX)
    {
        return None;
    }
    // Nothing uses the difference any more, so that no machine code is made of it.
    let mut pos = FuncCursor::new(func).at_inst(check);
    pos.use_srcloc(check);
    let wanted = pos.ins().iconst(I64, -minus);
    let end = pos.ins().iadd(address, wanted);
    let over = pos.ins().icmp(IntCC::UnsignedGreaterThan, end, length);
    if let InstructionData::CondTrap { arg, .. } = &mut func.dfg.insts[check] {
        *arg = over;
    }
    Some(())
}
