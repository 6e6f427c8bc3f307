//! What the rules of NeuroML ask for beyond its types.

use std::collections::HashSet;

use lems_document::{Document, Element, Span, nearest};
use nml2_coretypes::{COUNTS, ENDS, MISPLACED, NAMINGS, NEEDS, Naming, TREES};

use super::findings::{Findings, wrong};
use super::ids;
use super::references::{TopLevel, ids_of};

/// Holds every element of the user's files against the rules. Of a file that is run, only the run
/// says which names and connections are wrong.
pub(super) fn check(
    document: &Document,
    is_neuroml: bool,
    is_asked_for: &dyn Fn(Span) -> bool,
    findings: &mut Findings,
) {
    let first_error = findings.errors.len();
    let top_level = TopLevel::of(document);
    let borrowed = top_level.borrowed();
    let mut of_names = Findings::default();
    if is_neuroml {
        let own = document.roots().filter(|root| !root.is_embedded());
        ids::shared(own, findings);
    }
    let mut named = HashSet::new();
    let mut unvisited: Vec<(Element<'_>, &str)> = (document.roots())
        .filter(|root| !root.is_embedded())
        .map(|root| {
            (
                root,
                borrowed.get(&root.span()).copied().unwrap_or_default(),
            )
        })
        .collect();
    // Elements inside a cell are reported there, so cells come off the stack last.
    unvisited.sort_by_key(|(_, parent)| parent.is_empty());
    while let Some((element, parent)) = unvisited.pop() {
        counts(element, findings);
        ends(element, findings);
        namings(&top_level, element, &mut named, findings);
        trees(element, parent, findings);
        misplaced(element, findings);
        needs(element, parent, is_asked_for, &mut of_names);
        ids::uniques(element, parent, &mut of_names);
        top_level.references(element, &mut of_names);
        top_level.connections(element, &mut of_names);
        unvisited.extend(element.children().map(|child| (child, element.name())));
    }
    let errors = of_names.errors.into_iter();
    errors.for_each(|error| findings.add(is_neuroml, error));
    findings.warnings.extend(of_names.warnings);
    if let Some(errors) = findings.errors.get_mut(first_error..) {
        errors.sort_by_key(|error| error.span.map(|span| (span.source, span.start)));
    }
}

fn counts(element: Element<'_>, findings: &mut Findings) {
    for rule in COUNTS.iter().filter(|rule| rule.element == element.name()) {
        let number = element
            .children()
            .filter(|child| child.name() == rule.children)
            .count();
        let (name, value) = rule.listed;
        let are_listed = (element.attribute(name)).is_some_and(|given| given.value() == value);
        if let Some(given) = element.attribute(rule.attribute)
            && (number > 0 || are_listed)
            && given.value().trim().parse() != Ok(number)
        {
            let (said, children) = (given.value(), rule.children);
            let message = format!(
                "the {} is {said}, but there are {number} of `{children}`",
                rule.attribute
            );
            let help = format!(
                "write `{}=\"{number}\"`, or is one missing?",
                rule.attribute
            );
            findings.add(true, wrong(message, given.span(), Some(help)));
        }
    }
}

fn ends(element: Element<'_>, findings: &mut Findings) {
    for rule in ENDS {
        let Some(expected) = element.attribute(rule.attribute) else {
            continue;
        };
        for child in element.children() {
            let paths = rule.paths.iter().filter_map(|name| child.attribute(name));
            for path in paths.filter(|path| path.value().contains(['/', '['])) {
                let first = path.value().trim_start_matches(['.', '/']);
                let first = first.split(['/', '[']).next().unwrap_or_default();
                if first != expected.value() {
                    let message = format!(
                        "this leads into `{first}`, but `{}` is `{}`",
                        rule.attribute,
                        expected.value()
                    );
                    findings.add(false, wrong(message, path.span(), None));
                }
            }
        }
    }
}

fn trees(element: Element<'_>, parent: &str, findings: &mut Findings) {
    for rule in TREES.iter().filter(|rule| rule.within == element.name()) {
        let has = |node: &Element<'_>, name| node.children().any(|child| child.name() == name);
        let nodes = element.children();
        let nodes = nodes.filter(|child| child.name() == rule.nodes);
        let (roots, others): (Vec<Element<'_>>, Vec<Element<'_>>) =
            nodes.partition(|node| !has(node, rule.parent));
        let refused = rule.refused_in.contains(&parent);
        if let [root] = roots.as_slice() {
            if !has(root, rule.root) {
                let message = format!(
                    "this {} has no `{}`, and no `{}` to take it from",
                    rule.nodes, rule.root, rule.parent
                );
                let help = format!("add `<{} .../>`", rule.root);
                findings.add(refused, wrong(message, root.name_span(), Some(help)));
            }
            continue;
        }
        let Some(first) = roots.get(1).or(others.first()) else {
            continue;
        };
        let message = format!(
            "{} of `{}` in this {} have no `{}`: it must be one",
            roots.len(),
            rule.nodes,
            rule.within,
            rule.parent
        );
        findings.add(refused, wrong(message, first.name_span(), None));
    }
}

fn misplaced(element: Element<'_>, findings: &mut Findings) {
    for rule in (MISPLACED.iter()).filter(|rule| rule.within == element.name()) {
        let (name, value) = rule.attribute;
        let is_meant = |child: &Element<'_>| {
            let attribute = child.attribute(name);
            child.name() == rule.element && attribute.is_some_and(|given| given.value() == value)
        };
        for child in element.children().filter(is_meant) {
            let message = format!("`{value}` inside of `{}` is not looked at", rule.within);
            let help = format!(
                "move this {} out of the {}, to be a child of the {}",
                rule.element, rule.within, rule.belongs
            );
            findings.add(false, wrong(message, child.name_span(), Some(help)));
        }
    }
}

