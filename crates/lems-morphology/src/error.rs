//! What can be wrong with a tree of segments.

use thiserror::Error;

/// A reason why segments and sections are no tree of compartments.
///
/// `segment` and `section` are indices into the lists that were given, and `id` is the segment's own
/// number. [`MorphologyError::segment`] and [`MorphologyError::section`] say what an error is about, so
/// that the caller can add a place in a file.
#[derive(Debug, Clone, PartialEq, Error)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum MorphologyError {
    /// There is nothing.
    #[error("there is no segment")]
    NoSegment,
    /// A parent is no element of the list.
    #[error("segment {id} has a parent that does not exist")]
    ParentOutOfRange {
        segment: usize,
        id: i64,
        parent: usize,
    },
    /// More than one segment has no parent.
    #[error("segment {id} has no parent, like segment {first_id}; all but one need one")]
    SeveralRoots {
        segment: usize,
        id: i64,
        first: usize,
        first_id: i64,
    },
    /// A segment is an ancestor of itself.
    #[error("segment {id} is its own ancestor")]
    Loop { segment: usize, id: i64 },
    /// The segment without a parent has no place to begin.
    #[error("segment {id} has no parent, so it needs a proximal point")]
    NoProximal { segment: usize, id: i64 },
    /// The fraction along the parent is not between 0 and 1.
    #[error("segment {id} begins at {fraction} of its parent, which is not between 0 and 1")]
    WrongFraction {
        segment: usize,
        id: i64,
        fraction: f64,
    },
    /// A coordinate or diameter is not a finite number.
    #[error("segment {id} has a point whose {what} is {value}, which is not a finite number")]
    NotFinite {
        segment: usize,
        id: i64,
        what: &'static str,
        value: f64,
    },
    /// A diameter is below 0.
    #[error("segment {id} has the diameter {diameter:e} m, which is negative")]
    NegativeDiameter {
        segment: usize,
        id: i64,
        diameter: f64,
    },
    /// A diameter is 0, so the axial resistance is infinite.
    #[error("segment {id} has a diameter of 0, so no current could pass")]
    ZeroDiameter { segment: usize, id: i64 },
    /// A length or diameter is so far from those of neurons that products of it would overflow.
    #[error("segment {id} has {what} {value:e} m, which is too large or too small to compute with")]
    OutOfRange {
        segment: usize,
        id: i64,
        what: &'static str,
        value: f64,
    },
    /// The segment has no length, and its diameters differ.
    #[error("segment {id} has no length but two diameters, {proximal:e} m and {distal:e} m")]
    NoLength {
        segment: usize,
        id: i64,
        proximal: f64,
        distal: f64,
    },
    /// A section of several segments has no length, so there is nothing to divide.
    #[error("segment {id} and those that follow it in a section have no length between them")]
    SectionWithoutLength {
        segment: usize,
        id: i64,
        section: usize,
    },
    /// A section has no segments.
    #[error("the section has no segments")]
    EmptySection { section: usize },
    /// A section has no compartments.
    #[error("the section is divided into 0 compartments")]
    ZeroDivisions { section: usize },
    /// A section contains the index of no segment.
    #[error("the section contains a segment that does not exist")]
    SegmentOutOfRange { section: usize, segment: usize },
    /// A segment is twice in one section, or in two sections.
    #[error("segment {id} is in more than one section, or twice in one")]
    InTwoSections {
        segment: usize,
        id: i64,
        first: usize,
        second: usize,
    },
    /// A segment of a section is not the child of the one before.
    #[error("segment {id} follows segment {before_id} in a section but is not its child")]
    NotConsecutive {
        section: usize,
        segment: usize,
        id: i64,
        before: usize,
        before_id: i64,
    },
    /// A segment of a section does not begin at the end of the one before, so the section is branched.
    #[error(
        "segment {id} begins at {fraction} of segment {before_id}, before its end, but follows it in \
         a section"
    )]
    NotAtEnd {
        section: usize,
        segment: usize,
        id: i64,
        before_id: i64,
        fraction: f64,
    },
    /// The sections have more compartments together than is allowed.
    #[error("the sections have {compartments} compartments; at most {limit} are possible")]
    TooManyCompartments { compartments: usize, limit: usize },
}

impl MorphologyError {
    /// The index of the segment that the error is about.
    pub fn segment(&self) -> Option<usize> {
        match *self {
            Self::ParentOutOfRange { segment, .. }
            | Self::SeveralRoots { segment, .. }
            | Self::Loop { segment, .. }
            | Self::NoProximal { segment, .. }
            | Self::WrongFraction { segment, .. }
            | Self::NotFinite { segment, .. }
            | Self::NegativeDiameter { segment, .. }
            | Self::ZeroDiameter { segment, .. }
            | Self::OutOfRange { segment, .. }
            | Self::NoLength { segment, .. }
            | Self::SectionWithoutLength { segment, .. }
            | Self::InTwoSections { segment, .. }
            | Self::NotConsecutive { segment, .. }
            | Self::NotAtEnd { segment, .. } => Some(segment),
            Self::NoSegment
            | Self::EmptySection { .. }
            | Self::ZeroDivisions { .. }
            | Self::SegmentOutOfRange { .. }
            | Self::TooManyCompartments { .. } => None,
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoSegment => "add a segment with the two ends of the soma",
            Self::ParentOutOfRange { .. } => "name a segment of this cell",
            Self::SeveralRoots { .. } => "give it the segment that it grows from as its parent",
            Self::Loop { .. } => "follow the parents from here: one of them must lead to the root",
            Self::NoProximal { .. } => "give it the point where the cell begins",
            Self::WrongFraction { .. } => "0 is where the parent begins, and 1 where it ends",
            Self::NotFinite { .. } => "coordinates and diameters are numbers in micrometres",
            Self::NegativeDiameter { .. } => "a diameter is a positive number of micrometres",
            Self::ZeroDiameter { .. } => {
                "let it taper to a small diameter, such as 0.1, instead of a point"
            }
            Self::OutOfRange { .. } => "coordinates and diameters are in micrometres",
            Self::NoLength { .. } => {
                "move its end, or make a sphere of it: one point, one diameter"
            }
            Self::SectionWithoutLength { .. } => "leave segments out that only repeat a point",
            Self::EmptySection { .. } => "give it a segment",
            Self::ZeroDivisions { .. } => "give it one compartment at least",
            Self::SegmentOutOfRange { .. } => "name a segment of this cell",
            Self::InTwoSections { .. } => "leave it in the one section that it belongs to",
            Self::NotConsecutive { .. } => {
                "a section has no fork and no gap: let each of its segments be the parent of the next"
            }
            Self::NotAtEnd { .. } => "begin another section with it",
            Self::TooManyCompartments { .. } => "are the numbers of compartments right?",
        }
    }

    /// The index of the declared section that the error is about; the second one if there are two.
    pub fn section(&self) -> Option<usize> {
        match *self {
            Self::SectionWithoutLength { section, .. }
            | Self::EmptySection { section }
            | Self::ZeroDivisions { section }
            | Self::SegmentOutOfRange { section, .. }
            | Self::InTwoSections {
                second: section, ..
            }
            | Self::NotConsecutive { section, .. }
            | Self::NotAtEnd { section, .. } => Some(section),
            _ => None,
        }
    }
}
