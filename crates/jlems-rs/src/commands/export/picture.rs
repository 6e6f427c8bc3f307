//! A network or a cell as a picture.

use std::path::{Path, PathBuf};

use clap::Args;
use jlems::cells::picture;
use jlems::{Code, Failure, visible};
use lems_plot::{shape_png, shape_svg};

use crate::commands::core_types::SearchArguments;
use crate::commands::plot::morphology::shape;
use crate::commands::{output_file, watch};

/// What to draw.
#[derive(Debug, Args)]
pub struct PictureArguments {
    /// NeuroML or LEMS file to draw.
    file: String,
    /// Folder that the picture is written to.
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
    /// Print errors only.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    search: SearchArguments,
}

/// What a picture is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureForm {
    Svg,
    Png,
}

/// Draws a file. Gives the line to print about the picture.
pub fn draw(arguments: &PictureArguments, form: PictureForm) -> Result<String, Failure> {
    let options = arguments.search.options()?;
    watch::watch_over(&options);
    let file = arguments.file.as_str();
    let reader = arguments.search.reader(file, &options);
    let document = jlems::load_with_types(file, &*reader, &options)?;
    let model = jlems::read_model(&document)?;
    let shape = shape(picture(&document, &model, file)?);
    let (ending, bytes) = match form {
        PictureForm::Svg => ("svg", shape_svg(&shape).into_bytes()),
        PictureForm::Png => {
            let drawn = shape_png(&shape).map_err(|error| {
                let help = "`jlems-rs export svg` has no largest size".to_owned();
                Failure::plain(Code::NO_PICTURE, error.to_string(), Some(help))
            });
            ("png", drawn?)
        }
    };
    let stem = Path::new(file).file_stem().unwrap_or_default();
    let name = format!("{}.{ending}", stem.to_string_lossy());
    let path = arguments.output.join(name).to_string_lossy().into_owned();
    let sources = document.sources().iter();
    let inputs: Vec<&str> = sources.map(|source| source.name.as_str()).collect();
    output_file::write(&path, &bytes, &inputs)?;
    Ok(match arguments.quiet {
        true => String::new(),
        false => format!("drew {}\n", visible(&path)),
    })
}
