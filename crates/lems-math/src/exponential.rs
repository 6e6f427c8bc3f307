//! The exponential function, for single numbers and for arrays.

use crate::vector::vectorised;

use constants::*;

/// The constants of fdlibm's exponential, also for code elsewhere that computes it.
pub mod constants {
    use crate::bits::from_high_word;

    /// The largest argument whose exponential is finite.
    pub const OVERFLOW: f64 = f64::from_bits(0x4086_2E42_FEFA_39EF);
    /// The smallest argument whose exponential is not zero.
    pub const UNDERFLOW: f64 = f64::from_bits(0xC087_4910_D52D_3051);
    /// For arguments of smaller magnitude, the exponential is 1 plus the argument.
    pub const TINY: f64 = from_high_word(0x3E30_0000);
    /// Arguments of smaller magnitude are not reduced.
    pub const HALF_LN2: f64 = from_high_word(0x3FD6_2E43);
    /// The upper part of ln 2.
    pub const LN2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
    /// The lower part of ln 2.
    pub const LN2_LOW: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
    /// 1 / ln 2.
    pub const INVERSE_LN2: f64 = f64::from_bits(0x3FF7_1547_652B_82FE);
    /// Coefficients of the even part.
    pub const SERIES: [f64; 5] = [
        f64::from_bits(0x3FC5_5555_5555_553E),
        f64::from_bits(0xBF66_C16C_16BE_BD93),
        f64::from_bits(0x3F11_566A_AF25_DE2C),
        f64::from_bits(0xBEBB_BD41_C5D2_6BF1),
        f64::from_bits(0x3E66_3769_72BE_A4D0),
    ];
    /// 1.5 * 2^52. Adding it to a number below 2^51 rounds the number to an integer, and leaves that
    /// integer in the lower bits.
    pub const TO_INTEGER: f64 = 6_755_399_441_055_744.0;
    /// The biased exponent of 1.0 in the bits of a double.
    pub const BIAS: u64 = 1023;
    /// Added to every exponent of two that occurs, it gives a positive number.
    pub const OFFSET: u64 = 1 << 13;
}

/// e to the power `x` (fdlibm `e_exp.c`).
///
/// All cases are computed and the right one is selected, without branches, so the compiler turns a
/// loop over it into vector code.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let k = nearest_multiple_of_ln2(x);
    let y = reduced_exp(x, k);
    let scaled = times_power_of_two(y, k);

    let moderate = if x.abs() < TINY { 1.0 + x } else { scaled };
    let above = if x > OVERFLOW {
        f64::INFINITY
    } else {
        moderate
    };
    if x < UNDERFLOW { 0.0 } else { above }
}

/// Replaces every value by its [`exp`].
pub fn exp_in_place(values: &mut [f64]) {
    vectorised(
        #[inline(always)]
        || {
            let (chunks, rest) = values.as_chunks_mut::<CHUNK>();
            for chunk in chunks {
                exp_chunk(chunk);
            }
            if !rest.is_empty() {
                let mut chunk = [0.0; CHUNK];
                let values = &mut chunk[..rest.len()];
                values.copy_from_slice(rest);
                exp_chunk(&mut chunk);
                rest.copy_from_slice(&chunk[..rest.len()]);
            }
        },
    );
}

/// Enough numbers for two vectors of the widest instructions.
const CHUNK: usize = 16;

/// Computes a chunk by the short way of [`ordinary_exp`]. Numbers for which it is not valid are
/// computed again by [`exp`].
#[inline(always)]
fn exp_chunk(values: &mut [f64; CHUNK]) {
    let mut results = [0.0; CHUNK];
    let mut valid = true;
    for (result, value) in results.iter_mut().zip(values.iter()) {
        let ordinary;
        (*result, ordinary) = ordinary_exp(*value);
        valid &= ordinary;
    }
    if valid {
        *values = results;
    } else {
        recompute(values);
    }
}

/// Kept out of the loop over chunks, because few chunks need it.
#[cold]
#[inline(never)]
fn recompute(values: &mut [f64; CHUNK]) {
    for value in values {
        *value = exp(*value);
    }
}

