//! The compartments of a cell, and what lies in each of them.

use lems_document::Span;
use lems_expression::Dimension;
use lems_model::{ComponentId, Model, TypeId};
use lems_morphology::{MAX_COMPARTMENTS, Morphology};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::NetworkError;

/// The compartments of one cell component, and what is where in them.
#[derive(Debug, Clone)]
pub struct CablePlan {
    /// The shape.
    pub morphology: Morphology,
    /// Names and places of the sections, in the order of the shape's.
    pub sections: Vec<SectionName>,
    /// The groups of segments, in the order of the file: name and indices of segments.
    pub groups: Vec<(String, Vec<usize>)>,
    /// What is missing for a run. The shape can be shown without it.
    pub lacks: Vec<NetworkError>,
    /// What is legal in it, and probably a mistake.
    pub doubts: Vec<NetworkError>,
    /// Index of each segment by its id.
    pub(super) segments: FxHashMap<i64, usize>,
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
    /// Capacitance of the membrane of each compartment, in farads per square metre; NaN where nothing
    /// says it.
    pub(super) capacitance: Vec<f64>,
    /// The compartment that stands for the cell: that in the middle of segment 0.
    pub main: usize,
}

/// What a section is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionName {
    /// The name of its group, or of its only segment.
    pub name: String,
    /// Whether a group declares it.
    pub declared: bool,
    /// Where the group or the segment is.
    pub span: Span,
}

impl CablePlan {
    /// Whether the cell is more than one segment or compartment, which jLEMS refuses.
    pub fn has_several(&self) -> bool {
        self.morphology.compartments().len() > 1 || self.segments.len() > 1
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

    /// The number of compartments that a component is in; None if it is wherever that is which it is in.
    pub(crate) fn number_of(&self, component: ComponentId) -> Option<usize> {
        match self.outside.contains(&component) {
            true => Some(0),
            false => self.covered.get(&component).map(FxHashMap::len),
        }
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

    /// The share of a compartment that a component of the cell covers.
    pub fn share_in(&self, component: ComponentId, compartment: usize) -> f64 {
        match self.covered.get(&component) {
            Some(covered) => covered.get(&compartment).copied().unwrap_or(0.0),
            None => 1.0,
        }
    }

    /// Whether a component has parameters that are per membrane area.
    pub fn is_density(&self, component: ComponentId) -> bool {
        self.densities.contains(&component)
    }

    /// Whether it is a shape without anything in it.
    pub fn is_bare(&self) -> bool {
        self.covered.is_empty() && self.densities.is_empty()
    }

    /// Whether a component is about a part of the cell.
    pub fn is_somewhere(&self, component: ComponentId) -> bool {
        self.covered.contains_key(&component)
    }

    /// The parameter of a component that varies over the cell, with its dimension; None if no parameter does.
    pub fn varying_parameter(
        &self,
        component: ComponentId,
        model: &Model<'_>,
    ) -> Option<(&str, Option<Dimension>)> {
        let varying = self.varying.get(&component)?;
        let name = varying.parameter.as_str();
        let parameter = model.type_of(varying.kind).parameters.get(name)?;
        Some((name, parameter.dimension))
    }

    /// The value of that parameter in a compartment, in SI units, for as much of the membrane as the
    /// component covers; 0 where it is not.
    pub fn varying_value(&self, component: ComponentId, compartment: usize) -> f64 {
        let value =
            (self.varying.get(&component)).and_then(|varying| varying.values.get(&compartment));
        value.copied().unwrap_or(0.0)
    }

    /// The id of the first segment of a compartment.
    pub(super) fn first_segment(&self, compartment: usize) -> i64 {
        let compartment = self.morphology.compartments().get(compartment);
        let piece = compartment.and_then(|compartment| compartment.pieces.first());
        let segment = piece.and_then(|piece| self.morphology.segments().get(piece.segment));
        segment.map_or(0, |segment| segment.id)
    }

    /// Axial resistances of the sections from end to end, in ohm.
    pub fn axial_resistances(&self) -> Vec<f64> {
        let compartments = self.morphology.compartments();
        let mut sums = vec![0.0; self.morphology.sections().len()];
        for (number, path) in self.morphology.nodes().iter().flat_map(|node| &node.path) {
            let section = compartments
                .get(*number)
                .map(|compartment| compartment.section);
            let resistivity = self.resistivity.get(*number).copied().unwrap_or(f64::NAN);
            if let Some(sum) = section.and_then(|section| sums.get_mut(section)) {
                *sum += path * resistivity;
            }
        }
        sums
    }

    /// For each section the number of compartments none of which is longer than a tenth of the length
    /// constant at 100 Hz; None where no capacitance or resistivity is known.
    ///
    /// At a frequency f, a piece of cable with the axial resistance R and the capacitance C is √(π f R C)
    /// length constants long (M. Hines and N. Carnevale, Neuroscientist 7, 2001).
    pub fn advised_divisions(&self) -> Vec<Option<usize>> {
        const FREQUENCY: f64 = 100.0;
        const SHARE: f64 = 0.1;
        let mut capacitances = vec![0.0; self.morphology.sections().len()];
        for (compartment, capacitance) in
            self.morphology.compartments().iter().zip(&self.capacitance)
        {
            if let Some(sum) = capacitances.get_mut(compartment.section) {
                *sum += compartment.area * capacitance;
            }
        }
        let resistances = self.axial_resistances().into_iter();
        resistances
            .zip(capacitances)
            .map(|(resistance, capacitance)| {
                let lengths = (std::f64::consts::PI * FREQUENCY * resistance * capacitance).sqrt();
                let number = (lengths / SHARE).ceil().max(1.0);
                (number <= MAX_COMPARTMENTS as f64)
                    .then(|| usize::try_from(lems_math::saturating_u64(number)).ok())?
            })
            .collect()
    }

    /// Resistivity of the cytoplasm of a compartment, in ohm metres, if there is such a compartment.
    pub fn resistivity(&self, compartment: usize) -> Option<f64> {
        self.resistivity.get(compartment).copied()
    }

    /// Capacitance of the membrane of a compartment, in farads per square metre; NaN where nothing says it.
    pub fn capacitance(&self, compartment: usize) -> Option<f64> {
        self.capacitance.get(compartment).copied()
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
