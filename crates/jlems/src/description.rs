//! What a user of a component type needs to know, as plain data: for `describe`, for its JSON and
//! for the reference pages.

mod data;
mod equations;
mod members;
mod names;
mod words;

use std::collections::BTreeSet;

use lems_document::Document;
use lems_model::{ComponentType, Model, TypeId};
use serde::Serialize;

pub use data::{Block, Member, Statement, TypeDescription, Use};
pub use names::{Definition, near_names};
pub(crate) use words::unit_of;
use words::{description, word};
pub use words::{first_sentence, si_unit};

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
