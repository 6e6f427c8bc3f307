//! The linear system, against Gauss and against cable theory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

mod tree;

use std::f64::consts::PI;

use lems_morphology::Morphology;
use proptest::prelude::*;
use support::{along_x, areas, assert_close, cylinder, section};
use tree::Tree;

/// Gauss's elimination with pivots.
fn gauss(mut matrix: Vec<Vec<f64>>, mut rhs: Vec<f64>) -> Vec<f64> {
    let count = rhs.len();
    for column in 0..count {
        let largest = |row: &usize| matrix[*row][column].abs();
        let pivot = (column..count)
            .max_by(|one, other| largest(one).total_cmp(&largest(other)))
            .unwrap();
        matrix.swap(column, pivot);
        rhs.swap(column, pivot);
        for row in column + 1..count {
            let factor = matrix[row][column] / matrix[column][column];
            let above = matrix[column].clone();
            for (value, above) in matrix[row].iter_mut().zip(above) {
                *value -= factor * above;
            }
            rhs[row] -= factor * rhs[column];
        }
    }
    for row in (0..count).rev() {
        let known: f64 = (row + 1..count)
            .map(|column| matrix[row][column] * rhs[column])
            .sum();
        rhs[row] = (rhs[row] - known) / matrix[row][row];
    }
    rhs
}

fn dense(tree: &Tree, diagonal: &[f64]) -> Vec<Vec<f64>> {
    let mut matrix = vec![vec![0.0; diagonal.len()]; diagonal.len()];
    for (node, own) in diagonal.iter().enumerate() {
        matrix[node][node] += own;
        let parent = tree.parents[node] as usize;
        if parent < node {
            let conductance = tree.conductance_to_parent[node];
            matrix[node][node] += conductance;
            matrix[parent][parent] += conductance;
            matrix[node][parent] -= conductance;
            matrix[parent][node] -= conductance;
        }
    }
    matrix
}

/// A forest with own terms, of which some are 0, and right-hand sides.
fn random_system() -> impl Strategy<Value = (Tree, Vec<f64>, Vec<f64>)> {
    let node = (
        any::<prop::sample::Index>(),
        0_usize..20,
        0.01..100.0,
        prop_oneof![Just(0.0), 0.1..10.0],
        -10.0..10.0,
    );
    prop::collection::vec(node, 1..40).prop_map(|nodes| {
        let mut tree = Tree::default();
        let (mut diagonal, mut rhs) = (Vec::new(), Vec::new());
        for (index, (parent, kind, conductance, own, side)) in nodes.into_iter().enumerate() {
            let is_root = index == 0 || kind == 0;
            let parent = if is_root {
                u32::MAX
            } else {
                u32::try_from(parent.index(index)).unwrap()
            };
            tree.parents.push(parent);
            tree.conductance_to_parent.push(conductance);
            diagonal.push(if is_root { own + 0.5 } else { own });
            rhs.push(side);
        }
        (tree, diagonal, rhs)
    })
}

proptest! {
    #[test]
    fn elimination_along_the_tree_solves_the_system((tree, diagonal, rhs) in random_system()) {
        let expected = gauss(dense(&tree, &diagonal), rhs.clone());
        let mut found = rhs;
        tree.solve(&mut diagonal.clone(), &mut found);
        let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found - expected).abs() <= 1e-9 * largest, "{found} {expected}");
        }
    }
}

#[test]
fn what_does_not_fit_is_left_alone() {
    let tree = Tree {
        // The second node names itself, the third a node behind it.
        parents: vec![u32::MAX, 1, 7, 0],
        conductance_to_parent: vec![1.0; 4],
    };
    let mut rhs = [2.0, 2.0, 2.0, 2.0, 5.0];
    tree.solve(&mut [1.0, 2.0, 4.0], &mut rhs);
    assert_eq!(rhs, [2.0, 1.0, 0.5, 2.0, 5.0]);
    tree.solve(&mut [], &mut []);
}

/// The conductance of the membrane, in siemens per square metre.
const LEAK: f64 = 3.0;
/// The resistivity of the cytoplasm, in ohm m.
const RESISTIVITY: f64 = 1.5;

