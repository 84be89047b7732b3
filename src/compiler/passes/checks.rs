//! Chooses how a memory access is compared.
//!
//! `address + n <= length` is compared as `address <= length - n`, since accesses that want as many bytes share the difference,
//! and it can be made before a loop, as `hoist.rs` does, which also finds the loops. But it takes a copy of the length and a
//! subtraction, and a register for longer; a sum takes one instruction. So one comparison is of a sum, and so are two, unless
//! the difference is made before their loop. A single byte is there if its address is below the length.

use super::bounds::Field;
use super::range::{self, instruction, nothing_known, sum};
use crate::compiler::Env;
use crate::compiler::trap::trap_of;
use crate::image::trap::Trap;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Function, Inst, InstBuilder, InstructionData, Value};
use cranelift_codegen::loop_analysis::LoopAnalysis;
use std::collections::HashMap;

pub fn compare_ends(env: &Env<'_>, context: &mut Context) {
    if env.module.memories.is_empty() {
        return;
    }
    let func = &mut context.func;
    let Some(entry) = func.layout.entry_block() else {
        return;
    };
    let vmctx = func.dfg.block_params(entry)[0];
    let checks = func
        .layout
        .blocks()
        .flat_map(|block| func.layout.block_insts(block));
    let checks: Vec<Check> = checks
        .filter_map(|inst| Check::of(env, vmctx, func, inst))
        .collect();
    // How often each difference is compared with, and whether that is in the loop that it is made in.
    let mut comparisons: HashMap<Value, (usize, bool)> = HashMap::new();
    for check in &checks {
        let (count, is_near) = comparisons.entry(check.last).or_insert((0, true));
        *count += 1;
        *is_near &= check.is_near(func, &context.loop_analysis);
    }
    for check in checks {
        let (count, is_near) = comparisons[&check.last];
        if check.wanted == 1 {
            check.compare_length(func);
        } else if (count == 1 || count == 2 && is_near) && check.is_narrow(func) {
            check.compare_end(func);
        }
    }
}

/// A check that compares with a difference.
struct Check {
    inst: Inst,
    address: Value,
    /// The last address that is in bounds: the length, less what is wanted.
    last: Value,
    length: Value,
    wanted: i64,
}

impl Check {
    fn of(env: &Env<'_>, vmctx: Value, func: &Function, inst: Inst) -> Option<Check> {
        let InstructionData::CondTrap { arg, code, .. } = func.dfg.insts[inst] else {
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
        let last = func.dfg.resolve_aliases(last);
        let (length, minus) = sum(&func.dfg, last)?;
        let is_difference = trap_of(code) == Some(Trap::OutOfBoundsMemory)
            && minus < 0
            && Field::length(env, vmctx, &func.dfg, length).is_some();
        is_difference.then_some(Check {
            inst,
            address,
            last,
            length,
            wanted: -minus,
        })
    }

    /// Whether the difference is made in the loop that the check is in.
    fn is_near(&self, func: &Function, loops: &LoopAnalysis) -> bool {
        let loop_of = |inst| loops.innermost_loop(func.layout.inst_block(inst)?);
        let made = func.dfg.value_def(self.last).inst();
        made.and_then(loop_of) == loop_of(self.inst)
    }

    /// Whether its sum cannot wrap.
    fn is_narrow(&self, func: &Function) -> bool {
        range::max(&func.dfg, &nothing_known(), self.address) <= u64::from(u32::MAX)
    }

    /// Compares the address with the length itself.
    fn compare_length(&self, func: &mut Function) {
        self.compare(func, |pos| {
            let past = IntCC::UnsignedGreaterThanOrEqual;
            pos.ins().icmp(past, self.address, self.length)
        });
    }

    /// Compares the sum.
    fn compare_end(&self, func: &mut Function) {
        self.compare(func, |pos| {
            let wanted = pos.ins().iconst(I64, self.wanted);
            let end = pos.ins().iadd(self.address, wanted);
            pos.ins().icmp(IntCC::UnsignedGreaterThan, end, self.length)
        });
    }

    /// Makes another comparison. What nothing uses any more then becomes no machine code.
    fn compare(&self, func: &mut Function, make: impl FnOnce(&mut FuncCursor<'_>) -> Value) {
        let mut pos = FuncCursor::new(func).at_inst(self.inst);
        pos.use_srcloc(self.inst);
        let over = make(&mut pos);
        if let InstructionData::CondTrap { arg, .. } = &mut func.dfg.insts[self.inst] {
            *arg = over;
        }
    }
}
