//! Integer and float arithmetic, comparisons and conversions.

use crate::compiler::translate::Translator;
use crate::compiler::trap::branch_cold;
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Type, Value,
    condcodes::{FloatCC, IntCC},
    immediates::{Ieee32, Ieee64},
    types::{F32, F64, I8, I16, I32, I64},
};
use wasmparser::Operator;

/// One conversion from a float type to an integer type, which is signed or not.
#[derive(Clone, Copy)]
struct Trunc {
    from: Type,
    to: Type,
    signed: bool,
}

const fn trunc(to: Type, from: Type, signed: bool) -> Trunc {
    Trunc { from, to, signed }
}

/// Pops as many operands as are named, and pushes the CLIF instruction's result.
macro_rules! instruction {
    ($t:ident, $name:ident $x:ident) => {{
        let x = $t.pop();
        let value = $t.vm.b.ins().$name(x);
        $t.push(value);
    }};
    ($t:ident, $name:ident $x:ident $y:ident) => {{
        let (x, y) = $t.pop2();
        let value = $t.vm.b.ins().$name(x, y);
        $t.push(value);
    }};
}

pub fn translate(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    integer(t, op) || wide(t, op) || compare(t, op) || float(t, op) || convert(t, op)
}

fn integer(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match op {
        O::I32Add | O::I64Add => instruction!(t, iadd x y),
        O::I32Sub | O::I64Sub => instruction!(t, isub x y),
        O::I32Mul | O::I64Mul => instruction!(t, imul x y),
        O::I32And | O::I64And => instruction!(t, band x y),
        O::I32Or | O::I64Or => instruction!(t, bor x y),
        O::I32Xor | O::I64Xor => instruction!(t, bxor x y),
        O::I32Shl | O::I64Shl => instruction!(t, ishl x y),
        O::I32ShrS | O::I64ShrS => instruction!(t, sshr x y),
        O::I32ShrU | O::I64ShrU => instruction!(t, ushr x y),
        O::I32Rotl | O::I64Rotl => instruction!(t, rotl x y),
        O::I32Rotr | O::I64Rotr => instruction!(t, rotr x y),
        O::I32Clz | O::I64Clz => instruction!(t, clz x),
        O::I32Ctz | O::I64Ctz => instruction!(t, ctz x),
        O::I32Popcnt | O::I64Popcnt => instruction!(t, popcnt x),
        O::I32DivS => t.divide_signed(I32),
        O::I64DivS => t.divide_signed(I64),
        O::I32DivU | O::I64DivU => {
            let (x, y) = t.pop2();
            t.vm.trap_if_zero_divisor(y);
            let value = t.vm.b.ins().udiv(x, y);
            t.push(value);
        }
        O::I32RemS | O::I64RemS => {
            let (x, y) = t.pop2();
            t.vm.trap_if_zero_divisor(y);
            let value = t.vm.b.ins().srem(x, y);
            t.push(value);
        }
        O::I32RemU | O::I64RemU => {
            let (x, y) = t.pop2();
            t.vm.trap_if_zero_divisor(y);
            let value = t.vm.b.ins().urem(x, y);
            t.push(value);
        }
        O::I32WrapI64 => {
            let x = t.pop();
            let value = t.vm.b.ins().ireduce(I32, x);
            t.push(value);
        }
        O::I64ExtendI32S => {
            let x = t.pop();
            let value = t.vm.b.ins().sextend(I64, x);
            t.push(value);
        }
        O::I64ExtendI32U => {
            let x = t.pop();
            let value = t.vm.b.ins().uextend(I64, x);
            t.push(value);
        }
        O::I32Extend8S => t.extend_low(I8, I32),
        O::I32Extend16S => t.extend_low(I16, I32),
        O::I64Extend8S => t.extend_low(I8, I64),
        O::I64Extend16S => t.extend_low(I16, I64),
        O::I64Extend32S => t.extend_low(I32, I64),
        _ => return false,
    }
    true
}

