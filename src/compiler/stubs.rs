//! Leads checks to calls behind a function, where Cranelift would have them meet an instruction that traps.
//!
//! A conditional trap of CLIF is a comparison, a branch, and `ud2` behind the function, to which it branches. A branch of CLIF
//! to a cold block that calls the exit trampoline ends a block at each check instead, and keeps the vmctx at hand for the call:
//! with that a module takes a tenth longer to compile, is up to a tenth larger, and runs some percent slower. So on x86-64 a
//! conditional trap stays one until its machine code is made. Then each gets a *stub* behind the function in the place of its
//! `ud2`, and its branch is led there:
//!
//! ```text
//! check:  cmp  address, length
//!         ja   stub
//!         ...
//! stub:   call exit                    ; where it returns to tells the check: it is a call site of the image
//!
//! exit:   mov  rdi, [rsp + 8 + slot]   ; the vmctx, which the function stores there when it begins
//!         jmp  exit trampoline         ; sees the stub's call as its own
//! ```
//!
//! An exit is shared by all functions that keep their vmctx as far from their stack pointer, which is most of them.
//!
//! A check that is a hint (`trap::is_hint`) is found to be wrong now and then, and the function goes on behind it. Nothing
//! has been saved for that, so its stub calls what leaves all registers as they were:
//!
//! ```text
//! stub:   push rdi
//!         push rsi
//!         mov  rdi, [rsp + 16 + slot]
//!         lea  rsi, [rsp + 16]         ; what the builtin is told
//!         call exit trampoline of Stop or Pay
//!         pop  rsi
//!         pop  rdi
//!         jmp  behind the check
//! ```
//!
//! The branch is found without reading machine code as such: each check has a source location of its own, a *mark*, and
//! Cranelift tells where the code of each location lies. It is the last one there that goes to the `ud2` of the same mark.

use super::Env;
use super::trap::{Hint, trap_of};
use super::unit::{Code, Needs, Reloc, Symbol};
use crate::error::{Error, Result};
use crate::image::CallSite;
use crate::image::trap::Trap;
use cranelift_codegen::binemit::Reloc as RelocKind;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    DataFlowGraph, Function, Inst, InstBuilder, InstructionData, MemFlagsData, Opcode, SourceLoc,
    StackSlot, StackSlotData, StackSlotKind,
};
use cranelift_codegen::{CompiledCode, MachSrcLoc};
use std::fmt::Display;
use std::ops::Range;

/// Source locations from here on are marks. Functions that begin behind [`LAST_START`] get none, so that no place in wasm is
/// one.
const MARK: u32 = 1 << 31;
const LAST_START: u32 = 1 << 30;

/// The checks of a function that get a stub.
#[derive(Default)]
pub struct Stubs {
    /// By the numbers of their marks.
    checks: Vec<Check>,
    /// Where the function keeps its vmctx.
    slot: Option<StackSlot>,
}

#[derive(Clone, Copy)]
struct Check {
    trap: Trap,
    /// Where it is in wasm.
    place: SourceLoc,
    hint: Option<Hint>,
}

