//! The stages of a run, one after another.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use lems_document::{Document, IncludeOptions, Limits, Source, SourceReader};
use lems_engine::{Simulation, Summary};
use lems_jit::CompiledProgram;
use lems_kernel::{Backend, Interpreter, Program};
use lems_model::{Model, ModelError};
use lems_network::{DataFile, Estimate, Experiment, NetworkError};
use lems_output::OutputStore;
use nml2_coretypes::CORE_TYPES;

use crate::{Code, Diagnostic, Display, Failure, Settings, display_name, displays, settings};

/// What runs the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackendKind {
    /// Machine code.
    #[default]
    Jit,
    /// The interpreter: slow, the same bits.
    Interpreter,
}

/// How to load and run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folders searched for included files.
    pub include: Vec<String>,
    /// Core types instead of the embedded ones: (file name, text).
    pub core_types: Option<&'static [(&'static str, &'static str)]>,
    /// What runs the kernels.
    pub backend: BackendKind,
    /// Threads that share the steps of many instances; all that the computer has if `None`.
    pub threads: Option<NonZeroUsize>,
    /// Whether results may have other rounding errors than jLEMS's.
    pub fast: bool,
    /// Seed of the random generator, instead of the model's.
    pub seed: Option<i64>,
    /// Values instead of those in the files.
    pub settings: Settings,
    /// Only every so manieth row of data is written; 0 and 1 mean all.
    pub every: u64,
    /// What the displays show is written too, each to an output named by [`display_name`].
    pub displays: bool,
}

/// What a run gave.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Plots that the model asks for; those of its data files if it asks for none.
    pub displays: Vec<Display>,
    /// One for each `Run` of the target.
    pub summaries: Vec<Summary>,
    /// Legal, but surely not meant.
    pub warnings: Vec<Diagnostic>,
    /// What the places of the warnings are in.
    pub sources: Vec<Source>,
    /// `reportFile` of the target: where a report of the run is wanted.
    pub report_file: Option<String>,
}

/// What is asked between steps: the run, its steps so far, the simulated time; whether to go on.
pub type Watch<'w> = &'w mut dyn FnMut(&Simulation, u64, f64) -> ControlFlow<()>;

/// Reads a file and all that it includes.
///
/// # Errors
/// Malformed XML, missing files, circles of includes; settings of what is not there.
pub fn load(path: &str, reader: &dyn SourceReader, options: &Options) -> Result<Document, Failure> {
    let include = IncludeOptions {
        folders: options.include.clone(),
        embedded: options.core_types.unwrap_or(CORE_TYPES),
        limits: Limits::default(),
    };
    let mut document = Document::load(path, reader, &include)?;
    options.settings.apply(&mut document)?;
    Ok(document)
}

/// Reads a file that is to be run.
///
/// # Errors
/// Those of [`load`]; a file that holds a model but does not say how to run it.
pub fn load_runnable(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
) -> Result<Document, Failure> {
    let document = load(path, reader, options)?;
    let has_target = document.roots().any(|element| element.name() == "Target");
    if has_target || document.root_name().eq_ignore_ascii_case("Lems") {
        return Ok(document);
    }
    let error = ModelError::NotLems {
        root: document.root_name().to_owned(),
        span: document.root_span(),
    };
    Err(Failure::of(document.sources(), &[error]))
}

/// Reads the model of a document.
///
/// # Errors
/// Everything that is wrong with its definitions, components or equations.
pub fn read_model(document: &Document) -> Result<Model<'_>, Failure> {
    let model = Model::read(document).map_err(|errors| Failure::of(document.sources(), &errors))?;
    settings::check(document, &model)?;
    Ok(model)
}

