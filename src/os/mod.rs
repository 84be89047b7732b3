//! What Inlay asks of the operating system: pages, for code without a provider and for linear memories, and threads.
//!
//! There is one file for each kind of system, with the same functions in each.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::*;

/// What may be done with pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadExecute,
}
