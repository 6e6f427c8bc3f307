//! Random LEMS models.
//!
//! [`RandomModel::new`] grows a self-contained, valid LEMS file from a seed: its own dimensions,
//! ComponentTypes with random expressions, populations, connections, and an experiment that records
//! many variables. [`back_ends`] checks that interpreter and machine code agree on it to the bit,
//! [`in_halves`] that a run gives the same with a break; the test `tests/against_jlems.py` checks
//! that jLEMS writes the same bytes.
//!
//! Left out is what jLEMS refuses or gets wrong and this project does better on purpose
//! (`docs/differences.md`).

mod builder;
mod compare;
mod component_type;
mod dice;
mod dimension;
mod dynamics;
mod experiment;
mod expression;
mod halves;
mod network;
mod xml;

use builder::Builder;

pub use compare::{Difference, Passed, back_ends};
pub use experiment::{OUTPUTS, Timing};
pub use halves::in_halves;

/// A random LEMS model.
#[derive(Debug, Clone)]
pub struct RandomModel {
    /// Where it comes from.
    pub seed: u64,
    /// The LEMS file.
    pub text: String,
    /// Its time step and number of steps.
    pub timing: Timing,
}

impl RandomModel {
    /// The model of a seed, always the same, which runs for `steps` steps.
    pub fn new(seed: u64, steps: usize) -> RandomModel {
        let mut builder = Builder::new(seed);
        let recordable = network::grow(&mut builder);
        let timing = experiment::write(&mut builder, recordable, steps);
        RandomModel {
            seed,
            text: builder.xml.finish(),
            timing,
        }
    }
}
