//! Checks of segments and sections, and the geometry of each segment.

use crate::error::MorphologyError;
use crate::frustum::Frustum;
use crate::segment::{Point, Section, Segment};

/// What is known of the segments before they are divided.
pub(crate) struct Skeleton {
    /// For each segment: where it begins.
    pub starts: Vec<Point>,
    /// By segment. A sphere is the cylinder of the same area.
    pub frusta: Vec<Frustum>,
    /// The declared sections, then one for every segment that is in none.
    pub sections: Vec<Section>,
    /// For each segment: its section.
    pub section_of: Vec<usize>,
    /// The spheres that are not alone in their sections.
    pub without_membrane: Vec<usize>,
}

impl Skeleton {
    /// Checks everything that was given.
    pub fn new(
        segments: &[Segment],
        sections: Vec<Section>,
        limit: usize,
    ) -> Result<Self, Vec<MorphologyError>> {
        let mut errors = Vec::new();
        check_points(segments, &mut errors);
        let order = tree_order(segments, &mut errors);
        // With wrong points or without a tree, the rest would be wrong in consequence.
        if !errors.is_empty() {
            return Err(errors);
        }
        let proximals = proximals(segments, &order);
        let mut frusta = frusta(segments, &proximals, &mut errors);
        let (sections, section_of) = complete(segments, sections, limit, &mut errors);
        let without_membrane = spheres(segments, &sections, &proximals, &mut frusta, &mut errors);
        if errors.is_empty() {
            Ok(Skeleton {
                starts: proximals,
                frusta,
                sections,
                section_of,
                without_membrane,
            })
        } else {
            Err(errors)
        }
    }
}

/// Numbers 0 to `count` in their order, but every parent before its children; and one number of each loop.
///
/// What is in a loop, or below one, is not part of the order.
pub(crate) fn parents_first(
    count: usize,
    parent: impl Fn(usize) -> Option<usize>,
) -> (Vec<usize>, Vec<usize>) {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        Unseen,
        Climbed,
        Placed,
        BelowLoop,
    }
    let mut states = vec![State::Unseen; count];
    let mut order = Vec::with_capacity(count);
    let mut loops = Vec::new();
    let mut climbed = Vec::new();
    for start in 0..count {
        // Climb to an ancestor that has its place, or to the root.
        let mut at = Some(start);
        let mut result = State::Placed;
        while let Some(index) = at {
            match states.get_mut(index) {
                Some(state @ State::Unseen) => *state = State::Climbed,
                Some(State::Climbed) => {
                    loops.push(index);
                    result = State::BelowLoop;
                    break;
                }
                Some(State::BelowLoop) => {
                    result = State::BelowLoop;
                    break;
                }
                Some(State::Placed) | None => break,
            }
            climbed.push(index);
            at = parent(index);
        }
        // The last one that was reached is the first in the order.
        for index in climbed.drain(..).rev() {
            if let Some(state) = states.get_mut(index) {
                *state = result;
            }
            if result == State::Placed {
                order.push(index);
            }
        }
    }
    (order, loops)
}

/// The smallest and largest length or diameter. Products of a few of these do not overflow.
const RANGE: std::ops::RangeInclusive<f64> = 1e-60..=1e60;

fn check_points(segments: &[Segment], errors: &mut Vec<MorphologyError>) {
    for (segment, given) in segments.iter().enumerate() {
        let id = given.id;
        if !(0.0..=1.0).contains(&given.attachment()) {
            errors.push(MorphologyError::WrongFraction {
                segment,
                id,
                fraction: given.fraction,
            });
        }
        for point in given.proximal.iter().chain([&given.distal]) {
            let Point { x, y, z, diameter } = *point;
            let numbers = [("x", x), ("y", y), ("z", z), ("diameter", diameter)];
            let strange = numbers.iter().find(|(_, value)| !value.is_finite());
            let error = if let Some((what, value)) = strange {
                MorphologyError::NotFinite {
                    segment,
                    id,
                    what,
                    value: *value,
                }
            } else if diameter < 0.0 {
                MorphologyError::NegativeDiameter {
                    segment,
                    id,
                    diameter,
                }
            } else if diameter == 0.0 {
                MorphologyError::ZeroDiameter { segment, id }
            } else if !RANGE.contains(&diameter) {
                MorphologyError::OutOfRange {
                    segment,
                    id,
                    what: "the diameter",
                    value: diameter,
                }
            } else {
                continue;
            };
            errors.push(error);
        }
    }
}

/// The segments with every parent before its children.
fn tree_order(segments: &[Segment], errors: &mut Vec<MorphologyError>) -> Vec<usize> {
    if segments.is_empty() {
        errors.push(MorphologyError::NoSegment);
    }
    let mut root: Option<(usize, i64)> = None;
    for (segment, given) in segments.iter().enumerate() {
        let id = given.id;
        match (given.parent, root) {
            (Some(parent), _) if parent >= segments.len() => {
                errors.push(MorphologyError::ParentOutOfRange {
                    segment,
                    id,
                    parent,
                });
            }
            (Some(_), _) => {}
            (None, Some((first, first_id))) => errors.push(MorphologyError::SeveralRoots {
                segment,
                id,
                first,
                first_id,
            }),
            (None, None) => {
                root = Some((segment, id));
                if given.proximal.is_none() {
                    errors.push(MorphologyError::NoProximal { segment, id });
                }
            }
        }
    }
    let (order, loops) = parents_first(segments.len(), |index| segments.get(index)?.parent);
    for segment in loops {
        let id = segments.get(segment).map_or(0, |given| given.id);
        errors.push(MorphologyError::Loop { segment, id });
    }
    order
}

