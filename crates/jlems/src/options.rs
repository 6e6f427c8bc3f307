//! What a user can choose.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lems_document::{EmbeddedFile, IncludeOptions};
use lems_engine::Method;
use lems_ranks::Ranks;
use nml2_coretypes::{CORE_TYPES, FOREIGN_LANGUAGES, NOTES};

use crate::host::NoHost;
use crate::{Host, Limits, Settings, Stage};

/// What runs the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackendKind {
    /// Machine code.
    #[default]
    Jit,
    /// The interpreter: slow, the same bits.
    Interpreter,
}

/// How to load, build, compile and run. Each stage reads what is for it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folders searched for included files.
    pub include: Vec<String>,
    /// Core types instead of the embedded ones: (file name, text).
    pub core_types: Option<&'static [EmbeddedFile]>,
    /// What runs the kernels.
    pub backend: BackendKind,
    /// Threads that share the steps of many instances; all that the computer has if `None`.
    pub threads: Option<NonZeroUsize>,
    /// The ranks that make the run together, if it is not one alone. Only the first writes, and decides whether
    /// the run goes on.
    pub ranks: Option<Ranks>,
    /// Whether results may have other rounding errors than jLEMS's.
    pub fast: bool,
    /// How cells with dendrites are computed.
    pub method: Method,
    /// Whether events reach other instances at the start of the next step, or after their delays rounded to
    /// whole steps. In NEURON, an exact export delivers them so.
    pub late_events: bool,
    /// Seed of the random generator, instead of the model's.
    pub seed: Option<i64>,
    /// Values instead of those in the files.
    pub settings: Settings,
    /// Parameters, as `--set` names them, whose components keep their values in memory and not in the code,
    /// so that [`Built::compile_like`](crate::Built::compile_like) and
    /// [`Run::change_values`](crate::Run::change_values) find the same code for other values. Steps are a
    /// little slower, results the same.
    pub free: Vec<String>,
    /// Ports that take events from outside the run, such as `pop[0]/synapse/in`, or `pop[*]/in` of all cells of a
    /// population. [`Run::send`](crate::Run::send) sends them.
    pub inlets: Vec<String>,
    /// Elements for the target in addition to those that it has in the files: what `--record` asks for.
    pub additions: Option<String>,
    /// Whether only `additions` are recorded, and not the data files and displays of the model.
    pub without_data: bool,
    /// Whether only `additions` are recorded, and not the event files of the model.
    pub without_events: bool,
    /// What is recorded, if no file says it but a text that is made for a NeuroML file.
    pub made_outputs: Option<MadeOutputs>,
    /// The step from one written row of data to the next: 10 means every tenth row, 0 and 1 mean all.
    pub every: u64,
    /// Simulated time between two moments at which a checkpoint is due, in seconds; only the end is
    /// one if `None`.
    pub checkpoint_every: Option<f64>,
    /// What the displays show is written too, each to an output named by [`display_name`](crate::display_name).
    pub displays: bool,
    /// Whether mistakes that jLEMS accepts are errors.
    pub strict: bool,
    /// When the run began, as `yyyyMMddHHmmss`, for the name of its report.
    pub timestamp: Timestamp,
    /// How much the model may take.
    pub limits: Limits,
    /// What measures time and memory for these limits.
    pub host: Option<Arc<dyn Host>>,
    /// Set this to end a run while a step delivers events without an end. Between steps, the caller of the run
    /// decides itself.
    pub interrupted: Option<Arc<AtomicBool>>,
    /// What is being done, for those who watch.
    pub stage: Stage,
}

impl Options {
    /// What measures time and memory; nothing if it is not given.
    pub fn host(&self) -> Arc<dyn Host> {
        self.host.clone().unwrap_or_else(|| Arc::new(NoHost))
    }

    /// Where included files are found.
    pub(crate) fn include_options(&self) -> IncludeOptions {
        IncludeOptions {
            folders: self.include.clone(),
            embedded: self.core_types.unwrap_or(CORE_TYPES),
            foreign: FOREIGN_LANGUAGES,
            notes: NOTES,
            limits: self.limits.document,
        }
    }
}

/// The moment when a run began, as text. It is made only when it is needed: a system takes a millisecond to find
/// out its time zone.
#[derive(Clone, Default)]
pub struct Timestamp(Option<Arc<dyn Fn() -> String + Send + Sync>>);

impl Timestamp {
    /// The text that a function gives.
    pub fn new(text: impl Fn() -> String + Send + Sync + 'static) -> Timestamp {
        Timestamp(Some(Arc::new(text)))
    }

    /// The text, which is empty if no function gives one.
    pub fn text(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |text| text())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({:?})", self.text())
    }
}

/// Outputs that a generated text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeOutputs {
    /// Path of that text.
    pub path: String,
    /// Whether `--record` or `--spikes` chose them.
    pub chosen: bool,
}
