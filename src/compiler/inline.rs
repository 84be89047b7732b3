//! Functions so small that a call of one is more than what it does.
//!
//! Such a function only computes. It has no branches, cannot trap, calls nothing, and touches no memory, table or global: so
//! no frame of it is ever in a backtrace, and nothing can tell that it was not called. A caller has its instructions in the
//! place of the call.

use super::module::Module;
use super::parse::{Body, Operators, local_type};
use crate::image::ValType;
use std::collections::HashMap;
use wasmparser::{FuncToValidate, FuncValidatorAllocations, Operator};

/// The largest body, in bytes. A call takes a dozen instructions with what the callee does before and after its own.
const MOST_BYTES: usize = 48;

/// A function does not become larger by more bytes than it has, or than this: calls have two bytes, and what compiles in
/// proportion to a body must do so with what is inlined.
const MOST_ADDED: usize = 4096;

/// How many bytes may be inlined into a body of so many.
pub fn room(bytes: usize) -> usize {
    bytes.max(MOST_ADDED)
}

/// What a call is replaced by.
pub struct Inlined<'a> {
    /// The types of the locals that are no parameters.
    pub locals: Vec<ValType>,
    pub ops: Vec<Operator<'a>>,
    /// Bytes of its body.
    pub bytes: usize,
}

/// Those of a module's functions that are inlined, by their index. A body that is not valid is none of them; its own
/// compilation says so.
pub fn find<'a>(module: &Module<'a>, bodies: &[Body<'a>]) -> HashMap<u32, Inlined<'a>> {
    let small = bodies.iter().zip(module.imported_funcs..);
    let small = small.filter(|(body, _)| body.body.as_bytes().len() <= MOST_BYTES);
    small
        .filter_map(|(body, index)| Some((index, inlined(module, body, index)?)))
        .collect()
}

fn inlined<'a>(module: &Module<'a>, body: &Body<'a>, index: u32) -> Option<Inlined<'a>> {
    // Most bodies are left here, before they are validated.
    let mut reader = body.body.get_operators_reader().ok()?;
    while !reader.eof() {
        let op = reader.read().ok()?;
        let ends = matches!(op, Operator::End) && reader.eof();
        if !ends && !computes(&op) {
            return None;
        }
    }
    let validate = FuncToValidate {
        resources: body.validate.resources.clone(),
        ..body.validate
    };
    let mut validator = validate.into_validator(FuncValidatorAllocations::default());
    let mut operators = Operators::new(&body.body, &mut validator).ok()?;
    let params = module.func_type(index).params.len() as u32;
    let mut ops = Vec::new();
    while let Some((op, _)) = operators.next(&mut validator).ok()? {
        ops.push(op);
    }
    ops.pop();
    let locals = (params..validator.len_locals()).map(|i| {
        let ty = validator.get_local_type(i).expect("it is below the length");
        local_type(ty).ok()
    });
    Some(Inlined {
        locals: locals.collect::<Option<_>>()?,
        ops,
        bytes: body.body.as_bytes().len(),
    })
}

/// Whether an instruction does nothing but compute, and never traps.
fn computes(op: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        op,
        O::LocalGet { .. }
            | O::LocalSet { .. }
            | O::LocalTee { .. }
            | O::Drop
            | O::Select
            | O::I32Const { .. }
            | O::I64Const { .. }
            | O::F32Const { .. }
            | O::F64Const { .. }
            | O::I32Eqz
            | O::I32Eq
            | O::I32Ne
            | O::I32LtS
            | O::I32LtU
            | O::I32GtS
            | O::I32GtU
            | O::I32LeS
            | O::I32LeU
            | O::I32GeS
            | O::I32GeU
            | O::I64Eqz
            | O::I64Eq
            | O::I64Ne
            | O::I64LtS
            | O::I64LtU
            | O::I64GtS
            | O::I64GtU
            | O::I64LeS
            | O::I64LeU
            | O::I64GeS
            | O::I64GeU
            | O::F32Eq
            | O::F32Ne
            | O::F32Lt
            | O::F32Gt
            | O::F32Le
            | O::F32Ge
            | O::F64Eq
            | O::F64Ne
            | O::F64Lt
            | O::F64Gt
            | O::F64Le
            | O::F64Ge
            | O::I32Clz
            | O::I32Ctz
            | O::I32Add
            | O::I32Sub
            | O::I32Mul
            | O::I32And
            | O::I32Or
            | O::I32Xor
            | O::I32Shl
            | O::I32ShrS
            | O::I32ShrU
            | O::I32Rotl
            | O::I32Rotr
            | O::I64Clz
            | O::I64Ctz
            | O::I64Add
            | O::I64Sub
            | O::I64Mul
            | O::I64And
            | O::I64Or
            | O::I64Xor
            | O::I64Shl
            | O::I64ShrS
            | O::I64ShrU
            | O::I64Rotl
            | O::I64Rotr
            | O::F32Abs
            | O::F32Neg
            | O::F32Sqrt
            | O::F32Add
            | O::F32Sub
            | O::F32Mul
            | O::F32Div
            | O::F32Copysign
            | O::F64Abs
            | O::F64Neg
            | O::F64Sqrt
            | O::F64Add
            | O::F64Sub
            | O::F64Mul
            | O::F64Div
            | O::F64Copysign
            | O::I32WrapI64
            | O::I64ExtendI32S
            | O::I64ExtendI32U
            | O::I32Extend8S
            | O::I32Extend16S
            | O::I64Extend8S
            | O::I64Extend16S
            | O::I64Extend32S
            | O::F32ConvertI32S
            | O::F32ConvertI64S
            | O::F64ConvertI32S
            | O::F64ConvertI32U
            | O::F64ConvertI64S
            | O::F32DemoteF64
            | O::F64PromoteF32
            | O::I32ReinterpretF32
            | O::I64ReinterpretF64
            | O::F32ReinterpretI32
            | O::F64ReinterpretI64
    )
}
