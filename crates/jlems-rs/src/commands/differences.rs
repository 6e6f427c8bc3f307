//! `jlems-rs compare --plot`: where two outputs differ.

use jlems::{Comparison, event_trains};
use lems_plot::{Content, Curve, Figure, Panel, Row};

use super::plot::columns;

/// The first output minus the other in each column that differs, or the events of both in each
/// train that does; None if nothing differs or nothing can be compared.
pub fn figure(file: &str, a: &str, b: &str, comparison: &Comparison) -> Option<Figure> {
    let (quantity, content) = match comparison.trains.is_empty() {
        true => {
            let curves = of_columns(a, b, comparison)?;
            if curves.is_empty() {
                return None;
            }
            let quantity = "difference in the unit of the column";
            (quantity, Content::Curves(curves))
        }
        false => ("event id", Content::Rows(of_trains(a, b, comparison))),
    };
    Some(Figure {
        title: format!("{file}: {}", comparison.verdict.title()),
        panels: vec![Panel {
            quantity: quantity.to_owned(),
            content,
            ..Panel::default()
        }],
        ..Figure::default()
    })
}

fn of_columns(a: &str, b: &str, comparison: &Comparison) -> Option<Vec<Curve>> {
    let (a, b) = (columns(a)?, columns(b)?);
    // What differs in the times themselves cannot be drawn over them.
    let differing = comparison.columns.iter().filter(|column| column.column > 0);
    let curve = |column: &jlems::Column| {
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

/// A row of the other output below one of the first, for each train.
fn of_trains(a: &str, b: &str, comparison: &Comparison) -> Vec<Row> {
    let (a, b) = (event_trains(a), event_trains(b));
    let mut rows = Vec::new();
    for train in &comparison.trains {
        for (trains, output) in [(&b, "the other"), (&a, "the first")] {
            let times = trains.as_ref().and_then(|all| all.get(train.id.as_str()));
            rows.push(Row {
                name: format!("{}, {output}", train.id),
                population: output.to_owned(),
                times: times.cloned().unwrap_or_default(),
            });
        }
    }
    rows
}
