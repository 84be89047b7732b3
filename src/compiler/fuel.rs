//! Fuel: how much of it each part of the code takes.
//!
//! Each instruction costs one, and what only gives code its structure costs nothing. What is charged is a *run*:
//! instructions that are executed one after the other, from a label that can be branched to, or from behind a branch, up to
//! the next of these. A call does not end a run, and the callee begins its own. A run is charged whole where it begins, and
//! if there is not as much fuel, it does not begin. Runs are those of the wasm, so that fuel is the same for every way in
//! which that can be compiled. What operations on whole memories and tables take more is charged by their builtins.
//!
//! Until it is optimized, a function has *markers* where runs begin: constants that are written to the pinned register,
//! which nothing else in wasm's code uses. `passes/charges.rs` puts what takes the fuel in their place.
//!
//! On x86-64 and aarch64 what is left is in that register while wasm runs, and in the store at all other times: trampolines
//! [`save`] it on the way out and [`load`] it on the way in. Cranelift pins no register of other CPUs, where it stays in the
//! store.

use super::Env;
use super::translate::Translator;
use super::vm::{Region, flags};
use crate::image::vmctx::{VmHeader, VmStore};
use cranelift_codegen::ir::{Inst, InstBuilder, InstructionData, Value, types::I64};
use cranelift_frontend::FunctionBuilder;
use std::mem::offset_of;
use wasmparser::Operator;

/// The run at hand.
#[derive(Default)]
pub struct Run {
    /// The constant of its marker; none before its first instruction that costs something.
    cost: Option<Inst>,
}

/// Whether an instruction costs nothing.
fn is_structure(op: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        op,
        O::Block { .. }
            | O::Loop { .. }
            | O::Else
            | O::End
            | O::TryTable { .. }
            | O::Try { .. }
            | O::Catch { .. }
            | O::CatchAll
            | O::Delegate { .. }
    )
}

impl Translator<'_, '_> {
    /// Counts an instruction that is reached, before it is translated.
    pub fn count(&mut self, op: &Operator<'_>) {
        if !self.vm.env.target.fuel() || is_structure(op) {
            return;
        }
        let Some(inst) = self.run.cost else {
            self.run.cost = Some(self.charge(1));
            return;
        };
        if let InstructionData::UnaryImm { imm, .. } = &mut self.vm.b.func.dfg.insts[inst] {
            *imm = (imm.bits() + 1).into();
        }
    }

    /// Says that what follows is a run of its own.
    pub fn begin_run(&mut self) {
        self.run = Run::default();
    }

    /// Charges something here; gives the constant that says how much.
    pub fn charge(&mut self, cost: u64) -> Inst {
        self.vm.conditional_traps += 1;
        let value = self.vm.iconst(I64, cost as i64);
        self.vm.b.ins().set_pinned_reg(value);
        let inst = self.vm.b.func.dfg.value_def(value).inst();
        inst.expect("a constant is made by an instruction")
    }

    /// Goes on with what fuel there is where an exception is caught.
    pub fn load_fuel(&mut self) {
        if self.vm.env.target.has_fuel_register() {
            let store = self
                .vm
                .load_constant(self.vm.vmctx, offset_of!(VmHeader, store) as u32);
            load(self.vm.env, &mut self.vm.b, store);
        }
    }
}

/// Writes what is left to the store, where wasm is left.
pub fn save(env: &Env<'_>, b: &mut FunctionBuilder<'_>, store: Value) {
    if env.target.has_fuel_register() {
        let left = b.ins().get_pinned_reg(I64);
        let flags = flags(b.func, Region::Store);
        let offset = offset_of!(VmStore, fuel) as i32;
        b.ins().store(flags, left, store, offset);
    }
}

/// Reads what is left from the store, where wasm begins or goes on.
pub fn load(env: &Env<'_>, b: &mut FunctionBuilder<'_>, store: Value) {
    if env.target.has_fuel_register() {
        let flags = flags(b.func, Region::Store);
        let offset = offset_of!(VmStore, fuel) as i32;
        let left = b.ins().load(I64, flags, store, offset);
        b.ins().set_pinned_reg(left);
    }
}
