//! Values at the edge, and the machine code itself. `tests/ir` has a file for each kind of statement.

use lems_ir::{
    Action, Backend, Comparison, Function, Kernel, Level, Operation, Operator, Place, Program,
    Register, Routes, Scalar, State, Statement, Target,
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
