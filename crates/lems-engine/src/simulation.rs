//! One run of a model, ready to start.

use std::ops::Range;
use std::sync::Arc;

use lems_expression::Dimension;
use lems_ir::{Action, Cable, Probe, Program, Target};
use lems_lower::{Division, Lowered, Method, Recorded, lower};
use lems_math::JavaRandom;
use lems_model::{Model, ModelError};
use lems_network::{
    EventFormat, Experiment, Network, NetworkError, Run, ShapeId, Shapes, Variable,
};

/// A run that is ready to start: program, recorders, number of steps.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The compiled form of the network.
    pub program: Arc<Program>,
    /// Names of the columns in memory: first slot, and the variable that it holds.
    pub columns: Vec<(u32, String)>,
    /// First slots of columns, and the shape to whose members the slots belong.
    pub shapes: Vec<(u32, ShapeId)>,
    /// Slots of values that nothing changes while it runs, such as parameters.
    pub(crate) fixed: Vec<Range<u32>>,
    /// What is legal, but probably a mistake.
    pub warnings: Vec<NetworkError>,
    /// Number of instances of the whole network.
    pub instances: usize,
    /// Which part of the whole program this is; none if it is the whole, and not divided.
    pub division: Option<Division>,
    /// The checksum of the whole, if this is a part of it.
    pub(crate) whole: Option<u64>,
    /// What of the run is recorded.
    pub(crate) recording: RecordSettings,
    pub(crate) run: Run,
    pub(crate) random: JavaRandom,
    pub(crate) data_files: Vec<DataPlan>,
    pub(crate) event_files: Vec<EventPlan>,
    /// Paths of the ports that take events from outside; `first_inlet` is the source of the first.
    inlets: Vec<String>,
    /// Mistakes that end the run when it gets there: they are recorded behind the selections of all event files.
    stops: Vec<ModelError>,
    pub(crate) first_inlet: u32,
}

/// Which of the runs of a target a simulation makes, and how it is recorded where the model does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSettings {
    /// Which of the runs of the target this is, from zero.
    pub number: u64,
    /// Data files get every N-th row, beginning with the first; 0 and 1 mean all rows.
    pub every: u64,
    /// Name of the file of times, if one is wanted.
    pub times_file: Option<String>,
}

