//! All stages of a run, one after another, and single steps of the way for those who need no more.

mod again;
mod outputs;
mod places;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::time::Duration;

use lems_document::{Document, Element, IncludeOptions, Source, SourceReader};
use lems_engine::{
    Checkpoint, CheckpointError, EngineError, Moment, Simulation, Summary, TextFiles,
};
use lems_ir::{Backend, Interpreter, Program};
use lems_jit::CompiledProgram;
use lems_model::{Model, ModelError, ModelFailure, Target};
use lems_network::{Estimate, Experiment};
use lems_output::{LimitedStore, OutputError, OutputStore};

use crate::host::Timer;
use crate::stages::{Built, Compiled, Loaded, RunError, not_compiled, simulations, threads_of};
use crate::{BackendKind, Code, Diagnostic, Failure, Options, Plots, settings};

pub use outputs::{MadeOutputs, RunOutputs};
pub(crate) use places::long_kernels;

/// A run is made again to find a cause if it is not longer than this.
const LONGEST_RUN_AGAIN: Duration = Duration::from_secs(30);
/// And if it has not more instances, because all their variables are kept then.
const MOST_INSTANCES_AGAIN: usize = 200_000;

/// What messages call the text of [`Options::additions`].
pub(crate) const RECORD: &str = "--record";

/// The name of this program, as reports have it.
pub const SIMULATOR: &str = "jlems-rs";

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
pub type Control<'c> = &'c mut dyn FnMut(&Simulation, u64, f64) -> ControlFlow<Stop>;

/// What is asked between steps of a run that may be saved; whether to go on.
pub type Watch<'w> = &'w mut dyn FnMut(&Simulation, &mut Moment<'_, '_>) -> ControlFlow<Stop>;

/// Why a run is to stop before its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// The user wants it to: the outcome says how far it got.
    User,
    /// Whoever watches it has failed, such as to save it. Of an output that cannot be written
    /// the run tells more itself.
    Failed(Failure),
}

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
pub(crate) fn doubts_of_model(document: &Document, warnings: &[ModelError]) -> Failure {
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
    let built = experiment(document, model).and_then(|(target, mut experiment)| {
        simulations(document, model, target, &mut experiment, options)
    });
    built.map_err(|failure| failure.with_warnings_of(document))
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
pub(crate) fn with_backend<T>(
    program: &Program,
    kind: BackendKind,
    threads: Option<NonZeroUsize>,
    body: impl FnOnce(&dyn Backend) -> T,
) -> Result<T, Failure> {
    match kind {
        BackendKind::Interpreter => Ok(body(&Interpreter::new(program))),
        BackendKind::Jit => match CompiledProgram::with_threads(program, threads_of(threads)) {
            Ok(compiled) => Ok(body(&compiled)),
            Err(error) => Err(not_compiled(error)),
        },
    }
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
    let loaded = Loaded::read(path, reader, options)?;
    let checked = loaded.check(options)?;
    let doubts = checked.doubts();
    let store = &mut LimitedStore::new(store, options.limits.output_bytes as u64);
    let outputs = RunOutputs::of(&checked, options);
    // What cannot be written is told before a network is built.
    let mut warnings = match outputs.reserve(store, loaded.document()) {
        Ok(warnings) => warnings,
        Err(failure) => return Err(failure.and(doubts)),
    };
    warnings.extend((options.limits).doubt_of_memory(options.host().memory_in_use()));
    let built = checked.build(options)?;
    warnings.extend(built.interpreted.iter().cloned());
    warnings.extend(loaded.warnings());
    warnings.extend(checked.warnings());
    warnings.extend(built.doubts());
    if options.strict && warnings.iter().any(|warning| warning.code.is_mistake()) {
        warnings.retain(|warning| warning.code.is_mistake());
        let mistakes = Failure {
            sources: loaded.document().sources().to_vec(),
            diagnostics: warnings.into_iter().map(Diagnostic::into_error).collect(),
        };
        return Err(mistakes.and(doubts));
    }
    // A large network is better run without its text.
    drop(checked);
    let mut sources = loaded.into_sources();
    if warnings.is_empty() {
        outputs.keep_places(&mut sources);
    }
    let mut runs = AllRuns {
        built: &built,
        checkpoint,
        path,
        reader,
        options,
        outputs: &outputs,
        sources: &sources,
        doubts: &doubts,
    };
    let summaries = runs.make(store, watch, &mut warnings)?;
    Ok(Outcome {
        plots: built.plots,
        summaries,
        warnings: warnings.into_iter().map(Diagnostic::as_warning).collect(),
        sources,
        outputs,
    })
}

/// The runs of a target, to be made one after another.
struct AllRuns<'r> {
    built: &'r Built,
    /// What the first one that is made goes on from.
    checkpoint: Option<Checkpoint>,
    path: &'r str,
    reader: &'r dyn SourceReader,
    options: &'r Options,
    outputs: &'r RunOutputs,
    sources: &'r [Source],
    /// Warnings that are shown with every failure of a run.
    doubts: &'r Failure,
}

