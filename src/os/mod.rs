//! What Inlay asks of the operating system: pages, for code without a provider and for linear memories, and threads.
//!
//! There is one file for each kind of system, with the same functions in each. What a host's handler passes on of a fault of
//! the CPU is read in another file for each, `fault`; nothing here installs a handler.

#[cfg(not(all(target_os = "macos", target_arch = "aarch64")))]
mod code;
#[cfg(all(target_os = "macos", target_arch = "aarch64"))]
#[path = "map_jit.rs"]
mod code;
#[cfg_attr(unix, path = "fault_unix.rs")]
#[cfg_attr(windows, path = "fault_windows.rs")]
pub mod fault;
#[cfg(target_os = "linux")]
mod mapped_file;
#[cfg(not(target_os = "linux"))]
#[path = "unmapped_file.rs"]
mod mapped_file;
#[cfg(target_os = "linux")]
mod touched;
#[cfg(not(target_os = "linux"))]
#[path = "untouched.rs"]
mod touched;
#[cfg(unix)]
mod unix;
pub mod unwinder;
#[cfg(windows)]
mod windows;

pub use code::place_code;
pub use mapped_file::MappedFile;
pub use touched::Touched;
#[cfg(unix)]
pub use unix::*;
pub use unwinder::is_on_stack;
#[cfg(windows)]
pub use windows::*;

/// What may be done with pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    None,
    ReadWrite,
    ReadExecute,
}

/// Whether this system's faults can be read, on this CPU.
pub const FAULTS: bool = cfg!(any(
    all(
        target_arch = "x86_64",
        any(
            target_os = "linux",
            target_os = "android",
            target_os = "freebsd",
            target_vendor = "apple",
            windows
        )
    ),
    all(
        target_arch = "aarch64",
        any(
            target_os = "linux",
            target_os = "android",
            target_vendor = "apple"
        )
    ),
    all(target_arch = "riscv64", target_os = "linux"),
));

/// A fault of the CPU that has just happened on this thread.
pub struct Fault {
    pub cause: Cause,
    /// The address of the instruction.
    pub pc: usize,
    pub fp: usize,
}

/// Why an instruction faulted.
pub enum Cause {
    /// It wanted to access this address.
    Access(usize),
    /// It is none.
    Instruction,
    /// A division by zero, or one whose quotient does not fit.
    Arithmetic,
}

/// Where a thread goes on after a fault: at a C function, as if the instruction had called it.
pub struct Landing {
    pub pc: usize,
    pub arguments: [usize; 2],
    /// What the function finds as its return address.
    pub returns_to: usize,
}
