//! What the program is doing, for a thread that watches time and memory.

use std::sync::{Arc, Mutex, PoisonError};

/// What a model's run is doing at present, for those who watch it; all copies show the same stage.
#[derive(Debug, Clone, Default)]
pub struct Stage(Arc<Mutex<&'static str>>);

impl Stage {
    /// Files are read.
    pub const READING: &str = "while files are read";
    /// A schema is read.
    pub const SCHEMA: &str = "while the schema is read";
    /// Types and components are read.
    pub const TYPES: &str = "while types and components are read";
    /// Networks are built and their kernels made.
    pub const BUILDING: &str = "while the network is built";
    /// Kernels become machine code.
    pub const COMPILING: &str = "while machine code is made";
    /// Steps are made.
    pub const RUNNING: &str = "while the model runs";

    /// Begins a stage.
    pub fn begin(&self, stage: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// The stage at hand, as the end of a sentence.
    pub fn name(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
