//! Checks that the core ComponentTypes of this project mean the same as those of the NeuroML 2 standard:
//! every part of every type, including inherited parts, is compared with the official files.
//!
//! The official files are in a folder beside the workspace (`../shared/reference/NeuroML2CoreTypes`, or
//! the folder in the environment variable `NEUROML2_CORE_TYPES`). Without them the test does nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::support::reference_folder;
use lems_document::{Document, Element, EmbeddedFile, IncludeOptions, MemorySources};
use lems_expression::{Dimension, Expression};
use lems_model::{
    Actions, ComponentType, Dynamics, Model, Parameter, ParameterKind, Reduce, Reference, Step,
};
use nml2_coretypes::CORE_TYPES;

/// The number of types in NeuroML 2.3.1.
const TYPES: usize = 272;

/// Deliberate additions to the official types. jLEMS has no cells with several compartments, and silently computes
/// something else from them. The schema has attributes for a segment or a group that the types do not name.
const ADDITIONS: [(&str, &str); 21] = [
    ("ComponentType morphology", "Children segments: at most 1"),
    ("ComponentType baseChannelPopulation", "Text segment"),
    ("ComponentType baseChannelPopulation", "Text segmentGroup"),
    ("ComponentType channelPopulation", "Text segment"),
    ("ComponentType channelPopulation", "Text segmentGroup"),
    ("ComponentType channelPopulationNernst", "Text segment"),
    ("ComponentType channelPopulationNernst", "Text segmentGroup"),
    ("ComponentType channelDensity", "Text segment"),
    ("ComponentType channelDensityGHK", "Text segment"),
    ("ComponentType channelDensityGHK2", "Text segment"),
    ("ComponentType channelDensityNernst", "Text segment"),
    ("ComponentType channelDensityNernstCa2", "Text segment"),
    ("ComponentType channelDensityVShift", "Text segment"),
    (
        "ComponentType electricalConnection",
        "Text postFractionAlong",
    ),
    ("ComponentType electricalConnection", "Text postSegment"),
    (
        "ComponentType electricalConnection",
        "Text preFractionAlong",
    ),
    ("ComponentType electricalConnection", "Text preSegment"),
    (
        "ComponentType continuousConnection",
        "Text postFractionAlong",
    ),
    ("ComponentType continuousConnection", "Text postSegment"),
    (
        "ComponentType continuousConnection",
        "Text preFractionAlong",
    ),
    ("ComponentType continuousConnection", "Text preSegment"),
];

/// Attributes that do not affect the meaning.
const REMARKS: [&str; 1] = ["description"];

type Described = BTreeMap<String, Vec<String>>;

