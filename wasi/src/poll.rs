//! Waiting: for time, and for streams.

use crate::capi::*;
use crate::clock;
use crate::define::Call;
use crate::errno::{Result, Stop};
use crate::node::Node;
use crate::os;
use crate::rights::right;
use crate::stream::Stream;
use crate::table::{Descriptor, MOST_OPEN};
use std::io::SeekFrom;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the system is asked to wait before it is looked whether the program is to stop, at first and at most.
const SHORTEST: Duration = Duration::from_micros(500);
const LONGEST: Duration = Duration::from_millis(10);

/// Waits, in turns that get longer.
struct Waiting(Duration);

impl Waiting {
    fn new() -> Waiting {
        Waiting(SHORTEST)
    }

    /// Waits until something may have come to pass, or at most so many nanoseconds.
    fn wait(
        &mut self,
        call: &Call<'_>,
        waited: &[inlay_wasi_waited_t],
        nanoseconds: u64,
    ) -> Result<()> {
        stop_if_interrupted(call)?;
        if let Some(host) = &call.wasi.wait {
            let wait = host.wait.ok_or(INLAY_WASI_ENOSYS)?;
            let (first, count) = (waited.as_ptr(), waited.len());
            // SAFETY: the host gave it for this.
            return outcome(unsafe { wait(host.env, call.caller, first, count, nanoseconds) });
        }
        os::wait(waited, self.0.min(Duration::from_nanos(nanoseconds)))?;
        self.0 = (self.0 * 2).min(LONGEST);
        Ok(())
    }
}

/// Ends the program if it is to stop, unless the host lets it go on.
pub fn stop_if_interrupted(call: &Call<'_>) -> Result<()> {
    // SAFETY: the caller calls now.
    let error = unsafe {
        match inlay_caller_interrupted(call.caller) {
            true => inlay_caller_stop(call.caller),
            false => return Ok(()),
        }
    };
    match error.is_null() {
        true => Ok(()),
        false => Err(Stop::Error(error)),
    }
}

/// Lets others run, if the host says how.
pub fn give_way(call: &Call<'_>) -> Result<()> {
    match call.wasi.wait {
        Some(_) => Waiting::new().wait(call, &[], 0),
        None => {
            std::thread::yield_now();
            Ok(())
        }
    }
}

/// Does something with a descriptor that may have to wait for it: waits, and does it then, unless the program does not want to.
pub fn patiently<T>(
    call: &Call<'_>,
    fd: u32,
    descriptor: &Descriptor,
    for_write: bool,
    mut does: impl FnMut() -> Result<T>,
) -> Result<T> {
    let Node::Stream(stream) = &descriptor.node else {
        return does();
    };
    let mut waiting = Waiting::new();
    loop {
        // The system would wait itself, and nobody could stop it; so it is asked first.
        let is_ready = match stream {
            Stream::System(stream) if !stream.is_other_device() => stream.poll(for_write)?.is_ready,
            _ => true,
        };
        if is_ready {
            match does() {
                Err(Stop::Errno(INLAY_WASI_EAGAIN)) => {}
                result => return result,
            }
        }
        if descriptor.is_impatient() {
            return Err(INLAY_WASI_EAGAIN.into());
        }
        waiting.wait(call, &[stream.waited(fd, for_write)], u64::MAX)?;
    }
}

/// When a clock is to have come to.
enum Deadline {
    /// By the system, which waits.
    Real(Instant),
    /// By the program's clock, where the host waits: it may be the host's, too.
    Shown { id: u32, at: u64 },
    /// Later than anyone will see.
    Never,
}

impl Deadline {
    fn new(call: &Call<'_>, id: u32, timeout: u64, is_absolute: bool) -> Result<Deadline> {
        let now = clock::now(call.wasi, id)?;
        if call.wasi.clock.is_none() && id > INLAY_WASI_CLOCK_MONOTONIC {
            return Err(INLAY_WASI_ENOTSUP.into());
        }
        let from_now = match is_absolute {
            true => timeout.saturating_sub(now),
            false => timeout,
        };
        if call.wasi.wait.is_some() {
            let at = now.saturating_add(from_now);
            return Ok(Deadline::Shown { id, at });
        }
        let at = Instant::now().checked_add(Duration::from_nanos(from_now));
        Ok(at.map_or(Deadline::Never, Deadline::Real))
    }

    /// Nanoseconds that are left.
    fn left(&self, call: &Call<'_>) -> Result<u64> {
        Ok(match self {
            Deadline::Real(at) => at.saturating_duration_since(Instant::now()).as_nanos() as u64,
            Deadline::Shown { id, at } => at.saturating_sub(clock::now(call.wasi, *id)?),
            Deadline::Never => u64::MAX,
        })
    }
}

/// What is waited for.
enum Subject {
    Clock(Deadline),
    Stream {
        fd: u32,
        descriptor: Arc<Descriptor>,
        for_write: bool,
    },
    /// It cannot be waited for.
    Wrong(inlay_wasi_errno_t),
}

struct Subscription {
    userdata: u64,
    /// `eventtype`
    kind: u8,
    subject: Subject,
}

/// Bytes of a `subscription` and of an `event`.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;

