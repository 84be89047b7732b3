//! What a program is given when it starts, and how it ends.

use crate::capi::*;
use crate::define::Call;
use crate::errno::{Result, Stop};
use crate::poll;
use std::ffi::CString;

/// Writes the addresses of strings, and the strings, each with a NUL behind it.
fn strings(call: &Call<'_>, strings: &[CString], addresses: u32, bytes: u32) -> Result<()> {
    let len = strings.iter().map(|string| string.count_bytes() + 1);
    let place = call.memory.place(bytes, len.sum::<usize>() as u64)?;
    let all: Vec<u8> = strings
        .iter()
        .flat_map(|string| string.as_bytes_with_nul())
        .copied()
        .collect();
    let mut list = Vec::with_capacity(strings.len() * 4);
    let mut at = bytes;
    for string in strings {
        list.extend(at.to_le_bytes());
        let len = string.as_bytes_with_nul().len() as u32;
        at = at.checked_add(len).ok_or(INLAY_WASI_EFAULT)?;
    }
    call.memory.put(addresses, &list)?;
    call.memory.write(place, &all);
    Ok(())
}

fn sizes(call: &Call<'_>, strings: &[CString], count: u32, bytes: u32) -> Result<()> {
    let len: usize = strings
        .iter()
        .map(|string| string.as_bytes_with_nul().len())
        .sum();
    let len = u32::try_from(len).map_err(|_| INLAY_WASI_E2BIG)?;
    let place = call.memory.place(bytes, 4)?;
    call.memory
        .put(count, &(strings.len() as u32).to_le_bytes())?;
    call.memory.write(place, &len.to_le_bytes());
    Ok(())
}

pub fn args_get(call: &Call<'_>, argv: u32, bytes: u32) -> Result<()> {
    strings(call, &call.wasi.args, argv, bytes)
}

pub fn args_sizes_get(call: &Call<'_>, count: u32, bytes: u32) -> Result<()> {
    sizes(call, &call.wasi.args, count, bytes)
}

pub fn environ_get(call: &Call<'_>, environ: u32, bytes: u32) -> Result<()> {
    strings(call, &call.wasi.environ, environ, bytes)
}

pub fn environ_sizes_get(call: &Call<'_>, count: u32, bytes: u32) -> Result<()> {
    sizes(call, &call.wasi.environ, count, bytes)
}

/// The program wants to be ended by a signal, of which there are none here; so it ends by an error.
pub fn raise(_: &Call<'_>, signal: u32) -> Result<()> {
    let message = format!("the program has raised the signal {signal} (proc_raise)");
    Err(Stop::Error(error(&message)))
}

pub fn sched_yield(call: &Call<'_>) -> Result<()> {
    poll::give_way(call)
}

pub fn random_get(call: &Call<'_>, to: u32, len: u32) -> Result<()> {
    let place = call.memory.place(to, len.into())?;
    call.memory.fill(place, |bytes| {
        poll::stop_if_interrupted(call)?;
        match &call.wasi.random {
            Some(random) => {
                let fill = random.fill.ok_or(INLAY_WASI_ENOSYS)?;
                // SAFETY: the host gave it for this; the place is as long as is said.
                outcome(unsafe { fill(random.env, bytes.as_mut_ptr(), bytes.len()) })
            }
            None => getrandom::fill(bytes).map_err(|_| INLAY_WASI_EIO.into()),
        }
    })
}
