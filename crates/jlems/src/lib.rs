//! A fast engine for LEMS and NeuroML 2 models, compatible with jLEMS.
//!
//! [`load`] reads a LEMS file with all that it includes; [`prepare`] builds its network and
//! compiles it; [`run`] does both and writes its outputs. The command line is a thin layer over
//! these.

mod around;
mod code_of;
mod compare;
pub mod description;
mod diagnostic;
mod displays;
mod explain;
mod host;
mod limits;
pub mod memory;
mod pipeline;
pub mod resolved;
mod schemas;
mod settings;
mod simulation;
mod stage;
mod validate;
mod visible;

pub use around::{Around, is_neuroml};
pub use compare::{Column, Comparison, Difference, Likeness, Train, compare, event_trains};
pub use diagnostic::{Diagnostic, Failure, MOST_SHOWN, Severity};
pub use displays::{
    Display, DisplayLine, EventDisplay, EventSource, Plots, display_name, plots_of,
};
pub use explain::Code;
pub use host::Host;
pub use limits::{LIMITS, Limit, LimitError, LimitSetting, Limits, Unit};
pub use pipeline::{
    BackendKind, Control, MadeOutputs, Options, Outcome, RunOutputs, SIMULATOR, Watch, estimate,
    load, load_runnable, prepare, read_model, read_model_in_use, run, run_from, with_backend,
};
pub use schemas::{neuroml_schema, read_schema};
pub use settings::Settings;
pub use simulation::{Choices, outputs_of, simulation_of};
pub use stage::Stage;
pub use validate::{Verdict, validate};
pub use visible::{visible, visible_lines};

pub use nml2_coretypes::simulation::{Outputs, Simulation};
