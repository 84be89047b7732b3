//! What std and cap-std have no functions for, on Windows.

use crate::capi::*;
use crate::errno::Result;
use crate::node::Stat;
use crate::rights::filetype;
use cap_fs_ext::{DirEntryExt, MetadataExt};
use cap_std::fs::{Dir, DirEntry, Metadata, OpenOptions};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, IsTerminal, Read, Seek, SeekFrom, Write};
use std::os::windows::fs::FileExt;
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::time::Duration;
use windows_sys::Win32::Foundation::{ERROR_BROKEN_PIPE, FILETIME, WAIT_TIMEOUT};
use windows_sys::Win32::System::Pipes::PeekNamedPipe;
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentThread, GetProcessTimes, GetThreadTimes, WaitForSingleObject,
};

/// The number for an error of the system's: what std makes of it is enough.
pub fn errno(_: &io::Error) -> Option<inlay_wasi_errno_t> {
    None
}

/// Something open that has no positions.
pub enum Stream {
    /// The process's standard stream with this number, where it is a console: std makes UTF-8 of what is there.
    Console(u32, File),
    Other(File),
}

impl From<File> for Stream {
    fn from(file: File) -> Stream {
        Stream::Other(file)
    }
}

/// The process's standard stream with this number; none if it has none.
pub fn standard(number: u32) -> io::Result<Option<Stream>> {
    fn open(
        number: u32,
        stream: &(impl AsHandle + AsRawHandle + IsTerminal),
    ) -> io::Result<Option<Stream>> {
        if stream.as_raw_handle().is_null() {
            return Ok(None);
        }
        let file: File = stream.as_handle().try_clone_to_owned()?.into();
        Ok(Some(match stream.is_terminal() {
            true => Stream::Console(number, file),
            false => Stream::Other(file),
        }))
    }
    match number {
        0 => open(0, &io::stdin()),
        1 => open(1, &io::stdout()),
        _ => open(2, &io::stderr()),
    }
}

impl Stream {
    fn file(&self) -> &File {
        match self {
            Stream::Console(_, file) | Stream::Other(file) => file,
        }
    }

    pub fn is_file(&self) -> bool {
        let metadata = self.file().metadata();
        metadata.is_ok_and(|metadata| metadata.is_file())
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Stream::Console(..))
    }

    /// Nothing is said to be a device but consoles.
    pub fn is_other_device(&self) -> bool {
        false
    }

    pub fn try_clone(&self) -> io::Result<Stream> {
        Ok(match self {
            Stream::Console(number, file) => Stream::Console(*number, file.try_clone()?),
            Stream::Other(file) => Stream::Other(file.try_clone()?),
        })
    }

    /// The file, and its `fdflags`, of which nothing here says that it appends.
    pub fn into_file(self) -> io::Result<(File, u16)> {
        match self {
            Stream::Console(_, file) | Stream::Other(file) => Ok((file, 0)),
        }
    }

    /// Nothing says how much a pipe takes.
    pub fn at_once(&self) -> Option<usize> {
        None
    }

    pub fn read(&self, to: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let read = match self {
            Stream::Console(..) => io::stdin().read_vectored(to),
            Stream::Other(file) => (&mut &*file).read_vectored(to),
        };
        match read {
            // The end of a pipe.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
            read => read,
        }
    }

    pub fn write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Console(2, _) => io::stderr().write_vectored(from),
            Stream::Console(..) => {
                let mut stdout = io::stdout();
                let written = stdout.write_vectored(from)?;
                stdout.flush()?;
                Ok(written)
            }
            Stream::Other(file) => (&mut &*file).write_vectored(from),
        }
    }

    /// A pipe says how much is in it, and a console that keys were pressed, which may be no whole line yet. Writing is never
    /// said to wait.
    pub fn poll(&self, for_write: bool) -> io::Result<inlay_wasi_readiness_t> {
        let mut found = inlay_wasi_readiness_t {
            bytes: 1,
            is_ready: true,
            is_closed: false,
        };
        if for_write {
            return Ok(found);
        }
        let handle = self.file().as_raw_handle();
        if self.is_terminal() {
            // SAFETY: the handle is open.
            found.is_ready = unsafe { WaitForSingleObject(handle, 0) } != WAIT_TIMEOUT;
            return Ok(found);
        }
        let mut bytes = 0;
        let (none, nowhere) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the handle is open, and there is a place for the number.
        let is_pipe = unsafe { PeekNamedPipe(handle, nowhere, 0, none, &mut bytes, none) } != 0;
        if is_pipe {
            found.bytes = bytes.into();
            found.is_ready = bytes > 0;
        } else {
            let broken = Some(ERROR_BROKEN_PIPE as i32);
            found.is_closed = io::Error::last_os_error().raw_os_error() == broken;
        }
        Ok(found)
    }

    /// The system's number of it, which is a handle.
    pub fn number(&self) -> i64 {
        self.file().as_raw_handle() as i64
    }

    pub fn stat(&self) -> io::Result<Stat> {
        Ok(Stat {
            filetype: match self.is_terminal() {
                true => filetype::CHARACTER_DEVICE,
                false => filetype::UNKNOWN,
            },
            ..Stat::default()
        })
    }
}

