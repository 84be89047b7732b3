//! What the fuzz targets do, with seeds in place of a fuzzer: the same in every run, and about a minute of it.
//!
//! `fuzz/` has the targets, which need `cargo-fuzz`, and compares with another engine directly. To build that engine
//! takes longer than everything else here, so what it saw is in `recorded.txt`: a line for each seed, with a checksum of
//! the transcript. `fuzz/README.md` says how to record it again, and how to look into a seed.

#[path = "../spec/api.rs"]
mod api;
#[path = "../../fuzz/src/calls/mod.rs"]
mod calls;
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

use api::c;
use observe::{digest, observe};
use subject::Subject;

/// Made by the other engine, with `fuzz/examples/differential.rs`.
const RECORDED: &str = include_str!("recorded.txt");

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
    ];
    assert!(
        many.iter().all(|kind| kinds[*kind as usize] > 50),
        "{kinds:?}"
    );
}
