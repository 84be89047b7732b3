//! The builtins that need the store: what `builtins` lists as `rt::...`.
//!
//! Each takes the vmctx first. None may panic or unwind: they are called by
//! compiled code. One that fails records an error in the store and returns
//! anything; the exit trampoline then raises the error.

use super::func::{HostCall, HostFunc, Slot};
use super::shared::{holds32, holds64};
use super::{Exception, Instance, Memory, Store, Table, backtrace};
use crate::error::{Error, ErrorKind};
use crate::layout::{VmContext, VmHeader, VmHostFunc};
use crate::trap::Trap;
use std::ffi::c_void;

type Vmctx = *mut VmHeader;

/// The store that a vmctx belongs to.
///
/// # Safety
/// The vmctx is alive; no other reference to the store is held while this one is used.
unsafe fn store<'a>(vmctx: Vmctx) -> &'a mut Store {
    // SAFETY: as the caller promises; a VmStore is the start of its store.
    unsafe { &mut *(*vmctx).store.cast() }
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

/// Records a trap, with its backtrace.
///
/// # Safety
/// Wasm of this vmctx's store runs on this stack and has recorded its exit.
pub unsafe fn record_trap(vmctx: Vmctx, trap: Trap) {
    // SAFETY: as the caller promises.
    unsafe {
        let store = store(vmctx);
        let frames = backtrace(store);
        store.record(Error::trap(trap, frames));
    }
}

/// Whether `len` bytes or elements at `start` are within `size`.
fn within(start: u64, len: u64, size: usize) -> bool {
    start.checked_add(len).is_some_and(|end| end <= size as u64)
}

// Each function below is called by compiled code of the instance or host
// function whose vmctx it gets, through its exit trampoline or as a plain
// builtin: that is what its SAFETY comments rest on.

pub unsafe extern "C" fn trap(vmctx: Vmctx, code: u32) {
    // SAFETY: called through an exit trampoline.
    unsafe {
        match Trap::from_code(code) {
            Some(trap) => record_trap(vmctx, trap),
            None => store(vmctx).record(Error::internal("an unknown trap code")),
        }
    }
}

pub unsafe extern "C" fn memory_grow(vmctx: Vmctx, index: u32, delta: u64) -> u64 {
    // SAFETY: called by compiled code, which reads the definition anew.
    unsafe { memory(vmctx, index).grow(delta).unwrap_or(u64::MAX) }
}

pub unsafe extern "C" fn memory_fill(vmctx: Vmctx, index: u32, dst: u64, value: u32, len: u64) {
    // SAFETY: the range is checked before it is written.
    unsafe {
        let memory = memory(vmctx, index);
        if !within(dst, len, memory.len()) {
            return record_trap(vmctx, Trap::OutOfBoundsMemory);
        }
        let at = memory.base().add(dst as usize);
        at.write_bytes(value as u8, len as usize);
    }
}

pub unsafe extern "C" fn memory_copy(
    vmctx: Vmctx,
    dst_index: u32,
    src_index: u32,
    dst: u64,
    src: u64,
    len: u64,
) {
    // SAFETY: both ranges are checked before they are used; they may overlap.
    unsafe {
        let (from, from_len) = {
            let memory = memory(vmctx, src_index);
            (memory.base(), memory.len())
        };
        let to = memory(vmctx, dst_index);
        if !within(src, len, from_len) || !within(dst, len, to.len()) {
            return record_trap(vmctx, Trap::OutOfBoundsMemory);
        }
        let to = to.base().add(dst as usize);
        from.add(src as usize).copy_to(to, len as usize);
    }
}

pub unsafe extern "C" fn memory_init(
    vmctx: Vmctx,
    index: u32,
    segment: u32,
    dst: u64,
    src: u64,
    len: u64,
) {
    // SAFETY: called by compiled code with indices of its own module.
    unsafe {
        if let Err(trap) = instance(vmctx).init_memory(index, segment, dst, src, len) {
            record_trap(vmctx, trap);
        }
    }
}

pub unsafe extern "C" fn data_drop(vmctx: Vmctx, segment: u32) {
    // SAFETY: called by compiled code with an index of its own module.
    unsafe { instance(vmctx).drop_data(segment) };
}

pub unsafe extern "C" fn table_grow(
    vmctx: Vmctx,
    index: u32,
    init: *mut c_void,
    delta: u64,
) -> u64 {
    // SAFETY: called by compiled code, which reads the definition anew.
    unsafe { table(vmctx, index).grow(delta, init).unwrap_or(u64::MAX) }
}

pub unsafe extern "C" fn table_fill(
    vmctx: Vmctx,
    index: u32,
    dst: u64,
    value: *mut c_void,
    len: u64,
) {
    // SAFETY: called by compiled code with an index of its own module.
    unsafe {
        match table(vmctx, index).slice(dst, len) {
            Some(elements) => elements.fill(value),
            None => record_trap(vmctx, Trap::OutOfBoundsTable),
        }
    }
}

pub unsafe extern "C" fn table_copy(
    vmctx: Vmctx,
    dst_index: u32,
    src_index: u32,
    dst: u64,
    src: u64,
    len: u64,
) {
    // SAFETY: called by compiled code with indices of its own module; raw pointers, as both may be one table.
    unsafe {
        let to = instance(vmctx).tables[dst_index as usize];
        let from = instance(vmctx).tables[src_index as usize];
        if !Table::copy(to, from, dst, src, len) {
            record_trap(vmctx, Trap::OutOfBoundsTable);
        }
    }
}

pub unsafe extern "C" fn table_init(
    vmctx: Vmctx,
    index: u32,
    segment: u32,
    dst: u64,
    src: u64,
    len: u64,
) {
    // SAFETY: called by compiled code with indices of its own module.
    unsafe {
        if let Err(trap) = instance(vmctx).init_table(index, segment, dst, src, len) {
            record_trap(vmctx, trap);
        }
    }
}

pub unsafe extern "C" fn elem_drop(vmctx: Vmctx, segment: u32) {
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
        let Some(shared) = memory(vmctx, index).shared.clone() else {
            record_trap(vmctx, Trap::NotShared);
            return 0;
        };
        shared.wait(address, holds, timeout) as u32
    }
}

