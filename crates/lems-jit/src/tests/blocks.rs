//! Both back ends on random programs whose instances can mostly be computed together.

use std::cell::Cell;

use lems_ir::{
    Action, Block, Comparison, Interpreter, Kernel, Level, Operation, Operator, Place, Program,
    Register, Routes, Scalar, Statement, Target,
};
use lems_optimise::{block_kernel, independence};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestError, TestRunner};

use super::grow::grow;
use super::outcome::{run, run_in_pieces};
use super::{agree, kernel, load, program, set, store};
use crate::run::commit::ROLLED_BACK;
use crate::{CompiledProgram, block_plan, validate};

/// How many programs, if not the default.
const CASES: &str = "BLOCK_PROGRAMS";

/// How the back ends differ on a sound program: in order, in blocks, in threads.
fn difference(program: &Program) -> Option<String> {
    validate(program).ok()?;
    let compiled = match CompiledProgram::with_threads(program, 3) {
        Ok(compiled) => compiled,
        Err(error) => return Some(error.to_string()),
    };
    let theirs = run(program, &Interpreter::new(program));
    let ours = [3, 15, u32::MAX].map(|most| run_in_pieces(program, &compiled, most));
    let ours = ours.into_iter().find(|outcome| *outcome != theirs)?;
    let slot = (0..ours.memory.len()).find(|slot| ours.memory[*slot] != theirs.memory[*slot]);
    Some(match slot {
        None => format!(
            "events: {:?} {:?} {:?}, not {:?} {:?} {:?}",
            ours.recorded, ours.queue, ours.fault, theirs.recorded, theirs.queue, theirs.fault
        ),
        Some(slot) => format!(
            "slot {slot} is {:e}, not {:e}",
            f64::from_bits(ours.memory[slot]),
            f64::from_bits(theirs.memory[slot])
        ),
    })
}

/// The listing of a program without all statements and receivers that a difference does not need.
fn smallest(mut program: Program) -> String {
    let mut worth_trying = true;
    while worth_trying {
        worth_trying = false;
        for number in (0..program.kernels.len() + program.handlers.len()).rev() {
            let mut place = 0;
            loop {
                let mut smaller = program.clone();
                let kernels = smaller.kernels.len();
                let kernel = match number < kernels {
                    true => &mut smaller.kernels[number],
                    false => &mut smaller.handlers[number - kernels],
                };
                if !remove(&mut kernel.body, &mut place.clone()) {
                    break;
                }
                match difference(&smaller) {
                    Some(_) => (program, worth_trying) = (smaller, true),
                    None => place += 1,
                }
            }
        }
        for number in 0..program.routes.all().count() {
            let mut smaller = program.clone();
            let mut routes: Vec<_> = program.routes.all().collect();
            let before = std::mem::replace(&mut routes[number].1.delay, 1e6);
            smaller.routes = Routes::new(program.routes.sources(), &routes);
            if before < 1e6 && difference(&smaller).is_some() {
                (program, worth_trying) = (smaller, true);
            }
        }
    }
    let kernels = program.kernels.iter().chain(&program.handlers);
    let listings: Vec<String> = kernels.map(Kernel::to_string).collect();
    let routes = program.routes.all();
    let routes: Vec<_> = routes.filter(|(_, target)| target.delay < 1e6).collect();
    format!(
        "{}\n{}schedule {:?}\nroutes {routes:?}\nlinks {:?}",
        difference(&program).unwrap_or_default(),
        listings.concat(),
        program.schedule,
        program.links,
    )
}

/// Takes out the statement that comes after `place` others; a branch or loop goes with all inside.
fn remove(block: &mut Block, place: &mut usize) -> bool {
    for number in 0..block.len() {
        if *place == 0 {
            block.remove(number);
            return true;
        }
        *place -= 1;
        let inner = block[number].nested_mut();
        if inner.into_iter().any(|inner| remove(inner, place)) {
            return true;
        }
    }
    false
}

/// What the programs of a property were like.
#[derive(Debug, Default)]
struct Tally {
    programs: Cell<u64>,
    kernels: Cell<u64>,
    in_blocks: Cell<u64>,
    interfering: Cell<u64>,
    ordered: Cell<u64>,
    ordered_and_interfering: Cell<u64>,
    tailed: Cell<u64>,
}

impl Tally {
    fn count(&self, program: &Program) {
        let add = |cell: &Cell<u64>, more: bool| cell.set(cell.get() + u64::from(more));
        add(&self.programs, true);
        for (number, kernel) in (0..).zip(&program.kernels) {
            let independence = independence(program, number);
            let in_blocks = (independence.as_ref())
                .is_ok_and(|found| block_kernel(kernel, &found.ordered).is_ok());
            add(&self.kernels, true);
            let plan = block_plan(program, number);
            add(&self.tailed, plan.is_ok_and(|plan| plan.has_tail));
            add(&self.in_blocks, in_blocks);
            let found = independence.ok().filter(|_| in_blocks);
            let found = found.unwrap_or_default();
            let ordered = !found.ordered.is_empty();
            add(&self.interfering, found.interferes());
            add(&self.ordered, ordered);
            add(&self.ordered_and_interfering, ordered && found.interferes());
        }
    }
}

