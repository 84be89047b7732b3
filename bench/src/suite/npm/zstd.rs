//! @bokuweb/zstd-wasm: the decoder of Zstandard, with its tables of entropy codes, on a text that its encoder packed.

use super::{Guest, Memory, Module, Outcome, Value, Work, call, digest, put, resize, slice, text};

pub const MODULE: Module = Module {
    name: "zstd",
    path: "@bokuweb/zstd-wasm/dist/common/zstd.wasm",
    host: || Box::new(libc),
    start,
};

const LEVEL: i32 = 3;
const TURNS: usize = 180;

/// What the module leaves to JavaScript, by the names that its build gave.
fn libc(memory: &mut dyn Memory, name: &str, args: &[Value]) -> Outcome<Option<Value>> {
    match (name, args) {
        ("e", &[wanted]) => Ok(Some(resize(memory, wanted.i32()))),
        _ => Err(format!("zstd called {name}").into()),
    }
}

struct Decode {
    text: Vec<u8>,
    packed: i32,
    packed_len: i32,
    output: i32,
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "g", &[])?;
    let text = text(1 << 20);
    let len = text.len() as i32;
    let input = put(guest, "s", &text)?;
    let bound = call(guest, "i", &[len])?;
    let packed = call(guest, "s", &[bound])?;
    let packed_len = call(guest, "m", &[packed, bound, input, len, LEVEL])?;
    if call(guest, "h", &[packed_len])? != 0 {
        return Err("zstd failed to compress".into());
    }
    let output = call(guest, "s", &[len])?;
    Ok(Box::new(Decode {
        text,
        packed,
        packed_len,
        output,
    }))
}

impl Work for Decode {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let len = self.text.len() as i32;
        for _ in 0..TURNS {
            slice(guest.memory(), self.output, self.text.len())?.fill(0);
            let args = [self.output, len, self.packed, self.packed_len];
            if call(guest, "r", &args)? != len
                || slice(guest.memory(), self.output, self.text.len())? != self.text
            {
                return Err("what was decompressed is not what was compressed".into());
            }
        }
        Ok(digest(slice(
            guest.memory(),
            self.packed,
            self.packed_len as usize,
        )?))
    }
}
