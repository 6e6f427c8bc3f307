//! A model that is read once, to be run with many values.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use jlems::{BackendKind, Choices, Compiled, Failure, Loaded, Options, Settings};
use pyo3::prelude::*;

use crate::engine::Engine;
use crate::failure::{Kind, detached, exception};
use crate::source::{Source, reader_of};

/// What a user wants of a run.
#[derive(Debug, Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub struct Wishes {
    /// Paths to record instead of the data files and displays of the model.
    record: Option<Vec<String>>,
    /// Populations whose spikes are recorded instead of the event files of the model.
    spikes: Option<Vec<String>>,
    every: u64,
    seed: Option<i64>,
    threads: Option<NonZeroUsize>,
    fast: bool,
    interpreter: bool,
    strict: bool,
}

/// A model that is read, with all that a user wants of its runs.
#[derive(Debug)]
pub struct Template {
    source: Source,
    choices: Choices,
    options: Options,
    /// How long a run may take.
    time: Option<Duration>,
    loaded: Loaded,
    /// Parameters that the points differ in.
    free: Vec<String>,
    reading: Duration,
}

/// What makes a run one of many: its settings, `path=value`, and its seed.
pub type Point = (Vec<String>, Option<i64>);

impl Template {
    /// Reads the text of a model for many points.
    pub fn of_points(
        source: &Source,
        wishes: &Wishes,
        points: &[Point],
    ) -> Result<Template, Failure> {
        let mut template = Template::read(source, wishes)?;
        let settings = points.iter().flat_map(|(set, _)| set);
        let paths = settings.filter_map(|setting| Some(setting.split_once('=')?.0.to_owned()));
        let paths: BTreeSet<String> = paths.collect();
        template.free = paths.into_iter().collect();
        Ok(template)
    }

    /// Reads the text of a model.
    pub fn read(source: &Source, wishes: &Wishes) -> Result<Template, Failure> {
        let begun = Instant::now();
        let choices = Choices {
            record: wishes.record.clone().unwrap_or_default(),
            spikes: wishes.spikes.clone().unwrap_or_default(),
            ..Choices::default()
        };
        let (around, mut options) = source.runnable(&choices)?;
        options.backend = match wishes.interpreter {
            true => BackendKind::Interpreter,
            false => BackendKind::Jit,
        };
        options.fast = wishes.fast;
        options.threads = wishes.threads;
        options.seed = wishes.seed;
        options.every = wishes.every;
        options.strict = wishes.strict;
        options.displays = true;
        options.without_data = around.is_none() && wishes.record.is_some();
        options.without_events = around.is_none() && wishes.spikes.is_some();
        // The numbers of a run go to memory, and time counts from the start of each run.
        options.limits.output_bytes = usize::MAX;
        let time = options.limits.time();
        options.limits.seconds = usize::MAX;
        let reader = reader_of(&around, &source.texts);
        let path = around.as_ref().map_or(&source.path, |around| &around.path);
        let loaded = Loaded::read(path, reader, &options)?;
        Ok(Template {
            source: source.clone(),
            choices,
            options,
            time,
            loaded,
            free: Vec::new(),
            reading: begun.elapsed(),
        })
    }

    /// What runs the model as it is.
    pub fn engine(&self) -> Result<Engine, Failure> {
        let (source, choices) = (self.source.clone(), self.choices.clone());
        let options = self.options.clone();
        let engine = Engine::of(&self.loaded, source, choices, options, self.time, None)?;
        Ok(engine.after(self.reading))
    }

    /// What runs a point on one thread, with the machine code of another one if it fits.
    pub fn point(&self, point: &Point, known: Option<&Compiled>) -> Result<Engine, Failure> {
        let (set, seed) = point;
        let mut source = self.source.clone();
        source.settings.set.extend(set.iter().cloned());
        let mut options = self.options.clone();
        options.settings = source.settings.clone();
        options.seed = seed.or(options.seed);
        options.threads = Some(NonZeroUsize::MIN);
        options.free.clone_from(&self.free);
        let settings = Settings {
            set: set.clone(),
            ..Settings::default()
        };
        let loaded = self.loaded.with_settings(&settings, &options)?;
        let choices = self.choices.clone();
        Engine::of(&loaded, source, choices, options, self.time, known)
    }
}

/// Builds and compiles the run of a model.
#[pyfunction]
pub fn engine(py: Python<'_>, source: &Source, wishes: Wishes) -> PyResult<Engine> {
    let engine = detached(py, || Template::read(source, &wishes)?.engine())?;
    engine.map_err(|failure| exception(py, &failure, Kind::Model))
}
