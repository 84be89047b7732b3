//! Every setting that Cranelift has, each value and each preset, of every target of this build: it works, or it is refused
//! by its name. What works compiles modules of the suite; for this machine their assertions are run, too.

use crate::api::{Config, Error, c};
use crate::run::{self, Report};
use crate::{setup, suite};
use cranelift_codegen::isa;
use cranelift_codegen::settings::{self, SettingKind};

/// Every fortieth file; with `INLAY_TEST_ALL_SETTINGS` in the environment, all files.
fn step() -> usize {
    match std::env::var_os("INLAY_TEST_ALL_SETTINGS") {
        Some(_) => 1,
        None => 40,
    }
}

fn targets() -> Vec<Option<&'static str>> {
    let mut all = vec![None];
    if cfg!(feature = "all-arch") {
        all.extend([
            Some("x86_64-unknown-linux-gnu"),
            Some("aarch64-unknown-linux-gnu"),
            Some("riscv64gc-unknown-linux-gnu"),
            Some("s390x-unknown-linux-gnu"),
        ]);
    }
    all
}

/// What a host could write, for each setting of a target.
fn choices(target: Option<&str>) -> Vec<(&'static str, String)> {
    let triple = target.unwrap_or(match cfg!(target_arch = "aarch64") {
        true => "aarch64-unknown-linux-gnu",
        false if cfg!(target_arch = "s390x") => "s390x-unknown-linux-gnu",
        false if cfg!(target_arch = "riscv64") => "riscv64gc-unknown-linux-gnu",
        false => "x86_64-unknown-linux-gnu",
    });
    let isa = isa::lookup_by_name(triple).expect("a target of this build");
    let shared = settings::builder();
    let mut all = Vec::new();
    for setting in shared.iter().chain(isa.iter()) {
        let values: Vec<String> = match (setting.kind, setting.values) {
            (SettingKind::Bool, _) => vec!["true".to_owned(), "false".to_owned()],
            (SettingKind::Preset, _) => vec!["true".to_owned()],
            (SettingKind::Enum, Some(values)) => values.iter().map(|v| (*v).to_owned()).collect(),
            (SettingKind::Enum, None) => Vec::new(),
            (SettingKind::Num, _) => ["0", "1", "2", "5", "12"].map(str::to_owned).to_vec(),
        };
        all.extend(values.into_iter().map(|value| (setting.name, value)));
    }
    all
}

/// Whether a refusal says what it is about: the setting, or what it would take of the CPU.
fn names(error: &Error, name: &str) -> bool {
    let message = error.message();
    let kind = error.kind();
    let known = [c::INLAY_ERROR_UNSUPPORTED, c::INLAY_ERROR_INVALID_ARGUMENT].contains(&kind);
    known && (message.contains(name) || message.contains("this CPU does not have has_"))
}

/// All that can be switched.
const FEATURES: &[&str] = &[
    "mutable-global",
    "nontrapping-float-to-int-conversions",
    "sign-extension-ops",
    "reference-types",
    "multi-value",
    "bulk-memory",
    "simd",
    "relaxed-simd",
    "extended-const",
    "tail-call",
    "multi-memory",
    "memory64",
    "function-references",
    "exceptions",
    "legacy-exceptions",
    "threads",
    "wide-arithmetic",
    "custom-page-sizes",
];

#[test]
fn each_setting_works_or_is_refused_by_its_name() {
    let (mut worked, mut refused, mut failed) = (0, 0, Vec::new());
    for target in targets() {
        let here = target.is_none();
        for (name, value) in choices(target) {
            let what = format!("{} {name}={value}", target.unwrap_or("host"));
            let config = Config::new();
            // A memory reserves address space up to its limit, which emulators such as qemu-user keep books of.
            config.max_memory_pages(1 << 10).unwrap();
            if let Some(target) = target {
                config.target(target).unwrap();
            }
            for (feature, on) in [("multi-memory", false), ("memory64", false)] {
                config.feature(feature, on).unwrap();
            }
            let engine = match config.flag(name, &value).and_then(|()| config.engine()) {
                Ok(engine) => engine,
                Err(error) => {
                    refused += 1;
                    if !names(&error, name) {
                        failed.push(format!("{what}: {error}"));
                    }
                    continue;
                }
            };
            worked += 1;
            let setup = setup(&what, &engine);
            let report = match here {
                true => {
                    let scripts = crate::scripts().step_by(step());
                    run::run(&setup, scripts)
                }
                false => {
                    let mut report = Report::default();
                    for sample in suite::valid_modules().iter().step_by(4 * step()) {
                        if let Err(error) = engine.compile(&sample.wasm) {
                            println!("{what}: {}: {error}", sample.name);
                            report.failed += 1;
                        }
                    }
                    report
                }
            };
            if report.failed != 0 {
                failed.push(format!("{what}: {} assertions failed", report.failed));
            }
        }
    }
    println!("settings: {worked} choices work, {refused} are refused");
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(worked > 50 && refused > 5);
}

/// What the headers and the reader of a message go by.
#[test]
fn settings_that_break_promises_are_named() {
    for (name, value) in [
        ("enable_pinned_reg", "true"),
        ("unwind_info", "false"),
        ("is_pic", "true"),
        ("tls_model", "elf_gd"),
        ("preserve_frame_pointers", "false"),
    ] {
        let config = Config::new();
        let error = config.flag(name, value).and_then(|()| config.engine());
        let error = error.map(drop).expect_err(name);
        assert_eq!(error.kind(), c::INLAY_ERROR_UNSUPPORTED, "{error}");
        assert!(error.message().contains(name), "{error}");
    }
}

/// A module that needs a feature which is off is refused for that, in words that name a feature, and not as malformed: with
/// each feature off, and with all, every module of the suite is valid or unsupported.
#[test]
fn what_needs_a_feature_that_is_off_is_unsupported() {
    // Those that need what there is not are refused with every feature on, too.
    let mut modules = suite::valid_modules();
    modules.extend(suite::later_modules());
    let all = Config::new();
    for feature in FEATURES {
        all.feature(feature, true).unwrap();
    }
    let all = all.engine().unwrap();
    modules.retain(|module| all.validate(&module.wasm).is_ok());
    let (mut refused, mut wrong) = (0, Vec::new());
    for off in FEATURES
        .iter()
        .map(|feature| vec![*feature])
        .chain([FEATURES.to_vec()])
    {
        let config = Config::new();
        for feature in FEATURES {
            config.feature(feature, !off.contains(feature)).unwrap();
        }
        let engine = config.engine().unwrap();
        for module in &modules {
            let Err(error) = engine.validate(&module.wasm) else {
                continue;
            };
            refused += 1;
            let message = error.message();
            let named = FEATURES
                .iter()
                .any(|name| message.contains(&format!("needs {name} (")));
            if error.kind() != c::INLAY_ERROR_UNSUPPORTED || !named {
                wrong.push(format!(
                    "{}: without {}: {error}",
                    module.name,
                    off.join(" ")
                ));
            }
        }
    }
    println!("features: {refused} refusals of {} modules", modules.len());
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} are wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(60)]
    );
    assert!(modules.len() > 1_500 && refused > 1_000);
}
