//! Sockets, which are streams of the host's.

use crate::capi::*;
use crate::define::Call;
use crate::errno::Result;
use crate::node::Node;
use crate::rights::{fdflag, right};
use crate::stream::Stream;
use crate::table::Descriptor;
use crate::{descriptor, poll};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The stream of a descriptor that is a socket.
fn socket(descriptor: &Descriptor) -> Result<&Given<inlay_wasi_stream_t>> {
    match &descriptor.node {
        Node::Stream(Stream::Host(stream)) if stream.kind == INLAY_WASI_STREAM_SOCKET => Ok(stream),
        _ => Err(INLAY_WASI_ENOTSOCK.into()),
    }
}

pub fn accept(call: &Call<'_>, fd: u32, flags: u32, accepted: u32) -> Result<()> {
    let place = call.memory.place(accepted, 4)?;
    let listening = call.wasi.table.get(fd)?;
    let stream = socket(&listening)?;
    listening.demand(right::ACCEPT)?;
    let flags = u16::try_from(flags).map_err(|_| INLAY_WASI_EINVAL)?;
    if flags & !fdflag::NONBLOCK != 0 {
        return Err(INLAY_WASI_EINVAL.into());
    }
    let accept = stream.accept.ok_or(INLAY_WASI_EINVAL)?;
    call.wasi.table.must_have_room()?;
    let new = poll::patiently(call, fd, &listening, false, || {
        let mut table = inlay_wasi_stream_t::NONE;
        // SAFETY: the host gave it for this; it fills the table, or gives an error.
        unsafe {
            outcome(accept(stream.env, &mut table))?;
            Given::take(&table).map_err(crate::errno::Stop::Error)
        }
    })?;
    let node = Node::Stream(Stream::Host(new));
    let rights = node.rights();
    let descriptor = Descriptor::new(node, rights, 0);
    descriptor.flags.store(flags, Ordering::Relaxed);
    let number = call.wasi.table.open(descriptor)?;
    call.memory.write(place, &number.to_le_bytes());
    Ok(())
}

/// The host's callbacks know no flags, so reading without taking away is not to be had, nor waiting for all.
pub fn recv(
    call: &Call<'_>,
    fd: u32,
    pieces: u32,
    count: u32,
    flags: u32,
    read: u32,
    out_flags: u32,
) -> Result<()> {
    let open = call.wasi.table.get(fd)?;
    socket(&open)?;
    if flags != 0 {
        return Err(INLAY_WASI_ENOTSUP.into());
    }
    let place = call.memory.place(out_flags, 2)?;
    descriptor::read(call, fd, pieces, count, read)?;
    call.memory.write(place, &0u16.to_le_bytes());
    Ok(())
}

pub fn send(
    call: &Call<'_>,
    fd: u32,
    pieces: u32,
    count: u32,
    flags: u32,
    sent: u32,
) -> Result<()> {
    let open = call.wasi.table.get(fd)?;
    socket(&open)?;
    if flags != 0 {
        return Err(INLAY_WASI_EINVAL.into());
    }
    descriptor::write(call, fd, pieces, count, sent)
}

pub fn shutdown(call: &Call<'_>, fd: u32, how: u32) -> Result<()> {
    let open: Arc<Descriptor> = call.wasi.table.get(fd)?;
    let stream = socket(&open)?;
    open.demand(right::SHUTDOWN)?;
    if !(1..=3).contains(&how) {
        return Err(INLAY_WASI_EINVAL.into());
    }
    let shutdown = stream.shutdown.ok_or(INLAY_WASI_ENOTSUP)?;
    // SAFETY: the host gave it for this.
    outcome(unsafe { shutdown(stream.env, how & 1 != 0, how & 2 != 0) })
}
