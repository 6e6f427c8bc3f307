//! Interpreter and machine code on random programs, grown as in the tests of the back ends.

#![no_main]

use lems_jit::CompiledProgram;
use lems_kernel::{Backend, Interpreter, Program, State, deliver_due};

/// The generator, which the tests of `lems-jit` have too.
#[allow(unused)]
#[path = "../../../crates/lems-jit/src/tests/random.rs"]
mod random;

fn memory_after(program: &Program, backend: &dyn Backend) -> (Vec<u64>, Vec<u32>, u64) {
    let mut state = State::new(program, 42);
    for step in 1..=3 {
        let time = f64::from(step) * 0.25;
        deliver_due(backend, &mut state, time);
        for call in &program.schedule {
            backend.advance(&mut state, *call, time, 0.25);
        }
    }
    let bits = |value: &f64| match value.is_nan() {
        true => u64::MAX,
        false => value.to_bits(),
    };
    let memory = state.memory.iter().map(bits).collect();
    (memory, state.recorded, state.random.state())
}

/// Runs a program on both back ends, which must agree.
pub fn agree(program: &Program) {
    let compiled = CompiledProgram::compile(program).expect("the program is sound");
    let interpreted = memory_after(program, &Interpreter::new(program));
    assert_eq!(memory_after(program, &compiled), interpreted);
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let numbers: Vec<u32> = (data.chunks_exact(4))
        .map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")))
        .collect();
    agree(&random::grow(&numbers));
});
