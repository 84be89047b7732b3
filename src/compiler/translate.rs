//! One function body to CLIF: locals, the operand stack, and the walk over its instructions.

use super::control::Frame;
use super::exception::Scope;
use super::fuel::Run;
use super::legacy::After;
use super::parse::{Operators, local_type};
use super::recent::Recent;
use super::stubs::Stubs;
use super::survey::{self, Budget, Survey, Surveyed};
use super::unit::{Needs, Scratch, Unit};
use super::vm::{Vm, clif_type, wasm_signature};
use super::{Env, inline, ops};
use crate::error::Result;
use crate::image::ValType;
use crate::image::trap::Trap;
use cranelift_codegen::ir::{
    self, InstBuilder, SourceLoc, StackSlot, StackSlotData, StackSlotKind, Type, Value,
    condcodes::IntCC, types::I64,
};
use cranelift_codegen::settings::RegallocAlgorithm;
use cranelift_frontend::{FunctionBuilder, Variable};
use wasmparser::{FuncValidator, ValidatorResources};

/// A function in translation: wasm's operand and control stacks over a CLIF builder.
pub struct Translator<'a, 'b> {
    pub vm: Vm<'a, 'b>,
    locals: Vec<Local>,
    pub stack: Vec<Value>,
    pub control: Vec<Frame>,
    /// Those of the control frames in which exceptions are caught, outermost first.
    pub scopes: Vec<Scope>,
    /// What follows each legacy `try` that is yet to come.
    pub tries: std::vec::IntoIter<After>,
    pub budget: Budget,
    /// Whether the instruction at hand can be reached; if not, only nesting is followed.
    pub reachable: bool,
    /// How many bytes may still be inlined.
    pub room: usize,
    pub recent: Recent,
    /// The run whose fuel is counted.
    pub run: Run,
}

/// Where a local is kept.
#[derive(Clone, Copy)]
enum Local {
    /// Nowhere: it is not long-lived, and names the value that it was last set to.
    Name(Value),
    Variable(Variable),
    Frame(Type, StackSlot),
}

/// The locals of a function, while those of another one are in their place.
pub struct Locals(Vec<Local>);

/// Translates and validates a body.
pub fn translate(env: &Env<'_>, scratch: &mut Scratch, body: Surveyed<'_>) -> Result<Unit> {
    let Surveyed {
        index,
        body,
        mut survey,
    } = body;
    let allocations = std::mem::take(&mut scratch.validator);
    let mut validator = body.validate.into_validator(allocations);
    let mut operators = Operators::new(&body.body, &mut validator)?;
    let start = operators.position();

    let mut clif = scratch.function();
    let ty = env.module.func_type(index);
    clif.signature = wasm_signature(ty);
    let mut b = FunctionBuilder::new(&mut clif, &mut scratch.builder);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let params = b.block_params(entry).to_vec();
    b.set_srcloc(SourceLoc::new(start));

    let mut effort = survey.effort();
    let mut needs = Needs::default();
    let mut translator = Translator {
        vm: Vm::new(env, b, &mut needs, params[0]),
        locals: Vec::with_capacity(validator.len_locals() as usize),
        stack: Vec::new(),
        control: vec![Frame::function(ty.results.len())],
        scopes: Vec::new(),
        budget: Budget::new(&survey),
        tries: std::mem::take(&mut survey.tries).into_iter(),
        reachable: true,
        room: inline::room(body.body.as_bytes().len()),
        recent: Recent::default(),
        run: Run::default(),
    };
    if survey.calls {
        translator.check_stack();
    }
    // This allocator keeps nothing in registers from one block to the next, so variables would only be copied.
    let isa = env.target.assembler(effort);
    let in_frame = isa.flags().regalloc_algorithm() == RegallocAlgorithm::SinglePass;
    translator.declare_locals(&params[1..], &validator, &survey, in_frame)?;

    while let Some((op, offset)) = operators.next(&mut validator)? {
        translator.vm.b.set_srcloc(SourceLoc::new(offset));
        let (operands, blocks) = (translator.stack.len(), translator.blocks());
        translator.budget.edges(&op, operands);
        if translator.budget.is_spent() {
            return Err(survey::too_much(index));
        }
        ops::translate(&mut translator, index, &op, offset)?;
        let results = translator.stack.len().saturating_sub(operands);
        let blocks = translator.blocks() - blocks;
        translator.budget.results(results, blocks, operands);
    }
    let Translator {
        mut vm, mut budget, ..
    } = translator;
    vm.b.seal_all_blocks();
    budget.translated(vm.b.func);
    effort = effort.max(budget.effort());
    vm.b.finalize(env.target.isa().frontend_config());
    scratch.validator = validator.into_allocations();
    Ok(Unit {
        index,
        start,
        clif,
        effort,
        needs,
        budget,
        stubs: Stubs::default(),
    })
}

