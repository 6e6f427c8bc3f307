//! What is no tree of compartments, and trees of any size.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

mod tree;

use lems_morphology::{Morphology, MorphologyError, Segment, between, descendants};
use proptest::prelude::*;
use support::{along_x, at, chain, errors, point, section};
use tree::Tree;

fn messages(segments: Vec<Segment>) -> Vec<String> {
    let numbered = segments
        .into_iter()
        .enumerate()
        .map(|(index, segment)| Segment {
            id: 10 + i64::try_from(index).unwrap(),
            ..segment
        });
    let errors = errors(numbered.collect(), Vec::new());
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn segments_that_are_no_tree_are_refused() {
    assert_eq!(messages(Vec::new()), ["there is no segment"]);
    let from = Some((0.0, 1.0));
    let to = (5.0, 1.0);
    assert_eq!(
        messages(vec![along_x(None, from, to), along_x(Some(2), None, to)]),
        ["segment 11 has a parent that does not exist"]
    );
    assert_eq!(
        messages(vec![along_x(None, from, to), along_x(None, from, to)]),
        ["segment 11 has no parent, like segment 10; all but one need one"]
    );
    assert_eq!(
        messages(vec![along_x(None, None, to)]),
        ["segment 10 has no parent, so it needs a proximal point"]
    );
    let segments = [None, Some(2), Some(3), Some(1), Some(3), Some(5), Some(5)]
        .map(|parent| along_x(parent, from, to));
    assert_eq!(
        messages(segments.to_vec()),
        [
            "segment 11 is its own ancestor",
            "segment 15 is its own ancestor"
        ]
    );
}

#[test]
fn numbers_without_meaning_are_refused() {
    let one = |from, to| messages(vec![along_x(None, Some(from), to)]);
    assert_eq!(
        one((0.0, f64::NAN), (1.0, f64::INFINITY)),
        [
            "segment 10 has a point whose diameter is NaN, which is not a finite number",
            "segment 10 has a point whose diameter is inf, which is not a finite number"
        ]
    );
    assert_eq!(
        one((0.0, -1e6), (1.0, 0.0)),
        [
            "segment 10 has the diameter -1e0 m, which is negative",
            "segment 10 has a diameter of 0, so no current could pass"
        ]
    );
    assert_eq!(
        one((2.0, 2e6), (2.0, 1e6)),
        ["segment 10 has no length but two diameters, 2e0 m and 1e0 m"]
    );
    for (from, to) in [
        ((0.0, 1e-300), (1.0, 1.0)),
        ((0.0, 1.0), (1.0, 1e200)),
        ((0.0, 1.0), (1e-100, 1.0)),
        ((0.0, 1.0), (1e300, 1.0)),
    ] {
        let messages = one(from, to);
        assert!(
            messages[0].contains("too large or too small"),
            "{messages:?}"
        );
    }
    for fraction in [-0.1, 1.1, f64::NAN] {
        let segment = at(along_x(None, Some((0.0, 1.0)), (1.0, 1.0)), fraction);
        let messages = messages(vec![segment]);
        assert!(
            messages[0].ends_with("which is not between 0 and 1"),
            "{messages:?}"
        );
    }
}

#[test]
fn sections_that_are_no_chains_are_refused() {
    let branched = || {
        let mut segments = chain(&[(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]);
        segments.push(at(along_x(Some(0), None, (9.0, 1.0)), 0.5));
        segments
    };
    let refused = |sections| {
        let errors = errors(branched(), sections);
        let about = |error: &MorphologyError| (error.segment(), error.section(), error.to_string());
        errors.iter().map(about).collect::<Vec<_>>()
    };
    let expect = |segment, section, message: &str| vec![(segment, section, message.to_owned())];
    assert_eq!(
        refused(vec![section([0], 1), section([], 1)]),
        expect(None, Some(1), "the section has no segments")
    );
    assert_eq!(
        refused(vec![section([0], 0)]),
        expect(None, Some(0), "the section is divided into 0 compartments")
    );
    assert_eq!(
        refused(vec![section([5], 1)]),
        expect(
            None,
            Some(0),
            "the section contains a segment that does not exist"
        )
    );
    for twice in [
        vec![section([0, 1, 2], 1), section([2], 1)],
        vec![section([2, 2], 1)],
    ] {
        let message = "segment 100 is in more than one section, or twice in one";
        let last = twice.len() - 1;
        assert_eq!(refused(twice), expect(Some(2), Some(last), message));
    }
    assert_eq!(
        refused(vec![section([0, 2], 1)]),
        expect(
            Some(2),
            Some(0),
            "segment 100 follows segment 100 in a section but is not its child"
        )
    );
    assert_eq!(
        refused(vec![section([0, 3], 1)]),
        expect(
            Some(3),
            Some(0),
            "segment 100 begins at 0.5 of segment 100, before its end, but follows it in a section"
        )
    );
    let points = chain(&[(0.0, 1.0), (0.0, 1.0), (0.0, 1.0)]);
    let message = "segment 100 and those that follow it in a section have no length between them";
    assert_eq!(
        errors(points, vec![section([0, 1], 3)])[0].to_string(),
        message
    );
}

#[test]
fn the_number_of_compartments_has_a_limit() {
    let segments = || chain(&[(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)]);
    let sections = |divisions| vec![section([0], divisions)];
    assert!(Morphology::with_limit(segments(), sections(4), 5).is_ok());
    let refused = Morphology::with_limit(segments(), sections(5), 5).unwrap_err();
    let expected = MorphologyError::TooManyCompartments {
        compartments: 6,
        limit: 5,
    };
    assert_eq!(refused, [expected]);
    assert_eq!(errors(segments(), sections(usize::MAX)).len(), 1);
}

#[test]
fn a_million_segments_are_no_problem() {
    const COUNT: usize = 1_000_000;
    let distal = |index: usize| point((index + 1) as f64, 0.0, 0.0, 1.0);
    // The last is the root.
    let segment = |index: usize| Segment {
        id: 0,
        parent: (index + 1 < COUNT).then_some(index + 1),
        fraction: 1.0,
        proximal: (index + 1 == COUNT).then(|| point(COUNT as f64 + 1.0, 0.0, 0.0, 1.0)),
        distal: distal(index),
    };
    let segments: Vec<Segment> = (0..COUNT).map(segment).collect();
    assert_eq!(descendants(&segments, COUNT - 1).len(), COUNT);
    assert_eq!(descendants(&segments, COUNT / 2).len(), COUNT / 2 + 1);
    assert_eq!(between(&segments, COUNT - 1, 0).unwrap().len(), COUNT);
    let all: Vec<usize> = (0..COUNT).rev().collect();
    for sections in [
        vec![],
        vec![section(all.clone(), 1)],
        vec![section(all.clone(), COUNT)],
    ] {
        let morphology = Morphology::new(segments.clone(), sections).unwrap();
        assert_eq!(
            morphology.coverage(&all).len(),
            morphology.compartments().len()
        );
        let tree = Tree::new(&morphology, |_| 1.0);
        let mut rhs = vec![1.0; tree.parents.len()];
        tree.solve(&mut vec![1.0; tree.parents.len()], &mut rhs);
        assert!(rhs.iter().all(|value| (value - 1.0).abs() < 1e-9));
    }
    let mut circle = segments;
    circle[COUNT - 1].parent = Some(0);
    assert_eq!(descendants(&circle, 7).len(), COUNT);
    assert_eq!(between(&circle, 0, 1).unwrap().len(), COUNT);
    assert!(matches!(
        errors(circle, Vec::new())[..],
        [MorphologyError::Loop { .. }]
    ));
}

fn with_parents(parents: &[Option<usize>]) -> Vec<Segment> {
    let segment = |parent: &Option<usize>| along_x(*parent, Some((0.0, 1.0)), (1.0, 1.0));
    parents.iter().map(segment).collect()
}

#[test]
fn sets_of_segments_end_at_what_does_not_exist() {
    let segments = with_parents(&[Some(1), Some(2), Some(1), Some(9), None, Some(4)]);
    assert_eq!(descendants(&segments, 4), [4, 5]);
    assert_eq!(descendants(&segments, 6), []);
    assert_eq!(descendants(&segments, 0), [0]);
    assert_eq!(between(&segments, 4, 0), None);
    assert_eq!(between(&segments, 4, 3), None);
    assert_eq!(between(&segments, 6, 6), None);
    assert_eq!(between(&segments, 5, 5), Some(vec![5]));
}

fn any_parents() -> impl Strategy<Value = Vec<Option<usize>>> {
    prop::collection::vec(prop::option::weighted(0.9, 0_usize..14), 1..12)
}

proptest! {
    #[test]
    fn descendants_are_those_with_a_path(parents in any_parents(), from in 0_usize..12) {
        let segments = with_parents(&parents);
        let has_path = |to: &usize| between(&segments, from, *to).is_some();
        let expected: Vec<usize> = (0..segments.len()).filter(has_path).collect();
        prop_assert_eq!(descendants(&segments, from), expected);
    }

    #[test]
    fn nothing_that_is_given_panics(
        parents in any_parents(),
        numbers in prop::collection::vec((-2.0..2.0, any::<f64>(), -1_i8..3), 12),
        sections in prop::collection::vec((prop::collection::vec(0_usize..13, 0..4), 0_usize..5), 0..4),
        strange in any::<bool>(),
    ) {
        let mut segments = with_parents(&parents);
        for (segment, (fraction, number, kind)) in segments.iter_mut().zip(numbers) {
            if strange {
                segment.fraction = fraction;
                segment.distal.diameter = number;
            }
            segment.distal.x += f64::from(kind);
            if kind == 0 {
                segment.proximal = None;
            }
        }
        let sections = sections.into_iter().map(|(segments, divisions)| section(segments, divisions));
        match Morphology::new(segments, sections.collect()) {
            Ok(morphology) => prop_assert!(morphology.compartments().iter().all(|own| own.area > 0.0)),
            Err(errors) => prop_assert!(!errors.is_empty()),
        }
    }
}
