//! Kinetic schemes: occupancies advanced by the matrix exponential, in jLEMS's arithmetic.

/// The graph of a kinetic scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Transitions, in the order of the `edges` list.
    pub edges: Vec<Edge>,
    /// Number of states that the edges reach: the highest index used, plus one.
    pub size: usize,
}

/// A transition between two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Index of the state that the forward rate leaves.
    pub source: usize,
    /// Index of the state that the forward rate enters.
    pub target: usize,
}

impl Scheme {
    /// A scheme over the given transitions.
    pub fn new(edges: Vec<Edge>) -> Scheme {
        let size = edges
            .iter()
            .map(|edge| edge.source.max(edge.target) + 1)
            .max()
            .unwrap_or(0);
        Scheme { edges, size }
    }

    /// Replaces the first `size` occupancies by those one `step` (seconds) later; `rates` are
    /// forward and reverse, per second, in the order of the edges.
    pub fn propagate(&self, occupancies: &mut [f64], rates: &[(f64, f64)], step: f64) {
        let n = self.size;
        let matrix = exponential(self.generator(rates), n, step);
        let before: Vec<f64> = occupancies.iter().copied().take(n).collect();
        for (row, after) in matrix.chunks_exact(n.max(1)).zip(occupancies.iter_mut()) {
            let mut sum = 0.0;
            for (weight, occupancy) in row.iter().zip(&before) {
                sum += weight * occupancy;
            }
            *after = sum;
        }
    }

    fn generator(&self, rates: &[(f64, f64)]) -> Vec<f64> {
        let n = self.size;
        let mut matrix = vec![0.0; n * n];
        for (edge, &(forward, reverse)) in self.edges.iter().zip(rates) {
            let (s, g) = (edge.source, edge.target);
            matrix[s * n + s] -= forward;
            matrix[g * n + s] += forward;
            matrix[g * n + g] -= reverse;
            matrix[s * n + g] += reverse;
        }
        matrix
    }
}

/// exp(matrix * step) by halving the step until the product is tiny and squaring back, kept
/// relative to the identity so that small rates lose no digits.
fn exponential(mut matrix: Vec<f64>, n: usize, step: f64) -> Vec<f64> {
    let mut largest = 0.0_f64;
    for entry in &mut matrix {
        *entry *= step;
        largest = largest.max(entry.abs());
    }
    let mut factor = 1.0;
    let mut squarings = 0;
    while largest * factor > 1e-12 && squarings < 1100 {
        factor *= 0.5;
        squarings += 1;
    }
    for entry in &mut matrix {
        *entry *= factor;
    }
    let mut square = vec![0.0; n * n];
    for _ in 0..squarings {
        multiply(&matrix, n, &mut square);
        for (entry, product) in matrix.iter_mut().zip(&square) {
            *entry = (*entry + *entry) + product;
        }
    }
    for diagonal in matrix.iter_mut().step_by(n + 1) {
        *diagonal += 1.0;
    }
    matrix
}

fn multiply(matrix: &[f64], n: usize, square: &mut [f64]) {
    match n {
        2 => multiply_small::<2>(matrix, square),
        3 => multiply_small::<3>(matrix, square),
        4 => multiply_small::<4>(matrix, square),
        5 => multiply_small::<5>(matrix, square),
        6 => multiply_small::<6>(matrix, square),
        _ => multiply_large(matrix, n, square),
    }
}

/// Each sum runs over the inner index in rising order; the loop over columns is innermost so that
/// several columns can be summed at once.
fn multiply_small<const N: usize>(matrix: &[f64], square: &mut [f64]) {
    let (rows, _) = matrix.as_chunks::<N>();
    let (products, _) = square.as_chunks_mut::<N>();
    for (row, product) in rows.iter().zip(products) {
        let mut sums = [0.0; N];
        for (weight, inner) in row.iter().zip(rows) {
            for (sum, entry) in sums.iter_mut().zip(inner) {
                *sum += weight * entry;
            }
        }
        *product = sums;
    }
}

fn multiply_large(matrix: &[f64], n: usize, square: &mut [f64]) {
    let rows = || matrix.chunks_exact(n.max(1));
    square.fill(0.0);
    for (row, sums) in rows().zip(square.chunks_exact_mut(n.max(1))) {
        for (weight, inner) in row.iter().zip(rows()) {
            for (sum, entry) in sums.iter_mut().zip(inner) {
                *sum += weight * entry;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn products_are_summed_in_rising_order(
            n in 1..8_usize,
            entries in prop::collection::vec(-1e3..1e3_f64, 64),
        ) {
            let mut square = vec![f64::NAN; n * n];
            multiply(&entries[..n * n], n, &mut square);
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let sum = (0..n).fold(0.0, |sum, k| sum + entries[i * n + k] * entries[k * n + j]);
                prop_assert_eq!(square[i * n + j].to_bits(), sum.to_bits());
            }
        }
    }

    #[test]
    fn two_states_relax_to_their_ratio() {
        let scheme = Scheme::new(vec![Edge {
            source: 0,
            target: 1,
        }]);
        let mut occupancies = [1.0, 0.0];
        scheme.propagate(&mut occupancies, &[(3.0, 1.0)], 0.5);
        let exact = 0.25 + 0.75 * lems_math::exp(-2.0);
        assert!((occupancies[0] - exact).abs() < 1e-11);
        assert!((occupancies[0] + occupancies[1] - 1.0).abs() < 1e-14);
    }
}
