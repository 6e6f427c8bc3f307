//! From the texts of outputs to panels.

use std::collections::BTreeMap;

use jlems::{Display, DisplayLine, EventSource, event_trains};
use lems_plot::{Content, Curve, Panel, Row};

use super::look::Choice;

/// What a choice of columns can mean: a number, and names.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    number: Option<u64>,
    names: Vec<String>,
}

impl Label {
    /// Whether one of the choices means it.
    pub fn is_meant(&self, choice: &Choice) -> bool {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        choice.means(self.number, &names)
    }

    /// The title of its panel.
    pub fn title(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
}

/// A column of a file over its times, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    label: Label,
    line: DisplayLine,
    points: Vec<(f64, f64)>,
}

/// Columns of a file, or the rows of its events, each with what it may be called.
#[derive(Debug, Clone, PartialEq)]
pub enum Table {
    Columns(Vec<Column>),
    Events(Vec<(Label, Row)>),
}

impl Table {
    /// The columns of a file; their numbers are all that is known of them without a display.
    pub fn of_columns(display: Option<&Display>, columns: Vec<Vec<(f64, f64)>>) -> Table {
        let number = columns.len();
        let mut columns = columns.into_iter();
        let lines = match display {
            Some(display) => display.lines.clone(),
            None => (1..=number).map(unknown).collect(),
        };
        let column = |line: DisplayLine| {
            let names = vec![line.id.clone(), line.variable.clone()];
            let number = Some(line.column as u64);
            Column {
                label: Label { number, names },
                line,
                points: columns.next().unwrap_or_default(),
            }
        };
        Table::Columns(lines.into_iter().map(column).collect())
    }

    /// The rows of an event file; None if the text has other lines than events.
    pub fn of_events(sources: Option<&[EventSource]>, text: &str) -> Option<Table> {
        let mut trains = match event_trains(text) {
            Some(trains) => trains,
            None if text.trim().is_empty() && sources.is_some() => BTreeMap::new(),
            None => return None,
        };
        let sources = sources.map_or_else(|| in_order(&trains), <[EventSource]>::to_vec);
        let row = |source: EventSource| {
            let name = match (source.id.as_str(), source.source.as_str()) {
                (id, "") => id.to_owned(),
                ("", path) => path.to_owned(),
                (id, path) if id == path => path.to_owned(),
                (id, path) => format!("{id}: {path}"),
            };
            let names = vec![name.clone(), source.source, source.population.clone()];
            let number = source.id.parse().ok();
            let mut times = trains.remove(source.id.as_str()).unwrap_or_default();
            times.sort_by(f64::total_cmp);
            let row = Row {
                name,
                population: source.population,
                times,
            };
            (
                Label {
                    number,
                    names: [names, vec![source.id]].concat(),
                },
                row,
            )
        };
        Some(Table::Events(sources.into_iter().map(row).collect()))
    }

    /// What can be chosen.
    pub fn labels(&self) -> Vec<Label> {
        match self {
            Table::Columns(columns) => columns.iter().map(|column| column.label.clone()).collect(),
            Table::Events(rows) => rows.iter().map(|row| row.0.clone()).collect(),
        }
    }

    /// What the choices mean, at the times that are shown; all columns if there is no choice.
    pub fn chosen(mut self, choices: &[Choice], shows: impl Fn(f64) -> bool) -> Table {
        let is_meant = |label: &Label| {
            choices.is_empty() || choices.iter().any(|choice| label.is_meant(choice))
        };
        match &mut self {
            Table::Columns(columns) => {
                columns.retain(|column| is_meant(&column.label));
                for column in columns {
                    column.points.retain(|(time, _)| shows(*time));
                }
            }
            Table::Events(rows) => {
                rows.retain(|(label, _)| is_meant(label));
                for (_, row) in rows {
                    row.times.retain(|time| shows(*time));
                }
            }
        }
        self
    }

