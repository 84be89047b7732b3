//! The one error type: what every failure in Inlay becomes.

use crate::runtime::Exception;
use crate::trap::Trap;
use std::ffi::CString;
use std::fmt::Display;

/// What kind of failure this is; the numbers are those of `inlay_error_kind_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ErrorKind {
    /// The bytes are not valid WebAssembly.
    InvalidModule = 1,
    /// Valid, but it needs a feature that is off, or that this build or CPU lacks.
    Unsupported = 2,
    /// An import is missing or has another type.
    Link = 3,
    /// WebAssembly trapped.
    Trap = 4,
    /// The host's code memory failed.
    CodeMemory = 5,
    /// An allocation failed.
    OutOfMemory = 6,
    /// The host passed something that the function does not take.
    InvalidArgument = 7,
    /// Made by the host.
    Host = 8,
    /// A defect of Inlay.
    Internal = 9,
    /// The bytes are not an image that this engine can run.
    InvalidImage = 10,
    /// A limit that the host set, or one of this implementation.
    Limit = 11,
    /// WebAssembly threw an exception that nothing caught.
    Exception = 12,
}

/// One wasm function on the stack when an error was raised.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Index in the module's function index space.
    pub func_index: u32,
    /// Name from the name section.
    pub name: Option<CString>,
    /// Position of the instruction, in bytes from the start of the module.
    pub wasm_offset: u32,
}

/// A failure: its kind, a sentence for the host, and for traps where it happened.
#[derive(Debug)]
pub struct Error {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// Which trap; `None` unless the kind is `Trap`.
    pub trap: Option<Trap>,
    /// What happened and what to do about it.
    pub message: CString,
    /// The wasm backtrace, innermost first.
    pub frames: Vec<Frame>,
    /// What was thrown; `None` unless the kind is `Exception`.
    pub exception: Option<Box<Exception>>,
}

/// Every fallible function in Inlay returns this.
pub type Result<T> = std::result::Result<T, Box<Error>>;

/// Text for C: an interior NUL would cut it, so it is shown as U+FFFD.
pub fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

impl Error {
    /// An error of this kind with this message.
    pub fn new(kind: ErrorKind, message: impl Display) -> Box<Error> {
        Box::new(Error {
            kind,
            trap: None,
            message: c_string(&message.to_string()),
            frames: Vec::new(),
            exception: None,
        })
    }

    /// A trap with its backtrace.
    pub fn trap(trap: Trap, frames: Vec<Frame>) -> Box<Error> {
        let mut error = Error::new(ErrorKind::Trap, trap.message());
        error.trap = Some(trap);
        error.frames = frames;
        error
    }

    /// The module is not valid.
    pub fn invalid(message: impl Display) -> Box<Error> {
        Error::new(ErrorKind::InvalidModule, message)
    }

    /// The host passed something wrong.
    pub fn argument(message: impl Display) -> Box<Error> {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    /// Something that cannot happen happened.
    pub fn internal(message: impl Display) -> Box<Error> {
        Error::new(ErrorKind::Internal, message)
    }

    /// Memory is exhausted.
    pub fn out_of_memory(what: impl Display) -> Box<Error> {
        Error::new(
            ErrorKind::OutOfMemory,
            format_args!("out of memory: {what}; free some and try again"),
        )
    }
}

impl From<wasmparser::BinaryReaderError> for Box<Error> {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Error::invalid(format_args!(
            "invalid module: {} (at offset {:#x})",
            error.message(),
            error.offset()
        ))
    }
}
