//! Ids that are missing, cannot be written, or are given twice.

use std::collections::HashMap;

use lems_document::{Element, Span};
use lems_model::{ComponentId, Model, ModelError, Role};
use nml2_coretypes::{PLACES, UNIQUES};

use super::findings::{Findings, wrong};
use crate::Diagnostic;

/// Components of one id where a path or a reference could mean either. Among the top-level ones
/// that is wrong; inside of others a run goes on, and the first is meant.
pub(super) fn same_ids(model: &Model<'_>, findings: &mut Findings) {
    let mut first: HashMap<(Option<ComponentId>, &str, &str), ComponentId> = HashMap::new();
    for id in model.component_ids() {
        let component = model.component(id);
        let Some(name) = model.name(id) else { continue };
        let role = match component.role {
            Role::TopLevel => "",
            Role::Slot(role) | Role::List(role) => role,
        };
        let key = (component.parent, role, name);
        let Some(first) = first.insert(key, id) else {
            continue;
        };
        let place = |id| {
            let mut places = PLACES.iter();
            let element = model.element(id);
            places.find_map(|place| Some(element.attribute(place)?.value()))
        };
        let (span, first_span) = (model.span_of(id), model.span_of(first));
        match (component.parent, place(id), place(first)) {
            (None, ..) => findings.add(true, twice(name, span, first_span)),
            (Some(_), Some(here), Some(there)) if here != there => {}
            (Some(_), Some(here), Some(_)) => {
                let message = format!("`{name}` stands here twice for `{here}`");
                let help = "the second covers what the first says of it";
                let mut doubt = wrong(message, span, Some(help.to_owned()));
                doubt.related = Some((first_span, "first defined here"));
                findings.add(false, doubt);
            }
            (Some(_), ..) => findings.add(false, twice(name, span, first_span)),
        }
    }
}

/// Children that share their ids although they may not.
pub(super) fn uniques(element: Element<'_>, parent: &str, findings: &mut Findings) {
    let rules = UNIQUES.iter().filter(|rule| {
        rule.within == element.name()
            && (rule.refused_in.is_empty() || rule.refused_in.contains(&parent))
    });
    for rule in rules {
        let children = element.children();
        shared(
            children.filter(|child| rule.elements.contains(&child.name())),
            findings,
        );
    }
}

/// Elements with the id of one before them.
pub(super) fn shared<'d>(elements: impl Iterator<Item = Element<'d>>, findings: &mut Findings) {
    let mut first: HashMap<&str, Span> = HashMap::new();
    for id in elements.filter_map(|element| element.attribute("id")) {
        if let Some(first) = first.insert(id.value(), id.span()) {
            findings.add(true, twice(id.value(), id.span(), first));
        }
    }
}

fn twice(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::from(&ModelError::Duplicate {
        what: "component",
        name: name.to_owned(),
        span,
        first,
    })
}

/// Top-level components that others cannot name.
pub(super) fn unusual_ids(model: &Model<'_>) -> impl Iterator<Item = Diagnostic> {
    let breaks_paths = |letter: char| letter.is_whitespace() || "/[]:*=".contains(letter);
    model.top_level.iter().filter_map(move |id| {
        let element = model.element(*id).name();
        let (message, help) = match model.name(*id) {
            None => (
                format!("this {element} has no id: nothing can refer to it"),
                Some("add `id=\"...\"`".to_owned()),
            ),
            Some(id) if id.contains(breaks_paths) => (
                format!("the id `{id}` cannot be written in a path"),
                Some("letters, digits and `_` are usual, beginning with a letter".to_owned()),
            ),
            Some(_) => return None,
        };
        Some(wrong(message, model.span_of(*id), help))
    })
}
