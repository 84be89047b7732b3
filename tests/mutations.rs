//! Input that is wrong in ways nobody thought of: mutated modules and mutated images.
//!
//! The generator is seeded, so a failure is the same in every run and prints what to reproduce it with.

#[path = "spec/api.rs"]
mod api;
#[path = "../fuzz/src/image_header.rs"]
#[allow(dead_code, reason = "the targets of the fuzzer need more of it")]
mod image_header;
#[path = "spec/suite.rs"]
mod suite;

use std::collections::BTreeMap;

use api::{Config, Engine, c};
use suite::Sample;

/// Marsaglia's xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 up to and without `bound`.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

/// Modules small enough that compiling ten thousand of their kind stays quick.
fn seeds() -> Vec<Sample> {
    let mut seeds = suite::valid_modules();
    seeds.retain(|sample| (16..4000).contains(&sample.wasm.len()));
    assert!(seeds.len() > 500);
    seeds
}

/// Where the bodies of the functions are: changes there reach the compiler more often than any others.
fn code_section(wasm: &[u8]) -> Option<std::ops::Range<usize>> {
    // All modules here are valid, so each section is an id, a length in LEB128, and its bytes.
    let mut at = 8;
    while at < wasm.len() {
        let (id, mut len, mut shift) = (wasm[at], 0, 0);
        at += 1;
        loop {
            len |= usize::from(wasm[at] & 0x7f) << shift;
            shift += 7;
            at += 1;
            if wasm[at - 1] & 0x80 == 0 {
                break;
            }
        }
        if id == 10 {
            return Some(at..at + len);
        }
        at += len;
    }
    None
}

fn mutate(random: &mut Random, seeds: &[Sample]) -> Vec<u8> {
    let mut wasm = seeds[random.below(seeds.len())].wasm.clone();
    match random.below(10) {
        // Most mutants get a few changes only: more of them stay valid, or fail late.
        choice @ 0..=5 => {
            let everywhere = 0..wasm.len();
            let within = match choice {
                0..=3 => code_section(&wasm).unwrap_or(everywhere),
                _ => everywhere,
            };
            for _ in 0..1 + random.below(3) {
                let at = within.start + random.below(within.len());
                wasm[at] = match random.below(5) {
                    0 => wasm[at] ^ (1 << random.below(8)),
                    1 => random.next() as u8,
                    2 => wasm[at].wrapping_add(1),
                    3 => wasm[at].wrapping_sub(1),
                    _ => [0x00, 0x7f, 0x80, 0xff, 0x0b, 0x40, 0x70, 0x6f][random.below(8)],
                };
            }
        }
        6 => wasm.truncate(random.below(wasm.len())),
        7 => {
            let at = random.below(wasm.len() + 1);
            let bytes: Vec<u8> = (0..1 + random.below(8))
                .map(|_| random.next() as u8)
                .collect();
            wasm.splice(at..at, bytes);
        }
        8 => {
            let at = random.below(wasm.len());
            let len = 1 + random.below((wasm.len() - at).min(8));
            wasm.drain(at..at + len);
        }
        // The beginning of one module and the end of another.
        _ => {
            let other = &seeds[random.below(seeds.len())].wasm;
            wasm.truncate(random.below(wasm.len()));
            wasm.extend_from_slice(&other[random.below(other.len())..]);
        }
    }
    wasm
}

#[test]
fn mutated_modules_are_errors_or_modules() {
    const MUTANTS: usize = 10_000;
    let engine = Config::new().engine().unwrap();
    let seeds = seeds();
    let mut random = Random(0x1a1a_0000_2bad_cafe);
    let mut modules = 0;
    let mut kinds: BTreeMap<c::inlay_error_kind_t, usize> = BTreeMap::new();
    for mutant in 0..MUTANTS {
        let wasm = mutate(&mut random, &seeds);
        let validated = engine.validate(&wasm).map_err(|error| error.kind());
        match engine.compile(&wasm) {
            Ok(_) => {
                assert_eq!(
                    validated,
                    Ok(()),
                    "mutant {mutant} compiles but is not valid: {wasm:02x?}"
                );
                modules += 1;
            }
            Err(error) => {
                assert_ne!(
                    error.kind(),
                    c::INLAY_ERROR_INTERNAL,
                    "mutant {mutant} of {} bytes: {error}\n{wasm:02x?}",
                    wasm.len()
                );
                assert!(
                    !error.message().is_empty(),
                    "mutant {mutant}: an error without a sentence"
                );
                *kinds.entry(error.kind()).or_default() += 1;
            }
        }
    }
    println!("mutations: {MUTANTS} mutants, {modules} still modules, errors by kind {kinds:?}");
    // Too few of either, and the mutants are too tame or too wild to say anything.
    assert!(modules > MUTANTS / 50 && kinds[&c::INLAY_ERROR_INVALID_MODULE] > MUTANTS / 5);
}