/// The exponential of an ordinary argument, and whether the argument is ordinary: its result is a
/// normal number, and the nearest multiple of ln 2 is not in doubt.
///
/// fdlibm rounds `x / ln 2 + 0.5` down. The nearest integer to `x / ln 2` is the same number unless
/// `x / ln 2` lies halfway between two integers, up to rounding. It costs two additions.
#[inline(always)]
fn ordinary_exp(x: f64) -> (f64, bool) {
    let quotient = x * INVERSE_LN2;
    let shifted = quotient + TO_INTEGER;
    let k = shifted - TO_INTEGER;
    let y = reduced_exp(x, k);
    // The lowest bits of `shifted` are k. The other bits leave by the shift.
    let scaled = f64::from_bits(y.to_bits().wrapping_add(shifted.to_bits() << 52));
    let magnitude = x.abs();
    let result = if magnitude < TINY { 1.0 + x } else { scaled };
    let certain = (quotient - k).abs() < NEARLY_HALF;
    (result, certain & (magnitude < ORDINARY))
}

/// A little less than one half.
pub(crate) const NEARLY_HALF: f64 = 0.499_999_999;

/// Arguments of smaller magnitude have normal results.
const ORDINARY: f64 = 708.0;

/// e to the power `x - k ln 2`.
#[inline(always)]
fn reduced_exp(x: f64, k: f64) -> f64 {
    let high = x - k * LN2_HIGH;
    let low = k * LN2_LOW;
    let r = high - low;
    let rr = r * r;
    let c = r - rr
        * (SERIES[0] + rr * (SERIES[1] + rr * (SERIES[2] + rr * (SERIES[3] + rr * SERIES[4]))));
    1.0 - ((low - (r * c) / (2.0 - c)) - high)
}

/// `x / ln 2`, rounded half away from zero, with fdlibm's threshold between 0 and 1.
#[inline(always)]
fn nearest_multiple_of_ln2(x: f64) -> f64 {
    let magnitude = x.abs();
    let shifted = magnitude * INVERSE_LN2 + 0.5;
    let nearest = (shifted + TO_INTEGER) - TO_INTEGER;
    let below = if nearest > shifted {
        nearest - 1.0
    } else {
        nearest
    };
    let count = if magnitude < HALF_LN2 { 0.0 } else { below };
    count.copysign(x)
}

/// `y * 2^k` in two steps, because 2^k itself may be out of range when the result is at either end
/// of the range. If `k` belongs to a result out of range, the returned number is arbitrary.
#[inline(always)]
fn times_power_of_two(y: f64, k: f64) -> f64 {
    let offset_k = (k + (TO_INTEGER + OFFSET as f64)).to_bits() & (2 * OFFSET - 1);
    let half = offset_k >> 1;
    let power = |part: u64| f64::from_bits(part.wrapping_add(BIAS).wrapping_sub(OFFSET / 2) << 52);
    y * power(half) * power(offset_k - half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_of_the_range() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(1.0), 2.7182818284590455);
        assert!(exp(OVERFLOW).is_finite());
        assert_eq!(exp(OVERFLOW.next_up()), f64::INFINITY);
        assert_eq!(exp(UNDERFLOW), f64::from_bits(1));
        assert_eq!(exp(UNDERFLOW.next_down()), 0.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn a_slice_gets_the_same_multiple_of_ln2_where_it_changes() {
        for n in -1_080..1_080 {
            let mut x = (f64::from(n) + 0.5) * std::f64::consts::LN_2;
            for _ in 0..20 {
                x = x.next_down();
            }
            for _ in 0..40 {
                let mut together = [x; CHUNK + 1];
                exp_in_place(&mut together);
                for result in together {
                    assert_eq!(result.to_bits(), exp(x).to_bits(), "{x}");
                }
                x = x.next_up();
            }
        }
    }

    proptest! {
        #[test]
        fn a_slice_gets_the_bits_of_single_calls(
            values in prop::collection::vec(
                prop_oneof![-800.0..800.0, -1e-8..1e-8, any::<f64>()],
                0..40,
            )
        ) {
            let mut together = values.clone();
            exp_in_place(&mut together);
            for (x, result) in values.iter().zip(together) {
                prop_assert_eq!(result.to_bits(), exp(*x).to_bits(), "{}", x);
            }
        }
    }
}
