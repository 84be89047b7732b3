//! What code is made for: the ISA, its CPU's features, and the settings that shape code.

use super::unit::Effort;
use crate::error::{Commas, Error, Result};
use crate::fallible::Text;
use crate::image::LARGEST_ALIGN;
use crate::image::frame::Cpu;
use crate::image::machine::{self, Machine};
use crate::image::settings::{FloatOps, Nans, Relaxed, Settings, Traps};
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, OptLevel, SetError, SettingKind};
use target_lexicon::{Architecture, OperatingSystem, Triple};

/// Settings of Cranelift's that have one value here, with the reason. Most of them would change nothing, because an image
/// holds no relocations and no thread-locals: a host that sets one expects something that it would
/// not get.
const FIXED: &[(&str, &str, &str)] = &[
    (
        "preserve_frame_pointers",
        "true",
        "backtraces follow frame pointers",
    ),
    (
        "enable_multi_ret_implicit_sret",
        "true",
        "functions of many results return them in memory",
    ),
    (
        "enable_pinned_reg",
        "false",
        "nothing but fuel is kept in it, where code uses that",
    ),
    ("unwind_info", "true", "images hold how frames are unwound"),
    (
        "enable_compact_unwind_abi",
        "false",
        "images hold how frames are unwound in the form of DWARF",
    ),
    (
        "machine_code_cfg_info",
        "true",
        "where a function starts is chosen by its loops",
    ),
    ("is_pic", "false", "images have no relocations"),
    (
        "use_colocated_libcalls",
        "false",
        "compiled code calls no libraries",
    ),
    (
        "libcall_call_conv",
        "isa_default",
        "compiled code calls no libraries",
    ),
    ("tls_model", "none", "compiled code has no thread-locals"),
    (
        "stack_switch_model",
        "none",
        "compiled code does not switch stacks",
    ),
    (
        "enable_llvm_abi_extensions",
        "false",
        "no function here has a parameter that this would be for",
    ),
    (
        "enable_incremental_compilation_cache_checks",
        "false",
        "there is no such cache",
    ),
    // On aarch64. Pages that demand branch targets would stop tail calls by reference and the catching of exceptions.
    (
        "use_bti",
        "false",
        "Cranelift does not mark the targets of all branches that WebAssembly needs",
    ),
];

/// More of them, for every system but Windows.
const UNPROBED: &[(&str, &str, &str)] = &[(
    "enable_probestack",
    "false",
    "the stack limit is compared, not probed",
)];

/// More of them, for Windows: a stack gets its pages one after the other there, each as the one above it is in use, and what
/// goes past that one finds no memory. The limit is compared all the same.
const PROBED: &[(&str, &str, &str)] = &[
    (
        "enable_probestack",
        "true",
        "Windows wants each page of a stack to be touched before the next",
    ),
    (
        "probestack_strategy",
        "inline",
        "compiled code calls no libraries",
    ),
    (
        "probestack_size_log2",
        "12",
        "Windows has pages of this size",
    ),
];

/// All settings that have one value here, for a target.
fn fixed(
    triple: &Triple,
) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    let stack = match triple.operating_system {
        OperatingSystem::Windows => PROBED,
        _ => UNPROBED,
    };
    FIXED.iter().chain(stack)
}

/// Settings that differ from Cranelift's defaults, until the host says otherwise.
const DEFAULTS: &[(&str, &str)] = &[
    ("opt_level", "speed"),
    ("enable_verifier", "false"),
    ("enable_heap_access_spectre_mitigation", "false"),
];

/// Code is aligned to no more than images can be.
const MAX_LOG2_ALIGN: u8 = LARGEST_ALIGN.ilog2() as u8;

/// A target, ready to compile for.
pub struct Target {
    /// The machine that code is for.
    pub machine: Machine,
    isa: OwnedTargetIsa,
    /// The same for code that is optimized already.
    assembler: OwnedTargetIsa,
    /// The same again, with a register allocator that takes linear time.
    linear_assembler: OwnedTargetIsa,
    float_ops: FloatOps,
    relaxed: Relaxed,
    traps: Traps,
    interruption: bool,
    fuel: bool,
    memory_moves: bool,
    debug_info: bool,
}

