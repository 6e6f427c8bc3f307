//! Areas, resistances, nodes and places, against formulas and against another program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::f64::consts::PI;

use lems_morphology::{Morphology, Point, Section, Segment};
use proptest::prelude::*;
use support::{
    along_x, areas, assert_all_close, assert_close, at, chain, cylinder, paths, point, section,
};

#[test]
fn a_frustum_has_a_slant_and_a_resistance() {
    let morphology = Morphology::new(chain(&[(0.0, 6.0), (4.0, 0.5)]), Vec::new()).unwrap();
    let (first, second, length): (f64, f64, f64) = (3e-6, 0.25e-6, 4e-6);
    let slant = (length * length + (first - second) * (first - second)).sqrt();
    let [compartment] = morphology.compartments() else {
        panic!("{morphology:?}");
    };
    assert_close(compartment.area, PI * (first + second) * slant, 1e-14);
    assert_close(compartment.length, length, 1e-14);
    assert_close(compartment.diameter, first + second, 1e-14);
    // The integral of dl / (π r²) has its middle elsewhere, but the same sum.
    let middle = (first + second) / 2.0;
    let expected = [
        0.0,
        length / 2.0 / (PI * first * middle),
        length / 2.0 / (PI * middle * second),
    ];
    assert_all_close(&paths(&morphology), &expected, 1e-14);
    assert_close(expected.iter().sum(), length / (PI * first * second), 1e-14);
}

#[test]
fn a_sphere_is_a_cylinder_of_its_area() {
    let sphere = along_x(None, Some((3.0, 20.0)), (3.0, 20.0));
    let child = along_x(Some(0), Some((3.0, 2.0)), (53.0, 2.0));
    let segments = vec![
        sphere,
        child.clone(),
        at(child.clone(), 0.0),
        at(child, 0.5),
    ];
    let morphology = Morphology::new(segments, Vec::new()).unwrap();
    let sphere = &morphology.compartments()[0];
    assert_close(sphere.area, PI * 20e-6 * 20e-6, 1e-14);
    assert_all_close(&[sphere.length, sphere.diameter], &[20e-6; 2], 1e-14);
    let half = 10e-6 / (PI * 10e-6 * 10e-6);
    assert_all_close(&paths(&morphology)[..3], &[0.0, half, half], 1e-14);
    // Children sit at the ends of the cylinder, or at its centre.
    let parents: Vec<_> = morphology.nodes().iter().map(|node| node.parent).collect();
    assert_eq!(
        parents,
        [
            None,
            Some(0),
            Some(1),
            Some(2),
            Some(3),
            Some(0),
            Some(5),
            Some(1),
            Some(7)
        ]
    );
    let distances: Vec<f64> = (0..4).map(|index| morphology.distance(index)).collect();
    assert_all_close(&distances, &[10e-6, 45e-6, 25e-6, 35e-6], 1e-14);
    assert!(morphology.spheres_without_membrane().is_empty());
}

#[test]
fn a_sphere_among_others_is_a_point() {
    let mut segments = chain(&[
        (0.0, 10.0),
        (10.0, 10.0),
        (10.0, 4.0),
        (30.0, 2.0),
        (30.0, 2.0),
    ]);
    segments[1].proximal = Some(segments[1].distal);
    let sections = vec![section([0], 1), section([1, 2, 3], 2)];
    let morphology = Morphology::new(segments, sections).unwrap();
    // The last segment only repeats a point.
    assert_eq!(morphology.spheres_without_membrane(), [1]);
    let without = chain(&[(10.0, 4.0), (30.0, 2.0)]);
    let without = Morphology::new(without, vec![section([0], 2)]).unwrap();
    assert_eq!(areas(&morphology)[1..], areas(&without));
    assert_eq!(paths(&morphology)[3..], paths(&without)[1..]);
    assert_eq!(morphology.coverage(&[1, 3]), []);
}

