//! Errors: one channel for failures, traps and exceptions.
//!
//! Every function that can fail returns an `inlay_error_t *`: NULL if it did not. Whoever is given one deletes it.

use super::{borrow, fallible, fill, infallible, inlay_finalize_t, look, no_dwarf, nothing};
use crate::error::{Details, Error, ErrorKind};
use crate::fallible::boxed;
use crate::image::trap::Trap;
use crate::runtime::HostData;
use std::ffi::{CStr, c_char, c_void};
use std::mem::offset_of;

/// What went wrong: a kind, a sentence, and where, if it came through WebAssembly.
///
/// The host owns each error that it is given and deletes it once. Only passing through WebAssembly changes an error: the
/// frames that it leaves are added to its backtrace. It is independent of the engine and the store that it came from. Any
/// thread may use it, one at a time.
pub struct inlay_error_t {
    _private: [u8; 0],
}

/// The kind of an error: one of the `INLAY_ERROR_` constants.
pub type inlay_error_kind_t = u32;

/// The bytes are not valid WebAssembly.
pub const INLAY_ERROR_INVALID_MODULE: inlay_error_kind_t = 1;
/// It needs what this build, this version or the CPU lacks, or a feature that is off.
pub const INLAY_ERROR_UNSUPPORTED: inlay_error_kind_t = 2;
/// An import is missing or has another type than the module wants.
pub const INLAY_ERROR_LINK: inlay_error_kind_t = 3;
/// WebAssembly trapped; `inlay_error_trap` says how.
pub const INLAY_ERROR_TRAP: inlay_error_kind_t = 4;
/// The host's code memory failed, or gave an address that cannot be used.
pub const INLAY_ERROR_CODE_MEMORY: inlay_error_kind_t = 5;
/// An allocation failed, or the system had no room.
pub const INLAY_ERROR_OUT_OF_MEMORY: inlay_error_kind_t = 6;
/// An argument that the function does not take: NULL, an unknown value, a wrong signature.
pub const INLAY_ERROR_INVALID_ARGUMENT: inlay_error_kind_t = 7;
/// Made by the host with `inlay_error_new` or `inlay_error_new_with_data`.
pub const INLAY_ERROR_HOST: inlay_error_kind_t = 8;
/// A defect of Inlay.
pub const INLAY_ERROR_INTERNAL: inlay_error_kind_t = 9;
/// The bytes are not an image that this engine can run: damaged, of another version or for another target.
pub const INLAY_ERROR_INVALID_IMAGE: inlay_error_kind_t = 10;
/// A limit that the host set, or one of this implementation.
pub const INLAY_ERROR_LIMIT: inlay_error_kind_t = 11;
/// WebAssembly threw an exception that nothing caught; `inlay_error_tag` and `inlay_error_values` say what.
pub const INLAY_ERROR_EXCEPTION: inlay_error_kind_t = 12;
/// The host's linear memory gave what it was not asked for (`inlay_config_linear_memory`).
pub const INLAY_ERROR_LINEAR_MEMORY: inlay_error_kind_t = 13;

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
/// A null reference where one that is not null was needed.
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
/// The host stopped it with `inlay_interrupter_interrupt`.
pub const INLAY_TRAP_INTERRUPTED: inlay_trap_t = 12;
/// The store's fuel was not enough for what came next; `inlay_store_set_fuel` gives more.
pub const INLAY_TRAP_OUT_OF_FUEL: inlay_trap_t = 13;

/// One wasm function that was running when an error was raised. The host sets `size` before it asks for one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_frame_t {
    /// `sizeof(inlay_frame_t)`, set by the host. A later version may have more fields behind those of an earlier one.
    pub size: usize,
    /// Its name from the name section, or NULL. Borrowed from the error.
    pub function_name: *const c_char,
    /// How many bytes the name has, without the NUL that ends it; there can be NULs among them.
    pub function_name_len: usize,
    /// Its index among the functions of its module, imports first.
    pub function_index: u32,
    /// Where its current instruction is, in bytes from the start of the module's binary.
    pub wasm_offset: u32,
}

/// Makes an error of kind `INLAY_ERROR_HOST`, for a callback to return.
///
/// Copies `message`, a NUL-terminated string; NULL is an empty one. Never returns NULL: without memory it is an error of
/// kind `INLAY_ERROR_OUT_OF_MEMORY`. The caller owns the error: it deletes it, or returns it from a callback and so gives
/// it away. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_new(message: *const c_char) -> *mut inlay_error_t {
    // SAFETY: the caller gives a NUL-terminated string or NULL.
    unsafe { host_error(message) }.into_raw().cast()
}

