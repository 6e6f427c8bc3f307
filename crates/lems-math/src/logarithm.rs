//! The natural logarithm.

use crate::bits::{from_high_word, high_word};
use crate::exponential::constants::{LN2_HIGH, LN2_LOW};

const TWO_54: f64 = from_high_word(0x4350_0000);
const THIRD: f64 = f64::from_bits(0x3FD5_5555_5555_5555);

const L1: f64 = f64::from_bits(0x3FE5_5555_5555_5593);
const L2: f64 = f64::from_bits(0x3FD9_9999_9997_FA04);
const L3: f64 = f64::from_bits(0x3FD2_4924_9422_9359);
const L4: f64 = f64::from_bits(0x3FCC_71C5_1D8E_78AF);
const L5: f64 = f64::from_bits(0x3FC7_4664_96CB_03DE);
const L6: f64 = f64::from_bits(0x3FC3_9A09_D078_C69F);
const L7: f64 = f64::from_bits(0x3FC2_F112_DF3E_5244);

/// Natural logarithm (fdlibm `e_log.c`): minus infinity at zero, NaN for negative numbers.
pub fn log(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x < f64::MIN_POSITIVE {
        log_of_normal(x * TWO_54, -54)
    } else {
        log_of_normal(x, 0)
    }
}

/// `log(x * 2^exponent)` of a positive normal `x`.
fn log_of_normal(x: f64, exponent: i32) -> f64 {
    let word = high_word(x);
    let fraction_word = word & 0x000F_FFFF;
    let carry = (fraction_word + 0x9_5F64) & 0x10_0000;
    let exponent = exponent + (word >> 20) as i32 - 1023 + (carry >> 20) as i32;
    let normalised_word = fraction_word | (carry ^ 0x3FF0_0000);
    let normalised = (u64::from(normalised_word) << 32) | (x.to_bits() & 0xFFFF_FFFF);

    let k = f64::from(exponent);
    let f = f64::from_bits(normalised) - 1.0;
    let close_to_one = (fraction_word + 2) & 0x000F_FFFF < 3;
    if close_to_one {
        return log_close_to_one(f, k);
    }

    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (L2 + w * (L4 + w * L6));
    let odd = z * (L1 + w * (L3 + w * (L5 + w * L7)));
    let r = odd + even;
    if (0x6_147A..=0x6_B851).contains(&fraction_word) {
        let half_square = 0.5 * f * f;
        if exponent == 0 {
            f - (half_square - s * (half_square + r))
        } else {
            k * LN2_HIGH - ((half_square - (s * (half_square + r) + k * LN2_LOW)) - f)
        }
    } else if exponent == 0 {
        f - s * (f - r)
    } else {
        k * LN2_HIGH - ((s * (f - r) - k * LN2_LOW) - f)
    }
}

/// `log((1 + f) * 2^k)` for `|f|` below 2^-20.
fn log_close_to_one(f: f64, k: f64) -> f64 {
    if f == 0.0 {
        return k * LN2_HIGH + k * LN2_LOW;
    }
    let r = f * f * (0.5 - THIRD * f);
    if k == 0.0 {
        f - r
    } else {
        k * LN2_HIGH - ((r - k * LN2_LOW) - f)
    }
}
