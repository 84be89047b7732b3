//! The code between wasm and C, one kind for each way across.
//!
//! - An *entry* trampoline is a C function. It links an activation into the
//!   store, calls wasm with a handler, and gives the error if wasm raised one.
//! - A *host* trampoline is a wasm function. It records where wasm was, calls
//!   a C function, and raises its error if it gave one.
//! - An *exit* trampoline does the same for a builtin.
//! - A *frame check* stands before code with a large frame, and lets it run if
//!   the frame fits, before anything in it is touched.
//!
//! Entries and hosts come in two forms: *boxed*, with arguments and results in
//! an array of slots, and *typed*, with the C type that belongs to the wasm type.

use super::Env;
use super::stubs::Stubs;
use super::trap::{NEVER, branch_cold, detour, exit_signature};
use super::unit::{Assembled, Code, Needs, Scratch, Symbol};
use super::vm::{
    Region, Vm, as_type, builtin_exit_signature, builtin_signature, c_param, c_types, call_plain,
    clif_type, flags, load_constant, symbol, wasm_signature,
};
use super::{assemble, fuel, of_host};
use crate::error::Result;
use crate::image::builtin::Builtin;
use crate::image::frame::windows;
use crate::image::trap::Trap;
use crate::image::vmctx::{
    SLOT, UNCHECKED_FRAME, VmActivation, VmFuncImport, VmFuncRef, VmHeader, VmHostFunc, VmStore,
};
use crate::image::{FuncType, TrampolineKind, ValType};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, InstBuilder,
    MemFlagsData, Signature, SourceLoc, StackSlotData, StackSlotKind, Value,
    condcodes::IntCC,
    types::{I32, I64},
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::FunctionBuilder;
use std::mem::offset_of;

/// Builds one function in `scratch` and compiles it.
fn build(
    env: &Env<'_>,
    scratch: &mut Scratch,
    what: &str,
    signature: Signature,
    body: impl FnOnce(FunctionBuilder<'_>, Vec<Value>),
) -> Result<Code> {
    scratch.context.clear();
    scratch.context.func.signature = signature;
    let mut b = FunctionBuilder::new(&mut scratch.context.func, &mut scratch.builder);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let params = b.block_params(entry).to_vec();
    body(b, params);
    assemble::context(env, env.target.isa(), scratch, &Stubs::default(), &what)
}

fn slot(b: &mut FunctionBuilder<'_>, size: usize) -> Value {
    let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size as u32, 4);
    let slot = b.create_sized_stack_slot(slot);
    b.ins().stack_addr(I64, slot, 0)
}

fn load_pointer(b: &mut FunctionBuilder<'_>, base: Value, offset: usize) -> Value {
    let flags = flags(b.func, Region::Store);
    b.ins().load(I64, flags, base, offset as i32)
}

fn store_pointer(b: &mut FunctionBuilder<'_>, value: Value, base: Value, offset: usize) {
    let flags = flags(b.func, Region::Store);
    b.ins().store(flags, value, base, offset as i32);
}

/// Records the wasm frame that called this trampoline.
fn record_exit(env: &Env<'_>, b: &mut FunctionBuilder<'_>, store: Value) {
    let fp = b.ins().get_frame_pointer(I64);
    // The frame pointer points to where the caller's is saved.
    let caller = b.ins().load(I64, MemFlagsData::trusted(), fp, 0);
    let pc = b.ins().get_return_address(I64);
    store_pointer(b, caller, store, offset_of!(VmStore, exit_fp));
    store_pointer(b, pc, store, offset_of!(VmStore, exit_pc));
    fuel::save(env, b, store);
}

/// Clears the recorded exit: wasm runs again, and a backtrace must not start there.
fn forget_exit(env: &Env<'_>, b: &mut FunctionBuilder<'_>, store: Value) {
    let none = b.ins().iconst(I64, 0);
    store_pointer(b, none, store, offset_of!(VmStore, exit_fp));
    fuel::load(env, b, store);
}

/// Raises the error that a builtin has recorded, if `condition` is not 0.
fn raise_if(b: &mut FunctionBuilder<'_>, isa: &dyn TargetIsa, vmctx: Value, condition: Value) {
    let (cold, next) = branch_cold(b, condition);
    b.switch_to_block(cold);
    call_plain(b, isa, vmctx, Builtin::Raise, &[]);
    b.ins().trap(NEVER);
    b.switch_to_block(next);
}

