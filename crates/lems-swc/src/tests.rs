#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::f64::consts::PI;

use proptest::prelude::*;

use crate::{Kind, SwcError, Tracing, read};

fn traced(text: &str) -> Tracing {
    read(text).unwrap()
}

fn errors(text: &str) -> Vec<SwcError> {
    read(text).unwrap_err()
}

/// The piece of the text that each error is about.
fn places<'t>(text: &'t str, errors: &[SwcError]) -> Vec<&'t str> {
    errors.iter().map(|error| &text[error.place()]).collect()
}

fn area(tracing: &Tracing) -> f64 {
    tracing.pieces.iter().map(crate::Piece::area).sum()
}

#[test]
fn a_soma_of_one_point_is_a_sphere() {
    let tracing = traced("1 1 0 0 0 10 -1\n2 3 0 12 0 1 1\n3 3 0 30 0 1 2\n");
    assert!((tracing.pieces[0].area() - 4.0 * PI * 100.0).abs() < 1e-9);
    // The dendrite begins at its own first point, in the middle of the sphere's cylinder.
    assert_eq!(tracing.pieces[1].parent, Some((0, 0.5)));
    assert_eq!(tracing.pieces[1].start.at, [0.0, 12.0, 0.0]);
    assert_eq!(tracing.pieces.len(), 2);
}

#[test]
fn a_soma_of_three_points_is_a_cylinder_with_the_area_of_the_sphere() {
    let text =
        "1 1 0 0 0 10 -1\n2 1 0 -10 0 10 1\n3 1 0 10 0 10 1\n4 3 0 12 0 1 3\n5 3 0 20 0 1 4\n";
    let tracing = traced(text);
    assert!((tracing.pieces[0].area() - 4.0 * PI * 100.0).abs() < 1e-9);
    assert_eq!(tracing.branches.len(), 2);
    assert_eq!(tracing.pieces[1].parent, Some((0, 1.0)));
}

#[test]
fn a_soma_of_other_points_is_its_frusta() {
    // Three points in a row are no middle with two sides.
    let tracing = traced("1 1 0 0 0 5 -1\n2 1 0 5 0 10 1\n3 1 0 10 0 5 2\n4 3 0 5 20 1 2\n");
    let slant = 50f64.sqrt();
    let soma = 2.0 * PI * 15.0 * slant;
    // The branch of one point begins at the point of the soma.
    assert!((area(&tracing) - soma - PI * 2.0 * 20.0).abs() < 1e-9);
    assert_eq!(tracing.pieces[2].parent, Some((0, 1.0)));
}

#[test]
fn an_outline_is_a_sphere_and_a_doubt() {
    let half = 10.0 * 0.5f64.sqrt();
    let places = [
        (10.0, 0.0),
        (half, half),
        (0.0, 10.0),
        (-half, half),
        (-10.0, 0.0),
        (-half, -half),
        (0.0, -10.0),
        (half, -half),
    ];
    let mut text = String::new();
    for (number, (x, y)) in (1..).zip(places) {
        let parent = if number == 1 { -1 } else { number - 1 };
        text += &format!("{number} 1 {x} {y} 0 0.1 {parent}\n");
    }
    let tracing = traced(&text);
    assert_eq!(tracing.pieces.len(), 1);
    assert!((area(&tracing) - 4.0 * PI * 100.0).abs() < 0.1);
    assert!(matches!(
        tracing.doubts.as_slice(),
        [SwcError::Outline {
            first: 1,
            last: 8,
            ..
        }]
    ));
}

#[test]
fn a_branch_ends_at_a_fork_and_where_the_type_changes() {
    let text = "1 3 0 0 0 1 -1\n2 3 10 0 0 1 1\n3 3 20 0 0 1 2\n4 3 30 9 0 1 3\n5 2 30 -9 0 1 3\n\
                6 2 40 -9 0 1 5\n7 4 50 -9 0 1 6\n";
    let tracing = traced(text);
    let branches: Vec<(Kind, usize)> = tracing
        .branches
        .iter()
        .map(|branch| (branch.kind, branch.pieces.len()))
        .collect();
    let expected = [
        (Kind::Basal, 2),
        (Kind::Basal, 1),
        (Kind::Axon, 2),
        (Kind::Apical, 1),
    ];
    assert_eq!(branches, expected);
}

#[test]
fn several_branches_of_the_first_point_grow_from_one_place() {
    let tracing = traced("1 2 0 0 0 2 -1\n2 2 20 0 0 2 1\n3 2 0 20 0 2 1\n4 2 0 -20 0 2 1\n");
    let parents: Vec<_> = tracing.pieces.iter().map(|piece| piece.parent).collect();
    assert_eq!(parents, [None, Some((0, 0.0)), Some((0, 0.0))]);
}

