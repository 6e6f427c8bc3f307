//! Segments and sections as they are given, and sets of segments along the tree.

/// A point on the axis of a segment, with the diameter there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The position along the first axis, in metres.
    pub x: f64,
    /// The position along the second axis, in metres.
    pub y: f64,
    /// The position along the third axis, in metres.
    pub z: f64,
    /// The diameter, in metres.
    pub diameter: f64,
}

impl Point {
    /// The straight distance to another point, in metres.
    pub(crate) fn distance(&self, other: &Point) -> f64 {
        let [x, y, z] = [other.x - self.x, other.y - self.y, other.z - self.z];
        (x * x + y * y + z * z).sqrt()
    }

    /// The point at a fraction of the straight line to another point.
    pub(crate) fn towards(&self, other: &Point, fraction: f64) -> Point {
        // The ends are exact, so that what follows on one another is seen to do so.
        if fraction == 1.0 {
            return *other;
        }
        let between = |from: f64, to: f64| from + (to - from) * fraction;
        Point {
            x: between(self.x, other.x),
            y: between(self.y, other.y),
            z: between(self.z, other.z),
            diameter: between(self.diameter, other.diameter),
        }
    }
}

/// One segment as given in a file: a frustum between two points.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The number that the user has given to the segment. It is used in messages only.
    pub id: i64,
    /// The index of the parent in the list of segments; None for the root.
    pub parent: Option<usize>,
    /// Where on the parent the segment begins, from 0 at the parent's proximal point to 1 at its distal
    /// point. What is closer to 1 than 1e-4 is 1.
    pub fraction: f64,
    /// The point where the segment begins. Without one it begins on the parent, at `fraction`, with the
    /// diameter that the parent has there.
    pub proximal: Option<Point>,
    /// The point where the segment ends.
    pub distal: Point,
}

impl Segment {
    /// `fraction`, but 1 if it is close to 1.
    pub(crate) fn attachment(&self) -> f64 {
        if (self.fraction - 1.0).abs() < CLOSE_TO_END {
            1.0
        } else {
            self.fraction
        }
    }
}

/// How far from 1 a fraction along the parent may be and still mean its end.
const CLOSE_TO_END: f64 = 1e-4;

/// An unbranched chain of segments, divided into compartments of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The indices of the segments. Each one but the first begins at the end of the one before.
    pub segments: Vec<usize>,
    /// The number of compartments.
    pub divisions: usize,
}

/// A segment with all its descendants, in the order of the list.
///
/// The result is empty if there is no segment `from`. Parents that do not exist, or that form a loop, are
/// no error here: [`Morphology::new`](crate::Morphology::new) reports them. The time is linear in the
/// number of segments.
///
/// ```
/// # use lems_morphology::{Point, Segment, descendants};
/// # let distal = Point { x: 0.0, y: 0.0, z: 0.0, diameter: 1e-6 };
/// # let with_parent = |parent| Segment { id: 0, parent, fraction: 1.0, proximal: None, distal };
/// let segments = [Some(1), None, Some(0), Some(1)].map(with_parent);
/// assert_eq!(descendants(&segments, 0), [0, 2]);
/// ```
pub fn descendants(segments: &[Segment], from: usize) -> Vec<usize> {
    let mut known: Vec<Option<bool>> = vec![None; segments.len()];
    let Some(own) = known.get_mut(from) else {
        return Vec::new();
    };
    *own = Some(true);
    let mut climbed = Vec::new();
    for start in 0..segments.len() {
        // Climb to an ancestor about which the answer is known.
        let mut at = Some(start);
        let mut belongs = false;
        while let Some(index) = at {
            match known.get_mut(index) {
                Some(Some(answer)) => {
                    belongs = *answer;
                    break;
                }
                // In a loop that `from` is not part of, the climb ends here again, with `false`.
                Some(unknown) => *unknown = Some(false),
                None => break,
            }
            climbed.push(index);
            at = segments.get(index).and_then(|segment| segment.parent);
        }
        // What is true of the ancestor is true of all on the way.
        for index in climbed.drain(..) {
            if let Some(answer) = known.get_mut(index) {
                *answer = Some(belongs);
            }
        }
    }
    let belongs = |index: &usize| known.get(*index) == Some(&Some(true));
    (0..segments.len()).filter(belongs).collect()
}

/// The segments on the path along the tree from an ancestor down to a descendant, with both.
///
/// The result is None if `from` is not an ancestor of `to` and not `to` itself.
///
/// ```
/// # use lems_morphology::{Point, Segment, between};
/// # let distal = Point { x: 0.0, y: 0.0, z: 0.0, diameter: 1e-6 };
/// # let with_parent = |parent| Segment { id: 0, parent, fraction: 1.0, proximal: None, distal };
/// let segments = [None, Some(0), Some(1), Some(0)].map(with_parent);
/// assert_eq!(between(&segments, 0, 2), Some(vec![0, 1, 2]));
/// assert_eq!(between(&segments, 3, 2), None);
/// ```
pub fn between(segments: &[Segment], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut path = vec![to];
    let mut at = to;
    segments.get(from)?;
    while at != from {
        at = segments.get(at)?.parent?;
        path.push(at);
        // A loop that `from` is not part of.
        if path.len() > segments.len() {
            return None;
        }
    }
    path.reverse();
    Some(path)
}
