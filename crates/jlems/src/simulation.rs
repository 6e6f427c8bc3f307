//! What to run of a NeuroML file, which does not say so itself, and what to record.
//!
//! Choices become a [`Simulation`] or [`Outputs`], which know how they are written as LEMS: for a file, or for a run
//! without one.

use std::path::Path;

use lems_document::{Attribute, Document, SourceReader, nearest};
use lems_math::JavaRandom;
use lems_model::{ComponentId, Model};
use lems_network::{Cell, Network};
use nml2_coretypes::simulation::{
    CELL, DataOutput, EventOutput, NETWORK, NOTE, OneCell, Outputs, POTENTIALS, RECOMMENDED_LENGTH,
    RECOMMENDED_STEP, SPIKE, Simulation, name_of,
};

use crate::around::{Around, ON_ITS_OWN, is_neuroml, load_with_types};
use crate::settings::list;
use crate::{Code, Failure, Options, load, load_runnable, read_model_in_use};

/// Length of a run and of a step, where nothing says how long.
const LENGTH: &str = "500ms";
const STEP: &str = "0.01ms";

/// What a user wants to run and to record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// The network or cell to run of a NeuroML file.
    pub target: Option<String>,
    /// Temperature around a cell that is run without a network.
    pub temperature: Option<String>,
    /// Paths of values, in which `pop[*]` stands for every cell of a population.
    pub record: Vec<String>,
    /// Populations, or paths of cells, whose spikes are recorded.
    pub spikes: Vec<String>,
    /// Name of the file of values.
    pub record_file: Option<String>,
}

impl Choices {
    /// Whether something is to be recorded.
    pub fn record_something(&self) -> bool {
        !self.record.is_empty() || !self.spikes.is_empty()
    }

    /// The file of values, and the one of the events of a population.
    fn files(&self, usual: &str) -> (String, impl Fn(&str) -> String) {
        let data = (self.record_file.clone()).unwrap_or_else(|| format!("{usual}.dat"));
        let stem = match data.rsplit_once('.') {
            Some((stem, ending)) if !ending.contains('/') => stem.to_owned(),
            _ => data.clone(),
        };
        (data, move |population: &str| {
            format!("{stem}.{population}.spikes")
        })
    }
}

/// The simulation of a NeuroML file: of the network that is chosen, or its only one, or a network of one cell.
/// Without choices it records the potential of the first cell of each population and the spikes of all. None of a file
/// that says itself what to run, as LEMS does.
///
/// # Errors
/// Those of reading the file and of building the network; nothing or too much to choose from; paths with `*`
/// that lead to nothing.
pub fn simulation_of(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    choices: &Choices,
) -> Result<Option<Simulation>, Failure> {
    if !is_neuroml(path, reader) {
        return Ok(None);
    }
    // The file has no simulation yet whose step could be set.
    let options = &Options {
        settings: options.settings.clone().without_times(),
        ..options.clone()
    };
    let document = load_with_types(path, reader, options)?;
    if document.roots().any(|root| root.name() == "Target") {
        return Ok(None);
    }
    let model = read_model_in_use(&document)?;
    let target = target(path, &document, &model, choices)?;
    let name = model.name(target).unwrap_or_default();
    let is_network = model.is_a(model.component(target).component_type, NETWORK);
    if let (true, Some(temperature)) = (is_network, &choices.temperature) {
        let message = format!(
            "{path}: the network `{name}` says itself what its temperature is, so there is no use for `{temperature}`"
        );
        let help = "give the temperature in its `<network>` element".to_owned();
        return Err(Failure::plain(Code::NOTHING_TO_RUN, message, Some(help)));
    }
    let (network, one_cell) = match is_network {
        true => (name.to_owned(), None),
        false => (
            format!("net_{}", name_of(name)),
            Some(OneCell {
                cell: name.to_owned(),
                population: format!("pop_{}", name_of(name)),
                temperature: choices.temperature.clone(),
            }),
        ),
    };
    let file = Path::new(path).file_name().unwrap_or_default();
    let stem = Path::new(path).with_extension("");
    let stem = stem
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let stem = stem.trim_end_matches(".net").trim_end_matches(".cell");
    let mut simulation = Simulation {
        id: format!("sim_{}", name_of(stem)),
        file: file.to_string_lossy().into_owned(),
        network,
        one_cell,
        length: recommended(&model, target, RECOMMENDED_LENGTH).unwrap_or(LENGTH.to_owned()),
        step: recommended(&model, target, RECOMMENDED_STEP).unwrap_or(STEP.to_owned()),
        outputs: Outputs::default(),
    };
    simulation.outputs = match simulation.one_cell {
        None => outputs(&document, &model, target, options, choices, Some(stem))?,
        Some(_) => {
            let around = Around::new(path, ON_ITS_OWN, simulation.to_lems(), reader);
            let document = load(&around.path, &around, options)?;
            let model = read_model_in_use(&document)?;
            let root = model.ids.get(simulation.network.as_str()).copied();
            let root = root.ok_or_else(|| {
                unclear(
                    "the network of one cell is not there; this is a bug in jlems-rs",
                    None,
                )
            })?;
            outputs(&document, &model, root, options, choices, Some(stem))?
        }
    };
    Ok(Some(simulation))
}

