//! Vectors: lanes, integer and float arithmetic, comparisons and conversions.
//!
//! A v128 is an `I8X16` on the operand stack, and is seen as the lanes that an
//! instruction wants by a bitcast. Casts are little-endian, as wasm numbers lanes.

use crate::compiler::translate::Translator;
use crate::image::builtin::Builtin;
use cranelift_codegen::ir::{
    Endianness, InstBuilder, MemFlagsData, Type, Value,
    condcodes::{FloatCC, IntCC},
    types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2},
};
use wasmparser::Operator;

/// Pops operands as these lanes, pushes what the CLIF instruction gives.
macro_rules! lanes {
    ($t:ident, $ty:expr, $name:ident x) => {{
        let x = $t.pop_lanes($ty);
        let value = $t.vm.b.ins().$name(x);
        $t.push_lanes(value);
    }};
    ($t:ident, $ty:expr, $name:ident x y) => {{
        let (x, y) = $t.pop2_lanes($ty);
        let value = $t.vm.b.ins().$name(x, y);
        $t.push_lanes(value);
    }};
}

pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    lane(t, op)
        || bits(t, op)
        || integer(t, op)
        || widen(t, op)
        || compare(t, op)
        || float(t, op)
        || convert(t, op)
}

/// Constants, and access to single lanes.
fn lane(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match *op {
        O::V128Const { value } => {
            let value = t.vconst(I8X16, *value.bytes());
            t.push(value);
        }
        O::I8x16Shuffle { lanes } => t.shuffle(lanes),
        O::I8x16Swizzle => t.swizzle(),
        O::I8x16Splat => t.splat(I8X16),
        O::I16x8Splat => t.splat(I16X8),
        O::I32x4Splat => t.splat(I32X4),
        O::I64x2Splat => t.splat(I64X2),
        O::F32x4Splat => t.splat(F32X4),
        O::F64x2Splat => t.splat(F64X2),
        O::I8x16ExtractLaneS { lane } => t.extract(I8X16, lane, true),
        O::I8x16ExtractLaneU { lane } => t.extract(I8X16, lane, false),
        O::I16x8ExtractLaneS { lane } => t.extract(I16X8, lane, true),
        O::I16x8ExtractLaneU { lane } => t.extract(I16X8, lane, false),
        O::I32x4ExtractLane { lane } => t.extract(I32X4, lane, false),
        O::I64x2ExtractLane { lane } => t.extract(I64X2, lane, false),
        O::F32x4ExtractLane { lane } => t.extract(F32X4, lane, false),
        O::F64x2ExtractLane { lane } => t.extract(F64X2, lane, false),
        O::I8x16ReplaceLane { lane } => t.replace(I8X16, lane),
        O::I16x8ReplaceLane { lane } => t.replace(I16X8, lane),
        O::I32x4ReplaceLane { lane } => t.replace(I32X4, lane),
        O::I64x2ReplaceLane { lane } => t.replace(I64X2, lane),
        O::F32x4ReplaceLane { lane } => t.replace(F32X4, lane),
        O::F64x2ReplaceLane { lane } => t.replace(F64X2, lane),
        _ => return false,
    }
    true
}

/// What does not care about lanes, and what makes a scalar of all of them.
fn bits(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match op {
        O::V128Not => lanes!(t, I8X16, bnot x),
        O::V128And => lanes!(t, I8X16, band x y),
        O::V128AndNot => lanes!(t, I8X16, band_not x y),
        O::V128Or => lanes!(t, I8X16, bor x y),
        O::V128Xor => lanes!(t, I8X16, bxor x y),
        O::V128Bitselect => {
            let (x, y, mask) = t.pop3();
            let value = t.bitselect(mask, x, y);
            t.push(value);
        }
        O::V128AnyTrue => {
            let x = t.pop();
            let value = t.vm.b.ins().vany_true(x);
            t.push_bool(value);
        }
        O::I8x16AllTrue => t.all_true(I8X16),
        O::I16x8AllTrue => t.all_true(I16X8),
        O::I32x4AllTrue => t.all_true(I32X4),
        O::I64x2AllTrue => t.all_true(I64X2),
        O::I8x16Bitmask => t.bitmask(I8X16),
        O::I16x8Bitmask => t.bitmask(I16X8),
        O::I32x4Bitmask => t.bitmask(I32X4),
        O::I64x2Bitmask => t.bitmask(I64X2),
        _ => return false,
    }
    true
}

