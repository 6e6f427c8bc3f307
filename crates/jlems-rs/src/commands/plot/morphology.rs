//! `jlems-rs plot --morphology FILE`: the shapes of cells.

use clap::Args;
use jlems::cells::{CellColors, DrawnCell, Shown};
use jlems::{Code, Failure, visible};
use lems_host::FileStore;
use lems_plot::{Shape, ShapeColors, ShapePiece, shape_html, shape_png, shape_svg};

use super::{Form, failed};
use crate::commands::core_types::SearchArguments;
use crate::commands::output_file::NotingReader;
use crate::commands::recordings::RecordingArguments;

/// Options about the shapes of cells.
#[derive(Debug, Args)]
pub struct MorphologyArguments {
    /// Draw the shapes of the cells of LEMS or NeuroML files, instead of their outputs.
    #[arg(long, id = "shapes", conflicts_with_all = ["model", "columns", "from", "to", "size", "title"])]
    pub morphology: bool,
    /// Id of the cell to draw; without it, all cells with segments are drawn.
    #[arg(long, value_name = "ID", requires = "shapes")]
    cell: Option<String>,
    /// What the colours show: the id of a density, or a group of segments; without it, the groups. With `--at`, a
    /// variable of the segments, such as `caConc`.
    #[arg(long, value_name = "NAME", requires = "shapes")]
    color_by: Option<String>,
    /// Run the model up to this simulated time, as in `12 ms`, and show a variable then: `v`, or that of
    /// `--color-by`. Of each population the first cell is shown.
    #[arg(
        long,
        value_name = "TIME",
        requires = "shapes",
        allow_hyphen_values = true
    )]
    at: Option<String>,
}

/// Micrometres in a metre.
const MICRO: f64 = 1e6;

/// The pictures of the cells of a file.
pub fn pictures(
    file: &str,
    arguments: &MorphologyArguments,
    form: Form,
    search: &SearchArguments,
    store: &mut FileStore,
) -> Result<Vec<Vec<u8>>, Failure> {
    let options = search.options()?;
    crate::commands::watch::watch_over(&options);
    let reader = NotingReader::new(search.reader(file, &options));
    let (cell, by) = (arguments.cell.as_deref(), arguments.color_by.as_deref());
    let cells = match &arguments.at {
        Some(time) => {
            let variable = by.unwrap_or("v");
            let shown = Shown { variable, time };
            let recording = RecordingArguments::of(Vec::new(), Vec::new(), file);
            let mut options = options;
            let runnable = recording.runnable(file, &reader, &mut options)?;
            DrawnCell::at_a_time(runnable.path(), runnable.reader(), &options, cell, shown)
                .map_err(about_time)?
        }
        None => {
            let document = jlems::load_with_types(file, &reader, &options)?;
            let model = jlems::read_model(&document)?;
            DrawnCell::all(&document, &model, cell, by)?
        }
    };
    reader.keep_from(store)?;
    let shapes: Vec<Shape> = cells.into_iter().map(shape).collect();
    match form {
        Form::Svg => Ok(shapes.iter().map(|of| shape_svg(of).into_bytes()).collect()),
        Form::Html => Ok(vec![shape_html(&visible(file), &shapes).into_bytes()]),
        Form::Png => {
            let drawn = shapes.iter().map(shape_png).collect::<Result<_, _>>();
            drawn.map_err(|error| failed(error.to_string()))
        }
        Form::Text => {
            let message = "the shapes of cells are drawn as SVG, PNG or a page".to_owned();
            let help = "`--form svg`, `--form png` or `--form html`".to_owned();
            Err(Failure::plain(Code::NO_PICTURE, message, Some(help)))
        }
    }
}

/// The same failure, but what is wrong with the length of the run is wrong with `--at`.
fn about_time(mut failure: Failure) -> Failure {
    for source in &mut failure.sources {
        if source.name == "--length" {
            source.name = "--at".to_owned();
        }
    }
    failure
}

/// A cell with its numbers in micrometres.
pub fn shape(cell: DrawnCell) -> Shape {
    let seen = |text: &str| visible(text).into_owned();
    let micrometres = |end: [f64; 4]| end.map(|value| value * MICRO);
    Shape {
        title: seen(&cell.id),
        pieces: (cell.segments.into_iter())
            .map(|segment| ShapePiece {
                ends: segment.ends.map(micrometres),
                name: seen(&segment.name),
                value: segment.value,
            })
            .collect(),
        colors: match cell.colors {
            CellColors::Groups(names) => {
                ShapeColors::Groups(names.iter().map(|name| seen(name)).collect())
            }
            CellColors::Values { quantity, unit } => ShapeColors::Values {
                quantity: seen(&quantity),
                unit: seen(&unit),
            },
        },
    }
}