/// The exit trampoline of a builtin.
pub fn exit(env: &Env<'_>, scratch: &mut Scratch, builtin: Builtin) -> Result<Code> {
    let isa = env.target.isa();
    let signature = builtin_exit_signature(env.target, builtin);
    build(
        env,
        scratch,
        "an exit trampoline",
        signature,
        |mut b, params| {
            let vmctx = params[0];
            let store = load_pointer(&mut b, vmctx, offset_of!(VmHeader, store));
            record_exit(env, &mut b, store);
            let result = call_plain(&mut b, isa, vmctx, builtin, &params[1..]);
            let pending = load_pointer(&mut b, store, offset_of!(VmStore, pending));
            raise_if(&mut b, isa, vmctx, pending);
            forget_exit(env, &mut b, store);
            b.ins().return_(result.as_slice());
            b.finalize(isa.frontend_config());
        },
    )
}

/// Code that a call table has for an imported function: it goes on there with that function's vmctx.
pub fn import(env: &Env<'_>, scratch: &mut Scratch, func: u32) -> Result<Code> {
    let isa = env.target.isa();
    let signature = wasm_signature(env.module.func_type(func));
    let import = env.layout.imported_func(func) as usize;
    build(
        env,
        scratch,
        "an import's trampoline",
        signature.clone(),
        |mut b, mut params| {
            let vmctx = params[0];
            let code = load_constant(&mut b, vmctx, import + offset_of!(VmFuncImport, code));
            params[0] = load_constant(&mut b, vmctx, import + offset_of!(VmFuncImport, vmctx));
            let signature = b.import_signature(signature);
            b.ins().return_call_indirect(signature, code, &params);
            b.finalize(isa.frontend_config());
        },
    )
}

/// The exit trampoline of a trap: that of the builtin `Trap`, which knows the number.
pub fn trap(env: &Env<'_>, scratch: &mut Scratch, trap: Trap) -> Result<Code> {
    let isa = env.target.isa();
    build(
        env,
        scratch,
        "a trap's trampoline",
        exit_signature(),
        |mut b, params| {
            let number = b.ins().iconst(I32, trap as i64);
            leave_by_trap(env, &mut b, params[0], number);
            b.finalize(isa.frontend_config());
        },
    )
}

/// Leaves wasm by the trap of this number, from the instruction after which the trampoline would return.
fn leave_by_trap(env: &Env<'_>, b: &mut FunctionBuilder<'_>, vmctx: Value, number: Value) {
    let isa = env.target.isa();
    let store = load_pointer(b, vmctx, offset_of!(VmHeader, store));
    record_exit(env, b, store);
    call_plain(b, isa, vmctx, Builtin::Trap, &[number]);
    call_plain(b, isa, vmctx, Builtin::Raise, &[]);
    b.ins().trap(NEVER);
}

/// What a frame check calls.
pub fn overflow_exit(env: &Env<'_>) -> Builtin {
    match env.target.interruption() {
        true => Builtin::Stop,
        false => Builtin::Trap,
    }
}

/// Adds a check to a function whose frame is large.
pub fn check_frame(env: &Env<'_>, scratch: &mut Scratch, mut func: Assembled) -> Result<Assembled> {
    if func.code.frame > UNCHECKED_FRAME {
        func.needs.exits.insert(overflow_exit(env));
        let ty = env.module.func_type(func.index);
        let (body, start) = (Symbol::Body(func.index), SourceLoc::new(func.start));
        let check = wasm_check(env, scratch, ty, body, func.code.frame, start)?;
        func.frame_check = Some(check);
    }
    Ok(func)
}

/// Where a fault goes on: a C function of a vmctx and a trap's number, called from the instruction that faulted, which does
/// not return.
pub fn landing(env: &Env<'_>, scratch: &mut Scratch) -> Result<Code> {
    let isa = env.target.isa();
    let signature = builtin_signature(isa, Builtin::Trap, isa.default_call_conv());
    build(
        env,
        scratch,
        "the landing of faults",
        signature,
        |mut b, params| {
            leave_by_trap(env, &mut b, params[0], params[1]);
            b.finalize(isa.frontend_config());
        },
    )
}

