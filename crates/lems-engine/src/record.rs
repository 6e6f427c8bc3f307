//! Where the numbers of a run go: jLEMS's text files, or memory.

use std::iter;

use lems_output::{DataFile, EventFile, Mark, OutputError, OutputStore, TimesFile};

use crate::Simulation;
use crate::checkpoint::Reopening;

/// Takes the numbers of a run as it is made. Files are known by their places among those of
/// [`Simulation::recordings`] and [`Simulation::event_files`].
pub trait Sink {
    /// A row of a data file: the values of its columns in SI units, at `time` in seconds.
    ///
    /// # Errors
    /// The row cannot be stored, which ends the run.
    fn row(&mut self, file: usize, time: f64, values: &[f64]) -> Result<(), OutputError>;

    /// An event of a selection of an event file, at `time` in seconds.
    ///
    /// # Errors
    /// The event cannot be stored, which ends the run.
    fn event(&mut self, file: usize, selection: usize, time: f64) -> Result<(), OutputError>;

    /// All data files have their rows of `time`, in seconds.
    ///
    /// # Errors
    /// What is kept of it cannot be stored, which ends the run.
    fn end_of_rows(&mut self, _time: f64) -> Result<(), OutputError> {
        Ok(())
    }

    /// For a checkpoint: writes all outputs to disk, and returns how long each of them is. A sink without
    /// marks starts again from the beginning when a run is resumed.
    ///
    /// # Errors
    /// An output cannot be written to disk.
    fn marks(&mut self) -> Result<Vec<Mark>, OutputError> {
        Ok(Vec::new())
    }

    /// The run is at its end: gives the paths of the files that are complete now.
    ///
    /// # Errors
    /// An output cannot be finished.
    fn finish(&mut self) -> Result<Vec<String>, OutputError> {
        Ok(Vec::new())
    }
}

/// Takes nothing: for a rank of a run whose outputs another rank writes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl Sink for Nowhere {
    fn row(&mut self, _file: usize, _time: f64, _values: &[f64]) -> Result<(), OutputError> {
        Ok(())
    }

    fn event(&mut self, _file: usize, _selection: usize, _time: f64) -> Result<(), OutputError> {
        Ok(())
    }
}

/// jLEMS's text files: data files, event files, and the file of times.
pub struct TextFiles {
    data: Vec<OpenData>,
    events: Vec<OpenEvents>,
    times: Option<(String, TimesFile)>,
}

struct OpenData {
    path: String,
    file: DataFile,
    /// What the SI values of the columns are divided by.
    scales: Vec<f64>,
}

struct OpenEvents {
    path: String,
    file: EventFile,
    /// jLEMS opens a file whose format it does not know, and writes nothing.
    is_written: bool,
}

impl TextFiles {
    /// Opens the outputs of a run.
    ///
    /// # Errors
    /// The first one that the store cannot create.
    pub fn create(
        simulation: &Simulation,
        store: &mut dyn OutputStore,
    ) -> Result<Self, OutputError> {
        let mut data = Vec::new();
        for plan in &simulation.data_files {
            data.push(OpenData {
                path: plan.path.clone(),
                file: DataFile::create(store, &plan.path)?,
                scales: plan.columns.iter().map(|column| column.scale).collect(),
            });
        }
        let mut events = Vec::new();
        for plan in &simulation.event_files {
            let format = plan.format.unwrap_or(lems_output::EventFormat::IdTime);
            events.push(OpenEvents {
                path: plan.path.clone(),
                file: EventFile::create(store, &plan.path, format, &plan.ids)?,
                is_written: plan.format.is_some(),
            });
        }
        let times = match &simulation.recording.times_file {
            Some(path) => Some((path.clone(), TimesFile::create(store, path)?)),
            None => None,
        };
        Ok(TextFiles {
            data,
            events,
            times,
        })
    }

    /// Opens them again as they were at the marks of a checkpoint.
    ///
    /// # Errors
    /// The store cannot continue one of them.
    pub fn reopen(
        simulation: &Simulation,
        store: &mut dyn OutputStore,
        marks: Vec<Mark>,
    ) -> Result<Self, OutputError> {
        let marks = marks.into_iter();
        TextFiles::create(simulation, &mut Reopening { store, marks })
    }
}

impl Sink for TextFiles {
    fn row(&mut self, file: usize, time: f64, values: &[f64]) -> Result<(), OutputError> {
        let Some(data) = self.data.get_mut(file) else {
            return Ok(());
        };
        let scaled = values.iter().zip(&data.scales);
        let scaled = scaled.map(|(value, scale)| value / scale);
        data.file.row(iter::once(time).chain(scaled))
    }

