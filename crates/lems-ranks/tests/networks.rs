//! Random networks in the intermediate representation, run by one rank and by several.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use lems_ir::{
    Action, Ahead, Backend, Call, Comparison, Interpreter, Kernel, Level, Operation, Operator,
    Place, Program, Register, Routes, Scalar, Scheduled, Share, State, Statement, Target,
    make_step,
};
use lems_ranks::{Part, RankBackend, Ranks, threads};
use proptest::prelude::*;

const STEP: f64 = 0.1;
const STEPS: u64 = 40;

/// Handlers: one that only changes its instance, one that draws, one that sends an event at once.
const PLAIN: u32 = 0;
const DRAWING: u32 = 1;
const RELAY: u32 = 2;

/// Columns of `count` slots: the potential, and what handlers leave, whose last bit shows their order.
fn column(number: u32, count: u32) -> Place {
    Place::Column {
        base: number * count,
        level: Level(0),
    }
}

fn real(register: u32, operation: Operation) -> Statement {
    Statement::Let(Register(register), operation)
}

fn kernel(name: &str, registers: u32, body: Vec<Statement>) -> Kernel {
    let mut registers = vec![Scalar::Real; registers as usize];
    // Register 0 is the condition.
    registers[0] = Scalar::Truth;
    Kernel {
        name: name.to_owned(),
        registers,
        body,
    }
}

/// `v' = 0.9 v + 0.01 h + 0.12`, and an event when it passes 1. With noise, a random number then moves `v`.
fn cell(count: u32, noise: bool) -> Kernel {
    use Operation::{Binary, Compare, Constant, Load, Random};
    let r = Register;
    let reset = match noise {
        true => Random(r(8)),
        false => Constant(0.0),
    };
    let body = vec![
        real(1, Load(column(0, count))),
        real(2, Constant(0.9)),
        real(1, Binary(Operator::Multiply, r(1), r(2))),
        real(3, Load(column(1, count))),
        real(4, Constant(0.01)),
        real(3, Binary(Operator::Multiply, r(3), r(4))),
        real(1, Binary(Operator::Add, r(1), r(3))),
        real(5, Constant(0.12)),
        real(1, Binary(Operator::Add, r(1), r(5))),
        real(6, Constant(1.0)),
        Statement::Let(r(0), Compare(Comparison::Greater, r(1), r(6))),
        Statement::If {
            condition: r(0),
            then: vec![
                real(8, Constant(0.5)),
                real(7, reset),
                Statement::Store(column(0, count), r(7)),
                Statement::Emit {
                    port: 0,
                    level: Level(0),
                },
            ],
            otherwise: vec![Statement::Store(column(0, count), r(1))],
        },
    ];
    kernel("cell", 9, body)
}

/// `v += 0.3` (times a random number, if it draws); `h = 0.999 h + v`.
fn handler(count: u32, which: u32) -> Kernel {
    use Operation::{Binary, Constant, Load, Random};
    let r = Register;
    let mut body = vec![
        real(1, Constant(0.3)),
        real(2, Load(column(0, count))),
        real(3, Load(column(1, count))),
        real(4, Constant(0.999)),
    ];
    if which == DRAWING {
        body.push(real(1, Random(r(1))));
    }
    body.extend([
        real(2, Binary(Operator::Add, r(2), r(1))),
        real(3, Binary(Operator::Multiply, r(3), r(4))),
        real(3, Binary(Operator::Add, r(3), r(2))),
        Statement::Store(column(0, count), r(2)),
        Statement::Store(column(1, count), r(3)),
    ]);
    if which == RELAY {
        body.push(Statement::Emit {
            port: count,
            level: Level(0),
        });
    }
    kernel(["plain", "drawing", "relay"][which as usize], 5, body)
}

#[derive(Debug, Clone)]
struct Network {
    count: u32,
    /// Where noisy cells begin and end.
    noisy: (u32, u32),
    /// Sender, handler, receiver, delay in tenths of a step.
    connections: Vec<(u32, u32, u32, u32)>,
    recorded: Vec<u32>,
}

impl Network {
    fn program(&self) -> Program {
        let count = self.count;
        let mut routes = Vec::new();
        for &(sender, handler, receiver, delay) in &self.connections {
            // Relays send to later instances only, and nothing that sends on, so that no event goes round.
            let (source, handler) = match sender < count {
                true => (sender, handler),
                false => (count + sender % count, handler.min(DRAWING)),
            };
            let action = Action::Handle {
                handler,
                instance: receiver % count,
            };
            let delay = f64::from(delay) * STEP / 10.0;
            routes.push((source, Target { action, delay }));
        }
        for (selection, source) in (0..).zip(&self.recorded) {
            let action = Action::Record { selection };
            routes.push((source % (2 * count), Target { action, delay: 0.0 }));
        }
        let (first, last) = (self.noisy.0.min(count), self.noisy.1.min(count));
        let (first, last) = (first.min(last), last);
        let call = |kernel, first, last| {
            Scheduled::Call(Call {
                kernel,
                first,
                last,
            })
        };
        let start = |slot: u32| f64::from(slot * 37 % 101) / 101.0;
        Program {
            kernels: vec![cell(count, false), cell(count, true)],
            handlers: (0..3).map(|which| handler(count, which)).collect(),
            schedule: vec![
                call(0, 0, first),
                call(1, first, last),
                call(0, last, count),
            ],
            routes: Routes::new(2 * count, &routes),
            memory: (0..2 * count).map(start).collect(),
            ..Program::default()
        }
    }
}

