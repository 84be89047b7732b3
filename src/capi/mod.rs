//! The C surface. Each function checks its arguments, keeps panics in, and calls
//! one thing further down; `include/inlay.h` is generated from this module.
//!
//! The comments here are the header's. Opaque types are pointers to what the
//! engine, the compiler and the runtime call by their own names.

#![allow(
    non_camel_case_types,
    reason = "the names are those of the C header, which is generated from here"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "each function's comment states the contract for C callers, and a heading of rustdoc's would leak into the header"
)]

// In the order in which a host meets them, which is the header's; blank lines keep it.

mod error;

mod config;

mod engine;

mod module;

mod types;

mod store;

mod linker;

mod instance;

mod func;

mod memory;

mod table;

mod global;

mod tag;

mod caller;

mod builtin;

pub use crate::builtins::float::*;
pub use crate::builtins::vector::*;
pub use builtin::*;
pub use caller::*;
pub use config::*;
pub use engine::*;
pub use error::*;
pub use func::*;
pub use global::*;
pub use instance::*;
pub use linker::*;
pub use memory::*;
pub use module::*;
pub use store::*;
pub use table::*;
pub use tag::*;
pub use types::*;

use crate::error::{Error, Result};
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a C function; a panic becomes an error, and never crosses into C.
fn guard<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    // A panic leaves at most a store half-changed, and its objects stay valid: nothing here breaks its invariants midway.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(|s| s.as_str()));
        Err(Error::internal(format_args!(
            "a panic inside Inlay: {}; please report it",
            text.unwrap_or("no message")
        )))
    })
}

/// As [`guard`], for a C function that gives an error.
fn fallible(body: impl FnOnce() -> Result<()>) -> *mut inlay_error_t {
    match guard(body) {
        Ok(()) => std::ptr::null_mut(),
        Err(error) => Box::into_raw(error).cast(),
    }
}

/// As [`guard`], for a C function that gives a value and this one on failure.
fn infallible<T>(otherwise: T, body: impl FnOnce() -> Result<T>) -> T {
    guard(body).unwrap_or(otherwise)
}

/// As [`fallible`], for a C function with an out-parameter, which is written in any case.
///
/// # Safety
/// `out` is null or writable.
unsafe fn produce<T: Copy>(
    out: *mut T,
    nothing: T,
    body: impl FnOnce() -> Result<T>,
) -> *mut inlay_error_t {
    fallible(|| {
        if out.is_null() {
            return Err(null("out"));
        }
        // SAFETY: as the caller promises.
        unsafe {
            *out = nothing;
            *out = body()?;
        }
        Ok(())
    })
}

/// As [`produce`], for a C function that gives whether it wrote something.
///
/// # Safety
/// `out` is null or writable.
unsafe fn produce_bool<T: Copy>(out: *mut T, nothing: T, body: impl FnOnce() -> Result<T>) -> bool {
    // SAFETY: as the caller promises.
    let error = unsafe { produce(out, nothing, body) };
    // SAFETY: produce gave it away.
    unsafe { delete(error.cast::<Error>()) };
    error.is_null()
}

fn null(what: &str) -> Box<Error> {
    Error::argument(format_args!("{what} is NULL"))
}

/// What an argument points to.
///
/// # Safety
/// The pointer is null, or points to a `T` that lives and is not written while the reference is used.
unsafe fn reference<'a, T>(pointer: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(what))
}

/// What an argument points to, to be changed.
///
/// # Safety
/// The pointer is null, or points to a `T` that lives and is used by nothing else while the reference is.
unsafe fn exclusive<'a, T>(pointer: *mut T, what: &str) -> Result<&'a mut T> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(what))
}

/// A C string argument.
///
/// # Safety
/// The pointer is null or a NUL-terminated string that lives while the reference is used.
unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(null(what));
    }
    // SAFETY: as the caller promises.
    let bytes = unsafe { CStr::from_ptr(pointer) };
    let not_utf8 = |_| Error::argument(format_args!("{what} is not UTF-8"));
    bytes.to_str().map_err(not_utf8)
}

/// A pointer and a count; (NULL, 0) is empty.
///
/// # Safety
/// The pointer is null or points to `len` values that live while the slice is used.
unsafe fn slice<'a, T>(pointer: *const T, len: usize, what: &str) -> Result<&'a [T]> {
    match (pointer.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(what)),
        // SAFETY: as the caller promises.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(pointer, len) }),
    }
}

/// Deletes what `Box::into_raw` gave; nothing for null.
///
/// # Safety
/// The pointer is null or from `Box::into_raw`, and is not used again.
unsafe fn delete<T>(pointer: *mut T) {
    if !pointer.is_null() {
        let drop = || {
            // SAFETY: as the caller promises.
            drop(unsafe { Box::from_raw(pointer) });
            Ok(())
        };
        infallible((), drop);
    }
}
