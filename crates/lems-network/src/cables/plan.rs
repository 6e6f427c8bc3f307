//! The compartments of a cell, and what lies in each of them.

use std::collections::HashMap;

use lems_model::{ComponentId, TypeId};
use lems_morphology::Morphology;
use rustc_hash::{FxHashMap, FxHashSet};

/// The compartments of one cell component, and what is where in them.
#[derive(Debug, Clone)]
pub struct CablePlan {
    /// The shape.
    pub morphology: Morphology,
    /// Index of each segment by its id.
    pub(super) segments: HashMap<i64, usize>,
    /// Component parts that are not everywhere: the share of each compartment that they cover.
    pub(super) covered: FxHashMap<ComponentId, FxHashMap<usize, f64>>,
    /// Components that are not part of any compartment.
    pub(super) outside: FxHashSet<ComponentId>,
    /// Components whose effect is per area, so that a point without area has none.
    pub(super) densities: FxHashSet<ComponentId>,
    /// The part of each compartment in what is counted, for components that are.
    pub(super) parts: FxHashMap<ComponentId, FxHashMap<usize, f64>>,
    /// Components that vary over the cell.
    pub(super) varying: FxHashMap<ComponentId, Varying>,
    /// Resistivity of the cytoplasm of each compartment, in ohm metres.
    pub(super) resistivity: Vec<f64>,
    /// The compartment that stands for the cell: that in the middle of segment 0.
    pub main: usize,
}

impl CablePlan {
    /// Whether the cell is more than one compartment.
    pub(crate) fn has_several(&self) -> bool {
        self.morphology.compartments().len() > 1
    }

    /// The share of a compartment that a component covers; none if it is not there. A point without
    /// membrane has the components of the compartment beside it, but nothing that is per area.
    pub(crate) fn share(&self, component: ComponentId, place: CablePlace) -> Option<f64> {
        if self.outside.contains(&component) {
            return None;
        }
        let share = match self.covered.get(&component) {
            Some(covered) => covered.get(&place.compartment()).copied(),
            None => Some(1.0),
        };
        let is_end = matches!(place, CablePlace::End { .. });
        share.filter(|_| !(is_end && self.densities.contains(&component)))
    }

    /// The part of what a component counts that is in a compartment.
    pub(crate) fn part(&self, component: ComponentId, place: CablePlace) -> Option<f64> {
        let CablePlace::Compartment(compartment) = place else {
            return None;
        };
        self.parts.get(&component)?.get(&compartment).copied()
    }

    /// How a component varies, if it does.
    pub(crate) fn varying(&self, component: ComponentId) -> Option<&Varying> {
        self.varying.get(&component)
    }

    /// Index of a segment by its id.
    pub fn segment(&self, id: i64) -> Option<usize> {
        self.segments.get(&id).copied()
    }

    /// The node at a fraction along a segment.
    pub fn node_at(&self, segment: usize, fraction: f64) -> Option<usize> {
        self.morphology.node_at(segment, fraction)
    }

    /// Where an instance for a node is.
    pub(crate) fn place(&self, node: usize) -> Option<CablePlace> {
        let nodes = self.morphology.nodes();
        let found = nodes.get(node)?;
        if let Some(compartment) = found.compartment {
            return Some(CablePlace::Compartment(compartment));
        }
        // The neighbour of an end: its parent, or a child if it is the root.
        let parent = found.parent.and_then(|parent| nodes.get(parent));
        let child = || nodes.iter().find(|other| other.parent == Some(node));
        let beside = parent.or_else(child)?.compartment?;
        Some(CablePlace::End { beside })
    }

    /// The segments that the compartment of a node is on, or the one beside it.
    pub(super) fn segments_at(&self, node: usize) -> impl Iterator<Item = usize> {
        let place = self.place(node).map(CablePlace::compartment);
        let compartment = place.and_then(|place| self.morphology.compartments().get(place));
        let pieces = compartment.into_iter().flat_map(|found| &found.pieces);
        pieces.map(|piece| piece.segment)
    }

    /// Conductance between a node and its parent, in siemens; 0 for a root.
    pub fn conductance(&self, node: usize) -> f64 {
        let Some(node) = self.morphology.nodes().get(node) else {
            return 0.0;
        };
        let resistance: f64 = (node.path.iter())
            .map(|(compartment, path)| {
                path * self.resistivity.get(*compartment).copied().unwrap_or(1.0)
            })
            .sum();
        match node.parent {
            Some(_) => 1.0 / resistance,
            None => 0.0,
        }
    }
}

/// A component that has another value of a parameter in each compartment.
#[derive(Debug, Clone)]
pub(crate) struct Varying {
    /// The type whose equations hold.
    pub kind: TypeId,
    /// The parameter.
    pub parameter: String,
    /// Its value in each compartment, in SI units.
    pub values: FxHashMap<usize, f64>,
}

/// What an instance of a cell stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CablePlace {
    /// A piece of membrane.
    Compartment(usize),
    /// A point without membrane, beside a compartment.
    End { beside: usize },
}

impl CablePlace {
    /// The compartment, or the one beside the point.
    pub fn compartment(self) -> usize {
        match self {
            CablePlace::Compartment(compartment)
            | CablePlace::End {
                beside: compartment,
            } => compartment,
        }
    }
}
