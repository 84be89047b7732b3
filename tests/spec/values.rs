//! Arguments and expected results: from the script's words to C values, and the comparison, bit by bit.

use std::ffi::c_void;
use std::ptr;

use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

use crate::api::{Value, c};

pub fn i32(value: i32) -> Value {
    Value {
        kind: c::INLAY_I32,
        of: c::inlay_value_of_t { i32: value },
    }
}

pub fn i64(value: i64) -> Value {
    Value {
        kind: c::INLAY_I64,
        of: c::inlay_value_of_t { i64: value },
    }
}

pub fn f32(value: f32) -> Value {
    Value {
        kind: c::INLAY_F32,
        of: c::inlay_value_of_t { f32: value },
    }
}

pub fn f64(value: f64) -> Value {
    Value {
        kind: c::INLAY_F64,
        of: c::inlay_value_of_t { f64: value },
    }
}

pub fn funcref(value: *mut c::inlay_func_t) -> Value {
    Value {
        kind: c::INLAY_FUNCREF,
        of: c::inlay_value_of_t { funcref: value },
    }
}

pub fn externref(value: *mut c_void) -> Value {
    Value {
        kind: c::INLAY_EXTERNREF,
        of: c::inlay_value_of_t { externref: value },
    }
}

pub fn exnref(value: *mut c_void) -> Value {
    Value {
        kind: c::INLAY_EXNREF,
        of: c::inlay_value_of_t { exnref: value },
    }
}

/// `(ref.extern 0)` is a reference too, so the script's number is not the pointer itself: that would be null.
fn host_pointer(number: u32) -> *mut c_void {
    ptr::without_provenance_mut(number as usize + 1)
}

/// The letter of a value's kind in a signature.
pub fn letter(value: &Value) -> char {
    match value.kind {
        c::INLAY_I32 => 'i',
        c::INLAY_I64 => 'I',
        c::INLAY_F32 => 'f',
        c::INLAY_F64 => 'F',
        c::INLAY_V128 => 'V',
        c::INLAY_FUNCREF => 'r',
        c::INLAY_EXTERNREF => 'e',
        _ => '?',
    }
}

fn abstract_type(heap: &HeapType<'_>) -> Option<AbstractHeapType> {
    match heap {
        HeapType::Abstract { shared: false, ty } => Some(*ty),
        _ => None,
    }
}

/// The C value of one argument of an `invoke`.
pub fn argument(arg: &WastArg<'_>) -> Result<Value, String> {
    let WastArg::Core(core) = arg else {
        return Err(format!("not a core argument: {arg:?}"));
    };
    Ok(match core {
        WastArgCore::I32(value) => i32(*value),
        WastArgCore::I64(value) => i64(*value),
        WastArgCore::F32(value) => f32(f32::from_bits(value.bits)),
        WastArgCore::F64(value) => f64(f64::from_bits(value.bits)),
        WastArgCore::V128(value) => Value {
            kind: c::INLAY_V128,
            of: c::inlay_value_of_t {
                v128: c::inlay_v128_t {
                    bytes: value.to_le_bytes(),
                },
            },
        },
        WastArgCore::RefExtern(number) => externref(host_pointer(*number)),
        WastArgCore::RefNull(heap) => match abstract_type(heap) {
            Some(AbstractHeapType::Func) => funcref(ptr::null_mut()),
            Some(AbstractHeapType::Extern) => externref(ptr::null_mut()),
            Some(AbstractHeapType::Exn) => exnref(ptr::null_mut()),
            _ => return Err(format!("an argument outside WebAssembly 2.0: {core:?}")),
        },
        other => return Err(format!("an argument outside WebAssembly 2.0: {other:?}")),
    })
}

/// A value as a failing assertion shows it. Floats come with their bits, which is where they differ.
pub fn show(value: &Value) -> String {
    // SAFETY: the kind says which member is written.
    unsafe {
        match value.kind {
            c::INLAY_I32 => format!("i32 {}", value.of.i32),
            c::INLAY_I64 => format!("i64 {}", value.of.i64),
            c::INLAY_F32 => format!("f32 {:?} ({:#010x})", value.of.f32, value.of.f32.to_bits()),
            c::INLAY_F64 => format!("f64 {:?} ({:#018x})", value.of.f64, value.of.f64.to_bits()),
            c::INLAY_V128 => format!("v128 {:02x?}", value.of.v128.bytes),
            c::INLAY_FUNCREF => format!("funcref {:?}", value.of.funcref),
            c::INLAY_EXTERNREF => format!("externref {:?}", value.of.externref),
            other => format!("a value of the unknown kind {other}"),
        }
    }
}

/// Compares all results of a call with what the script expects.
pub fn compare(expected: &[WastRet<'_>], actual: &[Value]) -> Result<(), String> {
    if expected.len() != actual.len() {
        return Err(format!(
            "expected {} results, got {}",
            expected.len(),
            actual.len()
        ));
    }
    for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        let WastRet::Core(core) = expected else {
            return Err(format!("not a core result: {expected:?}"));
        };
        if !matches(core, actual)? {
            return Err(format!(
                "result {index}: expected {core:?}, got {}",
                show(actual)
            ));
        }
    }
    Ok(())
}

