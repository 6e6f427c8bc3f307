//! All stages of a run, one after another, and single steps of the way for those who need no more.

mod again;
mod outputs;
pub(crate) mod places;

use std::ops::ControlFlow;
use std::time::Duration;

use lems_document::{Document, Source, SourceReader};
use lems_engine::{
    Checkpoint, CheckpointError, EngineError, Moment, Nowhere, Simulation, Summary, TextFiles,
};
use lems_ir::Fault;
use lems_model::Model;
use lems_output::{LimitedStore, OutputError, OutputStore};
use lems_ranks::{Command, Disconnected, Ranks};

use crate::host::Timer;
use crate::reading::experiment;
use crate::stages::{Built, Compiled, Loaded, RunError, simulations};
use crate::{
    Code, Diagnostic, Failure, Options, Plots, displays, load_runnable, read_model_in_use,
};

pub use outputs::{RunOutputs, SIMULATOR};

/// A run is made again to find a cause if it is not longer than this.
const LONGEST_RUN_AGAIN: Duration = Duration::from_secs(30);
/// And if it has not more instances, because all their variables are kept then.
const MOST_INSTANCES_AGAIN: usize = 200_000;

/// The result of a run: what it did, its warnings, and its outputs.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What there is to draw, if [`Options::displays`] asks for it.
    pub plots: Plots,
    /// One for each `Run` of the target.
    pub summaries: Vec<Summary>,
    /// What is legal, but probably a mistake.
    pub warnings: Vec<Diagnostic>,
    /// What the places of the warnings and of the outputs are in.
    pub sources: Vec<Source>,
    /// What the run writes.
    pub outputs: RunOutputs,
}

impl Outcome {
    /// The file that the target asks a report for (`reportFile`), expanded; none if it asks for none.
    pub fn report_file(&self) -> Option<&str> {
        self.outputs.report_file()
    }

    /// An error about an output as a failure, with the place in the model that asks for the output.
    pub fn failure(&self, error: OutputError) -> Failure {
        self.outputs.failure(error, &self.sources)
    }
}

/// Called between steps with the run, its steps so far and the simulated time. It decides whether the run continues.
pub type Control<'c> = &'c mut dyn FnMut(&Simulation, u64, f64) -> ControlFlow<Stop>;

/// Called between steps of a run that can be saved. It decides whether the run continues. If several ranks make the run,
/// the one that leads decides; others call it when they must write a part of a checkpoint ([`Moment::wanted`]).
pub type Watch<'w> = &'w mut dyn FnMut(&Simulation, &mut Moment<'_, '_>) -> ControlFlow<Stop>;

/// Why a run is to stop before its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// The user wants it to: the outcome says how far it got.
    User,
    /// The caller has failed, for example to save the run. If an output cannot be written, the run itself
    /// gives a better message.
    Failed(Failure),
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

