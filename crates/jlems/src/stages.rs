//! The stages of a run as values: [`Loaded`], [`Checked`], [`Built`], [`Compiled`], [`Run`].
//!
//! Each is made from the one before and owns what it holds, but for [`Checked`], which borrows the
//! text. Each has the warnings that its stage found. The limits of the [`Options`] are held against
//! every stage; the time that they allow begins with the first.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lems_document::{Document, Source, SourceReader};
use lems_engine::{
    Checkpoint, Cursor, EngineError, RecordSettings, RunSettings, Simulation, Sink, Summary, Traces,
};
use lems_ir::{Backend, Call, Deliveries, Interpreter, Program, State};
use lems_jit::{CompiledProgram, JitError};
use lems_model::{ComponentId, Model, Target};
use lems_network::{DataFile, Experiment, NetworkError};
use lems_output::{EventFormat, Mark, OutputError};
use lems_ranks::{Part, RankBackend};

use crate::displays;
use crate::host::Timer;
use crate::pipeline::places::long_kernels;
use crate::reading::{RECORD, doubts_of_model, experiment};
use crate::{
    BackendKind, Code, Diagnostic, Failure, LimitError, Method, Options, Plots, Settings, Stage,
    display_name, late_events, load_runnable, read_model_in_use, settings,
};

/// What watches over time and memory from the first stage to the last.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    timer: Timer,
    limit: Option<Duration>,
}

impl Budget {
    fn start(options: &Options) -> Budget {
        Budget {
            timer: Timer::start(&options.host()),
            limit: options.limits.time(),
        }
    }

    /// Whether there is time left.
    fn time_left(&self) -> Result<(), LimitError> {
        match self.limit {
            Some(limit) if self.timer.is_over(limit) => Err(LimitError::Time {
                seconds: limit.as_secs(),
            }),
            _ => Ok(()),
        }
    }

    /// Begins a stage, if time and memory are left for it.
    fn begin(&self, stage: &'static str, options: &Options) -> Result<(), LimitError> {
        self.time_left()?;
        (options.limits).allow_memory(&*options.host(), &options.stage)?;
        options.stage.begin(stage);
        Ok(())
    }
}

/// A model as text, with all that it includes.
#[derive(Debug)]
pub struct Loaded {
    document: Document,
    budget: Budget,
}

impl Loaded {
    /// Reads a LEMS file that says what to run, and all that it includes.
    ///
    /// # Errors
    /// Malformed XML, missing files, circles of includes; settings of what is not there; a file that
    /// holds a model but does not say how to run it.
    pub fn read(
        path: &str,
        reader: &dyn SourceReader,
        options: &Options,
    ) -> Result<Loaded, Failure> {
        let budget = Budget::start(options);
        options.stage.begin(Stage::READING);
        let document = load_runnable(path, reader, options)?;
        Ok(Loaded { document, budget })
    }

    /// The same model with more settings, without reading its text again. The time that the limits
    /// allow begins anew.
    ///
    /// # Errors
    /// Settings of what is not there.
    pub fn with_settings(&self, settings: &Settings, options: &Options) -> Result<Loaded, Failure> {
        let mut document = self.document.clone();
        match settings.apply(&mut document) {
            Ok(()) => Ok(Loaded {
                document,
                budget: Budget::start(options),
            }),
            Err(failure) => Err(failure.with_warnings_of(&document)),
        }
    }

    /// The text as a tree of elements.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What was not read as it is written.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let warnings = self.document.warnings().iter();
        warnings
            .map(|warning| Diagnostic::from(warning).as_warning())
            .collect()
    }

    /// The texts that the places of all messages about this model are in.
    pub fn into_sources(self) -> Vec<Source> {
        self.document.into_sources()
    }

    /// Reads the types and components, and what the target runs and records.
    ///
    /// # Errors
    /// Everything that is wrong with definitions, components or equations; no target; a limit on
    /// time or memory.
    pub fn check(&self, options: &Options) -> Result<Checked<'_>, Failure> {
        let begun = self.budget.begin(Stage::TYPES, options);
        let begun =
            begun.map_err(|error| Failure::from(error).and(Failure::warnings_of(&self.document)));
        begun.and_then(|()| Checked::within(&self.document, self.budget.clone()))
    }
}

