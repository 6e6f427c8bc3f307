//! A model as it is after reading, and its network after building, as plain data: for `show` and
//! its JSON.

use std::collections::BTreeMap;

use lems_document::{Document, Lines, SourceId, Span};
use lems_engine::Simulation;
use lems_index::narrow;
use lems_model::{ComponentId, Model, TypeId};
use lems_network::{Experiment, InstanceId, Network, Shapes};
use serde::Serialize;

use crate::description::{si_unit, unit_of};
use crate::{Failure, Options};

/// The components of a model and the types that they have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedModel {
    /// What is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Types of components, in the order of their names.
    pub types: Vec<TypeInUse>,
    /// Top-level components, in document order.
    pub components: Vec<ResolvedComponent>,
}

/// A type that has components.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeInUse {
    /// Name.
    pub name: String,
    /// The type it extends, the one that this extends, and so on.
    pub extends: Vec<String>,
    /// File that defines it.
    pub file: String,
    /// How many components are of this very type.
    pub components: usize,
}

/// A component with its values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedComponent {
    /// Its `id`, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// File that defines it.
    pub file: String,
    /// Line there, from 1.
    pub line: usize,
    /// Parameters, given, fixed, derived or by default.
    pub parameters: Vec<ResolvedValue>,
    /// Names of references, and the ids of the components that they mean.
    pub references: Vec<(String, String)>,
    /// Components in it.
    pub children: Vec<ResolvedComponent>,
}

/// A number in SI units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedValue {
    /// Name.
    pub name: String,
    /// SI value.
    pub value: f64,
    /// SI unit of its dimension; None for pure numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

impl ResolvedModel {
    /// Describes the components of a user's files; those of the core types are left out.
    pub fn of(model: &Model<'_>, document: &Document) -> ResolvedModel {
        let of_user = |id: ComponentId| !document.source(model.span_of(id).source).embedded;
        let mut numbers: BTreeMap<&str, (TypeId, usize)> = BTreeMap::new();
        for id in model.component_ids().filter(|id| of_user(*id)) {
            let kind = model.component(id).component_type;
            let number = numbers.entry(model.type_of(kind).name);
            number.or_insert((kind, 0)).1 += 1;
        }
        let in_use = |(name, (id, components)): (&str, (TypeId, usize))| TypeInUse {
            name: name.to_owned(),
            extends: std::iter::successors(model.type_of(id).parent, |id| {
                model.type_of(*id).parent
            })
            .map(|id| model.type_of(id).name.to_owned())
            .collect(),
            file: (document
                .source(model.type_of(id).element.span().source)
                .name)
                .clone(),
            components,
        };
        let top_level = model.top_level.iter().copied();
        let mut places = Places {
            document,
            lines: BTreeMap::new(),
        };
        ResolvedModel {
            target: (model.target)
                .and_then(|target| model.name(target.component))
                .map(str::to_owned),
            types: numbers.into_iter().map(in_use).collect(),
            components: top_level
                .filter(|id| of_user(*id))
                .map(|id| component(model, &mut places, id))
                .collect(),
        }
    }
}

/// Files and lines of components, of which a network has many.
struct Places<'d> {
    document: &'d Document,
    lines: BTreeMap<SourceId, Lines>,
}

impl Places<'_> {
    fn of(&mut self, span: Span) -> (String, usize) {
        let source = self.document.source(span.source);
        let lines = self.lines.entry(span.source);
        let lines = lines.or_insert_with(|| Lines::of(source));
        (source.name.clone(), lines.line(span.start))
    }
}

pub(crate) fn file_of(document: &Document, span: lems_document::Span) -> (String, usize) {
    let source = document.source(span.source);
    (source.name.clone(), source.line_column(span.start).0)
}

