//! Cables, one by one and side by side.

use lems_ir::{
    Backend, Cable, CableNode, Interpreter, Membrane, Program, Scheduled, Solver, State, make_step,
};
use proptest::prelude::*;

use crate::CompiledProgram;

/// A tree of compartments, without slots.
#[derive(Debug, Clone)]
struct Shape(Vec<Node>);

#[derive(Debug, Clone)]
struct Node {
    /// The parent, as a part of the way from the first to the last node before it.
    parent: f64,
    conductance: f64,
    has_capacitance: bool,
    has_membrane: bool,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let node = (0.0..1.0, 1e-9..1e-6, any::<bool>(), any::<bool>()).prop_map(
        |(parent, conductance, has_capacitance, has_membrane)| Node {
            parent,
            conductance,
            has_capacitance,
            has_membrane,
        },
    );
    prop::collection::vec(node, 1..12).prop_map(Shape)
}

/// A program that only solves cables: of each shape as many as asked for, in a row.
fn program(shapes: &[(Shape, usize)], values: &[f64], solver: Solver) -> Program {
    let mut values = values.iter().copied().cycle();
    let mut memory = Vec::new();
    let mut slot = |low: f64, high: f64| {
        memory.push(low + (high - low) * values.next().unwrap());
        (memory.len() - 1) as u32
    };
    let mut cables = Vec::new();
    for (Shape(nodes), count) in shapes {
        for _ in 0..*count {
            let nodes = nodes.iter().enumerate().map(|(index, node)| {
                let parent = (node.parent * index as f64) as u32;
                // A root needs a membrane, or its tree has no solution.
                let is_root = index == 0;
                CableNode {
                    parent: (!is_root).then_some(parent),
                    conductance: node.conductance,
                    potential: slot(-0.1, 0.05),
                    has_capacitance: node.has_capacitance || is_root,
                    membrane: (node.has_membrane || is_root).then(|| Membrane {
                        rate: slot(-10.0, 10.0),
                        slope: slot(-1e3, 0.0),
                        capacitance: slot(1e-12, 1e-10),
                    }),
                }
            });
            cables.push(Cable::new(nodes.collect()));
        }
    }
    Program {
        schedule: vec![Scheduled::Solve(solver, 0..cables.len() as u32)],
        cables,
        memory,
        ..Program::default()
    }
}

/// The bits of the memory after three steps.
fn memory_after_steps(program: &Program, backend: &dyn Backend) -> Vec<u64> {
    let mut state = State::new(program, 1);
    for number in 1..=3 {
        make_step(program, backend, &mut state, f64::from(number) * 1e-5, 1e-5);
    }
    state.memory.iter().map(|value| value.to_bits()).collect()
}

proptest! {
    /// Eight and more equal cables in a row are solved side by side, and threads share all of them.
    #[test]
    fn cables_have_the_same_bits_side_by_side_and_on_any_number_of_threads(
        shapes in prop::collection::vec((shapes(), prop_oneof![1..4_usize, 7..20_usize]), 1..5),
        values in prop::collection::vec(0.0..1.0, 1..100),
        implicit in any::<bool>(),
    ) {
        let solver = if implicit { Solver::Implicit } else { Solver::Trapezoidal };
        let program = program(&shapes, &values, solver);
        let expected = memory_after_steps(&program, &Interpreter::new(&program));
        for threads in [1, 2, 3] {
            let compiled = CompiledProgram::with_threads(&program, threads).unwrap();
            prop_assert_eq!(&memory_after_steps(&program, &compiled), &expected);
        }
    }
}
