//! Files and directories that the host answers for.

use crate::capi::*;
use crate::errno::{Result, Stop};
use crate::node::{Directory, Entry, File, How, Node, Stat, Times};
use crate::rights::filetype;
use std::any::Any;
use std::ffi::{CStr, CString, c_void};
use std::io::{IoSlice, IoSliceMut, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Files = Arc<Given<inlay_wasi_files_t>>;

fn stat_of(files: &Given<inlay_wasi_files_t>, path: &CStr) -> Result<inlay_wasi_stat_t> {
    let stat = files.stat.ok_or(INLAY_WASI_ENOSYS)?;
    let mut out = inlay_wasi_stat_t::default();
    // SAFETY: the host gave it for this.
    outcome(unsafe { stat(files.env, path.as_ptr(), &mut out) })?;
    Ok(out)
}

fn filetype(is_directory: bool) -> u8 {
    match is_directory {
        true => filetype::DIRECTORY,
        false => filetype::REGULAR_FILE,
    }
}

impl From<inlay_wasi_stat_t> for Stat {
    fn from(stat: inlay_wasi_stat_t) -> Stat {
        Stat {
            device: 0,
            inode: stat.inode,
            filetype: filetype(stat.is_directory),
            links: 1,
            len: stat.len,
            accessed: stat.modified,
            modified: stat.modified,
            changed: stat.modified,
        }
    }
}

pub struct ServedDir {
    files: Files,
    /// Its path, as the host gets it.
    path: String,
}

/// Where a path leads, as the host gets it.
struct Target {
    path: CString,
    /// Whether only a directory can be meant: the path ends with a slash or a dot.
    is_directory: bool,
    /// Whether it ends with a name, which can be taken away, and not with dots.
    is_named: bool,
}

impl Target {
    /// An error for what has no name of its own.
    fn must_be_named(&self) -> Result<()> {
        match self.is_named && !self.path.is_empty() {
            true => Ok(()),
            false => Err(INLAY_WASI_EINVAL.into()),
        }
    }
}

impl ServedDir {
    pub fn new(files: Files) -> ServedDir {
        ServedDir {
            files,
            path: String::new(),
        }
    }

    fn target(&self, path: &str) -> Result<Target> {
        if path.starts_with('/') {
            return Err(INLAY_WASI_ENOTCAPABLE.into());
        }
        let mut names: Vec<&str> = Vec::new();
        for name in path.split('/') {
            match name {
                "" | "." => {}
                // There are no links, so what a name and ".." lead to is known without asking.
                ".." => {
                    names.pop().ok_or(INLAY_WASI_ENOTCAPABLE)?;
                }
                name => names.push(name),
            }
        }
        if !self.path.is_empty() {
            names.insert(0, &self.path);
        }
        let last = path.rsplit('/').next().unwrap_or_default();
        let name = path.trim_end_matches('/').rsplit('/').next();
        Ok(Target {
            path: CString::new(names.join("/")).map_err(|_| INLAY_WASI_EINVAL)?,
            is_directory: matches!(last, "" | "." | ".."),
            is_named: !matches!(name, None | Some("" | "." | "..")),
        })
    }

    /// The other directory, if it is one of these files, too.
    fn same<'a>(&self, other: &'a dyn Directory) -> Result<&'a ServedDir> {
        let other: &dyn Any = other;
        match other.downcast_ref::<ServedDir>() {
            Some(other) if Arc::ptr_eq(&other.files, &self.files) => Ok(other),
            _ => Err(INLAY_WASI_EXDEV.into()),
        }
    }

    fn stat_target(&self, target: &Target) -> Result<inlay_wasi_stat_t> {
        let stat = stat_of(&self.files, &target.path)?;
        match target.is_directory && !stat.is_directory {
            true => Err(INLAY_WASI_ENOTDIR.into()),
            false => Ok(stat),
        }
    }

    fn remove(&self, path: &str, is_directory: bool) -> Result<()> {
        let target = self.target(path)?;
        let found = self.stat_target(&target)?;
        match (is_directory, found.is_directory) {
            (false, true) => return Err(INLAY_WASI_EISDIR.into()),
            (true, false) => return Err(INLAY_WASI_ENOTDIR.into()),
            _ => target.must_be_named()?,
        }
        let remove = self.files.remove.ok_or(MISSING)?;
        // SAFETY: the host gave it for this.
        outcome(unsafe { remove(self.files.env, target.path.as_ptr(), is_directory) })
    }
}

impl Directory for ServedDir {
    fn stat(&self) -> Result<Stat> {
        self.stat_at(".", true)
    }

    fn stat_at(&self, path: &str, _: bool) -> Result<Stat> {
        Ok(self.stat_target(&self.target(path)?)?.into())
    }

