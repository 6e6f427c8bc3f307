//! The generator of `java.util.Random`.

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const MASK: u64 = (1 << 48) - 1;

/// The 48-bit linear congruential generator that Java specifies for `java.util.Random`.
///
/// Its state is one number below 2^48, which [`JavaRandom::state`] saves and
/// [`JavaRandom::from_state`] restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JavaRandom {
    state: u64,
}

impl JavaRandom {
    /// The generator that `new java.util.Random(seed)` creates.
    pub fn new(seed: i64) -> Self {
        Self::from_state(seed.cast_unsigned() ^ MULTIPLIER)
    }

    /// The generator that continues from a saved [`state`](Self::state). Only the lower 48 bits count.
    pub fn from_state(state: u64) -> Self {
        Self {
            state: state & MASK,
        }
    }

    /// The state: a number below 2^48.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// The next number, uniform in [0, 1) in steps of 2^-53.
    pub fn next_double(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        let high = self.next_bits(26);
        let low = self.next_bits(27);
        ((high << 27) + low) as f64 * STEP
    }

    /// Continues as if a number of random numbers had been drawn, in time proportional to the logarithm of their number
    /// (F. B. Brown, Trans. Am. Nucl. Soc. 71, 1994).
    pub fn skip(&mut self, draws: u64) {
        // A draw makes two steps of the generator; so many steps are one affine map, found by squaring.
        let (mut factor, mut summand) = (MULTIPLIER, INCREMENT);
        let mut left = u128::from(draws) * 2;
        while left > 0 {
            if left & 1 == 1 {
                self.state = self.state.wrapping_mul(factor).wrapping_add(summand) & MASK;
            }
            summand = summand.wrapping_mul(factor.wrapping_add(1)) & MASK;
            factor = factor.wrapping_mul(factor) & MASK;
            left >>= 1;
        }
    }

    fn next_bits(&mut self, bits: u32) -> u64 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        self.state >> (48 - bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn draws_of_seed_1234() {
        let mut random = JavaRandom::new(1234);
        let draws: Vec<f64> = (0..5).map(|_| random.next_double()).collect();
        let expected = [
            0.6465821602909256,
            0.9513577109193919,
            0.8575884598068334,
            0.45823330506267057,
            0.3359524025416939,
        ];
        assert_eq!(draws, expected);
    }

    proptest! {
        #[test]
        fn skipped_numbers_are_those_that_would_have_been_drawn(seed: i64, draws in 0..300_u64, more in 0..9_u64) {
            let (mut drawn, mut skipped) = (JavaRandom::new(seed), JavaRandom::new(seed));
            for _ in 0..draws + more {
                drawn.next_double();
            }
            skipped.skip(draws);
            skipped.skip(more);
            prop_assert_eq!(drawn, skipped);
        }

        #[test]
        fn goes_on_from_a_saved_state(seed: i64, draws in 0..20) {
            let mut random = JavaRandom::new(seed);
            for _ in 0..draws {
                random.next_double();
            }
            let mut restored = JavaRandom::from_state(random.state());
            prop_assert!(random.state() < 1 << 48);
            for _ in 0..20 {
                let drawn = random.next_double();
                prop_assert!((0.0..1.0).contains(&drawn));
                prop_assert_eq!(drawn, restored.next_double());
            }
        }
    }
}
