//! `jlems-rs plot FILES` and `jlems-rs run --plot FORM`.

mod files;
mod look;
pub mod morphology;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jlems::{Code, Display, Failure, Outcome, Plots, visible};
use lems_engine::EngineError;
use lems_host::FileStore;
use lems_output::{MemoryStore, OutputStore};
use lems_plot::{Content, Figure, Panel, html, png, svg, text};

use super::core_types::SearchArguments;
use super::output_file::NotingReader;
pub use files::columns;
use files::{Label, Table};
pub use look::Frame;
use look::Look;
use morphology::MorphologyArguments;

/// Most names of columns that an error lists.
const LISTED: usize = 12;

/// What to draw.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files of data or events to draw as panels of one picture; with `--morphology`, a model.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// LEMS file that the outputs belong to. It gives the names and units of columns and the
    /// populations of events; it is not run.
    #[arg(long, value_name = "FILE")]
    model: Option<String>,
    /// Format of the picture.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Svg)]
    form: Form,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    morphology: MorphologyArguments,
    /// Folder for the picture, instead of the working directory.
    #[arg(long, value_name = "FOLDER")]
    out_dir: Option<PathBuf>,
    #[command(flatten)]
    search: SearchArguments,
}

/// Form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One vector graphics file for each figure.
    Svg,
    /// One bitmap file for each figure.
    Png,
    /// One web page that can zoom, show values and hide curves; it works offline.
    Html,
    /// Text, printed instead of written to a file.
    Text,
}

/// Draws the files, one below the other. Returns the line to print about the picture.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    if arguments.morphology.morphology {
        return draw_shapes(arguments);
    }
    let read = arguments
        .model
        .as_deref()
        .map(|model| -> Result<_, Failure> {
            let options = arguments.search.options()?;
            let reader = NotingReader::new(arguments.search.reader(model, &options));
            Ok((jlems::plots_of(model, &reader, &options)?, reader))
        });
    let read = read.transpose()?;
    let figure = figure_of_files(arguments, read.as_ref().map(|(plots, _)| plots))?;
    let (name, mut store) = place(arguments)?;
    if let Some((_, reader)) = &read {
        reader.keep_from(&mut store)?;
    }
    write(
        &name,
        folder(arguments),
        &mut store,
        arguments.form,
        &[figure],
    )
}

/// Draws the cells of each file. Returns the line to print about the pictures.
fn draw_shapes(arguments: &Arguments) -> Result<String, Failure> {
    let (_, mut store) = place(arguments)?;
    let mut stems = HashSet::new();
    if let Some(twice) = arguments
        .files
        .iter()
        .find(|path| !stems.insert(path.file_stem()))
    {
        let name = twice.file_stem().unwrap_or_default().to_string_lossy();
        let message = format!("two of the files would have pictures that are called `{name}`");
        let help = "draw one after the other, each with its own `--out-dir`".to_owned();
        return Err(Failure::plain(Code::NO_PICTURE, message, Some(help)));
    }
    let mut said = String::new();
    for path in &arguments.files {
        let file = path.to_string_lossy();
        let (options, search) = (&arguments.morphology, &arguments.search);
        let pictures = morphology::pictures(&file, options, arguments.form, search, &mut store)?;
        said += &write_pictures(
            &file,
            folder(arguments),
            &mut store,
            arguments.form,
            pictures,
        )?;
    }
    Ok(said)
}

/// The folder for pictures.
fn folder(arguments: &Arguments) -> &Path {
    arguments.out_dir.as_deref().unwrap_or(Path::new(""))
}

/// What the picture is called after, and where it goes.
fn place(arguments: &Arguments) -> Result<(String, FileStore), Failure> {
    let first = arguments.files.first().map(|path| path.to_string_lossy());
    let name = first.unwrap_or_default().into_owned();
    let folder = folder(arguments);
    if let Some(folder) = &arguments.out_dir {
        // If it cannot be made, the picture says so.
        let _ = std::fs::create_dir_all(folder);
    }
    let mut store = FileStore::in_folder(folder);
    if arguments.search.sandbox {
        store = store.confined();
    }
    let inputs = arguments.files.iter().filter_map(|path| path.to_str());
    let inputs = inputs.chain(arguments.model.as_deref());
    let protected = store.reserve(&[], &inputs.collect::<Vec<_>>());
    protected.map_err(EngineError::from)?;
    Ok((name, store))
}

