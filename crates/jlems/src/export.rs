//! A model as the files of another simulator.

use std::sync::Arc;

use lems_document::{Source, SourceReader};
use lems_engine::{RunSettings, Simulation};
use lems_export::{DataFile, EventFile, EventOrder, ExportError, Job, Quantity, Recorded};
use lems_ir::Probe;
use lems_output::EventFormat;

use crate::{Built, Diagnostic, Failure, Loaded, Options};

pub use lems_export::File;

/// What a model is exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// NEURON, computing jLEMS's numbers.
    NeuronExact,
}

/// The files of an export.
#[derive(Debug, Clone)]
pub struct Exported {
    /// All files, to be written to one folder.
    pub files: Vec<File>,
    /// What is legal in the model, but hardly meant.
    pub warnings: Vec<Diagnostic>,
    /// What the places of the warnings are in.
    pub sources: Vec<Source>,
}

/// Exports the model in a LEMS file that says what to run.
///
/// # Errors
/// Everything that is wrong with the model; what the other simulator does not have.
pub fn export(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    form: Form,
) -> Result<Exported, Failure> {
    let options = Options {
        late_events: form == Form::NeuronExact,
        ..options.clone()
    };
    let loaded = Loaded::read(path, reader, &options)?;
    let checked = loaded.check(&options)?;
    let built = checked.build(&options)?;
    let mut warnings = loaded.warnings();
    warnings.extend(checked.warnings());
    warnings.extend(built.doubts());
    let [simulation] = built.simulations() else {
        let runs = built.simulations().len();
        return Err(ExportError::Runs { runs }.into());
    };
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let files = match form {
        Form::NeuronExact => exact(name, simulation, &built)?,
    };
    Ok(Exported {
        files,
        warnings,
        sources: loaded.into_sources(),
    })
}

fn exact(
    name: &str,
    simulation: &Arc<Simulation>,
    built: &Built,
) -> Result<Vec<File>, ExportError> {
    let start = simulation.state_at_start(&RunSettings::default());
    let data_files = simulation.recordings().map(|(path, recorders)| DataFile {
        path: path.to_owned(),
        columns: (recorders.iter())
            .map(|recorder| Quantity {
                name: recorder.quantity.clone(),
                value: match recorder.probe {
                    Probe::Slot(slot) => Recorded::Slot(slot),
                    Probe::Constant(value) => Recorded::Constant(value),
                },
                scale: recorder.scale,
            })
            .collect(),
    });
    let event_files =
        (simulation.event_files())
            .zip(built.event_formats())
            .map(|((path, ids), format)| EventFile {
                path: path.to_owned(),
                order: format.map(|format| match format {
                    EventFormat::IdTime => EventOrder::IdTime,
                    EventFormat::TimeId => EventOrder::TimeId,
                }),
                ids: ids.to_vec(),
            });
    lems_export::exact(&Job {
        name,
        program: &simulation.program,
        columns: &simulation.columns,
        start: &start,
        step: simulation.step(),
        steps: simulation.steps(),
        every: simulation.every(),
        data_files: data_files.collect(),
        event_files: event_files.collect(),
        times_file: built.times_file().map(str::to_owned),
    })
}

/// The simulation with events that reach other instances half a step later.
pub(crate) fn with_late_events(mut simulation: Simulation) -> Result<Simulation, ExportError> {
    let step = simulation.step();
    let program = lems_export::late_events(&simulation.program, &simulation.columns, step)?;
    simulation.program = Arc::new(program);
    Ok(simulation)
}
