//! `jlems-rs plot FILES` and `jlems-rs run --plot FORM`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jlems_rs::engine::EngineError;
use jlems_rs::output::{FileStore, MemoryStore, OutputStore};
use jlems_rs::plot::{Curve, Figure, html, svg};
use jlems_rs::{Code, Display, Failure, Outcome, display_name, event_trains};

use super::run::Written;

/// What to draw.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files of data or events.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Form of the pictures.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Svg)]
    form: Form,
    /// Folder for the pictures, instead of the working directory.
    #[arg(long, value_name = "FOLDER")]
    out_dir: Option<PathBuf>,
}

/// Form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A file for each figure.
    Svg,
    /// One page that zooms, reads values and hides curves, and needs no network.
    Html,
}

/// Draws each file by itself; gives the names of the pictures.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let figures = arguments.files.iter().map(|path| of_file(path));
    let figures = figures.collect::<Result<Vec<Figure>, Failure>>()?;
    let first = arguments.files.first().map(|path| path.to_string_lossy());
    let name = first.as_deref().unwrap_or_default();
    let folder = arguments.out_dir.as_deref().unwrap_or(Path::new(""));
    let mut store = FileStore::in_folder(folder);
    let inputs = arguments.files.iter().filter_map(|path| path.to_str());
    let protected = store.reserve(&[], &inputs.collect::<Vec<_>>());
    protected.map_err(EngineError::from)?;
    let written = write(name, folder, &mut store, arguments.form, &figures)?;
    Ok(written
        .iter()
        .map(|path| format!("drew {path}\n"))
        .collect())
}

/// The displays of a run and its events; its data files if it has no displays.
pub fn figures_of_run(outcome: &Outcome, shown: &MemoryStore, files: &[Written]) -> Vec<Figure> {
    let displays = outcome.displays.iter().enumerate();
    let mut figures: Vec<Figure> = displays
        .map(|(number, display)| of_display(display, shown.text(&display_name(number))))
        .collect();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file.path) else {
            continue;
        };
        if event_trains(&text).is_some() || outcome.displays.is_empty() {
            figures.extend(of_text(&file.path, &text));
        }
    }
    figures
}

/// Writes the figures next to one another into a store in `folder`; gives their paths.
pub fn write(
    name: &str,
    folder: &Path,
    store: &mut FileStore,
    form: Form,
    figures: &[Figure],
) -> Result<Vec<String>, Failure> {
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let pictures: Vec<(String, String)> = match (form, figures) {
        (Form::Html, _) => vec![(format!("{stem}.html"), html(&stem, figures))],
        (Form::Svg, [only]) => vec![(format!("{stem}.svg"), svg(only))],
        (Form::Svg, _) => (figures.iter().enumerate())
            .map(|(number, figure)| (format!("{stem}.{}.svg", number + 1), svg(figure)))
            .collect(),
    };
    let mut written = Vec::new();
    for (name, text) in pictures {
        let drawn = store.create(&name).and_then(|mut sink| {
            sink.write(text.as_bytes())?;
            sink.finish()
        });
        drawn.map_err(EngineError::from)?;
        written.push(folder.join(name).display().to_string());
    }
    Ok(written)
}

fn failed(message: String) -> Failure {
    Failure::plain(Code(606), message, None)
}

fn of_file(path: &Path) -> Result<Figure, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| failed(format!("cannot read `{name}`: {error}")))?;
    of_text(&name, &text)
        .ok_or_else(|| failed(format!("`{name}` has neither rows of numbers nor events")))
}

fn of_text(name: &str, text: &str) -> Option<Figure> {
    let title = Path::new(name).file_name().unwrap_or_default();
    let figure = |curves, y_label: &str| Figure {
        title: title.to_string_lossy().into_owned(),
        x_label: "time / s".to_owned(),
        y_label: y_label.to_owned(),
        curves,
        ..Figure::default()
    };
    if let Some(trains) = event_trains(text) {
        let curves = trains.into_iter().enumerate().map(|(row, (id, times))| {
            let height = id.parse().unwrap_or(row as f64);
            Curve {
                name: id.to_owned(),
                color: None,
                points: times.into_iter().map(|time| (time, height)).collect(),
                marks: true,
            }
        });
        return Some(figure(curves.collect(), "event id"));
    }
    let columns = columns(text)?;
    let curves = columns
        .into_iter()
        .enumerate()
        .map(|(index, points)| Curve {
            name: format!("column {}", index + 1),
            points,
            ..Curve::default()
        });
    Some(figure(curves.collect(), "SI units"))
}

/// The columns after the first, over it; None if a word is no number.
fn columns(text: &str) -> Option<Vec<Vec<(f64, f64)>>> {
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
    (!columns.is_empty()).then_some(columns)
}

fn of_display(display: &Display, text: Option<String>) -> Figure {
    let columns = columns(&text.unwrap_or_default()).unwrap_or_default();
    let curves = display
        .lines
        .iter()
        .zip(columns)
        .map(|(line, points)| Curve {
            name: line.id.clone(),
            color: line.color.clone(),
            points: points
                .into_iter()
                .map(|(time, y)| (time / line.time_scale, y))
                .collect(),
            marks: false,
        });
    let scale = display.lines.first().map_or(1.0, |line| line.time_scale);
    let x_label = match scale {
        1.0 => "time / s".to_owned(),
        1e-3 => "time / ms".to_owned(),
        other => format!("time / ({other} s)"),
    };
    Figure {
        title: display.title.clone(),
        x_label,
        y_label: String::new(),
        region: display.region,
        curves: curves.collect(),
    }
}
