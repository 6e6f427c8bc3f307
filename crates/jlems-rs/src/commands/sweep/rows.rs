//! What is kept of each run, as columns of a table.

use jlems::{Failure, Simulation, Traces};
use lems_sweep::{Column, Feature, Point, Record, Spec, Subject, SweepError, Values};

/// Name of the file that a run would record to; nothing is written to it.
pub const RECORDED: &str = "sweep.dat";

/// Paths and populations that have to be recorded.
pub fn wanted(record: &Record) -> (Vec<String>, Vec<String>) {
    let (mut paths, mut populations) = (record.traces.clone(), record.events.clone());
    for feature in &record.features {
        let (list, own) = match &feature.subject {
            Subject::Trace(path) => (&mut paths, path),
            Subject::Spikes(population) => (&mut populations, population),
        };
        if !list.contains(own) {
            list.push(own.clone());
        }
    }
    (paths, populations)
}

/// What a run gave.
pub struct Kept {
    /// Simulated time, in seconds.
    pub length: f64,
    pub traces: Traces,
}

/// A point as a row.
#[derive(Debug, Clone)]
pub struct Row {
    point: u64,
    seed: Option<i64>,
    values: Vec<String>,
    /// Why it has no results.
    pub error: Option<String>,
    features: Vec<Option<f64>>,
    traces: Vec<Option<Vec<f64>>>,
    /// Numbers of the cells, and times in seconds.
    events: Vec<Option<(Vec<i64>, Vec<f64>)>>,
}

impl Row {
    /// The row of a point that has no results.
    pub fn failed(point: &Point<'_>, failure: &Failure) -> Row {
        Row::new(point, Some(first_line(failure)))
    }

