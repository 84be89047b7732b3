//! Errors: one channel for failures and traps.

use super::{infallible, null, produce_bool, reference};
use crate::error::{Error, ErrorKind};
use std::ffi::{CStr, c_char};

/// What went wrong: a kind, a sentence, and for traps where it happened.
///
/// The host owns each error that it is given and deletes it once. An error is
/// not changed by anything; any thread may use it, one at a time.
pub struct inlay_error_t {
    _private: [u8; 0],
}

/// The kind of an error: one of the `INLAY_ERROR_` constants.
pub type inlay_error_kind_t = u32;

/// The bytes are not valid WebAssembly.
pub const INLAY_ERROR_INVALID_MODULE: inlay_error_kind_t = 1;
/// Valid, but it needs a feature that is off, or that this build or the CPU lacks.
pub const INLAY_ERROR_UNSUPPORTED: inlay_error_kind_t = 2;
/// An import is missing or has another type than the module wants.
pub const INLAY_ERROR_LINK: inlay_error_kind_t = 3;
/// WebAssembly trapped; `inlay_error_trap` says how.
pub const INLAY_ERROR_TRAP: inlay_error_kind_t = 4;
/// The host's code memory failed, or gave an address that cannot be used.
pub const INLAY_ERROR_CODE_MEMORY: inlay_error_kind_t = 5;
/// An allocation failed.
pub const INLAY_ERROR_OUT_OF_MEMORY: inlay_error_kind_t = 6;
/// An argument that the function does not take: NULL, an unknown value, a wrong signature.
pub const INLAY_ERROR_INVALID_ARGUMENT: inlay_error_kind_t = 7;
/// Made by the host with `inlay_error_new`.
pub const INLAY_ERROR_HOST: inlay_error_kind_t = 8;
/// A defect of Inlay.
pub const INLAY_ERROR_INTERNAL: inlay_error_kind_t = 9;
/// The bytes are not an image that this engine can run: damaged, of another version or for another target.
pub const INLAY_ERROR_INVALID_IMAGE: inlay_error_kind_t = 10;
/// A limit that the host set, or one of this implementation.
pub const INLAY_ERROR_LIMIT: inlay_error_kind_t = 11;

/// WebAssembly threw an exception that nothing caught; `inlay_error_tag` and `inlay_error_values` say what.
pub const INLAY_ERROR_EXCEPTION: inlay_error_kind_t = 12;

/// Why WebAssembly stopped: one of the `INLAY_TRAP_` constants.
pub type inlay_trap_t = u32;

/// No trap: the error is of another kind.
pub const INLAY_TRAP_NONE: inlay_trap_t = 0;
/// The `unreachable` instruction was executed.
pub const INLAY_TRAP_UNREACHABLE: inlay_trap_t = 1;
/// An access past the end of a memory or of a data segment.
pub const INLAY_TRAP_OUT_OF_BOUNDS_MEMORY: inlay_trap_t = 2;
/// An access past the end of a table or of an element segment.
pub const INLAY_TRAP_OUT_OF_BOUNDS_TABLE: inlay_trap_t = 3;
/// A null reference where a function was needed.
pub const INLAY_TRAP_NULL_REFERENCE: inlay_trap_t = 4;
/// An indirect call to a function of another type.
pub const INLAY_TRAP_BAD_SIGNATURE: inlay_trap_t = 5;
/// An integer result that does not fit in its type.
pub const INLAY_TRAP_INTEGER_OVERFLOW: inlay_trap_t = 6;
/// Integer division or remainder by zero.
pub const INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO: inlay_trap_t = 7;
/// A NaN converted to an integer.
pub const INLAY_TRAP_INVALID_CONVERSION: inlay_trap_t = 8;
/// The stack that wasm may use is exhausted.
pub const INLAY_TRAP_STACK_OVERFLOW: inlay_trap_t = 9;