impl Stubs {
    /// Marks all conditional traps of a function that can have stubs, if its CPU has any; they stay conditional traps.
    pub fn mark(env: &Env<'_>, func: &mut Function, start: u32, needs: &mut Needs) -> Stubs {
        let mut stubs = Stubs::default();
        if !env.target.is_x86_64() || start > LAST_START {
            return stubs;
        }
        let mut pos = FuncCursor::new(func);
        while pos.next_block().is_some() {
            while let Some(inst) = pos.next_inst() {
                let hint = Hint::of(env, &pos.func.dfg, inst);
                let trap = is_one_branch(&pos.func.dfg, inst)
                    .filter(|_| !env.target.faults() || hint.is_some());
                let Some(trap) = trap else { continue };
                let mark = SourceLoc::new(MARK + stubs.checks.len() as u32);
                let place = pos.func.srcloc(inst);
                stubs.checks.push(Check { trap, place, hint });
                pos.func.set_srcloc(inst, mark);
                match hint {
                    Some(hint) => drop(needs.exits.insert(hint.builtin())),
                    None => drop(needs.traps.insert(trap)),
                }
            }
        }
        if !stubs.checks.is_empty() {
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3);
            let slot = pos.func.create_sized_stack_slot(slot);
            stubs.slot = Some(slot);
            let entry = pos.func.layout.entry_block();
            let entry = entry.expect("a function has code");
            let vmctx = pos.func.dfg.block_params(entry)[0];
            pos.goto_first_insertion_point(entry);
            let address = pos.ins().stack_addr(I64, slot, 0);
            pos.ins().store(MemFlagsData::trusted(), vmctx, address, 0);
        }
        stubs
    }

    /// Whether an instruction of the function is a check that gets a stub. Without any, a place may lie where marks do.
    pub fn has(&self, func: &Function, inst: Inst) -> bool {
        !self.checks.is_empty() && mark_number(func.srcloc(inst)).is_some()
    }

    /// Where in wasm what has this location is: that of the check, if it is a mark.
    pub fn place(&self, location: SourceLoc) -> SourceLoc {
        let check = mark_number(location).and_then(|n| self.checks.get(n));
        check.map_or(location, |check| check.place)
    }

    /// Appends the stubs to a function's code, leads the checks there, and tells what the stubs call, and where those begin
    /// that come back.
    pub fn append(
        &self,
        compiled: &CompiledCode,
        bytes: &mut Vec<u8>,
        relocs: &mut Vec<Reloc>,
        what: &dyn Display,
    ) -> Result<(Vec<CallSite>, Option<u32>)> {
        let Some(slot) = self.slot else {
            return Ok((Vec::new(), None));
        };
        let defect = || {
            Error::internal(format_args!(
                "{what} has a check whose branch is not found; this is a defect of Inlay"
            ))
        };
        let frame = compiled.buffer.frame_layout().ok_or_else(defect)?;
        let slot = frame.stackslots[slot].offset;
        let mut branches = self.branches(compiled, bytes).ok_or_else(defect)?;
        // Nothing else goes to what Cranelift has put there; constants can follow it.
        for branch in branches.iter().rev() {
            if branch.target + UD2 == bytes.len() {
                bytes.truncate(branch.target);
            }
        }
        branches.sort_by_key(|branch| self.checks[branch.check].hint.is_some());
        let mut calls = Vec::with_capacity(branches.len());
        let mut returning = None;
        for branch in &branches {
            let Check { trap, place, hint } = self.checks[branch.check];
            let distance = bytes.len() as i64 - (branch.displacement as i64 + 4);
            let displacement = branch.displacement..branch.displacement + 4;
            bytes[displacement].copy_from_slice(&(distance as i32).to_le_bytes());
            let callee = match hint {
                Some(hint) => {
                    returning.get_or_insert(bytes.len() as u32);
                    bytes.extend(SAVE_RDI_AND_RSI);
                    load_vmctx(bytes, slot + 16);
                    match hint {
                        Hint::StackPointer => bytes.extend(STACK_POINTER_IN_RSI),
                        Hint::Interrupted => bytes.extend(NONE_IN_RSI),
                        Hint::Unpaid(cost) => {
                            bytes.push(NUMBER_IN_RSI);
                            bytes.extend(cost.to_le_bytes());
                        }
                    }
                    Symbol::Exit(hint.builtin())
                }
                None => Symbol::StubTrap(trap, slot),
            };
            relocs.push(put_jump(bytes, CALL, callee));
            if !place.is_default() {
                calls.push(CallSite {
                    returns_to: bytes.len() as u32,
                    wasm_offset: place.bits(),
                });
            }
            if hint.is_some() {
                bytes.extend(RESTORE_RSI_AND_RDI);
                bytes.push(JUMP);
                let back = branch.displacement as i64 + 4 - (bytes.len() as i64 + 4);
                bytes.extend((back as i32).to_le_bytes());
            }
        }
        Ok((calls, returning))
    }

    /// The branches of all checks that have become machine code; none if one is not found.
    fn branches(&self, compiled: &CompiledCode, bytes: &[u8]) -> Option<Vec<Branch>> {
        // What was made of each check, and its `ud2`. Nothing is made of one that cannot be reached.
        let mut made: Vec<(Range<usize>, Option<usize>)> = vec![(0..0, None); self.checks.len()];
        let traps = compiled.buffer.traps();
        for &MachSrcLoc { start, end, loc } in compiled.buffer.get_srclocs_sorted() {
            let Some(check) = mark_number(loc) else {
                continue;
            };
            let (code, target) = made.get_mut(check)?;
            match traps.binary_search_by_key(&start, |trap| trap.offset) {
                Ok(_) => *target = Some(start as usize),
                Err(_) => *code = start as usize..end as usize,
            }
        }
        let made = made.into_iter().zip(0..);
        let reached = made.filter(|((code, target), _)| !code.is_empty() || target.is_some());
        let branch = |((code, target), check): ((Range<usize>, Option<usize>), usize)| {
            let (target, end) = (target?, code.end);
            let mut places = code.rev();
            let displacement = places.find_map(|at| goes_to(&bytes[at..end], at, target))?;
            Some(Branch {
                check,
                displacement,
                target,
            })
        };
        let mut branches: Vec<Branch> = reached.map(branch).collect::<Option<_>>()?;
        branches.sort_by_key(|branch| branch.target);
        Some(branches)
    }
}

