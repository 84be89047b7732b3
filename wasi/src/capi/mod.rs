//! The C surface; `include/inlay_wasi.h` is generated from this module.
//!
//! The comments here are the header's: a file is a section of it, and a file's own comment is what the section begins
//! with.

#![allow(
    non_camel_case_types,
    reason = "the names are those of the C header, which is generated from here"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "each function's comment states the contract for C callers, and a heading of rustdoc's would leak into the header"
)]

// These are in the order in which a host meets them, which is the header's. Blank lines keep rustfmt from sorting them.

mod errors;

mod stream;

mod files;

mod hooks;

mod config;

mod program;

pub use crate::inlay::*;
pub use config::*;
pub use errors::*;
pub use files::*;
pub use hooks::*;
pub use program::*;
pub use stream::*;

use crate::errno::Stop;
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

/// An error with this message.
pub(crate) fn error(message: &str) -> *mut inlay_error_t {
    let message = CString::new(message).unwrap_or_default();
    // SAFETY: the message is copied.
    unsafe { inlay_error_new(message.as_ptr()) }
}

/// What a function of this library gives in place of an error.
pub(crate) type Result<T> = std::result::Result<T, *mut inlay_error_t>;

/// Runs the body of a C function. A panic, which is a defect, becomes an error and prints nothing.
pub(crate) fn guard(body: impl FnOnce() -> Result<()>) -> *mut inlay_error_t {
    thread_local! {
        /// Whether this thread is in here.
        static GUARDED: Cell<bool> = const { Cell::new(false) };
    }
    static QUIET: Once = Once::new();
    // The hook is that of the standard library inside this library, which no other code of a C program has. Where this is a
    // part of a Rust program, what panics elsewhere prints as before.
    QUIET.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
    let before = GUARDED.replace(true);
    let ended = catch_unwind(AssertUnwindSafe(body));
    GUARDED.set(before);
    match ended {
        Ok(Ok(())) => std::ptr::null_mut(),
        Ok(Err(error)) => error,
        Err(_) => error("a panic inside inlay_wasi; please report it"),
    }
}

/// What an argument points to.
///
/// # Safety
/// The pointer is null, or points to a `T` that lives and is not written while the reference is used.
pub(crate) unsafe fn borrow<'a, T>(pointer: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.ok_or_else(|| error(&format!("{what} is NULL")))
}

/// A string of the host's.
///
/// # Safety
/// The pointer is null, or to a string that ends with a NUL.
pub(crate) unsafe fn string<'a>(pointer: *const c_char, what: &str) -> Result<&'a CStr> {
    match pointer.is_null() {
        true => Err(error(&format!("{what} is NULL"))),
        // SAFETY: as the caller promises.
        false => Ok(unsafe { CStr::from_ptr(pointer) }),
    }
}

/// As [`string`], of Unicode.
///
/// # Safety
/// As for [`string`].
pub(crate) unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a str> {
    // SAFETY: as the caller promises.
    let text = unsafe { string(pointer, what) }?.to_str();
    text.map_err(|_| error(&format!("{what} is no UTF-8")))
}

/// A table of the host's callbacks. All of them begin with their size and the pointer that the callbacks get.
pub(crate) trait Table: Copy {
    const NAME: &str;
    /// The bytes that its first version has.
    const LEAST: usize;
    /// A table without callbacks.
    const NONE: Self;
    fn env(&self) -> *mut c_void;
    fn finalize(&self) -> inlay_finalize_t;
    /// What it lacks that it has to have.
    fn lacks(&self) -> Option<&'static str> {
        None
    }
}

macro_rules! table {
    (
        $name:ident { $($callback:ident),* }
        $(with $field:ident = $value:expr)?
        $(; needs $($needed:ident),*)?
    ) => {
        impl $crate::capi::Table for $name {
            const NAME: &str = stringify!($name);
            const LEAST: usize = size_of::<$name>();
            const NONE: $name = $name {
                size: size_of::<$name>(),
                env: std::ptr::null_mut(),
                $($field: $value,)?
                $($callback: None,)*
                finalize: None,
            };
            fn env(&self) -> *mut std::ffi::c_void {
                self.env
            }
            fn finalize(&self) -> $crate::inlay::inlay_finalize_t {
                self.finalize
            }
            $(fn lacks(&self) -> Option<&'static str> {
                $(if self.$needed.is_none() {
                    return Some(stringify!($needed));
                })*
                None
            })?
        }
    };
}
use table;

/// A host's table, which is finalized when nothing uses it any more.
pub(crate) struct Given<T: Table>(T);

// SAFETY: the header says that the callbacks run on any thread that runs a program, on several at once if several do.
unsafe impl<T: Table> Send for Given<T> {}
// SAFETY: as above.
unsafe impl<T: Table> Sync for Given<T> {}

impl<T: Table> std::ops::Deref for Given<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Table> Drop for Given<T> {
    fn drop(&mut self) {
        if let Some(finalize) = self.0.finalize() {
            // SAFETY: the host gave it for this, and this is the only call.
            unsafe { finalize(self.0.env()) }
        }
    }
}

impl<T: Table> Given<T> {
    /// Takes a table: its `finalize` is called also if it is refused, unless not even that can be read.
    ///
    /// # Safety
    /// The pointer is null, or to a table of the size that it says.
    pub(crate) unsafe fn take(table: *const T) -> Result<Arc<Given<T>>> {
        // SAFETY: the size comes first in every table.
        let size = *unsafe { borrow(table.cast::<usize>(), T::NAME) }?;
        let name = T::NAME;
        if size < T::LEAST {
            return Err(error(&format!(
                "the size of an {name} is {size}; set it to sizeof({name})"
            )));
        }
        let mut read = T::NONE;
        // SAFETY: the table has as many bytes as it says.
        unsafe {
            let target = (&raw mut read).cast::<u8>();
            target.copy_from_nonoverlapping(table.cast(), size.min(size_of::<T>()));
        }
        let given = Arc::new(Given(read));
        match given.lacks() {
            Some(callback) => Err(error(&format!("an {name} has to have a {callback}"))),
            None => Ok(given),
        }
    }
}

/// What a callback's result means: NULL is success, an error of `inlay_wasi_error` is for the program, and any other ends it.
pub(crate) fn outcome(error: *mut inlay_error_t) -> std::result::Result<(), Stop> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the callback gave the error away.
    unsafe {
        match inlay_wasi_errno(error) {
            0 => Err(Stop::Error(error)),
            errno => {
                inlay_error_delete(error);
                Err(Stop::Errno(errno))
            }
        }
    }
}
