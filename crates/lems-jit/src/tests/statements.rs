//! One test for each kind of statement and operation, with its result known.

use lems_ir::{
    Action, Backend, Comparison, Edge, Fault, Function, Kernel, Level, Logic, Operation, Operator,
    Place, Program, Register, Routes, Scalar, Scheme, State, Statement, Target,
};

use proptest::prelude::*;

use super::{agree, kernel, load, program, set, store};
use crate::{CompiledProgram, Part, can_fuse, listing};

use Scalar::{Real, Truth};

const SPECIAL: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.5,
    5e-324,
    1e300,
    -1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    709.5,
    3.000_000_000_000_000_4,
];

fn slot(slot: u32) -> Place {
    Place::Slot(slot)
}

fn column(base: u32, level: u8) -> Place {
    Place::Column {
        base,
        level: Level(level),
    }
}

fn values(program: &Program) -> Vec<f64> {
    agree(program)
        .memory
        .into_iter()
        .map(f64::from_bits)
        .collect()
}

#[test]
fn constants_keep_their_bits() {
    for value in SPECIAL {
        let kernel = kernel(
            &[Real],
            vec![set(0, Operation::Constant(value)), store(slot(0), 0)],
        );
        let result = values(&program(kernel, 1, &[7.0]))[0];
        assert!(result.to_bits() == value.to_bits() || value.is_nan() && result.is_nan());
    }
}

#[test]
fn time_and_step() {
    let body = vec![
        set(0, Operation::Time),
        store(slot(0), 0),
        set(0, Operation::Step),
        store(slot(1), 0),
    ];
    assert_eq!(
        values(&program(kernel(&[Real], body), 1, &[0.0; 2])),
        [0.75, 0.25]
    );
}

#[test]
fn columns_are_addressed_by_instance() {
    let body = vec![
        load(0, column(1, 0)),
        load(1, slot(0)),
        set(
            2,
            Operation::Binary(Operator::Multiply, Register(0), Register(1)),
        ),
        store(column(4, 0), 2),
    ];
    let kernel = kernel(&[Real; 3], body);
    let memory = [10.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0];
    assert_eq!(
        values(&program(kernel, 3, &memory))[4..],
        [10.0, 20.0, 30.0]
    );
}

#[test]
fn linked_places_follow_the_table() {
    let linked = Place::Linked {
        table: 1,
        level: Level(0),
    };
    let body = vec![
        load(0, linked),
        store(column(3, 0), 0),
        set(0, Operation::Time),
        store(linked, 0),
    ];
    let mut program = program(kernel(&[Real], body), 2, &[5.0, 6.0, 7.0, 0.0, 0.0]);
    program.links = vec![9, 2, 0];
    program.schedule.truncate(1);
    assert_eq!(values(&program), [0.75, 6.0, 0.75, 0.5, 0.5]);
}

#[test]
fn every_function_of_every_special_value() {
    let functions = Function::ALL;
    let count = SPECIAL.len() as u32;
    let mut body = vec![load(0, column(0, 0))];
    for (function, number) in functions.into_iter().zip(1..) {
        body.push(set(1, Operation::Call(function, Register(0))));
        body.push(store(column(number * count, 0), 1));
    }
    let mut memory = SPECIAL.to_vec();
    memory.resize(SPECIAL.len() * (functions.len() + 1), 0.0);
    let results = values(&program(kernel(&[Real; 2], body), count, &memory));
    let of = |function: usize, argument: usize| results[(function + 1) * SPECIAL.len() + argument];
    assert_eq!(of(3, 2), lems_math::sinh(1.0));
    assert_eq!(of(6, 2), lems_math::exp(1.0));
    assert!(of(7, 0).is_nan() && of(7, 3).is_nan());
    assert!(of(8, 5).is_nan());
    assert_eq!(of(9, 4), 1.0);
    assert_eq!(of(10, 5), 2.5);
    assert_eq!(of(11, 1), 0.5);
}

