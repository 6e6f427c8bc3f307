//! A whole model as kernels, tables and a schedule.

use std::ops::Range;

use crate::{Cable, Clock, Kernel, Operation, Routes, Scheme, Statement};

/// Kernels of a model and the tables that they use; nothing in it changes while a model runs.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Step kernels, one per shape.
    pub kernels: Vec<Kernel>,
    /// Set-up kernels: initial passes, run by the interpreter on both back ends.
    pub setups: Vec<Kernel>,
    /// Handler kernels: one per shape and port that receives events.
    pub handlers: Vec<Kernel>,
    /// What a step does, in order.
    pub schedule: Vec<Scheduled>,
    /// The order in which the initial passes visit them.
    pub setup: Vec<Setup>,
    /// Index and offset tables of the kernels.
    pub links: Vec<u32>,
    /// Kinetic schemes.
    pub schemes: Vec<Scheme>,
    /// Trees of compartments.
    pub cables: Vec<Cable>,
    /// Who receives the events of each source.
    pub routes: Routes,
    /// Initial content of the memory.
    pub memory: Vec<f64>,
    /// How the time is counted.
    pub clock: Clock,
}

/// One kernel for a range of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Index in [`Program::kernels`] (schedule) or [`Program::setups`] (set-up).
    pub kernel: u32,
    /// First instance.
    pub first: u32,
    /// One after the last instance.
    pub last: u32,
}

/// An entry of the schedule: what is done at its place in a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Scheduled {
    /// A kernel over a range of instances, which gets the time at the end of the step.
    Call(Call),
    /// The same, but it gets the time in the middle of the step.
    Midway(Call),
    /// Solves the cables with these indices in [`Program::cables`].
    Solve(Solver, Range<u32>),
}

/// How the potentials of a cable move by a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Solver {
    /// By an implicit half step, whose change is then made a second time (J. Crank and P. Nicolson, Proc. Camb.
    /// Phil. Soc. 43, 1947).
    Trapezoidal,
    /// By an implicit step.
    Implicit,
}

impl Solver {
    /// How long the implicit part of a step is, in the unit of the step, and how many times its change is made.
    pub fn parts(self, step: f64) -> (f64, f64) {
        match self {
            Solver::Trapezoidal => (step / 2.0, 2.0),
            Solver::Implicit => (step, 1.0),
        }
    }

    /// Whether the step that ends at `time` is the first one, and [`Cable::first_changes`] makes it.
    pub fn begins_apart(self, time: f64, step: f64) -> bool {
        self == Solver::Trapezoidal && time < 1.5 * step
    }
}

impl Scheduled {
    /// The call of a kernel, if it is one.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Scheduled::Call(call) | Scheduled::Midway(call) => Some(call),
            Scheduled::Solve(..) => None,
        }
    }
}

impl From<Call> for Scheduled {
    fn from(call: Call) -> Self {
        Scheduled::Call(call)
    }
}

/// A part of the initial passes.
#[derive(Debug, Clone, PartialEq)]
pub enum Setup {
    /// A kernel over a range of instances.
    Call(Call),
    /// All parts in order, and once more if that changed anything.
    Twice(Vec<Setup>),
}

impl Program {
    /// The time up to which events are delivered at the beginning of the step that ends at `time`, all in
    /// seconds. With cables it is the time at which the step begins; jLEMS uses the time at which it ends.
    pub fn due(&self, time: f64, step: f64) -> f64 {
        match self.cables.is_empty() {
            true => time,
            false => time - step / 2.0,
        }
    }

    /// Whether machine code of `other` does the steps of this program too: only values in memory and
    /// what the initial passes do differ.
    pub fn has_code_of(&self, other: &Program) -> bool {
        let Program {
            kernels,
            setups: _,
            handlers,
            schedule,
            setup: _,
            links,
            schemes,
            cables,
            routes,
            memory,
            clock,
        } = self;
        memory.len() == other.memory.len()
            && *links == other.links
            && *routes == other.routes
            && *schedule == other.schedule
            && *schemes == other.schemes
            && *cables == other.cables
            && *clock == other.clock
            && same_kernels(kernels, &other.kernels)
            && same_kernels(handlers, &other.handlers)
    }

    /// The cables that an entry of the schedule solves; none if the program has not so many.
    pub fn cables_in(&self, range: &Range<u32>) -> &[Cable] {
        let cables = self.cables.get(range.start as usize..range.end as usize);
        cables.unwrap_or_default()
    }

    /// All calls of kernels in a step, in order.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.schedule.iter().filter_map(Scheduled::call)
    }

    /// One more than the largest instance that the schedule runs a step kernel for; zero if it
    /// does not run it.
    pub fn population(&self, kernel: u32) -> u32 {
        let calls = self.calls().filter(|call| call.kernel == kernel);
        calls.map(|call| call.last).max().unwrap_or(0)
    }
}

/// Where a recorded value is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Probe {
    /// In memory.
    Slot(u32),
    /// It never changes.
    Constant(f64),
}

/// Whether kernels are equal to the bit: zeros with different signs are different constants.
fn same_kernels(ours: &[Kernel], theirs: &[Kernel]) -> bool {
    ours == theirs
        && constants(ours)
            .zip(constants(theirs))
            .all(|(a, b)| a.to_bits() == b.to_bits())
}

/// The constants in kernels, in an order that depends on their structure alone.
fn constants(kernels: &[Kernel]) -> impl Iterator<Item = f64> {
    let statements = kernels.iter().flat_map(|kernel| &kernel.body);
    let nested = statements.flat_map(Statement::and_nested);
    nested.filter_map(|statement| match statement {
        Statement::Let(_, Operation::Constant(value)) => Some(*value),
        _ => None,
    })
}
