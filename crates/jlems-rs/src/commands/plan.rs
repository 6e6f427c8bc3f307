//! `jlems-rs run --plan FILE`: what a run will take, told before it takes it.

use std::fmt::Write;

use jlems_rs::model::Model;
use jlems_rs::network::{Estimate, Experiment, Run, state_size};
use jlems_rs::{Failure, FileSources, Options};

/// Most component types that are listed one by one.
const LISTED: usize = 12;
/// Bytes of memory before any model is read: the program and the core types.
const PROGRAM_BYTES: u64 = 13 << 20;
/// Bytes that a component, an instance, a variable and a connection take, as measured on networks
/// of point cells and synapses while they are built, which is when most memory is in use.
const COMPONENT_BYTES: u64 = 200;
const INSTANCE_BYTES: u64 = 280;
const VARIABLE_BYTES: u64 = 8;
const TARGET_BYTES: u64 = 24;
const LINK_BYTES: u64 = 4;
/// Usual bytes of a value with its tab, and of an event.
const VALUE_BYTES: u64 = 11;
const EVENT_BYTES: u64 = 10;

/// Reads a file and tells what its runs will take; no instance is made and nothing is written.
pub fn text(file: &str, options: &Options) -> Result<String, Failure> {
    let document = jlems_rs::load_runnable(file, &FileSources, options)?;
    let model = jlems_rs::read_model(&document)?;
    let (experiment, estimates) = jlems_rs::estimate(&document, &model)?;
    let times_file = model.target.and_then(|target| target.times_file);
    let bytes_of_text = document.sources().iter().map(|source| source.text.len());
    let bytes_read = bytes_of_text.sum::<usize>() as u64
        + PROGRAM_BYTES
        + model.components.len() as u64 * COMPONENT_BYTES;
    let mut text = String::new();
    for (run, estimate) in experiment.runs.iter().zip(&estimates) {
        instances(&mut text, &model, estimate);
        let mut lines = vec![steps(run)];
        lines.extend(memory(&model, estimate, bytes_read));
        lines.extend(outputs(&experiment, run, times_file));
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in lines {
            let _ = writeln!(text, "{name:width$}  {value}");
        }
        remarks(&mut text, estimate);
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
            model.type_of(**kind).name.to_owned(),
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
    let [step, length] = [run.step, run.length].map(|seconds| super::rounded(seconds * 1e3));
    let value = format!("{} of {step} ms: {length} ms", run.steps);
    ("steps".to_owned(), value)
}

fn memory(model: &Model<'_>, estimate: &Estimate, bytes_read: u64) -> [(String, String); 4] {
    let kept = (estimate.kinds.iter()).map(|(kind, count)| {
        let variables = state_size(model.type_of(*kind));
        variables.saturating_mul(count.instances)
    });
    let variables = kept.fold(estimate.assigned, u64::saturating_add);
    let state = variables.saturating_mul(VARIABLE_BYTES);
    let tables = (estimate.connections.saturating_mul(TARGET_BYTES))
        .saturating_add(estimate.attached().saturating_mul(LINK_BYTES));
    let built = estimate.instances().saturating_mul(INSTANCE_BYTES);
    // The program holds the first content of the memory, the state the current one.
    let peak = [built, state, state, tables, bytes_read];
    let peak = peak.into_iter().fold(0, u64::saturating_add);
    let about = |name: &str, bytes| (name.to_owned(), format!("about {}", size(bytes)));
    [
        ("connections".to_owned(), estimate.connections.to_string()),
        about("state variables", state),
        about("tables", tables),
        about("peak memory", peak),
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
        lines.push((file.path.clone(), value));
    }
    for file in &experiment.event_files {
        let value = format!(
            "events of {}: about {EVENT_BYTES} bytes each, as many as there will be",
            super::counted(file.selections.len() as u64, "selection")
        );
        lines.push((file.path.clone(), value));
    }
    lines.extend(times_file.map(|path| (path.to_owned(), format!("{rows} rows"))));
    lines
}

fn remarks(text: &mut String, estimate: &Estimate) {
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
    if estimate.instances() > Estimate::LIMIT {
        let _ = writeln!(
            text,
            "A network may have {} instances: this one will be refused.",
            Estimate::LIMIT
        );
    }
}

/// Bytes in a unit that makes them short, with two digits.
fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit = units.get(unit).copied().unwrap_or_default();
    match value < 10.0 && unit != "bytes" {
        true => format!("{value:.1} {unit}"),
        false => format!("{value:.0} {unit}"),
    }
}
