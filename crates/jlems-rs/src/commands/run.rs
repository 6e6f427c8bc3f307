//! `jlems-rs FILE` and `jlems-rs run FILE`.

mod checkpoints;
mod launcher;
mod parts;
mod progress;
mod ranks;
pub mod signals;
mod store;
mod summary;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args, ValueEnum};
use jlems::{
    BackendKind, Diagnostic, Failure, Limits, Options, Outcome, SIMULATOR, Timestamp, visible,
};
use lems_document::SourceReader;
use lems_host::FileSources;
use lems_output::{OutputError, Report, write_report};
use lems_ranks::Ranks;

use super::changes::ChangeArguments;
use super::core_types::SearchArguments;
use super::plan::Plan;
use super::plot::{Form, Frame};
use super::printing::{print, print_as_is, print_error, rendered};
use super::recordings::RecordingArguments;
use checkpoints::{CheckpointArguments, Keeper};
use progress::Progress;
use store::{Besides, CountingStore};
use summary::{Seconds, Summary};

/// Largest number of pictures for which names are reserved.
const MOST_PICTURES: usize = 100;

/// What to run and how.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("frame").args(["from", "to", "size", "title"]).multiple(true).requires("plot"))]
pub struct Arguments {
    /// LEMS file to run, or NeuroML file with a network or a cell.
    #[arg(required = true)]
    file: Option<String>,
    #[command(flatten)]
    search: SearchArguments,
    /// How the kernels are executed.
    #[arg(long, value_enum, default_value_t = Backend::Jit)]
    backend: Backend,
    /// Run faster, with optimisations that change rounding errors only: the outputs are close to
    /// jLEMS's, but not the same.
    #[arg(long)]
    fast: bool,
    /// How cells with dendrites are computed.
    #[arg(long, value_enum, default_value_t = Method::SecondOrder)]
    method: Method,
    /// Number of threads that share the steps of large populations; all that the computer has, if
    /// not given. The results are the same for every number.
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
    /// Cut the network into so many parts that are computed apart and tell one another what they do, as
    /// the processes of `mpirun` do, but by threads of this process. The results are the same for every number.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    ranks: Option<u16>,
    /// What to do if `mpirun` or another launcher has started several processes of this run: with `auto` they make
    /// it together, with `off` each process runs by itself.
    #[arg(long, value_enum, default_value_t = Mpi::Auto)]
    mpi: Mpi,
    /// Let events reach other instances at the start of the next step, or after their delays in whole
    /// steps, as NEURON delivers those of `export neuron --exact`, to compare with it.
    #[arg(long)]
    late_events: bool,
    /// Seed of the random generator, instead of the model's.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    seed: Option<i64>,
    /// Treat mistakes that jLEMS accepts as errors, such as a wrong dimension that it does not
    /// check.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    changes: ChangeArguments,
    #[command(flatten)]
    recording: RecordingArguments,
    /// Draw every display of the model, and the events, into files named after the model file.
    #[arg(long, value_enum, value_name = "FORM")]
    plot: Option<Form>,
    #[command(flatten)]
    frame: Frame,
    /// Write only every N-th row of data files, beginning with the first.
    #[arg(long, value_name = "NUMBER", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    #[command(flatten)]
    checkpoints: CheckpointArguments,
    /// Folder that relative paths of outputs start from, instead of the working directory.
    #[arg(long, value_name = "FOLDER")]
    out_dir: Option<PathBuf>,
    /// Print how many instances, steps and bytes the run will need, without building or writing
    /// anything.
    #[arg(long)]
    plan: bool,
    /// Print a report as JSON (steps, times, files, warnings, errors); with `--plan`, print the plan.
    #[arg(long)]
    json: bool,
    /// Print errors only.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Print warnings in full.
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
    /// Interpreter: slow, with exactly the same results.
    Interp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mpi {
    /// The processes of a launcher make one run.
    Auto,
    /// Each process has a run of its own.
    Off,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Method {
    /// Second order: halving the step quarters the error. Potentials and states are half a step apart
    SecondOrder,
    /// First order: halving the step halves the error. Each moves by an implicit step, and nothing oscillates
    Implicit,
    /// As the program that jNeuroML exports for NEURON does it, to compare with its numbers: of first
    /// order, with conductances that are a step late.
    Neuron,
}

/// Runs the file, says what was done.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.plan {
        return lead(arguments, None);
    }
    if arguments.mpi == Mpi::Auto
        && let Some(launched) = launcher::several()
    {
        launched.allow(arguments.ranks)?;
        return ranks::of_processes(arguments, &launched);
    }
    match arguments.ranks {
        Some(number) if number > 1 => ranks::of_threads(arguments, number),
        _ => lead(arguments, None),
    }
}

