//! How the frames of a piece of code are unwound: what Cranelift says of its prologue, in the form of the system that it is
//! for.

use super::unit::Code;
use crate::image::frame::{Cpu, FACTOR, cfa, uleb128, windows};
use cranelift_codegen::isa::unwind::UnwindInst;

/// What a piece of code saves in its frame.
#[derive(Default)]
pub struct Frame {
    /// The steps of its prologue, each with the place behind it.
    pub prologue: Vec<(u32, UnwindInst)>,
    /// A register that the code saves itself: its number in DWARF, and where it does, in bytes from the frame pointer.
    pub kept: Option<(u16, i32)>,
    /// Where it has given its frame up and returns next, from and to, if that is told.
    pub returns: Vec<(u32, u32)>,
}

/// Where code returns: between the last instruction that takes something from its frame, and the end of the one that returns.
pub fn returns(cpu: &Cpu, code: &[u8]) -> Vec<(u32, u32)> {
    let (epilogue, len) = cpu.epilogue;
    let ends = ends_of(epilogue, code);
    ends.map(|end| (end - len, end)).collect()
}

/// The places behind these instructions, if there are any.
fn ends_of(instructions: &[u8], code: &[u8]) -> impl Iterator<Item = u32> {
    let windows = code.windows(instructions.len().max(1)).enumerate();
    let found = windows.filter(move |(_, bytes)| *bytes == instructions);
    found.map(move |(at, bytes)| (at + bytes.len()) as u32)
}

/// The rules of a piece of code; see `image/frame.rs`. None if there are none that unwinders understand.
pub fn rules(cpu: &Cpu, code: &Code) -> Option<Vec<u8>> {
    let mut rules = Rules::default();
    // From the canonical frame address down to where saved registers begin; to the register that it counts from; and to the
    // frame pointer.
    let (mut saves, mut distance, mut above) = (0, 0, 0);
    let mut is_framed = false;
    for &(at, ref inst) in &code.unwind.prologue {
        if !matches!(inst, UnwindInst::DefineNewFrame { .. }) {
            rules.advance(at);
        }
        match *inst {
            UnwindInst::PushFrameRegs {
                offset_upward_to_caller_sp: up,
            } => {
                (above, distance) = (up, up);
                rules.distance(up);
                if let Some(register) = cpu.frame_pointer {
                    rules.saved(register, -(above as i32));
                }
                if !cpu.pushes {
                    rules.saved(cpu.return_address, 8 - above as i32);
                }
            }
            UnwindInst::DefineNewFrame {
                offset_upward_to_caller_sp: up,
                offset_downward_to_clobbers: down,
            } => {
                is_framed = cpu.frame_pointer.is_some();
                if !is_framed {
                    (saves, distance) = ((up + down) as i32, up);
                    continue;
                }
                // It can have made room for more arguments than it was given, and copied what a call saves below them.
                if cpu.pushes && up > above {
                    let mut set = ends_of(&SET_FRAME_POINTER, &code.bytes[..at as usize]);
                    if let (Some(first), Some(second)) = (set.next(), set.next()) {
                        rules.advance(first);
                        rules.count_from_frame_pointer(cpu);
                        rules.advance(second);
                        rules.distance(up);
                    }
                    distance = up;
                }
                rules.advance(at);
                if distance != above {
                    rules.distance(above);
                }
                rules.count_from_frame_pointer(cpu);
                saves = (above + down) as i32;
            }
            UnwindInst::StackAlloc { size } => {
                distance += size;
                if !is_framed {
                    rules.distance(distance);
                }
            }
            // Vectors are registers of their own on riscv64, which C never asks to keep.
            UnwindInst::SaveReg { reg, .. } if reg.class() as u8 == VECTORS => {}
            UnwindInst::SaveReg {
                clobber_offset,
                reg,
            } => {
                let register = (cpu.number)(is_float(reg.class() as u8), reg.hw_enc().into());
                rules.saved(register, clobber_offset as i32 - saves);
            }
            UnwindInst::RegStackOffset {
                clobber_offset,
                reg,
            } => {
                let register = (cpu.number)(is_float(reg.class() as u8), reg.hw_enc().into());
                rules.put(cfa::VAL_OFFSET);
                rules.number(register.into());
                rules.offset(clobber_offset as i32 - saves);
            }
            // Signatures of code in the tail convention are made without the stack pointer, by which unwinders check them.
            UnwindInst::Aarch64SetPointerAuth {
                return_addresses: true,
            } => return None,
            UnwindInst::Aarch64SetPointerAuth { .. } => {}
        }
    }
    if let Some((register, below)) = code.unwind.kept {
        rules.saved(register, below - above as i32);
    }
    let saved = std::mem::take(&mut rules.registers);
    for &(from, to) in &code.unwind.returns {
        rules.advance(from);
        rules.put(cfa::REMEMBER_STATE);
        rules.put(cfa::DEF_CFA);
        rules.number(cpu.stack_pointer.into());
        rules.number(cpu.entry_offset);
        for &register in &saved {
            rules.restored(register);
        }
        rules.advance(to);
        rules.put(cfa::RESTORE_STATE);
    }
    Some(rules.bytes)
}

/// `mov rbp, rsp`.
const SET_FRAME_POINTER: [u8; 3] = [0x48, 0x89, 0xe5];

