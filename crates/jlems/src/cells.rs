//! A cell with dendrites as plain data: its sections and compartments, what is where in them, and what
//! it is before a run begins.

mod drawing;
mod moment;
mod picture;

use lems_document::Document;
use lems_engine::{CableAtRest, cables_at_rest};
use lems_expression::Dimension;
use lems_lower::{Method, Recorded, lower};
use lems_math::JavaRandom;
use lems_model::{ComponentId, Model};
use lems_morphology::Compartment;
use lems_network::{CablePlan, CableRules, Network, Shapes};
use serde::Serialize;

use crate::description::si_unit;
use crate::resolved::{ResolvedValue, file_of};
use crate::{Code, Failure, Options, cable_rules};

pub use drawing::{CellColors, DrawnCell, DrawnSegment};
pub use moment::Shown;
pub use picture::picture;

/// A cell as compartments. Everything is in SI units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedCell {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// File that defines it.
    pub file: String,
    /// Line there, from 1.
    pub line: usize,
    /// Number of segments.
    pub segments: usize,
    /// The segments, in the order of the file.
    pub shape: Vec<ResolvedSegment>,
    /// The groups of segments, in the order of the file.
    pub groups: Vec<ResolvedGroup>,
    /// Length of all sections together, in metres.
    pub length: f64,
    /// Membrane area, in square metres.
    pub area: f64,
    /// Unbranched pieces.
    pub sections: Vec<ResolvedSection>,
    /// Pieces with one potential, in the order of the computation.
    pub compartments: Vec<ResolvedCompartment>,
    /// What is in the compartments, in the order of the file.
    pub parts: Vec<ResolvedPart>,
    /// Its value before the first step; None if that cannot be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_rest: Option<AtRest>,
}

/// A segment of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedSegment {
    /// Its id, as paths and places of synapses and inputs name it.
    pub id: i64,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the segment at which it begins; None for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<i64>,
    /// Name of its section.
    pub section: String,
    /// Length of the path, in metres.
    pub length: f64,
    /// Mean of the diameters of its ends, in metres.
    pub diameter: f64,
    /// Membrane area, in square metres.
    pub area: f64,
    /// Length of the path from the root to its middle, in metres.
    pub distance: f64,
}

/// A group of segments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedGroup {
    /// Its name.
    pub name: String,
    /// Ids of its segments, also of those in groups that it includes.
    pub segments: Vec<i64>,
}

/// An unbranched piece of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedSection {
    /// Name of its group, or of its only segment.
    pub name: String,
    /// Whether a group declares it.
    pub declared: bool,
    /// Ids of its segments, from its beginning to its end.
    pub segments: Vec<i64>,
    /// Section at which it begins; None for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Number of compartments.
    pub compartments: usize,
    /// Length of the path, in metres.
    pub length: f64,
    /// Average of the diameter along the path, in metres.
    pub diameter: f64,
    /// Membrane area, in square metres.
    pub area: f64,
    /// Resistance of the cytoplasm from end to end, in ohm.
    pub axial_resistance: f64,
    /// Length over length constant, for constant currents; None if the membrane has no conductance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub electrotonic_length: Option<f64>,
    /// Number of compartments that are no longer than a tenth of the length constant at 100 Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advised_compartments: Option<usize>,
}

/// A piece of a section with one potential.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedCompartment {
    /// Name of its section.
    pub section: String,
    /// Ids of the segments that it is on.
    pub segments: Vec<i64>,
    /// Length of the path, in metres.
    pub length: f64,
    /// Average of the diameter along the path, in metres.
    pub diameter: f64,
    /// Membrane area, in square metres.
    pub area: f64,
    /// Length of the path from the root to its centre, in metres.
    pub distance: f64,
    /// Potential before the first step, in volts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub potential: Option<f64>,
    /// Conductance of the membrane before the first step, in siemens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conductance: Option<f64>,
    /// Capacitance of the membrane, in farads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacitance: Option<f64>,
    /// Input resistance at its centre, in ohm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_resistance: Option<f64>,
}

/// Something that is in some of the compartments, or in all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedPart {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The group or the segment that it names.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Number of compartments that it is in.
    pub compartments: usize,
    /// Membrane area that it covers, in square metres.
    pub area: f64,
    /// Its parameters.
    pub parameters: Vec<ResolvedValue>,
    /// Parameters per area, times the area.
    pub totals: Vec<ResolvedValue>,
    /// Names of references, and the ids of the components that they mean.
    pub references: Vec<(String, String)>,
}