impl Translator<'_, '_> {
    /// Traps if the stack pointer, which already stands below this frame, is under the limit.
    fn check_stack(&mut self) {
        let limit = self.vm.stack_limit();
        let sp = self.vm.b.ins().get_stack_pointer(I64);
        let over = self.vm.b.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        self.vm.trap_if(over, Trap::StackOverflow);
    }

    /// How many blocks there are, with those that conditional traps will become.
    fn blocks(&self) -> usize {
        self.vm.b.func.dfg.num_blocks() + 2 * self.vm.conditional_traps
    }

    fn declare_locals(
        &mut self,
        params: &[Value],
        validator: &FuncValidator<ValidatorResources>,
        survey: &Survey,
        in_frame: bool,
    ) -> Result<()> {
        let mut zeros: Vec<(Type, Value)> = Vec::new();
        for i in 0..validator.len_locals() {
            let ty = validator.get_local_type(i).expect("it is below the length");
            let ty = clif_type(local_type(ty)?);
            let value = match params.get(i as usize) {
                Some(&value) => value,
                None => match zeros.iter().find(|(t, _)| *t == ty) {
                    Some(&(_, value)) => value,
                    None => {
                        let value = self.zero(ty);
                        zeros.push((ty, value));
                        value
                    }
                },
            };
            self.locals.push(match in_frame {
                _ if !survey.is_long_lived(i) => Local::Name(value),
                true => {
                    let align = ty.bytes().trailing_zeros() as u8;
                    let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, ty.bytes(), align);
                    Local::Frame(ty, self.vm.b.create_sized_stack_slot(slot))
                }
                false => Local::Variable(self.vm.b.declare_var(ty)),
            });
            self.local_set(i, value);
        }
        Ok(())
    }

    /// Takes arguments from the stack as the locals of a function whose instructions follow; it has no branches, so that its
    /// locals only name values. Gives the locals of the function around.
    pub fn enter_inlined(&mut self, params: usize, locals: &[ValType]) -> Locals {
        let mut inner: Vec<Local> = self.pop_n(params).into_iter().map(Local::Name).collect();
        for &ty in locals {
            let zero = self.zero(clif_type(ty));
            inner.push(Local::Name(zero));
        }
        Locals(std::mem::replace(&mut self.locals, inner))
    }

    /// Goes back to the function around.
    pub fn leave_inlined(&mut self, outer: Locals) {
        self.locals = outer.0;
    }

    pub fn local_get(&mut self, index: u32) -> Value {
        let b = &mut self.vm.b;
        match self.locals[index as usize] {
            Local::Name(value) => value,
            Local::Variable(variable) => b.use_var(variable),
            Local::Frame(ty, slot) => b.ins().stack_load(I64, ty, slot, 0),
        }
    }

    pub fn local_set(&mut self, index: u32, value: Value) {
        let b = &mut self.vm.b;
        match &mut self.locals[index as usize] {
            Local::Name(named) => *named = value,
            Local::Variable(variable) => b.def_var(*variable, value),
            Local::Frame(_, slot) => drop(b.ins().stack_store(I64, value, *slot, 0)),
        }
    }

    /// The default value of a type.
    pub fn zero(&mut self, ty: Type) -> Value {
        let b = &mut self.vm.b;
        if ty == ir::types::F32 {
            b.ins().f32const(0.0)
        } else if ty == ir::types::F64 {
            b.ins().f64const(0.0)
        } else if ty.is_vector() {
            self.vconst(ty, [0; 16])
        } else {
            b.ins().iconst(ty, 0)
        }
    }

    pub fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    pub fn pop(&mut self) -> Value {
        self.stack.pop().expect("validated")
    }

    pub fn pop2(&mut self) -> (Value, Value) {
        let y = self.pop();
        (self.pop(), y)
    }

    pub fn pop3(&mut self) -> (Value, Value, Value) {
        let z = self.pop();
        let (x, y) = self.pop2();
        (x, y, z)
    }

    /// The topmost `n` values, in order; they stay.
    pub fn top(&self, n: usize) -> &[Value] {
        &self.stack[self.stack.len() - n..]
    }

    /// Takes the topmost `n` values, in order.
    pub fn pop_n(&mut self, n: usize) -> Vec<Value> {
        self.stack.split_off(self.stack.len() - n)
    }
}
