//! The functions behind the list of builtins: what compiled code calls.
//!
//! Each takes the vmctx first. None unwinds into compiled code: those that do more than to read and write fields run in a
//! guard, which makes an error of a panic. One that fails records an error in the store and returns anything; the exit
//! trampoline then raises the error.

pub mod float;
pub mod vector;

use super::func::{HostContext, Slot, call_boxed};
use super::shared::{holds32, holds64};
use super::{Exception, Instance, Memory, Store, Table, stack};
use crate::error::{Details, Error, Result};
use crate::fallible;
use crate::guard::{guard, guard_raw};
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use crate::image::vmctx::{VmContext, VmHeader, VmStore, WORD};
use std::ffi::c_void;
use std::slice;

type Vmctx = *mut VmHeader;

/// A function for each builtin: Inlay's own, or the host's where it replaces that.
pub fn functions(replaced: &[(Builtin, *const c_void)]) -> Result<Vec<*const c_void>> {
    let all = Builtin::ALL.iter();
    let mut functions = fallible::collect(all.map(|&builtin| function(builtin)))?;
    for &(builtin, function) in replaced {
        functions[builtin as usize] = function;
    }
    Ok(functions)
}

/// Inlay's own implementation of a builtin.
fn function(builtin: Builtin) -> *const c_void {
    use Builtin as B;
    match builtin {
        B::Trap => trap as *const c_void,
        B::MemoryGrow => memory_grow as *const c_void,
        B::MemoryFill => memory_fill as *const c_void,
        B::MemoryCopy => memory_copy as *const c_void,
        B::MemoryFillInSteps => memory_fill_in_steps as *const c_void,
        B::MemoryCopyInSteps => memory_copy_in_steps as *const c_void,
        B::MemoryInit => memory_init as *const c_void,
        B::DataDrop => data_drop as *const c_void,
        B::TableGrow => table_grow as *const c_void,
        B::TableFill => table_fill as *const c_void,
        B::TableCopy => table_copy as *const c_void,
        B::TableInit => table_init as *const c_void,
        B::ElemDrop => elem_drop as *const c_void,
        B::MemoryWait32 => memory_wait32 as *const c_void,
        B::MemoryWait64 => memory_wait64 as *const c_void,
        B::MemoryNotify => memory_notify as *const c_void,
        B::Throw => throw as *const c_void,
        B::ThrowRef => throw_ref as *const c_void,
        B::HostCall => host_call as *const c_void,
        B::HostError => host_error as *const c_void,
        B::TakeError => take_error as *const c_void,
        B::Raise => raise as *const c_void,
        B::StackLimit => stack_limit as *const c_void,
        B::EntryOverflow => entry_overflow as *const c_void,
        B::Enter => enter as *const c_void,
        B::Return => return_to as *const c_void,
        B::Stop => stop as *const c_void,
        B::Pay => pay as *const c_void,
        B::F32Ceil => float::inlay_builtin_f32_ceil as *const c_void,
        B::F32Floor => float::inlay_builtin_f32_floor as *const c_void,
        B::F32Trunc => float::inlay_builtin_f32_trunc as *const c_void,
        B::F32Nearest => float::inlay_builtin_f32_nearest as *const c_void,
        B::F64Ceil => float::inlay_builtin_f64_ceil as *const c_void,
        B::F64Floor => float::inlay_builtin_f64_floor as *const c_void,
        B::F64Trunc => float::inlay_builtin_f64_trunc as *const c_void,
        B::F64Nearest => float::inlay_builtin_f64_nearest as *const c_void,
        B::F32Fma => float::inlay_builtin_f32_fma as *const c_void,
        B::F64Fma => float::inlay_builtin_f64_fma as *const c_void,
        B::I8x16Shuffle => vector::inlay_builtin_i8x16_shuffle as *const c_void,
        B::I8x16Swizzle => vector::inlay_builtin_i8x16_swizzle as *const c_void,
        B::I32TruncF32S => float::inlay_builtin_i32_trunc_f32_s as *const c_void,
        B::I32TruncF32U => float::inlay_builtin_i32_trunc_f32_u as *const c_void,
        B::I32TruncF64S => float::inlay_builtin_i32_trunc_f64_s as *const c_void,
        B::I32TruncF64U => float::inlay_builtin_i32_trunc_f64_u as *const c_void,
        B::I64TruncF32S => float::inlay_builtin_i64_trunc_f32_s as *const c_void,
        B::I64TruncF32U => float::inlay_builtin_i64_trunc_f32_u as *const c_void,
        B::I64TruncF64S => float::inlay_builtin_i64_trunc_f64_s as *const c_void,
        B::I64TruncF64U => float::inlay_builtin_i64_trunc_f64_u as *const c_void,
        B::I32TruncSatF32S => float::inlay_builtin_i32_trunc_sat_f32_s as *const c_void,
        B::I32TruncSatF32U => float::inlay_builtin_i32_trunc_sat_f32_u as *const c_void,
        B::I32TruncSatF64S => float::inlay_builtin_i32_trunc_sat_f64_s as *const c_void,
        B::I32TruncSatF64U => float::inlay_builtin_i32_trunc_sat_f64_u as *const c_void,
        B::I64TruncSatF32S => float::inlay_builtin_i64_trunc_sat_f32_s as *const c_void,
        B::I64TruncSatF32U => float::inlay_builtin_i64_trunc_sat_f32_u as *const c_void,
        B::I64TruncSatF64S => float::inlay_builtin_i64_trunc_sat_f64_s as *const c_void,
        B::I64TruncSatF64U => float::inlay_builtin_i64_trunc_sat_f64_u as *const c_void,
    }
}

