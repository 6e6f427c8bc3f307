//! One run of a model.

use std::ops::ControlFlow;

use lems_expression::Dimension;
use lems_ir::{Backend, Deliveries, Fault, Interpreter, Probe, Program, State, deliver_due};
use lems_lower::{Lowered, Recorded, lower};
use lems_math::JavaRandom;
use lems_model::Model;
use lems_network::{EventFormat, Experiment, Network, NetworkError, Run, Shapes, Variable};
use lems_output::{DataFile, EventFile, Mark, OutputError, OutputStore, TimesFile};

use crate::checkpoint::{self, Reopening};
use crate::{Checkpoint, EngineError};

/// How many steps of instances pass, about, between two looks at the outside world.
const STEPS_BETWEEN_LOOKS: usize = 1 << 14;

/// A run that is ready to start: program, recorders, number of steps.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The compiled form of the network.
    pub program: Program,
    /// Names of the columns in memory: first slot, and the variable that it holds.
    pub columns: Vec<(u32, String)>,
    /// Legal, but surely not meant.
    pub warnings: Vec<NetworkError>,
    /// Number of instances.
    pub instances: usize,
    /// Only every so manieth row of data is written, beginning with the first.
    pub every: u64,
    /// Which of the runs of the target this is, from zero.
    pub number: u64,
    /// Steps between two moments at which a checkpoint is due; zero if none is before the end.
    pub steps_between_checkpoints: u64,
    /// Most events on their way at one time.
    pub most_events: usize,
    /// What bounds the events without a delay of one step.
    pub deliveries: Deliveries,
    pub(crate) run: Run,
    pub(crate) random: JavaRandom,
    pub(crate) data_files: Vec<DataPlan>,
    pub(crate) event_files: Vec<EventPlan>,
    pub(crate) times_file: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct DataPlan {
    pub(crate) path: String,
    /// Whether it is for a picture, in which a value that is not finite is a gap.
    drawn: bool,
    pub(crate) columns: Vec<Recorder>,
}

/// What a column of a file records.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(crate) probe: Probe,
    /// What the SI value is divided by.
    pub scale: f64,
    /// Path of the quantity, from the root of the run.
    pub quantity: String,
    /// Its dimension, if it is a variable that has one.
    pub dimension: Option<Dimension>,
}

#[derive(Debug, Clone)]
pub(crate) struct EventPlan {
    path: String,
    format: Option<lems_output::EventFormat>,
    ids: Vec<String>,
    /// Number of the file's first selection among all.
    first: usize,
}

/// What is asked between steps, and after the last one: whether to go on.
pub type Control<'c> = &'c mut dyn FnMut(&mut Moment<'_, '_>) -> ControlFlow<()>;

/// A run between two steps.
pub struct Moment<'m, 's> {
    /// Steps done.
    pub steps: u64,
    /// Simulated time, in seconds.
    pub time: f64,
    /// Whether a checkpoint is due.
    pub due: bool,
    state: &'m State,
    outputs: &'m mut Outputs<'s>,
}