/// The options of a run, which several ranks may make together.
fn options(arguments: &Arguments, ranks: Option<Ranks>) -> Result<Options, Failure> {
    Ok(Options {
        backend: match arguments.backend {
            Backend::Jit => BackendKind::Jit,
            Backend::Interp => BackendKind::Interpreter,
        },
        fast: arguments.fast,
        method: match arguments.method {
            Method::SecondOrder => jlems::Method::SecondOrder,
            Method::Implicit => jlems::Method::Implicit,
            Method::Neuron => jlems::Method::Neuron,
        },
        // Ranks share the processors already.
        threads: (arguments.threads).or(ranks.as_ref().map(|_| NonZeroUsize::MIN)),
        ranks,
        late_events: arguments.late_events,
        seed: arguments.seed,
        settings: arguments.changes.settings(),
        every: arguments.every,
        strict: arguments.strict,
        checkpoint_every: arguments.checkpoints.every(),
        displays: arguments.plot.is_some(),
        timestamp: Timestamp::new(|| jiff::Zoned::now().strftime("%Y%m%d%H%M%S").to_string()),
        ..arguments.search.options()?
    })
}

/// Makes the run, or leads the ranks that make it together: writes, and says what was done.
fn lead(arguments: &Arguments, ranks: Option<Ranks>) -> Result<ExitCode, Failure> {
    let mut options = options(arguments, ranks)?;
    let started = Instant::now();
    // The command line insists on a file unless there is a subcommand.
    let file = arguments.file.as_deref().unwrap_or_default();
    // A plan says what the limits would refuse. Making it takes as much memory as the machine allows.
    let watched = match arguments.plan {
        true => Options {
            limits: Limits {
                memory: Limits::default().memory,
                ..options.limits
            },
            ..options.clone()
        },
        false => options.clone(),
    };
    super::watch::watch_over(&watched);
    let reader = arguments.search.reader(file, &options);
    let runnable = (arguments.recording).runnable(file, &*reader, &mut options)?;
    if arguments.plan {
        let plan = Plan::of(runnable.path(), runnable.reader(), &options)?;
        match arguments.json {
            true => print_as_is(&super::printing::json(&plan)?)?,
            false => print(&(runnable.said + &plan.text()))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.quiet && !arguments.json {
        print(&runnable.said)?;
    }
    let (mut keeper, checkpoint) = Keeper::new(&arguments.checkpoints, options.ranks.clone())?;
    let mut store = CountingStore::new(arguments.out_dir.as_deref(), arguments.search.sandbox);
    store.besides = Besides {
        inputs: (arguments.search.core_type_files().into_iter())
            .chain(arguments.checkpoints.input())
            .collect(),
        outputs: (arguments.plot.iter())
            .flat_map(|form| super::plot::names(file, *form, MOST_PICTURES))
            .collect(),
        checkpoint: keeper.path(),
    };
    let mut progress = Progress::new(!arguments.quiet);
    options.interrupted = Some(progress.interrupted());
    let mut result = jlems::run_from(
        checkpoint,
        runnable.path(),
        runnable.reader(),
        &mut store,
        &options,
        &mut |simulation, moment| {
            let wish = progress.look(simulation, moment.steps, moment.time);
            keeper.look(moment, wish)
        },
    );
    progress.end();
    let stepping = (progress.first_step).map_or(Duration::ZERO, |first| first.elapsed());
    let seconds = Seconds::new(started.elapsed(), stepping);
    let mut said = String::new();
    if let Ok(outcome) = &result
        && let Some(name) = outcome.report_file()
    {
        match write_report_file(name, file, &mut store, seconds) {
            Ok(()) => said = format!("wrote {}\n", visible(&store.place(name))),
            Err(error) => result = Err(outcome.failure(error)),
        }
    }
    if let (Some(form), Ok(outcome)) = (arguments.plot, &result) {
        let folder = arguments.out_dir.as_deref().unwrap_or(Path::new(""));
        let (shown, written) = (&store.displays, &mut store.files);
        let figures = super::plot::figures_of_run(outcome, shown, written);
        let figures = figures
            .into_iter()
            .map(|figure| arguments.frame.applied(figure));
        let figures: Vec<_> = figures.collect();
        match super::plot::write(file, folder, &mut store.files, form, &figures) {
            Ok(drawn) => said += &drawn,
            Err(failure) => result = Err(failure),
        }
    }
    if result.is_err() {
        store.remove_empty_folders();
    }
    let summary = Summary::new(
        file,
        &result,
        progress.reached,
        store.made_folders(),
        store.written(),
        seconds,
    );
    let mut printed = Ok(());
    if arguments.json {
        printed = print_as_is(&super::printing::json(&summary)?);
    }
    match &result {
        Err(failure) => print_error(&rendered(failure)),
        Ok(outcome) if !arguments.quiet => {
            warn(outcome, arguments.verbose);
            if !arguments.json {
                let mut done = summary.done();
                if !summary.is_interrupted() {
                    done += &keeper.kept("not needed any more");
                }
                printed = print(&(done + &said));
            }
        }
        Ok(_) => {}
    }
    print_error(&summary.remains());
    if summary.is_interrupted() {
        print_error(&keeper.way_on());
    }
    printed?;
    Ok(match (result, progress.status()) {
        (Err(_), _) => ExitCode::FAILURE,
        (Ok(_), Some(status)) if summary.is_interrupted() => ExitCode::from(status),
        (Ok(_), _) => ExitCode::SUCCESS,
    })
}

/// Writes what `reportFile` asks for, in jLEMS's form.
fn write_report_file(
    name: &str,
    file: &str,
    store: &mut CountingStore,
    seconds: Seconds,
) -> Result<(), OutputError> {
    let saving = store.saving().as_secs_f64();
    let elapsed = Duration::from_secs_f64(seconds.set_up + seconds.run);
    let start = jiff::Zoned::now().saturating_sub(elapsed);
    let report = Report {
        simulator: SIMULATOR.to_owned(),
        simulator_version: env!("CARGO_PKG_VERSION").to_owned(),
        simulation_file: FileSources.canonical(file),
        start_time: start.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        setup_seconds: seconds.set_up,
        simulation_seconds: (seconds.run - saving).max(0.0),
        save_seconds: saving,
    };
    write_report(&mut store.files, name, &report)
}

/// Shows the warnings: in full, or those that are always shown and how many more there are.
fn warn(outcome: &Outcome, in_full: bool) {
    let mut warnings = Failure {
        sources: outcome.sources.clone(),
        diagnostics: outcome.warnings.clone(),
    };
    if !in_full {
        warnings.diagnostics.retain(Diagnostic::is_always_shown);
    }
    print_error(&rendered(&warnings));
    let more = if warnings.diagnostics.is_empty() {
        ""
    } else {
        " more"
    };
    match outcome.warnings.len() - warnings.diagnostics.len() {
        0 => {}
        1 => print_error(&format!("1{more} warning; -v shows it\n")),
        number => print_error(&format!("{number}{more} warnings; -v shows them\n")),
    }
}
