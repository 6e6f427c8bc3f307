//! `jlems-rs flatten FILE`: a model as one file.

use std::process::ExitCode;

use clap::Args;
use jlems::Failure;
use lems_engine::EngineError;
use lems_host::FileStore;
use lems_output::{OutputError, OutputStore};

use super::changes::ChangedModel;
use super::printing::print_as_is;

/// What to write where.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ChangedModel,
    /// File to write, instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
}

/// Writes the text.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let document = arguments.model.load()?;
    let text = document.flat();
    super::printing::warn_of(&document);
    match &arguments.output {
        None => print_as_is(&text)?,
        Some(path) => {
            let core_types = arguments.model.core_type_files();
            let inputs = document.own_files().into_iter();
            let inputs: Vec<&str> = inputs
                .chain(core_types.iter().map(String::as_str))
                .collect();
            write(path, &text, &inputs).map_err(EngineError::from)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that is none of the inputs.
pub fn write(path: &str, text: &str, inputs: &[&str]) -> Result<(), OutputError> {
    let mut store = FileStore::new();
    store.reserve(&[path], inputs)?;
    let mut sink = store.create(path)?;
    sink.write(text.as_bytes())?;
    sink.finish()
}
