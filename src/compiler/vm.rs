//! Access to the vmctx from CLIF: signatures, memory flags, loads and calls of builtins.

use super::Env;
use super::target::Target;
use super::unit::{Needs, Symbol};
use crate::image::builtin::{Builtin, Reach, Ty};
use crate::image::vmctx::{Place, VmHeader, VmStore};
use crate::image::{FuncType, ValType};
use cranelift_codegen::ir::{
    self, AbiParam, AliasRegionData, BlockArg, ExtFuncData, ExternalName, InstBuilder,
    MemFlagsData, Signature, StackSlotData, StackSlotKind, Type, Value,
    condcodes::FloatCC,
    immediates::{Ieee32, Ieee64},
    types::{F32, F64, I8X16, I32, I64},
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::FunctionBuilder;
use std::mem::offset_of;

/// Disjoint parts of memory, for alias analysis: a store to one leaves what was
/// loaded from the others known. Tables, memories and globals that are imported
/// may be each other, so they share a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The store, and what no other region holds.
    Store,
    /// Bases and lengths of memories and tables.
    Definitions,
    TableElements,
    Memory(u32),
    Global(u32),
}

/// Regions beyond this many globals or memories are shared: memory flags are a 16-bit index.
const MAX_REGIONS: u32 = 200;

impl Region {
    fn data(self) -> AliasRegionData {
        let (user_id, description) = match self {
            Region::Store => (0, "store"),
            Region::Definitions => (1, "definitions"),
            Region::TableElements => (2, "table elements"),
            Region::Memory(i) => (3 + i.min(MAX_REGIONS), "memory"),
            Region::Global(i) => (1000 + i.min(MAX_REGIONS), "global"),
        };
        AliasRegionData {
            user_id,
            description: description.into(),
        }
    }
}

/// The CLIF type of a wasm value.
pub fn clif_type(ty: ValType) -> Type {
    match ty {
        ValType::I32 => I32,
        ValType::I64 | ValType::Ref(_) => I64,
        ValType::F32 => F32,
        ValType::F64 => F64,
        ValType::V128 => I8X16,
    }
}

/// The signature of wasm code: the vmctx, then the wasm parameters.
pub fn wasm_signature(ty: &FuncType) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.push(AbiParam::new(I64));
    let params = ty.params.iter().map(|&ty| AbiParam::new(clif_type(ty)));
    signature.params.extend(params);
    let results = ty.results.iter().map(|&ty| AbiParam::new(clif_type(ty)));
    signature.returns.extend(results);
    signature
}

/// A parameter or result of a C function. The C ABIs of RISC-V and z/Architecture
/// want 32-bit integers extended; the others leave the upper bits open.
pub fn c_param(isa: &dyn TargetIsa, ty: Type) -> AbiParam {
    use target_lexicon::Architecture;
    let extends = matches!(
        isa.triple().architecture,
        Architecture::Riscv64(_) | Architecture::S390x
    );
    match ty {
        I32 if extends => AbiParam::new(I32).sext(),
        _ => AbiParam::new(ty),
    }
}

/// The types in which a C function takes parameters of these. The C ABI of RISC-V has eight registers for floats ("RISC-V
/// Calling Conventions", section 2.2), and takes further ones as integers; Cranelift would put them on the stack.
pub fn c_types(isa: &dyn TargetIsa, types: impl Iterator<Item = Type>) -> Vec<Type> {
    let is_riscv = matches!(
        isa.triple().architecture,
        target_lexicon::Architecture::Riscv64(_)
    );
    let mut floats = 0;
    let taken = types.map(|ty| {
        floats += usize::from(ty.is_float());
        match is_riscv && floats > 8 && ty.is_float() {
            true => ty.as_int(),
            false => ty,
        }
    });
    taken.collect()
}

/// The same bits as a value of this type.
pub fn as_type(b: &mut FunctionBuilder<'_>, value: Value, ty: Type) -> Value {
    match b.func.dfg.value_type(value) == ty {
        true => value,
        false => b.ins().bitcast(ty, MemFlagsData::new(), value),
    }
}

fn builtin_type(ty: Ty) -> Type {
    match ty {
        Ty::Ptr | Ty::I64 | Ty::V128 => I64,
        Ty::I32 => I32,
        Ty::F32 => F32,
        Ty::F64 => F64,
    }
}

