//! The compiled program as a back end.

use std::ops::Range;
use std::sync::Arc;

use lems_ir::{Backend, Call, Interpreter, Kernel, Program, Solver, State};

use crate::error::JitError;
use crate::held::Held;
use crate::machine::Machine;
use crate::plan::length::too_long;
use crate::run::cables::CableBatches;
use crate::run::compile::compile;
use crate::run::together::Together;

/// All kernels and handlers of a program as machine code.
pub struct CompiledProgram<'p> {
    machine: Machine<'p>,
    cables: CableBatches,
    together: Together,
}

impl<'p> CompiledProgram<'p> {
    /// Compiles the kernels and handlers of a program. Its set-up kernels are left to the interpreter, and
    /// so are kernels and handlers that are [`too_long`].
    ///
    /// # Errors
    ///
    /// If a kernel does not pass [`validate`](crate::validate), or Cranelift does not support the processor
    /// or the size of a kernel.
    pub fn compile(program: &'p Program) -> Result<Self, JitError> {
        Self::with_threads(program, 1)
    }

    /// The same, with steps of many instances on several threads. The number of threads does not change
    /// the results.
    ///
    /// # Errors
    ///
    /// As for [`compile`](Self::compile); also if the threads cannot be started.
    pub fn with_threads(program: &'p Program, threads: usize) -> Result<Self, JitError> {
        Self::without(too_long, program, threads)
    }

    /// The same, but the result also owns the program, so that it can be kept without a lifetime.
    ///
    /// # Errors
    ///
    /// As for [`with_threads`](Self::with_threads).
    pub fn shared(
        program: Arc<Program>,
        threads: usize,
    ) -> Result<CompiledProgram<'static>, JitError> {
        CompiledProgram::of(too_long, Held::Shared(program), threads)
    }

    /// The same, but kernels and handlers that are `interpreted` do not become machine code.
    pub(crate) fn without(
        interpreted: fn(&Kernel) -> bool,
        program: &'p Program,
        threads: usize,
    ) -> Result<Self, JitError> {
        Self::of(interpreted, Held::Borrowed(program), threads)
    }

    fn of(
        interpreted: fn(&Kernel) -> bool,
        program: Held<'p>,
        threads: usize,
    ) -> Result<Self, JitError> {
        let (machine, threads) = compile(interpreted, program, threads)?;
        let together = Together::new(threads, machine.blocks().map(|block| &block.plan))?;
        let cables = CableBatches::of(machine.program());
        Ok(CompiledProgram {
            machine,
            cables,
            together,
        })
    }
}

impl Backend for CompiledProgram<'_> {
    /// # Panics
    ///
    /// If the state belongs to another program, or the call goes beyond those of the schedule.
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        let machine = &self.machine;
        match machine.block_for(&call) {
            Some(block) => {
                (self.together).advance(machine, self, block, state, call, (time, step));
            }
            None => machine.advance(self, state, call, time, step),
        }
    }

    /// # Panics
    ///
    /// If the state belongs to another program, or no event of the program runs the handler for one of
    /// the instances.
    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        self.machine.handle(self, state, handler, instances);
    }

    /// # Panics
    ///
    /// If the state belongs to another program.
    fn solve(
        &self,
        program: &Program,
        state: &mut State,
        solver: Solver,
        cables: &Range<u32>,
        (time, step): (f64, f64),
    ) {
        match self.cables.in_range(cables) {
            Some(batches) if !solver.begins_apart(time, step) => {
                (self.together).solve(program, batches, &mut state.memory, (solver, step));
            }
            _ => Interpreter::new(program).solve(program, state, solver, cables, (time, step)),
        }
    }

    /// # Panics
    ///
    /// If the state belongs to another program.
    fn steps(&self, state: &mut State, time: &mut f64, step: f64, most: u64) -> u64 {
        self.machine.steps(self, state, time, step, most)
    }
}
