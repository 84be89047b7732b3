//! The members of the suite: what is run, and how much of it.

mod kernels;
mod npm;

use crate::engines::{Guest, Host, Outcome};
use std::path::{Path, PathBuf};

/// One program of the suite.
pub struct Member {
    pub name: String,
    pub wasm: PathBuf,
    pub host: fn() -> Box<dyn Host>,
    pub start: Start,
}

/// Makes an instance ready, outside of what is measured.
pub type Start = Box<dyn Fn(&mut dyn Guest) -> Outcome<Box<dyn Work>>>;

/// Work that an instance can do any number of times.
pub trait Work {
    /// Does a fixed piece of work, of about 0.2 s, and gives a digest of what came out, which is the same each time and in
    /// every engine.
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64>;
}

/// All of them; `dir` is where `bench/suite.sh` puts modules.
pub fn members(dir: &Path) -> Outcome<Vec<Member>> {
    let mut members = kernels::members(&dir.join("kernels"))?;
    members.extend(npm::members(&dir.join("npm")));
    Ok(members)
}

/// A digest of bytes (FNV-1a).
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
