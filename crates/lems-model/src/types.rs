//! ComponentTypes with everything they declare and inherit.

use std::sync::Arc;

use indexmap::IndexSet;
use lems_document::Element;
use lems_expression::Dimension;
use lems_index::Id;

use crate::{Dynamics, Formula, ParameterPath, SimulationElement, StructureElement, Table};

/// Index of a type in [`Model::types`](crate::Model::types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

impl Id for TypeId {
    fn get(self) -> u32 {
        self.0
    }

    fn from_u32(number: u32) -> Self {
        TypeId(number)
    }
}

/// A number with its dimension, in SI units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// SI value.
    pub value: f64,
    /// Exponents of the SI base units.
    pub dimension: Dimension,
}

/// A `ComponentType`, its own declarations before the inherited ones.
#[derive(Debug, Clone)]
pub struct ComponentType<'d> {
    /// Name.
    pub name: &'d str,
    /// Its element.
    pub element: Element<'d>,
    /// The type it extends.
    pub parent: Option<TypeId>,
    /// `Parameter`, `DerivedParameter`, `Constant` and their kin.
    pub parameters: Table<'d, Parameter<'d>>,
    /// `Fixed` of this type itself: they set parameters, own or inherited.
    pub fixed: Vec<(&'d str, Quantity)>,
    /// `Property`.
    pub properties: Table<'d, Property>,
    /// `Requirement`: name and dimension (None: any).
    pub requirements: Table<'d, Option<Dimension>>,
    /// `Exposure`.
    pub exposures: Table<'d, Exposure>,
    /// `EventPort`.
    pub ports: Table<'d, EventPort>,
    /// `Child`.
    pub slots: Table<'d, ChildSlot<'d>>,
    /// `Children`.
    pub lists: Table<'d, ChildList<'d>>,
    /// `Attachments`: name and type.
    pub attachments: Table<'d, &'d str>,
    /// `Collection`: named sets that `Gather` fills.
    pub collections: IndexSet<&'d str>,
    /// `PairCollection`: named sets that `GatherPairs` fills.
    pub pair_collections: IndexSet<&'d str>,
    /// `ComponentReference` and `Link`.
    pub references: Table<'d, Reference<'d>>,
    /// `Text`, `Path`, `PathParameter`, `ComponentTypeReference`: attributes that hold words.
    pub texts: Table<'d, Element<'d>>,
    /// `Dynamics`, own or else inherited.
    pub dynamics: Option<Arc<Dynamics<'d>>>,
    /// `Structure`, own or else inherited.
    pub structure: Arc<Vec<StructureElement<'d>>>,
    /// `Simulation`, own or else inherited.
    pub simulation: Arc<Vec<SimulationElement<'d>>>,
}

impl ComponentType<'_> {
    /// Number of declarations, inherited ones and those of its dynamics among them.
    pub(crate) fn declarations(&self) -> usize {
        let of_dynamics = self.dynamics.as_ref().map_or(0, |dynamics| {
            dynamics.variables().count()
                + dynamics.rates.len()
                + dynamics.actions().count()
                + dynamics.regimes.len()
                + dynamics.schemes.len()
        });
        of_dynamics
            + self.parameters.len()
            + self.properties.len()
            + self.requirements.len()
            + self.exposures.len()
            + self.ports.len()
            + self.slots.len()
            + self.lists.len()
            + self.attachments.len()
            + self.collections.len()
            + self.pair_collections.len()
            + self.references.len()
            + self.texts.len()
    }

    /// Whether the instances read a requirement of this name: one that their dynamics knows.
    pub fn reads_requirement(&self, name: &str) -> bool {
        let mut dynamics = self.dynamics.iter();
        dynamics.any(|dynamics| dynamics.requirements.contains(name))
    }

    /// Whether it exposes a name for which its dynamics have no variable, and that is no property.
    pub fn leaves_unfilled(&self, exposure: &str) -> bool {
        let fills = |dynamics: &Dynamics<'_>| {
            let mut variables = dynamics.variables();
            variables.any(|own| own.name == exposure || own.exposure == Some(exposure))
        };
        self.exposures.contains_key(exposure)
            && !self.properties.contains_key(exposure)
            && (self.dynamics.as_ref()).is_some_and(|dynamics| !fills(dynamics))
    }

    /// Dimension of a variable, requirement, property or parameter; None if any is accepted.
    pub fn dimension_of(&self, name: &str) -> Option<Dimension> {
        let variable = self.dynamics.as_ref().and_then(|dynamics| {
            let mut variables = dynamics.variables();
            let found = variables.find(|variable| variable.name == name);
            found.map(|variable| variable.dimension)
        });
        (variable.or_else(|| self.requirements.get(name).copied()))
            .or_else(|| Some(self.properties.get(name)?.dimension))
            .or_else(|| Some(self.parameters.get(name)?.dimension))
            .flatten()
    }
}

/// A value that is fixed when the model is read.
#[derive(Debug, Clone)]
pub struct Parameter<'d> {
    /// Dimension; None where any is accepted.
    pub dimension: Option<Dimension>,
    /// Where the value comes from.
    pub kind: ParameterKind<'d>,
    /// Value of a `Fixed`.
    pub fixed: Option<Quantity>,
    /// Where it is declared.
    pub element: Element<'d>,
}

/// Where the value of a parameter comes from.
#[derive(Debug, Clone)]
pub enum ParameterKind<'d> {
    /// An attribute of the component.
    Given,
    /// `Constant`: a default that an attribute may override.
    Default(Quantity),
    /// `DerivedParameter value`.
    Derived(Formula<'d>),
    /// `DerivedParameter select`: a path to a parameter.
    Selected(ParameterPath<'d>),
}

/// A value of each instance that `Assign` sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Property {
    /// Dimension; None where any is accepted.
    pub dimension: Option<Dimension>,
    /// SI value before any `Assign`; NaN without a `defaultValue`.
    pub default: f64,
}

/// An `Exposure`: a name under which other types and recordings read a variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    /// Dimension; None where any is accepted.
    pub dimension: Option<Dimension>,
}

/// Which way events pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// An `EventPort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPort {
    /// Which way events pass.
    pub direction: Direction,
}

/// A `Child`: a slot that one child element fills.
#[derive(Debug, Clone, Copy)]
pub struct ChildSlot<'d> {
    /// Name of the type.
    pub type_name: &'d str,
    /// Where it is declared.
    pub element: Element<'d>,
}

/// A `Children`: a list of child elements of one type.
#[derive(Debug, Clone, Copy)]
pub struct ChildList<'d> {
    /// Name of the type.
    pub type_name: &'d str,
    /// Most elements that an instance may have.
    pub max: Option<usize>,
    /// Where it is declared.
    pub element: Element<'d>,
}

/// A `ComponentReference` or `Link`.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'d> {
    /// Name of the type of the component meant.
    pub type_name: &'d str,
    /// Looked up among the siblings instead of the top-level components.
    pub local: bool,
    /// Whether the attribute must be there.
    pub required: bool,
    /// Where it is declared.
    pub element: Element<'d>,
}
