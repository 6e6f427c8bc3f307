//! Random values.

use lems_math::JavaRandom;

/// How random values are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Each value by itself.
    #[default]
    Uniform,
    /// Each parameter has one value in each of as many equal parts of its range as there are points (McKay,
    /// Beckman and Conover 1979).
    LatinHypercube,
}

/// Numbers from 0 to 1, for each parameter one for each point. They depend on the seed, the number of points,
/// the place of the parameter, and nothing else.
pub fn sample(method: Method, seed: i64, points: usize, parameters: usize) -> Vec<Vec<f64>> {
    let mut random = JavaRandom::new(seed);
    let column = |_| match method {
        Method::Uniform => (0..points).map(|_| random.next_double()).collect(),
        Method::LatinHypercube => latin(&mut random, points),
    };
    (0..parameters).map(column).collect()
}

/// One number in each of `points` equal parts, in random order.
fn latin(random: &mut JavaRandom, points: usize) -> Vec<f64> {
    let mut parts: Vec<usize> = (0..points).collect();
    // The shuffle of Fisher and Yates.
    for last in (1..points).rev() {
        let place = lems_math::saturating_u64(random.next_double() * (last + 1) as f64);
        let other = usize::try_from(place).unwrap_or(last).min(last);
        parts.swap(last, other);
    }
    let place = |part: usize| (part as f64 + random.next_double()) / points as f64;
    parts.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latin_hypercube_has_one_value_in_each_part() {
        for column in sample(Method::LatinHypercube, 7, 50, 3) {
            let mut parts: Vec<u64> = column
                .iter()
                .map(|place| lems_math::saturating_u64(place * 50.0))
                .collect();
            parts.sort_unstable();
            assert_eq!(parts, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn parameters_have_values_of_their_own() {
        let columns = sample(Method::Uniform, 7, 100, 2);
        assert_ne!(columns[0], columns[1]);
        assert_eq!(columns, sample(Method::Uniform, 7, 100, 2));
        assert!(
            columns
                .iter()
                .flatten()
                .all(|place| (0.0..1.0).contains(place))
        );
    }
}