/// A model that is understood: types, components, and what its target runs and records.
#[derive(Debug)]
pub struct Checked<'d> {
    pub(crate) document: &'d Document,
    pub(crate) model: Model<'d>,
    pub(crate) target: Target<'d>,
    pub(crate) experiment: Experiment<'d>,
    budget: Budget,
}

impl<'d> Checked<'d> {
    /// What a document means, with a time that begins now.
    pub(crate) fn of(document: &'d Document, options: &Options) -> Result<Checked<'d>, Failure> {
        Checked::within(document, Budget::start(options))
    }

    fn within(document: &'d Document, budget: Budget) -> Result<Checked<'d>, Failure> {
        let model = read_model_in_use(document)?;
        match experiment(document, &model) {
            Ok((target, experiment)) => Ok(Checked {
                document,
                model,
                target,
                experiment,
                budget,
            }),
            Err(failure) => {
                let doubts = doubts_of_model(document, &model.warnings);
                Err(failure.and(Failure::warnings_of(document)).and(doubts))
            }
        }
    }

    /// Types, components and units.
    pub fn model(&self) -> &Model<'d> {
        &self.model
    }

    /// What is legal in the user's files, but hardly meant.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let of_user = |span: lems_document::Span| !self.document.source(span.source).embedded;
        let warnings = self.model.warnings.iter();
        warnings
            .filter(|warning| of_user(warning.span()))
            .map(|warning| Diagnostic::from(warning).as_warning())
            .collect()
    }

    /// The warnings so far that are shown with every failure, because they may name its cause.
    pub(crate) fn doubts(&self) -> Failure {
        let mut doubts = Failure::warnings_of(self.document);
        doubts.add(doubts_of_model(self.document, &self.model.warnings));
        doubts
    }

    /// Builds the network of each run, and the program of its steps.
    ///
    /// # Errors
    /// Paths, names and ports that lead nowhere; a limit.
    pub fn build(&self, options: &Options) -> Result<Built, Failure> {
        let begun = self.budget.begin(Stage::BUILDING, options);
        let built = begun.map_err(Failure::from);
        let built = built.and_then(|()| self.build_runs(options));
        built.map_err(|failure| failure.and(self.doubts()))
    }

    fn build_runs(&self, options: &Options) -> Result<Built, Failure> {
        let Checked {
            document,
            model,
            target,
            ..
        } = self;
        let mut experiment = self.experiment.clone();
        let rounded = as_exported(model, &mut experiment, options.method);
        let model = rounded.as_ref().unwrap_or(model);
        let simulations = simulations(document, model, *target, &mut experiment, options)?;
        let plots = if options.displays {
            displays::all(model, &experiment, &simulations)
        } else {
            Plots::default()
        };
        let interpreted = simulations.iter();
        let interpreted = interpreted.flat_map(|run| long_kernels(model, &run.program));
        let formats = experiment.event_files.iter().map(|file| file.format);
        Ok(Built {
            event_formats: formats.map(|format| format.map(format_of)).collect(),
            times_file: target.times_file.map(|file| file.value().to_owned()),
            interpreted: interpreted.map(Diagnostic::as_warning).collect(),
            plots,
            simulations: simulations.into_iter().map(Arc::new).collect(),
            budget: self.budget.clone(),
        })
    }
}

/// The model with the numbers of the program that is exported for NEURON, if it is to be computed so.
fn as_exported<'d>(
    model: &Model<'d>,
    experiment: &mut Experiment<'d>,
    method: Method,
) -> Option<Model<'d>> {
    if method != Method::Neuron {
        return None;
    }
    let rules = experiment.cable_rules.as_ref()?.in_single_precision();
    let rounded = model.with_digits(rules.digits());
    experiment.cable_rules = Some(rules);
    Some(rounded)
}

fn format_of(format: lems_network::EventFormat) -> EventFormat {
    match format {
        lems_network::EventFormat::IdTime => EventFormat::IdTime,
        lems_network::EventFormat::TimeId => EventFormat::TimeId,
    }
}

