//! What a type declares and inherits.

use indexmap::IndexMap;
use lems_document::Element;
use lems_model::{ComponentType, Model};

use super::data::Member;
use super::words::{description, si_unit, word};

/// Members declared by the named elements, those of the type itself before inherited ones. One that
/// is declared again without a description keeps the inherited one.
pub(super) fn of(
    model: &Model<'_>,
    chain: &[&ComponentType<'_>],
    elements: &[&str],
) -> Vec<Member> {
    let mut members: IndexMap<&str, Member> = IndexMap::new();
    for kind in chain {
        for element in kind.element.children() {
            if elements.contains(&element.name())
                && let Some(name) = word(element, "name")
            {
                let entry = members.entry(name);
                let member = entry.or_insert_with(|| member(model, element, kind.name));
                if member.description.is_empty() {
                    member.description = description(element);
                }
                if element.name() == "Parameter" {
                    member.value = fixed(chain, name);
                }
            }
        }
    }
    members.into_values().collect()
}

fn member(model: &Model<'_>, element: Element<'_>, from: &str) -> Member {
    let owned = |name| word(element, name).map(str::to_owned);
    let (mut dimension, mut unit) = (None, None);
    if has_dimension(element.name()) {
        let name = word(element, "dimension").unwrap_or("none");
        dimension = Some(name.to_owned());
        unit = (model.dimensions.get(name)).and_then(|known| si_unit(model, *known));
    }
    Member {
        name: owned("name").unwrap_or_default(),
        element: element.name().to_owned(),
        dimension,
        unit,
        kind: owned("type").or_else(|| owned("substitute")),
        value: ["value", "select", "defaultValue"]
            .into_iter()
            .find_map(owned),
        direction: owned("direction"),
        description: description(element),
        from: from.to_owned(),
    }
}

fn has_dimension(element: &str) -> bool {
    matches!(
        element,
        "Parameter" | "DerivedParameter" | "Constant" | "Property" | "Requirement" | "Exposure"
    )
}

/// The value that the nearest `Fixed` of a chain gives a parameter.
fn fixed(chain: &[&ComponentType<'_>], parameter: &str) -> Option<String> {
    let elements = chain.iter().flat_map(|kind| kind.element.children());
    let mut fixed = elements.filter(|element| {
        element.name() == "Fixed" && word(*element, "parameter") == Some(parameter)
    });
    let found = fixed.next()?;
    word(found, "value").map(str::to_owned)
}
