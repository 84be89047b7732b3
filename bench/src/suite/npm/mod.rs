//! Modules that others built and published on npm, each driven by a small host of its own.

mod argon2;
mod blake3;
mod brotli;
mod es_module_lexer;
mod llhttp;
mod lodepng;
mod lz4;
mod onig;
mod quickjs;
mod rapier;
mod resvg;
mod secp256k1;
mod snappy;
mod source_map;
mod sqlite;
mod zstd;

use super::{Member, Work, digest};
use crate::engines::{Guest, Host, Memory, NoHost, Outcome, Value};
use crate::random::Random;
use std::path::Path;

/// A module and what drives it.
struct Module {
    name: &'static str,
    /// Where it is below the folder of the packages.
    path: &'static str,
    host: fn() -> Box<dyn Host>,
    start: fn(&mut dyn Guest) -> Outcome<Box<dyn Work>>,
}

const MODULES: &[Module] = &[
    argon2::MODULE,
    blake3::MODULE,
    brotli::MODULE,
    es_module_lexer::MODULE,
    llhttp::MODULE,
    lodepng::MODULE,
    lz4::MODULE,
    onig::MODULE,
    quickjs::MODULE,
    rapier::MODULE,
    resvg::MODULE,
    secp256k1::MODULE,
    snappy::MODULE,
    source_map::MODULE,
    sqlite::MODULE,
    zstd::MODULE,
];

pub fn members(dir: &Path) -> Vec<Member> {
    let member = |module: &Module| Member {
        name: module.name.to_string(),
        wasm: dir.join(module.path),
        host: module.host,
        start: Box::new(module.start),
    };
    MODULES.iter().map(member).collect()
}

/// Calls an export that gives an i32.
fn call(guest: &mut dyn Guest, export: &str, args: &[i32]) -> Outcome<i32> {
    let args: Vec<_> = args.iter().map(|&arg| Value::I32(arg)).collect();
    let result = guest.call(export, &args)?;
    Ok(result.map_or(0, Value::i32))
}

/// The bytes at a pointer of the guest's.
fn slice(memory: &mut [u8], at: i32, len: usize) -> Outcome<&mut [u8]> {
    let at = at as u32 as usize;
    memory
        .get_mut(at..at + len)
        .ok_or_else(|| "a pointer beyond the memory".into())
}

/// Copies bytes into memory that the guest's `malloc` gives.
fn put(guest: &mut dyn Guest, malloc: &str, bytes: &[u8]) -> Outcome<i32> {
    let at = call(guest, malloc, &[bytes.len() as i32])?;
    slice(guest.memory(), at, bytes.len())?.copy_from_slice(bytes);
    Ok(at)
}

/// Grows a memory so that it has so many bytes, as Emscripten's `resize_heap` asks.
fn resize(memory: &mut dyn Memory, wanted: i32) -> Value {
    let missing = u64::from(wanted as u32).saturating_sub(memory.bytes().len() as u64);
    Value::I32(memory.grow(missing.div_ceil(65536)).into())
}

/// Copies within a memory, as Emscripten's `memcpy_big` does.
fn copy(memory: &mut dyn Memory, to: Value, from: Value, len: Value) -> Outcome<()> {
    let len = len.i32() as u32 as usize;
    let bytes = slice(memory.bytes(), from.i32(), len)?.to_vec();
    slice(memory.bytes(), to.i32(), len)?.copy_from_slice(&bytes);
    Ok(())
}

/// Says that there is no environment, as WASI's `environ_sizes_get` does: it has no strings, and they have no bytes.
fn no_environment(memory: &mut dyn Memory, count: Value, len: Value) -> Outcome<Value> {
    slice(memory.bytes(), count.i32(), 4)?.fill(0);
    slice(memory.bytes(), len.i32(), 4)?.fill(0);
    Ok(Value::I32(0))
}

/// A number out of the guest's memory, at a pointer of the guest's.
fn word(memory: &mut [u8], at: i32) -> Outcome<i32> {
    Ok(i32::from_le_bytes(slice(memory, at, 4)?.try_into()?))
}

/// Text of words and lines, some words more frequent than others, as in what people write.
fn text(len: usize) -> Vec<u8> {
    const WORDS: &str = "the of and to a in that it is was with as for on module memory table number between engine \
        function instance store carefully river window morning letter question answer perhaps nothing thousand \
        mountain yesterday remember different children language together important sentence company government \
        interesting beautiful development experience information understand";
    let words: Vec<_> = WORDS.split(' ').collect();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut text = Vec::with_capacity(len + 32);
    while text.len() < len {
        // The product of two falls towards the end of the list.
        let word = random.below(words.len()) * random.below(words.len()) / words.len();
        text.extend_from_slice(words[word].as_bytes());
        text.extend_from_slice(match random.below(16) {
            0 => b".\n",
            1 => b", ",
            _ => b" ",
        });
    }
    text.truncate(len);
    text
}

/// Packs a text and unpacks it again with two functions that wasm-bindgen made.
struct RoundTrip {
    pack: &'static str,
    unpack: &'static str,
    text: Vec<u8>,
    turns: usize,
}

impl Work for RoundTrip {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let mut packed = Vec::new();
        for _ in 0..self.turns {
            packed = bytes(guest, self.pack, &self.text, &[])?;
            if packed.len() >= self.text.len() {
                return Err("packing made the text longer".into());
            }
            if bytes(guest, self.unpack, &packed, &[])? != self.text {
                return Err("what was unpacked is not what was packed".into());
            }
        }
        Ok(digest(&packed))
    }
}

/// Calls an export that wasm-bindgen made of a function from bytes, and maybe more, to bytes or an error.
fn bytes(guest: &mut dyn Guest, export: &str, input: &[u8], more: &[i32]) -> Outcome<Vec<u8>> {
    let result = call(guest, "__wbindgen_add_to_stack_pointer", &[-16])?;
    let at = put(guest, "__wbindgen_malloc", input)?;
    // Functions without an error leave the last two words alone.
    slice(guest.memory(), result, 16)?.fill(0);
    call(
        guest,
        export,
        &[&[result, at, input.len() as i32], more].concat(),
    )?;
    if word(guest.memory(), result + 12)? != 0 {
        return Err(format!("{export} failed").into());
    }
    let at = word(guest.memory(), result)?;
    let len = word(guest.memory(), result + 4)?;
    let output = slice(guest.memory(), at, len as usize)?.to_vec();
    call(guest, "__wbindgen_free", &[at, len])?;
    call(guest, "__wbindgen_add_to_stack_pointer", &[16])?;
    Ok(output)
}
