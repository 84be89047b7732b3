//! What code is for: a target, and what its CPU has.

use super::frame::Cpu;
use super::settings::Settings;
use crate::error::{Commas, Error, ErrorKind, Result};
use crate::fallible::{self, Text};

/// A target triple, such as "x86_64-unknown-linux-gnu", and the features that a CPU of it has beyond the baseline, by the
/// names of Cranelift's settings, such as "has_avx2".
#[derive(Debug)]
pub struct Machine {
    triple: Text,
    /// Ascending, without duplicates.
    cpu_features: Vec<Text>,
    /// Whether it is another one than this, whatever it is like.
    is_elsewhere: bool,
}

/// The triple that this library was built for.
const HOST: &str = env!("INLAY_TARGET");

/// The architecture and the operating system that a triple names.
fn system(triple: &str) -> (Option<&str>, Option<&str>) {
    let mut parts = triple.split('-');
    (parts.next(), parts.nth(1))
}

/// Whether images for this triple have the rules by which frames are unwound in their text.
pub fn unwinds_as_windows(triple: &str) -> bool {
    system(triple) == (Some("x86_64"), Some("windows"))
}

impl Machine {
    /// A machine of this triple with these features.
    pub fn new<'a>(triple: &str, features: impl Iterator<Item = &'a str>) -> Result<Machine> {
        let mut machine = Machine {
            triple: Text::from_bytes(triple.as_bytes())?,
            cpu_features: Vec::new(),
            is_elsewhere: false,
        };
        for feature in features {
            machine.set(feature, true)?;
        }
        Ok(machine)
    }

    pub fn try_clone(&self) -> Result<Machine> {
        let mut copy = Machine::new(self.triple(), self.cpu_features())?;
        copy.is_elsewhere = self.is_elsewhere;
        Ok(copy)
    }

    /// The machine that this process runs on.
    pub fn host() -> Result<Machine> {
        let mut machine = Machine::new(HOST, BASELINE.iter().copied())?;
        detect(&mut |feature| machine.set(feature, true))?;
        Ok(machine)
    }

    /// The machine that settings describe, where no compiler knows it better: this one, or the baseline of a target, with the
    /// features that are switched by their own names, and what those imply. A CPU model, of which there is no list here, means
    /// what this CPU has.
    #[cfg(not(feature = "compiler"))]
    pub fn of(settings: &Settings) -> Result<Machine> {
        let mut machine = match &settings.target {
            None => Machine::host()?,
            Some(triple) => Machine::baseline(triple.as_str())?,
        };
        machine.set_elsewhere(settings.images_only);
        for (name, value) in &settings.flags {
            let (name, value) = (name.as_str(), value.as_str());
            let on = match value {
                "true" | "on" | "yes" | "1" => Some(true),
                "false" | "off" | "no" | "0" => Some(false),
                _ => None,
            };
            let unknown = || {
                Error::argument(format_args!(
                    "the setting {name} does not take \"{value}\"; it takes \"true\" or \"false\""
                ))
            };
            if let Some(features) = preset(name) {
                for feature in features {
                    machine.set(feature, on.ok_or_else(unknown)?)?;
                }
            } else if name.starts_with("has_") {
                machine.set(name, on.ok_or_else(unknown)?)?;
            } else if on == Some(true) && machine.runs_here() && !is_setting(name) {
                detect(&mut |feature| machine.set(feature, true))?;
            }
        }
        machine.add_implied(settings)?;
        machine.check_present()?;
        Ok(machine)
    }

    /// The least machine of this triple.
    #[cfg(not(feature = "compiler"))]
    fn baseline(triple: &str) -> Result<Machine> {
        let known = match triple.split('-').next() {
            Some("riscv64" | "riscv64gc") => RISCV64_BASELINE,
            _ => &[],
        };
        Machine::new(triple, known.iter().copied())
    }

    /// Adds the features that those which are there imply, but for what the host switched by its name.
    pub fn add_implied(&mut self, settings: &Settings) -> Result<()> {
        if system(self.triple()).0 != Some("x86_64") {
            return Ok(());
        }
        let is_switched = |feature: &str| {
            let mut flags = settings.flags.iter();
            flags.any(|(name, _)| name.as_str() == feature)
        };
        for (feature, implied) in IMPLIED {
            if self.has(feature) {
                for implied in implied.iter().filter(|implied| !is_switched(implied)) {
                    self.set(implied, true)?;
                }
            }
        }
        Ok(())
    }

    /// Adds a feature, or takes it away.
    pub fn set(&mut self, feature: &str, present: bool) -> Result<()> {
        let at = self
            .cpu_features
            .binary_search_by(|known| known.as_str().cmp(feature));
        match (at, present) {
            (Err(at), true) => {
                let feature = Text::from_bytes(feature.as_bytes())?;
                fallible::insert_at(&mut self.cpu_features, at, feature)?;
            }
            (Ok(at), false) => drop(self.cpu_features.remove(at)),
            _ => {}
        }
        Ok(())
    }

    pub fn triple(&self) -> &str {
        self.triple.as_str()
    }

    /// How its CPU numbers registers; none if no code is made for it.
    pub fn cpu(&self) -> Option<&'static Cpu> {
        system(self.triple()).0.and_then(Cpu::of)
    }

    pub fn cpu_features(&self) -> impl Iterator<Item = &str> {
        self.cpu_features.iter().map(Text::as_str)
    }

    pub fn has(&self, feature: &str) -> bool {
        self.cpu_features
            .binary_search_by(|known| known.as_str().cmp(feature))
            .is_ok()
    }

    /// Whether this process runs its code: it is of the same architecture and operating system, and not said to be elsewhere.
    pub fn runs_here(&self) -> bool {
        !self.is_elsewhere && system(self.triple()) == system(HOST)
    }

    /// Whether all code is to run elsewhere, so that images for any machine will do.
    pub fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    /// Says whether all code is to run elsewhere.
    pub fn set_elsewhere(&mut self, elsewhere: bool) {
        self.is_elsewhere = elsewhere;
    }

    /// Whether code of an image, which is for this triple and needs these features, can be loaded for the machine.
    pub fn accept<'a>(&self, triple: &str, needs: impl Iterator<Item = &'a str>) -> Result<()> {
        if self.is_elsewhere {
            return Ok(());
        }
        if triple != self.triple() {
            return Err(Error::new(
                ErrorKind::InvalidImage,
                format_args!(
                    "the image is for {triple} and this engine for {}; compile the module for that target",
                    self.triple()
                ),
            ));
        }
        let mut missing = Vec::new();
        for feature in needs.filter(|feature| !self.has(feature)) {
            fallible::push(&mut missing, feature)?;
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidImage,
            format_args!(
                "the image needs what this engine's CPU does not have: {}; compile the module for a CPU without that",
                Commas(missing.iter())
            ),
        ))
    }

    /// That this process's CPU has all of the features, if this process can run the machine's code at all.
    pub fn check_present(&self) -> Result<()> {
        if !self.runs_here() {
            return Ok(());
        }
        let host = Machine::host()?;
        let mut missing = Vec::new();
        for feature in self.cpu_features().filter(|feature| !host.has(feature)) {
            fallible::push(&mut missing, feature)?;
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::unsupported(format_args!(
            "this CPU does not have {}; switch that off with inlay_config_flag, or name another target with \
             inlay_config_target",
            Commas(missing.iter())
        )))
    }
}

