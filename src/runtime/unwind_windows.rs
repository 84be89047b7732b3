//! Unwind information for placed code as Windows has it on x86-64: the section `.pdata`, entries of type `RUNTIME_FUNCTION`, which
//! refer to what the image has in its text. Its addresses are offsets from where the code starts.

use super::placed::Placed;
use crate::error::{Error, Result};
use crate::fallible;
use std::ffi::c_void;

/// The table of a module's functions, in the order of their addresses.
pub fn unwind_info(placed: &Placed) -> Result<Vec<u8>> {
    let image = &placed.image;
    if placed.executable().is_none() || cfg!(not(target_arch = "x86_64")) {
        return Err(Error::unsupported(
            "the module has no code that this process can run, or that Windows can be told about, which is code for x86-64",
        ));
    }
    let mut table = Vec::new();
    for (range, rules) in image.windows_frames()? {
        for offset in [range.start, range.end, rules.start] {
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
