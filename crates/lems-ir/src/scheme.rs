//! Kinetic schemes: occupancies advanced by the matrix exponential, in jLEMS's arithmetic or in a cheaper one.

// Loops over fixed ranges, one inside another over several arrays, are what turns into vector code.
#![allow(clippy::needless_range_loop)]

mod uniformisation;

use lems_math::vectorised;

use uniformisation::Chains;

/// Size of the largest entry of a matrix at which its exponential is its first term.
const TINY: f64 = 1e-12;
const MOST_HALVINGS: u32 = 1_100;
/// Up to here the halvings are found without a loop.
const MODERATE_HALVINGS: u64 = 1_000;

/// The graph of a kinetic scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Transitions, in the order of the `edges` list.
    pub edges: Vec<Edge>,
    /// Number of states that the edges reach: the highest index used, plus one.
    pub size: usize,
    /// How a step is computed.
    pub method: SchemeMethod,
}

/// How the matrix exponential of a kinetic scheme is computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SchemeMethod {
    /// By squaring the matrix, in jLEMS's arithmetic.
    #[default]
    Squaring,
    /// By uniformisation (A. Jensen, Skandinavisk Aktuarietidskrift 36, 1953): with the greatest rate at which a state is
    /// left as the rate of a Poisson process, the occupancies are the mean over the numbers of its events of what a chain
    /// with so many transitions gives. A term costs one multiplication with a sparse matrix. Matrices of few states are
    /// squared, which costs less.
    Uniformisation,
}

