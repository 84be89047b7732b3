//! Memory: loads, stores, and the bulk operations.
//!
//! Every access is compared against the memory's length, but for those that
//! fault where it ends ([`Translator::faults`]). What is known of the length at
//! compile time (a minimum that it never falls below, a maximum that fixes it)
//! makes the comparison cheaper or unnecessary.

use crate::compiler::recent::Computed;
use crate::compiler::translate::Translator;
use crate::compiler::trap::trap_code;
use crate::compiler::vm::Region;
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use crate::image::vmctx::VmMemory;
use crate::image::{GUARD, MemoryType};
use cranelift_codegen::ir::{
    Endianness, InstBuilder, MemFlagsData, Opcode, Type, Value, ValueDef,
    condcodes::IntCC,
    types::{F32, F64, I8, I8X16, I16, I16X8, I32, I32X4, I64, I64X2},
};
use std::mem::offset_of;
use wasmparser::{MemArg, MemArgTarget, Operator};

/// Loads and stores, which change no memory's definition.
pub fn access(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match *op {
        O::I32Load { memarg } => t.load(memarg, I32, I32, false),
        O::I64Load { memarg } => t.load(memarg, I64, I64, false),
        O::F32Load { memarg } => t.load(memarg, F32, F32, false),
        O::F64Load { memarg } => t.load(memarg, F64, F64, false),
        O::I32Load8S { memarg } => t.load(memarg, I8, I32, true),
        O::I32Load8U { memarg } => t.load(memarg, I8, I32, false),
        O::I32Load16S { memarg } => t.load(memarg, I16, I32, true),
        O::I32Load16U { memarg } => t.load(memarg, I16, I32, false),
        O::I64Load8S { memarg } => t.load(memarg, I8, I64, true),
        O::I64Load8U { memarg } => t.load(memarg, I8, I64, false),
        O::I64Load16S { memarg } => t.load(memarg, I16, I64, true),
        O::I64Load16U { memarg } => t.load(memarg, I16, I64, false),
        O::I64Load32S { memarg } => t.load(memarg, I32, I64, true),
        O::I64Load32U { memarg } => t.load(memarg, I32, I64, false),
        O::I32Store { memarg } => t.store(memarg, I32),
        O::I64Store { memarg } => t.store(memarg, I64),
        O::F32Store { memarg } => t.store(memarg, F32),
        O::F64Store { memarg } => t.store(memarg, F64),
        O::I32Store8 { memarg } | O::I64Store8 { memarg } => t.store(memarg, I8),
        O::I32Store16 { memarg } | O::I64Store16 { memarg } => t.store(memarg, I16),
        O::I64Store32 { memarg } => t.store(memarg, I32),
        O::V128Load { memarg } => t.load(memarg, I8X16, I8X16, false),
        O::V128Store { memarg } => t.store(memarg, I8X16),
        O::V128Load8x8S { memarg } => t.load_widened(memarg, I8X16, true),
        O::V128Load8x8U { memarg } => t.load_widened(memarg, I8X16, false),
        O::V128Load16x4S { memarg } => t.load_widened(memarg, I16X8, true),
        O::V128Load16x4U { memarg } => t.load_widened(memarg, I16X8, false),
        O::V128Load32x2S { memarg } => t.load_widened(memarg, I32X4, true),
        O::V128Load32x2U { memarg } => t.load_widened(memarg, I32X4, false),
        O::V128Load8Splat { memarg } => t.load_splat(memarg, I8X16),
        O::V128Load16Splat { memarg } => t.load_splat(memarg, I16X8),
        O::V128Load32Splat { memarg } => t.load_splat(memarg, I32X4),
        O::V128Load64Splat { memarg } => t.load_splat(memarg, I64X2),
        O::V128Load32Zero { memarg } => t.load_zero(memarg, I32X4),
        O::V128Load64Zero { memarg } => t.load_zero(memarg, I64X2),
        O::V128Load8Lane { memarg, lane } => t.load_lane(memarg, I8X16, lane),
        O::V128Load16Lane { memarg, lane } => t.load_lane(memarg, I16X8, lane),
        O::V128Load32Lane { memarg, lane } => t.load_lane(memarg, I32X4, lane),
        O::V128Load64Lane { memarg, lane } => t.load_lane(memarg, I64X2, lane),
        O::V128Store8Lane { memarg, lane } => t.store_lane(memarg, I8X16, lane),
        O::V128Store16Lane { memarg, lane } => t.store_lane(memarg, I16X8, lane),
        O::V128Store32Lane { memarg, lane } => t.store_lane(memarg, I32X4, lane),
        O::V128Store64Lane { memarg, lane } => t.store_lane(memarg, I64X2, lane),
        _ => return false,
    }
    true
}

pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match *op {
        O::MemorySize { mem } => {
            let len = t.memory_len(mem);
            let ty = t.memory_type(mem);
            let pages = t.vm.b.ins().ushr_imm_u(len, i64::from(ty.page_log2));
            t.push_index(pages, ty.memory64);
        }
        O::MemoryGrow { mem } => {
            let delta = t.pop();
            let delta = t.index(delta);
            let index = t.vm.iconst(I32, i64::from(mem));
            let old = t.vm.builtin(Builtin::MemoryGrow, &[index, delta]);
            let is64 = t.memory_type(mem).memory64;
            t.push_index(old.expect("it has a result"), is64);
        }
        O::MemoryFill { mem } => t.fill_memory(mem),
        O::MemoryCopy { dst_mem, src_mem } => t.copy_memory(dst_mem, src_mem),
        O::MemoryInit { data_index, mem } => {
            t.copy(Builtin::MemoryInit, mem, data_index);
            t.writes(mem);
        }
        O::DataDrop { data_index } => {
            let segment = t.vm.iconst(I32, i64::from(data_index));
            t.vm.builtin(Builtin::DataDrop, &[segment]);
        }
        _ => return false,
    }
    true
}

/// The memory that an access names.
pub fn memory_index(memarg: MemArg) -> u32 {
    match memarg.target {
        MemArgTarget::Memory(i) => i,
        MemArgTarget::Array(_) => unreachable!("arrays need garbage collection, which is off"),
    }
}

impl Translator<'_, '_> {
    /// An address or length operand as 64 bits.
    pub fn index(&mut self, value: Value) -> Value {
        match self.vm.b.func.dfg.value_type(value) {
            I64 => value,
            _ => self.once(Computed::Extended(value), |t| {
                t.vm.b.ins().uextend(I64, value)
            }),
        }
    }

    /// Copies a stretch, whose place, source and length are operands, with a builtin that takes two indices before them: of
    /// what is copied to, and of what is copied from.
    pub fn copy(&mut self, builtin: Builtin, to: u32, from: u32) {
        let (dst, src, len) = self.pop3();
        let (dst, src, len) = (self.index(dst), self.index(src), self.index(len));
        let to = self.vm.iconst(I32, i64::from(to));
        let from = self.vm.iconst(I32, i64::from(from));
        self.vm.builtin(builtin, &[to, from, dst, src, len]);
    }

    /// Pushes a size or index, as 32 bits where that is its type.
    pub fn push_index(&mut self, value: Value, is64: bool) {
        let value = match is64 {
            true => value,
            false => self.vm.b.ins().ireduce(I32, value),
        };
        self.push(value);
    }

    fn memory_type(&self, mem: u32) -> MemoryType {
        self.vm.env.module.memories[mem as usize]
    }

    /// The memory's length when it can never change.
    fn fixed_len(&self, mem: u32) -> Option<u64> {
        let ty = self.memory_type(mem);
        (ty.maximum == Some(ty.minimum)).then(|| ty.bytes(ty.minimum))
    }

    /// Where the memory's bytes are.
    pub fn memory_base(&mut self, mem: u32) -> Value {
        let stays = self
            .memory_type(mem)
            .stays(self.vm.env.target.memory_moves());
        self.load_definition(mem, offset_of!(VmMemory, base), stays)
    }

    fn load_definition(&mut self, mem: u32, field: usize, fixed: bool) -> Value {
        let shared = self.memory_type(mem).shared;
        let place = self.vm.env.layout.memory(mem, shared);
        match shared && !fixed {
            // Another thread may change it at any time.
            true => self.vm.load_definition(place, field, fixed),
            false => self.once(Computed::Field(mem, field), |t| {
                t.vm.load_definition(place, field, fixed)
            }),
        }
    }

    /// The memory's length in bytes.
    pub fn memory_len(&mut self, mem: u32) -> Value {
        match self.fixed_len(mem) {
            Some(len) => self.vm.iconst(I64, len as i64),
            None => self.load_definition(mem, offset_of!(VmMemory, len), false),
        }
    }

    /// Whether an access needs no comparison, since it faults if it is out of bounds.
    fn faults(&self, memarg: MemArg, size: u32) -> bool {
        let end = memarg.offset.saturating_add(u64::from(size));
        self.is_guarded(memory_index(memarg)) && end <= GUARD as u64
    }

    /// Whether all that 32 bits address of a memory is either in it or faults.
    fn is_guarded(&self, mem: u32) -> bool {
        self.vm.env.target.faults() && self.memory_type(mem).can_be_guarded()
    }

