//! Exceptions: `try_table`, throwing, and calls whose exceptions are caught in their own function.
//!
//! A call inside a `try_table` is a `try_call`: each catch clause is one of its
//! exceptional edges, to a landing block that takes the exception apart and
//! branches to the clause's label. The image lists, for the address that the
//! call returns to, the clauses that are in force there, innermost first.
//! `legacy` has the other instructions that catch.

use super::translate::Translator;
use super::trap::NEVER;
use super::unit::{CatchSite, Symbol};
use super::vm::{Region, builtin_signature, clif_type, symbol};
use crate::error::{Error, Result};
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use crate::image::vmctx::{SLOT, VmException};
use crate::image::{Catch, EntrySite};
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExceptionTag, InstBuilder,
    MemFlagsData, Signature, StackSlotData, StackSlotKind, Value,
    types::{I32, I64},
};
use cranelift_codegen::isa::CallConv;
use cranelift_codegen::{
    ExceptionContextLoc, Final, FinalizedMachExceptionHandler, MachBufferFinalized,
};
use std::mem::offset_of;
use wasmparser::TryTable;

/// A catch clause: what it catches, and the block that it lands in.
#[derive(Clone, Copy)]
pub struct Clause {
    pub catches: Catch,
    pub landing: Block,
}

/// The clauses of a control frame.
pub struct Scope {
    /// The number of open control frames when it began, its own included.
    depth: usize,
    clauses: Vec<Clause>,
    /// The next scope outward that has clauses, as an index into `scopes`; none if one of these clauses catches
    /// everything.
    outer: Option<usize>,
}

/// Splits a clause of a `try_table` into what it catches and the label that it branches to.
pub fn clause(catch: wasmparser::Catch) -> (Catch, u32) {
    use wasmparser::Catch as C;
    let (tag, exnref, label) = match catch {
        C::One { tag, label } => (Some(tag), false, label),
        C::OneRef { tag, label } => (Some(tag), true, label),
        C::All { label } => (None, false, label),
        C::AllRef { label } => (None, true, label),
    };
    (Catch { tag, exnref }, label)
}

/// The target of a call: a symbol of this image, or an address.
pub enum Callee {
    Symbol(Symbol),
    Address(Value),
}

impl Translator<'_, '_> {
    /// Begins a `try_table`. It ends as a block does, and its clauses with it.
    pub fn try_table(&mut self, table: &TryTable) {
        if !self.reachable {
            return self.block(table.ty);
        }
        let body = self.vm.b.create_block();
        self.vm.b.ins().jump(body, &[]);
        let mut clauses = Vec::with_capacity(table.catches.len());
        for &catch in &table.catches {
            let landing = self.vm.b.create_block();
            let (catches, label) = clause(catch);
            clauses.push(Clause { catches, landing });
            self.land(catches, label, landing);
        }
        self.vm.b.switch_to_block(body);
        self.vm.b.seal_block(body);
        self.block(table.ty);
        self.begin_scope(clauses, 0);
    }

    /// Opens a scope for the innermost control frame. What its clauses do not catch goes to the clauses in force
    /// directly inside the frame around it, or inside the one `between` levels further out.
    pub fn begin_scope(&mut self, clauses: Vec<Clause>, between: u32) {
        let depth = self.control.len();
        let inside = depth - 1 - between as usize;
        let around = self.scopes.partition_point(|scope| scope.depth <= inside);
        let outer = match clauses.iter().any(|clause| clause.catches.catches_all()) {
            true => None,
            false => self.with_clauses(around.checked_sub(1)),
        };
        self.scopes.push(Scope {
            depth,
            clauses,
            outer,
        });
    }

    /// This scope, or if it has no clauses, its `outer`, which always has some. So a search passes at most one scope
    /// without clauses, however many there are.
    fn with_clauses(&self, scope: Option<usize>) -> Option<usize> {
        let i = scope?;
        match self.scopes[i].clauses.is_empty() {
            true => self.scopes[i].outer,
            false => Some(i),
        }
    }

