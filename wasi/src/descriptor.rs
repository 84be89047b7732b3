//! What a program does with a descriptor: the functions whose names begin with `fd_`.

use crate::capi::*;
use crate::define::Call;
use crate::errno::{Result, Stop};
use crate::memory::{Memory, Place};
use crate::node::{Directory, File, Node, Stat, Time, Times};
use crate::poll::patiently;
use crate::rights::{fdflag, fstflag, right};
use crate::stream::Stream;
use crate::table::Descriptor;
use std::io::SeekFrom;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The file of a descriptor, if it has these rights.
fn file(descriptor: &Descriptor, rights: u64) -> Result<&dyn File> {
    match &descriptor.node {
        Node::File(file) => {
            descriptor.demand(rights)?;
            Ok(&**file)
        }
        Node::Dir(_) => Err(INLAY_WASI_EISDIR.into()),
        Node::Stream(_) => Err(INLAY_WASI_ESPIPE.into()),
    }
}

/// The directory of a descriptor, if it has these rights.
pub fn directory(descriptor: &Descriptor, rights: u64) -> Result<&Arc<dyn Directory>> {
    match &descriptor.node {
        Node::Dir(directory) => {
            descriptor.demand(rights)?;
            Ok(directory)
        }
        _ => Err(INLAY_WASI_ENOTDIR.into()),
    }
}

pub fn close(call: &Call<'_>, fd: u32) -> Result<()> {
    call.wasi.table.close(fd)
}

pub fn renumber(call: &Call<'_>, from: u32, to: u32) -> Result<()> {
    call.wasi.table.renumber(from, to)
}

// ---- reading and writing -----------------------------------------------------------------------------------------------

pub fn read(call: &Call<'_>, fd: u32, pieces: u32, count: u32, read: u32) -> Result<()> {
    let number = call.memory.place(read, 4)?;
    let descriptor = call.wasi.table.get(fd)?;
    let pieces = call.memory.pieces(pieces, count)?;
    let len = match &descriptor.node {
        Node::Dir(_) => return Err(INLAY_WASI_EISDIR.into()),
        Node::File(file) => {
            descriptor.demand(right::READ)?;
            call.memory.scatter(&pieces, |to| file.read(to))?
        }
        Node::Stream(stream) => {
            descriptor.demand(right::READ)?;
            // Nothing is there at once, too, where anything would have to be waited for.
            match pieces.is_empty() {
                true => 0,
                false => patiently(call, fd, &descriptor, false, || {
                    call.memory.scatter(&pieces, |to| stream.read(to))
                })?,
            }
        }
    };
    finish(call, number, len)
}

pub fn write(call: &Call<'_>, fd: u32, pieces: u32, count: u32, written: u32) -> Result<()> {
    let number = call.memory.place(written, 4)?;
    let descriptor = call.wasi.table.get(fd)?;
    let pieces = call.memory.pieces(pieces, count)?;
    let len = match &descriptor.node {
        Node::Dir(_) => return Err(INLAY_WASI_EISDIR.into()),
        Node::File(file) => {
            descriptor.demand(right::WRITE)?;
            let appends = descriptor.flags.load(Ordering::Relaxed) & fdflag::APPEND != 0;
            call.memory
                .gather(&pieces, |from| file.write(from, appends))?
        }
        Node::Stream(stream) => {
            descriptor.demand(right::WRITE)?;
            write_stream(call, fd, &descriptor, stream, pieces)?
        }
    };
    finish(call, number, len)
}

/// Writes all that there is, unless the program does not wait for that. What the system might wait with, where nobody could stop
/// it, is written in parts.
fn write_stream(
    call: &Call<'_>,
    fd: u32,
    descriptor: &Descriptor,
    stream: &Stream,
    mut pieces: Vec<Place>,
) -> Result<usize> {
    let mut total = 0;
    while !pieces.is_empty() {
        let written = patiently(call, fd, descriptor, true, || {
            call.memory.gather(&pieces, |from| stream.write(from))
        });
        let written = match written {
            Err(Stop::Errno(_)) if total > 0 => break,
            written => written?,
        };
        total += written;
        if stream.at_once().is_none() || descriptor.is_impatient() {
            break;
        }
        pieces = Memory::rest(&pieces, written);
    }
    Ok(total)
}

/// Tells the program how many bytes there were.
fn finish(call: &Call<'_>, number: Place, len: usize) -> Result<()> {
    call.memory.write(number, &(len as u32).to_le_bytes());
    Ok(())
}

/// An offset as a system takes it.
fn offset(offset: u64) -> Result<u64> {
    match i64::try_from(offset) {
        Ok(_) => Ok(offset),
        Err(_) => Err(INLAY_WASI_EINVAL.into()),
    }
}

pub fn pread(
    call: &Call<'_>,
    fd: u32,
    pieces: u32,
    count: u32,
    from: u64,
    read: u32,
) -> Result<()> {
    let number = call.memory.place(read, 4)?;
    let descriptor = call.wasi.table.get(fd)?;
    let pieces = call.memory.pieces(pieces, count)?;
    let file = file(&descriptor, right::READ | right::SEEK)?;
    let from = offset(from)?;
    let len = call.memory.scatter(&pieces, |to| file.read_at(to, from))?;
    finish(call, number, len)
}

