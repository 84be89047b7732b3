//! Every module of the WebAssembly test suite compiles to an image without relocations, on every target.
//!
//! The engine refuses a relocation that it cannot resolve inside the image (`INLAY_ERROR_INTERNAL`, naming it), so
//! that a module compiles is the proof. For a target that is not this machine an image can be made and saved; it is
//! the only thing that is done with it here.

#[path = "spec/api.rs"]
mod api;
#[path = "spec/suite.rs"]
mod suite;

use api::{Config, Engine, Error, c, check};

/// Compiles the whole suite for one target with these CPU features, under each policy that the target has.
fn compile_all(name: &str, target: Option<&str>, flags: &[&str]) {
    let mut samples = suite::valid_modules();
    samples.extend(suite::later_modules());
    let (mut done, mut failed, mut bytes) = (Vec::new(), 0, 0);
    for (policy_name, policy) in [
        ("auto", c::INLAY_FLOAT_OPS_AUTO),
        ("native", c::INLAY_FLOAT_OPS_NATIVE),
        ("builtin", c::INLAY_FLOAT_OPS_BUILTIN),
    ] {
        let engine = match engine(target, flags, policy) {
            Ok(engine) => engine,
            // Without rounding instructions there is no native policy.
            Err(error) if policy == c::INLAY_FLOAT_OPS_NATIVE => {
                assert_eq!(error.kind(), c::INLAY_ERROR_UNSUPPORTED, "{name}: {error}");
                continue;
            }
            Err(error) => panic!("{name}/{policy_name}: {error}"),
        };
        done.push(policy_name);
        for sample in &samples {
            match engine
                .compile(&sample.wasm)
                .and_then(|module| module.save())
            {
                Ok(image) => bytes += image.bytes().len(),
                Err(error) => {
                    println!("{name}/{policy_name}: {}: {error}", sample.name);
                    failed += 1;
                }
            }
        }
    }
    // The faster forms of relaxed instructions are other code again.
    let fast = engine_with(
        target,
        flags,
        c::INLAY_FLOAT_OPS_AUTO,
        c::INLAY_RELAXED_NATIVE,
    )
    .unwrap_or_else(|error| panic!("{name}/relaxed native: {error}"));
    let relaxed = samples.iter().filter(|s| s.name.contains("relaxed"));
    let mut fast_done = 0;
    for sample in relaxed {
        match fast.compile(&sample.wasm).and_then(|module| module.save()) {
            Ok(image) => bytes += image.bytes().len(),
            Err(error) => {
                println!("{name}/relaxed native: {}: {error}", sample.name);
                failed += 1;
            }
        }
        fast_done += 1;
    }
    assert!(fast_done > 5, "where are the modules of relaxed SIMD?");
    println!(
        "relocations {name}: {} modules under each of {}, {fast_done} under relaxed native: {failed} failed, {} bytes of images",
        suite::grouped(samples.len()),
        done.join(", "),
        suite::grouped(bytes),
    );
    assert_eq!(failed, 0, "{name}: see above");
}

fn engine(
    target: Option<&str>,
    flags: &[&str],
    policy: c::inlay_float_ops_t,
) -> Result<Engine, Error> {
    engine_with(target, flags, policy, c::INLAY_RELAXED_DETERMINISTIC)
}

fn engine_with(
    target: Option<&str>,
    flags: &[&str],
    policy: c::inlay_float_ops_t,
    relaxed: c::inlay_relaxed_t,
) -> Result<Engine, Error> {
    let config = Config::new();
    if let Some(target) = target {
        config.target(target)?;
    }
    for flag in flags {
        config.flag(flag, "true")?;
    }
    for feature in ["wide-arithmetic", "custom-page-sizes"] {
        config.feature(feature, true)?;
    }
    config.float_ops(policy)?;
    // SAFETY: the configuration lives.
    check(unsafe { c::inlay_config_relaxed(config.raw(), relaxed) })?;
    config.engine()
}

#[test]
fn host() {
    compile_all("host", None, &[]);
}

#[cfg(any(target_arch = "x86_64", feature = "all-arch"))]
#[test]
fn x86_64_baseline() {
    compile_all("x86-64 baseline", Some("x86_64-unknown-linux-gnu"), &[]);
}

/// The stack is probed there, without the function of Microsoft's that usually does it.
#[cfg(any(target_arch = "x86_64", feature = "all-arch"))]
#[test]
fn x86_64_windows() {
    compile_all("x86-64 Windows", Some("x86_64-pc-windows-gnu"), &[]);
}

#[cfg(feature = "all-arch")]
#[test]
fn aarch64() {
    compile_all("aarch64", Some("aarch64-unknown-linux-gnu"), &[]);
}

#[cfg(feature = "all-arch")]
#[test]
fn riscv64() {
    // Cranelift has no vectors for it but those of the V extension.
    compile_all("riscv64", Some("riscv64gc-unknown-linux-gnu"), &["has_v"]);
}

/// Without it a module that uses vectors is refused, by a sentence that says so, and any other compiles.
#[cfg(feature = "all-arch")]
#[test]
fn riscv64_without_vectors() {
    let target = Some("riscv64gc-unknown-linux-gnu");
    let engine = engine(target, &[], c::INLAY_FLOAT_OPS_AUTO).unwrap();
    let mut samples = suite::valid_modules();
    samples.extend(suite::later_modules());
    let (mut compiled, mut refused) = (0, 0);
    for sample in &samples {
        match engine.compile(&sample.wasm) {
            Ok(_) => compiled += 1,
            Err(error) => {
                let kind = error.kind();
                assert_eq!(kind, c::INLAY_ERROR_UNSUPPORTED, "{}: {error}", sample.name);
                assert!(
                    error.to_string().contains("has_v"),
                    "{}: {error}",
                    sample.name
                );
                refused += 1;
            }
        }
    }
    println!("relocations riscv64 without vectors: {compiled} modules compiled, {refused} refused");
    assert!(compiled > 2_000 && refused > 300);
}

#[cfg(feature = "all-arch")]
#[test]
fn s390x() {
    compile_all("s390x", Some("s390x-unknown-linux-gnu"), &[]);
}
