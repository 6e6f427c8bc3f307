//! The network of running instances that a target component describes.
//!
//! [`Network::build`] makes the tree of instances of a component, runs every `Structure`, and
//! gives instances with their attachments, event routes and a way to look up what a name means at
//! an instance. [`Estimate::of`] counts them without making any. [`Shapes::of`] sorts the instances into groups of equal shape, and
//! [`Experiment::of`] says what a simulation runs and records.

mod assigned;
mod build;
mod cables;
mod cells;
mod connect;
mod connections;
mod error;
mod estimate;
mod hash_order;
mod inlets;
mod instance;
mod instances;
mod leave_out;
mod lints;
mod lookup;
mod meaning;
mod names;
mod path;
mod populate;
mod quantities;
mod recording;
mod resolve;
mod rounded;
mod selection;
mod shapes;
mod share;
mod structure;
mod wiring;

pub use assigned::{Assigned, AssignedValues};
pub use cables::{Cable, CablePlan, CableRules, CableRulesError, Cables, IonRule, SectionName};
pub use cells::Cell;
pub use connections::{Connections, Route};
pub use error::NetworkError;
pub use estimate::{Count, Estimate, state_size};
pub use hash_order::{hash_order, regimes_in_order};
pub use inlets::Inlet;
pub use instance::{Distribution, Network, Share};
pub use instances::{Contents, Instance, InstanceId, Instances};
pub use lookup::Readable;
pub use meaning::{Meaning, Variable, exposed_name};
pub use recording::{
    DataFile, Display, EventFile, EventFormat, EventSelection, Experiment, Line, Recording, Run,
};
pub use resolve::Column;
pub use rounded::rounded;
pub use shapes::{Attached, Location, MemberId, Node, NodeId, Part, Shape, ShapeId, Shapes, Visit};

/// Deepest tree of instances.
pub const MAX_DEPTH: usize = 200;

#[cfg(test)]
mod tests;
