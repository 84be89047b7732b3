//! What std and cap-std have no functions for, on Unix.

use crate::capi::*;
use crate::errno::Result;
use crate::node::Stat;
use crate::rights::{fdflag, filetype};
use cap_std::fs::{Dir, DirEntry, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, FileType, OFlags};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, IsTerminal, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirEntryExt, FileTypeExt};
use std::time::Duration;

/// The number for an error of the system's.
pub fn errno(error: &io::Error) -> Option<inlay_wasi_errno_t> {
    macro_rules! same {
        ($($name:ident = $number:ident)*) => {
            match Errno::from_io_error(error)? {
                $(Errno::$name => Some($number),)*
                _ => None,
            }
        };
    }
    same! {
        TOOBIG = INLAY_WASI_E2BIG ACCESS = INLAY_WASI_EACCES ADDRINUSE = INLAY_WASI_EADDRINUSE
        ADDRNOTAVAIL = INLAY_WASI_EADDRNOTAVAIL AFNOSUPPORT = INLAY_WASI_EAFNOSUPPORT AGAIN = INLAY_WASI_EAGAIN
        ALREADY = INLAY_WASI_EALREADY BADF = INLAY_WASI_EBADF BADMSG = INLAY_WASI_EBADMSG BUSY = INLAY_WASI_EBUSY
        CANCELED = INLAY_WASI_ECANCELED CHILD = INLAY_WASI_ECHILD CONNABORTED = INLAY_WASI_ECONNABORTED
        CONNREFUSED = INLAY_WASI_ECONNREFUSED CONNRESET = INLAY_WASI_ECONNRESET DEADLK = INLAY_WASI_EDEADLK
        DESTADDRREQ = INLAY_WASI_EDESTADDRREQ DOM = INLAY_WASI_EDOM DQUOT = INLAY_WASI_EDQUOT EXIST = INLAY_WASI_EEXIST
        FAULT = INLAY_WASI_EFAULT FBIG = INLAY_WASI_EFBIG HOSTUNREACH = INLAY_WASI_EHOSTUNREACH
        IDRM = INLAY_WASI_EIDRM ILSEQ = INLAY_WASI_EILSEQ INPROGRESS = INLAY_WASI_EINPROGRESS INTR = INLAY_WASI_EINTR
        INVAL = INLAY_WASI_EINVAL IO = INLAY_WASI_EIO ISCONN = INLAY_WASI_EISCONN ISDIR = INLAY_WASI_EISDIR
        LOOP = INLAY_WASI_ELOOP MFILE = INLAY_WASI_EMFILE MLINK = INLAY_WASI_EMLINK MSGSIZE = INLAY_WASI_EMSGSIZE
        MULTIHOP = INLAY_WASI_EMULTIHOP NAMETOOLONG = INLAY_WASI_ENAMETOOLONG NETDOWN = INLAY_WASI_ENETDOWN
        NETRESET = INLAY_WASI_ENETRESET NETUNREACH = INLAY_WASI_ENETUNREACH NFILE = INLAY_WASI_ENFILE
        NOBUFS = INLAY_WASI_ENOBUFS NODEV = INLAY_WASI_ENODEV NOENT = INLAY_WASI_ENOENT NOEXEC = INLAY_WASI_ENOEXEC
        NOLCK = INLAY_WASI_ENOLCK NOLINK = INLAY_WASI_ENOLINK NOMEM = INLAY_WASI_ENOMEM NOMSG = INLAY_WASI_ENOMSG
        NOPROTOOPT = INLAY_WASI_ENOPROTOOPT NOSPC = INLAY_WASI_ENOSPC NOSYS = INLAY_WASI_ENOSYS
        NOTCONN = INLAY_WASI_ENOTCONN NOTDIR = INLAY_WASI_ENOTDIR NOTEMPTY = INLAY_WASI_ENOTEMPTY
        NOTRECOVERABLE = INLAY_WASI_ENOTRECOVERABLE NOTSOCK = INLAY_WASI_ENOTSOCK OPNOTSUPP = INLAY_WASI_ENOTSUP
        NOTTY = INLAY_WASI_ENOTTY NXIO = INLAY_WASI_ENXIO OVERFLOW = INLAY_WASI_EOVERFLOW
        OWNERDEAD = INLAY_WASI_EOWNERDEAD PERM = INLAY_WASI_EPERM PIPE = INLAY_WASI_EPIPE PROTO = INLAY_WASI_EPROTO
        PROTONOSUPPORT = INLAY_WASI_EPROTONOSUPPORT PROTOTYPE = INLAY_WASI_EPROTOTYPE RANGE = INLAY_WASI_ERANGE
        ROFS = INLAY_WASI_EROFS SPIPE = INLAY_WASI_ESPIPE SRCH = INLAY_WASI_ESRCH STALE = INLAY_WASI_ESTALE
        TIMEDOUT = INLAY_WASI_ETIMEDOUT TXTBSY = INLAY_WASI_ETXTBSY XDEV = INLAY_WASI_EXDEV
    }
}