/// The class of registers that are for vectors alone.
const VECTORS: u8 = 2;

/// Registers for integers are the first class of them.
fn is_float(class: u8) -> bool {
    class != 0
}

#[derive(Default)]
struct Rules {
    bytes: Vec<u8>,
    /// The place that they have come to.
    at: u32,
    /// What is saved.
    registers: Vec<u16>,
}

impl Rules {
    fn put(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn number(&mut self, number: u32) {
        uleb128(number, |byte| self.bytes.push(byte));
    }

    /// A distance from the canonical frame address, in bytes.
    fn offset(&mut self, offset: i32) {
        self.number((offset / FACTOR) as u32);
    }

    fn advance(&mut self, to: u32) {
        while self.at < to {
            let far = (to - self.at).min(u8::MAX.into());
            match far as u8 {
                far @ ..0x40 => self.put(cfa::ADVANCE_LOC | far),
                far => self.bytes.extend([cfa::ADVANCE_LOC1, far]),
            }
            self.at += far;
        }
    }

    /// The canonical frame address counts from the frame pointer, if there is one.
    fn count_from_frame_pointer(&mut self, cpu: &Cpu) {
        if let Some(register) = cpu.frame_pointer {
            self.put(cfa::DEF_CFA_REGISTER);
            self.number(register.into());
        }
    }

    /// The canonical frame address is so far from the register that it counts from.
    fn distance(&mut self, bytes: u32) {
        self.put(cfa::DEF_CFA_OFFSET);
        self.number(bytes);
    }

    /// A register is saved so far from the canonical frame address. One that is saved again, as Cranelift does with the frame
    /// pointer on riscv64, has been changed by then.
    fn saved(&mut self, register: u16, offset: i32) {
        if self.registers.contains(&register) {
            return;
        }
        self.registers.push(register);
        match register {
            ..64 => self.put(cfa::OFFSET | register as u8),
            _ => {
                self.put(cfa::OFFSET_EXTENDED);
                self.number(register.into());
            }
        }
        self.offset(offset);
    }

    /// A register is again as it was.
    fn restored(&mut self, register: u16) {
        match register {
            ..64 => self.put(cfa::RESTORE | register as u8),
            _ => {
                self.put(cfa::RESTORE_EXTENDED);
                self.number(register.into());
            }
        }
    }
}

/// The `UNWIND_INFO` of a piece of code for Windows on x86-64; none if it has no frame, or one that cannot be told of. Of an entry trampoline it names a
/// handler, which lies at this offset of the text.
///
/// The frame counts from where saved registers begin, which is at most [`windows::FARTHEST`] below the frame pointer: the ten
/// registers of 16 bytes and the seven of 8 that functions of C keep.
pub fn unwind_info(code: &Code, handler: u32) -> Option<Vec<u8>> {
    // The codes of each step, in the order of the steps; they are stored in the reverse one.
    let mut steps: Vec<Vec<u16>> = Vec::new();
    let mut frame = 0;
    let mut last = 0;
    for &(at, ref inst) in &code.unwind.prologue {
        // What is beyond is done where it is said to be done already, by which only a stop inside a prologue could be misled.
        last = at.min(u8::MAX.into()) as u16;
        let step = |operation: u8, info: u8| last | u16::from(operation | info << 4) << 8;
        match *inst {
            UnwindInst::PushFrameRegs { .. } => {
                steps.push(vec![step(windows::PUSH, windows::FRAME_POINTER)]);
            }
            UnwindInst::DefineNewFrame {
                offset_downward_to_clobbers: down,
                ..
            } => {
                // The frame pointer is above what is saved: it is as if the room for that had been made just before.
                if down > 0 {
                    steps.push(vec![step(windows::ALLOCATE, 0), (down / 8) as u16]);
                }
                steps.push(vec![step(windows::SET_FRAME_POINTER, 0)]);
                frame = down;
            }
            UnwindInst::SaveReg {
                clobber_offset: offset,
                reg,
            } => {
                let (operation, scale) = match is_float(reg.class() as u8) {
                    true => (windows::SAVE_FLOATS, 16),
                    false => (windows::SAVE, 8),
                };
                let operation = step(operation, reg.hw_enc());
                steps.push(vec![operation, (offset / scale) as u16]);
            }
            _ => {}
        }
    }
    let codes: Vec<u16> = steps.into_iter().rev().flatten().collect();
    let fits = frame <= windows::FARTHEST && code.unwind.kept.is_none();
    if codes.is_empty() || !fits {
        return None;
    }
    let flags = match code.entry {
        Some(_) => windows::HANDLES_UNWINDING,
        None => 0,
    };
    let mut info = vec![
        windows::VERSION | flags << 3,
        last as u8,
        codes.len() as u8,
        windows::FRAME_POINTER | ((frame / 16) as u8) << 4,
    ];
    // They fill words of four bytes.
    let padding = (codes.len() % 2 == 1).then_some(0);
    info.extend(codes.into_iter().chain(padding).flat_map(u16::to_le_bytes));
    if let Some(site) = &code.entry {
        info.extend(handler.to_le_bytes());
        // What the handler is told: how far the vmctx is below where the frame counts from.
        info.extend((site.frame - site.context - frame).to_le_bytes());
    }
    Some(info)
}
