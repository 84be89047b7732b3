//! The WebAssembly features that a host can switch, by the names of their proposals.

use crate::error::{Error, ErrorKind};
use wasmparser::{Validator, WasmFeatures};

/// Name, what it stands for, and whether it is on unless the host says otherwise.
const FEATURES: &[(&str, WasmFeatures, bool)] = &[
    ("mutable-global", WasmFeatures::MUTABLE_GLOBAL, true),
    (
        "nontrapping-float-to-int-conversions",
        WasmFeatures::SATURATING_FLOAT_TO_INT,
        true,
    ),
    ("sign-extension-ops", WasmFeatures::SIGN_EXTENSION, true),
    ("reference-types", WasmFeatures::REFERENCE_TYPES, true),
    ("multi-value", WasmFeatures::MULTI_VALUE, true),
    ("bulk-memory", WasmFeatures::BULK_MEMORY, true),
    ("simd", WasmFeatures::SIMD, true),
    ("relaxed-simd", WasmFeatures::RELAXED_SIMD, true),
    ("extended-const", WasmFeatures::EXTENDED_CONST, true),
    ("tail-call", WasmFeatures::TAIL_CALL, true),
    ("multi-memory", WasmFeatures::MULTI_MEMORY, true),
    ("memory64", WasmFeatures::MEMORY64, true),
    // Recursion groups are validated as a part of garbage collection; what else that has, `module` refuses.
    (
        "function-references",
        WasmFeatures::FUNCTION_REFERENCES.union(WasmFeatures::GC),
        true,
    ),
    ("exceptions", WasmFeatures::EXCEPTIONS, true),
    ("legacy-exceptions", WasmFeatures::LEGACY_EXCEPTIONS, true),
    ("threads", WasmFeatures::THREADS, true),
    ("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC, false),
    ("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES, false),
];

/// Features of WebAssembly that Inlay does not have; named when a module needs them.
const ABSENT: &[(&str, WasmFeatures)] = &[("stack-switching", WasmFeatures::STACK_SWITCHING)];

/// What needs vectors of the CPU.
pub const VECTORS: WasmFeatures = WasmFeatures::SIMD.union(WasmFeatures::RELAXED_SIMD);

/// What is always on: floats, and references, which `reference-types` lets modules use.
const BASE: WasmFeatures = WasmFeatures::WASM1.difference(WasmFeatures::MUTABLE_GLOBAL);

/// The features that are on unless the host says otherwise.
pub fn default() -> WasmFeatures {
    let on = FEATURES.iter().filter(|(.., on)| *on);
    on.fold(BASE, |features, (_, feature, _)| features | *feature)
}

/// The feature of this name.
pub fn by_name(name: &str) -> Option<WasmFeatures> {
    let mut features = FEATURES.iter();
    features.find(|(n, ..)| *n == name).map(|(_, f, _)| *f)
}

/// The names that a host can use.
pub fn names() -> String {
    let names: Vec<&str> = FEATURES.iter().map(|(name, ..)| *name).collect();
    names.join(", ")
}

/// A module that is only invalid for want of features gets an error that names them. `vectors` is whether the target
/// has some.
pub fn explain(error: Box<Error>, wasm: &[u8], on: WasmFeatures, vectors: bool) -> Box<Error> {
    if error.kind != ErrorKind::InvalidModule {
        return error;
    }
    let known = FEATURES.iter().map(|(name, feature, _)| (*name, *feature));
    let known: Vec<_> = known.chain(ABSENT.iter().copied()).collect();
    let all = known.iter().fold(on, |all, (_, feature)| all | *feature);
    let valid = |features| {
        Validator::new_with_features(features)
            .validate_all(wasm)
            .is_ok()
    };
    if !valid(all) {
        return error;
    }
    let needed = known
        .iter()
        .filter(|(_, feature)| !on.contains(*feature) && !valid(all - *feature));
    let (needed, wants): (Vec<&str>, Vec<WasmFeatures>) = needed.copied().unzip();
    let absent = ABSENT.iter().any(|(name, _)| needed.contains(name));
    let no_vectors = !vectors && wants.iter().any(|feature| VECTORS.intersects(*feature));
    Error::new(
        ErrorKind::Unsupported,
        format_args!(
            "the module needs {}, which {}",
            match needed.is_empty() {
                true => "a combination of features".to_owned(),
                false => needed.join(" and "),
            },
            match (absent, no_vectors) {
                (true, _) => "Inlay does not have",
                (_, true) => "the target CPU has with has_v only; see inlay_config_flag",
                _ => "is off; see inlay_config_feature",
            }
        ),
    )
}
