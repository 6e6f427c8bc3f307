//! A run as a cursor: where it is between two steps, and how it goes on.

use std::ops::ControlFlow;

use lems_ir::{Ahead, Backend, Deliveries, Fault, Interpreter, State, emit, make_step};
use lems_output::{Mark, OutputError, OutputStore};

use crate::checkpoint::{self, Checkpoint, Content, Seal};
use crate::{EngineError, Simulation, Sink, TextFiles};

/// What bounds a run, and when it is saved; none of it changes its results.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Steps between two moments at which a checkpoint is due; zero if none is before the end.
    pub steps_between_checkpoints: u64,
    /// Most events on their way at one time.
    pub most_events: usize,
    /// The limit on events without a delay in one step.
    pub deliveries: Deliveries,
}

impl Default for RunSettings {
    fn default() -> Self {
        RunSettings {
            steps_between_checkpoints: 0,
            most_events: usize::MAX,
            deliveries: Deliveries::default(),
        }
    }
}

impl RunSettings {
    /// Sets the limits of the run in its state.
    fn prepare(&self, state: &mut State, simulation: &Simulation) {
        state.queue.limit = self.most_events;
        state.queue.expect_steps_of(simulation.step());
        state.deliveries = self.deliveries.clone();
    }
}

/// Called before the first step, after the last one, and when a checkpoint is due. It decides whether the run
/// continues, and after how many steps it is called again at the latest.
pub type Control<'c> = &'c mut dyn FnMut(&mut Moment<'_, '_>) -> ControlFlow<(), u64>;

/// A run between two steps, as [`Control`] sees it.
pub struct Moment<'m, 's> {
    /// Steps done.
    pub steps: u64,
    /// Simulated time, in seconds.
    pub time: f64,
    /// Whether a checkpoint is due.
    pub due: bool,
    /// The generation of the checkpoint of which this rank must write its part, because rank 0 has said so.
    pub wanted: Option<u64>,
    save: &'m mut Save<'s>,
}

/// Gives a file of a checkpoint: the whole, or this rank's part, or what the parts have in common.
type Save<'s> = dyn FnMut(Option<Common<'_>>) -> Result<Vec<u8>, EngineError> + 's;

/// What a checkpoint has in common with its parts: its generation, and the seals of the parts.
type Common<'c> = (u64, &'c [Seal]);

impl Moment<'_, '_> {
    /// The run as bytes that [`Checkpoint::read`] reads. The outputs are written to disk first.
    ///
    /// If several ranks make the run, these are the bytes of a part: what this rank has of the run.
    ///
    /// # Errors
    /// An output that cannot be written, which ends the run with the same error.
    pub fn checkpoint(&mut self) -> Result<Vec<u8>, EngineError> {
        (self.save)(None)
    }

    /// The bytes of a checkpoint of the run whose variables and events are in parts, one of each rank. The outputs are
    /// written to disk first.
    ///
    /// # Errors
    /// Those of [`Moment::checkpoint`].
    pub fn checkpoint_of_parts(
        &mut self,
        generation: u64,
        parts: &[Seal],
    ) -> Result<Vec<u8>, EngineError> {
        (self.save)(Some((generation, parts)))
    }
}

/// What a run did.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Steps done.
    pub steps: u64,
    /// Simulated time, in seconds.
    pub time: f64,
    /// Paths of the files that were written.
    pub files: Vec<String>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// A variable that is not a number at the end, which nothing recorded has shown.
    pub not_a_number: Option<String>,
}

/// A run between two steps: its state, how far it is, and the sink that its numbers go to.
///
/// It owns no program: every call takes the simulation that it was started with, and a back end of
/// that simulation's program. So the owner of these decides how long they live.
#[derive(Debug)]
pub struct Cursor<S> {
    state: State,
    steps: u64,
    time: f64,
    sink: S,
    steps_between_checkpoints: u64,
    /// The values of a row, to be used again for the next one.
    row: Vec<f64>,
    /// Whether it failed or was ended within a step: it cannot go on.
    stopped: bool,
    /// Why an output could not be written to disk for a checkpoint.
    failure: Option<OutputError>,
    /// The first slot that is not a number at the end, if several ranks have looked for it.
    not_a_number: Option<Option<u32>>,
}

