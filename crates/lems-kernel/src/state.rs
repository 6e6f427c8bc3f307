//! Everything that changes while a model runs, and how events travel.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use lems_math::JavaRandom;

use crate::{Action, Call, Program};

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
    },
    /// More events on their way than allowed.
    #[error("more than {limit} events are on their way at t = {time} s")]
    TooManyEvents {
        /// How many may be.
        limit: usize,
        /// Time of the step, in seconds.
        time: f64,
    },
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
    /// The generator behind `random()`.
    pub random: JavaRandom,
    /// Event selections that fired since the engine last looked, in order.
    pub recorded: Vec<u32>,
    /// Random draws and events sent so far; tells whether a pass had effects beyond memory.
    pub effects: u64,
    /// How many handlers are running inside one another.
    pub depth: u32,
    /// Set when the run cannot go on.
    pub fault: Option<Fault>,
}

impl State {
    /// The state of a program before its initial passes.
    pub fn new(program: &Program, seed: i64) -> State {
        State {
            memory: program.memory.clone(),
            now: 0.0,
            queue: EventQueue::default(),
            random: JavaRandom::new(seed),
            recorded: Vec::new(),
            effects: 0,
            depth: 0,
            fault: None,
        }
    }

    /// The next number of the generator, counted as an effect.
    pub fn draw(&mut self) -> f64 {
        self.effects += 1;
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
}

/// An event on its way to a receiver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueuedEvent {
    /// Delivered at the start of the first step that ends at or after this time, in seconds.
    pub time: f64,
    /// Order among events of equal time.
    pub number: u64,
    /// What happens then.
    pub action: Action,
}

impl Eq for QueuedEvent {}

impl Ord for QueuedEvent {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time.total_cmp(&self.time)).then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for QueuedEvent {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Delayed events, earliest first, those of equal time in the order in which they were sent.
#[derive(Debug, Clone)]
pub struct EventQueue {
    /// Most events on their way; the run ends before there are more.
    pub limit: usize,
    heap: BinaryHeap<QueuedEvent>,
    sent: u64,
}

impl Default for EventQueue {
    fn default() -> Self {
        EventQueue {
            limit: usize::MAX,
            heap: BinaryHeap::new(),
            sent: 0,
        }
    }
}

impl EventQueue {
    /// A queue of events on their way after `sent` were sent.
    pub fn of(events: Vec<QueuedEvent>, sent: u64) -> EventQueue {
        EventQueue {
            heap: events.into(),
            sent,
            ..EventQueue::default()
        }
    }

    /// The events on their way, in no order.
    pub fn events(&self) -> impl Iterator<Item = &QueuedEvent> {
        self.heap.iter()
    }

    /// Puts an event in the queue.
    pub fn push(&mut self, time: f64, action: Action) {
        self.heap.push(QueuedEvent {
            time,
            number: self.sent,
            action,
        });
        self.sent += 1;
    }

    /// Takes the earliest event if it is due at `time` and was sent before number `end`.
    pub fn pop_due(&mut self, time: f64, end: u64) -> Option<QueuedEvent> {
        match self.heap.peek() {
            Some(event) if event.time <= time && event.number < end => self.heap.pop(),
            _ => None,
        }
    }

    /// When the next event is due, in seconds.
    pub fn next_due(&self) -> Option<f64> {
        self.heap.peek().map(|event| event.time)
    }

    /// Number of events sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Number of events on their way.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether no event is on its way.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

/// Sends an event of `source`: receivers without a delay run now, depth first, in the order of
/// their connections; those with one are put in the queue.
pub fn emit(program: &Program, backend: &dyn Backend, state: &mut State, source: u32) {
    let receivers = || program.routes.receivers(source);
    if receivers().next().is_none() {
        return;
    }
    state.effects += 1;
    if state.depth >= MAX_RELAY_DEPTH {
        state
            .fault
            .get_or_insert(Fault::EndlessRelay { time: state.now });
    }
    if state.fault.is_some() {
        return;
    }
    state.depth += 1;
    for group in receivers().filter(|group| group.delay <= 0.0) {
        match group.handler {
            Some(handler) => backend.handle(state, handler, group.numbers),
            None => state.recorded.extend_from_slice(group.numbers),
        }
    }
    state.depth -= 1;
    for group in receivers().filter(|group| group.delay > 0.0) {
        for action in group.actions() {
            let limit = state.queue.limit;
            if state.queue.len() >= limit {
                let time = state.now;
                (state.fault).get_or_insert(Fault::TooManyEvents { limit, time });
                return;
            }
            state.queue.push(state.now + group.delay, action);
        }
    }
}

/// Delivers all events due in the step that ends at `time`, in seconds. Events that this sends
/// with a delay wait at least for the next step.
pub fn deliver_due(backend: &dyn Backend, state: &mut State, time: f64) {
    state.now = time;
    let end = state.queue.sent();
    while let Some(event) = state.queue.pop_due(time, end) {
        match event.action {
            Action::Handle { handler, instance } => backend.handle(state, handler, &[instance]),
            Action::Record { selection } => state.recorded.push(selection),
        }
    }
}
