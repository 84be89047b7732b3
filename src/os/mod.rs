//! What Inlay asks of the operating system: pages, for code without a provider and for linear memories, and threads.
//!
//! There is one file for each kind of system, with the same functions in each. No handler of hardware faults is among them,
//! since compiled code needs none: every trap is a comparison. One that turns faults into traps would be one more function
//! here: a `sigaction` in `unix`, a vectored handler in `windows`. It is given what the system knows of a fault (a `siginfo_t`
//! and a `ucontext_t`, or an `EXCEPTION_RECORD` and a `CONTEXT`), reads the program counter and the frame pointer from
//! there, and writes back where to go on, which is all of it that is the system's own; whether the fault was WebAssembly's,
//! and which handler of `runtime::resume` it goes on at, is for `runtime` to say.

#[cfg(not(all(target_os = "macos", target_arch = "aarch64")))]
mod code;
#[cfg(all(target_os = "macos", target_arch = "aarch64"))]
#[path = "map_jit.rs"]
mod code;
#[cfg(unix)]
mod unix;
mod unwinder;
#[cfg(windows)]
mod windows;

pub use code::place_code;
#[cfg(unix)]
pub use unix::*;
pub use unwinder::is_on_stack;
#[cfg(windows)]
pub use windows::*;

/// What may be done with pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadExecute,
}
