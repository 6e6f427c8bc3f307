//! A network with all its cells as one shape, to be drawn.

use std::collections::HashMap;

use lems_document::{Document, base_name};
use lems_model::{ComponentId, Model};
use lems_network::CablePlan;
use nml2_coretypes::simulation::{COORDINATES, NETWORK, POPULATION, POPULATION_CELL, SIZE};

use super::drawing::{CellColors, DrawnCell, DrawnSegment, segments};
use crate::{Code, Failure, cable_rules};

/// Most segments of all cells together. If there are more, each cell is a sphere.
const MOST_SEGMENTS: usize = 200_000;
/// Most cells of a network that is drawn.
const MOST_CELLS: f64 = 100_000.0;
/// Diameter of a cell without segments, in metres.
const DIAMETER: f64 = 10e-6;
/// How much longer the way between two cells without a place is than the longest cell.
const SPACING: f64 = 1.3;
const MICROMETRE: f64 = 1e-6;

/// Cells of one kind and their places, in metres.
struct Group {
    name: String,
    segments: Vec<DrawnSegment>,
    places: Vec<[f64; 3]>,
}

/// The picture of a model: the cells of its network at their places, in the colours of populations; without a
/// network the cells that have segments, side by side. Populations without places are below those with
/// places. `file` is the model's file, whose networks come before included ones.
///
/// # Errors
/// There is neither a network nor a cell with segments; there are too many cells; what is wrong with a shape.
pub fn picture(document: &Document, model: &Model<'_>, file: &str) -> Result<DrawnCell, Failure> {
    let Some(network) = network(document, model, file) else {
        let mut cells = DrawnCell::all(document, model, None, None)?;
        return Ok(match cells.len() {
            1 => cells.remove(0),
            _ => side_by_side(cells, file),
        });
    };
    let mut shapes = Shapes::default();
    let mut groups = Vec::new();
    let mut unplaced = Vec::new();
    let populations = model.children(network).map(|(_, child)| child);
    for population in populations.filter(|child| is_a(model, *child, POPULATION)) {
        let cell = model.reference(population, POPULATION_CELL);
        let group = Group {
            name: model.name(population).unwrap_or_default().to_owned(),
            segments: match cell {
                Some(cell) => shapes.of(document, model, cell)?,
                None => sphere(),
            },
            places: places(model, population),
        };
        match group.places.is_empty() {
            false => groups.push(group),
            true => {
                let size = model.parameter(population, SIZE);
                unplaced.push((group, size.unwrap_or(0.0).max(0.0)));
            }
        }
    }
    let placed: usize = groups.iter().map(|group| group.places.len()).sum();
    let cells = placed as f64 + unplaced.iter().map(|(_, size)| size).sum::<f64>();
    if cells > MOST_CELLS {
        return Err(too_many(cells));
    }
    for (mut group, size) in unplaced {
        group.places = grid(&groups, &group.segments, size);
        groups.push(group);
    }
    let of_all = |group: &Group| group.segments.len() * group.places.len();
    if groups.iter().map(of_all).sum::<usize>() > MOST_SEGMENTS {
        groups
            .iter_mut()
            .for_each(|group| group.segments = sphere());
    }
    Ok(together(
        model.name(network).unwrap_or_default().to_owned(),
        groups,
    ))
}

fn too_many(cells: f64) -> Failure {
    let message = format!("the network has {cells} cells, too many for a picture");
    let help = "`jlems-rs plot --morphology` draws the shapes of its cells".to_owned();
    Failure::plain(Code::NO_PICTURE, message, Some(help))
}

fn is_a(model: &Model<'_>, component: ComponentId, kind: &str) -> bool {
    model.is_a(model.component(component).component_type, kind)
}

/// The network that is run. If none is, this is the first network of the file, or else the first of an included file.
fn network(document: &Document, model: &Model<'_>, file: &str) -> Option<ComponentId> {
    let run = model.target.as_ref().and_then(|_| {
        let (_, experiment) = crate::reading::experiment(document, model).ok()?;
        Some(experiment.runs.first()?.target)
    });
    let is_network = |id: &ComponentId| is_a(model, *id, NETWORK);
    let of_file = |id: &ComponentId| document.source(model.span_of(*id).source).name == file;
    let mut all = model.top_level.iter().copied().filter(is_network);
    let own = all.clone().find(of_file);
    run.filter(is_network).or(own).or_else(|| all.next())
}

/// The segments of each component that is a cell.
#[derive(Default)]
struct Shapes(HashMap<ComponentId, Vec<DrawnSegment>>);