impl<S: Sink> Cursor<S> {
    /// Makes the passes before the first step, and gives the sink the rows of the start.
    ///
    /// # Errors
    /// Those of [`Cursor::advance`].
    pub fn start(
        simulation: &Simulation,
        settings: &RunSettings,
        sink: S,
    ) -> Result<Self, EngineError> {
        let state = simulation.state_at_start(settings);
        let mut cursor = Cursor::new(state, sink, settings);
        cursor.record(simulation)?;
        cursor.look_for_fault(simulation)?;
        Ok(cursor)
    }

    /// Continues from a checkpoint, of which a rank reads what it needs. `open` makes the sink; it is given how far each output was written.
    ///
    /// # Errors
    /// A checkpoint of another run, or an error of `open`.
    pub fn resume(
        simulation: &Simulation,
        backend: &dyn Backend,
        settings: &RunSettings,
        checkpoint: Checkpoint,
        open: impl FnOnce(Vec<Mark>) -> Result<S, OutputError>,
    ) -> Result<Self, EngineError> {
        let (steps, time) = (checkpoint.steps(), checkpoint.time());
        let memory_at_start = || simulation.state_at_start(settings).memory;
        let (mut state, marks) =
            checkpoint.into_state(simulation, backend.share(), memory_at_start)?;
        settings.prepare(&mut state, simulation);
        let cursor = Cursor::new(state, open(marks)?, settings);
        Ok(Cursor {
            steps,
            time,
            ..cursor
        })
    }