fn integer(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match op {
        O::I8x16Add => lanes!(t, I8X16, iadd x y),
        O::I16x8Add => lanes!(t, I16X8, iadd x y),
        O::I32x4Add => lanes!(t, I32X4, iadd x y),
        O::I64x2Add => lanes!(t, I64X2, iadd x y),
        O::I8x16Sub => lanes!(t, I8X16, isub x y),
        O::I16x8Sub => lanes!(t, I16X8, isub x y),
        O::I32x4Sub => lanes!(t, I32X4, isub x y),
        O::I64x2Sub => lanes!(t, I64X2, isub x y),
        O::I16x8Mul => lanes!(t, I16X8, imul x y),
        O::I32x4Mul => lanes!(t, I32X4, imul x y),
        O::I64x2Mul => lanes!(t, I64X2, imul x y),
        O::I8x16AddSatS => lanes!(t, I8X16, sadd_sat x y),
        O::I16x8AddSatS => lanes!(t, I16X8, sadd_sat x y),
        O::I8x16AddSatU => lanes!(t, I8X16, uadd_sat x y),
        O::I16x8AddSatU => lanes!(t, I16X8, uadd_sat x y),
        O::I8x16SubSatS => lanes!(t, I8X16, ssub_sat x y),
        O::I16x8SubSatS => lanes!(t, I16X8, ssub_sat x y),
        O::I8x16SubSatU => lanes!(t, I8X16, usub_sat x y),
        O::I16x8SubSatU => lanes!(t, I16X8, usub_sat x y),
        O::I8x16MinS => lanes!(t, I8X16, smin x y),
        O::I16x8MinS => lanes!(t, I16X8, smin x y),
        O::I32x4MinS => lanes!(t, I32X4, smin x y),
        O::I8x16MinU => lanes!(t, I8X16, umin x y),
        O::I16x8MinU => lanes!(t, I16X8, umin x y),
        O::I32x4MinU => lanes!(t, I32X4, umin x y),
        O::I8x16MaxS => lanes!(t, I8X16, smax x y),
        O::I16x8MaxS => lanes!(t, I16X8, smax x y),
        O::I32x4MaxS => lanes!(t, I32X4, smax x y),
        O::I8x16MaxU => lanes!(t, I8X16, umax x y),
        O::I16x8MaxU => lanes!(t, I16X8, umax x y),
        O::I32x4MaxU => lanes!(t, I32X4, umax x y),
        O::I8x16AvgrU => lanes!(t, I8X16, avg_round x y),
        O::I16x8AvgrU => lanes!(t, I16X8, avg_round x y),
        O::I16x8Q15MulrSatS => lanes!(t, I16X8, sqmul_round_sat x y),
        O::I8x16Abs => lanes!(t, I8X16, iabs x),
        O::I16x8Abs => lanes!(t, I16X8, iabs x),
        O::I32x4Abs => lanes!(t, I32X4, iabs x),
        O::I64x2Abs => lanes!(t, I64X2, iabs x),
        O::I8x16Neg => lanes!(t, I8X16, ineg x),
        O::I16x8Neg => lanes!(t, I16X8, ineg x),
        O::I32x4Neg => lanes!(t, I32X4, ineg x),
        O::I64x2Neg => lanes!(t, I64X2, ineg x),
        O::I8x16Popcnt => lanes!(t, I8X16, popcnt x),
        O::I8x16Shl => t.shift(I8X16, |t, x, by| t.vm.b.ins().ishl(x, by)),
        O::I16x8Shl => t.shift(I16X8, |t, x, by| t.vm.b.ins().ishl(x, by)),
        O::I32x4Shl => t.shift(I32X4, |t, x, by| t.vm.b.ins().ishl(x, by)),
        O::I64x2Shl => t.shift(I64X2, |t, x, by| t.vm.b.ins().ishl(x, by)),
        O::I8x16ShrS => t.shift(I8X16, |t, x, by| t.vm.b.ins().sshr(x, by)),
        O::I16x8ShrS => t.shift(I16X8, |t, x, by| t.vm.b.ins().sshr(x, by)),
        O::I32x4ShrS => t.shift(I32X4, |t, x, by| t.vm.b.ins().sshr(x, by)),
        O::I64x2ShrS => t.shift(I64X2, |t, x, by| t.vm.b.ins().sshr(x, by)),
        O::I8x16ShrU => t.shift(I8X16, |t, x, by| t.vm.b.ins().ushr(x, by)),
        O::I16x8ShrU => t.shift(I16X8, |t, x, by| t.vm.b.ins().ushr(x, by)),
        O::I32x4ShrU => t.shift(I32X4, |t, x, by| t.vm.b.ins().ushr(x, by)),
        O::I64x2ShrU => t.shift(I64X2, |t, x, by| t.vm.b.ins().ushr(x, by)),
        _ => return false,
    }
    true
}