/// A check's branch.
struct Branch {
    check: usize,
    /// Where the distance to its target is written.
    displacement: usize,
    /// The `ud2` that it goes to.
    target: usize,
}

/// How many bytes `ud2` has.
const UD2: usize = 2;
/// `call` and `jmp`, which four bytes follow: the distance from behind them.
const CALL: u8 = 0xe8;
const JUMP: u8 = 0xe9;
/// `mov rdi, [rsp + ...]`, which one byte of an offset follows, or four. Code of wasm gets its vmctx in `rdi`.
const LOAD_RDI_NEAR_RSP: [u8; 4] = [0x48, 0x8b, 0x7c, 0x24];
const LOAD_RDI_FROM_RSP: [u8; 4] = [0x48, 0x8b, 0xbc, 0x24];

/// `push rdi`, `push rsi`: two words, so that the stack stays aligned. Then what undoes it.
const SAVE_RDI_AND_RSI: [u8; 2] = [0x57, 0x56];
const RESTORE_RSI_AND_RDI: [u8; 2] = [0x5e, 0x5f];
/// `lea rsi, [rsp + 16]`: what the stack pointer was before; and `or rsi, -1` where it was not compared.
const STACK_POINTER_IN_RSI: [u8; 5] = [0x48, 0x8d, 0x74, 0x24, 0x10];
const NONE_IN_RSI: [u8; 4] = [0x48, 0x83, 0xce, 0xff];
/// `mov esi, ...`, which four bytes follow.
const NUMBER_IN_RSI: u8 = 0xbe;

/// Where the distance is written, if these bytes, which lie `at` this offset, begin with a conditional branch to `target`.
fn goes_to(bytes: &[u8], at: usize, target: usize) -> Option<usize> {
    let &[0x0f, 0x80..=0x8f, a, b, c, d, ..] = bytes else {
        return None;
    };
    let distance = i64::from(i32::from_le_bytes([a, b, c, d]));
    (at as i64 + 6 + distance == target as i64).then_some(at + 2)
}

/// Appends `call` or `jmp`; gives what has to be written there.
fn put_jump(bytes: &mut Vec<u8>, opcode: u8, symbol: Symbol) -> Reloc {
    bytes.push(opcode);
    let offset = bytes.len() as u32;
    bytes.extend([0; 4]);
    Reloc {
        offset,
        kind: RelocKind::X86CallPCRel4,
        addend: -4,
        symbol,
    }
}

/// Appends what loads the vmctx, so many bytes from the stack pointer.
fn load_vmctx(bytes: &mut Vec<u8>, from: u32) {
    match i8::try_from(from) {
        Ok(near) => {
            bytes.extend(LOAD_RDI_NEAR_RSP);
            bytes.extend(near.to_le_bytes());
        }
        Err(_) => {
            bytes.extend(LOAD_RDI_FROM_RSP);
            bytes.extend(from.to_le_bytes());
        }
    }
}

/// What the stubs of a trap call in functions that keep their vmctx so many bytes from their stack pointer.
pub fn exit(trap: Trap, slot: u32) -> Code {
    let mut bytes = Vec::new();
    load_vmctx(&mut bytes, slot + 8);
    let jump = put_jump(&mut bytes, JUMP, Symbol::Trap(trap));
    Code {
        relocs: vec![jump],
        ..Code::plain(bytes, 1)
    }
}

/// The number of a mark.
fn mark_number(loc: SourceLoc) -> Option<usize> {
    let number = loc.bits().checked_sub(MARK);
    number.filter(|_| !loc.is_default()).map(|n| n as usize)
}

/// The trap of a conditional trap whose machine code ends with one branch. That of a comparison of floats, or of numbers of 128
/// bits, can have two.
fn is_one_branch(dfg: &DataFlowGraph, inst: Inst) -> Option<Trap> {
    let InstructionData::CondTrap { arg, code, .. } = dfg.insts[inst] else {
        return None;
    };
    let fits = |value| {
        let ty = dfg.value_type(value);
        ty.is_int() && ty.bits() <= 64
    };
    let made = dfg.value_def(arg).inst().map(|inst| dfg.insts[inst]);
    let is_one = match made {
        Some(InstructionData::IntCompare { args, .. }) => fits(args[0]),
        Some(data) => fits(arg) && !matches!(data.opcode(), Opcode::Uextend | Opcode::Fcmp),
        None => fits(arg),
    };
    trap_of(code).filter(|_| is_one)
}
