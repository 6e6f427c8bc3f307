//! Division by a constant, with the bits of a division but without a division instruction.
//!
//! Let `high + low` be nearly `1 / c`. Then `x / c` is a product `x * low` followed by a fused
//! multiply-add with `x * high`. Before rounding, the relative error of this is less than 2^-103
//! (N. Brisebarre, J.-M. Muller, S. K. Raina: Accelerating correctly rounded floating-point division
//! when the divisor is known in advance. IEEE Trans. Computers 53(8), 2004). The result is rounded as
//! the quotient is, unless a rounding boundary lies between the two. Only a few dividends have a
//! quotient that close to a boundary. A reciprocal is created only if all of these give the right
//! result.

/// The reciprocal of a constant, which replaces division by it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reciprocal {
    /// `1 / c`, rounded towards zero.
    pub high: f64,
    /// The difference between `1 / c` and `high`, rounded; it has the same sign.
    pub low: f64,
}

/// Bits of the significand of a double, including the leading one.
const BITS: u32 = f64::MANTISSA_DIGITS;
/// Largest distance of a dividend from the product of the divisor and a rounding boundary, in units
/// of the last place, at which the error can matter.
const LARGEST_DISTANCE: u128 = 15;

impl Reciprocal {
    /// Smallest magnitude of a nonzero dividend for which [`Reciprocal::quotient`] is exact.
    pub const SMALLEST_DIVIDEND: f64 = power_of_two(-925);

    /// The reciprocal of a divisor. `None` for powers of two, for divisors that are very small, very
    /// large or not finite, and for the few divisors for which some quotient would be wrong.
    pub fn of(divisor: f64) -> Option<Reciprocal> {
        let exact = |reciprocal: &Reciprocal| {
            doubtful_dividends(divisor).all(|x| reciprocal.quotient(x) == x / divisor)
        };
        Reciprocal::candidates(divisor)?.into_iter().find(exact)
    }

    /// The pairs of numbers whose sums are closest to the inverse of a divisor.
    fn candidates(divisor: f64) -> Option<[Reciprocal; 3]> {
        if !(power_of_two(-900)..power_of_two(90)).contains(&divisor.abs()) {
            return None;
        }
        let nearest = 1.0 / divisor;
        let high = match remainder(divisor, nearest) < 0.0 {
            true => f64::from_bits(nearest.to_bits() - 1),
            false => nearest,
        };
        let low = remainder(divisor, high) / divisor;
        let products_are_normal = low.abs() >= power_of_two(-96);
        products_are_normal
            .then(|| [low, low.next_up(), low.next_down()].map(|low| Reciprocal { high, low }))
    }

    /// `x / c`, with the same bits, if `x` is zero, infinite, or has at least the magnitude
    /// [`Reciprocal::SMALLEST_DIVIDEND`]. NaN if `x` is NaN.
    #[inline]
    pub fn quotient(&self, x: f64) -> f64 {
        fused(x, self.high, x * self.low)
    }
}

/// `1 - divisor * inverse`, exactly, if the second number is adjacent to the inverse of the first.
fn remainder(divisor: f64, inverse: f64) -> f64 {
    fused(-divisor, inverse, 1.0)
}

/// The dividends whose quotients may be too close to a rounding boundary. Sign and powers of two do
/// not matter, so there is one dividend for all of them.
fn doubtful_dividends(divisor: f64) -> impl Iterator<Item = f64> {
    let fraction = divisor.to_bits() & ((1 << (BITS - 1)) - 1) | 1 << (BITS - 1);
    let odd = fraction >> fraction.trailing_zeros();
    dividends_near_borders(odd, BITS).map(|dividend| dividend as f64)
}

/// The dividends of `bits` bits whose quotients by an odd number `c` of at most `bits` bits are close
/// to a rounding boundary.
///
/// A boundary is an odd number `m` of `bits + 1` bits. A dividend `x` is close to it if `x * 2^k` is
/// `c * m + d` for some `k` and a distance `d` of magnitude at most 15. The product `c * m` is odd,
/// so `d` is odd as well, and `m` is `-d / c` modulo `2^k`. If `c` has at most `bits - 4` bits, the
/// error is below the smallest distance, and no dividend is in doubt.
fn dividends_near_borders(odd: u64, bits: u32) -> impl Iterator<Item = u128> {
    let inverse = inverse_modulo_power_of_two(odd);
    let in_doubt = odd >> (bits - 4) != 0;
    let distances = (1..=LARGEST_DISTANCE).step_by(2).filter(move |_| in_doubt);
    let signed = distances.flat_map(|distance| [distance, distance.wrapping_neg()]);
    let scaled = signed.flat_map(move |d| (bits - 4..=bits + 2).map(move |scale| (d, scale)));
    scaled.flat_map(move |(distance, scale)| {
        let modulus = 1_u128 << scale;
        let first = distance.wrapping_neg().wrapping_mul(inverse) % modulus;
        let borders = (0..).map(move |n| first + n * modulus);
        borders
            .take_while(move |border| *border < 1 << (bits + 1))
            .filter(move |border| *border > 1 << bits)
            .map(move |border| (u128::from(odd) * border).wrapping_add(distance) >> scale)
            .filter(move |dividend| (1 << (bits - 1)..1 << bits).contains(dividend))
    })
}

