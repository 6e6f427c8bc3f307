//! Runs of one model with other settings, on threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use jlems::{Compiled, Failure};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::engine::{Engine, Made};
use crate::failure::{Kind, exception, interruptible, plain, said, spawned};
use crate::source::Source;
use crate::template::{Point, Template, Wishes};

/// Time between two looks at Python.
const PERIOD: Duration = Duration::from_millis(40);
/// Results that may wait for an earlier one, for each thread.
const AHEAD: usize = 4;

/// Points that are still to be run; those that are far ahead of the last one delivered wait.
struct Tickets {
    state: Mutex<(usize, usize)>,
    moved: Condvar,
    most_ahead: usize,
    ended: Arc<AtomicBool>,
}

impl Tickets {
    fn next(&self, of: usize) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (next, delivered) = *state;
            if next >= of || self.ended.load(Ordering::Relaxed) {
                return None;
            }
            if next < delivered + self.most_ahead {
                state.0 += 1;
                return Some(next);
            }
            state = (self.moved.wait(state)).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn delivered(&self, number: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 = number;
        drop(state);
        self.moved.notify_all();
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        // A thread that is about to wait has seen the flag already, or gets this signal.
        drop(self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_all();
    }
}

/// What a point gave: the run with its engine, why there is none, or a panic.
type Outcome = Result<Result<(Box<Engine>, Made), Failure>, String>;

/// Runs a point, with the machine code of the one before if it fits.
fn made(
    template: &Template,
    point: &Point,
    code: &mut Option<Compiled>,
    ended: &Arc<AtomicBool>,
) -> Outcome {
    let body = || {
        let engine = template.point(point, code.as_ref())?;
        *code = Some(engine.compiled().clone());
        let engine = engine.ended_by(ended);
        let made = engine.make(None).explained(&engine);
        Ok((Box::new(engine), made))
    };
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
    result.map_err(|panic| said(&*panic))
}

/// Runs the points on threads, and calls `take(number, engine, numbers, error)` for each in their order.
/// Gives how many were delivered, fewer than all if `take` said that it is enough.
///
/// Ctrl-C ends the wait at once: a network that is being built then is built to its end unseen, and dropped.
#[pyfunction]
pub fn sweep(
    py: Python<'_>,
    source: &Source,
    wishes: Wishes,
    points: Vec<Point>,
    threads: usize,
    take: Py<PyAny>,
) -> PyResult<usize> {
    let threads = threads.clamp(1, points.len().max(1));
    let tickets = Arc::new(Tickets {
        state: Mutex::new((0, 0)),
        moved: Condvar::new(),
        most_ahead: threads * AHEAD,
        ended: Arc::default(),
    });
    let (source, points) = (source.clone(), Arc::new(points));
    let shared = Arc::clone(&points);
    let template = interruptible(py, move || Template::of_points(&source, &wishes, &shared))?;
    let template = template.map_err(|failure| exception(py, failure, Kind::Model))?;
    let template = Arc::new(template);
    let (sender, receiver) = sync_channel::<(usize, Outcome)>(threads * AHEAD);
    for _ in 0..threads {
        let (points, template) = (Arc::clone(&points), Arc::clone(&template));
        let (own, sender) = (Arc::clone(&tickets), sender.clone());
        let made = spawned(move || {
            let mut code = None;
            while let Some(number) = own.next(points.len()) {
                let Some(point) = points.get(number) else {
                    break;
                };
                let outcome = made(&template, point, &mut code, &own.ended);
                if sender.send((number, outcome)).is_err() {
                    break;
                }
            }
        });
        if let Err(error) = made {
            tickets.end();
            return Err(error);
        }
    }
    drop(sender);
    py.detach(move || {
        let delivered = deliver_all(&receiver, &tickets, &take);
        tickets.end();
        // Threads that wait to send get an error.
        drop(receiver);
        delivered
    })
}

/// Delivers what threads send, in the order of the points, and looks at Python meanwhile. Gives how many were delivered.
fn deliver_all(
    receiver: &Receiver<(usize, Outcome)>,
    tickets: &Tickets,
    take: &Py<PyAny>,
) -> PyResult<usize> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    loop {
        match receiver.recv_timeout(PERIOD) {
            Ok((number, outcome)) => {
                waiting.insert(number, outcome);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(next),
        }
        let goes_on = Python::attach(|py| -> PyResult<bool> {
            py.check_signals()?;
            while let Some(outcome) = waiting.remove(&next) {
                let goes_on = deliver(py, next, outcome, take)?;
                next += 1;
                if !goes_on {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        tickets.delivered(next);
        if !goes_on {
            return Ok(next);
        }
    }
}

fn deliver(py: Python<'_>, number: usize, outcome: Outcome, take: &Py<PyAny>) -> PyResult<bool> {
    let (engine, numbers, error) = match outcome {
        Ok(Ok((engine, made))) => {
            let numbers = made.into_python(py)?;
            (Some(Bound::new(py, *engine)?), Some(numbers), None)
        }
        Ok(Err(failure)) => (None, None, Some(exception(py, failure, Kind::Model))),
        Err(panic) => (None, None, Some(plain(py, Kind::Internal, &panic))),
    };
    let error = error.map(|error| error.into_value(py));
    let answer = take.call1(
        py,
        (number, engine, numbers.map(Bound::<PyDict>::unbind), error),
    )?;
    answer.is_truthy(py)
}