/// Between lanes of different widths.
fn widen(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Half::{High, Low};
    use Operator as O;
    match op {
        O::I8x16NarrowI16x8S => lanes!(t, I16X8, snarrow x y),
        O::I8x16NarrowI16x8U => lanes!(t, I16X8, unarrow x y),
        O::I16x8NarrowI32x4S => lanes!(t, I32X4, snarrow x y),
        O::I16x8NarrowI32x4U => lanes!(t, I32X4, unarrow x y),
        O::I16x8ExtendLowI8x16S => t.extend(I8X16, Low, true),
        O::I16x8ExtendHighI8x16S => t.extend(I8X16, High, true),
        O::I16x8ExtendLowI8x16U => t.extend(I8X16, Low, false),
        O::I16x8ExtendHighI8x16U => t.extend(I8X16, High, false),
        O::I32x4ExtendLowI16x8S => t.extend(I16X8, Low, true),
        O::I32x4ExtendHighI16x8S => t.extend(I16X8, High, true),
        O::I32x4ExtendLowI16x8U => t.extend(I16X8, Low, false),
        O::I32x4ExtendHighI16x8U => t.extend(I16X8, High, false),
        O::I64x2ExtendLowI32x4S => t.extend(I32X4, Low, true),
        O::I64x2ExtendHighI32x4S => t.extend(I32X4, High, true),
        O::I64x2ExtendLowI32x4U => t.extend(I32X4, Low, false),
        O::I64x2ExtendHighI32x4U => t.extend(I32X4, High, false),
        O::I16x8ExtMulLowI8x16S => t.extend_multiply(I8X16, Low, true),
        O::I16x8ExtMulHighI8x16S => t.extend_multiply(I8X16, High, true),
        O::I16x8ExtMulLowI8x16U => t.extend_multiply(I8X16, Low, false),
        O::I16x8ExtMulHighI8x16U => t.extend_multiply(I8X16, High, false),
        O::I32x4ExtMulLowI16x8S => t.extend_multiply(I16X8, Low, true),
        O::I32x4ExtMulHighI16x8S => t.extend_multiply(I16X8, High, true),
        O::I32x4ExtMulLowI16x8U => t.extend_multiply(I16X8, Low, false),
        O::I32x4ExtMulHighI16x8U => t.extend_multiply(I16X8, High, false),
        O::I64x2ExtMulLowI32x4S => t.extend_multiply(I32X4, Low, true),
        O::I64x2ExtMulHighI32x4S => t.extend_multiply(I32X4, High, true),
        O::I64x2ExtMulLowI32x4U => t.extend_multiply(I32X4, Low, false),
        O::I64x2ExtMulHighI32x4U => t.extend_multiply(I32X4, High, false),
        O::I16x8ExtAddPairwiseI8x16S => t.add_pairwise(I8X16, true),
        O::I16x8ExtAddPairwiseI8x16U => t.add_pairwise(I8X16, false),
        O::I32x4ExtAddPairwiseI16x8S => t.add_pairwise(I16X8, true),
        O::I32x4ExtAddPairwiseI16x8U => t.add_pairwise(I16X8, false),
        O::I32x4DotI16x8S => {
            let (x, y) = t.pop2_lanes(I16X8);
            let value = t.dot(x, y);
            t.push_lanes(value);
        }
        _ => return false,
    }
    true
}

