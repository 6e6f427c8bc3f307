//! Traced neurons in SWC files.
//!
//! An SWC file has a point on each line: its number, its type, x, y, z and radius in micrometres, and the
//! number of its parent (R. C. Cannon et al., J. Neurosci. Methods 84, 1998). [`read`] makes a [`Tracing`]
//! of it: a tree of tapered [`Piece`]s, grouped into unbranched [`Branch`]es.

mod branches;
mod error;
mod points;
mod soma;
#[cfg(test)]
mod tests;
mod tracing;

pub use error::SwcError;
pub use tracing::{Branch, Kind, Piece, Place, Tracing};

/// Reads an SWC file.
///
/// A branch begins at each fork and where the type changes; types 5 and 6, which mark forks and ends, count
/// as the type of their parents. A soma is one of these:
///
/// - one point: a sphere;
/// - three points, the second and third on opposite sides of the first at the distance of their radius
///   (NeuroMorpho.Org): the cylinder between those two, which has the area of the sphere;
/// - an outline, four points or more that come back to where they began: a sphere;
/// - anything else: the frusta between its points.
///
/// What grows from a soma begins at its own first point: the way there is inside the soma. Only a branch of one
/// point begins at the point of the soma.
///
/// # Errors
/// All lines that are no points; or else all reasons why the points are no tree.
pub fn read(text: &str) -> Result<Tracing, Vec<SwcError>> {
    let points = points::read(text)?;
    let tree = points::tree(&points)?;
    Ok(branches::trace(&points, tree))
}