/// Builds the networks and programs of all runs of a target.
pub(crate) fn simulations<'d>(
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
    let is_added = |span: lems_document::Span| document.source(span.source).name == RECORD;
    let free = settings::elements_of(document, &options.free)?;
    let is_free = |id: &ComponentId| free.contains(&model.element(*id).number());
    experiment.free = match free.is_empty() {
        true => Default::default(),
        false => model.component_ids().filter(is_free).collect(),
    };
    if options.without_data {
        (experiment.data_files).retain(|file| file.span.is_some_and(is_added));
        experiment.displays.clear();
    }
    if options.without_events {
        (experiment.event_files).retain(|file| is_added(file.span));
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
    let limits = &options.limits;
    limits.allow_outputs(experiment, options.every)?;
    experiment.most_instances = limits.most_instances();
    let mut simulations = Vec::new();
    for (number, run) in (0..).zip(experiment.runs.clone()) {
        limits.allow_run(document, model, target.component, &run)?;
        let recording = RecordSettings {
            number,
            every: options.every.max(1),
            times_file: target.times_file.map(|file| file.value().to_owned()),
        };
        let simulation =
            Simulation::new(model, experiment, run, recording, options.method).map_err(failed)?;
        let simulation = match options.late_events {
            true => late_events::delivered_late(simulation)?,
            false => simulation,
        };
        limits.allow_program(&simulation.program)?;
        simulations.push(match options.fast {
            true => simulation.fast(lems_jit::can_fuse()),
            false => simulation,
        });
    }
    Ok(simulations)
}

/// The networks of all runs of a target as programs; nothing of the text is left.
#[derive(Debug, Clone)]
pub struct Built {
    simulations: Vec<Arc<Simulation>>,
    /// Warnings of kernels that are too long for machine code.
    pub(crate) interpreted: Vec<Diagnostic>,
    pub(crate) plots: Plots,
    event_formats: Vec<Option<EventFormat>>,
    times_file: Option<String>,
    budget: Budget,
}

impl Built {
    /// The runs of the target, in their order; mostly one.
    pub fn simulations(&self) -> &[Arc<Simulation>] {
        &self.simulations
    }

    /// What there is to draw, if [`Options::displays`] asks for it.
    pub fn plots(&self) -> &Plots {
        &self.plots
    }

    /// The order of the two fields in the lines of each event file; none where jLEMS does not know
    /// the order that the model names, and writes nothing.
    pub fn event_formats(&self) -> &[Option<EventFormat>] {
        &self.event_formats
    }

    /// The file that the times of the rows go to, if the model names one.
    pub fn times_file(&self) -> Option<&str> {
        self.times_file.as_deref()
    }

    /// What is legal in the networks, but hardly meant; kernels that will be slow.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let interpreted = self.interpreted.iter().cloned();
        interpreted.chain(self.doubts()).collect()
    }

    /// What is legal in the networks, but hardly meant.
    pub(crate) fn doubts(&self) -> impl Iterator<Item = Diagnostic> {
        let warnings = self.simulations.iter().flat_map(|run| &run.warnings);
        warnings.map(|warning| Diagnostic::from(warning).as_warning())
    }

    /// Makes the first run ready to start: machine code, or the interpreter.
    ///
    /// # Errors
    /// A program that cannot be compiled; a limit on time or memory.
    pub fn compile(&self, options: &Options) -> Result<Compiled, Failure> {
        self.compile_run(0, options)
    }

    /// The same of the run with a number, from zero.
    ///
    /// # Errors
    /// Those of [`Built::compile`]; no such run.
    pub fn compile_run(&self, number: usize, options: &Options) -> Result<Compiled, Failure> {
        self.budget.begin(Stage::COMPILING, options)?;
        let Some(simulation) = self.simulations.get(number) else {
            let message = format!("the target has no run with the number {number}");
            return Err(Failure::plain(Code::NO_SUCH_NAME, message, None));
        };
        let (backend, complaint) = match &options.ranks {
            None => (back_end(&simulation.program, options)?, None),
            Some(ranks) => {
                let recorded = simulation.recorded_slots();
                let part = Part::new(&simulation.program, recorded, ranks.rank(), ranks.size());
                let complaint = part.complaint().map(str::to_owned);
                let inner = back_end(part.program(), options)?;
                let backend: SharedBackend = Arc::new(RankBackend::new(inner, part, ranks.clone()));
                (backend, complaint)
            }
        };
        Ok(Compiled {
            simulation: Arc::clone(simulation),
            backend,
            budget: self.budget.clone(),
            complaint,
        })
    }
}