/// A cell before the first step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtRest {
    /// Potential in the compartment that stands for the cell, in volts.
    pub potential: f64,
    /// Whether all compartments have that potential.
    pub uniform: bool,
    /// Conductance of the whole membrane, in siemens. Gates have their first values.
    pub conductance: f64,
    /// Capacitance of the whole membrane, in farads.
    pub capacitance: f64,
    /// Input resistance in the compartment that stands for the cell, in ohm; None if a potential
    /// would not stay where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_resistance: Option<f64>,
    /// Time constant of the slowest decay of the potentials, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_constant: Option<f64>,
}

impl ResolvedCell {
    /// Describes the cells of a model that have a shape, or the one with an id.
    ///
    /// Cells that the target of the model runs are described as they begin there, with its temperature
    /// and what is attached to them; others as they are alone.
    ///
    /// # Errors
    /// No such cell; what is wrong with its shape.
    pub fn all(
        document: &Document,
        model: &Model<'_>,
        wanted: Option<&str>,
        options: &Options,
    ) -> Result<Vec<ResolvedCell>, Failure> {
        let rules = cable_rules();
        let cells = ResolvedCell::some(document, model, wanted, options)?;
        match cells.is_empty() {
            true => Err(no_cell(model, &rules.cells(model), wanted, rules)),
            false => Ok(cells),
        }
    }

    /// The same as [`all`](Self::all), but none if there is no such cell.
    ///
    /// # Errors
    /// What is wrong with the shapes.
    pub fn some(
        document: &Document,
        model: &Model<'_>,
        wanted: Option<&str>,
        options: &Options,
    ) -> Result<Vec<ResolvedCell>, Failure> {
        let rules = cable_rules();
        let cells = plans(document, model, wanted, rules)?;
        if cells.is_empty() {
            return Ok(Vec::new());
        }
        let at_rest = cables_of_run(document, model, options).unwrap_or_default();
        Ok((cells.iter())
            .map(|(cell, plan)| {
                let in_run = at_rest.iter().find(|(found, _)| found == cell);
                let cable = in_run.map(|(_, cable)| cable.clone());
                let cable = cable.or_else(|| cable_alone(model, *cell, rules, options));
                let describer = Describer {
                    document,
                    model,
                    rules,
                    cell: *cell,
                    plan,
                    resistances: (cable.as_ref())
                        .map_or_else(Vec::new, CableAtRest::input_resistances),
                    cable,
                };
                describer.cell()
            })
            .collect())
    }
}

/// The cells of a model that have a shape, or the one with an id.
///
/// # Errors
/// What is wrong with their shapes.
fn plans(
    document: &Document,
    model: &Model<'_>,
    wanted: Option<&str>,
    rules: &CableRules,
) -> Result<Vec<(ComponentId, CablePlan)>, Failure> {
    let mut cells = Vec::new();
    let mut errors = Vec::new();
    let all = rules.cells(model).into_iter();
    for cell in all.filter(|cell| wanted.is_none_or(|wanted| model.name(*cell) == Some(wanted))) {
        match CablePlan::of(model, rules, cell) {
            None => {}
            Some(Ok(plan)) => cells.push((cell, plan)),
            Some(Err(found)) => errors.extend(found),
        }
    }
    match errors.is_empty() {
        true => Ok(cells),
        false => Err(Failure::of(document.sources(), &errors).with_warnings_of(document)),
    }
}

fn no_cell(
    model: &Model<'_>,
    all: &[ComponentId],
    wanted: Option<&str>,
    rules: &CableRules,
) -> Failure {
    let names = all.iter().filter_map(|cell| model.name(*cell));
    let listed: Vec<String> = (names.clone().take(LISTED))
        .map(|name| format!("`{name}`"))
        .collect();
    let (message, help) = match wanted {
        Some(wanted) => {
            let near = lems_document::nearest(wanted, names);
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let there = (!listed.is_empty()).then(|| format!("there are {}", listed.join(", ")));
            let message = format!("there is no cell `{wanted}` that has segments");
            (message, help.or(there))
        }
        None => {
            let help = format!("such cells are of the type `{}`", rules.cell_type());
            ("there is no cell that has segments".to_owned(), Some(help))
        }
    };
    Failure::plain(Code::NO_SUCH_NAME, message, help)
}

