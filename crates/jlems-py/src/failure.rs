//! Failures and warnings as Python has them.

use std::any::Any;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use jlems::{Code, Diagnostic, Failure, Severity, is_of_a_request};
use lems_document::Source;
use pyo3::IntoPyObject;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::advice::{advise, name_arguments};

/// A diagnostic as the class `Problem` of the package takes it.
#[derive(Debug, Clone)]
pub struct Problem {
    code: String,
    severity: &'static str,
    message: String,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    text: Option<String>,
    help: Option<String>,
    rendered: String,
    shown: bool,
}

impl<'py> IntoPyObject<'py> for Problem {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let whole = (
            self.code,
            self.severity,
            self.message,
            self.file,
            self.line,
            self.column,
            self.text,
            self.help,
            self.rendered,
            self.shown,
        );
        whole.into_pyobject(py)
    }
}

impl Problem {
    fn of(diagnostic: &Diagnostic, sources: &[Source]) -> Problem {
        let mut diagnostic = diagnostic.clone();
        advise(&mut diagnostic);
        let place = diagnostic.span.and_then(|span| {
            let source = sources.get(span.source.0 as usize)?;
            let (line, column) = source.line_column(span.start);
            let text = source.text.lines().nth(line - 1).unwrap_or_default();
            Some((source.name.clone(), line, column, text.to_owned()))
        });
        let lines = [
            std::slice::from_ref(&diagnostic.message),
            &diagnostic.causes,
        ];
        Problem {
            code: diagnostic.code.label(diagnostic.severity),
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: lines.concat().join("\n"),
            file: place.as_ref().map(|place| place.0.clone()),
            line: place.as_ref().map(|place| place.1),
            column: place.as_ref().map(|place| place.2),
            text: place.map(|place| place.3),
            rendered: diagnostic.render(sources, false, None),
            shown: diagnostic.is_always_shown(),
            help: diagnostic.help,
        }
    }

    /// All diagnostics with their places.
    pub fn all(diagnostics: &[Diagnostic], sources: &[Source]) -> Vec<Problem> {
        let sources = name_arguments(sources);
        let problem = |one| Problem::of(one, &sources);
        diagnostics.iter().map(problem).collect()
    }
}

/// What went wrong, as the name of the exception that it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The model.
    Model,
    /// The run of it.
    Run,
    /// A limit.
    Limit,
    /// A file that is not there.
    NotFound,
    /// Another trouble with a file.
    File,
    /// What was asked for.
    Usage,
    /// This program.
    Internal,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Kind::Model => "ModelError",
            Kind::Run => "RunError",
            Kind::Limit => "LimitError",
            Kind::NotFound => "MissingFileError",
            Kind::File => "FileError",
            Kind::Usage => "UsageError",
            Kind::Internal => "InternalError",
        }
    }
}

/// The kind of a failure by its code, if the code tells.
fn kind_of(code: u16) -> Option<Kind> {
    match code {
        107 | 503..=507 | 524 | 526 | 529 | 544 => Some(Kind::File),
        108..=112 | 114 | 130 | 131 | 411 | 414 | 425 | 520..=523 | 528 | 551 => Some(Kind::Limit),
        501 | 502 | 541..=543 => Some(Kind::Run),
        601..=608 => Some(Kind::Usage),
        _ => None,
    }
}