    /// A base and an immediate offset for an access to `size` bytes at the address. If these are not in the memory, this
    /// traps, or the access will.
    pub fn accessed_address(&mut self, memarg: MemArg, address: Value, size: u32) -> (Value, i32) {
        match self.faults(memarg, size) {
            true => {
                let address = self.index(address);
                self.based(memarg, address)
            }
            false => self.checked_address(memarg, address, size),
        }
    }

    /// Traps unless `size` bytes at the address are in the memory; gives a base
    /// and an immediate offset that reach them.
    pub fn checked_address(&mut self, memarg: MemArg, address: Value, size: u32) -> (Value, i32) {
        let mem = memory_index(memarg);
        // Where the access ends, counted from the address.
        let end = memarg.offset.saturating_add(u64::from(size));
        let ty = self.memory_type(mem);
        let least = ty.bytes(ty.minimum);
        let known = self.constant(address);
        let mut address = self.index(address);
        if known.is_none_or(|a| a.checked_add(end).is_none_or(|end| end > least)) {
            let over = self.out_of_bounds(mem, address, end, least);
            self.vm.trap_if(over, Trap::OutOfBoundsMemory);
            address = self.unless_mispredicted(over, address);
        }
        self.based(memarg, address)
    }

    /// An address, or 0 if the CPU goes on although it is out of bounds, where the host wants that: a mispredicted branch must
    /// not read beyond the memory either.
    pub fn unless_mispredicted(&mut self, over: Value, address: Value) -> Value {
        if !self.vm.env.target.heap_spectre_mitigation() {
            return address;
        }
        let zero = self.vm.iconst(I64, 0);
        let b = &mut self.vm.b;
        b.ins().select_spectre_guard(over, zero, address)
    }

    /// A base and an immediate offset that reach what an access wants at this address.
    fn based(&mut self, memarg: MemArg, address: Value) -> (Value, i32) {
        let mem = memory_index(memarg);
        let base = self.memory_base(mem);
        let base = self.vm.b.ins().iadd(base, address);
        match i32::try_from(memarg.offset) {
            Ok(offset) => (base, offset),
            Err(_) => {
                let offset = self.vm.iconst(I64, memarg.offset as i64);
                (self.vm.b.ins().iadd(base, offset), 0)
            }
        }
    }

    /// Whether `address + end` is past the end of a memory that has at least `least` bytes.
    fn out_of_bounds(&mut self, mem: u32, address: Value, end: u64, least: u64) -> Value {
        let over = IntCC::UnsignedGreaterThan;
        if let Some(len) = self.fixed_len(mem) {
            return match len.checked_sub(end) {
                Some(last) => {
                    let last = self.vm.iconst(I64, last as i64);
                    self.vm.b.ins().icmp(over, address, last)
                }
                None => self.vm.iconst(I8, 1),
            };
        }
        let len = self.memory_len(mem);
        if end <= least {
            // No underflow; and accesses with one offset share the difference.
            let last = self.once(Computed::Last(len, end), |t| {
                let end = t.vm.iconst(I64, end as i64);
                t.vm.b.ins().isub(len, end)
            });
            return self.vm.b.ins().icmp(over, address, last);
        }
        let end = self.vm.iconst(I64, end as i64);
        self.is_beyond(mem, address, end, len)
    }

    /// Whether `address + end` is past a memory's length, however long that is.
    pub fn is_beyond(&mut self, mem: u32, address: Value, end: Value, len: Value) -> Value {
        let over = IntCC::UnsignedGreaterThan;
        let memory64 = self.memory_type(mem).memory64;
        let b = &mut self.vm.b;
        if memory64 {
            let small = b.ins().icmp(over, end, len);
            let last = b.ins().isub(len, end);
            let beyond = b.ins().icmp(over, address, last);
            return b.ins().bor(small, beyond);
        }
        // Both are below 2^33, so the sum does not overflow.
        let sum = b.ins().iadd(address, end);
        b.ins().icmp(over, sum, len)
    }

    /// The value of an address that is a constant.
    pub fn constant(&self, value: Value) -> Option<u64> {
        let dfg = &self.vm.b.func.dfg;
        let ValueDef::Result(inst, _) = dfg.value_def(value) else {
            return None;
        };
        match dfg.insts[inst] {
            cranelift_codegen::ir::InstructionData::UnaryImm {
                opcode: Opcode::Iconst,
                imm,
            } => match dfg.value_type(value) {
                I32 => Some(u64::from(imm.bits() as u32)),
                _ => Some(imm.bits() as u64),
            },
            _ => None,
        }
    }

