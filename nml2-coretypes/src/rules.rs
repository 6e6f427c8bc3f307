//! What a NeuroML file must keep to beyond what its ComponentTypes declare and its
//! [structure](crate::STRUCTURE) allows: names that are plain texts to LEMS, and numbers that a run
//! does not use. A rule says whether a file that breaks it is refused; otherwise it is doubtful only.

/// An attribute that names something inside the same larger element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// The larger elements.
    pub within: &'static [&'static str],
    /// The elements that have the attribute; any if none is listed. The first rule for an
    /// attribute is taken.
    pub of: &'static [&'static str],
    /// The attribute.
    pub attribute: &'static str,
    /// The elements whose ids it may have.
    pub names: &'static str,
    /// Names that are always there.
    pub built_in: &'static [&'static str],
    /// Children without which what is named is empty; none if it has no content.
    pub filled_by: &'static [&'static str],
    /// Whether a file with an unknown name is refused.
    pub refused: bool,
}

/// An attribute that repeats how many children there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The element.
    pub element: &'static str,
    /// Its attribute.
    pub attribute: &'static str,
    /// The children that it counts.
    pub children: &'static str,
    /// An attribute and its value with which the children must be there; others may be without.
    pub listed: (&'static str, &'static str),
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
    /// What the root has inside: it has no parent to take it from.
    pub root: &'static str,
    /// The elements in which something else is refused.
    pub refused_in: &'static [&'static str],
}

/// Children that need ids of their own, also if they are of different elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unique {
    /// The element.
    pub within: &'static str,
    /// Its children.
    pub elements: &'static [&'static str],
    /// What it is in; anything if none is listed.
    pub refused_in: &'static [&'static str],
}

/// Attributes with which a component has a top-level one as its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Borrowing {
    /// The component.
    pub element: &'static str,
    /// The attributes: names of elements.
    pub attributes: &'static [&'static str],
}

/// A child that an element cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Where the elements are.
    pub within: &'static [&'static str],
    /// The elements.
    pub elements: &'static [&'static str],
    /// The child.
    pub child: &'static str,
    /// Whether a file without it is refused; one that includes such a file is not.
    pub refused: bool,
}

/// An attribute with the id of a top-level component, which must be in the file or what it includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The larger elements.
    pub within: &'static [&'static str],
    /// The elements inside that have the attribute.
    pub elements: &'static [&'static str],
    /// The attribute.
    pub attribute: &'static str,
}

/// An element that does nothing where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misplaced {
    /// Where it is.
    pub within: &'static str,
    /// The element.
    pub element: &'static str,
    /// An attribute of it and its value.
    pub attribute: (&'static str, &'static str),
    /// The element whose child it should be.
    pub belongs: &'static str,
}

/// Connections between two populations of one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// What populations and connections are in.
    pub within: &'static str,
    /// The populations.
    pub populations: &'static str,
    /// Their attributes with the component and the number of members.
    pub component: &'static str,
    /// See `component`.
    pub size: &'static str,
    /// The elements that hold connections.
    pub projections: &'static [&'static str],
    /// Those whose paths are held against a form.
    pub connections: &'static [&'static str],
    /// Both ends.
    pub ends: [ConnectionEnd; 2],
    /// The components that have places inside, and what those are.
    pub cells: &'static str,
    /// See `cells`.
    pub segments: &'static str,
}

/// The attributes of one end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionEnd {
    /// Of the projection: the population.
    pub population: &'static str,
    /// Of the connection: the path to a member.
    pub path: &'static str,
    /// Of the connection: the segment; 0 if it is not there.
    pub segment: &'static str,
}

const CELLS: &[&str] = &["cell"];
const PARTS: &[&str] = &["cell", "cell2CaPools", "morphology"];
const CONTENTS: &[&str] = &["member", "include", "path", "subTree"];

/// Segments of morphologies.
pub const TREES: &[Tree] = &[Tree {
    within: "morphology",
    nodes: "segment",
    parent: "parent",
    root: "proximal",
    refused_in: CELLS,
}];

