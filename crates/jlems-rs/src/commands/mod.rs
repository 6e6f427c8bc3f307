//! Subcommands, one module each.

mod changes;
mod compare;
mod convert;
mod core_types;
mod describe;
mod differences;
mod explain;
mod export;
mod flatten;
pub mod jnml;
mod messages;
mod new;
mod output_file;
mod pages;
mod plan;
mod plot;
mod printing;
mod recordings;
mod run;
mod schema_search;
mod show;
pub mod sweep;
mod types;
mod validate;
mod watch;
pub mod words;

pub use watch::do_not_end_when_a_file_is_full;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use printing::{fail, shown};

const EXIT_CODES: &str = "Exit codes: 0 success, 1 error in the model or the run, \
                          2 wrong command line, 128 + N ended by signal N (130: Ctrl-C).";

/// A fast engine for LEMS and NeuroML 2 models, compatible with jLEMS.
#[derive(Debug, Parser)]
#[command(
    version = version(),
    about,
    after_help = EXIT_CODES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true
)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a LEMS file and write its outputs (as `jlems-rs FILE` does).
    Run(run::Arguments),
    /// Check LEMS and NeuroML files without running them.
    Validate(validate::Arguments),
    /// Compare two output files, or the outputs of a run with the expected ones.
    Compare(compare::Arguments),
    /// Draw output files.
    Plot(plot::Arguments),
    /// Run a model with many values, and write a table of the results.
    Sweep(sweep::Arguments),
    /// List component types: the core types, or those of a file and what it includes.
    Types(types::Arguments),
    /// Describe a component type, a dimension, a unit or a constant.
    Describe(describe::Arguments),
    /// Show the intermediate forms of a model, from its types to machine code.
    #[command(subcommand)]
    Show(show::Command),
    /// Write a model and everything that it includes as one LEMS file.
    Flatten(flatten::Arguments),
    /// Write a LEMS file that runs a NeuroML file, with the length of the run and what it records.
    New(new::Arguments),
    /// Write a NeuroML file with a cell in the shape of a traced neuron (an SWC file).
    Convert(convert::Arguments),
    /// Write a model as the files of another simulator.
    #[command(subcommand)]
    Export(export::Command),
    /// Explain the code of an error or a warning.
    Explain(explain::Arguments),
    /// Accept jNeuroML's command line, as the program does when it is called `jnml`.
    #[command(disable_help_flag = true)]
    Jnml {
        /// Arguments of jNeuroML; `-h` lists them.
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        words: Vec<String>,
    },
    /// Print completion definitions for a shell.
    Completions(pages::CompletionArguments),
    /// Print a manual page.
    Man(pages::ManArguments),
}

impl CommandLine {
    /// Does what the command line says.
    pub fn execute(self) -> ExitCode {
        let result = match (self.command, self.run) {
            (Some(Command::Run(arguments)), _) | (None, arguments) => run::run(&arguments),
            (Some(Command::Sweep(arguments)), _) => sweep::run(&arguments),
            (Some(Command::Validate(arguments)), _) => validate::run(&arguments),
            (Some(Command::Compare(arguments)), _) => compare::run(&arguments),
            (Some(Command::Plot(arguments)), _) => plot::run(&arguments).and_then(shown),
            (Some(Command::Jnml { words }), _) => Ok(jnml::run(&words)),
            (Some(Command::Completions(arguments)), _) => {
                shown(pages::completions(&arguments, &mut CommandLine::command()))
            }
            (Some(Command::Man(arguments)), _) => {
                pages::man(&arguments, CommandLine::command()).and_then(shown)
            }
            (Some(Command::Types(arguments)), _) => types::run(&arguments).and_then(shown),
            (Some(Command::Describe(arguments)), _) => describe::run(&arguments).and_then(shown),
            (Some(Command::Show(command)), _) => show::run(&command).and_then(shown),
            (Some(Command::Flatten(arguments)), _) => flatten::run(&arguments),
            (Some(Command::New(arguments)), _) => new::run(&arguments).and_then(shown),
            (Some(Command::Convert(arguments)), _) => {
                convert::run(&arguments).and_then(printing::shown_as_is)
            }
            (Some(Command::Export(command)), _) => export::run(&command),
            (Some(Command::Explain(arguments)), _) => shown(explain::text(&arguments)),
        };
        result.unwrap_or_else(|failure| fail(&failure))
    }
}

fn version() -> &'static str {
    format!(
        "{} (NeuroML core types {}, results of jLEMS 0.12.0)",
        env!("CARGO_PKG_VERSION"),
        nml2_coretypes::NEUROML_VERSION
    )
    .leak()
}
