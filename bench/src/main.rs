//! Compares Inlay with the `wasmtime` crate on one real module, argon2.wasm of npm's argon2-browser: how
//! long it takes to compile, and how long to compute one Argon2id hash. Both use Cranelift at
//! `opt_level=speed` on one thread. They take turns within each round, so that whatever else the
//! machine does meets both, and the medians are printed side by side.
//!
//! Wasmtime appears twice: as it comes, with guard pages and signals in place of bounds checks, and with
//! explicit checks as Inlay has them.

mod inlay_side;
mod wasmtime_side;

use std::error::Error;
use std::time::{Duration, Instant};

/// One hash: 3 passes over 16 MiB, one lane.
const PASSES: i32 = 3;
const MEMORY_KIB: i32 = 16 * 1024;
const PASSWORD: &[u8] = b"password";
const SALT: &[u8] = b"somesalt";
const ARGON2ID: i32 = 2;
const VERSION: i32 = 0x13;

const COMPILE_ROUNDS: usize = 15;
const RUN_ROUNDS: usize = 9;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What each of the competitors can do.
trait Side {
    /// Compiles the module and forgets it; the size of its machine code.
    fn compile(&self, wasm: &[u8]) -> Outcome<usize>;
    /// Makes an instance that is ready to hash.
    fn prepare(&self, wasm: &[u8]) -> Outcome<Box<dyn Hasher>>;
}

trait Hasher {
    fn hash(&mut self) -> Outcome<[u8; 32]>;
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn main() -> Outcome<()> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: inlay-bench path/to/argon2.wasm")?;
    let wasm = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;

    let sides: Vec<(&str, Box<dyn Side>)> = vec![
        ("inlay", Box::new(inlay_side::Inlay::new()?)),
        (
            "wasmtime, as it comes",
            Box::new(wasmtime_side::Wasmtime::new(true)?),
        ),
        (
            "wasmtime, explicit checks",
            Box::new(wasmtime_side::Wasmtime::new(false)?),
        ),
    ];

    let mut compile_times = vec![Vec::new(); sides.len()];
    let mut code_sizes = vec![0; sides.len()];
    for round in 0..=COMPILE_ROUNDS {
        for (index, (_, side)) in sides.iter().enumerate() {
            let start = Instant::now();
            code_sizes[index] = side.compile(&wasm)?;
            // The first round only warms up.
            if round > 0 {
                compile_times[index].push(start.elapsed());
            }
        }
    }

    let mut hashers = Vec::new();
    for (_, side) in &sides {
        hashers.push(side.prepare(&wasm)?);
    }
    let mut run_times = vec![Vec::new(); sides.len()];
    let mut hash = None;
    for round in 0..=RUN_ROUNDS {
        for (index, hasher) in hashers.iter_mut().enumerate() {
            let start = Instant::now();
            let result = hasher.hash()?;
            if round > 0 {
                run_times[index].push(start.elapsed());
            }
            if *hash.get_or_insert(result) != result {
                return Err(format!("{} computed another hash", sides[index].0).into());
            }
        }
    }

    println!("{path}: {} bytes", wasm.len());
    println!(
        "Argon2id, {PASSES} passes, {} MiB, 1 lane; medians of {COMPILE_ROUNDS} and {RUN_ROUNDS} rounds",
        MEMORY_KIB / 1024
    );
    println!(
        "{:<28}{:>14}{:>12}{:>14}",
        "", "compile (ms)", "run (ms)", "code (bytes)"
    );
    for (index, (name, _)) in sides.iter().enumerate() {
        let compile = median(std::mem::take(&mut compile_times[index]));
        let run = median(std::mem::take(&mut run_times[index]));
        println!(
            "{name:<28}{compile:>14.2}{run:>12.2}{:>14}",
            code_sizes[index]
        );
    }
    Ok(())
}