/// A back end that several threads can use.
type SharedBackend = Arc<dyn Backend + Send + Sync>;

/// The chosen back end of a program.
fn back_end(program: &Arc<Program>, options: &Options) -> Result<SharedBackend, Failure> {
    Ok(match options.backend {
        BackendKind::Interpreter => Arc::new(Interpreted(Arc::clone(program))),
        BackendKind::Jit => {
            let threads = threads_of(options.threads);
            let compiled = CompiledProgram::shared(Arc::clone(program), threads);
            Arc::new(compiled.map_err(not_compiled)?)
        }
    })
}

impl Built {
    /// Makes the run with the number of `known` ready to start, with the machine code of that one if
    /// their programs differ in values only. Networks of one model with other values do if they are
    /// built with [`Options::free`].
    ///
    /// # Errors
    /// Those of [`Built::compile_run`].
    pub fn compile_like(&self, known: &Compiled, options: &Options) -> Result<Compiled, Failure> {
        self.budget.begin(Stage::COMPILING, options)?;
        let number = usize::try_from(known.simulation.number()).unwrap_or(usize::MAX);
        match self.simulations.get(number) {
            Some(own) if own.program.has_code_of(&known.simulation.program) => Ok(Compiled {
                simulation: Arc::clone(own),
                backend: Arc::clone(&known.backend),
                budget: self.budget.clone(),
                complaint: known.complaint.clone(),
            }),
            _ => self.compile_run(number, options),
        }
    }
}

/// The failure of a program that does not become machine code.
fn not_compiled(error: JitError) -> Failure {
    Failure::plain(
        Code::NOT_COMPILED,
        format!("the model cannot be compiled: {error}"),
        Some("run it with `--backend interp` and report this".to_owned()),
    )
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

/// Threads that are wanted, or all that the computer has.
fn threads_of(threads: Option<NonZeroUsize>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    threads.map_or_else(all, NonZeroUsize::get)
}

/// The interpreter of a program that it shares with others.
struct Interpreted(Arc<Program>);

impl Backend for Interpreted {
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        Interpreter::new(&self.0).advance(state, call, time, step);
    }

    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        Interpreter::new(&self.0).handle(state, handler, instances);
    }
}

/// A run that is ready to start, as often as one likes: it does not change.
#[derive(Clone)]
pub struct Compiled {
    simulation: Arc<Simulation>,
    backend: SharedBackend,
    budget: Budget,
    /// Why some ranks have nothing to do, if so.
    complaint: Option<String>,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let instances = self.simulation.instances;
        write!(formatter, "Compiled({instances} instances)")
    }
}

impl Compiled {
    /// Whether this and another run use the same machine code.
    pub fn shares_code_with(&self, other: &Compiled) -> bool {
        Arc::ptr_eq(&self.backend, &other.backend)
    }

    /// What is run.
    pub fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    /// Why some of the ranks that make the run together have nothing to do, if so.
    pub(crate) fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// Starts a run whose rows and events are held in memory. The first row is there at once.
    ///
    /// # Errors
    /// A recorded value that is no finite number, events without end; a limit on time or memory.
    pub fn start(&self, options: &Options) -> Result<Run, RunError> {
        self.start_into(|simulation| Ok(Traces::of(simulation)), options)
    }

    /// Starts a run whose rows and events go to the sink that `open` makes.
    ///
    /// # Errors
    /// Those of [`Compiled::start`]; what the sink cannot store; an error of `open`.
    pub fn start_into<S: Sink>(
        &self,
        open: impl FnOnce(&Simulation) -> Result<S, OutputError>,
        options: &Options,
    ) -> Result<Run<S>, RunError> {
        self.budget.begin(Stage::RUNNING, options)?;
        let settings = self.settings(options);
        let sink = open(&self.simulation).map_err(EngineError::from)?;
        let cursor = Cursor::start(&self.simulation, &settings, sink)?;
        Ok(self.run(cursor))
    }

