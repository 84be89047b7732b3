//! One table of trap codes.
//!
//! Generated code passes the number, the runtime turns it into an error, and
//! the C header shows it as `inlay_trap_t`. Messages are the ones that the
//! specification's test suite expects. `compiler/trap.rs` says how a trap goes.

use crate::error::Error;
use std::ffi::CStr;

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $message:literal;)*) => {
        /// Why WebAssembly stopped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum Trap {
            $($(#[$doc])* $name = $code,)*
        }

        impl Trap {
            /// The trap with this number, if there is one.
            pub fn from_code(code: u32) -> Option<Trap> {
                match code {
                    $($code => Some(Trap::$name),)*
                    _ => None,
                }
            }

            /// The specification's words for this trap.
            pub fn message(self) -> &'static CStr {
                match self {
                    $(Trap::$name => $message,)*
                }
            }
        }
    };
}

traps! {
    /// The `unreachable` instruction was executed.
    Unreachable = 1, c"unreachable";
    /// A memory access, or a bulk memory operation, past the end of a memory or a data segment.
    OutOfBoundsMemory = 2, c"out of bounds memory access";
    /// A table access, or a bulk table operation, past the end of a table or an element segment.
    OutOfBoundsTable = 3, c"out of bounds table access";
    /// A null reference where a function was needed.
    NullReference = 4, c"null reference";
    /// `call_indirect` found a function of another type.
    BadSignature = 5, c"indirect call type mismatch";
    /// An integer result does not fit in its type.
    IntegerOverflow = 6, c"integer overflow";
    /// Integer division or remainder by zero.
    IntegerDivideByZero = 7, c"integer divide by zero";
    /// A NaN was converted to an integer.
    InvalidConversion = 8, c"invalid conversion to integer";
    /// The stack that wasm may use is exhausted.
    StackOverflow = 9, c"call stack exhausted";
    /// An atomic access to an address that is not a multiple of its size.
    UnalignedAtomic = 10, c"unaligned atomic";
    /// A wait on a memory that is not shared.
    NotShared = 11, c"expected shared memory";
    /// The host stopped the store.
    Interrupted = 12, c"interrupted";
    /// The store has not enough fuel for what comes next.
    OutOfFuel = 13, c"out of fuel";
    // What follows is shown to hosts as one of the above.
    /// `call_indirect` used an index past the end of the table.
    UndefinedElement = 100, c"undefined element";
    /// `call_indirect` found a null element.
    UninitializedElement = 101, c"uninitialized element";
    /// A call through a null reference.
    NullFunctionReference = 102, c"null function reference";
    /// `throw_ref` of a null reference.
    NullExceptionReference = 103, c"null exception reference";
}

impl Trap {
    /// The trap that the C surface has under this number.
    pub fn from_public_code(code: u32) -> Option<Trap> {
        Trap::from_code(code).filter(|trap| trap.class() == *trap)
    }

    /// What the C surface calls this trap: how `call_indirect` words its two
    /// failures matters to the specification's tests, not to hosts.
    pub fn class(self) -> Trap {
        match self {
            Trap::UndefinedElement => Trap::OutOfBoundsTable,
            Trap::UninitializedElement
            | Trap::NullFunctionReference
            | Trap::NullExceptionReference => Trap::NullReference,
            other => other,
        }
    }
}

impl From<Trap> for Error {
    fn from(trap: Trap) -> Error {
        Error::trap(trap as u32, trap.message())
    }
}