/// Fewest states for which uniformisation costs less.
const FEWEST_UNIFORM: usize = 4;

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
        Scheme {
            edges,
            size,
            method: SchemeMethod::default(),
        }
    }

    /// Replaces the first `size` occupancies by those one `step` (seconds) later; `rates` are
    /// forward and reverse, per second, in the order of the edges.
    pub fn propagate(&self, occupancies: &mut [f64], rates: &[(f64, f64)], step: f64) {
        let n = self.size;
        if self.is_uniform()
            && let Some(states) = occupancies.get_mut(..n)
            && uniformisation::advance(&self.edges, states, rates, step)
        {
            return;
        }
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

    /// Does the same for `length` instances: row `i` of the occupancies and of the rates, `stride`
    /// values after the one before, belongs to state `i`, or to the forward and reverse rate of
    /// each edge in turn.
    pub fn propagate_rows(
        &self,
        occupancies: &mut [f64],
        rates: &[f64],
        stride: usize,
        length: usize,
        step: f64,
    ) {
        let rows = Rows {
            scheme: self,
            rates,
            stride,
            length,
            step,
        };
        match self.size {
            _ if self.is_uniform() => rows.propagate_uniformly(occupancies),
            2 => rows.propagate::<2>(occupancies),
            3 => rows.propagate::<3>(occupancies),
            4 => rows.propagate::<4>(occupancies),
            5 => rows.propagate::<5>(occupancies),
            6 => rows.propagate::<6>(occupancies),
            7 => rows.propagate::<7>(occupancies),
            8 => rows.propagate::<8>(occupancies),
            _ => rows.propagate_singly(occupancies),
        }
    }

    fn is_uniform(&self) -> bool {
        self.method == SchemeMethod::Uniformisation && self.size >= FEWEST_UNIFORM
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

/// Instances that are advanced side by side.
const WIDTH: usize = 16;

/// One entry of the matrices of instances side by side.
type Row = [f64; WIDTH];

/// A step of several instances, given by rows.
#[derive(Clone, Copy)]
struct Rows<'r> {
    scheme: &'r Scheme,
    rates: &'r [f64],
    stride: usize,
    length: usize,
    step: f64,
}

impl Rows<'_> {
    fn propagate_singly(self, occupancies: &mut [f64]) {
        for instance in 0..self.length {
            self.propagate_one(occupancies, instance);
        }
    }

    fn propagate_one(self, occupancies: &mut [f64], instance: usize) {
        let at = |row: usize| row * self.stride + instance;
        let rate = |row: usize| self.rates.get(at(row)).copied().unwrap_or(0.0);
        let edges = 0..self.scheme.edges.len();
        let rates: Vec<(f64, f64)> = edges
            .map(|edge| (rate(2 * edge), rate(2 * edge + 1)))
            .collect();
        let states = 0..self.scheme.size;
        let mut own: Vec<f64> = states
            .map(|row| occupancies.get(at(row)).copied().unwrap_or(0.0))
            .collect();
        self.scheme.propagate(&mut own, &rates, self.step);
        for (row, occupancy) in own.iter().enumerate() {
            if let Some(place) = occupancies.get_mut(at(row)) {
                *place = *occupancy;
            }
        }
    }

    fn propagate_uniformly(self, occupancies: &mut [f64]) {
        let mut chains = Chains::new(self.scheme.size, self.scheme.edges.len());
        let mut first = 0;
        while first < self.length {
            for (number, rates) in chains.rates.iter_mut().enumerate() {
                rates[0] = self.load(self.rates, 2 * number, first);
                rates[1] = self.load(self.rates, 2 * number + 1, first);
            }
            for (row, states) in chains.occupancies.iter_mut().enumerate() {
                *states = self.load(occupancies, row, first);
            }
            let is_done = chains.advance(&self.scheme.edges, self.step);
            for (row, states) in chains.occupancies.iter().enumerate() {
                self.store(occupancies, row, first, states);
            }
            for (instance, is_done) in (first..self.length).zip(is_done) {
                if !is_done {
                    self.propagate_one(occupancies, instance);
                }
            }
            first += WIDTH;
        }
    }

    fn propagate<const N: usize>(self, occupancies: &mut [f64]) {
        vectorised(
            #[inline(always)]
            || {
                let mut first = 0;
                while first < self.length {
                    self.propagate_lanes::<N>(occupancies, first);
                    first += WIDTH;
                }
            },
        );
    }

    #[inline(always)]
    fn propagate_lanes<const N: usize>(self, occupancies: &mut [f64], first: usize) {
        let mut matrix = [[[0.0; WIDTH]; N]; N];
        for (number, edge) in self.scheme.edges.iter().enumerate() {
            let (s, g) = (edge.source, edge.target);
            if s >= N || g >= N {
                return;
            }
            let forward = self.load(self.rates, 2 * number, first);
            let reverse = self.load(self.rates, 2 * number + 1, first);
            for lane in 0..WIDTH {
                matrix[s][s][lane] -= forward[lane];
                matrix[g][s][lane] += forward[lane];
                matrix[g][g][lane] -= reverse[lane];
                matrix[s][g][lane] += reverse[lane];
            }
        }
        exponential_lanes(&mut matrix, self.step);
        let mut before = [[0.0; WIDTH]; N];
        for row in 0..N {
            before[row] = self.load(occupancies, row, first);
        }
        for row in 0..N {
            let mut sum = [0.0; WIDTH];
            for inner in 0..N {
                for lane in 0..WIDTH {
                    sum[lane] += matrix[row][inner][lane] * before[inner][lane];
                }
            }
            self.store(occupancies, row, first, &sum);
        }
    }

    /// The values of a row from `first` on; zeros beyond its end.
    #[inline(always)]
    fn load(self, rows: &[f64], row: usize, first: usize) -> Row {
        let start = row * self.stride + first;
        let width = WIDTH.min(self.length - first);
        let mut values = [0.0; WIDTH];
        if width == WIDTH
            && let Some(full) = rows.get(start..start + WIDTH)
        {
            values.copy_from_slice(full);
        } else if let Some(own) = rows.get(start..start + width) {
            values[..width].copy_from_slice(own);
        }
        values
    }

    #[inline(always)]
    fn store(self, rows: &mut [f64], row: usize, first: usize, values: &Row) {
        let start = row * self.stride + first;
        let width = WIDTH.min(self.length - first);
        if let Some(own) = rows.get_mut(start..start + width) {
            own.copy_from_slice(&values[..width]);
        }
    }
}

/// How often a matrix is halved, given its largest entry.
fn halvings(largest: f64) -> u32 {
    let mut factor = 1.0;
    let mut halvings = 0;
    while largest * factor > TINY && halvings < MOST_HALVINGS {
        factor *= 0.5;
        halvings += 1;
    }
    halvings
}

/// The same for any number that is not too large, without a loop: halving takes one from the
/// exponent, which is the upper part of the bits of a positive double.
#[inline(always)]
fn moderate_halvings(largest: f64) -> u64 {
    let excess = largest.to_bits().saturating_sub(TINY.to_bits());
    excess.div_ceil(1 << 52)
}

fn power_of_half(halvings: u32) -> f64 {
    let mut factor = 1.0;
    for _ in 0..halvings {
        factor *= 0.5;
    }
    factor
}

