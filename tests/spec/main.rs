//! The official WebAssembly test suite, version 2.0 without SIMD and with extended constant expressions, driven
//! through the C functions.
//!
//! Each test is one configuration: an engine, all scripts, a fresh store and linker per script. A failing assertion
//! prints `file:line: what happened`; the numbers of each configuration are printed with `--nocapture`.

/// Makes two tests of each function, one for each way to trap.
macro_rules! in_both_ways {
    ($($name:ident),* $(,)?) => {
        mod explicit {
            $(#[test]
            fn $name() {
                super::$name(crate::c::INLAY_TRAPS_EXPLICIT);
            })*
        }

        // Faults of this CPU are not handled.
        #[cfg(not(target_arch = "s390x"))]
        mod faults {
            $(#[test]
            fn $name() {
                super::$name(crate::c::INLAY_TRAPS_FAULTS);
            })*
        }
    };
}

mod api;
#[cfg(all(target_arch = "x86_64", any(target_os = "linux", windows)))]
mod dual_map;
mod objects;
mod run;
#[cfg(feature = "compiler")]
mod settings;
mod spectest;
mod suite;
mod typed;
mod values;
mod wasm3;

use api::{Config, Engine, c};
use run::{ExpectedFailure, Report, Setup};

/// Assertions of the suite that cannot pass yet. Empty, and meant to stay so.
const EXPECTED_FAILURES: &[ExpectedFailure] = &[];

/// What there is to pass in the pinned version of the suite. Exact, so that nothing goes missing in silence.
const FILES: usize = 93;
const ASSERTIONS: usize = 26_922;

/// How many of the modules that must be refused become valid with later versions or proposals: several memories
/// and what their indices take the place of, shared globals, and numbers of pages of up to 64 bits.
const LATER_FEATURES: usize = 17;

/// An engine for WebAssembly 2.0: its suite asserts that some of what came later is invalid.
fn engine(traps: c::inlay_traps_t, configure: impl FnOnce(&Config)) -> Engine {
    let switches = [("multi-memory", false), ("memory64", false)];
    engine_with(traps, &switches, configure)
}

/// An engine that traps in one of the two ways. Where traps are faults, the tests leave the handlers to Inlay.
fn engine_with(
    traps: c::inlay_traps_t,
    switches: &[(&str, bool)],
    configure: impl FnOnce(&Config),
) -> Engine {
    let config = Config::new();
    for &(feature, on) in switches {
        config.feature(feature, on).unwrap();
    }
    configure(&config);
    objects::mode().configure(&config);
    let engine = config.engine_with(traps, &[]);
    objects::made(&engine, traps);
    engine
}

in_both_ways!(
    host_auto,
    host_builtin,
    as_if_large,
    interruptible,
    fuelled,
    saved_and_loaded,
    compile_threads_change_nothing,
);

fn scripts() -> impl Iterator<Item = (String, &'static str)> {
    suite::files()
        .into_iter()
        .map(|file| (suite::name(&file), file.raw()))
}

fn run_all(setup: &Setup<'_>) -> Report {
    let report = run::run(setup, scripts());
    assert_eq!(
        report.failed, 0,
        "spec {}: {} failed, see above",
        setup.name, report.failed
    );
    assert_eq!(
        (report.files, report.passed + report.untried),
        (FILES, ASSERTIONS),
        "the suite is not complete"
    );
    assert!(
        report.unsupported <= LATER_FEATURES,
        "spec {}: {} modules need a later feature, of {LATER_FEATURES} that do",
        setup.name,
        report.unsupported
    );
    assert!(
        report.typed_prints > 0 && report.boxed_prints > 0,
        "the host functions were not called"
    );
    report
}

fn setup<'a>(name: &'a str, compiler: &'a Engine) -> Setup<'a> {
    Setup {
        name,
        compiler,
        loader: None,
        typed_calls: false,
        expected_failures: EXPECTED_FAILURES,
    }
}

fn host_auto(traps: c::inlay_traps_t) {
    let engine = engine(traps, |config| {
        config.float_ops(c::INLAY_FLOAT_OPS_AUTO).unwrap()
    });
    run_all(&setup("host/auto", &engine));
}

fn host_builtin(traps: c::inlay_traps_t) {
    let engine = engine(traps, |config| {
        config.float_ops(c::INLAY_FLOAT_OPS_BUILTIN).unwrap()
    });
    run_all(&setup("host/builtin", &engine));
}