#[test]
fn the_core_types_mean_what_the_official_ones_mean() {
    let Some(folder) = official_folder() else {
        return;
    };
    let expected = described(&official_document(&folder));
    let mut own = described(&own_document());
    for (name, addition) in ADDITIONS {
        let lines = own.get_mut(name).expect(name);
        let place = lines.iter().position(|line| line == addition);
        lines.remove(place.expect(addition));
    }
    let found = differences(&expected, &own);
    assert!(
        found.is_empty(),
        "{} differences (- official, + here):\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn the_core_types_are_complete() {
    let document = own_document();
    assert_eq!(model_of(&document).types.len(), TYPES);
    let Some(folder) = official_folder() else {
        return;
    };
    assert_eq!(model_of(&official_document(&folder)).types.len(), TYPES);
}

#[test]
fn a_difference_is_seen() {
    let original = r#"<Lems>
      <Dimension name="voltage" m="1" l="2" t="-3" i="-1"/>
      <Dimension name="time" t="1"/>
      <ComponentType name="base"><Parameter name="p" dimension="voltage"/></ComponentType>
      <ComponentType name="a" extends="base">
        <Exposure name="x" dimension="time"/>
        <Exposure name="y" dimension="time"/>
        <Children name="list" type="base"/>
        <Dynamics>
          <StateVariable name="x" dimension="time" exposure="x"/>
          <DerivedVariable name="sum" select="list[*]/p" reduce="add"/>
          <TimeDerivative variable="x" value="2 * x / x"/>
          <OnCondition test="x .gt. x"><StateAssignment variable="x" value="x"/></OnCondition>
        </Dynamics>
        <Structure><ChildInstance component="c"/></Structure>
      </ComponentType>
    </Lems>"#;
    let described = |text: &str| {
        let sources = MemorySources::from([("types.xml", text)]);
        let document =
            Document::load("types.xml", &sources, &IncludeOptions::default()).expect("a document");
        described(&document)
    };
    let expected = described(original);
    assert!(differences(&expected, &described(original)).is_empty());
    let same = original.replace("2 * x / x", "2*(x/x)");
    assert!(differences(&expected, &described(&same)).is_empty());
    for (from, to) in [
        ("l=\"2\"", "l=\"3\""),
        ("p\" dimension=\"voltage", "p\" dimension=\"time"),
        (" extends=\"base\"", ""),
        ("list[*]/p", "list[*]/q"),
        ("reduce=\"add\"", "reduce=\"multiply\""),
        ("2 * x / x", "(2 * x) / x"),
        (".gt.", ".geq."),
        ("value=\"x\"", "value=\"x + x\""),
        ("component=\"c\"", "component=\"d\""),
        ("list\" type=\"base\"", "list\" type=\"a\""),
        ("<Exposure name=\"y\" dimension=\"time\"/>", ""),
    ] {
        let changed = original.replacen(from, to, 1);
        assert_ne!(changed, original);
        let found = differences(&expected, &described(&changed));
        assert!(!found.is_empty(), "{from} -> {to}");
    }
}

fn official_folder() -> Option<PathBuf> {
    reference_folder("NEUROML2_CORE_TYPES", "shared/reference/NeuroML2CoreTypes")
}

fn official_document(folder: &Path) -> Document {
    document_of(CORE_TYPES.iter().map(|EmbeddedFile { name, .. }| {
        let text = std::fs::read_to_string(folder.join(name));
        (
            *name,
            text.unwrap_or_else(|error| panic!("{name}: {error}")),
        )
    }))
}

fn own_document() -> Document {
    document_of(
        CORE_TYPES
            .iter()
            .map(|file| (file.name, file.text.to_owned())),
    )
}

/// A document that includes all the files, and nothing else.
fn document_of<'n>(files: impl Iterator<Item = (&'n str, String)>) -> Document {
    let mut sources = MemorySources::default();
    let mut all = "<Lems>".to_owned();
    for (name, text) in files {
        all.push_str(&format!("<Include file=\"{name}\"/>"));
        sources.0.insert(name.to_owned(), text);
    }
    sources.0.insert("all.xml".to_owned(), all + "</Lems>");
    Document::load("all.xml", &sources, &IncludeOptions::default()).expect("core types")
}

fn model_of(document: &Document) -> Model<'_> {
    jlems::read_model(document).unwrap_or_else(|failure| panic!("{}", failure.render(false)))
}

/// The lines that are only in one of the two, for each type, dimension, unit or constant.
fn differences(expected: &Described, found: &Described) -> Vec<String> {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let mut messages = Vec::new();
    for name in names {
        match (expected.get(name), found.get(name)) {
            (Some(_), None) => messages.push(format!("- {name}")),
            (None, Some(_)) => messages.push(format!("+ {name}")),
            (Some(expected), Some(found)) if expected != found => {
                let mut message = format!("{name}:");
                let (missing, added) = (without(expected, found), without(found, expected));
                if missing.is_empty() && added.is_empty() {
                    message.push_str("\n    another order");
                }
                for line in missing {
                    message.push_str(&format!("\n  - {line}"));
                }
                for line in added {
                    message.push_str(&format!("\n  + {line}"));
                }
                messages.push(message);
            }
            _ => {}
        }
    }
    messages
}

fn without<'l>(lines: &'l [String], others: &[String]) -> Vec<&'l String> {
    lines.iter().filter(|line| !others.contains(line)).collect()
}

