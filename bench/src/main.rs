//! Races Inlay with the `wasmtime` crate, which uses the same Cranelift, over the members of a suite.
//!
//! ```text
//! inlay-bench race    [--rounds N] [NAME...]   how fast code is
//! inlay-bench compile [--rounds N] [NAME...]   how long compiling takes, and how large code is
//! inlay-bench interruption [--rounds N] [NAME...]   what it costs that code can be interrupted
//! inlay-bench fuel    [--rounds N] [NAME...]   what it costs that code uses fuel
//! inlay-bench calls   [--rounds N]             what calls into wasm and out of it cost
//! inlay-bench instances [--rounds N]           what an instance costs
//! inlay-bench run ENGINE NAME [TIMES]          one member alone, for profilers and for counting instructions
//! inlay-bench code ENGINE NAME FILE            its machine code, for a disassembler
//! inlay-bench list                             the engines and the members
//! ```
//!
//! A name stands for all members that contain it. `bench/suite.sh` makes the modules, in
//! target/suite or where INLAY_SUITE says.

mod clock;
mod compile;
mod crossings;
mod engines;
mod instances;
mod pad;
mod race;
mod random;
mod stats;
mod suite;

use engines::{Engine, Extra, Outcome};
use std::path::Path;
use suite::Member;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let made = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/suite");
    let dir = std::env::var("INLAY_SUITE").unwrap_or_else(|_| made.to_string());
    let members = suite::members(Path::new(&dir))?;
    let engines = engines::all()?;
    let (rounds, names) = match args[..] {
        [_, "--rounds", rounds, ref names @ ..] => (rounds.parse()?, names),
        [_, ref names @ ..] => (15, names),
        [] => {
            return Err(
                "what is to be done: race, compile, interruption, fuel, calls, instances, run or list?"
                    .into(),
            );
        }
    };
    let is_chosen =
        |member: &&Member| names.is_empty() || names.iter().any(|name| member.name.contains(name));
    let chosen: Vec<&Member> = members.iter().filter(is_chosen).collect();
    match args[0] {
        "race" => race::race(&engines, &chosen, rounds),
        "compile" => compile::race(&engines, &chosen, rounds),
        "interruption" => with_and_without(Extra::Interruption, &chosen, rounds),
        "fuel" => with_and_without(Extra::Fuel, &chosen, rounds),
        "calls" => crossings::calls(rounds),
        "instances" => instances::instances(rounds),
        "list" => {
            engines::every()?
                .iter()
                .for_each(|engine| println!("{}", engine.name()));
            chosen.iter().for_each(|member| println!("{}", member.name));
            Ok(())
        }
        "code" => {
            let [engine, name, file] = args[1..] else {
                return Err("usage: code ENGINE NAME FILE".into());
            };
            let engines = engines::every()?;
            let (engine, member) = find(&engines, &members, engine, name)?;
            Ok(std::fs::write(
                file,
                engine.compile(&std::fs::read(&member.wasm)?)?,
            )?)
        }
        "run" => run(&engines::every()?, &members, &args[1..]),
        other => Err(format!("there is no command {other}").into()),
    }
}

/// Races each engine with itself.
fn with_and_without(extra: Extra, members: &[&Member], rounds: usize) -> Outcome<()> {
    for engines in engines::with_and_without(extra)? {
        println!("{}:\n", engines[0].name());
        race::race(&engines, members, rounds)?;
        println!();
    }
    Ok(())
}

/// One member in one engine, some times.
fn run(
    engines: &[Box<dyn engines::Engine>],
    members: &[suite::Member],
    args: &[&str],
) -> Outcome<()> {
    let (engine, name, times) = match *args {
        [engine, name] => (engine, name, 1),
        [engine, name, times] => (engine, name, times.parse()?),
        _ => return Err("usage: run ENGINE NAME [TIMES]".into()),
    };
    let (engine, member) = find(engines, members, engine, name)?;
    let wasm = std::fs::read(&member.wasm)?;
    let mut guest = engine.start(&wasm, (member.host)())?;
    let mut work = (member.start)(&mut *guest)?;
    for _ in 0..times {
        let start = clock::now();
        let result = work.run(&mut *guest)?;
        println!(
            "{:.3} s: {result:#018x}",
            (clock::now() - start).as_secs_f64()
        );
    }
    Ok(())
}

fn find<'a>(
    engines: &'a [Box<dyn Engine>],
    members: &'a [Member],
    engine: &str,
    name: &str,
) -> Outcome<(&'a dyn Engine, &'a Member)> {
    let found = engines.iter().find(|candidate| candidate.name() == engine);
    let member = members.iter().find(|member| member.name == name);
    Ok((
        &**found.ok_or("there is no such engine")?,
        member.ok_or("there is no such member")?,
    ))
}