#[test]
fn back_ends_agree_on_blocks_of_instances() {
    let cases = std::env::var(CASES).ok().and_then(|text| text.parse().ok());
    let cases = cases.unwrap_or(400);
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let tally = Tally::default();
    ROLLED_BACK.set(0);
    let numbers = prop::collection::vec(any::<u32>(), 300..6000);
    let result = TestRunner::new(config).run(&numbers.no_shrink(), |numbers| {
        let program = grow(&numbers);
        tally.count(&program);
        match difference(&program) {
            None => Ok(()),
            Some(_) => Err(TestCaseError::fail(smallest(program))),
        }
    });
    if let Err(TestError::Fail(failure, _)) = result {
        panic!("{failure}");
    }
    let rolled_back = ROLLED_BACK.get();
    println!("{tally:?}, {rolled_back} instances went back");
    assert!(tally.in_blocks.get() * 3 > tally.kernels.get(), "{tally:?}");
    assert!(
        tally.interfering.get() * 10 > tally.kernels.get(),
        "{tally:?}"
    );
    let both = tally.ordered_and_interfering.get();
    assert!(both * 50 > tally.kernels.get(), "{tally:?}");
    assert!(tally.tailed.get() * 200 > tally.programs.get(), "{tally:?}");
    assert!(
        rolled_back > u64::from(cases),
        "only {rolled_back} went back"
    );
}

#[test]
fn what_is_never_stored_stays_when_an_instance_goes_back() {
    let own = |base| Place::Column {
        base,
        level: Level(0),
    };
    let emit = Statement::Emit {
        port: 0,
        level: Level(0),
    };
    let stored_if_false = Statement::If {
        condition: Register(2),
        then: Block::new(),
        otherwise: vec![store(own(0), 1)],
    };
    let body = vec![
        set(0, Operation::Constant(0.07)),
        load(1, own(40)),
        set(
            2,
            Operation::Compare(Comparison::Equal, Register(0), Register(0)),
        ),
        stored_if_false,
        emit,
    ];
    let registers = [Scalar::Real, Scalar::Real, Scalar::Truth];
    let mut memory = vec![0.0; 80];
    memory[33] = 0.5;
    let mut program = program(kernel(&registers, body), 34, &memory);
    program.handlers = vec![kernel(&[Scalar::Real], vec![load(0, own(0))])];
    let action = Action::Handle {
        handler: 0,
        instance: 33,
    };
    program.routes = Routes::new(34, &[(31, Target { action, delay: 0.0 })]);
    ROLLED_BACK.set(0);
    assert_eq!(difference(&program), None);
    assert_eq!(agree(&program).memory[33], 0.5_f64.to_bits());
    assert!(ROLLED_BACK.get() > 0);
}

proptest! {
    /// Lists of two neighbours are walked together, as far as both go.
    #[test]
    fn sums_over_lists_of_any_lengths_have_the_bits_of_one_host_after_another(
        lengths in prop::collection::vec(0..9_u32, 16..70),
        value in any::<f64>(),
    ) {
        let hosts = lengths.len() as u32;
        let attached: u32 = lengths.iter().sum();
        // States of the attached instances, then what each host starts its sum from, and the sum.
        let column = |base, level| Place::Column { base, level: Level(level) };
        let (state, start, total) = (column(0, 1), column(attached, 0), column(attached + hosts, 0));
        let add = |left, right| Operation::Binary(Operator::Add, Register(left), Register(right));
        let multiply = |left, right| Operation::Binary(Operator::Multiply, Register(left), Register(right));
        let list = vec![
            load(2, state),
            set(3, multiply(2, 0)),
            store(state, 3),
            set(4, add(1, 2)),
            set(1, Operation::Copy(Register(4))),
        ];
        let body = vec![
            set(0, Operation::Constant(0.7)),
            load(1, start),
            Statement::ForAttached { offsets: 0, level: Level(1), body: list },
            store(total, 1),
        ];
        let memory: Vec<f64> = (0..attached + 2 * hosts).map(|slot| value / f64::from(slot + 1)).collect();
        let mut program = program(kernel(&[Scalar::Real; 5], body), hosts, &memory);
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        program.links = [0].into_iter().chain(ends).collect();
        prop_assert!(block_plan(&program, 0).is_ok());
        prop_assert_eq!(difference(&program), None);
        agree(&program);
    }
}

#[test]
fn back_ends_agree_on_blocks_that_the_fuzzer_found() {
    let found = super::found("blocks");
    assert!(!found.is_empty());
    for numbers in found {
        let program = grow(&numbers);
        assert!(difference(&program).is_none(), "{}", smallest(program));
    }
}