    /// Ends the scope of the innermost control frame, if it has one.
    pub fn end_scope(&mut self) {
        let depth = self.control.len();
        if let Some(scope) = self.scopes.pop_if(|scope| scope.depth == depth) {
            for clause in scope.clauses {
                self.vm.b.seal_block(clause.landing);
            }
        }
    }

    /// All clauses in force here, innermost first.
    fn in_force(&self) -> Vec<Clause> {
        let mut all = Vec::new();
        let mut scope = self.with_clauses(self.scopes.len().checked_sub(1));
        while let Some(i) = scope {
            all.extend(&self.scopes[i].clauses);
            scope = self.scopes[i].outer;
        }
        // The clauses after one that catches everything are never reached.
        if let Some(last) = all
            .iter()
            .position(|clause: &Clause| clause.catches.catches_all())
        {
            all.truncate(last + 1);
        }
        all
    }

    /// Fills a landing block: pushes what the clause gives its label, and branches there.
    fn land(&mut self, catch: Catch, label: u32, landing: Block) {
        let exception = self.vm.b.append_block_param(landing, I64);
        self.vm.b.set_cold_block(landing);
        self.vm.b.switch_to_block(landing);
        self.load_fuel();
        let height = self.stack.len();
        if let Some(tag) = catch.tag {
            self.push_values(tag, exception);
        }
        if catch.exnref {
            let exnref = self.exnref(exception);
            self.stack.push(exnref);
        }
        self.jump(label);
        self.stack.truncate(height);
    }

    /// Loads the exnref of a caught exception.
    pub fn exnref(&mut self, exception: Value) -> Value {
        let flags = self.vm.flags(Region::Store);
        let offset = offset_of!(VmException, exnref) as i32;
        self.vm.b.ins().load(I64, flags, exception, offset)
    }

    /// Pushes the values that an exception of this tag carries.
    pub fn push_values(&mut self, tag: u32, exception: Value) {
        let module = self.vm.env.module;
        let ty = &module.types[module.tags[tag as usize] as usize];
        let flags = self.vm.flags(Region::Store);
        let values = offset_of!(VmException, values) as i32;
        let values = self.vm.b.ins().load(I64, flags, exception, values);
        // The values are on the heap, which need not be aligned for vectors.
        let slot = MemFlagsData::new().with_notrap();
        let slot = slot.with_alias_region(flags.alias_region());
        for (i, &ty) in ty.params.iter().enumerate() {
            let ty = clif_type(ty);
            let value = self.vm.b.ins().load(ty, slot, values, (i * SLOT) as i32);
            self.stack.push(value);
        }
    }

    /// Calls something that can throw, with the clauses that are in force here; gives its results.
    pub fn call_throwing(
        &mut self,
        callee: Callee,
        signature: Signature,
        args: &[Value],
    ) -> Vec<Value> {
        let clauses = self.in_force();
        let b = &mut self.vm.b;
        let results: Vec<_> = signature.returns.iter().map(|r| r.value_type).collect();
        if clauses.is_empty() {
            let call = match callee {
                Callee::Symbol(name) => {
                    let callee = symbol(b.func, name, signature);
                    b.ins().call(callee, args)
                }
                Callee::Address(address) => {
                    let signature = b.import_signature(signature);
                    b.ins().call_indirect(signature, address, args)
                }
            };
            return b.inst_results(call).to_vec();
        }

        let returned = b.create_block();
        let mut passed = Vec::with_capacity(results.len());
        for (i, &ty) in results.iter().enumerate() {
            b.append_block_param(returned, ty);
            passed.push(BlockArg::TryCallRet(i as u32));
        }
        // A tag's index means something only together with an instance. So the unwinder reads the vmctx from the frame.
        let mut items = vec![ExceptionTableItem::Context(self.vm.vmctx)];
        for clause in clauses {
            let pool = &mut b.func.dfg.value_lists;
            let call = BlockCall::new(clause.landing, [BlockArg::TryCallExn(0)], pool);
            let tag = ExceptionTag::from_u32(clause.catches.encode());
            items.push(ExceptionTableItem::Tag(tag, call));
        }
        self.budget.handlers(items.len(), self.stack.len());
        let normal = BlockCall::new(returned, passed, &mut b.func.dfg.value_lists);
        match callee {
            Callee::Symbol(name) => {
                let sig = b.import_signature(signature.clone());
                let callee = symbol(b.func, name, signature);
                let table = ExceptionTableData::new(sig, normal, items);
                let table = b.func.dfg.exception_tables.push(table);
                b.ins().try_call(callee, args, table);
            }
            Callee::Address(address) => {
                let sig = b.import_signature(signature);
                let table = ExceptionTableData::new(sig, normal, items);
                let table = b.func.dfg.exception_tables.push(table);
                b.ins().try_call_indirect(address, args, table);
            }
        }
        b.switch_to_block(returned);
        b.seal_block(returned);
        b.block_params(returned).to_vec()
    }