/// Something open that has no positions.
pub struct Stream {
    file: File,
    /// Whether it is a device for characters that is no terminal, such as /dev/null, which never waits.
    is_other_device: bool,
}

impl From<File> for Stream {
    fn from(file: File) -> Stream {
        let ty = file.metadata().map(|metadata| metadata.file_type());
        Stream {
            is_other_device: ty.is_ok_and(|ty| ty.is_char_device()) && !file.is_terminal(),
            file,
        }
    }
}

/// The process's standard stream with this number; none if it has none.
pub fn standard(number: u32) -> io::Result<Option<Stream>> {
    let fd = match number {
        0 => io::stdin().as_fd().try_clone_to_owned(),
        1 => io::stdout().as_fd().try_clone_to_owned(),
        _ => io::stderr().as_fd().try_clone_to_owned(),
    };
    match fd {
        Ok(fd) => Ok(Some(File::from(fd).into())),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::BADF) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Stream {
    pub fn is_file(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|metadata| metadata.is_file())
    }

    pub fn is_other_device(&self) -> bool {
        self.is_other_device
    }

    pub fn try_clone(&self) -> io::Result<Stream> {
        Ok(Stream {
            file: self.file.try_clone()?,
            is_other_device: self.is_other_device,
        })
    }

    /// The file, and its `fdflags`.
    pub fn into_file(self) -> io::Result<(File, u16)> {
        let appends = rustix::fs::fcntl_getfl(&self.file)?.contains(OFlags::APPEND);
        Ok((self.file, if appends { fdflag::APPEND } else { 0 }))
    }

    /// Pipes, terminals and sockets take as much as POSIX writes in one step, if they take anything.
    pub fn at_once(&self) -> Option<usize> {
        (!self.is_other_device).then_some(libc::PIPE_BUF)
    }

    pub fn read(&self, to: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&self.file).read_vectored(to)
    }

    pub fn write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let len: usize = from.iter().map(|piece| piece.len()).sum();
        match self.at_once() {
            Some(most) if len > most => (&self.file).write(&from[0][..from[0].len().min(most)]),
            _ => (&self.file).write_vectored(from),
        }
    }

    pub fn poll(&self, for_write: bool) -> io::Result<inlay_wasi_readiness_t> {
        let wanted = match for_write {
            true => PollFlags::OUT,
            false => PollFlags::IN,
        };
        let mut fds = [PollFd::new(&self.file, wanted)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        match poll(&mut fds, Some(&now)) {
            Ok(_) => {}
            // Then it is asked again later.
            Err(Errno::INTR) => return Ok(inlay_wasi_readiness_t::default()),
            Err(why) => return Err(why.into()),
        }
        let found = fds[0].revents();
        let bytes = match for_write {
            true => 1,
            false => rustix::io::ioctl_fionread(&self.file).unwrap_or(1),
        };
        Ok(inlay_wasi_readiness_t {
            bytes,
            is_ready: !found.is_empty(),
            is_closed: found.contains(PollFlags::HUP),
        })
    }

    /// The system's number of it.
    pub fn number(&self) -> i64 {
        self.file.as_raw_fd().into()
    }

    pub fn stat(&self) -> io::Result<Stat> {
        Ok(crate::real::stat(&Metadata::from_file(&self.file)?))
    }
}

/// Waits until one of these may be ready, at most for so long.
pub fn wait(waited: &[inlay_wasi_waited_t], most: Duration) -> Result<()> {
    let mut fds: Vec<PollFd<'_>> = waited
        .iter()
        .filter(|waited| waited.system >= 0)
        .map(|waited| {
            let wanted = match waited.for_write {
                true => PollFlags::OUT,
                false => PollFlags::IN,
            };
            // SAFETY: whoever waits for it holds the descriptor open.
            let fd = unsafe { BorrowedFd::borrow_raw(waited.system as i32) };
            PollFd::from_borrowed_fd(fd, wanted)
        })
        .collect();
    let most = Timespec {
        tv_sec: most.as_secs() as _,
        tv_nsec: most.subsec_nanos().into(),
    };
    match poll(&mut fds, Some(&most)) {
        // A signal of the host's is not the program's.
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(why) => Err(io::Error::from(why).into()),
    }
}