impl Moment<'_, '_> {
    /// The run as bytes that [`Checkpoint::read`] reads; what its outputs got is in safety before.
    ///
    /// # Errors
    /// An output that cannot be written, which ends the run with the same error.
    pub fn checkpoint(&mut self) -> Result<Vec<u8>, EngineError> {
        let marks = self.outputs.marks().inspect_err(|error| {
            self.outputs.failure = Some(error.clone());
        })?;
        let simulation = self.outputs.simulation;
        Ok(checkpoint::write(
            simulation, self.state, self.steps, self.time, &marks,
        ))
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
    /// Whether the run was told to stop before its end.
    pub interrupted: bool,
    /// A variable that is not a number at the end, which nothing recorded has shown.
    pub not_a_number: Option<String>,
}

impl Simulation {
    /// Builds the network of one run of an experiment and its program.
    ///
    /// # Errors
    /// All paths, names and ports that lead nowhere.
    pub fn new(
        model: &Model<'_>,
        experiment: &Experiment<'_>,
        run: Run,
        times_file: Option<String>,
    ) -> Result<Simulation, Vec<NetworkError>> {
        let random = experiment.random.clone();
        let network = Network::build_within(model, run.target, random, experiment.most_instances)?;
        let doubts = network.doubts(experiment, &run);
        let shapes = Shapes::of(&network);
        let mut errors = Vec::new();
        let mut recorded = Recorded::default();
        let mut data_files = Vec::new();
        for file in &experiment.data_files {
            let mut columns = Vec::new();
            for recording in &file.columns {
                match network.column(recording) {
                    Ok(column) => {
                        let dimension = network.dimension(&column.value);
                        columns.push((recorded.values.len(), column.scale, recording, dimension));
                        recorded.values.push(column.value);
                    }
                    Err(error) => errors.push(error),
                }
            }
            data_files.push((file.path.clone(), file.drawn, columns));
        }
        for line in experiment
            .displays
            .iter()
            .flat_map(|display| &display.lines)
        {
            errors.extend(network.column(&line.recording).err());
        }
        let mut event_files = Vec::new();
        for file in &experiment.event_files {
            let first = recorded.events.len();
            let mut ids = Vec::new();
            for selection in &file.selections {
                match network.selection(selection) {
                    Ok((instance, port)) => {
                        recorded.events.push((instance, port.unwrap_or("")));
                        ids.push(selection.id.to_owned());
                    }
                    Err(error) => errors.push(error),
                }
            }
            let format = file.format.map(|format| match format {
                EventFormat::IdTime => lems_output::EventFormat::IdTime,
                EventFormat::TimeId => lems_output::EventFormat::TimeId,
            });
            event_files.push(EventPlan {
                path: file.path.clone(),
                format,
                ids,
                first,
            });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let Lowered {
            program,
            values,
            columns,
        } = lower(&network, &shapes, &recorded)?;
        let data_files = (data_files.into_iter())
            .map(|(path, drawn, columns)| DataPlan {
                path,
                drawn,
                columns: (columns.into_iter())
                    .map(|(value, scale, recording, dimension)| Recorder {
                        probe: values[value],
                        scale,
                        quantity: recording.quantity.value().to_owned(),
                        dimension,
                    })
                    .collect(),
            })
            .collect();
        debug_assert!(
            (recorded.values.iter())
                .zip(&values)
                .all(
                    |(value, probe)| matches!(value.variable, Variable::Fixed(_))
                        == matches!(probe, Probe::Constant(_))
                )
        );
        Ok(Simulation {
            program,
            columns,
            instances: network.instances.len(),
            every: 1,
            number: 0,
            steps_between_checkpoints: 0,
            most_events: usize::MAX,
            deliveries: Deliveries::default(),
            warnings: (network.warnings.into_inner().into_iter())
                .chain(experiment.warnings.iter().cloned())
                .chain(doubts)
                .collect(),
            run,
            random: network.random,
            data_files,
            event_files,
            times_file,
        })
    }

    /// The simulation in fewer operations, with other rounding errors than jLEMS's; `fused` if the
    /// processor multiplies and adds at once.
    pub fn fast(mut self, fused: bool) -> Simulation {
        let recorders = self.data_files.iter().flat_map(|file| &file.columns);
        let recorded: Vec<Probe> = recorders.map(|recorder| recorder.probe).collect();
        self.program = lems_optimise::fast(self.program, &recorded, fused);
        self
    }

    /// Paths of the data files and what their columns after the time record.
    pub fn recordings(&self) -> impl Iterator<Item = (&str, &[Recorder])> {
        let files = self.data_files.iter();
        files.map(|file| (file.path.as_str(), file.columns.as_slice()))
    }

    /// Length of a step, in seconds.
    pub fn step(&self) -> f64 {
        self.run.step
    }

    /// Number of steps of the run.
    pub fn steps(&self) -> u64 {
        self.run.steps
    }

    /// Runs to the end with `backend`, which must be one for this program: from the start, or from
    /// a checkpoint, with the same results.
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
        control: Control<'_>,
    ) -> Result<Summary, EngineError> {
        let (mut outputs, mut state, mut done, mut time) = match from {
            None => {
                let mut outputs = Outputs::create(self, store)?;
                let mut state = State::new(&self.program, 0);
                state.random = self.random.clone();
                self.prepare(&mut state);
                Interpreter::new(&self.program).run_setup(&mut state);
                outputs.record(&mut state, 0.0, 0)?;
                (outputs, state, 0, 0.0)
            }
            Some(checkpoint) => {
                let (done, time) = (checkpoint.steps, checkpoint.time);
                let (mut state, marks) = checkpoint.into_parts(self)?;
                self.prepare(&mut state);
                let marks = marks.into_iter();
                let outputs = Outputs::create(self, &mut Reopening { store, marks })?;
                (outputs, state, done, time)
            }
        };
        let between_looks = (STEPS_BETWEEN_LOOKS / self.instances.max(1)).clamp(1, 256) as u64;
        let interrupted = loop {
            match state.fault.take() {
                Some(Fault::Ended { .. }) => {
                    done = done.saturating_sub(1);
                    time = (time - self.run.step).max(0.0);
                    break true;
                }
                Some(fault) => return Err(fault.into()),
                None => {}
            }
            let at_end = done >= self.run.steps;
            let due = at_end || (done > 0 && done.is_multiple_of(self.steps_between_checkpoints));
            if due || done.is_multiple_of(between_looks) {
                let mut moment = Moment {
                    steps: done,
                    time,
                    due,
                    state: &state,
                    outputs: &mut outputs,
                };
                let is_break = control(&mut moment).is_break();
                if let Some(error) = outputs.failure.take() {
                    return Err(error.into());
                }
                if is_break && !at_end {
                    break true;
                }
            }
            if at_end {
                break false;
            }
            let most = (self.steps_to(done, between_looks))
                .min(self.steps_to(done, self.steps_between_checkpoints))
                .min(self.steps_to(done, outputs.steps_between_rows()));
            match backend.steps(&mut state, &mut time, self.run.step, most) {
                0 => {
                    time += self.run.step;
                    advance(&self.program, backend, &mut state, time, self.run.step);
                    done += 1;
                }
                made => done += made,
            }
            // What a step that did not come to its end leaves is no row.
            if state.fault.is_none() {
                outputs.record(&mut state, time, done)?;
            }
        };
        let files = if interrupted {
            Vec::new()
        } else {
            outputs.finish()?
        };
        Ok(Summary {
            steps: done,
            time,
            files,
            interrupted,
            not_a_number: self.not_a_number(&state),
        })
    }

