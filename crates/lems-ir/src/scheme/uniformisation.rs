//! Kinetic schemes by uniformisation.

// Loops over fixed ranges, one inside another over several arrays, are what turns into vector code.
#![allow(clippy::needless_range_loop)]

use lems_math::vectorised;

use super::{Edge, WIDTH};

/// Most events that the Poisson process has in a step on average. Beyond, squaring the matrix costs less.
const MOST_EVENTS: f64 = 64.0;
/// A number of events that is less probable than this, and greater than the mean, does not count.
const IMPROBABLE: f64 = 1e-18;

/// The occupancies of one instance after a step. Returns false, and changes nothing, if a rate is negative or not finite,
/// or too many events have to be added up.
pub(super) fn advance(
    edges: &[Edge],
    occupancies: &mut [f64],
    rates: &[(f64, f64)],
    step: f64,
) -> bool {
    let mut chains = Chains::<1>::new(occupancies.len(), edges.len());
    for (lanes, occupancy) in chains.occupancies.iter_mut().zip(&*occupancies) {
        lanes[0] = *occupancy;
    }
    for (lanes, rate) in chains.rates.iter_mut().zip(rates) {
        *lanes = [[rate.0], [rate.1]];
    }
    let [is_done] = chains.advance(edges, step);
    for (occupancy, lanes) in occupancies.iter_mut().zip(&chains.occupancies) {
        *occupancy = lanes[0];
    }
    is_done
}

/// The chains of instances side by side.
pub(super) struct Chains<const W: usize = WIDTH> {
    /// By state.
    pub occupancies: Vec<[f64; W]>,
    /// Forward and reverse, by edge.
    pub rates: Vec<[[f64; W]; 2]>,
    /// The occupancies after so many transitions.
    chain: Vec<[f64; W]>,
    /// What a transition adds to them.
    change: Vec<[f64; W]>,
}

impl<const W: usize> Chains<W> {
    /// Room for chains.
    pub(super) fn new(states: usize, edges: usize) -> Self {
        Chains {
            occupancies: vec![[0.0; W]; states],
            rates: vec![[[0.0; W]; 2]; edges],
            chain: vec![[0.0; W]; states],
            change: vec![[0.0; W]; states],
        }
    }

    /// Replaces the occupancies by those one step later. Returns for which instances that was possible; the occupancies of
    /// the others stay.
    pub(super) fn advance(&mut self, edges: &[Edge], step: f64) -> [bool; W] {
        let mut is_done = [false; W];
        vectorised(
            #[inline(always)]
            || is_done = self.advance_lanes(edges, step),
        );
        is_done
    }

    #[inline(always)]
    fn advance_lanes(&mut self, edges: &[Edge], step: f64) -> [bool; W] {
        let (is_possible, greatest) = self.greatest_rate(edges);
        // The probabilities of no event, and how many more have to be added up: none where that is not possible.
        let mut mean = [0.0; W];
        let mut weight = [1.0; W];
        let mut is_done = [true; W];
        let mut counts = [0_u32; W];
        let mut most = 0;
        for lane in 0..W {
            mean[lane] = greatest[lane] * step;
            is_done[lane] = is_possible[lane] && mean[lane] <= MOST_EVENTS;
            if is_done[lane] {
                weight[lane] = lems_math::exp(-mean[lane]);
                counts[lane] = terms(mean[lane], weight[lane]);
                most = most.max(counts[lane]);
            }
        }
        let mut by_greatest = [0.0; W];
        for lane in 0..W {
            let divisor = if greatest[lane] > 0.0 {
                greatest[lane]
            } else {
                1.0
            };
            by_greatest[lane] = 1.0 / divisor;
        }
        for (chain, sum) in self.chain.iter_mut().zip(&mut self.occupancies) {
            *chain = *sum;
            for lane in 0..W {
                sum[lane] *= weight[lane];
            }
        }
        for number in 1..=most {
            let events = f64::from(number);
            for lane in 0..W {
                weight[lane] *= mean[lane] / events;
            }
            self.make_transition(edges, &by_greatest);
            for (chain, sum) in self.chain.iter().zip(&mut self.occupancies) {
                for lane in 0..W {
                    let next = sum[lane] + weight[lane] * chain[lane];
                    sum[lane] = if number <= counts[lane] {
                        next
                    } else {
                        sum[lane]
                    };
                }
            }
        }
        is_done
    }

    /// The greatest rate at which a state is left, and for which instances all rates make sense.
    #[inline(always)]
    fn greatest_rate(&mut self, edges: &[Edge]) -> ([bool; W], [f64; W]) {
        self.change.fill([0.0; W]);
        let mut is_possible = [true; W];
        for (edge, [forward, reverse]) in edges.iter().zip(&self.rates) {
            for lane in 0..W {
                let is_finite = forward[lane] < f64::INFINITY && reverse[lane] < f64::INFINITY;
                is_possible[lane] &= is_finite && forward[lane] >= 0.0 && reverse[lane] >= 0.0;
            }
            for (state, rate) in [(edge.source, forward), (edge.target, reverse)] {
                if let Some(left) = self.change.get_mut(state) {
                    for lane in 0..W {
                        left[lane] += rate[lane];
                    }
                }
            }
        }
        let mut greatest = [0.0_f64; W];
        for left in &self.change {
            for lane in 0..W {
                greatest[lane] = if left[lane] > greatest[lane] {
                    left[lane]
                } else {
                    greatest[lane]
                };
            }
        }
        (is_possible, greatest)
    }

    /// Makes a transition of each chain.
    #[inline(always)]
    fn make_transition(&mut self, edges: &[Edge], by_greatest: &[f64; W]) {
        self.change.fill([0.0; W]);
        for (edge, [forward, reverse]) in edges.iter().zip(&self.rates) {
            let ends = (self.chain.get(edge.source), self.chain.get(edge.target));
            let (Some(source), Some(target)) = ends else {
                continue;
            };
            let mut flow = [0.0; W];
            for lane in 0..W {
                flow[lane] = forward[lane] * source[lane] - reverse[lane] * target[lane];
            }
            if let Some(change) = self.change.get_mut(edge.source) {
                for lane in 0..W {
                    change[lane] -= flow[lane];
                }
            }
            if let Some(change) = self.change.get_mut(edge.target) {
                for lane in 0..W {
                    change[lane] += flow[lane];
                }
            }
        }
        for (chain, change) in self.chain.iter_mut().zip(&self.change) {
            for lane in 0..W {
                chain[lane] += change[lane] * by_greatest[lane];
            }
        }
    }
}

/// How many events there may be, given their mean number and the probability of none.
#[inline(always)]
fn terms(mean: f64, none: f64) -> u32 {
    let mut weight = none;
    let mut count = 0;
    while weight >= IMPROBABLE || f64::from(count) < mean {
        count += 1;
        weight *= mean / f64::from(count);
    }
    count
}
