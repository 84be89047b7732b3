//! The C surface. Each function checks its arguments, keeps panics in, and calls
//! one thing further down; `include/inlay.h` is generated from this module.
//!
//! The comments here are the header's: a file is a section of it, and a file's own comment is what the section begins
//! with. An opaque type is a cast pointer to the compiler's or the runtime's own type.

#![allow(
    non_camel_case_types,
    reason = "the names are those of the C header, which is generated from here"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "each function's comment states the contract for C callers, and a heading of rustdoc's would leak into the header"
)]

// These are in the order in which a host meets them, which is the header's. Blank lines keep rustfmt from sorting them.

/// Asserts that constants of the header are the numbers that they stand for here.
macro_rules! assert_numbers {
    ($($of:ident { $($variant:ident = $constant:ident,)* })*) => {
        const _: () = {
            $($(assert!($of::$variant as u32 == $constant);)*)*
        };
    };
}

mod callback;

mod error;

mod config;

mod executor;

mod engine;

mod types;

mod external;

mod module;

mod compile;

mod image;

mod store;

mod interrupter;
mod limiter;
mod linear_memory;

mod linker;

mod instance;

mod func;

mod memory;

mod table;

mod global;

mod tag;

mod caller;

mod builtin;

pub use crate::runtime::builtins::float::*;
pub use crate::runtime::builtins::vector::*;
pub use builtin::*;
pub use callback::*;
pub use caller::*;
pub use compile::*;
pub use config::*;
pub use engine::*;
pub use error::*;
pub use executor::*;
pub use external::*;
pub use func::*;
pub use global::*;
pub use image::*;
pub use instance::*;
pub use interrupter::*;
pub use limiter::*;
pub use linear_memory::*;
pub use linker::*;
pub use memory::*;
pub use module::*;
pub use store::*;
pub use table::*;
pub use tag::*;
pub use types::*;

use crate::error::{Error, ErrorKind, Result};
use crate::fallible::boxed;
use crate::guard::{guard, guard_raw};
use std::ffi::{CStr, c_char};

/// Runs the body of a C function that gives an error.
fn fallible(body: impl FnOnce() -> Result<()>) -> *mut inlay_error_t {
    guard_raw(body).cast()
}

/// Runs the body of a C function that gives a value. If the body fails, gives `otherwise`.
fn infallible<T>(otherwise: T, body: impl FnOnce() -> Result<T>) -> T {
    guard(body).unwrap_or(otherwise)
}

/// Runs the body of a C function that only reads something: gives what `look` gives, or `otherwise` for NULL. Panics
/// are not caught here, so `look` only reads fields, and calls functions that do no more.
///
/// # Safety
/// The pointer is null, or points to a `T` that lives and is not written meanwhile.
unsafe fn look<T, R>(pointer: *const T, otherwise: R, look: impl FnOnce(&T) -> R) -> R {
    // SAFETY: as the caller promises.
    match unsafe { pointer.as_ref() } {
        Some(seen) => look(seen),
        None => otherwise,
    }
}

/// Reads a table of callbacks, which begins with its size: `least` bytes at least, and not more of it than this version knows.
/// What it is shorter by is as in `otherwise`.
///
/// # Safety
/// The pointer is null, or to a table of the size that it says, whose fields are pointers and numbers.
unsafe fn read_table<T: Copy>(
    table: *const T,
    otherwise: T,
    least: usize,
    name: &str,
) -> Result<T> {
    // SAFETY: as the caller promises: the size is there in every version.
    let size = *unsafe { borrow(table.cast::<usize>(), name) }?;
    if size < least {
        return Err(Error::argument(format_args!(
            "the size of an {name} is {size}; set it to sizeof({name})"
        )));
    }
    let mut read = otherwise;
    // SAFETY: the host's table has that many bytes.
    unsafe {
        let target = (&raw mut read).cast::<u8>();
        target.copy_from_nonoverlapping(table.cast(), size.min(size_of::<T>()));
    }
    Ok(read)
}

/// As [`fallible`], for a C function with an out-parameter, which is set to `nothing` if the body fails.
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
            out.write(nothing);
            out.write(body()?);
        }
        Ok(())
    })
}

/// As [`produce`], for a handle that the host deletes.
///
/// # Safety
/// `out` is null or writable.
unsafe fn produce_handle<T>(
    out: *mut *mut T,
    body: impl FnOnce() -> Result<T>,
) -> *mut inlay_error_t {
    let make = || Ok(Box::into_raw(boxed(body()?)?));
    // SAFETY: as the caller promises.
    unsafe { produce(out, std::ptr::null_mut(), make) }
}

/// As [`produce`], for a C function that gives whether it wrote a value.
///
/// # Safety
/// `out` is null or writable.
unsafe fn produce_bool<T: Copy>(out: *mut T, nothing: T, body: impl FnOnce() -> Result<T>) -> bool {
    infallible(false, || {
        if out.is_null() {
            return Err(null("out"));
        }
        // SAFETY: as the caller promises.
        unsafe {
            out.write(nothing);
            out.write(body()?);
        }
        Ok(true)
    })
}