impl AllRuns<'_> {
    /// Makes them up to the end, or until one is stopped.
    fn make(
        &mut self,
        store: &mut dyn OutputStore,
        watch: Watch<'_>,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Vec<Summary>, Failure> {
        let number = self.built.simulations().len();
        let first = self
            .checkpoint
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.run);
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        if first >= number {
            let what = "more than one `Run`";
            let error = EngineError::from(CheckpointError::OtherRun { what });
            return Err(Failure::from(error).and(self.doubts.clone()));
        }
        let mut summaries = Vec::new();
        for number in first..number {
            let summary = self.make_one(number, store, watch)?;
            if let Some(variable) = &summary.not_a_number {
                let message = format!("`{variable}` is not a number at the end of the run");
                let help = "record it to see when and why; what is recorded is finite".to_owned();
                warnings.push(Diagnostic::new(Code(527), message, None, Some(help)));
            }
            let interrupted = summary.interrupted;
            summaries.push(summary);
            if interrupted {
                break;
            }
        }
        Ok(summaries)
    }

    /// Makes a run, and explains what goes wrong with it.
    fn make_one(
        &mut self,
        number: usize,
        store: &mut dyn OutputStore,
        watch: Watch<'_>,
    ) -> Result<Summary, Failure> {
        let begun = Timer::start(&self.options.host());
        let explained = |failure: Failure| failure.and(self.doubts.clone());
        let compiled = (self.built.compile_run(number, self.options)).map_err(explained)?;
        let mut stopped = None;
        let checkpoint = self.checkpoint.take();
        let is_short = || {
            !begun.is_over(LONGEST_RUN_AGAIN)
                && compiled.simulation().instances <= MOST_INSTANCES_AGAIN
        };
        let is_worth_explaining = |error: &RunError| match error {
            RunError::Engine(EngineError::Fault(_)) => true,
            RunError::Engine(EngineError::NotFinite { .. }) => is_short(),
            RunError::Engine(_) | RunError::Limit(_) => false,
        };
        let made = make_run(
            &compiled,
            checkpoint,
            store,
            self.options,
            watch,
            &mut stopped,
        );
        let failure = match made {
            Ok(summary) => return stopped.map_or(Ok(summary), Err),
            Err(RunError::Engine(EngineError::Output(error))) => {
                self.outputs.failure(error, self.sources)
            }
            Err(error) if is_worth_explaining(&error) => {
                again::explained(self.path, self.reader, self.options, number, error)
            }
            Err(error) => error.into(),
        };
        Err(failure.and(self.doubts.clone()))
    }
}

/// Makes a run and writes its files. A run that was stopped because its watcher has failed leaves why
/// in `stopped`.
fn make_run(
    compiled: &Compiled,
    checkpoint: Option<Checkpoint>,
    store: &mut dyn OutputStore,
    options: &Options,
    watch: Watch<'_>,
    stopped: &mut Option<Failure>,
) -> Result<Summary, RunError> {
    let mut run = match checkpoint {
        None => compiled.start_into(|simulation| TextFiles::create(simulation, store), options)?,
        Some(checkpoint) => compiled.resume(
            checkpoint,
            |simulation, marks| TextFiles::reopen(simulation, store, marks),
            options,
        )?,
    };
    let mut control = |moment: &mut Moment<'_, '_>| {
        let is_out_of_time = compiled.time_left().is_err();
        moment.due |= is_out_of_time;
        match watch(compiled.simulation(), moment) {
            ControlFlow::Continue(()) if !is_out_of_time => return ControlFlow::Continue(()),
            ControlFlow::Continue(()) | ControlFlow::Break(Stop::User) => {}
            ControlFlow::Break(Stop::Failed(why)) => *stopped = Some(why),
        }
        ControlFlow::Break(())
    };
    run.run_with(&mut control)?;
    let (summary, _) = run.finish()?;
    if summary.interrupted {
        compiled.time_left()?;
    }
    Ok(summary)
}