/// The features that a preset of riscv64 stands for, but for those of vectors that are longer than any CPU's.
#[cfg(not(feature = "compiler"))]
fn preset(name: &str) -> Option<&'static [&'static str]> {
    const LENGTHS: [&str; 6] = [
        "has_zvl32b",
        "has_zvl64b",
        "has_zvl128b",
        "has_zvl256b",
        "has_zvl512b",
        "has_zvl1024b",
    ];
    if name == "has_c" {
        return Some(&["has_zca", "has_zcd"]);
    }
    let is_longest = |length: &&str| length.strip_prefix("has_") == Some(name);
    let longest = LENGTHS.iter().position(is_longest)?;
    const { &LENGTHS }.get(..=longest)
}

/// Whether a name is that of a setting and not of a CPU model. Settings are words with underscores between them; no model's
/// name has one.
#[cfg(not(feature = "compiler"))]
fn is_setting(name: &str) -> bool {
    name.contains('_')
}

/// A triple as it stands in images, where no compiler knows it better: a vendor that is left out is "unknown".
#[cfg(not(feature = "compiler"))]
pub fn triple(triple: &str) -> Result<Text> {
    const ARCHITECTURES: [&str; 5] = ["x86_64", "aarch64", "riscv64gc", "riscv64", "s390x"];
    const SYSTEMS: [&str; 8] = [
        "linux", "darwin", "macos", "windows", "freebsd", "netbsd", "openbsd", "none",
    ];
    let is_system = |part: Option<&str>| part.is_some_and(|part| SYSTEMS.contains(&part));
    let (architecture, rest) = triple.split_once('-').unwrap_or((triple, ""));
    let mut parts = rest.split('-');
    let vendor = match is_system(parts.next()) {
        true => "unknown-",
        false if is_system(parts.next()) => "",
        false => return Err(unknown(triple)),
    };
    if !ARCHITECTURES.contains(&architecture) {
        return Err(unknown(triple));
    }
    Ok(Text::new(format_args!("{architecture}-{vendor}{rest}"))?)
}