fn compare(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use IntCC::*;
    use Operator as O;
    match op {
        O::I8x16Eq => t.compare_int_lanes(I8X16, Equal),
        O::I16x8Eq => t.compare_int_lanes(I16X8, Equal),
        O::I32x4Eq => t.compare_int_lanes(I32X4, Equal),
        O::I64x2Eq => t.compare_int_lanes(I64X2, Equal),
        O::I8x16Ne => t.compare_int_lanes(I8X16, NotEqual),
        O::I16x8Ne => t.compare_int_lanes(I16X8, NotEqual),
        O::I32x4Ne => t.compare_int_lanes(I32X4, NotEqual),
        O::I64x2Ne => t.compare_int_lanes(I64X2, NotEqual),
        O::I8x16LtS => t.compare_int_lanes(I8X16, SignedLessThan),
        O::I16x8LtS => t.compare_int_lanes(I16X8, SignedLessThan),
        O::I32x4LtS => t.compare_int_lanes(I32X4, SignedLessThan),
        O::I64x2LtS => t.compare_int_lanes(I64X2, SignedLessThan),
        O::I8x16LtU => t.compare_int_lanes(I8X16, UnsignedLessThan),
        O::I16x8LtU => t.compare_int_lanes(I16X8, UnsignedLessThan),
        O::I32x4LtU => t.compare_int_lanes(I32X4, UnsignedLessThan),
        O::I8x16GtS => t.compare_int_lanes(I8X16, SignedGreaterThan),
        O::I16x8GtS => t.compare_int_lanes(I16X8, SignedGreaterThan),
        O::I32x4GtS => t.compare_int_lanes(I32X4, SignedGreaterThan),
        O::I64x2GtS => t.compare_int_lanes(I64X2, SignedGreaterThan),
        O::I8x16GtU => t.compare_int_lanes(I8X16, UnsignedGreaterThan),
        O::I16x8GtU => t.compare_int_lanes(I16X8, UnsignedGreaterThan),
        O::I32x4GtU => t.compare_int_lanes(I32X4, UnsignedGreaterThan),
        O::I8x16LeS => t.compare_int_lanes(I8X16, SignedLessThanOrEqual),
        O::I16x8LeS => t.compare_int_lanes(I16X8, SignedLessThanOrEqual),
        O::I32x4LeS => t.compare_int_lanes(I32X4, SignedLessThanOrEqual),
        O::I64x2LeS => t.compare_int_lanes(I64X2, SignedLessThanOrEqual),
        O::I8x16LeU => t.compare_int_lanes(I8X16, UnsignedLessThanOrEqual),
        O::I16x8LeU => t.compare_int_lanes(I16X8, UnsignedLessThanOrEqual),
        O::I32x4LeU => t.compare_int_lanes(I32X4, UnsignedLessThanOrEqual),
        O::I8x16GeS => t.compare_int_lanes(I8X16, SignedGreaterThanOrEqual),
        O::I16x8GeS => t.compare_int_lanes(I16X8, SignedGreaterThanOrEqual),
        O::I32x4GeS => t.compare_int_lanes(I32X4, SignedGreaterThanOrEqual),
        O::I64x2GeS => t.compare_int_lanes(I64X2, SignedGreaterThanOrEqual),
        O::I8x16GeU => t.compare_int_lanes(I8X16, UnsignedGreaterThanOrEqual),
        O::I16x8GeU => t.compare_int_lanes(I16X8, UnsignedGreaterThanOrEqual),
        O::I32x4GeU => t.compare_int_lanes(I32X4, UnsignedGreaterThanOrEqual),
        O::F32x4Eq => t.compare_float_lanes(F32X4, FloatCC::Equal),
        O::F64x2Eq => t.compare_float_lanes(F64X2, FloatCC::Equal),
        O::F32x4Ne => t.compare_float_lanes(F32X4, FloatCC::NotEqual),
        O::F64x2Ne => t.compare_float_lanes(F64X2, FloatCC::NotEqual),
        O::F32x4Lt => t.compare_float_lanes(F32X4, FloatCC::LessThan),
        O::F64x2Lt => t.compare_float_lanes(F64X2, FloatCC::LessThan),
        O::F32x4Gt => t.compare_float_lanes(F32X4, FloatCC::GreaterThan),
        O::F64x2Gt => t.compare_float_lanes(F64X2, FloatCC::GreaterThan),
        O::F32x4Le => t.compare_float_lanes(F32X4, FloatCC::LessThanOrEqual),
        O::F64x2Le => t.compare_float_lanes(F64X2, FloatCC::LessThanOrEqual),
        O::F32x4Ge => t.compare_float_lanes(F32X4, FloatCC::GreaterThanOrEqual),
        O::F64x2Ge => t.compare_float_lanes(F64X2, FloatCC::GreaterThanOrEqual),
        _ => return false,
    }
    true
}

