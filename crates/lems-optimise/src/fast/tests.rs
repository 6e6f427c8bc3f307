//! Small programs before and after.

use super::*;
use lems_ir::Scheduled;
use lems_ir::{
    Action, Backend, Call, Function, Interpreter, Kernel, Level, Operation, Operator, Place,
    Register, Routes, Scalar, State, Statement, Target,
};

fn r(number: u32) -> Register {
    Register(number)
}

fn set(number: u32, operation: Operation) -> Statement {
    Statement::Let(r(number), operation)
}

fn column(base: u32, level: u8) -> Place {
    Place::Column {
        base,
        level: Level(level),
    }
}

/// Two hosts (columns 0: potential, 2: sum) with two and three attached instances (column 4) that
/// decay by `decay` of a state and get `jump` from an event.
fn program(decay: Operation, jump: Operation) -> Program {
    let body = vec![
        set(0, Operation::Constant(0.0)),
        set(1, Operation::Copy(r(0))),
        Statement::ForAttached {
            offsets: 0,
            level: Level(1),
            body: vec![
                set(2, Operation::Load(column(4, 1))),
                set(3, Operation::Load(column(0, 0))),
                set(4, Operation::Binary(Operator::Multiply, r(2), r(3))),
                set(5, Operation::Constant(0.25)),
                set(6, decay),
                Statement::Store(column(4, 1), r(6)),
                set(7, Operation::Binary(Operator::Add, r(1), r(4))),
                set(1, Operation::Copy(r(7))),
            ],
        },
        Statement::Store(column(2, 0), r(1)),
    ];
    let handler = vec![
        set(0, Operation::Load(column(4, 0))),
        set(1, Operation::Constant(2.0)),
        set(2, jump),
        Statement::Store(column(4, 0), r(2)),
    ];
    let kernel = |registers, body| Kernel {
        name: "test".to_owned(),
        registers: vec![Scalar::Real; registers],
        body,
    };
    let route = |instance| {
        let action = Action::Handle {
            handler: 0,
            instance,
        };
        (0, Target { action, delay: 0.0 })
    };
    Program {
        kernels: vec![kernel(8, body)],
        handlers: vec![kernel(3, handler)],
        schedule: vec![Scheduled::Call(Call {
            kernel: 0,
            first: 0,
            last: 2,
        })],
        links: vec![0, 2, 5],
        routes: Routes::new(1, &(0..5).map(route).collect::<Vec<_>>()),
        memory: vec![3.0, 5.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0],
        ..Program::default()
    }
}

fn decaying() -> Program {
    program(
        Operation::Binary(Operator::Multiply, r(2), r(5)),
        Operation::Binary(Operator::Add, r(0), r(1)),
    )
}

/// The sums of both hosts after a step, an event for every instance and another step.
fn sums(program: &Program) -> [f64; 2] {
    let interpreter = Interpreter::new(program);
    let mut state = State::new(program, 1);
    interpreter.run_setup(&mut state);
    for _ in 0..2 {
        interpreter.advance(&mut state, *program.calls().next().unwrap(), 1.0, 1.0);
        interpreter.handle(&mut state, 0, &[0, 1, 2, 3, 4]);
    }
    interpreter.advance(&mut state, *program.calls().next().unwrap(), 1.0, 1.0);
    [state.memory[2], state.memory[3]]
}

fn has_loop(program: &Program) -> bool {
    let body = &program.kernels[0].body;
    body.iter()
        .any(|statement| matches!(statement, Statement::ForAttached { .. }))
}

#[test]
fn linear_instances_become_one_per_host() {
    let before = decaying();
    let after = fast(before.clone(), &[Probe::Slot(2)], false);
    assert!(has_loop(&before) && !has_loop(&after));
    assert_eq!(sums(&after), sums(&before));
}

#[test]
fn what_is_not_linear_stays() {
    let square = Operation::Binary(Operator::Multiply, r(2), r(2));
    let constant = Operation::Binary(Operator::Add, r(2), r(5));
    let add = Operation::Binary(Operator::Add, r(0), r(1));
    for decay in [square, constant] {
        let before = program(decay, add);
        let after = fast(before.clone(), &[], false);
        assert!(has_loop(&after));
        assert_eq!(sums(&after), sums(&before));
    }
}

#[test]
fn events_that_do_more_than_add_keep_instances_apart() {
    let decay = Operation::Binary(Operator::Multiply, r(2), r(5));
    for jump in [Operator::Multiply, Operator::Subtract] {
        let before = program(decay, Operation::Binary(jump, r(0), r(1)));
        assert!(has_loop(&fast(before, &[], false)));
    }
}

#[test]
fn a_recorded_state_stays_where_it_is() {
    assert!(has_loop(&fast(decaying(), &[Probe::Slot(6)], false)));
}

fn one(body: Vec<Statement>) -> Kernel {
    Kernel {
        name: "test".to_owned(),
        registers: vec![Scalar::Real; 8],
        body,
    }
}

