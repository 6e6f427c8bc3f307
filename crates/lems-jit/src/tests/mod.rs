//! Both back ends on the same programs.

mod blocks;
mod grow;
mod random;
mod rejected;
mod statements;
mod threads;

use lems_kernel::{
    Backend, Block, Call, Interpreter, Kernel, Operation, Place, Program, Register, Scalar, State,
    Statement, deliver_due,
};

use crate::CompiledProgram;

/// Everything that a run leaves, in a form that can be compared.
#[derive(Debug, PartialEq)]
struct Outcome {
    memory: Vec<u64>,
    recorded: Vec<u32>,
    random: u64,
    queue: Vec<String>,
    fault: Option<String>,
    depth: u32,
}

fn bits(value: f64) -> u64 {
    if value.is_nan() {
        u64::MAX
    } else {
        value.to_bits()
    }
}

/// Runs the schedule three times.
fn run(program: &Program, backend: &dyn Backend) -> Outcome {
    let mut state = State::new(program, 42);
    let step = 0.25;
    for number in 1..=3 {
        let time = f64::from(number) * step;
        deliver_due(backend, &mut state, time);
        for call in &program.schedule {
            backend.advance(&mut state, *call, time, step);
        }
    }
    let mut queue = Vec::new();
    while let Some(event) = state.queue.pop_due(f64::INFINITY, u64::MAX) {
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

/// Runs a program on both back ends, which must agree, and returns what it leaves.
fn agree(program: &Program) -> Outcome {
    let interpreted = run(program, &Interpreter::new(program));
    let compiled = CompiledProgram::compile(program).expect("the program is sound");
    assert_eq!(run(program, &compiled), interpreted);
    interpreted
}

fn kernel(registers: &[Scalar], body: Block) -> Kernel {
    Kernel {
        name: "test".to_owned(),
        registers: registers.to_vec(),
        body,
    }
}

/// A program of one kernel that is run for instances `0..population`.
fn program(kernel: Kernel, population: u32, memory: &[f64]) -> Program {
    Program {
        kernels: vec![kernel],
        schedule: vec![Call {
            kernel: 0,
            first: 0,
            last: population,
        }],
        memory: memory.to_vec(),
        ..Program::default()
    }
}

fn set(register: u32, operation: Operation) -> Statement {
    Statement::Let(Register(register), operation)
}

fn load(register: u32, place: Place) -> Statement {
    set(register, Operation::Load(place))
}

fn store(place: Place, register: u32) -> Statement {
    Statement::Store(place, Register(register))
}
