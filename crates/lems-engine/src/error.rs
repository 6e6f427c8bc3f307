//! What can stop a run.

use lems_ir::Fault;
use lems_model::ModelError;
use lems_output::OutputError;

use crate::CheckpointError;

/// An error while a model runs.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A recorded value is not a number any more.
    #[error("`{quantity}` is {value} at t = {time} s")]
    NotFinite {
        /// Path of the recorded quantity.
        quantity: String,
        /// NaN or an infinity.
        value: f64,
        /// Time of the row, in seconds.
        time: f64,
    },
    /// The run got to a mistake in the model.
    #[error("the run gets to a mistake at t = {time} s: {mistake}")]
    Mistake {
        /// The mistake.
        mistake: Box<ModelError>,
        /// Time of the step, in seconds.
        time: f64,
    },
    /// Events without end.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The checkpoint is not one that the run can go on from.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// An output could not be written.
    #[error("{0}")]
    Output(#[from] OutputError),
}

impl EngineError {
    /// The stable number of the error: 501 is shown as `E0501`.
    pub fn code(&self) -> u16 {
        match self {
            EngineError::NotFinite { .. } => 501,
            EngineError::Mistake { mistake, .. } => mistake.code(),
            EngineError::Fault(Fault::EndlessRelay { .. }) => 502,
            EngineError::Fault(Fault::TooManyEvents { .. }) => 520,
            EngineError::Fault(Fault::Ended { .. }) => 523,
            EngineError::Fault(Fault::TooManyDeliveries { .. }) => 551,
            EngineError::Fault(Fault::Disconnected { .. }) => 552,
            EngineError::Checkpoint(error) => error.code(),
            EngineError::Output(error) => error.code(),
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        match self {
            EngineError::NotFinite { .. } => Some(
                "the step may be too large for the fastest process of the model, or an equation \
                 divides by zero or takes the logarithm of a negative number"
                    .to_owned(),
            ),
            EngineError::Mistake { mistake, .. } => mistake.help(),
            EngineError::Fault(Fault::EndlessRelay { .. }) => {
                Some("give one of the connections of the circle a delay".to_owned())
            }
            EngineError::Fault(Fault::TooManyEvents { .. }) => Some(
                "a delay longer than the time between events lets them pile up; allow more with \
                     `--limit events=…` or `--limit memory=…`"
                    .to_owned(),
            ),
            EngineError::Fault(Fault::TooManyDeliveries { .. }) => Some(
                "each event may set off two, and those four: give connections a delay; allow more \
                 with `--limit deliveries=…`"
                    .to_owned(),
            ),
            EngineError::Fault(Fault::Ended { .. } | Fault::Disconnected { .. }) => None,
            EngineError::Checkpoint(error) => Some(error.help()),
            EngineError::Output(error) => error.help(),
        }
    }
}
