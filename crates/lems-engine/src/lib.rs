//! The time loop: initial passes, steps, delivery of events, recorders; checkpoints.
//!
//! A [`Simulation`] is what can be run, and does not change. A [`Cursor`] is a run of it between two
//! steps, which its owner advances; its numbers go to a [`Sink`].

mod checkpoint;
mod diagnose;
mod error;
mod fingerprint;
mod record;
mod rest;
mod run;
mod simulation;

pub use checkpoint::{Checkpoint, CheckpointFiles, PartName, Seal};
pub use diagnose::{Cause, Diagnosis};
pub use error::{CheckpointError, EngineError};
pub use lems_lower::Method;
pub use record::{Event, Events, Nowhere, Sink, Table, TextFiles, Traces};
pub use rest::{CableAtRest, NodeAtRest, cables_at_rest};
pub use run::{Control, Cursor, Moment, RunSettings, Summary};
pub use simulation::{RecordSettings, Recorder, Simulation};

#[cfg(test)]
mod tests;