#[cfg(not(feature = "compiler"))]
fn unknown(triple: &str) -> Error {
    Error::argument(format_args!(
        "\"{triple}\" is not a target triple of a CPU that Inlay knows, such as \"x86_64-unknown-linux-gnu\""
    ))
}

/// Features of x86-64 that no CPU has without others, which Cranelift asks for, too: a host, or a preset, that names one
/// means these as well. Each comes before those that it implies.
const IMPLIED: &[(&str, &[&str])] = &[
    ("has_avx512vnni", &["has_avx512f"]),
    ("has_avx512vbmi", &["has_avx512f"]),
    ("has_avx512bitalg", &["has_avx512f"]),
    ("has_avx512dq", &["has_avx512f"]),
    ("has_avx512vl", &["has_avx512f"]),
    ("has_avx512f", &["has_avx2", "has_fma"]),
    ("has_avx_vnni", &["has_avx2"]),
    ("has_avx2", &["has_avx"]),
    ("has_fma", &["has_avx"]),
    ("has_avx", &["has_sse42", "has_popcnt"]),
    ("has_sse42", &["has_sse41"]),
    ("has_sse41", &["has_ssse3"]),
    ("has_ssse3", &["has_sse3"]),
];

/// What every RISC-V machine of the triple `riscv64gc` has, which Cranelift has settings for.
#[cfg(any(target_arch = "riscv64", not(feature = "compiler")))]
const RISCV64_BASELINE: &[&str] = &[
    "has_a",
    "has_d",
    "has_f",
    "has_m",
    "has_zicsr",
    "has_zifencei",
];

#[cfg(target_arch = "riscv64")]
const BASELINE: &[&str] = RISCV64_BASELINE;

#[cfg(not(target_arch = "riscv64"))]
const BASELINE: &[&str] = &[];

/// Names what this CPU has beyond the baseline.
#[cfg(target_arch = "x86_64")]
fn detect(found: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    macro_rules! detect {
        ($($setting:literal: $feature:tt,)*) => {
            $(if std::arch::is_x86_feature_detected!($feature) {
                found($setting)?;
            })*
        };
    }
    detect! {
        "has_sse3": "sse3",
        "has_ssse3": "ssse3",
        "has_cmpxchg16b": "cmpxchg16b",
        "has_sse41": "sse4.1",
        "has_sse42": "sse4.2",
        "has_popcnt": "popcnt",
        "has_avx": "avx",
        "has_avx2": "avx2",
        "has_fma": "fma",
        "has_bmi1": "bmi1",
        "has_bmi2": "bmi2",
        "has_lzcnt": "lzcnt",
        "has_avx_vnni": "avxvnni",
        "has_avx512bitalg": "avx512bitalg",
        "has_avx512dq": "avx512dq",
        "has_avx512f": "avx512f",
        "has_avx512vbmi": "avx512vbmi",
        "has_avx512vl": "avx512vl",
        "has_avx512vnni": "avx512vnni",
    }
    Ok(())
}