fn float(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Builtin as B;
    use Operator as O;
    match op {
        O::F32x4Add => lanes!(t, F32X4, fadd x y),
        O::F64x2Add => lanes!(t, F64X2, fadd x y),
        O::F32x4Sub => lanes!(t, F32X4, fsub x y),
        O::F64x2Sub => lanes!(t, F64X2, fsub x y),
        O::F32x4Mul => lanes!(t, F32X4, fmul x y),
        O::F64x2Mul => lanes!(t, F64X2, fmul x y),
        O::F32x4Div => lanes!(t, F32X4, fdiv x y),
        O::F64x2Div => lanes!(t, F64X2, fdiv x y),
        O::F32x4Min => lanes!(t, F32X4, fmin x y),
        O::F64x2Min => lanes!(t, F64X2, fmin x y),
        O::F32x4Max => lanes!(t, F32X4, fmax x y),
        O::F64x2Max => lanes!(t, F64X2, fmax x y),
        O::F32x4Abs => lanes!(t, F32X4, fabs x),
        O::F64x2Abs => lanes!(t, F64X2, fabs x),
        O::F32x4Neg => lanes!(t, F32X4, fneg x),
        O::F64x2Neg => lanes!(t, F64X2, fneg x),
        O::F32x4Sqrt => lanes!(t, F32X4, sqrt x),
        O::F64x2Sqrt => lanes!(t, F64X2, sqrt x),
        O::F32x4PMin => t.pseudo(F32X4, FloatCC::LessThan),
        O::F64x2PMin => t.pseudo(F64X2, FloatCC::LessThan),
        O::F32x4PMax => t.pseudo(F32X4, FloatCC::GreaterThan),
        O::F64x2PMax => t.pseudo(F64X2, FloatCC::GreaterThan),
        O::F32x4Ceil => t.round_lanes(F32X4, B::F32Ceil),
        O::F64x2Ceil => t.round_lanes(F64X2, B::F64Ceil),
        O::F32x4Floor => t.round_lanes(F32X4, B::F32Floor),
        O::F64x2Floor => t.round_lanes(F64X2, B::F64Floor),
        O::F32x4Trunc => t.round_lanes(F32X4, B::F32Trunc),
        O::F64x2Trunc => t.round_lanes(F64X2, B::F64Trunc),
        O::F32x4Nearest => t.round_lanes(F32X4, B::F32Nearest),
        O::F64x2Nearest => t.round_lanes(F64X2, B::F64Nearest),
        _ => return false,
    }
    true
}

