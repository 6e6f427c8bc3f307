//! The time loop: initial passes, steps, delivery of events, recorders.

mod error;
mod simulation;

pub use error::EngineError;
pub use simulation::{Control, Recorder, Simulation, Summary};

#[cfg(test)]
mod tests;
