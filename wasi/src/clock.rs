//! Clocks: the system's, or the host's.

use crate::capi::*;
use crate::define::Call;
use crate::errno::Result;
use crate::wasi::Wasi;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds that a clock shows.
pub fn now(wasi: &Wasi, id: inlay_wasi_clock_id_t) -> Result<u64> {
    if let Some(clock) = &wasi.clock {
        let now = clock.now.ok_or(INLAY_WASI_ENOSYS)?;
        let mut nanoseconds = 0;
        // SAFETY: the host gave it for this.
        outcome(unsafe { now(clock.env, id, &mut nanoseconds) })?;
        return Ok(nanoseconds);
    }
    match id {
        INLAY_WASI_CLOCK_REALTIME => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            Ok(since.map_or(0, |since| since.as_nanos() as u64))
        }
        INLAY_WASI_CLOCK_MONOTONIC => Ok(wasi.began.elapsed().as_nanos() as u64),
        INLAY_WASI_CLOCK_PROCESS => Ok(crate::os::cpu_time(false)?),
        INLAY_WASI_CLOCK_THREAD => Ok(crate::os::cpu_time(true)?),
        _ => Err(INLAY_WASI_EINVAL.into()),
    }
}

pub fn res_get(call: &Call<'_>, id: u32, resolution: u32) -> Result<()> {
    let mut nanoseconds = 1;
    match &call.wasi.clock {
        Some(clock) => {
            if let Some(resolution) = clock.resolution {
                // SAFETY: the host gave it for this.
                outcome(unsafe { resolution(clock.env, id, &mut nanoseconds) })?;
            }
        }
        None if id > INLAY_WASI_CLOCK_THREAD => return Err(INLAY_WASI_EINVAL.into()),
        // The system's are said to be as fine as their numbers are.
        None => {}
    }
    call.memory.write_u64(resolution, nanoseconds)
}

pub fn time_get(call: &Call<'_>, id: u32, _precision: u64, time: u32) -> Result<()> {
    let now = now(call.wasi, id)?;
    call.memory.write_u64(time, now)
}
