//! `jlems-rs flatten FILE`: a model as one file.

use clap::Args;
use jlems_rs::engine::EngineError;
use jlems_rs::output::{FileStore, OutputError, OutputStore};
use jlems_rs::{Failure, Options};

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
    output: Option<String>,
}

/// The text, unless it goes to a file.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let options = Options {
        settings: arguments.changes.settings(),
        ..arguments.search.options()?
    };
    let reader = arguments.search.reader(&arguments.file, &options);
    let document = jlems_rs::load(&arguments.file, &*reader, &options)?;
    let text = document.flat();
    let Some(path) = &arguments.output else {
        return Ok(text);
    };
    let files = document.sources().iter().filter(|source| !source.embedded);
    let inputs: Vec<&str> = files.map(|source| source.name.as_str()).collect();
    write(path, &text, &inputs).map_err(EngineError::from)?;
    Ok(String::new())
}

fn write(path: &str, text: &str, inputs: &[&str]) -> Result<(), OutputError> {
    let mut store = FileStore::new();
    store.reserve(&[path], inputs)?;
    let mut sink = store.create(path)?;
    sink.write(text.as_bytes())?;
    sink.finish()
}