/// The store that a vmctx belongs to.
///
/// # Safety
/// The vmctx is alive; no other reference to the store is held while this one is used.
unsafe fn store<'a>(vmctx: Vmctx) -> &'a mut Store {
    // SAFETY: as the caller promises.
    unsafe { &mut *Store::of(vmctx) }
}

/// What compiled code sees of the store that a vmctx belongs to.
///
/// # Safety
/// The vmctx is alive.
unsafe fn vm<'a>(vmctx: Vmctx) -> &'a VmStore {
    // SAFETY: as the caller promises; a store outlives the vmctxs in it.
    unsafe { &*(*vmctx).store }
}

/// The instance of a vmctx.
///
/// # Safety
/// The vmctx is that of a living instance; no other reference to it is held while this one is used.
unsafe fn instance<'a>(vmctx: Vmctx) -> &'a mut Instance {
    // SAFETY: as the caller promises.
    unsafe { &mut *(*vmctx.cast::<VmContext>()).instance.cast() }
}

/// # Safety
/// As for [`instance`].
unsafe fn memory<'a>(vmctx: Vmctx, index: u32) -> &'a mut Memory {
    // SAFETY: as the caller promises; compiled code passes indices of its own module.
    unsafe { &mut *instance(vmctx).memories[index as usize] }
}

/// # Safety
/// As for [`instance`].
unsafe fn table<'a>(vmctx: Vmctx, index: u32) -> &'a mut Table {
    // SAFETY: as the caller promises; compiled code passes indices of its own module.
    unsafe { &mut *instance(vmctx).tables[index as usize] }
}

/// Why a builtin that wasm called fails.
enum Failure {
    Trap(Trap),
    Error(Error),
}

