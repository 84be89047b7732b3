//! Inputs, from numbers for runs without a fuzzer, and what they stand for.

use std::sync::Arc;

use arbitrary::Unstructured;

use crate::program::Program;
use crate::random::Random;
use crate::subject::Settings;

/// What a fuzzer might have made, of up to 8 KiB.
pub fn input(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let len = 512 << random.below(5);
    random.bytes(len)
}

/// Settings and a program of a fuzzer's bytes; `None` if they make none.
pub fn read(data: &[u8]) -> Option<(Settings, Arc<Program>)> {
    let mut u = Unstructured::new(data);
    let settings = Settings::arbitrary(&mut u).ok()?;
    let program = Program::generate(&mut u).ok()??;
    Some((settings, Arc::new(program)))
}
