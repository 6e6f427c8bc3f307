//! Trees of segments as electrical compartments.
//!
//! A [`Segment`] is a frustum in space, attached to a parent. A [`Section`] is an unbranched chain of
//! segments, divided into compartments of equal length. A [`Morphology`] computes from both:
//!
//! - the [`Compartment`]s with their membrane areas;
//! - the tree of [`Node`]s, at which there are voltages, with the axial resistances between them;
//! - the node of a location, the share of a compartment that lies on some segments, path distances.
//!
//! All lengths are in metres, areas in square metres, resistances in ohm and conductances in siemens.
//! The crate knows no file format: the caller resolves names to indices, with [`descendants`] and
//! [`between`] where a set of segments is given by its ends. A file can contain anything, so no tree is
//! too deep and no number too strange: what has no meaning is a [`MorphologyError`].

mod divide;
mod error;
mod frustum;
mod morphology;
mod segment;
mod skeleton;

pub use divide::Piece;
pub use error::MorphologyError;
pub use morphology::{Compartment, MAX_COMPARTMENTS, Morphology, Node};
pub use segment::{Point, Section, Segment, between, descendants};
