//! A model that is read once, to be run with many values.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jlems::{BackendKind, Checked, Choices, Compiled, Failure, Loaded, Options, Settings};
use lems_model::Definitions;
use pyo3::prelude::*;
use self_cell::self_cell;

use crate::engine::Engine;
use crate::failure::{Kind, exception, interruptible, plain};
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
    /// Parameters whose values later runs change.
    free: Vec<String>,
    /// Ports that take events from outside.
    inlets: Vec<String>,
}

/// What models with other values have in common, once it was needed. None if there is something wrong with it.
type Known<'d> = OnceLock<Option<Definitions<'d>>>;

self_cell! {
    /// A text, and what is read from it once.
    struct Text {
        owner: Loaded,
        #[not_covariant]
        dependent: Known,
    }

    impl {Debug}
}

/// A model that is read, with all that a user wants of its runs.
#[derive(Debug)]
pub struct Template {
    source: Source,
    choices: Choices,
    options: Options,
    /// How long a run may take.
    time: Option<Duration>,
    text: Text,
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
        template.options.free.extend(paths);
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
        options.free.clone_from(&wishes.free);
        options.inlets.clone_from(&wishes.inlets);
        options.displays = true;
        options.without_data = around.is_none() && wishes.record.is_some();
        options.without_events = around.is_none() && wishes.spikes.is_some();
        // The numbers of a run go to memory, and time counts from the start of each run.
        options.limits.output_bytes = usize::MAX;
        let time = options.limits.time();
        options.limits.milliseconds = usize::MAX;
        let reader = reader_of(&around, &source.texts);
        let path = around.as_ref().map_or(&source.path, |around| &around.path);
        let loaded = Loaded::read(path, reader, &options)?;
        Ok(Template {
            source: source.clone(),
            choices,
            options,
            time,
            text: Text::new(loaded, |_| Known::new()),
            reading: begun.elapsed(),
        })
    }

    /// What runs the model as it is. It keeps the template if parameters are free.
    pub fn engine(self) -> Result<Engine, Failure> {
        let (source, options) = (self.source.clone(), self.options.clone());
        let checking = Instant::now();
        let loaded = self.text.borrow_owner();
        let checked = loaded.check(&options)?;
        checked.has_free(&options.free)?;
        let before = self.reading + checking.elapsed();
        let engine = self.made((loaded, &checked), source, options, None)?;
        drop(checked);
        let engine = engine.after(before);
        Ok(match self.options.free.is_empty() {
            true => engine,
            false => engine.of_template(&Arc::new(self)),
        })
    }

    /// What runs a point of a sweep, on one thread, with the machine code of another one if it fits.
    pub fn point(&self, point: &Point, known: Option<&Compiled>) -> Result<Engine, Failure> {
        let one = Some(NonZeroUsize::MIN);
        self.with_values(point, known, one)
    }

    /// What runs the model with other values. The types are those that were read for the first of them.
    fn with_values(
        &self,
        (set, seed): &Point,
        known: Option<&Compiled>,
        threads: Option<NonZeroUsize>,
    ) -> Result<Engine, Failure> {
        let mut source = self.source.clone();
        let settings = Settings {
            set: set.clone(),
            ..Settings::default()
        };
        source.settings = source.settings.then(settings.clone());
        let options = Options {
            settings: source.settings.clone(),
            seed: seed.or(self.options.seed),
            threads,
            ..self.options.clone()
        };
        self.text.with_dependent(|first, types| {
            let loaded = first.with_settings(&settings, &options)?;
            let types = types.get_or_init(|| first.definitions());
            let checked = loaded.check_like(types.as_ref(), &options)?;
            self.made((&loaded, &checked), source, options, known)
        })
    }

    fn made(
        &self,
        model: (&Loaded, &Checked<'_>),
        source: Source,
        options: Options,
        known: Option<&Compiled>,
    ) -> Result<Engine, Failure> {
        Engine::of(
            model,
            source,
            self.choices.clone(),
            options,
            self.time,
            known,
        )
    }
}

/// Builds and compiles the run of a model.
#[pyfunction]
pub fn engine(py: Python<'_>, source: &Source, wishes: Wishes) -> PyResult<Engine> {
    let source = source.clone();
    let engine = interruptible(py, move || Template::read(&source, &wishes)?.engine())?;
    engine.map_err(|failure| exception(py, failure, Kind::Model))
}

/// The engine of a model with other values of free parameters, `path=value`, and perhaps another seed.
#[pyfunction]
#[pyo3(signature = (engine, set, seed=None))]
pub fn with_values(
    py: Python<'_>,
    engine: Py<Engine>,
    set: Vec<String>,
    seed: Option<i64>,
) -> PyResult<Engine> {
    let Some(template) = engine.get().template().map(Arc::clone) else {
        let message = "no parameter of the simulation is free";
        return Err(plain(py, Kind::Usage, message));
    };
    let made = interruptible(py, move || {
        let known = engine.get();
        let (code, threads) = (known.compiled(), known.threads());
        let made = template.with_values(&(set, seed), Some(code), threads)?;
        Ok(made.of_template(&template))
    })?;
    made.map_err(|failure: Failure| exception(py, failure, Kind::Model))
}