/// What large functions are compiled with: locals in the frame, no optimizer, one pass of register allocation.
fn as_if_large(traps: c::inlay_traps_t) {
    let engine = engine(traps, |config| {
        config.flag("regalloc_algorithm", "single_pass").unwrap();
        config.flag("opt_level", "none").unwrap();
    });
    run_all(&setup("host/auto, as if large", &engine));
}

/// Code that looks whether it is to stop, which it never is.
fn interruptible(traps: c::inlay_traps_t) {
    let engine = engine(traps, |config| config.interruption(true).unwrap());
    run_all(&setup("host/auto, interruptible", &engine));
}

/// Code that uses fuel, of which there is enough.
fn fuelled(traps: c::inlay_traps_t) {
    let engine = engine(traps, |config| config.fuel(true).unwrap());
    run_all(&setup("host/auto, fuelled", &engine));
}

/// Every module goes through an image: saved by one engine, loaded and run by another.
fn saved_and_loaded(traps: c::inlay_traps_t) {
    let compiler = engine(traps, |_| {});
    let loader = engine(traps, |_| {});
    run_all(&Setup {
        loader: Some(&loader),
        ..setup("host/auto, saved and loaded", &compiler)
    });
}

/// The same wasm and settings give the same bytes, with however many threads.
fn compile_threads_change_nothing(traps: c::inlay_traps_t) {
    let one = engine(traps, |config| config.compile_threads(1).unwrap());
    let four = engine(traps, |config| config.compile_threads(4).unwrap());
    let samples = suite::valid_modules();
    let mut different = 0;
    for sample in &samples {
        let image = |engine: &Engine| {
            engine
                .compile(&sample.wasm)
                .and_then(|module| module.save())
        };
        match (image(&one), image(&four)) {
            (Ok(one), Ok(four)) if one.bytes() == four.bytes() && !one.bytes().is_empty() => {}
            (Ok(_), Ok(_)) => {
                println!(
                    "{}: 1 and 4 compile threads give different images",
                    sample.name
                );
                different += 1;
            }
            (one, four) => {
                println!(
                    "{}: {:?} with 1 thread, {:?} with 4",
                    sample.name,
                    one.err(),
                    four.err()
                );
                different += 1;
            }
        }
    }
    println!(
        "spec compile threads: {} modules, {different} different",
        suite::grouped(samples.len())
    );
    assert_eq!(different, 0);
}

/// What this test program is worth: each of these assertions is wrong, and each has to be noticed.
#[test]
fn the_driver_notices_what_is_wrong() {
    let wrong = r#"
        (module
          (memory 1)
          (func (export "one") (result i32) (i32.const 1))
          (func (export "nan") (result f32) (f32.const nan:0x200001))
          (func (export "payload") (result f64) (f64.const nan:0x8000000000001))
          (func (export "zero") (result f64) (f64.const 0))
          (func (export "null") (result externref) (ref.null extern))
          (func (export "same") (param externref) (result externref) (local.get 0))
          (func (export "trap") (unreachable)))
        (assert_return (invoke "one") (i32.const 2))
        (assert_return (invoke "one") (i64.const 1))
        (assert_return (invoke "one"))
        (assert_return (invoke "nan") (f32.const nan:canonical))
        (assert_return (invoke "nan") (f32.const nan:arithmetic))
        (assert_return (invoke "payload") (f64.const nan:canonical))
        (assert_return (invoke "zero") (f64.const -0))
        (assert_return (invoke "null") (ref.null func))
        (assert_return (invoke "null") (ref.extern 0))
        (assert_return (invoke "same" (ref.extern 1)) (ref.extern 2))
        (assert_return (invoke "trap"))
        (assert_return (invoke "no such export"))
        (assert_return (invoke "one" (i32.const 0)) (i32.const 1))
        (assert_trap (invoke "one") "unreachable")
        (assert_trap (invoke "trap") "integer overflow")
        (assert_trap (module (import "spectest" "unknown" (func))) "unreachable")
        (assert_exhaustion (invoke "trap") "unreachable")
        (assert_invalid (module) "nothing is wrong with it")
        (assert_malformed (module binary "\00asm\01\00\00\00") "nothing is wrong with it")
        (assert_malformed (module quote "(func)") "nothing is wrong with it")
        (assert_unlinkable (module) "nothing is missing")
        (assert_unlinkable (module (func $f (unreachable)) (start $f)) "a trap is no link error")
        (invoke "trap")
        (register "name" $nobody)
        (thread $t (invoke "one"))
        (wait $t)
    "#;
    let right = r#"
        (module
          (func (export "arithmetic") (result f32) (f32.const nan:0x600000))
          (func (export "canonical") (result f64) (f64.const -nan))
          (func (export "trap") (unreachable)))
        (assert_return (invoke "arithmetic") (f32.const nan:arithmetic))
        (assert_return (invoke "canonical") (f64.const nan:canonical))
        (assert_trap (invoke "trap") "unreachable")
    "#;
    let engine = engine(c::INLAY_TRAPS_EXPLICIT, |_| {});
    let report = run::run(
        &setup("wrong on purpose", &engine),
        [("wrong".to_owned(), wrong)].into_iter(),
    );
    assert_eq!((report.passed, report.failed), (0, 26));

    let report = run::run(
        &setup("right", &engine),
        [("right".to_owned(), right)].into_iter(),
    );
    assert_eq!((report.passed, report.failed), (3, 0));

    // A listed failure is forgiven when it fails, and only then.
    let list = |line| {
        [ExpectedFailure {
            file: "script",
            line,
            reason: "listed on purpose",
        }]
    };
    let fails = "(module)\n(assert_invalid (module) \"nothing is wrong with it\")";
    let script = |source| [("script".to_owned(), source)].into_iter();
    let (forgiven, elsewhere) = (list(2), list(1));
    let report = run::run(
        &Setup {
            expected_failures: &forgiven,
            ..setup("listed", &engine)
        },
        script(fails),
    );
    assert_eq!((report.passed, report.failed), (0, 0));
    // The module of line 1 passes though it is listed, so it also never failed; and line 2 is not listed.
    let report = run::run(
        &Setup {
            expected_failures: &elsewhere,
            ..setup("listed", &engine)
        },
        script(fails),
    );
    assert_eq!((report.passed, report.failed), (0, 3));
}

