//! The one error type: what every failure in Inlay becomes.

use crate::fallible::{OutOfMemory, Shared, Text, boxed, push};
use std::any::Any;
use std::ffi::CStr;
use std::fmt::{self, Debug, Display};
use std::ops::Deref;
use std::sync::OnceLock;

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
    /// The host's linear memory failed.
    LinearMemory = 13,
}

/// What these display, with commas between them.
pub struct Commas<I>(pub I);

impl<I: Iterator<Item: Display> + Clone> Display for Commas<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.0.clone().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{item}")?;
        }
        Ok(())
    }
}

/// One wasm function on the stack when an error was raised, or when it passed through.
pub struct Frame {
    /// Index in the module's function index space.
    pub func_index: u32,
    /// Name from the name section.
    pub name: Option<Text>,
    /// Position of the instruction, in bytes from the start of the module.
    pub wasm_offset: u32,
    /// What its module says of its sources.
    pub lines: Option<Lines>,
    /// Where it is in its sources, once somebody has asked; none if the module does not say.
    pub position: OnceLock<Option<Position>>,
}

/// A place in a source file.
pub struct Position {
    pub file: Text,
    /// Counted from 1; 0 if it is not known.
    pub line: u32,
    pub column: u32,
}

/// What knows where in its sources an instruction of a module is.
pub trait LineTable: Send + Sync {
    /// The place of the instruction that begins so many bytes from the start of the module, if it is known.
    fn find(&self, wasm_offset: u32) -> Result<Option<Position>>;
}

/// A line table, shared by a module and the errors that passed through it.
pub type Lines = Shared<Box<dyn LineTable>>;

/// What an error carries besides its sentence: its maker knows what it is.
pub type Payload = Box<dyn Any + Send + Sync>;

/// A failure: its kind, a sentence for the host, and for traps where it happened.
///
/// It is a pointer to its details, or nothing when there was no memory for those.
pub struct Error(Option<Box<Details>>);

/// What an error says. An `inlay_error_t` is one of these.
pub struct Details {
    kind: ErrorKind,
    /// The number of the trap; 0 unless the kind is `Trap`.
    trap: u32,
    message: Message,
    /// The wasm backtrace, innermost first.
    frames: Vec<Frame>,
    payload: Option<Payload>,
}

enum Message {
    Fixed(&'static CStr),
    Made(Text),
}

/// The details of an error that there was no memory to make.
static EXHAUSTED: Details = Details {
    kind: ErrorKind::OutOfMemory,
    trap: 0,
    message: Message::Fixed(c"out of memory: an allocation failed; free some and try again"),
    frames: Vec::new(),
    payload: None,
};

/// Every fallible function in Inlay returns this.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of this kind with this message.
    pub fn new(kind: ErrorKind, message: impl Display) -> Error {
        Error::of_text(kind, Text::new(message))
    }

    fn of_text(kind: ErrorKind, message: std::result::Result<Text, OutOfMemory>) -> Error {
        let details = message.and_then(|message| {
            boxed(Details {
                kind,
                trap: 0,
                message: Message::Made(message),
                frames: Vec::new(),
                payload: None,
            })
        });
        Error(details.ok())
    }

    /// An error of the host's own.
    pub fn of_host(message: &CStr) -> Error {
        Error::of_text(ErrorKind::Host, Text::from_bytes(message.to_bytes()))
    }

    /// A trap of this number, in these words.
    pub fn trap(number: u32, message: &'static CStr) -> Error {
        let details = boxed(Details {
            kind: ErrorKind::Trap,
            trap: number,
            message: Message::Fixed(message),
            frames: Vec::new(),
            payload: None,
        });
        Error(details.ok())
    }

    /// The module is not valid.
    pub fn invalid(message: impl Display) -> Error {
        Error::new(ErrorKind::InvalidModule, message)
    }

    /// It needs what this build, version or CPU does not have.
    pub fn unsupported(message: impl Display) -> Error {
        Error::new(ErrorKind::Unsupported, message)
    }

    /// It is more than the host or this implementation allows.
    pub fn limit(message: impl Display) -> Error {
        Error::new(ErrorKind::Limit, message)
    }

    /// The host passed something wrong.
    pub fn argument(message: impl Display) -> Error {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    /// Something that cannot happen happened.
    pub fn internal(message: impl Display) -> Error {
        Error::new(ErrorKind::Internal, message)
    }

    /// There is no memory for this.
    pub fn out_of_memory(what: impl Display) -> Error {
        Error::new(
            ErrorKind::OutOfMemory,
            format_args!("out of memory: there is none for {what}; free some and try again"),
        )
    }

    /// Adds what the maker of the error knows about it.
    pub fn with_payload(mut self, payload: Payload) -> Error {
        if let Some(details) = &mut self.0 {
            details.payload = Some(payload);
        }
        self
    }

    /// Adds a frame to the end of the backtrace; whether there was memory for it.
    pub fn add_frame(&mut self, frame: Frame) -> bool {
        let frames = self.0.as_mut().map(|details| &mut details.frames);
        frames.is_some_and(|frames| push(frames, frame).is_ok())
    }

    /// What its maker added, if it is one of these, taken out of the error.
    pub fn into_payload<T: 'static>(mut self) -> Option<Box<T>> {
        self.0.take()?.payload?.downcast().ok()
    }

    /// The error as a pointer that is never null, to be given back to [`Error::from_raw`].
    pub fn into_raw(mut self) -> *mut Details {
        match self.0.take() {
            Some(details) => Box::into_raw(details),
            None => (&raw const EXHAUSTED).cast_mut(),
        }
    }

    /// Takes back what [`Error::into_raw`] gave.
    ///
    /// # Safety
    /// The pointer is of `into_raw`, and is not used again.
    pub unsafe fn from_raw(pointer: *mut Details) -> Error {
        if std::ptr::addr_eq(pointer, &raw const EXHAUSTED) {
            return Error(None);
        }
        // SAFETY: as the caller promises; `into_raw` gave up a box.
        Error(Some(unsafe { Box::from_raw(pointer) }))
    }
}

impl Drop for Error {
    /// What an error carries is dropped in a function of C's, which does not unwind: whoever holds an error has no code for
    /// a panic that comes out of its drop.
    fn drop(&mut self) {
        extern "C" fn drop_details(details: Box<Details>) {
            drop(details);
        }
        if let Some(details) = self.0.take() {
            drop_details(details);
        }
    }
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        self.0.as_deref().unwrap_or(&EXHAUSTED)
    }
}

impl Details {
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The number of the trap; 0 if it is none.
    pub fn trap_number(&self) -> u32 {
        self.trap
    }

    pub fn message(&self) -> &CStr {
        match &self.message {
            Message::Fixed(message) => message,
            Message::Made(message) => message.as_c_str(),
        }
    }

    /// The wasm backtrace, innermost first.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// What its maker added, if it is one of these.
    pub fn payload<T: 'static>(&self) -> Option<&T> {
        self.payload.as_ref()?.downcast_ref()
    }
}

impl From<OutOfMemory> for Error {
    fn from(_: OutOfMemory) -> Self {
        Error(None)
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.kind(), self.message())
    }
}
