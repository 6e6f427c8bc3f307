//! The shapes of cells with dendrites, as the exporters want them.

use std::collections::HashSet;
use std::rc::Rc;

use lems_export::{Cell, Section};
use lems_model::Model;
use lems_morphology::{Point, Segment};
use lems_network::{CablePlan, Network};

/// The shapes of the cells with dendrites of a network.
pub(super) struct Shapes {
    pub cells: Vec<Cell>,
    /// For each cell with dendrites: its shape.
    pub of_cable: Vec<usize>,
}

impl Shapes {
    pub fn of(network: &Network<'_, '_>, model: &Model<'_>) -> Shapes {
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
                let name = component.map(|component| model.name(component));
                let name = name.flatten().unwrap_or("cell").to_owned();
                let is_taken = shapes.cells.iter().any(|cell| cell.name == name);
                let name = if is_taken {
                    format!("{name}_{number}")
                } else {
                    name
                };
                let order = order_of_sections(&cable.plan);
                shapes.cells.push(Cell {
                    name,
                    sections: sections_of(&cable.plan, &order),
                    groups: groups_of(&cable.plan, &order),
                });
                plans.push(cable.plan.clone());
            }
            shapes.of_cable.push(number);
        }
        shapes
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

/// The sections in the order of the nodes, which is that of the compartments, each with its compartments.
fn order_of_sections(plan: &CablePlan) -> Vec<(usize, Vec<usize>)> {
    let mut order: Vec<(usize, Vec<usize>)> = Vec::new();
    for (number, compartment) in plan.morphology.compartments().iter().enumerate() {
        match order.last_mut() {
            Some((section, own)) if *section == compartment.section => own.push(number),
            _ => order.push((compartment.section, vec![number])),
        }
    }
    order
}

/// The groups that are whole sections: names, and places of the sections in their order.
fn groups_of(plan: &CablePlan, order: &[(usize, Vec<usize>)]) -> Vec<(String, Vec<usize>)> {
    let sections = plan.morphology.sections();
    let of = |(name, segments): &(String, Vec<usize>)| {
        let members: HashSet<usize> = segments.iter().copied().collect();
        let is_inside = |(_, (number, _)): &(usize, &(usize, Vec<usize>))| {
            let own = sections.get(*number).map(|section| &section.segments);
            own.is_some_and(|own| own.iter().all(|segment| members.contains(segment)))
        };
        let inside = order.iter().enumerate().filter(is_inside);
        (name.clone(), inside.map(|(place, _)| place).collect())
    };
    plan.groups.iter().map(of).collect()
}

fn sections_of(plan: &CablePlan, order: &[(usize, Vec<usize>)]) -> Vec<Section> {
    const MICROMETRE: f64 = 1e-6;
    let morphology = &plan.morphology;
    let segments = morphology.segments();
    let micrometres = |point: Point, y: f64| {
        [point.x, point.y + y, point.z, point.diameter].map(|length| length / MICROMETRE)
    };
    let section = |(number, compartments): &(usize, Vec<usize>)| {
        let own = morphology.sections().get(*number)?;
        let first = compartments.first().copied().unwrap_or_default();
        let capacitance =
            |compartment: &usize| 100.0 * plan.capacitance(*compartment).unwrap_or(f64::NAN);
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
        let name = plan
            .sections
            .get(*number)
            .map(|section| section.name.replace(' ', "_"));
        Some(Section {
            name: name.unwrap_or_else(|| format!("section_{number}")),
            points,
            resistivity: 100.0 * plan.resistivity(first).unwrap_or(1.0),
            capacitances: compartments.iter().map(capacitance).collect(),
            inserted: vec![Vec::new(); compartments.len()],
        })
    };
    order.iter().filter_map(section).collect()
}