/// A figure with the panels of all files.
fn figure_of_files(arguments: &Arguments, plots: Option<&Plots>) -> Result<Figure, Failure> {
    let choices = &arguments.look.columns;
    let mut labels: Vec<Label> = Vec::new();
    let mut panels = Vec::new();
    for path in &arguments.files {
        let table = table_of(path, plots)?;
        let of_file = table.labels();
        let is_blank = of_file.is_empty();
        labels.extend(of_file);
        let chosen = table.chosen(choices, |time| arguments.look.frame.shows(time));
        let drawn = match is_blank {
            // A file without a row has no columns either, and its panel says so.
            true => vec![Panel::default()],
            false => chosen.panels([None; 2]),
        };
        panels.extend(titled(&file_name(path), drawn));
    }
    let is_unknown = |choice: &&look::Choice| !labels.iter().any(|label| label.is_meant(choice));
    if let Some(choice) = choices.iter().find(is_unknown) {
        let names = labels
            .iter()
            .take(LISTED)
            .map(|label| format!("`{}`", label.title()));
        let more = if labels.len() > LISTED { ", …" } else { "" };
        let names: Vec<String> = names.collect();
        let help = format!("there are {}{more}", names.join(", "));
        let message = format!("no column or event is called `{choice}`");
        return Err(Failure::plain(Code::NO_PICTURE, message, Some(help)));
    }
    let names: Vec<String> = arguments.files.iter().map(|path| file_name(path)).collect();
    Ok(arguments.look.frame.applied(Figure {
        title: names.join(", "),
        panels,
        ..Figure::default()
    }))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The panels with a title above the first.
fn titled(title: &str, mut panels: Vec<Panel>) -> Vec<Panel> {
    if let Some(panel) = panels.first_mut() {
        title.clone_into(&mut panel.title);
    }
    panels
}

/// The columns of a file. If the model that wrote it is known, they have its names and units.
fn table_of(path: &Path, plots: Option<&Plots>) -> Result<Table, Failure> {
    let name = path.display().to_string();
    let text = super::printing::text_of_output(path);
    let text = text.map_err(|error| failed(format!("cannot read `{name}`: {error}")))?;
    let is_it = |output: &str| {
        let partial = format!("{output}.partial");
        path.ends_with(output) || path.ends_with(partial) || {
            // A file that was moved has kept its name.
            path.file_name() == Path::new(output).file_name()
        }
    };
    let (mut display, mut sources) = (None, None);
    if let Some(plots) = plots {
        display = plots.files.iter().find(|file| is_it(&file.output));
        sources = plots.events.iter().find(|file| is_it(&file.output));
        if display.is_none() && sources.is_none() {
            let outputs = plots.files.iter().map(|file| &file.output);
            let outputs = outputs.chain(plots.events.iter().map(|file| &file.output));
            let outputs: Vec<String> = outputs.map(|output| format!("`{output}`")).collect();
            let help = format!("it writes {}", outputs.join(", "));
            let message = format!("the model writes no file `{name}`");
            return Err(Failure::plain(Code::NO_PICTURE, message, Some(help)));
        }
    }
    if display.is_none()
        && let Some(events) = Table::of_events(sources.map(|file| &file.rows[..]), &text)
    {
        return Ok(events);
    }
    let unlike = || failed(format!("`{name}` has neither rows of numbers nor events"));
    let columns = columns(&text).ok_or_else(unlike)?;
    if let Some(display) = display
        && columns.len() != display.lines.len()
        && !columns.is_empty()
    {
        let (has, writes) = (columns.len(), display.lines.len());
        let message =
            format!("`{name}` has {has} columns besides the time; the model writes {writes}");
        return Err(failed(message));
    }
    Ok(Table::of_columns(display, columns))
}

/// The displays of a run, or its data, and its events.
pub fn figures_of_run(
    outcome: &Outcome,
    shown: &MemoryStore,
    store: &mut FileStore,
) -> Vec<Figure> {
    let plots = &outcome.plots;
    let mut read = |output: &str| {
        let bytes = store.read(output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut figures: Vec<Figure> = (plots.displays.iter())
        .map(|display| of_display(display, &shown.text(&display.output).unwrap_or_default()))
        .collect();
    if plots.displays.is_empty() {
        let panels = plots.files.iter().flat_map(|file| {
            let columns = columns(&read(&file.output)).unwrap_or_default();
            let panels = Table::of_columns(Some(file), columns).panels([None; 2]);
            titled(&file_name(Path::new(&file.output)), panels)
        });
        let panels = panels.collect();
        figures.extend(together(
            plots.files.iter().map(|file| &file.output),
            panels,
        ));
    }
    let end = outcome.summaries.last().map(|summary| summary.time);
    let panels = plots.events.iter().flat_map(|file| {
        let table = Table::of_events(Some(&file.rows), &read(&file.output));
        let panels = table.map_or_else(Vec::new, |table| table.panels([None; 2]));
        titled(&file_name(Path::new(&file.output)), panels)
    });
    let panels = panels.collect();
    let events = together(plots.events.iter().map(|file| &file.output), panels);
    figures.extend(events.map(|figure| Figure {
        time: [Some(0.0), end],
        ..figure
    }));
    figures
}

/// A figure of the panels of some files, called after these; None without panels.
fn together<'o>(outputs: impl Iterator<Item = &'o String>, panels: Vec<Panel>) -> Option<Figure> {
    let names: Vec<String> = outputs.map(|output| file_name(Path::new(output))).collect();
    (!panels.is_empty()).then(|| Figure {
        title: names.join(", "),
        panels,
        ..Figure::default()
    })
}

fn of_display(display: &Display, text: &str) -> Figure {
    let scale = display.lines.first().map_or(1.0, |line| line.time_scale);
    let [xmin, xmax, ymin, ymax] = display.region;
    let table = Table::of_columns(Some(display), columns(text).unwrap_or_default());
    Figure {
        title: display.title.clone(),
        time: [xmin, xmax].map(|bound| bound.map(|bound| bound * scale)),
        // Seconds are what a model has if it says nothing.
        time_scale: (scale != 1.0).then_some(scale),
        panels: table.panels([ymin, ymax]),
        ..Figure::default()
    }
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
    let mut words = vec![&mut shown.title];
    for panel in &mut shown.panels {
        words.extend([&mut panel.title, &mut panel.quantity, &mut panel.unit]);
        match &mut panel.content {
            Content::Curves(curves) => words.extend(curves.iter_mut().map(|curve| &mut curve.name)),
            Content::Rows(rows) => {
                words.extend(
                    rows.iter_mut()
                        .flat_map(|row| [&mut row.name, &mut row.population]),
                );
            }
        }
    }
    for word in words {
        *word = visible(word).into_owned();
    }
    shown
}

/// Writes the figures into a store in `folder`. Returns the line to print about them.
pub fn write(
    name: &str,
    folder: &Path,
    store: &mut FileStore,
    form: Form,
    figures: &[Figure],
) -> Result<String, Failure> {
    let figures: Vec<Figure> = figures.iter().map(shown_figure).collect();
    let pictures: Vec<Vec<u8>> = match form {
        _ if figures.is_empty() => return Ok(String::new()),
        Form::Text => return Ok(figures.iter().map(text).collect()),
        Form::Html => vec![html(&visible(&stem(name)), &figures).into_bytes()],
        Form::Svg => figures.iter().map(|f| svg(f).into_bytes()).collect(),
        Form::Png => {
            let drawn = figures.iter().map(png).collect::<Result<_, _>>();
            drawn.map_err(|error| failed(error.to_string()))?
        }
    };
    write_pictures(name, folder, store, form, pictures)
}

fn stem(name: &str) -> std::borrow::Cow<'_, str> {
    Path::new(name)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
}

/// Writes pictures into a store in `folder`. Returns the line to print about them.
fn write_pictures(
    name: &str,
    folder: &Path,
    store: &mut FileStore,
    form: Form,
    pictures: Vec<Vec<u8>>,
) -> Result<String, Failure> {
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
    Failure::plain(Code::NO_PICTURE, message, None)
}
