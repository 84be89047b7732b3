//! Atomic accesses, fences, and waiting.

use super::memory::memory_index;
use crate::compiler::translate::Translator;
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use cranelift_codegen::ir::{
    AtomicRmwOp as Rmw, InstBuilder, MemFlagsData, Type, Value,
    types::{I8, I16, I32, I64},
};
use wasmparser::{MemArg, Operator};

pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    access(t, op) || modify(t, op) || wait(t, op)
}

fn access(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match *op {
        O::I32AtomicLoad { memarg } => t.atomic_load(memarg, I32, I32),
        O::I32AtomicStore { memarg } => t.atomic_store(memarg, I32),
        O::I64AtomicLoad { memarg } => t.atomic_load(memarg, I64, I64),
        O::I64AtomicStore { memarg } => t.atomic_store(memarg, I64),
        O::I32AtomicLoad8U { memarg } => t.atomic_load(memarg, I8, I32),
        O::I32AtomicStore8 { memarg } => t.atomic_store(memarg, I8),
        O::I32AtomicLoad16U { memarg } => t.atomic_load(memarg, I16, I32),
        O::I32AtomicStore16 { memarg } => t.atomic_store(memarg, I16),
        O::I64AtomicLoad8U { memarg } => t.atomic_load(memarg, I8, I64),
        O::I64AtomicStore8 { memarg } => t.atomic_store(memarg, I8),
        O::I64AtomicLoad16U { memarg } => t.atomic_load(memarg, I16, I64),
        O::I64AtomicStore16 { memarg } => t.atomic_store(memarg, I16),
        O::I64AtomicLoad32U { memarg } => t.atomic_load(memarg, I32, I64),
        O::I64AtomicStore32 { memarg } => t.atomic_store(memarg, I32),
        _ => return false,
    }
    true
}