    fn event(&mut self, file: usize, selection: usize, time: f64) -> Result<(), OutputError> {
        match self.events.get_mut(file) {
            Some(events) if events.is_written => events.file.event(selection, time),
            _ => Ok(()),
        }
    }

    fn end_of_rows(&mut self, time: f64) -> Result<(), OutputError> {
        match &mut self.times {
            Some((_, times)) => times.time(time),
            None => Ok(()),
        }
    }

    fn marks(&mut self) -> Result<Vec<Mark>, OutputError> {
        let data = self.data.iter_mut().map(|open| open.file.mark());
        let events = self.events.iter_mut().map(|open| open.file.mark());
        let times = self.times.iter_mut().map(|(_, times)| times.mark());
        data.chain(events).chain(times).collect()
    }

    fn finish(&mut self) -> Result<Vec<String>, OutputError> {
        let mut paths = Vec::new();
        for open in self.data.drain(..) {
            open.file.finish()?;
            paths.push(open.path);
        }
        for open in self.events.drain(..) {
            open.file.finish()?;
            paths.push(open.path);
        }
        if let Some((path, times)) = self.times.take() {
            times.finish()?;
            paths.push(path);
        }
        Ok(paths)
    }
}

/// The numbers of a run in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traces {
    /// One for each data file.
    pub tables: Vec<Table>,
    /// One for each event file.
    pub events: Vec<Events>,
}

/// What a data file would hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Name of the file.
    pub path: String,
    /// Paths of the quantities, from the root of the run.
    pub quantities: Vec<String>,
    /// Times of the rows, in seconds.
    pub times: Vec<f64>,
    /// For each quantity a value for each time, in SI units.
    pub columns: Vec<Vec<f64>>,
}

/// What an event file would hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events {
    /// Name of the file.
    pub path: String,
    /// What the selections are called.
    pub ids: Vec<String>,
    /// The events in their order.
    pub all: Vec<Event>,
}

/// An event that was sent, such as a spike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Time, in seconds.
    pub time: f64,
    /// Place of what sent it among the ids of the file.
    pub selection: usize,
}

impl Table {
    /// The values of a quantity, in SI units.
    pub fn column(&self, quantity: &str) -> Option<&[f64]> {
        let mut pairs = self.quantities.iter().zip(&self.columns);
        let (_, values) = pairs.find(|(name, _)| *name == quantity)?;
        Some(values)
    }
}

impl Events {
    /// Times of the events of the selection with an id, in seconds.
    pub fn times_of<'e>(&'e self, id: &'e str) -> impl Iterator<Item = f64> + 'e {
        let is_meant =
            move |event: &&Event| self.ids.get(event.selection).is_some_and(|own| own == id);
        self.all.iter().filter(is_meant).map(|event| event.time)
    }
}

impl Traces {
    /// Empty tables and lists for all that a simulation records.
    pub fn of(simulation: &Simulation) -> Traces {
        let tables = simulation.recordings().map(|(path, recorders)| Table {
            path: path.to_owned(),
            quantities: (recorders.iter())
                .map(|recorder| recorder.quantity.clone())
                .collect(),
            times: Vec::new(),
            columns: vec![Vec::new(); recorders.len()],
        });
        let events = simulation.event_files().map(|(path, ids)| Events {
            path: path.to_owned(),
            ids: ids.to_vec(),
            all: Vec::new(),
        });
        Traces {
            tables: tables.collect(),
            events: events.collect(),
        }
    }

    /// The table of a data file.
    pub fn table(&self, path: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.path == path)
    }

    /// The events of an event file.
    pub fn events(&self, path: &str) -> Option<&Events> {
        self.events.iter().find(|events| events.path == path)
    }
}

impl Sink for Traces {
    fn row(&mut self, file: usize, time: f64, values: &[f64]) -> Result<(), OutputError> {
        if let Some(table) = self.tables.get_mut(file) {
            table.times.push(time);
            for (column, value) in table.columns.iter_mut().zip(values) {
                column.push(*value);
            }
        }
        Ok(())
    }

    fn event(&mut self, file: usize, selection: usize, time: f64) -> Result<(), OutputError> {
        if let Some(events) = self.events.get_mut(file) {
            events.all.push(Event { time, selection });
        }
        Ok(())
    }
}
