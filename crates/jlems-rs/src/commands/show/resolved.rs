//! `jlems-rs show model FILE` and `jlems-rs show network FILE`.

use std::fmt::Write;

use clap::Args;
use jlems::resolved::{
    Population, ResolvedComponent, ResolvedModel, ResolvedNetwork, ResolvedValue,
};
use jlems::{Failure, visible};
use lems_network::rounded;

use crate::commands::changes::ChangedModel;
use crate::commands::printing::{counted, json};

/// Largest number of neighbouring components of one type that are listed one by one.
const LISTED: usize = 8;

/// Which file to show and how.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ChangedModel,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

/// Types in use and components with their values.
pub fn model(arguments: &Arguments) -> Result<String, Failure> {
    let document = arguments.model.load()?;
    let model = jlems::read_model(&document)?;
    let resolved = ResolvedModel::of(&model, &document);
    if arguments.json {
        return json(&resolved);
    }
    let mut text = String::from("types\n");
    for kind in &resolved.types {
        let extends: String = (kind.extends.iter())
            .map(|name| format!(" < {}", visible(name)))
            .collect();
        let number = counted(kind.components as u64, "component");
        let (name, file) = (visible(&kind.name), visible(&kind.file));
        let _ = writeln!(text, "  {name}{extends}  ({file}; {number})");
    }
    text.push_str("\ncomponents (SI units)\n");
    components(&mut text, &resolved.components, 1);
    Ok(text
        .lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect())
}

fn components(text: &mut String, siblings: &[ResolvedComponent], depth: usize) {
    let indent = "  ".repeat(depth);
    for kind in siblings.chunk_by(|left, right| left.kind == right.kind) {
        for component in kind.iter().take(LISTED) {
            let id = visible(component.id.as_deref().unwrap_or_default());
            let (file, line) = (visible(&component.file), component.line);
            let kind = visible(&component.kind);
            let _ = match depth {
                1 => writeln!(text, "{indent}{kind} {id}  ({file}:{line})"),
                _ => writeln!(text, "{indent}{kind} {id}"),
            };
            for ResolvedValue { name, value, unit } in &component.parameters {
                let value = short(*value);
                let unit = unit.as_deref().unwrap_or_default();
                let _ = writeln!(text, "{indent}    {name} = {value} {unit}");
            }
            for (name, target) in &component.references {
                let _ = writeln!(text, "{indent}    {name} -> {}", visible(target));
            }
            components(text, &component.children, depth + 1);
        }
        if let (more @ 1.., Some(first)) = (kind.len().saturating_sub(LISTED), kind.first()) {
            let _ = writeln!(text, "{indent}and {more} more of {}", first.kind);
        }
    }
}

fn short(value: f64) -> String {
    let value = rounded(value);
    match value.abs() {
        small if small < 1e-3 && small > 0.0 => format!("{value:e}"),
        large if large >= 1e6 => format!("{value:e}"),
        _ => value.to_string(),
    }
}

/// Instances, connections, shapes and recordings.
pub fn network(arguments: &Arguments) -> Result<String, Failure> {
    let (document, options) = arguments.model.load_runnable()?;
    let model = jlems::read_model(&document)?;
    let networks = ResolvedNetwork::all(&document, &model, &options)?;
    match arguments.json {
        true => json(&networks),
        false => Ok(networks.iter().map(text_of).collect()),
    }
}

fn text_of(network: &ResolvedNetwork) -> String {
    let mut text = String::new();
    let instances = counted(network.instances as u64, "instance");
    let cables = match network.cables {
        0 => String::new(),
        number => {
            let compartments = counted(network.compartments as u64, "compartment");
            let cells = counted(number as u64, "cell");
            format!(", {compartments} of {cells} with dendrites")
        }
    };
    let _ = writeln!(text, "{}: {instances}{cables}", visible(&network.target));
    let populations = |populations: &[Population]| -> Vec<[String; 3]> {
        (populations.iter())
            .map(|population| {
                let Population {
                    place,
                    component,
                    kind,
                    size,
                } = population;
                let what = match component.is_empty() {
                    true => kind.clone(),
                    false => format!("{component} ({kind})"),
                };
                [place.clone(), size.to_string(), what]
            })
            .collect()
    };
    table(&mut text, "in it", populations(&network.populations));
    table(&mut text, "attached", populations(&network.attached));
    let connections = network.connections.iter().map(|found| {
        let ends = format!("{} -> {}", found.from, found.to);
        [ends, found.number.to_string(), found.through.clone()]
    });
    table(&mut text, "connections for events", connections.collect());
    let shapes = network.shapes.iter().map(|shape| {
        let size = counted(shape.nodes as u64, "instance") + " each";
        let attached = if shape.attached { ", attached" } else { "" };
        [
            shape.kind.clone(),
            shape.members.to_string(),
            size + attached,
        ]
    });
    table(&mut text, "shapes, each with a kernel", shapes.collect());
    let columns = network.columns.iter().map(|column| {
        let unit = column.unit.clone().unwrap_or_default();
        [column.file.clone(), column.quantity.clone(), unit]
    });
    table(&mut text, "columns", columns.collect());
    let events = network.events.iter();
    let events = events.map(|event| [event.file.clone(), event.id.clone(), event.select.clone()]);
    table(&mut text, "events", events.collect());
    text
}

/// A heading and aligned rows; nothing if there are none.
fn table(text: &mut String, heading: &str, rows: Vec<[String; 3]>) {
    if rows.is_empty() {
        return;
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| visible(cell)))
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    let _ = writeln!(text, "\n{heading}");
    for [a, b, c] in &rows {
        let line = format!("  {a:first$}  {b:>second$}  {c}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