#[test]
fn a_segment_without_length_between_two_diameters_is_a_ring() {
    let segments = chain(&[(0.0, 4.0), (10.0, 4.0), (10.0, 1.0), (30.0, 1.0)]);
    for divisions in [1, 3] {
        let all = vec![section(0..3, divisions)];
        let morphology = Morphology::new(segments.clone(), all).unwrap();
        let ring = PI * (2e-6 * 2e-6 - 0.5e-6 * 0.5e-6);
        let area = PI * 4e-6 * 10e-6 + ring + PI * 1e-6 * 20e-6;
        assert_close(areas(&morphology).iter().sum(), area, 1e-14);
        let resistance = 10e-6 / (PI * 2e-6 * 2e-6) + 20e-6 / (PI * 0.5e-6 * 0.5e-6);
        assert_close(paths(&morphology).iter().sum(), resistance, 1e-14);
        assert!(morphology.spheres_without_membrane().is_empty());
    }
}

#[test]
fn a_segment_without_proximal_point_begins_on_its_parent() {
    let parent = along_x(None, Some((0.0, 4.0)), (100.0, 2.0));
    let child = along_x(Some(0), None, (85.0, 1.0));
    let close_to_end = at(child.clone(), 0.99995);
    let segments = vec![parent, at(child.clone(), 0.25), close_to_end];
    let morphology = Morphology::new(segments, Vec::new()).unwrap();
    let compartments = morphology.compartments();
    assert_close(compartments[1].length, 60e-6, 1e-14);
    assert_close(compartments[1].diameter, (3.5e-6 + 1e-6) / 2.0, 1e-14);
    assert_close(compartments[2].length, 15e-6, 1e-14);
    assert_eq!(compartments[2].diameter, 1.5e-6);
    // The end of the parent section.
    assert_eq!(morphology.nodes()[compartments[2].node].parent, Some(2));
}

#[test]
fn a_proximal_point_inside_a_section_is_a_step() {
    let mut segments = chain(&[(0.0, 4.0), (10.0, 4.0), (20.0, 1.0)]);
    segments[1].proximal = Some(point(10.0, 0.0, 0.0, 1.0));
    let morphology = Morphology::new(segments, vec![section([0, 1], 1)]).unwrap();
    let [compartment] = morphology.compartments() else {
        panic!("{morphology:?}");
    };
    assert_close(compartment.area, PI * (4.0 + 1.0) * 10.0 * 1e-12, 1e-14);
    assert_close(compartment.diameter, 2.5e-6, 1e-14);
    let half = |radius: f64| 10e-6 / (PI * radius * radius);
    assert_all_close(&paths(&morphology), &[0.0, half(2e-6), half(0.5e-6)], 1e-14);
}

#[test]
fn rounded_ends_of_segments_leave_no_remnants() {
    // 0.1 + 0.2 is more than 0.3.
    let points: Vec<(f64, f64)> = (0..=10)
        .map(|index| (f64::from(index) * 0.1, 1.0))
        .collect();
    for divisions in [1, 2, 5, 10, 20, 30] {
        let morphology = Morphology::new(chain(&points), vec![section(0..10, divisions)]).unwrap();
        let pieces: usize = (morphology.compartments().iter())
            .map(|compartment| compartment.pieces.len())
            .sum();
        assert_eq!(pieces, divisions.max(10));
    }
    // A segment that ends a hundred-millionth too late.
    let points = [(0.0, 1.0), (10.0 + 1e-7, 1.0), (20.0, 1.0)];
    let morphology = Morphology::new(chain(&points), vec![section([0, 1], 2)]).unwrap();
    assert_eq!(morphology.compartments()[1].pieces.len(), 2);
    assert_eq!(morphology.coverage(&[0]), [(0, 1.0)]);
    assert_eq!(morphology.coverage(&[1]), [(1, 1.0)]);
}

