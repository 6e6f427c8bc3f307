//! Computes the layout of panels with events and with their rates.

use crate::axis::round_step;
use crate::color::numbered;
use crate::layout::{Laid, Line, Name, bounds};
use crate::lines::label;
use crate::{Panel, Row, whole};

/// Smallest and largest number of bins of a rate. With fewer events there are fewer bins.
const BINS: [f64; 2] = [10.0, 60.0];
const EVENTS_IN_BIN: f64 = 3.0;
/// Largest number of populations whose rates are distinguishable.
const MOST_RATES: usize = 8;

/// The rows of one population.
struct Population<'r> {
    name: &'r str,
    color: String,
    /// The indices of its rows.
    rows: Vec<usize>,
}

/// The layout of a panel with events, and of one with their rates if there are events.
pub fn laid(panel: &Panel, rows: &[Row], x: [f64; 2], seconds: f64) -> Vec<Laid> {
    let populations = populations(rows);
    // The colour of each row is that of its population.
    let mut colors = vec![String::new(); rows.len()];
    for population in &populations {
        for row in &population.rows {
            if let Some(color) = colors.get_mut(*row) {
                color.clone_from(&population.color);
            }
        }
    }
    // Each row becomes a line of strokes with a name.
    let mut names = Vec::new();
    let mut curves = Vec::new();
    for ((index, row), color) in rows.iter().enumerate().zip(&colors) {
        let at = index as f64;
        let times = row.times.iter().filter(|time| time.is_finite());
        names.push(Name {
            at,
            text: row.name.clone(),
            color: Some(color.clone()),
        });
        curves.push(Line {
            name: row.name.clone(),
            color: color.clone(),
            marks: true,
            points: times.map(|time| (time / seconds, at)).collect(),
        });
    }
    // The names of populations are used if there is no room for those of rows.
    let groups = populations.iter().filter_map(|group| {
        let (first, last) = (*group.rows.first()?, *group.rows.last()?);
        // If the rows of a population are not adjacent, a name in their middle would be misleading.
        let is_together = last - first + 1 == group.rows.len();
        (is_together && !group.name.is_empty()).then(|| Name {
            at: (first + last) as f64 / 2.0,
            text: group.title(),
            color: Some(group.color.clone()),
        })
    });
    // The panel of events, and the panel of rates below it.
    let is_empty = curves.iter().all(|curve| curve.points.is_empty());
    let raster = Laid {
        y_label: panel.quantity.clone(),
        y: [-0.7, rows.len().max(1) as f64 - 0.3],
        height: (16.0 * rows.len() as f64).clamp(48.0, 360.0),
        names,
        groups: groups.collect(),
        is_empty,
        curves,
        ..Laid::default()
    };
    let mut panels = vec![raster];
    if !is_empty {
        panels.push(rates(rows, &populations, x, seconds));
    }
    panels
}

impl Population<'_> {
    fn title(&self) -> String {
        match self.rows.len() {
            1 => self.name.to_owned(),
            number => format!("{} ({number})", self.name),
        }
    }
}

/// The populations, in the order of their first rows.
fn populations(rows: &[Row]) -> Vec<Population<'_>> {
    let mut numbers = std::collections::HashMap::new();
    let mut populations: Vec<Population<'_>> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let name = row.population.as_str();
        let number = *numbers.entry(name).or_insert(populations.len());
        match populations.get_mut(number) {
            Some(population) => population.rows.push(index),
            None => populations.push(Population {
                name,
                color: numbered(number),
                rows: vec![index],
            }),
        }
    }
    populations
}

