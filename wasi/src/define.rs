//! The functions of `wasi_snapshot_preview1`: their names and types, once, and how a call of one reaches what does it.

use crate::capi::*;
use crate::errno::{Result, Stop};
use crate::memory::Memory;
use crate::wasi::Wasi;
use crate::{clock, descriptor, path, poll, program, socket};
use std::ffi::{CStr, c_void};
use std::sync::Arc;

/// The module that programs import them from.
const MODULE: &CStr = c"wasi_snapshot_preview1";

/// One function.
struct Function {
    name: &'static CStr,
    /// As `inlay_linker_func_typed` takes it.
    signature: &'static CStr,
    function: inlay_any_func_t,
}

/// Whose program calls.
pub enum Of {
    One(Arc<Wasi>),
    Each(Found),
}

/// What says whose program calls, and is finalized when nothing uses it.
pub struct Found {
    pub find: inlay_wasi_find_t,
    pub env: *mut c_void,
    pub finalize: inlay_finalize_t,
}

// SAFETY: the header says that it is called on any thread that runs a program.
unsafe impl Send for Found {}
// SAFETY: as above.
unsafe impl Sync for Found {}

impl Drop for Found {
    fn drop(&mut self) {
        if let Some(finalize) = self.finalize {
            // SAFETY: the host gave it for this, and this is the only call.
            unsafe { finalize(self.env) }
        }
    }
}

/// What one call is about.
pub struct Call<'a> {
    pub wasi: &'a Wasi,
    pub memory: Memory,
    pub caller: *mut inlay_caller_t,
}

/// A letter of a signature, for what wasm passes.
macro_rules! letter {
    (i32) => {
        "i"
    };
    (i64) => {
        "I"
    };
}

macro_rules! functions {
    ($($name:ident ( $($param:ident : $ty:ident),* ) = $does:path;)*) => {
        /// All of them but `proc_exit`, which gives nothing back.
        const FUNCTIONS: &[Function] = &[$({
            unsafe extern "C" fn $name(
                env: *mut c_void,
                caller: *mut inlay_caller_t,
                $($param: $ty,)*
                result: *mut i32,
            ) -> *mut inlay_error_t {
                // SAFETY: Inlay calls it with what it was defined with, by someone who runs now, and gives a place for the result.
                unsafe {
                    call(env, caller, result, |call| $does(call, $($param.cast_unsigned()),*))
                }
            }
            type Typed = unsafe extern "C" fn(
                *mut c_void,
                *mut inlay_caller_t,
                $($ty,)*
                *mut i32,
            ) -> *mut inlay_error_t;
            Function {
                name: match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => unreachable!(),
                },
                signature: match CStr::from_bytes_with_nul(concat!($(letter!($ty),)* ":i\0").as_bytes()) {
                    Ok(signature) => signature,
                    Err(_) => unreachable!(),
                },
                // SAFETY: it is only called as what its signature says.
                function: Some(unsafe { std::mem::transmute::<Typed, unsafe extern "C" fn()>($name) }),
            }
        }),*];
    };
}

functions! {
    args_get(argv: i32, bytes: i32) = program::args_get;
    args_sizes_get(count: i32, bytes: i32) = program::args_sizes_get;
    environ_get(environ: i32, bytes: i32) = program::environ_get;
    environ_sizes_get(count: i32, bytes: i32) = program::environ_sizes_get;
    clock_res_get(id: i32, resolution: i32) = clock::res_get;
    clock_time_get(id: i32, precision: i64, time: i32) = clock::time_get;
    fd_advise(fd: i32, offset: i64, len: i64, advice: i32) = descriptor::advise;
    fd_allocate(fd: i32, offset: i64, len: i64) = descriptor::allocate;
    fd_close(fd: i32) = descriptor::close;
    fd_datasync(fd: i32) = descriptor::datasync;
    fd_fdstat_get(fd: i32, stat: i32) = descriptor::fdstat_get;
    fd_fdstat_set_flags(fd: i32, flags: i32) = descriptor::fdstat_set_flags;
    fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64) = descriptor::fdstat_set_rights;
    fd_filestat_get(fd: i32, stat: i32) = descriptor::filestat_get;
    fd_filestat_set_size(fd: i32, size: i64) = descriptor::filestat_set_size;
    fd_filestat_set_times(fd: i32, accessed: i64, modified: i64, flags: i32) = descriptor::filestat_set_times;
    fd_pread(fd: i32, pieces: i32, count: i32, offset: i64, read: i32) = descriptor::pread;
    fd_prestat_get(fd: i32, stat: i32) = descriptor::prestat_get;
    fd_prestat_dir_name(fd: i32, name: i32, len: i32) = descriptor::prestat_dir_name;
    fd_pwrite(fd: i32, pieces: i32, count: i32, offset: i64, written: i32) = descriptor::pwrite;
    fd_read(fd: i32, pieces: i32, count: i32, read: i32) = descriptor::read;
    fd_readdir(fd: i32, to: i32, len: i32, cookie: i64, used: i32) = descriptor::readdir;
    fd_renumber(from: i32, to: i32) = descriptor::renumber;
    fd_seek(fd: i32, offset: i64, whence: i32, at: i32) = descriptor::seek;
    fd_sync(fd: i32) = descriptor::sync;
    fd_tell(fd: i32, at: i32) = descriptor::tell;
    fd_write(fd: i32, pieces: i32, count: i32, written: i32) = descriptor::write;
    path_create_directory(fd: i32, path: i32, len: i32) = path::create_directory;
    path_filestat_get(fd: i32, flags: i32, path: i32, len: i32, stat: i32) = path::filestat_get;
    path_filestat_set_times(fd: i32, flags: i32, path: i32, len: i32, accessed: i64, modified: i64, which: i32) = path::filestat_set_times;
    path_link(fd: i32, flags: i32, path: i32, len: i32, new_fd: i32, new_path: i32, new_len: i32) = path::link;
    path_open(fd: i32, follow: i32, path: i32, len: i32, how: i32, base: i64, inheriting: i64, flags: i32, opened: i32) = path::open;
    path_readlink(fd: i32, path: i32, len: i32, to: i32, to_len: i32, used: i32) = path::readlink;
    path_remove_directory(fd: i32, path: i32, len: i32) = path::remove_directory;
    path_rename(fd: i32, path: i32, len: i32, new_fd: i32, new_path: i32, new_len: i32) = path::rename;
    path_symlink(to: i32, to_len: i32, fd: i32, path: i32, len: i32) = path::symlink;
    path_unlink_file(fd: i32, path: i32, len: i32) = path::unlink_file;
    poll_oneoff(subscriptions: i32, events: i32, count: i32, happened: i32) = poll::oneoff;
    proc_raise(signal: i32) = program::raise;
    sched_yield() = program::sched_yield;
    random_get(to: i32, len: i32) = program::random_get;
    sock_accept(fd: i32, flags: i32, accepted: i32) = socket::accept;
    sock_recv(fd: i32, pieces: i32, count: i32, flags: i32, read: i32, out_flags: i32) = socket::recv;
    sock_send(fd: i32, pieces: i32, count: i32, flags: i32, sent: i32) = socket::send;
    sock_shutdown(fd: i32, how: i32) = socket::shutdown;
}

