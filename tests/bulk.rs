//! `memory.copy` and `memory.fill` of every small length, known when compiling and not: at every distance, wherever they
//! overlap, and at the memory's end, where nothing may be written if not all fits. What is compared with is Rust's slices.

#[path = "spec/api.rs"]
mod api;

use api::{Config, Error, Func, Value, c, text, zero};
use std::fmt::Write as _;

/// Lengths from 0 up to this; those of more than 64 bytes are not moved in place.
const LONGEST: u32 = 80;

const PAGE: usize = 1 << 16;

/// Where the tests begin in the memory: the last bytes of it.
const WINDOW: usize = 512;

fn module(memory64: bool) -> Vec<u8> {
    let (ty, memory) = match memory64 {
        true => ("i64", "i64 1 1"),
        false => ("i32", "1 2"),
    };
    let mut wat = format!("(module (memory (export \"memory\") {memory})\n");
    for n in 0..=LONGEST {
        writeln!(
            wat,
            r#"(func (export "copy{n}") (param {ty} {ty})
                 (memory.copy (local.get 0) (local.get 1) ({ty}.const {n})))
               (func (export "fill{n}") (param {ty} i32)
                 (memory.fill (local.get 0) (local.get 1) ({ty}.const {n})))
               (func (export "zero{n}") (param {ty})
                 (memory.fill (local.get 0) (i32.const 0) ({ty}.const {n})))"#
        )
        .unwrap();
    }
    writeln!(
        wat,
        r#"(func (export "copy") (param {ty} {ty} {ty}) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
           (func (export "fill") (param {ty} i32 {ty}) (memory.fill (local.get 0) (local.get 1) (local.get 2))))"#
    )
    .unwrap();
    wat::parse_str(wat).unwrap()
}

struct World {
    memory: *mut c::inlay_memory_t,
    memory64: bool,
    func: Box<dyn Fn(&str) -> Func>,
}

impl World {
    fn address(&self, address: i64) -> Value {
        let mut value = zero();
        match self.memory64 {
            true => (value.kind, value.of.i64) = (c::INLAY_I64, address),
            false => (value.kind, value.of.i32) = (c::INLAY_I32, address as i32),
        }
        value
    }

    fn byte(&self, byte: i32) -> Value {
        let mut value = zero();
        (value.kind, value.of.i32) = (c::INLAY_I32, byte);
        value
    }

    /// The window, after it was filled with numbers that differ from each other.
    fn prepare(&self) -> Vec<u8> {
        // SAFETY: the memory has a page, and no wasm runs.
        let window = unsafe {
            let data = c::inlay_memory_data(self.memory).add(PAGE - WINDOW);
            std::slice::from_raw_parts_mut(data, WINDOW)
        };
        for (i, byte) in window.iter_mut().enumerate() {
            *byte = (i * 167 + i / 251 + 3) as u8;
        }
        window.to_vec()
    }

    /// Calls, and compares: with what is expected, if all fits, or with what was there and a trap.
    fn expect(&self, name: &str, args: &[Value], before: &[u8], expected: Option<Vec<u8>>) {
        let outcome = (self.func)(name).call(args, 0);
        // SAFETY: as above.
        let after = unsafe {
            let data = c::inlay_memory_data(self.memory).add(PAGE - WINDOW);
            std::slice::from_raw_parts(data, WINDOW)
        };
        match expected {
            Some(expected) => {
                outcome.unwrap();
                assert!(after == expected, "{name}");
            }
            None => {
                let trap = outcome.err().as_ref().map(Error::trap);
                assert_eq!(trap, Some(c::INLAY_TRAP_OUT_OF_BOUNDS_MEMORY), "{name}");
                assert!(after == before, "{name}");
            }
        }
    }
}

/// All starts within the window that are near each other or near its end, and one far beyond.
fn starts(n: usize) -> Vec<usize> {
    let end = WINDOW - n;
    let mut starts = vec![
        0,
        1,
        7,
        n / 2,
        n,
        n + 1,
        end - 1,
        end,
        end + 1,
        WINDOW,
        WINDOW + 1,
    ];
    starts.push(1 << 20);
    starts
}

fn every_length(world: &World) {
    let offset = (PAGE - WINDOW) as i64;
    let fits = |start: usize, n: usize| start + n <= WINDOW;
    for n in 0..=LONGEST as usize {
        let len = world.address(n as i64);
        for target in starts(n) {
            let at = world.address(offset + target as i64);
            for byte in [0, 0x5a, 0x1ff] {
                let filled = |before: &[u8]| {
                    fits(target, n).then(|| {
                        let mut expected = before.to_vec();
                        expected[target..target + n].fill(byte as u8);
                        expected
                    })
                };
                let before = world.prepare();
                let value = world.byte(byte);
                world.expect(&format!("fill{n}"), &[at, value], &before, filled(&before));
                let before = world.prepare();
                world.expect("fill", &[at, value, len], &before, filled(&before));
                if byte == 0 {
                    let before = world.prepare();
                    world.expect(&format!("zero{n}"), &[at], &before, filled(&before));
                }
            }
            for source in starts(n) {
                let from = world.address(offset + source as i64);
                let copied = |before: &[u8]| {
                    (fits(target, n) && fits(source, n)).then(|| {
                        let mut expected = before.to_vec();
                        expected.copy_within(source..source + n, target);
                        expected
                    })
                };
                let before = world.prepare();
                world.expect(&format!("copy{n}"), &[at, from], &before, copied(&before));
                let before = world.prepare();
                world.expect("copy", &[at, from, len], &before, copied(&before));
            }
        }
    }
    // What would wrap does not.
    let before = world.prepare();
    for (name, at, len) in [("fill", -1, 2), ("fill", offset, -1), ("fill", -1, -1)] {
        let args = [world.address(at), world.byte(1), world.address(len)];
        world.expect(name, &args, &before, None);
        let args = [world.address(at), world.address(0), world.address(len)];
        world.expect("copy", &args, &before, None);
        let args = [world.address(0), world.address(at), world.address(len)];
        world.expect("copy", &args, &before, None);
    }
}

fn with(traps: c::inlay_traps_t, flags: &[(&str, &str)]) {
    let engine = Config::new().engine_with(traps, flags);
    for memory64 in [false, true] {
        let store = engine.store().unwrap();
        let module = engine.compile(&module(memory64)).unwrap();
        let linker = engine.linker().unwrap();
        let instance = linker.instantiate(&store, &module).unwrap();
        // SAFETY: the instance lives as long as its store.
        let memory = unsafe { c::inlay_instance_memory(instance.0, text("memory").as_ptr()) };
        let world = World {
            memory,
            memory64,
            func: Box::new(move |name| instance.func(name).unwrap()),
        };
        every_length(&world);
    }
}

#[test]
fn compared() {
    with(c::INLAY_TRAPS_EXPLICIT, &[]);
}

#[test]
fn compared_and_guarded_against_speculation() {
    let flags = [("enable_heap_access_spectre_mitigation", "true")];
    with(c::INLAY_TRAPS_EXPLICIT, &flags);
}

#[test]
fn not_optimized() {
    with(c::INLAY_TRAPS_EXPLICIT, &[("opt_level", "none")]);
}

#[cfg(not(target_arch = "s390x"))]
#[test]
fn by_faults() {
    with(c::INLAY_TRAPS_FAULTS, &[]);
}