#[test]
fn every_operator_and_comparison_of_every_pair_of_special_values() {
    let operators = [
        Operator::Add,
        Operator::Subtract,
        Operator::Multiply,
        Operator::Divide,
        Operator::Power,
    ];
    let comparisons = [
        Comparison::Less,
        Comparison::Greater,
        Comparison::LessOrEqual,
        Comparison::GreaterOrEqual,
        Comparison::Equal,
        Comparison::NotEqual,
    ];
    let count = (SPECIAL.len() * SPECIAL.len()) as u32;
    let (left, right, result, truth) = (Register(0), Register(1), Register(2), Register(3));
    let mut body = vec![load(0, column(0, 0)), load(1, column(count, 0))];
    let mut next = 2 * count;
    for operator in operators {
        body.push(set(2, Operation::Binary(operator, left, right)));
        body.push(store(column(next, 0), result.0));
        next += count;
    }
    for comparison in comparisons {
        body.push(set(3, Operation::Compare(comparison, left, right)));
        body.push(set(2, Operation::Select(truth, left, right)));
        body.push(store(column(next, 0), result.0));
        next += count;
    }
    let pairs = || SPECIAL.into_iter().flat_map(|a| SPECIAL.map(|b| (a, b)));
    let mut memory: Vec<f64> = pairs()
        .map(|(a, _)| a)
        .chain(pairs().map(|(_, b)| b))
        .collect();
    memory.resize(next as usize, 0.0);
    let results = values(&program(
        kernel(&[Real, Real, Real, Truth], body),
        count,
        &memory,
    ));
    for (number, (a, b)) in pairs().enumerate() {
        let less = results[7 * count as usize + number];
        let expected = if a < b { a } else { b };
        assert!(less.to_bits() == expected.to_bits() || expected.is_nan() && less.is_nan());
    }
}

#[test]
fn logic_and_alternatives() {
    let truth = |register, left, right| {
        set(
            register,
            Operation::Compare(Comparison::Less, Register(left), Register(right)),
        )
    };
    let choose = |condition: u32| Statement::If {
        condition: Register(condition),
        then: vec![set(0, Operation::Constant(1.0))],
        otherwise: vec![set(0, Operation::Constant(2.0))],
    };
    let mut body = vec![
        set(1, Operation::Constant(3.0)),
        set(2, Operation::Constant(4.0)),
        truth(3, 1, 2),
        truth(4, 2, 1),
    ];
    let operations = [
        Operation::Logic(Logic::And, Register(3), Register(4)),
        Operation::Logic(Logic::Or, Register(3), Register(4)),
        Operation::Not(Register(3)),
        Operation::Not(Register(4)),
        Operation::Copy(Register(3)),
    ];
    for (operation, number) in operations.into_iter().zip(0..) {
        body.extend([set(5, operation), choose(5), store(slot(number), 0)]);
    }
    let kernel = kernel(&[Real, Real, Real, Truth, Truth, Truth], body);
    assert_eq!(
        values(&program(kernel, 1, &[0.0; 5])),
        [2.0, 1.0, 2.0, 1.0, 1.0]
    );
}

#[test]
fn random_numbers_come_from_the_state() {
    let body = vec![
        set(0, Operation::Constant(2.0)),
        set(1, Operation::Random(Register(0))),
        store(column(0, 0), 1),
    ];
    let result = values(&program(kernel(&[Real; 2], body), 2, &[0.0; 2]));
    let mut generator = lems_math::JavaRandom::new(42);
    let draws: Vec<f64> = (0..6).map(|_| 2.0 * generator.next_double()).collect();
    assert_eq!(result, draws[4..]);
}

#[test]
fn attached_instances_are_summed_in_order() {
    let sum = |value: u32| {
        set(
            0,
            Operation::Binary(Operator::Add, Register(0), Register(value)),
        )
    };
    let body = vec![
        set(0, Operation::Constant(0.0)),
        Statement::ForAttached {
            offsets: 0,
            level: Level(1),
            body: vec![load(1, column(3, 1)), sum(1)],
        },
        store(column(0, 0), 0),
    ];
    let mut program = program(
        kernel(&[Real; 2], body),
        3,
        &[0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0],
    );
    program.links = vec![0, 3, 3, 4];
    assert_eq!(values(&program)[..3], [7.0, 0.0, 8.0]);
}

#[test]
fn runs_choose_their_body() {
    let arm = |base: u32, operator| {
        vec![
            load(1, column(base, 1)),
            set(0, Operation::Binary(operator, Register(0), Register(1))),
        ]
    };
    let body = vec![
        set(0, Operation::Constant(1.0)),
        Statement::ForRuns {
            offsets: 0,
            runs: 3,
            level: Level(1),
            arms: vec![arm(2, Operator::Add), arm(4, Operator::Multiply)],
        },
        store(column(0, 0), 0),
    ];
    let memory = [0.0, 0.0, 3.0, 5.0, 7.0, 11.0, 13.0];
    let mut program = program(kernel(&[Real; 2], body), 2, &memory);
    program.links = vec![0, 3, 4];
    program.links.extend([1, 0, 2, 0, 0, 1, 1, 2, 3, 0, 1, 2]);
    assert_eq!(values(&program)[..2], [(7.0 * 11.0 + 3.0) * 13.0, 6.0]);
}

#[test]
fn a_loop_that_runs_for_nobody_hands_on_nothing() {
    let body = vec![
        set(0, Operation::Constant(7.0)),
        Statement::ForAttached {
            offsets: 0,
            level: Level(1),
            body: vec![
                set(0, Operation::Copy(Register(0))),
                set(0, Operation::Step),
            ],
        },
        store(column(0, 0), 0),
    ];
    let mut program = program(kernel(&[Real], body), 3, &[0.0; 3]);
    program.links = vec![0, 0, 1, 3];
    let values = values(&program);
    assert_eq!(values[0], 7.0);
    assert_eq!(values[1], values[2]);
    assert_ne!(values[1], 7.0);
}

