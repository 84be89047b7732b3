//! Unwind information for placed code as Windows has it on x86-64: the section `.pdata`, entries of type `RUNTIME_FUNCTION`, which
//! refer to what the image has in its text. Its addresses are offsets from where the code starts.

use super::placed::Placed;
use crate::error::{Error, Result};
use crate::fallible;
use crate::image::flat::Span;
use std::ffi::c_void;

/// The table of a module's functions, in the order of their addresses.
pub fn unwind_info(placed: &Placed) -> Result<Vec<u8>> {
    let image = &placed.image;
    if placed.executable().is_none() || cfg!(not(target_arch = "x86_64")) {
        return Err(Error::unsupported(
            "the module has no code that this process can run, or that Windows can be told about, which is code for x86-64",
        ));
    }
    // An entry trampoline keeps the host's register where no `UNWIND_INFO` can say it.
    if image.header().fuel != 0 {
        return Err(Error::unsupported(
            "code that uses fuel keeps a register of the host where Windows does not find it; unwind only code without \
             inlay_config_fuel",
        ));
    }
    let mut table = Vec::new();
    for piece in (0..).map_while(|n| image.code(n)) {
        let rules = image.frame_rules(piece.range.start);
        let in_text = |rules: &Span<u8>| rules.range().end as u64 <= image.header().text_len;
        let Some(rules) = rules.filter(|rules| rules.len != 0 && in_text(rules)) else {
            // It has no frame.
            continue;
        };
        for offset in [piece.range.start, piece.range.end, rules.start] {
            fallible::extend(&mut table, &offset.to_ne_bytes())?;
        }
    }
    Ok(table)
}

/// What the unwinder of other systems calls. On this one handlers of unwinding are in the text.
///
/// # Safety
/// None.
pub unsafe extern "C" fn unwind_personality(
    _version: i32,
    _actions: i32,
    _class: u64,
    _exception: *mut c_void,
    _frame: *mut c_void,
) -> i32 {
    const CONTINUE: i32 = 8;
    CONTINUE
}
