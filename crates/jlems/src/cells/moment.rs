//! Cells with the colours of a variable at one time of a run.

use std::collections::{HashMap, HashSet};

use lems_document::{SourceReader, nearest};
use lems_expression::Dimension;
use lems_network::CablePlan;
use lems_output::OutputError;

use super::drawing::{CellColors, DrawnCell, segments};
use super::{LISTED, no_cell, plans};
use crate::description::si_unit;
use crate::resolved::each;
use crate::simulation::{Choices, outputs_of};
use crate::{
    Code, Failure, Loaded, Options, Settings, Sink, cable_rules, load_runnable, read_model,
};

/// A variable at one time of a run.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'s> {
    /// Path of the variable from a segment: `v`, `caConc`, `biophys/membraneProperties/na_all/na/m/q`.
    pub variable: &'s str,
    /// The simulated time, as in `12 ms`.
    pub time: &'s str,
}

/// A cell that is drawn, and where the values of its segments come from.
struct Wanted<'p> {
    title: String,
    plan: &'p CablePlan,
    /// For each segment: the path of its variable, if it has one.
    paths: Vec<Option<String>>,
}

impl DrawnCell {
    /// The cells of the network that a file runs, each with the colours of a variable of the first member of a
    /// population at a time. A segment without the variable has no value. `wanted` is the only cell that is
    /// drawn, if it is given.
    ///
    /// # Errors
    /// The file says nothing to run; no such cell; no segment has the variable; what is wrong with the model,
    /// the run or the time.
    pub fn at_a_time(
        path: &str,
        reader: &dyn SourceReader,
        options: &Options,
        wanted: Option<&str>,
        shown: Shown<'_>,
    ) -> Result<Vec<DrawnCell>, Failure> {
        let document = load_runnable(path, reader, options)?;
        let model = read_model(&document)?;
        // Which cells there are, and what can be recorded of them.
        let rules = cable_rules();
        let plans = plans(&document, &model, wanted, rules)?;
        if plans.is_empty() {
            return Err(no_cell(&model, &rules.cells(&model), wanted, rules));
        }
        let offers = each(&document, &model, options, |network, _, _| {
            let component = |id| network.instance(id).component;
            let places = network.first_cells().into_iter();
            let places = places.filter_map(|(cell, place)| Some((component(cell)?, place)));
            (network.quantities(), places.collect::<Vec<_>>())
        })?;
        let recordable: Vec<&str> = (offers.iter())
            .flat_map(|(quantities, _)| quantities.iter().map(String::as_str))
            .collect();
        let known: HashSet<&str> = recordable.iter().copied().collect();
        let mut cells = Vec::new();
        let mut shown_places = Vec::new();
        for (cell, plan) in &plans {
            let id = model.name(*cell).unwrap_or_default();
            let places = offers.iter().flat_map(|(_, places)| places);
            let places: Vec<&str> = places
                .filter(|(component, _)| component == cell)
                .map(|(_, place)| place.as_str())
                .collect();
            let several = places.len() > 1;
            for place in places {
                let paths = paths(plan, place, shown.variable, &known);
                let title = match several {
                    true => format!("{id} in {}", place.replace("[*]/", "")),
                    false => id.to_owned(),
                };
                cells.push(Wanted { title, plan, paths });
                shown_places.push(place);
            }
        }
        if cells.is_empty() {
            let message = "no network that is run has such a cell".to_owned();
            let help = "`--at` shows cells of the populations of a network".to_owned();
            return Err(Failure::plain(Code::NO_SUCH_NAME, message, Some(help)));
        }
        cells.retain(|cell| cell.paths.iter().any(Option::is_some));
        if cells.is_empty() {
            let of_cells = recordable.iter().filter_map(|path| {
                let mut places = shown_places.iter();
                places.find_map(|place| path.strip_prefix(place))
            });
            return Err(no_variable(shown.variable, of_cells.collect()));
        }
        // The run up to that time, of which the last row counts.
        let record: Vec<String> = (cells.iter())
            .flat_map(|cell| cell.paths.iter().flatten().cloned())
            .collect();
        let last = last_values(path, reader, options, record, shown.time)?;
        let value = |path: &Option<String>| {
            let found = path.as_ref().and_then(|path| last.get(path));
            found.map_or(f64::NAN, |(value, _)| *value)
        };
        let dimension = last.values().find_map(|(_, dimension)| *dimension);
        let unit = dimension.and_then(|dimension| si_unit(&model, dimension));
        Ok(cells
            .iter()
            .map(|cell| DrawnCell {
                id: cell.title.clone(),
                segments: segments(cell.plan, &cell.paths.iter().map(value).collect::<Vec<_>>()),
                colors: CellColors::Values {
                    quantity: format!("{} at {}", shown.variable, shown.time),
                    unit: unit.clone().unwrap_or_default(),
                },
            })
            .collect())
    }
}