    /// Goes on with a run that was saved, with a sink that `open` makes of how far the outputs were
    /// written.
    ///
    /// # Errors
    /// A checkpoint of another run; an error of `open`; a limit on time or memory.
    pub fn resume<S: Sink>(
        &self,
        checkpoint: Checkpoint,
        open: impl FnOnce(&Simulation, Vec<Mark>) -> Result<S, OutputError>,
        options: &Options,
    ) -> Result<Run<S>, RunError> {
        self.budget.begin(Stage::RUNNING, options)?;
        let settings = self.settings(options);
        let open = |marks| open(&self.simulation, marks);
        let cursor = Cursor::resume(&self.simulation, &settings, checkpoint, open)?;
        Ok(self.run(cursor))
    }

    /// Whether the time that the limits allow is not over.
    ///
    /// # Errors
    /// It is.
    pub(crate) fn time_left(&self) -> Result<(), LimitError> {
        self.budget.time_left()
    }

    fn run<S>(&self, cursor: Cursor<S>) -> Run<S> {
        Run {
            compiled: self.clone(),
            cursor,
        }
    }

    fn settings(&self, options: &Options) -> RunSettings {
        let limits = &options.limits;
        let between = options.checkpoint_every;
        let must_end = must_end(&self.budget, options.interrupted.clone());
        let mut deliveries = Deliveries::default();
        deliveries.limit = limits.deliveries as u64;
        deliveries.must_end = Some(Arc::new(must_end));
        RunSettings {
            steps_between_checkpoints: between
                .map_or(0, |time| steps_in(time, self.simulation.step()).max(1)),
            most_events: limits.most_events(&*options.host()),
            deliveries,
        }
    }
}

/// The number of steps that is nearest to a time.
fn steps_in(time: f64, step: f64) -> u64 {
    lems_math::saturating_u64((time / step).round())
}

/// Whether a step that delivers very many events must end: a while after the time is up, or somebody
/// wanted the run to end, because most steps end by themselves, and then nothing is lost.
fn must_end(
    budget: &Budget,
    interrupted: Option<Arc<AtomicBool>>,
) -> impl Fn() -> bool + Send + Sync + use<> {
    const GRACE: Duration = Duration::from_millis(400);
    let (budget, seen) = (budget.clone(), OnceLock::new());
    move || {
        let is_interrupted = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        let is_wanted =
            budget.time_left().is_err() || interrupted.as_ref().is_some_and(is_interrupted);
        // Without a clock there is no while to wait.
        let is_late = |now: Duration| now.saturating_sub(*seen.get_or_init(|| now)) >= GRACE;
        is_wanted && budget.timer.elapsed().is_none_or(is_late)
    }
}

/// Why a run does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A value that is no finite number, events without end, a checkpoint of another run, an output.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A limit on time or memory.
    #[error(transparent)]
    Limit(#[from] LimitError),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        match error {
            RunError::Engine(error) => error.into(),
            RunError::Limit(error) => error.into(),
        }
    }
}

/// A run between two steps, which its owner advances. Its numbers are in its sink: in memory, unless
/// another is chosen.
#[derive(Debug)]
pub struct Run<S = Traces> {
    compiled: Compiled,
    cursor: Cursor<S>,
}

impl<S: Sink> Run<S> {
    /// What is run.
    pub fn simulation(&self) -> &Simulation {
        &self.compiled.simulation
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.cursor.steps()
    }

    /// Simulated time, in seconds.
    pub fn time(&self) -> f64 {
        self.cursor.time()
    }

    /// Whether all steps are done.
    pub fn is_at_end(&self) -> bool {
        self.cursor.is_at_end(&self.compiled.simulation)
    }

    /// Whether the run cannot go on, although it is not at its end: it failed, or was ended while a
    /// step delivered events, because [`Options::interrupted`] was set.
    pub fn is_stopped(&self) -> bool {
        self.cursor.is_stopped()
    }

