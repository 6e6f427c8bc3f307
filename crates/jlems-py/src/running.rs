//! A run that its owner advances.

use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

use jlems::{Failure, Run};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::columns::Columns;
use crate::drive::{End, advance};
use crate::engine::{Engine, Made, error_of};
use crate::failure::{Kind, detached, exception};

/// A run between two steps.
#[pyclass(frozen, module = "jlems._jlems")]
pub struct Running {
    engine: Py<Engine>,
    held: Mutex<Held>,
}

struct Held {
    /// None once its numbers were taken.
    run: Option<Run<Columns>>,
    took: Duration,
    failed: bool,
}

impl Running {
    /// A run that was started.
    fn new(engine: Py<Engine>, run: Run<Columns>) -> Running {
        let held = Held {
            run: Some(run),
            took: Duration::ZERO,
            failed: false,
        };
        Running {
            engine,
            held: Mutex::new(held),
        }
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&mut Held) -> T + Send,
    ) -> PyResult<T> {
        let done = detached(py, || {
            // Its callback, or another thread, would wait for itself.
            let mut held = match self.held.try_lock() {
                Ok(held) => held,
                Err(TryLockError::WouldBlock) => return None,
                Err(TryLockError::Poisoned(held)) => held.into_inner(),
            };
            Some(body(&mut held))
        })?;
        done.ok_or_else(|| PyRuntimeError::new_err("the run is being advanced at this moment"))
    }
}

fn is_over() -> PyErr {
    PyRuntimeError::new_err("the run is over: its result has been taken")
}

/// Starts a run of an engine that its owner advances.
#[pyfunction]
#[pyo3(signature = (engine, checkpoint=None))]
pub fn start(engine: &Bound<'_, Engine>, checkpoint: Option<Vec<u8>>) -> PyResult<Running> {
    let (py, held) = (engine.py(), engine.get());
    let begun = Instant::now();
    let run = detached(py, || held.begin(checkpoint.as_deref()))?;
    match run {
        Ok(run) => Ok(Running::new(engine.clone().unbind(), run)),
        Err(error) => {
            let end = Some(End::Failed(error));
            let end = Engine::explained_meanwhile(engine, end, begun.elapsed());
            let ended = || PyRuntimeError::new_err("the run was stopped");
            let error = end.and_then(|end| error_of(py, end));
            Err(error.unwrap_or_else(ended))
        }
    }
}

#[pymethods]
impl Running {
    /// Makes steps until the run has made `until` steps in all. Returns whether the callback stopped it.
    #[pyo3(signature = (until, progress=None))]
    fn advance(&self, py: Python<'_>, until: u64, progress: Option<Py<PyAny>>) -> PyResult<bool> {
        let engine = self.engine.get();
        let end = self.with(py, |held| {
            let run = held.run.as_mut()?;
            let begun = Instant::now();
            let end = advance(run, until, engine.bounds(), progress.as_ref()).err();
            held.took += begun.elapsed();
            held.failed |= matches!(end, Some(End::Failed(_)));
            Some((end, held.took))
        })?;
        let (end, took) = end.ok_or_else(is_over)?;
        match Engine::explained_meanwhile(self.engine.bind(py), end, took) {
            None => Ok(false),
            Some(end) => error_of(py, end).map_or(Ok(true), Err),
        }
    }

    /// Steps done, simulated time in seconds, whether the run is at its end, whether it failed.
    fn place(&self, py: Python<'_>) -> PyResult<(u64, f64, bool, bool)> {
        let place = self.with(py, |held| {
            let run = held.run.as_ref()?;
            let stopped = held.failed || run.is_stopped();
            Some((run.steps(), run.time(), run.is_at_end(), stopped))
        })?;
        place.ok_or_else(is_over)
    }

    /// The values of the last row, in the order of the columns; None before the first row.
    fn last(&self, py: Python<'_>) -> PyResult<Option<Vec<f64>>> {
        let last = self.with(py, |held| Some(held.run.as_ref()?.sink().last()))?;
        last.ok_or_else(is_over)
    }

    /// Continues with the values of another engine of the same model.
    fn change(&self, py: Python<'_>, engine: &Engine) -> PyResult<()> {
        let changed = self.with(py, |held| {
            let run = held.run.as_mut()?;
            Some(run.change_values(engine.compiled()))
        })?;
        let changed = changed.ok_or_else(is_over)?;
        changed.map_err(|failure| exception(py, failure, Kind::Usage))
    }

    /// What sends the events of a selection of an event file.
    fn source(&self, file: usize, index: usize) -> Option<u32> {
        self.engine.get().source(file, index)
    }

    /// Sends an event of a source, with the time of now.
    fn send(&self, py: Python<'_>, source: u32) -> PyResult<()> {
        let end = self.with(py, |held| {
            let run = held.run.as_mut()?;
            let end = run.send(source).err().map(End::Failed);
            held.failed |= end.is_some();
            Some((end, held.took))
        })?;
        let (end, took) = end.ok_or_else(is_over)?;
        match Engine::explained_meanwhile(self.engine.bind(py), end, took) {
            None => Ok(()),
            Some(end) => error_of(py, end).map_or(Ok(()), Err),
        }
    }

    /// The numbers up to now.
    #[pyo3(signature = (take=true))]
    fn numbers<'py>(&self, py: Python<'py>, take: bool) -> PyResult<Bound<'py, PyDict>> {
        let (columns, made) = self.with(py, |held| {
            if !take {
                return (held.run.as_ref().map(|run| run.sink().clone()), None);
            }
            let took = held.took;
            (None, held.run.take().map(|run| Made::of(run, None, took)))
        })?;
        match (columns, made) {
            (_, Some(made)) => made.into_python(py),
            (Some(columns), _) => columns.into_python(py),
            (None, None) => Err(is_over()),
        }
    }

    /// The state of the run as bytes.
    fn checkpoint<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.with(py, |held| Some(held.run.as_mut()?.checkpoint()))?;
        match bytes.ok_or_else(is_over)? {
            Ok(bytes) => Ok(PyBytes::new(py, &bytes)),
            Err(error) => Err(exception(py, Failure::from(error), Kind::Run)),
        }
    }
}
