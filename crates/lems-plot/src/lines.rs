//! Computes the layout of panels with curves.

use crate::color::seen;
use crate::layout::{Laid, Line, Name, bounds};
use crate::units::fitting_unit;
use crate::{Curve, Panel};

/// Largest number of curves that are distinguishable in the same axes.
pub const MOST_OVERLAID: usize = 12;

/// The layout of a panel with curves. They share the axes, or each has its own lane if they are many.
pub fn laid(panel: &Panel, curves: &[Curve], x: [f64; 2], seconds: f64) -> Laid {
    // The range of the values at the times that are shown.
    let finite = |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite();
    let inside = |time: f64| time / seconds >= x[0] && time / seconds <= x[1];
    let mut found = (f64::INFINITY, f64::NEG_INFINITY);
    let points = curves.iter().flat_map(|curve| &curve.points);
    for (time, value) in points.filter(finite) {
        if inside(*time) {
            found = (found.0.min(*value), found.1.max(*value));
        }
    }
    let is_empty = found.0 > found.1;
    let largest = found.0.abs().max(found.1.abs());
    // Convert the curves to the units of the axes.
    let (unit, scale) = fitting_unit(&panel.unit, if is_empty { 0.0 } else { largest });
    let found = (found.0 / scale, found.1 / scale);
    let given = panel.range.map(|bound| bound.map(|bound| bound / scale));
    let mut lines: Vec<Line> = (curves.iter().enumerate())
        .map(|(index, curve)| Line {
            name: curve.name.clone(),
            color: seen(curve.color.as_deref(), index),
            marks: false,
            points: (curve.points.iter())
                .map(|(time, value)| (time / seconds, value / scale))
                .collect(),
        })
        .collect();
    // A few curves share the axes.
    if curves.len() <= MOST_OVERLAID {
        return Laid {
            y_label: label(&panel.quantity, &unit),
            y: bounds(found, given, 0.05),
            height: 320.0,
            legend: (lines.iter())
                .map(|line| (line.name.clone(), line.color.clone()))
                .collect(),
            curves: lines,
            is_empty,
            ..Laid::default()
        };
    }
    // Many curves get one lane each, from the top down.
    let [low, high] = bounds(found, [None; 2], 0.0);
    let middle = rounded((low + high) / 2.0);
    let apart = rounded(1.049 * (high - low)).max(high - low);
    let mut names = Vec::new();
    for (index, line) in lines.iter_mut().enumerate() {
        let lane = -(index as f64);
        for point in &mut line.points {
            point.1 = lane + (point.1 - middle) / apart;
        }
        names.push(Name {
            at: lane,
            text: line.name.clone(),
            color: Some(line.color.clone()),
        });
    }
    let lanes = format!("{unit}; lines at {middle}, {apart} apart");
    Laid {
        y_label: label(&panel.quantity, lanes.trim_start_matches("; ")),
        y: [0.4 - curves.len() as f64, 0.6],
        height: (22.0 * curves.len() as f64).clamp(320.0, 800.0),
        names,
        lanes: Some([middle, apart]),
        curves: lines,
        is_empty,
        ..Laid::default()
    }
}

/// The label of an axis.
pub fn label(quantity: &str, unit: &str) -> String {
    match (quantity, unit) {
        ("", unit) => unit.to_owned(),
        (quantity, "") => quantity.to_owned(),
        (quantity, unit) => format!("{quantity} ({unit})"),
    }
}

/// The number rounded to two digits.
fn rounded(number: f64) -> f64 {
    let digits = format!("{number:.1e}");
    digits.parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;

    fn panel(number: usize) -> Laid {
        let curve = |index: usize| Curve {
            name: format!("cell {index}"),
            points: vec![(0.0, -0.06), (0.1, 0.04)],
            ..Curve::default()
        };
        let curves: Vec<Curve> = (0..number).map(curve).collect();
        let panel = Panel {
            quantity: "v".to_owned(),
            unit: "V".to_owned(),
            range: [Some(-0.08), None],
            content: Content::default(),
            ..Panel::default()
        };
        laid(&panel, &curves, [0.0, 0.1], 1.0)
    }

    #[test]
    fn a_few_curves_share_an_axis() {
        let laid = panel(MOST_OVERLAID);
        assert_eq!(laid.legend.len(), MOST_OVERLAID);
        assert!(laid.names.is_empty() && laid.lanes.is_none());
        assert!((laid.y[0] + 80.0).abs() < 1e-9, "{:?}", laid.y);
        assert_eq!(laid.y_label, "v (mV)");
    }

    #[test]
    fn many_curves_have_lanes_with_names_and_no_legend() {
        let laid = panel(MOST_OVERLAID + 1);
        assert!(laid.legend.is_empty());
        assert_eq!(laid.names.len(), MOST_OVERLAID + 1);
        let Some([middle, apart]) = laid.lanes else {
            panic!("no lanes");
        };
        assert!((middle + 10.0).abs() < 1e-9 && (100.0..=110.0).contains(&apart));
        for (index, line) in laid.curves.iter().enumerate() {
            for (_, y) in &line.points {
                assert!((y + index as f64).abs() <= 0.51, "{y}");
            }
        }
        assert!(
            laid.y_label.starts_with("v (mV; lines at -10, 1"),
            "{}",
            laid.y_label
        );
    }
}
