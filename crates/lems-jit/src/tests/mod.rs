//! Both back ends on the same programs.

#![allow(
    clippy::cast_possible_truncation,
    reason = "programs of tests are small"
)]

mod blocks;
mod cables;
mod grow;
mod outcome;
mod random;
mod rejected;
mod statements;
mod threads;

use std::path::{Path, PathBuf};

use lems_ir::{
    Block, Call, Interpreter, Kernel, Operation, Place, Program, Register, Scalar, Statement,
};

use crate::CompiledProgram;
use outcome::{Outcome, run};

/// Runs a program on both back ends and on a mix of them, which must agree, and returns what it
/// leaves.
fn agree(program: &Program) -> Outcome {
    let interpreted = run(program, &Interpreter::new(program));
    let compiled = CompiledProgram::compile(program).expect("the program is sound");
    assert_eq!(run(program, &compiled), interpreted);
    let is_even = |kernel: &Kernel| kernel.registers.len().is_multiple_of(2);
    let mixed = CompiledProgram::without(is_even, program, 2).expect("the program is sound");
    assert_eq!(run(program, &mixed), interpreted, "mixed");
    interpreted
}

/// What a fuzzer starts from and what it found, as numbers.
fn found(target: &str) -> Vec<Vec<u32>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let files = |folder: &str| {
        let entries = std::fs::read_dir(fuzz.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path())
    };
    let is_of_target = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(target)
    };
    let seeds = files(&format!("seeds/{target}"));
    (files("found").filter(is_of_target).chain(seeds))
        .map(|path| {
            let data = std::fs::read(path).unwrap();
            let words = data.chunks_exact(4).map(|bytes| bytes.try_into().unwrap());
            words.map(u32::from_le_bytes).collect()
        })
        .collect()
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
        schedule: vec![lems_ir::Scheduled::Call(Call {
            kernel: 0,
            first: 0,
            last: population,
        })],
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
