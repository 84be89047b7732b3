//! What a host's own builtins need.

use super::{infallible, inlay_trap_t, inlay_vmctx_t, null};
use crate::error::Error;
use crate::image::trap::Trap;
use crate::runtime::builtins::record_trap;

/// Records a trap, for a builtin of the host's that replaces one which can trap, such as "i32.trunc_f64_s".
///
/// Call it with the vmctx that the builtin was called with, before the builtin returns; what it then returns does
/// not matter. A number that is none of the `INLAY_TRAP_` constants, or `INLAY_TRAP_NONE`, records nothing, and neither
/// does a builtin that Inlay's own version of cannot trap, such as "f64.floor": wasm calls it directly, and would not
/// look for a trap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_trap(vmctx: *mut inlay_vmctx_t, trap: inlay_trap_t) {
    infallible((), || {
        if vmctx.is_null() {
            return Err(null("vmctx"));
        }
        let trap = Trap::from_public_code(trap).ok_or_else(|| Error::argument("no such trap"))?;
        // SAFETY: the caller passes on the vmctx of the running wasm.
        unsafe { record_trap(vmctx.cast(), trap) };
        Ok(())
    });
}