impl Target {
    /// The target that the settings describe.
    pub fn new(settings: &Settings) -> Result<Target> {
        let mut builder = match &settings.target {
            None => native_builder()?,
            Some(triple) => lookup(triple.as_str())?,
        };
        let mut shared = settings::builder();
        let fixed = fixed(builder.triple()).map(|&(name, value, _)| (name, value));
        for (name, value) in DEFAULTS.iter().copied().chain(fixed) {
            // Those of one target are not there for the others.
            let _ = shared.set(name, value);
        }
        if settings.nans == Nans::Canonical {
            let set = shared.set("enable_nan_canonicalization", "true");
            set.expect("Cranelift has this setting");
        }
        for (name, value) in &settings.flags {
            set(&mut shared, &mut builder, name.as_str(), value.as_str())?;
        }
        let shared = settings::Flags::new(shared);
        if shared.log2_min_function_alignment() > MAX_LOG2_ALIGN {
            return Err(Error::argument(format_args!(
                "log2_min_function_alignment is {}; code can be aligned to 2 MiB, which is {MAX_LOG2_ALIGN}",
                shared.log2_min_function_alignment()
            )));
        }
        let unfit = |error| {
            let given = settings.flags.iter().map(|(name, _)| name);
            Error::argument(format_args!(
                "these settings do not fit together, or not the target: {} ({error})",
                Commas(given)
            ))
        };
        let isa = builder.finish(shared.clone()).map_err(unfit)?;
        check_fixed(&*isa)?;
        let mut machine = machine_of(&*isa)?;
        machine.set_elsewhere(settings.images_only);
        machine.add_implied(settings)?;
        machine.check_present()?;
        let mut builder = isa::Builder::from_target_isa(&*isa);
        enable(&mut builder, &machine);
        let shared = match settings.fuel {
            true if has_pinned_register(isa.triple()) => {
                changed(&shared, &[("enable_pinned_reg", "true")])
            }
            // The verifier knows the marks of fuel only where there is such a register.
            true => changed(&shared, &[("enable_verifier", "false")]),
            false => shared,
        };
        let isa = builder.finish(shared.clone()).map_err(unfit)?;
        let with = |changes: &[(&str, &str)]| {
            let builder = isa::Builder::from_target_isa(&*isa);
            builder.finish(changed(&shared, changes)).map_err(unfit)
        };
        // What is the optimizer's part is done once, by `isa`.
        let assembler = [
            ("opt_level", "none"),
            ("enable_nan_canonicalization", "false"),
        ];
        let linear = [&assembler[..], &[("regalloc_algorithm", "single_pass")]].concat();
        // A host that wants no optimizer wants code soon, and the usual register allocator takes longer than all the rest.
        let is_given = |name: &str| {
            settings
                .flags
                .iter()
                .any(|(given, _)| given.as_str() == name)
        };
        let is_quick = shared.opt_level() == OptLevel::None && !is_given("regalloc_algorithm");
        let usual = if is_quick { &linear[..] } else { &assembler };
        let (assembler, linear_assembler) = (with(usual)?, with(&linear)?);
        let target = Target {
            machine,
            isa,
            assembler,
            linear_assembler,
            float_ops: settings.float_ops,
            relaxed: settings.relaxed,
            traps: settings.traps,
            interruption: settings.interruption,
            fuel: settings.fuel,
            memory_moves: settings.memory_moves,
            debug_info: settings.debug_info,
        };
        if settings.traps == Traps::Faults
            && target.isa.triple().architecture == Architecture::S390x
        {
            return Err(Error::unsupported(
                "INLAY_TRAPS_FAULTS: faults of s390x are not handled; use INLAY_TRAPS_EXPLICIT",
            ));
        }
        if settings.float_ops == FloatOps::Native && !target.has_rounding() {
            return Err(Error::unsupported(
                "INLAY_FLOAT_OPS_NATIVE: the target CPU has no rounding instructions (has_sse41); \
                 use INLAY_FLOAT_OPS_AUTO or _BUILTIN",
            ));
        }
        Ok(target)
    }

    pub fn isa(&self) -> &dyn TargetIsa {
        &*self.isa
    }

    /// All that shapes code, as text.
    pub fn settings(&self) -> String {
        let mut text = format!(
            "{} {:?}\n{:?} {:?} {:?} {} {} {} {}\n",
            self.machine.triple(),
            self.machine.cpu_features().collect::<Vec<_>>(),
            self.float_ops,
            self.relaxed,
            self.traps,
            self.interruption,
            self.fuel,
            self.memory_moves,
            self.debug_info,
        );
        // The third differs from the second only in its register allocator, which is always the same.
        for isa in [&self.isa, &self.assembler] {
            let flags = isa.flags().iter().chain(isa.isa_flags());
            text.extend(flags.map(|flag| format!("{flag}\n")));
        }
        text
    }