/// Waits a while: nothing here waits for pipes, so they are asked again and again.
pub fn wait(_: &[inlay_wasi_waited_t], most: Duration) -> Result<()> {
    std::thread::sleep(most);
    Ok(())
}

/// A file will be opened so that each write is at its end, to which `before_write` goes, or only if it is a directory, which
/// whoever opens it sees.
pub fn open_as(_: &mut OpenOptions, _: bool, _: bool) {}

/// A file that appends goes to its end: not in one step, as on other systems.
pub fn before_write(mut file: &File, appends: bool) -> io::Result<()> {
    if appends {
        file.seek(SeekFrom::End(0))?;
    }
    Ok(())
}

/// Does something at an offset, and comes back to the position that the file had.
fn at_its_position<T>(mut file: &File, does: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let position = file.stream_position()?;
    let done = does();
    file.seek(SeekFrom::Start(position))?;
    done
}

pub fn read_at(file: &File, to: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
    at_its_position(file, || match file.seek_read(&mut to[0], offset) {
        // The end of the file.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        read => read,
    })
}

pub fn write_at(file: &File, from: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
    at_its_position(file, || file.seek_write(&from[0], offset))
}

pub fn allocate(_: &File, _: u64, _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn advise(_: &File, _: u64, _: u64, _: u8) -> io::Result<()> {
    Ok(())
}

/// What appends is this library, and files do not wait.
pub fn set_flags(_: &File, _: u16) -> io::Result<()> {
    Ok(())
}

/// Nanoseconds of processor time of this thread, or of the process.
pub fn cpu_time(of_thread: bool) -> io::Result<u64> {
    const NONE: FILETIME = FILETIME {
        dwLowDateTime: 0,
        dwHighDateTime: 0,
    };
    let [mut created, mut ended, mut kernel, mut user] = [NONE; 4];
    // SAFETY: the handles stand for what runs now, and there are places for the times.
    let is_known = unsafe {
        match of_thread {
            true => GetThreadTimes(
                GetCurrentThread(),
                &mut created,
                &mut ended,
                &mut kernel,
                &mut user,
            ),
            false => GetProcessTimes(
                GetCurrentProcess(),
                &mut created,
                &mut ended,
                &mut kernel,
                &mut user,
            ),
        }
    };
    if is_known == 0 {
        return Err(io::Error::last_os_error());
    }
    // In steps of 100 nanoseconds.
    let steps =
        |time: FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    Ok((steps(kernel) + steps(user)) * 100)
}

/// What a single name leads to; none if this has no shorter way than any path's.
pub fn stat_name(_: &Dir, _: &str) -> io::Result<Option<Stat>> {
    Ok(None)
}

/// What the system knows of a file beside its contents is not said to change.
pub fn changed(_: &Metadata) -> Option<u64> {
    None
}

pub fn name(name: OsString) -> Vec<u8> {
    name.to_string_lossy().into_owned().into_bytes()
}

pub fn inode(entry: &DirEntry) -> u64 {
    entry.full_metadata().map_or(0, |metadata| metadata.ino())
}
