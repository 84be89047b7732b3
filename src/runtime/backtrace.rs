//! Backtraces: the wasm frames between a trap and the outermost entry.

use super::Store;
use crate::error::{Frame, c_string};

/// More frames than this are left out: a stack overflow has tens of thousands.
const MOST: usize = 128;

/// The frames of all activations, innermost first.
///
/// # Safety
/// Wasm of this store runs on this stack, and has recorded its exit.
pub unsafe fn backtrace(store: &Store) -> Vec<Frame> {
    let mut frames = Vec::new();
    let (mut pc, mut fp) = (store.vm.exit_pc, store.vm.exit_fp);
    let mut activation = store.vm.activation;
    while !activation.is_null() {
        // SAFETY: activations are in the frames of entry trampolines, which have not returned.
        let current = unsafe { &*activation };
        while fp != current.entry_fp {
            if frames.len() == MOST {
                return frames;
            }
            frames.extend(frame(store, pc));
            // SAFETY: compiled code keeps frame pointers, so this is a frame of this activation.
            (pc, fp) = unsafe { caller(fp) };
        }
        (pc, fp) = (current.outer_exit_pc, current.outer_exit_fp);
        activation = current.previous;
    }
    frames
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
    Some(Frame {
        func_index,
        name: image.module.func_name(func_index).map(c_string),
        wasm_offset: image.wasm_offset(offset + 1).unwrap_or(0),
    })
}