fn null(what: &str) -> Error {
    Error::argument(format_args!("{what} is NULL"))
}

/// An error that is not shown, for C functions that give NULL or false where there is no such thing.
fn nothing() -> Error {
    Error::argument("nothing")
}

/// What an argument points to.
///
/// # Safety
/// The pointer is null, or points to a `T` that lives and is not written while the reference is used.
unsafe fn borrow<'a, T>(pointer: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(what))
}

/// What an argument points to, to be changed.
///
/// # Safety
/// The pointer is null, or points to a `T` that lives and is used by nothing else while the reference is.
unsafe fn borrow_mut<'a, T>(pointer: *mut T, what: &str) -> Result<&'a mut T> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(what))
}

/// A C string argument.
///
/// # Safety
/// The pointer is null or a NUL-terminated string that lives while the reference is used.
unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a str> {
    // SAFETY: as the caller promises.
    utf8(unsafe { c_string(pointer, what) }?, what)
}

/// A C string argument as bytes.
///
/// # Safety
/// As for [`text`].
unsafe fn c_string<'a>(pointer: *const c_char, what: &str) -> Result<&'a [u8]> {
    if pointer.is_null() {
        return Err(null(what));
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// Checks that bytes are UTF-8, as the names of WebAssembly and all text here are.
fn utf8<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str> {
    let not_utf8 = |_| Error::argument(format_args!("{what} is not UTF-8"));
    std::str::from_utf8(bytes).map_err(not_utf8)
}

/// A name of WebAssembly that is a C string.
///
/// # Safety
/// As for [`text`].
unsafe fn name<'a>(pointer: *const c_char, what: &str) -> Result<&'a [u8]> {
    // SAFETY: as the caller promises.
    Ok(unsafe { text(pointer, what) }?.as_bytes())
}

/// A name of WebAssembly that is given with its length.
///
/// # Safety
/// As for [`slice`].
unsafe fn name_n<'a>(pointer: *const c_char, len: usize, what: &str) -> Result<&'a [u8]> {
    // SAFETY: as the caller promises.
    let bytes = unsafe { slice(pointer.cast::<u8>(), len, what) }?;
    Ok(utf8(bytes, what)?.as_bytes())
}

/// The values of a pointer and a count. A count of 0 is an empty slice, whatever the pointer is.
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

/// Writes as much of a structure as fits into the host's version of it, whose size is in its first field. The body runs
/// only if that is `least` bytes or more; if it fails, there are zeros.
///
/// # Safety
/// `out` is null, or a structure of as many bytes as its first field says, which may be less than a `T` has.
unsafe fn write<T: Copy>(
    out: *mut T,
    least: usize,
    body: impl FnOnce() -> Result<T>,
) -> Result<()> {
    // SAFETY: as the caller promises: the size is there in every version.
    let size = *unsafe { borrow(out.cast::<usize>(), "out") }?;
    if size < least {
        return Err(Error::argument(format_args!(
            "the size of *out is {size}; set it to that of its type"
        )));
    }
    let len = size.min(size_of::<T>());
    // SAFETY: as above; the size itself stays what the host set.
    unsafe {
        let write = |from: *const u8| {
            let skip = size_of::<usize>();
            let to = out.cast::<u8>().add(skip);
            from.add(skip).copy_to_nonoverlapping(to, len - skip);
        };
        let zero = std::mem::MaybeUninit::<T>::zeroed();
        write(zero.as_ptr().cast());
        let value = body()?;
        write((&raw const value).cast());
    }
    Ok(())
}

/// As [`write`], for a C function that gives whether it has.
///
/// # Safety
/// As for that.
unsafe fn fill<T: Copy>(out: *mut T, least: usize, body: impl FnOnce() -> Result<T>) -> bool {
    infallible(false, || {
        // SAFETY: as the caller promises.
        unsafe { write(out, least, body) }?;
        Ok(true)
    })
}

/// Deletes what `Box::into_raw` gave; does nothing for null.
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

/// What a callback of the host's returned, as a result.
///
/// # Safety
/// The error is NULL, or the host gave it away.
unsafe fn outcome(error: *mut inlay_error_t) -> Result<()> {
    match error.is_null() {
        true => Ok(()),
        // SAFETY: as the caller promises.
        false => Err(unsafe { Error::from_raw(error.cast()) }),
    }
}

/// The error where DWARF would have to be read, and this library reads none.
fn no_dwarf() -> Error {
    Error::unsupported(
        "this library reads no DWARF; the one with the feature \"dwarf\", which is on by default, does",
    )
}

/// An error of a callback's that wasm is to end with: one that wasm could catch is another.
fn not_an_exception(error: Error, whose: &str) -> Error {
    match error.kind() {
        ErrorKind::Exception => Error::argument(format_args!(
            "{whose} gave an exception, which wasm could catch; give another error"
        )),
        _ => error,
    }
}
