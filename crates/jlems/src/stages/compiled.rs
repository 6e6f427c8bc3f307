//! The last two stages: a run that is compiled, and a run that one advances.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lems_engine::{
    Checkpoint, Cursor, EngineError, RunSettings, Simulation, Sink, Summary, Traces,
};
use lems_ir::Deliveries;
use lems_output::{Mark, OutputError};
use lems_ranks::{Part, RankBackend};

use super::backend::{SharedBackend, back_end};
use super::{Budget, Built, cut};
use crate::{Code, Failure, LimitError, Options, Pace, Stage};

impl Built {
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
                let cut = cut::cut(simulation, ranks);
                let (rank, size) = (ranks.rank(), ranks.size());
                let part = Part::new(&simulation.program, recorded, rank, size, cut.as_ref());
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

/// A run that is ready to start, as often as one likes: it does not change.
#[derive(Clone)]
pub struct Compiled {
    simulation: Arc<Simulation>,
    backend: SharedBackend,
    budget: Budget,
    /// If some ranks have nothing to do: why.
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

    /// If some of the ranks that make the run together have nothing to do: why.
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

    /// Continues a run that was saved. `open` makes the sink; it is given how far each output was written.
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
        let cursor = Cursor::resume(
            &self.simulation,
            &*self.backend,
            &settings,
            checkpoint,
            open,
        )?;
        Ok(self.run(cursor))
    }

    /// Whether the time that the limits allow is not over.
    ///
    /// # Errors
    /// It is.
    pub(crate) fn time_left(&self) -> Result<(), LimitError> {
        self.budget.time_left()
    }

    /// Chooses when a run is looked at.
    pub(crate) fn pace(&self) -> Pace {
        self.budget.pace()
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

/// Whether a step that delivers very many events must end. That is so some time after the time limit or a request
/// to end the run: most steps finish within that time, and then nothing is lost.
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

/// Why a run has ended early.
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

    /// Whether the run cannot continue, although it is not at its end: it failed, or it was ended by
    /// [`Options::interrupted`] while a step delivered events.
    pub fn is_stopped(&self) -> bool {
        self.cursor.is_stopped()
    }

    /// Continues with the parameters of another run of the same model. Variables stay as they are.
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
    /// A recorded value that is no finite number, events without end, what the sink cannot store, the
    /// limit on time. The run can continue only after the last one.
    pub fn advance(&mut self, until: f64) -> Result<(), RunError> {
        self.advance_to(steps_in(until, self.compiled.simulation.step()))
    }

    /// Makes a number of steps, or all that are left if they are fewer.
    ///
    /// # Errors
    /// Those of [`Run::advance`].
    pub fn step(&mut self, steps: u64) -> Result<(), RunError> {
        self.advance_to(self.steps().saturating_add(steps))
    }

    /// Sends an event between two steps, as if a source of the network sent it now: to everything that is
    /// connected to the source, and to the sink. [`Simulation::source`] finds the source of a recorded event, and
    /// [`Simulation::inlets`] has the ports of [`Options::inlets`]. A run of several ranks takes no events from outside.
    ///
    /// # Errors
    /// Events without end, what the sink cannot store. The run cannot continue after an error.
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
        let mut pace = budget.pace();
        let until = until.min(simulation.steps());
        while self.cursor.steps() < until && !self.cursor.is_stopped() {
            budget.time_left()?;
            let next = until.min(self.cursor.steps().saturating_add(pace.steps()));
            self.cursor.advance(simulation, &**backend, next)?;
        }
        // A step that delivers events without end is ended because the time is over.
        Ok(budget.time_left()?)
    }

    /// Runs to the end, or until `control` stops the run. Returns whether the end was reached.
    ///
    /// # Errors
    /// Those of [`Run::advance`] except the limit on time, which `control` checks.
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

    /// The run as bytes, for [`Checkpoint::read`] and [`Compiled::resume`]. If several ranks make it, these are the bytes
    /// of a part.
    ///
    /// # Errors
    /// An output cannot be written to disk.
    pub fn checkpoint(&mut self) -> Result<Vec<u8>, EngineError> {
        let Compiled {
            simulation,
            backend,
            ..
        } = &self.compiled;
        self.cursor.checkpoint(simulation, &**backend)
    }

    /// Ends the run: the outputs of one that is at its end become complete, others stay as they are.
    ///
    /// # Errors
    /// An output that cannot be finished.
    pub fn finish(self) -> Result<(Summary, S), EngineError> {
        self.cursor.finish(&self.compiled.simulation)
    }
}
