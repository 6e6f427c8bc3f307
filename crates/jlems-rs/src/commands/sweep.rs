//! `jlems-rs sweep SPEC.toml -o FOLDER`: many runs of one model.

mod folder;
mod rows;

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::Args;
use jlems::{Code, Compiled, Diagnostic, Failure, Loaded, Options, Settings, Traces, visible};
use lems_document::{Source, SourceId, Span};
use lems_sweep::{Point, Shard, Spec, SweepError};

use super::core_types::SearchArguments;
use super::printing::{counted, print, print_error, rendered};
use super::recordings::RecordingArguments;
use super::run::signals::Signals;
use folder::Folder;
use rows::{Kept, Layout, Row};

/// Name of the file that a run would record to; nothing is written to it.
const RECORDED: &str = "sweep.dat";

/// What to run and where the results go.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Specification of the sweep, in TOML.
    spec: String,
    /// Folder for the results. What is there already is not run again.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Run only this part of the sweep, as in `3/64`: its number from 0, and how many there are. If not
    /// given, a job array of Slurm, LSF or Grid Engine decides.
    #[arg(long, value_name = "NUMBER/OF")]
    shard: Option<String>,
    /// Number of points that run at the same time; as many as the computer has cores, if not given.
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
    /// Run faster, with optimisations that change rounding errors only.
    #[arg(long)]
    fast: bool,
    /// Print what would be run, and run nothing.
    #[arg(long)]
    plan: bool,
    /// Print errors only.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    search: SearchArguments,
}

/// A model that is read, and what is kept of each of its runs.
struct Template {
    loaded: Loaded,
    options: Options,
    layout: Layout,
}

