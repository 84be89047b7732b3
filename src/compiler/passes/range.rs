//! How large an unsigned number can be, as far as the instructions that make it tell.

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::{DataFlowGraph, InstructionData, Opcode, Type, Value, ValueDef, types};

/// How many instructions deep is looked, since an instruction can have two operands, and each of these two.
const DEPTH: u32 = 5;

/// The largest value of a type of at most 64 bits.
pub fn all(ty: Type) -> u64 {
    u64::MAX >> (64 - ty.bits().clamp(1, 64))
}

/// A number as an immediate of a type of at most 64 bits is written.
pub fn immediate(ty: Type, number: u64) -> i64 {
    (number & all(ty)) as i64
}

/// The value of a constant, without its sign.
pub fn constant(dfg: &DataFlowGraph, value: Value) -> Option<u64> {
    match instruction(dfg, value)? {
        InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm,
        } => Some(imm.bits() as u64 & all(dfg.value_type(value))),
        _ => None,
    }
}

/// The instruction that gives a value.
pub fn instruction(dfg: &DataFlowGraph, value: Value) -> Option<InstructionData> {
    match dfg.value_def(value) {
        ValueDef::Result(inst, 0) => Some(dfg.insts[inst]),
        _ => None,
    }
}

/// A sum of a value and a constant.
pub fn sum(dfg: &DataFlowGraph, value: Value) -> Option<(Value, i64)> {
    let InstructionData::Binary {
        opcode,
        args: [x, y],
    } = instruction(dfg, value)?
    else {
        return None;
    };
    let signed = |value| {
        let constant = constant(dfg, value)?;
        let constant = match dfg.value_type(value) {
            types::I32 => i64::from(constant as u32 as i32),
            _ => constant as i64,
        };
        // So small that sums of two do not overflow.
        (constant.unsigned_abs() < 1 << 40).then_some(constant)
    };
    match opcode {
        Opcode::Iadd => match signed(y) {
            Some(constant) => Some((x, constant)),
            None => Some((y, signed(x)?)),
        },
        Opcode::Isub => Some((x, -signed(y)?)),
        _ => None,
    }
}

/// A number that an integer of at most 64 bits is never above; the largest of all for anything else. `known` has what was found
/// otherwise, see [`nothing_known`].
pub fn max(dfg: &DataFlowGraph, known: &SecondaryMap<Value, u64>, value: Value) -> u64 {
    max_within(dfg, known, value, DEPTH)
}

/// For [`max`], if nothing is known but the instructions.
pub fn nothing_known() -> SecondaryMap<Value, u64> {
    SecondaryMap::with_default(u64::MAX)
}

fn max_within(
    dfg: &DataFlowGraph,
    known: &SecondaryMap<Value, u64>,
    value: Value,
    depth: u32,
) -> u64 {
    let ty = dfg.value_type(value);
    if !ty.is_int() || ty.bits() > 64 {
        // Nothing is said of what does not fit, such as the 128 bits of wide arithmetic.
        return u64::MAX;
    }
    let all = all(ty);
    let most = known[value].min(all);
    let (Some(depth), Some(data)) = (depth.checked_sub(1), instruction(dfg, value)) else {
        return constant(dfg, value).unwrap_or(most);
    };
    let of = |value| max_within(dfg, known, value, depth);
    let found = match data {
        InstructionData::UnaryImm { .. } => constant(dfg, value).unwrap_or(all),
        InstructionData::Unary { opcode, arg } => match opcode {
            Opcode::Uextend => of(arg),
            // What is left of a number that fits is the number.
            Opcode::Ireduce => Some(of(arg)).filter(|&most| most <= all).unwrap_or(all),
            Opcode::Clz | Opcode::Ctz | Opcode::Popcnt => u64::from(ty.bits()),
            _ => all,
        },
        InstructionData::Load { opcode, .. } => match opcode {
            Opcode::Uload8 => 0xff,
            Opcode::Uload16 => 0xffff,
            Opcode::Uload32 => 0xffff_ffff,
            _ => all,
        },
        InstructionData::IntCompare { .. } | InstructionData::FloatCompare { .. } => 1,
        InstructionData::Ternary {
            opcode: Opcode::Select,
            args: [_, x, y],
        } => of(x).max(of(y)),
        InstructionData::Binary {
            opcode,
            args: [x, y],
        } => {
            let by = constant(dfg, y).map(|by| by & u64::from(ty.bits() - 1));
            let fits = |sum: Option<u64>| sum.filter(|&sum| sum <= all).unwrap_or(all);
            match (opcode, by) {
                (Opcode::Band, _) => of(x).min(of(y)),
                (Opcode::Bor | Opcode::Bxor, _) => {
                    let bits = of(x) | of(y);
                    u64::MAX.checked_shr(bits.leading_zeros()).unwrap_or(0)
                }
                (Opcode::Iadd, _) => fits(of(x).checked_add(of(y))),
                (Opcode::Imul, _) => fits(of(x).checked_mul(of(y))),
                (Opcode::Ushr, Some(by)) => of(x) >> by,
                (Opcode::Ishl, Some(by)) => fits(of(x).checked_mul(1 << by)),
                (Opcode::Umin, _) => of(x).min(of(y)),
                (Opcode::Umax, _) => of(x).max(of(y)),
                _ => all,
            }
        }
        _ => all,
    };
    found.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cranelift_codegen::cursor::{Cursor, FuncCursor};
    use cranelift_codegen::ir::{
        Function, InstBuilder,
        types::{I8, I32, I64},
    };

    #[test]
    fn the_largest_number_follows_from_the_instructions() {
        let mut func = Function::new();
        let block = func.dfg.make_block();
        let x = func.dfg.append_block_param(block, I32);
        let mut pos = FuncCursor::new(&mut func);
        pos.insert_block(block);
        let known = nothing_known();
        let byte = pos.ins().ireduce(I8, x);
        let wide = pos.ins().uextend(I64, byte);
        let four = pos.ins().iconst(I64, 4);
        let scaled = pos.ins().ishl(wide, four);
        let sum = pos.ins().iadd(scaled, four);
        let minus = pos.ins().iconst(I32, -1);
        let wrapped = pos.ins().iadd(x, minus);
        let xor = pos.ins().bxor(scaled, four);
        let big = pos.ins().iconst(I64, -1);
        let overflow = pos.ins().iadd(sum, big);
        // 128 bits of which more than 64 are used, and their upper half.
        let both = pos.ins().iconcat(big, big);
        let by = pos.ins().iconst(I32, 64);
        let upper = pos.ins().ushr(both, by);
        let upper = pos.ins().ireduce(I64, upper);
        for (value, most) in [
            (x, 0xffff_ffff),
            (byte, 0xff),
            (scaled, 0xff0),
            (sum, 0xff4),
            (minus, 0xffff_ffff),
            (wrapped, 0xffff_ffff),
            (xor, 0xfff),
            (overflow, u64::MAX),
            (upper, u64::MAX),
        ] {
            assert_eq!(
                max(&pos.func.dfg, &known, value),
                most,
                "{}",
                pos.func.display()
            );
        }
        let mut known = nothing_known();
        known[x] = 100;
        assert_eq!(max(&pos.func.dfg, &known, x), 100);
    }
}