/// Operations on 128-bit integers, each as a low and a high i64.
fn wide(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match op {
        O::I64Add128 | O::I64Sub128 => {
            let y = t.pop_wide();
            let x = t.pop_wide();
            let value = match op {
                O::I64Add128 => t.vm.b.ins().iadd(x, y),
                _ => t.vm.b.ins().isub(x, y),
            };
            let (low, high) = t.vm.b.ins().isplit(value);
            t.stack.extend([low, high]);
        }
        O::I64MulWideS | O::I64MulWideU => {
            let (x, y) = t.pop2();
            let low = t.vm.b.ins().imul(x, y);
            let high = match op {
                O::I64MulWideS => t.vm.b.ins().smulhi(x, y),
                _ => t.vm.b.ins().umulhi(x, y),
            };
            t.stack.extend([low, high]);
        }
        _ => return false,
    }
    true
}

fn compare(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match op {
        O::I32Eqz | O::I64Eqz => {
            let x = t.pop();
            let value = t.vm.b.ins().icmp_imm_u(IntCC::Equal, x, 0);
            t.push_bool(value);
        }
        O::I32Eq | O::I64Eq => t.compare_ints(IntCC::Equal),
        O::I32Ne | O::I64Ne => t.compare_ints(IntCC::NotEqual),
        O::I32LtS | O::I64LtS => t.compare_ints(IntCC::SignedLessThan),
        O::I32LtU | O::I64LtU => t.compare_ints(IntCC::UnsignedLessThan),
        O::I32GtS | O::I64GtS => t.compare_ints(IntCC::SignedGreaterThan),
        O::I32GtU | O::I64GtU => t.compare_ints(IntCC::UnsignedGreaterThan),
        O::I32LeS | O::I64LeS => t.compare_ints(IntCC::SignedLessThanOrEqual),
        O::I32LeU | O::I64LeU => t.compare_ints(IntCC::UnsignedLessThanOrEqual),
        O::I32GeS | O::I64GeS => t.compare_ints(IntCC::SignedGreaterThanOrEqual),
        O::I32GeU | O::I64GeU => t.compare_ints(IntCC::UnsignedGreaterThanOrEqual),
        O::F32Eq | O::F64Eq => t.compare_floats(FloatCC::Equal),
        O::F32Ne | O::F64Ne => t.compare_floats(FloatCC::NotEqual),
        O::F32Lt | O::F64Lt => t.compare_floats(FloatCC::LessThan),
        O::F32Gt | O::F64Gt => t.compare_floats(FloatCC::GreaterThan),
        O::F32Le | O::F64Le => t.compare_floats(FloatCC::LessThanOrEqual),
        O::F32Ge | O::F64Ge => t.compare_floats(FloatCC::GreaterThanOrEqual),
        _ => return false,
    }
    true
}

fn float(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator as O;
    match op {
        O::F32Add | O::F64Add => instruction!(t, fadd x y),
        O::F32Sub | O::F64Sub => instruction!(t, fsub x y),
        O::F32Mul | O::F64Mul => instruction!(t, fmul x y),
        O::F32Div | O::F64Div => instruction!(t, fdiv x y),
        O::F32Min | O::F64Min => instruction!(t, fmin x y),
        O::F32Max | O::F64Max => instruction!(t, fmax x y),
        O::F32Copysign | O::F64Copysign => instruction!(t, fcopysign x y),
        O::F32Abs | O::F64Abs => instruction!(t, fabs x),
        O::F32Neg | O::F64Neg => instruction!(t, fneg x),
        O::F32Sqrt | O::F64Sqrt => instruction!(t, sqrt x),
        O::F32Ceil => t.round(Builtin::F32Ceil),
        O::F32Floor => t.round(Builtin::F32Floor),
        O::F32Trunc => t.round(Builtin::F32Trunc),
        O::F32Nearest => t.round(Builtin::F32Nearest),
        O::F64Ceil => t.round(Builtin::F64Ceil),
        O::F64Floor => t.round(Builtin::F64Floor),
        O::F64Trunc => t.round(Builtin::F64Trunc),
        O::F64Nearest => t.round(Builtin::F64Nearest),
        _ => return false,
    }
    true
}

