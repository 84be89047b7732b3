//! Faults of the CPU that are traps of wasm.
//!
//! Where traps are faults (`INLAY_TRAPS_FAULTS`), an access beyond a memory touches a page that cannot be accessed, a
//! division by zero is left to the division, and any other check that fails executes an instruction that is none. The
//! host's handler of signals or exceptions passes on what it was given. A fault is wasm's if the instruction is one that the
//! image lists as such ([`Image::trap_at`](crate::image::Image::trap_at)), and, if it is an access, if the address is that
//! of a memory of the store's. Anything else is the host's: a fault in a function of the host's that wasm calls, too.
//!
//! The store is found by the stack: frame pointers lead from the frame that faulted to that of the entry trampoline, which
//! the image lists with the place of its vmctx. So nothing has to be remembered by thread, and the stack may be a coroutine's.
//!
//! A handler can do almost nothing; a trap allocates, and looks at modules. So the handler changes where the thread goes on:
//! at the landing of the module (`compiler/trampoline.rs`), with the registers and the stack as if the instruction had
//! called it. From there it is as any other trap.

use super::backtrace::caller;
use super::engine::Engine;
use super::store::Store;
use crate::image::trap::Trap;
use crate::image::vmctx::VmHeader;
use crate::os::{self, Cause, Fault, Landing};
use std::ffi::c_void;
use std::ptr::NonNull;

/// Frames of one activation beyond this are not looked at: so a chain of frames that is none ends.
const MOST_FRAMES: usize = 1 << 24;

/// Whether a fault is a trap of wasm of this engine; the thread then goes on elsewhere when the handler returns.
/// Async-signal-safe.
///
/// # Safety
/// The two are what the system gave a handler for a fault on this thread, which has not returned.
pub unsafe fn handle(engine: &Engine, fault: NonNull<c_void>, context: NonNull<c_void>) -> bool {
    // SAFETY: as the caller promises. Wasm has room on its stack for what handles a trap.
    unsafe {
        let landing = os::fault::read(fault, context).and_then(|fault| landing(engine, &fault));
        if let Some(landing) = &landing {
            os::fault::land(context, landing);
        }
        landing.is_some()
    }
}

/// Where the thread goes on that faulted, if the fault is a trap of wasm of this engine. Async-signal-safe.
///
/// # Safety
/// The fault has just happened on this thread.
unsafe fn landing(engine: &Engine, fault: &Fault) -> Option<Landing> {
    let (trap, pc) = engine.code.read(fault.pc, |module, offset| {
        let trap = module.image.trap_at(offset)?;
        Some((trap, module.address(module.image.header().landing).addr()))
    })??;
    // SAFETY: the instruction is wasm's, and so is the frame.
    let vmctx = unsafe { vmctx(engine, fault.fp) }?;
    // SAFETY: wasm of the store runs on this thread, so that nobody changes the store.
    let is_guarded = |address| unsafe { is_guarded(vmctx, address) };
    let fits = match fault.cause {
        Cause::Access(address) => trap == Trap::OutOfBoundsMemory && is_guarded(address),
        Cause::Arithmetic => matches!(trap, Trap::IntegerDivideByZero | Trap::IntegerOverflow),
        Cause::Instruction => true,
    };
    fits.then_some(Landing {
        pc,
        arguments: [vmctx.addr(), trap as usize],
        // Where the image has the call site that stands for the instruction.
        returns_to: fault.pc + 1,
    })
}

/// The vmctx that the innermost activation entered, whose store is that of all its frames.
///
/// # Safety
/// `fp` is the frame pointer of wasm that runs on this thread.
unsafe fn vmctx(engine: &Engine, mut fp: usize) -> Option<*const VmHeader> {
    for _ in 0..MOST_FRAMES {
        // SAFETY: compiled code keeps frame pointers up to that of the entry trampoline, where this ends.
        let (pc, outer) = unsafe { caller(fp) };
        let entry = engine
            .code
            .read(pc, |module, offset| module.image.entry_site(offset))?;
        if let Some(site) = entry {
            let sp = outer.checked_sub(site.frame as usize)?;
            // SAFETY: the trampoline keeps the vmctx at this place during its call.
            return Some(unsafe { *((sp + site.context as usize) as *const *const VmHeader) });
        }
        fp = outer;
    }
    None
}

/// Whether an address is in what is reserved for a guarded memory of the store.
///
/// # Safety
/// The vmctx is alive, and its store is used by this thread.
unsafe fn is_guarded(vmctx: *const VmHeader, address: usize) -> bool {
    // SAFETY: as the caller promises; what is in a store's lists is alive.
    unsafe {
        let mut memories = (*Store::of(vmctx)).all_memories();
        memories.any(|memory| (*memory).is_guarded_at(address))
    }
}
