//! Generates random LEMS models.
//!
//! [`RandomModel::new`] generates a self-contained, valid LEMS file from a seed. It has its own
//! dimensions, ComponentTypes with random expressions, populations, connections, and a simulation
//! that records many variables. [`back_ends`] checks that the interpreter and machine code agree to
//! the bit. [`in_halves`] checks that a run with a break has the same outputs. The test
//! `tests/against_jlems.py` checks that jLEMS writes the same bytes.
//!
//! [`RandomModel::with_cells`] generates a network of NeuroML cells with random dendrites and channels.
//!
//! The models avoid what jLEMS refuses, and also what jLEMS gets wrong and this project deliberately
//! does differently (`docs/differences.md`).

mod builder;
mod cells;
mod compare;
mod component_type;
mod dice;
mod dimension;
mod dynamics;
mod experiment;
mod expression;
mod halves;
mod network;
mod ranks;
mod run;
mod wires;
mod xml;

use builder::Builder;
use dice::Dice;
use jlems::Method;

pub use compare::{Difference, Passed, back_ends};
pub use experiment::{OUTPUTS, Timing};
pub use halves::in_halves;
pub use ranks::{Shared, by_ranks};

/// A random LEMS model.
#[derive(Debug, Clone)]
pub struct RandomModel {
    /// The seed that it was generated from.
    pub seed: u64,
    /// The LEMS file.
    pub text: String,
    /// Its time step and number of steps.
    pub timing: Timing,
    /// How cells with dendrites are computed.
    pub method: Method,
}

impl RandomModel {
    /// The model for a seed, which runs for `steps` steps. The same seed always gives the same model.
    pub fn new(seed: u64, steps: usize) -> RandomModel {
        let mut builder = Builder::new(seed);
        let recordable = network::grow(&mut builder);
        let timing = experiment::write(&mut builder, recordable, steps);
        RandomModel {
            seed,
            text: builder.xml.finish(),
            timing,
            method: Method::default(),
        }
    }

    /// A network of cells with dendrites for a seed, which runs for `steps` steps by one of the methods.
    pub fn with_cells(seed: u64, steps: usize) -> RandomModel {
        let mut dice = Dice::new(seed);
        let (text, timing) = cells::generate(&mut dice, steps);
        let methods = [Method::SecondOrder, Method::Implicit, Method::Neuron];
        RandomModel {
            seed,
            text,
            timing,
            method: dice.pick(&methods).copied().unwrap_or_default(),
        }
    }
}
