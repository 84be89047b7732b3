//! Constant expressions: what globals and tables start with, and where segments go.

use super::flat::{Field, Span};

/// One instruction of a constant expression; floats are bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstOp {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    RefNull,
    /// A function, by its slot among the function references.
    RefFunc(u32),
    GlobalGet(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
}

/// A constant expression, in stack order: a part of the section of such instructions.
pub type ConstExpr = Span<ConstOp>;

impl Field for ConstOp {
    const SIZE: usize = 4 + 16;

    fn get(bytes: &[u8]) -> Self {
        let operand = u128::get(&bytes[4..]);
        match u32::get(bytes) {
            0 => ConstOp::I32(operand as i32),
            1 => ConstOp::I64(operand as i64),
            2 => ConstOp::F32(operand as u32),
            3 => ConstOp::F64(operand as u64),
            4 => ConstOp::V128(operand),
            5 => ConstOp::RefNull,
            6 => ConstOp::RefFunc(operand as u32),
            7 => ConstOp::GlobalGet(operand as u32),
            8 => ConstOp::I32Add,
            9 => ConstOp::I32Sub,
            10 => ConstOp::I32Mul,
            11 => ConstOp::I64Add,
            12 => ConstOp::I64Sub,
            _ => ConstOp::I64Mul,
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        let (op, operand): (u32, u128) = match self {
            ConstOp::I32(value) => (0, u128::from(value as u32)),
            ConstOp::I64(value) => (1, u128::from(value as u64)),
            ConstOp::F32(bits) => (2, u128::from(bits)),
            ConstOp::F64(bits) => (3, u128::from(bits)),
            ConstOp::V128(value) => (4, value),
            ConstOp::RefNull => (5, 0),
            ConstOp::RefFunc(slot) => (6, u128::from(slot)),
            ConstOp::GlobalGet(global) => (7, u128::from(global)),
            ConstOp::I32Add => (8, 0),
            ConstOp::I32Sub => (9, 0),
            ConstOp::I32Mul => (10, 0),
            ConstOp::I64Add => (11, 0),
            ConstOp::I64Sub => (12, 0),
            ConstOp::I64Mul => (13, 0),
        };
        op.put(out);
        operand.put(out);
    }
}
