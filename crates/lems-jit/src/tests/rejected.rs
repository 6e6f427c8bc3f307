//! Programs that must not become machine code, and calls that must not reach it.

use lems_ir::Scheduled;
use lems_ir::{
    Backend, Call, Comparison, Edge, Function, Level, Operation, Place, Program, Register, Scalar,
    Scheme, State, Statement,
};
use lems_optimise::{BlockKernel, Part, Piece};

use super::{kernel, load, program, set, store};
use crate::plan::validate::validate_block;
use crate::{CompiledProgram, Defect, JitError, validate};

use Scalar::{Real, Truth};

fn defect(program: &Program) -> Defect {
    match validate(program) {
        Err(JitError::Kernel { defect, .. }) => defect,
        other => panic!("{other:?}"),
    }
}

fn column(base: u32, level: u8) -> Place {
    Place::Column {
        base,
        level: Level(level),
    }
}

fn attached(body: Vec<Statement>) -> Statement {
    Statement::ForAttached {
        offsets: 0,
        level: Level(1),
        body,
    }
}

#[test]
fn columns_shorter_than_their_loop() {
    let inner = |base| attached(vec![load(0, column(base, 1))]);
    let mut program = program(kernel(&[Real], vec![inner(1)]), 2, &[0.0; 4]);
    program.links = vec![0, 2, 3];
    assert!(validate(&program).is_ok());
    program.kernels[0].body = vec![inner(2)];
    assert_eq!(defect(&program), Defect::Memory { end: 5, size: 4 });
    program.kernels[0].body = vec![inner(1), load(0, column(3, 0))];
    assert_eq!(defect(&program), Defect::Memory { end: 5, size: 4 });
    change_first_call(&mut program, |call| call.last = 1);
    assert!(validate(&program).is_ok());
}

#[test]
fn links_outside_the_tables_or_the_memory() {
    let linked = Place::Linked {
        table: 1,
        level: Level(0),
    };
    let mut program = program(kernel(&[Real], vec![load(0, linked)]), 2, &[0.0; 4]);
    program.links = vec![0, 1];
    assert_eq!(defect(&program), Defect::Links { end: 3, size: 2 });
    program.links = vec![0, 1, 4];
    assert_eq!(defect(&program), Defect::Memory { end: 5, size: 4 });
    program.links = vec![9, 1, 3];
    assert!(validate(&program).is_ok());
}

#[test]
fn runs_outside_the_links_or_the_arms() {
    let runs = Statement::ForRuns {
        offsets: 0,
        runs: 2,
        level: Level(1),
        arms: vec![vec![load(0, column(0, 1))]],
    };
    let mut program = program(kernel(&[Real], vec![runs]), 1, &[0.0]);
    program.links = vec![0, 1, 0, 0];
    assert_eq!(defect(&program), Defect::Links { end: 5, size: 4 });
    program.links = vec![0, 1, 1, 0, 1];
    assert_eq!(defect(&program), Defect::Arm { arm: 1, arms: 1 });
    program.links = vec![0, 1, 0, 0, 2];
    assert_eq!(defect(&program), Defect::Memory { end: 2, size: 1 });
    program.links = vec![0, 1, 0, 0, 1];
    assert!(validate(&program).is_ok());
}

#[test]
fn registers_of_the_wrong_kind() {
    let check = |registers: &[Scalar], body| defect(&program(kernel(registers, body), 1, &[0.0]));
    let constant = |register| set(register, Operation::Constant(0.0));
    assert_eq!(check(&[], vec![constant(0)]), Defect::UnknownRegister(0));
    assert_eq!(
        check(&[Truth], vec![constant(0)]),
        Defect::RegisterType {
            register: 0,
            expected: Real
        }
    );
    let not = set(1, Operation::Not(Register(0)));
    assert_eq!(
        check(&[Real, Truth], vec![constant(0), not]),
        Defect::RegisterType {
            register: 0,
            expected: Truth
        }
    );
    let store = store(Place::Slot(0), 0);
    assert_eq!(check(&[Real], vec![store]), Defect::Unassigned(0));
}

