//! lz4-wasm: compression by a small hash table and copies of bytes, in safe Rust.

use super::{Module, NoHost, RoundTrip, text};

pub const MODULE: Module = Module {
    name: "lz4",
    path: "lz4-wasm/lz4_wasm_bg.wasm",
    // It imports only what makes an error.
    host: || Box::new(NoHost),
    start: |_| {
        Ok(Box::new(RoundTrip {
            pack: "compress",
            unpack: "decompress",
            text: text(1 << 20),
            turns: 70,
        }))
    },
};