fn networks(handlers: u32) -> impl Strategy<Value = Network> {
    let delay = prop_oneof![Just(0), Just(0), Just(10), Just(13), Just(25), 0..40_u32];
    networks_with(handlers, delay.boxed())
}

/// Networks whose connections have delays in tenths of a step.
fn networks_with(handlers: u32, delay: BoxedStrategy<u32>) -> impl Strategy<Value = Network> {
    (2..20_u32).prop_flat_map(move |count| {
        let sender = prop_oneof![9 => 0..count, 1 => count..2 * count];
        let connection = (sender, 0..handlers, 0..count, delay.clone());
        (
            Just(count),
            (0..=count, 0..=count),
            prop::collection::vec(connection, 0..60),
            prop::collection::vec(0..2 * count, 0..6),
        )
            .prop_map(|(count, noisy, connections, recorded)| Network {
                count,
                noisy,
                connections,
                recorded,
            })
    })
}

/// All that shows of a run: events and the recorded values of each step, and what is left at the end.
#[derive(Debug, PartialEq, Default)]
struct Course {
    events: Vec<Vec<u32>>,
    values: Vec<Vec<u64>>,
    memory: Vec<Option<u64>>,
    random: u64,
    waiting: Vec<(u64, Action)>,
}

impl Course {
    fn note(&mut self, state: &mut State, slots: &[u32]) {
        self.events.push(std::mem::take(&mut state.recorded));
        let value = |slot: &u32| state.memory[*slot as usize].to_bits();
        self.values.push(slots.iter().map(value).collect());
    }

    /// Notes what a rank has at the end, or all of it.
    fn end(&mut self, state: &State, share: Option<&dyn Share>) {
        self.memory = (0..)
            .zip(&state.memory)
            .map(|(slot, value)| {
                let is_own = share.is_none_or(|share| !share.is_elsewhere(slot));
                is_own.then_some(value.to_bits())
            })
            .collect();
        self.random = state.random.state();
        let events = state.queue.in_order().into_iter();
        self.waiting = events
            .filter(|event| share.is_none_or(|share| share.has(event.action)))
            .map(|event| (event.time.to_bits(), event.action))
            .collect();
        self.sort();
    }

    /// The order of events of equal time is that of each receiver.
    fn sort(&mut self) {
        self.waiting.sort_by_key(|(time, action)| match action {
            Action::Handle { instance, .. } => (*time, *instance),
            Action::Record { .. } => (*time, u32::MAX),
        });
    }

    /// Adds what another rank has at the end.
    fn add(&mut self, other: Course) {
        assert_eq!(self.random, other.random);
        for (slot, other) in self.memory.iter_mut().zip(other.memory) {
            if let (Some(one), Some(other)) = (&slot, other) {
                assert_eq!(*one, other, "nobody stores it");
            }
            *slot = slot.or(other);
        }
        self.waiting.extend(other.waiting);
        self.sort();
    }
}

struct Shared(Arc<Program>);

impl Backend for Shared {
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        Interpreter::new(&self.0).advance(state, call, time, step);
    }

    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        Interpreter::new(&self.0).handle(state, handler, instances);
    }
}

fn alone(program: &Program, slots: &[u32]) -> Course {
    let mut state = State::new(program, 42);
    let mut course = Course::default();
    let mut time = 0.0;
    for _ in 0..STEPS {
        time += STEP;
        make_step(program, &Interpreter::new(program), &mut state, time, STEP);
        course.note(&mut state, slots);
    }
    course.end(&state, None);
    assert_eq!(state.fault, None);
    course
}

/// A run by ranks whose state is looked at after so many steps each time, if the ranks are told so.
fn by_ranks(
    program: &Program,
    slots: &[u32],
    size: usize,
    looks: Option<u64>,
) -> (Course, Option<String>) {
    let rank = |ranks: Ranks| {
        let part = Part::new(program, slots.iter().copied(), ranks.rank(), size, None);
        let complaint = part.complaint().map(str::to_owned);
        let inner = Arc::new(Shared(Arc::clone(part.program())));
        let backend = RankBackend::new(inner, part, ranks.clone());
        let mut state = State::new(program, 42);
        let mut course = Course::default();
        let mut time = 0.0;
        for done in 0..STEPS {
            if let Some(looks) = looks.filter(|looks| done.is_multiple_of(*looks)) {
                backend.expect(Ahead {
                    done,
                    until: (done + looks).min(STEPS),
                    every: 1,
                });
            }
            assert_eq!(backend.steps(&mut state, &mut time, STEP, 1), 1);
            assert_eq!(state.fault, None);
            course.note(&mut state, slots);
        }
        let share = backend.share().unwrap();
        course.end(&state, Some(share));
        let not_a_number = [None, Some(9), Some(4)][ranks.rank().min(2)];
        let first = [None, Some(9), Some(4)][(size - 1).min(2)];
        assert_eq!(share.end(not_a_number), Ok(first));
        ranks.leave(None);
        (course, complaint)
    };
    std::thread::scope(|scope| {
        let all = threads(size).into_iter().map(Ranks::new);
        let running: Vec<_> = all.map(|ranks| scope.spawn(|| rank(ranks))).collect();
        let mut courses = running.into_iter().map(|thread| thread.join().unwrap());
        let (mut course, complaint) = courses.next().unwrap();
        courses.for_each(|(other, _)| course.add(other));
        (course, complaint)
    })
}

