//! What a user of a component type needs to know, as plain data: for `describe`, for its JSON and
//! for the reference pages.

mod equations;
mod members;
mod names;

use std::collections::BTreeSet;

use lems_document::{Attribute, Document, Element};
use lems_expression::Dimension;
use lems_model::{ComponentType, Model, TypeId};
use serde::Serialize;

pub use names::{Definition, near_names};

/// A component type with all that it declares, inherits and computes, and who uses it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeDescription {
    /// Name.
    pub name: String,
    /// File that defines it.
    pub file: String,
    /// Line there, from 1.
    pub line: usize,
    /// What it models.
    pub description: String,
    /// The type it extends, the one that this extends, and so on.
    pub extends: Vec<String>,
    /// Types that extend it directly, sorted.
    pub subtypes: Vec<String>,
    /// `Parameter`, `IndexParameter`, `IntegerParameter`; the value is one that a `Fixed` sets.
    pub parameters: Vec<Member>,
    /// `DerivedParameter`.
    pub derived_parameters: Vec<Member>,
    /// `Constant`.
    pub constants: Vec<Member>,
    /// `Property`; the value is its default.
    pub properties: Vec<Member>,
    /// `Requirement`, `ComponentRequirement`, `InstanceRequirement`.
    pub requirements: Vec<Member>,
    /// `Exposure`.
    pub exposures: Vec<Member>,
    /// `EventPort`.
    pub event_ports: Vec<Member>,
    /// `Child` and `Children`.
    pub children: Vec<Member>,
    /// `Attachments`.
    pub attachments: Vec<Member>,
    /// `ComponentReference` and `Link`.
    pub references: Vec<Member>,
    /// `Text`, `Path`, `PathParameter`, `ComponentTypeReference`.
    pub texts: Vec<Member>,
    /// Behaviour.
    pub dynamics: Block,
    /// What it adds to the network.
    pub structure: Block,
    /// What it runs and records.
    pub simulation: Block,
    /// Types that have it, or what it extends, as a part.
    pub used_by: Vec<Use>,
}

/// Something with a name that a type declares or inherits.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Member {
    /// Name.
    pub name: String,
    /// The LEMS element that declares it.
    pub element: String,
    /// Name of its dimension; `*` where any is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimension: Option<String>,
    /// SI unit of its dimension; None for pure numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Component type of what it holds or means.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its value, an expression or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `in` or `out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// What it means; may be empty.
    pub description: String,
    /// The type that declares it: the described one or one that it extends.
    pub from: String,
}

/// Statements of a type, own or inherited.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Block {
    /// The type that has them; empty if there are none.
    pub from: String,
    /// The statements.
    pub statements: Vec<Statement>,
}

/// An equation, or what to do when something happens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// The LEMS element.
    pub element: String,
    /// One line for people.
    pub text: String,
    /// What belongs to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<Statement>,
}

/// A declaration of another type that accepts the described one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Use {
    /// The other type.
    #[serde(rename = "type")]
    pub by: String,
    /// The LEMS element: `Child`, `Children`, `Attachments`, `ComponentReference`...
    pub element: String,
    /// Its name there.
    pub name: String,
    /// The type that the declaration names: the described one or one that it extends.
    pub accepts: String,
}

/// A component type in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeSummary {
    /// Name.
    pub name: String,
    /// The type it extends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// File that defines it.
    pub file: String,
    /// What it models.
    pub description: String,
}

impl TypeSummary {
    /// All types of a model that was read from the document, sorted by name.
    pub fn all(model: &Model<'_>, document: &Document) -> Vec<TypeSummary> {
        let summary = |kind: &ComponentType<'_>| TypeSummary {
            name: kind.name.to_owned(),
            extends: kind.parent.map(|id| model.type_of(id).name.to_owned()),
            file: document.source(kind.element.span().source).name.clone(),
            description: description(kind.element),
        };
        let mut types: Vec<TypeSummary> = model.types.values().map(summary).collect();
        types.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        types
    }
}

impl TypeDescription {
    /// Describes a type of a model that was read from the document.
    pub fn of(model: &Model<'_>, document: &Document, id: TypeId) -> TypeDescription {
        let chain = ancestry(model, id);
        let kind = model.type_of(id);
        let span = kind.element.span();
        let source = document.source(span.source);
        let mut subtypes: Vec<String> = (model.types.values())
            .filter(|other| other.parent == Some(id))
            .map(|other| other.name.to_owned())
            .collect();
        subtypes.sort_unstable();
        let members = |elements: &[&str]| members::of(model, &chain, elements);
        TypeDescription {
            name: kind.name.to_owned(),
            file: source.name.clone(),
            line: source.line_column(span.start).0,
            description: description(kind.element),
            extends: (chain.iter().skip(1))
                .map(|kind| kind.name.to_owned())
                .collect(),
            subtypes,
            parameters: members(&["Parameter", "IndexParameter", "IntegerParameter"]),
            derived_parameters: members(&["DerivedParameter"]),
            constants: members(&["Constant"]),
            properties: members(&["Property"]),
            requirements: members(&["Requirement", "ComponentRequirement", "InstanceRequirement"]),
            exposures: members(&["Exposure"]),
            event_ports: members(&["EventPort"]),
            children: members(&["Child", "Children"]),
            attachments: members(&["Attachments"]),
            references: members(&["ComponentReference", "Link"]),
            texts: members(&["Text", "Path", "PathParameter", "ComponentTypeReference"]),
            dynamics: equations::dynamics(&chain),
            structure: equations::block(&chain, "Structure"),
            simulation: equations::block(&chain, "Simulation"),
            used_by: uses(model, &chain),
        }
    }