pub fn pwrite(
    call: &Call<'_>,
    fd: u32,
    pieces: u32,
    count: u32,
    to: u64,
    written: u32,
) -> Result<()> {
    let number = call.memory.place(written, 4)?;
    let descriptor = call.wasi.table.get(fd)?;
    let pieces = call.memory.pieces(pieces, count)?;
    let file = file(&descriptor, right::WRITE | right::SEEK)?;
    let to = offset(to)?;
    let len = call
        .memory
        .gather(&pieces, |from| file.write_at(from, to))?;
    finish(call, number, len)
}

pub fn seek(call: &Call<'_>, fd: u32, by: u64, whence: u32, at: u32) -> Result<()> {
    let number = call.memory.place(at, 8)?;
    let by = by.cast_signed();
    let to = match whence {
        0 => SeekFrom::Start(u64::try_from(by).map_err(|_| INLAY_WASI_EINVAL)?),
        1 => SeekFrom::Current(by),
        2 => SeekFrom::End(by),
        _ => return Err(INLAY_WASI_EINVAL.into()),
    };
    let descriptor = call.wasi.table.get(fd)?;
    let rights = match to {
        // Who may go anywhere may also ask where it is.
        SeekFrom::Current(0) if descriptor.demand(right::SEEK).is_err() => right::TELL,
        _ => right::SEEK,
    };
    let position = file(&descriptor, rights)?.seek(to)?;
    call.memory.write(number, &position.to_le_bytes());
    Ok(())
}

pub fn tell(call: &Call<'_>, fd: u32, at: u32) -> Result<()> {
    seek(call, fd, 0, 1, at)
}

pub fn sync(call: &Call<'_>, fd: u32) -> Result<()> {
    sync_either(call, fd, right::SYNC, false)
}

pub fn datasync(call: &Call<'_>, fd: u32) -> Result<()> {
    sync_either(call, fd, right::DATASYNC, true)
}

fn sync_either(call: &Call<'_>, fd: u32, rights: u64, data_only: bool) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    match &descriptor.node {
        Node::Dir(directory) => {
            descriptor.demand(right::SYNC)?;
            directory.sync(data_only)
        }
        Node::File(file) => {
            descriptor.demand(rights)?;
            file.sync(data_only)
        }
        // As POSIX says of what cannot be synchronized.
        Node::Stream(_) => Err(INLAY_WASI_EINVAL.into()),
    }
}

// ---- what it is --------------------------------------------------------------------------------------------------------

pub fn advise(call: &Call<'_>, fd: u32, from: u64, len: u64, advice: u32) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    let advice = u8::try_from(advice).map_err(|_| INLAY_WASI_EINVAL)?;
    if advice > 5 {
        return Err(INLAY_WASI_EINVAL.into());
    }
    let (from, len) = (offset(from)?, offset(len)?);
    if let Node::Dir(_) = &descriptor.node {
        descriptor.demand(right::ADVISE)?;
        return Err(INLAY_WASI_EBADF.into());
    }
    file(&descriptor, right::ADVISE)?.advise(from, len, advice)
}

pub fn allocate(call: &Call<'_>, fd: u32, from: u64, len: u64) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    let file = file(&descriptor, right::ALLOCATE)?;
    if len == 0 {
        return Err(INLAY_WASI_EINVAL.into());
    }
    file.allocate(offset(from)?, offset(len)?)
}

pub fn fdstat_get(call: &Call<'_>, fd: u32, to: u32) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    let filetype = descriptor.node.filetype()?;
    let (base, inheriting) = descriptor.rights();
    let mut bytes = [0; 24];
    bytes[0] = filetype;
    let flags = descriptor.flags.load(Ordering::Relaxed);
    bytes[2..4].copy_from_slice(&flags.to_le_bytes());
    bytes[8..16].copy_from_slice(&base.to_le_bytes());
    bytes[16..].copy_from_slice(&inheriting.to_le_bytes());
    call.memory.put(to, &bytes)
}

pub fn fdstat_set_flags(call: &Call<'_>, fd: u32, flags: u32) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    descriptor.demand(right::SET_FLAGS)?;
    let flags = u16::try_from(flags).map_err(|_| INLAY_WASI_EINVAL)?;
    let changed = flags ^ descriptor.flags.load(Ordering::Relaxed);
    // As POSIX's `fcntl`, which changes no others.
    if changed & !(fdflag::APPEND | fdflag::NONBLOCK) != 0 {
        return Err(INLAY_WASI_EINVAL.into());
    }
    match &descriptor.node {
        Node::File(file) => file.set_flags(flags)?,
        // What waits for a stream is this library, and nobody else's view of the stream changes.
        Node::Stream(_) | Node::Dir(_) => {}
    }
    descriptor.flags.store(flags, Ordering::Relaxed);
    Ok(())
}