/// The steady voltage above rest of every node for a current into one of them, in volt per ampere.
fn steady(morphology: &Morphology, node: usize) -> Vec<f64> {
    let tree = Tree::new(morphology, |_| RESISTIVITY);
    let mut diagonal = vec![0.0; morphology.nodes().len()];
    for compartment in morphology.compartments() {
        diagonal[compartment.node] = LEAK * compartment.area;
    }
    let mut rhs = vec![0.0; diagonal.len()];
    rhs[node] = 1.0;
    tree.solve(&mut diagonal, &mut rhs);
    rhs
}

/// The length constant of a cable, in metres, and its input resistance if it had no end, in ohm.
fn constants(diameter: f64) -> (f64, f64) {
    let length = (diameter / (4.0 * RESISTIVITY * LEAK)).sqrt();
    let conductance = PI * diameter * length * LEAK;
    (length, 1.0 / conductance)
}

#[test]
fn a_sealed_cable_has_the_profile_of_a_hyperbolic_cosine() {
    let (length, diameter) = (1000e-6, 2e-6);
    let (constant, resistance) = constants(diameter);
    let whole = length / constant;
    let input = resistance * lems_math::cosh(whole) / lems_math::sinh(whole);
    let mut last = f64::INFINITY;
    for (divisions, bound) in [(20, 1e-2), (200, 1e-4), (2000, 1e-6)] {
        let morphology = cylinder(1000.0, 2.0, divisions);
        let found = steady(&morphology, 0);
        let mut largest: f64 = 0.0;
        for (compartment, own) in morphology.compartments().iter().enumerate() {
            let left = (length - morphology.distance(compartment)) / constant;
            let expected = resistance * lems_math::cosh(left) / lems_math::sinh(whole);
            largest = largest.max((found[own.node] / expected - 1.0).abs());
        }
        let at_ends = [
            found[0] / input,
            found[divisions + 1] / input * lems_math::cosh(whole),
        ];
        largest = at_ends
            .iter()
            .fold(largest, |largest, ratio| largest.max((ratio - 1.0).abs()));
        assert!(largest < bound, "{largest} with {divisions} compartments");
        // The error is of second order.
        assert!(largest < last / 50.0 || last.is_infinite());
        last = largest;
    }
}

#[test]
fn branches_that_match_are_one_cable() {
    // Rall's rule: the diameters to the power of 3/2 have the same sum, the lengths are equal in length constants.
    let diameters = [lems_math::pow(9.0, 2.0 / 3.0), 1.0, 4.0];
    let lengths = diameters.map(|diameter| 300.0 * diameter.sqrt());
    let branch = |parent, index: usize| {
        let proximal = Some((0.0, diameters[index]));
        along_x(parent, proximal, (lengths[index], diameters[index]))
    };
    let segments = vec![branch(None, 0), branch(Some(0), 1), branch(Some(0), 2)];
    let sections = (0..3).map(|index| section([index], 10)).collect();
    let branched = Morphology::new(segments, sections).unwrap();
    let cable = cylinder(2.0 * lengths[0], diameters[0], 20);
    let (branched, cable) = (steady(&branched, 0), steady(&cable, 0));
    for node in 0..=10 {
        assert_close(branched[node], cable[node], 1e-12);
    }
    // The node of the branch point is between the compartments; after it both branches are alike.
    for node in 11..=20 {
        assert_close(branched[node + 1], cable[node], 1e-12);
        assert_close(branched[node + 12], cable[node], 1e-12);
    }
}

#[test]
fn current_is_conserved_where_conductances_are_far_above_the_own_terms() {
    // Wide and short compartments: 1e12 times the conductance of their membrane.
    let morphology = cylinder(1e-3, 100.0, 1000);
    let found = steady(&morphology, 500);
    let compartments = morphology.compartments().iter();
    let out: f64 = compartments
        .map(|compartment| LEAK * compartment.area * found[compartment.node])
        .sum();
    assert_close(out, 1.0, 1e-12);
    let all: f64 = areas(&morphology).iter().sum();
    assert_close(found[0], 1.0 / (LEAK * all), 1e-6);
}

#[test]
fn cytoplasm_can_differ_between_compartments() {
    let morphology = cylinder(100.0, 2.0, 2);
    let tree = Tree::new(&morphology, |compartment| [1.0, 3.0][compartment]);
    assert_eq!(tree.parents, [u32::MAX, 0, 1, 2]);
    let quarter = 25e-6 / (PI * 1e-12);
    let expected = [1.0, 4.0, 3.0].map(|factor| 1.0 / (factor * quarter));
    support::assert_all_close(&tree.conductance_to_parent[1..], &expected, 1e-14);
}
