//! What modules can need that they do not get: features that the host has switched off, and those that Inlay lacks.
//!
//! A module is refused where the first such thing is met, by an error that names it in the specification's words. The
//! validator says itself which feature it misses, so that nothing is read again to find that out.

use super::parse::heap_type;
use crate::error::{Error, Result};
use crate::image::features::Features;
use std::fmt::Display;
use wasmparser::{Operator, WasmFeatures};

/// What each feature that can be switched is to the validator.
const KNOWN: &[(Features, WasmFeatures)] = &[
    (Features::MUTABLE_GLOBAL, WasmFeatures::MUTABLE_GLOBAL),
    (
        Features::SATURATING_FLOAT_TO_INT,
        WasmFeatures::SATURATING_FLOAT_TO_INT,
    ),
    (Features::SIGN_EXTENSION, WasmFeatures::SIGN_EXTENSION),
    (Features::REFERENCE_TYPES, WasmFeatures::REFERENCE_TYPES),
    (Features::MULTI_VALUE, WasmFeatures::MULTI_VALUE),
    (Features::BULK_MEMORY, WasmFeatures::BULK_MEMORY),
    (Features::SIMD, WasmFeatures::SIMD),
    (Features::RELAXED_SIMD, WasmFeatures::RELAXED_SIMD),
    (Features::EXTENDED_CONST, WasmFeatures::EXTENDED_CONST),
    (Features::TAIL_CALL, WasmFeatures::TAIL_CALL),
    (Features::MULTI_MEMORY, WasmFeatures::MULTI_MEMORY),
    (Features::MEMORY64, WasmFeatures::MEMORY64),
    // Recursion groups are validated as a part of garbage collection; what else that has is refused here.
    (
        Features::FUNCTION_REFERENCES,
        WasmFeatures::FUNCTION_REFERENCES.union(WasmFeatures::GC),
    ),
    (Features::EXCEPTIONS, WasmFeatures::EXCEPTIONS),
    (Features::LEGACY_EXCEPTIONS, WasmFeatures::LEGACY_EXCEPTIONS),
    (Features::THREADS, WasmFeatures::THREADS),
    (Features::WIDE_ARITHMETIC, WasmFeatures::WIDE_ARITHMETIC),
    (Features::CUSTOM_PAGE_SIZES, WasmFeatures::CUSTOM_PAGE_SIZES),
];

/// What wasmparser says where a feature is off, without saying which one as a value.
const UNNAMED: &[(&str, WasmFeatures)] = &[
    ("multiple memories", WasmFeatures::MULTI_MEMORY),
    ("multiple tables", WasmFeatures::REFERENCE_TYPES),
    (
        "data count section requires the bulk-memory proposal",
        WasmFeatures::BULK_MEMORY,
    ),
];

/// What is always on: floats, and references, which `reference-types` lets modules use.
const BASE: WasmFeatures = WasmFeatures::WASM1.difference(WasmFeatures::MUTABLE_GLOBAL);

/// What needs vectors of the CPU.
const VECTORS: [Features; 2] = [Features::SIMD, Features::RELAXED_SIMD];

/// The features that modules may use, on a target that has vectors or not.
pub fn features(on: Features, vectors: bool) -> WasmFeatures {
    let available = |feature| vectors || !VECTORS.contains(&feature);
    let known = KNOWN.iter();
    let known = known.filter(|(feature, _)| on.contains(*feature) && available(*feature));
    known.fold(BASE, |all, (_, feature)| all | *feature)
}

impl From<wasmparser::Error> for Error {
    fn from(error: wasmparser::Error) -> Self {
        let named = UNNAMED.iter().find(|(text, _)| error.message() == *text);
        let named = named.map(|(_, feature)| *feature);
        let Some(missing) = error.missing_wasm_feature().or(named) else {
            // Which bytes there are instead of the first eight is said over ten lines.
            let sentence = error.message().split(" - expected=").next();
            return Error::invalid(format_args!(
                "invalid module: {} (at offset {:#x})",
                sentence.unwrap_or_default(),
                error.offset()
            ));
        };
        let known = KNOWN.iter().find(|(_, wasm)| wasm.intersects(missing));
        match known {
            None if missing == WasmFeatures::COMPONENT_MODEL => Error::invalid(
                "the bytes are a component, which holds modules, and no module; take the module out of it",
            ),
            Some((feature, _)) => switched_off(*feature, error.offset()),
            None => {
                let name = missing.iter_names().next().map_or("", |(name, _)| name);
                self::feature(name.to_lowercase().replace('_', "-"))
            }
        }
    }
}

/// A module needs a feature that is off.
fn switched_off(feature: Features, offset: u64) -> Error {
    let mut all = Features::ALL.iter();
    let name = all
        .find(|(_, known, _)| *known == feature)
        .map_or("", |(name, ..)| name);
    let hint = match VECTORS.contains(&feature) {
        true => ", and on riscv64 needs the setting has_v; see inlay_config_flag",
        false => "",
    };
    Error::unsupported(format_args!(
        "the module needs {name} (at offset {offset:#x}), which is off; see inlay_config_feature{hint}"
    ))
}

/// A module needs a feature that Inlay does not have.
pub fn feature(name: impl Display) -> Error {
    Error::unsupported(format_args!(
        "the module needs {name}, which Inlay does not have"
    ))
}

/// A module needs a part of garbage collection.
pub fn garbage_collection(what: impl Display) -> Error {
    feature(format_args!("garbage collection ({what})"))
}

/// A module has an instruction that validates and is not compiled.
pub fn instruction(op: &Operator<'_>, offset: u64) -> Error {
    let (proposal, name) = name(op);
    let what = format!("the instruction {name} at offset {offset:#x}");
    match proposal {
        "gc" => garbage_collection(what),
        other => feature(format_args!("{} ({what})", other.replace('_', "-"))),
    }
}

/// Refuses instructions that validate and are not compiled, in code that cannot be reached, too.
pub fn check(op: &Operator<'_>, offset: u64) -> Result<()> {
    let heap = match *op {
        Operator::RefNull { hty } => heap_type(hty).is_some(),
        _ => true,
    };
    match heap && !collects_garbage(op) {
        true => Ok(()),
        false => Err(instruction(op, offset)),
    }
}

/// Whether two strings are equal, for constants.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

macro_rules! by_operator {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
        /// Whether an instruction is a part of garbage collection.
        fn collects_garbage(op: &Operator<'_>) -> bool {
            match op {
                $(Operator::$op { .. } => const { same(stringify!($proposal), "gc") },)*
                _ => false,
            }
        }

        /// The proposal that an instruction came with, and wasmparser's name for its function in a visitor.
        fn raw_name(op: &Operator<'_>) -> (&'static str, &'static str) {
            match op {
                $(Operator::$op { .. } => (stringify!($proposal), stringify!($visit)),)*
                _ => ("unknown", "visit_unknown"),
            }
        }
    };
}

wasmparser::for_each_operator!(by_operator);

/// The proposal that an instruction came with, and its name in the text format.
fn name(op: &Operator<'_>) -> (&'static str, String) {
    let (proposal, visit) = raw_name(op);
    let name = visit.trim_start_matches("visit_");
    // Whether the tested reference may be null is an operand in the text format.
    let name = name
        .trim_end_matches("_non_null")
        .trim_end_matches("_nullable");
    let name = match name.starts_with("br_") || name.starts_with("return_") {
        true => name.to_owned(),
        false => name.replacen('_', ".", 1),
    };
    (proposal, name)
}