    fn open(&self, path: &str, how: How) -> Result<Node> {
        let target = self.target(path)?;
        match self.stat_target(&target) {
            Ok(_) if how.exclusive => return Err(INLAY_WASI_EEXIST.into()),
            Ok(found) if found.is_directory => {
                if how.write || how.create || how.truncate {
                    return Err(INLAY_WASI_EISDIR.into());
                }
                let path = target.path.into_string().map_err(|_| INLAY_WASI_EILSEQ)?;
                let files = self.files.clone();
                return Ok(Node::Dir(Arc::new(ServedDir { files, path })));
            }
            Ok(_) if how.directory => return Err(INLAY_WASI_ENOTDIR.into()),
            Ok(_) => {}
            Err(Stop::Errno(INLAY_WASI_ENOENT)) if how.create && target.is_directory => {
                return Err(INLAY_WASI_EISDIR.into());
            }
            Err(Stop::Errno(INLAY_WASI_ENOENT)) if how.create => {}
            Err(stop) => return Err(stop),
        }
        let flags = [
            (how.read || !how.write, INLAY_WASI_OPEN_READ),
            (how.write, INLAY_WASI_OPEN_WRITE),
            (how.create, INLAY_WASI_OPEN_CREATE),
            (how.exclusive, INLAY_WASI_OPEN_EXCLUSIVE),
            (how.truncate, INLAY_WASI_OPEN_TRUNCATE),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set);
        let flags = flags.fold(0, |all, (_, flag)| all | flag);
        let open = self.files.open.ok_or(MISSING)?;
        let mut file = std::ptr::null_mut();
        // SAFETY: the host gave it for this.
        outcome(unsafe { open(self.files.env, target.path.as_ptr(), flags, &mut file) })?;
        Ok(Node::File(Box::new(ServedFile {
            files: self.files.clone(),
            path: target.path,
            file,
            position: Mutex::new(0),
        })))
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let files = &self.files;
        let entry = files.entry.ok_or(INLAY_WASI_ENOTSUP)?;
        let path = self.target(".")?.path;
        let inode = stat_of(files, &path)?.inode;
        let mut entries: Vec<Entry> = [".", ".."]
            .map(|name| Entry {
                name: name.into(),
                inode,
                filetype: filetype::DIRECTORY,
            })
            .into();
        for index in 0.. {
            let mut out = inlay_wasi_entry_t {
                name: std::ptr::null(),
                is_directory: false,
                inode: 0,
            };
            // SAFETY: the host gave it for this.
            outcome(unsafe { entry(files.env, path.as_ptr(), index, &mut out) })?;
            if out.name.is_null() {
                break;
            }
            entries.try_reserve(1).map_err(|_| INLAY_WASI_ENOMEM)?;
            entries.push(Entry {
                // SAFETY: the host gives a string, good until the next call.
                name: unsafe { CStr::from_ptr(out.name) }.to_bytes().to_vec(),
                inode: out.inode,
                filetype: filetype(out.is_directory),
            });
        }
        Ok(entries)
    }

    fn set_times(&self, _: Times) -> Result<()> {
        Err(INLAY_WASI_ENOTSUP.into())
    }

    fn set_times_at(&self, path: &str, _: bool, times: Times) -> Result<()> {
        self.stat_at(path, true)?;
        self.set_times(times)
    }

    fn make_directory(&self, path: &str) -> Result<()> {
        let target = self.target(path)?;
        match self.stat_target(&target) {
            Ok(_) => return Err(INLAY_WASI_EEXIST.into()),
            Err(Stop::Errno(INLAY_WASI_ENOENT)) => {}
            Err(stop) => return Err(stop),
        }
        let make = self.files.make_directory.ok_or(MISSING)?;
        // SAFETY: the host gave it for this.
        outcome(unsafe { make(self.files.env, target.path.as_ptr()) })
    }

    fn remove_directory(&self, path: &str) -> Result<()> {
        self.remove(path, true)
    }

    fn remove_file(&self, path: &str) -> Result<()> {
        self.remove(path, false)
    }

    fn read_link(&self, path: &str) -> Result<Vec<u8>> {
        self.stat_at(path, false)?;
        Err(INLAY_WASI_EINVAL.into())
    }

    fn symlink(&self, _: &str, path: &str) -> Result<()> {
        self.target(path)?;
        Err(INLAY_WASI_ENOTSUP.into())
    }

    fn rename(&self, path: &str, to: &dyn Directory, to_path: &str) -> Result<()> {
        let to = self.same(to)?;
        let (from, to) = (self.target(path)?, to.target(to_path)?);
        let found = self.stat_target(&from)?;
        from.must_be_named()?;
        to.must_be_named()?;
        if to.is_directory && !found.is_directory {
            return Err(INLAY_WASI_ENOTDIR.into());
        }
        let rename = self.files.rename.ok_or(MISSING)?;
        // SAFETY: the host gave it for this.
        outcome(unsafe { rename(self.files.env, from.path.as_ptr(), to.path.as_ptr()) })
    }

    fn link(&self, path: &str, to: &dyn Directory, _: &str) -> Result<()> {
        self.stat_at(path, false)?;
        self.same(to)?;
        Err(INLAY_WASI_ENOTSUP.into())
    }

