//! LEMS and NeuroML 2 models as a library: fast, compatible with jLEMS.
//!
//! ```
//! use jlems::{Loaded, MemorySources, Options};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let text = r#"<Lems><Target component="sim"/>
//! #   <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
//! #   <iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF"
//! #     leakConductance="0.01uS"/>
//! #   <network id="net"><population id="cells" component="iaf" size="2"/></network>
//! #   <Simulation id="sim" length="100ms" step="0.01ms" target="net">
//! #     <OutputFile id="v" fileName="v.dat"><OutputColumn id="v" quantity="cells[0]/v"/></OutputFile>
//! #     <EventOutputFile id="s" fileName="cells.spikes" format="TIME_ID">
//! #       <EventSelection id="0" select="cells[0]" eventPort="spike"/></EventOutputFile>
//! #   </Simulation></Lems>"#;
//! let sources = MemorySources::from([("LEMS_net.xml", text)]);
//! let options = Options::default();
//! let loaded = Loaded::read("LEMS_net.xml", &sources, &options)?;
//! let built = loaded.check(&options)?.build(&options)?;
//! let mut run = built.compile(&options)?.start(&options)?;
//! run.advance(0.05)?; // to 50 ms of simulated time
//! let spikes: Vec<f64> = run.sink().events[0].times_of("0").collect();
//! assert_eq!(spikes.len(), 2);
//! run.advance(0.1)?;
//! assert_eq!(run.sink().tables[0].times.len(), 10_001);
//! # Ok(())
//! # }
//! ```
//!
//! The stages are values: [`Loaded`] is the text with all that it includes, [`Checked`] what it
//! means, [`Built`] its networks as programs, [`Compiled`] a program as machine code, [`Run`] a run
//! between two steps. All but [`Checked`] own what they hold, and can go to other threads. Each has
//! the warnings of its stage; what is wrong is a [`Failure`], which knows the places in the text.
//!
//! The numbers of a run go to a [`Sink`]: [`Traces`] are columns and events in memory,
//! [`TextFiles`] are jLEMS's files, in an [`OutputStore`]. [`run`] does everything from a file to its
//! outputs.
//!
//! Nothing here touches files, the environment, a terminal or a clock. Sources are read through a
//! [`SourceReader`], outputs are written through an [`OutputStore`], and limits on time and memory
//! ask a [`Host`]. The crate `lems-host` has those of an ordinary machine.

mod around;
mod cables;
pub mod cells;
mod compare;
pub mod description;
mod diagnostic;
mod displays;
mod explain;
pub mod export;
mod host;
mod late_events;
mod limits;
pub mod memory;
mod options;
mod pipeline;
mod reading;
pub mod resolved;
mod schemas;
mod seals;
mod settings;
mod simulation;
mod stage;
mod stages;
mod tracing;
mod validate;
mod visible;

pub use around::{
    AS_A_SIMULATION, Around, is_neuroml, is_of_a_request, load_core_types, load_with_types,
};
use cables::cable_rules;
pub use compare::{Column, Comparison, Difference, Likeness, Train, compare, event_trains};
pub use diagnostic::{Diagnostic, Failure, MOST_SHOWN};
pub use displays::{Display, DisplayLine, EventDisplay, EventSource, Plots, display_name};
pub use explain::{Code, Severity};
pub use host::{Host, Pace};
pub use limits::{LIMITS, Limit, LimitError, LimitSetting, Limits, Unit};
pub use options::{BackendKind, MadeOutputs, Options, Timestamp};
pub use pipeline::{
    Control, Outcome, RunOutputs, SIMULATOR, Stop, Watch, plots_of, prepare, run, run_from,
};
pub use reading::{estimate, load, load_runnable, read_model, read_model_in_use};
pub use schemas::{neuroml_schema, read_schema};
pub use seals::exchange_seals;
pub use settings::Settings;
pub use simulation::{Choices, outputs_of, simulation_of};
pub use stage::Stage;
pub use stages::{Built, Checked, Compiled, Loaded, Run, RunError};
pub use tracing::{TracedCell, cell_of_swc};
pub use validate::{Verdict, validate};
pub use visible::{visible, visible_lines};

pub use lems_document::{EmbeddedFile, MemorySources, Source, SourceReader, Span};
pub use lems_engine::{
    Checkpoint, CheckpointError, EngineError, Event, Events, Method, Moment, Recorder, Simulation,
    Sink, Summary, Table, TextFiles, Traces,
};
pub use lems_output::{Mark, MemoryStore, OutputError, OutputSink, OutputStore};