#[test]
fn events_run_handlers_before_the_next_statement() {
    let one = |register| set(register, Operation::Constant(1.0));
    let body = vec![
        Statement::Emit {
            port: 0,
            level: Level(0),
        },
        load(0, slot(2)),
        store(column(0, 0), 0),
    ];
    let mut program = program(kernel(&[Real], body), 2, &[0.0; 4]);
    program.handlers = vec![kernel(
        &[Real; 3],
        vec![
            load(0, column(2, 0)),
            one(1),
            set(
                2,
                Operation::Binary(Operator::Add, Register(0), Register(1)),
            ),
            store(column(2, 0), 2),
        ],
    )];
    let handle = |instance| Action::Handle {
        handler: 0,
        instance,
    };
    let record = Action::Record { selection: 9 };
    let target = |action, delay| Target { action, delay };
    program.routes = Routes::new(
        2,
        &[
            (0, target(handle(0), 0.0)),
            (0, target(record, 0.0)),
            (1, target(handle(0), -1.0)),
            (1, target(handle(1), 0.25)),
        ],
    );
    let outcome = agree(&program);
    let memory: Vec<f64> = outcome.memory.into_iter().map(f64::from_bits).collect();
    assert_eq!(memory, [5.0, 6.0, 6.0, 2.0]);
    assert_eq!(outcome.recorded, [9, 9, 9]);
    assert_eq!(outcome.queue.len(), 1);
}

#[test]
fn events_without_end_are_a_fault() {
    let emit = Statement::Emit {
        port: 0,
        level: Level(0),
    };
    let mut program = program(kernel(&[], vec![emit.clone()]), 1, &[]);
    program.handlers = vec![kernel(&[], vec![emit])];
    let action = Action::Handle {
        handler: 0,
        instance: 0,
    };
    program.routes = Routes::new(1, &[(0, Target { action, delay: 0.0 })]);
    let compiled = CompiledProgram::compile(&program).expect("sound");
    let mut state = State::new(&program, 0);
    compiled.advance(&mut state, *program.calls().next().unwrap(), 0.25, 0.25);
    let receiver = "test".to_owned();
    let fault = Fault::EndlessRelay {
        time: 0.0,
        receiver,
    };
    assert_eq!(state.fault, Some(fault));
    assert_eq!(state.depth, 0);
}

#[test]
fn sources_without_receivers_cost_no_call() {
    let emit = Statement::Emit {
        port: 0,
        level: Level(0),
    };
    let mut program = program(kernel(&[], vec![emit]), 2, &[]);
    let clif = |program: &Program| listing(program, Part::Kernel(0)).expect("sound").clif;
    assert!(!clif(&program).contains("call "));
    let target = Target {
        action: Action::Record { selection: 0 },
        delay: 0.0,
    };
    program.routes = Routes::new(2, &[(1, target)]);
    assert!(clif(&program).contains("call "));
    assert_eq!(agree(&program).recorded, [0, 0, 0]);
}

#[test]
fn schemes_are_propagated() {
    let body = vec![
        load(0, slot(0)),
        load(1, slot(1)),
        set(2, Operation::Constant(3.0)),
        set(3, Operation::Constant(1.0)),
        Statement::Propagate {
            scheme: 0,
            occupancies: vec![Register(0), Register(1)],
            rates: vec![(Register(2), Register(3))],
            results: vec![Register(1), Register(4)],
        },
        store(slot(0), 1),
        store(slot(1), 4),
    ];
    let mut program = program(kernel(&[Real; 5], body), 1, &[1.0, 0.0]);
    program.schemes = vec![Scheme::new(vec![Edge {
        source: 0,
        target: 1,
    }])];
    let result = values(&program);
    let exact = 0.25 + 0.75 * lems_math::exp(-4.0 * 0.75);
    assert!((result[0] - exact).abs() < 1e-12);
    assert!((result[0] + result[1] - 1.0).abs() < 1e-12);
}

#[test]
fn listings_show_both_stages() {
    let body = vec![
        load(0, column(0, 0)),
        set(0, Operation::Call(Function::Exp, Register(0))),
        store(column(0, 0), 0),
    ];
    let program = program(kernel(&[Real], body), 1, &[0.0]);
    let listing = listing(&program, Part::Kernel(0)).expect("sound");
    assert!(listing.clif.contains("load.f64"), "{}", listing.clif);
    assert!(listing.clif.contains("is exp"), "{}", listing.clif);
    assert!(!listing.disassembly.is_empty());
}

