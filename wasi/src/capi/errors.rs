//! Errors: what a callback tells a program, and how a program ends.
//!
//! Every error that a function or a callback here returns is an `inlay_error_t`. Those that this library makes are of kind
//! `INLAY_ERROR_HOST`: for Inlay it is a part of the host.

use super::error;
use crate::inlay::*;
use std::ffi::c_void;

/// What went wrong in a call of WASI, as a program gets it: one of the `INLAY_WASI_E` constants. The numbers are those of
/// `errno` in `wasi_snapshot_preview1`.
pub type inlay_wasi_errno_t = u16;

/// The arguments are too long.
pub const INLAY_WASI_E2BIG: inlay_wasi_errno_t = 1;
/// Permission is denied.
pub const INLAY_WASI_EACCES: inlay_wasi_errno_t = 2;
/// The address is in use.
pub const INLAY_WASI_EADDRINUSE: inlay_wasi_errno_t = 3;
/// The address is not available.
pub const INLAY_WASI_EADDRNOTAVAIL: inlay_wasi_errno_t = 4;
/// The family of addresses is not supported.
pub const INLAY_WASI_EAFNOSUPPORT: inlay_wasi_errno_t = 5;
/// It would have to wait. A callback that says this is called again when what it serves may be ready.
pub const INLAY_WASI_EAGAIN: inlay_wasi_errno_t = 6;
/// The connection is being made already.
pub const INLAY_WASI_EALREADY: inlay_wasi_errno_t = 7;
/// There is no such descriptor.
pub const INLAY_WASI_EBADF: inlay_wasi_errno_t = 8;
/// The message is bad.
pub const INLAY_WASI_EBADMSG: inlay_wasi_errno_t = 9;
/// It is in use.
pub const INLAY_WASI_EBUSY: inlay_wasi_errno_t = 10;
/// It was cancelled.
pub const INLAY_WASI_ECANCELED: inlay_wasi_errno_t = 11;
/// There is no such process.
pub const INLAY_WASI_ECHILD: inlay_wasi_errno_t = 12;
/// The connection was aborted.
pub const INLAY_WASI_ECONNABORTED: inlay_wasi_errno_t = 13;
/// The connection was refused.
pub const INLAY_WASI_ECONNREFUSED: inlay_wasi_errno_t = 14;
/// The connection was reset.
pub const INLAY_WASI_ECONNRESET: inlay_wasi_errno_t = 15;
/// It would wait for ever.
pub const INLAY_WASI_EDEADLK: inlay_wasi_errno_t = 16;
/// An address is needed.
pub const INLAY_WASI_EDESTADDRREQ: inlay_wasi_errno_t = 17;
/// A number is outside of the domain of a function.
pub const INLAY_WASI_EDOM: inlay_wasi_errno_t = 18;
/// A quota is exceeded.
pub const INLAY_WASI_EDQUOT: inlay_wasi_errno_t = 19;
/// The file is there already.
pub const INLAY_WASI_EEXIST: inlay_wasi_errno_t = 20;
/// An address is not in the program's memory.
pub const INLAY_WASI_EFAULT: inlay_wasi_errno_t = 21;
/// A file would be too large.
pub const INLAY_WASI_EFBIG: inlay_wasi_errno_t = 22;
/// The host cannot be reached.
pub const INLAY_WASI_EHOSTUNREACH: inlay_wasi_errno_t = 23;
/// The identifier is gone.
pub const INLAY_WASI_EIDRM: inlay_wasi_errno_t = 24;
/// The bytes are no UTF-8.
pub const INLAY_WASI_EILSEQ: inlay_wasi_errno_t = 25;
/// It has begun.
pub const INLAY_WASI_EINPROGRESS: inlay_wasi_errno_t = 26;
/// It was interrupted.
pub const INLAY_WASI_EINTR: inlay_wasi_errno_t = 27;
/// An argument is invalid.
pub const INLAY_WASI_EINVAL: inlay_wasi_errno_t = 28;
/// A device failed.
pub const INLAY_WASI_EIO: inlay_wasi_errno_t = 29;
/// It is connected.
pub const INLAY_WASI_EISCONN: inlay_wasi_errno_t = 30;
/// It is a directory.
pub const INLAY_WASI_EISDIR: inlay_wasi_errno_t = 31;
/// There are too many symbolic links on the way.
pub const INLAY_WASI_ELOOP: inlay_wasi_errno_t = 32;
/// The program has too many descriptors.
pub const INLAY_WASI_EMFILE: inlay_wasi_errno_t = 33;
/// There are too many links.
pub const INLAY_WASI_EMLINK: inlay_wasi_errno_t = 34;
/// A message is too large.
pub const INLAY_WASI_EMSGSIZE: inlay_wasi_errno_t = 35;
/// It would take several hops.
pub const INLAY_WASI_EMULTIHOP: inlay_wasi_errno_t = 36;
/// A name is too long.
pub const INLAY_WASI_ENAMETOOLONG: inlay_wasi_errno_t = 37;
/// The network is down.
pub const INLAY_WASI_ENETDOWN: inlay_wasi_errno_t = 38;
/// The network aborted the connection.
pub const INLAY_WASI_ENETRESET: inlay_wasi_errno_t = 39;
/// The network cannot be reached.
pub const INLAY_WASI_ENETUNREACH: inlay_wasi_errno_t = 40;
/// The system has too many open files.
pub const INLAY_WASI_ENFILE: inlay_wasi_errno_t = 41;
/// There is no room for a buffer.
pub const INLAY_WASI_ENOBUFS: inlay_wasi_errno_t = 42;
/// There is no such device.
pub const INLAY_WASI_ENODEV: inlay_wasi_errno_t = 43;
/// There is no such file or directory.
pub const INLAY_WASI_ENOENT: inlay_wasi_errno_t = 44;
/// It cannot be executed.
pub const INLAY_WASI_ENOEXEC: inlay_wasi_errno_t = 45;
/// There are no locks left.
pub const INLAY_WASI_ENOLCK: inlay_wasi_errno_t = 46;
/// The link is gone.
pub const INLAY_WASI_ENOLINK: inlay_wasi_errno_t = 47;
/// There is not enough memory.
pub const INLAY_WASI_ENOMEM: inlay_wasi_errno_t = 48;
/// There is no such message.
pub const INLAY_WASI_ENOMSG: inlay_wasi_errno_t = 49;
/// The protocol is not available.
pub const INLAY_WASI_ENOPROTOOPT: inlay_wasi_errno_t = 50;
/// The device is full.
pub const INLAY_WASI_ENOSPC: inlay_wasi_errno_t = 51;
/// There is no such function.
pub const INLAY_WASI_ENOSYS: inlay_wasi_errno_t = 52;
/// It is not connected.
pub const INLAY_WASI_ENOTCONN: inlay_wasi_errno_t = 53;
/// It is no directory.
pub const INLAY_WASI_ENOTDIR: inlay_wasi_errno_t = 54;
/// The directory is not empty.
pub const INLAY_WASI_ENOTEMPTY: inlay_wasi_errno_t = 55;
/// The state cannot be recovered.
pub const INLAY_WASI_ENOTRECOVERABLE: inlay_wasi_errno_t = 56;
/// It is no socket.
pub const INLAY_WASI_ENOTSOCK: inlay_wasi_errno_t = 57;
/// It is not supported.
pub const INLAY_WASI_ENOTSUP: inlay_wasi_errno_t = 58;
/// It is no terminal.
pub const INLAY_WASI_ENOTTY: inlay_wasi_errno_t = 59;
/// There is no such device or address.
pub const INLAY_WASI_ENXIO: inlay_wasi_errno_t = 60;
/// A number is too large for its type.
pub const INLAY_WASI_EOVERFLOW: inlay_wasi_errno_t = 61;
/// The owner is dead.
pub const INLAY_WASI_EOWNERDEAD: inlay_wasi_errno_t = 62;
/// It is not permitted.
pub const INLAY_WASI_EPERM: inlay_wasi_errno_t = 63;
/// Nobody reads the pipe.
pub const INLAY_WASI_EPIPE: inlay_wasi_errno_t = 64;
/// The protocol was violated.
pub const INLAY_WASI_EPROTO: inlay_wasi_errno_t = 65;
/// The protocol is not supported.
pub const INLAY_WASI_EPROTONOSUPPORT: inlay_wasi_errno_t = 66;
/// The protocol is of another type.
pub const INLAY_WASI_EPROTOTYPE: inlay_wasi_errno_t = 67;
/// A result is too large.
pub const INLAY_WASI_ERANGE: inlay_wasi_errno_t = 68;
/// Nothing can be written there.
pub const INLAY_WASI_EROFS: inlay_wasi_errno_t = 69;
/// It has no positions.
pub const INLAY_WASI_ESPIPE: inlay_wasi_errno_t = 70;
/// There is no such process.
pub const INLAY_WASI_ESRCH: inlay_wasi_errno_t = 71;
/// The file is gone.
pub const INLAY_WASI_ESTALE: inlay_wasi_errno_t = 72;
/// It took too long.
pub const INLAY_WASI_ETIMEDOUT: inlay_wasi_errno_t = 73;
/// The program is running.
pub const INLAY_WASI_ETXTBSY: inlay_wasi_errno_t = 74;
/// The two are not in the same place.
pub const INLAY_WASI_EXDEV: inlay_wasi_errno_t = 75;
/// The descriptor has no right to that, or a path leads out of its directory.
pub const INLAY_WASI_ENOTCAPABLE: inlay_wasi_errno_t = 76;

