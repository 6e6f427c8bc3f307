//! The sections of a cell, found from the nodes of its cable.

use lems_ir::Cable;

/// A place in a cell: its section, and how far along it.
pub(crate) type Along = (usize, f64);

/// A section of a cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Branch {
    /// Where it begins on another section; the first one begins nowhere.
    pub parent: Option<Along>,
    /// Number of its compartments.
    pub divisions: usize,
}

/// The sections of a cable, and the place of each node.
///
/// The first node is the beginning of the first section. Then follow, section by section, the compartments
/// and the end, which is a point without membrane.
pub(crate) fn branches(cable: &Cable) -> (Vec<Branch>, Vec<Along>) {
    let mut branches: Vec<Branch> = Vec::new();
    let mut places: Vec<Along> = vec![(0, 0.0)];
    let mut first = 1;
    while let Some(node) = cable.nodes().get(first) {
        let rest = cable.nodes().iter().skip(first);
        let divisions = rest.take_while(|node| node.has_capacitance).count();
        let parent = node
            .parent
            .and_then(|parent| places.get(parent as usize).copied());
        let section = branches.len();
        let centre = |number: usize| (number as f64 + 0.5) / divisions as f64;
        places.extend((0..divisions).map(|number| (section, centre(number))));
        places.push((section, 1.0));
        branches.push(Branch {
            parent: parent.filter(|_| section > 0),
            divisions,
        });
        first += divisions + 1;
    }
    (branches, places)
}
