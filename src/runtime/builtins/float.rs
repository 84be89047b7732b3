//! C functions for rounding, fused multiply-add and float-to-int conversions.
//!
//! Each is named as the WebAssembly instruction that it implements; `f32.fma` and `f64.fma` are one lane of relaxed
//! multiply-add. The results are bit for bit those of the CPU's instruction, or of a CPU of its kind that has one: a NaN keeps
//! its sign and payload and becomes quiet, and on RISC-V becomes the canonical one. The functions are exported so that a host
//! that replaces one can still call the original.

#![allow(
    non_camel_case_types,
    clippy::missing_safety_doc,
    reason = "part of the C surface; see capi"
)]

use super::record_trap;
use crate::image::trap::Trap;

/// The context of running wasm: the first parameter of each builtin. It is opaque, and valid only during the call.
pub struct inlay_vmctx_t {
    _private: [u8; 0],
}

/// `f32.ceil`: rounds to an integer, up.
///
/// A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
/// Any thread may call it. See the WebAssembly specification, section 4.3.3.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f32_ceil(vmctx: *mut inlay_vmctx_t, x: f32) -> f32 {
    let _ = vmctx;
    if x.is_nan() {
        return quiet_f32(x);
    }
    libm::ceilf(x)
}

/// `f32.floor`: rounds to an integer, down.
///
/// A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
/// Any thread may call it. See the WebAssembly specification, section 4.3.3.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f32_floor(vmctx: *mut inlay_vmctx_t, x: f32) -> f32 {
    let _ = vmctx;
    if x.is_nan() {
        return quiet_f32(x);
    }
    libm::floorf(x)
}

/// `f32.trunc`: rounds to an integer, toward zero.
///
/// A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
/// Any thread may call it. See the WebAssembly specification, section 4.3.3.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f32_trunc(vmctx: *mut inlay_vmctx_t, x: f32) -> f32 {
    let _ = vmctx;
    if x.is_nan() {
        return quiet_f32(x);
    }
    libm::truncf(x)
}

/// `f32.nearest`: rounds to an integer, to the nearest, ties to even.
///
/// A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
/// Any thread may call it. See the WebAssembly specification, section 4.3.3.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f32_nearest(vmctx: *mut inlay_vmctx_t, x: f32) -> f32 {
    let _ = vmctx;
    if x.is_nan() {
        return quiet_f32(x);
    }
    libm::rintf(x)
}

/// `f64.ceil`: rounds to an integer, up.
///
/// A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
/// Any thread may call it. See the WebAssembly specification, section 4.3.3.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f64_ceil(vmctx: *mut inlay_vmctx_t, x: f64) -> f64 {
    let _ = vmctx;
    if x.is_nan() {
        return quiet_f64(x);
    }
    libm::ceil(x)
}

/// `f64.floor`: rounds to an integer, down.
///
/// A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
/// Any thread may call it. See the WebAssembly specification, section 4.3.3.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f64_floor(vmctx: *mut inlay_vmctx_t, x: f64) -> f64 {
    let _ = vmctx;
    if x.is_nan() {
        return quiet_f64(x);
    }
    libm::floor(x)
}

/// `f64.trunc`: rounds to an integer, toward zero.
///
/// A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
/// Any thread may call it. See the WebAssembly specification, section 4.3.3.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f64_trunc(vmctx: *mut inlay_vmctx_t, x: f64) -> f64 {
    let _ = vmctx;
    if x.is_nan() {
        return quiet_f64(x);
    }
    libm::trunc(x)
}

/// `f64.nearest`: rounds to an integer, to the nearest, ties to even.
///
/// A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
/// Any thread may call it. See the WebAssembly specification, section 4.3.3.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f64_nearest(vmctx: *mut inlay_vmctx_t, x: f64) -> f64 {
    let _ = vmctx;
    if x.is_nan() {
        return quiet_f64(x);
    }
    libm::rint(x)
}

