//! Where a trap starts: the checks that compiled code makes.
//!
//! # From a compare to the host's error
//!
//! An instruction that can trap is translated to a comparison and a conditional trap of CLIF ([`Vm::trap_if`]), whose trap
//! code is the trap's number, one of `image/trap.rs`. So it stays until the passes are through, which leave out what they
//! can prove. What is left costs a check that holds the compare and a branch that is not taken: on x86-64 it branches to a
//! *stub* behind the function's code (`stubs.rs`); elsewhere, and where a check is not one comparison of integers, [`expand`]
//! makes it a branch to a *cold block*, which Cranelift lays out there. No signal is
//! involved, and no page that cannot be accessed. (Where traps are faults, conditional traps stay as they are, and
//! accesses are not compared: [`place_loads`], and `runtime/fault.rs` for what becomes of a fault.)
//!
//! Stub and cold block call the *exit trampoline* of the trap, which calls the builtin `Trap` with its number. An exit
//! trampoline (`trampoline.rs`) is the code through which wasm leaves for a builtin that can fail or looks at the stack: it
//! writes the frame pointer of the function that called it, and the address that it will return to, into the store
//! (`VmStore::exit_fp`, `exit_pc`). It is shared by the whole module, so that a trap costs each function few bytes.
//!
//! The builtin (`runtime/builtins/mod.rs`) makes the error and leaves it in the store, which is then marked as *pending*.
//! It returns to the exit trampoline, which looks at that mark after every builtin.
//!
//! If there is an error, the exit trampoline calls the builtin `Raise`, which does not come back. If the error is an
//! exception, `Raise` looks for a handler (`runtime/exception.rs`). If nothing catches it, the error gets the frames that
//! it leaves (`runtime/backtrace.rs`): compiled code keeps frame pointers, so from `exit_fp` each frame leads to its
//! caller's, up to that of the *entry trampoline*, through which the host called. A return address is looked up in the image
//! of the module that it is in, which has the wasm offset of every call.
//!
//! Then `Raise` sets the stack pointer and the frame pointer to those of the innermost entry trampoline and jumps to that
//! trampoline's handler (`runtime/resume.rs`). All three are in the `VmActivation` that the trampoline has in its own frame
//! and has linked to the store. So what is between is not unwound frame by frame, it is left; it is compiled code and
//! builtins, and owns nothing.
//!
//! The handler makes the previous activation current again, takes the error out of the store, zeros the results, and
//! returns the error to the host as a C function does.

use super::stubs::Stubs;
use super::unit::{Needs, Symbol};
use super::vm::{Vm, builtin_exit_signature, symbol};
use super::{Env, passes};
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    AbiParam, Block, DataFlowGraph, Function, Inst, InstBuilder, InstructionData, Opcode,
    Signature, TrapCode, Value, types::I64,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;
use std::collections::BTreeMap;

/// The code of a trap that cannot be reached: it follows calls that do not return.
pub const NEVER: TrapCode = TrapCode::unwrap_user(200);

/// Branches to a cold block if the condition is not zero; gives it and the block that goes on, both sealed.
pub fn branch_cold(b: &mut FunctionBuilder<'_>, condition: Value) -> (Block, Block) {
    let (cold, next) = detour(b, condition);
    b.seal_block(next);
    (cold, next)
}

/// As [`branch_cold`], for a cold block that goes on there, too: the second block is yet to be sealed.
pub fn detour(b: &mut FunctionBuilder<'_>, condition: Value) -> (Block, Block) {
    let cold = b.create_block();
    let next = b.create_block();
    b.set_cold_block(cold);
    b.ins().brif(condition, cold, &[], next, &[]);
    b.seal_block(cold);
    (cold, next)
}

/// Whether what checks for this trap may be wrong, so that code goes on if the builtin says so that it calls.
pub fn is_hint(env: &Env<'_>, trap: Trap) -> bool {
    match trap {
        Trap::StackOverflow | Trap::Interrupted => env.target.interruption(),
        trap => trap == Trap::OutOfFuel,
    }
}

/// A check that may be wrong, and what the builtin is told that it calls.
#[derive(Clone, Copy)]
pub enum Hint {
    /// The stack pointer that was compared.
    StackPointer,
    /// That it is not about the stack pointer.
    Interrupted,
    /// How much fuel there was not.
    Unpaid(u32),
}