/// Most names that a message lists.
const LISTED: usize = 8;

/// The first cell of each component in the network that the target runs; None without a run.
fn cables_of_run(
    document: &Document,
    model: &Model<'_>,
    options: &Options,
) -> Option<Vec<(ComponentId, CableAtRest)>> {
    model.target?;
    let (_, experiment) = crate::reading::experiment(document, model).ok()?;
    let run = *experiment.runs.first()?;
    (options.limits.allow_network(document, model, run.target)).ok()?;
    let network = experiment.network(model, run).ok()?;
    cables(&network, options)
}

/// A cell in a network of its own; None if it cannot run.
fn cable_alone(
    model: &Model<'_>,
    cell: ComponentId,
    rules: &CableRules,
    options: &Options,
) -> Option<CableAtRest> {
    let network = Network::of_cell(model, cell, random(options), rules).ok()?;
    let mut found = cables(&network, options)?.into_iter();
    found.next().map(|(_, cable)| cable)
}

fn random(options: &Options) -> JavaRandom {
    JavaRandom::new(options.seed.unwrap_or_default())
}

/// The first cell of each component in a network, before the first step.
fn cables(network: &Network<'_, '_>, options: &Options) -> Option<Vec<(ComponentId, CableAtRest)>> {
    // The method whose currents come before anything moves.
    let (shapes, method) = (Shapes::of(network), Method::Implicit);
    let lowered = lower(network, &shapes, &Recorded::default(), method).ok()?;
    let at_rest = cables_at_rest(&lowered.program, &random(options));
    let mut found: Vec<(ComponentId, CableAtRest)> = Vec::new();
    for (cable, at_rest) in network.cables.all.iter().zip(at_rest) {
        let component = (cable.instances.iter().flatten())
            .find_map(|instance| network.instance(*instance).component);
        if let Some(component) = component
            && !found.iter().any(|(known, _)| *known == component)
        {
            found.push((component, at_rest));
        }
    }
    Some(found)
}

/// Describes one cell.
struct Describer<'a, 'd> {
    document: &'a Document,
    model: &'a Model<'d>,
    rules: &'a CableRules,
    cell: ComponentId,
    plan: &'a CablePlan,
    cable: Option<CableAtRest>,
    /// Input resistances by node, if there is a cable.
    resistances: Vec<f64>,
}

impl Describer<'_, '_> {
    fn cell(&self) -> ResolvedCell {
        let (model, morphology) = (self.model, &self.plan.morphology);
        let (file, line) = file_of(self.document, model.element(self.cell).span());
        let compartments = morphology.compartments().iter().enumerate();
        let compartments: Vec<ResolvedCompartment> = compartments
            .map(|(number, compartment)| self.compartment(number, compartment))
            .collect();
        let sections = self.sections();
        ResolvedCell {
            id: model.name(self.cell).unwrap_or_default().to_owned(),
            kind: model.type_of_component(self.cell).name.to_owned(),
            file,
            line,
            segments: morphology.segments().len(),
            shape: self.shape(),
            groups: self.groups(),
            length: sections.iter().map(|section| section.length).sum(),
            area: sections.iter().map(|section| section.area).sum(),
            parts: self.parts(),
            at_rest: self.at_rest(),
            sections,
            compartments,
        }
    }

    fn shape(&self) -> Vec<ResolvedSegment> {
        let morphology = &self.plan.morphology;
        let segments = morphology.segments();
        // Membrane area of each segment.
        let mut areas = vec![0.0; segments.len()];
        for piece in (morphology.compartments().iter()).flat_map(|found| &found.pieces) {
            if let Some(area) = areas.get_mut(piece.segment) {
                *area += piece.area;
            }
        }
        let names = CablePlan::segment_names(self.model, self.rules, self.cell);
        let all = segments.iter().enumerate().zip(areas).zip(names);
        let resolved = all.map(|(((index, segment), area), name)| {
            let parent = segment.parent.and_then(|parent| segments.get(parent));
            let section = morphology.section_of(index);
            let diameter = morphology
                .ends(index)
                .map(|(start, end)| (start.diameter + end.diameter) / 2.0);
            let (start, end) =
                (morphology.distance_range(&[index])).unwrap_or((f64::NAN, f64::NAN));
            ResolvedSegment {
                id: segment.id,
                name: name.map(str::to_owned),
                parent: parent.map(|parent| parent.id),
                section: section.map_or_else(String::new, |section| self.name_of(section)),
                length: end - start,
                diameter: diameter.unwrap_or(f64::NAN),
                area,
                distance: (start + end) / 2.0,
            }
        });
        resolved.collect()
    }