/// What Windows calls when it unwinds the frame of an entry trampoline: it makes the previous activation current again. Its
/// arguments are as `image/frame.rs` says.
pub fn unwinding(env: &Env<'_>, scratch: &mut Scratch) -> Result<Code> {
    let isa = env.target.isa();
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([AbiParam::new(I64); 4]);
    signature.returns.push(AbiParam::new(I32));
    build(
        env,
        scratch,
        "the handler of unwinding",
        signature,
        |mut b, params| {
            let (frame, dispatcher) = (params[1], params[3]);
            let flags = MemFlagsData::trusted();
            let data = b.ins().load(I64, flags, dispatcher, windows::HANDLER_DATA);
            let below = b.ins().uload32(flags, data, 0);
            let place = b.ins().isub(frame, below);
            let vmctx = b.ins().load(I64, flags, place, 0);
            let store = load_constant(&mut b, vmctx, offset_of!(VmHeader, store));
            let activation = load_pointer(&mut b, store, offset_of!(VmStore, activation));
            leave(&mut b, store, activation);
            let go_on = b.ins().iconst(I32, windows::CONTINUE);
            b.ins().return_(&[go_on]);
            b.finalize(isa.frontend_config());
        },
    )
}

/// A frame check in wasm's calling convention, for code whose frame has `frame` bytes. `start` is the wasm offset of
/// the function, or none for a trampoline.
fn wasm_check(
    env: &Env<'_>,
    scratch: &mut Scratch,
    ty: &FuncType,
    body: Symbol,
    frame: u32,
    start: SourceLoc,
) -> Result<Code> {
    let isa = env.target.isa();
    let signature = wasm_signature(ty);
    let mut needs = Needs::default();
    let target = signature.clone();
    build(env, scratch, "a frame check", signature, |mut b, params| {
        b.set_srcloc(start);
        let mut vm = Vm::new(env, b, &mut needs, params[0]);
        let limit = vm.stack_limit();
        let over = is_beyond(&mut vm.b, limit, frame);
        let (cold, next) = detour(&mut vm.b, over);
        vm.b.switch_to_block(cold);
        match env.target.interruption() {
            true => {
                let sp = vm.b.ins().get_stack_pointer(I64);
                let sp = vm.b.ins().iadd_imm_s(sp, -i64::from(frame));
                vm.builtin(Builtin::Stop, &[sp]);
                vm.b.ins().jump(next, &[]);
            }
            false => {
                let code = vm.iconst(I32, Trap::StackOverflow as i64);
                vm.trap_with(code);
            }
        }
        vm.b.seal_block(next);
        vm.b.switch_to_block(next);
        let body = symbol(vm.b.func, body, target);
        vm.b.ins().return_call(body, &params);
        vm.b.finalize(isa.frontend_config());
    })
}

/// The frame check of an entry trampoline whose frame has `frame` bytes.
///
/// The check passes the C parameters on through its own frame, which can be large, too. Cranelift writes them there
/// only at the call, which comes after the comparison.
/// For Windows its prologue touches the pages of that frame before: 16 KiB for the largest type there is, of which
/// `STACK_RESERVE` is twice as much.
fn entry_check(
    env: &Env<'_>,
    scratch: &mut Scratch,
    ty: &FuncType,
    convention: &dyn Convention,
    body: Symbol,
    frame: u32,
) -> Result<Code> {
    let isa = env.target.isa();
    let signature = entry_signature(isa, ty, convention);
    let target = signature.clone();
    build(env, scratch, "a frame check", signature, |mut b, params| {
        let vmctx = load_constant(&mut b, params[0], offset_of!(VmFuncRef, vmctx));
        let store = load_constant(&mut b, vmctx, offset_of!(VmHeader, store));
        let limit = entry_limit(&mut b, isa, vmctx, store);
        let over = is_beyond(&mut b, limit, frame);
        let (cold, next) = branch_cold(&mut b, over);
        b.switch_to_block(cold);
        zero_results(&mut b, ty, &convention.result_places(ty, &params[1..]));
        let error = call_plain(&mut b, isa, vmctx, Builtin::EntryOverflow, &[]);
        b.ins().return_(error.as_slice());
        b.switch_to_block(next);
        let body = symbol(b.func, body, target);
        let call = b.ins().call(body, &params);
        let error = b.inst_results(call).to_vec();
        b.ins().return_(&error);
        b.finalize(isa.frontend_config());
    })
}

