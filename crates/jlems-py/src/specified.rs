//! A sweep that a file specifies, with the results that the command `sweep` writes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use jlems::{Failure, Limits, Options, Stage};
use jlems_rs::{Specification, Sweep, SweepProgress};
use lems_host::FileSources;
use lems_sweep::{Feature, Subject};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::drive::PERIOD;
use crate::failure::{Kind, detached, exception, plain, said, spawned};
use crate::memory;

/// Time that the work has to end in after Ctrl-C, such as to finish a file that it is writing.
const GRACE: Duration = Duration::from_millis(40);

/// The file that specifies a sweep.
#[pyclass(frozen, module = "jlems._jlems")]
pub struct Specified {
    specification: Arc<Specification>,
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
        Ok(Specified {
            specification: Arc::new(specification),
        })
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

    /// Numbers that are kept of each run: their names, whether they are about spikes, and the quantity or population
    /// that they are of.
    #[getter]
    fn features(&self) -> Vec<(String, bool, String)> {
        let features = self.specification.spec().record.features.iter();
        let of = |feature: &Feature| match &feature.subject {
            Subject::Trace(path) => (feature.name.clone(), false, path.clone()),
            Subject::Spikes(population) => (feature.name.clone(), true, population.clone()),
        };
        features.map(of).collect()
    }

    /// The feature with a number, of all rows of its quantity.
    fn of_trace(&self, number: usize, values: PyReadonlyArray1<'_, f64>) -> Option<f64> {
        let feature = self.specification.spec().record.features.get(number)?;
        feature.of_trace(&values.as_array().to_vec())
    }

    /// The feature with a number, of the times of all spikes of so many cells, and the length of the run, in seconds.
    fn of_spikes(
        &self,
        number: usize,
        times: PyReadonlyArray1<'_, f64>,
        cells: usize,
        length: f64,
    ) -> Option<f64> {
        let feature = self.specification.spec().record.features.get(number)?;
        feature.of_spikes(&times.as_array().to_vec(), cells, length)
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
        let options = self.specification.options(Options {
            limits: Limits {
                memory: memory::most(),
                ..Limits::default()
            },
            host: Some(memory::machine()),
            fast,
            ..Options::default()
        });
        let ended = Arc::new(AtomicBool::new(false));
        let work = Work {
            specification: Arc::clone(&self.specification),
            options: options.clone(),
            folder: folder.to_owned(),
            threads: threads.max(1),
            shard: shard.map(str::to_owned),
            progress: Arc::new(SweepProgress::ended_by(Arc::clone(&ended))),
            of: Arc::new(AtomicU64::new(UNKNOWN)),
        };
        let (done, of) = (Arc::clone(&work.progress), Arc::clone(&work.of));
        let (sender, receiver) = sync_channel(1);
        spawned(move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work.run()));
            // Nobody waits after Ctrl-C.
            let _ = sender.send(result);
        })?;
        let counted = Arc::clone(&done);
        let place = move || (counted.points(), of.load(Ordering::Relaxed));
        let result = py.detach(move || {
            let seen = watch(&receiver, &options, progress.as_ref(), place);
            ended.store(true, Ordering::Relaxed);
            match seen {
                Ok(Some(result)) => Ok(result),
                // The callback has asked for the end.
                Ok(None) => receiver.recv().map_err(|_| End::Lost),
                Err(end) => {
                    let _ = receiver.recv_timeout(GRACE);
                    Err(end)
                }
            }
        });
        let failed = |failure| exception(py, failure, Kind::Model);
        match result {
            Ok(Ok(Ok(()))) => Ok((done.points(), done.failed())),
            Ok(Ok(Err(failure))) => Err(failed(failure)),
            Ok(Err(panic)) => Err(plain(py, Kind::Internal, &said(&*panic))),
            Err(End::Failed(failure)) => Err(failed(*failure)),
            Err(End::Raised(error)) => Err(error),
            Err(End::Lost) => Err(plain(py, Kind::Internal, &said(&"a thread gave no result"))),
        }
    }
}

/// The number of points before the model is read.
const UNKNOWN: u64 = u64::MAX;

/// A sweep that is to be run.
struct Work {
    specification: Arc<Specification>,
    options: Options,
    folder: String,
    threads: usize,
    shard: Option<String>,
    progress: Arc<SweepProgress>,
    /// Number of points that are to be run, or [`UNKNOWN`].
    of: Arc<AtomicU64>,
}

impl Work {
    /// Runs what is missing.
    fn run(&self) -> Result<(), Failure> {
        let spec = self.specification.spec();
        let shard = jlems_rs::shard(self.shard.as_deref())?;
        let options = self.options.clone();
        let sweep = Sweep::read(&self.specification, options, &FileSources)?;
        let folder = sweep.folder(Path::new(&self.folder));
        let missing = folder.missing(spec, shard)?;
        folder.begin()?;
        let points = missing.iter().map(|part| {
            let points = folder.points(spec, *part);
            points.end - points.start
        });
        self.of.store(points.sum(), Ordering::Relaxed);
        sweep.run(&folder, &missing, self.threads, &self.progress)
    }
}

/// What the work gave, or its panic.
type Done = std::thread::Result<Result<(), Failure>>;

/// Why a sweep has ended early.
enum End {
    Failed(Box<Failure>),
    /// An exception of Python, such as `KeyboardInterrupt`.
    Raised(PyErr),
    /// The thread of the work is gone. This is a bug.
    Lost,
}

/// Looks at memory and at Python now and then until the work is done. Returns what it gave; None if the callback asks to
/// end it.
fn watch(
    receiver: &Receiver<Done>,
    options: &Options,
    callback: Option<&Py<PyAny>>,
    place: impl Fn() -> (u64, u64),
) -> Result<Option<Done>, End> {
    loop {
        let done = match receiver.recv_timeout(PERIOD) {
            Ok(done) => Some(done),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Err(End::Lost),
        };
        let memory = (options.limits).allow_memory(&*options.host(), &Stage::default());
        memory.map_err(|error| End::Failed(Box::new(error.into())))?;
        let place = place();
        let asked = Python::attach(|py| -> PyResult<bool> {
            py.check_signals()?;
            match callback {
                Some(callback) if place.1 != UNKNOWN => callback.call1(py, place)?.is_truthy(py),
                _ => Ok(false),
            }
        });
        let asked = asked.map_err(End::Raised)?;
        if done.is_some() || asked {
            return Ok(done);
        }
    }
}