/// A time that a network or cell recommends in a note, as LEMS writes it.
fn recommended(model: &Model<'_>, target: ComponentId, subject: &str) -> Option<String> {
    let [note, subjects, text] = NOTE;
    let notes = model.element(target).children();
    let found = (notes.filter(|child| child.name() == note))
        .find(|note| note.attribute(subjects).map(Attribute::value) == Some(subject))?;
    let milliseconds = found.attribute(text)?.value().trim();
    let number: f64 = milliseconds.parse().ok()?;
    (number.is_finite() && number > 0.0).then(|| format!("{milliseconds}ms"))
}

/// What is to be recorded of a LEMS file in addition to what it asks for.
///
/// # Errors
/// As of [`simulation_of`].
pub fn outputs_of(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    choices: &Choices,
) -> Result<Outputs, Failure> {
    if !choices.record_something() {
        return Ok(Outputs::default());
    }
    let document = load_runnable(path, reader, options)?;
    let model = read_model_in_use(&document)?;
    let (_, experiment) = crate::reading::experiment(&document, &model)?;
    match experiment.runs.first() {
        Some(run) => outputs(&document, &model, run.target, options, choices, None),
        None => Ok(Outputs::default()),
    }
}

/// The component that is to be run.
fn target(
    path: &str,
    document: &Document,
    model: &Model<'_>,
    choices: &Choices,
) -> Result<ComponentId, Failure> {
    let is_a = |id: &ComponentId, kind| model.is_a(model.component(*id).component_type, kind);
    let of_user = |id: &ComponentId| !document.source(model.span_of(*id).source).embedded;
    let can_run = |id: &ComponentId| of_user(id) && (is_a(id, NETWORK) || is_a(id, CELL));
    let all: Vec<ComponentId> = model.top_level.iter().copied().filter(can_run).collect();
    let name = |id: &ComponentId| model.name(*id).unwrap_or_default().to_owned();
    if let Some(wanted) = &choices.target {
        let found = all.iter().rev().find(|id| name(id) == *wanted);
        return found.copied().ok_or_else(|| {
            let names: Vec<String> = all.iter().map(name).collect();
            let help = match nearest(wanted, names.iter().map(String::as_str)) {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None => list(names).map(|names| format!("there is {names}")),
            };
            unclear(
                &format!("there is no network or cell `{wanted}` in {path}"),
                help,
            )
        });
    }
    // What the file itself holds comes before what it includes.
    let own = |id: &&ComponentId| document.source(model.span_of(**id).source).name == path;
    for kind in [NETWORK, CELL] {
        let of_kind: Vec<ComponentId> = all.iter().copied().filter(|id| is_a(id, kind)).collect();
        let in_file: Vec<ComponentId> = of_kind.iter().filter(own).copied().collect();
        let found = if in_file.is_empty() { of_kind } else { in_file };
        match found.as_slice() {
            [] => {}
            [only] => return Ok(*only),
            several => {
                let first = several.first().map(name).unwrap_or_default();
                let what = if kind == NETWORK { "networks" } else { "cells" };
                let names = list(several.iter().map(name)).unwrap_or_default();
                let message = format!("{path} has several {what}: {names}");
                return Err(unclear(
                    &message,
                    Some(format!("choose one, as in `--target {first}`")),
                ));
            }
        }
    }
    let message = format!("{path} has neither a network nor a cell that could be run");
    Err(unclear(
        &message,
        Some("`jlems-rs validate` checks such a file".to_owned()),
    ))
}

/// What the choices mean in a network; of a NeuroML file whose name without ending is `stem`, also the usual.
fn outputs(
    document: &Document,
    model: &Model<'_>,
    root: ComponentId,
    options: &Options,
    choices: &Choices,
    stem: Option<&str>,
) -> Result<Outputs, Failure> {
    let usual = !choices.record_something();
    if (options.limits.allow_network(document, model, root)).is_err() {
        // The run is refused for the same reason, and a plan says why.
        return Ok(Outputs::default());
    }
    let random = JavaRandom::new(options.seed.unwrap_or_default());
    let network = Network::build_within(
        model,
        root,
        random,
        options.limits.most_instances(),
        Some(crate::cable_rules()),
    );
    let network = network.map_err(|errors| Failure::of(document.sources(), &errors))?;
    let (data_file, event_file) = choices.files(stem.unwrap_or("recorded"));
    let (quantities, populations) = match usual {
        true => everything_usual(&network),
        false => (
            choices
                .record
                .iter()
                .map(|path| expanded(&network, path))
                .collect::<Result<Vec<_>, _>>()?
                .concat(),
            choices
                .spikes
                .iter()
                .map(|name| spikes(&network, name))
                .collect::<Result<Vec<_>, _>>()?
                .concat(),
        ),
    };
    let data = DataOutput {
        file: data_file,
        quantities,
    };
    let events = populations
        .into_iter()
        .map(|(population, cells)| EventOutput {
            file: event_file(&population),
            cells,
        });
    Ok(Outputs {
        events: events.collect(),
        data: Some(data)
            .filter(|data| !data.quantities.is_empty())
            .into_iter()
            .collect(),
    })
}

