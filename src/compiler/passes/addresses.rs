//! Gives the processor more of an address to add up.
//!
//! An address in wasm is a number of 32 bits, which is extended, and to which the memory's base is added. An instruction of
//! x86-64 adds up a base, an index times 1, 2, 4 or 8, and a constant; but it adds 64 bits, so that it can take what a sum or a
//! product of 32 bits is made of only where that does not wrap. Where this is known, `extend(x + 16)` becomes
//! `extend(x) + 16`, whose 16 goes into the instruction, and `extend(x << 2)` becomes `extend(x) << 2`.
//!
//! That is done to a sum or product that has no other use. Otherwise it is made anyway, and what it is made of would only
//! take one more register.

use super::dead::Uses;
use super::facts::Facts;
use super::range::{constant, instruction, sum};
use super::scoped::Scoped;
use crate::compiler::Env;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    DataFlowGraph, Function, Inst, InstBuilder, InstructionData, Opcode, Value,
};

/// The numbers of 32 bits that are extended in a block, with what extends them.
pub struct Addresses(Scoped<Option<Value>>);

impl Addresses {
    /// None if the processor adds up nothing more.
    pub fn new(env: &Env<'_>) -> Option<Addresses> {
        env.target.is_x86_64().then(|| Addresses(Scoped::of(None)))
    }

    /// Enters a block that so many blocks dominate.
    pub fn enter(&mut self, depth: usize) {
        self.0.enter(depth);
    }

    /// Takes the address of an access apart, if an instruction is one.
    pub fn visit(&mut self, func: &mut Function, facts: &Facts, uses: &mut Uses, inst: Inst) {
        if let Some(narrow) = extends(&func.dfg, func.dfg.insts[inst]) {
            if self.0.get(narrow).is_none() {
                self.0.insert(narrow, Some(func.dfg.first_result(inst)));
            }
            return;
        }
        let Some((address, offset)) = accessed(&func.dfg, inst) else {
            return;
        };
        let Some(InstructionData::Binary {
            opcode: Opcode::Iadd,
            args: [x, y],
        }) = instruction(&func.dfg, address)
        else {
            return;
        };
        for (base, index) in [(x, y), (y, x)] {
            if let Some(parts) = Parts::of(func, facts, uses, index, offset) {
                return self.rebuild(func, uses, inst, base, &parts);
            }
        }
    }

    /// Gives an access an address that is made of parts.
    fn rebuild(
        &mut self,
        func: &mut Function,
        uses: &mut Uses,
        inst: Inst,
        base: Value,
        parts: &Parts,
    ) {
        let mut pos = FuncCursor::new(func).at_inst(inst);
        pos.use_srcloc(inst);
        // What extended it may have been taken out with the check that alone needed it.
        let is_there = |value: &Value| {
            let inst = pos.func.dfg.value_def(*value).inst();
            inst.is_some_and(|inst| pos.func.layout.inst_block(inst).is_some())
        };
        let index = match self.0.get(parts.index).filter(is_there) {
            Some(index) => index,
            None => {
                let index = pos.ins().uextend(I64, parts.index);
                uses.add(pos.func, parts.index);
                self.0.insert(parts.index, Some(index));
                index
            }
        };
        let scaled = match parts.shift {
            0 => index,
            by => {
                uses.add(pos.func, index);
                let by = pos.ins().iconst(I32, by as i64);
                pos.ins().ishl(index, by)
            }
        };
        let new = pos.ins().iadd(base, scaled);
        for value in [base, scaled, new] {
            uses.add(func, value);
        }
        let (address, offset) = match &mut func.dfg.insts[inst] {
            InstructionData::Load { arg, offset, .. } => (arg, offset),
            InstructionData::Store { args, offset, .. } => (&mut args[1], offset),
            _ => unreachable!("nothing else is an access"),
        };
        *offset = parts.offset.into();
        let before = std::mem::replace(address, new);
        uses.release(func, before);
    }
}

/// What an instruction extends, if it makes 64 bits of 32 without their sign.
fn extends(dfg: &DataFlowGraph, data: InstructionData) -> Option<Value> {
    match data {
        InstructionData::Unary {
            opcode: Opcode::Uextend,
            arg,
        } if dfg.value_type(arg) == I32 => Some(dfg.resolve_aliases(arg)),
        _ => None,
    }
}

/// The address of an access, and what is added to it.
fn accessed(dfg: &DataFlowGraph, inst: Inst) -> Option<(Value, i32)> {
    match dfg.insts[inst] {
        InstructionData::Load { arg, offset, .. } => Some((arg, offset.into())),
        InstructionData::Store { args, offset, .. } => Some((args[1], offset.into())),
        _ => None,
    }
}

/// The parts of an address besides its base: `extend(index) << shift`, and what is added to that.
struct Parts {
    index: Value,
    shift: u64,
    offset: i32,
}

impl Parts {
    /// The parts of an extended number that nothing else uses, if it has more than one.
    fn of(
        func: &Function,
        facts: &Facts,
        uses: &mut Uses,
        extended: Value,
        offset: i32,
    ) -> Option<Parts> {
        let dfg = &func.dfg;
        let all = u64::from(u32::MAX);
        let whole = extends(dfg, instruction(dfg, extended)?)?;
        if !is_made(dfg, whole) || uses.of(func, extended) != 1 {
            return None;
        }
        let mut parts = Parts {
            index: whole,
            shift: 0,
            offset,
        };
        // Of a sum of several constants only the whole must not wrap.
        let (mut root, mut added) = (whole, 0);
        while uses.of(func, root) == 1
            && let Some((inner, by)) = sum(dfg, root)
        {
            root = dfg.resolve_aliases(inner);
            added += by;
            if added >= 0
                && facts.max(dfg, root).saturating_add(added as u64) <= all
                && let Ok(offset) = i32::try_from(i64::from(offset) + added)
            {
                (parts.index, parts.offset) = (root, offset);
            }
        }
        if uses.of(func, parts.index) == 1
            && let Some(InstructionData::Binary {
                opcode: Opcode::Ishl,
                args: [x, by],
            }) = instruction(dfg, parts.index)
            && let Some(by @ 1..=3) = constant(dfg, by)
            && facts.max(dfg, x) <= all >> by
        {
            (parts.index, parts.shift) = (dfg.resolve_aliases(x), by);
        }
        (parts.index != whole).then_some(parts)
    }
}

/// Whether a number is a sum or a product that may be taken apart.
fn is_made(dfg: &DataFlowGraph, value: Value) -> bool {
    let data = instruction(dfg, value);
    data.is_some_and(|data| matches!(data.opcode(), Opcode::Iadd | Opcode::Ishl))
}
