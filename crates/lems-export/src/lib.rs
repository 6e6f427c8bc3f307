//! Models as the files of other simulators.
//!
//! Each export is a function from a [`Job`], a program with what is recorded of it, to a list of
//! [`File`]s. Nothing here touches the file system.
//!
//! [`exact`] prints the kernels of a program as NMODL for NEURON, with jLEMS's order of operations, so
//! that NEURON computes jLEMS's numbers. NEURON delivers an event at the start of the step after the
//! one that sent it; [`late_events`] gives the program whose events do the same, to compare with.

mod cables;
mod driver;
mod eden;
mod error;
mod exact;
mod graph;
mod groups;
mod job;
mod names;
mod places;
mod template;

pub use eden::eden;
pub use error::ExportError;
pub use exact::{exact, late_events, netpyne, neuron};
pub use graph::{Graph, graph};
pub use job::{
    Cell, DataFile, Density, EventFile, EventOrder, File, Insert, Job, Population, PopulationCell,
    Quantity, Recorded, Section,
};
pub use names::{Names, mechanism_name};
