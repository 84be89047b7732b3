//! What the fuzz targets do, with seeds in place of a fuzzer: the same in every run, and about a minute of it.
//!
//! `fuzz/` has the targets, which need `cargo-fuzz`, and compares with another engine directly. To build that engine
//! takes longer than everything else here, so what it saw is in `recorded.txt`: a line for each seed, with a checksum of
//! the transcript. `fuzz/README.md` says how to record it again, and how to look into a seed.

#[path = "../spec/api.rs"]
mod api;
#[path = "../../fuzz/src/calls/mod.rs"]
mod calls;
mod counted;
#[path = "../spec/dual_map.rs"]
mod dual_map;
#[path = "../../fuzz/src/observe.rs"]
#[allow(
    dead_code,
    reason = "transcripts are only told apart where both are there"
)]
mod observe;
#[path = "../../fuzz/src/program.rs"]
mod program;
#[path = "../../fuzz/src/random.rs"]
mod random;
#[path = "../../fuzz/src/references.rs"]
mod references;
#[path = "../../fuzz/src/seeds.rs"]
mod seeds;
#[path = "../../fuzz/src/subject.rs"]
mod subject;
#[path = "../../fuzz/src/teaser.rs"]
mod teaser;
#[cfg(unix)]
#[path = "../../fuzz/src/wasi.rs"]
mod wasi;

use std::sync::Arc;

use api::c;
use observe::{Machine, STACK_OVERFLOW, Value, digest, observe};
use program::Program;
use subject::{Settings, Subject};

/// Made by the other engine, with `fuzz/examples/differential.rs`.
const RECORDED: &str = include_str!("recorded.txt");

/// Whatever a program asks of WASI, nothing outside its directory is touched.
#[cfg(unix)]
#[test]
fn calls_of_wasi_reach_nothing_else() {
    for seed in 0..1000 {
        wasi::run(&seeds::input(seed));
    }
}

#[test]
fn programs_do_what_they_do_in_another_engine() {
    let mut lines = 0;
    for line in RECORDED.lines() {
        let (seed, expected) = line.split_once(' ').expect("a seed and a checksum");
        let seed = seed.parse().expect("a number");
        let (settings, program) = seeds::read(&seeds::input(seed))
            .unwrap_or_else(|| panic!("seed {seed} makes no program any more: record again"));
        let transcript = subject::on_its_stack(|| {
            let mut subject = Subject::new(&program, &settings);
            let transcript = observe(&program, &mut subject);
            subject.end();
            transcript
        });
        lines += transcript.len();
        assert_eq!(
            format!("{:08x}", digest(&transcript)),
            expected,
            "seed {seed} with {settings:?} and {:?}; fuzz/README.md says how to see where. Inlay's transcript:\n{}",
            program.nans,
            transcript.join("\n"),
        );
    }
    let programs = RECORDED.lines().count();
    println!("fuzz differential: {programs} programs, {lines} lines of transcript the same");
    assert!(programs >= 3000 && lines > 20 * programs);
}

#[test]
fn random_sequences_of_calls_end_well() {
    const SEQUENCES: u64 = 400;
    let modules = calls::Modules::new();
    let (mut count, mut kinds) = (0, [0; 16]);
    for seed in 0..SEQUENCES {
        let summary = subject::on_its_stack(|| calls::run(&seeds::input(seed), &modules));
        count += summary.calls;
        for (sum, more) in kinds.iter_mut().zip(summary.kinds) {
            *sum += more;
        }
    }
    println!("fuzz calls: {SEQUENCES} sequences, {count} calls, errors by kind {kinds:?}");
    // Sequences that never get far would show nothing.
    let many = [
        c::INLAY_ERROR_INVALID_MODULE,
        c::INLAY_ERROR_UNSUPPORTED,
        c::INLAY_ERROR_LINK,
        c::INLAY_ERROR_TRAP,
        c::INLAY_ERROR_INVALID_ARGUMENT,
        c::INLAY_ERROR_HOST,
        c::INLAY_ERROR_INVALID_IMAGE,
        c::INLAY_ERROR_LIMIT,
        c::INLAY_ERROR_EXCEPTION,
        c::INLAY_ERROR_LINEAR_MEMORY,
    ];
    assert!(
        many.iter().all(|kind| kinds[*kind as usize] > 30),
        "{kinds:?}"
    );
}

/// What the wasm of a program takes of so much fuel, and what is seen of it; none if its stack overflows, which takes what it
/// happens to take.
fn spent(program: &Program, settings: &Settings, units: u64) -> Option<(u64, Vec<String>)> {
    let settings = settings.with_fuel(units);
    let (left, transcript) = subject::on_its_stack(|| {
        let mut subject = Subject::new(program, &settings);
        let transcript = observe(program, &mut subject);
        let left = subject.fuel();
        subject.end();
        (left, transcript)
    });
    let overflows = transcript.iter().any(|line| line.ends_with(STACK_OVERFLOW));
    (!overflows).then_some((units - left, transcript))
}

/// What a program counts for itself, if it has come to be instantiated.
fn counted(program: &Program, settings: &Settings) -> Option<u64> {
    subject::on_its_stack(|| {
        let mut subject = Subject::new(program, settings);
        observe(program, &mut subject);
        let counter = subject
            .has_instance()
            .then(|| subject.global(counted::COUNTER));
        subject.end();
        counter.map(|value| match value {
            Value::I64(units) => units as u64,
            other => panic!("a counter of {other}"),
        })
    })
}

/// With every setting, programs take the fuel that they count themselves; and with less, they stop in the same places.
#[test]
fn fuel_is_what_instructions_cost() {
    const PROGRAMS: u64 = 400;
    let (mut same, mut stopped, mut units) = (0, 0, 0);
    for seed in 0..PROGRAMS {
        let read = |seed| {
            let (settings, mut program) = seeds::read(&seeds::input(seed))?;
            let own = Arc::get_mut(&mut program).expect("nobody else has it");
            own.rounds.truncate(1);
            Some((settings, program))
        };
        let Some((settings, program)) = read(seed) else {
            continue;
        };
        let Some((plain, _)) = read(seed + PROGRAMS) else {
            continue;
        };
        const MUCH: u64 = 1 << 40;
        // Frames differ, so that one of them may overflow where the other does not.
        let both = |units| {
            Some((
                spent(&program, &settings, units)?,
                spent(&program, &plain, units)?,
            ))
        };
        let Some(((used, _), (also, _))) = both(MUCH) else {
            continue;
        };
        assert_eq!(
            used, also,
            "seed {seed} with {settings:?} and with {plain:?}"
        );
        for part in 1..4 {
            let budget = used * part / 4;
            let Some((one, other)) = both(budget) else {
                continue;
            };
            assert!(
                one == other,
                "seed {seed} with {budget} units of {used}, {settings:?} and {plain:?}"
            );
            stopped += u64::from(one.1.iter().any(|line| line.ends_with("out of fuel")));
        }
        let (_, mut program) = read(seed).expect("as before");
        let Some(wasm) = counted::counted(&program.wasm) else {
            continue;
        };
        Arc::get_mut(&mut program).expect("nobody else has it").wasm = wasm;
        if let Some(counted) = counted(&program, &plain) {
            assert_eq!(
                used, counted,
                "seed {seed}: what Inlay takes, and what is counted"
            );
            same += 1;
            units += used;
        }
    }
    println!(
        "fuzz fuel: {same} programs take what they count, {units} units; {stopped} runs stopped"
    );
    assert!(same > PROGRAMS / 2 && stopped > PROGRAMS && units > 1_000 * same);
}
