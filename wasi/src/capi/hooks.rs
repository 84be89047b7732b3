//! Clocks, randomness and waiting, where the host answers for them itself.
//!
//! A run is deterministic if all three are the host's, and so is all that the program can read.

use super::table;
use crate::inlay::*;
use std::ffi::c_void;

/// Which clock: one of the `INLAY_WASI_CLOCK_` constants.
pub type inlay_wasi_clock_id_t = u32;

/// The time of day, since 1970.
pub const INLAY_WASI_CLOCK_REALTIME: inlay_wasi_clock_id_t = 0;
/// A time that never goes back.
pub const INLAY_WASI_CLOCK_MONOTONIC: inlay_wasi_clock_id_t = 1;
/// The processor time of the process.
pub const INLAY_WASI_CLOCK_PROCESS: inlay_wasi_clock_id_t = 2;
/// The processor time of the thread.
pub const INLAY_WASI_CLOCK_THREAD: inlay_wasi_clock_id_t = 3;

/// Clocks of the host's. The host sets `size` to `sizeof(inlay_wasi_clock_t)`.
///
/// Threads, results and what callbacks may do are as for `inlay_wasi_stream_t`. Without `inlay_wasi_wait_t` a program that
/// waits does so in real time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_wasi_clock_t {
    /// `sizeof(inlay_wasi_clock_t)`.
    pub size: usize,
    /// Passed to each callback; the library does not look at it.
    pub env: *mut c_void,
    /// What a clock shows, in nanoseconds; `inlay_wasi_error(INLAY_WASI_EINVAL)` for one that there is not.
    pub now: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            id: inlay_wasi_clock_id_t,
            nanoseconds: *mut u64,
        ) -> *mut inlay_error_t,
    >,
    /// How fine a clock is, in nanoseconds. NULL for 1.
    pub resolution: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            id: inlay_wasi_clock_id_t,
            nanoseconds: *mut u64,
        ) -> *mut inlay_error_t,
    >,
    /// As in `inlay_wasi_stream_t`: called once, when no configuration and no program has the clocks.
    pub finalize: inlay_finalize_t,
}

table!(inlay_wasi_clock_t { now, resolution }; needs now);

/// Randomness of the host's. The host sets `size` to `sizeof(inlay_wasi_random_t)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_wasi_random_t {
    /// `sizeof(inlay_wasi_random_t)`.
    pub size: usize,
    /// Passed to the callback; the library does not look at it.
    pub env: *mut c_void,
    /// Fills `len` bytes. Threads, results and what it may do are as for `inlay_wasi_stream_t`.
    pub fill: Option<
        unsafe extern "C" fn(env: *mut c_void, to: *mut u8, len: usize) -> *mut inlay_error_t,
    >,
    /// As in `inlay_wasi_stream_t`: called once, when no configuration and no program has it.
    pub finalize: inlay_finalize_t,
}

table!(inlay_wasi_random_t { fill }; needs fill);

/// One thing that a program waits for, beside time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_wasi_waited_t {
    /// The program's descriptor.
    pub fd: u32,
    /// Whether the program wants to write; else it wants to read.
    pub for_write: bool,
    /// The `env` of the stream, if it is one of the host's; else NULL.
    pub env: *mut c_void,
    /// The system's descriptor, for `poll` and its like, if the stream is one of the system's; else -1.
    pub system: i64,
}

/// What is called when a program waits: the host's own loop, or a switch to another coroutine. The host sets `size` to
/// `sizeof(inlay_wasi_wait_t)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_wasi_wait_t {
    /// `sizeof(inlay_wasi_wait_t)`.
    pub size: usize,
    /// Passed to the callback; the library does not look at it.
    pub env: *mut c_void,
    /// Waits until one of `count` things may have come to pass, or so many nanoseconds have; `UINT64_MAX` is for ever. It may
    /// return earlier: the library looks itself what has come to pass, and calls again if nothing has. So what it has to do is
    /// come back in time, and not so often that it costs anything. `sched_yield` calls it, too, with nothing to wait for and 0.
    ///
    /// Threads and results are as for `inlay_wasi_stream_t`. It may do anything but call into the store of `caller`, grow
    /// its memories or delete it; `inlay_caller_interrupted` says whether it should return. Time is then what the program's clock
    /// shows, which may be the host's (`inlay_wasi_clock_t`).
    pub wait: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            caller: *mut inlay_caller_t,
            waited: *const inlay_wasi_waited_t,
            count: usize,
            nanoseconds: u64,
        ) -> *mut inlay_error_t,
    >,
    /// As in `inlay_wasi_stream_t`: called once, when no configuration and no program has it.
    pub finalize: inlay_finalize_t,
}

table!(inlay_wasi_wait_t { wait }; needs wait);