    /// Tells a state what the run demands of it.
    fn prepare(&self, state: &mut State) {
        state.queue.limit = self.most_events;
        state.queue.expect_steps_of(self.run.step);
        state.deliveries = self.deliveries.clone();
    }

    /// Steps after `done` to the end, or to the next multiple of `period`; zero stands for none.
    fn steps_to(&self, done: u64, period: u64) -> u64 {
        let left = self.run.steps - done;
        match done.checked_rem(period) {
            Some(over) => left.min(period - over),
            None => left,
        }
    }

    /// The first variable that has become NaN, if any has.
    fn not_a_number(&self, state: &State) -> Option<String> {
        let mut slots = state.memory.iter().zip(&self.program.memory);
        let slot = slots.position(|(now, first)| now.is_nan() && !first.is_nan())?;
        let names = self
            .columns
            .iter()
            .filter(|(first, _)| *first as usize <= slot);
        names
            .max_by_key(|(first, _)| *first)
            .map(|(_, name)| name.clone())
    }
}

/// Makes one step, which ends at `time`, in seconds.
pub(crate) fn advance(
    program: &Program,
    backend: &dyn Backend,
    state: &mut State,
    time: f64,
    step: f64,
) {
    deliver_due(backend, state, time);
    for call in &program.schedule {
        backend.advance(state, *call, time, step);
    }
}

/// The open files of a run.
struct Outputs<'s> {
    simulation: &'s Simulation,
    data_files: Vec<DataFile>,
    event_files: Vec<EventFile>,
    times_file: Option<TimesFile>,
    row: Vec<f64>,
    /// Why an output could not be brought into safety for a checkpoint.
    failure: Option<OutputError>,
}

