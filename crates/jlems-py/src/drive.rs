//! Makes the steps of a run, and looks at Python now and then: Ctrl-C, progress, time and memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jlems::{Failure, Host, LimitError, Limits, Pace, Run, RunError, Stage};
use pyo3::prelude::*;

use crate::columns::Columns;

/// What bounds a run that is made.
#[derive(Debug, Clone)]
pub struct Bounds {
    pub limits: Limits,
    pub host: Arc<dyn Host>,
    pub time: Option<Duration>,
    /// Set to end the run without asking Python.
    pub ended: Option<Arc<AtomicBool>>,
}

/// Time between two calls of Python.
pub const PERIOD: Duration = Duration::from_millis(40);

/// Why a run has ended early.
#[derive(Debug)]
pub enum End {
    /// It failed.
    Failed(RunError),
    /// More memory or time than it may take.
    Limit(Box<Failure>),
    /// An exception of Python, such as `KeyboardInterrupt`.
    Raised(PyErr),
    /// The callback has asked for it.
    Stopped,
}

/// Makes steps until the run has made `until` steps in all.
pub fn advance(
    run: &mut Run<Columns>,
    until: u64,
    bounds: &Bounds,
    progress: Option<&Py<PyAny>>,
) -> Result<(), End> {
    let mut pace = Pace::start(&bounds.host);
    let until = until.min(run.simulation().steps());
    let begun = Instant::now();
    let mut looked = begun;
    while run.steps() < until && !run.is_stopped() {
        let steps = pace.steps().min(until - run.steps());
        run.step(steps).map_err(End::Failed)?;
        if looked.elapsed() >= PERIOD {
            look(run, begun, bounds, progress)?;
            looked = Instant::now();
        }
    }
    Ok(())
}

fn look(
    run: &Run<Columns>,
    begun: Instant,
    bounds: &Bounds,
    progress: Option<&Py<PyAny>>,
) -> Result<(), End> {
    let limit = |error: LimitError| End::Limit(Box::new(error.into()));
    if let Some(most) = bounds.time.filter(|most| begun.elapsed() > *most) {
        return Err(limit(LimitError::Time { limit: most }));
    }
    let memory = (bounds.limits).allow_memory(&*bounds.host, &Stage::default());
    memory.map_err(limit)?;
    if let Some(ended) = &bounds.ended {
        return match ended.load(Ordering::Relaxed) {
            true => Err(End::Stopped),
            false => Ok(()),
        };
    }
    let place = (run.steps(), run.simulation().steps(), run.time());
    match ask(progress, place, begun) {
        Ok(false) => Ok(()),
        Ok(true) => Err(End::Stopped),
        Err(error) => Err(End::Raised(error)),
    }
}

/// Lets Python handle signals, and calls the callback with the progress of the run: steps, of how many, time.
/// Returns whether the callback asks to end the run.
pub fn ask(
    progress: Option<&Py<PyAny>>,
    (steps, of_steps, time): (u64, u64, f64),
    begun: Instant,
) -> PyResult<bool> {
    Python::attach(|py| {
        py.check_signals()?;
        let Some(progress) = progress else {
            return Ok(false);
        };
        let seconds = begun.elapsed().as_secs_f64();
        let answer = progress.call1(py, (steps, of_steps, time, seconds))?;
        answer.is_truthy(py)
    })
}
