//! blake3-wasm: hashing by additions, rotations and exclusive-ors of 32-bit numbers, in C.

use super::{Guest, Memory, Module, Outcome, Value, Work, call, copy, digest, put, resize, slice};

pub const MODULE: Module = Module {
    name: "blake3",
    path: "blake3-wasm/dist/wasm/blake3.wasm",
    host: || Box::new(libc),
    start,
};

const LEN: usize = 4 << 20;
const TURNS: usize = 80;
const HASH_LEN: usize = 32;
/// The published test vector for the bytes 0 to 250, over and over, of which there are 102400.
const VECTOR_LEN: usize = 102_400;
const VECTOR: &[u8] = b"\xbc\x3e\x3d\x41\xa1\x14\x6b\x06\x9a\xbf\xfa\xd3\xc0\xd4\x48\x60\xcf\x66\x43\x90\xaf\xce\x4d\x96\x61\xf7\x90\x2e\x79\x43\xe0\x85";

/// What the module leaves to JavaScript, by the names that its build gave.
fn libc(memory: &mut dyn Memory, name: &str, args: &[Value]) -> Outcome<Option<Value>> {
    match (name, args) {
        ("a", &[wanted]) => Ok(Some(resize(memory, wanted.i32()))),
        // memcpy of many bytes
        ("b", &[to, from, len]) => {
            copy(memory, to, from, len)?;
            Ok(None)
        }
        _ => Err(format!("blake3 called {name}").into()),
    }
}

struct Hash {
    input: i32,
    hash: i32,
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "e", &[])?;
    let input: Vec<u8> = (0..LEN).map(|i| (i % 251) as u8).collect();
    let work = Hash {
        input: put(guest, "h", &input)?,
        hash: put(guest, "h", &[0; HASH_LEN])?,
    };
    if work.hash(guest, VECTOR_LEN)? != VECTOR {
        return Err("blake3 gives something else for the test vector".into());
    }
    Ok(Box::new(work))
}

impl Hash {
    fn hash<'a>(&self, guest: &'a mut dyn Guest, len: usize) -> Outcome<&'a [u8]> {
        let args = [self.input, len as i32, self.hash, HASH_LEN as i32];
        call(guest, "f", &args)?;
        Ok(slice(guest.memory(), self.hash, HASH_LEN)?)
    }
}

impl Work for Hash {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let mut result = 0;
        for _ in 0..TURNS {
            result = digest(self.hash(guest, LEN)?);
        }
        Ok(result)
    }
}
