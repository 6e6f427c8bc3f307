//! Reads the groups of segments of a cell.

use std::collections::HashMap;

use lems_document::{Attribute, Element, Span, nearest};
use lems_morphology::{Section, Segment, between, descendants};
use petgraph::{algo::kosaraju_scc, graph::DiGraph};
use rustc_hash::FxHashSet;

use super::read::Reader;

/// The groups of a shape, by name.
pub(super) struct Groups<'d> {
    pub segments: HashMap<&'d str, Vec<usize>>,
    /// Index of each segment by its id.
    pub ids: HashMap<i64, usize>,
    /// Number of segments.
    pub count: usize,
}

impl<'d> Reader<'_, 'd> {
    /// The segments of each group, and the sections.
    pub(super) fn groups(
        &mut self,
        elements: &[Element<'d>],
        segments: &[Segment],
        ids: HashMap<i64, usize>,
    ) -> (Groups<'d>, Vec<Section>) {
        let rules = self.rules;
        let name = |element: &Element<'d>| element.attribute("id").map(|id| id.value());
        let by_name: HashMap<&'d str, usize> = (elements.iter().enumerate())
            .filter_map(|(index, element)| Some((name(element)?, index)))
            .collect();
        // Own segments and included groups of each.
        let mut own: Vec<Vec<usize>> = Vec::with_capacity(elements.len());
        let mut included: Vec<Vec<usize>> = Vec::with_capacity(elements.len());
        for element in elements {
            let mut members = Vec::new();
            let mut groups = Vec::new();
            for child in element.children() {
                if child.name() == rules.member[0] {
                    members.extend(self.named(child, &rules.member[1], &ids));
                } else if child.name() == rules.include[0] {
                    let Some(attribute) = child.attribute(&rules.include[1]) else {
                        continue;
                    };
                    match by_name.get(attribute.value()) {
                        Some(group) => groups.push(*group),
                        None if attribute.value() == rules.whole => {
                            members.extend(0..segments.len())
                        }
                        None => self.unknown_group(attribute.value(), &by_name, attribute.span()),
                    }
                } else if child.name() == rules.path || child.name() == rules.subtree {
                    members.extend(self.run(child, segments, &ids));
                }
            }
            own.push(members);
            included.push(groups);
        }
        // All segments of each, without recursion: included groups first.
        let all = resolve(&own, &included);
        let mut found = Groups {
            segments: HashMap::new(),
            ids,
            count: segments.len(),
        };
        let mut sections = Vec::new();
        for ((element, all), own) in elements.iter().zip(all).zip(own) {
            let Some(all) = all else {
                self.wrong(
                    format!(
                        "group `{}` includes itself",
                        name(element).unwrap_or_default()
                    ),
                    Some("remove one of the includes".to_owned()),
                    element.name_span(),
                );
                continue;
            };
            let [mark, value] = &rules.section;
            let is_section =
                (element.attribute(mark)).is_some_and(|attribute| attribute.value() == value);
            if is_section && !all.is_empty() {
                let in_order = if own.len() == all.len() {
                    own
                } else {
                    all.clone()
                };
                sections.push(Section {
                    segments: in_order,
                    divisions: self.divisions(*element),
                });
            }
            if let Some(name) = name(element) {
                found.segments.insert(name, all);
            }
        }
        (found, sections)
    }

    fn unknown_group(&mut self, name: &str, known: &HashMap<&str, usize>, span: Span) {
        let near = nearest(name, known.keys().copied());
        self.wrong(
            format!("there is no group `{name}`"),
            near.map(|near| format!("did you mean `{near}`?")),
            span,
        );
    }

    /// The segments of a path or a subtree.
    fn run(
        &mut self,
        element: Element<'d>,
        segments: &[Segment],
        ids: &HashMap<i64, usize>,
    ) -> Vec<usize> {
        let rules = self.rules;
        let child = |name: &str| element.children().find(|child| child.name() == name);
        let mut end = |names: &[String; 2]| {
            let found = child(&names[0])?;
            self.named(found, &names[1], ids)
        };
        let (from, to) = (end(&rules.from), end(&rules.to));
        if element.name() == rules.path {
            let first = from.or_else(|| segments.iter().position(|s| s.parent.is_none()));
            return match (first, to) {
                (Some(from), Some(to)) => between(segments, from, to).unwrap_or_else(|| {
                    self.wrong(
                        "no path leads from the one segment to the other",
                        Some("a path leads away from the root".to_owned()),
                        element.name_span(),
                    );
                    Vec::new()
                }),
                (Some(from), None) => descendants(segments, from),
                _ => Vec::new(),
            };
        }
        match (from, to) {
            (Some(from), None) => descendants(segments, from),
            (Some(from), Some(to)) => {
                let beyond: FxHashSet<usize> = descendants(segments, to).into_iter().collect();
                let all = descendants(segments, from).into_iter();
                all.filter(|segment| *segment == to || !beyond.contains(segment))
                    .collect()
            }
            (None, Some(to)) => {
                let root = segments.iter().position(|s| s.parent.is_none());
                root.and_then(|root| between(segments, root, to))
                    .unwrap_or_default()
            }
            (None, None) => Vec::new(),
        }
    }

    /// The number of compartments that a section asks for; one if it does not.
    fn divisions(&mut self, element: Element<'d>) -> usize {
        let [name, key, wanted, value] = &self.rules.divisions;
        let is_meant = |element: &Element<'d>| {
            element.name() == name
                && (element.attribute(key)).is_some_and(|found| found.value() == wanted)
        };
        let Some(found) = element.descendants().find(is_meant) else {
            return 1;
        };
        let number = self.number(found, value).unwrap_or(1.0);
        if !(1.0..=1e7).contains(&number) || number.fract() != 0.0 {
            self.wrong(
                format!("a section cannot have {number} compartments"),
                Some("give a whole number from 1".to_owned()),
                found.name_span(),
            );
            return 1;
        }
        usize::try_from(lems_math::saturating_u64(number)).unwrap_or(usize::MAX)
    }

    /// The segments of a group that an attribute names; None, and an error, if there is none.
    pub(super) fn group_named(
        &mut self,
        group: Attribute<'d>,
        groups: &Groups<'d>,
    ) -> Option<Vec<usize>> {
        if let Some(segments) = groups.segments.get(group.value()) {
            return Some(segments.clone());
        }
        if group.value() == self.rules.whole {
            return Some((0..groups.count).collect());
        }
        let known = groups.segments.keys().map(|name| (*name, 0)).collect();
        self.unknown_group(group.value(), &known, group.span());
        None
    }
}

/// All members of each group: its own and those of the groups that it includes. None for a group that
/// includes itself, and for one that includes such a group.
fn resolve(own: &[Vec<usize>], included: &[Vec<usize>]) -> Vec<Option<Vec<usize>>> {
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<_> = own.iter().map(|_| graph.add_node(())).collect();
    for (from, groups) in nodes.iter().zip(included) {
        for group in groups {
            graph.add_edge(*from, nodes[*group], ());
        }
    }
    // Groups come after those that they include.
    let mut all: Vec<Option<Vec<usize>>> = vec![None; own.len()];
    for circle in kosaraju_scc(&graph) {
        let [node] = circle[..] else { continue };
        let group = node.index();
        // A group that includes itself has no members yet.
        let inner: Option<Vec<&Vec<usize>>> = (included[group].iter())
            .map(|inner| all[*inner].as_ref())
            .collect();
        let members = inner.map(|inner| {
            let mut seen = FxHashSet::default();
            (own[group].iter().chain(inner.into_iter().flatten()))
                .copied()
                .filter(|member| seen.insert(*member))
                .collect()
        });
        all[group] = members;
    }
    all
}
