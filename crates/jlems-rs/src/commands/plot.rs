//! `jlems-rs plot FILES` and `jlems-rs run --plot FORM`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jlems_rs::engine::EngineError;
use jlems_rs::output::{FileStore, MemoryStore, OutputStore};
use jlems_rs::plot::{Curve, Figure, html, png, svg, text};
use jlems_rs::{Code, Display, DisplayLine, Failure, Outcome, event_trains, visible};

use super::run::Written;

/// Most rows of events that colours help to tell apart.
const COLORED_ROWS: usize = 20;

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
    /// A file of pixels for each figure.
    Png,
    /// One page that zooms, reads values and hides curves, and needs no network.
    Html,
    /// Characters, printed instead of written to a file.
    Text,
}

/// Draws each file by itself; gives what is said of the pictures.
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
    write(name, folder, &mut store, arguments.form, &figures)
}

/// The displays of a run, or its data, and its events.
pub fn figures_of_run(
    outcome: &Outcome,
    shown: &MemoryStore,
    store: &mut FileStore,
    files: &[Written],
) -> Vec<Figure> {
    let mut figures = Vec::new();
    for display in &outcome.displays {
        let text = shown.text(&display.output);
        let text = text.unwrap_or_else(|| text_of_file(store, &display.output));
        figures.push(of_display(display, &text));
    }
    let end = outcome.summaries.last().map(|summary| summary.time);
    for file in files {
        let text = text_of_file(store, &file.name);
        figures.extend(of_events(&file.path, &text).map(|figure| Figure {
            region: [Some(0.0), end, None, None],
            ..figure
        }));
    }
    figures
}

fn text_of_file(store: &mut FileStore, name: &str) -> String {
    let bytes = store.read(name).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The names that figures of `file` may get, if there are so many at most.
pub fn names(file: &str, form: Form, most: usize) -> Vec<String> {
    let Some(extension) = form.extension() else {
        return Vec::new();
    };
    let stem = Path::new(file).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let numbered = (1..=most).map(|number| format!("{stem}.{number}.{extension}"));
    [format!("{stem}.{extension}")]
        .into_iter()
        .chain(numbered)
        .collect()
}

/// The figure with all its words as they are shown.
fn shown_figure(figure: &Figure) -> Figure {
    let mut shown = figure.clone();
    let curves = shown.curves.iter_mut().map(|curve| &mut curve.name);
    let labels = [&mut shown.title, &mut shown.x_label, &mut shown.y_label];
    for words in labels.into_iter().chain(curves) {
        *words = visible(words).into_owned();
    }
    shown
}

/// Writes the figures next to one another into a store in `folder`; gives what is said of them.
pub fn write(
    name: &str,
    folder: &Path,
    store: &mut FileStore,
    form: Form,
    figures: &[Figure],
) -> Result<String, Failure> {
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let figures: Vec<Figure> = figures.iter().map(shown_figure).collect();
    let pictures: Vec<Vec<u8>> = match form {
        _ if figures.is_empty() => return Ok(String::new()),
        Form::Text => return Ok(figures.iter().map(text).collect()),
        Form::Html => vec![html(&visible(&stem), &figures).into_bytes()],
        Form::Svg => figures.iter().map(|f| svg(f).into_bytes()).collect(),
        Form::Png => {
            let drawn = figures.iter().map(png).collect::<Result<_, _>>();
            drawn.map_err(|error| failed(error.to_string()))?
        }
    };
    let mut names = names(name, form, pictures.len());
    match pictures.len() {
        1 => names.truncate(1),
        _ => drop(names.remove(0)),
    }
    let mut said = String::new();
    for (name, bytes) in names.into_iter().zip(pictures) {
        let drawn = store.create(&name).and_then(|mut sink| {
            sink.write(&bytes)?;
            sink.finish()
        });
        drawn.map_err(EngineError::from)?;
        let place = folder.join(name);
        said += &format!("drew {}\n", visible(&place.to_string_lossy()));
    }
    Ok(said)
}

impl Form {
    /// How the names of such files end; None if there are none.
    fn extension(self) -> Option<&'static str> {
        match self {
            Form::Svg => Some("svg"),
            Form::Png => Some("png"),
            Form::Html => Some("html"),
            Form::Text => None,
        }
    }
}

fn failed(message: String) -> Failure {
    Failure::plain(Code(606), message, None)
}

fn of_file(path: &Path) -> Result<Figure, Failure> {
    let name = path.display().to_string();
    let text = super::text_of_output(path);
    let text = text.map_err(|error| failed(format!("cannot read `{name}`: {error}")))?;
    of_text(&name, &text)
        .ok_or_else(|| failed(format!("`{name}` has neither rows of numbers nor events")))
}

fn of_text(name: &str, text: &str) -> Option<Figure> {
    if let Some(figure) = of_events(name, text) {
        return Some(figure);
    }
    let columns = columns(text)?.into_iter().enumerate();
    let curves = columns.map(|(index, points)| Curve {
        name: format!("column {}", index + 1),
        points,
        ..Curve::default()
    });
    Some(figure(name, "SI units", curves.collect()))
}

fn figure(name: &str, y_label: &str, curves: Vec<Curve>) -> Figure {
    let title = Path::new(name).file_name().unwrap_or_default();
    Figure {
        title: title.to_string_lossy().into_owned(),
        x_label: "time / s".to_owned(),
        y_label: y_label.to_owned(),
        curves,
        ..Figure::default()
    }
}

/// A row for each train of events; None if the text has other lines than events.
fn of_events(name: &str, text: &str) -> Option<Figure> {
    let trains = event_trains(text)?;
    let color = (trains.len() > COLORED_ROWS).then(|| "#222222".to_owned());
    let curves = trains.into_iter().enumerate().map(|(row, (id, times))| {
        let height = id.parse().unwrap_or(row as f64);
        Curve {
            name: id.to_owned(),
            color: color.clone(),
            points: times.into_iter().map(|time| (time, height)).collect(),
            marks: true,
        }
    });
    Some(figure(name, "event id", curves.collect()))
}

/// The columns after the first, over it; None if a word is no number.
pub fn columns(text: &str) -> Option<Vec<Vec<(f64, f64)>>> {
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

fn of_display(display: &Display, text: &str) -> Figure {
    let columns = columns(text).unwrap_or_default();
    let unit = |line: &DisplayLine| line.unit.clone().unwrap_or_default();
    let first = display.lines.first();
    let common = (first.map(unit)).filter(|first| display.lines.iter().all(|l| unit(l) == *first));
    let curve = |line: &DisplayLine| {
        let points = columns.get(line.column - 1).cloned().unwrap_or_default();
        Curve {
            name: match (&common, &line.unit) {
                (None, Some(unit)) => format!("{} / {unit}", line.id),
                _ => line.id.clone(),
            },
            color: line.color.clone(),
            points: (points.into_iter())
                .map(|(time, y)| (time / line.time_scale, y))
                .collect(),
            marks: false,
        }
    };
    let curves = display.lines.iter().map(curve).collect();
    let x_label = match first.map_or(1.0, |line| line.time_scale) {
        1.0 => "time / s".to_owned(),
        1e-3 => "time / ms".to_owned(),
        other => format!("time / ({other} s)"),
    };
    Figure {
        title: display.title.clone(),
        x_label,
        y_label: common.unwrap_or_default(),
        region: display.region,
        curves,
    }
}
