//! Everything that changes while a model runs, and how events travel.

use std::ops::Range;

use lems_math::JavaRandom;

use crate::{
    Action, CableScratch, Call, Deliveries, EventQueue, Program, Receivers, Scheduled, Solver,
    deliveries::Obstacle,
};

/// Longest chain of events that set each other off without a delay.
pub const MAX_RELAY_DEPTH: u32 = 1_000;

/// What stops a run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Events set each other off in a circle without a delay.
    #[error("events set each other off without end at t = {time} s")]
    EndlessRelay {
        /// Time of the step, in seconds.
        time: f64,
        /// Name of the handler that gets the last one.
        receiver: String,
    },
    /// More events without a delay in one step than allowed.
    #[error("more than {limit} events without a delay are delivered in one step, at t = {time} s")]
    TooManyDeliveries {
        /// How many may be.
        limit: u64,
        /// Time of the step, in seconds.
        time: f64,
        /// Name of the handler that gets the last one.
        receiver: String,
    },
    /// More events on their way than allowed.
    #[error("more than {limit} events are on their way at t = {time} s")]
    TooManyEvents {
        /// How many may be.
        limit: usize,
        /// Time of the step, in seconds.
        time: f64,
        /// Name of the handler that gets the last one.
        receiver: String,
    },
    /// Another rank of the run has left, so that the run cannot go on.
    #[error("{message}")]
    Disconnected {
        /// Which one, and why.
        message: String,
    },
    /// The run was ended while a step delivered events without an end.
    #[error("the run was ended while events were delivered at t = {time} s")]
    Ended {
        /// Time of the step, in seconds.
        time: f64,
    },
}

impl Fault {
    /// Name of the handler that gets the last event, if it is about one.
    pub fn receiver(&self) -> Option<&str> {
        match self {
            Fault::EndlessRelay { receiver, .. }
            | Fault::TooManyDeliveries { receiver, .. }
            | Fault::TooManyEvents { receiver, .. } => Some(receiver),
            Fault::Ended { .. } | Fault::Disconnected { .. } => None,
        }
    }
}

/// The changing part of a running model.
#[derive(Debug, Clone)]
pub struct State {
    /// All variables of all instances, in columns, in SI units.
    pub memory: Vec<f64>,
    /// Time that delayed events are counted from: end of the last step, in seconds.
    pub now: f64,
    /// Events on their way.
    pub queue: EventQueue,
    /// Events without a delay in the current step.
    pub deliveries: Deliveries,
    /// The generator behind `random()`.
    pub random: JavaRandom,
    /// Event selections that have fired since the engine last read this list, in order.
    pub recorded: Vec<u32>,
    /// Random draws and events sent so far. If it changes, a pass had effects other than on memory.
    pub effects: u64,
    /// Random draws so far, those of initial passes included.
    pub draws: u64,
    /// How many handlers are running inside one another.
    pub depth: u32,
    /// Set when the run cannot continue.
    pub fault: Option<Fault>,
    /// Room for solving cables; nothing in it outlives a step.
    pub scratch: CableScratch,
}

/// A copy of values that takes no memory where they are zero for long.
pub fn sparse_copy(values: &[f64]) -> Vec<f64> {
    const CHUNK: usize = 512;
    let mut copy = vec![0.0; values.len()];
    for (to, from) in copy.chunks_mut(CHUNK).zip(values.chunks(CHUNK)) {
        if from.iter().any(|value| value.to_bits() != 0) {
            to.copy_from_slice(from);
        }
    }
    copy
}

impl State {
    /// The state of a program before its initial passes.
    pub fn new(program: &Program, seed: i64) -> State {
        State {
            memory: sparse_copy(&program.memory),
            now: 0.0,
            queue: EventQueue::default(),
            deliveries: Deliveries::default(),
            random: JavaRandom::new(seed),
            recorded: Vec::new(),
            effects: 0,
            draws: 0,
            depth: 0,
            fault: None,
            scratch: CableScratch::default(),
        }
    }

    /// The next number of the generator, counted as an effect.
    pub fn draw(&mut self) -> f64 {
        self.effects += 1;
        self.draws += 1;
        self.random.next_double()
    }
}

/// Runs kernels on a state.
pub trait Backend {
    /// Runs a step kernel for its range: `time` is the end of the step, `step` its length, in
    /// seconds.
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64);
    /// Runs an event handler for instances, one after the other.
    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]);
    /// Makes up to `most` steps from `time` on, which it moves, all in seconds; stops where an event
    /// is due or has been recorded, put in the queue, or gone wrong. Returns how many it made: none
    /// if it can only advance call by call.
    fn steps(&self, _state: &mut State, _time: &mut f64, _step: f64, _most: u64) -> u64 {
        0
    }
    /// Advances the potentials of a range of cables by the step that ends at `time`, both in seconds.
    fn solve(
        &self,
        program: &Program,
        state: &mut State,
        solver: Solver,
        cables: &Range<u32>,
        (time, step): (f64, f64),
    ) {
        let first = solver.begins_apart(time, step);
        let State {
            memory, scratch, ..
        } = state;
        for cable in program.cables_in(cables) {
            let value = |slot: u32| memory[slot as usize];
            let changes = match first {
                true => cable.first_changes(value, step, scratch),
                false => cable.changes(value, solver, step, scratch),
            };
            cable.apply(changes, memory);
        }
    }
    /// Says which steps follow. Until they are made, only recorded values and events are looked at.
    fn expect(&self, _ahead: Ahead) {}
    /// What of the run this back end makes, if others make the rest.
    fn share(&self) -> Option<&dyn Share> {
        None
    }
}