#[test]
fn registers_assigned_on_some_paths_only() {
    let constant = |register| set(register, Operation::Constant(0.0));
    let read = store(Place::Slot(0), 0);
    let check = |body| {
        let mut program = program(kernel(&[Real], body), 1, &[0.0]);
        program.links = vec![0, 0];
        validate(&program).is_ok()
    };
    let choose = |then, otherwise| {
        let compare = Operation::Compare(Comparison::Less, Register(2), Register(2));
        let body = vec![
            constant(2),
            set(1, compare),
            Statement::If {
                condition: Register(1),
                then,
                otherwise,
            },
            read.clone(),
        ];
        let kernel = kernel(&[Real, Truth, Real], body);
        validate(&program(kernel, 1, &[0.0])).is_ok()
    };
    assert!(choose(vec![constant(0)], vec![constant(0)]));
    assert!(!choose(vec![constant(0)], vec![]));
    assert!(!choose(vec![], vec![constant(0)]));
    assert!(check(vec![constant(0), attached(vec![read.clone()])]));
    assert!(!check(vec![attached(vec![constant(0)]), read.clone()]));
}

#[test]
fn levels_out_of_place() {
    let check = |body| defect(&program(kernel(&[Real], body), 0, &[0.0]));
    assert_eq!(check(vec![load(0, column(0, 1))]), Defect::Level(1));
    assert_eq!(
        check(vec![attached(vec![attached(vec![])])]),
        Defect::Level(1)
    );
    let deepest = (1..=8).rev().fold(vec![], |body, level| {
        vec![Statement::ForAttached {
            offsets: 0,
            level: Level(level),
            body,
        }]
    });
    assert_eq!(check(deepest), Defect::Level(8));
}

#[test]
fn schemes_that_do_not_fit() {
    let propagate = |scheme, occupancies: &[u32], results: &[u32]| Statement::Propagate {
        scheme,
        occupancies: occupancies.iter().copied().map(Register).collect(),
        rates: vec![(Register(0), Register(0))],
        results: results.iter().copied().map(Register).collect(),
    };
    let check = |statement| {
        let body = vec![set(0, Operation::Constant(0.0)), statement];
        let mut program = program(kernel(&[Real], body), 1, &[]);
        program.schemes = vec![Scheme::new(vec![Edge {
            source: 0,
            target: 1,
        }])];
        validate(&program).map(|_| ())
    };
    assert!(check(propagate(0, &[0, 0], &[0, 0])).is_ok());
    assert!(check(propagate(1, &[0, 0], &[0, 0])).is_err());
    assert!(check(propagate(0, &[0], &[0])).is_err());
    assert!(check(propagate(0, &[0, 0], &[0, 0, 0])).is_err());
}

#[test]
fn blocks_nested_beyond_reason() {
    let condition = Register(0);
    let nest = (0..300).fold(vec![], |then, _| {
        vec![Statement::If {
            condition,
            then,
            otherwise: vec![],
        }]
    });
    let compare = Operation::Compare(Comparison::Less, Register(1), Register(1));
    let mut body = vec![set(1, Operation::Constant(0.0)), set(0, compare)];
    body.extend(nest);
    let program = program(kernel(&[Truth, Real], body), 1, &[]);
    assert!(matches!(defect(&program), Defect::Nesting(_)));
}

#[test]
fn unknown_kernels() {
    let mut program = program(kernel(&[], vec![]), 1, &[]);
    change_first_call(&mut program, |call| call.kernel = 1);
    assert_eq!(validate(&program), Err(JitError::UnknownKernel(1)));
}

fn one_column() -> Program {
    program(kernel(&[Real], vec![load(0, column(0, 0))]), 2, &[0.0; 2])
}

#[test]
#[should_panic(expected = "beyond the schedule")]
fn calls_beyond_the_schedule() {
    let program = one_column();
    let compiled = CompiledProgram::compile(&program).expect("sound");
    let call = Call {
        kernel: 0,
        first: 0,
        last: 3,
    };
    compiled.advance(&mut State::new(&program, 0), call, 0.0, 0.0);
}