    pub fn throw(&mut self, tag: u32) {
        let module = self.vm.env.module;
        let ty = &module.types[module.tags[tag as usize] as usize];
        let values = self.pop_n(ty.params.len());
        let size = (SLOT * values.len().max(1)) as u32;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
        let slot = self.vm.b.create_sized_stack_slot(slot);
        let slots = self.vm.b.ins().stack_addr(I64, slot, 0);
        for (i, value) in values.into_iter().enumerate() {
            let flags = MemFlagsData::trusted();
            self.vm
                .b
                .ins()
                .store(flags, value, slots, (i * SLOT) as i32);
        }
        let tag = self.vm.iconst(I32, i64::from(tag));
        self.raise(Builtin::Throw, &[tag, slots]);
    }

    pub fn throw_ref(&mut self) {
        let exnref = self.pop();
        self.vm.trap_if_zero(exnref, Trap::NullExceptionReference);
        self.throw_again(exnref);
    }

    /// Throws the exception again that an exnref refers to.
    pub fn throw_again(&mut self, exnref: Value) {
        self.raise(Builtin::ThrowRef, &[exnref]);
    }

    /// Calls a builtin that throws and so does not return.
    fn raise(&mut self, builtin: Builtin, args: &[Value]) {
        self.vm.needs.exits.insert(builtin);
        let isa = self.vm.env.target.isa();
        let signature = builtin_signature(isa, builtin, CallConv::Tail);
        let args: Vec<Value> = [self.vm.vmctx].iter().chain(args).copied().collect();
        self.call_throwing(Callee::Symbol(Symbol::Exit(builtin)), signature, &args);
        self.vm.b.ins().trap(NEVER);
        self.reachable = false;
    }
}

/// The calls of compiled code whose exceptions it catches, and the one by which an entry trampoline enters wasm. `what` names
/// the code in errors.
pub fn exception_sites(
    buffer: &MachBufferFinalized<Final>,
    what: &dyn std::fmt::Display,
) -> Result<(Vec<CatchSite>, Option<EntrySite>)> {
    let (mut sites, mut entry) = (Vec::new(), None);
    for site in buffer.call_sites() {
        let (mut context, mut list, mut enters) = (None, Vec::new(), false);
        for handler in site.exception_handlers {
            match *handler {
                FinalizedMachExceptionHandler::Context(ExceptionContextLoc::SPOffset(offset)) => {
                    context = Some(offset);
                }
                FinalizedMachExceptionHandler::Tag(tag, offset) => {
                    list.push((Catch::decode(tag.as_u32()), offset));
                }
                // Only entry trampolines have these, and they are found through their activation.
                FinalizedMachExceptionHandler::Default(_) => enters = true,
                FinalizedMachExceptionHandler::Context(ExceptionContextLoc::GPR(register)) => {
                    return Err(Error::internal(format_args!(
                        "{what}: the vmctx of a handler is in register {register}, not in the frame"
                    )));
                }
            }
        }
        let (Some(context), Some(frame)) = (context, site.frame_offset) else {
            continue;
        };
        let returns_to = site.ret_addr;
        if enters {
            entry = Some(EntrySite {
                returns_to,
                frame,
                context,
            });
        } else if !list.is_empty() {
            sites.push(CatchSite {
                returns_to,
                frame,
                context,
                handlers: list,
            });
        }
    }
    Ok((sites, entry))
}