/// `x * y + z`, rounded once: what the relaxed multiply-add instructions do, a lane at a time.
///
/// The vmctx is not used and may be NULL. Any thread may call it. See IEEE 754-2019, fusedMultiplyAdd.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f32_fma(vmctx: *mut inlay_vmctx_t, x: f32, y: f32, z: f32) -> f32 {
    let _ = vmctx;
    if FUSED {
        return x.mul_add(y, z);
    }
    // Of several NaNs this is the one that x86-64's instruction gives. A sum may give either, as the optimizer chooses.
    match [y, x, z].into_iter().find(|operand| operand.is_nan()) {
        Some(nan) => quiet_f32(nan),
        None => libm::fmaf(x, y, z),
    }
}

/// `x * y + z`, rounded once: what the relaxed multiply-add instructions do, a lane at a time.
///
/// The vmctx is not used and may be NULL. Any thread may call it. See IEEE 754-2019, fusedMultiplyAdd.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_f64_fma(vmctx: *mut inlay_vmctx_t, x: f64, y: f64, z: f64) -> f64 {
    let _ = vmctx;
    if FUSED {
        return x.mul_add(y, z);
    }
    // Of several NaNs this is the one that x86-64's instruction gives. A sum may give either, as the optimizer chooses.
    match [y, x, z].into_iter().find(|operand| operand.is_nan()) {
        Some(nan) => quiet_f64(nan),
        None => libm::fma(x, y, z),
    }
}

/// Whether `mul_add` is compiled to an instruction, which every CPU of these kinds has. Elsewhere it would be a call of
/// the C library.
const FUSED: bool = cfg!(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "s390x"
));

/// `i32.trunc_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
///
/// A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
/// both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
/// wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i32_trunc_f32_s(vmctx: *mut inlay_vmctx_t, x: f32) -> i32 {
    if (-2147483648.0..2147483648.0).contains(&x) {
        return x as i32;
    }
    // SAFETY: the caller passes on the vmctx of the running wasm.
    unsafe { out_of_range(vmctx, x.is_nan()) };
    0
}

/// `i32.trunc_f32_u`: rounds toward zero to an unsigned integer; the bits are returned as `int32_t`.
///
/// A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
/// both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
/// wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i32_trunc_f32_u(vmctx: *mut inlay_vmctx_t, x: f32) -> i32 {
    if -1.0 < x && x < 4294967296.0 {
        return x as u32 as i32;
    }
    // SAFETY: the caller passes on the vmctx of the running wasm.
    unsafe { out_of_range(vmctx, x.is_nan()) };
    0
}

/// `i32.trunc_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
///
/// A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
/// both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
/// wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i32_trunc_f64_s(vmctx: *mut inlay_vmctx_t, x: f64) -> i32 {
    if -2147483649.0 < x && x < 2147483648.0 {
        return x as i32;
    }
    // SAFETY: the caller passes on the vmctx of the running wasm.
    unsafe { out_of_range(vmctx, x.is_nan()) };
    0
}

/// `i32.trunc_f64_u`: rounds toward zero to an unsigned integer; the bits are returned as `int32_t`.
///
/// A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
/// both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
/// wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i32_trunc_f64_u(vmctx: *mut inlay_vmctx_t, x: f64) -> i32 {
    if -1.0 < x && x < 4294967296.0 {
        return x as u32 as i32;
    }
    // SAFETY: the caller passes on the vmctx of the running wasm.
    unsafe { out_of_range(vmctx, x.is_nan()) };
    0
}

/// `i64.trunc_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
///
/// A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
/// both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
/// wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i64_trunc_f32_s(vmctx: *mut inlay_vmctx_t, x: f32) -> i64 {
    if (-9223372036854775808.0..9223372036854775808.0).contains(&x) {
        return x as i64;
    }
    // SAFETY: the caller passes on the vmctx of the running wasm.
    unsafe { out_of_range(vmctx, x.is_nan()) };
    0
}

/// `i64.trunc_f32_u`: rounds toward zero to an unsigned integer; the bits are returned as `int64_t`.
///
/// A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
/// both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
/// wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i64_trunc_f32_u(vmctx: *mut inlay_vmctx_t, x: f32) -> i64 {
    if -1.0 < x && x < 18446744073709551616.0 {
        return x as u64 as i64;
    }
    // SAFETY: the caller passes on the vmctx of the running wasm.
    unsafe { out_of_range(vmctx, x.is_nan()) };
    0
}

