//! Functions so small that a call of one is more than what it does.
//!
//! Such a function only computes. It has no branches, cannot trap, calls nothing, and touches no memory, table or global: so
//! no frame of it is ever in a backtrace, and nothing can tell that it was not called. A caller has its instructions in the
//! place of the call.

use super::module::Module;
use super::parse::{Body, Operators, local_type};
use super::survey::Surveyed;
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
pub fn find<'a>(module: &Module<'a>, bodies: &[Surveyed<'a>]) -> HashMap<u32, Inlined<'a>> {
    let small = bodies
        .iter()
        .filter(|it| it.body.body.as_bytes().len() <= MOST_BYTES);
    small
        .filter_map(|it| Some((it.index, inlined(module, &it.body, it.index)?)))
        .collect()
}

fn inlined<'a>(module: &Module<'a>, body: &Body<'a>, index: u32) -> Option<Inlined<'a>> {
    // Most bodies are left here, before they are validated.
    let bytes = body.body.as_bytes();
    let mut reader = body.body.get_operators_reader().ok()?;
    while !reader.eof() {
        let at = reader.original_position() - body.body.range().start;
        let opcode = bytes[at as usize];
        let op = reader.read().ok()?;
        let ends = matches!(op, Operator::End) && reader.eof();
        if !ends && !computes(opcode) {
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
        bytes: bytes.len(),
    })
}

/// Whether the instruction of an opcode does nothing but compute, and never traps. Those that begin with a prefix are left out.
/// Source: WebAssembly core specification, index of instructions.
fn computes(opcode: u8) -> bool {
    match opcode {
        // drop and select; local.get, local.set and local.tee; constants
        0x1a | 0x1b | 0x20..=0x22 | 0x41..=0x44 => true,
        // Divisions and remainders of integers, and integers of floats, trap.
        0x6d..=0x70 | 0x7f..=0x82 | 0xa8..=0xab | 0xae..=0xb1 => false,
        // All else from i32.eqz to i64.extend32_s
        0x45..=0xc4 => true,
        _ => false,
    }
}