/// By segment, the path of a variable of the first member at a place.
fn paths(
    plan: &CablePlan,
    place: &str,
    variable: &str,
    recordable: &HashSet<&str>,
) -> Vec<Option<String>> {
    let segments = plan.morphology.segments().iter().enumerate();
    segments
        .map(|(index, segment)| {
            let own = format!("{place}{}/{variable}", segment.id);
            // The compartment that stands for the cell has the paths of the cell.
            let of_cell = format!("{place}{variable}");
            let is_cell = plan.morphology.node_at(index, 0.5) == plan.morphology.node_at(0, 0.5);
            let mut candidates = vec![own];
            if is_cell {
                candidates.push(of_cell);
            }
            let mut found = candidates.into_iter();
            let found = found.find(|path| recordable.contains(path.as_str()));
            found.map(|path| path.replacen("[*]", "[0]", 1))
        })
        .collect()
}

/// `names` are the paths of variables of the cells.
fn no_variable(variable: &str, mut names: Vec<&str>) -> Failure {
    for name in &mut names {
        if let Some((segment, rest)) = name.split_once('/')
            && segment.bytes().all(|byte| byte.is_ascii_digit())
        {
            *name = rest;
        }
    }
    names.sort_unstable();
    names.dedup();
    let help = match (nearest(variable, names.iter().copied()), names.first()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(_)) => {
            names.sort_by_key(|name| name.len());
            names.truncate(LISTED);
            format!("a segment has {} and more", names.join(", "))
        }
        (None, None) => "nothing can be recorded of these cells".to_owned(),
    };
    let message = format!("no segment has a variable `{variable}`");
    Failure::plain(Code::NO_SUCH_NAME, message, Some(help))
}

/// Keeps the last row of each data file.
#[derive(Default)]
struct LastRows(Vec<Vec<f64>>);

impl Sink for LastRows {
    fn row(&mut self, file: usize, _time: f64, values: &[f64]) -> Result<(), OutputError> {
        if self.0.len() <= file {
            self.0.resize(file + 1, Vec::new());
        }
        if let Some(row) = self.0.get_mut(file) {
            row.clear();
            row.extend_from_slice(values);
        }
        Ok(())
    }

    fn event(&mut self, _file: usize, _selection: usize, _time: f64) -> Result<(), OutputError> {
        Ok(())
    }
}

/// Runs the model up to a time: the paths that are recorded, each with its value then in SI units and its
/// dimension.
fn last_values(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    record: Vec<String>,
    time: &str,
) -> Result<HashMap<String, (f64, Option<Dimension>)>, Failure> {
    let choices = Choices {
        record,
        ..Choices::default()
    };
    let outputs = outputs_of(path, reader, options, &choices)?;
    let options = Options {
        additions: Some(outputs.to_lems()),
        without_data: true,
        without_events: true,
        settings: options.settings.clone().then(Settings {
            length: Some(time.to_owned()),
            ..Settings::default()
        }),
        ..options.clone()
    };
    let built = Loaded::read(path, reader, &options)?
        .check(&options)?
        .build(&options)?;
    let compiled = built.compile(&options)?;
    let mut run = compiled.start_into(|_| Ok(LastRows::default()), &options)?;
    run.advance(f64::INFINITY)?;
    let recorders = run
        .simulation()
        .recordings()
        .map(|(_, recorders)| recorders);
    let rows = recorders.zip(&run.sink().0);
    Ok(rows
        .flat_map(|(recorders, row)| recorders.iter().zip(row))
        .map(|(recorder, value)| (recorder.quantity.clone(), (*value, recorder.dimension)))
        .collect())
}
