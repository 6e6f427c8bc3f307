//! `jlems-rs describe TYPE`.

use std::collections::HashSet;
use std::fmt::Write;

use clap::Args;
use jlems_rs::Failure;
use jlems_rs::document::{Attribute, Element};
use jlems_rs::model::{ComponentType, Model, TypeId};

use super::core_types::{SearchArguments, document, type_named};

/// Which type to describe.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Name of the type.
    #[arg(value_name = "TYPE")]
    name: String,
    /// File that defines the type or includes its definition.
    #[arg(long = "in", value_name = "FILE")]
    file: Option<String>,
    #[command(flatten)]
    search: SearchArguments,
}

/// Headings and the elements listed under them.
const SECTIONS: [(&str, &[&str]); 9] = [
    (
        "Parameters",
        &["Parameter", "IndexParameter", "IntegerParameter"],
    ),
    ("Derived parameters", &["DerivedParameter"]),
    ("Constants", &["Constant"]),
    ("Properties", &["Property"]),
    (
        "References and texts",
        &["ComponentReference", "Link", "Text", "Path"],
    ),
    ("Requirements", &["Requirement"]),
    ("Exposures", &["Exposure"]),
    ("Event ports", &["EventPort"]),
    ("Children", &["Child", "Children", "Attachments"]),
];

/// Everything that a user of the type needs to know.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let document = document(arguments.file.as_deref(), &arguments.search)?;
    let model = jlems_rs::read_model(&document)?;
    let chain = ancestry(&model, type_named(&model, &arguments.name)?);
    let mut text = String::new();
    let names: Vec<&str> = chain.iter().map(|kind| kind.name).collect();
    let _ = writeln!(text, "{}", names.join(" extends "));
    if let Some(description) = chain
        .first()
        .and_then(|kind| word(kind.element, "description"))
    {
        let _ = writeln!(text, "{}", one_line(description));
    }
    for (heading, elements) in SECTIONS {
        section(&mut text, heading, elements, &chain);
    }
    fixed_values(&mut text, &chain);
    let dynamics = |kind: &&ComponentType<'_>| child(kind.element, "Dynamics").is_some();
    if let Some(owner) = chain.iter().find(|kind| dynamics(kind)) {
        let origin = match chain.first() {
            Some(own) if own.name != owner.name => format!(" (of {})", owner.name),
            _ => String::new(),
        };
        let _ = writeln!(text, "\nDynamics{origin}");
        if let Some(dynamics) = child(owner.element, "Dynamics") {
            equations(&mut text, dynamics, 1);
        }
    }
    Ok(text)
}

/// A type and what it extends, outwards.
fn ancestry<'m, 'd>(model: &'m Model<'d>, id: TypeId) -> Vec<&'m ComponentType<'d>> {
    let chain = std::iter::successors(Some(id), |id| model.type_of(*id).parent);
    chain.map(|id| model.type_of(id)).collect()
}

fn word<'d>(element: Element<'d>, name: &str) -> Option<&'d str> {
    element.attribute(name).map(Attribute::value)
}

fn child<'d>(element: Element<'d>, name: &str) -> Option<Element<'d>> {
    element.children().find(|child| child.name() == name)
}

/// A text with its line breaks and runs of blanks as single blanks.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn section(text: &mut String, heading: &str, elements: &[&str], chain: &[&ComponentType<'_>]) {
    let mut seen = HashSet::new();
    let mut rows: Vec<[String; 3]> = Vec::new();
    for kind in chain {
        for element in kind.element.children() {
            if let Some(name) = word(element, "name")
                && elements.contains(&element.name())
                && seen.insert(name)
            {
                let description = word(element, "description").unwrap_or("");
                rows.push([name.to_owned(), nature(element), one_line(description)]);
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let _ = writeln!(text, "\n{heading}");
    for [name, nature, description] in &rows {
        let line = format!("  {name:first$}  {nature:second$}  {description}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// What kind of thing a declaration declares: its dimension, type, direction or value.
fn nature(element: Element<'_>) -> String {
    let of = |name| word(element, name).unwrap_or("");
    match element.name() {
        "DerivedParameter" => format!("{} = {}{}", of("dimension"), of("value"), of("select")),
        "Constant" => format!("= {}", of("value")),
        "Child" => format!("one {}", of("type")),
        "Children" => format!("any number of {}", of("type")),
        "Attachments" => format!("attached {}", of("type")),
        "ComponentReference" | "Link" => format!("id of a {}", of("type")),
        "Text" | "Path" => element.name().to_lowercase(),
        "EventPort" => of("direction").to_owned(),
        _ => word(element, "dimension").unwrap_or("none").to_owned(),
    }
}

fn fixed_values(text: &mut String, chain: &[&ComponentType<'_>]) {
    let mut seen = HashSet::new();
    let fixed = chain.iter().flat_map(|kind| kind.element.children());
    for element in fixed.filter(|element| element.name() == "Fixed") {
        if let (Some(parameter), Some(value)) = (word(element, "parameter"), word(element, "value"))
            && seen.insert(parameter)
        {
            if seen.len() == 1 {
                text.push_str("\nFixed\n");
            }
            let _ = writeln!(text, "  {parameter} = {value}");
        }
    }
}

/// One line for each equation; blocks are indented. Documents bound the depth of elements.
fn equations(text: &mut String, block: Element<'_>, depth: usize) {
    let indent = "  ".repeat(depth);
    for element in block.children() {
        let of = |name| word(element, name).unwrap_or("");
        let line = match element.name() {
            "StateVariable" => continue,
            "DerivedVariable" => match word(element, "value") {
                Some(value) => format!("{} = {value}", of("name")),
                None => match word(element, "reduce") {
                    Some(reduce) => format!("{} = {reduce} {}", of("name"), of("select")),
                    None => format!("{} = {}", of("name"), of("select")),
                },
            },
            "ConditionalDerivedVariable" => format!("{} =", of("name")),
            "Case" => match word(element, "condition") {
                Some(condition) => format!("{} if {condition}", of("value")),
                None => format!("{} otherwise", of("value")),
            },
            "TimeDerivative" => format!("d {}/dt = {}", of("variable"), of("value")),
            "StateAssignment" => format!("{} := {}", of("variable"), of("value")),
            "EventOut" => format!("send an event on {}", of("port")),
            "Transition" => format!("go to regime {}", of("regime")),
            "OnStart" => "at the start:".to_owned(),
            "OnEntry" => "on entry:".to_owned(),
            "OnCondition" => format!("when {}:", of("test")),
            "OnEvent" => format!("on an event at {}:", of("port")),
            "Regime" if word(element, "initial") == Some("true") => {
                format!("regime {} (at first):", of("name"))
            }
            "Regime" => format!("regime {}:", of("name")),
            "KineticScheme" => format!("kinetic scheme of {} and {}", of("nodes"), of("edges")),
            _ => continue,
        };
        let _ = writeln!(text, "{indent}{}", one_line(&line));
        equations(text, element, depth + 1);
    }
}
