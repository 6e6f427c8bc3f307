//! What there is to draw of a run.

use lems_engine::{Recorder, Simulation};
use lems_model::Model;
use lems_network::{EventSelection, Experiment};

use crate::description::{si_unit, unit_of};

/// The output that has what a display shows: a name that no model can give.
pub fn display_name(number: usize) -> String {
    format!("\0display {number}")
}

/// All pictures that can be drawn of a run: displays, data files and event files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plots {
    /// Plots that the model asks for (`Display`).
    pub displays: Vec<Display>,
    /// Its files of columns (`OutputFile`).
    pub files: Vec<Display>,
    /// Its files of events (`EventOutputFile`).
    pub events: Vec<EventDisplay>,
}

/// A plot that a model asks for, or one of a data file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Display {
    /// Title; empty for a file.
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
    /// The variable at the end of that path.
    pub variable: String,
    /// Column of the output that it shows, the time being 0.
    pub column: usize,
    /// Unit of that column, if there is one for it.
    pub unit: Option<String>,
    /// Name of the dimension, if it has one.
    pub dimension: Option<String>,
    /// Colour as the model gives it.
    pub color: Option<String>,
    /// What the time is divided by, in seconds.
    pub time_scale: f64,
}

/// A file of events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventDisplay {
    /// The file, as the model names it.
    pub output: String,
    /// What it records, in the order of the model.
    pub rows: Vec<EventSource>,
}

/// Something that sends events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventSource {
    /// What its events are called in the file (`EventSelection id`).
    pub id: String,
    /// Its path, with a number in a population in brackets: `pop[3]`.
    pub source: String,
    /// The population that it is in, or nothing.
    pub population: String,
}

/// What there is to draw of a model that is run with its displays.
pub(crate) fn all(
    model: &Model<'_>,
    experiment: &Experiment<'_>,
    simulations: &[Simulation],
) -> Plots {
    let Some(simulation) = simulations.first() else {
        return Plots::default();
    };
    let recorders = |output: &str| {
        let mut files = simulation.recordings();
        let found = files.find(|(path, _)| *path == output);
        found.map_or(&[][..], |(_, recorders)| recorders)
    };
    let display = |(number, display): (usize, &lems_network::Display<'_>)| {
        let output = display_name(number);
        // Lines that lead nowhere have no recorder.
        let mut recorded = recorders(&output).iter().enumerate().peekable();
        let lines = display.lines.iter().filter_map(|line| {
            let quantity = line.recording.quantity.value();
            let (index, recorder) = recorded.next_if(|(_, own)| own.quantity == quantity)?;
            Some(DisplayLine {
                id: line.id.to_owned(),
                color: line.color.map(str::to_owned),
                time_scale: line.recording.time_scale,
                ..line_of(model, index, recorder)
            })
        });
        Display {
            title: display.title.to_owned(),
            region: display.region,
            lines: lines.collect(),
            output,
        }
    };
    let files = experiment.data_files.iter().filter(|file| !file.drawn);
    let file = |file: &lems_network::DataFile<'_>| Display {
        lines: (recorders(&file.path).iter().enumerate())
            .map(|(index, recorder)| line_of(model, index, recorder))
            .collect(),
        output: file.path.clone(),
        ..Display::default()
    };
    let events = experiment.event_files.iter().map(|file| EventDisplay {
        output: file.path.clone(),
        rows: file.selections.iter().map(event_source).collect(),
    });
    Plots {
        displays: experiment
            .displays
            .iter()
            .enumerate()
            .map(display)
            .collect(),
        files: files.map(file).collect(),
        events: events.collect(),
    }
}

fn line_of(model: &Model<'_>, index: usize, recorder: &Recorder) -> DisplayLine {
    let path = recorder.quantity.trim().trim_matches('/');
    let dimension = recorder.dimension.filter(|dimension| !dimension.is_none());
    let named = dimension.and_then(|dimension| {
        let mut named = model.dimensions.iter();
        named.find(|(_, known)| **known == dimension)
    });
    DisplayLine {
        id: path.to_owned(),
        variable: path.rsplit('/').next().unwrap_or_default().to_owned(),
        column: index + 1,
        unit: dimension.and_then(|dimension| match recorder.scale {
            1.0 => si_unit(model, dimension),
            scale => unit_of(model, dimension, scale),
        }),
        dimension: named.map(|(name, _)| (*name).to_owned()),
        color: None,
        time_scale: 1.0,
    }
}

fn event_source(selection: &EventSelection<'_>) -> EventSource {
    let path = selection.select.value().trim().trim_matches('/');
    let (source, population) = member_of(path);
    EventSource {
        id: selection.id.to_owned(),
        source,
        population,
    }
}

/// The first member of a population in a path (`pop[3]` of `pop[3]` or of `pop/3/cell`), and the
/// population; the whole path and nothing if there is none.
fn member_of(path: &str) -> (String, String) {
    let mut population = String::new();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if !population.is_empty() {
            population.push('/');
        }
        if let Some((name, number)) = part.split_once('[') {
            population += name;
            return (format!("{population}[{number}"), population);
        }
        population += part;
        let next = parts.peek().copied().unwrap_or_default();
        if next.parse::<u64>().is_ok() {
            return (format!("{population}[{next}]"), population);
        }
    }
    (path.to_owned(), String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_populations_are_found_in_paths() {
        let pair = |path: &str| {
            let (source, population) = member_of(path);
            format!("{source} of {population}")
        };
        assert_eq!(pair("pop[3]"), "pop[3] of pop");
        assert_eq!(pair("pop/3/izh"), "pop[3] of pop");
        assert_eq!(pair("net/pop[3]/soma"), "net/pop[3] of net/pop");
        assert_eq!(pair("cell"), "cell of ");
        assert_eq!(pair("cell/soma"), "cell/soma of ");
        assert_eq!(pair(""), " of ");
    }
}
