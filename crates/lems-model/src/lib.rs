//! Dimensions, units, constants, component types with inheritance, and components: a LEMS
//! document as checked, plain data.
//!
//! [`Model::read`] takes a [`lems_document::Document`] and gives a [`Model`] in which every name
//! is resolved, every parameter has a value in SI units and every expression has been parsed and
//! its dimensions checked; or all the errors that it found, each with its place.

mod attributes;
mod check;
mod component;
mod components;
mod declarations;
mod derived_parameters;
mod digits;
mod dynamics;
mod error;
mod excused;
mod inheritance;
mod lints;
mod model;
mod path;
mod read;
mod simulation;
mod stages;
mod structure;
mod table;
mod types;
mod units;
mod wanted;

use component::Components;
pub use component::{Component, ComponentId, Role, Siblings};
pub use digits::Digits;
pub use dynamics::{
    Actions, Assignment, Case, Condition, ConditionalVariable, Definition, DerivedVariable,
    Dynamics, EventHandler, KineticScheme, Reduce, Regime, Selection, StateVariable,
    TimeDerivative, Trigger, Variable,
};
pub use error::{ModelError, ModelFailure};
pub use model::{Constant, Model, Target};
pub use path::{ParameterPath, Select, Step};
pub use simulation::SimulationElement;
pub use stages::Definitions;
pub use structure::{Assign, EventConnection, StructureElement, Tunnel, Wiring};
pub use table::{Formula, Table};
pub use types::{
    ChildList, ChildSlot, ComponentType, Direction, EventPort, Exposure, Parameter, ParameterKind,
    Property, Quantity, Reference, TypeId,
};
pub use units::{Dimensions, Unit, Units};

#[cfg(test)]
mod tests;
