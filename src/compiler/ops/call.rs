//! Calls: direct, imported, and through a table.

use crate::compiler::call_tables::{CallTable, DISTANCE, ENTRY};
use crate::compiler::exception::Callee;
use crate::compiler::translate::Translator;
use crate::compiler::trap::branch_cold;
use crate::compiler::unit::Symbol;
use crate::compiler::vm::{Region, constant, symbol, wasm_signature};
use crate::image::flat::NONE;
use crate::image::trap::Trap;
use crate::image::vmctx::{VmContext, VmFuncImport, VmFuncRef};
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Value,
    condcodes::IntCC,
    types::{I32, I64},
};
use std::mem::offset_of;
use wasmparser::Operator;

/// A function that is called, with the vmctx that it takes.
struct Called {
    callee: Callee,
    vmctx: Value,
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
    fn callee(&mut self, func: u32) -> Called {
        let module = self.vm.env.module;
        if func >= module.imported_funcs {
            return Called {
                callee: Callee::Symbol(Symbol::Func(func)),
                vmctx: self.vm.vmctx,
            };
        }
        let import = self.vm.env.layout.imported_func(func);
        let at = |field: usize| import + field as u32;
        let vmctx = self.vm.vmctx;
        let code = self
            .vm
            .load_constant(vmctx, at(offset_of!(VmFuncImport, code)));
        let vmctx = self
            .vm
            .load_constant(vmctx, at(offset_of!(VmFuncImport, vmctx)));
        Called {
            callee: Callee::Address(code),
            vmctx,
        }
    }

    /// Looks up a table element and checks that it is a function of this type.
    fn indirect_callee(&mut self, ty: u32, table: u32, index: Value) -> Called {
        if let Some(table) = self.vm.env.call_tables.get(table) {
            return self.call_table_entry(ty, table, index);
        }
        let func_ref = self.table_element(table, index, Trap::UndefinedElement);
        self.vm.trap_if_zero(func_ref, Trap::UninitializedElement);

        // A function reference does not change once it can be seen.
        let flags = constant();
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

    /// The same in a call table.
    fn call_table_entry(&mut self, ty: u32, table: CallTable, index: Value) -> Called {
        let env = self.vm.env;
        let index = self.index(index);
        let len = self.vm.iconst(I64, table.len.into());
        let over = IntCC::UnsignedGreaterThanOrEqual;
        let over = self.vm.b.ins().icmp(over, index, len);
        self.vm.trap_if(over, Trap::UndefinedElement);
        let start = self.vm.load_constant(self.vm.vmctx, env.layout.call_tables);
        let b = &mut self.vm.b;
        let scaled = b.ins().ishl_imm_u(index, i64::from(ENTRY.ilog2()));
        let mut entry = b.ins().iadd(start, scaled);
        if env.target.table_spectre_mitigation() {
            // A mispredicted branch must not load from beyond the table either.
            entry = b.ins().select_spectre_guard(over, start, entry);
        }
        // They do not change, but are loaded behind the comparison.
        let flags = MemFlagsData::trusted().with_readonly();
        let offset = table.offset as i32;
        let actual = b.ins().load(I32, flags, entry, offset);
        let wanted = env.canonical[ty as usize];
        let differs = b
            .ins()
            .icmp_imm_u(IntCC::NotEqual, actual, i64::from(wanted));
        let (cold, next) = branch_cold(b, differs);
        b.switch_to_block(cold);
        let is_null = b.ins().icmp_imm_u(IntCC::Equal, actual, i64::from(NONE));
        let null = self.vm.iconst(I32, Trap::UninitializedElement as i64);
        let other = self.vm.iconst(I32, Trap::BadSignature as i64);
        let trap = self.vm.b.ins().select(is_null, null, other);
        self.vm.trap_with(trap);
        let b = &mut self.vm.b;
        b.switch_to_block(next);
        let distance = b.ins().sload32(flags, entry, offset + DISTANCE as i32);
        Called {
            callee: Callee::Address(b.ins().iadd(start, distance)),
            vmctx: self.vm.vmctx,
        }
    }

    /// Takes a reference to a function of this type from the stack.
    fn reference_callee(&mut self, ty: u32) -> Called {
        let func_ref = self.pop();
        self.vm.trap_if_zero(func_ref, Trap::NullFunctionReference);
        self.load_callee(ty, func_ref)
    }

    /// The callee behind a reference that is not null.
    fn load_callee(&mut self, ty: u32, func_ref: Value) -> Called {
        let env = self.vm.env;
        let ty = env.canonical[ty as usize];
        self.vm.needs.called_types.insert(ty);
        let flags_here = self.vm.flags(Region::Store);
        let b = &mut self.vm.b;
        let code = offset_of!(VmFuncRef, code) as i32;
        let code = b.ins().load(I64, flags_here, func_ref, code);
        let vmctx = offset_of!(VmFuncRef, vmctx) as i32;
        let vmctx = b.ins().load(I64, flags_here, func_ref, vmctx);
        Called {
            callee: Callee::Address(code),
            vmctx,
        }
    }

    /// Calls in place of this function's frame.
    fn return_call(&mut self, ty: u32, called: Called) {
        let ty = &self.vm.env.module.types[ty as usize];
        let mut args = self.pop_n(ty.params.len());
        args.insert(0, called.vmctx);
        let signature = wasm_signature(ty);
        match called.callee {
            Callee::Symbol(name) => {
                let callee = symbol(self.vm.b.func, name, signature);
                self.vm.b.ins().return_call(callee, &args);
            }
            Callee::Address(code) => {
                let signature = self.vm.b.import_signature(signature);
                self.vm.b.ins().return_call_indirect(signature, code, &args);
            }
        }
        self.reachable = false;
    }

    fn call(&mut self, ty: u32, called: Called) {
        let ty = &self.vm.env.module.types[ty as usize];
        let mut args = self.pop_n(ty.params.len());
        args.insert(0, called.vmctx);
        let results = self.call_throwing(called.callee, wasm_signature(ty), &args);
        self.stack.extend(results);
    }
}
