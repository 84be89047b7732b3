//! Streams: what a program reads from and writes to that is no file.

use super::table;
use crate::inlay::*;
use std::ffi::c_void;

/// What a stream is, as far as a program can tell: one of the `INLAY_WASI_STREAM_` constants.
pub type inlay_wasi_stream_kind_t = u32;

/// A pipe, or anything else.
pub const INLAY_WASI_STREAM_PIPE: inlay_wasi_stream_kind_t = 0;
/// A terminal: C's `isatty` says so, and its `stdout` is then written line by line.
pub const INLAY_WASI_STREAM_TERMINAL: inlay_wasi_stream_kind_t = 1;
/// A socket, for `sock_recv`, `sock_send`, `sock_shutdown` and, if it listens, `sock_accept`.
pub const INLAY_WASI_STREAM_SOCKET: inlay_wasi_stream_kind_t = 2;

/// Whether a stream has something: what `poll` of a stream answers.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct inlay_wasi_readiness_t {
    /// How many bytes can be read or written without waiting, as far as that is known; else 1 is fine.
    pub bytes: u64,
    /// Whether a call would not wait: because there are bytes, at the end of the stream, or because it would fail.
    pub is_ready: bool,
    /// Whether the other side has gone.
    pub is_closed: bool,
}

/// A stream of the host's. The host sets `size` to `sizeof(inlay_wasi_stream_t)`; any callback may be NULL.
///
/// The callbacks run on the thread that runs the program, on several at once if several threads run what has this stream. They
/// may use other stores, but none of a program with the same `inlay_wasi_t`. The program is in the middle of a call: so they may not
/// call into its store, nor grow its memories, nor use more of those than the bytes that they are given. Each returns NULL; or what `inlay_wasi_error` makes, which the program gets; or any other error, which ends the
/// program. One that waits cannot be interrupted: better it returns `inlay_wasi_error(INLAY_WASI_EAGAIN)`, and is
/// called again when the stream may be ready (`inlay_wasi_wait_t`).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_wasi_stream_t {
    /// `sizeof(inlay_wasi_stream_t)`.
    pub size: usize,
    /// Passed to each callback; the library does not look at it.
    pub env: *mut c_void,
    /// What it is.
    pub kind: inlay_wasi_stream_kind_t,
    /// Reads at least one byte and at most `len` to `to`, which is the program's memory, and says in `*read` how many. 0 is the
    /// end of the stream. NULL if nothing can be read: the program gets `EBADF`.
    pub read: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            to: *mut u8,
            len: usize,
            read: *mut usize,
        ) -> *mut inlay_error_t,
    >,
    /// Writes at least one byte and at most `len` from `from`, which is the program's memory, and says in `*written` how many.
    /// NULL if nothing can be written: the program gets `EBADF`.
    pub write: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            from: *const u8,
            len: usize,
            written: *mut usize,
        ) -> *mut inlay_error_t,
    >,
    /// Tells `poll_oneoff` whether `read` (`for_write` is false) or `write` would have to wait. NULL if they never do, or wait
    /// themselves: a program that polls would try again and again if they return `EAGAIN`.
    pub poll: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            for_write: bool,
            out: *mut inlay_wasi_readiness_t,
        ) -> *mut inlay_error_t,
    >,
    /// Accepts a connection: fills `out`, a table of which `size` is set, with the stream that the program then gets. NULL if
    /// it does not listen.
    pub accept: Option<
        unsafe extern "C" fn(env: *mut c_void, out: *mut inlay_wasi_stream_t) -> *mut inlay_error_t,
    >,
    /// Ends reading, writing or both, as `sock_shutdown` does. May be NULL.
    pub shutdown: Option<
        unsafe extern "C" fn(env: *mut c_void, read: bool, write: bool) -> *mut inlay_error_t,
    >,
    /// Called once with `env`, on the thread that lets go of it last: when programs have closed the stream, or are gone, and no
    /// configuration has it; or at once if the table was refused. May be NULL. It may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
    pub finalize: inlay_finalize_t,
}

table!(inlay_wasi_stream_t { read, write, poll, accept, shutdown } with kind = INLAY_WASI_STREAM_PIPE);
