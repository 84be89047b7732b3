//! Pages of code: written, then made executable, and never both.

use super::{
    Access, SystemError, last_error, page_size, protect, release, reserve, synchronize_code,
};
use std::ptr::NonNull;

/// Copies code to new pages that can then be read and executed, at a multiple of `align`, which is whole pages. They are given
/// back by [`release`], with the whole pages that the code takes as their size.
pub fn place_code(code: &[u8], align: usize) -> Result<NonNull<u8>, SystemError> {
    let size = code.len().next_multiple_of(page_size());
    let start = reserve(size, align).ok_or_else(last_error)?;
    // SAFETY: the reservation is new, and holds the code.
    unsafe {
        let placed = protect(start, size, Access::ReadWrite) && {
            start
                .as_ptr()
                .copy_from_nonoverlapping(code.as_ptr(), code.len());
            protect(start, size, Access::ReadExecute)
        };
        if !placed {
            let error = last_error();
            release(start, size);
            return Err(error);
        }
        synchronize_code(start.as_ptr(), code.len());
        Ok(start)
    }
}
