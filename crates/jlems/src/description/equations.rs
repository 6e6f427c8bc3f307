//! `Dynamics`, `Structure` and `Simulation` as lines that read like mathematics or prose.

use lems_document::Element;
use lems_model::ComponentType;

use super::data::{Block, Statement};
use super::words::{one_line, word};

/// The behaviour of a type: its own, after that of its base where it says `Super`, or inherited.
pub(super) fn dynamics(chain: &[&ComponentType<'_>]) -> Block {
    let mut blocks: Vec<(&str, Element<'_>)> = Vec::new();
    for kind in chain {
        if let Some(found) = kind.element.children().find(|child| is_dynamics(*child)) {
            blocks.push((kind.name, found));
            if !found.children().any(|child| child.name() == "Super") {
                break;
            }
        }
    }
    let from = blocks.first().map_or("", |(name, _)| name).to_owned();
    let mut statements: Vec<Statement> = (blocks.iter().rev())
        .flat_map(|(_, element)| statements_of(*element))
        .collect();
    statements.sort_by_key(|statement| rank(&statement.element));
    Block { from, statements }
}

fn is_dynamics(element: Element<'_>) -> bool {
    matches!(element.name(), "Dynamics" | "Behavior")
}

/// What the nearest type of a chain with such an element says in it.
pub(super) fn block(chain: &[&ComponentType<'_>], name: &str) -> Block {
    for kind in chain {
        let blocks = kind.element.children().filter(|child| child.name() == name);
        let statements: Vec<Statement> = blocks.flat_map(statements_of).collect();
        if !statements.is_empty() {
            return Block {
                from: kind.name.to_owned(),
                statements,
            };
        }
    }
    Block::default()
}

/// State before equations before what happens when; otherwise the order of the document stays.
fn rank(element: &str) -> usize {
    const ORDER: [&str; 9] = [
        "StateVariable",
        "TimeDerivative",
        "DerivedVariable",
        "ConditionalDerivedVariable",
        "KineticScheme",
        "OnStart",
        "OnCondition",
        "OnEvent",
        "Regime",
    ];
    (ORDER.iter().position(|known| *known == element)).unwrap_or(ORDER.len())
}

/// Documents bound the depth of elements.
fn statements_of(block: Element<'_>) -> Vec<Statement> {
    let elements = block.children().filter(|child| child.name() != "Super");
    let statement = |element: Element<'_>| {
        let mut text = one_line(&text(element));
        let body = statements_of(element);
        if text.ends_with(':') && body.is_empty() {
            text.push_str(" nothing");
        }
        let element = element.name().to_owned();
        Statement {
            element,
            text,
            body,
        }
    };
    elements.map(statement).collect()
}

fn text(element: Element<'_>) -> String {
    let of = |name| word(element, name).unwrap_or("");
    match element.name() {
        "StateVariable" => {
            let dimension = word(element, "dimension").unwrap_or("none");
            format!("state {}: {dimension}{}", of("name"), exposed(element))
        }
        "DerivedVariable" => {
            let exposed = exposed(element);
            match (word(element, "value"), word(element, "reduce")) {
                (Some(value), _) => format!("{} = {value}{exposed}", of("name")),
                (None, Some("add")) => format!("{} = sum of {}{exposed}", of("name"), of("select")),
                (None, Some("multiply")) => {
                    format!("{} = product of {}{exposed}", of("name"), of("select"))
                }
                (None, _) => format!("{} = {}{exposed}", of("name"), of("select")),
            }
        }
        "ConditionalDerivedVariable" => format!("{} ={}", of("name"), exposed(element)),
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
        "KineticScheme" => format!(
            "kinetic scheme: {} of each of the {}; {} forwards and {} backwards along each of the {}",
            of("stateVariable"),
            of("nodes"),
            of("forwardRate"),
            of("reverseRate"),
            of("edges")
        ),
        _ => structure_text(element),
    }
}

/// ` [exposed]` or, under another name, ` [exposed as name]`.
fn exposed(element: Element<'_>) -> String {
    match word(element, "exposure") {
        None | Some("") => String::new(),
        same if same == word(element, "name") => " [exposed]".to_owned(),
        Some(other) => format!(" [exposed as {other}]"),
    }
}

fn structure_text(element: Element<'_>) -> String {
    let of = |name| word(element, name).unwrap_or("");
    match element.name() {
        "ChildInstance" => format!("one instance of {}", of("component")),
        "MultiInstantiate" => {
            let number = word(element, "number").unwrap_or("1");
            let kind = word(element, "component").unwrap_or_else(|| of("componentType"));
            format!("{number} instances of {kind}")
        }
        "Assign" => format!("with {} = {}", of("property"), of("value")),
        "With" => match word(element, "list") {
            Some(list) => format!("let {} be {list}[{}]", of("as"), of("index")),
            None => format!("let {} be {}", of("as"), of("instance")),
        },
        "ForEach" => format!("for each {} of {}:", of("as"), of("instances")),
        "If" => format!("if {}:", of("test")),
        "When" => format!("when {}:", of("test")),
        "Choose" => "the first of:".to_owned(),
        "Otherwise" => "otherwise:".to_owned(),
        "EventConnection" => rest(
            element,
            &["from", "to"],
            format!("events from {} to {}", of("from"), of("to")),
        ),
        "Tunnel" => format!(
            "{} joins {} at {} with {} at {}",
            of("name"),
            of("componentA"),
            of("endA"),
            of("componentB"),
            of("endB")
        ),
        "Run" => format!(
            "run {} for {} in steps of {}",
            of("component"),
            of("total"),
            of("increment")
        ),
        "Record" => rest(element, &["quantity"], format!("record {}", of("quantity"))),
        "EventRecord" => rest(
            element,
            &["quantity"],
            format!("record events of {}", of("quantity")),
        ),
        other => rest(element, &[], other.to_owned()),
    }
}

/// A text and the attributes that it does not say.
fn rest(element: Element<'_>, said: &[&str], text: String) -> String {
    let unsaid = element
        .attributes()
        .filter(|attribute| !said.contains(&attribute.name()) && attribute.name() != "description");
    let unsaid: Vec<String> = unsaid
        .map(|attribute| format!("{} {}", attribute.name(), attribute.value()))
        .collect();
    match unsaid.is_empty() {
        true => text,
        false => format!("{text} ({})", unsaid.join(", ")),
    }
}