/// The signature of a builtin: as the C function, or as its exit trampoline.
pub fn builtin_signature(isa: &dyn TargetIsa, builtin: Builtin, conv: CallConv) -> Signature {
    let z = isa.triple().architecture == target_lexicon::Architecture::S390x;
    let param = |ty: Ty| match conv {
        CallConv::Tail | CallConv::PreserveAll => AbiParam::new(builtin_type(ty)),
        // The runtime's are unsigned, which RISC-V extends as if they were not.
        _ if z && ty == Ty::I32 => AbiParam::new(I32).uext(),
        _ => c_param(isa, builtin_type(ty)),
    };
    let mut signature = Signature::new(conv);
    signature.params.push(AbiParam::new(I64));
    let params = builtin.params().iter().map(|&ty| param(ty));
    signature.params.extend(params);
    match builtin.result() {
        Some(Ty::V128) => signature.params.push(param(Ty::Ptr)),
        result => signature.returns.extend(result.map(param)),
    }
    signature
}

/// The signature of a builtin's exit trampoline.
pub fn builtin_exit_signature(target: &Target, builtin: Builtin) -> Signature {
    let conv = match builtin.reach() {
        // It saves vectors, too, whether the CPU has any or not.
        Reach::Aside if target.has_vectors() => CallConv::PreserveAll,
        _ => CallConv::Tail,
    };
    builtin_signature(target.isa(), builtin, conv)
}

/// Flags of an access to this region that is aligned and cannot fault.
pub fn flags(func: &mut ir::Function, region: Region) -> MemFlagsData {
    let region = func.dfg.alias_regions.insert(region.data());
    MemFlagsData::trusted().with_alias_region(Some(region))
}

/// Flags of a load that gives the same value throughout the function.
pub fn constant() -> MemFlagsData {
    MemFlagsData::trusted().with_readonly().with_can_move()
}

/// Loads a pointer that does not change while the function runs.
pub fn load_constant(b: &mut FunctionBuilder<'_>, base: Value, offset: usize) -> Value {
    b.ins().load(I64, constant(), base, offset as i32)
}

/// A declared call target inside the image.
pub fn symbol(func: &mut ir::Function, symbol: Symbol, signature: Signature) -> ir::FuncRef {
    let name = func.declare_imported_user_function(symbol.external_name());
    let signature = func.import_signature(signature);
    func.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: true,
        patchable: false,
    })
}

/// Calls a builtin as the C function that it is, through the table.
pub fn call_plain(
    b: &mut FunctionBuilder<'_>,
    isa: &dyn TargetIsa,
    vmctx: Value,
    builtin: Builtin,
    args: &[Value],
) -> Option<Value> {
    let signature = builtin_signature(isa, builtin, isa.default_call_conv());
    let signature = b.import_signature(signature);
    let table = b.ins().load(
        I64,
        constant(),
        vmctx,
        offset_of!(VmHeader, builtins) as i32,
    );
    let callee = b.ins().load(
        I64,
        constant(),
        table,
        builtin as i32 * size_of::<usize>() as i32,
    );
    let args: Vec<Value> = [vmctx].iter().chain(args).copied().collect();
    let call = b.ins().call_indirect(signature, callee, &args);
    b.inst_results(call).first().copied()
}

/// The values as arguments of a block.
pub fn block_args(values: &[Value]) -> Vec<BlockArg> {
    values.iter().copied().map(BlockArg::Value).collect()
}

/// The CLIF type of what the validator calls a value type.
pub fn operand_type(ty: wasmparser::ValType) -> Type {
    use wasmparser::ValType as V;
    match ty {
        V::I32 => I32,
        // Which reference makes no difference to code.
        V::I64 | V::Ref(_) => I64,
        V::F32 => F32,
        V::F64 => F64,
        V::V128 => I8X16,
    }
}

/// A function being built, with the vmctx at hand.
pub struct Vm<'a, 'b> {
    pub env: &'a Env<'a>,
    pub b: FunctionBuilder<'b>,
    pub needs: &'a mut Needs,
    pub vmctx: Value,
    /// How many conditional traps the function has so far.
    pub conditional_traps: usize,
    exits: [Option<ir::FuncRef>; Builtin::ALL.len()],
    /// Places for vectors on their way to and from a builtin.
    vector_slots: Vec<ir::StackSlot>,
}

impl<'a, 'b> Vm<'a, 'b> {
    pub fn new(
        env: &'a Env<'a>,
        b: FunctionBuilder<'b>,
        needs: &'a mut Needs,
        vmctx: Value,
    ) -> Self {
        Vm {
            env,
            b,
            needs,
            vmctx,
            conditional_traps: 0,
            exits: [None; Builtin::ALL.len()],
            vector_slots: Vec::new(),
        }
    }

