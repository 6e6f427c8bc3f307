//! `jlems-rs flatten FILE`: a model as one file.

use std::process::ExitCode;

use clap::Args;
use jlems::Failure;

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
            super::output_file::write(path, &text, &inputs)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
