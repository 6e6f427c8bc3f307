//! `jlems-rs FILE` and `jlems-rs run FILE`.

use std::cell::RefCell;
use std::fmt::Write;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use jlems_rs::output::{FileStore, OutputError, OutputSink, OutputStore};
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
    /// Seed of the random generator, instead of the model's.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    seed: Option<i64>,
    /// Folder that relative paths of outputs start from, instead of the working directory.
    #[arg(long, value_name = "FOLDER")]
    out_dir: Option<PathBuf>,
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
        seed: arguments.seed,
        ..arguments.search.options()?
    };
    let started = Instant::now();
    // The command line insists on a file unless there is a subcommand.
    let file = arguments.file.as_deref().unwrap_or_default();
    let mut store = CountingStore {
        files: match &arguments.out_dir {
            Some(folder) => FileStore::in_folder(folder),
            None => FileStore::new(),
        },
        rows: Rc::default(),
    };
    let mut go_on = |_, _| ControlFlow::Continue(());
    let outcome = jlems_rs::run(file, &FileSources, &mut store, &options, &mut go_on)?;
    if !arguments.quiet {
        warn(&outcome, arguments.verbose);
        print(&report(&outcome, &store, started));
    }
    Ok(())
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

fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// A number without the last digits, which the sum of many steps blurs.
fn rounded(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}

/// Files, with a count of the rows of each.
struct CountingStore {
    files: FileStore,
    rows: Rc<RefCell<Vec<(String, u64)>>>,
}

struct CountingSink {
    file: Box<dyn OutputSink>,
    path: String,
    count: u64,
    rows: Rc<RefCell<Vec<(String, u64)>>>,
}

impl OutputStore for CountingStore {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        Ok(Box::new(CountingSink {
            file: self.files.create(path)?,
            path: path.to_owned(),
            count: 0,
            rows: Rc::clone(&self.rows),
        }))
    }
}

impl OutputSink for CountingSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        self.count += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.file.write(bytes)
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        let CountingSink {
            file,
            path,
            count,
            rows,
        } = *self;
        file.finish()?;
        rows.borrow_mut().push((path, count));
        Ok(())
    }
}