/// The exception for a failure, which is of another kind if its code says so.
pub fn exception(py: Python<'_>, mut failure: Failure, kind: Kind) -> PyErr {
    for diagnostic in &mut failure.diagnostics {
        advise(diagnostic);
    }
    let errors = failure.diagnostics.iter();
    let mut errors = errors.filter(|one| one.severity == Severity::Error);
    let first = errors.next();
    let missing = first.and_then(|first| first.missing_file.clone());
    let kind = match first {
        Some(first) if is_wrong_path(first, &failure.sources) => Kind::Usage,
        Some(first) if first.missing_file.is_some() => Kind::NotFound,
        Some(first) => kind_of(first.code.0).unwrap_or(kind),
        None => kind,
    };
    let sources = &failure.sources;
    for diagnostic in &mut failure.diagnostics {
        if is_wrong_path(diagnostic, sources) {
            // The caller has never seen the text that asks for it.
            diagnostic.span = None;
        }
    }
    failure.sources = name_arguments(&failure.sources).into_owned();
    let problems = Problem::all(&failure.diagnostics, &failure.sources);
    let text = failure.render(false);
    let made = made(py, kind, text.trim_end(), problems);
    let named = made.and_then(|made| {
        if let Some(file) = missing {
            made.value(py).setattr("filename", file)?;
        }
        Ok(made)
    });
    named.unwrap_or_else(|error| error)
}

/// Whether a path that the caller wants to be recorded leads nowhere.
fn is_wrong_path(diagnostic: &Diagnostic, sources: &[Source]) -> bool {
    let Code(code) = diagnostic.code;
    let source = diagnostic.span.map(|span| span.source.0 as usize);
    let source = source.and_then(|number| sources.get(number));
    matches!(code, 401..=403 | 421) && source.is_some_and(|source| is_of_a_request(&source.name))
}

/// An exception without a diagnostic.
pub fn plain(py: Python<'_>, kind: Kind, message: &str) -> PyErr {
    made(py, kind, message, Vec::new()).unwrap_or_else(|error| error)
}

fn made(py: Python<'_>, kind: Kind, text: &str, problems: Vec<Problem>) -> PyResult<PyErr> {
    let module = py.import("jlems._errors")?;
    let class = module.getattr(kind.class())?.cast_into::<PyType>()?;
    let instance = class.call1((text, problems))?;
    Ok(PyErr::from_value(instance))
}

/// What a panic says.
pub fn said(panic: &(dyn Any + Send)) -> String {
    let text = (panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "a panic".to_owned());
    format!("this is a bug in jlems-rs, please report it: {text}")
}

/// Does something without the lock of the interpreter; a panic becomes an exception.
pub fn detached<T: Send>(py: Python<'_>, body: impl FnOnce() -> T + Send) -> PyResult<T> {
    let body = std::panic::AssertUnwindSafe(body);
    let result = py.detach(|| std::panic::catch_unwind(body));
    result.map_err(|panic| plain(py, Kind::Internal, &said(&*panic)))
}

/// Time between two looks for Ctrl-C.
const LOOK: Duration = Duration::from_millis(40);
/// Stack of a thread, in bytes, which is enough for the most deeply nested model.
const STACK: usize = 8 << 20;

/// Starts a thread, which nobody waits for.
pub fn spawned(work: impl FnOnce() + Send + 'static) -> PyResult<()> {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work);
    thread.map_err(|error| PyRuntimeError::new_err(format!("no thread can be made: {error}")))?;
    Ok(())
}

/// Does something in another thread, without the lock of the interpreter; a panic becomes an exception. Ctrl-C ends the
/// wait for it with `KeyboardInterrupt`: what has begun goes on to its end unseen, and its result is dropped.
pub fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    body: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (sender, mut receiver) = sync_channel(1);
    let work = move || {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        // Nobody waits after Ctrl-C.
        let _ = sender.send(result);
    };
    spawned(work)?;
    loop {
        let found;
        (receiver, found) = py.detach(move || {
            let found = receiver.recv_timeout(LOOK);
            (receiver, found)
        });
        match found {
            Ok(result) => {
                return result.map_err(|panic| plain(py, Kind::Internal, &said(&*panic)));
            }
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(plain(py, Kind::Internal, &said(&"a thread gave no result")));
            }
        }
    }
}

/// A value as JSON.
pub fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| {
        let message = format!("this cannot be written as JSON: {error}");
        Failure::plain(Code(601), message, None)
    })
}
