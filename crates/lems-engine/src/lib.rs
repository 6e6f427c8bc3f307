//! The time loop: initial passes, steps, delivery of events, recorders.

mod diagnose;
mod error;
mod simulation;

pub use diagnose::{Cause, Diagnosis};
pub use error::EngineError;
pub use simulation::{Control, Simulation, Summary};

#[cfg(test)]
mod tests;
