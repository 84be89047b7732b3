//! What a host's own builtins need.

use super::{infallible, inlay_trap_t, inlay_vmctx_t, null};
use crate::error::Error;
use crate::runtime::libcalls::record_trap;
use crate::trap::Trap;

/// Records a trap, for a builtin of the host's that replaces one which can trap, such as "i32.trunc_f64_s".
///
/// Call it with the vmctx that the builtin was called with, before the builtin returns; what it then returns does
/// not matter. A number that is none of the `INLAY_TRAP_` constants, or `INLAY_TRAP_NONE`, records nothing.
/// Only a builtin that Inlay's own version of can trap may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_trap(vmctx: *mut inlay_vmctx_t, trap: inlay_trap_t) {
    infallible((), || {
        if vmctx.is_null() {
            return Err(null("vmctx"));
        }
        let trap = Trap::from_code(trap).ok_or_else(|| Error::argument("no such trap"))?;
        // SAFETY: the caller passes on the vmctx of the running wasm, which called through an exit trampoline.
        unsafe { record_trap(vmctx.cast(), trap) };
        Ok(())
    });
}
