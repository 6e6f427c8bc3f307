//! What is known about models and their types, as JSON for the classes of Python.

use jlems::{Code, Failure, Options, Severity};
use lems_document::Document;
use lems_host::FileSources;
use pyo3::prelude::*;

use crate::descriptions::{description, types};
use crate::failure::{Kind, Problem, detached, exception, interruptible};
use crate::source::Source;

fn all_core_types() -> Result<Document, Failure> {
    jlems::load_core_types(&Options::default())
}

/// The core types, as JSON.
#[pyfunction]
pub fn core_types(py: Python<'_>) -> PyResult<String> {
    let json = detached(py, || types(&all_core_types()?))?;
    json.map_err(|failure| exception(py, failure, Kind::Model))
}

/// What a core type, dimension, unit or constant is, as JSON.
#[pyfunction]
pub fn describe(py: Python<'_>, name: &str) -> PyResult<String> {
    let json = detached(py, || description(&all_core_types()?, name))?;
    json.map_err(|failure| exception(py, failure, Kind::Usage))
}

/// The version of the engine.
#[pyfunction]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The explanation of a code, or None.
#[pyfunction]
pub fn explain(code: &str) -> Option<String> {
    let code = Code::parse(code)?;
    let label = code.label(Severity::Error);
    code.text().map(|text| format!("{label}: {text}"))
}

/// Checks a model without running it: whether it is valid, all problems, and how many files were checked
/// against a schema. NeuroML's own rules are the schema if the user gives none.
#[pyfunction]
#[pyo3(signature = (source, schema=None))]
pub fn validate(
    py: Python<'_>,
    source: &Source,
    schema: Option<String>,
) -> PyResult<(bool, Vec<Problem>, usize)> {
    let source = source.clone();
    let verdict = interruptible(py, move || {
        let options = source.options()?;
        let schema = match &schema {
            Some(path) => jlems::read_schema(path, &FileSources, &options.limits.document)?,
            None => jlems::neuroml_schema()?,
        };
        let texts = &*source.texts;
        let verdict = jlems::validate(&source.path, texts, &options, Some(&schema));
        match verdict.diagnostics.first() {
            // There is nothing to have a verdict on.
            Some(first) if first.missing_file.is_some() => Err(Failure {
                sources: verdict.sources,
                diagnostics: verdict.diagnostics,
            }),
            _ => Ok(verdict),
        }
    })?;
    let verdict = verdict.map_err(|failure: Failure| exception(py, failure, Kind::Usage))?;
    let problems = Problem::all(&verdict.diagnostics, &verdict.sources);
    let is_valid = verdict.count(Severity::Error) == 0;
    Ok((is_valid, problems, verdict.held))
}
