//! What can stop a run.

use lems_ir::Fault;
use lems_model::ModelError;
use lems_output::OutputError;

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

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a run cannot go on from a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Something else.
    #[error("this is no checkpoint")]
    NotOne,
    /// Bytes are missing or have changed.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(&'static str),
    /// A file that a rank has written is missing, damaged, or of another checkpoint.
    #[error("the checkpoint lacks its part `{name}`: {problem}")]
    Part {
        /// The file.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It was written by another version of this program.
    #[error("the checkpoint was written by version {found}, and this is version {VERSION}")]
    OtherVersion {
        /// That version.
        found: String,
    },
    /// It belongs to a run that would go on otherwise.
    #[error("the checkpoint is of a run with {what}")]
    OtherRun {
        /// What differs between the run and the checkpoint.
        what: &'static str,
    },
    /// The run ends before it.
    #[error("the checkpoint was made after {reached} steps, and this run has {steps}")]
    AfterTheEnd {
        /// Steps that were done.
        reached: u64,
        /// Steps to do.
        steps: u64,
    },
}

pub(crate) const CONTENT: CheckpointError = CheckpointError::Damaged("its content makes no sense");

impl CheckpointError {
    /// The stable number of the error: 541 is shown as `E0541`.
    pub fn code(&self) -> u16 {
        match self {
            CheckpointError::NotOne
            | CheckpointError::Damaged(_)
            | CheckpointError::Part { .. } => 541,
            CheckpointError::OtherVersion { .. } => 542,
            CheckpointError::OtherRun { .. } | CheckpointError::AfterTheEnd { .. } => 543,
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> String {
        match self {
            CheckpointError::NotOne | CheckpointError::Damaged(_) => {
                "give the file that `--checkpoint` named, or run from the start"
            }
            CheckpointError::Part { .. } => {
                "all files of a checkpoint must be in one folder, which every process sees; \
                 put the file back, or run from the start"
            }
            CheckpointError::OtherVersion { .. } => {
                "go on with that version, or run from the start"
            }
            CheckpointError::OtherRun { .. } => {
                "go on with the files and options that the run began with, or run from the start"
            }
            CheckpointError::AfterTheEnd { .. } => "give it at least the length that it had",
        }
        .to_owned()
    }
}