/// The steps that a run makes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Steps done so far.
    pub done: u64,
    /// Steps done when the whole state is looked at again.
    pub until: u64,
    /// Steps from one recorded row to the next; zero if none are recorded.
    pub every: u64,
}

/// What one of several ranks has of a run that they make together.
pub trait Share {
    /// The slots that this rank stores while it makes steps, in ascending ranges.
    fn slots(&self) -> &[Range<u32>];
    /// Whether another rank stores a slot, so that its value is not known here.
    fn is_elsewhere(&self, slot: u32) -> bool;
    /// Whether this rank makes what an event of the queue does.
    fn has(&self, action: Action) -> bool;
    /// Ends the run, on all ranks. Each passes the first of the slots that it knows and that is not a number. Returns the
    /// first of all.
    ///
    /// # Errors
    /// A rank has ended.
    fn end(&self, not_a_number: Option<u32>) -> Result<Option<u32>, Fault>;
}

/// Sends an event of `source`: receivers without a delay run now, depth first, in the order of
/// their connections; those with one are put in the queue.
pub fn emit(program: &Program, backend: &dyn Backend, state: &mut State, source: u32) {
    let receivers = || program.routes.receivers(source);
    if receivers().next().is_none() {
        return;
    }
    state.effects += 1;
    let time = state.now;
    if state.depth >= MAX_RELAY_DEPTH && state.fault.is_none() {
        let receiver = name_of_first(program, receivers());
        state.fault = Some(Fault::EndlessRelay { time, receiver });
    }
    state.depth += 1;
    for group in receivers().filter(Receivers::at_once) {
        if let Some(obstacle) = state.deliveries.add(group.numbers.len() as u64) {
            let receiver = || name_of_first(program, [group]);
            state.fault.get_or_insert_with(|| match obstacle {
                Obstacle::Limit(limit) => Fault::TooManyDeliveries {
                    limit,
                    time,
                    receiver: receiver(),
                },
                Obstacle::End => Fault::Ended { time },
            });
        }
        if state.fault.is_some() {
            break;
        }
        match group.handler {
            Some(handler) => backend.handle(state, handler, group.numbers),
            None => state.recorded.extend_from_slice(group.numbers),
        }
    }
    state.depth -= 1;
    for group in receivers().filter(|group| !group.at_once()) {
        let limit = state.queue.limit;
        if group.numbers.len() > limit.saturating_sub(state.queue.len()) {
            let receiver = || name_of_first(program, [group]);
            state.fault.get_or_insert_with(|| Fault::TooManyEvents {
                limit,
                time,
                receiver: receiver(),
            });
        }
        if state.fault.is_some() {
            return;
        }
        (state.queue).push(state.now + group.delay, group.actions());
    }
}

/// Name of the first handler of some receivers; empty if they only record.
fn name_of_first<'r>(
    program: &Program,
    receivers: impl IntoIterator<Item = Receivers<'r>>,
) -> String {
    let mut handlers = receivers.into_iter().filter_map(|group| group.handler);
    let kernel = handlers
        .next()
        .and_then(|first| program.handlers.get(first as usize));
    kernel.map(|kernel| kernel.name.clone()).unwrap_or_default()
}

/// Delivers all events that are due until `due` in the step that ends at `time`, both in seconds. Events
/// that this sends with a delay wait at least for the next step.
pub fn deliver_due(backend: &dyn Backend, state: &mut State, time: f64, due: f64) {
    state.now = time;
    state.deliveries.begin_step();
    let due = state.queue.take_due(due);
    let mut instances = Vec::new();
    let mut events = due.iter().map(|event| event.action).peekable();
    while let Some(action) = events.next() {
        match action {
            Action::Handle { handler, instance } => {
                instances.clear();
                instances.push(instance);
                while let Some(Action::Handle { instance, .. }) = events.next_if(
                    |next| matches!(next, Action::Handle { handler: of, .. } if *of == handler),
                ) {
                    instances.push(instance);
                }
                backend.handle(state, handler, &instances);
            }
            Action::Record { selection } => state.recorded.push(selection),
        }
    }
    state.queue.reuse(due);
}

/// Makes one step, which ends at `time`, in seconds.
pub fn make_step(
    program: &Program,
    backend: &dyn Backend,
    state: &mut State,
    time: f64,
    step: f64,
) {
    deliver_due(backend, state, time, program.due(time, step));
    for scheduled in &program.schedule {
        run_scheduled(program, backend, state, scheduled, time, step);
    }
}

/// Makes a part of the step that ends at `time`, in seconds.
pub fn run_scheduled(
    program: &Program,
    backend: &dyn Backend,
    state: &mut State,
    scheduled: &Scheduled,
    time: f64,
    step: f64,
) {
    match scheduled {
        Scheduled::Call(call) => backend.advance(state, *call, time, step),
        Scheduled::Midway(call) => backend.advance(state, *call, time - step / 2.0, step),
        Scheduled::Solve(solver, cables) => {
            backend.solve(program, state, *solver, cables, (time, step));
        }
    }
}