fn modify(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match *op {
        O::I32AtomicRmwAdd { memarg } => t.atomic_rmw(memarg, I32, I32, Rmw::Add),
        O::I64AtomicRmwAdd { memarg } => t.atomic_rmw(memarg, I64, I64, Rmw::Add),
        O::I32AtomicRmw8AddU { memarg } => t.atomic_rmw(memarg, I8, I32, Rmw::Add),
        O::I32AtomicRmw16AddU { memarg } => t.atomic_rmw(memarg, I16, I32, Rmw::Add),
        O::I64AtomicRmw8AddU { memarg } => t.atomic_rmw(memarg, I8, I64, Rmw::Add),
        O::I64AtomicRmw16AddU { memarg } => t.atomic_rmw(memarg, I16, I64, Rmw::Add),
        O::I64AtomicRmw32AddU { memarg } => t.atomic_rmw(memarg, I32, I64, Rmw::Add),
        O::I32AtomicRmwSub { memarg } => t.atomic_rmw(memarg, I32, I32, Rmw::Sub),
        O::I64AtomicRmwSub { memarg } => t.atomic_rmw(memarg, I64, I64, Rmw::Sub),
        O::I32AtomicRmw8SubU { memarg } => t.atomic_rmw(memarg, I8, I32, Rmw::Sub),
        O::I32AtomicRmw16SubU { memarg } => t.atomic_rmw(memarg, I16, I32, Rmw::Sub),
        O::I64AtomicRmw8SubU { memarg } => t.atomic_rmw(memarg, I8, I64, Rmw::Sub),
        O::I64AtomicRmw16SubU { memarg } => t.atomic_rmw(memarg, I16, I64, Rmw::Sub),
        O::I64AtomicRmw32SubU { memarg } => t.atomic_rmw(memarg, I32, I64, Rmw::Sub),
        O::I32AtomicRmwAnd { memarg } => t.atomic_rmw(memarg, I32, I32, Rmw::And),
        O::I64AtomicRmwAnd { memarg } => t.atomic_rmw(memarg, I64, I64, Rmw::And),
        O::I32AtomicRmw8AndU { memarg } => t.atomic_rmw(memarg, I8, I32, Rmw::And),
        O::I32AtomicRmw16AndU { memarg } => t.atomic_rmw(memarg, I16, I32, Rmw::And),
        O::I64AtomicRmw8AndU { memarg } => t.atomic_rmw(memarg, I8, I64, Rmw::And),
        O::I64AtomicRmw16AndU { memarg } => t.atomic_rmw(memarg, I16, I64, Rmw::And),
        O::I64AtomicRmw32AndU { memarg } => t.atomic_rmw(memarg, I32, I64, Rmw::And),
        O::I32AtomicRmwOr { memarg } => t.atomic_rmw(memarg, I32, I32, Rmw::Or),
        O::I64AtomicRmwOr { memarg } => t.atomic_rmw(memarg, I64, I64, Rmw::Or),
        O::I32AtomicRmw8OrU { memarg } => t.atomic_rmw(memarg, I8, I32, Rmw::Or),
        O::I32AtomicRmw16OrU { memarg } => t.atomic_rmw(memarg, I16, I32, Rmw::Or),
        O::I64AtomicRmw8OrU { memarg } => t.atomic_rmw(memarg, I8, I64, Rmw::Or),
        O::I64AtomicRmw16OrU { memarg } => t.atomic_rmw(memarg, I16, I64, Rmw::Or),
        O::I64AtomicRmw32OrU { memarg } => t.atomic_rmw(memarg, I32, I64, Rmw::Or),
        O::I32AtomicRmwXor { memarg } => t.atomic_rmw(memarg, I32, I32, Rmw::Xor),
        O::I64AtomicRmwXor { memarg } => t.atomic_rmw(memarg, I64, I64, Rmw::Xor),
        O::I32AtomicRmw8XorU { memarg } => t.atomic_rmw(memarg, I8, I32, Rmw::Xor),
        O::I32AtomicRmw16XorU { memarg } => t.atomic_rmw(memarg, I16, I32, Rmw::Xor),
        O::I64AtomicRmw8XorU { memarg } => t.atomic_rmw(memarg, I8, I64, Rmw::Xor),
        O::I64AtomicRmw16XorU { memarg } => t.atomic_rmw(memarg, I16, I64, Rmw::Xor),
        O::I64AtomicRmw32XorU { memarg } => t.atomic_rmw(memarg, I32, I64, Rmw::Xor),
        O::I32AtomicRmwXchg { memarg } => t.atomic_rmw(memarg, I32, I32, Rmw::Xchg),
        O::I64AtomicRmwXchg { memarg } => t.atomic_rmw(memarg, I64, I64, Rmw::Xchg),
        O::I32AtomicRmw8XchgU { memarg } => t.atomic_rmw(memarg, I8, I32, Rmw::Xchg),
        O::I32AtomicRmw16XchgU { memarg } => t.atomic_rmw(memarg, I16, I32, Rmw::Xchg),
        O::I64AtomicRmw8XchgU { memarg } => t.atomic_rmw(memarg, I8, I64, Rmw::Xchg),
        O::I64AtomicRmw16XchgU { memarg } => t.atomic_rmw(memarg, I16, I64, Rmw::Xchg),
        O::I64AtomicRmw32XchgU { memarg } => t.atomic_rmw(memarg, I32, I64, Rmw::Xchg),
        O::I32AtomicRmwCmpxchg { memarg } => t.atomic_cas(memarg, I32, I32),
        O::I64AtomicRmwCmpxchg { memarg } => t.atomic_cas(memarg, I64, I64),
        O::I32AtomicRmw8CmpxchgU { memarg } => t.atomic_cas(memarg, I8, I32),
        O::I32AtomicRmw16CmpxchgU { memarg } => t.atomic_cas(memarg, I16, I32),
        O::I64AtomicRmw8CmpxchgU { memarg } => t.atomic_cas(memarg, I8, I64),
        O::I64AtomicRmw16CmpxchgU { memarg } => t.atomic_cas(memarg, I16, I64),
        O::I64AtomicRmw32CmpxchgU { memarg } => t.atomic_cas(memarg, I32, I64),
        _ => return false,
    }
    true
}

fn wait(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match *op {
        O::AtomicFence { .. } => {
            t.vm.b.ins().fence();
        }
        O::MemoryAtomicNotify { memarg } => {
            let count = t.pop();
            let address = t.waiting_address(memarg, I32);
            t.wait_builtin(Builtin::MemoryNotify, memarg, &[address, count]);
        }
        O::MemoryAtomicWait32 { memarg } => {
            let (expected, timeout) = t.pop2();
            let address = t.waiting_address(memarg, I32);
            t.wait_builtin(Builtin::MemoryWait32, memarg, &[address, expected, timeout]);
        }
        O::MemoryAtomicWait64 { memarg } => {
            let (expected, timeout) = t.pop2();
            let address = t.waiting_address(memarg, I64);
            t.wait_builtin(Builtin::MemoryWait64, memarg, &[address, expected, timeout]);
        }
        _ => return false,
    }
    true
}

