//! Computes the layout of a figure from those of its panels.

use crate::layout::{Sheet, bounds};
use crate::units::{fitting_unit, time_unit};
use crate::{Content, Figure, Panel, lines, rows};

/// If there are several panels, those that are not higher than this keep their height.
const LEAST_SHARED: f64 = 100.0;

impl Sheet<'_> {
    /// Computes the layout of a figure.
    pub fn of(figure: &Figure) -> Sheet<'_> {
        let time = time_of(figure);
        let largest = time[0].abs().max(time[1].abs());
        let seconds = figure
            .time_scale
            .unwrap_or_else(|| fitting_unit("s", largest).1);
        let x = time.map(|time| time / seconds);
        let mut panels = Vec::new();
        for panel in &figure.panels {
            let first = panels.len();
            match &panel.content {
                Content::Curves(curves) => panels.push(lines::laid(panel, curves, x, seconds)),
                Content::Rows(rows) => panels.extend(rows::laid(panel, rows, x, seconds)),
            }
            if let Some(laid) = panels.get_mut(first) {
                laid.title.clone_from(&panel.title);
                // The title of the figure need not be repeated.
                if laid.title == figure.title {
                    laid.title.clear();
                }
            }
        }
        if figure.panels.len() > 1 {
            // Several panels share the height of a picture that should fit on a screen.
            let share = if figure.panels.len() > 2 { 0.6 } else { 0.75 };
            for laid in &mut panels {
                laid.height = (laid.height * share).max(laid.height.min(LEAST_SHARED));
            }
        } else if let Some(laid) = panels.first_mut() {
            laid.title.clear();
        }
        Sheet {
            title: &figure.title,
            x_label: format!("time ({})", time_unit(seconds)),
            x,
            seconds,
            panels,
        }
    }
}

/// The range of time, in seconds; never empty.
fn time_of(figure: &Figure) -> [f64; 2] {
    let mut found = (f64::INFINITY, f64::NEG_INFINITY);
    let mut see = |time: f64| {
        if time.is_finite() {
            found = (found.0.min(time), found.1.max(time));
        }
    };
    for panel in &figure.panels {
        match &panel.content {
            Content::Curves(curves) => {
                let points = curves.iter().flat_map(|curve| &curve.points);
                points.for_each(|point| see(point.0));
            }
            Content::Rows(rows) => {
                let times = rows.iter().flat_map(|row| &row.times);
                times.for_each(|time| see(*time));
            }
        }
    }
    let is_rows = |panel: &Panel| matches!(panel.content, Content::Rows(_));
    let all_rows = figure.panels.iter().all(is_rows);
    // A stroke at the very edge would be invisible.
    let margin = if all_rows { 0.02 } else { 0.0 };
    bounds(found, figure.time, margin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Curve, Row};

    #[test]
    fn times_and_values_get_fitting_units() {
        let figure = Figure {
            panels: vec![Panel {
                quantity: "v".to_owned(),
                unit: "V".to_owned(),
                content: Content::Curves(vec![Curve {
                    points: vec![(0.0, -0.07), (0.2, 0.03)],
                    ..Curve::default()
                }]),
                ..Panel::default()
            }],
            ..Figure::default()
        };
        let sheet = Sheet::of(&figure);
        assert_eq!(sheet.x_label, "time (ms)");
        assert_eq!(sheet.panels[0].y_label, "v (mV)");
        let points = &sheet.panels[0].curves[0].points;
        assert!((points[1].0 - 200.0).abs() < 1e-9 && (points[0].1 + 70.0).abs() < 1e-9);
        let in_seconds = Figure {
            time_scale: Some(1.0),
            ..figure
        };
        assert_eq!(Sheet::of(&in_seconds).x_label, "time (s)");
    }

    #[test]
    fn the_time_is_that_of_all_panels_with_a_margin_for_strokes() {
        let rows = |times: Vec<f64>| Panel {
            content: Content::Rows(vec![Row {
                times,
                ..Row::default()
            }]),
            ..Panel::default()
        };
        let figure = Figure {
            panels: vec![rows(vec![1.0, 2.0]), rows(vec![5.0]), rows(Vec::new())],
            ..Figure::default()
        };
        assert_eq!(Sheet::of(&figure).x, [1.0 - 0.08, 5.0 + 0.08]);
    }
}
