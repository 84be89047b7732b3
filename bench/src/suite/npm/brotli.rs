//! brotli-wasm: a search for the shortest encoding of a text at the highest quality, and its decoding, in Rust.

use super::{Guest, Host, Memory, Module, Outcome, Value, Work, bytes, digest, text};

pub const MODULE: Module = Module {
    name: "brotli",
    path: "brotli-wasm/pkg.bundler/brotli_wasm_bg.wasm",
    host: || Box::new(Glue),
    start: |_| {
        Ok(Box::new(Brotli {
            text: text(100_000),
        }))
    },
};

/// Any reference to a JavaScript value that is none of wasm-bindgen's own.
const OPTIONS: i32 = 128;

struct Glue;

impl Host for Glue {
    fn call(&mut self, _: &mut dyn Memory, name: &str, _: &[Value]) -> Outcome<Option<Value>> {
        match name {
            // The options are undefined, so that the module takes its own.
            "__wbindgen_is_undefined" => Ok(Some(Value::I32(1))),
            "__wbindgen_object_drop_ref" => Ok(None),
            _ => Err(format!("brotli called {name}").into()),
        }
    }
}

struct Brotli {
    text: Vec<u8>,
}

impl Work for Brotli {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let packed = bytes(guest, "compress", &self.text, &[OPTIONS])?;
        match bytes(guest, "decompress", &packed, &[])? == self.text {
            true => Ok(digest(&packed)),
            false => Err("what was decompressed is not what was compressed".into()),
        }
    }
}