#[test]
fn a_location_at_a_border_belongs_to_the_compartment_behind_it() {
    let morphology = cylinder(100.0, 1.0, 5);
    let node = |fraction| morphology.node_at(0, fraction).unwrap();
    assert_eq!([0.0, 1.0].map(node), [0, 6]);
    assert_eq!(
        [1e-300, 0.1, 0.2, 0.4, 0.6, 0.8].map(node),
        [1, 1, 2, 3, 4, 5]
    );
    assert_eq!(
        [0.19999, 0.39999, 0.6 - 1e-7, 0.999999, 1.0 - 1e-16].map(node),
        [1, 2, 3, 5, 5]
    );
    for strange in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(morphology.node_at(0, strange), None);
    }
    assert_eq!(morphology.node_at(1, 0.5), None);
    // The sums of lengths are rounded.
    for divisions in 1..=60 {
        let points: Vec<(f64, f64)> = (0..=divisions)
            .map(|index| (index as f64 * 0.7, 1.0))
            .collect();
        let sections = vec![section(0..divisions, divisions)];
        let morphology = Morphology::new(chain(&points), sections).unwrap();
        for segment in 0..divisions {
            // The ends of the section are nodes of their own; node 0 and the last one.
            let start = if segment == 0 { 0 } else { segment + 1 };
            assert_eq!(morphology.node_at(segment, 0.0), Some(start));
            assert_eq!(morphology.node_at(segment, 0.5), Some(segment + 1));
            assert_eq!(morphology.node_at(segment, 1.0), Some(segment + 2));
        }
    }
}

#[test]
fn the_0_end_of_a_section_is_the_node_that_it_is_attached_to() {
    let trunk = along_x(None, Some((0.0, 2.0)), (90.0, 2.0));
    let child = |parent, fraction| {
        at(
            along_x(Some(parent), Some((0.0, 1.0)), (50.0, 1.0)),
            fraction,
        )
    };
    let segments = vec![
        trunk,
        child(0, 0.5),
        child(1, 0.0),
        child(0, 1.0),
        child(0, 0.0),
    ];
    let morphology = Morphology::new(segments, vec![section([0], 3)]).unwrap();
    // Nodes 1 to 3 are the trunk's centres, 4 is its end.
    let starts: Vec<_> = (0..5)
        .map(|segment| morphology.node_at(segment, 0.0))
        .collect();
    assert_eq!(starts, [0, 2, 2, 4, 0].map(Some));
    let ends: Vec<_> = (0..5)
        .map(|segment| morphology.node_at(segment, 1.0))
        .collect();
    assert_eq!(ends, [4, 6, 8, 10, 12].map(Some));
    // No resistance between the centre and the place in its compartment.
    assert_close(paths(&morphology)[5], 25e-6 / (PI * 0.25e-12), 1e-14);
}

#[test]
fn sections_keep_their_order_but_parents_come_first() {
    let segments = vec![
        along_x(Some(2), Some((20.0, 1.0)), (30.0, 1.0)),
        along_x(Some(3), Some((0.0, 1.0)), (50.0, 1.0)),
        along_x(Some(3), Some((10.0, 1.0)), (20.0, 1.0)),
        along_x(None, Some((0.0, 1.0)), (10.0, 1.0)),
    ];
    let declared = vec![section([1], 2)];
    let morphology = Morphology::new(segments, declared).unwrap();
    let of_sections: Vec<_> = (morphology.compartments().iter())
        .map(|compartment| morphology.sections()[compartment.section].segments[0])
        .collect();
    assert_eq!(of_sections, [3, 1, 1, 2, 0]);
    let sections: Vec<_> = (morphology.sections().iter())
        .map(|section| section.segments[0])
        .collect();
    assert_eq!(sections, [1, 0, 2, 3]);
    assert_eq!(morphology.section_of(3), Some(3));
}

#[test]
fn distances_begin_at_the_root() {
    let trunk = along_x(None, Some((0.0, 2.0)), (100.0, 2.0));
    let branch = at(along_x(Some(0), None, (30.0, 1.0)), 0.3);
    let mut branch_of_two = vec![trunk, branch];
    branch_of_two[1].distal = point(30.0, 40.0, 0.0, 1.0);
    let mut last = along_x(Some(1), None, (0.0, 1.0));
    last.distal = point(30.0, 100.0, 0.0, 1.0);
    branch_of_two.push(last);
    let sections = vec![section([0], 1), section([1, 2], 4)];
    let morphology = Morphology::new(branch_of_two, sections).unwrap();
    let distances: Vec<f64> = (0..5).map(|index| morphology.distance(index)).collect();
    let expected = [50e-6, 42.5e-6, 67.5e-6, 92.5e-6, 117.5e-6];
    assert_all_close(&distances, &expected, 1e-14);
    assert!(morphology.distance(5).is_nan());
    let (low, high) = morphology.distance_range(&[2]).unwrap();
    assert_all_close(&[low, high], &[70e-6, 130e-6], 1e-14);
    let (low, high) = morphology.distance_range(&[2, 0]).unwrap();
    assert_eq!(low, 0.0);
    assert_close(high, 130e-6, 1e-14);
    assert_eq!(morphology.distance_range(&[]), None);
    assert_eq!(morphology.distance_range(&[3]), None);
}