/// Dimensions, units, constants and types, each as lines of text. Equal meaning gives equal lines.
fn described(document: &Document) -> Described {
    let model = model_of(document);
    let mut found = Described::new();
    for (name, dimension) in &model.dimensions {
        found.insert(format!("Dimension {name}"), vec![format!("{dimension:?}")]);
    }
    for (symbol, unit) in &model.units {
        found.insert(format!("Unit {symbol}"), vec![format!("{unit:?}")]);
    }
    for (symbol, constant) in &model.constants {
        found.insert(format!("Constant {symbol}"), vec![format!("{constant:?}")]);
    }
    for (name, component_type) in &*model.types {
        let lines = type_lines(&model, component_type);
        found.insert(format!("ComponentType {name}"), lines);
    }
    found
}

/// The lines of a type: sorted if their order has no meaning, else in the order of the document.
fn type_lines(model: &Model<'_>, component_type: &ComponentType<'_>) -> Vec<String> {
    let parent = component_type
        .parent
        .map(|parent| model.type_of(parent).name);
    let mut lines = vec![format!("extends {parent:?}")];
    for (name, parameter) in &component_type.parameters {
        lines.push(parameter_line(name, parameter));
    }
    for (name, property) in &component_type.properties {
        let dimension = shown(property.dimension);
        lines.push(format!(
            "Property {name}: {dimension}, {:?}",
            property.default
        ));
    }
    for (name, dimension) in &component_type.requirements {
        lines.push(format!("Requirement {name}: {}", shown(*dimension)));
    }
    for (name, exposure) in &component_type.exposures {
        lines.push(format!("Exposure {name}: {}", shown(exposure.dimension)));
    }
    for (name, port) in &component_type.ports {
        lines.push(format!("EventPort {name}: {:?}", port.direction));
    }
    for (name, type_name) in &component_type.attachments {
        lines.push(format!("Attachments {name}: {type_name}"));
    }
    for (name, reference) in &component_type.references {
        lines.push(reference_line(name, reference));
    }
    for (name, element) in &component_type.texts {
        lines.push(format!("{} {name}", element.name()));
    }
    lines.sort();
    for (name, slot) in &component_type.slots {
        lines.push(format!("Child {name}: {}", slot.type_name));
    }
    for (name, list) in &component_type.lists {
        lines.push(format!("Children {name}: {}", list.type_name));
        lines.extend(
            list.max
                .map(|max| format!("Children {name}: at most {max}")),
        );
    }
    if let Some(dynamics) = &component_type.dynamics {
        dynamics_lines(dynamics, "Dynamics", &mut lines);
    }
    for part in component_type.element.children() {
        if matches!(part.name(), "Structure" | "Simulation") {
            lines.push(element_text(part));
        }
    }
    lines
}

fn shown(dimension: Option<Dimension>) -> String {
    match dimension {
        None => "any dimension".to_owned(),
        Some(dimension) => format!("{dimension:?}"),
    }
}

fn parameter_line(name: &str, parameter: &Parameter<'_>) -> String {
    let kind = match &parameter.kind {
        ParameterKind::Given => "given".to_owned(),
        ParameterKind::Default(quantity) => format!("default {:?}", quantity.value),
        ParameterKind::Derived(formula) => format!("= {}", formula.expression),
        ParameterKind::Selected(path) => format!("at {}", path.source.value()),
    };
    let fixed = parameter.fixed.map(|quantity| quantity.value);
    let dimension = shown(parameter.dimension);
    let element = parameter.element.name();
    format!("{element} {name}: {dimension}, {kind}, fixed {fixed:?}")
}

fn reference_line(name: &str, reference: &Reference<'_>) -> String {
    format!(
        "{} {name}: {}, local {}, required {}",
        reference.element.name(),
        reference.type_name,
        reference.local,
        reference.required
    )
}