#[test]
fn forks_and_ends_have_the_types_of_their_parents() {
    let tracing = traced("1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 5 20 0 0 1 2\n4 6 30 0 0 1 3\n");
    assert_eq!(tracing.branches.len(), 2);
    assert_eq!(tracing.branches[1].kind, Kind::Basal);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let text = "# remark\n1 1 0 0 0 10 -1\n2 3 10,5 0 0 1 1\n3 3 ten 0 0 1 1\n4 3 1 2 3 0 1\nx 3 1 2 3 1 1\n";
    let found = errors(text);
    assert_eq!(places(text, &found), ["2 3 10,5 0 0 1 1", "ten", "0", "x"]);
    let text = "1 1 0 0 0 10 -1\n2 3 1 0 0 1 9\n2 3 2 0 0 1 1\n4 3 3 0 0 1 -1\n";
    let found = errors(text);
    assert!(
        found
            .iter()
            .any(|error| matches!(error, SwcError::NoParent { parent: 9, .. }))
    );
    assert!(
        found
            .iter()
            .any(|error| matches!(error, SwcError::Twice { id: 2, .. }))
    );
    assert!(
        found
            .iter()
            .any(|error| matches!(error, SwcError::SeveralRoots { first: 1, .. }))
    );
    assert!(matches!(
        errors("# nothing\n").as_slice(),
        [SwcError::NoPoint { .. }]
    ));
    assert!(matches!(errors("").as_slice(), [SwcError::NoPoint { .. }]));
}

#[test]
fn loops_are_found_and_not_what_hangs_on_them() {
    let text = "1 1 0 0 0 10 -1\n4 3 9 0 0 1 3\n2 3 1 0 0 1 3\n3 3 2 0 0 1 2\n";
    let found = errors(text);
    assert!(
        matches!(found.as_slice(), [SwcError::Loop { id: 2 | 3, .. }]),
        "{found:?}"
    );
    assert!(matches!(
        errors("1 1 0 0 0 1 2\n2 1 1 0 0 1 1\n").as_slice(),
        [SwcError::Loop { .. }]
    ));
}

#[test]
fn parents_may_come_later_and_points_twice() {
    let text = "2 3 10 0 0 1 1\n1 3 0 0 0 1 -1\n3 3 10 0 0 2 2\n4 3 20 0 0 1 3\n";
    let tracing = traced(text);
    let doubts: Vec<u16> = tracing.doubts.iter().map(SwcError::code).collect();
    assert_eq!(doubts, [142, 142]);
    // The point in the same place is left out, and its radius begins the next piece.
    assert_eq!(tracing.pieces.len(), 2);
    assert_eq!(tracing.pieces[1].start.diameter, 4.0);
    assert_eq!(tracing.branches.len(), 1);
}

#[test]
fn a_chain_of_a_hundred_thousand_points_is_read() {
    let mut text = String::from("1 1 0 0 0 10 -1\n");
    for number in 2..=100_000 {
        text += &format!("{number} 3 {number} 0 0 1 {}\n", number - 1);
    }
    let tracing = traced(&text);
    assert_eq!(tracing.pieces.len(), 99_999);
    assert_eq!(tracing.branches.len(), 2);
}

proptest! {
    /// Whatever a file contains, it is read or refused.
    #[test]
    fn any_text_is_read_or_refused(text in "([0-9 .#,xe-]{0,20}\n){0,6}") {
        match read(&text) {
            Ok(tracing) => prop_assert!(tracing.pieces.len() <= text.lines().count()),
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(text.get(error.place()).is_some());
                }
            }
        }
    }

    /// The pieces of any tree are a tree, each in one branch, and follow one another in it.
    #[test]
    fn pieces_are_a_tree_of_branches(parents in prop::collection::vec((any::<prop::sample::Index>(), 1i64..6), 1..60)) {
        let mut text = String::from("1 1 0 0 0 5 -1\n");
        for (number, (parent, kind)) in parents.iter().enumerate() {
            let parent = parent.index(number + 1) + 1;
            let x = (number + 1) * 10;
            text += &format!("{} {kind} {x} {} 0 1 {parent}\n", number + 2, number % 7);
        }
        let tracing = read(&text).unwrap();
        let mut seen = vec![0; tracing.pieces.len()];
        for branch in &tracing.branches {
            for pair in branch.pieces.windows(2) {
                prop_assert_eq!(tracing.pieces[pair[1]].parent, Some((pair[0], 1.0)));
            }
            for piece in &branch.pieces {
                seen[*piece] += 1;
            }
            prop_assert!(tracing.divisions(branch) >= 1);
        }
        prop_assert!(seen.iter().all(|count| *count == 1));
        for (index, piece) in tracing.pieces.iter().enumerate() {
            prop_assert_eq!(piece.parent.is_none(), index == 0);
            if let Some((parent, _)) = piece.parent {
                prop_assert!(parent < index);
            }
        }
    }
}