/// Whether a frame of `frame` bytes below the stack pointer would go beyond the limit.
fn is_beyond(b: &mut FunctionBuilder<'_>, limit: Value, frame: u32) -> Value {
    let least = b.ins().iadd_imm_u(limit, i64::from(frame));
    let sp = b.ins().get_stack_pointer(I64);
    b.ins().icmp(IntCC::UnsignedLessThan, sp, least)
}

/// Compiles the entry or host trampoline for functions of a type, and its frame check, if its frame is large.
pub fn compile(
    env: &Env<'_>,
    scratch: &mut Scratch,
    index: u32,
    kind: TrampolineKind,
) -> Result<(Code, Option<Code>)> {
    use TrampolineKind as K;
    let ty = &env.module.types[index as usize];
    let convention: &dyn Convention = match kind {
        K::BoxedEntry | K::BoxedHost => &Boxed,
        K::TypedEntry | K::TypedHost => &Typed,
    };
    let is_entry = matches!(kind, K::BoxedEntry | K::TypedEntry);
    let code = match is_entry {
        true => entry(env, scratch, ty, convention)?,
        false => host(env, scratch, ty, convention)?,
    };
    if code.frame <= UNCHECKED_FRAME {
        return Ok((code, None));
    }
    let (body, frame) = (Symbol::Trampoline(index, kind), code.frame);
    let check = match is_entry {
        true => entry_check(env, scratch, ty, convention, body, frame)?,
        false => wasm_check(env, scratch, ty, body, frame, SourceLoc::default())?,
    };
    Ok((code, Some(check)))
}

/// How arguments and results pass between wasm and C.
trait Convention {
    /// The C parameters after the fixed ones: an entry has the function before them, a host function its env and the
    /// caller.
    fn c_params(&self, isa: &dyn TargetIsa, ty: &FuncType) -> Vec<AbiParam>;

    /// Reads the wasm arguments from those C parameters.
    fn take_args(&self, b: &mut FunctionBuilder<'_>, ty: &FuncType, params: &[Value])
    -> Vec<Value>;

    /// Where each result goes, as a base address and an offset.
    fn result_places(&self, ty: &FuncType, params: &[Value]) -> Vec<(Value, i32)>;

    /// Calls a host function, raises its error if it gives one, and gives its results. `vmctx` is the host function's.
    fn call_host(
        &self,
        b: &mut FunctionBuilder<'_>,
        isa: &dyn TargetIsa,
        ty: &FuncType,
        vmctx: Value,
        args: &[Value],
    ) -> Vec<Value>;
}

/// Arguments and results are in an array of 16-byte slots; its address is the one C parameter.
struct Boxed;

/// Arguments are passed by value, vectors by pointer. Then there is a pointer for each result.
struct Typed;

impl Convention for Boxed {
    fn c_params(&self, _: &dyn TargetIsa, _: &FuncType) -> Vec<AbiParam> {
        vec![AbiParam::new(I64)]
    }

    fn take_args(
        &self,
        b: &mut FunctionBuilder<'_>,
        ty: &FuncType,
        params: &[Value],
    ) -> Vec<Value> {
        let types = ty.params.iter().enumerate();
        let load = |(i, &ty)| {
            b.ins()
                .load(clif_type(ty), unaligned(), params[0], (i * SLOT) as i32)
        };
        types.map(load).collect()
    }

    fn result_places(&self, ty: &FuncType, params: &[Value]) -> Vec<(Value, i32)> {
        (0..ty.results.len())
            .map(|i| (params[0], (i * SLOT) as i32))
            .collect()
    }

    fn call_host(
        &self,
        b: &mut FunctionBuilder<'_>,
        isa: &dyn TargetIsa,
        ty: &FuncType,
        vmctx: Value,
        args: &[Value],
    ) -> Vec<Value> {
        let slots = slot(b, SLOT * ty.params.len().max(ty.results.len()).max(1));
        for (i, &arg) in args.iter().enumerate() {
            let offset = (i * SLOT) as i32;
            b.ins().store(MemFlagsData::trusted(), arg, slots, offset);
        }
        let failed = call_plain(b, isa, vmctx, Builtin::HostCall, &[slots]);
        raise_if(b, isa, vmctx, failed.expect("it has a result"));
        load_results(b, ty, |i| (slots, (i * SLOT) as i32))
    }
}

impl Convention for Typed {
    fn c_params(&self, isa: &dyn TargetIsa, ty: &FuncType) -> Vec<AbiParam> {
        let types = ty.params.iter().map(|&ty| match ty {
            ValType::V128 => I64,
            ty => clif_type(ty),
        });
        let params = c_types(isa, types).into_iter();
        params
            .map(|ty| c_param(isa, ty))
            .chain(ty.results.iter().map(|_| AbiParam::new(I64)))
            .collect()
    }

