//! `jlems-rs FILE` and `jlems-rs run FILE`.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use jlems_rs::document::SourceReader;
use jlems_rs::engine::EngineError;
use jlems_rs::output::{
    FileStore, OutputError, OutputSink, OutputStore, Report, expand_report_name, write_report,
};
use jlems_rs::{BackendKind, Failure, FileSources, Options, Outcome};

use super::core_types::SearchArguments;
use super::{print, print_error};

/// What to run and how.
#[derive(Debug, Args)]
pub struct Arguments {
    /// LEMS file to run.
    #[arg(required = true)]
    file: Option<String>,
    #[command(flatten)]
    search: SearchArguments,
    /// What runs the kernels.
    #[arg(long, value_enum, default_value_t = Backend::Jit)]
    backend: Backend,
    /// Be faster where that changes no more than rounding errors: the outputs are close to
    /// jLEMS's, not the same.
    #[arg(long)]
    fast: bool,
    /// Threads that share the steps of large populations; all that the computer has, if not given.
    /// The results are the same for every number.
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
    /// Seed of the random generator, instead of the model's.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    seed: Option<i64>,
    /// Folder that relative paths of outputs start from, instead of the working directory.
    #[arg(long, value_name = "FOLDER")]
    out_dir: Option<PathBuf>,
    /// Print the instances, steps and bytes that the run will take; make and write nothing.
    #[arg(long)]
    plan: bool,
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
    /// Interpreter: slow, the same bits.
    Interp,
}

/// Runs the file, says what was done.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = Options {
        backend: match arguments.backend {
            Backend::Jit => BackendKind::Jit,
            Backend::Interp => BackendKind::Interpreter,
        },
        fast: arguments.fast,
        threads: arguments.threads,
        seed: arguments.seed,
        ..arguments.search.options()?
    };
    let started = Instant::now();
    // The command line insists on a file unless there is a subcommand.
    let file = arguments.file.as_deref().unwrap_or_default();
    if arguments.plan {
        print(&super::plan::text(file, &options)?);
        return Ok(());
    }
    let mut store = CountingStore {
        files: match &arguments.out_dir {
            Some(folder) => FileStore::in_folder(folder),
            None => FileStore::new(),
        },
        rows: Rc::default(),
        saving: Rc::default(),
    };
    let mut first_step = None;
    let mut go_on = |_, _| {
        first_step.get_or_insert_with(Instant::now);
        ControlFlow::Continue(())
    };
    let outcome = jlems_rs::run(file, &FileSources, &mut store, &options, &mut go_on)?;
    if let Some(name) = &outcome.report_file {
        let first_step = first_step.unwrap_or_else(Instant::now);
        write_report_file(name, file, &mut store, started, first_step)?;
    }
    if !arguments.quiet {
        warn(&outcome, arguments.verbose);
        print(&report(&outcome, &store, started));
    }
    Ok(())
}

/// Writes what `reportFile` asks for, in jLEMS's form.
fn write_report_file(
    name: &str,
    file: &str,
    store: &mut CountingStore,
    started: Instant,
    first_step: Instant,
) -> Result<(), Failure> {
    let saving = store.saving.get();
    let start = jiff::Zoned::now().saturating_sub(started.elapsed());
    let simulator = "jlems-rs";
    let report = Report {
        simulator: simulator.to_owned(),
        simulator_version: env!("CARGO_PKG_VERSION").to_owned(),
        simulation_file: FileSources.canonical(file),
        start_time: start.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        setup_seconds: (first_step - started).as_secs_f64(),
        simulation_seconds: first_step.elapsed().saturating_sub(saving).as_secs_f64(),
        save_seconds: saving.as_secs_f64(),
    };
    let stamp = start.strftime("%Y%m%d%H%M%S").to_string();
    let path = expand_report_name(name, simulator, &stamp);
    write_report(&mut store.files, &path, &report)
        .map_err(|error| Failure::from(EngineError::from(error)))
}

fn warn(outcome: &Outcome, in_full: bool) {
    if in_full {
        let warnings = Failure {
            sources: outcome.sources.clone(),
            diagnostics: outcome.warnings.clone(),
        };
        print_error(&warnings.render(std::io::stderr().is_terminal()));
        return;
    }
    match outcome.warnings.len() {
        0 => {}
        1 => print_error("1 warning; -v shows it\n"),
        number => print_error(&format!("{number} warnings; -v shows them\n")),
    }
}

fn report(outcome: &Outcome, store: &CountingStore, started: Instant) -> String {
    let mut text = String::new();
    for (path, rows) in store.rows.borrow().iter() {
        let _ = writeln!(text, "wrote {path} ({})", counted(*rows, "row"));
    }
    for summary in &outcome.summaries {
        let step = summary.time / summary.steps.max(1) as f64;
        let _ = writeln!(
            text,
            "{} of {} ms: {} ms simulated in {:.3} s",
            counted(summary.steps, "step"),
            rounded(step * 1e3),
            rounded(summary.time * 1e3),
            started.elapsed().as_secs_f64()
        );
    }
    text
}

pub(super) fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// A number without the last digits, which the sum of many steps blurs.
pub(super) fn rounded(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}

/// Files, with a count of the rows of each.
struct CountingStore {
    files: FileStore,
    rows: Rc<RefCell<Vec<(String, u64)>>>,
    /// Time spent in writing.
    saving: Rc<Cell<Duration>>,
}

struct CountingSink {
    file: Box<dyn OutputSink>,
    path: String,
    count: u64,
    rows: Rc<RefCell<Vec<(String, u64)>>>,
    saving: Rc<Cell<Duration>>,
}

impl OutputStore for CountingStore {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        Ok(Box::new(CountingSink {
            file: self.files.create(path)?,
            path: path.to_owned(),
            count: 0,
            rows: Rc::clone(&self.rows),
            saving: Rc::clone(&self.saving),
        }))
    }
}

impl OutputSink for CountingSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        self.count += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let started = Instant::now();
        let written = self.file.write(bytes);
        self.saving.set(self.saving.get() + started.elapsed());
        written
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        let CountingSink {
            file,
            path,
            count,
            rows,
            saving: _,
        } = *self;
        file.finish()?;
        rows.borrow_mut().push((path, count));
        Ok(())
    }
}