/// Defines all functions in a linker.
///
/// # Safety
/// The linker is null or lives, and no other thread uses it.
pub unsafe fn define(
    linker: *mut inlay_linker_t,
    of: Arc<Of>,
) -> std::result::Result<(), *mut inlay_error_t> {
    unsafe extern "C" fn drop_of(env: *mut c_void) {
        // SAFETY: it is the count that was raised for this definition.
        drop(unsafe { Arc::from_raw(env.cast_const().cast::<Of>()) });
    }
    let exit = Function {
        name: c"proc_exit",
        signature: c"i:",
        // SAFETY: it is only called as what its signature says.
        function: Some(unsafe {
            std::mem::transmute::<
                unsafe extern "C" fn(*mut c_void, *mut inlay_caller_t, i32) -> *mut inlay_error_t,
                unsafe extern "C" fn(),
            >(proc_exit)
        }),
    };
    for function in FUNCTIONS.iter().chain([&exit]) {
        let env = Arc::into_raw(of.clone()).cast_mut().cast();
        // SAFETY: the caller gives a linker; the function is of the type that its signature says.
        let error = unsafe {
            inlay_linker_func_typed(
                linker,
                MODULE.as_ptr(),
                function.name.as_ptr(),
                function.signature.as_ptr(),
                function.function,
                env,
                Some(drop_of),
            )
        };
        if !error.is_null() {
            return Err(error);
        }
    }
    Ok(())
}

/// The program ends, by an error that has its code.
unsafe extern "C" fn proc_exit(
    _: *mut c_void,
    _: *mut inlay_caller_t,
    code: i32,
) -> *mut inlay_error_t {
    exit(code.cast_unsigned())
}

/// Runs what a function does, and tells the program how that went.
///
/// # Safety
/// `env` is an [`Of`] that lives, `caller` calls now, and `result` is a place for the result.
unsafe fn call(
    env: *mut c_void,
    caller: *mut inlay_caller_t,
    result: *mut i32,
    does: impl FnOnce(&Call<'_>) -> Result<()>,
) -> *mut inlay_error_t {
    guard(|| {
        // SAFETY: as the caller promises; the memory is only used during this call.
        let (wasi, memory) = unsafe {
            let wasi = match &*env.cast_const().cast::<Of>() {
                Of::One(wasi) => wasi,
                Of::Each(found) => {
                    let find = found.find.ok_or_else(|| error("find is NULL"))?;
                    let wasi = find(found.env, caller).cast_const().cast::<Wasi>();
                    borrow(wasi, "what inlay_wasi_find_t has found")?
                }
            };
            let memory = inlay_caller_memory(caller, c"memory".as_ptr());
            (wasi, Memory::new(memory))
        };
        let call = Call {
            wasi,
            memory,
            caller,
        };
        let errno = match does(&call) {
            Ok(()) => 0,
            Err(Stop::Errno(errno)) => errno,
            Err(Stop::Error(error)) => return Err(error),
        };
        // SAFETY: as the caller promises.
        unsafe { *result = errno.into() }
        Ok(())
    })
}
