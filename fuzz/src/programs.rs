//! Random programs on the back ends, grown as in the tests of `lems-jit`.

use std::cell::RefCell;

use lems_jit::{CompiledProgram, block_plan};
use lems_ir::{Interpreter, Program};

#[allow(unused)]
#[path = "../../crates/lems-jit/src/tests/grow.rs"]
mod grow;
#[allow(unused)]
#[path = "../../crates/lems-jit/src/tests/outcome.rs"]
mod outcome;
#[allow(unused)]
#[path = "../../crates/lems-jit/src/tests/random.rs"]
mod random;

use outcome::{Outcome, run, run_in_pieces};

/// Threads of a program for several.
const THREADS: usize = 3;

/// Any program, on both back ends.
pub fn kernels(data: &[u8]) {
    agree(&random::grow(&numbers(data)));
}

/// A program whose instances can mostly be computed together: on the interpreter, and as machine
/// code for one instance after another, for blocks of them, and in threads where it is large enough.
pub fn blocks(data: &[u8]) {
    agree_in_blocks(&grow::grow(&numbers(data)));
}

/// The numbers that bytes stand for.
fn numbers(data: &[u8]) -> Vec<u32> {
    data.chunks_exact(4)
        .map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")))
        .collect()
}

fn agree(program: &Program) {
    let compiled = CompiledProgram::compile(program).expect("the program is sound");
    let interpreted = run(program, &Interpreter::new(program));
    assert_eq!(run(program, &compiled), interpreted);
    count(program, &interpreted);
}

fn agree_in_blocks(program: &Program) {
    let compiled = CompiledProgram::with_threads(program, THREADS).expect("the program is sound");
    let interpreted = run(program, &Interpreter::new(program));
    // Fewer than four instances are computed in order; fewer than two shares by one thread.
    for most in [3, 15, u32::MAX] {
        let outcome = run_in_pieces(program, &compiled, most);
        assert_eq!(outcome, interpreted, "at most {most} at a time");
    }
    count(program, &interpreted);
}

/// What the programs were like, told when the fuzzer ends.
#[derive(Default)]
struct Tally {
    programs: u64,
    kernels: u64,
    handlers: u64,
    in_blocks: u64,
    in_threads: u64,
    with_events: u64,
}

thread_local! {
    static TALLY: RefCell<Tally> = RefCell::default();
}

fn count(program: &Program, outcome: &Outcome) {
    TALLY.with_borrow_mut(|tally| {
        tally.programs += 1;
        let with_statements = |kernels: &[lems_ir::Kernel]| {
            let kernels = kernels.iter();
            kernels.filter(|kernel| !kernel.body.is_empty()).count() as u64
        };
        tally.kernels += with_statements(&program.kernels);
        tally.handlers += with_statements(&program.handlers);
        tally.with_events += u64::from(!outcome.recorded.is_empty() || !outcome.queue.is_empty());
        let plans = (0_u32..)
            .take(program.kernels.len())
            .filter_map(|kernel| block_plan(program, kernel).ok());
        for plan in plans {
            tally.in_blocks += 1;
            tally.in_threads += u64::from(plan.longest / plan.share >= 2);
        }
    });
}

impl Drop for Tally {
    fn drop(&mut self) {
        let Tally {
            programs,
            kernels,
            handlers,
            in_blocks,
            in_threads,
            with_events,
        } = self;
        eprintln!(
            "{programs} programs, {with_events} with events; {kernels} kernels and {handlers} \
             handlers with statements; {in_blocks} kernels in blocks, {in_threads} in threads"
        );
    }
}
