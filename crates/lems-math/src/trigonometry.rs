//! Trigonometric functions.

use crate::bits::{from_high_word, magnitude_word, without_low_word};
use crate::reduction::{Reduced, reduce};

/// For smaller `x`, 1 + x^2 rounds to 1.
const TINY: f64 = from_high_word(0x3E40_0000);

/// Sine of `x` radians (fdlibm `s_sin.c`).
pub fn sin(x: f64) -> f64 {
    let Some(Reduced {
        quadrant,
        angle,
        tail,
    }) = reduce(x)
    else {
        return f64::NAN;
    };
    match quadrant & 3 {
        0 => sine(angle, tail),
        1 => cosine(angle, tail),
        2 => -sine(angle, tail),
        _ => -cosine(angle, tail),
    }
}

/// Cosine of `x` radians (fdlibm `s_cos.c`).
pub fn cos(x: f64) -> f64 {
    let Some(Reduced {
        quadrant,
        angle,
        tail,
    }) = reduce(x)
    else {
        return f64::NAN;
    };
    match quadrant & 3 {
        0 => cosine(angle, tail),
        1 => -sine(angle, tail),
        2 => -cosine(angle, tail),
        _ => sine(angle, tail),
    }
}

/// Tangent of `x` radians (fdlibm `s_tan.c`).
pub fn tan(x: f64) -> f64 {
    let Some(Reduced {
        quadrant,
        angle,
        tail,
    }) = reduce(x)
    else {
        return f64::NAN;
    };
    if quadrant & 1 == 0 {
        tangent(angle, tail)
    } else {
        negative_cotangent(angle, tail)
    }
}

const S1: f64 = f64::from_bits(0xBFC5_5555_5555_5549);
const S2: f64 = f64::from_bits(0x3F81_1111_1110_F8A6);
const S3: f64 = f64::from_bits(0xBF2A_01A0_19C1_61D5);
const S4: f64 = f64::from_bits(0x3EC7_1DE3_57B1_FE7D);
const S5: f64 = f64::from_bits(0xBE5A_E5E6_8A2B_9CEB);
const S6: f64 = f64::from_bits(0x3DE5_D93A_5ACF_D57C);

/// Sine of `x + tail` for `|x|` up to pi/4 (fdlibm `k_sin.c`).
fn sine(x: f64, tail: f64) -> f64 {
    if x.abs() < TINY {
        return x;
    }
    let z = x * x;
    let v = z * x;
    let r = S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)));
    if tail == 0.0 {
        x + v * (S1 + z * r)
    } else {
        x - ((z * (0.5 * tail - v * r) - tail) - v * S1)
    }
}

const C1: f64 = f64::from_bits(0x3FA5_5555_5555_554C);
const C2: f64 = f64::from_bits(0xBF56_C16C_16C1_5177);
const C3: f64 = f64::from_bits(0x3EFA_01A0_19CB_1590);
const C4: f64 = f64::from_bits(0xBE92_7E4F_809C_52AD);
const C5: f64 = f64::from_bits(0x3E21_EE9E_BDB4_B1C4);
const C6: f64 = f64::from_bits(0xBDA8_FAE9_BE88_38D4);

/// Cosine of `x + tail` for `|x|` up to pi/4 (fdlibm `k_cos.c`).
fn cosine(x: f64, tail: f64) -> f64 {
    if x.abs() < TINY {
        return 1.0;
    }
    let z = x * x;
    let r = z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6)))));
    let word = magnitude_word(x);
    if word < 0x3FD3_3333 {
        return 1.0 - (0.5 * z - (z * r - x * tail));
    }
    let quarter = if word > 0x3FE9_0000 {
        0.28125
    } else {
        from_high_word(word - 0x0020_0000)
    };
    let rest = 0.5 * z - quarter;
    (1.0 - quarter) - (rest - (z * r - x * tail))
}