/// What the files of a model will hold.
///
/// # Errors
/// Everything that is wrong with the model, as for a run.
pub fn plots_of(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
) -> Result<Plots, Failure> {
    let document = load_runnable(path, reader, options)?;
    let model = read_model_in_use(&document)?;
    let (_, experiment) = experiment(&document, &model)?;
    let simulations = prepare(&document, &model, options)?;
    Ok(displays::all(&model, &experiment, &simulations))
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
    // An output that cannot be written is reported before a network is built, by the rank that writes.
    let mut warnings = match follows(options) {
        true => Vec::new(),
        false => match outputs.reserve(store, loaded.document()) {
            Ok(warnings) => warnings,
            Err(failure) => return Err(failure.and(doubts)),
        },
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
    /// The checkpoint from which the first run continues.
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
        let first = self.checkpoint.as_ref().map_or(0, Checkpoint::run);
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        if first >= number {
            let what = "more than one `Run`";
            let error = EngineError::from(CheckpointError::OtherRun { what });
            return Err(Failure::from(error).and(self.doubts.clone()));
        }
        let mut summaries = Vec::new();
        for number in first..number {
            let summary = self.make_one(number, store, watch, warnings)?;
            if let Some(variable) = &summary.not_a_number {
                let message = format!("`{variable}` is not a number at the end of the run");
                let help = "record it to see when and why; what is recorded is finite".to_owned();
                warnings.push(Diagnostic::new(
                    Code::NOT_A_NUMBER,
                    message,
                    None,
                    Some(help),
                ));
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
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Summary, Failure> {
        let begun = Timer::start(&self.options.host());
        let explained = |failure: Failure| failure.and(self.doubts.clone());
        let compiled = (self.built.compile_run(number, self.options)).map_err(explained)?;
        if let Some(complaint) = compiled.complaint() {
            let help = "fewer processes make the same run as fast".to_owned();
            let complaint = complaint.to_owned();
            warnings.push(Diagnostic::new(
                Code::IDLE_RANKS,
                complaint,
                None,
                Some(help),
            ));
        }
        let mut stopped = None;
        let checkpoint = self.checkpoint.take();
        let is_short = || {
            !begun.is_over(LONGEST_RUN_AGAIN)
                && compiled.simulation().instances <= MOST_INSTANCES_AGAIN
        };
        let is_worth_explaining = |error: &RunError| match error {
            RunError::Engine(EngineError::Fault(Fault::Disconnected { .. })) => false,
            RunError::Engine(EngineError::Fault(_) | EngineError::Mistake { .. }) => {
                !follows(self.options)
            }
            RunError::Engine(EngineError::NotFinite { .. }) => is_short() && !follows(self.options),
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

/// Makes a run and writes its files. If the run was stopped because the watcher has failed, the reason is in
/// `stopped`.
fn make_run(
    compiled: &Compiled,
    checkpoint: Option<Checkpoint>,
    store: &mut dyn OutputStore,
    options: &Options,
    watch: Watch<'_>,
    stopped: &mut Option<Failure>,
) -> Result<Summary, RunError> {
    if let Some(ranks) = &options.ranks {
        ranks
            .check_model(compiled.simulation().fingerprint())
            .map_err(disconnected)?;
        if !ranks.leads() {
            return follow(compiled, checkpoint, options, ranks, watch);
        }
    }
    let mut run = match checkpoint {
        None => compiled.start_into(|simulation| TextFiles::create(simulation, store), options)?,
        Some(checkpoint) => compiled.resume(
            checkpoint,
            |simulation, marks| TextFiles::reopen(simulation, store, marks),
            options,
        )?,
    };
    let mut pace = compiled.pace();
    let mut control = |moment: &mut Moment<'_, '_>| {
        let is_out_of_time = compiled.time_left().is_err();
        moment.due |= is_out_of_time;
        let goes_on = match watch(compiled.simulation(), moment) {
            ControlFlow::Continue(()) => !is_out_of_time,
            ControlFlow::Break(Stop::User) => false,
            ControlFlow::Break(Stop::Failed(why)) => {
                *stopped = Some(why);
                false
            }
        };
        let steps = pace.steps();
        let command = match goes_on {
            true => Command::Continue(steps),
            false => Command::Stop,
        };
        match options.ranks.as_ref().map(|ranks| ranks.broadcast(command)) {
            None | Some(Ok(_)) if goes_on => ControlFlow::Continue(steps),
            None | Some(Ok(_)) => ControlFlow::Break(()),
            // The next step fails with the reason.
            Some(Err(_)) => ControlFlow::Continue(1),
        }
    };
    run.run_with(&mut control)?;
    let (summary, _) = run.finish()?;
    if summary.interrupted {
        compiled.time_left()?;
    }
    Ok(summary)
}

/// Whether another rank writes the outputs and commands this one.
fn follows(options: &Options) -> bool {
    options.ranks.as_ref().is_some_and(|ranks| !ranks.leads())
}

fn disconnected(reason: Disconnected) -> RunError {
    let message = reason.to_string();
    RunError::Engine(Fault::Disconnected { message }.into())
}

/// Makes the part of a run of a rank that does not lead. The watcher is called when rank 0 wants a checkpoint.
fn follow(
    compiled: &Compiled,
    checkpoint: Option<Checkpoint>,
    options: &Options,
    ranks: &Ranks,
    watch: Watch<'_>,
) -> Result<Summary, RunError> {
    let mut run = match checkpoint {
        None => compiled.start_into(|_| Ok(Nowhere), options)?,
        Some(checkpoint) => compiled.resume(checkpoint, |_, _| Ok(Nowhere), options)?,
    };
    let mut control = |moment: &mut Moment<'_, '_>| {
        loop {
            match ranks.follow() {
                Ok(Command::Save(generation)) => {
                    moment.wanted = Some(generation);
                    // Rank 0 decides what follows if the part cannot be written.
                    let _ = watch(compiled.simulation(), moment);
                }
                Ok(Command::Stop) => return ControlFlow::Break(()),
                Ok(Command::Continue(steps)) => return ControlFlow::Continue(steps),
                // The next step fails with the reason.
                Err(_) => return ControlFlow::Continue(1),
            }
        }
    };
    run.run_with(&mut control)?;
    let (summary, _) = run.finish()?;
    Ok(summary)
}
