//! The provider for hosts that give none: pages of their own for each image,
//! written, then made read-only and executable.

use super::code::Provider;
use crate::error::{Error, ErrorKind, Result};
use crate::os;

/// Code memory from the operating system.
pub struct OwnCode;

fn failed(why: os::SystemError) -> Error {
    let (kind, prefix) = match why.is_out_of_memory() {
        true => (ErrorKind::OutOfMemory, "out of memory: "),
        false => (ErrorKind::CodeMemory, ""),
    };
    Error::new(
        kind,
        format_args!(
            "{prefix}cannot make executable memory: {why}; give the engine memory of your own with \
             inlay_config_code_memory"
        ),
    )
}

impl Provider for OwnCode {
    fn publish(&self, code: &[u8], align: usize) -> Result<*const u8> {
        let start = os::place_code(code, align.max(os::page_size())).map_err(failed)?;
        Ok(start.as_ptr())
    }

    fn release(&self, executable: *const u8, len: usize) {
        let pages = len.next_multiple_of(os::page_size());
        if let Some(start) = std::ptr::NonNull::new(executable.cast_mut()) {
            // SAFETY: they are what publish was given for so much code.
            unsafe { os::release(start, pages) };
        }
    }
}