    /// Notes that the function writes a memory.
    pub fn writes(&mut self, mem: u32) {
        self.vm.needs.written_memories.insert(mem);
    }

    /// Flags of an access to wasm memory: little-endian, anywhere, in that memory's region.
    pub fn memory_flags(&mut self, mem: u32) -> MemFlagsData {
        let flags = self.checked_flags(mem);
        match self.is_guarded(mem) {
            true => flags.with_trap_code(Some(trap_code(Trap::OutOfBoundsMemory))),
            false => flags,
        }
    }

    /// Flags of an access that was compared, so that it does not fault.
    pub fn checked_flags(&mut self, mem: u32) -> MemFlagsData {
        let imported = self.vm.env.module.imported_memories;
        let region = match mem.checked_sub(imported) {
            Some(i) => Region::Memory(i + 1),
            None => Region::Memory(0),
        };
        let region = self.vm.flags(region).alias_region();
        MemFlagsData::new()
            .with_notrap()
            .with_endianness(Endianness::Little)
            .with_alias_region(region)
    }

    /// Pops an address and loads from it.
    fn load_value(&mut self, memarg: MemArg, ty: Type) -> Value {
        let address = self.pop();
        let (base, offset) = self.accessed_address(memarg, address, ty.bytes());
        let flags = self.memory_flags(memory_index(memarg));
        self.vm.b.ins().load(ty, flags, base, offset)
    }

    /// Pops an address, loads from it, and extends what is loaded to the type.
    fn load(&mut self, memarg: MemArg, stored: Type, ty: Type, signed: bool) {
        let address = self.pop();
        let (base, offset) = self.accessed_address(memarg, address, stored.bytes());
        let flags = self.memory_flags(memory_index(memarg));
        let ins = self.vm.b.ins();
        let value = match (stored, signed) {
            _ if stored == ty => ins.load(ty, flags, base, offset),
            (I8, true) => ins.sload8(ty, flags, base, offset),
            (I8, false) => ins.uload8(ty, flags, base, offset),
            (I16, true) => ins.sload16(ty, flags, base, offset),
            (I16, false) => ins.uload16(ty, flags, base, offset),
            (_, true) => ins.sload32(flags, base, offset),
            (_, false) => ins.uload32(flags, base, offset),
        };
        self.push(value);
    }

    /// Loads eight bytes as lanes of this type and widens each.
    fn load_widened(&mut self, memarg: MemArg, ty: Type, signed: bool) {
        let address = self.pop();
        let (base, offset) = self.accessed_address(memarg, address, 8);
        let flags = self.memory_flags(memory_index(memarg));
        let ins = self.vm.b.ins();
        let value = match (ty, signed) {
            (I8X16, true) => ins.sload8x8(flags, base, offset),
            (I8X16, false) => ins.uload8x8(flags, base, offset),
            (I16X8, true) => ins.sload16x4(flags, base, offset),
            (I16X8, false) => ins.uload16x4(flags, base, offset),
            (_, true) => ins.sload32x2(flags, base, offset),
            (_, false) => ins.uload32x2(flags, base, offset),
        };
        self.push_lanes(value);
    }

    fn load_splat(&mut self, memarg: MemArg, ty: Type) {
        let value = self.load_value(memarg, ty.lane_type());
        let value = self.vm.b.ins().splat(ty, value);
        self.push_lanes(value);
    }

    fn load_zero(&mut self, memarg: MemArg, ty: Type) {
        let value = self.load_value(memarg, ty.lane_type());
        let value = self.vm.b.ins().scalar_to_vector(ty, value);
        self.push_lanes(value);
    }

    fn load_lane(&mut self, memarg: MemArg, ty: Type, lane: u8) {
        let vector = self.pop_lanes(ty);
        let value = self.load_value(memarg, ty.lane_type());
        let value = self.vm.b.ins().insertlane(vector, value, lane);
        self.push_lanes(value);
    }

    fn store_lane(&mut self, memarg: MemArg, ty: Type, lane: u8) {
        let vector = self.pop_lanes(ty);
        let value = self.vm.b.ins().extractlane(vector, lane);
        self.push(value);
        self.store(memarg, ty.lane_type());
    }

    fn store(&mut self, memarg: MemArg, stored: Type) {
        let (address, mut value) = self.pop2();
        let (base, offset) = self.accessed_address(memarg, address, stored.bytes());
        let flags = self.memory_flags(memory_index(memarg));
        if self.vm.b.func.dfg.value_type(value) != stored {
            value = self.vm.b.ins().ireduce(stored, value);
        }
        self.vm.b.ins().store(flags, value, base, offset);
        self.writes(memory_index(memarg));
    }
}
