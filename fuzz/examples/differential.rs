//! The comparison with another engine without a fuzzer.
//!
//!     cargo run --release --example differential -- 0 10000          seeds from 0 up to and without 10000
//!     cargo run --release --example differential -- show 7           one seed: its settings, transcript and difference
//!     cargo run --release --example differential -- write 7 a.wasm   its module
//!     cargo run --release --example differential -- file INPUT       as `show`, for what the fuzzer left
//!     cargo run --release --example differential -- record 2000      what tests/fuzz compares with, to standard output

use std::time::Instant;

use inlay_fuzz::observe::{STACK_OVERFLOW, difference, digest};
use inlay_fuzz::seeds::{self, read};
use inlay_fuzz::{compare, transcripts};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(|arg| &arg[..]).collect();
    let number = |text: &str| text.parse::<u64>().expect("a number");
    match args[..] {
        ["show", seed] => show(&seeds::input(number(seed))),
        ["file", path] => show(&std::fs::read(path).expect("a file that can be read")),
        ["write", seed, path] => {
            let (_, program) =
                read(&seeds::input(number(seed))).expect("a seed that makes a program");
            std::fs::write(path, &program.wasm).expect("a file that can be written");
        }
        ["record", count] => {
            for seed in 0..number(count) {
                let Some((settings, program)) = read(&seeds::input(seed)) else {
                    continue;
                };
                let (ours, theirs) = transcripts(&program, &settings);
                assert_eq!(difference(&ours, &theirs), None, "seed {seed}");
                // How deep a stack goes is not the same everywhere.
                if !theirs
                    .last()
                    .is_some_and(|line| line.ends_with(STACK_OVERFLOW))
                {
                    println!("{seed} {:08x}", digest(&theirs));
                }
            }
        }
        [from, to] => {
            let (mut programs, start) = (0, Instant::now());
            for seed in number(from)..number(to) {
                let Some((settings, program)) = read(&seeds::input(seed)) else {
                    continue;
                };
                programs += 1;
                if let Some(difference) = compare(&program, &settings) {
                    println!(
                        "seed {seed}, {settings:?}, {:?}:\n{difference}\n",
                        program.nans
                    );
                }
            }
            println!("{programs} programs in {:?}", start.elapsed());
        }
        _ => panic!("see the first lines of this file"),
    }
}

fn show(input: &[u8]) {
    let (settings, program) = read(input).expect("an input that makes a program");
    let (ours, theirs) = transcripts(&program, &settings);
    println!("{settings:?}, {:?}", program.nans);
    println!("{}", ours.join("\n"));
    match difference(&ours, &theirs) {
        Some(difference) => println!("\ndiffers {difference}"),
        None => println!("\nthe same in both"),
    }
}
