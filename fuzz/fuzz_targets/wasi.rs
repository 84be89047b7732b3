//! Random calls of WASI.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| inlay_fuzz::wasi::run(data));
