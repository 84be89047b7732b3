//! Streams: what a program reads and writes that has no positions.

use crate::capi::{self, *};
use crate::errno::Result;
use crate::node::{Node, Stat};
use crate::os;
use crate::real::RealFile;
use crate::rights::{filetype, right};
use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What a configuration says of a stream.
pub enum Source {
    Null,
    /// The process's own with this number; none if it has none.
    Inherited(u32, Option<os::Stream>),
    Bytes(Arc<[u8]>),
    Collected(usize),
    File(PathBuf, bool),
    Host(Arc<Given<inlay_wasi_stream_t>>),
}

impl Source {
    /// What there is, and its `fdflags`; none if the process has none.
    pub fn open(&self) -> capi::Result<Option<(Node, u16)>> {
        let stream = match self {
            Source::Null => Stream::Null,
            Source::Inherited(_, None) => return Ok(None),
            Source::Inherited(number, Some(stream)) => {
                let failed = |why| {
                    error(&format!(
                        "the standard stream {number} cannot be had: {why}"
                    ))
                };
                let stream = stream.try_clone().map_err(failed)?;
                if stream.is_file() {
                    let (file, flags) = stream.into_file().map_err(failed)?;
                    return Ok(Some((RealFile::node(file).map_err(failed)?, flags)));
                }
                Stream::System(stream)
            }
            Source::Bytes(bytes) => Stream::Bytes(bytes.clone(), Mutex::new(0)),
            Source::Collected(most) => Stream::Collected(Arc::new(Collected {
                bytes: Mutex::default(),
                most: *most,
            })),
            Source::File(path, for_write) => {
                let mut options = fs::OpenOptions::new();
                options.read(!for_write).write(*for_write);
                options.create(*for_write).truncate(*for_write);
                let node = options.open(path).and_then(RealFile::node);
                return match node {
                    Ok(Node::Dir(_)) => Err(error(&format!("{} is a directory", path.display()))),
                    Ok(node) => Ok(Some((node, 0))),
                    Err(why) => Err(error(&format!(
                        "{} cannot be opened: {why}",
                        path.display()
                    ))),
                };
            }
            Source::Host(given) => Stream::Host(given.clone()),
        };
        Ok(Some((Node::Stream(stream), 0)))
    }

    /// The rights for what it is given for: to read, or to write. A terminal could do both.
    pub fn rights(&self) -> inlay_wasi_rights_t {
        match self {
            Source::Inherited(0, _) | Source::File(_, false) => !right::WRITES,
            Source::Inherited(..) | Source::File(_, true) => !right::READ,
            _ => INLAY_WASI_RIGHTS_ALL,
        }
    }
}

/// What a program has written, for its host to look at.
pub struct Collected {
    bytes: Mutex<Vec<u8>>,
    most: usize,
}

impl Collected {
    pub fn bytes(&self) -> (*const u8, usize) {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        (bytes.as_ptr(), bytes.len())
    }