impl From<Trap> for Failure {
    fn from(trap: Trap) -> Self {
        Failure::Trap(trap)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

type Outcome<T> = std::result::Result<T, Failure>;

/// Runs the body of a builtin that compiled code calls through an exit trampoline; a failure is recorded for that to raise.
///
/// # Safety
/// The vmctx is alive, and the body leaves no reference to its store.
unsafe fn exit<T>(vmctx: Vmctx, otherwise: T, body: impl FnOnce() -> Outcome<T>) -> T {
    let outcome = guard(|| {
        body().map_err(|failure| match failure {
            Failure::Trap(trap) => trap.into(),
            Failure::Error(error) => error,
        })
    });
    outcome.unwrap_or_else(|error| {
        // SAFETY: as the caller promises.
        unsafe { store(vmctx).record(error) };
        otherwise
    })
}

/// As [`exit`], for what can take long or is done often: it looks first whether wasm is to stop.
///
/// # Safety
/// As for [`exit`].
unsafe fn exit_looking<T>(vmctx: Vmctx, otherwise: T, body: impl FnOnce() -> Result<T>) -> T {
    // SAFETY: as the caller promises.
    unsafe {
        exit(vmctx, otherwise, || {
            vm(vmctx).look()?;
            Ok(body()?)
        })
    }
}

/// Takes the fuel of an operation on so many bytes, if wasm uses fuel.
///
/// # Safety
/// The vmctx is alive, and no reference to its store is held.
unsafe fn pay_for(vmctx: Vmctx, bytes: u64) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        match store(vmctx).engine.fuel {
            true => vm(vmctx).pay(bytes / WORD),
            false => Ok(()),
        }
    }
}

/// Records a trap, for the exit trampoline that called a builtin; nothing if none did, as then nobody would raise it.
///
/// # Safety
/// The vmctx is alive, and no reference to its store is held.
pub unsafe fn record_trap(vmctx: Vmctx, trap: Trap) {
    // SAFETY: as the caller promises.
    let store = unsafe { store(vmctx) };
    if store.vm.exit_fp.get() != 0 {
        store.record(trap.into());
    }
}

// Each function below is called by compiled code of the instance or host
// function whose vmctx it gets, through its exit trampoline or as a plain
// builtin: that is what its SAFETY comments rest on.

unsafe extern "C" fn trap(vmctx: Vmctx, code: u32) {
    let number = || match Trap::from_code(code) {
        Some(trap) => Err(trap.into()),
        None => Err(Error::internal("an unknown trap code").into()),
    };
    // SAFETY: called through an exit trampoline.
    unsafe { exit(vmctx, (), number) }
}

unsafe extern "C" fn memory_grow(vmctx: Vmctx, index: u32, delta: u64) -> u64 {
    // SAFETY: called by compiled code, which reads the definition anew.
    unsafe {
        exit_looking(vmctx, u64::MAX, || {
            if let Some(bytes) = memory(vmctx, index).growth(delta) {
                pay_for(vmctx, bytes)?;
            }
            let memory: *mut Memory = memory(vmctx, index);
            match Memory::admit(memory, delta)? {
                Some(admitted) => Ok((*memory).grow(delta, admitted).unwrap_or(u64::MAX)),
                None => Ok(u64::MAX),
            }
        })
    }
}

unsafe extern "C" fn memory_fill(_: Vmctx, target: *mut u8, value: u32, len: u64) {
    // SAFETY: compiled code has compared the range with the memory's length.
    unsafe { target.write_bytes(value as u8, len as usize) }
}

unsafe extern "C" fn memory_copy(_: Vmctx, target: *mut u8, source: *const u8, len: u64) {
    // SAFETY: compiled code has compared both ranges with the lengths of their memories; they may overlap.
    unsafe { source.copy_to(target, len as usize) }
}

unsafe extern "C" fn memory_fill_in_steps(vmctx: Vmctx, target: *mut u8, value: u32, len: u64) {
    // SAFETY: as for `memory_fill`.
    unsafe {
        exit_looking(vmctx, (), || {
            pay_for(vmctx, len)?;
            let fill = |at, len| target.add(at).write_bytes(value as u8, len);
            vm(vmctx).in_steps::<u8>(len as usize, false, fill)
        })
    }
}