    fn sync(&self, _: bool) -> Result<()> {
        Ok(())
    }
}

struct ServedFile {
    files: Files,
    path: CString,
    /// The host's own.
    file: *mut c_void,
    position: Mutex<u64>,
}

// SAFETY: the header says that the callbacks run on any thread, and what a file is only they know.
unsafe impl Send for ServedFile {}
// SAFETY: as above.
unsafe impl Sync for ServedFile {}

impl Drop for ServedFile {
    fn drop(&mut self) {
        if let Some(close) = self.files.close {
            // SAFETY: the host gave it for this, and opened the file.
            unsafe { close(self.files.env, self.file) }
        }
    }
}

impl ServedFile {
    fn position(&self) -> MutexGuard<'_, u64> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it is, by itself or else by the path that it was opened by.
    fn found(&self) -> Result<inlay_wasi_stat_t> {
        let Some(stat) = self.files.stat_file else {
            return stat_of(&self.files, &self.path);
        };
        let mut out = inlay_wasi_stat_t::default();
        // SAFETY: the host gave it for this, and opened the file.
        outcome(unsafe { stat(self.files.env, self.file, &mut out) })?;
        Ok(out)
    }

    fn len(&self) -> Result<u64> {
        Ok(self.found()?.len)
    }
}

/// Does something with pieces one after the other, each of which gives how much of it is done, until one is done in part.
fn in_turn<T>(
    pieces: impl Iterator<Item = T>,
    mut offset: u64,
    len: impl Fn(&T) -> usize,
    mut does: impl FnMut(&mut T, u64, &mut usize) -> *mut inlay_error_t,
) -> Result<usize> {
    let mut total = 0;
    for mut piece in pieces {
        let whole = len(&piece);
        let mut done = 0;
        match outcome(does(&mut piece, offset, &mut done)) {
            Err(Stop::Errno(_)) if total > 0 => break,
            outcome => outcome?,
        }
        let done = done.min(whole);
        total += done;
        if done < whole {
            break;
        }
        offset = offset.checked_add(done as u64).ok_or(INLAY_WASI_EFBIG)?;
    }
    Ok(total)
}

impl File for ServedFile {
    fn read(&self, to: &mut [IoSliceMut<'_>]) -> Result<usize> {
        let mut position = self.position();
        let read = self.read_at(to, *position)?;
        *position += read as u64;
        Ok(read)
    }

    fn write(&self, from: &[IoSlice<'_>], appends: bool) -> Result<usize> {
        let mut position = self.position();
        if appends {
            *position = self.len()?;
        }
        let written = self.write_at(from, *position)?;
        *position += written as u64;
        Ok(written)
    }

    fn read_at(&self, to: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let read = self.files.read.ok_or(INLAY_WASI_ENOTSUP)?;
        in_turn(
            to.iter_mut(),
            offset,
            |to| to.len(),
            // SAFETY: the host gave it for this; the place is as long as is said.
            |to, offset, done| unsafe {
                read(
                    self.files.env,
                    self.file,
                    offset,
                    to.as_mut_ptr(),
                    to.len(),
                    done,
                )
            },
        )
    }

    fn write_at(&self, from: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        let write = self.files.write.ok_or(MISSING)?;
        let written = in_turn(
            from.iter(),
            offset,
            |from| from.len(),
            // SAFETY: the host gave it for this; the place is as long as is said.
            |from, offset, done| unsafe {
                write(
                    self.files.env,
                    self.file,
                    offset,
                    from.as_ptr(),
                    from.len(),
                    done,
                )
            },
        )?;
        // A program would try for ever.
        match written {
            0 => Err(INLAY_WASI_EIO.into()),
            _ => Ok(written),
        }
    }

    fn seek(&self, to: SeekFrom) -> Result<u64> {
        let mut position = self.position();
        let moved = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => position.checked_add_signed(by),
            SeekFrom::End(by) => self.len()?.checked_add_signed(by),
        };
        // As in POSIX, positions are what a signed number can say.
        let moved = moved.filter(|at| i64::try_from(*at).is_ok());
        *position = moved.ok_or(INLAY_WASI_EINVAL)?;
        Ok(*position)
    }

    fn stat(&self) -> Result<Stat> {
        Ok(self.found()?.into())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let resize = self.files.resize.ok_or(MISSING)?;
        // SAFETY: the host gave it for this.
        outcome(unsafe { resize(self.files.env, self.file, len) })
    }

    fn set_times(&self, _: Times) -> Result<()> {
        Err(INLAY_WASI_ENOTSUP.into())
    }

    fn sync(&self, _: bool) -> Result<()> {
        Ok(())
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let end = offset.checked_add(len).ok_or(INLAY_WASI_EFBIG)?;
        match self.len()? < end {
            true => self.set_len(end),
            false => Ok(()),
        }
    }

    fn advise(&self, _: u64, _: u64, _: u8) -> Result<()> {
        Ok(())
    }

    fn set_flags(&self, _: u16) -> Result<()> {
        Ok(())
    }
}
