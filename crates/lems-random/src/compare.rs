//! Runs a model with both back ends, step by step.

use std::num::NonZeroUsize;

use jlems::{Failure, Options, load, prepare, read_model};
use lems_document::MemorySources;
use lems_engine::Simulation;
use lems_ir::{Backend, Interpreter, State, make_step};
use lems_jit::CompiledProgram;
use lems_optimise::{Independence, block_kernel, independence};

use crate::RandomModel;

/// Number of instances from which a call runs in blocks.
const TOGETHER: u32 = 4;

/// Why a model fails the test.
#[derive(Debug, thiserror::Error)]
pub enum Difference {
    /// The engine refuses the model.
    #[error("refused: {0}")]
    Refused(String),
    /// A variable has different bits.
    #[error("step {step}: {variable} is {interpreter:e} (interpreter) and {compiled:e} (compiled)")]
    Value {
        /// Number of the step; 0 for the set-up.
        step: usize,
        /// Name of the column, and index in it.
        variable: String,
        /// Its value from the interpreter.
        interpreter: f64,
        /// Its value from machine code.
        compiled: f64,
    },
    /// A run with a break has other outputs.
    #[error("with a break after {middle} steps the outputs are others")]
    Halves {
        /// Number of steps before the break.
        middle: u64,
    },
    /// A run by several ranks has other outputs.
    #[error("by {size} ranks the outputs are others")]
    Ranks {
        /// Number of ranks.
        size: usize,
    },
    /// Several ranks could not save a run that one rank makes.
    #[error("a run by {size} ranks could not be saved")]
    Unsaved {
        /// Number of ranks.
        size: usize,
    },
    /// Events, random draws or faults differ.
    #[error("step {step}: different {what}")]
    Effects {
        /// Number of the step.
        step: usize,
        /// Which effects.
        what: &'static str,
    },
}

/// Statistics of a model that passed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passed {
    /// Number of variables that were compared.
    pub variables: usize,
    /// Recorded events.
    pub events: usize,
    /// Number of instances.
    pub instances: usize,
    /// Number of kernels.
    pub kernels: usize,
    /// Number of kernels that machine code runs for several instances together.
    pub together: usize,
    /// Number of these kernels in which an event can require an instance to be rolled back.
    pub interfering: usize,
    /// Whether some variable was not finite at the end.
    pub not_finite: bool,
}

/// Runs `model` with the interpreter and as machine code, and compares the whole memory (the bits of
/// every variable), the recorded events, the random numbers and the event queue after each step.
///
/// # Errors
/// The first difference, or the engine's refusal.
pub fn back_ends(model: &RandomModel) -> Result<Passed, Difference> {
    let refused = |failure: Failure| Difference::Refused(failure.render(false));
    let sources = MemorySources::from([("model.xml", model.text.as_str())]);
    let options = Options {
        method: model.method,
        ..Options::default()
    };
    let document = load("model.xml", &sources, &options).map_err(refused)?;
    let types = read_model(&document).map_err(refused)?;
    let mut passed = Passed::default();
    for simulation in prepare(&document, &types, &options).map_err(refused)? {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let compiled = CompiledProgram::with_threads(&simulation.program, threads);
        let compiled = compiled.map_err(|error| Difference::Refused(error.to_string()))?;
        passed = side_by_side(model, &simulation, &compiled)?;
    }
    Ok(passed)
}

/// Runs both back ends, and compares their states after each step.
fn side_by_side(
    model: &RandomModel,
    simulation: &Simulation,
    compiled: &dyn Backend,
) -> Result<Passed, Difference> {
    let program = &simulation.program;
    let interpreter = Interpreter::new(program);
    let backends: [&dyn Backend; 2] = [&interpreter, compiled];
    let mut start = State::new(program, 1234);
    interpreter.run_setup(&mut start);
    // Make the steps.
    let mut states = [start.clone(), start];
    let step = model.timing.step as f64 * 1e-6;
    let mut time = 0.0;
    let mut events = 0;
    for number in 1..=model.timing.steps {
        time = (program.clock).end_of_step(number as u64 - 1, time, step);
        for (state, backend) in states.iter_mut().zip(backends) {
            make_step(program, backend, state, time, step);
        }
        compare(simulation, &states, number)?;
        for state in &mut states {
            events += state.recorded.len();
            state.recorded.clear();
        }
    }
    let [state, _] = states;
    // Count the kernels that run in blocks.
    let independent: Vec<Independence> = (0..)
        .zip(&program.kernels)
        .filter(|(number, _)| {
            let mut calls = program.calls();
            calls.any(|call| call.kernel == *number && call.last - call.first >= TOGETHER)
        })
        .filter_map(|(number, kernel)| {
            let found = independence(program, number).ok()?;
            block_kernel(kernel, &found.ordered).ok().map(|_| found)
        })
        .collect();
    Ok(Passed {
        kernels: program.kernels.len(),
        together: independent.len(),
        interfering: (independent.iter())
            .filter(|found| found.interferes())
            .count(),
        variables: state.memory.len(),
        events: events / 2,
        instances: simulation.instances,
        not_finite: state.memory.iter().any(|value| !value.is_finite()),
    })
}

/// Compares two states: memory, events, random numbers, queue and fault.
fn compare(
    simulation: &Simulation,
    [left, right]: &[State; 2],
    step: usize,
) -> Result<(), Difference> {
    for (slot, (a, b)) in left.memory.iter().zip(&right.memory).enumerate() {
        if a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()) {
            return Err(Difference::Value {
                step,
                variable: name(simulation, slot),
                interpreter: *a,
                compiled: *b,
            });
        }
    }
    let draws = [left, right].map(|state| state.random.clone().next_double());
    let what = match () {
        () if left.recorded != right.recorded => "recorded events",
        () if draws[0].to_bits() != draws[1].to_bits() => "random numbers",
        () if (left.queue.len(), left.queue.sent()) != (right.queue.len(), right.queue.sent()) => {
            "event queues"
        }
        () if left.fault != right.fault => "faults",
        () => return Ok(()),
    };
    Err(Difference::Effects { step, what })
}

fn name(simulation: &Simulation, slot: usize) -> String {
    let column = (simulation.columns.iter())
        .rev()
        .find(|(first, _)| *first as usize <= slot);
    match column {
        Some((first, name)) => format!("{name}[{}]", slot - *first as usize),
        None => format!("slot {slot}"),
    }
}
