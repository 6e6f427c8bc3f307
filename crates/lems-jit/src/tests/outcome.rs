//! What a run of a program leaves, for comparisons.

use lems_ir::{Backend, Call, Program, State, deliver_due};

/// Everything that a run leaves, in a form that can be compared.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) memory: Vec<u64>,
    pub(super) recorded: Vec<u32>,
    pub(super) random: u64,
    pub(super) queue: Vec<String>,
    pub(super) fault: Option<String>,
    pub(super) depth: u32,
}

fn bits(value: f64) -> u64 {
    if value.is_nan() {
        u64::MAX
    } else {
        value.to_bits()
    }
}

/// Runs the schedule three times.
pub(super) fn run(program: &Program, backend: &dyn Backend) -> Outcome {
    run_in_pieces(program, backend, u32::MAX)
}

/// The same, with calls for at most `most` instances.
pub(super) fn run_in_pieces(program: &Program, backend: &dyn Backend, most: u32) -> Outcome {
    let mut state = State::new(program, 42);
    let step = 0.25;
    for number in 1..=3 {
        let time = f64::from(number) * step;
        deliver_due(backend, &mut state, time, time);
        for call in program.calls() {
            let mut first = call.first;
            while first < call.last {
                let last = call.last.min(first.saturating_add(most));
                let kernel = call.kernel;
                let piece = Call {
                    kernel,
                    first,
                    last,
                };
                backend.advance(&mut state, piece, time, step);
                first = last;
            }
        }
    }
    let mut queue = Vec::new();
    for event in state.queue.take_due(f64::INFINITY) {
        queue.push(format!("{event:?}"));
    }
    Outcome {
        memory: state.memory.iter().copied().map(bits).collect(),
        recorded: state.recorded,
        random: state.random.state(),
        queue,
        fault: state.fault.map(|fault| fault.to_string()),
        depth: state.depth,
    }
}