#[test]
#[should_panic(expected = "another program")]
fn states_of_another_program() {
    let program = one_column();
    let compiled = CompiledProgram::compile(&program).expect("sound");
    let mut state = State::new(&program, 0);
    state.memory.pop();
    compiled.advance(&mut state, *program.calls().next().unwrap(), 0.0, 0.0);
}

/// The defect of a block kernel for four instances of a program with eight doubles.
fn part_defect(buffers: u32, parts: Vec<Part>) -> Option<Defect> {
    let mut program = program(kernel(&[], vec![]), 4, &[0.0; 8]);
    program.links = vec![0, 1, 2, 3, 4];
    program.schemes = vec![Scheme::new(vec![Edge {
        source: 0,
        target: 1,
    }])];
    let block = BlockKernel {
        name: "test".to_owned(),
        registers: vec![Real, Truth, Real],
        buffers,
        parts,
    };
    match validate_block(&program, &block, 4) {
        Ok(()) => None,
        Err(JitError::Kernel { defect, .. }) => Some(defect),
        Err(other) => panic!("{other}"),
    }
}

fn lanes(body: Vec<Statement>) -> Part {
    Part::Lanes(Piece {
        body,
        ..Piece::default()
    })
}

#[test]
fn buffers_that_a_block_kernel_does_not_list() {
    let outside = |end, buffers| Some(Defect::Buffer { end, buffers });
    let piece = |buffer| Piece {
        inputs: vec![(Register(0), buffer)],
        body: vec![],
        outputs: vec![(Register(0), 0)],
    };
    assert_eq!(part_defect(2, vec![Part::Lanes(piece(1))]), None);
    assert_eq!(part_defect(2, vec![Part::Lanes(piece(2))]), outside(3, 2));
    assert_eq!(
        part_defect(2, vec![Part::Each(piece(u32::MAX))]),
        outside(1 << 32, 2)
    );
    let output = Piece {
        inputs: vec![(Register(0), 0)],
        body: vec![],
        outputs: vec![(Register(0), 4)],
    };
    assert_eq!(part_defect(4, vec![Part::Each(output)]), outside(5, 4));
    let call = |count| Part::Call {
        function: Function::Exp,
        first: 1,
        count,
    };
    assert_eq!(part_defect(3, vec![call(2)]), None);
    assert_eq!(part_defect(3, vec![call(3)]), outside(4, 3));
    let power = |bases, exponents| Part::Power {
        bases,
        exponents,
        count: 2,
    };
    assert_eq!(part_defect(4, vec![power(0, 2)]), None);
    assert_eq!(part_defect(4, vec![power(3, 0)]), outside(5, 4));
    assert_eq!(part_defect(4, vec![power(0, 3)]), outside(5, 4));
    let overlap = |written, read| Some(Defect::Overlap { written, read });
    assert_eq!(part_defect(4, vec![power(2, 0)]), None);
    assert_eq!(part_defect(4, vec![power(0, 1)]), overlap(0, 1));
    assert_eq!(part_defect(4, vec![power(2, 1)]), overlap(2, 1));
    assert_eq!(part_defect(4, vec![power(0, 0)]), overlap(0, 0));
    let emit = |mask| Part::Emit(vec![(None, 0), (mask, 0)]);
    assert_eq!(part_defect(1, vec![emit(Some(0))]), None);
    assert_eq!(part_defect(0, vec![emit(None)]), None);
    assert_eq!(part_defect(1, vec![emit(Some(1))]), outside(2, 1));
}