    /// The ISA to make machine code with, of a function that has been optimized.
    pub fn assembler(&self, effort: Effort) -> &dyn TargetIsa {
        match effort {
            Effort::Full | Effort::NoOptimizer => &*self.assembler,
            Effort::Linear => &*self.linear_assembler,
        }
    }

    /// Whether frames are unwound as on Windows on x86-64.
    pub fn unwinds_as_windows(&self) -> bool {
        machine::unwinds_as_windows(self.machine.triple())
    }

    /// How its CPU numbers registers.
    pub fn cpu(&self) -> &'static Cpu {
        self.machine.cpu().expect("Cranelift has made an ISA of it")
    }

    pub fn is_x86_64(&self) -> bool {
        self.isa.triple().architecture == Architecture::X86_64
    }

    pub fn is_riscv64(&self) -> bool {
        matches!(self.isa.triple().architecture, Architecture::Riscv64(_))
    }

    /// Whether an atomic access that faults is found: Cranelift does not say where one is in the code of riscv64.
    pub fn atomics_fault(&self) -> bool {
        self.faults() && !self.is_riscv64()
    }

    /// Whether traps are faults of the CPU.
    pub fn faults(&self) -> bool {
        self.traps == Traps::Faults
    }

    /// Whether code can be interrupted.
    pub fn interruption(&self) -> bool {
        self.interruption
    }

    /// Whether code uses fuel.
    pub fn fuel(&self) -> bool {
        self.fuel
    }

    /// Whether wasm has its fuel in a register, which Cranelift can leave alone on some CPUs.
    pub fn has_fuel_register(&self) -> bool {
        self.fuel && has_pinned_register(self.isa.triple())
    }

    /// Whether images keep what modules say of their sources.
    pub fn debug_info(&self) -> bool {
        self.debug_info
    }

    /// Whether memories may move as they grow, all but shared ones.
    pub fn memory_moves(&self) -> bool {
        self.memory_moves
    }

    /// Whether the host may be asked, in the middle of wasm, if that goes on.
    pub fn can_stop(&self) -> bool {
        self.interruption || self.fuel
    }

    /// Whether rounding is done by instructions.
    pub fn native_rounding(&self) -> bool {
        self.float_ops != FloatOps::Builtin && self.has_rounding()
    }

    /// Whether float-to-int conversions are done by instructions: every target has them.
    pub fn native_truncation(&self) -> bool {
        self.float_ops != FloatOps::Builtin
    }

    /// Whether bytes of vectors are moved by instructions: on x86-64 those came with SSSE3.
    pub fn native_shuffle(&self) -> bool {
        self.float_ops != FloatOps::Builtin && self.has("has_ssse3")
    }

    /// Whether multiplication and addition are fused by an instruction: on x86-64 it came with FMA.
    pub fn native_fma(&self) -> bool {
        self.float_ops != FloatOps::Builtin && self.has("has_fma") && self.has("has_avx")
    }

    /// Whether there are vectors: on riscv64 they came with V, and Cranelift does nothing in their place.
    pub fn has_vectors(&self) -> bool {
        !self.is_riscv64() || self.machine.has("has_v")
    }

    /// Whether relaxed instructions may do what is fastest.
    pub fn relaxed_native(&self) -> bool {
        self.relaxed == Relaxed::Native
    }

    /// Whether they may be what x86-64 has.
    pub fn relaxed_x86(&self) -> bool {
        self.relaxed_native() && self.isa.triple().architecture == Architecture::X86_64
    }

    /// Whether they may be what SSSE3 has.
    pub fn relaxed_ssse3(&self) -> bool {
        self.relaxed_x86() && self.native_shuffle()
    }

    /// Whether they may be what SSE4.1 has.
    pub fn relaxed_sse41(&self) -> bool {
        self.relaxed_x86() && self.has("has_sse41")
    }

    pub fn table_spectre_mitigation(&self) -> bool {
        self.isa.flags().enable_table_access_spectre_mitigation()
    }

    pub fn heap_spectre_mitigation(&self) -> bool {
        self.isa.flags().enable_heap_access_spectre_mitigation()
    }

    /// On x86-64 rounding came with SSE4.1; the other targets have always had it, or inline code for it.
    fn has_rounding(&self) -> bool {
        self.has("has_sse41")
    }

    /// Whether this is x86-64 with a feature, or a target that needs none of them.
    fn has(&self, feature: &str) -> bool {
        self.isa.triple().architecture != Architecture::X86_64 || self.machine.has(feature)
    }
}

/// Whether Cranelift can leave a register alone on this CPU.
fn has_pinned_register(triple: &Triple) -> bool {
    matches!(
        triple.architecture,
        Architecture::X86_64 | Architecture::Aarch64(_)
    )
}