    fn write(&self, from: &[IoSlice<'_>]) -> Result<usize> {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = 0;
        for piece in from {
            let len = piece.len().min(self.most - bytes.len());
            if bytes.try_reserve(len).is_err() {
                break;
            }
            bytes.extend_from_slice(&piece[..len]);
            written += len;
        }
        match written {
            0 => Err(INLAY_WASI_ENOSPC.into()),
            _ => Ok(written),
        }
    }
}

pub enum Stream {
    /// Nothing comes out of it, and what goes in is gone.
    Null,
    System(os::Stream),
    /// Bytes, and how many of them have been read.
    Bytes(Arc<[u8]>, Mutex<usize>),
    Collected(Arc<Collected>),
    Host(Arc<Given<inlay_wasi_stream_t>>),
}

impl Stream {
    /// Reads at least one byte, or says that none will come. None of the places is empty.
    pub fn read(&self, to: &mut [IoSliceMut<'_>]) -> Result<usize> {
        match self {
            Stream::Null => Ok(0),
            Stream::System(stream) => Ok(stream.read(to)?),
            Stream::Bytes(bytes, at) => {
                let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
                let before = *at;
                for place in to {
                    let len = place.len().min(bytes.len() - *at);
                    place[..len].copy_from_slice(&bytes[*at..][..len]);
                    *at += len;
                }
                Ok(*at - before)
            }
            Stream::Collected(_) => Err(INLAY_WASI_EBADF.into()),
            Stream::Host(stream) => {
                let (read, to) = (stream.read.ok_or(INLAY_WASI_EBADF)?, &mut to[0]);
                let mut len = 0;
                // SAFETY: the host gave it for this; the place is as long as is said.
                outcome(unsafe { read(stream.env, to.as_mut_ptr(), to.len(), &mut len) })?;
                Ok(len.min(to.len()))
            }
        }
    }

    /// Writes at least one byte. None of the places is empty.
    pub fn write(&self, from: &[IoSlice<'_>]) -> Result<usize> {
        match self {
            Stream::Null => Ok(from.iter().map(|place| place.len()).sum()),
            Stream::System(stream) => Ok(stream.write(from)?),
            Stream::Bytes(..) => Err(INLAY_WASI_EBADF.into()),
            Stream::Collected(collected) => collected.write(from),
            Stream::Host(stream) => {
                let write = stream.write.ok_or(INLAY_WASI_EBADF)?;
                let mut written = 0;
                for place in from {
                    let mut len = 0;
                    // SAFETY: the host gave it for this; the place is as long as is said.
                    let error = unsafe { write(stream.env, place.as_ptr(), place.len(), &mut len) };
                    match outcome(error) {
                        // What is written is written; the program learns of the error when it writes the rest.
                        Err(crate::errno::Stop::Errno(_)) if written > 0 => break,
                        outcome => outcome?,
                    }
                    written += len.min(place.len());
                    if len < place.len() {
                        break;
                    }
                }
                // A program would try for ever.
                match written {
                    0 => Err(INLAY_WASI_EIO.into()),
                    _ => Ok(written),
                }
            }
        }
    }

    /// Whether reading or writing would have to wait.
    pub fn poll(&self, for_write: bool) -> Result<inlay_wasi_readiness_t> {
        let ready = |bytes| inlay_wasi_readiness_t {
            bytes,
            is_ready: true,
            is_closed: false,
        };
        match self {
            Stream::Null => Ok(ready(0)),
            Stream::System(stream) => Ok(stream.poll(for_write)?),
            Stream::Bytes(bytes, at) => {
                let at = at.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(ready((bytes.len() - *at) as u64))
            }
            Stream::Collected(collected) => {
                Ok(ready((collected.most - collected.bytes().1) as u64))
            }
            Stream::Host(stream) => {
                let Some(poll) = stream.poll else {
                    return Ok(ready(1));
                };
                let mut out = inlay_wasi_readiness_t::default();
                // SAFETY: the host gave it for this.
                outcome(unsafe { poll(stream.env, for_write, &mut out) })?;
                Ok(out)
            }
        }
    }

    /// How many bytes are sure not to make the system wait once it has said that some can be written, if not any number.
    pub fn at_once(&self) -> Option<usize> {
        match self {
            Stream::System(stream) => stream.at_once(),
            _ => None,
        }
    }

    /// As the host is told what a program waits for.
    pub fn waited(&self, fd: u32, for_write: bool) -> inlay_wasi_waited_t {
        inlay_wasi_waited_t {
            fd,
            for_write,
            env: match self {
                Stream::Host(stream) => stream.env,
                _ => std::ptr::null_mut(),
            },
            system: match self {
                Stream::System(stream) => stream.number(),
                _ => -1,
            },
        }
    }

    pub fn stat(&self) -> Result<Stat> {
        let filetype = match self {
            Stream::System(stream) => return Ok(stream.stat()?),
            Stream::Host(stream) => match stream.kind {
                INLAY_WASI_STREAM_TERMINAL => filetype::CHARACTER_DEVICE,
                INLAY_WASI_STREAM_SOCKET => filetype::SOCKET_STREAM,
                _ => filetype::UNKNOWN,
            },
            _ => filetype::UNKNOWN,
        };
        Ok(Stat {
            filetype,
            ..Stat::default()
        })
    }
}
