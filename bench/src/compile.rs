//! How long compiling takes, on one thread, and how large the code is, against Wasmtime as it comes.

use crate::engines::{Engine, Outcome};
use crate::suite::Member;
use crate::{clock, stats};

pub fn race(engines: &[Box<dyn Engine>], members: &[&Member], rounds: usize) -> Outcome<()> {
    clock::pin();
    print!(
        "| {:<18} | {:>9} | {:>9} | {:>9} |",
        "member", "wasm (B)", "ms", "code (B)"
    );
    engines[1..].iter().for_each(|engine| {
        print!(
            " {:>22} | {:>6} |",
            format!("{}: time", engine.name()),
            "size"
        )
    });
    println!();
    print!("| {:-<18} | {:->8}: | {:->8}: | {:->8}: |", "", "", "", "");
    engines[1..]
        .iter()
        .for_each(|_| print!(" {:->21}: | {:->5}: |", "", ""));
    println!();
    let mut all: Vec<Vec<(f64, f64)>> = vec![Vec::new(); engines.len()];
    for member in members {
        let wasm = std::fs::read(&member.wasm)
            .map_err(|error| format!("{}: {error}", member.wasm.display()))?;
        let mut times = vec![Vec::new(); engines.len()];
        let mut sizes = vec![0; engines.len()];
        // The first round warms up; each has another engine first.
        for round in 0..=rounds {
            for i in 0..engines.len() {
                let i = (i + round) % engines.len();
                let start = clock::now();
                sizes[i] = engines[i].compile(&wasm)?.len();
                if round > 0 {
                    times[i].push((clock::now() - start).as_secs_f64());
                }
            }
        }
        let base = stats::median(&times[0]);
        print!(
            "| {:<18} | {:>9} | {:>9.2} | {:>9} |",
            member.name,
            wasm.len(),
            base * 1000.0,
            sizes[0]
        );
        for i in 1..engines.len() {
            let time: Vec<f64> = times[i]
                .iter()
                .zip(&times[0])
                .map(|(time, base)| time / base)
                .collect();
            let (time, size) = (stats::median(&time), sizes[i] as f64 / sizes[0] as f64);
            print!(" {time:>22.3} | {size:>6.3} |");
            all[i].push((time, size));
        }
        println!();
    }
    print!(
        "| {:<18} | {:>9} | {:>9} | {:>9} |",
        "geometric mean", "", "", ""
    );
    for ratios in &all[1..] {
        let time = stats::geometric_mean(ratios.iter().map(|(time, _)| *time));
        let size = stats::geometric_mean(ratios.iter().map(|(_, size)| *size));
        print!(" {time:>22.3} | {size:>6.3} |");
    }
    println!();
    Ok(())
}