impl Hint {
    /// What a conditional trap is a hint of, if it is one.
    pub fn of(env: &Env<'_>, dfg: &DataFlowGraph, inst: Inst) -> Option<Hint> {
        let InstructionData::CondTrap { code, .. } = dfg.insts[inst] else {
            return None;
        };
        let trap = trap_of(code).filter(|&trap| is_hint(env, trap))?;
        Some(match trap {
            Trap::StackOverflow => Hint::StackPointer,
            Trap::Interrupted => Hint::Interrupted,
            _ => Hint::Unpaid(passes::charged(dfg, inst).expect("a charge has a cost") as u32),
        })
    }

    pub fn builtin(self) -> Builtin {
        match self {
            Hint::StackPointer | Hint::Interrupted => Builtin::Stop,
            Hint::Unpaid(_) => Builtin::Pay,
        }
    }
}

/// How a trap is written in CLIF.
pub fn trap_code(trap: Trap) -> TrapCode {
    TrapCode::unwrap_user(trap as u8)
}

/// The trap that a code of CLIF stands for; none for one that cannot be reached.
pub fn trap_of(code: TrapCode) -> Option<Trap> {
    Some(match code {
        // Those that Cranelift has for its own instructions, where these trap.
        TrapCode::INTEGER_OVERFLOW => Trap::IntegerOverflow,
        TrapCode::INTEGER_DIVISION_BY_ZERO => Trap::IntegerDivideByZero,
        TrapCode::BAD_CONVERSION_TO_INTEGER => Trap::InvalidConversion,
        _ => return Trap::from_code(u32::from(code.as_raw().get())),
    })
}

impl Vm<'_, '_> {
    /// Traps, and ends the block.
    pub fn trap(&mut self, trap: Trap) {
        self.b.ins().trap(trap_code(trap));
    }

    /// Traps with a number that is computed, and ends the block.
    pub fn trap_with(&mut self, code: Value) {
        self.builtin(Builtin::Trap, &[code]);
        self.b.ins().trap(NEVER);
    }

    /// Traps if the condition is not zero.
    pub fn trap_if(&mut self, condition: Value, trap: Trap) {
        self.conditional_traps += 1;
        self.b.ins().trapnz(condition, trap_code(trap));
    }

    /// Traps if a divisor is 0, unless the division does.
    pub fn trap_if_zero_divisor(&mut self, divisor: Value) {
        if !self.env.target.faults() {
            self.trap_if_zero(divisor, Trap::IntegerDivideByZero);
        }
    }

    pub fn trap_if_zero(&mut self, value: Value, trap: Trap) {
        self.conditional_traps += 1;
        self.b.ins().trapz(value, trap_code(trap));
    }
}

/// The signature of a trap's exit trampoline.
pub fn exit_signature() -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.push(AbiParam::new(I64));
    signature
}

