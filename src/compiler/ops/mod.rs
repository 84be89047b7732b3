//! Instructions, one file for each family.

mod atomic;
mod bulk;
mod call;
mod memory;
mod numeric;
mod relaxed;
mod simd;
mod table;
mod variable;

use super::translate::Translator;
use super::unsupported;
use crate::error::Result;
use crate::image::trap::Trap;
use wasmparser::Operator;

/// Translates one validated instruction, which is at this offset of the wasm and in the function of this index.
pub fn translate(
    t: &mut Translator<'_, '_>,
    index: u32,
    op: &Operator<'_>,
    offset: u32,
) -> Result<()> {
    if t.reachable {
        t.count(op);
    }
    if structure(t, op) || !t.reachable {
        return Ok(());
    }
    if let Operator::Call { function_index } = *op
        && let Some(inlined) = t.vm.env.inlined.get(&function_index)
        && let Some(room) = t.room.checked_sub(inlined.bytes)
    {
        t.room = room;
        let param_count = t.vm.env.module.func_type(function_index).params.len();
        let outer = t.enter_inlined(param_count, &inlined.locals);
        let run = std::mem::take(&mut t.run);
        for op in &inlined.ops {
            translate(t, function_index, op, offset)?;
        }
        t.run = run;
        t.leave_inlined(outer);
        return Ok(());
    }
    if variable::translate(t, op) || numeric::translate(t, op) || memory::access(t, op) {
        return Ok(());
    }
    // All others may call, and what is called may let a memory grow.
    t.forget_recent();
    let done = control(t, index, op)?
        || memory::translate(t, op)
        || call::translate(t, op)
        || table::translate(t, op)
        || simd::translate(t, op)
        || relaxed::translate(t, op)
        || atomic::translate(t, op);
    t.forget_recent();
    if !done {
        return Err(unsupported::instruction(op, u64::from(offset)));
    }
    Ok(())
}

/// Instructions that nest, which unreachable code follows too.
fn structure(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    match *op {
        Operator::Block { blockty } => t.block(blockty),
        Operator::Loop { blockty } => t.loop_(blockty),
        Operator::If { blockty } => t.if_(blockty),
        Operator::TryTable { ref try_table } => t.try_table(try_table),
        Operator::Try { blockty } => t.legacy_try(blockty),
        Operator::Catch { tag_index } => t.legacy_catch(Some(tag_index)),
        Operator::CatchAll => t.legacy_catch(None),
        // What its body throws was told where to go when the `try` began.
        Operator::Delegate { .. } => t.end(),
        Operator::Else => t.else_(),
        Operator::End => t.end(),
        _ => return false,
    }
    true
}

fn control(t: &mut Translator<'_, '_>, index: u32, op: &Operator<'_>) -> Result<bool> {
    match *op {
        Operator::Nop => {}
        Operator::Unreachable => {
            t.vm.trap(Trap::Unreachable);
            t.reachable = false;
        }
        Operator::Br { relative_depth } => t.br(relative_depth),
        Operator::BrIf { relative_depth } => t.br_if(relative_depth),
        Operator::BrTable { ref targets } => t.br_table(index, targets)?,
        Operator::BrOnNull { relative_depth } => t.br_on_null(relative_depth),
        Operator::BrOnNonNull { relative_depth } => t.br_on_non_null(relative_depth),
        Operator::Return => t.return_(),
        Operator::Throw { tag_index } => t.throw(tag_index),
        Operator::ThrowRef => t.throw_ref(),
        Operator::Rethrow { relative_depth } => t.rethrow(relative_depth),
        _ => return Ok(false),
    }
    Ok(true)
}
