//! Tables: elements and the bulk operations.

use crate::compiler::translate::Translator;
use crate::compiler::vm::Region;
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use crate::image::vmctx::VmTable;
use cranelift_codegen::ir::{
    InstBuilder, Value,
    condcodes::IntCC,
    types::{I32, I64},
};
use std::mem::offset_of;
use wasmparser::Operator;

pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    match *op {
        Operator::TableGet { table } => {
            let index = t.pop();
            let value = t.table_element(table, index, Trap::OutOfBoundsTable);
            t.push(value);
        }
        Operator::TableSet { table } => {
            let (index, value) = t.pop2();
            let address = t.table_address(table, index, Trap::OutOfBoundsTable);
            let flags = t.vm.flags(Region::TableElements);
            t.vm.b.ins().store(flags, value, address, 0);
        }
        Operator::TableSize { table } => {
            let len = t.table_definition(table, offset_of!(VmTable, len));
            let is64 = t.vm.env.module.tables[table as usize].table64;
            t.push_index(len, is64);
        }
        Operator::TableGrow { table } => {
            let (init, delta) = t.pop2();
            let delta = t.index(delta);
            let index = t.vm.iconst(I32, i64::from(table));
            let old = t.vm.builtin(Builtin::TableGrow, &[index, init, delta]);
            let is64 = t.vm.env.module.tables[table as usize].table64;
            t.push_index(old.expect("it has a result"), is64);
        }
        Operator::TableFill { table } => {
            let (dst, value, len) = t.pop3();
            let (dst, len) = (t.index(dst), t.index(len));
            let table = t.vm.iconst(I32, i64::from(table));
            t.vm.builtin(Builtin::TableFill, &[table, dst, value, len]);
        }
        Operator::TableCopy {
            dst_table,
            src_table,
        } => t.copy(Builtin::TableCopy, dst_table, src_table),
        Operator::TableInit { elem_index, table } => t.copy(Builtin::TableInit, table, elem_index),
        Operator::ElemDrop { elem_index } => {
            let segment = t.vm.iconst(I32, i64::from(elem_index));
            t.vm.builtin(Builtin::ElemDrop, &[segment]);
        }
        _ => return false,
    }
    true
}

impl Translator<'_, '_> {
    fn table_definition(&mut self, table: u32, field: usize) -> Value {
        let ty = self.vm.env.module.tables[table as usize];
        if field == offset_of!(VmTable, len) && ty.maximum == Some(ty.minimum) {
            return self.vm.iconst(I64, ty.minimum as i64);
        }
        let place = self.vm.env.layout.table(table);
        self.vm.load_definition(place, field, false)
    }

    /// The address of an element, or the trap if there is none.
    fn table_address(&mut self, table: u32, index: Value, trap: Trap) -> Value {
        let index = self.index(index);
        let len = self.table_definition(table, offset_of!(VmTable, len));
        let over = IntCC::UnsignedGreaterThanOrEqual;
        let over = self.vm.b.ins().icmp(over, index, len);
        self.vm.trap_if(over, trap);
        let base = self.table_definition(table, offset_of!(VmTable, base));
        let b = &mut self.vm.b;
        let scaled = b.ins().ishl_imm_u(index, 3);
        let address = b.ins().iadd(base, scaled);
        if !self.vm.env.target.table_spectre_mitigation() {
            return address;
        }
        // A mispredicted branch must not load from beyond the table either.
        let b = &mut self.vm.b;
        b.ins().select_spectre_guard(over, base, address)
    }

    /// The element at an index, or the trap if there is none.
    pub fn table_element(&mut self, table: u32, index: Value, trap: Trap) -> Value {
        let address = self.table_address(table, index, trap);
        let flags = self.vm.flags(Region::TableElements);
        self.vm.b.ins().load(I64, flags, address, 0)
    }
}