#[test]
fn coverage_is_by_area() {
    let morphology = Morphology::new(
        chain(&[(0.0, 2.0), (10.0, 2.0), (30.0, 2.0), (40.0, 2.0)]),
        vec![section([0, 1, 2], 2)],
    )
    .unwrap();
    let coverage = |segments: &[usize]| {
        let shares = morphology.coverage(segments);
        shares
            .into_iter()
            .map(|(index, share)| (index, (share * 1e12).round() / 1e12))
            .collect::<Vec<_>>()
    };
    assert_eq!(coverage(&[1]), [(0, 0.5), (1, 0.5)]);
    assert_eq!(coverage(&[0]), [(0, 0.5)]);
    assert_eq!(coverage(&[2, 2, 7]), [(1, 0.5)]);
    assert_eq!(morphology.coverage(&[1, 0]), [(0, 1.0), (1, 0.5)]);
    assert_eq!(morphology.coverage(&[]), []);
}

/// Points (x, y, diameter) in µm, compartments, parent section and the place on it.
type Branch = (&'static [(f64, f64, f64)], usize, Option<(usize, f64)>);

/// Compares with areas in µm² and resistances to the parents in MΩ, at 100 Ω cm.
///
/// They are from a program in Python that was written apart from this one. With its numbers it gives the
/// voltages of a simulator of neurons to 4e-9 mV.
#[track_caller]
fn compare(branches: &[Branch], squares: &[f64], parents: &[usize], megohms: &[f64]) {
    let mut segments: Vec<Segment> = Vec::new();
    let mut sections: Vec<Section> = Vec::new();
    for (points, divisions, attached) in branches {
        let first = segments.len();
        for (index, link) in points.windows(2).enumerate() {
            let (parent, fraction) = match (index, attached) {
                (0, None) => (None, 1.0),
                // All parents here have one segment, or their last one is meant.
                (0, Some((parent, fraction))) => {
                    (sections[*parent].segments.last().copied(), *fraction)
                }
                _ => (Some(first + index - 1), 1.0),
            };
            let [from, to] = [link[0], link[1]].map(|(x, y, d)| point(x, y, 0.0, d));
            segments.push(Segment {
                id: 0,
                parent,
                fraction,
                proximal: (index == 0).then_some(from),
                distal: to,
            });
        }
        sections.push(section(first..segments.len(), *divisions));
    }
    let morphology = Morphology::new(segments, sections).unwrap();
    let squares: Vec<f64> = squares.iter().map(|area| area * 1e-12).collect();
    assert_all_close(&areas(&morphology), &squares, 1e-12);
    let nodes = morphology.nodes()[1..].iter();
    let found: Vec<_> = nodes.map(|node| node.parent.unwrap()).collect();
    assert_eq!(found, parents);
    let ohms: Vec<f64> = megohms.iter().map(|resistance| resistance * 1e6).collect();
    assert_all_close(&paths(&morphology)[1..], &ohms, 1e-12);
}

#[test]
fn a_branched_taper_is_that_of_another_program() {
    compare(
        &[
            (&[(0.0, 0.0, 20.0), (0.0, 20.0, 20.0)], 1, None),
            (&[(0.0, 20.0, 5.0), (0.0, 90.0, 2.0)], 1, Some((0, 1.0))),
            (&[(0.0, 90.0, 2.0), (0.0, 150.0, 1.0)], 1, Some((1, 1.0))),
            (&[(0.0, 90.0, 3.0), (60.0, 140.0, 0.5)], 1, Some((1, 1.0))),
            (&[(0.0, 0.0, 2.0), (0.0, -70.0, 0.8)], 1, Some((0, 0.0))),
        ],
        &AREAS_1,
        &[0, 1, 2, 3, 4, 5, 4, 7, 0, 9],
        &OHMS_1,
    );
}

#[test]
fn sections_of_several_segments_are_those_of_another_program() {
    compare(
        &[
            (&[(0.0, 0.0, 15.0), (15.0, 0.0, 15.0)], 1, None),
            (
                &[
                    (15.0, 0.0, 4.0),
                    (45.0, 0.0, 3.6),
                    (75.0, 0.0, 3.2),
                    (105.0, 0.0, 2.8),
                    (135.0, 0.0, 2.4),
                    (165.0, 0.0, 2.0),
                    (195.0, 0.0, 1.6),
                ],
                7,
                Some((0, 1.0)),
            ),
            (
                &[
                    (195.0, 0.0, 1.6),
                    (195.0, 25.0, 1.2),
                    (195.0, 50.0, 1.2),
                    (195.0, 75.0, 1.2),
                ],
                1,
                Some((1, 1.0)),
            ),
        ],
        &AREAS_2,
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        &OHMS_2,
    );
}

#[test]
fn sections_along_their_parents_are_those_of_another_program() {
    compare(
        &[
            (&[(0.0, 0.0, 20.0), (0.0, 60.0, 20.0)], 3, None),
            (&[(10.0, 18.0, 3.0), (110.0, 18.0, 3.0)], 5, Some((0, 0.3))),
            (&[(60.0, 18.0, 2.0), (60.0, -80.0, 1.0)], 3, Some((1, 0.5))),
            (&[(110.0, 18.0, 3.0), (210.0, 18.0, 1.5)], 3, Some((1, 1.0))),
            (&[(0.0, 0.0, 2.0), (0.0, -90.0, 2.0)], 3, Some((0, 0.0))),
        ],
        &AREAS_3,
        &[
            0, 1, 2, 3, 1, 5, 6, 7, 8, 9, 7, 11, 12, 13, 10, 15, 16, 17, 0, 19, 20, 21,
        ],
        &OHMS_3,
    );
}

const AREAS_1: [f64; 5] = [
    1256.6370614359173,
    769.8668944348067,
    282.75315612968745,
    429.44589277001523,
    307.8873895776305,
];

const OHMS_1: [f64; 10] = [
    0.031830988618379075,
    0.031830988618379075,
    2.5464790894703255,
    6.366197723675814,
    12.732395447351628,
    25.464790894703256,
    9.47077975392318,
    56.824678523539085,
    15.915494309189537,
    39.78873577297383,
];

const AREAS_2: [f64; 9] = [
    706.8583470577034,
    309.29346399811686,
    281.59554184903175,
    253.89761969994655,
    226.19969755086163,
    198.50177540177648,
    170.80385325269125,
    143.10593110360634,
    298.4548206185068,
];

const OHMS_2: [f64; 12] = [
    0.04244131815783876,
    0.04244131815783876,
    1.0689511103187002,
    2.453330417124885,
    2.9886025081339507,
    3.7205051631871653,
    4.758785673844049,
    6.302175622117795,
    8.741727475840804,
    5.775784225109109,
    27.631066509009603,
    33.15727981081153,
];

const AREAS_3: [f64; 17] = [
    1256.6370614359173,
    1256.6370614359173,
    1256.6370614359173,
    188.49555921538757,
    188.49555921538757,
    188.49555921538757,
    188.49555921538757,
    188.49555921538757,
    188.14894215285028,
    153.94004357960475,
    119.73114500635928,
    287.9874258837295,
    235.62607572305143,
    183.2647255623733,
    188.49555921538757,
    188.49555921538757,
    188.49555921538757,
];

const OHMS_3: [f64; 22] = [
    0.031830988618379075,
    0.06366197723675815,
    0.06366197723675815,
    0.031830988618379075,
    1.4147106052612919,
    2.8294212105225838,
    2.8294212105225838,
    2.8294212105225838,
    2.8294212105225838,
    1.4147106052612919,
    5.671703426547544,
    15.12454247079345,
    23.767138168389693,
    17.825353626292287,
    2.572201100475076,
    6.859202934600203,
    10.778747468657466,
    8.084060601493093,
    4.774648292756861,
    9.549296585513723,
    9.549296585513723,
    4.774648292756861,
];

/// A chain whose segments have lengths, diameters at both ends (in µm) and directions.
fn random_chain() -> impl Strategy<Value = (Vec<Segment>, usize)> {
    let link = (0.01..100.0, 0.1..20.0, 0.1..20.0, any::<bool>(), 0.0..6.3);
    (prop::collection::vec(link, 1..20), 1_usize..60).prop_map(|(links, divisions)| {
        let mut segments: Vec<Segment> = Vec::new();
        let mut end = point(0.0, 0.0, 0.0, 3.0);
        for (index, (length, first, second, steps, angle)) in links.into_iter().enumerate() {
            let proximal = Point {
                diameter: first * 1e-6,
                ..end
            };
            let distal = Point {
                x: end.x + length * 1e-6 * lems_math::cos(angle),
                y: end.y + length * 1e-6 * lems_math::sin(angle),
                z: 1e-6,
                diameter: second * 1e-6,
            };
            segments.push(Segment {
                id: 0,
                parent: index.checked_sub(1),
                fraction: 1.0,
                proximal: (index == 0 || steps).then_some(proximal),
                distal,
            });
            end = distal;
        }
        (segments, divisions)
    })
}

/// A tree of segments in any order, with sections along some of its branches.
fn random_tree() -> impl Strategy<Value = (Vec<Segment>, Vec<Section>)> {
    let node = (
        any::<prop::sample::Index>(),
        0_usize..6,
        -50.0..50.0,
        0.1..5.0,
        1_usize..5,
    );
    let order = prop::collection::vec(any::<u32>(), 40);
    (prop::collection::vec(node, 1..40), order).prop_map(|(nodes, order)| {
        // Where each segment is in the list.
        let mut places: Vec<usize> = (0..nodes.len()).collect();
        places.sort_by_key(|index| order[*index]);
        let mut segments: Vec<(usize, Segment)> = Vec::new();
        let mut sections: Vec<Section> = Vec::new();
        for (index, (parent, kind, y, diameter, divisions)) in nodes.into_iter().enumerate() {
            let parent = (index > 0).then(|| parent.index(index));
            let fraction = [0.0, 0.3, 1.0, 1.0, 1.0, 1.0][kind];
            let distal = point(10.0 * (index + 1) as f64, y, 0.0, diameter);
            segments.push((
                places[index],
                Segment {
                    id: 0,
                    parent: parent.map(|parent| places[parent]),
                    fraction,
                    proximal: (kind == 5 || index == 0).then(|| point(0.0, 0.0, y, diameter)),
                    distal,
                },
            ));
            let own = places[index];
            let follows = parent.and_then(|parent| {
                let is_last =
                    |section: &&mut Section| section.segments.last() == Some(&places[parent]);
                sections.iter_mut().find(is_last)
            });
            match follows {
                Some(section) if fraction == 1.0 => section.segments.push(own),
                _ if divisions > 1 => sections.push(section([own], divisions)),
                _ => {}
            }
        }
        segments.sort_by_key(|(place, _)| *place);
        (
            segments.into_iter().map(|(_, segment)| segment).collect(),
            sections,
        )
    })
}

proptest! {
    #[test]
    fn divisions_change_no_sum((segments, divisions) in random_chain()) {
        let count = segments.len();
        let whole = Morphology::new(segments.clone(), vec![section(0..count, 1)]).unwrap();
        let divided = Morphology::new(segments.clone(), vec![section(0..count, divisions)]).unwrap();
        assert_eq!(divided.compartments().len(), divisions);
        assert_eq!(divided.nodes().len(), divisions + 2);
        let whole_area = areas(&whole)[0];
        assert_close(areas(&divided).iter().sum(), whole_area, 1e-12);
        assert_close(paths(&divided).iter().sum(), paths(&whole).iter().sum(), 1e-12);
        let compartments = divided.compartments();
        let volume: f64 = compartments.iter().map(|own| own.length * own.diameter).sum();
        let own = &whole.compartments()[0];
        assert_close(volume, own.length * own.diameter, 1e-8);
        // All segments are there, in order and completely.
        let pieces: Vec<_> = compartments.iter().flat_map(|own| &own.pieces).collect();
        prop_assert!(pieces.len() < count + divisions);
        for segment in 0..count {
            let own: Vec<_> = pieces.iter().filter(|piece| piece.segment == segment).collect();
            assert_eq!((own[0].from, own[own.len() - 1].to), (0.0, 1.0));
            prop_assert!(own.windows(2).all(|two| two[0].to == two[1].from));
        }
        prop_assert!(pieces.is_sorted_by_key(|piece| piece.segment));
    }

    #[test]
    fn shares_of_all_segments_are_1_together((segments, divisions) in random_chain()) {
        let count = segments.len();
        let morphology = Morphology::new(segments, vec![section(0..count, divisions)]).unwrap();
        let mut sums = vec![0.0; divisions];
        for segment in 0..count {
            for (compartment, share) in morphology.coverage(&[segment]) {
                prop_assert!(0.0 < share && share <= 1.0);
                sums[compartment] += share;
            }
        }
        assert_all_close(&sums, &vec![1.0; divisions], 1e-12);
        let all: Vec<usize> = (0..count).collect();
        let expected: Vec<_> = (0..divisions).map(|index| (index, 1.0)).collect();
        prop_assert_eq!(morphology.coverage(&all), expected);
    }

    #[test]
    fn a_location_is_in_a_compartment_with_a_piece_there(
        (segments, divisions) in random_chain(),
        fraction in 0.001..0.999,
    ) {
        let count = segments.len();
        let morphology = Morphology::new(segments, vec![section(0..count, divisions)]).unwrap();
        for segment in 0..count {
            let node = morphology.node_at(segment, fraction).unwrap();
            let compartment = morphology.nodes()[node].compartment.unwrap();
            let pieces = &morphology.compartments()[compartment].pieces;
            let mut own = pieces.iter().filter(|piece| piece.segment == segment);
            prop_assert!(own.any(|piece| piece.from <= fraction + 1e-6 && fraction <= piece.to + 1e-6));
        }
    }

    #[test]
    fn the_nodes_of_a_tree_are_a_tree((segments, sections) in random_tree()) {
        let morphology = Morphology::new(segments.clone(), sections).unwrap();
        let (nodes, compartments) = (morphology.nodes(), morphology.compartments());
        assert_eq!(nodes.len(), compartments.len() + morphology.sections().len() + 1);
        for (index, node) in nodes.iter().enumerate() {
            prop_assert_eq!(node.parent.is_none(), index == 0);
            prop_assert!(node.parent.is_none_or(|parent| parent < index));
            prop_assert!(node.path.iter().all(|(own, value)| *own < compartments.len() && *value > 0.0));
            if let Some(compartment) = node.compartment {
                prop_assert_eq!(compartments[compartment].node, index);
            }
        }
        // Compartments have the order of their nodes, and are of one section each.
        prop_assert!(compartments.is_sorted_by_key(|compartment| compartment.node));
        let all: Vec<usize> = (0..segments.len()).collect();
        prop_assert_eq!(morphology.coverage(&all).len(), compartments.len());
        let (low, high) = morphology.distance_range(&all).unwrap();
        prop_assert_eq!(low, 0.0);
        for (index, compartment) in compartments.iter().enumerate() {
            let distance = morphology.distance(index);
            prop_assert!(low < distance && distance < high);
            let piece = compartment.pieces[0];
            prop_assert_eq!(morphology.section_of(piece.segment), Some(compartment.section));
        }
        // A child begins where its parent says.
        for (index, segment) in segments.iter().enumerate() {
            let Some(parent) = segment.parent else { continue };
            prop_assert_eq!(
                morphology.node_at(index, 0.0),
                morphology.node_at(parent, segment.fraction)
            );
        }
    }
}
