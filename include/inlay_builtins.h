/*
 * The builtins of Inlay 0.2.0: what compiled code calls where the CPU has no instruction. inlay.h includes this.
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
 * C functions for rounding, fused multiply-add and float-to-int conversions.
 *
 * Each is named as the WebAssembly instruction that it implements; `f32.fma` and `f64.fma` are one lane of relaxed
 * multiply-add. The results are bit for bit those of the CPU's instruction, or of a CPU of its kind that has one: a NaN keeps
 * its sign and payload and becomes quiet, and on RISC-V becomes the canonical one. The functions are exported so that a host
 * that replaces one can still call the original.
 *---------------------------------------------------------------------------------------------------------------------*/

/** The context of running wasm: the first parameter of each builtin. It is opaque, and valid only during the call. */
typedef struct inlay_vmctx_t inlay_vmctx_t;

/**
 * `f32.ceil`: rounds to an integer, up.
 *
 * A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
INLAY_API
float inlay_builtin_f32_ceil(inlay_vmctx_t *vmctx,
                             float x);

/**
 * `f32.floor`: rounds to an integer, down.
 *
 * A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
INLAY_API
float inlay_builtin_f32_floor(inlay_vmctx_t *vmctx,
                              float x);

/**
 * `f32.trunc`: rounds to an integer, toward zero.
 *
 * A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
INLAY_API
float inlay_builtin_f32_trunc(inlay_vmctx_t *vmctx,
                              float x);

/**
 * `f32.nearest`: rounds to an integer, to the nearest, ties to even.
 *
 * A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
INLAY_API
float inlay_builtin_f32_nearest(inlay_vmctx_t *vmctx,
                                float x);

/**
 * `f64.ceil`: rounds to an integer, up.
 *
 * A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
INLAY_API
double inlay_builtin_f64_ceil(inlay_vmctx_t *vmctx,
                              double x);

/**
 * `f64.floor`: rounds to an integer, down.
 *
 * A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
INLAY_API
double inlay_builtin_f64_floor(inlay_vmctx_t *vmctx,
                               double x);

/**
 * `f64.trunc`: rounds to an integer, toward zero.
 *
 * A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
INLAY_API
double inlay_builtin_f64_trunc(inlay_vmctx_t *vmctx,
                               double x);

/**
 * `f64.nearest`: rounds to an integer, to the nearest, ties to even.
 *
 * A NaN becomes quiet and keeps its sign and payload; on RISC-V it becomes the canonical one. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
INLAY_API
double inlay_builtin_f64_nearest(inlay_vmctx_t *vmctx,
                                 double x);

/**
 * `x * y + z`, rounded once: what the relaxed multiply-add instructions do, a lane at a time.
 *
 * The vmctx is not used and may be NULL. Any thread may call it. See IEEE 754-2019, fusedMultiplyAdd.
 */
INLAY_API
float inlay_builtin_f32_fma(inlay_vmctx_t *vmctx, float x, float y, float z);

/**
 * `x * y + z`, rounded once: what the relaxed multiply-add instructions do, a lane at a time.
 *
 * The vmctx is not used and may be NULL. Any thread may call it. See IEEE 754-2019, fusedMultiplyAdd.
 */
INLAY_API
double inlay_builtin_f64_fma(inlay_vmctx_t *vmctx, double x, double y, double z);

/**
 * `i32.trunc_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int32_t inlay_builtin_i32_trunc_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_f32_u`: rounds toward zero to an unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int32_t inlay_builtin_i32_trunc_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int32_t inlay_builtin_i32_trunc_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_f64_u`: rounds toward zero to an unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int32_t inlay_builtin_i32_trunc_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int64_t inlay_builtin_i64_trunc_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_f32_u`: rounds toward zero to an unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int64_t inlay_builtin_i64_trunc_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int64_t inlay_builtin_i64_trunc_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_f64_u`: rounds toward zero to an unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int64_t inlay_builtin_i64_trunc_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_sat_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int32_t inlay_builtin_i32_trunc_sat_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_sat_f32_u`: rounds toward zero to an unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int32_t inlay_builtin_i32_trunc_sat_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_sat_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int32_t inlay_builtin_i32_trunc_sat_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_sat_f64_u`: rounds toward zero to an unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int32_t inlay_builtin_i32_trunc_sat_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_sat_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int64_t inlay_builtin_i64_trunc_sat_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_sat_f32_u`: rounds toward zero to an unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int64_t inlay_builtin_i64_trunc_sat_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_sat_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int64_t inlay_builtin_i64_trunc_sat_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_sat_f64_u`: rounds toward zero to an unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
INLAY_API
int64_t inlay_builtin_i64_trunc_sat_f64_u(inlay_vmctx_t *vmctx, double x);

/*---------------------------------------------------------------------------------------------------------------------
 * C functions that move bytes between vectors.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * `i8x16.shuffle`: byte `i` of `*out` is byte `lanes->bytes[i]` of `*x` followed by `*y`.
 *
 * Each byte of `*lanes` is below 32. `out` may be one of the operands. The vmctx is not used and may be NULL. Any
 * thread may call it. See the WebAssembly specification, section 4.4.3.
 */
INLAY_API
void inlay_builtin_i8x16_shuffle(inlay_vmctx_t *vmctx,
                                 const inlay_v128_t *x,
                                 const inlay_v128_t *y,
                                 const inlay_v128_t *lanes,
                                 inlay_v128_t *out);

/**
 * `i8x16.swizzle`: byte `i` of `*out` is byte `lanes->bytes[i]` of `*x`, or 0 if that index is not below 16.
 *
 * `out` may be one of the operands. The vmctx is not used and may be NULL. Any thread may call it. See the
 * WebAssembly specification, section 4.4.3.
 */
INLAY_API
void inlay_builtin_i8x16_swizzle(inlay_vmctx_t *vmctx,
                                 const inlay_v128_t *x,
                                 const inlay_v128_t *lanes,
                                 inlay_v128_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * For builtins that a host writes.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * Records a trap, for a builtin of the host's that replaces one which can trap, such as "i32.trunc_f64_s".
 *
 * Call it with the vmctx that the builtin was called with, before the builtin returns; what it then returns does not
 * matter. Nothing is recorded for a number that is no `INLAY_TRAP_` constant, or is `INLAY_TRAP_NONE`. Nothing is
 * recorded either inside the replacement of a builtin that cannot trap, such as "f64.floor", since wasm does not look
 * for a trap after it.
 */
INLAY_API
void inlay_builtin_trap(inlay_vmctx_t *vmctx, inlay_trap_t trap);

#ifdef __cplusplus
}
#endif

#endif