    fn take_args(
        &self,
        b: &mut FunctionBuilder<'_>,
        ty: &FuncType,
        params: &[Value],
    ) -> Vec<Value> {
        let mut args = params.to_vec();
        args.truncate(ty.params.len());
        for (arg, ty) in args.iter_mut().zip(&ty.params) {
            *arg = match ty {
                ValType::V128 => b.ins().load(clif_type(*ty), unaligned(), *arg, 0),
                ty => as_type(b, *arg, clif_type(*ty)),
            };
        }
        args
    }

    fn result_places(&self, ty: &FuncType, params: &[Value]) -> Vec<(Value, i32)> {
        params[ty.params.len()..].iter().map(|&p| (p, 0)).collect()
    }

    fn call_host(
        &self,
        b: &mut FunctionBuilder<'_>,
        isa: &dyn TargetIsa,
        ty: &FuncType,
        vmctx: Value,
        args: &[Value],
    ) -> Vec<Value> {
        let mut signature = Signature::new(isa.default_call_conv());
        signature.params.extend([AbiParam::new(I64); 2]);
        signature.params.extend(self.c_params(isa, ty));
        signature.returns.push(AbiParam::new(I64));
        let signature = b.import_signature(signature);

        let function = load_constant(b, vmctx, offset_of!(VmHostFunc, function));
        let host_env = load_constant(b, vmctx, offset_of!(VmHostFunc, env));
        let mut c_args = vec![host_env, vmctx];
        for &arg in args {
            let by_pointer = b.func.dfg.value_type(arg).is_vector();
            c_args.push(if by_pointer {
                let copy = slot(b, SLOT);
                b.ins().store(MemFlagsData::trusted(), arg, copy, 0);
                copy
            } else {
                let param = b.func.dfg.signatures[signature].params[c_args.len()];
                as_type(b, arg, param.value_type)
            });
        }
        // A result that the host function does not write is zero, and not what the stack held.
        let results = slot(b, SLOT * ty.results.len().max(1));
        for (i, &ty) in ty.results.iter().enumerate() {
            let offset = (i * SLOT) as i32;
            zero(b, ty, results, offset);
            c_args.push(b.ins().iadd_imm_u(results, i64::from(offset)));
        }
        let call = b.ins().call_indirect(signature, function, &c_args);
        let error = b.inst_results(call)[0];
        let (cold, next) = branch_cold(b, error);
        b.switch_to_block(cold);
        call_plain(b, isa, vmctx, Builtin::HostError, &[error]);
        b.ins().trap(NEVER);
        b.switch_to_block(next);
        load_results(b, ty, |i| (results, (i * SLOT) as i32))
    }
}

fn load_results(
    b: &mut FunctionBuilder<'_>,
    ty: &FuncType,
    place: impl Fn(usize) -> (Value, i32),
) -> Vec<Value> {
    let types = ty.results.iter().enumerate();
    let load = |(i, &ty)| {
        let (base, offset) = place(i);
        b.ins()
            .load(clif_type(ty), MemFlagsData::trusted(), base, offset)
    };
    types.map(load).collect()
}

/// A v128 in C memory or in boxed slots need not be 16-byte aligned.
fn unaligned() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

fn entry_signature(isa: &dyn TargetIsa, ty: &FuncType, convention: &dyn Convention) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.push(AbiParam::new(I64));
    signature.params.extend(convention.c_params(isa, ty));
    signature.returns.push(AbiParam::new(I64));
    signature
}

