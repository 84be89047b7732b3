//! Loads bytes into 64 bits that are extended to as many.
//!
//! On x86-64 an instruction that loads a byte or two clears the rest of the register. Cranelift does not know that of what it
//! extends, and moves it once more. So it loads 64 bits, and what wants 32 takes their lower half, which costs nothing.

use super::{in_dominance_order, insts};
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Function, InstBuilder, InstructionData, Opcode, Value};

pub fn widen(env: &Env<'_>, context: &mut Context) {
    if !env.target.is_x86_64() {
        return;
    }
    for (block, _) in in_dominance_order(context) {
        for inst in insts(context, block) {
            let func = &mut context.func;
            if let InstructionData::Unary {
                opcode: Opcode::Uextend,
                arg,
            } = func.dfg.insts[inst]
                && func.dfg.ctrl_typevar(inst) == I64
                && let Some(wide) = widened(func, func.dfg.resolve_aliases(arg))
            {
                let extended = func.dfg.first_result(inst);
                func.layout.remove_inst(inst);
                func.dfg.clear_results(inst);
                func.dfg.change_to_alias(extended, wide);
            }
        }
    }
}

/// A loaded number of 32 bits as 64 bits, if its upper half is known to be 0.
fn widened(func: &mut Function, narrow: Value) -> Option<Value> {
    let load = func.dfg.value_def(narrow).inst()?;
    let wide = match func.dfg.insts[load] {
        InstructionData::Load {
            opcode: opcode @ (Opcode::Uload8 | Opcode::Uload16),
            flags,
            arg,
            offset,
        } if func.dfg.value_type(narrow) == I32 => {
            let mut pos = FuncCursor::new(func).at_inst(load);
            pos.use_srcloc(load);
            let (inst, dfg) = pos.ins().Load(opcode, I64, flags, offset, arg);
            dfg.first_result(inst)
        }
        // It was widened before.
        InstructionData::Unary {
            opcode: Opcode::Ireduce,
            arg,
        } => {
            let arg = func.dfg.resolve_aliases(arg);
            let def = func.dfg.value_def(arg).inst()?;
            let opcode = func.dfg.insts[def].opcode();
            return matches!(opcode, Opcode::Uload8 | Opcode::Uload16)
                .then_some(arg)
                .filter(|&arg| func.dfg.value_type(arg) == I64);
        }
        _ => return None,
    };
    let lower = FuncCursor::new(func).at_inst(load).ins().ireduce(I32, wide);
    func.layout.remove_inst(load);
    func.dfg.clear_results(load);
    func.dfg.change_to_alias(narrow, lower);
    Some(wide)
}