#[test]
fn schemes_that_do_not_fit_their_buffers() {
    let propagate = |scheme, occupancies, states, rates| {
        let part = Part::Propagate {
            scheme,
            occupancies,
            states,
            rates,
        };
        part_defect(4, vec![part])
    };
    let outside = |end| Some(Defect::Buffer { end, buffers: 4 });
    assert_eq!(propagate(0, 0, 2, 2), None);
    assert_eq!(propagate(0, 3, 2, 0), outside(5));
    assert_eq!(propagate(0, 0, 2, 3), outside(5));
    let overlap = |written, read| Some(Defect::Overlap { written, read });
    assert_eq!(propagate(0, 2, 2, 0), None);
    assert_eq!(propagate(0, 0, 2, 1), overlap(0, 1));
    assert_eq!(propagate(0, 1, 2, 0), overlap(1, 0));
    assert_eq!(propagate(0, 0, 1, 2), Some(Defect::SchemeShape(0)));
    assert_eq!(propagate(1, 0, 2, 2), Some(Defect::UnknownScheme(1)));
}

#[test]
fn code_that_cannot_run_side_by_side() {
    let value = || set(0, Operation::Constant(1.0));
    let crooked = [
        set(2, Operation::Random(Register(0))),
        attached(vec![]),
        store(Place::Slot(0), 0),
        store(column(0, 1), 0),
        store(
            Place::Linked {
                table: 0,
                level: Level(0),
            },
            0,
        ),
        Statement::Emit {
            port: 0,
            level: Level(0),
        },
        Statement::If {
            condition: Register(1),
            then: vec![],
            otherwise: vec![],
        },
        Statement::Propagate {
            scheme: 0,
            occupancies: vec![Register(0); 2],
            rates: vec![(Register(0), Register(0))],
            results: vec![],
        },
        Statement::Twice(vec![]),
    ];
    for statement in crooked {
        let part = lanes(vec![value(), statement.clone()]);
        assert_eq!(
            part_defect(0, vec![part]),
            Some(Defect::Crooked),
            "{statement:?}"
        );
    }
    let straight = lanes(vec![value(), store(column(4, 0), 0)]);
    assert_eq!(part_defect(0, vec![straight]), None);
}

#[test]
fn parts_that_leave_the_memory_or_read_what_is_not_there() {
    let beyond = lanes(vec![load(0, column(5, 0))]);
    assert_eq!(
        part_defect(0, vec![beyond]),
        Some(Defect::Memory { end: 9, size: 8 })
    );
    let inner = |base| {
        Part::Each(Piece {
            body: vec![attached(vec![load(0, column(base, 1))])],
            ..Piece::default()
        })
    };
    assert_eq!(part_defect(0, vec![inner(4)]), None);
    assert_eq!(
        part_defect(0, vec![inner(5)]),
        Some(Defect::Memory { end: 9, size: 8 })
    );
    let level = lanes(vec![load(0, column(0, 1))]);
    assert_eq!(part_defect(0, vec![level]), Some(Defect::Level(1)));
    // A register does not outlive its part.
    let first = lanes(vec![load(0, column(0, 0))]);
    let second = lanes(vec![store(column(0, 0), 0)]);
    assert_eq!(
        part_defect(0, vec![first.clone(), second]),
        Some(Defect::Unassigned(0))
    );
    let output = Part::Each(Piece {
        outputs: vec![(Register(2), 0)],
        ..Piece::default()
    });
    assert_eq!(
        part_defect(1, vec![first, output]),
        Some(Defect::Unassigned(2))
    );
    let kind = lanes(vec![set(1, Operation::Constant(0.0))]);
    assert!(matches!(
        part_defect(0, vec![kind]),
        Some(Defect::RegisterType { .. })
    ));
    let unknown = Part::Lanes(Piece {
        inputs: vec![(Register(3), 0)],
        ..Piece::default()
    });
    assert_eq!(
        part_defect(1, vec![unknown]),
        Some(Defect::UnknownRegister(3))
    );
    let port = Part::Emit(vec![(None, u32::MAX)]);
    let large = Defect::Port {
        port: u32::MAX,
        population: 4,
    };
    assert_eq!(part_defect(0, vec![port]), Some(large));
}

fn change_first_call(program: &mut Program, change: impl Fn(&mut Call)) {
    match &mut program.schedule[0] {
        Scheduled::Call(call) => change(call),
        other => panic!("{other:?} is no call"),
    }
}
