//! What a program does with paths in a directory: the functions whose names begin with `path_`.

use crate::capi::*;
use crate::define::Call;
use crate::descriptor::{directory, put_stat, times};
use crate::errno::Result;
use crate::node::{How, Node};
use crate::rights::{FOLLOW, oflag, right};
use crate::table::Descriptor;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The path, which is not empty.
fn path(call: &Call<'_>, path: u32, len: u32) -> Result<String> {
    let path = call.memory.text(path, len)?;
    match path.is_empty() {
        true => Err(INLAY_WASI_ENOENT.into()),
        false => Ok(path),
    }
}

fn get(call: &Call<'_>, fd: u32) -> Result<Arc<Descriptor>> {
    call.wasi.table.get(fd)
}

fn follows(flags: u32) -> Result<bool> {
    match flags {
        0 => Ok(false),
        FOLLOW => Ok(true),
        _ => Err(INLAY_WASI_EINVAL.into()),
    }
}

pub fn create_directory(call: &Call<'_>, fd: u32, at: u32, len: u32) -> Result<()> {
    let path = path(call, at, len)?;
    directory(&*get(call, fd)?, right::CREATE_DIRECTORY)?.make_directory(&path)
}

pub fn filestat_get(
    call: &Call<'_>,
    fd: u32,
    flags: u32,
    at: u32,
    len: u32,
    stat: u32,
) -> Result<()> {
    let path = path(call, at, len)?;
    let follow = follows(flags)?;
    let found = directory(&*get(call, fd)?, right::PATH_STAT)?.stat_at(&path, follow)?;
    put_stat(call, stat, &found)
}

#[expect(clippy::too_many_arguments, reason = "WASI has as many")]
pub fn filestat_set_times(
    call: &Call<'_>,
    fd: u32,
    flags: u32,
    at: u32,
    len: u32,
    accessed: u64,
    modified: u64,
    which: u32,
) -> Result<()> {
    let path = path(call, at, len)?;
    let (follow, times) = (follows(flags)?, times(accessed, modified, which)?);
    directory(&*get(call, fd)?, right::PATH_SET_TIMES)?.set_times_at(&path, follow, times)
}

#[expect(clippy::too_many_arguments, reason = "WASI has as many")]
pub fn link(
    call: &Call<'_>,
    fd: u32,
    flags: u32,
    at: u32,
    len: u32,
    new_fd: u32,
    new_at: u32,
    new_len: u32,
) -> Result<()> {
    let (from, to) = (path(call, at, len)?, path(call, new_at, new_len)?);
    let (old, new) = (get(call, fd)?, get(call, new_fd)?);
    let source = directory(&old, right::LINK_SOURCE)?;
    let target = directory(&new, right::LINK_TARGET)?;
    // A link to what a link leads to could be one to something that the program was given no link to.
    if follows(flags)? {
        return Err(INLAY_WASI_EINVAL.into());
    }
    source.link(&from, &**target, &to)
}

#[expect(clippy::too_many_arguments, reason = "WASI has as many")]
pub fn open(
    call: &Call<'_>,
    fd: u32,
    follow: u32,
    at: u32,
    len: u32,
    how: u32,
    base: u64,
    inheriting: u64,
    flags: u32,
    opened: u32,
) -> Result<()> {
    let number = call.memory.place(opened, 4)?;
    let path = path(call, at, len)?;
    let parent = get(call, fd)?;
    let flags = u16::try_from(flags).map_err(|_| INLAY_WASI_EINVAL)?;
    if how > 15 || flags > 31 {
        return Err(INLAY_WASI_EINVAL.into());
    }
    let is_directory = how & oflag::DIRECTORY != 0;
    let how = How {
        read: base & (right::READ | right::READDIR) != 0,
        // Whoever asks for a directory with every right wants no file to write.
        write: base & right::WRITE != 0 && !is_directory,
        create: how & oflag::CREATE != 0,
        exclusive: how & oflag::CREATE != 0 && how & oflag::EXCLUSIVE != 0,
        truncate: how & oflag::TRUNCATE != 0,
        directory: is_directory,
        follow: follows(follow)?,
        flags,
    };
    let mut rights = right::OPEN;
    if how.create {
        rights |= right::CREATE_FILE;
    }
    if how.truncate {
        rights |= right::PATH_SET_SIZE;
    }
    let directory = directory(&parent, rights)?;
    if how.directory && (how.create || how.truncate) {
        return Err(INLAY_WASI_EINVAL.into());
    }
    // Whoever wants to write learns at once that it may not. Other rights, which programs ask for by the dozen, are left out in
    // silence if the directory does not pass them on.
    let passed_on = parent.rights().1;
    if how.write && passed_on & right::WRITE == 0 {
        return Err(INLAY_WASI_ENOTCAPABLE.into());
    }
    call.wasi.table.must_have_room()?;
    let node = directory.open(&path, how)?;
    if matches!(node, Node::Dir(_)) && (how.create || how.write || how.truncate) {
        return Err(INLAY_WASI_EISDIR.into());
    }
    let base = base & passed_on & node.rights();
    let descriptor = Descriptor::new(node, base, inheriting & passed_on);
    descriptor.flags.store(flags, Ordering::Relaxed);
    let fd = call.wasi.table.open(descriptor)?;
    call.memory.write(number, &fd.to_le_bytes());
    Ok(())
}

pub fn readlink(
    call: &Call<'_>,
    fd: u32,
    at: u32,
    len: u32,
    to: u32,
    to_len: u32,
    used: u32,
) -> Result<()> {
    let path = path(call, at, len)?;
    let (place, number) = (
        call.memory.place(to, to_len.into())?,
        call.memory.place(used, 4)?,
    );
    let contents = directory(&*get(call, fd)?, right::READLINK)?.read_link(&path)?;
    let len = call.memory.write(place, &contents) as u32;
    call.memory.write(number, &len.to_le_bytes());
    Ok(())
}

pub fn remove_directory(call: &Call<'_>, fd: u32, at: u32, len: u32) -> Result<()> {
    let path = path(call, at, len)?;
    directory(&*get(call, fd)?, right::REMOVE_DIRECTORY)?.remove_directory(&path)
}

pub fn rename(
    call: &Call<'_>,
    fd: u32,
    at: u32,
    len: u32,
    new_fd: u32,
    new_at: u32,
    new_len: u32,
) -> Result<()> {
    let (from, to) = (path(call, at, len)?, path(call, new_at, new_len)?);
    let (old, new) = (get(call, fd)?, get(call, new_fd)?);
    let source = directory(&old, right::RENAME_SOURCE)?;
    let target = directory(&new, right::RENAME_TARGET)?;
    source.rename(&from, &**target, &to)
}

pub fn symlink(
    call: &Call<'_>,
    contents: u32,
    contents_len: u32,
    fd: u32,
    at: u32,
    len: u32,
) -> Result<()> {
    let contents = path(call, contents, contents_len)?;
    let path = path(call, at, len)?;
    directory(&*get(call, fd)?, right::SYMLINK)?.symlink(&contents, &path)
}

pub fn unlink_file(call: &Call<'_>, fd: u32, at: u32, len: u32) -> Result<()> {
    let path = path(call, at, len)?;
    directory(&*get(call, fd)?, right::UNLINK)?.remove_file(&path)
}