    /// Goes on with the parameters of another run of the same model. Variables stay as they are.
    ///
    /// # Errors
    /// The other run needs other code: more differs than the values of components that are free
    /// ([`Options::free`]), or steps have another length or number.
    pub fn change_values(&mut self, other: &Compiled) -> Result<(), Failure> {
        let (own, other) = (&self.compiled.simulation, &other.simulation);
        let fits = other.program.has_code_of(&own.program)
            && other.steps() == own.steps()
            && other.step().to_bits() == own.step().to_bits();
        if !fits {
            let message = "a run that has begun cannot take these values";
            let help = "only parameters that are free when the run begins can be changed";
            return Err(Failure::plain(
                Code::USELESS_SETTING,
                message.to_owned(),
                Some(help.to_owned()),
            ));
        }
        self.cursor.change_values(other);
        self.compiled.simulation = Arc::clone(other);
        Ok(())
    }

    /// What the numbers go to.
    pub fn sink(&self) -> &S {
        self.cursor.sink()
    }

    /// The same, to take numbers out.
    pub fn sink_mut(&mut self) -> &mut S {
        self.cursor.sink_mut()
    }

    /// What the numbers went to.
    pub fn into_sink(self) -> S {
        self.cursor.into_sink()
    }

    /// Makes steps up to a simulated time in seconds, or to the end of the run.
    ///
    /// # Errors
    /// A recorded value that is no finite number, events without end, what the sink cannot store; the
    /// limit on time. Only after the last one the run can go on.
    pub fn advance(&mut self, until: f64) -> Result<(), RunError> {
        self.advance_to(steps_in(until, self.compiled.simulation.step()))
    }

    /// Makes so many steps, or all that are left.
    ///
    /// # Errors
    /// Those of [`Run::advance`].
    pub fn step(&mut self, steps: u64) -> Result<(), RunError> {
        self.advance_to(self.steps().saturating_add(steps))
    }

    /// Sends an event between two steps as if a source of the network sent it, with the time of now: to all that is
    /// connected to it, and to the sink. [`Simulation::source`] finds the source of a recorded event.
    ///
    /// # Errors
    /// Events without end, what the sink cannot store. The run cannot go on then.
    pub fn send(&mut self, source: u32) -> Result<(), RunError> {
        let Compiled {
            simulation,
            backend,
            ..
        } = &self.compiled;
        Ok(self.cursor.send(simulation, &**backend, source)?)
    }

    fn advance_to(&mut self, until: u64) -> Result<(), RunError> {
        let Compiled {
            simulation,
            backend,
            budget,
            ..
        } = &self.compiled;
        // The clock is looked at now and then, and the steps of large networks take long.
        let between_looks = simulation.steps_between_looks();
        let until = until.min(simulation.steps());
        while self.cursor.steps() < until && !self.cursor.is_stopped() {
            budget.time_left()?;
            let next = until.min(self.cursor.steps() + between_looks);
            self.cursor.advance(simulation, &**backend, next)?;
        }
        // A step that delivers events without end is ended because the time is over.
        Ok(budget.time_left()?)
    }

    /// Goes on to the end, or until `control` says to stop; gives whether the end is reached.
    ///
    /// # Errors
    /// Those of [`Run::advance`], but for the limit on time, which `control` looks after.
    pub(crate) fn run_with(
        &mut self,
        control: lems_engine::Control<'_>,
    ) -> Result<bool, EngineError> {
        let Compiled {
            simulation,
            backend,
            ..
        } = &self.compiled;
        self.cursor.run(simulation, &**backend, control)
    }

    /// The run as bytes that [`Checkpoint::read`] reads, to go on with it by [`Compiled::resume`].
    ///
    /// # Errors
    /// An output that cannot be brought into safety.
    pub fn checkpoint(&mut self) -> Result<Vec<u8>, EngineError> {
        self.cursor.checkpoint(&self.compiled.simulation)
    }

    /// Ends the run: the outputs of one that is at its end become complete, others stay as they are.
    ///
    /// # Errors
    /// An output that cannot be finished.
    pub fn finish(self) -> Result<(Summary, S), EngineError> {
        self.cursor.finish(&self.compiled.simulation)
    }
}
