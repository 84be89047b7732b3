//! WASI preview 1 for modules that Inlay runs. Its product is the C surface in [`capi`]; it knows Inlay by `inlay.h` alone
//! ([`inlay`]).
//!
//! A call of a program comes in by [`define`], which has the table of all functions, and looks at the program's
//! [`memory`], where every address is checked. What it is about is in a [`Wasi`](wasi::Wasi): what the program was given
//! when it started ([`program`]), its clocks ([`clock`]), and what it has open ([`descriptor`], [`path`]). That is a
//! [`node`]: a [`stream`], or a file or directory, real ones by way of cap-std ([`real`]) or the host's own ([`served`]).
//! What has to wait does so in [`poll`].

pub mod capi;

mod clock;
mod define;
mod descriptor;
mod errno;
mod inlay;
mod memory;
#[path = "../../src/no_backtrace.rs"]
mod no_backtrace;
mod node;
mod path;
mod poll;
mod program;
mod real;
mod rights;
mod served;
mod socket;
mod stream;
mod table;
mod wasi;

#[cfg_attr(unix, path = "os/unix.rs")]
#[cfg_attr(windows, path = "os/windows.rs")]
mod os;