/// [`exponential`] of several matrices. A zero may get the other sign, which changes no sum of
/// them that begins with zero.
#[inline(always)]
fn exponential_lanes<const N: usize>(matrix: &mut [[Row; N]; N], step: f64) {
    let mut largest = [0.0_f64; WIDTH];
    for row in 0..N {
        for column in 0..N {
            for lane in 0..WIDTH {
                matrix[row][column][lane] *= step;
                largest[lane] = largest[lane].max(matrix[row][column][lane].abs());
            }
        }
    }
    let mut counts = [0_u64; WIDTH];
    let mut factors = [0.0_f64; WIDTH];
    for lane in 0..WIDTH {
        counts[lane] = moderate_halvings(largest[lane]);
        factors[lane] = f64::from_bits(1023_u64.wrapping_sub(counts[lane]) << 52);
    }
    let mut most = 0;
    for count in counts {
        most = count.max(most);
    }
    if most > MODERATE_HALVINGS {
        most = 0;
        for lane in 0..WIDTH {
            let halvings = halvings(largest[lane]);
            counts[lane] = u64::from(halvings);
            factors[lane] = power_of_half(halvings);
            most = counts[lane].max(most);
        }
    }
    for row in 0..N {
        for column in 0..N {
            for lane in 0..WIDTH {
                matrix[row][column][lane] *= factors[lane];
            }
        }
    }
    for done in 0..most {
        let before = *matrix;
        for row in 0..N {
            for column in 0..N {
                for lane in 0..WIDTH {
                    let mut product = before[row][0][lane] * before[0][column][lane];
                    for inner in 1..N {
                        product += before[row][inner][lane] * before[inner][column][lane];
                    }
                    let entry = before[row][column][lane];
                    let squared = (entry + entry) + product;
                    matrix[row][column][lane] = if done < counts[lane] { squared } else { entry };
                }
            }
        }
    }
    for diagonal in 0..N {
        for lane in 0..WIDTH {
            matrix[diagonal][diagonal][lane] += 1.0;
        }
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
    let squarings = halvings(largest);
    let factor = power_of_half(squarings);
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

    proptest! {
        #[test]
        fn instances_side_by_side_get_the_bits_of_single_ones(
            states in 2..9_usize,
            length in 1..40_usize,
            scale in -12..7_i32,
            odd in prop::option::of(prop::sample::select(vec![0.0, f64::INFINITY, f64::NAN, 1e300])),
            numbers in prop::collection::vec(0.0..1.0_f64, 40 * 16),
            method in prop::sample::select(vec![SchemeMethod::Squaring, SchemeMethod::Uniformisation]),
        ) {
            let edges = (0..states).map(|from| Edge { source: from, target: (from + 1) % states });
            let scheme = Scheme { method, ..Scheme::new(edges.collect()) };
            let stride = 40;
            let mut rates: Vec<f64> =
                numbers.iter().map(|x| x * lems_math::pow(10.0, f64::from(scale))).collect();
            if let Some(odd) = odd {
                rates[length / 2] = odd;
            }
            let before: Vec<f64> = numbers.iter().map(|x| 1.0 - x).collect();
            let mut together = before.clone();
            scheme.propagate_rows(&mut together, &rates, stride, length, 1e-3);
            for instance in 0..length {
                let of = |row: usize, rows: &[f64]| rows[row * stride + instance];
                let mut own: Vec<f64> = (0..states).map(|row| of(row, &before)).collect();
                let own_rates: Vec<(f64, f64)> = (0..states)
                    .map(|edge| (of(2 * edge, &rates), of(2 * edge + 1, &rates)))
                    .collect();
                scheme.propagate(&mut own, &own_rates, 1e-3);
                for (row, occupancy) in own.iter().enumerate() {
                    let other = of(row, &together);
                    let same = other.to_bits() == occupancy.to_bits()
                        || other.is_nan() && occupancy.is_nan();
                    prop_assert!(same, "{} {} {} {}", instance, row, occupancy, other);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn both_methods_give_the_same_occupancies(
            states in 2..9_usize,
            scale in -3..6_i32,
            numbers in prop::collection::vec(0.0..1.0_f64, 32),
        ) {
            let edges = (0..states).map(|from| Edge { source: from, target: (from + 1) % states });
            let squaring = Scheme::new(edges.collect());
            let uniform = Scheme { method: SchemeMethod::Uniformisation, ..squaring.clone() };
            let factor = lems_math::pow(10.0, f64::from(scale));
            let rates: Vec<(f64, f64)> =
                (0..states).map(|i| (numbers[2 * i] * factor, numbers[2 * i + 1] * factor)).collect();
            let total: f64 = numbers[..states].iter().sum();
            let mut one: Vec<f64> = numbers[..states].iter().map(|x| x / total).collect();
            let mut other = one.clone();
            squaring.propagate(&mut one, &rates, 1e-3);
            uniform.propagate(&mut other, &rates, 1e-3);
            for (one, other) in one.iter().zip(&other) {
                prop_assert!((one - other).abs() < 1e-11, "{one} {other}");
            }
            prop_assert!((other.iter().sum::<f64>() - 1.0).abs() < 1e-12);
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
