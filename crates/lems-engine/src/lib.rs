//! The time loop: initial passes, steps, delivery of events, recorders; checkpoints.

mod checkpoint;
mod diagnose;
mod error;
mod simulation;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use diagnose::{Cause, Diagnosis};
pub use error::EngineError;
pub use simulation::{Control, Moment, Recorder, Simulation, Summary};

#[cfg(test)]
mod tests;
