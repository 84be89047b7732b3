//! For builtins that a host writes.

use super::{infallible, inlay_trap_t, inlay_vmctx_t, null};
use crate::error::Error;
use crate::image::trap::Trap;
use crate::runtime::builtins::record_trap;

/// Records a trap, for a builtin of the host's that replaces one which can trap, such as "i32.trunc_f64_s".
///
/// Call it with the vmctx that the builtin was called with, before the builtin returns; what it then returns does not
/// matter. Nothing is recorded for a number that is no `INLAY_TRAP_` constant, or is `INLAY_TRAP_NONE`. Nothing is
/// recorded either inside the replacement of a builtin that cannot trap, such as "f64.floor", since wasm does not look
/// for a trap after it.
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
