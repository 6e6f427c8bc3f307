//! The methods for cells with dendrites: what a step does, in order.

use lems_equations::Phase;
use lems_ir::{Clock, Solver};

/// How the states and potentials of cells with dendrites move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Half a step apart, and the potentials by the trapezoidal rule: of second order.
    #[default]
    SecondOrder,
    /// The potentials by an implicit step, then the states at the new potentials: of first order, and
    /// nothing oscillates, however long the step.
    Implicit,
    /// As the program does that jNeuroML exports for NEURON: the potentials by an implicit step, then the
    /// states by Euler's method, and conductances are those of the step before. Of first order; for
    /// comparisons with NEURON.
    Neuron,
    /// The same for a program that is exported to NEURON, which finds the derivatives of currents itself. It is not for a
    /// run.
    NeuronExported,
}

/// A part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The kernels of a phase, with the time in the middle of the step.
    Midway(Phase),
    /// The kernels of a phase, with the time at the end of the step.
    AtEnd(Phase),
    /// The potentials move.
    Solve(Solver),
}

impl Method {
    /// The parts of a step, in order.
    pub(crate) fn parts(self) -> &'static [Part] {
        use Part::{AtEnd, Midway, Solve};
        match self {
            Method::SecondOrder => &[
                Midway(Phase::States),
                Midway(Phase::Currents),
                Solve(Solver::Trapezoidal),
                AtEnd(Phase::Rest),
                AtEnd(Phase::End),
            ],
            Method::Implicit => &[
                Midway(Phase::Currents),
                Solve(Solver::Implicit),
                AtEnd(Phase::States),
                AtEnd(Phase::Rest),
                AtEnd(Phase::End),
            ],
            Method::Neuron | Method::NeuronExported => &[
                Midway(Phase::Conduct),
                Solve(Solver::Implicit),
                AtEnd(Phase::Advance),
                AtEnd(Phase::End),
            ],
        }
    }

    /// How the time is counted.
    pub(crate) fn clock(self) -> Clock {
        match self {
            Method::SecondOrder | Method::Implicit => Clock::Product,
            Method::Neuron | Method::NeuronExported => Clock::Halves,
        }
    }

    /// Whether numbers are those of the program that jNeuroML exports.
    pub fn is_neurons(self) -> bool {
        matches!(self, Method::Neuron | Method::NeuronExported)
    }

    /// Whether mechanisms hold what they computed until their states move again.
    pub(crate) fn holds(self) -> bool {
        self.parts().contains(&Part::AtEnd(Phase::Advance))
    }
}

impl Part {
    /// The phase whose kernels it runs.
    pub fn phase(self) -> Option<Phase> {
        match self {
            Part::Midway(phase) | Part::AtEnd(phase) => Some(phase),
            Part::Solve(_) => None,
        }
    }
}