/// A file will be opened so that each write is at its end, or only if it is a directory.
pub fn open_as(options: &mut OpenOptions, appends: bool, is_directory: bool) {
    let mut flags = OFlags::empty();
    flags.set(OFlags::APPEND, appends);
    flags.set(OFlags::DIRECTORY, is_directory);
    options.custom_flags(flags.bits() as i32);
}

/// The system appends by itself.
pub fn before_write(_: &File, _: bool) -> io::Result<()> {
    Ok(())
}

pub fn read_at(file: &File, to: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
    Ok(rustix::io::preadv(file, to, offset)?)
}

pub fn write_at(file: &File, from: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
    Ok(rustix::io::pwritev(file, from, offset)?)
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub fn allocate(file: &File, offset: u64, len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    Ok(fallocate(file, FallocateFlags::empty(), offset, len)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub fn allocate(_: &File, _: u64, _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub fn advise(file: &File, offset: u64, len: u64, advice: u8) -> io::Result<()> {
    use rustix::fs::{Advice, fadvise};
    let advice = match advice {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        _ => Advice::NoReuse,
    };
    Ok(fadvise(
        file,
        offset,
        std::num::NonZeroU64::new(len),
        advice,
    )?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub fn advise(_: &File, _: u64, _: u64, _: u8) -> io::Result<()> {
    Ok(())
}

pub fn set_flags(file: &File, flags: u16) -> io::Result<()> {
    let known = [
        (fdflag::APPEND, OFlags::APPEND),
        (fdflag::NONBLOCK, OFlags::NONBLOCK),
    ];
    let mut set = rustix::fs::fcntl_getfl(file)?;
    for (flag, system) in known {
        set.set(system, flags & flag != 0);
    }
    Ok(rustix::fs::fcntl_setfl(file, set)?)
}

/// Nanoseconds of processor time of this thread, or of the process.
pub fn cpu_time(of_thread: bool) -> io::Result<u64> {
    let clock = match of_thread {
        true => libc::CLOCK_THREAD_CPUTIME_ID,
        false => libc::CLOCK_PROCESS_CPUTIME_ID,
    };
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: there is a place for the time.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// What a single name leads to, which is a link itself if it is one; none if it is not a single name.
pub fn stat_name(directory: &Dir, name: &str) -> io::Result<Option<Stat>> {
    if name.contains('/') || name == ".." {
        return Ok(None);
    }
    let found = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let time = |seconds: i64, nanoseconds: u64| {
        u64::try_from(seconds).map_or(0, |seconds| {
            seconds
                .saturating_mul(1_000_000_000)
                .saturating_add(nanoseconds)
        })
    };
    Ok(Some(Stat {
        device: found.st_dev as _,
        inode: found.st_ino as _,
        filetype: match FileType::from_raw_mode(found.st_mode as _) {
            FileType::RegularFile => filetype::REGULAR_FILE,
            FileType::Directory => filetype::DIRECTORY,
            FileType::Symlink => filetype::SYMBOLIC_LINK,
            FileType::CharacterDevice => filetype::CHARACTER_DEVICE,
            FileType::BlockDevice => filetype::BLOCK_DEVICE,
            FileType::Socket => filetype::SOCKET_STREAM,
            _ => filetype::UNKNOWN,
        },
        links: found.st_nlink as _,
        len: found.st_size as _,
        accessed: time(found.st_atime as _, found.st_atime_nsec as _),
        modified: time(found.st_mtime as _, found.st_mtime_nsec as _),
        changed: time(found.st_ctime as _, found.st_ctime_nsec as _),
    }))
}

/// When what the system knows of a file was changed last, in nanoseconds since 1970.
pub fn changed(metadata: &Metadata) -> Option<u64> {
    let seconds = u64::try_from(metadata.ctime()).ok()?;
    let nanoseconds = seconds.saturating_mul(1_000_000_000);
    Some(nanoseconds.saturating_add(metadata.ctime_nsec() as u64))
}

pub fn name(name: OsString) -> Vec<u8> {
    name.into_vec()
}

pub fn inode(entry: &DirEntry) -> u64 {
    entry.ino()
}