/// Turns the traps of a function of wasm that have no stub into branches to cold blocks, each of which calls the exit
/// trampoline of its trap; where traps are faults, those that are hints.
pub fn expand(env: &Env<'_>, func: &mut Function, stubs: &Stubs, needs: &mut Needs) {
    let entry = func.layout.entry_block().expect("a function has code");
    let vmctx = func.dfg.block_params(entry)[0];
    let mut exits = BTreeMap::new();
    let mut asides = BTreeMap::new();
    let mut call_exit = |pos: &mut FuncCursor<'_>, trap: Trap, hint: Option<Hint>| {
        if let Some(hint) = hint {
            let builtin = hint.builtin();
            let aside = *asides.entry(builtin).or_insert_with(|| {
                needs.exits.insert(builtin);
                let signature = builtin_exit_signature(env.target, builtin);
                symbol(pos.func, Symbol::Exit(builtin), signature)
            });
            let argument = match hint {
                Hint::StackPointer => pos.ins().get_stack_pointer(I64),
                Hint::Interrupted => pos.ins().iconst(I64, -1),
                Hint::Unpaid(cost) => pos.ins().iconst(I64, i64::from(cost)),
            };
            pos.ins().call(aside, &[vmctx, argument]);
            return;
        }
        let exit = *exits.entry(trap).or_insert_with(|| {
            needs.traps.insert(trap);
            symbol(pos.func, Symbol::Trap(trap), exit_signature())
        });
        pos.ins().call(exit, &[vmctx]);
    };
    let mut traps = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            let (condition, code) = match func.dfg.insts[inst] {
                InstructionData::CondTrap { .. } if stubs.has(func, inst) => continue,
                InstructionData::CondTrap { opcode, arg, code } => (Some((opcode, arg)), code),
                InstructionData::Trap { code, .. } => (None, code),
                _ => continue,
            };
            let hint = Hint::of(env, &func.dfg, inst);
            if let Some(trap) = trap_of(code)
                && (!env.target.faults() || hint.is_some())
            {
                traps.push((inst, condition, trap, hint));
            }
        }
    }
    let mut pos = FuncCursor::new(func);
    let mut cold_blocks = Vec::new();
    // From the last to the first: what is split off is walked, and has no other traps then.
    for (inst, condition, trap, hint) in traps.into_iter().rev() {
        pos.goto_inst(inst);
        pos.use_srcloc(inst);
        let Some((opcode, condition)) = condition else {
            call_exit(&mut pos, trap, None);
            pos.func.replace(inst).trap(NEVER);
            continue;
        };
        let (next, cold) = (pos.func.dfg.make_block(), pos.func.dfg.make_block());
        let after = pos.func.layout.next_inst(inst);
        let after = after.expect("a conditional trap does not end a block");
        pos.func.layout.split_block(next, after);
        let branch = pos.func.replace(inst);
        match opcode {
            Opcode::Trapz => branch.brif(condition, next, &[], cold, &[]),
            _ => branch.brif(condition, cold, &[], next, &[]),
        };
        cold_blocks.push((cold, next, pos.srcloc(), trap, hint));
    }
    for (cold, next, place, trap, hint) in cold_blocks.into_iter().rev() {
        pos.func.layout.append_block(cold);
        pos.func.layout.set_cold(cold);
        pos.goto_bottom(cold);
        pos.set_srcloc(place);
        call_exit(&mut pos, trap, hint);
        match hint {
            Some(_) => pos.ins().jump(next, &[]),
            None => pos.ins().trap(NEVER),
        };
    }
}

/// Lets a load that faults be found where wasm has it.
///
/// Cranelift makes a load a part of the instruction that uses what it loads, if nothing that has an effect is between them, and
/// the code is then at that instruction's place in wasm. So an instruction that tells its place to nobody gets the load's. One
/// that calls or can trap itself keeps its own: no load becomes a part of it, unless it is a store to where the load is from.
pub fn place_loads(func: &mut Function) {
    let mut pos = FuncCursor::new(func);
    while pos.next_block().is_some() {
        let mut last = None;
        while let Some(inst) = pos.next_inst() {
            let dfg = &pos.func.dfg;
            let data = &dfg.insts[inst];
            let opcode = data.opcode();
            // A bitcast has flags of a memory, too, for the order of bytes.
            let accesses = opcode.can_load() || opcode.can_store();
            let faults = accesses && data.memflags_trap_code(dfg).is_some();
            let has_place = match data.memflags() {
                Some(_) => faults,
                None => opcode.can_trap() || opcode.is_call(),
            };
            let has_effect = has_place
                || opcode.can_load()
                || opcode.can_store()
                || opcode.other_side_effects()
                || opcode.is_branch()
                || opcode.is_terminator();
            let is_load = opcode == Opcode::Load && faults;
            if let Some(load) = last
                && (!has_place || updates(pos.func, load, inst))
            {
                let place = pos.func.srcloc(load);
                pos.func.set_srcloc(inst, place);
            }
            if has_effect {
                last = is_load.then_some(inst);
            }
        }
    }
}

/// Whether an instruction stores to where the load is from, and as much, so that it cannot fault after the load.
fn updates(func: &Function, load: Inst, inst: Inst) -> bool {
    let insts = &func.dfg.insts;
    let ty = |value| func.dfg.value_type(value);
    match (insts[load], insts[inst]) {
        (
            InstructionData::Load {
                arg, offset: from, ..
            },
            InstructionData::Store {
                opcode: Opcode::Store,
                args: [value, address],
                offset: to,
                ..
            },
        ) => arg == address && from == to && ty(func.dfg.first_result(load)) == ty(value),
        _ => false,
    }
}
