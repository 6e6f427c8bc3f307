//! The stages of a run, one after another.

mod outputs;
mod places;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lems_document::{Document, Element, EmbeddedFile, IncludeOptions, Source, SourceReader};
use lems_engine::{
    Checkpoint, CheckpointError, Diagnosis, EngineError, Moment, Simulation, Summary,
};
use lems_ir::{Backend, Interpreter, Program};
use lems_jit::CompiledProgram;
use lems_model::{Model, ModelError, ModelFailure, Target};
use lems_network::{DataFile, Estimate, Experiment, NetworkError};
use lems_output::{LimitedStore, OutputError, OutputStore};
use nml2_coretypes::{CORE_TYPES, FOREIGN_LANGUAGES};

use crate::host::{NoHost, Timer};
use crate::{
    Code, Diagnostic, Failure, Host, LimitError, Limits, Plots, Settings, Stage, display_name,
    displays, settings,
};

pub use outputs::{MadeOutputs, RunOutputs};
use places::{located, long_kernels};

/// A run is made again to find a cause if it is not longer than this.
const LONGEST_RUN_AGAIN: Duration = Duration::from_secs(30);
/// And if it has not more instances, because all their variables are kept then.
const MOST_INSTANCES_AGAIN: usize = 200_000;

/// What messages call the text of [`Options::additions`].
const RECORD: &str = "--record";

/// The name of this program, as reports have it.
pub const SIMULATOR: &str = "jlems-rs";

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
    pub core_types: Option<&'static [EmbeddedFile]>,
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
    /// Elements for the target in addition to those that it has in the files: what `--record` asks for.
    pub additions: Option<String>,
    /// What is recorded, if no file says it but a text that is made for a NeuroML file.
    pub made_outputs: Option<MadeOutputs>,
    /// Only every so manieth row of data is written; 0 and 1 mean all.
    pub every: u64,
    /// Simulated time between two moments at which a checkpoint is due, in seconds; only the end is
    /// one if `None`.
    pub checkpoint_every: Option<f64>,
    /// What the displays show is written too, each to an output named by [`display_name`].
    pub displays: bool,
    /// Whether mistakes that jLEMS passes are errors.
    pub strict: bool,
    /// When the run began, as `yyyyMMddHHmmss`, for the name of its report.
    pub timestamp: String,
    /// How much the model may take.
    pub limits: Limits,
    /// What measures time and memory for these limits.
    pub host: Option<Arc<dyn Host>>,
    /// Set when the run is wanted to end while a step delivers events without an end in sight;
    /// otherwise the [`Control`] is asked between steps.
    pub interrupted: Option<Arc<AtomicBool>>,
    /// What is being done, for those who watch.
    pub stage: Stage,
}

impl Options {
    /// What measures time and memory; nothing if it is not given.
    pub fn host(&self) -> Arc<dyn Host> {
        self.host.clone().unwrap_or_else(|| Arc::new(NoHost))
    }

    /// Where included files are found.
    pub(crate) fn include_options(&self) -> IncludeOptions {
        IncludeOptions {
            folders: self.include.clone(),
            embedded: self.core_types.unwrap_or(CORE_TYPES),
            foreign: FOREIGN_LANGUAGES,
            limits: self.limits.document,
        }
    }
}

/// What a run gave.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What there is to draw, if [`Options::displays`] asks for it.
    pub plots: Plots,
    /// One for each `Run` of the target.
    pub summaries: Vec<Summary>,
    /// Legal, but surely not meant.
    pub warnings: Vec<Diagnostic>,
    /// What the places of the warnings and of the outputs are in.
    pub sources: Vec<Source>,
    /// What the run writes.
    pub outputs: RunOutputs,
}

impl Outcome {
    /// Where a report of the run is wanted, if it is: `reportFile` of the target, expanded.
    pub fn report_file(&self) -> Option<&str> {
        self.outputs.report_file()
    }

    /// The failure because of an output, with the place where it is asked for.
    pub fn failure(&self, error: OutputError) -> Failure {
        self.outputs.failure(error, &self.sources)
    }
}

/// What is asked between steps: the run, its steps so far, the simulated time; whether to go on.
pub type Control<'c> = &'c mut dyn FnMut(&Simulation, u64, f64) -> ControlFlow<()>;

/// What is asked between steps of a run that may be saved; whether to go on.
pub type Watch<'w> = &'w mut dyn FnMut(&Simulation, &mut Moment<'_, '_>) -> ControlFlow<()>;

