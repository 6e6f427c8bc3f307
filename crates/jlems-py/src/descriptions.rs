//! What the types of a document are, as JSON.

use jlems::description::{Definition, TypeDescription, TypeSummary, near_names};
use jlems::{Code, Failure};
use lems_document::Document;

use crate::failure::json;

/// What a type, a dimension, a unit or a constant is.
pub fn description(document: &Document, name: &str) -> Result<String, Failure> {
    let model = jlems::read_model(document)?;
    if let Some(id) = model.type_named(name) {
        return json(&TypeDescription::of(&model, document, id));
    }
    let found = Definition::named(&model, name);
    if !found.is_empty() {
        return json(&found);
    }
    let names: Vec<&str> = (model.types.keys().chain(model.dimensions.keys()))
        .chain(model.units.keys())
        .chain(model.constants.keys())
        .copied()
        .collect();
    let near = near_names(name, &names).into_iter();
    let near: Vec<String> = near.map(|name| format!("`{name}`")).collect();
    let help = (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")));
    let message = format!("no ComponentType `{name}`");
    Err(Failure::plain(Code(601), message, help))
}

/// The types of a document.
pub fn types(document: &Document) -> Result<String, Failure> {
    let model = jlems::read_model(document)?;
    let chain = |name: &str| {
        let id = model.type_named(name);
        let id = std::iter::successors(id, |id| model.type_of(*id).parent);
        id.map(|id| model.type_of(id).name).collect::<Vec<_>>()
    };
    let all: Vec<_> = (TypeSummary::all(&model, document).into_iter())
        .map(|summary| {
            let bases = chain(&summary.name);
            (summary, bases)
        })
        .map(|(summary, bases)| serde_json::json!({ "summary": summary, "bases": bases }))
        .collect();
    json(&all)
}