    /// A pointer in the vmctx that never changes while the instance lives.
    pub fn load_constant(&mut self, base: Value, offset: u32) -> Value {
        load_constant(&mut self.b, base, offset as usize)
    }

    /// Where a definition is, as a base and an offset.
    pub fn place(&mut self, place: Place) -> (Value, i32) {
        match place {
            Place::Inline(offset) => (self.vmctx, offset as i32),
            Place::Pointer(offset) => (self.load_constant(self.vmctx, offset), 0),
        }
    }

    /// Loads a field of the definition of a memory or table; `constant` if that never changes.
    pub fn load_definition(&mut self, place: Place, field: usize, constant: bool) -> Value {
        let (base, offset) = self.place(place);
        let mut flags = self.flags(Region::Definitions);
        if constant {
            flags = flags.with_readonly().with_can_move();
        }
        let offset = offset + field as i32;
        self.b.ins().load(I64, flags, base, offset)
    }

    pub fn flags(&mut self, region: Region) -> MemFlagsData {
        flags(self.b.func, region)
    }

    /// What a stack pointer is compared with: the store's stack limit or, if code can be interrupted, its threshold.
    pub fn stack_limit(&mut self) -> Value {
        let store = self.load_constant(self.vmctx, offset_of!(VmHeader, store) as u32);
        let flags = self.flags(Region::Store);
        let offset = match self.env.target.interruption() {
            true => offset_of!(VmStore, threshold),
            false => offset_of!(VmStore, stack_limit),
        };
        self.b.ins().load(I64, flags, store, offset as i32)
    }

    /// Calls a builtin the way that it is reached.
    pub fn builtin(&mut self, builtin: Builtin, args: &[Value]) -> Option<Value> {
        let isa = self.env.target.isa();
        if builtin.reach() == Reach::Plain {
            let result = call_plain(&mut self.b, isa, self.vmctx, builtin, args)?;
            return Some(match isa.flags().enable_nan_canonicalization() {
                true => self.canonicalize_nan(result),
                false => result,
            });
        }
        let callee = match self.exits[builtin as usize] {
            Some(callee) => callee,
            None => {
                self.needs.exits.insert(builtin);
                let signature = builtin_exit_signature(self.env.target, builtin);
                let callee = symbol(self.b.func, Symbol::Exit(builtin), signature);
                self.exits[builtin as usize] = Some(callee);
                callee
            }
        };
        let args: Vec<Value> = [self.vmctx].iter().chain(args).copied().collect();
        let call = self.b.ins().call(callee, &args);
        self.b.inst_results(call).first().copied()
    }

    /// Cranelift does this to its own instructions when the host asks for it, and knows nothing of what a call gives.
    fn canonicalize_nan(&mut self, value: Value) -> Value {
        let nan = match self.b.func.dfg.value_type(value) {
            F32 => self.b.ins().f32const(Ieee32::NAN),
            F64 => self.b.ins().f64const(Ieee64::NAN),
            _ => return value,
        };
        let is_nan = self.b.ins().fcmp(FloatCC::Unordered, value, value);
        self.b.ins().select(is_nan, nan, value)
    }

    /// Calls a builtin whose operands and result are vectors, which pass through memory.
    pub fn vector_builtin(&mut self, builtin: Builtin, operands: &[Value]) -> Value {
        let mut args = Vec::new();
        for &operand in operands {
            let copy = self.vector_slot(args.len());
            let flags = MemFlagsData::trusted();
            self.b.ins().store(flags, operand, copy, 0);
            args.push(copy);
        }
        let result = self.vector_slot(args.len());
        args.push(result);
        self.builtin(builtin, &args);
        self.b.ins().load(I8X16, MemFlagsData::trusted(), result, 0)
    }

    /// The address of the frame's n-th place for a vector on its way to a builtin.
    fn vector_slot(&mut self, n: usize) -> Value {
        while self.vector_slots.len() <= n {
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 16, 4);
            let slot = self.b.create_sized_stack_slot(slot);
            self.vector_slots.push(slot);
        }
        self.b.ins().stack_addr(I64, self.vector_slots[n], 0)
    }

    pub fn iconst(&mut self, ty: Type, value: i64) -> Value {
        self.b.ins().iconst(ty, value)
    }
}
