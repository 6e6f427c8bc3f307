//! `jlems-rs flatten FILE`: a model as one file.

use clap::Args;
use jlems_rs::Failure;
use jlems_rs::engine::EngineError;
use jlems_rs::output::{FileStore, OutputError, OutputStore};

use super::changes::ChangedModel;

/// What to write where.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ChangedModel,
    /// File to write, instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
}

/// The text, unless it goes to a file.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let document = arguments.model.load()?;
    let text = document.flat();
    super::warn_of(&document);
    let Some(path) = &arguments.output else {
        return Ok(text);
    };
    write(path, &text, &document.own_files()).map_err(EngineError::from)?;
    Ok(String::new())
}

/// Writes a file that is none of the inputs.
pub fn write(path: &str, text: &str, inputs: &[&str]) -> Result<(), OutputError> {
    let mut store = FileStore::new();
    store.reserve(&[path], inputs)?;
    let mut sink = store.create(path)?;
    sink.write(text.as_bytes())?;
    sink.finish()
}