/// Names inside cells.
pub const NAMINGS: &[Naming] = &[
    Naming {
        within: CELLS,
        of: &["member"],
        attribute: "segment",
        names: "segment",
        built_in: &[],
        filled_by: &[],
        refused: true,
    },
    Naming {
        within: PARTS,
        of: &[],
        attribute: "segment",
        names: "segment",
        built_in: &[],
        filled_by: &[],
        refused: false,
    },
    Naming {
        within: CELLS,
        of: &["include"],
        attribute: "segmentGroup",
        names: "segmentGroup",
        built_in: &[],
        filled_by: CONTENTS,
        refused: true,
    },
    Naming {
        within: CELLS,
        of: &[
            "channelDensity",
            "channelDensityGHK",
            "channelDensityNernst",
        ],
        attribute: "segmentGroup",
        names: "segmentGroup",
        built_in: &["all"],
        filled_by: CONTENTS,
        refused: true,
    },
    Naming {
        within: PARTS,
        of: &[],
        attribute: "segmentGroup",
        names: "segmentGroup",
        built_in: &["all"],
        filled_by: CONTENTS,
        refused: false,
    },
];

/// Sizes of lists.
pub const COUNTS: &[Count] = &[Count {
    element: "population",
    attribute: "size",
    children: "instance",
    listed: ("type", "populationList"),
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

/// Elements of different names that share their ids, and parts of cells that are found by theirs.
pub const UNIQUES: &[Unique] = &[
    Unique {
        within: "network",
        elements: &[
            "population",
            "projection",
            "electricalProjection",
            "continuousProjection",
            "inputList",
        ],
        refused_in: &[],
    },
    Unique {
        within: "morphology",
        elements: &["segment"],
        refused_in: CELLS,
    },
    Unique {
        within: "morphology",
        elements: &["segmentGroup"],
        refused_in: CELLS,
    },
];

/// Parts of cells that stand in the file by themselves.
pub const BORROWINGS: &[Borrowing] = &[
    Borrowing {
        element: "cell",
        attributes: &["morphology", "biophysicalProperties"],
    },
    Borrowing {
        element: "cell2CaPools",
        attributes: &["morphology", "biophysicalProperties"],
    },
];

const BIOPHYSICS: &[&str] = &["biophysicalProperties", "biophysicalProperties2CaPools"];
const MEMBRANES: &[&str] = &["membraneProperties", "membraneProperties2CaPools"];

/// What the equations of cells read; only those of several compartments need the resistivity.
pub const NEEDS: &[Need] = &[
    Need {
        within: BIOPHYSICS,
        elements: MEMBRANES,
        child: "spikeThresh",
        refused: true,
    },
    Need {
        within: BIOPHYSICS,
        elements: MEMBRANES,
        child: "specificCapacitance",
        refused: true,
    },
    Need {
        within: BIOPHYSICS,
        elements: MEMBRANES,
        child: "initMembPotential",
        refused: true,
    },
    Need {
        within: BIOPHYSICS,
        elements: &["intracellularProperties", "intracellularProperties2CaPools"],
        child: "resistivity",
        refused: false,
    },
];

/// Attributes that say for which part of a cell an element is: it may stand once for each.
pub const PLACES: &[&str] = &["segmentGroup", "segment"];

/// What must be there with the file; what else is named may come with the file that includes it.
pub const REFERENCES: &[Reference] = &[
    Reference {
        within: &["network"],
        elements: &["population"],
        attribute: "component",
    },
    Reference {
        within: &["network"],
        elements: &["projection", "electricalConnection"],
        attribute: "synapse",
    },
    Reference {
        within: CELLS,
        elements: &[
            "channelDensity",
            "channelDensityGHK",
            "channelDensityNernst",
            "channelDensityNonUniform",
            "channelDensityNonUniformNernst",
        ],
        attribute: "ionChannel",
    },
    Reference {
        within: CELLS,
        elements: CELLS,
        attribute: "morphology",
    },
];

/// The old place of a number that simulators read elsewhere.
pub const MISPLACED: &[Misplaced] = &[Misplaced {
    within: "annotation",
    element: "property",
    attribute: ("tag", "numberInternalDivisions"),
    belongs: "segmentGroup",
}];

/// Chemical and electrical connections.
pub const CONNECTIONS: &[Connections] = &[Connections {
    within: "network",
    populations: "population",
    component: "component",
    size: "size",
    projections: &["projection", "electricalProjection"],
    connections: &["connection"],
    ends: [
        ConnectionEnd {
            population: "presynapticPopulation",
            path: "preCellId",
            segment: "preSegmentId",
        },
        ConnectionEnd {
            population: "postsynapticPopulation",
            path: "postCellId",
            segment: "postSegmentId",
        },
    ],
    cells: "cell",
    segments: "segment",
}];

/// Attributes with a path that some files write without the leading `../`.
pub const UNROOTED: &[&str] = &["preCellId", "postCellId", "preCell", "postCell", "target"];
