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

/// The mapping of code of this length: whole pages, and enough to find an aligned place in.
fn mapped(len: usize, align: usize) -> Option<usize> {
    let page = os::page_size();
    let slack = align.saturating_sub(page);
    len.checked_next_multiple_of(page)?.checked_add(slack)
}

impl Provider for OwnCode {
    fn publish(&self, code: &[u8], align: usize) -> Result<*const u8> {
        let page = os::page_size();
        let pages = code.len().next_multiple_of(page);
        let size = mapped(code.len(), align).ok_or_else(|| failed("reserve"))?;
        let base = os::reserve(size).ok_or_else(|| failed("reserve"))?;
        // Keep the aligned pages, give back what is before and after them.
        let skip = base.as_ptr().align_offset(align.max(page));
        // SAFETY: skip <= size - pages, by the size of the mapping; what is unmapped is not used again.
        unsafe {
            let start = base.add(skip);
            os::release(base, skip);
            os::release(start.add(pages), size - pages - skip);
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
            // SAFETY: publish mapped exactly these pages.
            unsafe { os::release(start, pages) };
        }
    }
}
