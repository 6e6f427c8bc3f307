//! A run that is compiled, to be made as often as one likes.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use jlems::{
    Checked, Checkpoint, Choices, Code, Compiled, Diagnostic, Failure, Loaded, Options, Plots, Run,
    RunError,
};
use lems_output::EventFormat;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::{Columns, Plan};
use crate::drive::{Bounds, End, advance};
use crate::failure::{Kind, Problem, detached, exception, interruptible};
use crate::source::{Source, reader_of};
use crate::template::Template;

/// A run is made again to find the cause of a failure if it took no longer than this.
const LONGEST_RUN_AGAIN: Duration = Duration::from_secs(10);
/// And if it has not more instances, because all their variables are kept then.
const MOST_INSTANCES_AGAIN: usize = 200_000;

/// A data file or a display: name, whether it is only drawn, columns, and what their SI values are
/// divided by.
type TableLayout = (String, bool, Vec<usize>, Vec<f64>);
/// An event file: name, form of the lines, ids of the selections, what they select, and the population
/// that it is of.
type EventLayout = (
    String,
    Option<&'static str>,
    Vec<String>,
    Vec<String>,
    Vec<String>,
);
/// A display: title, region, and lines with title, column, colour, unit, and what time and value are
/// divided by.
type DisplayLayout = (
    String,
    [Option<f64>; 4],
    Vec<(String, usize, Option<String>, Option<String>, f64, f64)>,
);

/// A run that is compiled, with what it was made of.
#[pyclass(frozen, module = "jlems._jlems")]
pub struct Engine {
    source: Source,
    choices: Choices,
    options: Options,
    compiled: Compiled,
    plan: Arc<Plan>,
    bounds: Bounds,
    plots: Plots,
    formats: Vec<Option<EventFormat>>,
    times_file: Option<String>,
    inputs: Vec<String>,
    warnings: Vec<Problem>,
    seconds: f64,
    /// The model to be run with other values, if parameters are free.
    template: Option<Arc<Template>>,
}

