//! Names of components, populations and their members, which LEMS itself would look up only when
//! a model is run.

use std::collections::{HashMap, HashSet};

use indexmap::{IndexMap, IndexSet};
use lems_document::{Attribute, Document, Element, SourceId, Span, nearest};
use lems_model::ModelError;
use nml2_coretypes::{BORROWINGS, CONNECTIONS, ConnectionEnd, Connections, REFERENCES, UNROOTED};

use super::findings::{Findings, wrong};
use crate::Diagnostic;

/// The top-level components of a document, by id.
pub(super) struct TopLevel<'d>(IndexMap<&'d str, Element<'d>>);

impl<'d> TopLevel<'d> {
    pub(super) fn of(document: &'d Document) -> Self {
        let named = document.roots().filter(|root| !root.is_embedded());
        TopLevel(
            named
                .filter_map(|root| Some((root.attribute("id")?.value(), root)))
                .collect(),
        )
    }

    /// The top-level elements that others have as their own, each with the element that does.
    pub(super) fn borrowed(&self) -> HashMap<Span, &'static str> {
        let mut borrowed = HashMap::new();
        for element in self.0.values() {
            let parts = self.borrowed_by(*element);
            borrowed.extend(parts.map(|(part, rule)| (part.span(), rule)));
        }
        borrowed
    }

    fn borrowed_by(
        &self,
        element: Element<'_>,
    ) -> impl Iterator<Item = (Element<'d>, &'static str)> {
        let rules = BORROWINGS
            .iter()
            .filter(move |rule| rule.element == element.name());
        rules.flat_map(move |rule| {
            rule.attributes.iter().filter_map(move |attribute| {
                let id = element.attribute(attribute)?.value();
                let part = self.0.get(id).filter(|part| part.name() == *attribute)?;
                Some((*part, rule.element))
            })
        })
    }

    /// An element, all inside of it, and what it has as its own.
    pub(super) fn contents(&self, element: Element<'d>) -> impl Iterator<Item = Element<'d>> {
        let borrowed = self.borrowed_by(element).map(|(part, _)| part);
        element
            .descendants()
            .chain(borrowed.flat_map(|part| part.descendants()))
    }

    /// What a file names must be there, for some names.
    pub(super) fn references(&self, element: Element<'d>, findings: &mut Findings) {
        for rule in (REFERENCES.iter()).filter(|rule| rule.within.contains(&element.name())) {
            let named = self
                .contents(element)
                .filter(|inner| rule.elements.contains(&inner.name()))
                .filter_map(|inner| inner.attribute(rule.attribute));
            for attribute in named.filter(|one| !self.0.contains_key(one.value())) {
                let id = attribute.value().to_owned();
                let suggestion = nearest(&id, self.0.keys().copied()).map(str::to_owned);
                let span = attribute.span();
                findings.add(
                    true,
                    Diagnostic::from(&ModelError::UnknownComponent {
                        id,
                        suggestion,
                        span,
                    }),
                );
            }
        }
    }

    /// Populations and their members that connections name.
    pub(super) fn connections(&self, element: Element<'_>, findings: &mut Findings) {
        for rule in (CONNECTIONS.iter()).filter(|rule| rule.within == element.name()) {
            let populations: IndexMap<&str, Element<'_>> = element
                .children()
                .filter(|child| child.name() == rule.populations)
                .filter_map(|child| Some((child.attribute("id")?.value(), child)))
                .collect();
            let projections = element.children();
            for projection in projections.filter(|child| rule.projections.contains(&child.name())) {
                for end in &rule.ends {
                    let Some(name) = projection.attribute(end.population) else {
                        continue;
                    };
                    match populations.get(name.value()) {
                        Some(population) => {
                            self.end(rule, end, *population, projection, findings);
                        }
                        None => {
                            let known = populations.keys().copied();
                            let help = nearest(name.value(), known)
                                .map(|near| format!("did you mean `{near}`?"));
                            let message = format!(
                                "there is no {} `{}` in this {}",
                                rule.populations,
                                name.value(),
                                rule.within
                            );
                            findings.add(true, wrong(message, name.span(), help));
                        }
                    }
                }
            }
        }
    }

    /// One end of all connections of a projection.
    fn end(
        &self,
        rule: &Connections,
        end: &ConnectionEnd,
        population: Element<'_>,
        projection: Element<'_>,
        findings: &mut Findings,
    ) {
        let value = |name: &str| population.attribute(name).map(Attribute::value);
        let (id, component) = (value("id").unwrap_or_default(), value(rule.component));
        let size: Option<u64> = value(rule.size).and_then(|size| size.trim().parse().ok());
        let cell = component.and_then(|component| self.0.get(component));
        let segments: Option<HashSet<u64>> =
            cell.filter(|cell| cell.name() == rule.cells).map(|cell| {
                let segments = ids_of(self.contents(*cell), rule.segments).into_iter();
                segments.filter_map(|id| id.trim().parse().ok()).collect()
            });
        let connections = projection.children();
        for connection in connections.filter(|child| rule.connections.contains(&child.name())) {
            if let Some(path) = connection.attribute(end.path)
                && !is_member(path.value(), id, component, size)
            {
                let member = match path.value().contains('[') {
                    true => format!("../{id}[0]"),
                    false => format!("../{id}/0/{}", component.unwrap_or_default()),
                };
                let message = format!(
                    "`{}` leads to no member of the {} `{id}`",
                    path.value(),
                    rule.populations
                );
                let help = Some(format!("its first one is `{member}`"));
                findings.add(true, wrong(message, path.span(), help));
            }
            let segment = connection.attribute(end.segment);
            let number = segment.map_or("0", |segment| segment.value().trim());
            if let Some(segments) = &segments
                && number
                    .parse()
                    .is_ok_and(|number| !segments.contains(&number))
            {
                let message = format!(
                    "there is no {} `{number}` in `{}`",
                    rule.segments,
                    component.unwrap_or_default()
                );
                let span = segment.map_or(connection.name_span(), Attribute::span);
                findings.add(true, wrong(message, span, None));
            }
        }
    }
}