/// The lines of the Dynamics of a type.
fn dynamics_lines(dynamics: &Dynamics<'_>, place: &str, lines: &mut Vec<String>) {
    let mut line = |what: String| lines.push(format!("{place}: {what}"));
    line(format!("simultaneous {}", dynamics.simultaneous));
    for (name, variable) in &dynamics.state {
        let dimension = shown(variable.dimension);
        line(format!(
            "StateVariable {name}: {dimension}, exposed as {:?}",
            variable.exposure
        ));
    }
    for selection in &dynamics.selections {
        let reduce = match selection.reduce {
            None => "one of",
            Some(Reduce::Add) => "sum of",
            Some(Reduce::Multiply) => "product of",
        };
        let steps: Vec<String> = (selection.select.steps.iter())
            .map(|step| match step {
                Step::Name(name) => (*name).to_owned(),
                Step::All(list) => format!("{list}[*]"),
                Step::Where {
                    list,
                    attribute,
                    value,
                } => format!("{list}[{attribute}={value}]"),
            })
            .collect();
        line(format!(
            "DerivedVariable {}: {}, exposed as {:?}, {reduce} {}/{}",
            selection.name,
            shown(selection.dimension),
            selection.exposure,
            steps.join("/"),
            selection.select.variable
        ));
    }
    for variable in &dynamics.derived {
        line(format!(
            "DerivedVariable {}: {}, exposed as {:?} = {}",
            variable.name,
            shown(variable.dimension),
            variable.exposure,
            variable.value.expression
        ));
    }
    for variable in &dynamics.conditional {
        let mut text = format!(
            "ConditionalDerivedVariable {}: {}, exposed as {:?}",
            variable.name,
            shown(variable.dimension),
            variable.exposure
        );
        for case in &variable.cases {
            let condition = case
                .condition
                .as_ref()
                .map(|test| test.expression.to_string());
            let value = &case.value.expression;
            let _ = write!(text, "; {condition:?} = {value}");
        }
        line(text);
    }
    for rate in &dynamics.rates {
        line(format!(
            "TimeDerivative {} = {}",
            rate.variable, rate.value.expression
        ));
    }
    for actions in &dynamics.on_start {
        line(format!("OnStart: {}", actions_text(actions)));
    }
    for actions in &dynamics.on_entry {
        line(format!("OnEntry: {}", actions_text(actions)));
    }
    for condition in &dynamics.on_condition {
        let actions = actions_text(&condition.actions);
        line(format!(
            "OnCondition {}: {actions}",
            condition.test.expression
        ));
    }
    for handler in &dynamics.on_event {
        let actions = actions_text(&handler.actions);
        line(format!("OnEvent {}: {actions}", handler.port.value()));
    }
    for scheme in &dynamics.schemes {
        line(element_text(scheme.element));
    }
    for (name, regime) in &dynamics.regimes {
        lines.push(format!(
            "{place}: Regime {name}, initial {}",
            regime.initial
        ));
        dynamics_lines(&regime.dynamics, &format!("{place}, regime {name}"), lines);
    }
}

fn actions_text(actions: &Actions<'_>) -> String {
    let mut text = String::new();
    for assignment in &actions.assignments {
        let value = &assignment.value.expression;
        let _ = write!(text, "{} = {value}; ", assignment.variable);
    }
    for event in &actions.events {
        let _ = write!(text, "send {}; ", event.value());
    }
    if let Some(regime) = actions.transition {
        let _ = write!(text, "enter {}; ", regime.value());
    }
    text
}

/// An element with everything inside it, with sorted attributes and without descriptions.
fn element_text(element: Element<'_>) -> String {
    let inside: Vec<String> = element.children().map(element_text).collect();
    let line = element_line(element);
    if inside.is_empty() {
        line
    } else {
        format!("{line} [{}]", inside.join(", "))
    }
}

fn element_line(element: Element<'_>) -> String {
    let mut attributes: Vec<String> = (element.attributes())
        .filter(|attribute| !REMARKS.contains(&attribute.name()))
        .map(|attribute| {
            let value = attribute.value();
            let value = match (attribute.name(), Expression::parse(value)) {
                ("value" | "test", Ok(expression)) => expression.to_string(),
                _ => value.to_owned(),
            };
            format!("{}={value}", attribute.name())
        })
        .collect();
    attributes.sort();
    format!("{} {}", element.name(), attributes.join(" "))
}