/// Makes an error as `inlay_error_new` does, which carries a pointer of the host's: an exit status, or an exception of
/// another language on its way through WebAssembly.
///
/// `inlay_error_data` gives `data` back. `finalize`, which may be NULL, is called once with `data`: on the thread that
/// deletes the error, or on this one if there is no memory for the error. It may call `inlay_error_new` and
/// `inlay_error_delete`, and no other function of Inlay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_new_with_data(
    message: *const c_char,
    data: *mut c_void,
    finalize: inlay_finalize_t,
) -> *mut inlay_error_t {
    let data = HostData {
        env: data,
        finalize,
    };
    // SAFETY: the caller gives a NUL-terminated string or NULL.
    let error = unsafe { host_error(message) };
    let error = match boxed(data) {
        Ok(data) => error.with_payload(data),
        Err(out_of_memory) => out_of_memory.into(),
    };
    error.into_raw().cast()
}

/// Makes the error of a trap, for a callback to return: of kind `INLAY_ERROR_TRAP`, with the message that wasm's own trap has.
///
/// For a number that is no `INLAY_TRAP_` constant, or is `INLAY_TRAP_NONE`, it is an `INLAY_ERROR_INVALID_ARGUMENT`. Never
/// returns NULL, as `inlay_error_new`. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_error_new_trap(trap: inlay_trap_t) -> *mut inlay_error_t {
    let error = match Trap::from_public_code(trap) {
        Some(trap) => trap.into(),
        None => Error::argument(format_args!("there is no trap with the number {trap}")),
    };
    error.into_raw().cast()
}

/// # Safety
/// The message is null or a NUL-terminated string.
unsafe fn host_error(message: *const c_char) -> Error {
    let message = match message.is_null() {
        true => c"",
        // SAFETY: as the caller promises.
        false => unsafe { CStr::from_ptr(message) },
    };
    Error::of_host(message)
}

/// The kind of an error; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_kind(error: *const inlay_error_t) -> inlay_error_kind_t {
    // SAFETY: the caller gives an error or NULL.
    unsafe { look(error.cast(), 0, |error: &Details| error.kind() as u32) }
}

/// Which trap an error is; `INLAY_TRAP_NONE` if it is none, or for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_trap(error: *const inlay_error_t) -> inlay_trap_t {
    let trap = |error: &Details| {
        let trap = Trap::from_code(error.trap_number());
        trap.map_or(INLAY_TRAP_NONE, |trap| trap.class() as u32)
    };
    // SAFETY: the caller gives an error or NULL.
    unsafe { look(error.cast(), INLAY_TRAP_NONE, trap) }
}

/// What happened and what to do about it, NUL-terminated. Borrowed from the error; "" for NULL.
///
/// A trap's message is the WebAssembly specification's wording of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_message(error: *const inlay_error_t) -> *const c_char {
    let message = |error: &Details| error.message().as_ptr();
    // SAFETY: the caller gives an error or NULL.
    unsafe { look(error.cast(), c"".as_ptr(), message) }
}

/// What `inlay_error_new_with_data` was given; NULL if the error was not made with it, or for NULL.
///
/// The error's, and good for as long as the error. An error that passes through WebAssembly stays the same error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_data(error: *const inlay_error_t) -> *mut c_void {
    let data = |error: &Details| {
        let data: Option<&HostData> = error.payload();
        data.map_or(std::ptr::null_mut(), |data| data.env)
    };
    // SAFETY: the caller gives an error or NULL.
    unsafe { look(error.cast(), std::ptr::null_mut(), data) }
}

/// What `inlay_error_new_with_data` was given as `finalize`: by it a library knows errors that it made itself, and what their
/// data is. NULL if the error was not made with it, or for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_finalizer(error: *const inlay_error_t) -> inlay_finalize_t {
    let finalizer = |error: &Details| {
        let data: Option<&HostData> = error.payload();
        data.and_then(|data| data.finalize)
    };
    // SAFETY: the caller gives an error or NULL.
    unsafe { look(error.cast(), None, finalizer) }
}

/// How many wasm frames the error's backtrace has; 0 for NULL.
///
/// Traps have a backtrace, and so have exceptions that nothing caught, and errors of host functions that passed through
/// WebAssembly. Its frames are those that the error has passed through so far, the innermost 128 at most. A host function that
/// gets an error from a call, and returns it, sends it through the frames of the wasm that called the host function, also if
/// that is of another store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_frame_count(error: *const inlay_error_t) -> usize {
    // SAFETY: the caller gives an error or NULL.
    unsafe { look(error.cast(), 0, |error: &Details| error.frames().len()) }
}

/// One frame of the backtrace, 0 being the innermost.
///
/// The caller sets `out->size`. False, and zeros in the rest of `out`, if there is no such frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_frame(
    error: *const inlay_error_t,
    index: usize,
    out: *mut inlay_frame_t,
) -> bool {
    let least = offset_of!(inlay_frame_t, wasm_offset) + size_of::<u32>();
    // SAFETY: the caller gives an error or NULL, and a writable frame of the size that it says, or NULL.
    unsafe {
        fill(out, least, || {
            let frame = inner(error)?.frames().get(index);
            let frame = frame.ok_or_else(nothing)?;
            let name = frame.name.as_ref();
            Ok(inlay_frame_t {
                size: 0,
                function_name: name.map_or(std::ptr::null(), |name| name.as_ptr()),
                function_name_len: name.map_or(0, |name| name.as_bytes().len()),
                function_index: frame.func_index,
                wasm_offset: frame.wasm_offset,
            })
        })
    }
}

