//! What a NeuroML file must keep to beyond what its ComponentTypes declare: names that are plain
//! texts to LEMS, and numbers that a run does not use.

/// An attribute that names something inside the same larger element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// The larger elements.
    pub within: &'static [&'static str],
    /// The attribute, of any element inside.
    pub attribute: &'static str,
    /// The elements whose ids it may have.
    pub names: &'static str,
    /// Names that are always there.
    pub built_in: &'static [&'static str],
    /// Children without which what is named is empty; none if it has no content.
    pub filled_by: &'static [&'static str],
}

/// An attribute that repeats how many children there are, if there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The element.
    pub element: &'static str,
    /// Its attribute.
    pub attribute: &'static str,
    /// The children that it counts.
    pub children: &'static str,
}

/// An attribute of an element that says into what the paths of its children lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The attribute of the element.
    pub attribute: &'static str,
    /// The attributes of its children.
    pub paths: &'static [&'static str],
}

/// Children that make a tree: all but one of them have a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// The element.
    pub within: &'static str,
    /// Its children.
    pub nodes: &'static str,
    /// What those have inside that are not the root.
    pub parent: &'static str,
}

/// Segments of morphologies.
pub const TREES: &[Tree] = &[Tree {
    within: "morphology",
    nodes: "segment",
    parent: "parent",
}];

/// Names inside cells.
pub const NAMINGS: &[Naming] = &[
    Naming {
        within: &["cell", "cell2CaPools", "morphology"],
        attribute: "segment",
        names: "segment",
        built_in: &[],
        filled_by: &[],
    },
    Naming {
        within: &["cell", "cell2CaPools", "morphology"],
        attribute: "segmentGroup",
        names: "segmentGroup",
        built_in: &["all"],
        filled_by: &["member", "include", "path", "subTree"],
    },
];

/// Sizes of lists.
pub const COUNTS: &[Count] = &[Count {
    element: "population",
    attribute: "size",
    children: "instance",
}];

/// Populations that connections lead between.
pub const ENDS: &[End] = &[
    End {
        attribute: "presynapticPopulation",
        paths: &["preCellId", "preCell"],
    },
    End {
        attribute: "postsynapticPopulation",
        paths: &["postCellId", "postCell"],
    },
];