fn convert(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Builtin as B;
    use Operator as O;
    match op {
        O::I32x4TruncSatF32x4S => t.truncate_lanes(F32X4, true, B::I32TruncSatF32S),
        O::I32x4TruncSatF32x4U => t.truncate_lanes(F32X4, false, B::I32TruncSatF32U),
        O::I32x4TruncSatF64x2SZero => t.truncate_lanes(F64X2, true, B::I32TruncSatF64S),
        O::I32x4TruncSatF64x2UZero => t.truncate_lanes(F64X2, false, B::I32TruncSatF64U),
        O::F32x4ConvertI32x4S => {
            let x = t.pop_lanes(I32X4);
            let value = t.vm.b.ins().fcvt_from_sint(F32X4, x);
            t.push_lanes(value);
        }
        O::F32x4ConvertI32x4U => {
            let x = t.pop_lanes(I32X4);
            let value = t.vm.b.ins().fcvt_from_uint(F32X4, x);
            t.push_lanes(value);
        }
        O::F64x2ConvertLowI32x4S => {
            let x = t.pop_lanes(I32X4);
            let x = t.vm.b.ins().swiden_low(x);
            let value = t.vm.b.ins().fcvt_from_sint(F64X2, x);
            t.push_lanes(value);
        }
        O::F64x2ConvertLowI32x4U => {
            let x = t.pop_lanes(I32X4);
            let x = t.vm.b.ins().uwiden_low(x);
            let value = t.vm.b.ins().fcvt_from_uint(F64X2, x);
            t.push_lanes(value);
        }
        O::F32x4DemoteF64x2Zero => lanes!(t, F64X2, fvdemote x),
        O::F64x2PromoteLowF32x4 => lanes!(t, F32X4, fvpromote_low x),
        _ => return false,
    }
    true
}

/// Which lanes a widening instruction reads.
#[derive(Clone, Copy)]
enum Half {
    Low,
    High,
}