/// A place in a source file. The host sets `size` before it asks for one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_source_t {
    /// `sizeof(inlay_source_t)`, set by the host. Later versions may have more fields behind these.
    pub size: usize,
    /// The file, as the compiler that made the module was given it. Borrowed from the error; NULL if the place is not known.
    pub file: *const c_char,
    /// The line, counted from 1; 0 if it is not known.
    pub line: u32,
    /// The column, counted from 1; 0 if it is not known.
    pub column: u32,
}

/// Where in its sources a frame of the backtrace is, 0 being the innermost.
///
/// What a module says of its sources, as DWARF in custom sections, is in its image if `inlay_config_debug_info` was set
/// where that was made. It is read when this is called, which takes time in proportion to it; what was found is kept in the
/// error. Of a function that the compiler of the module has inlined the place is that inside it. The caller sets
/// `out->size`; the rest is zeros where the module says nothing.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if there is no such frame, `INLAY_ERROR_INVALID_MODULE` for DWARF that cannot be read, and
/// `INLAY_ERROR_UNSUPPORTED` in a library that reads none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_frame_source(
    error: *const inlay_error_t,
    index: usize,
    out: *mut inlay_source_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives an error, and a writable place of the size that it says, or NULL.
        unsafe {
            let size = *borrow(out.cast::<usize>(), "out")?;
            if size < size_of::<inlay_source_t>() {
                return Err(Error::argument(format_args!(
                    "the size of an inlay_source_t is {size}; set it to sizeof(inlay_source_t)"
                )));
            }
            let mut source = inlay_source_t {
                size,
                file: std::ptr::null(),
                line: 0,
                column: 0,
            };
            out.write(source);
            let frame = inner(error)?.frames().get(index);
            let frame = frame.ok_or_else(|| {
                Error::argument(format_args!(
                    "the error has no frame {index}, counted from 0"
                ))
            })?;
            if !cfg!(feature = "dwarf") {
                return Err(no_dwarf());
            }
            let position = match (frame.position.get(), &frame.lines) {
                (Some(known), _) => known,
                (None, None) => &None,
                (None, Some(lines)) => {
                    let found = lines.find(frame.wasm_offset)?;
                    frame.position.get_or_init(|| found)
                }
            };
            if let Some(position) = position {
                source.file = position.file.as_ptr();
                source.line = position.line;
                source.column = position.column;
                out.write(source);
            }
        }
        Ok(())
    })
}

/// Deletes an error, and with it its message, its frames, and the data of the host's, which is finalized. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_delete(error: *mut inlay_error_t) {
    if !error.is_null() {
        let drop = || {
            // SAFETY: the caller owns the error.
            drop(unsafe { Error::from_raw(error.cast()) });
            Ok(())
        };
        infallible((), drop);
    }
}

/// # Safety
/// The pointer is null or an error.
pub(super) unsafe fn inner<'a>(error: *const inlay_error_t) -> crate::error::Result<&'a Details> {
    // SAFETY: as the caller promises; an inlay_error_t is the details of one.
    unsafe { borrow(error.cast(), "error") }
}

assert_numbers! {
    ErrorKind {
        InvalidModule = INLAY_ERROR_INVALID_MODULE,
        Unsupported = INLAY_ERROR_UNSUPPORTED,
        Link = INLAY_ERROR_LINK,
        Trap = INLAY_ERROR_TRAP,
        CodeMemory = INLAY_ERROR_CODE_MEMORY,
        OutOfMemory = INLAY_ERROR_OUT_OF_MEMORY,
        InvalidArgument = INLAY_ERROR_INVALID_ARGUMENT,
        Host = INLAY_ERROR_HOST,
        Internal = INLAY_ERROR_INTERNAL,
        InvalidImage = INLAY_ERROR_INVALID_IMAGE,
        Limit = INLAY_ERROR_LIMIT,
        Exception = INLAY_ERROR_EXCEPTION,
    }
    Trap {
        Unreachable = INLAY_TRAP_UNREACHABLE,
        OutOfBoundsMemory = INLAY_TRAP_OUT_OF_BOUNDS_MEMORY,
        OutOfBoundsTable = INLAY_TRAP_OUT_OF_BOUNDS_TABLE,
        NullReference = INLAY_TRAP_NULL_REFERENCE,
        BadSignature = INLAY_TRAP_BAD_SIGNATURE,
        IntegerOverflow = INLAY_TRAP_INTEGER_OVERFLOW,
        IntegerDivideByZero = INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO,
        InvalidConversion = INLAY_TRAP_INVALID_CONVERSION,
        StackOverflow = INLAY_TRAP_STACK_OVERFLOW,
        UnalignedAtomic = INLAY_TRAP_UNALIGNED_ATOMIC,
        NotShared = INLAY_TRAP_NOT_SHARED,
    }
}
