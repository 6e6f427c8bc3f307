//! `jlems-rs compare --plot`: where two outputs differ.

use jlems_rs::plot::{Curve, Figure};
use jlems_rs::{Comparison, event_trains};

use super::plot::columns;

/// How far from its row the events of either output are drawn.
const APART: f64 = 0.2;

/// The first output minus the other in each column that differs, or the events of both in each
/// train that does; None if nothing differs or nothing can be compared.
pub fn figure(file: &str, a: &str, b: &str, comparison: &Comparison) -> Option<Figure> {
    let curves = match comparison.trains.is_empty() {
        true => of_columns(a, b, comparison)?,
        false => of_trains(a, b, comparison),
    };
    let y_label = match comparison.trains.is_empty() {
        true => "difference in the unit of the column",
        false => "event id (the other output below)",
    };
    (!curves.is_empty()).then(|| Figure {
        title: format!("{file}: {}", comparison.verdict.title()),
        x_label: "time / s".to_owned(),
        y_label: y_label.to_owned(),
        curves,
        ..Figure::default()
    })
}

fn of_columns(a: &str, b: &str, comparison: &Comparison) -> Option<Vec<Curve>> {
    let (a, b) = (columns(a)?, columns(b)?);
    // What differs in the times themselves cannot be drawn over them.
    let differing = comparison.columns.iter().filter(|column| column.column > 0);
    let curve = |column: &jlems_rs::Column| {
        let (a, b) = (a.get(column.column - 1)?, b.get(column.column - 1)?);
        let points = a.iter().zip(b).map(|((time, x), (_, y))| (*time, x - y));
        Some(Curve {
            name: format!("column {}", column.column),
            points: points.collect(),
            ..Curve::default()
        })
    };
    differing.map(curve).collect()
}

fn of_trains(a: &str, b: &str, comparison: &Comparison) -> Vec<Curve> {
    let (a, b) = (event_trains(a), event_trains(b));
    let mut curves = Vec::new();
    for (row, train) in comparison.trains.iter().enumerate() {
        let height: f64 = train.id.parse().unwrap_or(row as f64);
        for (trains, offset, color) in [(&a, APART, "#0072b2"), (&b, -APART, "#d55e00")] {
            let times = trains
                .iter()
                .flat_map(|trains| trains.get(train.id.as_str()));
            curves.push(Curve {
                name: train.id.clone(),
                color: Some(color.to_owned()),
                points: times
                    .flatten()
                    .map(|time| (*time, height + offset))
                    .collect(),
                marks: true,
            });
        }
    }
    curves
}