fn component(model: &Model<'_>, places: &mut Places<'_>, id: ComponentId) -> ResolvedComponent {
    let kind = model.type_of_component(id);
    let (file, line) = places.of(model.element(id).span());
    let values = kind.parameters.iter().zip(model.parameters(id));
    let target = |target: &ComponentId| model.name(*target).unwrap_or_default().to_owned();
    ResolvedComponent {
        id: model.name(id).map(str::to_owned),
        kind: kind.name.to_owned(),
        file,
        line,
        parameters: values
            .map(|((name, parameter), value)| ResolvedValue {
                name: (*name).to_owned(),
                value: *value,
                unit: parameter.dimension.and_then(|d| si_unit(model, d)),
            })
            .collect(),
        references: (model.references(id).iter())
            .map(|(name, id)| ((*name).to_owned(), target(id)))
            .collect(),
        children: (model.children(id))
            .map(|(_, child)| component(model, places, child))
            .collect(),
    }
}

/// The network of a run, counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedNetwork {
    /// The component that is run.
    pub target: String,
    /// Number of instances.
    pub instances: usize,
    /// Number of cells with dendrites.
    pub cables: usize,
    /// Number of their compartments, each of which is an instance.
    pub compartments: usize,
    /// Instances in lists of what is directly in the network.
    pub populations: Vec<Population>,
    /// Instances that were attached to others: synapses, inputs.
    pub attached: Vec<Population>,
    /// Ways of events, by where they begin and end.
    pub connections: Vec<Connections>,
    /// Groups of instances that share a kernel.
    pub shapes: Vec<ShapeSummary>,
    /// Columns of data files.
    pub columns: Vec<RecordedColumn>,
    /// What event files record.
    pub events: Vec<RecordedEvents>,
}

/// Equal instances in one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Population {
    /// Path of what holds them.
    #[serde(rename = "in")]
    pub place: String,
    /// Their component, or else their type.
    pub component: String,
    /// Their type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many there are.
    pub size: usize,
}

/// Event connections between the same two places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// Path of what holds the senders.
    pub from: String,
    /// Path of what holds the receivers.
    pub to: String,
    /// Type of the receivers.
    pub through: String,
    /// How many there are.
    pub number: usize,
}

/// Instances of equal shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShapeSummary {
    /// Type of the outermost instance.
    #[serde(rename = "type")]
    pub kind: String,
    /// Number of instance trees.
    pub members: usize,
    /// Instances in each of them.
    pub nodes: usize,
    /// Whether they are attached to others.
    pub attached: bool,
}

/// A column of a data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedColumn {
    /// Path of the file.
    pub file: String,
    /// Path of the quantity.
    pub quantity: String,
    /// Unit of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// What an event file records of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedEvents {
    /// Path of the file.
    pub file: String,
    /// The id in its lines.
    pub id: String,
    /// Path of the instance.
    pub select: String,
}

impl ResolvedNetwork {
    /// Builds the network of each run of the target and counts what it holds.
    ///
    /// # Errors
    /// Those of [`prepare`](crate::prepare).
    pub fn all(
        document: &Document,
        model: &Model<'_>,
        options: &Options,
    ) -> Result<Vec<ResolvedNetwork>, Failure> {
        each(document, model, options, ResolvedNetwork::of)
    }

