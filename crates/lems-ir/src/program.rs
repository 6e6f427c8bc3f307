//! A whole model as kernels, tables and a schedule.

use std::ops::Range;

use crate::{Cable, Kernel, Routes, Scheme};

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
    pub schedule: Vec<Stage>,
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

/// A part of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// A kernel over a range of instances, which gets the time at the end of the step.
    Call(Call),
    /// The same, but it gets the time in the middle of the step.
    Midway(Call),
    /// Solves the cables with these indices in [`Program::cables`].
    Solve(Range<u32>),
}

impl Stage {
    /// The call of a kernel, if it is one.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Stage::Call(call) | Stage::Midway(call) => Some(call),
            Stage::Solve(_) => None,
        }
    }
}

impl From<Call> for Stage {
    fn from(call: Call) -> Self {
        Stage::Call(call)
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
    /// All calls of kernels in a step, in order.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.schedule.iter().filter_map(Stage::call)
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
