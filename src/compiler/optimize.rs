//! Cranelift's own optimizer, apart from the making of machine code, and after it our passes. What code pays of its fuel,
//! and where it looks whether it is to stop, comes last: all these would take the words for what never changes.

use super::unit::{Effort, Scratch, Unit};
use super::{Env, assemble, passes};
use crate::error::Result;
use cranelift_codegen::settings::OptLevel;

/// Optimizes a function as far as its effort says.
pub fn optimize(env: &Env<'_>, scratch: &mut Scratch, unit: Unit) -> Result<Unit> {
    let isa = env.target.isa();
    let wanted = isa.flags().opt_level() != OptLevel::None && unit.effort == Effort::Full;
    scratch.load(unit.clif);
    let context = &mut scratch.context;
    let mut steps = || {
        if isa.flags().enable_nan_canonicalization() {
            context.canonicalize_nans(isa)?;
        }
        context.flowgraph();
        context.eliminate_unreachable_code(isa)?;
        context.remove_constant_phis(isa)?;
        context.func.dfg.resolve_all_aliases();
        match wanted {
            true => context.egraph_pass(isa, &mut Default::default()),
            false => Ok(()),
        }
    };
    steps().map_err(|error| {
        assemble::codegen_error(&error, &format_args!("function {}", unit.index))
    })?;
    if wanted {
        passes::run(env, &mut scratch.context);
    }
    if env.target.fuel() {
        passes::add_charges(env, &mut scratch.context);
    }
    if env.target.interruption() {
        passes::add_polls(&mut scratch.context, unit.start);
    }
    let clif = scratch.unload();
    Ok(Unit { clif, ..unit })
}