    /// The members under their headings; some lists may be empty.
    pub fn sections(&self) -> [(&'static str, &[Member]); 11] {
        [
            ("Parameters", &self.parameters),
            ("Derived parameters", &self.derived_parameters),
            ("Constants", &self.constants),
            ("Properties", &self.properties),
            ("Requirements", &self.requirements),
            ("Exposures", &self.exposures),
            ("Event ports", &self.event_ports),
            ("Children", &self.children),
            ("Attachments", &self.attachments),
            ("References", &self.references),
            ("Texts and paths", &self.texts),
        ]
    }

    /// The blocks under their headings; some may be empty.
    pub fn blocks(&self) -> [(&'static str, &Block); 3] {
        [
            ("Dynamics", &self.dynamics),
            ("Structure", &self.structure),
            ("Simulation", &self.simulation),
        ]
    }

    /// The first sentence of the description.
    pub fn summary(&self) -> &str {
        first_sentence(&self.description)
    }
}

impl Member {
    /// What kind of thing it is in few words: dimension with unit, type, direction, value.
    pub fn nature(&self) -> String {
        let dimension = match (&self.dimension, &self.unit) {
            (Some(dimension), Some(unit)) => format!("{dimension} ({unit})"),
            (Some(dimension), None) => dimension.clone(),
            (None, _) => String::new(),
        };
        let kind = self.kind.as_deref().unwrap_or_default();
        let kind = match self.element.as_str() {
            _ if kind.is_empty() => String::new(),
            "Child" => format!("one {kind}"),
            "Children" => format!("any number of {kind}"),
            "Attachments" => format!("attached {kind}"),
            "ComponentReference" | "Link" => format!("id of a {kind}"),
            _ => kind.to_owned(),
        };
        let value = match (self.element.as_str(), &self.value) {
            (_, None) => String::new(),
            ("Parameter", Some(value)) => format!("fixed to {value}"),
            ("Property", Some(value)) => format!("{value} by default"),
            (_, Some(value)) => format!("= {value}"),
        };
        let direction = self.direction.clone().unwrap_or_default();
        let word = match self.element.as_str() {
            "Text" | "Path" => self.element.to_lowercase(),
            _ => String::new(),
        };
        let parts = [dimension, kind, word, direction, value];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

impl Block {
    /// The statements as indented lines.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        push_lines(&self.statements, 0, &mut lines);
        lines
    }
}

/// Documents bound the depth of elements, and so that of statements.
fn push_lines(statements: &[Statement], depth: usize, lines: &mut Vec<String>) {
    for statement in statements {
        lines.push(format!("{}{}", "  ".repeat(depth), statement.text));
        push_lines(&statement.body, depth + 1, lines);
    }
}

/// The first sentence of a text: up to a full stop before a capital.
pub fn first_sentence(text: &str) -> &str {
    let ends = text.match_indices(". ").map(|(at, _)| at + 1);
    let mut ends = ends.filter(|&end| {
        let next = text.get(end + 1..).and_then(|rest| rest.chars().next());
        next.is_some_and(char::is_uppercase)
    });
    ends.next().and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The SI unit of a dimension: the symbol of the model's own, else base units; None for numbers.
pub fn si_unit(model: &Model<'_>, dimension: Dimension) -> Option<String> {
    let base_units = || (!dimension.is_none()).then(|| dimension.to_string());
    unit_of(model, dimension, 1.0).or_else(base_units)
}

/// Symbol of the model's unit of a dimension that is `scale` in SI units; None for numbers.
pub(crate) fn unit_of(model: &Model<'_>, dimension: Dimension, scale: f64) -> Option<String> {
    let mut units = model.units.iter().filter(|(_, unit)| {
        let is_of_it = unit.dimension == dimension && !dimension.is_none();
        is_of_it && unit.to_si(1.0) == scale && unit.offset == 0.0
    });
    units.next().map(|(symbol, _)| (*symbol).to_owned())
}

/// A type and what it extends, outwards.
fn ancestry<'m, 'd>(model: &'m Model<'d>, id: TypeId) -> Vec<&'m ComponentType<'d>> {
    let chain = std::iter::successors(Some(id), |id| model.type_of(*id).parent);
    chain.map(|id| model.type_of(id)).collect()
}

/// Where types declare parts of one of the chain's types.
fn uses(model: &Model<'_>, chain: &[&ComponentType<'_>]) -> Vec<Use> {
    const PARTS: [&str; 6] = [
        "Child",
        "Children",
        "Attachments",
        "ComponentReference",
        "Link",
        "InstanceRequirement",
    ];
    let accepted: BTreeSet<&str> = chain.iter().map(|kind| kind.name).collect();
    let mut uses = BTreeSet::new();
    for by in model.types.values() {
        for element in by.element.children() {
            let accepts = word(element, "type").unwrap_or_default();
            if PARTS.contains(&element.name()) && accepted.contains(accepts) {
                uses.insert(Use {
                    by: by.name.to_owned(),
                    element: element.name().to_owned(),
                    name: word(element, "name").unwrap_or_default().to_owned(),
                    accepts: accepts.to_owned(),
                });
            }
        }
    }
    uses.into_iter().collect()
}

fn word<'d>(element: Element<'d>, name: &str) -> Option<&'d str> {
    element.attribute(name).map(Attribute::value)
}

/// The `description` of an element as one line.
fn description(element: Element<'_>) -> String {
    one_line(word(element, "description").unwrap_or_default())
}

/// A text with its line breaks and runs of blanks as single blanks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