fn needs(
    element: Element<'_>,
    parent: &str,
    is_asked_for: &dyn Fn(Span) -> bool,
    findings: &mut Findings,
) {
    let rules = NEEDS
        .iter()
        .filter(|rule| rule.elements.contains(&element.name()) && rule.within.contains(&parent));
    for rule in rules {
        if element.children().any(|child| child.name() == rule.child) {
            continue;
        }
        let message = format!("`{}` has no `{}`", element.name(), rule.child);
        let help = Some(format!("add `<{} .../>`", rule.child));
        let span = element.name_span();
        let refused = rule.refused && is_asked_for(span);
        findings.add(refused, wrong(message, span, help));
    }
}

/// The rule for an attribute of an element.
fn naming(within: &str, of: &str, attribute: &str) -> Option<&'static Naming> {
    NAMINGS.iter().find(|rule| {
        rule.within.contains(&within)
            && rule.attribute == attribute
            && (rule.of.is_empty() || rule.of.contains(&of))
    })
}

/// The names that elements inside this one use. A place inside one that was already reported is left out.
fn namings<'d>(
    top_level: &TopLevel<'d>,
    element: Element<'d>,
    seen: &mut HashSet<Span>,
    findings: &mut Findings,
) {
    for rule in NAMINGS
        .iter()
        .filter(|rule| rule.within.contains(&element.name()))
    {
        let known = ids_of(top_level.contents(element), rule.names);
        let is_empty = |named: &Element<'_>| {
            let mut children = named.children();
            !rule.filled_by.is_empty()
                && !children.any(|child| rule.filled_by.contains(&child.name()))
        };
        let empty = ids_of(top_level.contents(element).filter(is_empty), rule.names);
        for inner in top_level.contents(element) {
            let Some(attribute) = inner.attribute(rule.attribute) else {
                continue;
            };
            if naming(element.name(), inner.name(), rule.attribute) != Some(rule)
                || !seen.insert(attribute.span())
            {
                continue;
            }
            let name = attribute.value();
            if empty.contains(name) && !rule.filled_by.contains(&inner.name()) {
                let message = format!("the {} `{name}` is empty: this is nowhere", rule.names);
                findings.add(false, wrong(message, attribute.span(), None));
            }
            if known.contains(name) || rule.built_in.contains(&name) {
                continue;
            }
            let near = nearest(name, known.iter().copied());
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!(
                "there is no {} `{name}` in this {}",
                rule.names,
                element.name()
            );
            findings.add(rule.refused, wrong(message, attribute.span(), help));
        }
    }
}
