//! A run whose rows and events go to files as they are made, as those of the command line do.

use std::ops::ControlFlow;
use std::time::Instant;

use jlems::{
    Choices, Diagnostic, Failure, Moment, OutputStore, SIMULATOR, Simulation, Stop, Timestamp,
};
use lems_host::FileStore;
use lems_output::{Report, write_report};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::drive::{PERIOD, ask};
use crate::failure::{Kind, Problem, detached, exception};
use crate::source::{Source, reader_of};

/// When a run began, as reports have it, and as their names have it.
type Began = (String, String);

/// What was written.
struct Written {
    files: Vec<String>,
    warnings: Vec<Problem>,
    steps: u64,
    time: f64,
    interrupted: bool,
}

/// Runs a model and writes its files into a folder.
#[pyfunction]
#[pyo3(signature = (source, folder, began, progress=None))]
pub fn run_to_files<'py>(
    py: Python<'py>,
    source: &Source,
    folder: String,
    began: Began,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let mut raised = None;
    let written = detached(py, || {
        written(source, &folder, &began, progress.as_ref(), &mut raised)
    })?;
    if let Some(error) = raised {
        return Err(error);
    }
    let written = written.map_err(|failure| exception(py, failure, Kind::Model))?;
    let summary = PyDict::new(py);
    summary.set_item("files", written.files)?;
    summary.set_item("warnings", written.warnings)?;
    summary.set_item("steps", written.steps)?;
    summary.set_item("time", written.time)?;
    summary.set_item("interrupted", written.interrupted)?;
    Ok(summary)
}

fn written(
    source: &Source,
    folder: &str,
    began: &Began,
    progress: Option<&Py<PyAny>>,
    raised: &mut Option<PyErr>,
) -> Result<Written, Failure> {
    let (start, stamp) = began;
    let begun = Instant::now();
    let (around, mut options) = source.runnable(&Choices::default())?;
    let stamp = stamp.clone();
    options.timestamp = Timestamp::new(move || stamp.clone());
    let reader = reader_of(&around, &source.texts);
    let path = around.as_ref().map_or(&source.path, |around| &around.path);
    // If it cannot be made, the first output says so.
    let _ = std::fs::create_dir_all(folder);
    let mut store = FileStore::in_folder(folder);
    let mut looked = begun;
    let mut first_step = None;
    let mut watch = |simulation: &Simulation, moment: &mut Moment<'_, '_>| {
        first_step.get_or_insert_with(Instant::now);
        if looked.elapsed() < PERIOD {
            return ControlFlow::Continue(());
        }
        looked = Instant::now();
        let place = (moment.steps, simulation.steps(), moment.time);
        match ask(progress, place, begun) {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => ControlFlow::Break(Stop::User),
            Err(error) => {
                *raised = Some(error);
                ControlFlow::Break(Stop::User)
            }
        }
    };
    let outcome = jlems::run_from(None, path, reader, &mut store, &options, &mut watch)?;
    let stepping = first_step.map_or(0.0, |first: Instant| first.elapsed().as_secs_f64());
    let summaries = &outcome.summaries;
    let mut files: Vec<String> = (summaries.iter())
        .flat_map(|summary| summary.files.iter().cloned())
        .collect();
    if let Some(name) = outcome.report_file() {
        let report = Report {
            simulator: SIMULATOR.to_owned(),
            simulator_version: env!("CARGO_PKG_VERSION").to_owned(),
            simulation_file: lems_document::SourceReader::canonical(&*source.texts, path),
            start_time: start.clone(),
            setup_seconds: begun.elapsed().as_secs_f64() - stepping,
            simulation_seconds: stepping,
            save_seconds: 0.0,
        };
        let saved = write_report(&mut store as &mut dyn OutputStore, name, &report);
        saved.map_err(|error| outcome.failure(error))?;
        files.push(name.to_owned());
    }
    let always: Vec<Diagnostic> = outcome.warnings.clone();
    let last = summaries.last();
    Ok(Written {
        files,
        warnings: Problem::all(&always, &outcome.sources),
        steps: last.map_or(0, |summary| summary.steps),
        time: last.map_or(0.0, |summary| summary.time),
        interrupted: last.is_some_and(|summary| summary.interrupted),
    })
}
