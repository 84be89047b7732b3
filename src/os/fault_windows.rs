//! Faults of the CPU, as exceptions tell of them: what a vectored handler finds in its `EXCEPTION_RECORD` and `CONTEXT`, and
//! how it says where the thread goes on.

use super::{Cause, Fault, Landing};
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};
use windows_sys::Win32::Foundation as win;
use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, CONTEXT, EXCEPTION_POINTERS, EXCEPTION_RECORD,
    RemoveVectoredExceptionHandler,
};

/// What a fault is, if a trap can be one.
///
/// # Safety
/// The two are what a vectored handler was given.
pub unsafe fn read(record: NonNull<c_void>, context: NonNull<c_void>) -> Option<Fault> {
    // SAFETY: as the caller promises.
    let (record, context) = unsafe {
        (
            record.cast::<EXCEPTION_RECORD>().as_ref(),
            context.cast::<CONTEXT>().as_ref(),
        )
    };
    let cause = match record.ExceptionCode {
        win::EXCEPTION_ACCESS_VIOLATION | win::EXCEPTION_IN_PAGE_ERROR => {
            Cause::Access(record.ExceptionInformation[1])
        }
        win::EXCEPTION_ILLEGAL_INSTRUCTION => Cause::Instruction,
        win::EXCEPTION_INT_DIVIDE_BY_ZERO | win::EXCEPTION_INT_OVERFLOW => Cause::Arithmetic,
        _ => return None,
    };
    Some(Fault {
        cause,
        pc: context.Rip as usize,
        fp: context.Rbp as usize,
    })
}

/// Makes the thread go on at the landing, as if the instruction that faulted had called it.
///
/// # Safety
/// The context is what a vectored handler was given, and the thread's stack has room for the call.
pub unsafe fn land(context: NonNull<c_void>, landing: &Landing) {
    // SAFETY: as the caller promises; above the return address there are 32 bytes for what is called.
    unsafe {
        let context = context.cast::<CONTEXT>().as_mut();
        context.Rip = landing.pc as u64;
        context.Rcx = landing.arguments[0] as u64;
        context.Rdx = landing.arguments[1] as u64;
        context.Rsp = (context.Rsp & !15) - 40;
        *(context.Rsp as *mut usize) = landing.returns_to;
    }
}

/// What is asked for each fault; true if the thread goes on elsewhere.
pub type Handler = unsafe fn(record: NonNull<c_void>, context: NonNull<c_void>) -> bool;

/// What is asked, or null.
static HANDLER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// What the system gave for the handler, or null.
static INSTALLED: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Installs a vectored handler for the process, before others; whether that worked. One thread at a time installs or removes.
pub fn install(handler: Handler) -> bool {
    HANDLER.store(handler as *mut c_void, Ordering::SeqCst);
    if INSTALLED.load(Ordering::SeqCst).is_null() {
        // SAFETY: the handler is of the type that is wanted.
        let installed = unsafe { AddVectoredExceptionHandler(1, Some(on_exception)) };
        INSTALLED.store(installed, Ordering::SeqCst);
    }
    !INSTALLED.load(Ordering::SeqCst).is_null()
}

/// Removes the handler. The system keeps a list of them, so that no other one depends on it.
pub fn remove() {
    HANDLER.store(std::ptr::null_mut(), Ordering::SeqCst);
    let installed = INSTALLED.swap(std::ptr::null_mut(), Ordering::SeqCst);
    if !installed.is_null() {
        // SAFETY: the system gave it, and it is removed once.
        unsafe { RemoveVectoredExceptionHandler(installed) };
    }
}

unsafe extern "system" fn on_exception(pointers: *mut EXCEPTION_POINTERS) -> i32 {
    const CONTINUE_EXECUTION: i32 = -1;
    const CONTINUE_SEARCH: i32 = 0;
    let handler = HANDLER.load(Ordering::SeqCst);
    // SAFETY: the system gives what happened, and the handler is null or was a `Handler`.
    unsafe {
        let record = NonNull::new((*pointers).ExceptionRecord);
        let context = NonNull::new((*pointers).ContextRecord);
        if let (false, Some(record), Some(context)) = (handler.is_null(), record, context) {
            let handler = std::mem::transmute::<*mut c_void, Handler>(handler);
            if handler(record.cast(), context.cast()) {
                return CONTINUE_EXECUTION;
            }
        }
    }
    CONTINUE_SEARCH
}