/// The image of the first module of the suite whose image is of a size in `sizes`.
fn image_of_size(engine: &Engine, samples: &[Sample], sizes: std::ops::Range<usize>) -> Vec<u8> {
    for sample in samples {
        let image = engine.compile(&sample.wasm).unwrap().save().unwrap();
        if sizes.contains(&image.bytes().len()) {
            let (name, len) = (&sample.name, image.bytes().len());
            println!("mutations: the image of {name} has {len} bytes");
            return image.bytes().to_vec();
        }
    }
    panic!("no module of the suite has an image of {sizes:?} bytes");
}

fn must_refuse(engine: &Engine, image: &[u8], what: impl FnOnce() -> String) {
    match engine.load(image) {
        Ok(_) => panic!("{}: it was loaded", what()),
        Err(error) => {
            assert_eq!(
                error.kind(),
                c::INLAY_ERROR_INVALID_IMAGE,
                "{}: {error}",
                what()
            );
        }
    }
}

/// Every byte and every length of a small image.
#[test]
fn each_byte_of_an_image_counts() {
    let engine = Config::new().engine().unwrap();
    let samples = suite::valid_modules();
    let mut tried = 0;
    for sizes in [0..3072, 3072..4096, 4096..8192] {
        let image = image_of_size(&engine, &samples, sizes);
        drop(engine.load(&image).expect("the image as saved"));
        let mut changed = image.clone();
        for at in 0..image.len() {
            for bit in 0..8 {
                changed[at] = image[at] ^ (1 << bit);
                must_refuse(&engine, &changed, || {
                    format!("bit {bit} of byte {at} flipped")
                });
            }
            changed[at] = image[at];
            must_refuse(&engine, &image[..at], || format!("cut to {at} bytes"));
            tried += 9;
        }
        for extra in 1..=16 {
            changed.push(extra as u8);
            must_refuse(&engine, &changed, || format!("{extra} bytes too long"));
            tried += 1;
        }
        drop(engine.load(&image).expect("the image as saved, once more"));
    }
    println!(
        "mutations: {} changed small images refused",
        suite::grouped(tried)
    );
}

/// Random places of a large one: single bits, runs of bytes, cuts, and parts moved or left out.
#[test]
fn damage_anywhere_in_a_large_image_is_found() {
    let engine = Config::new().engine().unwrap();
    let image = image_of_size(&engine, &suite::valid_modules(), 50_000..1_000_000);
    let mut random = Random(0x0ddb_a11a_57ed_face);
    let mut tried = 0;
    while tried < 10_000 {
        let mut changed = image.clone();
        let at = random.below(image.len());
        let len = 1 + random.below((image.len() - at).min(64));
        let what = match random.below(6) {
            0..=2 => {
                changed[at] ^= 1 << random.below(8);
                "a bit flipped"
            }
            3 => {
                changed[at..at + len].fill_with(|| random.next() as u8);
                "bytes overwritten"
            }
            4 => {
                changed.truncate(at);
                "cut"
            }
            _ => {
                changed.drain(at..at + len);
                "bytes left out"
            }
        };
        if changed == image {
            continue;
        }
        must_refuse(&engine, &changed, || format!("{what} at {at} ({len})"));
        tried += 1;
    }
    drop(engine.load(&image).expect("the image as saved"));
    println!(
        "mutations: {} changed large images refused",
        suite::grouped(tried)
    );
}

/// Bytes that never were an image.
#[test]
fn other_files_are_no_images() {
    let engine = Config::new().engine().unwrap();
    must_refuse(&engine, &[], || "nothing".to_owned());
    for sample in suite::valid_modules() {
        must_refuse(&engine, &sample.wasm, || sample.name.clone());
    }
    let mut random = Random(0x5eed);
    for len in 0..2000 {
        let noise: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        must_refuse(&engine, &noise, || format!("{len} random bytes"));
    }
}

