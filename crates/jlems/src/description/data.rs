//! The description of a component type as plain data.

use serde::Serialize;

use super::words::first_sentence;

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
    /// Types that have this type, or one that it extends, as a part.
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

impl TypeDescription {
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
    /// A few words about it: dimension with unit, type, direction, value.
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