fn same(network: &Network, size: usize, looks: Option<u64>) -> Result<(), TestCaseError> {
    let program = network.program();
    let slots: Vec<u32> = (0..network.count).step_by(3).collect();
    let (shared, _) = by_ranks(&program, &slots, size, looks);
    prop_assert_eq!(shared, alone(&program, &slots));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn ranks_make_the_same_run_as_one(network in networks(1), size in 1..9_usize) {
        same(&network, size, None)?;
    }

    #[test]
    fn handlers_that_draw_or_send_keep_their_turn(network in networks(3), size in 2..6_usize) {
        same(&network, size, None)?;
    }

    #[test]
    fn ranks_need_one_exchange_for_the_steps_of_the_least_delay(
        network in networks_with(3, prop_oneof![Just(30), Just(60), 25..90_u32].boxed()),
        size in 1..9_usize,
        looks in 1..14_u64,
        is_noisy in prop::bool::weighted(0.2),
    ) {
        let noisy = if is_noisy { network.noisy } else { (0, 0) };
        same(&Network { noisy, ..network }, size, Some(looks))?;
    }
}

/// The relay gets a delayed event, and sends one at once to a handler that draws.
#[test]
fn an_event_of_the_queue_may_lead_to_a_draw_through_a_relay() {
    let network = Network {
        count: 3,
        noisy: (0, 0),
        connections: vec![(0, RELAY, 0, 10), (3, DRAWING, 0, 0)],
        recorded: Vec::new(),
    };
    let program = network.program();
    assert_eq!(by_ranks(&program, &[0], 2, None).0, alone(&program, &[0]));
}

#[test]
fn instances_that_only_send_events_are_cut_and_others_are_not() {
    let network = |handler| Network {
        count: 12,
        noisy: (3, 9),
        connections: (0..12)
            .map(|sender| (sender, handler, sender + 1, 0))
            .collect(),
        recorded: vec![0, 5, 11],
    };
    let cut = |handler| by_ranks(&network(handler).program(), &[0], 4, None).1;
    assert_eq!(cut(PLAIN), None);
    let complaint = cut(DRAWING).unwrap();
    assert!(
        complaint.starts_with("1 of 4 ranks has") && complaint.contains("`drawing`"),
        "{complaint}"
    );
}

/// Some cells send themselves too many events when they fire; events to others have a delay of six steps.
#[test]
fn a_fault_in_a_window_is_the_first_of_all_ranks_and_in_its_step() {
    let limited = |program: &Program| {
        let mut state = State::new(program, 42);
        state.deliveries.limit = 4;
        state
    };
    for overloaded in [&[0, 5][..], &[0], &[5], &[1, 2, 3]] {
        let own = overloaded
            .iter()
            .flat_map(|cell| [(*cell, PLAIN, *cell, 0); 5]);
        let others = (0..6).map(|cell| (cell, PLAIN, cell + 1, 60));
        let network = Network {
            count: 6,
            noisy: (0, 0),
            connections: own.chain(others).collect(),
            recorded: Vec::new(),
        };
        let program = network.program();
        let mut state = limited(&program);
        let (mut time, mut steps) = (0.0, 0);
        while state.fault.is_none() {
            steps += 1;
            time += STEP;
            make_step(
                &program,
                &Interpreter::new(&program),
                &mut state,
                time,
                STEP,
            );
        }
        let alone = (steps, state.fault);
        assert!(steps > 1, "{alone:?}");
        let rank = |ranks: Ranks| {
            let part = Part::new(&program, [], ranks.rank(), 3, None);
            let inner = Arc::new(Shared(Arc::clone(part.program())));
            let backend = RankBackend::new(inner, part, ranks.clone());
            let mut state = limited(&program);
            backend.expect(Ahead {
                done: 0,
                until: STEPS,
                every: 0,
            });
            let (mut time, mut steps) = (0.0, 0);
            while state.fault.is_none() {
                steps += backend.steps(&mut state, &mut time, STEP, 1);
            }
            ranks.leave(None);
            (steps, state.fault)
        };
        std::thread::scope(|scope| {
            let all = threads(3).into_iter().map(Ranks::new);
            let running: Vec<_> = all.map(|ranks| scope.spawn(|| rank(ranks))).collect();
            for thread in running {
                assert_eq!(thread.join().unwrap(), alone, "{overloaded:?}");
            }
        });
    }
}