/// Naming a target asks for the least of its CPUs: SSE2 and nothing after it.
#[cfg(all(target_arch = "x86_64", any(target_os = "linux", windows)))]
const BASELINE: &str = match cfg!(windows) {
    true => "x86_64-pc-windows-gnu",
    false => "x86_64-unknown-linux-gnu",
};

/// The configurations that need this machine's kind of CPU.
#[cfg(all(target_arch = "x86_64", any(target_os = "linux", windows)))]
mod x86_64 {
    use std::sync::{Arc, Mutex};

    use super::*;
    use dual_map::Seen;

    in_both_ways!(
        baseline_auto,
        baseline_builtin,
        baseline_typed_calls,
        dual_mapped
    );

    fn baseline(traps: c::inlay_traps_t, policy: c::inlay_float_ops_t) -> Engine {
        engine(traps, |config| {
            config.target(BASELINE).unwrap();
            config.float_ops(policy).unwrap();
        })
    }

    fn baseline_auto(traps: c::inlay_traps_t) {
        run_all(&setup(
            "baseline/auto",
            &baseline(traps, c::INLAY_FLOAT_OPS_AUTO),
        ));
    }

    fn baseline_builtin(traps: c::inlay_traps_t) {
        run_all(&setup(
            "baseline/builtin",
            &baseline(traps, c::INLAY_FLOAT_OPS_BUILTIN),
        ));
    }

    /// Every call that a C host could make through a function pointer of the export's own type is made that way.
    fn baseline_typed_calls(traps: c::inlay_traps_t) {
        let engine = baseline(traps, c::INLAY_FLOAT_OPS_AUTO);
        let report = run_all(&Setup {
            typed_calls: true,
            ..setup("baseline/auto, typed calls", &engine)
        });
        assert!(
            report.typed_calls > 20 * report.boxed_calls,
            "too few of the calls were typed ones"
        );
    }

    /// Code that is written through one view of the pages and executed through another.
    fn dual_mapped(traps: c::inlay_traps_t) {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let engine = engine(traps, |config| {
            config.code_memory(&dual_map::provider(&seen)).unwrap()
        });
        let report = run_all(&setup("host/auto, dual-mapped", &engine));
        drop(engine);

        let seen = seen.lock().unwrap();
        assert!(seen.problems.is_empty(), "{:#?}", seen.problems);
        assert_eq!(seen.finalized, 1);
        assert_eq!(seen.published, seen.released);
        println!(
            "spec dual-mapped: {} published and released",
            suite::grouped(seen.published)
        );
        assert!(seen.published >= report.modules / 2);
    }
}