/// Makes an error for a callback to return, by which the program gets this number and goes on. Any other error ends the
/// program, and arrives at who called it.
///
/// 0 is no error, and gives one that ends the program. The caller owns the error. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_wasi_error(number: inlay_wasi_errno_t) -> *mut inlay_error_t {
    if number == 0 {
        return error("inlay_wasi_error was called with 0, which is no error");
    }
    let message = c"an error of WASI, for a program that a callback serves";
    let data = std::ptr::without_provenance_mut(number.into());
    // SAFETY: the message is copied, and the data is a number.
    unsafe { inlay_error_new_with_data(message.as_ptr(), data, Some(of_errno)) }
}

/// The number of an error that `inlay_wasi_error` made; 0 for any other, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_errno(error: *const inlay_error_t) -> inlay_wasi_errno_t {
    // SAFETY: the caller gives an error or NULL. What has this finalizer has a number for its data.
    unsafe { carried(error, of_errno).unwrap_or(0) as u16 }
}

/// Whether an error is a program's end by `proc_exit`, and if so, with which code; 0 is success.
///
/// `out` may be NULL, and is written 0 if it is not that. `inlay_wasi_start` asks this itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_exit_code(error: *const inlay_error_t, out: *mut u32) -> bool {
    // SAFETY: the caller gives an error or NULL, and a place for the code or NULL.
    unsafe {
        let code = carried(error, of_exit);
        if !out.is_null() {
            out.write(code.unwrap_or(0) as u32);
        }
        code.is_some()
    }
}

/// The error by which a program ends that calls `proc_exit`.
pub(crate) fn exit(code: u32) -> *mut inlay_error_t {
    let message = format!("the program has ended with the code {code} (proc_exit)\0");
    let data = std::ptr::without_provenance_mut(code as usize);
    // SAFETY: the message is copied, and the data is a number.
    unsafe { inlay_error_new_with_data(message.as_ptr().cast(), data, Some(of_exit)) }
}

/// The number that an error carries, if it has this finalizer: only this library's errors have.
///
/// # Safety
/// The error lives, or is null.
unsafe fn carried(
    error: *const inlay_error_t,
    finalizer: unsafe extern "C" fn(*mut c_void),
) -> Option<usize> {
    // SAFETY: as the caller promises.
    unsafe {
        let of = inlay_error_finalizer(error)?;
        std::ptr::fn_addr_eq(of, finalizer).then(|| inlay_error_data(error).addr())
    }
}

// What errors are known by. The two do nothing, but each its own nothing: functions with the same code could become one.

unsafe extern "C" fn of_errno(_: *mut c_void) {
    std::hint::black_box("errno");
}

unsafe extern "C" fn of_exit(_: *mut c_void) {
    std::hint::black_box("proc_exit of a program");
}