impl Translator<'_, '_> {
    /// Pops the address of an atomic access, and traps unless it is aligned; gives where it is in this process. If that
    /// is not in the memory, this traps, or the access will.
    fn atomic_address(&mut self, memarg: MemArg, ty: Type) -> Value {
        let address = self.aligned_address(memarg, ty);
        let (base, offset) = match self.vm.env.target.atomics_fault() {
            true => self.accessed_address(memarg, address, ty.bytes()),
            false => self.checked_address(memarg, address, ty.bytes()),
        };
        self.vm.b.ins().iadd_imm_s(base, i64::from(offset))
    }

    /// As above, for a builtin that does not access it.
    fn waiting_address(&mut self, memarg: MemArg, ty: Type) -> Value {
        let address = self.aligned_address(memarg, ty);
        let (base, offset) = self.checked_address(memarg, address, ty.bytes());
        self.vm.b.ins().iadd_imm_s(base, i64::from(offset))
    }

    /// Pops an address, and traps unless it is aligned together with its offset.
    fn aligned_address(&mut self, memarg: MemArg, ty: Type) -> Value {
        let address = self.pop();
        let wide = self.index(address);
        let b = &mut self.vm.b;
        let offset = b.ins().iconst(I64, memarg.offset as i64);
        let effective = b.ins().iadd(wide, offset);
        let low = b.ins().band_imm_u(effective, i64::from(ty.bytes() - 1));
        self.vm.trap_if(low, Trap::UnalignedAtomic);
        address
    }

    fn atomic_flags(&mut self, memarg: MemArg) -> MemFlagsData {
        self.memory_flags(memory_index(memarg)).with_aligned()
    }

    fn widen(&mut self, value: Value, ty: Type) -> Value {
        match self.vm.b.func.dfg.value_type(value) == ty {
            true => value,
            false => self.vm.b.ins().uextend(ty, value),
        }
    }

    fn narrow(&mut self, value: Value, ty: Type) -> Value {
        match self.vm.b.func.dfg.value_type(value) == ty {
            true => value,
            false => self.vm.b.ins().ireduce(ty, value),
        }
    }

    fn atomic_load(&mut self, memarg: MemArg, accessed: Type, ty: Type) {
        let address = self.atomic_address(memarg, accessed);
        let flags = self.atomic_flags(memarg);
        let value = self.vm.b.ins().atomic_load(accessed, flags, address);
        let value = self.widen(value, ty);
        self.push(value);
    }

    fn atomic_store(&mut self, memarg: MemArg, accessed: Type) {
        self.writes(memory_index(memarg));
        let value = self.pop();
        let value = self.narrow(value, accessed);
        let address = self.atomic_address(memarg, accessed);
        let flags = self.atomic_flags(memarg);
        self.vm.b.ins().atomic_store(flags, value, address);
    }

    fn atomic_rmw(&mut self, memarg: MemArg, accessed: Type, ty: Type, op: Rmw) {
        self.writes(memory_index(memarg));
        let value = self.pop();
        let value = self.narrow(value, accessed);
        let address = self.atomic_address(memarg, accessed);
        let flags = self.atomic_flags(memarg);
        let old = self
            .vm
            .b
            .ins()
            .atomic_rmw(accessed, flags, op, address, value);
        let old = self.widen(old, ty);
        self.push(old);
    }

    fn atomic_cas(&mut self, memarg: MemArg, accessed: Type, ty: Type) {
        self.writes(memory_index(memarg));
        let (expected, value) = self.pop2();
        let value = self.narrow(value, accessed);
        let narrow = self.narrow(expected, accessed);
        let address = self.atomic_address(memarg, accessed);
        let flags = self.atomic_flags(memarg);
        let old = self.vm.b.ins().atomic_cas(flags, address, narrow, value);
        let old = self.widen(old, ty);
        self.push(old);
    }

    fn wait_builtin(&mut self, builtin: Builtin, memarg: MemArg, args: &[Value]) {
        let memory = self.vm.iconst(I32, i64::from(memory_index(memarg)));
        let args: Vec<Value> = [memory].iter().chain(args).copied().collect();
        let value = self.vm.builtin(builtin, &args);
        self.push(value.expect("it has a result"));
    }
}