/// These settings with some changes.
fn changed(flags: &settings::Flags, changes: &[(&str, &str)]) -> settings::Flags {
    let mut builder = settings::builder();
    for value in flags.iter() {
        builder
            .set(value.name, &value.value_string())
            .expect("it is one of Cranelift's");
    }
    for (name, value) in changes {
        builder
            .set(name, value)
            .expect("Cranelift has this setting");
    }
    settings::Flags::new(builder)
}

/// For this machine, with all that its CPU has.
fn native_builder() -> Result<isa::Builder> {
    let host = Machine::host()?;
    let mut builder = lookup(host.triple())?;
    enable(&mut builder, &host);
    Ok(builder)
}

fn enable(builder: &mut isa::Builder, machine: &Machine) {
    for feature in machine.cpu_features() {
        builder.enable(feature).expect("Cranelift has this setting");
    }
}

/// A triple as it stands in images; an error if it is none.
pub fn triple(triple: &str) -> Result<Text> {
    let parsed: Triple = triple.parse().map_err(|error| {
        Error::argument(format_args!("\"{triple}\" is not a target triple: {error}"))
    })?;
    Ok(Text::new(parsed)?)
}

fn lookup(triple: &str) -> Result<isa::Builder> {
    let parsed: Triple = triple
        .parse()
        .map_err(|error| Error::internal(format_args!("{triple}: {error}")))?;
    isa::lookup(parsed).map_err(|error| {
        let hint = match error {
            isa::LookupError::SupportDisabled => "; this build of Inlay leaves that target out",
            isa::LookupError::Unsupported => "",
        };
        Error::unsupported(format_args!("cannot compile for {triple}: {error}{hint}"))
    })
}

/// Sets a setting of Cranelift or of the ISA, whichever has one of that name.
fn set(
    shared: &mut settings::Builder,
    isa: &mut isa::Builder,
    name: &str,
    value: &str,
) -> Result<()> {
    let preset = isa
        .iter()
        .any(|s| s.name == name && s.kind == SettingKind::Preset);
    let result = match preset {
        // A preset, such as a CPU model, is not set but enabled.
        true if value == "true" => isa.enable(name),
        true => Err(SetError::BadValue(
            "\"true\", since it is a preset".to_owned(),
        )),
        false => match shared.set(name, value) {
            Err(SetError::BadName(_)) => isa.set(name, value),
            other => other,
        },
    };
    result.map_err(|error| match error {
        SetError::BadName(_) => Error::argument(format_args!(
            "there is no setting named \"{name}\" for this target"
        )),
        SetError::BadType => {
            Error::argument(format_args!("the setting {name} does not take \"{value}\""))
        }
        SetError::BadValue(expected) => Error::argument(format_args!(
            "the setting {name} does not take \"{value}\"; it takes {expected}"
        )),
    })
}

/// The settings that have one value here must still have that, in whatever way the host wrote another.
fn check_fixed(isa: &dyn TargetIsa) -> Result<()> {
    for value in isa.flags().iter().chain(isa.isa_flags()) {
        let fixed = fixed(isa.triple()).find(|(name, ..)| *name == value.name);
        if let Some((name, fixed, why)) = fixed
            && value.value_string() != *fixed
        {
            return Err(Error::unsupported(format_args!(
                "the setting {name} has to stay {fixed}: {why}"
            )));
        }
    }
    Ok(())
}

/// The machine that an ISA is of. The other settings of a target ask nothing of the CPU: on aarch64, signed return addresses
/// are hints to one that has no signatures.
fn machine_of(isa: &dyn TargetIsa) -> Result<Machine> {
    let mut machine = Machine::new(&isa.triple().to_string(), std::iter::empty())?;
    for flag in isa.isa_flags() {
        if flag.as_bool() == Some(true) && flag.name.starts_with("has_") {
            machine.set(flag.name, true)?;
        }
    }
    Ok(machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the compiler finds on this machine is what the runtime finds, or images that are made here would not load here.
    #[test]
    fn both_halves_see_the_same_machine() {
        let isa = native_builder()
            .unwrap()
            .finish(settings::Flags::new(settings::builder()))
            .unwrap();
        let host = Machine::host().unwrap();
        let found = machine_of(&*isa).unwrap();
        assert_eq!(
            host.cpu_features().collect::<Vec<_>>(),
            found.cpu_features().collect::<Vec<_>>()
        );
        assert_eq!(host.triple(), found.triple());
    }
}