    fn new(point: &Point<'_>, error: Option<String>) -> Row {
        Row {
            point: point.number,
            seed: point.seed,
            values: point
                .values
                .iter()
                .map(|(_, value)| (*value).to_owned())
                .collect(),
            error,
            features: Vec::new(),
            traces: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// A number that is kept, and where it comes from.
struct Number {
    feature: Feature,
    source: Place,
}

/// Where something is among the traces of a run.
#[derive(Clone, Copy)]
enum Place {
    /// A column of a table.
    Column { table: usize, column: usize },
    /// All events of a file.
    Events(usize),
}

/// What is kept of each run, and where it is found.
pub struct Layout {
    numbers: Vec<Number>,
    /// Names and places of lists of values.
    traces: Vec<(String, Place)>,
    /// Names and places of lists of events.
    events: Vec<(String, usize)>,
    /// Lists keep every n-th value; this is n.
    every: usize,
}

impl Layout {
    /// Finds what is to be kept in what a simulation records.
    pub fn of(spec: &Spec, simulation: &Simulation) -> Result<Layout, SweepError> {
        let recorded = Traces::of(simulation);
        let record = &spec.record;
        let numbers = record.features.iter().map(|feature| {
            let source = match &feature.subject {
                Subject::Trace(path) => column(&recorded, path),
                Subject::Spikes(population) => events(&recorded, population).map(Place::Events),
            };
            let feature = feature.clone();
            match source {
                Some(source) => Ok(Number { feature, source }),
                None => Err(SweepError::Value {
                    message: format!(
                        "`{}` is not about one thing that the model records",
                        feature.name
                    ),
                    help: Some(
                        "name one quantity, such as `pop[0]/v`, or one population".to_owned(),
                    ),
                    span: Some(feature.span),
                }),
            }
        });
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
        // Without a wish, all that the model records is kept.
        let keeps_all =
            record.features.is_empty() && record.traces.is_empty() && record.events.is_empty();
        let is_feature_only = |path: &str| {
            let is_subject = |number: &Number| matches!(&number.feature.subject, Subject::Trace(own) if own == path);
            !keeps_all
                && numbers.iter().any(is_subject)
                && !record.traces.iter().any(|own| own == path)
        };
        let mut traces = Vec::new();
        for (table, own) in recorded.tables.iter().enumerate() {
            for (column, quantity) in own.quantities.iter().enumerate() {
                let is_new = !traces.iter().any(|(name, _)| name == quantity);
                if is_new && !is_feature_only(quantity) {
                    traces.push((quantity.clone(), Place::Column { table, column }));
                }
            }
        }
        let all = recorded.events.iter().enumerate();
        let named = all.map(|(number, own)| (population(&own.path).to_owned(), number));
        let is_wanted = |(name, _): &(String, usize)| {
            keeps_all || record.events.iter().any(|own| own == name || own == "*")
        };
        let events = named.filter(is_wanted).collect();
        Ok(Layout {
            numbers,
            traces,
            events,
            every: usize::try_from(record.every).unwrap_or(usize::MAX).max(1),
        })
    }

    /// The row of a point that has run.
    pub fn row(&self, point: &Point<'_>, kept: &Kept) -> Row {
        let traces = &kept.traces;
        let values = |place: Place| match place {
            Place::Column { table, column } => traces.tables.get(table)?.columns.get(column),
            Place::Events(_) => None,
        };
        let number = |number: &Number| match number.source {
            Place::Events(file) => {
                let events = traces.events.get(file)?;
                let times: Vec<f64> = events.all.iter().map(|event| event.time).collect();
                number
                    .feature
                    .of_spikes(&times, events.ids.len(), kept.length)
            }
            place => number.feature.of_trace(values(place)?),
        };
        let list = |(_, place): &(String, Place)| {
            let all = values(*place)?.iter().copied();
            Some(all.step_by(self.every).collect())
        };
        let events = |(_, file): &(String, usize)| {
            let events = traces.events.get(*file)?;
            let number = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
            let ids = events
                .all
                .iter()
                .map(|event| number(event.selection))
                .collect();
            let times = events.all.iter().map(|event| event.time).collect();
            Some((ids, times))
        };
        Row {
            features: self.numbers.iter().map(number).collect(),
            traces: self.traces.iter().map(list).collect(),
            events: self.events.iter().map(events).collect(),
            ..Row::new(point, None)
        }
    }

    /// The table of some rows.
    pub fn columns(&self, spec: &Spec, rows: &[Row]) -> Vec<Column> {
        let column = |name: &str, unit: Option<String>, values| Column {
            name: name.to_owned(),
            unit,
            values,
        };
        let of_rows =
            |of: &dyn Fn(&Row) -> Option<i64>| Values::Whole(rows.iter().map(of).collect());
        let number = |row: &Row| i64::try_from(row.point).ok();
        let mut columns = vec![column("point", None, of_rows(&number))];
        for (place, parameter) in spec.parameters().enumerate() {
            let texts = rows.iter().map(|row| row.values.get(place).cloned());
            let (unit, values) = match parameter.unit {
                Some(unit) => {
                    let numbers = texts.map(|text| lems_sweep::number(&text?));
                    (
                        Some(unit.0).filter(|unit| !unit.is_empty()),
                        Values::Real(numbers.collect()),
                    )
                }
                None => (None, Values::Text(texts.collect())),
            };
            columns.push(column(parameter.path, unit, values));
        }
        if spec.has_seeds() {
            columns.push(column("seed", None, of_rows(&|row| row.seed)));
        }
        let errors = rows.iter().map(|row| row.error.clone());
        columns.push(column("error", None, Values::Text(errors.collect())));
        for (place, number) in self.numbers.iter().enumerate() {
            let values = rows
                .iter()
                .map(|row| row.features.get(place).copied().flatten());
            columns.push(column(
                &number.feature.name,
                None,
                Values::Real(values.collect()),
            ));
        }
        for (place, (name, _)) in self.traces.iter().enumerate() {
            let lists = rows
                .iter()
                .map(|row| row.traces.get(place).cloned().flatten());
            columns.push(column(name, None, Values::RealLists(lists.collect())));
        }
        for (place, (name, _)) in self.events.iter().enumerate() {
            let events = || rows.iter().map(|row| row.events.get(place)?.as_ref());
            let ids = events().map(|both| Some(both?.0.clone()));
            let times = events().map(|both| Some(both?.1.clone()));
            columns.push(column(
                &format!("{name} spikes"),
                None,
                Values::WholeLists(ids.collect()),
            ));
            columns.push(column(
                &format!("{name} times"),
                Some("s".to_owned()),
                Values::RealLists(times.collect()),
            ));
        }
        columns
    }
}

/// The column of a quantity.
fn column(recorded: &Traces, path: &str) -> Option<Place> {
    recorded.tables.iter().enumerate().find_map(|(table, own)| {
        let column = own
            .quantities
            .iter()
            .position(|quantity| quantity == path)?;
        Some(Place::Column { table, column })
    })
}

/// The file of the events of a population.
fn events(recorded: &Traces, wanted: &str) -> Option<usize> {
    recorded
        .events
        .iter()
        .position(|own| population(&own.path) == wanted)
}

/// The population that a file of events is named after; else its name.
fn population(path: &str) -> &str {
    let stem = RECORDED.trim_end_matches("dat");
    let inner = path
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_suffix(".spikes"));
    inner.unwrap_or(path)
}

/// What a failure says first, in one line.
fn first_line(failure: &Failure) -> String {
    let first = failure.diagnostics.first();
    match first {
        Some(first) => format!("{}: {}", first.code.label(first.severity), first.message),
        None => failure.render(false),
    }
}