const PI_4: f64 = f64::from_bits(0x3FE9_21FB_5444_2D18);
const PI_4_TAIL: f64 = f64::from_bits(0x3C81_A626_3314_5C07);
const CLOSE_TO_PI_4: f64 = from_high_word(0x3FE5_9428);

const T0: f64 = f64::from_bits(0x3FD5_5555_5555_5563);
const T1: f64 = f64::from_bits(0x3FC1_1111_1110_FE7A);
const T2: f64 = f64::from_bits(0x3FAB_A1BA_1BB3_41FE);
const T3: f64 = f64::from_bits(0x3F96_64F4_8406_D637);
const T4: f64 = f64::from_bits(0x3F82_26E3_E96E_8493);
const T5: f64 = f64::from_bits(0x3F6D_6D22_C956_0328);
const T6: f64 = f64::from_bits(0x3F57_DBC8_FEE0_8315);
const T7: f64 = f64::from_bits(0x3F43_44D8_F2F2_6501);
const T8: f64 = f64::from_bits(0x3F30_26F7_1A8D_1068);
const T9: f64 = f64::from_bits(0x3F14_7E88_A037_92A6);
const T10: f64 = f64::from_bits(0x3F12_B80F_32F0_A7E9);
const T11: f64 = f64::from_bits(0xBEF3_75CB_DB60_5373);
const T12: f64 = f64::from_bits(0x3EFB_2A70_74BF_7AD4);

/// For smaller arguments, the tangent equals its argument.
const TINY_TANGENT: f64 = from_high_word(0x3E30_0000);

/// Tangent of `x + tail` for `|x|` up to pi/4 (fdlibm `k_tan.c`).
fn tangent(x: f64, tail: f64) -> f64 {
    if x.abs() < TINY_TANGENT {
        x
    } else if x.abs() >= CLOSE_TO_PI_4 {
        tangent_close_to_pi_4(x, tail, 1.0)
    } else {
        x + tangent_minus_x(x, tail)
    }
}

/// `-1 / tan(x + tail)` for `|x|` up to pi/4 (fdlibm `k_tan.c`).
fn negative_cotangent(x: f64, tail: f64) -> f64 {
    if x.abs() < TINY_TANGENT {
        negative_reciprocal(x, tail)
    } else if x.abs() >= CLOSE_TO_PI_4 {
        tangent_close_to_pi_4(x, tail, -1.0)
    } else {
        negative_reciprocal(x, tangent_minus_x(x, tail))
    }
}

/// The tangent for a `power` of 1, or the negative cotangent for -1, computed from pi/4 - x.
fn tangent_close_to_pi_4(x: f64, tail: f64, power: f64) -> f64 {
    let sign = 1.0_f64.copysign(x);
    let rest = (PI_4 - x * sign) + (PI_4_TAIL - tail * sign);
    let r = tangent_minus_x(rest, 0.0);
    let w = rest + r;
    sign * (power - 2.0 * (rest - (w * w / (w + power) - r)))
}

/// The polynomial part of the tangent of `x + tail`.
fn tangent_minus_x(x: f64, tail: f64) -> f64 {
    let z = x * x;
    let w = z * z;
    let odd = T1 + w * (T3 + w * (T5 + w * (T7 + w * (T9 + w * T11))));
    let even = z * (T2 + w * (T4 + w * (T6 + w * (T8 + w * (T10 + w * T12)))));
    let s = z * x;
    let r = tail + z * (s * (odd + even) + tail);
    r + T0 * s
}

/// `-1 / (x + r)` with more precision than one division gives.
fn negative_reciprocal(x: f64, r: f64) -> f64 {
    let sum = x + r;
    let sum_high = without_low_word(sum);
    let sum_low = r - (sum_high - x);
    let quotient = -1.0 / sum;
    let quotient_high = without_low_word(quotient);
    let error = 1.0 + quotient_high * sum_high;
    quotient_high + quotient * (error + quotient_high * sum_low)
}
