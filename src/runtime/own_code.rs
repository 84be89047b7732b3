//! The provider for hosts that give none: pages of their own for each image,
//! written, then made read-only and executable.

use super::code::Provider;
use crate::error::{Error, ErrorKind, Result};
use crate::os::{self, Access};

/// Code memory from the operating system.
pub struct OwnCode;

fn failed(what: &str) -> Error {
    let why = os::last_error();
    let (kind, prefix) = match why.is_out_of_memory() {
        true => (ErrorKind::OutOfMemory, "out of memory: "),
        false => (ErrorKind::CodeMemory, ""),
    };
    Error::new(
        kind,
        format_args!(
            "{prefix}cannot {what} executable memory: {why}; give the engine memory of your own with \
             inlay_config_code_memory"
        ),
    )
}

impl Provider for OwnCode {
    fn publish(&self, code: &[u8], align: usize) -> Result<*const u8> {
        let page = os::page_size();
        let pages = code.len().next_multiple_of(page);
        let start = os::reserve(pages, align.max(page)).ok_or_else(|| failed("reserve"))?;
        // SAFETY: the reservation is new, and holds the code.
        unsafe {
            let placed = os::protect(start, pages, Access::ReadWrite) && {
                start
                    .as_ptr()
                    .copy_from_nonoverlapping(code.as_ptr(), code.len());
                os::protect(start, pages, Access::ReadExecute)
            };
            if !placed {
                let error = failed("protect");
                os::release(start, pages);
                return Err(error);
            }
            os::synchronize_code(start.as_ptr(), code.len());
            Ok(start.as_ptr())
        }
    }

    fn release(&self, executable: *const u8, len: usize) {
        let pages = len.next_multiple_of(os::page_size());
        if let Some(start) = std::ptr::NonNull::new(executable.cast_mut()) {
            // SAFETY: publish reserved exactly these pages.
            unsafe { os::release(start, pages) };
        }
    }
}
