//! Files and directories of the system's. cap-std keeps every path in the directory that it is for.

use crate::capi::*;
use crate::errno::{Result, Stop};
use crate::node::{Directory, Entry, File, How, Node, Stat, Time, Times};
use crate::os;
use crate::rights::{fdflag, filetype};
use crate::stream::Stream;
use cap_fs_ext::{
    DirExt, FileTypeExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsMaybeDirExt,
    OpenOptionsSyncExt, SystemTimeSpec,
};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, Metadata, OpenOptions};
use fs_set_times::SetTimes;
use std::any::Any;
use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970; 0 for a time before, or one that there is not.
fn nanoseconds(time: io::Result<cap_std::time::SystemTime>) -> u64 {
    let Ok(Ok(since)) = time.map(|time| time.into_std().duration_since(UNIX_EPOCH)) else {
        return 0;
    };
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

pub fn stat(metadata: &Metadata) -> Stat {
    let modified = nanoseconds(metadata.modified());
    Stat {
        device: metadata.dev(),
        inode: metadata.ino(),
        filetype: filetype(metadata.file_type()),
        links: metadata.nlink(),
        len: metadata.len(),
        accessed: nanoseconds(metadata.accessed()),
        modified,
        changed: os::changed(metadata).unwrap_or(modified),
    }
}

fn filetype(ty: FileType) -> u8 {
    if ty.is_file() {
        filetype::REGULAR_FILE
    } else if ty.is_dir() {
        filetype::DIRECTORY
    } else if ty.is_symlink() {
        filetype::SYMBOLIC_LINK
    } else if ty.is_char_device() {
        filetype::CHARACTER_DEVICE
    } else if ty.is_block_device() {
        filetype::BLOCK_DEVICE
    } else if ty.is_socket() {
        filetype::SOCKET_STREAM
    } else {
        filetype::UNKNOWN
    }
}

fn at(nanoseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

pub struct RealFile(fs::File);

impl RealFile {
    /// What is open, as whatever it is.
    pub fn node(file: fs::File) -> io::Result<Node> {
        let ty = Metadata::from_file(&file)?.file_type();
        Ok(if ty.is_dir() {
            Node::Dir(Arc::new(RealDir(Dir::from_std_file(file))))
        } else if ty.is_file() {
            Node::File(Box::new(RealFile(file)))
        } else {
            Node::Stream(Stream::System(file.into()))
        })
    }
}

impl File for RealFile {
    fn read(&self, to: &mut [IoSliceMut<'_>]) -> Result<usize> {
        Ok((&self.0).read_vectored(to)?)
    }

    fn write(&self, from: &[IoSlice<'_>], appends: bool) -> Result<usize> {
        os::before_write(&self.0, appends)?;
        Ok((&self.0).write_vectored(from)?)
    }

    fn read_at(&self, to: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        Ok(os::read_at(&self.0, to, offset)?)
    }

    fn write_at(&self, from: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        Ok(os::write_at(&self.0, from, offset)?)
    }

    fn seek(&self, to: SeekFrom) -> Result<u64> {
        Ok((&self.0).seek(to)?)
    }

    fn stat(&self) -> Result<Stat> {
        Ok(stat(&Metadata::from_file(&self.0)?))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        Ok(self.0.set_len(len)?)
    }

    fn set_times(&self, times: Times) -> Result<()> {
        let spec = |time: Option<Time>| {
            time.map(|time| match time {
                Time::Now => fs_set_times::SystemTimeSpec::SymbolicNow,
                Time::At(time) => fs_set_times::SystemTimeSpec::Absolute(at(time)),
            })
        };
        Ok(SetTimes::set_times(
            &self.0,
            spec(times.accessed),
            spec(times.modified),
        )?)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        Ok(match data_only {
            true => self.0.sync_data(),
            false => self.0.sync_all(),
        }?)
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let end = offset.checked_add(len).ok_or(INLAY_WASI_EFBIG)?;
        match os::allocate(&self.0, offset, len) {
            Err(why) if why.kind() == io::ErrorKind::Unsupported => {
                // Without room set aside, but as long as it is to be.
                match self.0.metadata()?.len() < end {
                    true => self.set_len(end),
                    false => Ok(()),
                }
            }
            result => Ok(result?),
        }
    }

    fn advise(&self, offset: u64, len: u64, advice: u8) -> Result<()> {
        Ok(os::advise(&self.0, offset, len, advice)?)
    }

    fn set_flags(&self, flags: u16) -> Result<()> {
        Ok(os::set_flags(&self.0, flags)?)
    }
}

pub struct RealDir(Dir);

fn follow(follow: bool) -> FollowSymlinks {
    match follow {
        true => FollowSymlinks::Yes,
        false => FollowSymlinks::No,
    }
}

/// Whether a link at the end of a path is followed: what a slash stands behind is a directory, and not the link that leads to one.
fn follows(path: &str, follow: bool) -> bool {
    follow || path.ends_with('/') || path.ends_with("/.")
}

fn specs(times: Times) -> [Option<SystemTimeSpec>; 2] {
    [times.accessed, times.modified].map(|time| {
        time.map(|time| match time {
            Time::Now => SystemTimeSpec::SymbolicNow,
            Time::At(time) => {
                SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(at(time)))
            }
        })
    })
}

/// The other directory, if it is one of the system's, too.
fn real(directory: &dyn Directory) -> Result<&Dir> {
    let directory: &dyn Any = directory;
    match directory.downcast_ref::<RealDir>() {
        Some(directory) => Ok(&directory.0),
        None => Err(INLAY_WASI_EXDEV.into()),
    }
}

impl RealDir {
    pub fn open(path: &str) -> io::Result<RealDir> {
        Ok(RealDir(Dir::open_ambient_dir(path, ambient_authority())?))
    }
}

impl Directory for RealDir {
    fn stat(&self) -> Result<Stat> {
        Ok(stat(&self.0.dir_metadata()?))
    }

    fn stat_at(&self, path: &str, follow: bool) -> Result<Stat> {
        if !follows(path, follow) {
            return Ok(stat(&self.0.symlink_metadata(path)?));
        }
        // A single name that is no link cannot lead anywhere else, and takes one call of the system's; most paths are that.
        match os::stat_name(&self.0, path)? {
            Some(stat) if stat.filetype != filetype::SYMBOLIC_LINK => Ok(stat),
            _ => Ok(stat(&self.0.metadata(path)?)),
        }
    }

    fn open(&self, path: &str, how: How) -> Result<Node> {
        if how.directory && !how.read {
            // Nothing but paths will begin there, for which it need not be readable.
            let dir = match how.follow {
                true => self.0.open_dir(path),
                false => self.0.open_dir_nofollow(path),
            };
            return Ok(Node::Dir(Arc::new(RealDir(dir?))));
        }
        let appends = how.flags & fdflag::APPEND != 0;
        let mut options = OpenOptions::new();
        options
            .read(how.read || !how.write)
            .write(how.write || how.truncate || how.exclusive)
            .truncate(how.truncate)
            .follow(follow(how.follow))
            .maybe_dir(true)
            // Nobody could stop what waits for the other end of a pipe. What is opened waits in `poll`.
            .nonblock(true)
            .sync(how.flags & fdflag::SYNC != 0)
            .dsync(how.flags & fdflag::DSYNC != 0)
            .rsync(how.flags & fdflag::RSYNC != 0);
        // Rust's own `append` would not empty a file.
        os::open_as(&mut options, appends, how.directory);
        let opened = if how.exclusive {
            self.0.open_with(path, options.create_new(true))
        } else {
            match self.0.open_with(path, &options) {
                // Rust makes files for writing only, and one that is there may not be writable.
                Err(why) if how.create && why.kind() == io::ErrorKind::NotFound => {
                    self.0.open_with(path, options.write(true).create(true))
                }
                opened => opened,
            }
        };
        match RealFile::node(opened?.into_std())? {
            Node::File(_) | Node::Stream(_) if how.directory => Err(INLAY_WASI_ENOTDIR.into()),
            node => Ok(node),
        }
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let inode = self.stat()?.inode;
        // What is above is not the program's business.
        let mut entries: Vec<Entry> = [".", ".."]
            .map(|name| Entry {
                name: name.into(),
                inode,
                filetype: filetype::DIRECTORY,
            })
            .into();
        for entry in self.0.entries()? {
            let entry = entry?;
            entries.try_reserve(1).map_err(|_| INLAY_WASI_ENOMEM)?;
            entries.push(Entry {
                name: os::name(entry.file_name()),
                inode: os::inode(&entry),
                filetype: entry.file_type().map_or(filetype::UNKNOWN, filetype),
            });
        }
        Ok(entries)
    }

    fn set_times(&self, times: Times) -> Result<()> {
        self.set_times_at(".", true, times)
    }

    fn set_times_at(&self, path: &str, follow: bool, times: Times) -> Result<()> {
        let [accessed, modified] = specs(times);
        if !follows(path, follow) {
            return Ok(DirExt::set_symlink_times(
                &self.0, path, accessed, modified,
            )?);
        }
        // To have times set, what else there is would be opened, which can wait.
        let ty = self.stat_at(path, true)?.filetype;
        if !matches!(ty, filetype::REGULAR_FILE | filetype::DIRECTORY) {
            return Err(INLAY_WASI_ENOTSUP.into());
        }
        match DirExt::set_times(&self.0, path, accessed, modified) {
            // Where the system does not look up paths in a directory, cap-std opens a directory as what has no times to set.
            Err(why) if crate::errno::of_io(&why) == INLAY_WASI_EBADF => {
                let directory = self.0.open_dir(path)?;
                let [accessed, modified] = specs(times);
                Ok(DirExt::set_times(&directory, ".", accessed, modified)?)
            }
            set => Ok(set?),
        }
    }

    fn make_directory(&self, path: &str) -> Result<()> {
        Ok(self.0.create_dir(path)?)
    }

    fn remove_directory(&self, path: &str) -> Result<()> {
        // Slashes behind it say that it is one, which is so already.
        let name = path.trim_end_matches('/');
        Ok(self
            .0
            .remove_dir(if name.is_empty() { path } else { name })?)
    }

    fn remove_file(&self, path: &str) -> Result<()> {
        Ok(DirExt::remove_file_or_symlink(&self.0, path)?)
    }

    fn read_link(&self, path: &str) -> Result<Vec<u8>> {
        Ok(os::name(self.0.read_link(path)?.into_os_string()))
    }

    fn symlink(&self, contents: &str, path: &str) -> Result<()> {
        Ok(DirExt::symlink(&self.0, contents, path)?)
    }

    fn rename(&self, path: &str, to: &dyn Directory, to_path: &str) -> Result<()> {
        let target = real(to)?;
        // A slash behind the new name says that a directory gets it.
        if to_path.ends_with('/') && self.stat_at(path, false)?.filetype != filetype::DIRECTORY {
            return Err(match to.stat_at(to_path, true) {
                Err(Stop::Errno(INLAY_WASI_ENOTCAPABLE)) => INLAY_WASI_ENOTCAPABLE.into(),
                _ => INLAY_WASI_ENOTDIR.into(),
            });
        }
        Ok(self.0.rename(path, target, to_path)?)
    }

    fn link(&self, path: &str, to: &dyn Directory, to_path: &str) -> Result<()> {
        let target = real(to)?;
        // Only directories have slashes behind their names, and they get no more links.
        if to_path.ends_with('/') {
            to.stat_at(to_path, true)?;
            return Err(INLAY_WASI_EEXIST.into());
        }
        Ok(self.0.hard_link(path, target, to_path)?)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        // What paths begin at may not be open for anything else.
        let directory = self.0.open(".")?;
        Ok(match data_only {
            true => directory.sync_data(),
            false => directory.sync_all(),
        }?)
    }
}
