//! `jlems-rs run --plan FILE`: what a run will need, without making it.

use std::cmp::Reverse;
use std::fmt::Write;

use jlems::memory::{Needed, size};
use jlems::{Failure, Limits, Options, visible};
use lems_document::{Document, SourceReader};
use lems_model::Model;
use lems_network::{Estimate, Experiment, Run, rounded};
use serde::Serialize;

/// Most component types that are listed one by one.
const LISTED: usize = 12;
/// Usual bytes of a value with its tab, and of an event.
const VALUE_BYTES: u64 = 11;
const EVENT_BYTES: u64 = 10;

/// What the runs of a file will take.
#[derive(Debug, Serialize)]
pub struct Plan {
    file: String,
    runs: Vec<PlannedRun>,
}

/// What one of them will take; times are in seconds, sizes in bytes.
#[derive(Debug, Serialize)]
struct PlannedRun {
    steps: u64,
    step: f64,
    length: f64,
    /// Types with most instances first.
    types: Vec<PlannedType>,
    instances: u64,
    attached: u64,
    connections: u64,
    /// Cells with dendrites, and their compartments.
    cables: u64,
    compartments: u64,
    /// Elements that could not be counted: there may be more of all.
    uncounted: u64,
    state_bytes: u64,
    table_bytes: u64,
    peak_bytes: u64,
    files: Vec<PlannedFile>,
    /// Why this run will be refused.
    refusals: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PlannedType {
    #[serde(rename = "type")]
    name: String,
    instances: u64,
    attached: u64,
}

/// A file of a run: rows of columns or, without them, as many events of selections as there will be.
#[derive(Debug, Serialize)]
struct PlannedFile {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selections: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

impl Plan {
    /// Reads a file and finds what its runs will take; no instance is made and nothing is written.
    pub fn of(file: &str, reader: &dyn SourceReader, options: &Options) -> Result<Plan, Failure> {
        let document = jlems::load_runnable(file, reader, options)?;
        super::printing::warn_of(&document);
        let model = jlems::read_model(&document)?;
        let (experiment, estimates) = jlems::estimate(&document, &model)?;
        let runs = experiment.runs.iter().zip(&estimates);
        let planned = |(run, estimate): (&Run, &Estimate)| {
            PlannedRun::of(&document, &model, &experiment, run, estimate, options)
        };
        Ok(Plan {
            file: file.to_owned(),
            runs: runs.map(planned).collect(),
        })
    }

    /// The plan for people.
    pub fn text(&self) -> String {
        self.runs.iter().map(PlannedRun::text).collect()
    }
}

impl PlannedRun {
    fn of(
        document: &Document,
        model: &Model<'_>,
        experiment: &Experiment<'_>,
        run: &Run,
        estimate: &Estimate,
        options: &Options,
    ) -> PlannedRun {
        let mut kinds: Vec<_> = estimate.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| Reverse(count.instances));
        let needed = Needed::of(document, model, estimate);
        let times_file = model.target.and_then(|target| target.times_file);
        let times_file = times_file.map(|file| file.value());
        let mut refusals = refusals(estimate, needed, &options.limits);
        if let Err(error) = options.limits.allow_outputs(experiment, options.every) {
            refusals.push(format!("It will be refused: {error}."));
        }
        PlannedRun {
            steps: run.steps,
            step: rounded(run.step),
            length: rounded(run.length),
            types: (kinds.iter())
                .map(|(kind, count)| PlannedType {
                    name: model.type_of(**kind).name.to_owned(),
                    instances: count.instances,
                    attached: count.attached,
                })
                .collect(),
            instances: estimate.instances(),
            attached: estimate.attached(),
            connections: estimate.connections,
            cables: estimate.cables,
            compartments: estimate.compartments,
            uncounted: estimate.untold,
            state_bytes: needed.state,
            table_bytes: needed.tables,
            peak_bytes: needed.peak,
            files: files(experiment, run, times_file),
            refusals,
        }
    }