/// Reads a file and all that it includes.
///
/// # Errors
/// Malformed XML, missing files, circles of includes; settings of what is not there.
pub fn load(path: &str, reader: &dyn SourceReader, options: &Options) -> Result<Document, Failure> {
    let include = options.include_options();
    let mut document = Document::load(path, reader, &include)?;
    match apply(options, &mut document, &include) {
        Ok(()) => Ok(document),
        Err(failure) => Err(failure.with_warnings_of(&document)),
    }
}

/// Changes a document as the options say.
fn apply(
    options: &Options,
    document: &mut Document,
    include: &IncludeOptions,
) -> Result<(), Failure> {
    options.settings.apply(document)?;
    if let Some(text) = &options.additions
        && let Some(number) = settings::target(document).map(Element::number)
    {
        document.add_inside(number, RECORD, text.clone(), &include.limits)?;
    }
    Ok(())
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
    Err(Failure::of(document.sources(), &[error]).with_warnings_of(&document))
}

/// Reads the model of a document.
///
/// # Errors
/// Everything that is wrong with its definitions, components or equations.
pub fn read_model(document: &Document) -> Result<Model<'_>, Failure> {
    checked(document, Model::read(document))
}

/// The same without the core types that nothing in the document is about.
///
/// # Errors
/// As of [`read_model`].
pub fn read_model_in_use(document: &Document) -> Result<Model<'_>, Failure> {
    checked(document, Model::read_in_use(document))
}

fn checked<'d>(
    document: &'d Document,
    model: Result<Model<'d>, ModelFailure>,
) -> Result<Model<'d>, Failure> {
    let model = model
        .map_err(|found| {
            let mut failure = Failure::of(document.sources(), &found.errors);
            failure.add(doubts_of_model(document, &found.warnings));
            failure
        })
        .and_then(|model| settings::check(document, &model).map(|()| model));
    model.map_err(|failure| failure.with_warnings_of(document))
}

/// The warnings of a model that are always shown, but for those about the core types.
fn doubts_of_model(document: &Document, warnings: &[ModelError]) -> Failure {
    let of_user = |warning: &&ModelError| !document.source(warning.span().source).embedded;
    let warnings: Vec<ModelError> = warnings.iter().filter(of_user).cloned().collect();
    Failure::always_shown(document.sources(), &warnings)
}

/// What a model says to run.
pub(crate) fn experiment<'d>(
    document: &Document,
    model: &Model<'d>,
) -> Result<(Target<'d>, Experiment<'d>), Failure> {
    let target = model
        .runnable_target(document)
        .map_err(|error| Failure::of(document.sources(), &[error]))?;
    let experiment = Experiment::of(model, target.component)
        .map_err(|errors| Failure::of(document.sources(), &errors))?;
    Ok((target, experiment))
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
    let simulations = experiment(document, model).and_then(|(target, mut experiment)| {
        simulations(document, model, target, &mut experiment, options)
    });
    simulations.map_err(|failure| failure.with_warnings_of(document))
}

