//! The numbers of a run as arrays that Python takes over.

use std::collections::HashMap;

use jlems::{Mark, OutputError, Simulation, Sink};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Which column each quantity of each file goes to: a quantity that is in several files has one column.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Paths of the quantities.
    pub quantities: Vec<String>,
    /// For each file the columns of its quantities.
    pub tables: Vec<Vec<usize>>,
    /// For each file the columns that it is the first to have.
    first: Vec<Vec<Option<usize>>>,
    /// Number of event files.
    events: usize,
    /// Whether the times of the rows are kept.
    has_rows: bool,
    /// Most rows.
    pub rows: usize,
}

impl Plan {
    /// What a simulation records.
    pub fn of(simulation: &Simulation, has_times_file: bool) -> Plan {
        let mut plan = Plan {
            events: simulation.event_files().count(),
            ..Plan::default()
        };
        let mut known: HashMap<String, usize> = HashMap::new();
        for (_, recorders) in simulation.recordings() {
            let (mut table, mut first) = (Vec::new(), Vec::new());
            for recorder in recorders {
                let next = known.len();
                let column = *known.entry(recorder.quantity.clone()).or_insert(next);
                if column == next {
                    plan.quantities.push(recorder.quantity.clone());
                }
                first.push((column == next).then_some(column));
                table.push(column);
            }
            plan.tables.push(table);
            plan.first.push(first);
        }
        plan.has_rows = has_times_file || !plan.tables.is_empty();
        if plan.has_rows {
            let rows = (simulation.steps() / simulation.every()).saturating_add(1);
            plan.rows = usize::try_from(rows).unwrap_or(usize::MAX);
        }
        plan
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> usize {
        (self.quantities.len() + 1)
            .saturating_mul(self.rows)
            .saturating_mul(size_of::<f64>())
    }
}

/// Rows and events of a run: one block of columns, each as long as the run can become.
#[derive(Debug, Clone)]
pub struct Columns {
    plan: std::sync::Arc<Plan>,
    times: Vec<f64>,
    block: Vec<f64>,
    /// Times and selections of the events of each file.
    events: Vec<(Vec<f64>, Vec<i32>)>,
}

impl Columns {
    /// Room for what a plan says.
    pub fn new(plan: &std::sync::Arc<Plan>) -> Columns {
        Columns {
            // Memory that is only zeros is not taken before it is written to.
            block: vec![0.0; plan.quantities.len() * plan.rows],
            times: Vec::with_capacity(plan.rows),
            events: vec![Default::default(); plan.events],
            plan: std::sync::Arc::clone(plan),
        }
    }

    /// The values of the last row; none before the first row.
    pub fn last(&self) -> Option<Vec<f64>> {
        let row = self.times.len().checked_sub(1)?;
        let columns = self.block.chunks(self.plan.rows.max(1));
        columns.map(|column| column.get(row).copied()).collect()
    }

    /// The numbers as arrays of Python: `t`, `values` with a row for each quantity, which is longer
    /// than `t` if the run ended early, and `events`.
    pub fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let rows = self.plan.rows;
        let shape = [self.plan.quantities.len(), rows];
        let values = PyArray1::from_vec(py, self.block).reshape(shape)?;
        let events: Vec<_> = (self.events.into_iter())
            .map(|(times, selections)| {
                let times = PyArray1::from_vec(py, times);
                (times, PyArray1::from_vec(py, selections))
            })
            .collect();
        let numbers = PyDict::new(py);
        numbers.set_item("t", PyArray1::from_vec(py, self.times))?;
        numbers.set_item("values", values)?;
        numbers.set_item("events", events)?;
        Ok(numbers)
    }
}

impl Sink for Columns {
    fn row(&mut self, file: usize, _time: f64, values: &[f64]) -> Result<(), OutputError> {
        let (row, rows) = (self.times.len(), self.plan.rows);
        let Some(columns) = self.plan.first.get(file).filter(|_| row < rows) else {
            return Ok(());
        };
        for (column, value) in columns.iter().zip(values) {
            if let Some(column) = column
                && let Some(place) = self.block.get_mut(column * rows + row)
            {
                *place = *value;
            }
        }
        Ok(())
    }

    fn event(&mut self, file: usize, selection: usize, time: f64) -> Result<(), OutputError> {
        if let Some((times, selections)) = self.events.get_mut(file) {
            times.push(time);
            selections.push(i32::try_from(selection).unwrap_or(i32::MAX));
        }
        Ok(())
    }

    fn end_of_rows(&mut self, time: f64) -> Result<(), OutputError> {
        if self.plan.has_rows {
            self.times.push(time);
        }
        Ok(())
    }

    fn marks(&mut self) -> Result<Vec<Mark>, OutputError> {
        Ok(Vec::new())
    }
}
