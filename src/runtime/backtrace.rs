//! Backtraces: the wasm frames that an error passes through.
//!
//! An error that leaves an activation gets the frames of it. If the host function that this activation was entered from
//! returns the error in its turn, it gets those of the next activation, which may be of another store.

use super::Store;
use crate::error::{Error, Frame};
use crate::fallible::Text;

/// More frames than this are left out: a stack overflow has tens of thousands.
const MOST: usize = 128;

/// Adds to an error the frames of the innermost activation, innermost first, as far as there is memory for them.
///
/// # Safety
/// Wasm of this store runs on this stack, and has recorded its exit.
pub unsafe fn add_frames(store: &Store, error: &mut Error) {
    let (mut pc, mut fp) = (store.vm.exit_pc.get(), store.vm.exit_fp.get());
    // SAFETY: activations are in the frames of entry trampolines, which have not returned.
    let entry_fp = unsafe { (*store.vm.activation.get()).entry_fp };
    while fp != 0 && fp != entry_fp && error.frames().len() < MOST {
        if let Some(frame) = frame(store, pc)
            && !error.add_frame(frame)
        {
            return;
        }
        // SAFETY: compiled code keeps frame pointers, so this is a frame of this activation.
        (pc, fp) = unsafe { caller(fp) };
    }
}

/// Where a frame saved its return address, in words from where it saved the frame pointer of its caller.
///
/// On z/Architecture a frame pointer is a back chain: the stack pointer of the caller, whose frame starts with its own
/// back chain and then has room for the callee's registers, by their numbers. Register 14 is the return address.
const RETURN_ADDRESS: usize = if cfg!(target_arch = "s390x") { 14 } else { 1 };

/// The return address and frame pointer that a frame saved.
///
/// # Safety
/// `fp` is the frame pointer of compiled code.
pub unsafe fn caller(fp: usize) -> (usize, usize) {
    let saved = fp as *const usize;
    // SAFETY: as the caller promises; all targets save the frame pointer where it points to.
    let (pc, fp) = unsafe { (*saved.add(RETURN_ADDRESS), *saved) };
    (address(pc), fp)
}

/// A return address without its signature: the setting `sign_return_address` puts one into the upper bits.
#[cfg(target_arch = "aarch64")]
fn address(mut pc: usize) -> usize {
    // SAFETY: this is `xpaclri`, a hint: it changes x30 only, and CPUs that sign nothing ignore it.
    unsafe {
        std::arch::asm!("hint #7", inout("x30") pc, options(pure, nomem, nostack, preserves_flags));
    }
    pc
}

#[cfg(not(target_arch = "aarch64"))]
fn address(pc: usize) -> usize {
    pc
}

fn frame(store: &Store, pc: usize) -> Option<Frame> {
    let (module, offset) = store.module_at(pc - 1)?;
    let image = &module.image;
    let func_index = image.func_at(offset)?;
    let name = image.func_name(func_index);
    Some(Frame {
        func_index,
        name: name.and_then(|name| Text::from_bytes(name).ok()),
        wasm_offset: image.wasm_offset(offset + 1).unwrap_or(0),
        lines: module.facts().lines.clone(),
        position: Default::default(),
    })
}
