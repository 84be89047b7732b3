//! C functions that move bytes between vectors.

#![allow(
    non_camel_case_types,
    clippy::missing_safety_doc,
    reason = "part of the C surface; see capi"
)]

use super::float::inlay_vmctx_t;

/// The 16 bytes of a `v128`, lane 0 first: in C, `inlay_v128_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct V128 {
    /// The bytes.
    pub bytes: [u8; 16],
}

/// `i8x16.shuffle`: byte `i` of `*out` is byte `lanes->bytes[i]` of `*x` followed by `*y`.
///
/// Each byte of `*lanes` is below 32. `out` may be one of the operands. The vmctx is not used and may be NULL. Any
/// thread may call it. See the WebAssembly specification, section 4.4.3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i8x16_shuffle(
    vmctx: *mut inlay_vmctx_t,
    x: *const V128,
    y: *const V128,
    lanes: *const V128,
    out: *mut V128,
) {
    let _ = vmctx;
    // SAFETY: the caller gives pointers to vectors.
    unsafe {
        let (x, y) = ((*x).bytes, (*y).bytes);
        let byte = |lane: u8| match lane {
            0..16 => x[lane as usize],
            _ => y[lane as usize % 16],
        };
        *out = V128 {
            bytes: (*lanes).bytes.map(byte),
        };
    }
}

/// `i8x16.swizzle`: byte `i` of `*out` is byte `lanes->bytes[i]` of `*x`, or 0 if that index is not below 16.
///
/// `out` may be one of the operands. The vmctx is not used and may be NULL. Any thread may call it. See the
/// WebAssembly specification, section 4.4.3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_builtin_i8x16_swizzle(
    vmctx: *mut inlay_vmctx_t,
    x: *const V128,
    lanes: *const V128,
    out: *mut V128,
) {
    let _ = vmctx;
    // SAFETY: the caller gives pointers to vectors.
    unsafe {
        let x = (*x).bytes;
        let byte = |lane: u8| x.get(lane as usize).copied().unwrap_or(0);
        *out = V128 {
            bytes: (*lanes).bytes.map(byte),
        };
    }
}
