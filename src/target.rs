//! What code is made for: the ISA, its features, and the settings that shape code.

use crate::config::{Config, FloatOps, Relaxed};
use crate::error::{Error, ErrorKind, Result};
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, SetError};
use std::collections::BTreeSet;
use target_lexicon::{Architecture, Triple};

/// Settings that Inlay's promises rest on, with what each is for.
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
        "enable_probestack",
        "false",
        "the stack limit is compared, not probed",
    ),
];

/// Settings that would not give what they are for, with the reason.
const UNFIT: &[(&str, &str)] = &[(
    "use_bti",
    "pages that demand branch targets would stop tail calls by reference and the catching of exceptions, whose \
     branches Cranelift marks no target for",
)];

/// Settings that differ from Cranelift's defaults, until the host says otherwise.
const DEFAULTS: &[(&str, &str)] = &[
    ("opt_level", "speed"),
    ("enable_verifier", "false"),
    ("unwind_info", "false"),
    ("enable_heap_access_spectre_mitigation", "false"),
];

/// Code memory is asked for no more than a huge page's alignment.
const MAX_LOG2_ALIGN: u8 = 21;

/// A target, ready to compile for.
pub struct Target {
    isa: OwnedTargetIsa,
    /// The same, without what takes more than linear time.
    linear_isa: OwnedTargetIsa,
    float_ops: FloatOps,
    relaxed: Relaxed,
    /// Whether this process can run the code.
    runnable: bool,
    features: BTreeSet<String>,
}

impl Target {
    /// The target that the configuration describes.
    pub fn new(config: &Config) -> Result<Target> {
        let host = Triple::host();
        let (triple, mut builder) = match &config.target {
            None => (host.clone(), native_builder()?),
            Some(triple) => (triple.clone(), lookup(triple)?),
        };
        let runnable = triple.architecture == host.architecture
            && triple.operating_system == host.operating_system;
        let mut shared = settings::builder();
        let fixed = FIXED.iter().map(|&(name, value, _)| (name, value));
        for (name, value) in DEFAULTS.iter().copied().chain(fixed) {
            shared.set(name, value).expect("Cranelift has this setting");
        }
        for (name, value) in &config.flags {
            set(&mut shared, &mut builder, name, value)?;
        }
        let shared = settings::Flags::new(shared);
        if shared.log2_min_function_alignment() > MAX_LOG2_ALIGN {
            return Err(Error::argument(format_args!(
                "log2_min_function_alignment is {}; code can be aligned to 2 MiB, which is {MAX_LOG2_ALIGN}",
                shared.log2_min_function_alignment()
            )));
        }
        let linear_shared = linear(&shared);
        let unfit = |error| Error::argument(format_args!("these settings do not fit: {error}"));
        let isa = builder.finish(shared).map_err(unfit)?;
        let linear_isa = isa::Builder::from_target_isa(&*isa)
            .finish(linear_shared)
            .map_err(unfit)?;
        check_fit(&*isa)?;
        let features = enabled_features(&*isa);
        if runnable {
            check_features(&features)?;
        }
        let target = Target {
            isa,
            linear_isa,
            float_ops: config.float_ops,
            relaxed: config.relaxed,
            runnable,
            features,
        };
        if config.float_ops == FloatOps::Native && !target.has_rounding() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "INLAY_FLOAT_OPS_NATIVE: the target CPU has no rounding instructions (has_sse41); \
                 use INLAY_FLOAT_OPS_AUTO or _BUILTIN",
            ));
        }
        Ok(target)
    }

    pub fn isa(&self) -> &dyn TargetIsa {
        &*self.isa
    }

    /// The ISA to compile large functions with.
    pub fn linear_isa(&self) -> &dyn TargetIsa {
        &*self.linear_isa
    }

    /// Whether this process can run the code.
    pub fn runnable(&self) -> bool {
        self.runnable
    }

    pub fn triple(&self) -> String {
        self.isa.triple().to_string()
    }

    /// The CPU features that code may use, by Cranelift's names.
    pub fn features(&self) -> &BTreeSet<String> {
        &self.features
    }

    /// All settings, in a fixed order: what an image was made with.
    pub fn settings(&self) -> String {
        let mut text =
            format!("float_ops={:?} relaxed={:?}", self.float_ops, self.relaxed).to_lowercase();
        for value in self.isa.flags().iter().chain(self.isa.isa_flags()) {
            text += &format!(" {}={}", value.name, value.value_string());
        }
        text
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
        !matches!(self.isa.triple().architecture, Architecture::Riscv64(_))
            || self.features.contains("has_v")
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
        self.isa.triple().architecture != Architecture::X86_64 || self.features.contains(feature)
    }
}

