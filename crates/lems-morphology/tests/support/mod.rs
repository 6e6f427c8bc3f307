//! Short ways to write segments.

#![allow(dead_code, reason = "each test file uses some of it")]

use lems_morphology::{Morphology, MorphologyError, Point, Section, Segment};

/// A point in µm.
pub fn point(x: f64, y: f64, z: f64, diameter: f64) -> Point {
    let [x, y, z, diameter] = [x, y, z, diameter].map(|value| value * 1e-6);
    Point { x, y, z, diameter }
}

/// A segment along the first axis, from and to (position, diameter) in µm; its id is 100 + its position.
pub fn along_x(parent: Option<usize>, from: Option<(f64, f64)>, to: (f64, f64)) -> Segment {
    Segment {
        id: 100,
        parent,
        fraction: 1.0,
        proximal: from.map(|(x, diameter)| point(x, 0.0, 0.0, diameter)),
        distal: point(to.0, 0.0, 0.0, to.1),
    }
}

pub fn at(segment: Segment, fraction: f64) -> Segment {
    Segment {
        fraction,
        ..segment
    }
}

/// A chain of segments along the first axis through points (position, diameter) in µm.
pub fn chain(points: &[(f64, f64)]) -> Vec<Segment> {
    let links = points.windows(2).enumerate();
    let segment = |(index, link): (usize, &[(f64, f64)])| {
        let from = (index == 0).then_some(link[0]);
        along_x(index.checked_sub(1), from, link[1])
    };
    links.map(segment).collect()
}

pub fn section(segments: impl IntoIterator<Item = usize>, divisions: usize) -> Section {
    Section {
        segments: segments.into_iter().collect(),
        divisions,
    }
}

/// A cylinder of one section.
pub fn cylinder(length: f64, diameter: f64, divisions: usize) -> Morphology {
    let segments = chain(&[(0.0, diameter), (length, diameter)]);
    Morphology::new(segments, vec![section([0], divisions)]).unwrap()
}

pub fn errors(segments: Vec<Segment>, sections: Vec<Section>) -> Vec<MorphologyError> {
    Morphology::new(segments, sections).unwrap_err()
}

/// The integrals of dl / (π r²) of the nodes to their parents, in 1/m.
pub fn paths(morphology: &Morphology) -> Vec<f64> {
    let sum = |path: &[(usize, f64)]| path.iter().map(|(_, value)| value).sum();
    (morphology.nodes().iter())
        .map(|node| sum(&node.path))
        .collect()
}

pub fn areas(morphology: &Morphology) -> Vec<f64> {
    let compartments = morphology.compartments().iter();
    compartments.map(|compartment| compartment.area).collect()
}

#[track_caller]
pub fn assert_close(found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "{found} is not {expected}"
    );
}

#[track_caller]
pub fn assert_all_close(found: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?}\n{expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_close(*found, *expected, relative);
    }
}