    fn text(&self) -> String {
        let mut text = self.instances();
        let [step, length] = [self.step, self.length].map(|seconds| rounded(seconds * 1e3));
        let about = |bytes| format!("about {}", size(bytes));
        let mut lines = vec![
            (
                "steps".into(),
                format!("{} of {step} ms: {length} ms", self.steps),
            ),
            ("connections".into(), self.connections.to_string()),
            ("state variables".into(), about(self.state_bytes)),
            ("tables".into(), about(self.table_bytes)),
            ("peak memory".into(), about(self.peak_bytes)),
        ];
        if self.cables > 0 {
            let cells = super::printing::counted(self.cables, "cell");
            let text = format!("{} of {cells}", self.compartments);
            lines.insert(1, ("compartments".into(), text));
        }
        lines.extend(
            self.files
                .iter()
                .map(|file| (visible(&file.path), file.text())),
        );
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in lines {
            let _ = writeln!(text, "{name:width$}  {value}");
        }
        text.push_str(
            "\nInstances and connections are counted, the sizes estimated from them; paths are not followed.\n",
        );
        if self.uncounted > 0 {
            let elements = super::printing::counted(self.uncounted, "element");
            let _ = writeln!(text, "{elements} could not be counted: there may be more.");
        }
        for refusal in &self.refusals {
            let _ = writeln!(text, "{refusal}");
        }
        text
    }

    /// A table of the component types with most instances.
    fn instances(&self) -> String {
        let row = |name: String, instances: u64, attached: u64| {
            [name, instances.to_string(), attached.to_string()]
        };
        let titles = ["component type", "instances", "attached"];
        let mut rows = vec![titles.map(str::to_owned)];
        let kinds = self.types.iter().take(LISTED);
        rows.extend(kinds.map(|kind| {
            row(
                visible(&kind.name).into_owned(),
                kind.instances,
                kind.attached,
            )
        }));
        if let Some(others) = self.types.get(LISTED..).filter(|others| !others.is_empty()) {
            let sum =
                |of: fn(&PlannedType) -> u64| others.iter().map(of).fold(0, u64::saturating_add);
            let name = format!("{} other types", others.len());
            rows.push(row(
                name,
                sum(|kind| kind.instances),
                sum(|kind| kind.attached),
            ));
        }
        rows.push(row("in all".to_owned(), self.instances, self.attached));
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(String::len).max().unwrap_or(0)
        };
        let [first, second, third] = [width(0), width(1), width(2)];
        let mut text = String::new();
        for [name, instances, attached] in &rows {
            let _ = writeln!(
                text,
                "{name:first$}  {instances:>second$}  {attached:>third$}"
            );
        }
        text + "\n"
    }
}

impl PlannedFile {
    fn text(&self) -> String {
        match (self.rows, self.columns, self.bytes) {
            (Some(rows), Some(columns), Some(bytes)) => {
                let columns = super::printing::counted(columns, "column");
                format!("{rows} rows of {columns}: about {}", size(bytes))
            }
            (Some(rows), ..) => format!("{rows} rows"),
            (None, ..) => format!(
                "events of {}: about {EVENT_BYTES} bytes each, as many as there will be",
                super::printing::counted(self.selections.unwrap_or_default(), "selection")
            ),
        }
    }
}

fn files(experiment: &Experiment<'_>, run: &Run, times_file: Option<&str>) -> Vec<PlannedFile> {
    let rows = run.steps.saturating_add(1);
    let empty = |path: &str| PlannedFile {
        path: path.to_owned(),
        rows: None,
        columns: None,
        selections: None,
        bytes: None,
    };
    let data = experiment.data_files.iter().map(|file| {
        let columns = file.columns.len() as u64;
        PlannedFile {
            rows: Some(rows),
            columns: Some(columns),
            bytes: Some(rows.saturating_mul((columns + 1).saturating_mul(VALUE_BYTES))),
            ..empty(&file.path)
        }
    });
    let events = experiment.event_files.iter().map(|file| PlannedFile {
        selections: Some(file.selections.len() as u64),
        ..empty(&file.path)
    });
    let times = times_file.map(|path| PlannedFile {
        rows: Some(rows),
        ..empty(path)
    });
    data.chain(events).chain(times).collect()
}

fn refusals(estimate: &Estimate, needed: Needed, limits: &Limits) -> Vec<String> {
    let mut refusals = Vec::new();
    if estimate.instances() > limits.instances as u64 {
        refusals.push(format!(
            "A network may have {} instances: this one will be refused.",
            limits.instances
        ));
    }
    if needed.peak > limits.memory as u64 {
        refusals.push(format!(
            "It may take {} of memory: this one will be refused.",
            size(limits.memory as u64)
        ));
    }
    refusals
}
