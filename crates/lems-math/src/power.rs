//! Powers with fdlibm's bits. Ordinary ones are computed without branches, so that a loop over them can be
//! vectorised; `libm` computes the others.

use crate::bits::without_low_word;
use crate::exponential::NEARLY_HALF;
use crate::exponential::constants::{SERIES, TO_INTEGER};
use crate::vector::vectorised;

/// `x` to the power `y` (fdlibm `e_pow.c`).
///
/// As in Java, and unlike C99, a NaN exponent and an infinite exponent of ±1 give NaN.
pub fn pow(x: f64, y: f64) -> f64 {
    let (high, low, ordinary) = log2(x);
    let (power, valid) = exp2(y, high, low);
    if ordinary & valid != 0 {
        power
    } else {
        special_pow(x, y)
    }
}

/// A power that may have a special case.
fn special_pow(x: f64, y: f64) -> f64 {
    if y.is_nan() || (x.abs() == 1.0 && y.is_infinite()) {
        f64::NAN
    } else {
        libm::pow(x, y)
    }
}

/// Replaces every base by its power with the exponent at the same index, with the bits of [`pow`].
pub fn pow_in_place(bases: &mut [f64], exponents: &[f64]) {
    vectorised(
        #[inline(always)]
        || {
            let chunks = bases.chunks_mut(CHUNK).zip(exponents.chunks(CHUNK));
            for (bases, exponents) in chunks {
                if let (Ok(bases), Ok(exponents)) = (bases.try_into(), exponents.try_into()) {
                    pow_chunk(bases, exponents, CHUNK);
                } else {
                    let (mut chunk, mut others) = ([1.0; CHUNK], [3.0; CHUNK]);
                    chunk[..bases.len()].copy_from_slice(bases);
                    others[..exponents.len()].copy_from_slice(exponents);
                    pow_chunk(&mut chunk, &others, bases.len());
                    bases.copy_from_slice(&chunk[..bases.len()]);
                }
            }
        },
    );
}

/// Numbers in a chunk: so many that the processor always has other vectors to compute while it waits for the
/// results of one.
const CHUNK: usize = 64;
/// Numbers in one vector of the widest instructions.
const WIDTH: usize = 8;

/// Computes the first `length` numbers of a chunk without branches: first all logarithms, then all powers. The
/// results that are not valid are computed again.
#[inline(always)]
fn pow_chunk(bases: &mut [f64; CHUNK], exponents: &[f64; CHUNK], length: usize) {
    let vectors = length.div_ceil(WIDTH).min(CHUNK / WIDTH);
    let mut ordinary = [0_u64; CHUNK];
    let (mut high, mut low) = ([0.0; CHUNK], [0.0; CHUNK]);
    for vector in 0..vectors {
        for lane in vector * WIDTH..(vector + 1) * WIDTH {
            (high[lane], low[lane], ordinary[lane]) = log2(bases[lane]);
        }
    }
    let mut powers = [0.0; CHUNK];
    let mut all = u64::MAX;
    for vector in 0..vectors {
        for lane in vector * WIDTH..(vector + 1) * WIDTH {
            let valid;
            (powers[lane], valid) = exp2(exponents[lane], high[lane], low[lane]);
            ordinary[lane] &= valid;
            all &= ordinary[lane];
        }
    }
    if all == 0 {
        correct(&mut powers, &ordinary, bases, exponents);
    }
    *bases = powers;
}

/// Computes the powers that are not ordinary. Kept out of the loop over chunks, because few chunks need it.
#[cold]
#[inline(never)]
fn correct(powers: &mut [f64], ordinary: &[u64], bases: &[f64], exponents: &[f64]) {
    let arguments = bases.iter().zip(exponents);
    for ((power, ordinary), (base, exponent)) in powers.iter_mut().zip(ordinary).zip(arguments) {
        if *ordinary == 0 {
            *power = special_pow(*base, *exponent);
        }
    }
}

const EXPONENT: u32 = 52;