/// An atomic access to an address that is not a multiple of its size.
pub const INLAY_TRAP_UNALIGNED_ATOMIC: inlay_trap_t = 10;
/// A wait on a memory that is not shared.
pub const INLAY_TRAP_NOT_SHARED: inlay_trap_t = 11;

/// One wasm function that was running when an error was raised.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_frame_t {
    /// Its name from the name section, or NULL. Borrowed from the error.
    pub function_name: *const c_char,
    /// Its index among the functions of its module, imports first.
    pub function_index: u32,
    /// Where its current instruction is, in bytes from the start of the module's binary.
    pub wasm_offset: u32,
}

/// Makes an error of kind `INLAY_ERROR_HOST`, for a callback to return.
///
/// Copies `message`, a NUL-terminated string; NULL is an empty one. Never returns NULL. The caller owns the
/// error: it deletes it, or returns it from a callback and so gives it away. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_new(message: *const c_char) -> *mut inlay_error_t {
    let make = || {
        let mut error = Error::new(ErrorKind::Host, "");
        if !message.is_null() {
            // SAFETY: the caller gives a NUL-terminated string.
            error.message = unsafe { CStr::from_ptr(message) }.to_owned();
        }
        Ok(Box::into_raw(error).cast())
    };
    infallible(std::ptr::null_mut(), make)
}

/// The kind of an error; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_kind(error: *const inlay_error_t) -> inlay_error_kind_t {
    // SAFETY: the caller gives an error or NULL.
    infallible(0, || Ok(unsafe { inner(error) }?.kind as u32))
}

/// Which trap an error is; `INLAY_TRAP_NONE` if it is none, or for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_trap(error: *const inlay_error_t) -> inlay_trap_t {
    let trap = || {
        // SAFETY: the caller gives an error or NULL.
        let trap = unsafe { inner(error) }?.trap;
        Ok(trap.map_or(INLAY_TRAP_NONE, |trap| trap.class() as u32))
    };
    infallible(INLAY_TRAP_NONE, trap)
}

/// What happened and what to do about it, NUL-terminated. Borrowed from the error; "" for NULL.
///
/// A trap's message is the WebAssembly specification's wording of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_message(error: *const inlay_error_t) -> *const c_char {
    // SAFETY: the caller gives an error or NULL.
    infallible(c"".as_ptr(), || {
        Ok(unsafe { inner(error) }?.message.as_ptr())
    })
}

/// How many wasm frames the error's backtrace has; 0 for NULL.
///
/// Traps have one, through every activation of the store on this stack: the innermost 128 frames of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_frame_count(error: *const inlay_error_t) -> usize {
    // SAFETY: the caller gives an error or NULL.
    infallible(0, || Ok(unsafe { inner(error) }?.frames.len()))
}

/// One frame of the backtrace, 0 being the innermost; false, and zeros in `out`, if there is no such frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_frame(
    error: *const inlay_error_t,
    index: usize,
    out: *mut inlay_frame_t,
) -> bool {
    let nothing = inlay_frame_t {
        function_name: std::ptr::null(),
        function_index: 0,
        wasm_offset: 0,
    };
    // SAFETY: the caller gives an error or NULL, and a writable frame or NULL.
    unsafe {
        produce_bool(out, nothing, || {
            let frame = inner(error)?.frames.get(index);
            let frame = frame.ok_or_else(|| null("frame"))?;
            Ok(inlay_frame_t {
                function_name: frame.name.as_ref().map_or(std::ptr::null(), |n| n.as_ptr()),
                function_index: frame.func_index,
                wasm_offset: frame.wasm_offset,
            })
        })
    }
}

/// Deletes an error, and with it its message and frames. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_delete(error: *mut inlay_error_t) {
    // SAFETY: the caller owns the error.
    unsafe { super::delete(error.cast::<Error>()) };
}

/// # Safety
/// The pointer is null or an error.
unsafe fn inner<'a>(error: *const inlay_error_t) -> crate::error::Result<&'a Error> {
    // SAFETY: as the caller promises; an inlay_error_t is an Error.
    unsafe { reference(error.cast(), "error") }
}
