//! What goes wrong in a call of WASI, and what becomes of it.

use crate::capi::*;
use crate::inlay::inlay_error_t;
use std::io;

/// Why a call of WASI does not return as it should.
pub enum Stop {
    /// The program is told by this number, and goes on.
    Errno(inlay_wasi_errno_t),
    /// The program ends with this error, which its host gets.
    Error(*mut inlay_error_t),
}

pub type Result<T> = std::result::Result<T, Stop>;

impl From<inlay_wasi_errno_t> for Stop {
    fn from(errno: inlay_wasi_errno_t) -> Stop {
        Stop::Errno(errno)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Errno(of_io(&error))
    }
}

/// The number for what went wrong in the system, as exactly as the system says it.
pub fn of_io(error: &io::Error) -> inlay_wasi_errno_t {
    if let Some(number) = crate::os::errno(error) {
        return number;
    }
    use io::ErrorKind as K;
    match error.kind() {
        // What cap-std says of a path that leads out.
        K::PermissionDenied if error.raw_os_error().is_none() => INLAY_WASI_ENOTCAPABLE,
        K::PermissionDenied => INLAY_WASI_EACCES,
        K::NotFound => INLAY_WASI_ENOENT,
        K::AlreadyExists => INLAY_WASI_EEXIST,
        K::WouldBlock => INLAY_WASI_EAGAIN,
        K::InvalidInput => INLAY_WASI_EINVAL,
        K::Interrupted => INLAY_WASI_EINTR,
        K::BrokenPipe => INLAY_WASI_EPIPE,
        K::OutOfMemory => INLAY_WASI_ENOMEM,
        K::StorageFull => INLAY_WASI_ENOSPC,
        K::QuotaExceeded => INLAY_WASI_EDQUOT,
        K::FileTooLarge => INLAY_WASI_EFBIG,
        K::IsADirectory => INLAY_WASI_EISDIR,
        K::NotADirectory => INLAY_WASI_ENOTDIR,
        K::DirectoryNotEmpty => INLAY_WASI_ENOTEMPTY,
        K::ReadOnlyFilesystem => INLAY_WASI_EROFS,
        K::NotSeekable => INLAY_WASI_ESPIPE,
        K::ResourceBusy => INLAY_WASI_EBUSY,
        K::ExecutableFileBusy => INLAY_WASI_ETXTBSY,
        K::CrossesDevices => INLAY_WASI_EXDEV,
        K::TooManyLinks => INLAY_WASI_EMLINK,
        K::InvalidFilename => INLAY_WASI_ENAMETOOLONG,
        K::Unsupported => INLAY_WASI_ENOTSUP,
        _ => INLAY_WASI_EIO,
    }
}