fn entry(
    env: &Env<'_>,
    scratch: &mut Scratch,
    ty: &FuncType,
    convention: &dyn Convention,
) -> Result<Code> {
    let isa = env.target.isa();
    let signature = entry_signature(isa, ty, convention);
    build(
        env,
        scratch,
        "an entry trampoline",
        signature,
        |mut b, params| {
            of_host::keep(env, &mut b);
            let (func, params) = (params[0], &params[1..]);
            let code = load_constant(&mut b, func, offset_of!(VmFuncRef, code));
            let vmctx = load_constant(&mut b, func, offset_of!(VmFuncRef, vmctx));
            let store = load_constant(&mut b, vmctx, offset_of!(VmHeader, store));

            let mut args = vec![vmctx];
            args.extend(convention.take_args(&mut b, ty, params));
            let places = convention.result_places(ty, params);

            let limit = entry_limit(&mut b, isa, vmctx, store);
            if env.target.can_stop() {
                let (cold, next) = unless_at_limit(&mut b, store, limit);
                b.switch_to_block(cold);
                let error = call_plain(&mut b, isa, vmctx, Builtin::Enter, &[limit]);
                let error = error.expect("it has a result");
                let stopped = b.create_block();
                b.ins().brif(error, stopped, &[], next, &[]);
                b.seal_block(stopped);
                b.seal_block(next);
                b.set_cold_block(stopped);
                b.switch_to_block(stopped);
                zero_results(&mut b, ty, &places);
                of_host::give_back(env, &mut b);
                b.ins().return_(&[error]);
                b.switch_to_block(next);
            }
            let (call, returned, raised) = (b.create_block(), b.create_block(), b.create_block());
            b.set_cold_block(raised);
            b.ins().jump(call, &[]);
            b.switch_to_block(call);
            b.seal_block(call);
            let activation = enter(env, &mut b, store, limit, call);

            let results: Vec<BlockArg> = ty
                .results
                .iter()
                .enumerate()
                .map(|(i, &ty)| {
                    b.append_block_param(returned, clif_type(ty));
                    BlockArg::TryCallRet(i as u32)
                })
                .collect();
            let wasm = b.import_signature(wasm_signature(ty));
            let pool = &mut b.func.dfg.value_lists;
            let normal = BlockCall::new(returned, results, pool);
            let handler = BlockCall::new(raised, [], pool);
            // A fault finds the vmctx in the frame, and by it the store.
            let items = [
                ExceptionTableItem::Context(vmctx),
                ExceptionTableItem::Default(handler),
            ];
            let table = ExceptionTableData::new(wasm, normal, items);
            let table = b.func.dfg.exception_tables.push(table);
            b.ins().try_call_indirect(code, &args, table);
            b.seal_block(returned);
            b.seal_block(raised);

            b.switch_to_block(returned);
            fuel::save(env, &mut b, store);
            leave(&mut b, store, activation);
            let values = b.block_params(returned).to_vec();
            for (value, &(base, offset)) in values.into_iter().zip(&places) {
                b.ins().store(unaligned(), value, base, offset);
            }
            of_host::give_back(env, &mut b);
            let none = b.ins().iconst(I64, 0);
            b.ins().return_(&[none]);

            b.switch_to_block(raised);
            leave(&mut b, store, activation);
            zero_results(&mut b, ty, &places);
            let error = call_plain(&mut b, isa, vmctx, Builtin::TakeError, &[]);
            of_host::give_back(env, &mut b);
            b.ins().return_(error.as_slice());
            b.finalize(isa.frontend_config());
        },
    )
}

/// Zeroes the results, since a host's out-parameters are written on failure, too.
fn zero_results(b: &mut FunctionBuilder<'_>, ty: &FuncType, places: &[(Value, i32)]) {
    for (&ty, &(base, offset)) in ty.results.iter().zip(places) {
        zero(b, ty, base, offset);
    }
}

fn zero(b: &mut FunctionBuilder<'_>, ty: ValType, base: Value, offset: i32) {
    let bytes = ty.size() as i32;
    let mut at = 0;
    while at < bytes {
        let part = if bytes - at >= 8 { I64 } else { I32 };
        let zero = b.ins().iconst(part, 0);
        b.ins().store(unaligned(), zero, base, offset + at);
        at += part.bytes() as i32;
    }
}

/// The stack limit for this activation. If the store has one, from the host or from an outer activation, it is that. If
/// not, the runtime computes one for the stack that this entry is on.
fn entry_limit(
    b: &mut FunctionBuilder<'_>,
    isa: &dyn TargetIsa,
    vmctx: Value,
    store: Value,
) -> Value {
    let limit = load_pointer(b, store, offset_of!(VmStore, stack_limit));
    let (unknown, known) = (b.create_block(), b.create_block());
    b.append_block_param(known, I64);
    b.ins()
        .brif(limit, known, &[BlockArg::Value(limit)], unknown, &[]);
    b.seal_block(unknown);
    b.switch_to_block(unknown);
    let sp = b.ins().get_stack_pointer(I64);
    let asked = call_plain(b, isa, vmctx, Builtin::StackLimit, &[sp]);
    let asked = asked.expect("it has a result");
    b.ins().jump(known, &[BlockArg::Value(asked)]);
    b.seal_block(known);
    b.switch_to_block(known);
    b.block_params(known)[0]
}