/// The points where the segments begin.
fn proximals(segments: &[Segment], order: &[usize]) -> Vec<Point> {
    // The distal points stand for those that are not known yet; the order fills in all of them.
    let mut proximals: Vec<Point> = segments.iter().map(|segment| segment.distal).collect();
    for index in order {
        let Some(segment) = segments.get(*index) else {
            continue;
        };
        let on_parent = segment.parent.and_then(|parent| {
            let (start, end) = (proximals.get(parent)?, segments.get(parent)?.distal);
            Some(start.towards(&end, segment.attachment()))
        });
        let point = segment.proximal.or(on_parent);
        if let (Some(point), Some(proximal)) = (point, proximals.get_mut(*index)) {
            *proximal = point;
        }
    }
    proximals
}

fn frusta(
    segments: &[Segment],
    proximals: &[Point],
    errors: &mut Vec<MorphologyError>,
) -> Vec<Frustum> {
    let mut frusta = Vec::with_capacity(segments.len());
    for (segment, (given, proximal)) in segments.iter().zip(proximals).enumerate() {
        let (id, distal) = (given.id, given.distal);
        let length = proximal.distance(&distal);
        if length != 0.0 && !RANGE.contains(&length) {
            errors.push(MorphologyError::OutOfRange {
                segment,
                id,
                what: "the length",
                value: length,
            });
        }
        frusta.push(Frustum {
            start: proximal.diameter / 2.0,
            end: distal.diameter / 2.0,
            length,
        });
    }
    frusta
}

/// All sections, and the section of each segment.
fn complete(
    segments: &[Segment],
    mut sections: Vec<Section>,
    limit: usize,
    errors: &mut Vec<MorphologyError>,
) -> (Vec<Section>, Vec<usize>) {
    let mut section_of: Vec<Option<usize>> = vec![None; segments.len()];
    for (section, declared) in sections.iter().enumerate() {
        if declared.segments.is_empty() {
            errors.push(MorphologyError::EmptySection { section });
        }
        if declared.divisions == 0 {
            errors.push(MorphologyError::ZeroDivisions { section });
        }
        let mut before: Option<usize> = None;
        for &segment in &declared.segments {
            let (Some(given), Some(place)) = (segments.get(segment), section_of.get_mut(segment))
            else {
                errors.push(MorphologyError::SegmentOutOfRange { section, segment });
                before = None;
                continue;
            };
            let id = given.id;
            if let Some(first) = *place {
                errors.push(MorphologyError::InTwoSections {
                    segment,
                    id,
                    first,
                    second: section,
                });
            } else if let Some(before) = before {
                let before_id = segments.get(before).map_or(0, |given| given.id);
                if given.parent != Some(before) {
                    errors.push(MorphologyError::NotConsecutive {
                        section,
                        segment,
                        id,
                        before,
                        before_id,
                    });
                } else if given.attachment() != 1.0 {
                    errors.push(MorphologyError::NotAtEnd {
                        section,
                        segment,
                        id,
                        before_id,
                        fraction: given.fraction,
                    });
                }
            }
            *place = Some(section);
            before = Some(segment);
        }
    }
    let mut places = Vec::with_capacity(segments.len());
    for (segment, place) in section_of.into_iter().enumerate() {
        places.push(place.unwrap_or_else(|| {
            sections.push(Section {
                segments: vec![segment],
                divisions: 1,
            });
            sections.len() - 1
        }));
    }
    let divisions = sections.iter().map(|section| section.divisions);
    let compartments = divisions.fold(0, usize::saturating_add);
    if compartments > limit {
        errors.push(MorphologyError::TooManyCompartments {
            compartments,
            limit,
        });
    }
    (sections, places)
}

/// Makes cylinders of spheres, and finds the spheres that are not alone in their sections.
fn spheres(
    segments: &[Segment],
    sections: &[Section],
    proximals: &[Point],
    frusta: &mut [Frustum],
    errors: &mut Vec<MorphologyError>,
) -> Vec<usize> {
    let mut without_membrane = Vec::new();
    for (section, declared) in sections.iter().enumerate() {
        if let [segment] = declared.segments.as_slice()
            && let Some(frustum) = frusta.get_mut(*segment)
        {
            if !frustum.has_area() {
                frustum.length = frustum.start * 2.0;
            } else if frustum.length == 0.0 {
                errors.push(MorphologyError::NoLength {
                    segment: *segment,
                    id: segments.get(*segment).map_or(0, |given| given.id),
                    proximal: frustum.start * 2.0,
                    distal: frustum.end * 2.0,
                });
            }
            continue;
        }
        let mut length: f64 = 0.0;
        for &segment in &declared.segments {
            let (Some(given), Some(proximal), Some(frustum)) = (
                segments.get(segment),
                proximals.get(segment),
                frusta.get(segment),
            ) else {
                continue;
            };
            length += frustum.length;
            // A point that is in the list twice is no sphere.
            let parent = given.parent.and_then(|parent| segments.get(parent));
            let is_repeated = parent.is_some_and(|parent| parent.distal == *proximal);
            if !frustum.has_area() && given.proximal.is_some() && !is_repeated {
                without_membrane.push(segment);
            }
        }
        if length == 0.0
            && let Some(&segment) = declared.segments.first()
            && let Some(given) = segments.get(segment)
        {
            errors.push(MorphologyError::SectionWithoutLength {
                segment,
                id: given.id,
                section,
            });
        }
    }
    without_membrane.sort_unstable();
    without_membrane
}