/// Builds the networks and programs of all runs of a model's target.
///
/// # Errors
/// No target; paths, names and ports that lead nowhere.
pub fn prepare(
    document: &Document,
    model: &Model<'_>,
    options: &Options,
) -> Result<Vec<Simulation>, Failure> {
    let target = model
        .runnable_target(document)
        .map_err(|error| Failure::of(document.sources(), &[error]))?;
    let failed = |errors: Vec<NetworkError>| Failure::of(document.sources(), &errors);
    let mut experiment = Experiment::of(model, target.component).map_err(failed)?;
    if let Some(seed) = options.seed {
        experiment.reseed(seed);
    }
    if options.displays {
        for (number, display) in experiment.displays.iter().enumerate() {
            experiment.data_files.push(DataFile {
                path: display_name(number),
                columns: display.lines.iter().map(|line| line.recording).collect(),
            });
        }
    }
    let times_file = target.times_file.map(str::to_owned);
    (experiment.runs.clone().into_iter())
        .map(|run| {
            let mut simulation =
                Simulation::new(model, &experiment, run, times_file.clone()).map_err(failed)?;
            simulation.every = options.every.max(1);
            Ok(match options.fast {
                true => simulation.fast(lems_jit::can_fuse()),
                false => simulation,
            })
        })
        .collect()
}

/// What the target of a model runs, and what the network of each run will hold; nothing is built.
///
/// # Errors
/// No target; nothing to run; components that contain one another too deep.
pub fn estimate<'d>(
    document: &Document,
    model: &Model<'d>,
) -> Result<(Experiment<'d>, Vec<Estimate>), Failure> {
    let target = model
        .runnable_target(document)
        .map_err(|error| Failure::of(document.sources(), &[error]))?;
    let failed = |errors: Vec<NetworkError>| Failure::of(document.sources(), &errors);
    let experiment = Experiment::of(model, target.component).map_err(failed)?;
    let estimates = (experiment.runs.iter())
        .map(|run| Estimate::of(model, run.target).map_err(|error| failed(vec![error])))
        .collect::<Result<_, Failure>>()?;
    Ok((experiment, estimates))
}

/// Calls `body` with the chosen back end of a program.
///
/// # Errors
/// The program cannot be compiled.
pub fn with_backend<T>(
    program: &Program,
    kind: BackendKind,
    threads: Option<NonZeroUsize>,
    body: impl FnOnce(&dyn Backend) -> T,
) -> Result<T, Failure> {
    match kind {
        BackendKind::Interpreter => Ok(body(&Interpreter::new(program))),
        BackendKind::Jit => match CompiledProgram::with_threads(program, threads_of(threads)) {
            Ok(compiled) => Ok(body(&compiled)),
            Err(error) => Err(Failure::plain(
                Code(509),
                format!("the model cannot be compiled: {error}"),
                Some("run it with `--backend interp` and report this".to_owned()),
            )),
        },
    }
}

fn threads_of(threads: Option<NonZeroUsize>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    threads.map_or_else(all, NonZeroUsize::get)
}

/// Runs a LEMS file and writes its outputs to `store`.
///
/// # Errors
/// Everything that is wrong with the model, or that goes wrong while it runs.
pub fn run(
    path: &str,
    reader: &dyn SourceReader,
    store: &mut dyn OutputStore,
    options: &Options,
    control: Watch<'_>,
) -> Result<Outcome, Failure> {
    let document = load_runnable(path, reader, options)?;
    let model = read_model(&document)?;
    let simulations = prepare(&document, &model, options)?;
    let mut warnings: Vec<Diagnostic> = Vec::new();
    warnings.extend(document.warnings().iter().map(Diagnostic::from));
    let of_user = |warning: &&ModelError| !document.source(warning.span().source).embedded;
    warnings.extend((model.warnings.iter().filter(of_user)).map(Diagnostic::from));
    for simulation in &simulations {
        warnings.extend(simulation.warnings.iter().map(Diagnostic::from));
    }
    let report_file = model.target.and_then(|target| target.report_file);
    let report_file = report_file.map(str::to_owned);
    let displays = match options.displays {
        true => displays::all(&model, &simulations),
        false => Vec::new(),
    };
    // A large network is better run without its text.
    drop(model);
    let mut sources = document.into_sources();
    if warnings.is_empty() {
        sources = Vec::new();
    }
    let mut summaries = Vec::new();
    for simulation in &simulations {
        let summary = with_backend(
            &simulation.program,
            options.backend,
            options.threads,
            |backend| {
                let mut control = |step, time| control(simulation, step, time);
                simulation.run(backend, store, &mut control)
            },
        )?;
        let summary = summary?;
        let interrupted = summary.interrupted;
        summaries.push(summary);
        if interrupted {
            break;
        }
    }
    Ok(Outcome {
        displays,
        summaries,
        warnings: warnings.into_iter().map(Diagnostic::as_warning).collect(),
        sources,
        report_file,
    })
}