#[cfg(target_arch = "aarch64")]
fn detect(found: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    macro_rules! detect {
        ($($setting:literal: $feature:tt,)*) => {
            $(if std::arch::is_aarch64_feature_detected!($feature) {
                found($setting)?;
            })*
        };
    }
    detect! {
        "has_lse": "lse",
        "has_pauth": "paca",
        "has_fp16": "fp16",
        "has_dotprod": "dotprod",
        "has_i8mm": "i8mm",
    }
    Ok(())
}

/// By the list of facilities: z/Architecture Principles of Operation, "STORE FACILITY LIST EXTENDED". The standard library
/// has no stable way to ask.
#[cfg(target_arch = "s390x")]
fn detect(found: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let mut list = [0u64; 4];
    // SAFETY: the instruction writes as many doublewords as register 0 says, less one, to where the operand points.
    unsafe {
        std::arch::asm!(
            "stfle 0({list})",
            list = in(reg_addr) list.as_mut_ptr(),
            inout("r0") list.len() as u64 - 1 => _,
            options(nostack)
        );
    }
    for (setting, facility) in [
        ("has_mie3", 61),
        ("has_mie4", 84),
        ("has_vxrs_ext2", 148),
        ("has_vxrs_ext3", 198),
    ] {
        // Facilities are numbered from the leftmost bit.
        if list[facility / 64] >> (63 - facility % 64) & 1 != 0 {
            found(setting)?;
        }
    }
    Ok(())
}

/// By what Linux says: the letters in the auxiliary vector, and longer names by the system call `riscv_hwprobe`, which is there
/// since Linux 6.4 ("RISC-V Hardware Probing Interface"). The standard library has no stable way to ask.
#[cfg(all(target_arch = "riscv64", target_os = "linux"))]
fn detect(found: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    const HWPROBE: libc::c_long = 258;
    const EXTENSIONS: u64 = 4;
    // SAFETY: it reads what the process was started with.
    let letters = unsafe { libc::getauxval(libc::AT_HWCAP) };
    // A key and, when the kernel has answered, its value: a bit for each extension that all CPUs have.
    let mut pair = [EXTENSIONS, 0u64];
    let all_cpus = std::ptr::null_mut::<libc::c_ulong>();
    // SAFETY: the kernel writes no more than the one pair; before Linux 6.4 it refuses the call.
    unsafe { libc::syscall(HWPROBE, pair.as_mut_ptr(), 1usize, 0usize, all_cpus, 0u32) };
    let letter = |letter: u8| letters >> (letter - b'a') & 1 != 0;
    let extension = |bit: u32| pair[1] >> bit & 1 != 0;
    let has_vectors = letter(b'v') && has_ratified_vectors();
    for (setting, is_there) in [
        ("has_zca", letter(b'c')),
        ("has_zcd", letter(b'c')),
        ("has_v", has_vectors),
        ("has_zvl32b", has_vectors),
        ("has_zvl64b", has_vectors),
        ("has_zvl128b", has_vectors),
        ("has_zba", extension(3)),
        ("has_zbb", extension(4)),
        ("has_zbs", extension(5)),
        ("has_zbc", extension(7)),
        ("has_zbkb", extension(8)),
        ("has_zvbb", has_vectors && extension(17)),
        ("has_zfh", extension(27)),
        ("has_zfhmin", extension(28)),
        ("has_zvfh", has_vectors && extension(30)),
        ("has_zfa", extension(32)),
        ("has_zicond", extension(35)),
        ("has_zcb", extension(44)),
    ] {
        if is_there {
            found(setting)?;
        }
    }
    Ok(())
}

