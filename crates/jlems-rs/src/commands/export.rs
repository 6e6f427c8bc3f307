//! `jlems-rs export`: a model as the files of another simulator.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jlems::export::{Exported, File, Form, export};
use jlems::{Failure, Options, visible};
use lems_engine::EngineError;

use super::changes::ChangeArguments;
use super::core_types::SearchArguments;
use super::printing::{print, print_error, rendered};
use super::recordings::RecordingArguments;

/// What to export to.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write mechanisms (NMODL) and a Python file that builds and runs the model in NEURON.
    Neuron(NeuronArguments),
}

/// What to export to NEURON.
#[derive(Debug, Args)]
pub struct NeuronArguments {
    /// LEMS file to export, or NeuroML file with a network or a cell.
    file: String,
    /// Folder that the files are written to.
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
    /// Let NEURON compute the same numbers as jlems-rs does: kernels in SI units, in jLEMS's order of
    /// operations. Events without a delay reach other instances at the start of the next step.
    #[arg(long)]
    exact: bool,
    /// Seed of the random generator, instead of the model's.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    seed: Option<i64>,
    /// Print errors only.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    changes: ChangeArguments,
    #[command(flatten)]
    recording: RecordingArguments,
    #[command(flatten)]
    search: SearchArguments,
}

/// Exports a model.
pub fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Neuron(arguments) => neuron(arguments),
    }
}

fn neuron(arguments: &NeuronArguments) -> Result<ExitCode, Failure> {
    let mut options = Options {
        seed: arguments.seed,
        settings: arguments.changes.settings(),
        ..arguments.search.options()?
    };
    super::watch::watch_over(&options);
    let file = arguments.file.as_str();
    let reader = arguments.search.reader(file, &options);
    let runnable = (arguments.recording).runnable(file, &*reader, &mut options)?;
    let exported = export(
        runnable.path(),
        runnable.reader(),
        &options,
        Form::NeuronExact,
    )?;
    write(&exported, &arguments.output)?;
    if !arguments.quiet {
        let mut warnings = exported.warnings.clone();
        warnings.retain(|warning| warning.code.is_always_shown());
        if !warnings.is_empty() {
            print_error(&rendered(&Failure {
                sources: exported.sources.clone(),
                diagnostics: warnings
                    .into_iter()
                    .map(jlems::Diagnostic::as_warning)
                    .collect(),
            }));
        }
        print(&said(&exported.files, &arguments.output))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the files of an export to a folder.
fn write(exported: &Exported, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).ok();
    for file in &exported.files {
        let path = folder.join(&file.name);
        let inputs: Vec<&str> = exported
            .sources
            .iter()
            .map(|source| source.name.as_str())
            .collect();
        super::flatten::write(&path.to_string_lossy(), &file.text, &inputs)
            .map_err(EngineError::from)?;
    }
    Ok(())
}

fn said(files: &[File], folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    let mechanisms = files
        .iter()
        .filter(|file| file.name.ends_with(".mod"))
        .count();
    let scripts = files.iter().filter(|file| file.name.ends_with(".py"));
    let script = scripts
        .map(|file| file.name.as_str())
        .next()
        .unwrap_or_default();
    format!(
        "wrote {mechanisms} mechanisms and {} to {folder}: `nrnivmodl` there compiles them, `python {}` runs them\n",
        visible(script),
        visible(script)
    )
}