fn convert(t: &mut Translator<'_, '_>, op: &Operator<'_>) -> bool {
    use Builtin as B;
    use Operator as O;
    match op {
        O::F32ConvertI32S | O::F32ConvertI64S => t.convert_int(F32, true),
        O::F32ConvertI32U | O::F32ConvertI64U => t.convert_int(F32, false),
        O::F64ConvertI32S | O::F64ConvertI64S => t.convert_int(F64, true),
        O::F64ConvertI32U | O::F64ConvertI64U => t.convert_int(F64, false),
        O::F32DemoteF64 => {
            let x = t.pop();
            let value = t.vm.b.ins().fdemote(F32, x);
            t.push(value);
        }
        O::F64PromoteF32 => {
            let x = t.pop();
            let value = t.vm.b.ins().fpromote(F64, x);
            t.push(value);
        }
        O::I32ReinterpretF32 => t.reinterpret(I32),
        O::I64ReinterpretF64 => t.reinterpret(I64),
        O::F32ReinterpretI32 => t.reinterpret(F32),
        O::F64ReinterpretI64 => t.reinterpret(F64),

        O::I32TruncF32S => t.truncate(trunc(I32, F32, true), B::I32TruncF32S),
        O::I32TruncF32U => t.truncate(trunc(I32, F32, false), B::I32TruncF32U),
        O::I32TruncF64S => t.truncate(trunc(I32, F64, true), B::I32TruncF64S),
        O::I32TruncF64U => t.truncate(trunc(I32, F64, false), B::I32TruncF64U),
        O::I64TruncF32S => t.truncate(trunc(I64, F32, true), B::I64TruncF32S),
        O::I64TruncF32U => t.truncate(trunc(I64, F32, false), B::I64TruncF32U),
        O::I64TruncF64S => t.truncate(trunc(I64, F64, true), B::I64TruncF64S),
        O::I64TruncF64U => t.truncate(trunc(I64, F64, false), B::I64TruncF64U),

        O::I32TruncSatF32S => t.truncate_sat(trunc(I32, F32, true), B::I32TruncSatF32S),
        O::I32TruncSatF32U => t.truncate_sat(trunc(I32, F32, false), B::I32TruncSatF32U),
        O::I32TruncSatF64S => t.truncate_sat(trunc(I32, F64, true), B::I32TruncSatF64S),
        O::I32TruncSatF64U => t.truncate_sat(trunc(I32, F64, false), B::I32TruncSatF64U),
        O::I64TruncSatF32S => t.truncate_sat(trunc(I64, F32, true), B::I64TruncSatF32S),
        O::I64TruncSatF32U => t.truncate_sat(trunc(I64, F32, false), B::I64TruncSatF32U),
        O::I64TruncSatF64S => t.truncate_sat(trunc(I64, F64, true), B::I64TruncSatF64S),
        O::I64TruncSatF64U => t.truncate_sat(trunc(I64, F64, false), B::I64TruncSatF64U),
        _ => return false,
    }
    true
}

impl Translator<'_, '_> {
    pub fn push_bool(&mut self, value: Value) {
        let value = self.vm.b.ins().uextend(I32, value);
        self.push(value);
    }

    fn pop_wide(&mut self) -> Value {
        let (low, high) = self.pop2();
        self.vm.b.ins().iconcat(low, high)
    }

    fn compare_ints(&mut self, condition: IntCC) {
        let (x, y) = self.pop2();
        let value = self.vm.b.ins().icmp(condition, x, y);
        self.push_bool(value);
    }

    fn compare_floats(&mut self, condition: FloatCC) {
        let (x, y) = self.pop2();
        let value = self.vm.b.ins().fcmp(condition, x, y);
        self.push_bool(value);
    }

    fn divide_signed(&mut self, ty: Type) {
        let (x, y) = self.pop2();
        if self.vm.env.target.faults() {
            let value = self.vm.b.ins().sdiv(x, y);
            return self.push(value);
        }
        self.vm.trap_if_zero_divisor(y);
        // The only quotient that does not fit its type is the minimum divided by -1.
        let b = &mut self.vm.b;
        let minimum = 1i64 << (ty.bits() - 1);
        let all_ones = if ty == I32 { u32::MAX as i64 } else { -1 };
        let minimum = b.ins().iconst(ty, minimum);
        let all_ones = b.ins().iconst(ty, all_ones);
        let is_minimum = b.ins().icmp(IntCC::Equal, x, minimum);
        let by_minus_one = b.ins().icmp(IntCC::Equal, y, all_ones);
        let over = b.ins().band(is_minimum, by_minus_one);
        self.vm.trap_if(over, Trap::IntegerOverflow);
        let value = self.vm.b.ins().sdiv(x, y);
        self.push(value);
    }

    fn extend_low(&mut self, low: Type, ty: Type) {
        let x = self.pop();
        let x = self.vm.b.ins().ireduce(low, x);
        let value = self.vm.b.ins().sextend(ty, x);
        self.push(value);
    }