#[test]
fn powers_become_products_and_divisions_multiplications() {
    for exponent in 2..=8 {
        let mut kernel = one(vec![
            set(0, Operation::Load(column(0, 0))),
            set(1, Operation::Constant(f64::from(exponent))),
            set(2, Operation::Binary(Operator::Power, r(0), r(1))),
            set(3, Operation::Constant(8.0)),
            set(4, Operation::Binary(Operator::Divide, r(2), r(3))),
            Statement::Store(column(1, 0), r(4)),
        ]);
        cheaper::cheapen(&mut kernel);
        let slow = |operation: &Operation| {
            matches!(
                operation,
                Operation::Binary(Operator::Power | Operator::Divide, ..)
            )
        };
        assert!(
            kernel
                .body
                .iter()
                .all(|s| !matches!(s, Statement::Let(_, o) if slow(o)))
        );
        let program = Program {
            kernels: vec![kernel],
            schedule: vec![Scheduled::Call(Call {
                kernel: 0,
                first: 0,
                last: 1,
            })],
            memory: vec![3.0, 0.0],
            ..Program::default()
        };
        let mut state = State::new(&program, 1);
        Interpreter::new(&program).advance(&mut state, *program.calls().next().unwrap(), 1.0, 1.0);
        let power = (0..exponent).fold(1.0, |power, _| power * 3.0);
        assert_eq!(state.memory[1], power / 8.0);
    }
}

#[test]
fn only_a_product_that_is_used_once_is_fused() {
    let product = set(2, Operation::Binary(Operator::Multiply, r(0), r(1)));
    let sum = set(3, Operation::Binary(Operator::Add, r(2), r(0)));
    let start = [
        set(0, Operation::Load(column(0, 0))),
        set(1, Operation::Load(column(1, 0))),
        product,
        sum,
        Statement::Store(column(0, 0), r(3)),
    ];
    let fused = |kernel: &Kernel| {
        let mut body = kernel.body.iter();
        body.any(|s| matches!(s, Statement::Let(_, Operation::Fused(..))))
    };
    let mut once = one(start.to_vec());
    cheaper::fuse(&mut once);
    assert!(fused(&once));
    let again = Statement::Store(column(1, 0), r(2));
    let mut twice = one(start.into_iter().chain([again]).collect());
    cheaper::fuse(&mut twice);
    assert!(!fused(&twice));
}

/// A state after a step that computes it in register 3 from itself (register 0) and a quarter of it, negative (2), as
/// it is and flushed. Other statements follow.
fn stepped(start: f64, new: Operation, more: &[Statement]) -> [f64; 2] {
    let body = vec![
        set(0, Operation::Load(column(0, 0))),
        set(1, Operation::Constant(-0.25)),
        set(2, Operation::Binary(Operator::Multiply, r(0), r(1))),
        set(3, new),
        Statement::Store(column(0, 0), r(3)),
    ];
    let body = body.into_iter().chain(more.iter().cloned()).collect();
    let plain = Program {
        kernels: vec![one(body)],
        schedule: vec![Scheduled::Call(Call {
            kernel: 0,
            first: 0,
            last: 1,
        })],
        memory: vec![start, 0.0],
        ..Program::default()
    };
    let mut flushed = plain.clone();
    flush::flush(&mut flushed);
    [plain, flushed].map(|program| {
        let mut state = State::new(&program, 1);
        Interpreter::new(&program).advance(&mut state, *program.calls().next().unwrap(), 1.0, 1.0);
        state.memory[0]
    })
}

#[test]
fn state_that_only_decays_becomes_zero() {
    let decay = Operation::Binary(Operator::Add, r(0), r(2));
    for start in [1.0, -3e-7, 1e-150] {
        let [plain, flushed] = stepped(start, decay, &[]);
        assert_eq!((plain, flushed), (0.75 * start, plain));
    }
    for tiny in [1e-250, -1e-250, 2e-322] {
        let [plain, flushed] = stepped(tiny, decay, &[]);
        assert!(plain != 0.0 && flushed == 0.0, "{tiny}");
    }
    assert!(stepped(f64::NAN, decay, &[])[1].is_nan());
}

#[test]
fn state_that_grows_or_goes_elsewhere_stays() {
    let growth = Operation::Binary(Operator::Subtract, r(0), r(2));
    let rest = Operation::Binary(Operator::Add, r(1), r(2));
    for operation in [growth, rest] {
        let [plain, flushed] = stepped(1e-250, operation, &[]);
        assert!(plain == flushed && plain != 0.0);
    }
}

#[test]
fn state_that_decides_something_stays() {
    let decay = Operation::Binary(Operator::Add, r(0), r(2));
    let product = set(4, Operation::Binary(Operator::Multiply, r(3), r(3)));
    let through_memory = [
        Statement::Store(column(1, 0), r(3)),
        set(4, Operation::Load(column(1, 0))),
    ];
    let uses = [
        Operation::Binary(Operator::Divide, r(1), r(4)),
        Operation::Binary(Operator::Divide, r(3), r(4)),
        Operation::Binary(Operator::Power, r(4), r(1)),
        Operation::Call(Function::Ln, r(4)),
    ];
    for last in uses {
        for before in [vec![product.clone()], through_memory.to_vec()] {
            let more: Vec<_> = before.into_iter().chain([set(5, last)]).collect();
            let [plain, flushed] = stepped(1e-250, decay, &more);
            assert!(plain == flushed && plain != 0.0, "{last:?}");
        }
    }
    // A sum with something else decides nothing if this is 0.
    let sum = set(4, Operation::Binary(Operator::Add, r(3), r(1)));
    let divided = set(5, Operation::Binary(Operator::Divide, r(1), r(4)));
    assert_eq!(stepped(1e-250, decay, &[sum, divided])[1], 0.0);
}