/// Whether one result is as expected. An error means that the expectation is none that this driver knows.
fn matches(expected: &WastRetCore<'_>, actual: &Value) -> Result<bool, String> {
    // SAFETY: each field is read only after `kind` has said that it is the one that was written.
    unsafe {
        Ok(match expected {
            WastRetCore::I32(value) => actual.kind == c::INLAY_I32 && actual.of.i32 == *value,
            WastRetCore::I64(value) => actual.kind == c::INLAY_I64 && actual.of.i64 == *value,
            WastRetCore::F32(pattern) => {
                actual.kind == c::INLAY_F32 && f32_matches(pattern, actual.of.f32.to_bits())
            }
            WastRetCore::F64(pattern) => {
                actual.kind == c::INLAY_F64 && f64_matches(pattern, actual.of.f64.to_bits())
            }
            WastRetCore::V128(pattern) => {
                actual.kind == c::INLAY_V128 && v128_matches(pattern, actual.of.v128.bytes)
            }
            WastRetCore::RefNull(None) => is_null(actual),
            WastRetCore::RefNull(Some(heap)) => {
                let kind = match abstract_type(heap) {
                    Some(AbstractHeapType::Func | AbstractHeapType::NoFunc) => c::INLAY_FUNCREF,
                    Some(AbstractHeapType::Extern | AbstractHeapType::NoExtern) => {
                        c::INLAY_EXTERNREF
                    }
                    Some(AbstractHeapType::Exn | AbstractHeapType::NoExn) => c::INLAY_EXNREF,
                    _ => return Err(format!("a result outside WebAssembly 2.0: {expected:?}")),
                };
                actual.kind == kind && is_null(actual)
            }
            WastRetCore::RefExtern(Some(number)) => {
                actual.kind == c::INLAY_EXTERNREF && actual.of.externref == host_pointer(*number)
            }
            WastRetCore::RefExtern(None) => actual.kind == c::INLAY_EXTERNREF && !is_null(actual),
            WastRetCore::RefFunc(None) => actual.kind == c::INLAY_FUNCREF && !is_null(actual),
            WastRetCore::Either(cases) => {
                for case in cases {
                    if matches(case, actual)? {
                        return Ok(true);
                    }
                }
                false
            }
            other => return Err(format!("a result outside WebAssembly 2.0: {other:?}")),
        })
    }
}

fn is_null(value: &Value) -> bool {
    // SAFETY: as in `matches`.
    unsafe {
        match value.kind {
            c::INLAY_FUNCREF => value.of.funcref.is_null(),
            c::INLAY_EXTERNREF => value.of.externref.is_null(),
            c::INLAY_EXNREF => value.of.exnref.is_null(),
            _ => false,
        }
    }
}

/// Lane by lane, lane 0 in the first bytes, each little-endian.
fn v128_matches(pattern: &V128Pattern, bytes: [u8; 16]) -> bool {
    fn lanes<const N: usize>(bytes: &[u8; 16]) -> impl Iterator<Item = [u8; N]> {
        bytes.as_chunks().0.iter().copied()
    }
    match pattern {
        V128Pattern::I8x16(want) => lanes(&bytes).map(i8::from_le_bytes).eq(*want),
        V128Pattern::I16x8(want) => lanes(&bytes).map(i16::from_le_bytes).eq(*want),
        V128Pattern::I32x4(want) => lanes(&bytes).map(i32::from_le_bytes).eq(*want),
        V128Pattern::I64x2(want) => lanes(&bytes).map(i64::from_le_bytes).eq(*want),
        V128Pattern::F32x4(want) => lanes(&bytes)
            .map(u32::from_le_bytes)
            .zip(want)
            .all(|(bits, want)| f32_matches(want, bits)),
        V128Pattern::F64x2(want) => lanes(&bytes)
            .map(u64::from_le_bytes)
            .zip(want)
            .all(|(bits, want)| f64_matches(want, bits)),
    }
}

/// Canonical: exponent and top fraction bit set and nothing else. Arithmetic: at least those. Both of either sign.
fn f32_matches(pattern: &NanPattern<F32>, bits: u32) -> bool {
    const QUIET: u32 = 0x7fc0_0000;
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == QUIET,
        NanPattern::ArithmeticNan => bits & QUIET == QUIET,
        NanPattern::Value(value) => bits == value.bits,
    }
}

fn f64_matches(pattern: &NanPattern<F64>, bits: u64) -> bool {
    const QUIET: u64 = 0x7ff8_0000_0000_0000;
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == QUIET,
        NanPattern::ArithmeticNan => bits & QUIET == QUIET,
        NanPattern::Value(value) => bits == value.bits,
    }
}
