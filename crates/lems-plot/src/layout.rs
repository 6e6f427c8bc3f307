//! The layout of a figure in the units of its axes, which all picture formats share.

use crate::units::{fitting_unit, time_unit};
use crate::{Content, Figure, Panel, lines, rows};

/// A figure with its layout.
pub struct Sheet<'f> {
    pub title: &'f str,
    pub x_label: String,
    /// The range of the time axis, in its unit.
    pub x: [f64; 2],
    /// The unit of time in seconds.
    pub seconds: f64,
    pub panels: Vec<Laid>,
}

/// A panel with its layout.
#[derive(Default)]
pub struct Laid {
    pub title: String,
    pub y_label: String,
    /// Lowest and highest value, or row.
    pub y: [f64; 2],
    /// Height in pixels, without margins.
    pub height: f64,
    /// Names along the vertical axis, instead of numbers.
    pub names: Vec<Name>,
    /// Names of groups, which replace `names` if there is no room for these.
    pub groups: Vec<Name>,
    /// If each curve has its own lane: the value in the middle of a lane, and the distance of lanes.
    pub lanes: Option<[f64; 2]>,
    pub curves: Vec<Line>,
    /// The names and colours in the legend.
    pub legend: Vec<(String, String)>,
    /// Whether it has neither points nor events.
    pub is_empty: bool,
}

/// A name on an axis.
#[derive(Clone)]
pub struct Name {
    pub at: f64,
    pub text: String,
    pub color: Option<String>,
}

/// A curve, or the events of a row, which are drawn as strokes at one height.
pub struct Line {
    pub name: String,
    pub color: String,
    pub marks: bool,
    pub points: Vec<(f64, f64)>,
}

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

    /// Stretches the panels so that their total height is `height`, with a minimum for each panel.
    pub fn stretched(mut self, height: f64) -> Self {
        const LEAST: f64 = 30.0;
        let now: f64 = self.panels.iter().map(|laid| laid.height).sum();
        for laid in &mut self.panels {
            laid.height = (laid.height * height / now).max(LEAST);
        }
        self
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

/// The given bounds, or else the range of the data with a margin on both sides; never empty.
pub fn bounds(found: (f64, f64), given: [Option<f64>; 2], margin: f64) -> [f64; 2] {
    let (low, high) = match found.0 <= found.1 {
        true => found,
        false => (0.0, 1.0),
    };
    let margin = margin * (high - low);
    let [from, to] = given.map(|given| given.filter(|given| given.is_finite()));
    let both = [from.unwrap_or(low - margin), to.unwrap_or(high + margin)];
    if both[0] < both[1] {
        return both;
    }
    let middle = from.or(to).unwrap_or(low);
    let half = match middle.abs() {
        0.0 => 1.0,
        size => 0.1 * size,
    };
    [from.unwrap_or(middle - half), middle + half]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Curve, Row};

    #[test]
    fn nothing_is_empty() {
        assert_eq!(
            bounds((f64::INFINITY, f64::NEG_INFINITY), [None; 2], 0.1),
            [-0.1, 1.1]
        );
        assert_eq!(bounds((5.0, 5.0), [None; 2], 0.1), [4.5, 5.5]);
        assert_eq!(bounds((0.0, 1.0), [Some(2.0), None], 0.0), [2.0, 2.2]);
        assert_eq!(
            bounds((0.0, 1.0), [Some(f64::NAN), Some(0.5)], 0.0),
            [0.0, 0.5]
        );
        let [from, to] = bounds((0.0, 1.0), [Some(3.0), Some(1.0)], 0.0);
        assert!(from < to);
    }

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
