//! Relaxed vector instructions.
//!
//! By default each does one thing on every CPU, the first of those that the
//! specification allows: swizzle, truncation, minimum and maximum are those of
//! plain SIMD, lane select picks bit by bit, multiplication and addition are
//! fused, products of bytes are signed. When the host asks for speed instead,
//! x86-64 uses the instruction that it has.

use crate::compiler::translate::Translator;
use crate::image::builtin::Builtin;
use cranelift_codegen::ir::{
    InstBuilder, Type, Value,
    condcodes::FloatCC,
    types::{F32X4, F64X2, I8X16, I16X8, I32X4, I64X2},
};
use wasmparser::Operator;

pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match op {
        O::I8x16RelaxedSwizzle => t.relaxed_swizzle(),
        O::I32x4RelaxedTruncF32x4S => t.relaxed_truncate(),
        O::I32x4RelaxedTruncF32x4U => {
            t.truncate_lanes(F32X4, false, Builtin::I32TruncSatF32U);
        }
        O::I32x4RelaxedTruncF64x2SZero => t.relaxed_truncate_wide(),
        O::I32x4RelaxedTruncF64x2UZero => {
            t.truncate_lanes(F64X2, false, Builtin::I32TruncSatF64U);
        }
        O::F32x4RelaxedMadd => t.multiply_add(F32X4, false),
        O::F32x4RelaxedNmadd => t.multiply_add(F32X4, true),
        O::F64x2RelaxedMadd => t.multiply_add(F64X2, false),
        O::F64x2RelaxedNmadd => t.multiply_add(F64X2, true),
        O::I8x16RelaxedLaneselect => t.lane_select(I8X16),
        O::I16x8RelaxedLaneselect => t.lane_select(I16X8),
        O::I32x4RelaxedLaneselect => t.lane_select(I32X4),
        O::I64x2RelaxedLaneselect => t.lane_select(I64X2),
        O::F32x4RelaxedMin => t.relaxed_extreme(F32X4, FloatCC::LessThan),
        O::F64x2RelaxedMin => t.relaxed_extreme(F64X2, FloatCC::LessThan),
        O::F32x4RelaxedMax => t.relaxed_extreme(F32X4, FloatCC::GreaterThan),
        O::F64x2RelaxedMax => t.relaxed_extreme(F64X2, FloatCC::GreaterThan),
        O::I16x8RelaxedQ15mulrS => {
            let (x, y) = t.pop2_lanes(I16X8);
            let ins = t.vm.b.ins();
            let value = match t.vm.env.target.relaxed_ssse3() {
                true => ins.x86_pmulhrsw(x, y),
                false => ins.sqmul_round_sat(x, y),
            };
            t.push_lanes(value);
        }
        O::I16x8RelaxedDotI8x16I7x16S => {
            let (x, y) = t.pop2_lanes(I8X16);
            let value = t.byte_dot(x, y);
            t.push_lanes(value);
        }
        O::I32x4RelaxedDotI8x16I7x16AddS => {
            let sum = t.pop_lanes(I32X4);
            let (x, y) = t.pop2_lanes(I8X16);
            let products = t.byte_dot(x, y);
            let value = t.signed_pairs(products);
            let value = t.vm.b.ins().iadd(value, sum);
            t.push_lanes(value);
        }
        _ => return false,
    }
    true
}

impl Translator<'_, '_> {
    fn relaxed_swizzle(&mut self) {
        if !self.vm.env.target.relaxed_ssse3() {
            return self.swizzle();
        }
        let (x, y) = self.pop2();
        let value = self.vm.b.ins().x86_pshufb(x, y);
        self.push(value);
    }

    fn relaxed_truncate(&mut self) {
        if !self.vm.env.target.relaxed_x86() {
            return self.truncate_lanes(F32X4, true, Builtin::I32TruncSatF32S);
        }
        let x = self.pop_lanes(F32X4);
        let value = self.vm.b.ins().x86_cvtt2dq(I32X4, x);
        self.push_lanes(value);
    }

    fn relaxed_truncate_wide(&mut self) {
        if !self.vm.env.target.relaxed_x86() {
            return self.truncate_lanes(F64X2, true, Builtin::I32TruncSatF64S);
        }
        let x = self.pop_lanes(F64X2);
        let zero = self.vconst(I64X2, [0; 16]);
        let wide = self.vm.b.ins().x86_cvtt2dq(I64X2, x);
        let value = self.vm.b.ins().snarrow(wide, zero);
        self.push_lanes(value);
    }

    /// `x * y + z`, or `-(x * y) + z`.
    fn multiply_add(&mut self, ty: Type, negate: bool) {
        let z = self.pop_lanes(ty);
        let (mut x, y) = self.pop2_lanes(ty);
        let target = self.vm.env.target;
        if negate {
            x = match target.relaxed_native() {
                true => self.vm.b.ins().fneg(x),
                false => self.flip_signs(ty, x),
            };
        }
        let value = if target.native_fma() {
            self.vm.b.ins().fma(x, y, z)
        } else if target.relaxed_native() {
            let product = self.vm.b.ins().fmul(x, y);
            self.vm.b.ins().fadd(product, z)
        } else {
            let builtin = match ty {
                F32X4 => Builtin::F32Fma,
                _ => Builtin::F64Fma,
            };
            self.each_lane(ty, &[x, y, z], ty, builtin)
        };
        self.push_lanes(value);
    }

    /// As `fneg`, but never made one with what follows: an instruction that negates and adds leaves a NaN's sign
    /// alone, and so would differ from what other CPUs do.
    fn flip_signs(&mut self, ty: Type, x: Value) -> Value {
        let mut signs = [0; 16];
        let size = ty.lane_type().bytes() as usize;
        for lane in signs.chunks_exact_mut(size) {
            lane[size - 1] = 0x80;
        }
        let signs = self.vconst(I8X16, signs);
        let bytes = self.cast_lanes(I8X16, x);
        let bytes = self.vm.b.ins().bxor(bytes, signs);
        self.cast_lanes(ty, bytes)
    }

    fn lane_select(&mut self, ty: Type) {
        let mask = self.pop_lanes(ty);
        let (x, y) = self.pop2_lanes(ty);
        // x86-64 selects by the top bit of a lane, but has no such instruction for 16-bit lanes.
        let value = match ty != I16X8 && self.vm.env.target.relaxed_sse41() {
            true => self.vm.b.ins().blendv(mask, x, y),
            false => self.bitselect(mask, x, y),
        };
        self.push_lanes(value);
    }

    fn relaxed_extreme(&mut self, ty: Type, condition: FloatCC) {
        if self.vm.env.target.relaxed_x86() {
            return self.pseudo(ty, condition);
        }
        let (x, y) = self.pop2_lanes(ty);
        let ins = self.vm.b.ins();
        let value = match condition {
            FloatCC::LessThan => ins.fmin(x, y),
            _ => ins.fmax(x, y),
        };
        self.push_lanes(value);
    }

    /// The products of bytes as 16-bit lanes, added in pairs.
    fn byte_dot(&mut self, x: Value, y: Value) -> Value {
        match self.vm.env.target.relaxed_ssse3() {
            // The second operand, whose bytes are below 128, is the one that it takes as unsigned.
            true => self.vm.b.ins().x86_pmaddubsw(x, y),
            false => self.dot(x, y),
        }
    }
}
