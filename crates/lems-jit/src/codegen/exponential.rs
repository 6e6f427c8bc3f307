//! The exponential of two doubles side by side.
//!
//! The operations and their order are those of `lems_math::exp`, so the bits are the same.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F64X2, I64X2, Type};
use cranelift_codegen::ir::{ConstantData, Endianness, InstBuilder, MemFlagsData, Value};
use cranelift_frontend::FunctionBuilder;
use lems_math::exp_constants::*;

const SIGN: u64 = 1 << 63;

/// e to the power of both lanes.
pub(crate) fn exp(builder: &mut FunctionBuilder<'_>, x: Value) -> Value {
    Pair { builder }.exp(x)
}

struct Pair<'b, 'f> {
    builder: &'b mut FunctionBuilder<'f>,
}

impl Pair<'_, '_> {
    /// Reduces the argument, evaluates the rational approximation, scales, and selects the special
    /// cases.
    fn exp(&mut self, x: Value) -> Value {
        // x = k ln 2 + r, where r = high - low.
        let k = self.nearest_multiple_of_ln2(x);
        let (ln2_high, ln2_low) = (self.real(LN2_HIGH), self.real(LN2_LOW));
        let shift = self.builder.ins().fmul(k, ln2_high);
        let high = self.builder.ins().fsub(x, shift);
        let low = self.builder.ins().fmul(k, ln2_low);
        let r = self.builder.ins().fsub(high, low);
        // c = r - rr * (P1 + rr * (P2 + ...)), by Horner's scheme.
        let rr = self.builder.ins().fmul(r, r);
        let [p1, p2, p3, p4, p5] = SERIES.map(|coefficient| self.real(coefficient));
        let mut series = p5;
        for coefficient in [p4, p3, p2, p1] {
            let product = self.builder.ins().fmul(rr, series);
            series = self.builder.ins().fadd(coefficient, product);
        }
        let product = self.builder.ins().fmul(rr, series);
        let c = self.builder.ins().fsub(r, product);
        // exp(r) = 1 - ((low - r c / (2 - c)) - high).
        let (one, two) = (self.real(1.0), self.real(2.0));
        let rc = self.builder.ins().fmul(r, c);
        let below_two = self.builder.ins().fsub(two, c);
        let quotient = self.builder.ins().fdiv(rc, below_two);
        let part = self.builder.ins().fsub(low, quotient);
        let part = self.builder.ins().fsub(part, high);
        let y = self.builder.ins().fsub(one, part);
        // exp(x) = exp(r) * 2^k, except for tiny and for out-of-range arguments.
        let scaled = self.times_power_of_two(y, k);
        let size = self.builder.ins().fabs(x);
        let near_one = self.builder.ins().fadd(one, x);
        let moderate = self.choose(FloatCC::LessThan, size, TINY, near_one, scaled);
        let infinity = self.real(f64::INFINITY);
        let above = self.choose(FloatCC::GreaterThan, x, OVERFLOW, infinity, moderate);
        let zero = self.real(0.0);
        self.choose(FloatCC::LessThan, x, UNDERFLOW, zero, above)
    }

    /// The multiple of ln 2 that is nearest to x, as a number with the sign of x; zero for small x.
    fn nearest_multiple_of_ln2(&mut self, x: Value) -> Value {
        let size = self.builder.ins().fabs(x);
        let inverse = self.real(INVERSE_LN2);
        let product = self.builder.ins().fmul(size, inverse);
        let half = self.real(0.5);
        let shifted = self.builder.ins().fadd(product, half);
        let to_integer = self.real(TO_INTEGER);
        let moved = self.builder.ins().fadd(shifted, to_integer);
        let nearest = self.builder.ins().fsub(moved, to_integer);
        let one = self.real(1.0);
        let less = self.builder.ins().fsub(nearest, one);
        let too_large = self
            .builder
            .ins()
            .fcmp(FloatCC::GreaterThan, nearest, shifted);
        let below = self.select(too_large, less, nearest);
        let zero = self.real(0.0);
        let count = self.choose(FloatCC::LessThan, size, HALF_LN2, zero, below);
        // The result has the sign of x and the magnitude of the count.
        let sign = self.integer(SIGN);
        let x_bits = self.as_type(I64X2, x);
        let count_bits = self.as_type(I64X2, count);
        let signed = self.builder.ins().bitselect(sign, x_bits, count_bits);
        self.as_type(F64X2, signed)
    }

    /// y times two to the power of k, in two factors, because one alone may overflow.
    fn times_power_of_two(&mut self, y: Value, k: Value) -> Value {
        let shift = self.real(TO_INTEGER + OFFSET as f64);
        let moved = self.builder.ins().fadd(k, shift);
        let bits = self.as_type(I64X2, moved);
        let mask = self.integer(2 * OFFSET - 1);
        let offset_k = self.builder.ins().band(bits, mask);
        let half = self.builder.ins().ushr_imm_u(offset_k, 1);
        let rest = self.builder.ins().isub(offset_k, half);
        let first = self.power_of_two(half);
        let second = self.power_of_two(rest);
        let scaled = self.builder.ins().fmul(y, first);
        self.builder.ins().fmul(scaled, second)
    }

    /// Two to the power of an integer that half the offset was added to.
    fn power_of_two(&mut self, part: Value) -> Value {
        let bias = self.integer(BIAS.wrapping_sub(OFFSET / 2));
        let exponent = self.builder.ins().iadd(part, bias);
        let bits = self.builder.ins().ishl_imm_u(exponent, 52);
        self.as_type(F64X2, bits)
    }

    /// `yes` in the lanes where `x` compares with a limit as wanted, else `no`.
    fn choose(&mut self, how: FloatCC, x: Value, limit: f64, yes: Value, no: Value) -> Value {
        let limit = self.real(limit);
        let condition = self.builder.ins().fcmp(how, x, limit);
        self.select(condition, yes, no)
    }

    fn select(&mut self, condition: Value, yes: Value, no: Value) -> Value {
        let mask = self.as_type(F64X2, condition);
        self.builder.ins().bitselect(mask, yes, no)
    }

    fn as_type(&mut self, vector: Type, value: Value) -> Value {
        let little = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(vector, little, value)
    }

    fn real(&mut self, value: f64) -> Value {
        self.constant(F64X2, value.to_bits())
    }

    fn integer(&mut self, bits: u64) -> Value {
        self.constant(I64X2, bits)
    }

    fn constant(&mut self, vector: Type, bits: u64) -> Value {
        let bytes = bits.to_le_bytes();
        let pair = ConstantData::from([bytes, bytes].concat());
        let constant = self.builder.func.dfg.constants.insert(pair);
        self.builder.ins().vconst(vector, constant)
    }
}
