//! Functions of LEMS that are defined by Java code rather than by fdlibm.

/// The LEMS function `H`: 0 below zero, 0.5 at zero, 1 above zero; NaN stays NaN.
pub fn heaviside(x: f64) -> f64 {
    let signum = if x == 0.0 || x.is_nan() {
        x
    } else {
        x.signum()
    };
    0.5 * (signum + 1.0)
}

/// The LEMS function `factorial`: the product of the integers from 1 to `n`. It is infinite from 171
/// on, and NaN if `n` is negative or not an integer.
pub fn factorial(n: f64) -> f64 {
    if n < 0.0 || n.floor() != n {
        return f64::NAN;
    }
    let last_finite = 171;
    (1..=last_finite)
        .map(f64::from)
        .take_while(|&factor| factor <= n)
        .product()
}

/// Java's `Math.round`: the nearest integer, with ties towards positive infinity. NaN gives 0, and
/// numbers out of range saturate.
pub fn java_round(x: f64) -> i64 {
    let below = x.floor();
    let rounded = if x - below >= 0.5 { below + 1.0 } else { below };
    saturating_i64(rounded)
}

/// The whole part of a number. NaN gives 0, and numbers out of range saturate.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, which the name says"
)]
pub fn saturating_i64(x: f64) -> i64 {
    x as i64
}

/// The whole part of a number. NaN and negative numbers give 0, and numbers out of range saturate.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, which the name says"
)]
pub fn saturating_u64(x: f64) -> u64 {
    x as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heaviside_is_half_at_both_zeros() {
        assert_eq!(heaviside(0.0), 0.5);
        assert_eq!(heaviside(-0.0), 0.5);
        assert_eq!(heaviside(-5e-324), 0.0);
        assert_eq!(heaviside(5e-324), 1.0);
        assert_eq!(heaviside(f64::INFINITY), 1.0);
        assert_eq!(heaviside(f64::NEG_INFINITY), 0.0);
        assert!(heaviside(f64::NAN).is_nan());
    }

    #[test]
    fn factorials() {
        assert_eq!(factorial(0.0), 1.0);
        assert_eq!(factorial(-0.0), 1.0);
        assert_eq!(factorial(5.0), 120.0);
        assert_eq!(factorial(13.0), 6227020800.0);
        assert_eq!(factorial(18.0), 6402373705728000.0);
        assert!(factorial(170.0).is_finite());
        assert_eq!(factorial(171.0), f64::INFINITY);
        assert_eq!(factorial(f64::INFINITY), f64::INFINITY);
        for undefined in [-1.0, 2.5, f64::NAN, f64::NEG_INFINITY] {
            assert!(factorial(undefined).is_nan(), "{undefined}");
        }
    }

    #[test]
    fn ties_round_up() {
        for (x, expected) in [
            (0.5, 1),
            (-0.5, 0),
            (1.5, 2),
            (-1.5, -1),
            (2.4999999999999996, 2),
            (0.49999999999999994, 0),
            (-0.5000000000000001, -1),
            (-5e-324, 0),
            (4503599627370497.5, 4503599627370498),
            (9007199254740991.0, 9007199254740991),
            (-9007199254740991.0, -9007199254740991),
            (f64::NAN, 0),
            (f64::INFINITY, i64::MAX),
            (-1e300, i64::MIN),
        ] {
            assert_eq!(java_round(x), expected, "{x}");
        }
    }
}
