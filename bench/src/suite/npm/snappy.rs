//! snappy-wasm: compression that looks for matches by a hash table, block by block, in unsafe Rust.

use super::{Module, NoHost, RoundTrip, text};

pub const MODULE: Module = Module {
    name: "snappy",
    path: "snappy-wasm/es/snappy_bg.wasm",
    // It imports only what makes an error.
    host: || Box::new(NoHost),
    start: |_| {
        Ok(Box::new(RoundTrip {
            pack: "compress_raw",
            unpack: "decompress_raw",
            text: text(1 << 20),
            turns: 70,
        }))
    },
};
