//! The WebAssembly features that a host can switch, by the names of their proposals.

use crate::error::{Commas, Error, Result};

/// A set of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(u32);

macro_rules! features {
    ($($bit:literal $constant:ident $name:literal $on:literal;)*) => {
        impl Features {
            $(pub const $constant: Features = Features(1 << $bit);)*

            /// Each feature with its name, and whether it is on unless the host says otherwise.
            pub const ALL: &[(&str, Features, bool)] = &[$(($name, Features::$constant, $on),)*];
        }
    };
}

features! {
    0 MUTABLE_GLOBAL "mutable-global" true;
    1 SATURATING_FLOAT_TO_INT "nontrapping-float-to-int-conversions" true;
    2 SIGN_EXTENSION "sign-extension-ops" true;
    3 REFERENCE_TYPES "reference-types" true;
    4 MULTI_VALUE "multi-value" true;
    5 BULK_MEMORY "bulk-memory" true;
    6 SIMD "simd" true;
    7 RELAXED_SIMD "relaxed-simd" true;
    8 EXTENDED_CONST "extended-const" true;
    9 TAIL_CALL "tail-call" true;
    10 MULTI_MEMORY "multi-memory" true;
    11 MEMORY64 "memory64" true;
    12 FUNCTION_REFERENCES "function-references" true;
    13 EXCEPTIONS "exceptions" true;
    14 LEGACY_EXCEPTIONS "legacy-exceptions" true;
    15 THREADS "threads" true;
    16 WIDE_ARITHMETIC "wide-arithmetic" false;
    17 CUSTOM_PAGE_SIZES "custom-page-sizes" false;
}

impl Features {
    /// The features that are on unless the host says otherwise.
    pub const DEFAULT: Features = {
        let (mut set, mut i) = (0, 0);
        while i < Features::ALL.len() {
            let (_, feature, on) = Features::ALL[i];
            if on {
                set |= feature.0;
            }
            i += 1;
        }
        Features(set)
    };

    pub fn contains(self, other: Features) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn set(&mut self, feature: Features, on: bool) {
        match on {
            true => self.0 |= feature.0,
            false => self.0 &= !feature.0,
        }
    }

    /// The feature of this name.
    pub fn by_name(name: &str) -> Result<Features> {
        let mut all = Features::ALL.iter();
        let found = all.find(|(known, ..)| *known == name);
        found.map(|(_, feature, _)| *feature).ok_or_else(|| {
            Error::argument(format_args!(
                "there is no feature \"{name}\"; there are {}",
                Commas(Features::ALL.iter().map(|(name, ..)| name))
            ))
        })
    }
}
