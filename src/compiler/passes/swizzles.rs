//! Makes shuffles of swizzles whose lanes are constants, on x86-64.
//!
//! A swizzle gives 0 for a lane beyond the last one, for which x86-64 takes an instruction more: its own looks at the highest
//! bit alone. A shuffle has constants, which the code for it is chosen by. Programs rotate numbers by whole bytes with these.

use super::insts;
use super::range::instruction;
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{Block, InstBuilder, InstructionData, Opcode};

pub fn shuffle(env: &Env<'_>, context: &mut Context) {
    if !env.target.is_x86_64() || context.func.dfg.constants.len() == 0 {
        return;
    }
    let blocks: Vec<Block> = context.func.layout.blocks().collect();
    for block in blocks {
        for inst in insts(context, block) {
            let func = &mut context.func;
            let dfg = &mut func.dfg;
            let InstructionData::Binary {
                opcode: Opcode::Swizzle,
                args: [x, lanes],
            } = dfg.insts[inst]
            else {
                continue;
            };
            let Some(InstructionData::UnaryConst {
                constant_handle, ..
            }) = instruction(dfg, lanes)
            else {
                continue;
            };
            let lanes = dfg.constants.get(constant_handle).clone();
            if lanes.len() == 16 && lanes.iter().all(|&lane| lane < 16) {
                let lanes = dfg.immediates.push(lanes);
                func.replace(inst).shuffle(x, x, lanes);
            }
        }
    }
}