/// Runs the points that are missing in the folder.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let Written { spec, text, table } = read(&arguments.spec)?;
    let shard = shard(arguments)?;
    let template = Template::read(arguments, &spec, &text)?;
    let own = template.loaded.document().sources().iter();
    let texts = own
        .filter(|source| !source.embedded)
        .map(|source| &*source.text);
    let texts = texts.chain([table.as_str()]);
    let folder = Folder::new(&arguments.output, &text, texts);
    let missing = folder.missing(&spec, shard)?;
    if arguments.plan {
        print(&plan(&spec, &folder, shard, missing.len()))?;
        return Ok(ExitCode::SUCCESS);
    }
    folder.begin()?;
    let signals = Signals::take();
    signals.keep();
    let threads = threads(arguments);
    // The machine code that each thread has used last.
    let codes: Vec<Mutex<Option<Compiled>>> = (0..threads).map(|_| Mutex::default()).collect();
    let (mut points, mut failed) = (0, 0);
    for batch in &missing {
        let numbers: Vec<u64> = folder.points(&spec, *batch).collect();
        let Some(rows) = template.rows(&spec, &numbers, &codes, &signals.interrupted()) else {
            break;
        };
        points += rows.len() as u64;
        failed += rows.iter().filter(|row| row.error.is_some()).count() as u64;
        folder.write(*batch, &template.layout.columns(&spec, &rows))?;
    }
    if let Some(status) = signals.status() {
        print_error("the sweep was ended; the same command goes on with it\n");
        return Ok(ExitCode::from(status));
    }
    if !arguments.quiet {
        let seconds = started.elapsed().as_secs_f64();
        let mut said = format!("{} in {seconds:.1} s", counted(points, "run"));
        if failed > 0 {
            said += &format!(", {failed} of which failed: see the column `error`");
        }
        let place = arguments.output.display().to_string();
        print(&format!("{said}\nthe results are in {}\n", visible(&place)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A specification, and the texts that it is made of.
struct Written {
    spec: Spec,
    text: String,
    /// The table of points, if there is one.
    table: String,
}

/// Reads the specification.
fn read(path: &str) -> Result<Written, Failure> {
    let unreadable = |error: std::io::Error| {
        let message = format!("cannot read {}: {error}", visible(path));
        Failure::plain(Code::UNREADABLE, message, None)
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let beside = Path::new(path).parent().unwrap_or(Path::new(""));
    let read_table = RefCell::new(String::new());
    let table = |name: &str| {
        let place = beside.join(name);
        let failed =
            |error| SweepError::Points(format!("cannot read {}: {error}", place.display()));
        let table = std::fs::read_to_string(&place).map_err(failed)?;
        read_table.borrow_mut().clone_from(&table);
        Ok(table)
    };
    let spec = Spec::read_with(&text, &table);
    let spec = spec.map_err(|error| wrong(path, &text, &error))?;
    let table = read_table.into_inner();
    Ok(Written { spec, text, table })
}

/// What is wrong with a specification, at its place.
fn wrong(path: &str, text: &str, error: &SweepError) -> Failure {
    let source = Source {
        name: path.to_owned(),
        text: text.to_owned().into(),
        embedded: false,
    };
    let span = error
        .span()
        .map(|range| Span::new(SourceId::after(&[]), range));
    let help = error.help().map(str::to_owned);
    Failure {
        sources: vec![source],
        diagnostics: vec![Diagnostic::new(
            Code::WRONG_SWEEP,
            error.to_string(),
            span,
            help,
        )],
    }
}

/// The part of the sweep that this process runs.
fn shard(arguments: &Arguments) -> Result<Shard, Failure> {
    let plain = |error: SweepError| {
        let help = error.help().map(str::to_owned);
        Failure::plain(Code::WRONG_COMMAND, error.to_string(), help)
    };
    match &arguments.shard {
        Some(text) => text.parse().map_err(plain),
        None => {
            let variable = |name: &str| std::env::var(name).ok();
            let found = Shard::of_job(&variable, None).map_err(plain)?;
            Ok(found.unwrap_or(Shard::WHOLE))
        }
    }
}

fn threads(arguments: &Arguments) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    arguments.threads.map_or_else(all, NonZeroUsize::get)
}

fn plan(spec: &Spec, folder: &Folder, shard: Shard, missing: usize) -> String {
    let parameters: Vec<&str> = spec.parameters().map(|own| own.path).collect();
    let mut text = format!(
        "{} of {}\n",
        counted(spec.points(), "point"),
        visible(&spec.model)
    );
    if !parameters.is_empty() {
        text += &format!("parameters: {}\n", visible(&parameters.join(", ")));
    }
    let (batches, size) = (folder.batches(spec), folder.size(spec));
    text += &format!("files: {batches}, of {} each\n", counted(size, "point"));
    if shard != Shard::WHOLE {
        text += &format!("shard: {} of {}\n", shard.number, shard.of);
    }
    text + &format!("missing here: {}\n", counted(missing as u64, "file"))
}

impl Template {
    /// Reads the model, and builds its first point to learn what runs record.
    fn read(arguments: &Arguments, spec: &Spec, text: &str) -> Result<Template, Failure> {
        let mut options = Options {
            settings: Settings {
                set: Vec::new(),
                step: spec.step.clone(),
                length: spec.length.clone(),
            },
            fast: arguments.fast,
            threads: Some(NonZeroUsize::MIN),
            free: spec.parameters().map(|own| own.path.to_owned()).collect(),
            ..arguments.search.options()?
        };
        options.include.extend(spec.include.iter().cloned());
        super::watch::watch_over(&options);
        let beside = Path::new(&arguments.spec).parent().unwrap_or(Path::new(""));
        let file = beside.join(&spec.model).to_string_lossy().into_owned();
        let reader = arguments.search.reader(&file, &options);
        let (record, spikes) = rows::wanted(&spec.record);
        let is_chosen = !record.is_empty() || !spikes.is_empty();
        let recording = RecordingArguments::of(record, spikes, RECORDED);
        let runnable = recording.runnable(&file, &*reader, &mut options)?;
        options.without_data = is_chosen && runnable.says_itself();
        options.without_events = options.without_data;
        let loaded = Loaded::read(runnable.path(), runnable.reader(), &options)?;
        let first = spec.point(0);
        let compiled = compiled(&loaded, &first, &options, None)?;
        let layout = Layout::of(spec, compiled.simulation());
        let layout = layout.map_err(|error| wrong(&arguments.spec, text, &error))?;
        Ok(Template {
            loaded,
            options,
            layout,
        })
    }

    /// The rows of some points; None if the sweep is to end first.
    fn rows(
        &self,
        spec: &Spec,
        numbers: &[u64],
        codes: &[Mutex<Option<Compiled>>],
        interrupted: &AtomicBool,
    ) -> Option<Vec<Row>> {
        let next = AtomicUsize::new(0);
        let rows: Mutex<Vec<Option<Row>>> = Mutex::new(vec![None; numbers.len()]);
        std::thread::scope(|scope| {
            for code in codes.iter().take(numbers.len()) {
                scope.spawn(|| {
                    let mut code = code.lock().unwrap_or_else(PoisonError::into_inner);
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(number) = numbers.get(place) else {
                            break;
                        };
                        if interrupted.load(Ordering::Relaxed) {
                            break;
                        }
                        let row = self.row(&spec.point(*number), &mut code, interrupted);
                        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Some(place) = rows.get_mut(place) {
                            *place = row;
                        }
                    }
                });
            }
        });
        let rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.into_iter().collect()
    }

    /// Runs a point; None if the sweep is to end first. A point that fails is a row with its error.
    fn row(
        &self,
        point: &Point<'_>,
        code: &mut Option<Compiled>,
        interrupted: &AtomicBool,
    ) -> Option<Row> {
        let compiled = match compiled(&self.loaded, point, &self.options, code.as_ref()) {
            Ok(compiled) => code.insert(compiled),
            Err(failure) => return Some(Row::failed(point, &failure)),
        };
        let options = Options {
            seed: point.seed,
            ..self.options.clone()
        };
        let mut run = match compiled.start_into(|simulation| Ok(Traces::of(simulation)), &options) {
            Ok(run) => run,
            Err(error) => return Some(Row::failed(point, &error.into())),
        };
        let between_looks = run.simulation().steps_between_looks();
        while !run.is_at_end() {
            if interrupted.load(Ordering::Relaxed) {
                return None;
            }
            if let Err(error) = run.step(between_looks) {
                return Some(Row::failed(point, &error.into()));
            }
        }
        let kept = Kept {
            length: run.time(),
            traces: run.into_sink(),
        };
        Some(self.layout.row(point, &kept))
    }
}

/// The run of a point, with the machine code of another one if it fits.
fn compiled(
    loaded: &Loaded,
    point: &Point<'_>,
    options: &Options,
    known: Option<&Compiled>,
) -> Result<Compiled, Failure> {
    let options = Options {
        seed: point.seed,
        ..options.clone()
    };
    let settings = Settings {
        set: point.settings().collect(),
        ..Settings::default()
    };
    let changed = loaded.with_settings(&settings, &options)?;
    let built = changed.check(&options)?.build(&options)?;
    match known {
        Some(known) => built.compile_like(known, &options),
        None => built.compile(&options),
    }
}

/// What a failure says first, in one line.
fn first_line(failure: &Failure) -> String {
    let first = failure.diagnostics.first();
    match first {
        Some(first) => format!("{}: {}", first.code.label(first.severity), first.message),
        None => rendered(failure),
    }
}