    fn new(state: State, sink: S, settings: &RunSettings) -> Self {
        Cursor {
            state,
            steps: 0,
            time: 0.0,
            sink,
            steps_between_checkpoints: settings.steps_between_checkpoints,
            row: Vec::new(),
            stopped: false,
            failure: None,
            not_a_number: None,
        }
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Simulated time, in seconds.
    pub fn time(&self) -> f64 {
        self.time
    }

    /// All variables of all instances now, in columns, in SI units.
    pub fn memory(&self) -> &[f64] {
        &self.state.memory
    }

    /// What the numbers go to.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// The same, for a reader that takes numbers out.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Continues with the parameters of another simulation, whose program has the code of this one.
    ///
    /// # Panics
    /// The simulation has another memory.
    pub fn change_values(&mut self, simulation: &Simulation) {
        let memory = &simulation.program.memory;
        assert_eq!(
            memory.len(),
            self.state.memory.len(),
            "this is a bug in jlems-rs"
        );
        for slots in &simulation.fixed {
            let slots = slots.start as usize..slots.end as usize;
            self.state.memory[slots.clone()].copy_from_slice(&memory[slots]);
        }
    }

    /// The sink. Outputs that are not finished stay so.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Whether the run cannot go on: it failed, or was ended while a step delivered events.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether all steps of the run are done.
    pub fn is_at_end(&self, simulation: &Simulation) -> bool {
        self.steps >= simulation.steps()
    }

    /// Makes steps until the run has made `until` steps in all, or is at its end. Rows and events go to the
    /// sink.
    ///
    /// # Errors
    /// A recorded value that is no finite number, events without end, an output that cannot be
    /// written. The run cannot go on then.
    pub fn advance(
        &mut self,
        simulation: &Simulation,
        backend: &dyn Backend,
        until: u64,
    ) -> Result<(), EngineError> {
        let until = until.min(simulation.steps());
        let result = self.advance_to(simulation, backend, until);
        self.stopped |= result.is_err();
        result
    }

    fn advance_to(
        &mut self,
        simulation: &Simulation,
        backend: &dyn Backend,
        until: u64,
    ) -> Result<(), EngineError> {
        let step = simulation.step();
        backend.expect(Ahead {
            done: self.steps,
            until,
            every: simulation.steps_between_rows(),
        });
        while self.steps < until && !self.stopped {
            let most = (until - self.steps).min(steps_to_multiple(
                self.steps,
                simulation.steps_between_rows(),
            ));
            match backend.steps(&mut self.state, &mut self.time, step, most) {
                // The back end goes call by call.
                0 => {
                    self.time = simulation
                        .program
                        .clock
                        .end_of_step(self.steps, self.time, step);
                    let (program, state) = (&*simulation.program, &mut self.state);
                    make_step(program, backend, state, self.time, step);
                    self.steps += 1;
                }
                made => self.steps += made,
            }
            // What a step that did not come to its end leaves is no row.
            if self.state.fault.is_none() {
                self.record(simulation)?;
            }
            self.look_for_fault(simulation)?;
        }
        Ok(())
    }

    /// Sends an event between two steps as if a source of the network sent it, with the time of now: to all that is
    /// connected to it, and to the event files that record it. [`Simulation::source`] finds the source, and
    /// [`Simulation::inlets`] has those that send into a port.
    ///
    /// # Errors
    /// Events without end, an output that cannot be written. The run cannot go on then.
    pub fn send(
        &mut self,
        simulation: &Simulation,
        backend: &dyn Backend,
        source: u32,
    ) -> Result<(), EngineError> {
        if self.stopped {
            return Ok(());
        }
        self.state.now = self.time;
        self.state.deliveries.begin_step();
        emit(&simulation.program, backend, &mut self.state, source);
        let result = match self.state.fault.take() {
            None => self.record_events(simulation),
            Some(fault) => Err(fault.into()),
        };
        self.stopped |= result.is_err();
        result
    }

    /// Runs to the end, or until `control` stops the run. Returns whether the end was reached.
    ///
    /// # Errors
    /// Those of [`Cursor::advance`], and those of writing a checkpoint that `control` asked for.
    pub fn run(
        &mut self,
        simulation: &Simulation,
        backend: &dyn Backend,
        control: Control<'_>,
    ) -> Result<bool, EngineError> {
        let is_at_end = self.run_to_end(simulation, backend, control)?;
        if let Some(share) = backend.share() {
            let is_here = |slot| !share.is_elsewhere(slot);
            let own = simulation.first_not_a_number(&self.state.memory, is_here);
            self.not_a_number = Some(share.end(own)?);
        }
        Ok(is_at_end)
    }

    fn run_to_end(
        &mut self,
        simulation: &Simulation,
        backend: &dyn Backend,
        control: Control<'_>,
    ) -> Result<bool, EngineError> {
        let mut next_call = self.steps;
        while !self.stopped {
            let at_end = self.is_at_end(simulation);
            let between_checkpoints = self.steps_between_checkpoints;
            let due = at_end || (self.steps > 0 && self.steps.is_multiple_of(between_checkpoints));
            if due || self.steps >= next_call {
                let (steps, time) = (self.steps, self.time);
                let mut save = |common: Option<Common<'_>>| match common {
                    None => self.checkpoint(simulation, backend),
                    Some((generation, parts)) => {
                        let marks = self.marks()?;
                        let content = Content::Common {
                            marks: &marks,
                            generation,
                            parts,
                        };
                        Ok(self.written(simulation, content))
                    }
                };
                let mut moment = Moment {
                    steps,
                    time,
                    due,
                    wanted: None,
                    save: &mut save,
                };
                let wish = control(&mut moment);
                if let Some(error) = self.failure.take() {
                    self.stopped = true;
                    return Err(error.into());
                }
                match wish {
                    ControlFlow::Break(()) if !at_end => return Ok(false),
                    ControlFlow::Break(()) => {}
                    ControlFlow::Continue(steps) => {
                        next_call = self.steps.saturating_add(steps.max(1));
                    }
                }
            }
            if at_end {
                return Ok(true);
            }
            let next_checkpoint = self
                .steps
                .saturating_add(steps_to_multiple(self.steps, between_checkpoints));
            self.advance(simulation, backend, next_call.min(next_checkpoint))?;
        }
        Ok(false)
    }

    /// The run as bytes that [`Checkpoint::read`] reads, or what this rank has of it. The outputs are written to disk
    /// first.
    ///
    /// # Errors
    /// An output that cannot be written.
    pub fn checkpoint(
        &mut self,
        simulation: &Simulation,
        backend: &dyn Backend,
    ) -> Result<Vec<u8>, EngineError> {
        if let Some(share) = backend.share() {
            return Ok(self.written(simulation, Content::Part(share)));
        }
        let marks = self.marks()?;
        Ok(self.written(simulation, Content::Whole { marks: &marks }))
    }

    /// How far the outputs have been written to disk.
    fn marks(&mut self) -> Result<Vec<Mark>, EngineError> {
        let marks = self.sink.marks().inspect_err(|error| {
            self.failure = Some(error.clone());
        })?;
        Ok(marks)
    }

