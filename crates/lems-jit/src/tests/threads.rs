//! Populations that are large enough to be shared among threads.

use lems_ir::{
    Action, Call, Comparison, Interpreter, Kernel, Level, Operation, Operator, Place, Program,
    Register, Routes, Scalar, Statement, Target,
};

use super::{load, run, set, store};
use crate::{CompiledProgram, block_plan};

const CELLS: u32 = 500_000;
const SYNAPSES: u32 = 3;

/// Cells that grow towards a limit, fire, and push others through synapses: each some that come
/// soon after it, some far away, some before it.
fn network() -> Program {
    let own = |base| Place::Column {
        base,
        level: Level(0),
    };
    let attached = |base| Place::Column {
        base,
        level: Level(1),
    };
    let (x, limit, charge) = (own(0), own(CELLS), attached(2 * CELLS));
    let [
        value,
        rate,
        step,
        growth,
        grown,
        sum,
        part,
        decay,
        next,
        one,
        zero,
    ] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let r = Register;
    let body = vec![
        set(zero, Operation::Constant(0.0)),
        set(one, Operation::Constant(1.0)),
        set(decay, Operation::Constant(0.75)),
        set(step, Operation::Step),
        set(sum, Operation::Copy(r(zero))),
        Statement::ForAttached {
            offsets: 0,
            level: Level(1),
            body: vec![
                load(part, charge),
                set(
                    next,
                    Operation::Binary(Operator::Multiply, r(part), r(decay)),
                ),
                store(charge, next),
                set(12, Operation::Binary(Operator::Add, r(sum), r(part))),
                set(sum, Operation::Copy(r(12))),
            ],
        },
        load(value, x),
        load(rate, limit),
        set(
            growth,
            Operation::Binary(Operator::Multiply, r(step), r(rate)),
        ),
        set(13, Operation::Binary(Operator::Add, r(growth), r(sum))),
        set(grown, Operation::Binary(Operator::Add, r(value), r(13))),
        store(x, grown),
        set(
            11,
            Operation::Compare(Comparison::Greater, r(grown), r(one)),
        ),
        Statement::If {
            condition: r(11),
            then: vec![
                store(x, zero),
                Statement::Emit {
                    port: 0,
                    level: Level(0),
                },
            ],
            otherwise: Vec::new(),
        },
    ];
    let mut registers = vec![Scalar::Real; 14];
    registers[11] = Scalar::Truth;
    let handler = vec![
        load(0, own(2 * CELLS)),
        set(1, Operation::Constant(0.3)),
        set(
            2,
            Operation::Binary(Operator::Add, Register(0), Register(1)),
        ),
        store(own(2 * CELLS), 2),
    ];
    let routes = (0..CELLS).flat_map(|cell| {
        let others = [cell + 1, cell + 30, cell * 7 + 11].map(|other| other % CELLS);
        (0..SYNAPSES).zip(others).map(move |(number, other)| {
            let action = Action::Handle {
                handler: 0,
                instance: SYNAPSES * other + number,
            };
            let delay = match cell % 5 == 0 && number == 2 {
                true => 0.3,
                false => 0.0,
            };
            (cell, Target { action, delay })
        })
    });
    let kernel = |name: &str, registers: Vec<Scalar>, body| Kernel {
        name: name.to_owned(),
        registers,
        body,
    };
    let mut memory = vec![0.0; (2 + SYNAPSES) as usize * CELLS as usize];
    for cell in 0..CELLS as usize {
        memory[cell] = (cell * 37 % 101) as f64 / 100.0;
        memory[CELLS as usize + cell] = (cell * 53 % 97) as f64 / 60.0;
    }
    Program {
        kernels: vec![kernel("cell", registers, body)],
        handlers: vec![kernel("synapse", vec![Scalar::Real; 3], handler)],
        schedule: vec![lems_ir::Scheduled::Call(Call {
            kernel: 0,
            first: 0,
            last: CELLS,
        })],
        links: (0..=CELLS).map(|cell| SYNAPSES * cell).collect(),
        routes: Routes::new(CELLS, &routes.collect::<Vec<_>>()),
        memory,
        ..Program::default()
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let program = network();
    let plan = block_plan(&program, 0).expect("cells that go through their step together");
    assert!(plan.longest / plan.share >= 3, "enough for three threads");
    let interpreted = run(&program, &Interpreter::new(&program));
    let pairs = interpreted.memory.iter().zip(&program.memory);
    let changed = pairs.filter(|(after, before)| **after != before.to_bits());
    assert!(
        changed.count() > CELLS as usize,
        "cells grow and synapses get events"
    );
    for threads in [1, 2, 3, 5] {
        let compiled = CompiledProgram::with_threads(&program, threads).expect("sound");
        assert!(run(&program, &compiled) == interpreted, "{threads} threads");
    }
}
