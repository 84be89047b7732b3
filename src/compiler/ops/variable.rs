//! Locals, globals, and what moves operands: drop, select, constants, references.

use crate::compiler::translate::Translator;
use crate::compiler::vm::{Region, clif_type};
use crate::image::ConstOp;
use crate::image::trap::Trap;
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Value,
    condcodes::IntCC,
    immediates::{Ieee32, Ieee64},
    types::{I32, I64},
};
use wasmparser::Operator;

pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    match *op {
        Operator::LocalGet { local_index } => {
            let value = t.local_get(local_index);
            t.push(value);
        }
        Operator::LocalSet { local_index } => {
            let value = t.pop();
            t.local_set(local_index, value);
        }
        Operator::LocalTee { local_index } => {
            let value = t.top(1)[0];
            t.local_set(local_index, value);
        }
        Operator::GlobalGet { global_index } => {
            let value = t.global_get(global_index);
            t.push(value);
        }
        Operator::GlobalSet { global_index } => {
            let value = t.pop();
            let (base, offset, flags) = t.global(global_index);
            t.vm.b.ins().store(flags, value, base, offset);
        }
        Operator::Drop => {
            t.pop();
        }
        Operator::Select | Operator::TypedSelect { .. } => {
            let (x, y, condition) = t.pop3();
            let value = t.vm.b.ins().select(condition, x, y);
            t.push(value);
        }
        Operator::I32Const { value } => {
            let value = t.vm.iconst(I32, i64::from(value as u32));
            t.push(value);
        }
        Operator::I64Const { value } => {
            let value = t.vm.iconst(I64, value);
            t.push(value);
        }
        Operator::F32Const { value } => {
            let value = t.vm.b.ins().f32const(Ieee32::with_bits(value.bits()));
            t.push(value);
        }
        Operator::F64Const { value } => {
            let value = t.vm.b.ins().f64const(Ieee64::with_bits(value.bits()));
            t.push(value);
        }
        Operator::RefNull { .. } => {
            let value = t.vm.iconst(I64, 0);
            t.push(value);
        }
        Operator::RefIsNull => {
            let value = t.pop();
            let null = t.vm.b.ins().icmp_imm_u(IntCC::Equal, value, 0);
            let null = t.vm.b.ins().uextend(I32, null);
            t.push(null);
        }
        Operator::RefAsNonNull => {
            let value = t.top(1)[0];
            t.vm.trap_if_zero(value, Trap::NullReference);
        }
        Operator::RefFunc { function_index } => {
            let module = t.vm.env.module;
            let slot = module
                .func_ref_slot(function_index)
                .expect("ref.func names a declared function");
            let offset = t.vm.env.layout.func_ref(slot);
            let value = t.vm.b.ins().iadd_imm_s(t.vm.vmctx, i64::from(offset));
            t.push(value);
        }
        _ => return false,
    }
    true
}

impl Translator<'_, '_> {
    /// Where a global is, and how it is accessed.
    fn global(&mut self, global: u32) -> (Value, i32, MemFlagsData) {
        let module = self.vm.env.module;
        let place = self.vm.env.layout.global(global);
        let (base, offset) = self.vm.place(place);
        // Imported globals may be one and the same; defined ones are their own.
        let region = match global.checked_sub(module.imported_globals) {
            Some(i) => Region::Global(i + 1),
            None => Region::Global(0),
        };
        let mut flags = self.vm.flags(region);
        if !module.globals[global as usize].mutable {
            flags = flags.with_readonly().with_can_move();
        }
        (base, offset, flags)
    }

    fn global_get(&mut self, global: u32) -> Value {
        let module = self.vm.env.module;
        let ty = module.globals[global as usize];
        if !ty.mutable
            && let Some(i) = global.checked_sub(module.imported_globals)
        {
            // A constant that the module itself defines is known now.
            let b = &mut self.vm.b;
            match module.global_inits[i as usize][..] {
                [ConstOp::I32(v)] => return b.ins().iconst(I32, i64::from(v as u32)),
                [ConstOp::I64(v)] => return b.ins().iconst(I64, v),
                [ConstOp::F32(v)] => return b.ins().f32const(Ieee32::with_bits(v)),
                [ConstOp::F64(v)] => return b.ins().f64const(Ieee64::with_bits(v)),
                _ => {}
            }
        }
        let (base, offset, flags) = self.global(global);
        let ty = clif_type(ty.content);
        self.vm.b.ins().load(ty, flags, base, offset)
    }
}