/// The inverse of an odd number modulo 2^128.
fn inverse_modulo_power_of_two(odd: u64) -> u128 {
    let odd = u128::from(odd);
    // An odd number is its own inverse modulo 8. Each iteration doubles the number of correct bits.
    (0..6).fold(odd, |inverse, _| {
        inverse.wrapping_mul(2_u128.wrapping_sub(odd.wrapping_mul(inverse)))
    })
}

const fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << (BITS - 1))
}

#[allow(
    clippy::disallowed_methods,
    reason = "its single rounding is what the proof is about"
)]
fn fused(a: f64, b: f64, c: f64) -> f64 {
    a.mul_add(b, c)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn assert_quotient(x: f64, divisor: f64) {
        if let Some(reciprocal) = Reciprocal::of(divisor) {
            let quotient = reciprocal.quotient(x);
            assert_eq!(
                quotient.to_bits(),
                (x / divisor).to_bits(),
                "{x:e} / {divisor:e}"
            );
        }
    }

    #[test]
    fn usual_divisors_have_reciprocals() {
        for divisor in [
            1e-11, 0.003, 0.01, 0.02, -0.018, 0.08, 3.0, 1e-3, 96485.3, 7e-7,
        ] {
            assert!(Reciprocal::of(divisor).is_some(), "{divisor}");
        }
    }

    #[test]
    fn others_have_none() {
        for divisor in [0.0, 2.0, -0.25, f64::NAN, f64::INFINITY, 5e-324, 1e300] {
            assert_eq!(Reciprocal::of(divisor), None, "{divisor}");
        }
    }

    #[test]
    fn zeros_and_infinities_keep_their_signs() {
        for divisor in [0.003, -0.018, 10.0, -7.0] {
            assert!(Reciprocal::of(divisor).is_some());
            for x in [
                0.0,
                -0.0,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::MAX,
                f64::MIN,
            ] {
                assert_quotient(x, divisor);
            }
        }
    }

    #[test]
    fn inverses_of_odd_numbers() {
        for odd in [1, 3, 5, 0x1F_FFFF_FFFF_FFFF] {
            assert_eq!(inverse_modulo_power_of_two(odd).wrapping_mul(odd.into()), 1);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_quotient(
            divisor in prop::num::f64::NORMAL,
            decimal in -2000_i32..2000,
            exponent in -12_i32..6,
            x in prop::num::f64::NORMAL,
        ) {
            let decimal: f64 = format!("{decimal}e{exponent}").parse().unwrap();
            for divisor in [divisor, decimal] {
                if x.abs() >= Reciprocal::SMALLEST_DIVIDEND {
                    assert_quotient(x, divisor);
                }
            }
        }

        /// Dividends whose quotients are next to a border between two roundings, as far as they
        /// can be drawn at random.
        #[test]
        fn quotients_beside_borders(
            fraction in (1_u64 << 52)..(1 << 53),
            border in (1_u64 << 52)..(1 << 53),
            steps in -3_i64..=3,
        ) {
            let divisor = fraction as f64 * power_of_two(-60);
            let product = u128::from(fraction) * (2 * u128::from(border) + 1);
            let x = (product as f64).to_bits().wrapping_add_signed(steps);
            assert_quotient(f64::from_bits(x), divisor);
        }

        /// The same as far as they can be computed.
        #[test]
        fn quotients_nearest_to_borders(fraction in (1_u64 << 52)..(1 << 53)) {
            let divisor = fraction as f64 * power_of_two(-60);
            for x in doubtful_dividends(divisor) {
                assert_quotient(x, divisor);
            }
        }
    }

    #[test]
    fn all_dividends_near_borders_of_few_bits() {
        let bits = 9;
        for odd in (1 << (bits - 4)..1 << bits).filter(|number| number % 2 == 1) {
            let near = |x: &u128| {
                let borders = ((1 << bits) + 1..1_u128 << (bits + 1)).step_by(2);
                let products = borders.map(|border| u128::from(odd) * border);
                let mut distances =
                    products.flat_map(|p| (1..bits + 4).map(move |k| (x << k).abs_diff(p)));
                distances.any(|distance| distance <= LARGEST_DISTANCE)
            };
            let expected: BTreeSet<u128> = (1 << (bits - 1)..1 << bits).filter(near).collect();
            let found: BTreeSet<u128> = dividends_near_borders(odd, bits).collect();
            assert_eq!(found, expected, "{odd}");
        }
    }

    #[test]
    fn some_divisors_would_give_wrong_quotients() {
        let divisor = 0.33;
        for candidate in Reciprocal::candidates(divisor).unwrap() {
            let wrong = |x: f64| candidate.quotient(x) != x / divisor;
            assert!(doubtful_dividends(divisor).any(wrong), "{candidate:?}");
        }
        assert_eq!(Reciprocal::of(divisor), None);
    }
}
