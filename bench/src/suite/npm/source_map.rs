//! source-map: reading of the numbers in base 64 that source maps are made of, and sorting of them, in Rust.

use super::{Guest, Host, Memory, Module, Outcome, Random, Value, Work, call, slice};
use std::cell::Cell;

pub const MODULE: Module = Module {
    name: "source_map",
    path: "source-map/lib/mappings.wasm",
    host: || Box::new(Callback),
    start,
};

const LINES: i32 = 8000;
const SEGMENTS: i32 = 12;
/// The map is asked for the original of one of so many lines.
const ASKED: usize = 8;
const TURNS: usize = 5;

/// A mapping, as far as it is looked at.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Mapping {
    line: i32,
    column: i32,
    source: i32,
    original_line: i32,
    original_column: i32,
}

thread_local! {
    /// The last mapping that the module reported.
    static REPORTED: Cell<Mapping> = Cell::default();
}

struct Callback;

impl Host for Callback {
    fn call(&mut self, _: &mut dyn Memory, name: &str, args: &[Value]) -> Outcome<Option<Value>> {
        match (name, args) {
            ("mapping_callback", &[line, column, _, _, _, ref original @ .., _, _]) => {
                let [source, original_line, original_column] = *original else {
                    return Err("a mapping has ten arguments".into());
                };
                REPORTED.set(Mapping {
                    line: line.i32(),
                    column: column.i32(),
                    source: source.i32(),
                    original_line: original_line.i32(),
                    original_column: original_column.i32(),
                });
                Ok(None)
            }
            _ => Err(format!("source-map called {name}").into()),
        }
    }
}

struct Map {
    text: Vec<u8>,
    /// The last mapping of each line.
    last: Vec<Mapping>,
}

fn start(_: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    let mut random = Random(99);
    let (mut text, mut last) = (Vec::new(), Vec::new());
    let mut old = [0; 3];
    for line in 0..LINES {
        let mut column = 0;
        for segment in 0..SEGMENTS {
            if segment > 0 {
                text.push(b',');
            }
            let step = 1 + random.below(20) as i32;
            column += step;
            let original = [
                random.below(4) as i32,
                random.below(5000) as i32,
                random.below(100) as i32,
            ];
            number(&mut text, step);
            for (new, old) in original.into_iter().zip(old) {
                number(&mut text, new - old);
            }
            old = original;
            if segment == SEGMENTS - 1 {
                let [source, original_line, original_column] = original;
                last.push(Mapping {
                    line,
                    column,
                    source,
                    original_line,
                    original_column,
                });
            }
        }
        text.push(b';');
    }
    Ok(Box::new(Map { text, last }))
}

/// Adds a number as source maps have them: 5 bits a digit, the sign first, the lowest digit first.
fn number(text: &mut Vec<u8>, number: i32) {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = number.unsigned_abs() << 1 | u32::from(number < 0);
    loop {
        let more = u32::from(rest >= 32) << 5;
        text.push(DIGITS[(rest & 31 | more) as usize]);
        rest >>= 5;
        if more == 0 {
            break;
        }
    }
}

impl Map {
    fn read(&self, guest: &mut dyn Guest) -> Outcome<u64> {
        let at = call(guest, "allocate_mappings", &[self.text.len() as i32])?;
        slice(guest.memory(), at, self.text.len())?.copy_from_slice(&self.text);
        let mappings = call(guest, "parse_mappings", &[at])?;
        if mappings == 0 {
            return Err("source-map failed to parse".into());
        }
        call(guest, "compute_column_spans", &[mappings])?;
        let mut result = 0u64;
        for last in self.last.iter().step_by(ASKED) {
            // The nearest mapping before a place behind the last one of a line.
            let args = [mappings, last.line, last.column + 5, 1];
            call(guest, "original_location_for", &args)?;
            if REPORTED.get() != *last {
                return Err(format!("{:?} instead of {last:?}", REPORTED.get()).into());
            }
            // And back, where several can be at one place.
            let args = [
                mappings,
                last.source,
                last.original_line,
                last.original_column,
                1,
            ];
            call(guest, "generated_location_for", &args)?;
            let back = REPORTED.get();
            if (back.source, back.original_line) != (last.source, last.original_line) {
                return Err(format!("{back:?} instead of {last:?}").into());
            }
            result = result.wrapping_mul(31) ^ back.line as u64;
        }
        call(guest, "free_mappings", &[mappings])?;
        Ok(result)
    }
}

impl Work for Map {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let mut result = 0;
        for _ in 0..TURNS {
            result = self.read(guest)?;
        }
        Ok(result)
    }
}