    fn groups(&self) -> Vec<ResolvedGroup> {
        let groups = self.plan.groups.iter();
        let group = |(name, segments): &(String, Vec<usize>)| ResolvedGroup {
            name: name.clone(),
            segments: self.ids(segments.iter().copied()),
        };
        groups.map(group).collect()
    }

    /// The ids of segments.
    fn ids(&self, segments: impl Iterator<Item = usize>) -> Vec<i64> {
        let all = self.plan.morphology.segments();
        let found = segments.filter_map(|segment| all.get(segment));
        found.map(|segment| segment.id).collect()
    }

    fn name_of(&self, section: usize) -> String {
        let names = &self.plan.sections;
        names
            .get(section)
            .map(|section| section.name.clone())
            .unwrap_or_default()
    }

    fn compartment(&self, number: usize, compartment: &Compartment) -> ResolvedCompartment {
        let pieces = compartment.pieces.iter();
        let node = self
            .cable
            .as_ref()
            .and_then(|cable| cable.nodes.get(compartment.node));
        let finite = |value: f64| value.is_finite().then_some(value);
        let resistance = self.resistances.get(compartment.node).copied();
        ResolvedCompartment {
            section: self.name_of(compartment.section),
            segments: self.ids(pieces.map(|piece| piece.segment)),
            length: compartment.length,
            diameter: compartment.diameter,
            area: compartment.area,
            distance: self.plan.morphology.distance(number),
            potential: node.and_then(|node| finite(node.potential)),
            conductance: node.and_then(|node| finite(node.conductance)),
            capacitance: node.and_then(|node| finite(node.capacitance)),
            input_resistance: resistance.filter(|found| found.is_finite() && *found > 0.0),
        }
    }

    fn sections(&self) -> Vec<ResolvedSection> {
        let morphology = &self.plan.morphology;
        let mut sections: Vec<ResolvedSection> = (morphology.sections().iter().enumerate())
            .map(|(number, section)| {
                let first = section
                    .segments
                    .first()
                    .and_then(|first| morphology.segments().get(*first));
                let parent = first.and_then(|first| morphology.section_of(first.parent?));
                let name = self.plan.sections.get(number);
                ResolvedSection {
                    name: self.name_of(number),
                    declared: name.is_some_and(|name| name.declared),
                    segments: self.ids(section.segments.iter().copied()),
                    parent: parent.map(|parent| self.name_of(parent)),
                    compartments: section.divisions,
                    length: 0.0,
                    diameter: 0.0,
                    area: 0.0,
                    axial_resistance: 0.0,
                    electrotonic_length: None,
                    advised_compartments: None,
                }
            })
            .collect();
        // Sums over the compartments of each.
        let mut conductances = vec![0.0; sections.len()];
        for compartment in morphology.compartments() {
            let node = self
                .cable
                .as_ref()
                .and_then(|cable| cable.nodes.get(compartment.node));
            if let Some(sum) = conductances.get_mut(compartment.section) {
                *sum += node.map_or(f64::NAN, |node| node.conductance);
            }
            if let Some(section) = sections.get_mut(compartment.section) {
                section.length += compartment.length;
                section.diameter += compartment.diameter * compartment.length;
                section.area += compartment.area;
            }
        }
        for (section, advised) in sections.iter_mut().zip(self.plan.advised_divisions()) {
            section.advised_compartments = advised;
        }
        let resistances = self.plan.axial_resistances();
        for ((section, conductance), resistance) in
            sections.iter_mut().zip(conductances).zip(resistances)
        {
            section.diameter /= section.length;
            section.axial_resistance = resistance;
            let squared = resistance * conductance;
            section.electrotonic_length = (squared > 0.0).then(|| squared.sqrt());
        }
        sections
    }

