//! `jlems-rs flatten FILE`: a model as one file.

use std::path::PathBuf;

use clap::Args;
use jlems_rs::{Code, Failure, FileSources, Options};

use super::changes::ChangeArguments;
use super::core_types::SearchArguments;

/// What to write where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// LEMS or NeuroML file.
    file: String,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    changes: ChangeArguments,
    /// File to write, instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The text, unless it goes to a file.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let options = Options {
        settings: arguments.changes.settings(),
        ..arguments.search.options()?
    };
    let document = jlems_rs::load(&arguments.file, &FileSources, &options)?;
    let text = document.flat();
    let Some(path) = &arguments.output else {
        return Ok(text);
    };
    std::fs::write(path, text).map_err(|error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        Failure::plain(Code(601), message, None)
    })?;
    Ok(String::new())
}
