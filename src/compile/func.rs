//! One function body to CLIF: locals, the operand stack, and the walk over its instructions.

use super::control::Frame;
use super::exception::Scope;
use super::survey::Survey;
use super::vm::{Region, Vm, clif_type, wasm_signature};
use super::{Env, Needs, ops};
use crate::error::{Error, ErrorKind, Result};
use crate::layout::{VmHeader, VmStore};
use crate::module::{RefType, ValType};
use crate::trap::Trap;
use cranelift_codegen::ir::{
    self, InstBuilder, SourceLoc, StackSlot, StackSlotData, StackSlotKind, Type, Value,
    condcodes::IntCC, types::I64,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::RegallocAlgorithm;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use std::mem::offset_of;
use std::sync::atomic::Ordering;
use wasmparser::{FuncValidator, FunctionBody, Operator, ValidatorResources};

/// A function in translation: wasm's operand and control stacks over a CLIF builder.
pub struct Translator<'a, 'b> {
    pub vm: Vm<'a, 'b>,
    pub index: u32,
    locals: Vec<Local>,
    pub stack: Vec<Value>,
    pub control: Vec<Frame>,
    /// Those of the control frames in which exceptions are caught, outermost first.
    pub scopes: Vec<Scope>,
    pub survey: Survey,
    /// Whether the instruction at hand can be reached; if not, only nesting is followed.
    pub reachable: bool,
}

/// Where a local is kept.
#[derive(Clone, Copy)]
enum Local {
    Variable(Variable),
    Frame(Type, StackSlot),
}

/// A body in CLIF.
pub struct Translated<'a> {
    /// The wasm offset at which it starts.
    pub start: u32,
    /// What is to compile it.
    pub isa: &'a dyn TargetIsa,
}

/// Translates and validates a body.
pub fn translate<'a>(
    env: &Env<'a>,
    index: u32,
    body: &FunctionBody<'_>,
    validator: &mut FuncValidator<ValidatorResources>,
    func: &mut ir::Function,
    builder: &mut FunctionBuilderContext,
    needs: &mut Needs,
) -> Result<Translated<'a>> {
    let ty = env.module.func_type(index);
    func.signature = wasm_signature(ty);
    let mut b = FunctionBuilder::new(func, builder);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let params = b.block_params(entry).to_vec();

    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    let start = reader.original_position() as u32;
    b.set_srcloc(SourceLoc::new(start));

    let locals = validator.len_locals() as usize;
    let survey = Survey::new(body);
    let mut isa = env.target.isa();
    if survey.is_large(locals) {
        isa = env.target.linear_isa();
    }
    let mut translator = Translator {
        vm: Vm::new(env, b, needs, params[0]),
        index,
        locals: Vec::new(),
        stack: Vec::new(),
        control: vec![Frame::function(ty.results.len())],
        scopes: Vec::new(),
        survey,
        reachable: true,
    };
    if translator.survey.calls {
        translator.check_stack();
    }
    // This allocator keeps nothing in registers from one block to the next, so variables would only be copied.
    let in_frame = isa.flags().regalloc_algorithm() == RegallocAlgorithm::SinglePass;
    translator.declare_locals(&params[1..], validator, in_frame);

    let mut reader = wasmparser::OperatorsReader::new(reader);
    while !reader.eof() {
        let (op, offset) = reader.read_with_offset()?;
        validator.op(offset, &op)?;
        translator.vm.b.set_srcloc(SourceLoc::new(offset as u32));
        let (operands, blocks) = (translator.stack.len(), translator.blocks());
        translator.survey.carry_edges(&op, operands);
        translator.survey.check(&env.carried, index)?;
        ops::translate(&mut translator, &op)?;
        let results = translator.stack.len().saturating_sub(operands);
        let blocks = translator.blocks() - blocks;
        translator.survey.carry(results, blocks, operands);
    }
    reader.finish()?;
    let Translator {
        mut vm, mut survey, ..
    } = translator;
    env.carried.fetch_add(survey.excess(), Ordering::Relaxed);
    vm.b.seal_all_blocks();
    survey.translated(vm.b.func);
    if survey.is_large(locals) {
        isa = env.target.linear_isa();
    }
    vm.b.finalize(env.target.isa().frontend_config());
    Ok(Translated { start, isa })
}

impl Translator<'_, '_> {
    /// Traps if the stack pointer, which already stands below this frame, is under the limit.
    fn check_stack(&mut self) {
        let limit = stack_limit(&mut self.vm);
        let sp = self.vm.b.ins().get_stack_pointer(I64);
        let over = self.vm.b.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        self.vm.trap_if(over, Trap::StackOverflow);
    }

    fn blocks(&self) -> usize {
        self.vm.b.func.dfg.num_blocks()
    }

    fn declare_locals(
        &mut self,
        params: &[Value],
        validator: &FuncValidator<ValidatorResources>,
        in_frame: bool,
    ) {
        let mut zeros: Vec<(Type, Value)> = Vec::new();
        for i in 0..validator.len_locals() {
            let ty = validator.get_local_type(i).expect("it is below the length");
            let ty = operand_type(ty);
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
                true => {
                    let align = ty.bytes().trailing_zeros() as u8;
                    let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, ty.bytes(), align);
                    Local::Frame(ty, self.vm.b.create_sized_stack_slot(slot))
                }
                false => Local::Variable(self.vm.b.declare_var(ty)),
            });
            self.local_set(i, value);
        }
    }

    pub fn local_get(&mut self, index: u32) -> Value {
        let b = &mut self.vm.b;
        match self.locals[index as usize] {
            Local::Variable(variable) => b.use_var(variable),
            Local::Frame(ty, slot) => b.ins().stack_load(I64, ty, slot, 0),
        }
    }

    pub fn local_set(&mut self, index: u32, value: Value) {
        let b = &mut self.vm.b;
        match self.locals[index as usize] {
            Local::Variable(variable) => b.def_var(variable, value),
            Local::Frame(_, slot) => drop(b.ins().stack_store(I64, value, slot, 0)),
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

    /// An instruction that validates but that this version does not compile.
    pub fn unsupported(&self, op: &Operator<'_>) -> Box<Error> {
        Error::new(
            ErrorKind::Unsupported,
            format_args!(
                "function {}: the instruction {op:?} is not supported",
                self.index
            ),
        )
    }
}

/// The CLIF type of what validation calls a value type.
pub fn operand_type(ty: wasmparser::ValType) -> Type {
    use wasmparser::ValType as V;
    clif_type(match ty {
        V::I32 => ValType::I32,
        V::I64 => ValType::I64,
        V::F32 => ValType::F32,
        V::F64 => ValType::F64,
        V::V128 => ValType::V128,
        // Which reference makes no difference to code.
        V::Ref(_) => ValType::Ref(RefType::FUNC),
    })
}

/// Loads the store's stack limit.
pub fn stack_limit(vm: &mut Vm<'_, '_>) -> Value {
    let store = vm.load_constant(vm.vmctx, offset_of!(VmHeader, store) as u32);
    let flags = vm.flags(Region::Store);
    vm.b.ins()
        .load(I64, flags, store, offset_of!(VmStore, stack_limit) as i32)
}
