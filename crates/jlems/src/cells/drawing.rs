//! The shape of a cell with colours, to be drawn.

use lems_document::Document;
use lems_model::{ComponentId, Model};
use lems_network::{CablePlan, CableRules};

use super::{no_cell, plans};
use crate::description::si_unit;
use crate::{Code, Failure, cable_rules};

/// A cell to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnCell {
    /// Its id.
    pub id: String,
    /// Its segments.
    pub segments: Vec<DrawnSegment>,
    /// What the values of the segments mean.
    pub colors: CellColors,
}

/// A segment to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnSegment {
    /// x, y, z and diameter of its ends, in metres.
    pub ends: [[f64; 4]; 2],
    /// Its id and its section.
    pub name: String,
    /// The number of its group, or its value; NaN for none.
    pub value: f64,
}

/// What the colours of a cell mean.
#[derive(Debug, Clone, PartialEq)]
pub enum CellColors {
    /// The names of groups, by number.
    Groups(Vec<String>),
    /// A quantity and its SI unit.
    Values {
        /// The quantity.
        quantity: String,
        /// Its unit.
        unit: String,
    },
}

/// Most groups that get colours of their own.
const MOST_GROUPS: usize = 12;

impl DrawnCell {
    /// The cells of a model that have a shape, or the one with an id. The colours are those of `by`: the id
    /// of a part that is per area, such as a density, or the name of a group; without it, of groups that
    /// are no sections.
    ///
    /// # Errors
    /// No such cell; no such part or group; what is wrong with a shape.
    pub fn all(
        document: &Document,
        model: &Model<'_>,
        wanted: Option<&str>,
        by: Option<&str>,
    ) -> Result<Vec<DrawnCell>, Failure> {
        let rules = cable_rules();
        let cells = plans(document, model, wanted, rules)?;
        if cells.is_empty() {
            return Err(no_cell(model, &rules.cells(model), wanted, rules));
        }
        let mut drawn = Vec::new();
        for (cell, plan) in &cells {
            let colored = match by {
                None => Some(groups(plan)),
                Some(by) => {
                    (one_group(plan, by)).or_else(|| density(model, rules, *cell, plan, by))
                }
            };
            if let Some((colors, values)) = colored {
                drawn.push(DrawnCell {
                    id: model.name(*cell).unwrap_or_default().to_owned(),
                    segments: segments(plan, &values),
                    colors,
                });
            }
        }
        match (drawn.is_empty(), by) {
            (true, Some(by)) => Err(no_part(model, rules, &cells, by)),
            _ => Ok(drawn),
        }
    }
}

fn no_part(
    model: &Model<'_>,
    rules: &CableRules,
    cells: &[(ComponentId, CablePlan)],
    by: &str,
) -> Failure {
    let mut names: Vec<String> = Vec::new();
    for (cell, plan) in cells {
        let parts = parts_per_area(model, rules, *cell, plan).into_iter();
        names.extend(parts.filter_map(|part| Some(model.name(part)?.to_owned())));
        names.extend(plan.groups.iter().map(|(name, _)| name.clone()));
    }
    let near = lems_document::nearest(by, names.iter().map(String::as_str));
    let help = match (near, names.first()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(first)) => format!("name a density or a group, such as `{first}`"),
        (None, None) => "there is neither a density nor a group".to_owned(),
    };
    let message = format!("there is no density and no group `{by}`");
    Failure::plain(Code::NO_SUCH_NAME, message, Some(help))
}

/// The segments of a cell, with a value for each, if there is one.
pub(super) fn segments(plan: &CablePlan, values: &[f64]) -> Vec<DrawnSegment> {
    let morphology = &plan.morphology;
    let segments = morphology.segments().iter().enumerate();
    segments
        .filter_map(|(index, segment)| {
            let (start, end) = morphology.ends(index)?;
            let section = morphology.section_of(index);
            let section = section.and_then(|section| plan.sections.get(section));
            let name = match section.filter(|section| section.declared) {
                Some(section) => format!("{} in {}", segment.id, section.name),
                None => segment.id.to_string(),
            };
            Some(DrawnSegment {
                ends: [start, end].map(|point| [point.x, point.y, point.z, point.diameter]),
                name,
                value: values.get(index).copied().unwrap_or(f64::NAN),
            })
        })
        .collect()
}

