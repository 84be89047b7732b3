/*
 * The builtins of Inlay 0.1.0: what compiled code calls where the CPU has no instruction. inlay.h includes this.
 *
 * A host does not call these, unless it replaces one with inlay_config_builtin and wants the original's answer.
 *
 * Generated from the sources; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef INLAY_BUILTINS_H
#define INLAY_BUILTINS_H

#include "inlay.h"

#ifdef __cplusplus
extern "C" {
#endif

/*---------------------------------------------------------------------------------------------------------------------
 * Rounding, fused multiply-add and float-to-int conversions as C functions.
 *
 * Each is the WebAssembly instruction of its name, bit for bit what the
 * instruction of a CPU that has one gives: a NaN keeps its sign and payload
 * and becomes quiet. They are exported so that a host that replaces one can
 * still call the original.
 *---------------------------------------------------------------------------------------------------------------------*/

/** What wasm code runs with: the first parameter of each builtin. Opaque, and only valid during the call. */
typedef struct inlay_vmctx_t inlay_vmctx_t;

/**
 * `f32.ceil`: rounds to an integer, up.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
float inlay_builtin_f32_ceil(inlay_vmctx_t *vmctx, float x);

/**
 * `f32.floor`: rounds to an integer, down.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
float inlay_builtin_f32_floor(inlay_vmctx_t *vmctx, float x);

/**
 * `f32.trunc`: rounds to an integer, toward zero.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
float inlay_builtin_f32_trunc(inlay_vmctx_t *vmctx, float x);

/**
 * `f32.nearest`: rounds to an integer, to the nearest, ties to even.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
float inlay_builtin_f32_nearest(inlay_vmctx_t *vmctx, float x);

/**
 * `f64.ceil`: rounds to an integer, up.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
double inlay_builtin_f64_ceil(inlay_vmctx_t *vmctx, double x);

/**
 * `f64.floor`: rounds to an integer, down.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
double inlay_builtin_f64_floor(inlay_vmctx_t *vmctx, double x);

/**
 * `f64.trunc`: rounds to an integer, toward zero.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
double inlay_builtin_f64_trunc(inlay_vmctx_t *vmctx, double x);

/**
 * `f64.nearest`: rounds to an integer, to the nearest, ties to even.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
double inlay_builtin_f64_nearest(inlay_vmctx_t *vmctx, double x);

/**
 * `x * y + z`, rounded once: what the relaxed multiply-add instructions do, a lane at a time.
 *
 * The vmctx is not used and may be NULL. Any thread may call it. See IEEE 754-2019, fusedMultiplyAdd.
 */
float inlay_builtin_f32_fma(inlay_vmctx_t *vmctx, float x, float y, float z);

/**
 * `x * y + z`, rounded once: what the relaxed multiply-add instructions do, a lane at a time.
 *
 * The vmctx is not used and may be NULL. Any thread may call it. See IEEE 754-2019, fusedMultiplyAdd.
 */
double inlay_builtin_f64_fma(inlay_vmctx_t *vmctx, double x, double y, double z);

/**
 * `i32.trunc_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_f32_u`: rounds toward zero to a unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_f64_u`: rounds toward zero to a unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_f32_u`: rounds toward zero to a unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_f64_u`: rounds toward zero to a unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_sat_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_sat_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_sat_f32_u`: rounds toward zero to a unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_sat_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_sat_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_sat_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_sat_f64_u`: rounds toward zero to a unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_sat_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_sat_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_sat_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_sat_f32_u`: rounds toward zero to a unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_sat_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_sat_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_sat_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_sat_f64_u`: rounds toward zero to a unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_sat_f64_u(inlay_vmctx_t *vmctx, double x);

/*---------------------------------------------------------------------------------------------------------------------
 * Moving bytes between vectors, as C functions.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * `i8x16.shuffle`: byte `i` of `*out` is byte `lanes->bytes[i]` of `*x` followed by `*y`.
 *
 * Each byte of `*lanes` is below 32. `out` may be one of the operands. The vmctx is not used and may be NULL. Any
 * thread may call it. See the WebAssembly specification, section 4.4.3.
 */
void inlay_builtin_i8x16_shuffle(inlay_vmctx_t *vmctx,
                                 const inlay_v128_t *x,
                                 const inlay_v128_t *y,
                                 const inlay_v128_t *lanes,
                                 inlay_v128_t *out);

/**
 * `i8x16.swizzle`: byte `i` of `*out` is byte `lanes->bytes[i]` of `*x`, or 0 where there is none.
 *
 * `out` may be one of the operands. The vmctx is not used and may be NULL. Any thread may call it. See the
 * WebAssembly specification, section 4.4.3.
 */
void inlay_builtin_i8x16_swizzle(inlay_vmctx_t *vmctx,
                                 const inlay_v128_t *x,
                                 const inlay_v128_t *lanes,
                                 inlay_v128_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * What a host's own builtins need.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * Records a trap, for a builtin of the host's that replaces one which can trap, such as "i32.trunc_f64_s".
 *
 * Call it with the vmctx that the builtin was called with, before the builtin returns; what it then returns does
 * not matter. A number that is none of the `INLAY_TRAP_` constants, or `INLAY_TRAP_NONE`, records nothing, and neither
 * does a builtin that Inlay's own version of cannot trap, such as "f64.floor": wasm calls it directly, and would not
 * look for a trap.
 */
void inlay_builtin_trap(inlay_vmctx_t *vmctx, inlay_trap_t trap);

#ifdef __cplusplus
}
#endif

#endif
