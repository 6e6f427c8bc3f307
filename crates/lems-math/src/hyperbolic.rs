//! Hyperbolic functions.

use crate::bits::{from_high_word, magnitude_word};
use crate::exp;
use libm::expm1;

/// For larger `x`, e^-x is negligible compared with e^x.
const ONE_SIDED: f64 = 22.0;
const EXP_OVERFLOW: f64 = from_high_word(0x4086_2E42);
const OVERFLOW: f64 = f64::from_bits(0x4086_33CE_8FB9_F87D);

/// Hyperbolic sine (fdlibm `e_sinh.c`).
pub fn sinh(x: f64) -> f64 {
    const TINY: f64 = from_high_word(0x3E30_0000);
    let magnitude = x.abs();
    let half = 0.5_f64.copysign(x);
    if x.is_nan() || x.is_infinite() || magnitude < TINY {
        x
    } else if magnitude < 1.0 {
        let t = expm1(magnitude);
        half * (2.0 * t - t * t / (t + 1.0))
    } else if magnitude < ONE_SIDED {
        let t = expm1(magnitude);
        half * (t + t / (t + 1.0))
    } else {
        half_exp(magnitude, half)
    }
}

/// Hyperbolic cosine (fdlibm `e_cosh.c`).
pub fn cosh(x: f64) -> f64 {
    const TINY_WORD: u32 = 0x3C80_0000;
    const HALF_LN2_WORD: u32 = 0x3FD6_2E43;
    let magnitude = x.abs();
    if x.is_nan() {
        x
    } else if magnitude_word(x) < HALF_LN2_WORD {
        let t = expm1(magnitude);
        let w = 1.0 + t;
        if magnitude_word(x) < TINY_WORD {
            w
        } else {
            1.0 + (t * t) / (w + w)
        }
    } else if magnitude < ONE_SIDED {
        let t = exp(magnitude);
        0.5 * t + 0.5 / t
    } else {
        half_exp(magnitude, 0.5)
    }
}

/// Hyperbolic tangent (fdlibm `s_tanh.c`).
pub fn tanh(x: f64) -> f64 {
    const TINY: f64 = from_high_word(0x3C80_0000);
    let magnitude = x.abs();
    if x.is_nan() {
        x
    } else if magnitude < TINY {
        x * (1.0 + x)
    } else if magnitude < 1.0 {
        let t = expm1(-2.0 * magnitude);
        (-t / (t + 2.0)).copysign(x)
    } else if magnitude < ONE_SIDED {
        let t = expm1(2.0 * magnitude);
        (1.0 - 2.0 / (t + 2.0)).copysign(x)
    } else {
        1.0_f64.copysign(x)
    }
}

/// `half * e^x` for a `half` of ±0.5, even if e^x alone would overflow.
fn half_exp(x: f64, half: f64) -> f64 {
    if x < EXP_OVERFLOW {
        half * exp(x)
    } else if x <= OVERFLOW {
        let root = exp(0.5 * x);
        (half * root) * root
    } else {
        half * f64::INFINITY
    }
}