unsafe extern "C" fn memory_copy_in_steps(
    vmctx: Vmctx,
    target: *mut u8,
    source: *const u8,
    len: u64,
) {
    // SAFETY: as for `memory_copy`.
    unsafe {
        exit_looking(vmctx, (), || {
            pay_for(vmctx, len)?;
            vm(vmctx).copy_in_steps(source, target, len as usize)
        })
    }
}

unsafe extern "C" fn memory_init(
    vmctx: Vmctx,
    index: u32,
    segment: u32,
    dst: u64,
    src: u64,
    len: u64,
) {
    // SAFETY: called by compiled code with indices of its own module.
    unsafe {
        exit_looking(vmctx, (), || {
            let before = || pay_for(vmctx, len);
            instance(vmctx).init_memory(index, segment, dst, src, len, before)
        })
    }
}

unsafe extern "C" fn data_drop(vmctx: Vmctx, segment: u32) {
    // SAFETY: called by compiled code with an index of its own module.
    unsafe { instance(vmctx).drop_data(segment) };
}

unsafe extern "C" fn table_grow(vmctx: Vmctx, index: u32, init: *mut c_void, delta: u64) -> u64 {
    // SAFETY: called by compiled code, which reads the definition anew.
    unsafe {
        exit_looking(vmctx, u64::MAX, || {
            let table = instance(vmctx).tables[index as usize];
            if (*table).len().saturating_add(delta) <= (*table).most() {
                pay_for(vmctx, delta.saturating_mul(WORD))?;
            }
            let Some(admitted) = Table::admit(table, delta)? else {
                return Ok(u64::MAX);
            };
            let grown = Table::grow_in_steps(table, delta, init, admitted, vm(vmctx))?;
            Ok(grown.unwrap_or(u64::MAX))
        })
    }
}

unsafe extern "C" fn table_fill(vmctx: Vmctx, index: u32, dst: u64, value: *mut c_void, len: u64) {
    // SAFETY: called by compiled code with an index of its own module.
    unsafe {
        exit_looking(vmctx, (), || {
            let elements = table(vmctx, index).slice(dst, len);
            let elements = elements.ok_or(Trap::OutOfBoundsTable)?.as_mut_ptr();
            pay_for(vmctx, len * WORD)?;
            let fill = |at, len| slice::from_raw_parts_mut(elements.add(at), len).fill(value);
            vm(vmctx).in_steps::<*mut c_void>(len as usize, false, fill)
        })
    }
}

unsafe extern "C" fn table_copy(
    vmctx: Vmctx,
    dst_index: u32,
    src_index: u32,
    dst: u64,
    src: u64,
    len: u64,
) {
    // SAFETY: called by compiled code with indices of its own module; raw pointers, as both may be one table.
    unsafe {
        exit_looking(vmctx, (), || {
            let to = instance(vmctx).tables[dst_index as usize];
            let from = instance(vmctx).tables[src_index as usize];
            let before = || pay_for(vmctx, len * WORD);
            Table::copy(to, from, dst, src, len, vm(vmctx), before)
        })
    }
}

unsafe extern "C" fn table_init(
    vmctx: Vmctx,
    index: u32,
    segment: u32,
    dst: u64,
    src: u64,
    len: u64,
) {
    // SAFETY: called by compiled code with indices of its own module.
    unsafe {
        exit_looking(vmctx, (), || {
            let before = || pay_for(vmctx, len * WORD);
            instance(vmctx).init_table(index, segment, dst, src, len, before)
        })
    }
}

unsafe extern "C" fn elem_drop(vmctx: Vmctx, segment: u32) {
    // SAFETY: called by compiled code with an index of its own module.
    unsafe { instance(vmctx).drop_elements(segment) };
}