    /// What is in the compartments: all that is per area, that is counted, or that is about a part of the cell.
    fn parts(&self) -> Vec<ResolvedPart> {
        let model = self.model;
        let mut parts = Vec::new();
        let mut unread: Vec<ComponentId> = vec![self.cell];
        while let Some(component) = unread.pop() {
            let parameters = &model.type_of_component(component).parameters;
            let is_counted = || parameters.keys().any(|name| self.rules.is_counted(name));
            let plan = self.plan;
            if plan.is_density(component) || plan.is_somewhere(component) || is_counted() {
                parts.push(component);
            }
            unread.extend(model.children(component).map(|(_, child)| child));
        }
        parts.sort_unstable_by_key(|part| {
            let span = model.span_of(*part);
            (span.source, span.start)
        });
        parts.into_iter().map(|part| self.part(part)).collect()
    }

    fn part(&self, id: ComponentId) -> ResolvedPart {
        let (model, plan) = (self.model, self.plan);
        let kind = model.type_of_component(id);
        let compartments = || plan.morphology.compartments().iter().enumerate();
        let covered: Vec<(usize, f64)> = compartments()
            .map(|(number, compartment)| (number, compartment.area * plan.share_in(id, number)))
            .filter(|(_, area)| *area > 0.0)
            .collect();
        let area: f64 = covered.iter().map(|(_, area)| area).sum();
        let value = |name: &str, value: f64, dimension: Option<Dimension>| ResolvedValue {
            name: name.to_owned(),
            value,
            unit: dimension.and_then(|dimension| si_unit(model, dimension)),
        };
        let parameters = kind.parameters.iter().zip(model.parameters(id));
        let parameters =
            parameters.map(|((name, parameter), given)| (*name, parameter.dimension, *given));
        let parameters: Vec<(&str, Option<Dimension>, f64)> = parameters.collect();
        let per_area = parameters
            .iter()
            .filter(|(name, ..)| self.rules.is_density(name));
        let over_area = |dimension: Option<Dimension>| dimension.map(|d| d.times(Dimension::AREA));
        let mut totals: Vec<ResolvedValue> = per_area
            .map(|(name, dimension, given)| value(name, given * area, over_area(*dimension)))
            .collect();
        if let Some((name, dimension)) = plan.varying_parameter(id, model) {
            let sum = compartments()
                .map(|(number, compartment)| compartment.area * plan.varying_value(id, number));
            totals = vec![value(name, sum.sum(), over_area(dimension))];
        }
        let place = self.rules.coverings().into_iter();
        let place = place
            .filter_map(|name| model.element(id).attribute(name))
            .next();
        let id_of = |id: &ComponentId| model.name(*id).unwrap_or_default().to_owned();
        ResolvedPart {
            id: model.name(id).map(str::to_owned),
            kind: kind.name.to_owned(),
            place: place.map(|place| place.value().to_owned()),
            compartments: covered.len(),
            area,
            parameters: (parameters.iter())
                .map(|(name, dimension, given)| value(name, *given, *dimension))
                .collect(),
            totals,
            references: (model.references(id).iter())
                .map(|(name, id)| ((*name).to_owned(), id_of(id)))
                .collect(),
        }
    }

    fn at_rest(&self) -> Option<AtRest> {
        let cable = self.cable.as_ref()?;
        let compartments = self.plan.morphology.compartments();
        let main = compartments.get(self.plan.main)?.node;
        let potential = cable.nodes.get(main)?.potential;
        let nodes = || {
            compartments
                .iter()
                .filter_map(|found| cable.nodes.get(found.node))
        };
        let conductance: f64 = nodes().map(|node| node.conductance).sum();
        let capacitance: f64 = nodes().map(|node| node.capacitance).sum();
        if ![potential, conductance, capacitance]
            .iter()
            .all(|value| value.is_finite())
        {
            return None;
        }
        let resistances = compartments
            .iter()
            .filter_map(|found| self.resistances.get(found.node));
        let is_stable = { resistances }.all(|found| found.is_finite() && *found > 0.0);
        Some(AtRest {
            potential,
            uniform: nodes().all(|node| node.potential == potential),
            conductance,
            capacitance,
            input_resistance: self.resistances.get(main).copied().filter(|_| is_stable),
            time_constant: cable.time_constant().filter(|_| is_stable),
        })
    }
}