const L: [f64; 6] = [
    f64::from_bits(0x3FE3_3333_3333_3303),
    f64::from_bits(0x3FDB_6DB6_DB6F_ABFF),
    f64::from_bits(0x3FD5_5555_518F_264D),
    f64::from_bits(0x3FD1_7460_A91D_4101),
    f64::from_bits(0x3FCD_864A_93C9_DB65),
    f64::from_bits(0x3FCA_7E28_4A45_4EEF),
];
const LN2: f64 = f64::from_bits(0x3FE6_2E42_FEFA_39EF);
const LN2_HIGH: f64 = f64::from_bits(0x3FE6_2E43_0000_0000);
const LN2_LOW: f64 = f64::from_bits(0xBE20_5C61_0CA8_6C39);
/// 2 / (3 ln 2), and the same in two parts.
const CP: f64 = f64::from_bits(0x3FEE_C709_DC3A_03FD);
const CP_HIGH: f64 = f64::from_bits(0x3FEE_C709_E000_0000);
const CP_LOW: f64 = f64::from_bits(0xBE3E_2FE0_145B_01F5);
/// log2(1.5) in two parts.
const LOG_HIGH: f64 = f64::from_bits(0x3FE2_B803_4000_0000);
const LOG_LOW: f64 = f64::from_bits(0x3E4C_FDEB_43CF_D006);

#[inline(always)]
fn choose(condition: bool, yes: f64, no: f64) -> f64 {
    if condition { yes } else { no }
}

/// All ones if the condition holds, else zero: a condition that stays in a vector.
#[inline(always)]
fn mask(condition: bool) -> u64 {
    if condition { u64::MAX } else { 0 }
}

/// log2(x) as a high and a low part, and a [`mask`] of whether it is valid: the base is positive and normal.
/// Every branch of fdlibm is a selection between two values here, so the compiler turns a loop over it into
/// vector code.
#[inline(always)]
fn log2(x: f64) -> (f64, f64, u64) {
    // Split x into 2^n and a factor ax.
    let bits = x.to_bits();
    let fraction = (bits >> 32) & 0xF_FFFF;
    let near_three_halves = fraction > 0x3_988E && fraction < 0xB_B67A;
    let near_two = fraction >= 0xB_B67A;
    let exponent = (bits >> EXPONENT)
        .wrapping_sub(1023)
        .wrapping_add(u64::from(near_two));
    let unit = (bits & ((1 << EXPONENT) - 1)) | (1023 << EXPONENT);
    let unit = unit.wrapping_sub(u64::from(near_two) << EXPONENT);
    // An integer that is added to the bits of this constant is added to its value.
    let n = f64::from_bits(exponent.wrapping_add(TO_INTEGER.to_bits())) - TO_INTEGER;
    let ax = f64::from_bits(unit);

    // Expand around 1 or 1.5, whichever is nearer.
    let centre = choose(near_three_halves, 1.5, 1.0);
    let (log_high, log_low) = (
        choose(near_three_halves, LOG_HIGH, 0.0),
        choose(near_three_halves, LOG_LOW, 0.0),
    );
    let u = ax - centre;
    let v = 1.0 / (ax + centre);
    let ss = u * v;
    let s_high = without_low_word(ss);
    let sum_high = (((unit >> 33) | 0x2000_0000) + 0x0008_0000)
        .wrapping_add(u64::from(near_three_halves) << 18);
    let t_high = f64::from_bits(sum_high << 32);
    let t_low = ax - (t_high - centre);
    let s_low = v * ((u - s_high * t_high) - s_high * t_low);
    let s2 = ss * ss;
    let series = L[0] + s2 * (L[1] + s2 * (L[2] + s2 * (L[3] + s2 * (L[4] + s2 * L[5]))));
    let r = s2 * s2 * series + s_low * (s_high + ss);
    let s2 = s_high * s_high;
    let t_high = without_low_word(3.0 + s2 + r);
    let t_low = r - ((t_high - 3.0) - s2);
    let u = s_high * t_high;
    let v = s_low * t_high + t_low * ss;
    let p_high = without_low_word(u + v);
    let p_low = v - (p_high - u);
    let z_high = CP_HIGH * p_high;
    let z_low = CP_LOW * p_high + p_low * CP + log_low;
    let t1 = without_low_word(((z_high + z_low) + log_high) + n);
    let t2 = z_low - (((t1 - n) - log_high) - z_high);

    let normal = bits.wrapping_sub(1 << EXPONENT) < (2046 << EXPONENT);
    (t1, t2, mask(normal))
}

