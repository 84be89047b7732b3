//! Loads 64 bits of what is an address later.
//!
//! An address in wasm has 32 bits, and is extended before it is added to the memory's base. A 32-bit load has cleared the upper
//! half already, but Cranelift makes a move of each extension that it cannot merge with the load, which is where the number
//! is used otherwise, too: a pointer that is followed and compared. So such a load becomes one of 64 bits that clears the
//! upper half by itself, and the other uses take its lower half, which costs nothing.

use super::dead::Uses;
use crate::compiler::Env;
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    Function, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef,
};
use std::collections::HashMap;

pub fn widen_loads(_: &Env<'_>, context: &mut Context) {
    let func = &mut context.func;
    let mut extensions: HashMap<Inst, Vec<Inst>> = HashMap::new();
    let mut loads = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            if let Some(load) = extended_load(func, inst) {
                let found = extensions.entry(load).or_default();
                if found.is_empty() {
                    loads.push(load);
                }
                found.push(inst);
            }
        }
    }
    if loads.is_empty() {
        return;
    }
    let mut uses = Uses::count(func);
    for load in loads {
        let narrow = func.dfg.first_result(load);
        // Alone, the extension is merged with the load.
        if uses.of(func, narrow) > 1 {
            widen(func, load, narrow, &extensions[&load]);
        }
    }
}

/// The 32-bit load whose result an instruction extends without its sign.
fn extended_load(func: &Function, inst: Inst) -> Option<Inst> {
    let dfg = &func.dfg;
    let InstructionData::Unary {
        opcode: Opcode::Uextend,
        arg,
    } = dfg.insts[inst]
    else {
        return None;
    };
    let ValueDef::Result(load, 0) = dfg.value_def(arg) else {
        return None;
    };
    let is_load = dfg.insts[load].opcode() == Opcode::Load && dfg.value_type(arg) == I32;
    (is_load && dfg.value_type(dfg.first_result(inst)) == I64).then_some(load)
}

fn widen(func: &mut Function, load: Inst, narrow: Value, extensions: &[Inst]) {
    let InstructionData::Load {
        arg, flags, offset, ..
    } = func.dfg.insts[load]
    else {
        return;
    };
    let mut pos = FuncCursor::new(func).at_inst(load);
    pos.use_srcloc(load);
    let flags = pos.func.dfg.mem_flags[flags];
    let wide = pos.ins().uload32(flags, arg, offset);
    // What was the load's result is now the lower half.
    pos.func.dfg.detach_inst_results(load);
    pos.func.dfg.insts[load] = InstructionData::Unary {
        opcode: Opcode::Ireduce,
        arg: wide,
    };
    let results = [Some(narrow)].into_iter();
    pos.func.dfg.make_inst_results_reusing(load, I32, results);
    for &extension in extensions {
        let extended = pos.func.dfg.first_result(extension);
        pos.func.dfg.clear_results(extension);
        pos.func.layout.remove_inst(extension);
        pos.func.dfg.change_to_alias(extended, wide);
    }
}
