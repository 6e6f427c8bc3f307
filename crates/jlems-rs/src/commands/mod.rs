//! Subcommands, one module each.

mod changes;
mod compare;
mod core_types;
mod describe;
mod differences;
mod explain;
mod flatten;
pub mod jnml;
mod messages;
mod new;
mod pages;
mod plan;
mod plot;
mod recordings;
mod run;
mod schema_search;
mod show;
mod types;
mod validate;
pub mod words;

use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
#[cfg(unix)]
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use jlems_rs::document::Document;
use jlems_rs::{Code, Failure, LimitError, Options, visible, visible_lines};

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
            (Some(Command::Validate(arguments)), _) => validate::run(&arguments),
            (Some(Command::Compare(arguments)), _) => compare::run(&arguments),
            (Some(Command::Plot(arguments)), _) => plot::run(&arguments).and_then(shown),
            (Some(Command::Jnml { words }), _) => Ok(jnml::run(&words)),
            (Some(Command::Completions(arguments)), _) => shown(pages::completions(&arguments)),
            (Some(Command::Man(arguments)), _) => pages::man(&arguments).and_then(shown),
            (Some(Command::Types(arguments)), _) => types::run(&arguments).and_then(shown),
            (Some(Command::Describe(arguments)), _) => describe::run(&arguments).and_then(shown),
            (Some(Command::Show(command)), _) => show::run(&command).and_then(shown),
            (Some(Command::Flatten(arguments)), _) => flatten::run(&arguments),
            (Some(Command::New(arguments)), _) => new::run(&arguments).and_then(shown),
            (Some(Command::Explain(arguments)), _) => shown(explain::text(&arguments)),
        };
        result.unwrap_or_else(|failure| fail(&failure))
    }
}

/// A file that has reached the size that it may have is an error like a full disk.
pub fn do_not_end_when_a_file_is_full() {
    #[cfg(unix)]
    {
        // Writing fails once the signal has somewhere to go.
        const SIGXFSZ: i32 = 25;
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    }
}

fn fail(failure: &Failure) -> ExitCode {
    print_error(&rendered(failure));
    ExitCode::FAILURE
}

/// Messages as the standard error wants them: in colour, as wide as the terminal.
fn rendered(failure: &Failure) -> String {
    let is_colored =
        anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0.into());
    failure.render_within(is_colored, width)
}

/// Ends the program when its time is over: at once while it reads, builds or compiles; when it makes
/// steps, only if it does not see by itself that it has to end.
fn watch_over(options: &Options) {
    const GRACE: Duration = Duration::from_secs(5);
    watch_memory_of(options);
    let Some(limit) = options.limits.time() else {
        return;
    };
    std::thread::spawn(move || {
        // A moment more, in which the stage at hand may tell it better.
        std::thread::sleep(limit.saturating_add(Duration::from_millis(300)));
        if !run::nothing_is_kept() {
            std::thread::sleep(GRACE);
        }
        let seconds = limit.as_secs();
        fail(&LimitError::Time { seconds }.into());
        std::process::exit(1);
    });
}

/// Ends the program with an error where the system would end it without one: when it has taken more
/// memory than it may, in whatever stage.
fn watch_memory_of(options: &Options) {
    const PERIOD: Duration = Duration::from_millis(20);
    let (limits, stage) = (options.limits, options.stage.clone());
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(PERIOD);
            if let Err(error) = limits.allow_memory(&stage) {
                // A stage that is over at this moment tells it itself.
                std::thread::sleep(PERIOD);
                fail(&error.into());
                std::process::exit(1);
            }
        }
    });
}

/// The text of an output. A run that was killed may have left a partial one that ends within a line,
/// which is left out.
fn text_of_output(path: &Path) -> std::io::Result<String> {
    let bytes = std::fs::read(path)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let end = text.rfind('\n').map_or(0, |last| last + 1);
    if extension.starts_with("partial") && end < text.len() {
        print_error(&format!(
            "{} ends within a line, which is left out\n",
            visible(&path.to_string_lossy())
        ));
        text.truncate(end);
    }
    Ok(text)
}

/// Prints the warnings about what was not read as it is written.
fn warn_of(document: &Document) {
    let warnings = Failure::warnings_of(document);
    print_error(&rendered(&warnings));
}

fn shown(text: impl AsRef<str>) -> Result<ExitCode, Failure> {
    print(text.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

fn version() -> &'static str {
    format!(
        "{} (NeuroML core types {}, results of jLEMS 0.12.0)",
        env!("CARGO_PKG_VERSION"),
        nml2_coretypes::NEUROML_VERSION
    )
    .leak()
}

/// A value as indented JSON with a line break at its end.
fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => Ok(visible_json(&text) + "\n"),
        Err(error) => {
            let message = format!("this cannot be written as JSON: {error}");
            Err(Failure::plain(Code(601), message, None))
        }
    }
}

/// The same JSON without what a terminal obeys: only its strings can hold that.
fn visible_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match visible_lines(letter.encode_utf8(&mut [0; 4])) {
            Cow::Borrowed(_) => text.push(letter),
            Cow::Owned(_) => text.push_str(&format!("\\u{:04x}", letter as u32)),
        }
    }
    text
}

/// Writes lines for people to the standard output.
fn print(text: &str) -> Result<(), Failure> {
    print_as_is(&visible_lines(text))
}

/// Writes to the standard output; a reader that has gone away is no error.
fn print_as_is(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    written(
        output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush()),
    )
}

/// What became of writing to the standard output.
fn written(result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let message = format!("cannot write to the standard output: {error}");
            let help = "is the disk full that it leads to?".to_owned();
            Err(Failure::plain(Code(609), message, Some(help)))
        }
        _ => Ok(()),
    }
}

fn print_error(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
