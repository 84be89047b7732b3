//! Bytes to `inlay_module_load`, as they are and behind a right checksum.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    inlay_fuzz::images::load(data);
});