    fn of(
        network: &Network<'_, '_>,
        experiment: &Experiment<'_>,
        simulation: &Simulation,
    ) -> ResolvedNetwork {
        let model = network.model;
        let ids = || (0..network.instances.len()).map(|index| InstanceId(narrow(index)));
        let mut populations = BTreeMap::new();
        let mut attached = BTreeMap::new();
        // A cell counts once, whatever the number of its compartments.
        for id in ids().filter(|id| !network.cables.is_beside(*id)) {
            let instance = network.instance(id);
            let Some(parent) = instance.parent else {
                continue;
            };
            let (counts, place) = match instance.attached {
                true => (&mut attached, top(network, parent)),
                false if network.instance(parent).parent == Some(Network::ROOT) => {
                    (&mut populations, parent)
                }
                false => continue,
            };
            let shown = network.unwrapped(id);
            let component = network.component_id(shown).unwrap_or_default();
            let kind = network.instance(shown).kind;
            *counts.entry((place, component, kind)).or_insert(0) += 1;
        }
        let listed = |counts: BTreeMap<(InstanceId, &str, TypeId), usize>| {
            let population = |((place, component, kind), size): ((_, &str, _), _)| Population {
                place: network.path(place),
                component: component.to_owned(),
                kind: model.type_of(kind).name.to_owned(),
                size,
            };
            counts.into_iter().map(population).collect()
        };
        let mut connections = BTreeMap::new();
        for route in network.routes.iter() {
            let ends = (top(network, route.source), top(network, route.target));
            let key = (ends, network.instance(route.target).kind);
            *connections.entry(key).or_insert(0) += 1;
        }
        let shapes = Shapes::of(network).shapes;
        let unit =
            |recorder: &lems_engine::Recorder| unit_of(model, recorder.dimension?, recorder.scale);
        ResolvedNetwork {
            target: network.title(Network::ROOT),
            instances: network.instances.len(),
            cables: network.cables.all.len(),
            compartments: (network.cables.all.iter())
                .map(|cable| cable.plan.morphology.compartments().len())
                .sum(),
            populations: listed(populations),
            attached: listed(attached),
            connections: (connections.into_iter())
                .map(|(((from, to), kind), number)| Connections {
                    from: network.path(from),
                    to: network.path(to),
                    through: model.type_of(kind).name.to_owned(),
                    number,
                })
                .collect(),
            shapes: (shapes.iter())
                .filter_map(|shape| {
                    Some(ShapeSummary {
                        kind: model.type_of(shape.nodes.first()?.kind).name.to_owned(),
                        members: shape.members,
                        nodes: shape.nodes.len(),
                        attached: shape.attached,
                    })
                })
                .collect(),
            columns: (simulation.recordings())
                .flat_map(|(file, recorders)| {
                    recorders.iter().map(move |recorder| RecordedColumn {
                        file: file.to_owned(),
                        quantity: recorder.quantity.clone(),
                        unit: unit(recorder),
                    })
                })
                .collect(),
            events: (experiment.event_files.iter())
                .flat_map(|file| {
                    file.selections.iter().map(|selection| RecordedEvents {
                        file: file.path.clone(),
                        id: selection.id.to_owned(),
                        select: selection.select.value().to_owned(),
                    })
                })
                .collect(),
        }
    }
}

/// What can be recorded of the network of each run: see [`Network::quantities`].
///
/// # Errors
/// Those of [`prepare`](crate::prepare).
pub fn quantities(
    document: &Document,
    model: &Model<'_>,
    options: &Options,
) -> Result<Vec<Vec<String>>, Failure> {
    each(document, model, options, |network, _, _| {
        network.quantities()
    })
}

/// What a function makes of the network of each run of the target.
pub(crate) fn each<T>(
    document: &Document,
    model: &Model<'_>,
    options: &Options,
    of: impl Fn(&Network<'_, '_>, &Experiment<'_>, &Simulation) -> T,
) -> Result<Vec<T>, Failure> {
    let simulations = crate::prepare(document, model, options)?;
    let (_, experiment) = crate::reading::experiment(document, model)?;
    (experiment.runs.iter().zip(&simulations))
        .map(|(run, simulation)| {
            let network = (experiment.network(model, *run))
                .map_err(|errors| Failure::of(document.sources(), &errors))?;
            Ok(of(&network, &experiment, simulation))
        })
        .collect()
}

/// The instance around another that is directly in the network, or the network.
fn top(network: &Network<'_, '_>, id: InstanceId) -> InstanceId {
    let mut current = id;
    while let Some(parent) = network.instance(current).parent {
        if parent == Network::ROOT {
            break;
        }
        current = parent;
    }
    current
}
