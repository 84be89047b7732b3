//! Calls: direct, imported, and through a table.

use crate::compile::Symbol;
use crate::compile::exception::Target;
use crate::compile::func::Translator;
use crate::compile::vm::{Region, symbol, wasm_signature};
use crate::layout::{VmContext, VmFuncImport, VmFuncRef};
use crate::trap::Trap;
use cranelift_codegen::ir::{
    InstBuilder, Value,
    condcodes::IntCC,
    types::{I32, I64},
};
use std::mem::offset_of;
use wasmparser::Operator;

/// Where a call goes.
enum Callee {
    /// A function that this module defines.
    Defined(u32),
    /// An address, and the vmctx that it takes.
    Pointer(Value, Value),
}

pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    match *op {
        Operator::Call { function_index } => {
            let ty = t.vm.env.module.funcs[function_index as usize];
            let callee = t.callee(function_index);
            t.call(ty, callee);
        }
        Operator::ReturnCall { function_index } => {
            let ty = t.vm.env.module.funcs[function_index as usize];
            let callee = t.callee(function_index);
            t.return_call(ty, callee);
        }
        Operator::ReturnCallIndirect {
            type_index,
            table_index,
        } => {
            let index = t.pop();
            let callee = t.indirect_callee(type_index, table_index, index);
            t.return_call(type_index, callee);
        }
        Operator::CallIndirect {
            type_index,
            table_index,
        } => {
            let index = t.pop();
            let callee = t.indirect_callee(type_index, table_index, index);
            t.call(type_index, callee);
        }
        Operator::CallRef { type_index } => {
            let callee = t.reference_callee(type_index);
            t.call(type_index, callee);
        }
        Operator::ReturnCallRef { type_index } => {
            let callee = t.reference_callee(type_index);
            t.return_call(type_index, callee);
        }
        _ => return false,
    }
    true
}

impl Translator<'_, '_> {
    fn callee(&mut self, func: u32) -> Callee {
        let module = self.vm.env.module;
        if func >= module.imported_funcs {
            return Callee::Defined(func);
        }
        let import = self.vm.env.layout.imported_func(func);
        let at = |field: usize| import + field as u32;
        let vmctx = self.vm.vmctx;
        let code = self
            .vm
            .load_constant(vmctx, at(offset_of!(VmFuncImport, code)));
        let callee = self
            .vm
            .load_constant(vmctx, at(offset_of!(VmFuncImport, vmctx)));
        Callee::Pointer(code, callee)
    }

    /// Looks up a table element and checks that it is a function of this type.
    fn indirect_callee(&mut self, ty: u32, table: u32, index: Value) -> Callee {
        let func_ref = self.table_element(table, index, Trap::UndefinedElement);
        self.vm.trap_if_zero(func_ref, Trap::UninitializedElement);

        // A function reference does not change once it can be seen.
        let flags = super::super::vm::constant();
        let flags_here = self.vm.flags(Region::Store);
        let types = self
            .vm
            .load_constant(self.vm.vmctx, offset_of!(VmContext, type_ids) as u32);
        let b = &mut self.vm.b;
        let wanted = b.ins().load(I32, flags, types, ty as i32 * 4);
        let actual = b.ins().load(
            I32,
            flags_here,
            func_ref,
            offset_of!(VmFuncRef, type_id) as i32,
        );
        let differs = b.ins().icmp(IntCC::NotEqual, wanted, actual);
        self.vm.trap_if(differs, Trap::BadSignature);

        self.load_callee(ty, func_ref)
    }

    /// Takes a reference to a function of this type from the stack.
    fn reference_callee(&mut self, ty: u32) -> Callee {
        let func_ref = self.pop();
        self.vm.trap_if_zero(func_ref, Trap::NullFunctionReference);
        self.load_callee(ty, func_ref)
    }

    /// The callee behind a reference that is not null.
    fn load_callee(&mut self, ty: u32, func_ref: Value) -> Callee {
        let env = self.vm.env;
        self.vm.needs.indirect.insert(env.canonical[ty as usize]);
        let flags_here = self.vm.flags(Region::Store);
        let b = &mut self.vm.b;
        let code = offset_of!(VmFuncRef, code) as i32;
        let code = b.ins().load(I64, flags_here, func_ref, code);
        let vmctx = offset_of!(VmFuncRef, vmctx) as i32;
        let vmctx = b.ins().load(I64, flags_here, func_ref, vmctx);
        Callee::Pointer(code, vmctx)
    }

    /// Calls in place of this function's frame.
    fn return_call(&mut self, ty: u32, callee: Callee) {
        let ty = &self.vm.env.module.types[ty as usize];
        let mut args = self.pop_n(ty.params.len());
        let signature = wasm_signature(ty);
        match callee {
            Callee::Defined(func) => {
                let callee = symbol(self.vm.b.func, Symbol::Func(func), signature);
                args.insert(0, self.vm.vmctx);
                self.vm.b.ins().return_call(callee, &args);
            }
            Callee::Pointer(code, vmctx) => {
                let signature = self.vm.b.import_signature(signature);
                args.insert(0, vmctx);
                self.vm.b.ins().return_call_indirect(signature, code, &args);
            }
        }
        self.reachable = false;
    }

    fn call(&mut self, ty: u32, callee: Callee) {
        let ty = &self.vm.env.module.types[ty as usize];
        let mut args = self.pop_n(ty.params.len());
        let signature = wasm_signature(ty);
        let (target, vmctx) = match callee {
            Callee::Defined(func) => (Target::Symbol(Symbol::Func(func)), self.vm.vmctx),
            Callee::Pointer(code, vmctx) => (Target::Address(code), vmctx),
        };
        args.insert(0, vmctx);
        let results = self.call_throwing(target, signature, &args);
        self.stack.extend(results);
    }
}