impl Default for RecordSettings {
    fn default() -> Self {
        RecordSettings {
            number: 0,
            every: 1,
            times_file: None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct DataPlan {
    pub(crate) path: String,
    /// Whether it is for a picture, in which a value that is not finite is a gap.
    pub(crate) drawn: bool,
    pub(crate) columns: Vec<Recorder>,
}

/// What a column of a file records.
#[derive(Debug, Clone)]
pub struct Recorder {
    /// Where the value is.
    pub probe: Probe,
    /// What the SI value is divided by.
    pub scale: f64,
    /// Path of the quantity, from the root of the run.
    pub quantity: String,
    /// Its dimension, if it is a variable that has one.
    pub dimension: Option<Dimension>,
}

#[derive(Debug, Clone)]
pub(crate) struct EventPlan {
    pub(crate) path: String,
    pub(crate) format: Option<lems_output::EventFormat>,
    pub(crate) ids: Vec<String>,
    /// Number of the file's first selection among all.
    first: usize,
}

impl Recorder {
    /// Its value in a memory, in SI units.
    pub(crate) fn value(&self, memory: &[f64]) -> f64 {
        match self.probe {
            Probe::Slot(slot) => memory[slot as usize],
            Probe::Constant(value) => value,
        }
    }
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
        recording: RecordSettings,
        method: Method,
    ) -> Result<Simulation, Vec<NetworkError>> {
        Simulation::of_network(
            experiment.network(model, run)?,
            experiment,
            run,
            recording,
            method,
        )
    }

    /// The program of a network that an experiment runs.
    ///
    /// # Errors
    /// Those of [`Simulation::new`].
    pub fn of_network<'d>(
        network: Network<'_, 'd>,
        experiment: &Experiment<'d>,
        run: Run,
        recording: RecordSettings,
        method: Method,
    ) -> Result<Simulation, Vec<NetworkError>> {
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
                    // The lines of displays are looked at below.
                    Err(_) if file.drawn => {}
                    Err(error) => errors.push(error),
                }
            }
            data_files.push((file.path.clone(), file.drawn, columns));
        }
        let mut lines = Vec::new();
        for line in experiment
            .displays
            .iter()
            .flat_map(|display| &display.lines)
        {
            // Only a drawing lacks such a line, and files made for cells with dendrites have some.
            let refused = network.cables.all.is_empty();
            match network.column(&line.recording) {
                Ok(_) => {}
                Err(error) if refused => errors.push(error),
                Err(error) => {
                    let error = Box::new(error);
                    lines.push(NetworkError::UndrawnLine { error });
                }
            }
        }
        network.warnings.borrow_mut().extend(lines);
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
        let mut inlets = Vec::new();
        for path in &experiment.inlets {
            match network.inlets(*path) {
                Ok(found) => inlets.extend(found),
                Err(error) => errors.push(error),
            }
        }
        recorded.inlets = inlets.iter().map(|one| (one.instance, one.port)).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let Lowered {
            program,
            values,
            columns,
            shapes: shapes_of_columns,
            fixed,
            inlets: first_inlet,
            stops,
            mut division,
        } = lower(&network, &shapes, &recorded, method)?;
        division.is_sound &= network.distribution.is_none()
            || (recorded.values.iter()).all(|value| network.is_known_to_all(value))
                && (recorded.events.iter()).all(|(sender, _)| network.has_place_on_all(*sender));
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
            program: Arc::new(program),
            columns,
            shapes: shapes_of_columns,
            fixed,
            instances: network.size(),
            division: Some(division),
            whole: None,
            warnings: (network.warnings.into_inner().into_iter())
                .chain(experiment.warnings.iter().cloned())
                .chain(doubts)
                .collect(),
            run,
            random: network.random,
            data_files,
            event_files,
            recording,
            inlets: inlets.into_iter().map(|inlet| inlet.path).collect(),
            stops,
            first_inlet,
        })
    }

    /// The simulation in fewer operations, with other rounding errors than jLEMS's; `fused` if the
    /// processor multiplies and adds at once.
    pub fn fast(mut self, fused: bool) -> Simulation {
        let recorders = self.data_files.iter().flat_map(|file| &file.columns);
        let mut recorded: Vec<Probe> = recorders.map(|recorder| recorder.probe).collect();
        // Cables read what kernels store for them.
        let cables = self.program.cables.iter();
        recorded.extend(cables.flat_map(Cable::slots).map(Probe::Slot));
        let program = Arc::unwrap_or_clone(self.program);
        self.division = None;
        self.program = Arc::new(lems_optimise::fast(program, &recorded, fused));
        self
    }

    /// Paths of the data files and what their columns after the time record.
    pub fn recordings(&self) -> impl Iterator<Item = (&str, &[Recorder])> {
        let files = self.data_files.iter();
        files.map(|file| (file.path.as_str(), file.columns.as_slice()))
    }

    /// Paths of the event files, and the ids of their selections.
    pub fn event_files(&self) -> impl Iterator<Item = (&str, &[String])> {
        let files = self.event_files.iter();
        files.map(|file| (file.path.as_str(), file.ids.as_slice()))
    }

    /// Says that it is part of a whole with this checksum.
    pub fn set_whole(&mut self, checksum: u64) {
        self.whole = Some(checksum);
    }

    /// Whether other ranks have other parts of the program.
    pub fn is_part(&self) -> bool {
        let division = self.division.as_ref();
        division.is_some_and(|division| !division.positions.is_empty())
    }

    /// Slots of memory with the values that are recorded.
    pub fn recorded_slots(&self) -> impl Iterator<Item = u32> {
        let columns = self.data_files.iter().flat_map(|file| &file.columns);
        columns.filter_map(|column| match column.probe {
            Probe::Slot(slot) => Some(slot),
            Probe::Constant(_) => None,
        })
    }

    /// Which of the runs of the target this is, from zero.
    pub fn number(&self) -> u64 {
        self.recording.number
    }

    /// Steps from one recorded row to the next.
    pub fn every(&self) -> u64 {
        self.recording.every.max(1)
    }

    /// Length of a step, in seconds.
    pub fn step(&self) -> f64 {
        self.run.step
    }

    /// Number of steps of the run.
    pub fn steps(&self) -> u64 {
        self.run.steps
    }

    /// Steps from one row to the next; zero if none are recorded.
    pub(crate) fn steps_between_rows(&self) -> u64 {
        if self.data_files.is_empty() && self.recording.times_file.is_none() {
            0
        } else {
            self.every()
        }
    }

    /// The mistake that ends the run, if that is what an event has been recorded for.
    pub(crate) fn stop(&self, number: u32) -> Option<&ModelError> {
        // The selections of the files follow one another.
        let last = self.event_files.last();
        let selections = last.map_or(0, |file| file.first + file.ids.len());
        self.stops.get((number as usize).checked_sub(selections)?)
    }

    /// Mistakes that end the run when it gets there.
    pub fn stops(&self) -> &[ModelError] {
        &self.stops
    }

    /// The event file that a selection is of, and the place of the selection in it.
    pub(crate) fn selection(&self, number: u32) -> Option<(usize, usize)> {
        let number = number as usize;
        // Those of one file follow one another; a file without any shares its place with the next.
        let after = self
            .event_files
            .partition_point(|file| file.first <= number);
        let file = after.checked_sub(1)?;
        let index = number - self.event_files.get(file)?.first;
        Some((file, index))
    }

    /// What sends the events of a selection of an event file, as [`Cursor::send`](crate::Cursor::send) takes it.
    pub fn source(&self, file: usize, index: usize) -> Option<u32> {
        let number = self.event_files.get(file)?.first + index;
        let mut targets = self.program.routes.all();
        let records = |target: &Target| matches!(target.action, Action::Record { selection } if selection as usize == number);
        targets
            .find(|(_, target)| records(target))
            .map(|(source, _)| source)
    }

    /// The ports that take events from outside: the path of each, and the source that
    /// [`Cursor::send`](crate::Cursor::send) takes for it.
    pub fn inlets(&self) -> impl Iterator<Item = (&str, u32)> {
        self.inlets
            .iter()
            .map(String::as_str)
            .zip(self.first_inlet..)
    }

    /// The first slot of a memory that has become NaN, of those that count, if any has.
    pub(crate) fn first_not_a_number(
        &self,
        memory: &[f64],
        counts: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let slots = (0..).zip(memory.iter().zip(&self.program.memory));
        let mut found = slots.filter(|(_, (now, first))| now.is_nan() && !first.is_nan());
        found.find_map(|(slot, _)| counts(slot).then_some(slot))
    }

    /// The name of the variable in a slot.
    pub(crate) fn name_of(&self, slot: u32) -> Option<String> {
        let names = self.columns.iter().filter(|(first, _)| *first <= slot);
        names
            .max_by_key(|(first, _)| *first)
            .map(|(_, name)| name.clone())
    }
}
