//! The command line.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jlems_rs::{BackendKind, Failure, FileSources, Options, output::FileStore};

/// A fast engine for LEMS and NeuroML 2 models, compatible with jLEMS.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a LEMS file and write its outputs.
    Run(RunArguments),
}

#[derive(Debug, Args)]
struct RunArguments {
    /// LEMS file to run.
    file: Option<String>,
    /// Folder searched for included files (may be repeated).
    #[arg(short = 'I', long = "include", value_name = "FOLDER")]
    include: Vec<String>,
    /// What runs the kernels.
    #[arg(long, value_enum, default_value_t = Backend::Jit)]
    backend: Backend,
    /// Seed of the random generator, instead of the model's.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    seed: Option<i64>,
    /// Print errors only.
    #[arg(short, long)]
    quiet: bool,
    /// Print warnings with their places.
    #[arg(short, long)]
    verbose: bool,
    /// Accepted for compatibility with jNeuroML: there is no window.
    #[arg(long, hide = true)]
    nogui: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Backend {
    /// Machine code.
    Jit,
    /// Interpreter: slow, the same bits.
    Interp,
}

fn main() -> ExitCode {
    let arguments = std::env::args().map(|argument| match argument.as_str() {
        "-nogui" => "--nogui".to_owned(),
        _ => argument,
    });
    let line = CommandLine::parse_from(arguments);
    let result = match line.command {
        Some(Command::Run(arguments)) => run(&arguments),
        None => run(&line.run),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let colored = std::io::stderr().is_terminal();
            eprint!("{}", failure.render(colored));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let Some(file) = &arguments.file else {
        return Err(Failure::plain(
            "no file to run",
            Some("name a LEMS file".to_owned()),
        ));
    };
    let options = Options {
        include: arguments.include.clone(),
        backend: match arguments.backend {
            Backend::Jit => BackendKind::Jit,
            Backend::Interp => BackendKind::Interpreter,
        },
        seed: arguments.seed,
    };
    let started = Instant::now();
    let mut store = FileStore::new();
    let mut go_on = |_, _| ControlFlow::Continue(());
    let outcome = jlems_rs::run(file, &FileSources, &mut store, &options, &mut go_on)?;
    if arguments.quiet {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    for summary in &outcome.summaries {
        let _ = writeln!(
            out,
            "{} steps, {} s simulated, in {:.3} s",
            summary.steps,
            summary.time,
            started.elapsed().as_secs_f64()
        );
        for path in &summary.files {
            let _ = writeln!(out, "wrote {path}");
        }
    }
    Ok(())
}