/// `i64.trunc_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
///
/// A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
/// both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
/// wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i64_trunc_f64_s(vmctx: *mut inlay_vmctx_t, x: f64) -> i64 {
    if (-9223372036854775808.0..9223372036854775808.0).contains(&x) {
        return x as i64;
    }
    // SAFETY: the caller passes on the vmctx of the running wasm.
    unsafe { out_of_range(vmctx, x.is_nan()) };
    0
}

/// `i64.trunc_f64_u`: rounds toward zero to an unsigned integer; the bits are returned as `int64_t`.
///
/// A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
/// both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
/// wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i64_trunc_f64_u(vmctx: *mut inlay_vmctx_t, x: f64) -> i64 {
    if -1.0 < x && x < 18446744073709551616.0 {
        return x as u64 as i64;
    }
    // SAFETY: the caller passes on the vmctx of the running wasm.
    unsafe { out_of_range(vmctx, x.is_nan()) };
    0
}

/// `i32.trunc_sat_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
///
/// A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
/// may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_i32_trunc_sat_f32_s(vmctx: *mut inlay_vmctx_t, x: f32) -> i32 {
    let _ = vmctx;
    x as i32
}

/// `i32.trunc_sat_f32_u`: rounds toward zero to an unsigned integer; the bits are returned as `int32_t`.
///
/// A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
/// may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_i32_trunc_sat_f32_u(vmctx: *mut inlay_vmctx_t, x: f32) -> i32 {
    let _ = vmctx;
    x as u32 as i32
}

/// `i32.trunc_sat_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
///
/// A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
/// may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_i32_trunc_sat_f64_s(vmctx: *mut inlay_vmctx_t, x: f64) -> i32 {
    let _ = vmctx;
    x as i32
}

/// `i32.trunc_sat_f64_u`: rounds toward zero to an unsigned integer; the bits are returned as `int32_t`.
///
/// A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
/// may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_i32_trunc_sat_f64_u(vmctx: *mut inlay_vmctx_t, x: f64) -> i32 {
    let _ = vmctx;
    x as u32 as i32
}

/// `i64.trunc_sat_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
///
/// A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
/// may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_i64_trunc_sat_f32_s(vmctx: *mut inlay_vmctx_t, x: f32) -> i64 {
    let _ = vmctx;
    x as i64
}

/// `i64.trunc_sat_f32_u`: rounds toward zero to an unsigned integer; the bits are returned as `int64_t`.
///
/// A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
/// may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_i64_trunc_sat_f32_u(vmctx: *mut inlay_vmctx_t, x: f32) -> i64 {
    let _ = vmctx;
    x as u64 as i64
}

/// `i64.trunc_sat_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
///
/// A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
/// may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_i64_trunc_sat_f64_s(vmctx: *mut inlay_vmctx_t, x: f64) -> i64 {
    let _ = vmctx;
    x as i64
}

/// `i64.trunc_sat_f64_u`: rounds toward zero to an unsigned integer; the bits are returned as `int64_t`.
///
/// A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
/// may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_builtin_i64_trunc_sat_f64_u(vmctx: *mut inlay_vmctx_t, x: f64) -> i64 {
    let _ = vmctx;
    x as u64 as i64
}

/// Records the trap of a conversion that has no result.
///
/// # Safety
/// `vmctx` is that of the running wasm, and no reference to its store is held.
#[cold]
unsafe fn out_of_range(vmctx: *mut inlay_vmctx_t, nan: bool) {
    let trap = if nan {
        Trap::InvalidConversion
    } else {
        Trap::IntegerOverflow
    };
    // SAFETY: as the caller promises.
    unsafe { record_trap(vmctx.cast(), trap) };
}

/// What becomes of a NaN; CPUs of RISC-V have one for all.
fn quiet_f32(x: f32) -> f32 {
    match cfg!(target_arch = "riscv64") {
        true => f32::from_bits(0x7fc0_0000),
        false => f32::from_bits(x.to_bits() | 1 << 22),
    }
}

fn quiet_f64(x: f64) -> f64 {
    match cfg!(target_arch = "riscv64") {
        true => f64::from_bits(0x7ff8_0000_0000_0000),
        false => f64::from_bits(x.to_bits() | 1 << 51),
    }
}
