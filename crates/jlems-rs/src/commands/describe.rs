//! `jlems-rs describe NAME`: describes a type, a dimension, a unit or a constant.

use std::fmt::Write;

use clap::Args;
use jlems::description::{Block, Definition, Member, TypeDescription, Use};
use jlems::{Failure, visible};
use lems_model::Model;

use super::core_types::{SearchArguments, document, unknown_name};
use super::printing::json;

/// What to describe.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Name of a component type, a dimension, a unit or a constant.
    #[arg(value_name = "TYPE")]
    name: String,
    /// File that defines the type or includes its definition.
    #[arg(long = "in", value_name = "FILE")]
    file: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    search: SearchArguments,
}

/// Everything that a user of the type needs to know.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let document = document(arguments.file.as_deref(), &arguments.search)?;
    let model = jlems::read_model(&document)?;
    let Some(id) = model.type_named(&arguments.name) else {
        return definitions(&model, arguments);
    };
    let description = TypeDescription::of(&model, &document, id);
    match arguments.json {
        true => json(&description),
        false => Ok(text(&description)),
    }
}

fn definitions(model: &Model<'_>, arguments: &Arguments) -> Result<String, Failure> {
    let found = Definition::named(model, &arguments.name);
    if found.is_empty() {
        return Err(unknown_name(model, &arguments.name));
    }
    match arguments.json {
        true => json(&found),
        false => Ok(found.iter().map(Definition::text).collect()),
    }
}

fn text(description: &TypeDescription) -> String {
    let mut text = String::new();
    let mut names = vec![description.name.as_str()];
    names.extend(description.extends.iter().map(String::as_str));
    let _ = writeln!(text, "{}", names.join(" extends "));
    if !description.description.is_empty() {
        let _ = writeln!(text, "{}", description.description);
    }
    let _ = writeln!(text, "from {}:{}", description.file, description.line);
    if !description.subtypes.is_empty() {
        let _ = writeln!(text, "extended by {}", description.subtypes.join(", "));
    }
    for (heading, members) in description.sections() {
        section(&mut text, heading, members, &description.name);
    }
    for (heading, block) in description.blocks() {
        statements(&mut text, heading, block, &description.name);
    }
    used_by(&mut text, &description.used_by, &description.name);
    text
}

fn section(text: &mut String, heading: &str, members: &[Member], own: &str) {
    let rows = members.iter().map(|member| {
        let origin = match member.from == own {
            true => String::new(),
            false => format!("(of {})", member.from),
        };
        let remarks = format!("{} {origin}", member.description);
        [member.name.clone(), member.nature(), remarks]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{heading}");
    table(text, &rows);
}

fn used_by(text: &mut String, uses: &[Use], own: &str) {
    let rows = uses.iter().map(|usage| {
        let accepts = match usage.accepts == own {
            true => String::new(),
            false => format!("(any {})", usage.accepts),
        };
        let place = format!("{} {}", usage.element, usage.name);
        [usage.by.clone(), place, accepts]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    if !rows.is_empty() {
        text.push_str("\nUsed by\n");
        table(text, &rows);
    }
}

/// Indented rows whose columns begin below each other.
fn table(text: &mut String, rows: &[[String; 3]]) {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| visible(cell)))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (first, second) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    for [name, nature, remarks] in &rows {
        let line = format!("  {name:first$}  {nature:second$}  {}", remarks.trim());
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn statements(text: &mut String, heading: &str, block: &Block, own: &str) {
    if block.statements.is_empty() {
        return;
    }
    let origin = match block.from == own {
        true => String::new(),
        false => format!(" (of {})", block.from),
    };
    let _ = writeln!(text, "\n{heading}{origin}");
    for line in block.lines() {
        let _ = writeln!(text, "  {line}");
    }
}