/// Waits on an address that compiled code has checked.
///
/// # Safety
/// As for [`instance`].
unsafe fn wait(
    vmctx: Vmctx,
    index: u32,
    address: usize,
    holds: impl FnOnce() -> bool,
    timeout: i64,
) -> u32 {
    // SAFETY: as the caller promises. The memory is kept alive by the store, whose thread this is.
    unsafe {
        exit(vmctx, 0, || {
            let shared = memory(vmctx, index).shared.clone();
            let shared = shared.ok_or(Trap::NotShared)?;
            let can_stop = store(vmctx).engine.interruption;
            let vm = can_stop.then(|| vm(vmctx));
            Ok(shared.wait(address, holds, timeout, vm)? as u32)
        })
    }
}

unsafe extern "C" fn memory_wait32(
    vmctx: Vmctx,
    index: u32,
    address: usize,
    expected: u32,
    timeout: i64,
) -> u32 {
    // SAFETY: compiled code has checked that the address is aligned and in the memory.
    unsafe {
        let holds = || holds32(address, expected);
        wait(vmctx, index, address, holds, timeout)
    }
}

unsafe extern "C" fn memory_wait64(
    vmctx: Vmctx,
    index: u32,
    address: usize,
    expected: u64,
    timeout: i64,
) -> u32 {
    // SAFETY: compiled code has checked that the address is aligned and in the memory.
    unsafe {
        let holds = || holds64(address, expected);
        wait(vmctx, index, address, holds, timeout)
    }
}

/// Wakes threads; nobody can wait on a memory that is not shared.
unsafe extern "C" fn memory_notify(vmctx: Vmctx, index: u32, address: usize, count: u32) -> u32 {
    // SAFETY: called by compiled code with an index of its own module.
    unsafe {
        exit(vmctx, 0, || {
            let shared = &memory(vmctx, index).shared;
            Ok(shared
                .as_ref()
                .map_or(0, |shared| shared.notify(address, count)))
        })
    }
}

/// Throws a new exception, with its values in the slots.
unsafe extern "C" fn throw(vmctx: Vmctx, tag: u32, slots: *const Slot) {
    // SAFETY: called by compiled code with a tag of its own module and as many slots as the tag has values.
    unsafe {
        exit(vmctx, (), || {
            let tag = instance(vmctx).tags[tag as usize];
            let count = store(vmctx).types.get((*tag).type_id).params.len();
            let values = std::slice::from_raw_parts(slots, count);
            Err(Exception::new(tag, values)?.into_error().into())
        })
    }
}

/// Throws an exception again.
unsafe extern "C" fn throw_ref(vmctx: Vmctx, exnref: u64) {
    // SAFETY: called by compiled code, whose references are to exceptions of its store.
    unsafe {
        exit(vmctx, (), || {
            let exception = store(vmctx).exnrefs.get(exnref);
            let exception = exception.ok_or_else(|| {
                Error::internal("wasm threw an exception again that its store does not have")
            })?;
            Err(exception.again()?.into_error().into())
        })
    }
}

/// Calls a boxed host function; 1 if it recorded an error. What the host throws passes, and no panic is among that.
unsafe extern "C-unwind" fn host_call(vmctx: Vmctx, slots: *mut Slot) -> u32 {
    let context: *mut HostContext = vmctx.cast();
    // SAFETY: called by the host trampoline of this function's type, with slots for its arguments and results.
    // The host function lives as long as the store, which outlives the wasm that runs in it.
    unsafe {
        let error = call_boxed(context, &(*context).host, slots);
        if error.is_null() {
            return 0;
        }
        store(vmctx).record(Error::from_raw(error));
        1
    }
}

/// Raises the error that a typed host function returned.
unsafe extern "C" fn host_error(vmctx: Vmctx, error: *mut Details) -> ! {
    // SAFETY: the host gave the error away; compiled code called this and holds nothing.
    unsafe {
        store(vmctx).record(Error::from_raw(error));
        raise(vmctx)
    }
}