/// Damage under a right checksum is nobody's accident, but it must not be a crash or a panic either.
#[test]
fn damage_that_the_checksum_hides_is_no_crash() {
    let engine = Config::new().engine().unwrap();
    let image = image_of_size(&engine, &suite::valid_modules(), 4096..8192);
    let mut random = Random(0xc0de_0000_ba5e_ba11);
    let (mut loaded, mut refused) = (0, 0);
    for round in 0..20_000 {
        let mut changed = image.clone();
        for _ in 0..1 + random.below(3) {
            let at = random.below(changed.len());
            changed[at] = match random.below(3) {
                0 => changed[at] ^ (1 << random.below(8)),
                1 => random.next() as u8,
                _ => [0x00, 0x01, 0x7f, 0x80, 0xff][random.below(5)],
            };
        }
        image_header::repair_checksum(&mut changed);
        match engine.load(&changed) {
            Ok(_) => loaded += 1,
            Err(error) => {
                assert_eq!(
                    error.kind(),
                    c::INLAY_ERROR_INVALID_IMAGE,
                    "round {round}: {error}"
                );
                refused += 1;
            }
        }
    }
    println!("mutations: images with a right checksum: {refused} refused, {loaded} loaded");
    // Most of an image is machine code, in which any byte is as good as any other.
    assert!(
        refused > 1000 && loaded > 1000,
        "the checksum is not where this test puts it"
    );
}

/// An image of a version with another last number is one of this form's, and one of another form is refused by name.
#[test]
fn what_other_versions_made() {
    let engine = Config::new().engine().unwrap();
    let image = image_of_size(&engine, &suite::valid_modules(), 0..8192);
    let version = env!("CARGO_PKG_VERSION");
    let at = 8..8 + version.len();
    assert_eq!(&image[at.clone()], version.as_bytes());
    let mut changed = image.clone();
    changed[at.end - 1] = b'9';
    image_header::repair_checksum(&mut changed);
    let loaded = engine.load(&changed).expect("an image of this form");
    assert!(loaded.save().unwrap().bytes() == changed);
    // The number of the form is behind the version.
    changed[24] ^= 1;
    image_header::repair_checksum(&mut changed);
    let error = engine.load(&changed).map(drop).unwrap_err();
    assert_eq!(error.kind(), c::INLAY_ERROR_INVALID_IMAGE);
    let made = format!(
        "Inlay {}9 made it, in the form",
        &version[..version.len() - 1]
    );
    assert!(error.message().contains(&made), "{error}");
}

/// An image that needs more than the engine's target has is a clear error, and not a crash later.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn an_image_for_another_target_is_refused() {
    let engine = |target: Option<&str>, policy| {
        let config = Config::new();
        if let Some(target) = target {
            config.target(target).unwrap();
        }
        config.float_ops(policy).unwrap();
        config.engine()
    };
    // On a CPU without SSE4.1 the host and the baseline may be the same target.
    let Ok(host) = engine(None, c::INLAY_FLOAT_OPS_NATIVE) else {
        return;
    };
    let baseline = Some("x86_64-unknown-linux-gnu");
    let baseline = engine(baseline, c::INLAY_FLOAT_OPS_AUTO).unwrap();
    #[cfg(feature = "all-arch")]
    let foreign = engine(Some("s390x-unknown-linux-gnu"), c::INLAY_FLOAT_OPS_AUTO).unwrap();
    for sample in suite::valid_modules().iter().step_by(50) {
        let name = || sample.name.clone();
        let image = host.compile(&sample.wasm).unwrap().save().unwrap();
        must_refuse(&baseline, image.bytes(), name);
        // The other way round is fine: this CPU has all that the baseline has.
        let image = baseline.compile(&sample.wasm).unwrap().save().unwrap();
        drop(host.load(image.bytes()).unwrap());
        #[cfg(feature = "all-arch")]
        {
            must_refuse(&foreign, image.bytes(), name);
            let image = foreign.compile(&sample.wasm).unwrap().save().unwrap();
            must_refuse(&host, image.bytes(), name);
        }
    }
}
