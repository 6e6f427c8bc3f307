//! A sweep that a file specifies, with the results that the command `sweep` writes.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use jlems::{Failure, Limits, Options, Stage};
use jlems_rs::{Specification, Sweep, SweepProgress};
use lems_host::FileSources;
use pyo3::prelude::*;

use crate::drive::PERIOD;
use crate::failure::{Kind, detached, exception, plain, said};
use crate::memory;

/// The file that specifies a sweep.
#[pyclass(frozen, module = "jlems._jlems")]
pub struct Specified {
    specification: Specification,
}

/// What a point is: paths with their values, and the seed.
type Values = (Vec<(String, String)>, Option<i64>);

#[pymethods]
impl Specified {
    /// Reads a file.
    #[new]
    fn new(py: Python<'_>, path: &str) -> PyResult<Specified> {
        let specification = detached(py, || Specification::read(path))?;
        let specification = specification.map_err(|failure| exception(py, failure, Kind::Usage))?;
        Ok(Specified { specification })
    }

    /// Path of the model.
    #[getter]
    fn model(&self) -> String {
        self.specification.model()
    }

    /// Folders, step and length of the specification.
    #[getter]
    fn settings(&self) -> (Vec<String>, Option<String>, Option<String>) {
        let spec = self.specification.spec();
        (spec.include.clone(), spec.step.clone(), spec.length.clone())
    }

    /// Quantities and populations to be recorded; if both are empty, those of the model.
    #[getter]
    fn recorded(&self) -> (Vec<String>, Vec<String>) {
        self.specification.recorded()
    }

    /// Number of points.
    fn __len__(&self) -> usize {
        usize::try_from(self.specification.spec().points()).unwrap_or(usize::MAX)
    }

    /// The point with a number.
    fn point(&self, number: u64) -> Values {
        let point = self.specification.spec().point(number);
        let values = point.values.iter();
        let values = values.map(|(path, value)| ((*path).to_owned(), (*value).to_owned()));
        (values.collect(), point.seed)
    }

    /// Runs the points of a shard that are missing in a folder: how many were run, and how many of them failed.
    /// The callback gets the number of points that are done and the number of all. If it returns a true value, the
    /// sweep ends.
    #[pyo3(signature = (folder, threads, shard=None, fast=false, progress=None))]
    fn run(
        &self,
        py: Python<'_>,
        folder: &str,
        threads: usize,
        shard: Option<&str>,
        fast: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(u64, u64)> {
        let wish = Wish {
            folder: Path::new(folder),
            threads: NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN),
            shard,
            fast,
        };
        let ended = detached(py, || run(&self.specification, &wish, progress.as_ref()))?;
        ended.map_err(|end| match end {
            End::Failed(failure) => exception(py, *failure, Kind::Model),
            End::Raised(error) => error,
            End::Panicked(panic) => plain(py, Kind::Internal, &panic),
        })
    }
}

/// How a sweep is to be run.
struct Wish<'w> {
    folder: &'w Path,
    threads: NonZeroUsize,
    shard: Option<&'w str>,
    fast: bool,
}

/// Why a sweep has ended early.
enum End {
    Failed(Box<Failure>),
    /// An exception of Python, such as `KeyboardInterrupt`.
    Raised(PyErr),
    Panicked(String),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> End {
        End::Failed(Box::new(failure))
    }
}

fn run(
    specification: &Specification,
    wish: &Wish<'_>,
    callback: Option<&Py<PyAny>>,
) -> Result<(u64, u64), End> {
    let shard = jlems_rs::shard(wish.shard)?;
    let options = specification.options(Options {
        limits: Limits {
            memory: memory::most(),
            ..Limits::default()
        },
        host: Some(memory::machine()),
        fast: wish.fast,
        ..Options::default()
    });
    let sweep = Sweep::read(specification, options.clone(), &FileSources)?;
    let (spec, folder) = (specification.spec(), sweep.folder(wish.folder));
    let missing = folder.missing(spec, shard)?;
    folder.begin()?;
    let points = missing.iter().map(|part| {
        let points = folder.points(spec, *part);
        points.end - points.start
    });
    let of = points.sum();
    let ended = Arc::new(AtomicBool::new(false));
    let progress = SweepProgress::ended_by(Arc::clone(&ended));
    std::thread::scope(|scope| {
        let threads = wish.threads.get();
        // Whoever waits at the other end learns by the loss of this one that the work is done.
        let (working, end) = channel();
        let (sweep, folder, missing, progress) = (&sweep, &folder, &missing, &progress);
        let work = scope.spawn(move || {
            let _working = working;
            sweep.run(folder, missing, threads, progress)
        });
        let seen = watch(&end, &options, callback, || (progress.points(), of));
        ended.store(!matches!(seen, Ok(false)), Ordering::Relaxed);
        let done = work.join().map_err(|panic| End::Panicked(said(&*panic)))?;
        seen?;
        done?;
        Ok((progress.points(), progress.failed()))
    })
}

/// Looks at memory and at Python now and then until the other end of the channel is lost. Returns whether the
/// callback asks to end the work.
fn watch(
    end: &Receiver<()>,
    options: &Options,
    callback: Option<&Py<PyAny>>,
    place: impl Fn() -> (u64, u64),
) -> Result<bool, End> {
    loop {
        let is_done = end.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout);
        let memory = (options.limits).allow_memory(&*options.host(), &Stage::default());
        memory.map_err(Failure::from)?;
        let asked = Python::attach(|py| -> PyResult<bool> {
            py.check_signals()?;
            match callback {
                Some(callback) => callback.call1(py, place())?.is_truthy(py),
                None => Ok(false),
            }
        });
        if asked.map_err(End::Raised)? || is_done {
            return Ok(!is_done);
        }
    }
}