/// These settings without what takes more than linear time.
fn linear(flags: &settings::Flags) -> settings::Flags {
    let mut builder = settings::builder();
    for value in flags.iter() {
        builder
            .set(value.name, &value.value_string())
            .expect("it is one of Cranelift's");
    }
    for (name, value) in [("regalloc_algorithm", "single_pass"), ("opt_level", "none")] {
        builder
            .set(name, value)
            .expect("Cranelift has this setting");
    }
    settings::Flags::new(builder)
}

fn native_builder() -> Result<isa::Builder> {
    cranelift_native::builder().map_err(|error| {
        Error::new(
            ErrorKind::Unsupported,
            format_args!("cannot compile for this host: {error}"),
        )
    })
}

fn lookup(triple: &Triple) -> Result<isa::Builder> {
    isa::lookup(triple.clone()).map_err(|error| {
        let hint = match error {
            isa::LookupError::SupportDisabled => "; this build of Inlay leaves that target out",
            isa::LookupError::Unsupported => "",
        };
        Error::new(
            ErrorKind::Unsupported,
            format_args!("cannot compile for {triple}: {error}{hint}"),
        )
    })
}

/// Sets a setting of Cranelift or of the ISA, whichever has one of that name.
fn set(
    shared: &mut settings::Builder,
    isa: &mut isa::Builder,
    name: &str,
    value: &str,
) -> Result<()> {
    if let Some((_, fixed, why)) = FIXED.iter().find(|(n, ..)| *n == name)
        && *fixed != value
    {
        return Err(Error::argument(format_args!(
            "the setting {name} must stay {fixed}: {why}"
        )));
    }
    let result = match shared.set(name, value) {
        Err(SetError::BadName(_)) => match isa.set(name, value) {
            // A preset, such as a CPU model, is not set but enabled.
            Err(SetError::BadType) if value == "true" => isa.enable(name),
            other => other,
        },
        other => other,
    };
    result.map_err(|error| {
        Error::argument(match error {
            SetError::BadName(_) => {
                format!("there is no setting named \"{name}\" for this target")
            }
            SetError::BadType => format!("the setting {name} does not take \"{value}\""),
            SetError::BadValue(expected) => {
                format!("the setting {name} does not take \"{value}\": {expected}")
            }
        })
    })
}

fn check_fit(isa: &dyn TargetIsa) -> Result<()> {
    for flag in isa.isa_flags() {
        let unfit = UNFIT.iter().find(|(name, _)| *name == flag.name);
        if let (Some((name, why)), Some(true)) = (unfit, flag.as_bool()) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format_args!("the setting {name}: {why}"),
            ));
        }
    }
    Ok(())
}

/// The CPU features that are on. The other settings of a target ask nothing of the CPU: on aarch64, signed return
/// addresses are hints to one that has no signatures.
fn enabled_features(isa: &dyn TargetIsa) -> BTreeSet<String> {
    let flags = isa.isa_flags().into_iter();
    flags
        .filter(|flag| flag.as_bool() == Some(true) && flag.name.starts_with("has_"))
        .map(|flag| flag.name.to_owned())
        .collect()
}

/// Code must not use what this CPU does not have.
fn check_features(features: &BTreeSet<String>) -> Result<()> {
    let shared = settings::Flags::new(settings::builder());
    let host = native_builder()?
        .finish(shared)
        .map_err(|error| Error::internal(format_args!("the host's ISA: {error}")))?;
    let host = enabled_features(&*host);
    let missing: Vec<&str> = features.difference(&host).map(|f| f.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format_args!("this CPU does not have {}", missing.join(", ")),
    ))
}
