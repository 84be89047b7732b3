//! `memory.copy` and `memory.fill`.
//!
//! Both compare first, and then nothing can fail (specification, section 4.4.7: a range that is not in the memory traps before
//! anything is written). What is left is C's `memmove` and `memset`, builtins that are called without leaving wasm. Few
//! bytes, where their number is a constant, are loaded and stored in place. Code that can be stopped leaves wasm: then their
//! length is paid, and it is done in steps, between which it can be interrupted.

use crate::compiler::translate::Translator;
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use crate::image::vmctx::WORD;
use cranelift_codegen::ir::types::{I8, I8X16, I16, I32, I64};
use cranelift_codegen::ir::{InstBuilder, Type, Value};

/// The most bytes that are copied or filled in place.
const MOST_IN_PLACE: u64 = 64;

impl Translator<'_, '_> {
    pub fn copy_memory(&mut self, to: u32, from: u32) {
        self.writes(to);
        let (target, source, len) = self.pop3();
        let known = self.constant(len);
        // The shorter of two addresses' types is that of the length.
        let (target, source, len) = (self.index(target), self.index(source), self.index(len));
        let target = self.range(to, target, len);
        let source = self.range(from, source, len);
        let Some(pieces) = known.and_then(|len| self.pieces(len)) else {
            let copy = match self.vm.env.target.can_stop() {
                true => Builtin::MemoryCopyInSteps,
                false => Builtin::MemoryCopy,
            };
            self.vm.builtin(copy, &[target, source, len]);
            return;
        };
        self.charge_words(known);
        // The ranges may overlap, so all is loaded before any is stored.
        let flags = self.checked_flags(from);
        let loaded: Vec<_> = pieces
            .into_iter()
            .map(|(at, ty)| (at, self.vm.b.ins().load(ty, flags, source, at)))
            .collect();
        let flags = self.checked_flags(to);
        for (at, value) in loaded {
            self.vm.b.ins().store(flags, value, target, at);
        }
    }

    pub fn fill_memory(&mut self, mem: u32) {
        self.writes(mem);
        let (target, value, len) = self.pop3();
        let known = self.constant(len);
        let (target, len) = (self.index(target), self.index(len));
        let target = self.range(mem, target, len);
        let Some(pieces) = known.and_then(|len| self.pieces(len)) else {
            let fill = match self.vm.env.target.can_stop() {
                true => Builtin::MemoryFillInSteps,
                false => Builtin::MemoryFill,
            };
            self.vm.builtin(fill, &[target, value, len]);
            return;
        };
        self.charge_words(known);
        let flags = self.checked_flags(mem);
        let byte = self.vm.b.ins().ireduce(I8, value);
        for (at, ty) in pieces {
            let value = self.repeated(byte, ty);
            self.vm.b.ins().store(flags, value, target, at);
        }
    }

    /// Charges for bytes that are accessed in place what a builtin would.
    fn charge_words(&mut self, bytes: Option<u64>) {
        let words = bytes.unwrap_or(0) / WORD;
        if self.vm.env.target.fuel() && words > 0 {
            self.charge(words);
        }
    }

    /// Traps unless so many bytes at the address are in the memory; gives a pointer to them.
    fn range(&mut self, mem: u32, address: Value, len: Value) -> Value {
        let size = self.memory_len(mem);
        let over = self.is_beyond(mem, address, len, size);
        self.vm.trap_if(over, Trap::OutOfBoundsMemory);
        let address = self.unless_mispredicted(over, address);
        let base = self.memory_base(mem);
        self.vm.b.ins().iadd(base, address)
    }

    /// Where and as what so many bytes are accessed, if they are few. The last piece may overlap the one before.
    fn pieces(&self, len: u64) -> Option<Vec<(i32, Type)>> {
        let types = match self.vm.env.target.has_vectors() {
            true => &[I8X16, I64, I32, I16, I8][..],
            false => &[I64, I32, I16, I8],
        };
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < len.min(MOST_IN_PLACE) {
            let left = len - at;
            let size = |ty: &Type| u64::from(ty.bytes());
            let fits = types.iter().find(|ty| size(ty) <= left)?;
            // One that is larger than what is left, if it can begin before that.
            let larger = types
                .iter()
                .rev()
                .find(|ty| size(ty) >= left && size(ty) <= len);
            let ty = *larger.filter(|_| at > 0).unwrap_or(fits);
            let start = at.min(len - size(&ty));
            pieces.push((start as i32, ty));
            at = start + size(&ty);
        }
        (len <= MOST_IN_PLACE).then_some(pieces)
    }

    /// A value of this type that has this byte in each of its bytes.
    fn repeated(&mut self, byte: Value, ty: Type) -> Value {
        let ins = self.vm.b.ins();
        match ty {
            I8 => byte,
            I8X16 => ins.splat(I8X16, byte),
            _ => {
                let wide = ins.uextend(ty, byte);
                let ones = (u64::MAX >> (64 - ty.bits())) / 0xff;
                let ones = self.vm.iconst(ty, ones as i64);
                self.vm.b.ins().imul(wide, ones)
            }
        }
    }
}
