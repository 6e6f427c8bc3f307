//! `jlems-rs run --plan FILE`: what a run will take, told before it takes it.

use std::fmt::Write;

use jlems_rs::document::SourceReader;
use jlems_rs::memory::{Needed, size};
use jlems_rs::model::Model;
use jlems_rs::network::{Estimate, Experiment, Run, rounded};
use jlems_rs::{Failure, Limits, Options, visible};

/// Most component types that are listed one by one.
const LISTED: usize = 12;
/// Usual bytes of a value with its tab, and of an event.
const VALUE_BYTES: u64 = 11;
const EVENT_BYTES: u64 = 10;

/// Reads a file and tells what its runs will take; no instance is made and nothing is written.
pub fn text(file: &str, reader: &dyn SourceReader, options: &Options) -> Result<String, Failure> {
    let document = jlems_rs::load_runnable(file, reader, options)?;
    let model = jlems_rs::read_model(&document)?;
    let (experiment, estimates) = jlems_rs::estimate(&document, &model)?;
    let times_file = model.target.and_then(|target| target.times_file);
    let times_file = times_file.map(|file| file.value());
    let mut text = String::new();
    for (run, estimate) in experiment.runs.iter().zip(&estimates) {
        instances(&mut text, &model, estimate);
        let needed = Needed::of(&document, &model, estimate);
        let mut lines = vec![steps(run)];
        lines.extend(memory(estimate, needed));
        lines.extend(outputs(&experiment, run, times_file));
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in lines {
            let _ = writeln!(text, "{name:width$}  {value}");
        }
        remarks(&mut text, estimate, needed, &options.limits);
        if let Err(error) = options.limits.allow_outputs(&experiment, options.every) {
            let _ = writeln!(text, "It will be refused: {error}.");
        }
    }
    Ok(text)
}

/// A table of the component types with most instances.
fn instances(text: &mut String, model: &Model<'_>, estimate: &Estimate) {
    let mut kinds: Vec<_> = estimate.kinds.iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(count.instances));
    let mut rows = vec![[
        "component type".to_owned(),
        "instances".to_owned(),
        "attached".to_owned(),
    ]];
    for (kind, count) in kinds.iter().take(LISTED) {
        rows.push([
            visible(model.type_of(**kind).name).into_owned(),
            count.instances.to_string(),
            count.attached.to_string(),
        ]);
    }
    if let Some(others) = kinds.get(LISTED..).filter(|others| !others.is_empty()) {
        let sum = |of: fn(&&jlems_rs::network::Count) -> u64| {
            let counts = others.iter().map(|(_, count)| of(count));
            counts.fold(0, u64::saturating_add).to_string()
        };
        rows.push([
            format!("{} other types", others.len()),
            sum(|count| count.instances),
            sum(|count| count.attached),
        ]);
    }
    rows.push([
        "in all".to_owned(),
        estimate.instances().to_string(),
        estimate.attached().to_string(),
    ]);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(String::len).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    for [name, instances, attached] in &rows {
        let [first, second, third] = widths;
        let _ = writeln!(
            text,
            "{name:first$}  {instances:>second$}  {attached:>third$}"
        );
    }
    text.push('\n');
}

fn steps(run: &Run) -> (String, String) {
    let [step, length] = [run.step, run.length].map(|seconds| rounded(seconds * 1e3));
    let value = format!("{} of {step} ms: {length} ms", run.steps);
    ("steps".to_owned(), value)
}

fn memory(estimate: &Estimate, needed: Needed) -> [(String, String); 4] {
    let about = |name: &str, bytes| (name.to_owned(), format!("about {}", size(bytes)));
    [
        ("connections".to_owned(), estimate.connections.to_string()),
        about("state variables", needed.state),
        about("tables", needed.tables),
        about("peak memory", needed.peak),
    ]
}

fn outputs(
    experiment: &Experiment<'_>,
    run: &Run,
    times_file: Option<&str>,
) -> Vec<(String, String)> {
    let rows = run.steps.saturating_add(1);
    let mut lines = Vec::new();
    for file in &experiment.data_files {
        let columns = file.columns.len() as u64;
        let bytes = rows.saturating_mul((columns + 1).saturating_mul(VALUE_BYTES));
        let value = format!(
            "{rows} rows of {}: about {}",
            super::counted(columns, "column"),
            size(bytes)
        );
        lines.push((visible(&file.path).into_owned(), value));
    }
    for file in &experiment.event_files {
        let value = format!(
            "events of {}: about {EVENT_BYTES} bytes each, as many as there will be",
            super::counted(file.selections.len() as u64, "selection")
        );
        lines.push((visible(&file.path).into_owned(), value));
    }
    lines.extend(times_file.map(|path| (visible(path).into_owned(), format!("{rows} rows"))));
    lines
}

fn remarks(text: &mut String, estimate: &Estimate, needed: Needed, limits: &Limits) {
    text.push_str(
        "\nInstances and connections are counted, the sizes estimated from them; paths are not followed.\n",
    );
    if estimate.untold > 0 {
        let _ = writeln!(
            text,
            "{} could not be counted: there may be more.",
            super::counted(estimate.untold, "element")
        );
    }
    if estimate.instances() > limits.instances as u64 {
        let _ = writeln!(
            text,
            "A network may have {} instances: this one will be refused.",
            limits.instances
        );
    }
    if needed.peak > limits.memory as u64 {
        let _ = writeln!(
            text,
            "It may take {} of memory: this one will be refused.",
            size(limits.memory as u64)
        );
    }
}