impl Engine {
    /// Builds and compiles a model that was read and checked, with the machine code of another engine if
    /// that has the same.
    pub fn of(
        (loaded, checked): (&Loaded, &Checked<'_>),
        source: Source,
        choices: Choices,
        options: Options,
        time: Option<Duration>,
        known: Option<&Compiled>,
    ) -> Result<Engine, Failure> {
        let begun = Instant::now();
        let built = checked.build(&options)?;
        let mut found = loaded.warnings();
        found.extend(checked.warnings());
        found.extend(built.warnings());
        let sources = loaded.document().sources();
        if options.strict && found.iter().any(|one| one.code.is_mistake()) {
            found.retain(|one| one.code.is_mistake());
            let mistake = |one: Diagnostic| Diagnostic {
                severity: jlems::Severity::Error,
                ..one
            };
            return Err(Failure {
                sources: sources.to_vec(),
                diagnostics: found.into_iter().map(mistake).collect(),
            });
        }
        // Of several runs the last one is that whose files stay.
        let last = built.simulations().len().saturating_sub(1);
        let compiled = match known {
            Some(known) => built.compile_like(known, &options)?,
            None => built.compile_run(last, &options)?,
        };
        let plan = Plan::of(compiled.simulation(), built.times_file().is_some());
        let most = options.limits.memory;
        if plan.bytes() > most {
            let message = format!(
                "the recorded values would take {} bytes of memory, more than {most}",
                plan.bytes()
            );
            let help = "record less, or only every tenth row with `every=10`".to_owned();
            return Err(Failure::plain(Code(425), message, Some(help)));
        }
        let bounds = Bounds {
            limits: options.limits,
            host: options.host(),
            time,
            ended: None,
        };
        let own_files = loaded.document().own_files();
        Ok(Engine {
            warnings: Problem::all(&found, sources),
            inputs: own_files.into_iter().map(str::to_owned).collect(),
            source,
            plots: built.plots().clone(),
            formats: built.event_formats().to_vec(),
            times_file: built.times_file().map(str::to_owned),
            plan: Arc::new(plan),
            choices,
            options,
            compiled,
            bounds,
            seconds: begun.elapsed().as_secs_f64(),
            template: None,
        })
    }

    /// The same engine, which can be made with other values.
    pub fn of_template(mut self, template: &Arc<Template>) -> Engine {
        self.template = Some(Arc::clone(template));
        self
    }

    /// The model to be run with other values, if parameters are free.
    pub fn template(&self) -> Option<&Arc<Template>> {
        self.template.as_ref()
    }

    /// Threads that were wished for.
    pub fn threads(&self) -> Option<NonZeroUsize> {
        self.options.threads
    }

    /// The same engine, with the time for reading its model added.
    pub fn after(mut self, reading: Duration) -> Engine {
        self.seconds += reading.as_secs_f64();
        self
    }

    /// Starts a run, from a checkpoint if there is one.
    pub fn begin(&self, checkpoint: Option<&[u8]>) -> Result<Run<Columns>, RunError> {
        match checkpoint {
            None => (self.compiled).start_into(|_| Ok(Columns::new(&self.plan)), &self.options),
            Some(bytes) => {
                let checkpoint = Checkpoint::read(bytes);
                let checkpoint = checkpoint.map_err(jlems::EngineError::from)?;
                let open = |_: &jlems::Simulation, _| Ok(Columns::new(&self.plan));
                self.compiled.resume(checkpoint, open, &self.options)
            }
        }
    }

    /// The same engine, whose runs end when a flag is set, and do not ask Python.
    pub fn ended_by(mut self, flag: &Arc<AtomicBool>) -> Engine {
        self.bounds.ended = Some(Arc::clone(flag));
        self
    }

    /// What is run, with its machine code.
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// What bounds a run.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// What sends the events of a selection of an event file.
    pub fn source(&self, file: usize, index: usize) -> Option<u32> {
        self.compiled.simulation().source(file, index)
    }

    /// Makes a run from its start to its end.
    pub fn make(&self, progress: Option<&Py<PyAny>>) -> Made {
        let begun = Instant::now();
        let mut run = match self.begin(None) {
            Ok(run) => run,
            Err(error) => return Made::empty(self, End::Failed(error), begun.elapsed()),
        };
        let end = advance(&mut run, u64::MAX, &self.bounds, progress).err();
        Made::of(run, end, begun.elapsed())
    }

    /// Why a run failed, with the cause if it can be found quickly.
    pub fn explained(&self, end: End, took: Duration) -> End {
        match end {
            End::Failed(error) if self.is_short(took) => End::Limit(Box::new(self.cause(error))),
            end => end,
        }
    }

    /// The same, in another thread: after Ctrl-C, nobody waits for the cause.
    pub fn explained_meanwhile(
        engine: &Bound<'_, Engine>,
        end: Option<End>,
        took: Duration,
    ) -> Option<End> {
        let error = match end {
            Some(End::Failed(error)) if engine.get().is_short(took) => error,
            end => return end,
        };
        let own = engine.clone().unbind();
        let cause = interruptible(engine.py(), move || own.get().cause(error));
        Some(match cause {
            Ok(failure) => End::Limit(Box::new(failure)),
            Err(error) => End::Raised(error),
        })
    }

    /// Whether a run that took so long is made again to find the cause of its failure.
    fn is_short(&self, took: Duration) -> bool {
        took <= LONGEST_RUN_AGAIN && self.compiled.simulation().instances <= MOST_INSTANCES_AGAIN
    }

    fn cause(&self, error: RunError) -> Failure {
        self.searched(error).unwrap_or_else(|failure| failure)
    }

    fn searched(&self, error: RunError) -> Result<Failure, Failure> {
        let (around, _) = self.source.runnable(&self.choices)?;
        let reader = reader_of(&around, &self.source.texts);
        let path = (around.as_ref()).map_or(&self.source.path, |around| &around.path);
        let loaded = Loaded::read(path, reader, &self.options)?;
        let checked = loaded.check(&self.options)?;
        let number = usize::try_from(self.compiled.simulation().number()).unwrap_or_default();
        Ok(checked.explain(error, number, &self.options))
    }
}

/// A run that was made, as far as it got.
#[derive(Debug)]
pub struct Made {
    columns: Columns,
    steps: u64,
    time: f64,
    end: Option<End>,
    not_a_number: Option<String>,
    seconds: f64,
}

impl Made {
    /// What a run gave.
    pub fn of(run: Run<Columns>, end: Option<End>, took: Duration) -> Made {
        let (steps, time) = (run.steps(), run.time());
        let (columns, not_a_number) = match end {
            Some(_) => (run.into_sink(), None),
            None => match run.finish() {
                Ok((summary, columns)) => (columns, summary.not_a_number),
                // The sink writes nothing that could fail.
                Err(_) => (Columns::new(&Arc::default()), None),
            },
        };
        Made {
            columns,
            steps,
            time,
            end,
            not_a_number,
            seconds: took.as_secs_f64(),
        }
    }

    /// A run that made no step.
    fn empty(engine: &Engine, end: End, took: Duration) -> Made {
        Made {
            columns: Columns::new(&engine.plan),
            steps: 0,
            time: 0.0,
            end: Some(end),
            not_a_number: None,
            seconds: took.as_secs_f64(),
        }
    }

    /// The same with what is known of why a run failed.
    pub fn explained(mut self, engine: &Engine) -> Made {
        let took = Duration::from_secs_f64(self.seconds);
        self.end = self.end.map(|end| engine.explained(end, took));
        self
    }

    /// The numbers and how the run ended, for Python.
    pub fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let numbers = self.columns.into_python(py)?;
        numbers.set_item("steps", self.steps)?;
        numbers.set_item("time", self.time)?;
        numbers.set_item("seconds", self.seconds)?;
        numbers.set_item("not_a_number", self.not_a_number)?;
        numbers.set_item("stopped", matches!(self.end, Some(End::Stopped)))?;
        let error = self.end.and_then(|end| error_of(py, end));
        numbers.set_item("error", error.map(|error| error.into_value(py)))?;
        Ok(numbers)
    }
}

