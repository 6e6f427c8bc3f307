//! Reads the groups of segments of a cell.

use indexmap::IndexMap;
use lems_document::{Attribute, Element, Span, nearest};
use lems_morphology::{MAX_COMPARTMENTS, Section, Segment, between, descendants};
use petgraph::{algo::kosaraju_scc, graph::DiGraph};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{plan::SectionName, read::Reader};

/// Most members of all groups together, and most segments that paths and subtrees look at.
const MOST_MEMBERS: usize = 20_000_000;
const MOST_VISITED: usize = 1_000_000_000;

/// The groups of a shape, by name.
pub(super) struct Groups<'d> {
    pub segments: IndexMap<&'d str, Vec<usize>>,
    /// Index of each segment by its id.
    pub ids: FxHashMap<i64, usize>,
    /// Number of segments.
    pub count: usize,
}

impl Groups<'_> {
    /// The groups with names that they own.
    pub fn in_order(&self) -> Vec<(String, Vec<usize>)> {
        let groups = self.segments.iter();
        groups
            .map(|(name, segments)| ((*name).to_owned(), segments.clone()))
            .collect()
    }
}

impl<'d> Reader<'_, 'd> {
    /// The segments of each group, and the sections.
    pub(super) fn groups(
        &mut self,
        elements: &[Element<'d>],
        segments: &[Segment],
        ids: FxHashMap<i64, usize>,
    ) -> (Groups<'d>, Vec<Section>, Vec<SectionName>) {
        let rules = self.rules;
        let name = |element: &Element<'d>| element.attribute("id").map(|id| id.value());
        let by_name: FxHashMap<&'d str, usize> = (elements.iter().enumerate())
            .filter_map(|(index, element)| Some((name(element)?, index)))
            .collect();
        // Own segments and included groups of each.
        let mut own: Vec<Vec<usize>> = Vec::with_capacity(elements.len());
        let mut included: Vec<Vec<usize>> = Vec::with_capacity(elements.len());
        let mut visited: usize = 0;
        for element in elements {
            let mut members = Vec::new();
            let mut groups = Vec::new();
            for child in element.children() {
                if child.name() == rules.member[0] {
                    members.extend(self.member_named(child, &rules.member[1], &ids));
                } else if child.name() == rules.include[0] {
                    let Some(attribute) = child.attribute(&rules.include[1]) else {
                        self.wrong(
                            format!("an `{}` names no group", child.name()),
                            Some(format!(
                                "add `{}` with the name of a group",
                                rules.include[1]
                            )),
                            child.name_span(),
                        );
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
                    visited = visited.saturating_add(segments.len());
                    if visited > MOST_VISITED {
                        self.too_many_members(child.name_span());
                        break;
                    }
                    members.extend(self.run(child, segments, &ids));
                }
            }
            own.push(members);
            included.push(groups);
        }
        // All segments of each, without recursion: included groups first.
        let (all, last) = resolve(&own, &included);
        if let Some(element) = last.and_then(|last| elements.get(last)) {
            self.too_many_members(element.name_span());
        }
        let mut found = Groups {
            segments: IndexMap::new(),
            ids,
            count: segments.len(),
        };
        let mut sections = Vec::new();
        let mut section_names = Vec::new();
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
                section_names.push(SectionName {
                    name: name(element).unwrap_or_default().to_owned(),
                    declared: true,
                    span: element.name_span(),
                });
            }
            if let Some(name) = name(element) {
                found.segments.insert(name, all);
            }
        }
        (found, sections, section_names)
    }

    fn too_many_members(&mut self, span: Span) {
        self.wrong(
            format!("the groups have more than {MOST_MEMBERS} members together"),
            Some("let fewer groups include one another".to_owned()),
            span,
        );
    }

    fn unknown_group(&mut self, name: &str, known: &FxHashMap<&str, usize>, span: Span) {
        // Of very many errors only the first are shown, and looking for names takes time.
        let near = match self.has_many_errors() {
            false => nearest(name, known.keys().copied()),
            true => None,
        };
        self.wrong(
            format!("there is no group `{name}`"),
            Some(near.map_or_else(
                || "name a group of segments of this cell".to_owned(),
                |near| format!("did you mean `{near}`?"),
            )),
            span,
        );
    }

    /// The segments of a path or a subtree.
    fn run(
        &mut self,
        element: Element<'d>,
        segments: &[Segment],
        ids: &FxHashMap<i64, usize>,
    ) -> Vec<usize> {
        let rules = self.rules;
        let child = |name: &str| element.children().find(|child| child.name() == name);
        let mut end = |names: &[String; 2]| match child(&names[0]) {
            None => Some(None),
            Some(found) => self.member_named(found, &names[1], ids).map(Some),
        };
        let (Some(from), Some(to)) = (end(&rules.from), end(&rules.to)) else {
            return Vec::new();
        };
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
        if !(1.0..=MAX_COMPARTMENTS as f64).contains(&number) || number.fract() != 0.0 {
            let span = self.attribute_span(found, value);
            self.wrong(
                format!("a section cannot have {number} compartments"),
                Some(format!("give a whole number from 1 to {MAX_COMPARTMENTS}")),
                span,
            );
            return 1;
        }
        usize::try_from(lems_math::saturating_u64(number)).unwrap_or(usize::MAX)
    }

    /// The segments of the group that an attribute names. If there is no such group, adds an error and gives None.
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
/// includes itself, and for one that includes such a group. Also the group with which there are too many
/// members, if there are; it and those after it have none.
fn resolve(
    own: &[Vec<usize>],
    included: &[Vec<usize>],
) -> (Vec<Option<Vec<usize>>>, Option<usize>) {
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<_> = own.iter().map(|_| graph.add_node(())).collect();
    for (from, groups) in nodes.iter().zip(included) {
        for group in groups {
            graph.add_edge(*from, nodes[*group], ());
        }
    }
    // Groups come after those that they include.
    let mut all: Vec<Option<Vec<usize>>> = vec![None; own.len()];
    let mut count = 0;
    for circle in kosaraju_scc(&graph) {
        let [node] = circle[..] else { continue };
        let group = node.index();
        // A group that includes itself has no members yet.
        let inner: Option<Vec<&Vec<usize>>> = (included[group].iter())
            .map(|inner| all[*inner].as_ref())
            .collect();
        let members = inner.map(|inner| -> Vec<usize> {
            let mut seen = FxHashSet::default();
            (own[group].iter().chain(inner.into_iter().flatten()))
                .copied()
                .filter(|member| seen.insert(*member))
                .collect()
        });
        count += members.as_ref().map_or(0, Vec::len);
        if count > MOST_MEMBERS {
            let rest = all.iter_mut().filter(|members| members.is_none());
            rest.for_each(|members| *members = Some(Vec::new()));
            return (all, Some(group));
        }
        all[group] = members;
    }
    (all, None)
}
