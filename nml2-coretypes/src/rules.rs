//! Rules for NeuroML files beyond the declarations of ComponentTypes and the
//! [structure](crate::STRUCTURE). They concern names that are plain texts to LEMS, and numbers that a
//! run does not use. Each rule says whether a file that breaks it is refused or only causes a warning.

/// An attribute that names something inside the same enclosing element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// The enclosing elements.
    pub within: &'static [&'static str],
    /// The elements that have the attribute; any element if the list is empty. The first rule that
    /// matches an attribute is used.
    pub of: &'static [&'static str],
    /// The attribute.
    pub attribute: &'static str,
    /// The elements whose ids the attribute may contain.
    pub names: &'static str,
    /// Names that always exist.
    pub built_in: &'static [&'static str],
    /// Children that give the named element its content: without any of them it is empty. The list is
    /// empty if the element has no content.
    pub filled_by: &'static [&'static str],
    /// Whether a file with an unknown name is refused.
    pub refused: bool,
}

/// An attribute that repeats the number of children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The element.
    pub element: &'static str,
    /// Its attribute.
    pub attribute: &'static str,
    /// The children that it counts.
    pub children: &'static str,
    /// An attribute and a value with which the children are required; otherwise they may be omitted.
    pub listed: (&'static str, &'static str),
}

/// An attribute of an element that names the element into which the paths of its children lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The attribute of the element.
    pub attribute: &'static str,
    /// The attributes of its children.
    pub paths: &'static [&'static str],
}

/// Children that form a tree: all except one have a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// The element.
    pub within: &'static str,
    /// Its children.
    pub nodes: &'static str,
    /// The child of every node except the root.
    pub parent: &'static str,
    /// The child that the root must have, because there is no parent to take it from.
    pub root: &'static str,
    /// The enclosing elements in which a violation is refused.
    pub refused_in: &'static [&'static str],
}

/// Children that need unique ids, even if they have different element names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unique {
    /// The element.
    pub within: &'static str,
    /// Its children.
    pub elements: &'static [&'static str],
    /// The enclosing elements in which a violation is refused; all if the list is empty.
    pub refused_in: &'static [&'static str],
}

/// Attributes by which a component uses a top-level component as if it were its child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Borrowing {
    /// The component.
    pub element: &'static str,
    /// The attributes: names of elements.
    pub attributes: &'static [&'static str],
}

/// A child that an element requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The enclosing elements.
    pub within: &'static [&'static str],
    /// The elements.
    pub elements: &'static [&'static str],
    /// The child.
    pub child: &'static str,
    /// Whether a file without it is refused. A file that includes such a file is not refused.
    pub refused: bool,
}

/// An attribute with the id of a top-level component. The component must be in the file or in a file
/// that it includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The enclosing elements.
    pub within: &'static [&'static str],
    /// The elements inside that have the attribute.
    pub elements: &'static [&'static str],
    /// The attribute.
    pub attribute: &'static str,
}

/// An element that has no effect in this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misplaced {
    /// The enclosing element.
    pub within: &'static str,
    /// The element.
    pub element: &'static str,
    /// One of its attributes, with a value.
    pub attribute: (&'static str, &'static str),
    /// The element whose child it should be.
    pub belongs: &'static str,
}

/// Connections between two populations of one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// The element that contains populations and connections.
    pub within: &'static str,
    /// The populations.
    pub populations: &'static str,
    /// The attribute of a population that names its component.
    pub component: &'static str,
    /// The attribute of a population with the number of members.
    pub size: &'static str,
    /// The elements that contain connections.
    pub projections: &'static [&'static str],
    /// The connections whose paths are checked.
    pub connections: &'static [&'static str],
    /// The attributes of both ends.
    pub ends: [ConnectionEnd; 2],
    /// The components that have places inside.
    pub cells: &'static str,
    /// The places inside of these components.
    pub segments: &'static str,
}

/// The attributes of one end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionEnd {
    /// The attribute of the projection that names the population.
    pub population: &'static str,
    /// The attribute of the connection with the path to a member.
    pub path: &'static str,
    /// The attribute of the connection with the segment; the default is 0.
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

/// Names inside of cells.
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

/// Attributes that name the populations between which connections lead.
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

/// Elements with different names that share one set of ids, and parts of cells that are found by id.
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

/// Parts of cells that may be at the top level of a file.
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

/// Children that the equations of cells read. Only cells with several compartments need the resistivity.
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

/// Attributes that name the part of a cell that an element is for. There may be one such element per
/// part.
pub const PLACES: &[&str] = &["segmentGroup", "segment"];

/// References that must be resolved within the file and its includes. Other references may be
/// resolved by a file that includes it.
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

/// The old place of a number, which simulators now read in another place.
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
