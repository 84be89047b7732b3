//! argon2-browser: password hashing, which fills memory and mixes 64-bit numbers.

use super::{Guest, Memory, Module, Outcome, Value, Work, call, copy, digest, put, resize, slice};

pub const MODULE: Module = Module {
    name: "argon2",
    path: "argon2-browser/dist/argon2.wasm",
    host: || Box::new(libc),
    start,
};

/// One hash: 3 passes over 16 MiB, one lane.
const PASSES: i32 = 3;
const MEMORY_KIB: i32 = 16 * 1024;
const PASSWORD: &[u8] = b"password";
const SALT: &[u8] = b"somesalt";
const ARGON2ID: i32 = 2;
const VERSION: i32 = 0x13;
const TAG_LEN: usize = 32;

/// What the module leaves to JavaScript, by the names that its build gave.
fn libc(memory: &mut dyn Memory, name: &str, args: &[Value]) -> Outcome<Option<Value>> {
    Ok(Some(match (name, args) {
        // memcpy of many bytes
        ("a", &[to, from, len]) => {
            copy(memory, to, from, len)?;
            Value::I32(0)
        }
        ("b", &[wanted]) => resize(memory, wanted.i32()),
        _ => return Err(format!("argon2 called {name}").into()),
    }))
}

struct Hash {
    password: i32,
    salt: i32,
    tag: i32,
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "d", &[])?;
    Ok(Box::new(Hash {
        password: put(guest, "f", PASSWORD)?,
        salt: put(guest, "f", SALT)?,
        tag: put(guest, "f", &[0; TAG_LEN])?,
    }))
}

impl Work for Hash {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let (password_len, salt_len) = (PASSWORD.len() as i32, SALT.len() as i32);
        #[rustfmt::skip]
        let args = [
            PASSES, MEMORY_KIB, 1, self.password, password_len, self.salt, salt_len, self.tag, TAG_LEN as i32,
            0, 0, ARGON2ID, 0, 0, 0, 0, VERSION,
        ];
        match call(guest, "l", &args)? {
            0 => Ok(digest(slice(guest.memory(), self.tag, TAG_LEN)?)),
            code => Err(format!("argon2 failed with {code}").into()),
        }
    }
}