/// Branches to a cold block if the store's threshold is another than the stack limit of wasm that runs next. Gives it, and the
/// block that goes on, which is yet to be sealed.
fn unless_at_limit(b: &mut FunctionBuilder<'_>, store: Value, limit: Value) -> (Block, Block) {
    let threshold = load_pointer(b, store, offset_of!(VmStore, threshold));
    let differs = b.ins().icmp(IntCC::NotEqual, threshold, limit);
    detour(b, differs)
}

/// Makes a new activation the current one; gives its address.
fn enter(
    env: &Env<'_>,
    b: &mut FunctionBuilder<'_>,
    store: Value,
    limit: Value,
    call: Block,
) -> Value {
    let activation = slot(b, size_of::<VmActivation>());
    for (outer, saved) in SAVED {
        let value = load_pointer(b, store, outer);
        store_pointer(b, value, activation, saved);
    }
    let fp = b.ins().get_frame_pointer(I64);
    store_pointer(b, fp, activation, offset_of!(VmActivation, entry_fp));
    let sp = b.ins().get_stack_pointer(I64);
    store_pointer(b, sp, activation, offset_of!(VmActivation, entry_sp));
    let handler = b.ins().get_exception_handler_address(I64, call, 0);
    store_pointer(b, handler, activation, offset_of!(VmActivation, handler));
    store_pointer(b, limit, activation, offset_of!(VmActivation, stack_limit));
    store_pointer(b, activation, store, offset_of!(VmStore, activation));
    store_pointer(b, limit, store, offset_of!(VmStore, stack_limit));
    forget_exit(env, b, store);
    activation
}

/// What an activation saves of the store: each field's offset in the store, and in the activation.
const SAVED: [(usize, usize); 4] = [
    (
        offset_of!(VmStore, activation),
        offset_of!(VmActivation, previous),
    ),
    (
        offset_of!(VmStore, exit_fp),
        offset_of!(VmActivation, outer_exit_fp),
    ),
    (
        offset_of!(VmStore, exit_pc),
        offset_of!(VmActivation, outer_exit_pc),
    ),
    (
        offset_of!(VmStore, stack_limit),
        offset_of!(VmActivation, outer_stack_limit),
    ),
];

/// Makes the previous activation current again.
fn leave(b: &mut FunctionBuilder<'_>, store: Value, activation: Value) {
    for (outer, saved) in SAVED {
        let value = load_pointer(b, activation, saved);
        store_pointer(b, value, store, outer);
    }
}

fn host(
    env: &Env<'_>,
    scratch: &mut Scratch,
    ty: &FuncType,
    convention: &dyn Convention,
) -> Result<Code> {
    let isa = env.target.isa();
    let signature = wasm_signature(ty);
    build(
        env,
        scratch,
        "a host trampoline",
        signature,
        |mut b, params| {
            let (vmctx, args) = (params[0], &params[1..]);
            let store = load_constant(&mut b, vmctx, offset_of!(VmHeader, store));
            record_exit(env, &mut b, store);
            // The host may call `inlay_store_stack` meanwhile. The wasm that called it keeps its own limit.
            let limit = load_pointer(&mut b, store, offset_of!(VmStore, stack_limit));
            let results = convention.call_host(&mut b, isa, ty, vmctx, args);
            store_pointer(&mut b, limit, store, offset_of!(VmStore, stack_limit));
            if env.target.interruption() {
                let (cold, next) = unless_at_limit(&mut b, store, limit);
                b.switch_to_block(cold);
                let failed = call_plain(&mut b, isa, vmctx, Builtin::Return, &[limit]);
                raise_if(&mut b, isa, vmctx, failed.expect("it has a result"));
                b.ins().jump(next, &[]);
                b.seal_block(next);
                b.switch_to_block(next);
            }
            forget_exit(env, &mut b, store);
            b.ins().return_(&results);
            b.finalize(isa.frontend_config());
        },
    )
}