    /// A panel for each unit of the columns, or one of the events; none if there are none.
    pub fn panels(self, range: [Option<f64>; 2]) -> Vec<Panel> {
        let columns = match self {
            Table::Columns(columns) => columns,
            Table::Events(rows) if rows.is_empty() => return Vec::new(),
            Table::Events(rows) => {
                let is_named = rows.iter().any(|(_, row)| !row.population.is_empty());
                return vec![Panel {
                    quantity: if is_named { "" } else { "event id" }.to_owned(),
                    content: Content::Rows(rows.into_iter().map(|(_, row)| row).collect()),
                    ..Panel::default()
                }];
            }
        };
        let mut groups: Vec<Vec<Column>> = Vec::new();
        for column in columns {
            let is_like = |group: &&mut Vec<Column>| {
                let mut first = group.iter().take(1);
                first.any(|first| first.line.unit == column.line.unit)
            };
            match groups.iter_mut().find(is_like) {
                Some(group) => group.push(column),
                None => groups.push(vec![column]),
            }
        }
        // A range that is meant for several units together says nothing of either.
        let range = if groups.len() == 1 { range } else { [None; 2] };
        groups
            .into_iter()
            .map(|group| panel(group, range))
            .collect()
    }
}

/// A column of which nothing but its number is known.
fn unknown(number: usize) -> DisplayLine {
    DisplayLine {
        id: format!("column {number}"),
        column: number,
        unit: Some("SI units".to_owned()),
        time_scale: 1.0,
        ..DisplayLine::default()
    }
}

/// Numbers in their order, with those between that have no events unless they are many; else the
/// ids as they are sorted.
fn in_order(trains: &BTreeMap<&str, Vec<f64>>) -> Vec<EventSource> {
    const MOST_FOR_EACH: i64 = 4;
    let source = |id: String| EventSource {
        id,
        ..EventSource::default()
    };
    let numbers: Option<Vec<i64>> = trains.keys().map(|id| id.parse().ok()).collect();
    let Some(mut numbers) = numbers else {
        return trains.keys().map(|id| source((*id).to_owned())).collect();
    };
    numbers.sort_unstable();
    if let (Some(first), Some(last)) = (numbers.first(), numbers.last())
        && last.saturating_sub(*first) <= MOST_FOR_EACH * numbers.len() as i64
    {
        numbers = (*first..=*last).collect();
    }
    // `007` is no number as we write it.
    let written = |number: &i64| trains.contains_key(number.to_string().as_str());
    match numbers.iter().filter(|number| written(number)).count() == trains.len() {
        true => numbers
            .iter()
            .map(|number| source(number.to_string()))
            .collect(),
        false => trains.keys().map(|id| source((*id).to_owned())).collect(),
    }
}

/// The panel of lines that have one unit.
fn panel(group: Vec<Column>, range: [Option<f64>; 2]) -> Panel {
    let first = group.first().map(|column| column.line.clone());
    let first = first.unwrap_or_default();
    let mut variables = group.iter().map(|column| &column.line.variable);
    let share_variable = variables.all(|variable| *variable == first.variable);
    let quantity = match &first.dimension {
        _ if share_variable => first.variable.clone(),
        Some(dimension) => dimension.replace('_', " "),
        None => String::new(),
    };
    let end = format!("/{}", first.variable);
    let is_short = share_variable && group.len() > 1;
    let curves = group.into_iter().map(|Column { line, points, .. }| Curve {
        name: match line.id.strip_suffix(&end) {
            Some(owner) if is_short => owner.to_owned(),
            _ => line.id,
        },
        color: line.color,
        points,
    });
    Panel {
        quantity,
        unit: first.unit.unwrap_or_default(),
        range,
        content: Content::Curves(curves.collect()),
        ..Panel::default()
    }
}

/// The columns after the first, over it; None if a word is no number.
pub fn columns(text: &str) -> Option<Vec<Vec<(f64, f64)>>> {
    let mut columns: Vec<Vec<(f64, f64)>> = Vec::new();
    for line in text.lines() {
        let row: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        let row = row.ok()?;
        let Some((x, values)) = row.split_first() else {
            continue;
        };
        columns.resize_with(columns.len().max(values.len()), Vec::new);
        for (column, y) in columns.iter_mut().zip(values) {
            column.push((*x, *y));
        }
    }
    Some(columns)
}
