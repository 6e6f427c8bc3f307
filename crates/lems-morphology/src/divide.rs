//! One section as compartments.

use crate::frustum::Frustum;

/// A part of a compartment that lies on one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// The index of the segment.
    pub segment: usize,
    /// Where on the segment the piece begins, as a fraction of its length.
    pub from: f64,
    /// Where on the segment the piece ends.
    pub to: f64,
    /// The membrane area, in square metres.
    pub area: f64,
}

/// A compartment of a section, with the two stretches from its centre to its borders.
pub(crate) struct Division {
    /// The parts of segments that it consists of.
    pub pieces: Vec<Piece>,
    /// The membrane area, in square metres.
    pub area: f64,
    /// The average of the diameter along the path, in metres.
    pub diameter: f64,
    /// The integral of dl / (π r²) from the 0 border to the centre, in 1/m.
    pub near: f64,
    /// The same from the centre to the 1 border.
    pub far: f64,
}

/// How much of a compartment a border may be away from the end of a segment and still be the same point.
///
/// Sums of the lengths of many segments are rounded, and so are the borders.
pub(crate) fn tolerance(segments: usize, divisions: usize) -> f64 {
    let rounding = segments as f64 * divisions as f64 * f64::EPSILON;
    (1e-9 + rounding).min(0.01)
}

/// Divides a chain of segments, given with their indices, into compartments of equal length.
pub(crate) fn divide(chain: &[(usize, Frustum)], divisions: usize) -> Vec<Division> {
    let total: f64 = chain.iter().map(|(_, frustum)| frustum.length).sum();
    let width = total / divisions as f64;
    let tolerance = tolerance(chain.len(), divisions) * width;
    let mut chain = chain.iter();
    let mut current = chain.next();
    // The path length at which the current segment begins, and how much of it is used up.
    let mut offset = 0.0;
    let mut from = 0.0;
    let mut compartments = Vec::with_capacity(divisions);
    for number in 0..divisions {
        let border = (number + 1) as f64 / divisions as f64 * total;
        let centre = (number as f64 + 0.5) / divisions as f64 * total;
        let is_last = number + 1 == divisions;
        let mut division = Division {
            pieces: Vec::new(),
            area: 0.0,
            diameter: 0.0,
            near: 0.0,
            far: 0.0,
        };
        let mut profile = 0.0;
        let mut length = 0.0;
        while let Some((segment, frustum)) = current {
            let end = offset + frustum.length;
            let to = if is_last || end <= border + tolerance {
                1.0
            } else {
                fraction(border - offset, frustum).max(from)
            };
            if to > from && frustum.has_area() {
                let middle = fraction(centre - offset, frustum).clamp(from, to);
                let area = frustum.area(from, to);
                division.area += area;
                division.near += frustum.path(from, middle);
                division.far += frustum.path(middle, to);
                profile += frustum.profile(from, to);
                length += frustum.length * (to - from);
                division.pieces.push(Piece {
                    segment: *segment,
                    from,
                    to,
                    area,
                });
            }
            if to < 1.0 {
                from = to;
                break;
            }
            current = chain.next();
            offset = end;
            from = 0.0;
            if !is_last && end >= border - tolerance {
                break;
            }
        }
        division.diameter = if length > 0.0 { profile / length } else { 0.0 };
        compartments.push(division);
    }
    compartments
}

/// A path length along a segment as a fraction of it.
fn fraction(path: f64, frustum: &Frustum) -> f64 {
    if frustum.length > 0.0 {
        (path / frustum.length).clamp(0.0, 1.0)
    } else {
        0.0
    }
}
