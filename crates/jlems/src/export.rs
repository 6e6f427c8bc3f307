//! A model as the files of another simulator.

mod densities;
mod populations;
mod shapes;

use std::sync::Arc;

use lems_document::{Document, Source, SourceReader};
use lems_engine::{RunSettings, Simulation};
use lems_export::{DataFile, EventFile, EventOrder, ExportError, Graph, Job, Quantity, Recorded};
use lems_ir::Probe;
use lems_model::Model;
use lems_network::Network;
use lems_nmodl::Membranes;
use lems_output::EventFormat;

use crate::Method;
use crate::around::name_for_outputs;
use crate::resolved::{ResolvedModel, ResolvedNetwork};
use crate::stages::as_exported;
use crate::{Built, Checked, Code, Diagnostic, Failure, Loaded, Options};

pub use lems_export::File;

use densities::density_mechanisms;
use populations::Populations;
use shapes::Shapes;

/// What a model is exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// NEURON; cells with dendrites become sections.
    Neuron,
    /// NEURON, computing jLEMS's numbers.
    NeuronExact,
    /// NetPyNE, with the mechanisms of NEURON.
    Netpyne,
    /// A graph of types and network, for Graphviz.
    Graph,
    /// EDEN, which reads LEMS files itself.
    Eden,
}

/// The files of an export.
#[derive(Debug, Clone)]
pub struct Exported {
    /// All files, to be written to one folder.
    pub files: Vec<File>,
    /// Why cells with dendrites are mechanisms for whole compartments, and their channels none of their own.
    pub remark: Option<String>,
    /// What is legal in the model, and probably a mistake.
    pub warnings: Vec<Diagnostic>,
    /// What the places of the warnings are in.
    pub sources: Vec<Source>,
}

/// Exports the model in a LEMS file that says what to run.
///
/// Cells with dendrites are computed by [`Method::Neuron`] if the options have it, otherwise by [`Method::Implicit`]: the
/// others are not NEURON's. The numbers of all other models are jLEMS's in any case.
///
/// # Errors
/// Everything that is wrong with the model; what the other simulator does not have.
pub fn export(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    form: Form,
) -> Result<Exported, Failure> {
    let mut options = Options {
        late_events: true,
        ..options.clone()
    };
    let loaded = Loaded::read(path, reader, &options)?;
    let mut checked = loaded.check(&options)?;
    options.method = match options.method.is_neurons() && has_cells(&checked) {
        true => Method::NeuronExported,
        false => Method::Implicit,
    };
    let built = checked.build(&options)?;
    let Checked {
        model, experiment, ..
    } = &mut checked;
    if let Some(rounded) = as_exported(model, experiment, options.method) {
        *model = rounded;
    }
    let mut warnings = loaded.warnings();
    warnings.extend(checked.warnings());
    warnings.extend(built.doubts());
    let [others @ .., simulation] = built.simulations() else {
        return Err(ExportError::Bug { what: "run" }.into());
    };
    if !others.is_empty() {
        warnings.push(last_of(others.len() + 1));
    }
    // Other simulators cannot end a run where it gets to a mistake.
    if !simulation.stops().is_empty() {
        return Err(Failure::of(loaded.document().sources(), simulation.stops()));
    }
    let name = name_for_outputs(path);
    let mut remark = None;
    let files = match form {
        Form::NeuronExact => {
            let network = network_of(&checked, &options)?;
            Exportable::whole(simulation, &network, &checked.model).files(
                name,
                &built,
                lems_export::exact,
            )?
        }
        Form::Neuron | Form::Netpyne => {
            let network = network_of(&checked, &options)?;
            let whole = Exportable::whole(simulation, &network, &checked.model);
            let exportable = match density_mechanisms(&checked, network, simulation, &options)? {
                Ok(exportable) => exportable,
                Err(reason) => {
                    remark = reason.map(|reason| reason.to_string());
                    whole
                }
            };
            let export = match form {
                Form::Netpyne => lems_export::netpyne,
                _ => lems_export::neuron,
            };
            exportable.files(name, &built, export)?
        }
        Form::Graph => vec![graph_of(name, loaded.document(), &checked.model, &options)?],
        Form::Eden => vec![lems_export::eden(name)],
    };
    Ok(Exported {
        files,
        remark,
        warnings,
        sources: loaded.into_sources(),
    })
}

