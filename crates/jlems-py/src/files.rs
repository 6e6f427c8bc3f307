//! jLEMS's files, written from arrays.

use jlems::{Failure, OutputError, OutputStore};
use lems_host::FileStore;
use lems_output::{DataFile, EventFile, EventFormat, TimesFile};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::failure::{Kind, detached, exception};

/// A data file: name, columns, and what their SI values are divided by.
type Table = (String, Vec<usize>, Vec<f64>);
/// An event file: name, form, ids, times, selections.
type Events<'py> = (
    String,
    Option<String>,
    Vec<String>,
    PyReadonlyArray1<'py, f64>,
    PyReadonlyArray1<'py, i32>,
);

/// An event file as Rust holds it.
struct OwnEvents {
    path: String,
    format: Option<EventFormat>,
    ids: Vec<String>,
    events: Vec<(f64, usize)>,
}

/// Writes data files, event files and a file of times into a folder. None of them may be one of the `inputs`.
/// Returns their names.
#[pyfunction]
#[pyo3(signature = (folder, times, values, tables, events, times_file, inputs))]
#[expect(
    clippy::too_many_arguments,
    reason = "Python gives a result in its parts"
)]
pub fn write_outputs(
    py: Python<'_>,
    folder: String,
    times: PyReadonlyArray1<'_, f64>,
    values: PyReadonlyArray2<'_, f64>,
    tables: Vec<Table>,
    events: Vec<Events<'_>>,
    times_file: Option<String>,
    inputs: Vec<String>,
) -> PyResult<Vec<String>> {
    // Others may change the arrays while the lock of the interpreter is not held.
    let times: Vec<f64> = times.as_array().to_vec();
    let values = values.as_array();
    let columns: Vec<Vec<f64>> = values.outer_iter().map(|column| column.to_vec()).collect();
    let events = events
        .into_iter()
        .map(|(path, format, ids, times, selections)| {
            let selections = selections.as_array();
            let selections = selections.iter().map(|number| usize::try_from(*number));
            let times = times.as_array();
            let pairs = times.iter().copied().zip(selections);
            OwnEvents {
                path,
                format: match format.as_deref() {
                    Some("ID_TIME") => Some(EventFormat::IdTime),
                    Some("TIME_ID") => Some(EventFormat::TimeId),
                    _ => None,
                },
                ids,
                events: pairs
                    .filter_map(|(time, selection)| Some((time, selection.ok()?)))
                    .collect(),
            }
        });
    let events: Vec<OwnEvents> = events.collect();
    let written = detached(py, || {
        let mut store = FileStore::in_folder(&folder);
        let outputs = Outputs {
            times: &times,
            columns: &columns,
            tables: &tables,
            events: &events,
            times_file: times_file.as_deref(),
        };
        // If the folder cannot be made, the first output says so.
        let _ = std::fs::create_dir_all(&folder);
        outputs.write(&mut store, &inputs)
    })?;
    written.map_err(|error| {
        let failure = Failure::from(jlems::EngineError::from(error));
        exception(py, failure, Kind::File)
    })
}

struct Outputs<'o> {
    times: &'o [f64],
    columns: &'o [Vec<f64>],
    tables: &'o [Table],
    events: &'o [OwnEvents],
    times_file: Option<&'o str>,
}

impl Outputs<'_> {
    fn write(
        &self,
        store: &mut dyn OutputStore,
        inputs: &[String],
    ) -> Result<Vec<String>, OutputError> {
        let names = self.tables.iter().map(|table| table.0.as_str());
        let names = names.chain(self.events.iter().map(|events| events.path.as_str()));
        let names: Vec<&str> = names.chain(self.times_file).collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        store.reserve(&names, &inputs)?;
        let mut row = Vec::new();
        for (path, columns, scales) in self.tables {
            let mut file = DataFile::create(store, path)?;
            let columns = columns.iter().map(|column| self.columns.get(*column));
            let columns: Vec<(&[f64], f64)> = columns
                .zip(scales)
                .map(|(column, scale)| (column.map_or(&[][..], |column| column), *scale))
                .collect();
            for (number, time) in self.times.iter().enumerate() {
                row.clear();
                row.push(*time);
                let value = |column: &[f64]| column.get(number).copied().unwrap_or(f64::NAN);
                row.extend(columns.iter().map(|(column, scale)| value(column) / scale));
                file.row(&row)?;
            }
            file.finish()?;
        }
        for OwnEvents {
            path,
            format,
            ids,
            events,
        } in self.events
        {
            // jLEMS opens a file whose format it does not know, and writes nothing.
            let mut file =
                EventFile::create(store, path, format.unwrap_or(EventFormat::IdTime), ids)?;
            for (time, selection) in events.iter().filter(|_| format.is_some()) {
                file.event(*selection, *time)?;
            }
            file.finish()?;
        }
        if let Some(path) = self.times_file {
            let mut file = TimesFile::create(store, path)?;
            for time in self.times {
                file.time(*time)?;
            }
            file.finish()?;
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }
}
