//! A model as the files of another simulator.

use std::rc::Rc;
use std::sync::Arc;

use lems_document::{Document, Source, SourceReader};
use lems_engine::{RunSettings, Simulation};
use lems_export::{
    Cell, DataFile, EventFile, EventOrder, ExportError, Graph, Job, Quantity, Recorded, Section,
};
use lems_ir::Probe;
use lems_model::Model;
use lems_morphology::{Point, Segment};
use lems_network::CablePlan;
use lems_output::EventFormat;

use crate::Method;
use crate::resolved::{ResolvedModel, ResolvedNetwork};
use crate::{Built, Checked, Diagnostic, Failure, Loaded, Options};

pub use lems_export::File;

/// What a model is exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// NEURON; cells with dendrites become sections.
    Neuron,
    /// NEURON, computing jLEMS's numbers.
    NeuronExact,
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
    /// What is legal in the model, and probably a mistake.
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
        late_events: true,
        method: Method::Implicit,
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
        Form::Neuron | Form::NeuronExact => {
            let shapes = Shapes::of(&checked, &options)?;
            neuron(name, simulation, &built, shapes, form)?
        }
        Form::Graph => vec![graph_of(name, loaded.document(), &checked.model, &options)?],
        Form::Eden => vec![lems_export::eden(name)],
    };
    Ok(Exported {
        files,
        warnings,
        sources: loaded.into_sources(),
    })
}

fn neuron(
    name: &str,
    simulation: &Arc<Simulation>,
    built: &Built,
    shapes: Shapes,
    form: Form,
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
    let job = Job {
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
        cells: shapes.cells,
        cell_of_cable: shapes.of_cable,
    };
    match form {
        Form::Neuron => lems_export::neuron(&job),
        Form::NeuronExact | Form::Eden | Form::Graph => lems_export::exact(&job),
    }
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

/// The shapes of the cells with dendrites of a network.
struct Shapes {
    cells: Vec<Cell>,
    /// By cell with dendrites: its shape.
    of_cable: Vec<usize>,
}

impl Shapes {
    /// Builds the network once more, for a simulation does not keep it.
    fn of(checked: &Checked<'_>, options: &Options) -> Result<Shapes, Failure> {
        let mut experiment = checked.experiment.clone();
        if let Some(seed) = options.seed {
            experiment.reseed(seed);
        }
        experiment.most_instances = options.limits.most_instances();
        let Some(run) = experiment.runs.first().copied() else {
            return Ok(Shapes {
                cells: Vec::new(),
                of_cable: Vec::new(),
            });
        };
        let network = experiment.network(&checked.model, run);
        let network = network.map_err(|errors| Failure::of(checked.document.sources(), &errors))?;
        let mut plans: Vec<Rc<CablePlan>> = Vec::new();
        let mut shapes = Shapes {
            cells: Vec::new(),
            of_cable: Vec::new(),
        };
        for cable in &network.cables.all {
            let known = plans.iter().position(|plan| Rc::ptr_eq(plan, &cable.plan));
            let number = known.unwrap_or(plans.len());
            if known.is_none() {
                let instance = cable.instances.iter().flatten().next();
                let component = instance.and_then(|instance| network.instance(*instance).component);
                let name = component.map(|component| checked.model.component(component).id);
                let name = name.flatten().unwrap_or("cell").to_owned();
                let is_taken = shapes.cells.iter().any(|cell| cell.name == name);
                let name = if is_taken {
                    format!("{name}_{number}")
                } else {
                    name
                };
                shapes.cells.push(Cell {
                    name,
                    sections: sections_of(&cable.plan),
                });
                plans.push(cable.plan.clone());
            }
            shapes.of_cable.push(number);
        }
        Ok(shapes)
    }
}

/// Where a segment begins, in metres.
fn begin_of(segments: &[Segment], segment: usize) -> Option<Point> {
    // Up to a segment that says where it begins, and back down.
    let mut way = vec![segment];
    while let Some(of) = way.last().and_then(|last| segments.get(*last))
        && of.proximal.is_none()
    {
        let parent = of.parent.filter(|parent| !way.contains(parent))?;
        way.push(parent);
    }
    let mut begin = segments.get(way.pop()?)?.proximal?;
    while let Some(next) = way.pop() {
        let of = segments.get(next)?;
        let parent = segments.get(of.parent?)?;
        let between = |from: f64, to: f64| from + (to - from) * of.fraction;
        begin = Point {
            x: between(begin.x, parent.distal.x),
            y: between(begin.y, parent.distal.y),
            z: between(begin.z, parent.distal.z),
            diameter: between(begin.diameter, parent.distal.diameter),
        };
    }
    Some(begin)
}

fn sections_of(plan: &CablePlan) -> Vec<Section> {
    const MICROMETRE: f64 = 1e-6;
    let morphology = &plan.morphology;
    let segments = morphology.segments();
    let micrometres = |point: Point, y: f64| {
        [point.x, point.y + y, point.z, point.diameter].map(|length| length / MICROMETRE)
    };
    // In the order of the nodes, in which the compartments are.
    let mut order: Vec<usize> = Vec::new();
    let mut resistivities = Vec::new();
    for (number, compartment) in morphology.compartments().iter().enumerate() {
        if order.last() != Some(&compartment.section) {
            order.push(compartment.section);
            resistivities.push(100.0 * plan.resistivity(number).unwrap_or(1.0));
        }
    }
    let section = |(number, resistivity): (usize, f64)| {
        let own = morphology.sections().get(number)?;
        let mut points: Vec<[f64; 4]> = Vec::new();
        for segment in &own.segments {
            let of = segments.get(*segment)?;
            let begin = begin_of(segments, *segment)?;
            let is_sphere = own.segments.len() == 1
                && [begin.x, begin.y, begin.z] == [of.distal.x, of.distal.y, of.distal.z];
            if is_sphere {
                // A sphere is the cylinder of the same area.
                let half = of.distal.diameter / 2.0;
                points.extend([micrometres(of.distal, -half), micrometres(of.distal, half)]);
                continue;
            }
            let begin = micrometres(begin, 0.0);
            if points.last() != Some(&begin) {
                points.push(begin);
            }
            points.push(micrometres(of.distal, 0.0));
        }
        let id = own
            .segments
            .first()
            .and_then(|first| segments.get(*first))
            .map_or(0, |first| first.id);
        Some(Section {
            name: format!("segment_{id}"),
            points,
            resistivity,
        })
    };
    order
        .into_iter()
        .zip(resistivities)
        .filter_map(section)
        .collect()
}