fn simulations<'d>(
    document: &Document,
    model: &Model<'d>,
    target: Target<'d>,
    experiment: &mut Experiment<'d>,
    options: &Options,
) -> Result<Vec<Simulation>, Failure> {
    let failed = |errors: Vec<NetworkError>| Failure::of(document.sources(), &errors);
    if let Some(seed) = options.seed {
        experiment.reseed(seed);
    }
    if options.displays {
        for (number, display) in experiment.displays.iter().enumerate() {
            experiment.data_files.push(DataFile {
                path: display_name(number),
                span: None,
                drawn: true,
                columns: display.lines.iter().map(|line| line.recording).collect(),
            });
        }
    }
    (options.limits).allow_outputs(experiment, options.every)?;
    experiment.most_instances = options.limits.most_instances();
    let times_file = target.times_file.map(|file| file.value().to_owned());
    (0..)
        .zip(experiment.runs.clone())
        .map(|(number, run)| {
            let limits = &options.limits;
            limits.allow_run(document, model, target.component, &run)?;
            let mut simulation =
                Simulation::new(model, experiment, run, times_file.clone()).map_err(failed)?;
            limits.allow_program(&simulation.program)?;
            simulation.every = options.every.max(1);
            simulation.number = number;
            if let Some(time) = options.checkpoint_every {
                simulation.steps_between_checkpoints = steps_in(time, run.step);
            }
            simulation.most_events = limits.most_events(&*options.host());
            simulation.deliveries.limit = limits.deliveries as u64;
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
    let failed = |failure: Failure| failure.with_warnings_of(document);
    let (_, experiment) = experiment(document, model).map_err(failed)?;
    let failed = |error| failed(Failure::of(document.sources(), &[error]));
    let estimates = (experiment.runs.iter())
        .map(|run| Estimate::of(model, run.target).map_err(failed))
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
    control: Control<'_>,
) -> Result<Outcome, Failure> {
    let mut watch = |simulation: &Simulation, moment: &mut Moment<'_, '_>| {
        control(simulation, moment.steps, moment.time)
    };
    run_from(None, path, reader, store, options, &mut watch)
}

/// Runs a LEMS file from a checkpoint of it, or from the start, and writes its outputs to `store`.
///
/// # Errors
/// Those of [`run`]; a checkpoint of another run.
pub fn run_from(
    checkpoint: Option<Checkpoint>,
    path: &str,
    reader: &dyn SourceReader,
    store: &mut dyn OutputStore,
    options: &Options,
    watch: Watch<'_>,
) -> Result<Outcome, Failure> {
    let mut doubts = Failure::default();
    let outcome = run_with_doubts(checkpoint, path, reader, store, options, watch, &mut doubts);
    outcome.map_err(|mut failure| {
        failure.add(doubts);
        failure
    })
}

/// The same; `doubts` are then what should be told of what was read if the run fails.
fn run_with_doubts(
    mut checkpoint: Option<Checkpoint>,
    path: &str,
    reader: &dyn SourceReader,
    store: &mut dyn OutputStore,
    options: &Options,
    watch: Watch<'_>,
    doubts: &mut Failure,
) -> Result<Outcome, Failure> {
    let host = options.host();
    let timer = Timer::start(&host);
    let time_left = || match options.limits.time() {
        Some(limit) if timer.is_over(limit) => Err(LimitError::Time {
            seconds: limit.as_secs(),
        }),
        _ => Ok(()),
    };
    let over = |next| {
        time_left()?;
        options.limits.allow_memory(&*host, &options.stage)?;
        options.stage.begin(next);
        Ok::<_, LimitError>(())
    };
    options.stage.begin(Stage::READING);
    let document = load_runnable(path, reader, options)?;
    *doubts = Failure::warnings_of(&document);
    over(Stage::TYPES)?;
    let model = read_model_in_use(&document)?;
    doubts.add(doubts_of_model(&document, &model.warnings));
    over(Stage::BUILDING)?;
    let (target, mut experiment) = experiment(&document, &model)?;
    let store = &mut LimitedStore::new(store, options.limits.output_bytes as u64);
    let outputs = RunOutputs::of(&document, target, &experiment, options);
    let mut warnings = outputs.reserve(store, &document)?;
    warnings.extend(options.limits.doubt_of_memory(host.memory_in_use()));
    let of_user = |warning: &&ModelError| !document.source(warning.span().source).embedded;
    let mut simulations = simulations(&document, &model, target, &mut experiment, options)?;
    over(Stage::COMPILING)?;
    for simulation in &mut simulations {
        let must_end = must_end(
            timer.clone(),
            options.limits.time(),
            options.interrupted.clone(),
        );
        simulation.deliveries.must_end = Some(Arc::new(must_end));
        warnings.extend(long_kernels(&model, &simulation.program));
    }
    warnings.extend(document.warnings().iter().map(Diagnostic::from));
    warnings.extend((model.warnings.iter().filter(of_user)).map(Diagnostic::from));
    for simulation in &simulations {
        warnings.extend(simulation.warnings.iter().map(Diagnostic::from));
    }
    if options.strict && warnings.iter().any(|warning| warning.code.is_mistake()) {
        warnings.retain(|warning| warning.code.is_mistake());
        return Err(Failure {
            sources: document.sources().to_vec(),
            diagnostics: warnings,
        });
    }
    let plots = match options.displays {
        true => displays::all(&model, &experiment, &simulations),
        false => Plots::default(),
    };
    // A large network is better run without its text.
    drop(model);
    let mut sources = document.into_sources();
    if warnings.is_empty() {
        outputs.keep_places(&mut sources);
    }
    let mut summaries = Vec::new();
    let first = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.run);
    if first >= simulations.len() as u64 {
        let what = "more than one `Run`";
        return Err(EngineError::from(CheckpointError::OtherRun { what }).into());
    }
    for (number, simulation) in
        (simulations.iter().enumerate()).filter(|(_, simulation)| simulation.number >= first)
    {
        let begun = Timer::start(&host);
        options.stage.begin(Stage::COMPILING);
        let summary = with_backend(
            &simulation.program,
            options.backend,
            options.threads,
            |backend| {
                let mut control = |moment: &mut Moment<'_, '_>| {
                    let is_out_of_time = time_left().is_err();
                    moment.due |= is_out_of_time;
                    match watch(simulation, moment) {
                        ControlFlow::Continue(()) if !is_out_of_time => ControlFlow::Continue(()),
                        _ => ControlFlow::Break(()),
                    }
                };
                over(Stage::RUNNING)?;
                Ok(simulation.run(backend, store, checkpoint.take(), &mut control))
            },
        )?
        .map_err(|error: LimitError| Failure::from(error))?;
        let summary = match summary {
            Err(error @ EngineError::NotFinite { .. })
                if !begun.is_over(LONGEST_RUN_AGAIN)
                    && simulation.instances <= MOST_INSTANCES_AGAIN =>
            {
                return Err(diagnose(path, reader, options, number, &error));
            }
            Err(EngineError::Fault(fault)) => {
                return Err(located(path, reader, options, fault));
            }
            Err(EngineError::Output(error)) => return Err(outputs.failure(error, &sources)),
            summary => summary?,
        };
        if let Some(variable) = &summary.not_a_number {
            let message = format!("`{variable}` is not a number at the end of the run");
            let help = "record it to see when and why; what is recorded is finite".to_owned();
            warnings.push(Diagnostic::new(Code(527), message, None, Some(help)));
        }
        let interrupted = summary.interrupted;
        if interrupted {
            time_left()?;
        }
        summaries.push(summary);
        if interrupted {
            break;
        }
    }
    Ok(Outcome {
        plots,
        summaries,
        warnings: warnings.into_iter().map(Diagnostic::as_warning).collect(),
        sources,
        outputs,
    })
}

/// The steps that are nearest to a time, one at least.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is whole, and no run has as many steps as 64 bits count"
)]
fn steps_in(time: f64, step: f64) -> u64 {
    (time / step).round().max(1.0) as u64
}