/// Takes the error that ended an activation; for the entry trampoline, which gives it to the host.
unsafe extern "C" fn take_error(vmctx: Vmctx) -> *mut Details {
    // SAFETY: called by an entry trampoline with the vmctx of its callee.
    let error = unsafe { store(vmctx).take_pending() };
    let lost = || Error::internal("wasm was left without an error; this is a defect of Inlay");
    error.unwrap_or_else(lost).into_raw()
}

/// Goes on at the innermost clause that catches the pending exception. Where there is none, or the error is no exception, it
/// goes on at the handler of the innermost entry, which takes the error; that then has the frames in
/// between.
unsafe extern "C" fn raise(vmctx: Vmctx) -> ! {
    // SAFETY: called by compiled code, so an activation is on this stack; this frame and
    // `host_error`'s hold no value with a destructor when they are left.
    unsafe {
        let landing = match guard(|| Ok(store(vmctx).unwind())) {
            Ok(landing) => landing,
            Err(error) => {
                // What was pending is lost with what panicked over it.
                drop(store(vmctx).take_pending());
                store(vmctx).record(error);
                None
            }
        };
        if let Some(landing) = landing {
            super::resume::resume(
                landing.pc,
                landing.sp,
                landing.fp,
                landing.exception as usize,
            )
        }
        let activation = (*(*vmctx).store).activation.get();
        let (pc, sp, fp) = (
            (*activation).handler,
            (*activation).entry_sp,
            (*activation).entry_fp,
        );
        super::resume::resume(pc, sp, fp, 0)
    }
}

/// The limit of the stack that wasm is entered on, for the outermost entry of a store whose host gave no bounds.
unsafe extern "C" fn stack_limit(vmctx: Vmctx, sp: usize) -> usize {
    // SAFETY: called by an entry trampoline with the vmctx of its callee.
    unsafe {
        let store = store(vmctx);
        let bytes = store.engine.limits.stack_bytes;
        if std::mem::take(&mut store.asks_again) {
            stack::ask();
        }
        stack::limit(sp, bytes)
    }
}

/// The error for an entry whose own frame does not fit the stack.
unsafe extern "C" fn entry_overflow(_: Vmctx) -> *mut Details {
    Error::from(Trap::StackOverflow).into_raw()
}

/// What an entry does if the threshold is not its limit: sets it to that, or gives the error of an interrupt that came before.
unsafe extern "C" fn enter(vmctx: Vmctx, limit: usize) -> *mut Details {
    // SAFETY: called by an entry trampoline with the vmctx of its callee.
    unsafe {
        guard_raw(|| {
            store(vmctx).must_not_be_waiting()?;
            vm(vmctx).look()?;
            vm(vmctx).arm(limit);
            Ok(())
        })
    }
}

/// What is done where a host function returns to wasm, if the threshold is not the limit of that wasm; 1 if it recorded an
/// error.
unsafe extern "C" fn return_to(vmctx: Vmctx, limit: usize) -> u32 {
    // SAFETY: called by a host trampoline.
    unsafe {
        exit_looking(vmctx, 1, || {
            vm(vmctx).arm(limit);
            Ok(0)
        })
    }
}

/// What wasm calls that has found the word set, or this stack pointer below the threshold; the largest number is for the
/// former.
unsafe extern "C" fn stop(vmctx: Vmctx, sp: u64) {
    // SAFETY: called through an exit trampoline.
    unsafe {
        exit_looking(vmctx, (), || {
            let limit = vm(vmctx).stack_limit.get();
            vm(vmctx).arm(limit);
            match sp < limit as u64 {
                true => Err(Trap::StackOverflow.into()),
                false => Ok(()),
            }
        })
    }
}

/// What wasm calls that has charged more fuel than there was.
unsafe extern "C" fn pay(vmctx: Vmctx, cost: u64) {
    // SAFETY: called through an exit trampoline.
    unsafe {
        exit(vmctx, (), || {
            let vm = vm(vmctx);
            vm.fuel.set(vm.fuel.get() + cost as i64);
            Ok(vm.pay(cost)?)
        })
    }
}
