//! What can be wrong with an SWC file.

use std::ops::Range;

use thiserror::Error;

/// An error, or a warning, about an SWC file. Places are ranges of bytes of its text.
#[derive(Debug, Clone, PartialEq, Error)]
#[allow(missing_docs)]
pub enum SwcError {
    #[error("a point needs {expected} numbers, and this line has {found}")]
    Fields {
        expected: usize,
        found: usize,
        place: Range<usize>,
    },
    #[error("`{text}` is not {needed}: it is the {what} of the point")]
    NotANumber {
        text: String,
        what: &'static str,
        needed: &'static str,
        place: Range<usize>,
    },
    #[error("point {id} has the radius {radius}, which is not positive")]
    NoRadius {
        id: i64,
        radius: f64,
        place: Range<usize>,
    },
    #[error("there is no point")]
    NoPoint { place: Range<usize> },
    #[error("there are two points {id}")]
    Twice { id: i64, place: Range<usize> },
    #[error("point {id} has the parent {parent}, which does not exist")]
    NoParent {
        id: i64,
        parent: i64,
        place: Range<usize>,
    },
    #[error("point {id} is its own ancestor")]
    Loop { id: i64, place: Range<usize> },
    #[error("point {id} has no parent, like point {first}; all but one need one")]
    SeveralRoots {
        id: i64,
        first: i64,
        place: Range<usize>,
    },
    #[error("point {id} comes before its parent {parent}")]
    BeforeParent {
        id: i64,
        parent: i64,
        place: Range<usize>,
    },
    #[error("point {id} is where its parent {parent} is: there is no length between them")]
    OnParent {
        id: i64,
        parent: i64,
        place: Range<usize>,
    },
    #[error(
        "points {first} to {last} are the outline of a soma, which becomes a sphere of {diameter} um"
    )]
    Outline {
        first: i64,
        last: i64,
        diameter: f64,
        place: Range<usize>,
    },
}

impl SwcError {
    /// The stable number of the error: 140 is shown as `E0140`, or as `W0140` for a warning.
    pub fn code(&self) -> u16 {
        match self {
            Self::Fields { .. } | Self::NotANumber { .. } | Self::NoRadius { .. } => 140,
            Self::NoPoint { .. }
            | Self::Twice { .. }
            | Self::NoParent { .. }
            | Self::Loop { .. }
            | Self::SeveralRoots { .. } => 141,
            Self::BeforeParent { .. } | Self::OnParent { .. } | Self::Outline { .. } => 142,
        }
    }

    /// Where it is.
    pub fn place(&self) -> Range<usize> {
        match self {
            Self::Fields { place, .. }
            | Self::NotANumber { place, .. }
            | Self::NoRadius { place, .. }
            | Self::NoPoint { place, .. }
            | Self::Twice { place, .. }
            | Self::NoParent { place, .. }
            | Self::Loop { place, .. }
            | Self::SeveralRoots { place, .. }
            | Self::BeforeParent { place, .. }
            | Self::OnParent { place, .. }
            | Self::Outline { place, .. } => place.clone(),
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Fields { .. } => {
                "write: number, type, x, y, z, radius and the number of the parent"
            }
            Self::NotANumber { .. } => "decimals have a full stop; remarks begin with `#`",
            Self::NoRadius { .. } => "give the radius that the branch has there, in um",
            Self::NoPoint { .. } => "is this an SWC file?",
            Self::Twice { .. } => "give each point a number of its own",
            Self::NoParent { .. } => "name a point of this file, or -1 for the root",
            Self::Loop { .. } => "follow the parents from here: one of them must lead to the root",
            Self::SeveralRoots { .. } => {
                "join the pieces: give this point the parent that it grows from"
            }
            Self::BeforeParent { .. } => "the format wants parents first; here any order is read",
            Self::OnParent { .. } => "it is left out, and what grows from it grows from its parent",
            Self::Outline { .. } => {
                "the radius of the sphere is the mean distance of the points from their middle"
            }
        }
    }
}