/// The failure of a run because of a value that is not finite, with its cause, which is looked for
/// by making the run again.
fn diagnose(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    run: usize,
    error: &EngineError,
) -> Failure {
    let mut failure = Failure::from(error);
    let EngineError::NotFinite { quantity, .. } = error else {
        return failure;
    };
    let begun = Timer::start(&options.host());
    let cause = |document: &Document| {
        let model = Model::read(document).ok()?;
        let (_, mut experiment) = experiment(document, &model).ok()?;
        if let Some(seed) = options.seed {
            experiment.reseed(seed);
        }
        let diagnosis = Diagnosis::new(&model, &experiment, *experiment.runs.get(run)?)?;
        let go_on = &mut || !begun.is_over(2 * LONGEST_RUN_AGAIN);
        let cause = with_backend(
            &diagnosis.program,
            options.backend,
            options.threads,
            |backend| diagnosis.find(backend, &experiment, quantity, go_on),
        );
        let cause = cause.ok()??;
        Some((cause.to_string(), cause.equation.source.span()))
    };
    if let Ok(document) = load(path, reader, options)
        && let Some((message, span)) = cause(&document)
        && let Some(diagnostic) = failure.diagnostics.first_mut()
    {
        diagnostic.message = error.to_string();
        diagnostic.causes = vec![message];
        diagnostic.span = Some(span);
        failure.sources = document.into_sources();
    }
    failure
}

/// Whether a step that delivers very many events must end: a while after the time is up, or somebody
/// wanted the run to end, because most steps end by themselves, and then nothing is lost.
fn must_end(
    timer: Timer,
    limit: Option<Duration>,
    interrupted: Option<Arc<AtomicBool>>,
) -> impl Fn() -> bool + Send + Sync {
    const GRACE: Duration = Duration::from_millis(400);
    let seen = OnceLock::new();
    move || {
        let is_interrupted = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        let is_wanted = limit.is_some_and(|limit| timer.is_over(limit))
            || interrupted.as_ref().is_some_and(is_interrupted);
        // Without a clock there is no while to wait.
        is_wanted
            && timer
                .elapsed()
                .is_none_or(|now| now.saturating_sub(*seen.get_or_init(|| now)) >= GRACE)
    }
}