/// 2 to the power `y (t1 + t2)`, and a [`mask`] of whether that is valid: the exponent is not a special case,
/// the result is well within range, and the nearest integer to the logarithm of the result is not in doubt.
///
/// fdlibm rounds that logarithm half away from zero. The nearest integer is the same number unless the
/// logarithm lies halfway between two integers, up to rounding.
#[inline(always)]
fn exp2(y: f64, t1: f64, t2: f64) -> (f64, u64) {
    // y * log2(x) as a high and a low part.
    let y1 = without_low_word(y);
    let p_low = (y - y1) * t1 + y * t2;
    let p_high = y1 * t1;
    let z = p_low + p_high;

    // 2 to that power: split into an integer and a rest.
    let shifted = z + TO_INTEGER;
    let count = shifted - TO_INTEGER;
    let p_high = p_high - count;
    let t = without_low_word(p_low + p_high);
    let u = t * LN2_HIGH;
    let v = (p_low - (t - p_high)) * LN2 + t * LN2_LOW;
    let rest = u + v;
    let w = v - (rest - u);
    let t = rest * rest;
    let t1 = rest
        - t * (SERIES[0] + t * (SERIES[1] + t * (SERIES[2] + t * (SERIES[3] + t * SERIES[4]))));
    let r = (rest * t1) / (t1 - 2.0) - (w + rest * w);
    let unscaled = 1.0 - (r - rest);
    // The lowest bits of `shifted` are the integer. The other bits leave by the shift.
    let power = f64::from_bits((unscaled.to_bits()).wrapping_add(shifted.to_bits() << EXPONENT));

    let certain = (z - count).abs() < NEARLY_HALF;
    let moderate = y.abs() < 2_147_483_648.0 && z.abs() < 1_000.0;
    let special = y == 0.0 || y == 1.0 || y == -1.0 || y == 2.0 || y == 0.5;
    (power, mask(certain) & mask(moderate) & !mask(special))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn many_powers_have_the_bits_of_single_ones(
            pairs in prop::collection::vec(
                prop_oneof![
                    8 => (1e-3..1e3_f64, -60.0..60.0_f64),
                    4 => (0.0..1.0_f64, prop::sample::select(vec![3.0, 4.0, 2.0, 0.5, -1.0, 1.7])),
                    2 => (any::<f64>(), -60.0..60.0_f64),
                    1 => (any::<f64>(), any::<f64>()),
                    1 => (-4..4_i32, -4..4_i32).prop_map(|(x, y)| (f64::from(x), f64::from(y))),
                ],
                0..50,
            )
        ) {
            let mut together: Vec<f64> = pairs.iter().map(|(x, _)| *x).collect();
            let exponents: Vec<f64> = pairs.iter().map(|(_, y)| *y).collect();
            pow_in_place(&mut together, &exponents);
            for ((x, y), result) in pairs.into_iter().zip(together) {
                let single = special_pow(x, y);
                let same = single.to_bits() == result.to_bits() || single.is_nan() && result.is_nan();
                prop_assert!(same, "{x} ^ {y}: {single} and {result}");
                let alone = pow(x, y);
                prop_assert!(single.to_bits() == alone.to_bits() || single.is_nan() && alone.is_nan());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Here no element is special, and no chunk is corrected.
        #[test]
        fn ordinary_powers_have_the_bits_of_single_ones(
            bases in prop::collection::vec(prop_oneof![1e-6..1.0_f64, 1e-3..1e3_f64], 0..150),
            exponent in prop_oneof![-60.0..60.0_f64, prop::sample::select(vec![3.0, 4.0, 1.5])],
        ) {
            let mut together = bases.clone();
            pow_in_place(&mut together, &vec![exponent; bases.len()]);
            for (x, result) in bases.into_iter().zip(together) {
                prop_assert_eq!(special_pow(x, exponent).to_bits(), result.to_bits(), "{} ^ {}", x, exponent);
            }
        }
    }

    #[test]
    fn where_the_nearest_integer_changes() {
        for step in -4_000..4_000 {
            let y = f64::from(step) / 8.0;
            for x in [2.0, 2.0_f64.next_up(), 2.0_f64.next_down(), 4.0, 0.5, 1.0] {
                let mut together = [x];
                pow_in_place(&mut together, &[y]);
                assert_eq!(
                    together[0].to_bits(),
                    special_pow(x, y).to_bits(),
                    "{x} ^ {y}"
                );
            }
        }
    }
}