/// Cells with their ports, under the name of their population.
type Senders = (String, Vec<(String, String)>);

/// What is usually recorded: the potential of the first cell of each population, and the spikes of all populations
/// that send any.
fn everything_usual(network: &Network<'_, '_>) -> (Vec<String>, Vec<Senders>) {
    let (mut quantities, mut senders) = (Vec::new(), Vec::new());
    for population in network.populations() {
        let cells = network.cells(population);
        let Some(first) = cells.first() else { continue };
        let exposed = &network.type_of(first.instance).exposures;
        let potential = POTENTIALS.iter().find(|name| exposed.contains_key(*name));
        quantities.extend(potential.map(|name| format!("{}/{name}", first.path)));
        if network.type_of(first.instance).ports.contains_key(SPIKE) {
            let name = name_of(&network.path(population));
            senders.push((name, with_ports(network, &cells)));
        }
    }
    (quantities, senders)
}

fn with_ports(network: &Network<'_, '_>, cells: &[Cell]) -> Vec<(String, String)> {
    let port = |cell: &Cell| {
        network
            .sending_port(cell.instance, SPIKE)
            .map(str::to_owned)
    };
    let sender = |cell: &Cell| Some((cell.path.clone(), port(cell)?));
    cells.iter().filter_map(sender).collect()
}

/// The paths that one with `*` stands for: `pop[*]/v`, `pop/*/cell/v`, also for all populations, as in `*[*]/v`.
fn expanded(network: &Network<'_, '_>, path: &str) -> Result<Vec<String>, Failure> {
    let Some((name, rest)) = path.split_once("[*]").or_else(|| path.split_once("/*")) else {
        return Ok(vec![path.to_owned()]);
    };
    if rest.contains('*') || name.contains(['/', '[']) {
        let help = "a `*` stands for the cells of a population, as in `pop[*]/v`".to_owned();
        return Err(nothing(&format!("`{path}` cannot be recorded"), Some(help)));
    }
    let cells = cells_of(network, name)?
        .into_iter()
        .flat_map(|(_, cells)| cells);
    Ok(cells.map(|cell| cell.path_to(rest)).collect())
}

/// The cells of populations: of one by its name, or of all for `*`.
fn cells_of(network: &Network<'_, '_>, name: &str) -> Result<Vec<(String, Vec<Cell>)>, Failure> {
    let all = network.populations();
    let named = |id| network.component_id(id).unwrap_or_default();
    let found: Vec<_> = match name {
        "*" => all,
        name => all
            .iter()
            .copied()
            .filter(|id| named(*id) == name)
            .collect(),
    };
    if found.is_empty() {
        let names: Vec<String> = network
            .populations()
            .into_iter()
            .map(|id| named(id).to_owned())
            .collect();
        let help = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None => list(names).map(|names| format!("there is {names}")),
        };
        return Err(nothing(&format!("there is no population `{name}`"), help));
    }
    let cells = |id| (name_of(&network.path(id)), network.cells(id));
    Ok(found.into_iter().map(cells).collect())
}

/// What `--spikes` stands for: a population, all of them (`*`), or a path.
fn spikes(network: &Network<'_, '_>, name: &str) -> Result<Vec<Senders>, Failure> {
    if name.contains(['/', '[']) {
        let cells = expanded(network, name)?;
        let population = name.split(['/', '[']).next().unwrap_or_default();
        let cells = cells.into_iter().map(|cell| (cell, SPIKE.to_owned()));
        return Ok(vec![(name_of(population), cells.collect())]);
    }
    let mut senders = Vec::new();
    for (population, cells) in cells_of(network, name)? {
        let found = with_ports(network, &cells);
        if !found.is_empty() {
            senders.push((population, found));
        } else if name != "*" {
            return Err(nothing(
                &format!("the cells of `{name}` send no events"),
                None,
            ));
        }
    }
    Ok(senders)
}

fn unclear(message: &str, help: Option<String>) -> Failure {
    Failure::plain(Code::NOTHING_TO_RUN, message, help)
}

fn nothing(message: &str, help: Option<String>) -> Failure {
    Failure::plain(Code::NOT_RECORDED, message, help)
}