#[test]
fn nothing_to_do() {
    agree(&Program::default());
    agree(&program(kernel(&[], vec![]), 0, &[]));
}

#[test]
fn compiled_programs_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<CompiledProgram<'_>>();
}

#[test]
#[ignore = "reserves four gigabytes of addresses"]
fn columns_beyond_the_reach_of_a_displacement() {
    let far = 1 << 28;
    let body = vec![
        load(0, column(far - 1, 0)),
        store(column(far + 1, 0), 0),
        load(0, slot(far + 1)),
        store(slot(0), 0),
    ];
    let mut program = program(kernel(&[Real], body), 2, &[]);
    program.memory = vec![0.0; far as usize + 3];
    let compiled = CompiledProgram::compile(&program).expect("sound");
    let mut state = State::new(&Program::default(), 0);
    state.memory = vec![0.0; far as usize + 3];
    state.memory[far as usize - 1] = 5.0;
    state.memory[far as usize] = 6.0;
    compiled.advance(&mut state, *program.calls().next().unwrap(), 0.0, 0.0);
    assert_eq!(state.memory[far as usize + 1..], [5.0, 6.0]);
    assert_eq!(state.memory[0], 5.0);
}

proptest! {
    #[test]
    fn exponentials_side_by_side_have_the_bits_of_single_ones(
        values in prop::collection::vec(
            prop_oneof![
                -800.0..800.0_f64,
                -1.0..1.0_f64,
                -1e-8..1e-8_f64,
                any::<f64>(),
                prop::sample::select(vec![
                    0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN,
                    709.782712893384, 709.7827128933841, -745.1332191019411, -745.1332191019412,
                ]),
            ],
            2..24,
        )
    ) {
        let attached = Place::Column { base: 0, level: Level(1) };
        let body = vec![Statement::ForAttached {
            offsets: 0,
            level: Level(1),
            body: vec![
                load(0, attached),
                set(1, Operation::Call(Function::Exp, Register(0))),
                store(attached, 1),
            ],
        }];
        let mut program = program(kernel(&[Scalar::Real; 2], body), 1, &values);
        program.links = vec![0, values.len() as u32];
        let compiled = CompiledProgram::compile(&program).expect("sound");
        let mut state = State::new(&program, 1);
        compiled.advance(&mut state, *program.calls().next().unwrap(), 1.0, 1.0);
        for (value, result) in values.iter().zip(&state.memory) {
            let single = lems_math::exp(*value);
            let same = single.to_bits() == result.to_bits() || single.is_nan() && result.is_nan();
            prop_assert!(same, "exp({}) is {}, not {}", value, single, result);
        }
    }

    #[test]
    fn quotients_by_constants_are_those_of_divisions(
        values in prop::collection::vec(
            prop_oneof![
                -0.1..0.1_f64,
                any::<f64>(),
                prop::sample::select(vec![0.065, -0.065, 0.0, -0.0, f64::INFINITY, f64::MIN]),
            ],
            2..24,
        ),
        term in prop_oneof![Just(-0.065), -100.0..100.0_f64, any::<f64>()],
        divisor in prop_oneof![
            prop::sample::select(vec![0.01, -0.018, 0.33, 4.0, 0.0]),
            -100.0..100.0_f64,
            any::<f64>(),
        ],
    ) {
        let mut program = program(quotients(term, divisor), 1, &values);
        program.links = vec![0, values.len() as u32];
        agree(&program);
    }
}

/// Replaces attached values by `(value - term) / divisor`.
fn quotients(term: f64, divisor: f64) -> Kernel {
    let attached = column(0, 1);
    let body = vec![Statement::ForAttached {
        offsets: 0,
        level: Level(1),
        body: vec![
            load(0, attached),
            set(1, Operation::Constant(term)),
            set(
                2,
                Operation::Binary(Operator::Subtract, Register(0), Register(1)),
            ),
            set(3, Operation::Constant(divisor)),
            set(
                4,
                Operation::Binary(Operator::Divide, Register(2), Register(3)),
            ),
            store(attached, 4),
        ],
    }];
    kernel(&[Scalar::Real; 5], body)
}

#[test]
fn only_divisions_of_what_may_be_tiny_or_by_few_constants_remain() {
    let divisions = |term, divisor| {
        let mut program = program(quotients(term, divisor), 1, &[1.0; 4]);
        program.links = vec![0, 4];
        let clif = listing(&program, Part::Kernel(0)).expect("sound").clif;
        clif.matches("fdiv").count()
    };
    let replaced = if can_fuse() { 0 } else { 2 };
    assert_eq!(divisions(-0.065, 0.01), replaced);
    assert_eq!(divisions(0.0, 0.01), 2);
    assert_eq!(divisions(1e-300, 0.01), 2);
    assert_eq!(divisions(-0.065, 0.33), 2);
}
