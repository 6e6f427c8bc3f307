//! Powers. A single power uses `libm`, whose `pow` has fdlibm's bits. Arrays use the same algorithm
//! without branches, so that it can be vectorised.

use crate::bits::without_low_word;
use crate::exponential::constants::SERIES;
use crate::vector::vectorised;

/// `x` to the power `y` (fdlibm `e_pow.c`).
///
/// As in Java, and unlike C99, a NaN exponent and an infinite exponent of ±1 give NaN.
pub fn pow(x: f64, y: f64) -> f64 {
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
            let (chunks, rest) = bases.as_chunks_mut::<CHUNK>();
            let (others, last) = exponents.as_chunks::<CHUNK>();
            for (bases, exponents) in chunks.iter_mut().zip(others) {
                pow_chunk(bases, exponents);
            }
            if !rest.is_empty() {
                let mut bases = [1.0; CHUNK];
                let mut exponents = [3.0; CHUNK];
                for (to, from) in bases.iter_mut().zip(rest.iter()) {
                    *to = *from;
                }
                for (to, from) in exponents.iter_mut().zip(last) {
                    *to = *from;
                }
                pow_chunk(&mut bases, &exponents);
                for (to, from) in rest.iter_mut().zip(bases) {
                    *to = from;
                }
            }
        },
    );
}

const CHUNK: usize = 16;

/// Computes a chunk without branches, then recomputes the elements whose result is not valid.
#[inline(always)]
fn pow_chunk(bases: &mut [f64; CHUNK], exponents: &[f64; CHUNK]) {
    let mut powers = [0.0; CHUNK];
    let mut ordinary = [0_u64; CHUNK];
    for lane in 0..CHUNK {
        (powers[lane], ordinary[lane]) = ordinary_pow(bases[lane], exponents[lane]);
    }
    if ordinary.iter().fold(u64::MAX, |all, one| all & one) == 0 {
        for lane in 0..CHUNK {
            if ordinary[lane] == 0 {
                powers[lane] = pow(bases[lane], exponents[lane]);
            }
        }
    }
    *bases = powers;
}

/// The bits of `MAGIC`. For an integer `n` below 2^51, the double with the bits `MAGIC_BITS + n` is
/// `MAGIC + n`.
const MAGIC_BITS: u64 = 0x4338_0000_0000_0000;
const MAGIC: f64 = f64::from_bits(MAGIC_BITS);
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

#[inline(always)]
fn mask(condition: bool) -> u64 {
    if condition { u64::MAX } else { 0 }
}

/// The power, and a mask of all ones if that power is valid: the base is positive and normal, the
/// exponent is not a special case, and the result is well within range. Every branch of fdlibm is a
/// selection between two values here, so the compiler turns a loop over it into vector code.
#[inline(always)]
fn ordinary_pow(x: f64, y: f64) -> (f64, u64) {
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
    let n = f64::from_bits(exponent.wrapping_add(MAGIC_BITS)) - MAGIC;
    let ax = f64::from_bits(unit);

    // log2(x) as a high and a low part, expanded around 1 or 1.5, whichever is nearer.
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

    // y * log2(x) as a high and a low part.
    let y1 = without_low_word(y);
    let p_low = (y - y1) * t1 + y * t2;
    let p_high = y1 * t1;
    let z = p_low + p_high;

    // 2 to that power: split into an integer, rounded half away from zero, and a rest.
    let magnitude = f64::from_bits(z.to_bits() & 0x7FFF_FFFF_0000_0000);
    let shifted = magnitude + 0.5;
    let nearest = (shifted + MAGIC) - MAGIC;
    let below = choose(nearest > shifted, nearest - 1.0, nearest);
    let count = choose(magnitude > 0.5, below, 0.0).copysign(z);
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
    let count = (count + MAGIC).to_bits().wrapping_sub(MAGIC_BITS);
    let power = f64::from_bits(unscaled.to_bits().wrapping_add(count << EXPONENT));

    // The result is valid unless fdlibm treats the case specially.
    let normal = bits.wrapping_sub(1 << EXPONENT) < (2046 << EXPONENT);
    let moderate = y.abs() < 2_147_483_648.0 && z.abs() < 1_000.0;
    let special = y == 0.0 || y == 1.0 || y == -1.0 || y == 2.0 || y == 0.5;
    (power, mask(normal) & mask(moderate) & !mask(special))
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
                let single = pow(x, y);
                let same = single.to_bits() == result.to_bits() || single.is_nan() && result.is_nan();
                prop_assert!(same, "{x} ^ {y}: {single} and {result}");
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
                assert_eq!(together[0].to_bits(), pow(x, y).to_bits(), "{x} ^ {y}");
            }
        }
    }
}