impl Translator<'_, '_> {
    /// A v128 seen as these lanes, or lanes as another kind of lanes.
    pub fn cast_lanes(&mut self, ty: Type, value: Value) -> Value {
        if self.vm.b.func.dfg.value_type(value) == ty {
            return value;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.vm.b.ins().bitcast(ty, flags, value)
    }

    pub fn pop_lanes(&mut self, ty: Type) -> Value {
        let value = self.pop();
        self.cast_lanes(ty, value)
    }

    pub fn pop2_lanes(&mut self, ty: Type) -> (Value, Value) {
        let y = self.pop_lanes(ty);
        (self.pop_lanes(ty), y)
    }

    pub fn push_lanes(&mut self, value: Value) {
        let value = self.cast_lanes(I8X16, value);
        self.push(value);
    }

    pub fn vconst(&mut self, ty: Type, bytes: [u8; 16]) -> Value {
        let constants = &mut self.vm.b.func.dfg.constants;
        let constant = constants.insert(bytes.to_vec().into());
        self.vm.b.ins().vconst(ty, constant)
    }

    pub fn bitselect(&mut self, mask: Value, x: Value, y: Value) -> Value {
        self.vm.b.ins().bitselect(mask, x, y)
    }

    fn shuffle(&mut self, lanes: [u8; 16]) {
        let (x, y) = self.pop2();
        let value = if self.vm.env.target.native_shuffle() {
            let immediates = &mut self.vm.b.func.dfg.immediates;
            let mask = immediates.push(lanes.to_vec().into());
            self.vm.b.ins().shuffle(x, y, mask)
        } else {
            let lanes = self.vconst(I8X16, lanes);
            self.vm
                .vector_builtin(Builtin::I8x16Shuffle, &[x, y, lanes])
        };
        self.push(value);
    }

    pub fn swizzle(&mut self) {
        let (x, y) = self.pop2();
        let value = if self.vm.env.target.native_shuffle() {
            self.vm.b.ins().swizzle(x, y)
        } else {
            self.vm.vector_builtin(Builtin::I8x16Swizzle, &[x, y])
        };
        self.push(value);
    }

    fn splat(&mut self, ty: Type) {
        let mut x = self.pop();
        if ty.lane_bits() < 32 {
            x = self.vm.b.ins().ireduce(ty.lane_type(), x);
        }
        let value = self.vm.b.ins().splat(ty, x);
        self.push_lanes(value);
    }

    fn extract(&mut self, ty: Type, lane: u8, signed: bool) {
        let x = self.pop_lanes(ty);
        let value = self.vm.b.ins().extractlane(x, lane);
        let value = match (ty.lane_type(), signed) {
            (I8 | I16, true) => self.vm.b.ins().sextend(I32, value),
            (I8 | I16, false) => self.vm.b.ins().uextend(I32, value),
            _ => value,
        };
        self.push(value);
    }

    fn replace(&mut self, ty: Type, lane: u8) {
        let mut value = self.pop();
        let x = self.pop_lanes(ty);
        if ty.lane_bits() < 32 {
            value = self.vm.b.ins().ireduce(ty.lane_type(), value);
        }
        let value = self.vm.b.ins().insertlane(x, value, lane);
        self.push_lanes(value);
    }

    fn all_true(&mut self, ty: Type) {
        let x = self.pop_lanes(ty);
        let value = self.vm.b.ins().vall_true(x);
        self.push_bool(value);
    }

    fn bitmask(&mut self, ty: Type) {
        let x = self.pop_lanes(ty);
        let value = self.vm.b.ins().vhigh_bits(I32, x);
        self.push(value);
    }

    fn shift(&mut self, ty: Type, shift: impl FnOnce(&mut Self, Value, Value) -> Value) {
        let by = self.pop();
        let x = self.pop_lanes(ty);
        let value = shift(self, x, by);
        self.push_lanes(value);
    }

    fn half(&mut self, x: Value, half: Half, signed: bool) -> Value {
        let ins = self.vm.b.ins();
        match (half, signed) {
            (Half::Low, true) => ins.swiden_low(x),
            (Half::High, true) => ins.swiden_high(x),
            (Half::Low, false) => ins.uwiden_low(x),
            (Half::High, false) => ins.uwiden_high(x),
        }
    }

    fn extend(&mut self, ty: Type, half: Half, signed: bool) {
        let x = self.pop_lanes(ty);
        let value = self.half(x, half, signed);
        self.push_lanes(value);
    }

    fn extend_multiply(&mut self, ty: Type, half: Half, signed: bool) {
        let (x, y) = self.pop2_lanes(ty);
        let (x, y) = (self.half(x, half, signed), self.half(y, half, signed));
        let value = self.vm.b.ins().imul(x, y);
        self.push_lanes(value);
    }

    fn pairs(&mut self, x: Value, signed: bool) -> Value {
        let low = self.half(x, Half::Low, signed);
        let high = self.half(x, Half::High, signed);
        self.vm.b.ins().iadd_pairwise(low, high)
    }

    fn add_pairwise(&mut self, ty: Type, signed: bool) {
        let x = self.pop_lanes(ty);
        let value = self.pairs(x, signed);
        self.push_lanes(value);
    }

    /// The signed products of the lanes, twice as wide, added in pairs.
    pub fn dot(&mut self, x: Value, y: Value) -> Value {
        let (x_low, x_high) = (
            self.half(x, Half::Low, true),
            self.half(x, Half::High, true),
        );
        let (y_low, y_high) = (
            self.half(y, Half::Low, true),
            self.half(y, Half::High, true),
        );
        let low = self.vm.b.ins().imul(x_low, y_low);
        let high = self.vm.b.ins().imul(x_high, y_high);
        self.vm.b.ins().iadd_pairwise(low, high)
    }

    /// The sums of neighbouring lanes, as signed lanes of twice the width.
    pub fn signed_pairs(&mut self, x: Value) -> Value {
        self.pairs(x, true)
    }

    fn compare_int_lanes(&mut self, ty: Type, condition: IntCC) {
        let (x, y) = self.pop2_lanes(ty);
        let value = self.vm.b.ins().icmp(condition, x, y);
        self.push_lanes(value);
    }

    fn compare_float_lanes(&mut self, ty: Type, condition: FloatCC) {
        let (x, y) = self.pop2_lanes(ty);
        let value = self.vm.b.ins().fcmp(condition, x, y);
        self.push_lanes(value);
    }

    /// `pmin` and `pmax`: y where it compares so with x, else x.
    pub fn pseudo(&mut self, ty: Type, condition: FloatCC) {
        let (x, y) = self.pop2_lanes(ty);
        let mask = self.vm.b.ins().fcmp(condition, y, x);
        let mask = self.cast_lanes(ty, mask);
        let value = self.vm.b.ins().bitselect(mask, y, x);
        self.push_lanes(value);
    }

    fn round_lanes(&mut self, ty: Type, builtin: Builtin) {
        use Builtin as B;
        let x = self.pop_lanes(ty);
        let value = if self.vm.env.target.native_rounding() {
            let ins = self.vm.b.ins();
            match builtin {
                B::F32Ceil | B::F64Ceil => ins.ceil(x),
                B::F32Floor | B::F64Floor => ins.floor(x),
                B::F32Trunc | B::F64Trunc => ins.trunc(x),
                _ => ins.nearest(x),
            }
        } else {
            self.each_lane(ty, &[x], ty, builtin)
        };
        self.push_lanes(value);
    }

    pub fn truncate_lanes(&mut self, from: Type, signed: bool, builtin: Builtin) {
        let x = self.pop_lanes(from);
        let target = self.vm.env.target;
        // Cranelift narrows unsigned 64-bit lanes with the rounding that not every x86-64 has.
        let inline = from == F32X4 || signed || target.native_rounding();
        let value = if !target.native_truncation() || !inline {
            self.each_lane(from, &[x], I32X4, builtin)
        } else if from == F32X4 {
            match signed {
                true => self.vm.b.ins().fcvt_to_sint_sat(I32X4, x),
                false => self.vm.b.ins().fcvt_to_uint_sat(I32X4, x),
            }
        } else {
            let zero = self.vconst(I64X2, [0; 16]);
            if signed {
                let wide = self.vm.b.ins().fcvt_to_sint_sat(I64X2, x);
                self.vm.b.ins().snarrow(wide, zero)
            } else {
                let wide = self.vm.b.ins().fcvt_to_uint_sat(I64X2, x);
                self.vm.b.ins().uunarrow(wide, zero)
            }
        };
        self.push_lanes(value);
    }

    /// Calls a scalar builtin for each lane; lanes of the result beyond those are zero.
    pub fn each_lane(
        &mut self,
        from: Type,
        operands: &[Value],
        to: Type,
        builtin: Builtin,
    ) -> Value {
        let mut result = self.vconst(to, [0; 16]);
        for lane in 0..from.lane_count() as u8 {
            let args: Vec<Value> = operands
                .iter()
                .map(|&x| self.vm.b.ins().extractlane(x, lane))
                .collect();
            let value = self.vm.builtin(builtin, &args).expect("it has a result");
            result = self.vm.b.ins().insertlane(result, value, lane);
        }
        result
    }
}