    /// A file of a checkpoint.
    fn written(&self, simulation: &Simulation, content: Content<'_>) -> Vec<u8> {
        let reached = (self.steps, self.time);
        checkpoint::write(simulation, &self.state, reached, content)
    }

    /// Ends the run: outputs of one that is at its end become complete, others stay as they are.
    ///
    /// # Errors
    /// An output that cannot be finished.
    pub fn finish(mut self, simulation: &Simulation) -> Result<(Summary, S), EngineError> {
        let interrupted = !self.is_at_end(simulation);
        let files = if interrupted {
            Vec::new()
        } else {
            self.sink.finish()?
        };
        let summary = Summary {
            steps: self.steps,
            time: self.time,
            files,
            interrupted,
            not_a_number: (self.not_a_number)
                .unwrap_or_else(|| simulation.first_not_a_number(&self.state.memory, |_| true))
                .and_then(|slot| simulation.name_of(slot)),
        };
        Ok((summary, self.sink))
    }

    /// Gives the sink the events of the step, and the rows of this moment if there are some.
    fn record(&mut self, simulation: &Simulation) -> Result<(), EngineError> {
        self.record_events(simulation)?;
        if !self.steps.is_multiple_of(simulation.every()) {
            return Ok(());
        }
        for (number, file) in simulation.data_files.iter().enumerate() {
            self.row.clear();
            for recorder in &file.columns {
                let value = recorder.value(&self.state.memory);
                if !value.is_finite() && !file.drawn {
                    return Err(EngineError::NotFinite {
                        quantity: recorder.quantity.clone(),
                        value,
                        time: self.time,
                    });
                }
                self.row.push(value);
            }
            self.sink.row(number, self.time, &self.row)?;
        }
        Ok(self.sink.end_of_rows(self.time)?)
    }

    fn record_events(&mut self, simulation: &Simulation) -> Result<(), EngineError> {
        for selection in self.state.recorded.drain(..) {
            if let Some(mistake) = simulation.stop(selection) {
                return Err(EngineError::Mistake {
                    mistake: Box::new(mistake.clone()),
                    time: self.time,
                });
            }
            if let Some((file, index)) = simulation.selection(selection) {
                self.sink.event(file, index, self.time)?;
            }
        }
        Ok(())
    }

    /// Ends the run if its state says so.
    fn look_for_fault(&mut self, simulation: &Simulation) -> Result<(), EngineError> {
        match self.state.fault.take() {
            None => Ok(()),
            // The step did not come to its end: the one before it is the last.
            Some(Fault::Ended { .. }) => {
                self.steps = self.steps.saturating_sub(1);
                self.time = (self.time - simulation.step()).max(0.0);
                self.stopped = true;
                Ok(())
            }
            Some(fault) => Err(fault.into()),
        }
    }
}

/// Steps after `done` to the next multiple of `period`; no bound if it is zero.
fn steps_to_multiple(done: u64, period: u64) -> u64 {
    match done.checked_rem(period) {
        Some(over) => period - over,
        None => u64::MAX,
    }
}

impl Simulation {
    /// Everything that changes in a run, as it is after the initial passes and before the first step.
    pub fn state_at_start(&self, settings: &RunSettings) -> State {
        let mut state = State::new(&self.program, 0);
        state.random = self.random.clone();
        settings.prepare(&mut state, self);
        Interpreter::new(&self.program).run_setup(&mut state);
        state
    }

    /// Runs to the end with `backend`, which must be one for this program, and writes jLEMS's text
    /// files: from the start, or from a checkpoint, with the same results.
    ///
    /// # Errors
    /// A checkpoint of another run; a recorded value that is no finite number, events without end,
    /// an output that cannot be written. Outputs that were begun are then left under their partial
    /// names.
    pub fn run(
        &self,
        backend: &dyn Backend,
        store: &mut dyn OutputStore,
        from: Option<Checkpoint>,
        settings: &RunSettings,
        control: Control<'_>,
    ) -> Result<Summary, EngineError> {
        let mut cursor = match from {
            None => Cursor::start(self, settings, TextFiles::create(self, store)?)?,
            Some(checkpoint) => Cursor::resume(self, backend, settings, checkpoint, |marks| {
                TextFiles::reopen(self, store, marks)
            })?,
        };
        cursor.run(self, backend, control)?;
        Ok(cursor.finish(self)?.0)
    }
}
