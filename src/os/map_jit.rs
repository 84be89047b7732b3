//! Pages of code on a Mac with an Arm processor. They can be written and executed, though not by the same thread at once: the
//! system lets a thread write while it runs a function that it knows, which copies the code.
//!
//! <https://developer.apple.com/documentation/apple-silicon/porting-just-in-time-compilers-to-apple-silicon>. Its types
//! are checked by `tests/check.sh`; it has never been run.

use super::{SystemError, last_error, synchronize_code};
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

type Callback = unsafe extern "C" fn(*mut c_void) -> c_int;

unsafe extern "C" {
    fn pthread_jit_write_with_callback_np(callback: Callback, context: *mut c_void) -> c_int;
}

/// What may write: the system reads this list, up to its null, before the program starts.
#[used]
#[unsafe(link_section = "__DATA_CONST,__pth_jit_func")]
static WRITERS: [Option<Callback>; 2] = [Some(copy), None];

struct Copy {
    code: *const u8,
    len: usize,
    to: *mut u8,
}

/// # Safety
/// It is given a [`Copy`], whose code fits to where it goes.
unsafe extern "C" fn copy(copy: *mut c_void) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        let copy = &*copy.cast::<Copy>();
        copy.to.copy_from_nonoverlapping(copy.code, copy.len);
    }
    0
}

/// Copies code to new pages that can then be read and executed, at a multiple of `align`, which is whole pages. They are given
/// back by `release`, with the whole pages that the code takes as their size.
pub fn place_code(code: &[u8], align: usize) -> Result<NonNull<u8>, SystemError> {
    let size = code.len().next_multiple_of(super::page_size());
    let access = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_JIT;
    // SAFETY: a new anonymous mapping touches nothing that exists.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), size, access, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(last_error());
    }
    let start = NonNull::new(at.cast::<u8>()).ok_or_else(last_error)?;
    let mut copy = Copy {
        code: code.as_ptr(),
        len: code.len(),
        to: start.as_ptr(),
    };
    // SAFETY: the mapping is new, and holds the code; the writer is in the list.
    unsafe {
        // No image wants more than a page, which is 16 KiB; such pages cannot be given back in parts.
        if !at.addr().is_multiple_of(align)
            || pthread_jit_write_with_callback_np(self::copy, (&raw mut copy).cast()) != 0
        {
            let error = last_error();
            super::release(start, size);
            return Err(error);
        }
        synchronize_code(start.as_ptr(), code.len());
    }
    Ok(start)
}
