//! Directories of the host's: an archive, a database, whatever answers for paths.
//!
//! A program sees such a directory as it sees a real one. The library keeps what descriptors are at, and makes paths simple
//! first: one that a callback gets has names with single slashes between them, none of which is empty, "." or "..", and "" is
//! the directory itself. There are no links in it.

use super::{inlay_wasi_errno_t, table};
use crate::inlay::*;
use std::ffi::{c_char, c_void};

/// What a path leads to.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct inlay_wasi_stat_t {
    /// Whether it is a directory; else it is a file.
    pub is_directory: bool,
    /// Its bytes.
    pub len: u64,
    /// When it was changed last, in nanoseconds since 1970.
    pub modified: u64,
    /// A number that nothing else in the directory has, or 0 if there are no such numbers.
    pub inode: u64,
}

/// One entry of a directory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_wasi_entry_t {
    /// Its name, without a slash. It is copied right after the call.
    pub name: *const c_char,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// As in `inlay_wasi_stat_t`.
    pub inode: u64,
}

/// How a file is opened: a set of the `INLAY_WASI_OPEN_` constants.
pub type inlay_wasi_open_t = u32;

/// It will be read.
pub const INLAY_WASI_OPEN_READ: inlay_wasi_open_t = 1;
/// It will be written.
pub const INLAY_WASI_OPEN_WRITE: inlay_wasi_open_t = 2;
/// It is made if it is not there.
pub const INLAY_WASI_OPEN_CREATE: inlay_wasi_open_t = 4;
/// With the last: it must not be there.
pub const INLAY_WASI_OPEN_EXCLUSIVE: inlay_wasi_open_t = 8;
/// It loses what is in it.
pub const INLAY_WASI_OPEN_TRUNCATE: inlay_wasi_open_t = 16;

/// A directory of the host's. The host sets `size` to `sizeof(inlay_wasi_files_t)`. What has a NULL callback cannot be done
/// there, and the program gets `EROFS`, or `ENOTSUP`; only `stat` has to be there.
///
/// Threads, results and what callbacks may do are as for `inlay_wasi_stream_t`, but for waiting: files never do. Paths and
/// names are NUL-terminated UTF-8, and the host's to read during the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_wasi_files_t {
    /// `sizeof(inlay_wasi_files_t)`.
    pub size: usize,
    /// Passed to each callback; the library does not look at it.
    pub env: *mut c_void,
    /// Says what a path leads to, or returns `inlay_wasi_error(INLAY_WASI_ENOENT)`. `out` is zeros before. It is
    /// asked before anything else is done with a path.
    pub stat: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            path: *const c_char,
            out: *mut inlay_wasi_stat_t,
        ) -> *mut inlay_error_t,
    >,
    /// Gives the entry of a directory with this index, from 0 on; a NULL name, as `out` has before, ends the list. "." and ".."
    /// are the library's to add.
    pub entry: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            path: *const c_char,
            index: u64,
            out: *mut inlay_wasi_entry_t,
        ) -> *mut inlay_error_t,
    >,
    /// Opens a file, which `stat` has found or, to be made, has not; `*file` is the host's own, and is given to the callbacks below.
    pub open: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            path: *const c_char,
            how: inlay_wasi_open_t,
            file: *mut *mut c_void,
        ) -> *mut inlay_error_t,
    >,
    /// Closes a file, once for each that was opened. May be NULL.
    pub close: Option<unsafe extern "C" fn(env: *mut c_void, file: *mut c_void)>,
    /// Reads up to `len` bytes from `offset` on to `to`, and says in `*read` how many; 0 is the end.
    pub read: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            file: *mut c_void,
            offset: u64,
            to: *mut u8,
            len: usize,
            read: *mut usize,
        ) -> *mut inlay_error_t,
    >,
    /// Writes up to `len` bytes from `from` to `offset` on, and says in `*written` how many. A file gets longer by it; zeros
    /// are between its end and the offset.
    pub write: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            file: *mut c_void,
            offset: u64,
            from: *const u8,
            len: usize,
            written: *mut usize,
        ) -> *mut inlay_error_t,
    >,
    /// Gives a file another length. What is new is zeros.
    pub resize: Option<
        unsafe extern "C" fn(env: *mut c_void, file: *mut c_void, len: u64) -> *mut inlay_error_t,
    >,
    /// Makes a directory.
    pub make_directory:
        Option<unsafe extern "C" fn(env: *mut c_void, path: *const c_char) -> *mut inlay_error_t>,
    /// Removes a file, or an empty directory if `is_directory` says that it has to be one.
    pub remove: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            path: *const c_char,
            is_directory: bool,
        ) -> *mut inlay_error_t,
    >,
    /// Gives a file or a directory another path, and replaces a file that is there.
    pub rename: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            from: *const c_char,
            to: *const c_char,
        ) -> *mut inlay_error_t,
    >,
    /// Says what an open file is. NULL if `stat` is to be asked, by the path that it was opened by: it may lead elsewhere then.
    pub stat_file: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            file: *mut c_void,
            out: *mut inlay_wasi_stat_t,
        ) -> *mut inlay_error_t,
    >,
    /// As in `inlay_wasi_stream_t`: called once, when no configuration and no program has the directory.
    pub finalize: inlay_finalize_t,
}

table!(inlay_wasi_files_t {
    stat, entry, open, close, read, write, resize, make_directory, remove, rename, stat_file
}; needs stat);

/// What the program gets for a callback that is missing.
pub(crate) const MISSING: inlay_wasi_errno_t = super::INLAY_WASI_EROFS;