pub unsafe extern "C" fn memory_wait32(
    vmctx: Vmctx,
    index: u32,
    address: usize,
    expected: u32,
    timeout: i64,
) -> u32 {
    // SAFETY: compiled code has checked that the address is aligned and in the memory.
    unsafe {
        wait(
            vmctx,
            index,
            address,
            || holds32(address, expected),
            timeout,
        )
    }
}

pub unsafe extern "C" fn memory_wait64(
    vmctx: Vmctx,
    index: u32,
    address: usize,
    expected: u64,
    timeout: i64,
) -> u32 {
    // SAFETY: compiled code has checked that the address is aligned and in the memory.
    unsafe {
        wait(
            vmctx,
            index,
            address,
            || holds64(address, expected),
            timeout,
        )
    }
}

/// Wakes threads; nobody can wait on a memory that is not shared.
pub unsafe extern "C" fn memory_notify(
    vmctx: Vmctx,
    index: u32,
    address: usize,
    count: u32,
) -> u32 {
    // SAFETY: called by compiled code with an index of its own module.
    unsafe {
        let shared = &memory(vmctx, index).shared;
        shared
            .as_ref()
            .map_or(0, |shared| shared.notify(address, count))
    }
}

/// Throws a new exception, with its values in the slots.
pub unsafe extern "C" fn throw(vmctx: Vmctx, tag: u32, slots: *const Slot) {
    // SAFETY: called by compiled code with a tag of its own module and as many slots as the tag has values.
    unsafe {
        let tag = instance(vmctx).tags[tag as usize];
        let store = store(vmctx);
        let count = store.types[(*tag).type_id as usize].ty.params.len();
        let values = std::slice::from_raw_parts(slots, count).to_vec();
        store.record(Exception::new(tag, values).into_error());
    }
}

/// Throws an exception again.
pub unsafe extern "C" fn throw_ref(vmctx: Vmctx, exception: *mut Exception) {
    // SAFETY: called by compiled code, whose references are to exceptions of its store.
    unsafe {
        store(vmctx).record(Exception::again(exception).into_error());
    }
}

/// Calls a boxed host function; 1 if it recorded an error.
pub unsafe extern "C" fn host_call(vmctx: Vmctx, slots: *mut Slot) -> u32 {
    let context: *mut VmHostFunc = vmctx.cast();
    // SAFETY: called by the host trampoline of this function's type, with slots for its arguments and results.
    // The host function lives as long as the store, which outlives the wasm that runs in it.
    unsafe {
        let host: &HostFunc = &*(*context).host.cast();
        let count = host.ty.params.len().max(host.ty.results.len());
        let slots = std::slice::from_raw_parts_mut(slots, count);
        let result = match &host.call {
            HostCall::Boxed(call) => call(context, slots),
            HostCall::Typed(_) => Err(Error::internal("a typed function in a boxed call")),
        };
        match result {
            Ok(()) => 0,
            Err(error) => {
                store(vmctx).record(error);
                1
            }
        }
    }
}

/// Raises the error that a typed host function returned.
pub unsafe extern "C" fn host_error(vmctx: Vmctx, error: *mut Error) -> ! {
    // SAFETY: the host gave the error away; compiled code called this and holds nothing.
    unsafe {
        store(vmctx).record(Box::from_raw(error));
        raise(vmctx)
    }
}

/// Takes the error that ended an activation; for the entry trampoline, which gives it to the host.
pub unsafe extern "C" fn take_error(vmctx: Vmctx) -> *mut Error {
    // SAFETY: called by an entry trampoline with the vmctx of its callee.
    let error = unsafe { store(vmctx).take_pending() };
    let lost = || {
        Error::new(
            ErrorKind::Internal,
            "wasm was unwound without an error; this is a defect of Inlay",
        )
    };
    Box::into_raw(error.unwrap_or_else(lost))
}

/// Unwinds: an exception to the innermost clause that catches it, anything else, and an exception that nothing
/// catches, to the innermost entry, whose handler takes the recorded error.
pub unsafe extern "C" fn raise(vmctx: Vmctx) -> ! {
    // SAFETY: called by compiled code, so an activation is on this stack; this frame and
    // `host_error`'s hold no value with a destructor.
    unsafe {
        if let Some(landing) = store(vmctx).catch() {
            super::resume::resume(
                landing.pc,
                landing.sp,
                landing.fp,
                landing.exception as usize,
            )
        }
        let activation = (*(*vmctx).store).activation;
        let (pc, sp, fp) = (
            (*activation).handler,
            (*activation).entry_sp,
            (*activation).entry_fp,
        );
        super::resume::resume(pc, sp, fp, 0)
    }
}