/// Whether a CPU with vectors has those of version 1.0 of the extension. Kernels for CPUs with version 0.7.1 say V, too; there a
/// type of vectors with the bits for what is done with tails and masks, which came later, is none ("vill").
#[cfg(all(target_arch = "riscv64", target_os = "linux"))]
fn has_ratified_vectors() -> bool {
    let vtype: u64;
    // SAFETY: the CPU has the instructions, `vsetvli t0, zero, e8, m1, ta, ma` and `csrr t0, vtype`, which the assembler may not
    // know. They change the type of vectors, and their number, which no code relies on across a call.
    unsafe {
        std::arch::asm!(
            ".4byte 0x0c0072d7",
            ".4byte 0xc21022f3",
            out("t0") vtype,
            options(nomem, nostack)
        );
    }
    vtype >> 63 == 0
}

#[cfg(all(target_arch = "riscv64", not(target_os = "linux")))]
fn detect(_: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_for_less_is_accepted() {
        let machine = Machine::new(
            "x86_64-unknown-linux-gnu",
            ["has_avx", "has_sse3"].into_iter(),
        );
        let machine = machine.unwrap();
        let accept = |triple, needs: &[&'static str]| machine.accept(triple, needs.iter().copied());
        accept("x86_64-unknown-linux-gnu", &[]).unwrap();
        accept("x86_64-unknown-linux-gnu", &["has_avx"]).unwrap();
        assert!(accept("x86_64-unknown-linux-gnu", &["has_avx", "has_fma"]).is_err());
        assert!(accept("aarch64-unknown-linux-gnu", &[]).is_err());
    }

    /// As the compiler takes them, so that an engine with the same settings loads its images.
    #[cfg(not(feature = "compiler"))]
    #[test]
    fn settings_mean_what_they_mean_to_the_compiler() {
        let known = |given: &str| triple(given).map(|known| known.as_str().to_owned());
        for (given, wanted) in [
            ("x86_64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"),
            ("x86_64-linux-gnu", "x86_64-unknown-linux-gnu"),
            ("s390x-linux", "s390x-unknown-linux"),
            ("aarch64-apple-darwin", "aarch64-apple-darwin"),
        ] {
            assert_eq!(known(given).unwrap(), wanted);
        }
        for given in [
            "",
            "x86_64",
            "x86_64-gnu",
            "x86-unknown-linux-gnu",
            "x86_64-a-b-linux",
        ] {
            assert!(known(given).is_err(), "{given}");
        }
        // Of another operating system, so that it is not asked what this CPU has.
        let of_target = |target: &str, flags: &[(&str, &str)]| {
            let mut settings = Settings {
                target: Some(triple(target).unwrap()),
                ..Settings::default()
            };
            for (name, value) in flags {
                let copy = |text: &str| Text::from_bytes(text.as_bytes()).unwrap();
                settings.flags.push((copy(name), copy(value)));
            }
            Machine::of(&settings)
        };
        let machine = |flags: &[(&str, &str)]| of_target("x86_64-windows", flags);
        let presets = [("has_c", "true"), ("zvl256b", "true")];
        let presets = of_target("riscv64gc-none", &presets).unwrap();
        for feature in [
            "has_zca",
            "has_zcd",
            "has_zvl32b",
            "has_zvl128b",
            "has_zvl256b",
        ] {
            assert!(presets.has(feature), "{feature}");
        }
        assert!(!presets.has("has_c") && !presets.has("has_zvl512b"));
        let implied = machine(&[("has_avx2", "true")]).unwrap();
        for feature in ["has_avx2", "has_avx", "has_popcnt", "has_sse42", "has_sse3"] {
            assert!(implied.has(feature), "{feature}");
        }
        let without = machine(&[("has_popcnt", "false"), ("has_avx", "yes")]).unwrap();
        assert!(without.has("has_sse42") && !without.has("has_popcnt"));
        assert!(machine(&[("has_avx", "maybe")]).is_err());
        assert_eq!(
            machine(&[("opt_level", "none")])
                .unwrap()
                .cpu_features()
                .count(),
            0
        );
    }

    #[test]
    fn this_machine_has_what_it_has() {
        let mut host = Machine::host().unwrap();
        assert!(host.runs_here());
        host.check_present().unwrap();
        host.set("has_nothing_of_the_kind", true).unwrap();
        assert!(host.check_present().is_err());
    }
}
