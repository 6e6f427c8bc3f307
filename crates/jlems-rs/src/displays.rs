//! What there is to draw of a run.

use std::path::Path;

use lems_engine::{Recorder, Simulation};
use lems_model::Model;
use lems_network::Experiment;

use crate::description::unit_of;

/// The output that has what a display shows: a name that no model can give.
pub fn display_name(number: usize) -> String {
    format!("\0display {number}")
}

/// A plot that a model asks for, or one of a data file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Display {
    /// Title.
    pub title: String,
    /// The output that has its data: named by [`display_name`], or a file.
    pub output: String,
    /// xmin, xmax, ymin, ymax.
    pub region: [Option<f64>; 4],
    /// Its lines.
    pub lines: Vec<DisplayLine>,
}

/// A line of a plot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DisplayLine {
    /// Its id, or the path of what it shows.
    pub id: String,
    /// Column of the output that it shows, the time being 0.
    pub column: usize,
    /// Unit of that column, if there is one for it.
    pub unit: Option<String>,
    /// Colour as the model gives it.
    pub color: Option<String>,
    /// What the time is divided by, in seconds.
    pub time_scale: f64,
}

/// The displays of a model that is run with them; without any, a plot for each data file and unit.
pub(crate) fn all(
    model: &Model<'_>,
    experiment: &Experiment<'_>,
    simulations: &[Simulation],
) -> Vec<Display> {
    let Some(simulation) = simulations.first() else {
        return Vec::new();
    };
    let unit = |recorder: &Recorder| unit_of(model, recorder.dimension?, recorder.scale);
    let shown = &experiment.displays;
    if shown.is_empty() {
        return (simulation.recordings())
            .flat_map(|(path, recorders)| of_file(path, recorders, unit))
            .collect();
    }
    let display = |(number, display): (usize, &lems_network::Display<'_>)| {
        let output = display_name(number);
        let mut files = simulation.recordings();
        let recorders = files.find(|(path, _)| **path == output);
        let units = recorders.map_or(&[][..], |(_, recorders)| recorders);
        let units = units.iter().map(unit);
        Display {
            title: display.title.to_owned(),
            region: display.region,
            lines: (display.lines.iter().zip(units).enumerate())
                .map(|(index, (line, unit))| DisplayLine {
                    id: line.id.to_owned(),
                    column: index + 1,
                    unit,
                    color: line.color.map(str::to_owned),
                    time_scale: line.recording.time_scale,
                })
                .collect(),
            output,
        }
    };
    shown.iter().enumerate().map(display).collect()
}

/// A plot for each unit of the columns of a file.
fn of_file(
    path: &str,
    recorders: &[Recorder],
    unit: impl Fn(&Recorder) -> Option<String>,
) -> Vec<Display> {
    let title = Path::new(path).file_name().unwrap_or_default();
    let mut displays: Vec<Display> = Vec::new();
    for (index, recorder) in recorders.iter().enumerate() {
        let line = DisplayLine {
            id: recorder.quantity.clone(),
            column: index + 1,
            unit: unit(recorder),
            color: None,
            time_scale: 1.0,
        };
        let is_like = |display: &&mut Display| {
            let mut lines = display.lines.iter();
            lines.any(|other| other.unit == line.unit)
        };
        match displays.iter_mut().find(is_like) {
            Some(display) => display.lines.push(line),
            None => displays.push(Display {
                title: title.to_string_lossy().into_owned(),
                output: path.to_owned(),
                region: [None; 4],
                lines: vec![line],
            }),
        }
    }
    displays
}