/// The rates of the populations: events per second in each bin.
fn rates(rows: &[Row], populations: &[Population<'_>], x: [f64; 2], seconds: f64) -> Laid {
    // Choose the bins by the number of events.
    let events: usize = rows.iter().map(|row| row.times.len()).sum();
    let wanted = events as f64 / populations.len().max(1) as f64 / EVENTS_IN_BIN;
    let width = round_step((x[1] - x[0]) / wanted.clamp(BINS[0], BINS[1]));
    let first = (x[0] / width).floor();
    let bins = whole(((x[1] / width).ceil() - first).clamp(1.0, 2.0 * BINS[1]));
    // Many populations get one common rate.
    let all = Population {
        name: "all",
        color: "#555555".to_owned(),
        rows: (0..rows.len()).collect(),
    };
    let shown = if populations.len() > MOST_RATES {
        std::slice::from_ref(&all)
    } else {
        populations
    };
    // Count the events of each population, and draw their rate as steps.
    let mut highest = 0.0_f64;
    let curve = |population: &Population<'_>| {
        let mut counts = vec![0_u32; bins];
        let times = population.rows.iter().filter_map(|row| rows.get(*row));
        for time in times.flat_map(|row| &row.times) {
            let time = time / seconds;
            let bin = (time / width).floor() - first;
            let is_inside = time >= x[0] && time <= x[1];
            // An event at the very end belongs to the last bin.
            let bin = whole(bin).min(bins - 1);
            if let (true, Some(count)) = (is_inside, counts.get_mut(bin)) {
                *count += 1;
            }
        }
        let mut points = Vec::new();
        for (bin, count) in counts.into_iter().enumerate() {
            let begin = (first + bin as f64) * width;
            // The first and the last bin may be cut off by the range of time.
            let (from, to) = (begin.max(x[0]), (begin + width).min(x[1]));
            if to - from > 1e-6 * width {
                let rate = f64::from(count) / ((to - from) * seconds);
                highest = highest.max(rate);
                points.extend([(from, rate), (to, rate)]);
            }
        }
        Line {
            name: population.title(),
            color: population.color.clone(),
            marks: false,
            points,
        }
    };
    let curves: Vec<Line> = shown.iter().map(curve).collect();
    // The panel, with a legend if the populations have names.
    let is_named = shown.iter().any(|population| !population.name.is_empty());
    let names = curves
        .iter()
        .map(|line| (line.name.clone(), line.color.clone()));
    Laid {
        y_label: label("events", "1/s"),
        y: bounds((0.0, 1.05 * highest), [Some(0.0), None], 0.0),
        height: 90.0,
        legend: if is_named {
            names.collect()
        } else {
            Vec::new()
        },
        curves,
        ..Laid::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(population: &str, times: &[f64]) -> Row {
        Row {
            name: format!("{population}[0]"),
            population: population.to_owned(),
            times: times.to_vec(),
        }
    }

    #[test]
    fn rows_of_a_population_have_its_colour_and_a_common_rate() {
        let rows = [
            row("a", &[0.0, 0.5, 1.0]),
            row("b", &[0.25]),
            row("a", &[f64::NAN]),
            row("b", &[]),
        ];
        let panels = laid(&Panel::default(), &rows, [0.0, 1000.0], 1e-3);
        let [raster, rates] = &panels[..] else {
            panic!("{} panels", panels.len());
        };
        let colors: Vec<&str> = raster.curves.iter().map(|c| c.color.as_str()).collect();
        assert!(colors[0] == colors[2] && colors[1] == colors[3] && colors[0] != colors[1]);
        assert_eq!(raster.curves[0].points[1], (500.0, 0.0));
        assert_eq!(rates.legend.len(), 2);
        assert_eq!(rates.legend[0].0, "a (2)");
        // The integral of a rate is the number of events.
        for (curve, number) in rates.curves.iter().zip([3.0, 1.0]) {
            let bins = curve.points.chunks_exact(2);
            let all: f64 = bins
                .map(|bin| (bin[1].0 - bin[0].0) * 1e-3 * bin[0].1)
                .sum();
            assert!((all - number).abs() < 1e-9, "{all} instead of {number}");
        }
    }

    #[test]
    fn a_population_is_named_where_its_rows_are_together() {
        let groups = |rows: &[Row]| -> Vec<(f64, String)> {
            let panels = laid(&Panel::default(), rows, [0.0, 1.0], 1.0);
            let groups = panels[0].groups.iter();
            groups.map(|group| (group.at, group.text.clone())).collect()
        };
        let (a, b) = (row("a", &[]), row("b", &[]));
        let together = groups(&[a.clone(), a.clone(), a.clone(), b.clone()]);
        assert_eq!(together, [(1.0, "a (3)".to_owned()), (3.0, "b".to_owned())]);
        assert_eq!(groups(&[a.clone(), b.clone(), a, b]), []);
    }

    #[test]
    fn without_events_there_are_rows_and_no_rate() {
        let panels = laid(&Panel::default(), &[row("a", &[])], [0.0, 1.0], 1.0);
        assert_eq!(panels.len(), 1);
        assert!(panels[0].is_empty);
        assert_eq!(panels[0].names.len(), 1);
    }
}