/// The exception for a run that has ended early; none if it was asked to stop.
pub fn error_of(py: Python<'_>, end: End) -> Option<PyErr> {
    match end {
        End::Failed(error) => Some(exception(py, Failure::from(error), Kind::Run)),
        End::Limit(failure) => Some(exception(py, *failure, Kind::Run)),
        End::Raised(error) => Some(error),
        End::Stopped => None,
    }
}

#[pymethods]
impl Engine {
    /// Makes a run, and gives its numbers; `error` is an exception or None.
    #[pyo3(signature = (progress=None))]
    fn run<'py>(
        slf: &Bound<'py, Self>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (py, engine) = (slf.py(), slf.get());
        let mut made = detached(py, || engine.make(progress.as_ref()))?;
        let took = Duration::from_secs_f64(made.seconds);
        made.end = Engine::explained_meanwhile(slf, made.end, took);
        made.into_python(py)
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        self.plan.quantities.clone()
    }

    /// Dimensions of the columns, and their SI units.
    #[getter]
    fn dimensions(&self) -> Vec<(Option<String>, Option<String>)> {
        let mut found = vec![(None, None); self.plan.quantities.len()];
        let displays = self.plots.displays.iter().chain(&self.plots.files);
        let outputs = || {
            self.compiled
                .simulation()
                .recordings()
                .zip(&self.plan.tables)
        };
        for display in displays {
            let Some(((_, recorders), table)) =
                outputs().find(|((path, _), _)| *path == display.output)
            else {
                continue;
            };
            for (line, (recorder, column)) in display.lines.iter().zip(recorders.iter().zip(table))
            {
                if let Some(place) = found.get_mut(*column) {
                    let (dimension, unit): &mut (Option<String>, Option<String>) = place;
                    *dimension = line.dimension.clone().or(dimension.take());
                    if recorder.scale == 1.0 {
                        *unit = line.unit.clone().or(unit.take());
                    }
                }
            }
        }
        found
    }

    #[getter]
    fn tables(&self) -> Vec<TableLayout> {
        let recordings = self.compiled.simulation().recordings();
        let tables = recordings.zip(&self.plan.tables);
        let layout = |((path, recorders), columns): ((&str, &[jlems::Recorder]), &Vec<usize>)| {
            let scales = recorders.iter().map(|recorder| recorder.scale).collect();
            (
                path.to_owned(),
                path.starts_with('\0'),
                columns.clone(),
                scales,
            )
        };
        tables.map(layout).collect()
    }

    #[getter]
    fn events(&self) -> Vec<EventLayout> {
        let files = self.compiled.simulation().event_files().enumerate();
        let layout = |(number, (path, ids)): (usize, (&str, &[String]))| {
            let format = self.formats.get(number).copied().flatten();
            let format = format.map(|format| match format {
                EventFormat::IdTime => "ID_TIME",
                EventFormat::TimeId => "TIME_ID",
            });
            let rows = self.plots.events.get(number).map(|events| &*events.rows);
            let rows = rows.unwrap_or_default();
            let sources = rows.iter().map(|row| row.source.clone()).collect();
            let populations = rows.iter().map(|row| row.population.clone()).collect();
            (path.to_owned(), format, ids.to_vec(), sources, populations)
        };
        files.map(layout).collect()
    }

    /// Paths of the ports that take events from outside, and their sources.
    #[getter]
    fn inlets(&self) -> Vec<(String, u32)> {
        let inlets = self.compiled.simulation().inlets();
        inlets
            .map(|(path, source)| (path.to_owned(), source))
            .collect()
    }

    #[getter]
    fn displays(&self) -> Vec<DisplayLayout> {
        let layouts = |display: &jlems::Display| {
            let mut outputs = self
                .compiled
                .simulation()
                .recordings()
                .zip(&self.plan.tables);
            let found = outputs.find(|((path, _), _)| *path == display.output);
            let lines = found.map(|((_, recorders), columns)| {
                let columns = recorders.iter().zip(columns);
                let line = |(line, (recorder, column)): (
                    &jlems::DisplayLine,
                    (&jlems::Recorder, &usize),
                )| {
                    let (color, unit) = (line.color.clone(), line.unit.clone());
                    let scales = (line.time_scale, recorder.scale);
                    (line.id.clone(), *column, color, unit, scales.0, scales.1)
                };
                display.lines.iter().zip(columns).map(line).collect()
            });
            let lines = lines.unwrap_or_default();
            (display.title.clone(), display.region, lines)
        };
        self.plots.displays.iter().map(layouts).collect()
    }

    #[getter]
    fn times_file(&self) -> Option<&str> {
        self.times_file.as_deref()
    }

    #[getter]
    fn inputs(&self) -> Vec<String> {
        self.inputs.clone()
    }

    #[getter]
    fn warnings(&self) -> Vec<Problem> {
        self.warnings.clone()
    }

    #[getter]
    fn steps(&self) -> u64 {
        self.compiled.simulation().steps()
    }

    #[getter]
    fn step(&self) -> f64 {
        self.compiled.simulation().step()
    }

    #[getter]
    fn instances(&self) -> usize {
        self.compiled.simulation().instances
    }

    #[getter]
    fn seconds(&self) -> f64 {
        self.seconds
    }
}