/// Whether a model has cells that are trees of compartments.
fn has_cells(checked: &Checked<'_>) -> bool {
    let rules = checked.experiment.cable_rules.as_ref();
    rules.is_some_and(|rules| !rules.cells(&checked.model).is_empty())
}

/// That a target makes so many runs.
fn last_of(runs: usize) -> Diagnostic {
    let message = format!("the target makes {runs} runs, and the last of them is exported");
    let help = "all write the same files, which are those of the last run in the end".to_owned();
    Diagnostic::new(Code::LAST_RUN, message, None, Some(help)).as_warning()
}

/// The network of the last run, built once more: a simulation does not keep it.
fn network_of<'m, 'd>(
    checked: &'m Checked<'d>,
    options: &Options,
) -> Result<Network<'m, 'd>, Failure> {
    let mut experiment = checked.experiment.clone();
    if let Some(seed) = options.seed {
        experiment.reseed(seed);
    }
    experiment.most_instances = options.limits.most_instances();
    let run = experiment.runs.last().copied();
    let run = run.ok_or(ExportError::Bug { what: "run" })?;
    let network = experiment.network(&checked.model, run);
    network.map_err(|errors| Failure::of(checked.document.sources(), &errors))
}

/// What is exported of a run: its program, and all that is recorded of it.
struct Exportable {
    simulation: Arc<Simulation>,
    data_files: Vec<DataFile>,
    shapes: Shapes,
    populations: Populations,
    membranes: Membranes,
}

impl Exportable {
    /// The run as it is built; cells with dendrites are mechanisms for whole compartments.
    fn whole(
        simulation: &Arc<Simulation>,
        network: &Network<'_, '_>,
        model: &Model<'_>,
    ) -> Exportable {
        Exportable {
            data_files: data_files(simulation),
            simulation: Arc::clone(simulation),
            shapes: Shapes::of(network, model),
            populations: Populations::of(network),
            membranes: Membranes::default(),
        }
    }

    fn files(
        self,
        name: &str,
        built: &Built,
        export: fn(&Job<'_>) -> Result<Vec<File>, ExportError>,
    ) -> Result<Vec<File>, ExportError> {
        let simulation = &self.simulation;
        let start = simulation.state_at_start(&RunSettings::default());
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
        export(&Job {
            name,
            program: &simulation.program,
            columns: &simulation.columns,
            start: &start,
            step: simulation.step(),
            steps: simulation.steps(),
            every: simulation.every(),
            data_files: self.data_files,
            event_files: event_files.collect(),
            times_file: built.times_file().map(str::to_owned),
            cells: self.shapes.cells,
            cell_of_cable: self.shapes.of_cable,
            densities: self.membranes.densities,
            celsius: self.membranes.temperature.map(|kelvin| kelvin - 273.15),
            populations: self.populations.in_memory_of(simulation),
            concentrations: self.membranes.concentrations,
        })
    }
}

/// The data files of a run and what they record of its program.
fn data_files(simulation: &Simulation) -> Vec<DataFile> {
    let files = simulation.recordings().map(|(path, recorders)| DataFile {
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
    files.collect()
}

fn graph_of(
    name: &str,
    document: &Document,
    model: &Model<'_>,
    options: &Options,
) -> Result<File, Failure> {
    let types = ResolvedModel::of(model, document).types;
    let mut graph = Graph {
        types: types
            .into_iter()
            .map(|kind| (kind.name, kind.extends))
            .collect(),
        ..Graph::default()
    };
    for network in ResolvedNetwork::all(document, model, options)? {
        for population in network.populations.iter().chain(&network.attached) {
            let line = format!(
                "{} {} ({})",
                population.size, population.component, population.kind
            );
            match graph
                .places
                .iter_mut()
                .find(|(place, _)| *place == population.place)
            {
                Some((_, lines)) => lines.push(line),
                None => graph.places.push((population.place.clone(), vec![line])),
            }
        }
        graph
            .connections
            .extend(network.connections.into_iter().map(|connections| {
                let label = format!("{} {}", connections.number, connections.through);
                (connections.from, connections.to, label)
            }));
    }
    Ok(lems_export::graph(name, &graph))
}