    fn reinterpret(&mut self, ty: Type) {
        let x = self.pop();
        let value = self.vm.b.ins().bitcast(ty, MemFlagsData::new(), x);
        self.push(value);
    }

    fn convert_int(&mut self, ty: Type, signed: bool) {
        let x = self.pop();
        let value = if signed {
            self.vm.b.ins().fcvt_from_sint(ty, x)
        } else {
            self.vm.b.ins().fcvt_from_uint(ty, x)
        };
        self.push(value);
    }

    fn round(&mut self, builtin: Builtin) {
        use Builtin as B;
        let x = self.pop();
        if !self.vm.env.target.native_rounding() {
            let value = self.vm.builtin(builtin, &[x]);
            self.push(value.expect("it has a result"));
            return;
        }
        let ins = self.vm.b.ins();
        let value = match builtin {
            B::F32Ceil | B::F64Ceil => ins.ceil(x),
            B::F32Floor | B::F64Floor => ins.floor(x),
            B::F32Trunc | B::F64Trunc => ins.trunc(x),
            _ => ins.nearest(x),
        };
        self.push(value);
    }

    fn truncate_sat(&mut self, trunc: Trunc, builtin: Builtin) {
        let x = self.pop();
        let value = if self.vm.env.target.native_truncation() {
            self.saturate(trunc, x)
        } else {
            let value = self.vm.builtin(builtin, &[x]);
            value.expect("it has a result")
        };
        self.push(value);
    }

    fn saturate(&mut self, trunc: Trunc, x: Value) -> Value {
        let ins = self.vm.b.ins();
        if trunc.signed {
            ins.fcvt_to_sint_sat(trunc.to, x)
        } else {
            ins.fcvt_to_uint_sat(trunc.to, x)
        }
    }

    fn truncate(&mut self, trunc: Trunc, builtin: Builtin) {
        let x = self.pop();
        if !self.vm.env.target.native_truncation() {
            let value = self.vm.builtin(builtin, &[x]);
            self.push(value.expect("it has a result"));
            return;
        }
        if self.vm.env.target.faults() {
            let ins = self.vm.b.ins();
            let value = match trunc.signed {
                true => ins.fcvt_to_sint(trunc.to, x),
                false => ins.fcvt_to_uint(trunc.to, x),
            };
            return self.push(value);
        }
        // `low` and `high` bound the floats whose truncation fits. Both are excluded, except where the float type
        // cannot represent the integer below the signed minimum: there `low` is the minimum itself and is included.
        let bits = trunc.to.bits() as i32;
        let (low, high) = if trunc.signed {
            (-2f64.powi(bits - 1), 2f64.powi(bits - 1))
        } else {
            (-1.0, 2f64.powi(bits))
        };
        let (low, above_low) = match trunc.signed {
            true if trunc.from == F64 && trunc.to == I32 => (low - 1.0, FloatCC::GreaterThan),
            true => (low, FloatCC::GreaterThanOrEqual),
            false => (low, FloatCC::GreaterThan),
        };
        let (low, high) = (self.float(trunc.from, low), self.float(trunc.from, high));
        let b = &mut self.vm.b;
        // Both comparisons are false for a NaN.
        let above = b.ins().fcmp(above_low, x, low);
        let below = b.ins().fcmp(FloatCC::LessThan, x, high);
        let fits = b.ins().band(above, below);
        let wrong = b.ins().icmp_imm_u(IntCC::Equal, fits, 0);
        let (cold, next) = branch_cold(&mut self.vm.b, wrong);
        self.vm.b.switch_to_block(cold);
        let nan = self.vm.b.ins().fcmp(FloatCC::Unordered, x, x);
        let invalid = self.vm.iconst(I32, Trap::InvalidConversion as i64);
        let overflow = self.vm.iconst(I32, Trap::IntegerOverflow as i64);
        let code = self.vm.b.ins().select(nan, invalid, overflow);
        self.vm.trap_with(code);
        self.vm.b.switch_to_block(next);
        let value = self.saturate(trunc, x);
        self.push(value);
    }

    fn float(&mut self, ty: Type, value: f64) -> Value {
        if ty == F32 {
            let value = Ieee32::with_float(value as f32);
            self.vm.b.ins().f32const(value)
        } else {
            self.vm.b.ins().f64const(Ieee64::with_float(value))
        }
    }
}
