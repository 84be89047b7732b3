//! What a descriptor is of: a stream, a file or a directory.

use crate::errno::Result;
use crate::rights::{filetype, right};
use crate::stream::{Collected, Stream};
use std::any::Any;
use std::io::{IoSlice, IoSliceMut, SeekFrom};
use std::sync::Arc;

pub enum Node {
    Stream(Stream),
    File(Box<dyn File>),
    Dir(Arc<dyn Directory>),
}

impl Node {
    /// What collects what is written to it, if something does.
    pub fn collected(&self) -> Option<Arc<Collected>> {
        match self {
            Node::Stream(Stream::Collected(collected)) => Some(collected.clone()),
            _ => None,
        }
    }

    /// All rights that it can have.
    pub fn rights(&self) -> u64 {
        match self {
            // C's `isatty` takes every device for a terminal but those that can tell their position.
            Node::Stream(Stream::System(stream)) if stream.is_other_device() => {
                right::OF_STREAMS | right::TELL
            }
            Node::Stream(_) => right::OF_STREAMS,
            Node::File(_) => right::OF_FILES,
            Node::Dir(_) => right::OF_DIRECTORIES,
        }
    }

    pub fn filetype(&self) -> Result<u8> {
        match self {
            Node::Stream(stream) => Ok(stream.stat()?.filetype),
            Node::File(_) => Ok(filetype::REGULAR_FILE),
            Node::Dir(_) => Ok(filetype::DIRECTORY),
        }
    }

    pub fn stat(&self) -> Result<Stat> {
        match self {
            Node::Stream(stream) => stream.stat(),
            Node::File(file) => file.stat(),
            Node::Dir(directory) => directory.stat(),
        }
    }
}

/// `filestat`
#[derive(Clone, Copy, Default)]
pub struct Stat {
    pub device: u64,
    pub inode: u64,
    /// `filetype`
    pub filetype: u8,
    pub links: u64,
    pub len: u64,
    /// In nanoseconds since 1970, as the two below.
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
}

/// A time that a file is to get.
#[derive(Clone, Copy)]
pub enum Time {
    Now,
    /// In nanoseconds since 1970.
    At(u64),
}

/// The times that a file is to get: those that are not there stay as they are.
#[derive(Clone, Copy)]
pub struct Times {
    pub accessed: Option<Time>,
    pub modified: Option<Time>,
}

/// A file with positions, at one of which it is. A call may do less than it was asked for.
pub trait File: Send + Sync {
    fn read(&self, to: &mut [IoSliceMut<'_>]) -> Result<usize>;
    /// Where it is, or at its end. At least one byte.
    fn write(&self, from: &[IoSlice<'_>], appends: bool) -> Result<usize>;
    fn read_at(&self, to: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize>;
    fn write_at(&self, from: &[IoSlice<'_>], offset: u64) -> Result<usize>;
    /// Gives the new position.
    fn seek(&self, to: SeekFrom) -> Result<u64>;
    fn stat(&self) -> Result<Stat>;
    fn set_len(&self, len: u64) -> Result<()>;
    fn set_times(&self, times: Times) -> Result<()>;
    /// Whatever is written gets to the device; of what is not the contents, only what finding them takes if `data_only`.
    fn sync(&self, data_only: bool) -> Result<()>;
    /// The file has at least so many bytes from there on.
    fn allocate(&self, offset: u64, len: u64) -> Result<()>;
    /// Says what it will be used for: `advice`, which is valid.
    fn advise(&self, offset: u64, len: u64, advice: u8) -> Result<()>;
    /// Sets `fdflags`.
    fn set_flags(&self, flags: u16) -> Result<()>;
}

/// How a path is opened.
#[derive(Clone, Copy)]
pub struct How {
    pub read: bool,
    pub write: bool,
    pub create: bool,
    pub exclusive: bool,
    pub truncate: bool,
    /// It has to be a directory.
    pub directory: bool,
    /// A symbolic link at the end of the path is followed.
    pub follow: bool,
    /// `fdflags`
    pub flags: u16,
}

pub struct Entry {
    pub name: Vec<u8>,
    pub inode: u64,
    /// `filetype`
    pub filetype: u8,
}

/// A directory. Paths are what programs give: whatever they have in them, they lead to nothing outside.
pub trait Directory: Send + Sync + Any {
    fn stat(&self) -> Result<Stat>;
    fn stat_at(&self, path: &str, follow: bool) -> Result<Stat>;
    fn open(&self, path: &str, how: How) -> Result<Node>;
    fn entries(&self) -> Result<Vec<Entry>>;
    fn set_times(&self, times: Times) -> Result<()>;
    fn set_times_at(&self, path: &str, follow: bool, times: Times) -> Result<()>;
    fn make_directory(&self, path: &str) -> Result<()>;
    fn remove_directory(&self, path: &str) -> Result<()>;
    fn remove_file(&self, path: &str) -> Result<()>;
    fn read_link(&self, path: &str) -> Result<Vec<u8>>;
    fn symlink(&self, contents: &str, path: &str) -> Result<()>;
    /// `EXDEV` if the other directory is of another kind.
    fn rename(&self, path: &str, to: &dyn Directory, to_path: &str) -> Result<()>;
    fn link(&self, path: &str, to: &dyn Directory, to_path: &str) -> Result<()>;
    fn sync(&self, data_only: bool) -> Result<()>;
}