impl Shapes {
    fn of(
        &mut self,
        document: &Document,
        model: &Model<'_>,
        cell: ComponentId,
    ) -> Result<Vec<DrawnSegment>, Failure> {
        if let Some(known) = self.0.get(&cell) {
            return Ok(known.clone());
        }
        let drawn = match CablePlan::of(model, cable_rules(), cell) {
            None => sphere(),
            Some(Ok(plan)) => segments(&plan, &[]),
            Some(Err(errors)) => return Err(Failure::of(document.sources(), &errors)),
        };
        self.0.insert(cell, drawn.clone());
        Ok(drawn)
    }
}

fn sphere() -> Vec<DrawnSegment> {
    vec![DrawnSegment {
        ends: [[0.0, 0.0, 0.0, DIAMETER]; 2],
        name: String::new(),
        value: f64::NAN,
    }]
}

/// The places of the cells of a population that lists them.
fn places(model: &Model<'_>, population: ComponentId) -> Vec<[f64; 3]> {
    let place = |id: ComponentId| -> Option<[f64; 3]> {
        let [x, y, z] = COORDINATES.map(|name| model.parameter(id, name));
        Some([x? * MICROMETRE, y? * MICROMETRE, z? * MICROMETRE])
    };
    let cells = model.children(population).map(|(_, cell)| cell);
    let places = cells.filter_map(|cell| {
        let mut inside = model.children(cell);
        inside.find_map(|(_, child)| place(child))
    });
    places.collect()
}

/// Places for so many cells in rows, below everything else.
fn grid(above: &[Group], cell: &[DrawnSegment], size: f64) -> Vec<[f64; 3]> {
    let [[left, right], [low, high]] = [0, 1].map(|axis| range(cell, axis));
    let step = SPACING * (right - left).max(high - low).max(DIAMETER);
    let bottom = (above.iter())
        .flat_map(|group| {
            let [low, _] = range(&group.segments, 1);
            group.places.iter().map(move |[_, y, _]| y + low)
        })
        .fold(f64::INFINITY, f64::min);
    let top = match bottom.is_finite() {
        true => bottom - high - step,
        false => 0.0,
    };
    let in_row = size.sqrt().ceil().max(1.0);
    let place = |number: u32| {
        let (row, column) = (
            (f64::from(number) / in_row).floor(),
            f64::from(number) % in_row,
        );
        [column * step - left, top - row * step, 0.0]
    };
    (0u32..)
        .take_while(|number| f64::from(*number) < size)
        .map(place)
        .collect()
}

/// The range of a coordinate of segments; a point at the origin if there is none.
fn range(segments: &[DrawnSegment], axis: usize) -> [f64; 2] {
    let ends = segments.iter().flat_map(|segment| segment.ends);
    let range = ends.filter_map(|end| Some((*end.get(axis)?, end[3] / 2.0)));
    let range = range.filter(|(at, radius)| at.is_finite() && radius.is_finite());
    let range = range.fold(None, |range: Option<[f64; 2]>, (at, radius)| {
        let [low, high] = range.unwrap_or([at, at]);
        Some([low.min(at - radius), high.max(at + radius)])
    });
    range.unwrap_or([0.0, 0.0])
}

fn side_by_side(cells: Vec<DrawnCell>, file: &str) -> DrawnCell {
    let mut groups: Vec<Group> = Vec::new();
    let mut end = 0.0;
    for cell in cells {
        let [left, right] = range(&cell.segments, 0);
        groups.push(Group {
            name: cell.id,
            segments: cell.segments,
            places: vec![[end - left, 0.0, 0.0]],
        });
        end += (SPACING * (right - left)).max(DIAMETER);
    }
    together(base_name(file).to_owned(), groups)
}

fn together(id: String, groups: Vec<Group>) -> DrawnCell {
    let mut all = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        for (cell, [x, y, z]) in group.places.iter().enumerate() {
            let moved = |[a, b, c, diameter]: [f64; 4]| [a + x, b + y, c + z, diameter];
            all.extend(group.segments.iter().map(|segment| {
                let cell = match group.places.len() {
                    1 => group.name.clone(),
                    _ => format!("{}[{cell}]", group.name),
                };
                let name = match segment.name.is_empty() {
                    true => cell,
                    false => format!("{cell}: {}", segment.name),
                };
                DrawnSegment {
                    ends: segment.ends.map(moved),
                    name,
                    value: number as f64,
                }
            }));
        }
    }
    DrawnCell {
        id,
        segments: all,
        colors: CellColors::Groups(groups.into_iter().map(|group| group.name).collect()),
    }
}