impl Subscription {
    fn read(call: &Call<'_>, bytes: &[u8; SUBSCRIPTION]) -> Result<Subscription> {
        let u64_at = |at: usize| {
            bytes[at..]
                .first_chunk()
                .map_or(0, |b| u64::from_le_bytes(*b))
        };
        let u32_at = |at: usize| {
            bytes[at..]
                .first_chunk()
                .map_or(0, |b| u32::from_le_bytes(*b))
        };
        let kind = bytes[8];
        let subject = match kind {
            0 => {
                let is_absolute = bytes[40] & 1 != 0;
                Deadline::new(call, u32_at(16), u64_at(24), is_absolute).map(Subject::Clock)
            }
            1 | 2 => stream(call, u32_at(16), kind == 2),
            _ => return Err(INLAY_WASI_EINVAL.into()),
        };
        Ok(Subscription {
            userdata: u64_at(0),
            kind,
            subject: match subject {
                Err(Stop::Errno(errno)) => Subject::Wrong(errno),
                subject => subject?,
            },
        })
    }

    /// What has come to pass, if anything has: an error, bytes, and whether the other side has gone. Else `left` becomes what
    /// a clock has left, if that is less.
    fn event(&self, call: &Call<'_>, left: &mut u64) -> Result<Option<[u8; EVENT]>> {
        let (errno, bytes, is_closed) = match self.happened(call, left) {
            Ok(None) => return Ok(None),
            Ok(Some(found)) => (0, found.bytes, found.is_closed),
            Err(Stop::Errno(errno)) => (errno, 0, false),
            Err(stop) => return Err(stop),
        };
        let mut event = [0; EVENT];
        event[..8].copy_from_slice(&self.userdata.to_le_bytes());
        event[8..10].copy_from_slice(&errno.to_le_bytes());
        event[10] = self.kind;
        event[16..24].copy_from_slice(&bytes.to_le_bytes());
        event[24] = is_closed.into();
        Ok(Some(event))
    }

    fn happened(&self, call: &Call<'_>, left: &mut u64) -> Result<Option<inlay_wasi_readiness_t>> {
        let found = match &self.subject {
            Subject::Wrong(errno) => return Err((*errno).into()),
            Subject::Clock(deadline) => {
                let its = deadline.left(call)?;
                *left = its.min(*left);
                inlay_wasi_readiness_t {
                    is_ready: its == 0,
                    ..Default::default()
                }
            }
            Subject::Stream {
                descriptor,
                for_write,
                ..
            } => readiness(descriptor, *for_write)?,
        };
        Ok(found.is_ready.then_some(found))
    }
}

fn stream(call: &Call<'_>, fd: u32, for_write: bool) -> Result<Subject> {
    let descriptor = call.wasi.table.get(fd)?;
    descriptor.demand(right::POLL)?;
    descriptor.demand(match for_write {
        true => right::WRITE,
        false => right::READ,
    })?;
    Ok(Subject::Stream {
        fd,
        descriptor,
        for_write,
    })
}

fn readiness(descriptor: &Descriptor, for_write: bool) -> Result<inlay_wasi_readiness_t> {
    let bytes = match &descriptor.node {
        Node::Stream(stream) => return stream.poll(for_write),
        // Files never wait.
        Node::File(file) if !for_write => {
            let at = file.seek(SeekFrom::Current(0))?;
            file.stat()?.len.saturating_sub(at)
        }
        Node::File(_) => 1,
        Node::Dir(_) => return Err(INLAY_WASI_EBADF.into()),
    };
    Ok(inlay_wasi_readiness_t {
        bytes,
        is_ready: true,
        is_closed: false,
    })
}

pub fn oneoff(
    call: &Call<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    happened: u32,
) -> Result<()> {
    // Nobody has use for more: a reader and a writer for each descriptor, and some clocks.
    if count == 0 || count > 2 * MOST_OPEN + 1024 {
        return Err(INLAY_WASI_EINVAL.into());
    }
    let len = u64::from(count) * SUBSCRIPTION as u64;
    let bytes = call.memory.read(call.memory.place(subscriptions, len)?)?;
    call.memory.place(events, u64::from(count) * EVENT as u64)?;
    let number = call.memory.place(happened, 4)?;
    let subscriptions = bytes.as_chunks::<SUBSCRIPTION>().0;
    let subscriptions: Vec<Subscription> = subscriptions
        .iter()
        .map(|bytes| Subscription::read(call, bytes))
        .collect::<Result<_>>()?;
    let waited: Vec<inlay_wasi_waited_t> = subscriptions
        .iter()
        .filter_map(|subscription| match &subscription.subject {
            Subject::Stream {
                fd,
                descriptor,
                for_write,
            } => match &descriptor.node {
                Node::Stream(stream) => Some(stream.waited(*fd, *for_write)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let mut waiting = Waiting::new();
    loop {
        let mut found = Vec::new();
        let mut left = u64::MAX;
        for subscription in &subscriptions {
            if let Some(event) = subscription.event(call, &mut left)? {
                found.extend(event);
            }
        }
        if !found.is_empty() {
            call.memory.put(events, &found)?;
            let number_of = (found.len() / EVENT) as u32;
            call.memory.write(number, &number_of.to_le_bytes());
            return Ok(());
        }
        waiting.wait(call, &waited, left)?;
    }
}