impl<'s> Outputs<'s> {
    fn create(
        simulation: &'s Simulation,
        store: &mut dyn OutputStore,
    ) -> Result<Self, EngineError> {
        let mut data_files = Vec::new();
        for plan in &simulation.data_files {
            data_files.push(DataFile::create(store, &plan.path)?);
        }
        let mut event_files = Vec::new();
        for plan in &simulation.event_files {
            let format = plan.format.unwrap_or(lems_output::EventFormat::IdTime);
            event_files.push(EventFile::create(store, &plan.path, format, &plan.ids)?);
        }
        let times_file = match &simulation.times_file {
            Some(path) => Some(TimesFile::create(store, path)?),
            None => None,
        };
        Ok(Outputs {
            simulation,
            data_files,
            event_files,
            times_file,
            row: Vec::new(),
            failure: None,
        })
    }

    fn record(&mut self, state: &mut State, time: f64, step: u64) -> Result<(), EngineError> {
        for selection in state.recorded.drain(..) {
            let selection = selection as usize;
            let plans = self
                .simulation
                .event_files
                .iter()
                .zip(&mut self.event_files);
            for (plan, file) in plans {
                if let Some(index) = selection.checked_sub(plan.first)
                    && index < plan.ids.len()
                    && plan.format.is_some()
                {
                    file.event(index, time)?;
                }
            }
        }
        if !step.is_multiple_of(self.simulation.every.max(1)) {
            return Ok(());
        }
        for (plan, file) in self.simulation.data_files.iter().zip(&mut self.data_files) {
            self.row.clear();
            self.row.push(time);
            for recorder in &plan.columns {
                let value = match recorder.probe {
                    Probe::Slot(slot) => state.memory[slot as usize],
                    Probe::Constant(value) => value,
                };
                if !value.is_finite() && !plan.drawn {
                    return Err(EngineError::NotFinite {
                        quantity: recorder.quantity.clone(),
                        value,
                        time,
                    });
                }
                self.row.push(value / recorder.scale);
            }
            file.row(&self.row)?;
        }
        if let Some(times) = &mut self.times_file {
            times.time(time)?;
        }
        Ok(())
    }

    /// Steps from one row to the next; zero if none are written.
    fn steps_between_rows(&self) -> u64 {
        match self.data_files.is_empty() && self.times_file.is_none() {
            true => 0,
            false => self.simulation.every.max(1),
        }
    }

    fn marks(&mut self) -> Result<Vec<Mark>, OutputError> {
        let data = self.data_files.iter_mut().map(DataFile::mark);
        let events = self.event_files.iter_mut().map(EventFile::mark);
        let times = self.times_file.iter_mut().map(TimesFile::mark);
        data.chain(events).chain(times).collect()
    }

    fn finish(self) -> Result<Vec<String>, EngineError> {
        let mut paths = Vec::new();
        for (plan, file) in self.simulation.data_files.iter().zip(self.data_files) {
            file.finish()?;
            paths.push(plan.path.clone());
        }
        for (plan, file) in self.simulation.event_files.iter().zip(self.event_files) {
            file.finish()?;
            paths.push(plan.path.clone());
        }
        if let (Some(path), Some(file)) = (&self.simulation.times_file, self.times_file) {
            file.finish()?;
            paths.push(path.clone());
        }
        Ok(paths)
    }
}
