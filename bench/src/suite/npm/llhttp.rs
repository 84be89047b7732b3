//! undici's llhttp: a parser of HTTP as one generated state machine, which calls the host for each header.

use super::{Guest, Host, Memory, Module, Outcome, Random, Value, Work, call, put};
use std::cell::Cell;

pub const MODULE: Module = Module {
    name: "llhttp",
    path: "undici/lib/llhttp/llhttp.wasm",
    host: || Box::new(Callbacks),
    start,
};

const RESPONSES: usize = 50;
const HEADERS: usize = 12;
const BODY_LEN: usize = 5000;
const TURNS: usize = 600;
const RESPONSE: i32 = 2;

/// What the module reported.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Seen {
    messages: usize,
    headers: usize,
    value_bytes: usize,
    body_bytes: usize,
}

thread_local! {
    static SEEN: Cell<Seen> = const { Cell::new(Seen { messages: 0, headers: 0, value_bytes: 0, body_bytes: 0 }) };
}

struct Callbacks;

impl Host for Callbacks {
    fn call(&mut self, _: &mut dyn Memory, name: &str, args: &[Value]) -> Outcome<Option<Value>> {
        let mut seen = SEEN.get();
        match (name, args) {
            ("wasm_on_message_begin" | "wasm_on_headers_complete" | "wasm_on_status", _) => {}
            ("wasm_on_header_field", _) => seen.headers += 1,
            ("wasm_on_header_value", &[_, _, len]) => seen.value_bytes += len.i32() as usize,
            ("wasm_on_body", &[_, _, len]) => seen.body_bytes += len.i32() as usize,
            ("wasm_on_message_complete", _) => seen.messages += 1,
            _ => return Err(format!("llhttp called {name}").into()),
        }
        SEEN.set(seen);
        Ok(Some(Value::I32(0)))
    }
}

struct Parse {
    parser: i32,
    at: i32,
    len: i32,
    expected: Seen,
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "_initialize", &[])?;
    let mut random = Random(80);
    let (mut text, mut expected) = (String::new(), Seen::default());
    for _ in 0..RESPONSES {
        text.push_str("HTTP/1.1 200 OK\r\n");
        let mut header = |name: &str, value: &str| {
            text.push_str(&format!("{name}: {value}\r\n"));
            expected.headers += 1;
            expected.value_bytes += value.len();
        };
        header("Content-Type", "text/html; charset=utf-8");
        for i in 0..HEADERS {
            let value: String = (0..20 + random.below(2000))
                .map(|_| char::from(b'!' + random.below(90) as u8))
                .collect();
            header(&format!("X-Header-Number-{i}"), &value);
        }
        header("Content-Length", &BODY_LEN.to_string());
        text.push_str("\r\n");
        text.extend(std::iter::repeat_n('x', BODY_LEN));
        expected.messages += 1;
        expected.body_bytes += BODY_LEN;
    }
    Ok(Box::new(Parse {
        parser: call(guest, "llhttp_alloc", &[RESPONSE])?,
        at: put(guest, "malloc", text.as_bytes())?,
        len: text.len() as i32,
        expected,
    }))
}

impl Work for Parse {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        for _ in 0..TURNS {
            SEEN.set(Seen::default());
            match call(guest, "llhttp_execute", &[self.parser, self.at, self.len])? {
                0 => {}
                code => return Err(format!("llhttp failed with {code}").into()),
            }
            if SEEN.get() != self.expected {
                return Err(format!("{:?} instead of {:?}", SEEN.get(), self.expected).into());
            }
        }
        Ok(self.expected.value_bytes as u64)
    }
}
