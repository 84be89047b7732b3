//! tiny-secp256k1: signatures on an elliptic curve, which multiplies 256-bit numbers made of 64-bit ones.

use super::{Guest, Host, Memory, Module, Outcome, Value, Work, call, digest, slice};

pub const MODULE: Module = Module {
    name: "secp256k1",
    path: "tiny-secp256k1/lib/secp256k1.wasm",
    host: || Box::new(Glue),
    start,
};

const TURNS: u16 = 500;
/// Where the module has its arguments and results: the values of globals that it exports.
const PRIVATE_INPUT: i32 = 1_771_612;
const PUBLIC_KEY_INPUT: i32 = 1_771_644;
const HASH_INPUT: i32 = 655_649;
const SIGNATURE_INPUT: i32 = 1_771_805;
/// The first coordinate of the curve's base point, which belongs to the private key 1.
const BASE_POINT: &[u8] = b"\x79\xbe\x66\x7e\xf9\xdc\xbb\xac\x55\xa0\x62\x95\xce\x87\x0b\x07\x02\x9b\xfc\xdb\x2d\xce\x28\xd9\x59\xf2\x81\x5b\x16\xf8\x17\x98";

struct Glue;

impl Host for Glue {
    fn call(&mut self, _: &mut dyn Memory, name: &str, _: &[Value]) -> Outcome<Option<Value>> {
        match name {
            // Numbers that blind the computation, whose result does not depend on them.
            "generateInt32" => Ok(Some(Value::I32(0x1234_5678))),
            _ => Err(format!("secp256k1 called {name}").into()),
        }
    }
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "initializeContext", &[])?;
    set_private_key(guest, 1)?;
    call(guest, "pointFromScalar", &[33])?;
    match slice(guest.memory(), PUBLIC_KEY_INPUT + 1, 32)? == BASE_POINT {
        true => Ok(Box::new(Sign)),
        false => Err("secp256k1 has another base point".into()),
    }
}

fn set_private_key(guest: &mut dyn Guest, key: u16) -> Outcome<()> {
    let private = slice(guest.memory(), PRIVATE_INPUT, 32)?;
    private.fill(0);
    private[30..].copy_from_slice(&key.to_be_bytes());
    Ok(())
}

struct Sign;

impl Work for Sign {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let mut result = 0;
        for turn in 1..=TURNS {
            set_private_key(guest, turn)?;
            slice(guest.memory(), HASH_INPUT, 32)?.fill(turn as u8);
            call(guest, "sign", &[0])?;
            result ^= digest(slice(guest.memory(), SIGNATURE_INPUT, 64)?);
            call(guest, "pointFromScalar", &[33])?;
            if call(guest, "verify", &[33, 1])? != 1 {
                return Err("a signature is not valid".into());
            }
        }
        Ok(result)
    }
}