/// The colours of the groups that are no sections.
///
/// A segment has the colour of the smallest group that it is in. If these are too many, it has that of the largest. If
/// there is no such group, the sections have colours.
fn groups(plan: &CablePlan) -> (CellColors, Vec<f64>) {
    let count = plan.morphology.segments().len();
    let is_section = |name: &str| plan.sections.iter().any(|s| s.declared && s.name == name);
    let mut groups: Vec<(&str, &[usize])> = (plan.groups.iter())
        .map(|(name, segments)| (name.as_str(), segments.as_slice()))
        .filter(|(name, segments)| {
            !is_section(name) && !segments.is_empty() && segments.len() < count
        })
        .collect();
    if groups.is_empty() {
        let sections = plan.sections.iter().zip(plan.morphology.sections());
        groups = sections
            .map(|(name, section)| (name.name.as_str(), section.segments.as_slice()))
            .collect();
    }
    // The last one that is painted is seen.
    groups.sort_by_key(|(_, segments)| std::cmp::Reverse(segments.len()));
    let smallest = painted(&groups, count);
    if smallest.0.len() <= MOST_GROUPS {
        return named(smallest);
    }
    groups.reverse();
    named(painted(&groups, count))
}

/// By segment the number of the last group that it is in, among those that are seen at all.
fn painted<'g>(groups: &[(&'g str, &[usize])], count: usize) -> (Vec<&'g str>, Vec<f64>) {
    let mut last: Vec<Option<usize>> = vec![None; count];
    for (number, (_, segments)) in groups.iter().enumerate() {
        for segment in *segments {
            if let Some(slot) = last.get_mut(*segment) {
                *slot = Some(number);
            }
        }
    }
    let mut seen: Vec<usize> = last.iter().copied().flatten().collect();
    seen.sort_unstable();
    seen.dedup();
    let value = |group: &Option<usize>| {
        let place = group.and_then(|group| seen.binary_search(&group).ok());
        place.map_or(f64::NAN, |place| place as f64)
    };
    let names = seen.iter().filter_map(|group| Some(groups.get(*group)?.0));
    (names.collect(), last.iter().map(value).collect())
}

fn named((names, values): (Vec<&str>, Vec<f64>)) -> (CellColors, Vec<f64>) {
    let names = names.into_iter().map(str::to_owned).collect();
    (CellColors::Groups(names), values)
}

fn one_group(plan: &CablePlan, name: &str) -> Option<(CellColors, Vec<f64>)> {
    let (name, segments) = plan.groups.iter().find(|(found, _)| found == name)?;
    let group = [(name.as_str(), segments.as_slice())];
    Some(named(painted(&group, plan.morphology.segments().len())))
}

/// The parts of a cell that have a parameter per area.
fn parts_per_area(
    model: &Model<'_>,
    rules: &CableRules,
    cell: ComponentId,
    plan: &CablePlan,
) -> Vec<ComponentId> {
    let mut parts = Vec::new();
    let mut unread = vec![cell];
    while let Some(component) = unread.pop() {
        let kind = model.type_of_component(component);
        let is_per_area = kind.parameters.keys().any(|name| rules.is_density(name));
        if is_per_area || plan.varying_parameter(component, model).is_some() {
            parts.push(component);
        }
        unread.extend(model.children(component).map(|(_, child)| child));
    }
    parts
}

/// How much there is of the parts with an id in the middle of each segment.
fn density(
    model: &Model<'_>,
    rules: &CableRules,
    cell: ComponentId,
    plan: &CablePlan,
    id: &str,
) -> Option<(CellColors, Vec<f64>)> {
    let compartments = plan.morphology.compartments().len();
    let mut sums = vec![0.0; compartments];
    let mut colors = None;
    let parts = parts_per_area(model, rules, cell, plan).into_iter();
    for part in parts.filter(|part| model.name(*part) == Some(id)) {
        let kind = model.type_of_component(part);
        let varying = plan.varying_parameter(part, model);
        let fixed = || {
            let mut parameters = kind.parameters.iter();
            let (name, parameter) = parameters.find(|(name, _)| rules.is_density(name))?;
            Some((*name, parameter.dimension))
        };
        let (name, dimension) = varying.or_else(fixed)?;
        let value = model.parameter(part, name).unwrap_or(0.0);
        for (number, sum) in sums.iter_mut().enumerate() {
            *sum += match varying {
                Some(_) => plan.varying_value(part, number),
                None => value * plan.share_in(part, number),
            };
        }
        colors = Some(CellColors::Values {
            quantity: format!("{id}: {name}"),
            unit: dimension
                .and_then(|dimension| si_unit(model, dimension))
                .unwrap_or_default(),
        });
    }
    let morphology = &plan.morphology;
    let in_segment = |segment: usize| {
        let node = morphology.nodes().get(morphology.node_at(segment, 0.5)?)?;
        sums.get(node.compartment?).copied()
    };
    let values =
        (0..morphology.segments().len()).map(|segment| in_segment(segment).unwrap_or(f64::NAN));
    Some((colors?, values.collect()))
}
