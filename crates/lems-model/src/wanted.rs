//! Which of the embedded types a document needs.

use lems_document::{Document, Element};
use rustc_hash::{FxHashMap, FxHashSet};

/// Names of the embedded types that a document names, and of those that these name in turn. Any
/// value that is the name of a type counts, so there are more than it takes, and never fewer. Each of
/// the `pairs` is a type and another that is needed wherever the first one is.
pub(crate) fn embedded_types<'a>(
    document: &'a Document,
    pairs: &[(&'a str, &'a str)],
) -> FxHashSet<&'a str> {
    let (types, others): (Vec<_>, Vec<_>) =
        (document.roots()).partition(|root| root.name() == "ComponentType");
    let (embedded, own): (Vec<_>, Vec<_>) =
        (types.into_iter()).partition(|definition| definition.is_embedded());
    let mut named: FxHashSet<&str> = own.into_iter().flat_map(values).collect();
    for element in others.into_iter().flat_map(Element::descendants) {
        named.insert(element.name());
        named.extend(element.attribute("type").map(|kind| kind.value()));
    }
    let definitions: FxHashMap<&str, Element<'_>> = (embedded.into_iter())
        .filter_map(|definition| Some((definition.attribute("name")?.value(), definition)))
        .collect();
    let mut wanted = FxHashSet::default();
    let mut unread: Vec<&str> = named.into_iter().collect();
    while let Some(name) = unread.pop() {
        if let Some(definition) = definitions.get(name)
            && wanted.insert(name)
        {
            unread.extend(values(*definition));
            let companions = pairs.iter().filter(|(first, _)| *first == name);
            unread.extend(companions.map(|(_, second)| *second));
        }
    }
    wanted
}

fn values(definition: Element<'_>) -> impl Iterator<Item = &str> {
    let attributes = definition.descendants().flat_map(Element::attributes);
    attributes.map(|attribute| attribute.value())
}