pub fn fdstat_set_rights(call: &Call<'_>, fd: u32, base: u64, inheriting: u64) -> Result<()> {
    call.wasi.table.get(fd)?.limit(base, inheriting)
}

/// Writes a `filestat`.
pub fn put_stat(call: &Call<'_>, to: u32, stat: &Stat) -> Result<()> {
    let mut bytes = [0; 64];
    bytes[16] = stat.filetype;
    let numbers = [
        (0, stat.device),
        (8, stat.inode),
        (24, stat.links),
        (32, stat.len),
        (40, stat.accessed),
        (48, stat.modified),
        (56, stat.changed),
    ];
    for (at, number) in numbers {
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    call.memory.put(to, &bytes)
}

pub fn filestat_get(call: &Call<'_>, fd: u32, to: u32) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    descriptor.demand(right::STAT)?;
    let stat = descriptor.node.stat()?;
    put_stat(call, to, &stat)
}

pub fn filestat_set_size(call: &Call<'_>, fd: u32, size: u64) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    if let Node::Stream(_) = &descriptor.node {
        return Err(INLAY_WASI_EINVAL.into());
    }
    file(&descriptor, right::SET_SIZE)?.set_len(offset(size)?)
}

/// The times that `fstflags` say.
pub fn times(accessed: u64, modified: u64, flags: u32) -> Result<Times> {
    use fstflag::{ACCESSED, ACCESSED_NOW, MODIFIED, MODIFIED_NOW};
    let time = |at, flag, now| match (flags & flag != 0, flags & now != 0) {
        (true, true) => Err(INLAY_WASI_EINVAL),
        (true, false) => Ok(Some(Time::At(at))),
        (false, true) => Ok(Some(Time::Now)),
        (false, false) => Ok(None),
    };
    if flags & !(ACCESSED | ACCESSED_NOW | MODIFIED | MODIFIED_NOW) != 0 {
        return Err(INLAY_WASI_EINVAL.into());
    }
    Ok(Times {
        accessed: time(accessed, ACCESSED, ACCESSED_NOW)?,
        modified: time(modified, MODIFIED, MODIFIED_NOW)?,
    })
}

pub fn filestat_set_times(
    call: &Call<'_>,
    fd: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    let times = times(accessed, modified, flags)?;
    descriptor.demand(right::SET_TIMES)?;
    match &descriptor.node {
        Node::File(file) => file.set_times(times),
        Node::Dir(directory) => directory.set_times(times),
        Node::Stream(_) => Err(INLAY_WASI_EINVAL.into()),
    }
}

// ---- directories -------------------------------------------------------------------------------------------------------

pub fn prestat_get(call: &Call<'_>, fd: u32, to: u32) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    let name = descriptor.name.as_ref().ok_or(INLAY_WASI_EBADF)?;
    // The tag, which is 0 for a directory, and its name's length.
    let mut bytes = [0; 8];
    bytes[4..].copy_from_slice(&(name.len() as u32).to_le_bytes());
    call.memory.put(to, &bytes)
}

pub fn prestat_dir_name(call: &Call<'_>, fd: u32, to: u32, len: u32) -> Result<()> {
    let descriptor = call.wasi.table.get(fd)?;
    let name = descriptor.name.as_ref().ok_or(INLAY_WASI_EBADF)?;
    match name.len() > len as usize {
        true => Err(INLAY_WASI_ENAMETOOLONG.into()),
        false => call.memory.put(to, name.as_bytes()),
    }
}

/// Entries are numbered in the order in which they were found when the program began to read them: a cookie is the number of the
/// next.
pub fn readdir(call: &Call<'_>, fd: u32, to: u32, len: u32, cookie: u64, used: u32) -> Result<()> {
    let (place, number) = (
        call.memory.place(to, len.into())?,
        call.memory.place(used, 4)?,
    );
    let descriptor = call.wasi.table.get(fd)?;
    let directory = directory(&descriptor, right::READDIR)?;
    // Nothing is locked while a host's callbacks run.
    let known = descriptor.listing().clone().filter(|_| cookie != 0);
    let entries = match known {
        Some(entries) => entries,
        None => {
            let entries = Arc::new(directory.entries()?);
            *descriptor.listing() = Some(entries.clone());
            entries
        }
    };
    let mut bytes = Vec::new();
    let rest = usize::try_from(cookie)
        .ok()
        .and_then(|cookie| entries.get(cookie..));
    for (entry, next) in rest
        .unwrap_or_default()
        .iter()
        .zip(cookie.saturating_add(1)..)
    {
        if bytes.len() >= place.len {
            break;
        }
        bytes.extend(next.to_le_bytes());
        bytes.extend(entry.inode.to_le_bytes());
        bytes.extend((entry.name.len() as u32).to_le_bytes());
        bytes.extend(u32::from(entry.filetype).to_le_bytes());
        bytes.extend(&entry.name);
    }
    // The last entry may be cut off: the program sees that it has no room for it by all of its room being used.
    let len = call.memory.write(place, &bytes);
    finish(call, number, len)
}
