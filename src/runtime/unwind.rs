//! Unwind information for placed code, in the system's form: the section `.eh_frame` (`image/eh_frame.rs`).
//!
//! What unwinds past an entry trampoline that has not returned, such as a C++ exception, ends an activation of the store:
//! [`leave`] does what the trampoline does where it returns. Nothing else of compiled code needs to know.

use super::placed::Placed;
use crate::error::{Error, Result};
use crate::fallible;
use crate::image::eh_frame::{self, ABSOLUTE, Form, Target};
use crate::image::frame::Cpu;
use crate::image::vmctx::{VmHeader, VmStore};
use crate::os::unwinder;
use std::ffi::c_void;

/// How addresses are written of code where it lies.
const IN_MEMORY: Form = Form {
    code: ABSOLUTE,
    personality: ABSOLUTE,
    told: None,
};

/// A length of 0 ends the section.
const END: [u8; 4] = [0; 4];

/// The section that tells how frames of a module's code are unwound, where it lies.
pub fn unwind_info(placed: &Placed) -> Result<Vec<u8>> {
    let cpu = placed.engine.machine.cpu();
    let (Some(cpu), Some(_)) = (cpu, placed.executable()) else {
        return Err(Error::unsupported(
            "the module has no code that this process can run, and so no frames",
        ));
    };
    let big_endian = cfg!(target_endian = "big");
    let mut address = |_, of| {
        let address = match of {
            Target::Text(offset) => placed.address(offset).addr(),
            Target::Personality => unwind_personality as *const () as usize,
            Target::Told(_) => return Err(Error::internal("what is told lies in the section")),
        };
        Ok(address as u64)
    };
    let mut section = eh_frame::entries(&placed.image, cpu, big_endian, &IN_MEMORY, &mut address)?;
    // An unwinder that finds no frames at all may take that for a fault, but for this end.
    fallible::extend(&mut section, &END)?;
    Ok(section)
}

/// The personality routine of entry trampolines: it goes on unwinding, and leaves the activation when that passes.
///
/// # Safety
/// The unwinder calls it at the frame of an entry trampoline.
pub unsafe extern "C" fn unwind_personality(
    _version: i32,
    actions: i32,
    _class: u64,
    _exception: *mut c_void,
    frame: *mut c_void,
) -> i32 {
    if unwinder::is_leaving(actions)
        && let Some(cpu) = Cpu::of(std::env::consts::ARCH)
    {
        // SAFETY: the frame is that of an entry trampoline at its call of wasm, which keeps the vmctx there, and whose entry in the
        // section says where that is. Its store is alive, as the call into it is unfinished, and so is what an activation points to.
        unsafe {
            let kept = unwinder::data(frame).cast::<u32>().read_unaligned() as usize;
            let at = match cpu.frame_pointer {
                Some(register) => unwinder::register(frame, register) - kept,
                None => unwinder::register(frame, cpu.stack_pointer) + kept,
            };
            let header = *(at as *const *const VmHeader);
            leave(&*(*header).store);
        }
    }
    unwinder::CONTINUE
}

/// Makes the previous activation of a store current again.
///
/// # Safety
/// The current one is in the frame of an entry trampoline that has not returned.
unsafe fn leave(store: &VmStore) {
    // SAFETY: as the caller promises.
    if let Some(activation) = unsafe { store.activation.get().as_ref() } {
        store.activation.set(activation.previous);
        store.exit_fp.set(activation.outer_exit_fp);
        store.exit_pc.set(activation.outer_exit_pc);
        store.stack_limit.set(activation.outer_stack_limit);
    }
}