/// Whether a path is `../POPULATION[INDEX]` or `../POPULATION/INDEX/COMPONENT`.
fn is_member(path: &str, population: &str, component: Option<&str>, size: Option<u64>) -> bool {
    let is_index = |index: &str| {
        (index.parse::<u64>()).is_ok_and(|index| size.is_none_or(|size| index < size))
    };
    let Some(rest) = (path.strip_prefix("../")).and_then(|path| path.strip_prefix(population))
    else {
        return false;
    };
    if let Some(rest) = rest.strip_prefix('[') {
        return rest.split(']').next().is_some_and(is_index);
    }
    let mut steps = rest.strip_prefix('/').unwrap_or_default().split('/');
    steps.next().is_some_and(is_index) && steps.next() == component
}

/// Where paths begin that lack `../` to lead somewhere.
pub(super) fn unrooted(document: &Document) -> HashSet<(SourceId, u32)> {
    let mut found = HashSet::new();
    let outer = document.roots().filter(|root| !root.is_embedded());
    for outer in outer.flat_map(|root| root.descendants()) {
        let names: HashSet<&str> = (outer.children())
            .filter_map(|child| child.attribute("id").map(Attribute::value))
            .collect();
        let inner = outer.children().flat_map(|child| child.children());
        let paths = inner.flat_map(|inner| {
            UNROOTED
                .iter()
                .filter_map(move |name| inner.attribute(name))
        });
        let begin = |path: &str| {
            path.find(['/', '['])
                .and_then(|end| path.get(..end).map(str::to_owned))
        };
        found.extend(
            paths
                .filter(|path| {
                    begin(path.value()).is_some_and(|name| names.contains(name.as_str()))
                })
                .map(|path| (path.span().source, path.span().start)),
        );
    }
    found
}

/// The ids of the elements of that name, in order.
pub(super) fn ids_of<'d>(
    elements: impl Iterator<Item = Element<'d>>,
    name: &str,
) -> IndexSet<&'d str> {
    let named = elements.filter(|element| element.name() == name);
    named
        .filter_map(|element| element.attribute("id").map(Attribute::value))
        .collect()
}
