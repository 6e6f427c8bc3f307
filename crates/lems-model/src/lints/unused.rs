//! Components that are made to be attached to others, and never are.

use lems_document::{Attribute, Document, Element};
use rustc_hash::FxHashSet;

use crate::{ComponentId, Model, ModelError};

/// Top-level components of types that `Attachments` hold, such as synapses and inputs, that
/// nothing refers to in a model that is run.
pub(super) fn never_attached(document: &Document, model: &Model<'_>) -> Vec<ModelError> {
    if model.target.is_none() {
        return Vec::new();
    }
    let used: FxHashSet<ComponentId> = (model.components.records())
        .flat_map(|(_, component)| {
            let references = component.references.iter().map(|(_, target)| *target);
            let adopted = component.adopted.iter().map(|(_, child)| *child);
            references.chain(adopted).chain(component.prototype)
        })
        .chain(model.target.map(|target| target.component))
        .collect();
    let mut unused: Vec<ComponentId> = (model.top_level.iter().copied())
        .filter(|id| !used.contains(id))
        .collect();
    if !unused.is_empty() {
        // The model may be without the types that they could be attached to.
        let attachable: FxHashSet<&str> = (document.roots())
            .filter(|root| root.name() == "ComponentType")
            .flat_map(Element::children)
            .filter(|child| child.name() == "Attachments")
            .filter_map(|child| child.attribute("type").map(Attribute::value))
            .collect();
        unused.retain(|id| {
            let kind = model.component(*id).component_type;
            attachable.iter().any(|name| model.is_a(kind, name))
        });
        let words = words(model);
        unused.retain(|id| (model.name(*id)).is_some_and(|name| !words.contains(name)));
    }
    let warning = |id: ComponentId| ModelError::NeverAttached {
        component: model.title(id),
        span: model.span_of(id),
    };
    unused.into_iter().map(warning).collect()
}

/// What texts and paths name: they may mean a component without being a reference.
fn words<'d>(model: &Model<'d>) -> FxHashSet<&'d str> {
    let attributes = (model.component_ids()).flat_map(|id| model.element(id).attributes());
    attributes
        .filter(|attribute| attribute.name() != "id")
        .flat_map(|attribute| attribute.value().split(['/', ':', '[', ' ']))
        .collect()
}
