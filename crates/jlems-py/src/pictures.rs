//! Pictures of results.

use lems_plot::{Content, Curve, Figure, Panel, Row};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::failure::detached;

/// Curves of one quantity: title, quantity, unit, range, and curves with name, colour and values.
type Curves<'py> = (
    String,
    String,
    String,
    [Option<f64>; 2],
    Vec<(String, Option<String>, PyReadonlyArray1<'py, f64>)>,
);
/// Rows of events: name, population, times.
type Rows<'py> = Vec<(String, String, PyReadonlyArray1<'py, f64>)>;

/// Curves over the same times, and rows of events, as SVG.
#[pyfunction]
#[pyo3(signature = (title, times, curves, rows, region=[None, None]))]
pub fn picture(
    py: Python<'_>,
    title: String,
    times: PyReadonlyArray1<'_, f64>,
    curves: Vec<Curves<'_>>,
    rows: Rows<'_>,
    region: [Option<f64>; 2],
) -> PyResult<String> {
    let times: Vec<f64> = times.as_array().to_vec();
    let mut panels: Vec<Panel> = (curves.into_iter())
        .map(|(title, quantity, unit, range, curves)| {
            let curves = curves.into_iter().map(|(name, color, values)| Curve {
                name,
                color,
                points: times
                    .iter()
                    .copied()
                    .zip(values.as_array().iter().copied())
                    .collect(),
            });
            Panel {
                title,
                quantity,
                unit,
                range,
                content: Content::Curves(curves.collect()),
            }
        })
        .collect();
    if !rows.is_empty() {
        let rows = rows.into_iter().map(|(name, population, times)| Row {
            name,
            population,
            times: times.as_array().to_vec(),
        });
        panels.push(Panel {
            title: "events".to_owned(),
            content: Content::Rows(rows.collect()),
            ..Panel::default()
        });
    }
    let figure = Figure {
        title,
        time: region,
        panels,
        ..Figure::default()
    };
    detached(py, || lems_plot::svg(&figure))
}
