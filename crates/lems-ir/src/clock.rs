//! The time at the end of a step, to the last bit.

/// How the time at the end of a step is found. What is due at such a moment depends on its last bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The steps are added up, as in jLEMS.
    #[default]
    Sum,
    /// The step times the number of steps: fewer moments that fall on the end of a step are missed.
    Product,
    /// Half steps are added up in milliseconds, as in NEURON.
    Halves,
}

impl Clock {
    /// The time at the end of a step, from the number of steps before it and the time at its beginning,
    /// in seconds.
    pub fn end_of_step(self, steps: u64, begin: f64, step: f64) -> f64 {
        match self {
            Clock::Sum => begin + step,
            Clock::Product => (steps + 1) as f64 * step,
            Clock::Halves => {
                let milliseconds = step * 1e3;
                sum(2 * (steps + 1), milliseconds / 2.0) / 1e3
            }
        }
    }
}

/// The sum of `count` equal terms, added up one after the other.
///
/// Between two powers of two all additions are rounded in the same way, so the sum grows by the same
/// number, and many of them are one multiplication.
fn sum(count: u64, term: f64) -> f64 {
    let mut sum = 0.0;
    let mut left = count;
    while left > 0 {
        sum += term;
        left -= 1;
        let limit = power_of_two_above(sum);
        let next = sum + term;
        let growth = next - sum;
        if next < limit && growth > 0.0 {
            let room = lems_math::saturating_u64((limit - sum) / growth);
            let more = room.saturating_sub(1).min(left);
            sum += more as f64 * growth;
            left -= more;
        }
    }
    sum
}

/// The next power of two that is greater than a positive number.
fn power_of_two_above(number: f64) -> f64 {
    let without_mantissa = f64::from_bits(number.to_bits() & !((1 << 52) - 1));
    2.0 * without_mantissa
}

#[cfg(test)]
mod tests {
    use super::{Clock, sum};

    #[test]
    fn a_sum_of_equal_terms_has_the_roundings_of_each_addition() {
        for term in [0.005, 0.0125, 0.0078125, 0.015, 1e-6] {
            let mut added = 0.0;
            for count in 1..100_000 {
                added += term;
                if count < 100 || count % 37 == 0 {
                    assert_eq!(sum(count, term), added, "{count} times {term}");
                }
            }
        }
    }

    #[test]
    fn halves_of_steps_miss_a_moment_that_a_product_meets() {
        let end = |clock: Clock| clock.end_of_step(399, 0.00399, 1e-5);
        assert_eq!(end(Clock::Product), 0.004);
        assert!(end(Clock::Halves) < 0.004);
    }
}
