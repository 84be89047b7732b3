//! Instructions, one file for each family.

mod call;
mod memory;
mod numeric;
mod table;
mod variable;

use super::func::Translator;
use crate::error::Result;
use crate::trap::Trap;
use wasmparser::Operator;

/// Translates one validated instruction.
pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> Result<()> {
    if structure(t, op)? || !t.reachable {
        return Ok(());
    }
    let done = control(t, op)?
        || variable::translate(t, op)
        || numeric::translate(t, op)
        || memory::translate(t, op)
        || call::translate(t, op)
        || table::translate(t, op);
    if !done {
        return Err(t.unsupported(op));
    }
    Ok(())
}

/// Instructions that nest, which unreachable code follows too.
fn structure(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> Result<bool> {
    match *op {
        Operator::Block { blockty } => t.block(blockty)?,
        Operator::Loop { blockty } => t.loop_(blockty)?,
        Operator::If { blockty } => t.if_(blockty)?,
        Operator::Else => t.else_(),
        Operator::End => t.end(),
        _ => return Ok(false),
    }
    Ok(true)
}

fn control(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> Result<bool> {
    match *op {
        Operator::Nop => {}
        Operator::Unreachable => {
            t.vm.trap(Trap::Unreachable);
            t.reachable = false;
        }
        Operator::Br { relative_depth } => t.br(relative_depth),
        Operator::BrIf { relative_depth } => t.br_if(relative_depth),
        Operator::BrTable { ref targets } => t.br_table(targets)?,
        Operator::Return => t.return_(),
        _ => return Ok(false),
    }
    Ok(true)
}
