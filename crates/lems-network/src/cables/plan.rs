//! From the description of a cell to its compartments, and to what lies in each of them.

use std::collections::HashMap;

use lems_document::{Attribute, Element, Span, nearest};
use lems_expression::Expression;
use lems_model::{ComponentId, Model, TypeId};
use lems_morphology::{Morphology, Point, Section, Segment, between, descendants};
use rustc_hash::{FxHashMap, FxHashSet};

use super::CableRules;
use crate::NetworkError;

/// A component that covers less of a compartment than this share of its area is not in it.
const LEAST_SHARE: f64 = 1e-9;

/// The compartments of one cell component, and what is where in them.
#[derive(Debug, Clone)]
pub struct CablePlan {
    /// The shape.
    pub morphology: Morphology,
    /// Index of each segment by its id.
    segments: HashMap<i64, usize>,
    /// Component parts that are not everywhere: the share of each compartment that they cover.
    covered: FxHashMap<ComponentId, FxHashMap<usize, f64>>,
    /// Components that are not part of any compartment.
    outside: FxHashSet<ComponentId>,
    /// Components whose effect is per area, so that a point without area has none.
    densities: FxHashSet<ComponentId>,
    /// The part of each compartment in what is counted, for components that are.
    parts: FxHashMap<ComponentId, FxHashMap<usize, f64>>,
    /// Components that vary over the cell.
    varying: FxHashMap<ComponentId, Varying>,
    /// Resistivity of the cytoplasm of each compartment, in ohm metres.
    resistivity: Vec<f64>,
    /// The compartment that stands for the cell: that in the middle of segment 0.
    pub main: usize,
}

impl CablePlan {
    /// Reads a cell component; None if it has no shape.
    ///
    /// # Errors
    /// Trees that are none, groups and segments that are not there.
    pub(crate) fn of(
        model: &Model<'_>,
        rules: &CableRules,
        cell: ComponentId,
    ) -> Option<Result<CablePlan, Vec<NetworkError>>> {
        let is_shape = |component: &ComponentId| {
            let kind = model.component(*component).component_type;
            model.is_a(kind, &rules.morphology)
        };
        let mut children = model.children(cell).map(|(_, child)| child);
        let shape = children.find(is_shape)?;
        let mut reader = Reader {
            model,
            rules,
            span: model.span_of(cell),
            cell: model.component(cell).title(),
            errors: Vec::new(),
        };
        let plan = reader.plan(cell, shape);
        Some(match plan {
            Some(plan) if reader.errors.is_empty() => Ok(plan),
            _ => Err(reader.errors),
        })
    }

    /// The number of segments of a cell component, even if they are no tree.
    pub(crate) fn counts_segments(
        model: &Model<'_>,
        rules: &CableRules,
        cell: ComponentId,
    ) -> usize {
        let shapes = (model
            .children(cell)
            .map(|(_, child)| model.component(child)))
        .filter(|child| model.is_a(child.component_type, &rules.morphology));
        let children = shapes.flat_map(|shape| shape.element.children());
        children
            .filter(|child| child.name() == rules.segment)
            .count()
    }

    /// Whether the cell is more than one compartment.
    pub(crate) fn has_several(&self) -> bool {
        self.morphology.compartments().len() > 1
    }

    /// The share of a compartment that a component covers; none if it is not there. `None` stands for
    /// a point without membrane.
    pub(crate) fn share(&self, component: ComponentId, place: CablePlace) -> Option<f64> {
        if self.outside.contains(&component) {
            return None;
        }
        let (CablePlace::Compartment(compartment)
        | CablePlace::End {
            beside: compartment,
        }) = place;
        let share = match self.covered.get(&component) {
            Some(covered) => covered.get(&compartment).copied(),
            None => Some(1.0),
        };
        let is_end = matches!(place, CablePlace::End { .. });
        share.filter(|_| !(is_end && self.densities.contains(&component)))
    }

    /// The part of what a component counts that is in a compartment.
    pub(crate) fn part(&self, component: ComponentId, place: CablePlace) -> Option<f64> {
        let CablePlace::Compartment(compartment) = place else {
            return None;
        };
        self.parts.get(&component)?.get(&compartment).copied()
    }

    /// How a component varies, if it does.
    pub(crate) fn varying(&self, component: ComponentId) -> Option<&Varying> {
        self.varying.get(&component)
    }

    /// Index of a segment by its id.
    pub fn segment(&self, id: i64) -> Option<usize> {
        self.segments.get(&id).copied()
    }

    /// The node at a fraction along a segment.
    pub fn node_at(&self, segment: usize, fraction: f64) -> Option<usize> {
        self.morphology.node_at(segment, fraction)
    }

    /// Where an instance for a node is.
    pub(crate) fn place(&self, node: usize) -> Option<CablePlace> {
        let nodes = self.morphology.nodes();
        let found = nodes.get(node)?;
        if let Some(compartment) = found.compartment {
            return Some(CablePlace::Compartment(compartment));
        }
        // The neighbour of an end: its parent, or a child if it is the root.
        let parent = found.parent.and_then(|parent| nodes.get(parent));
        let child = || nodes.iter().find(|other| other.parent == Some(node));
        let beside = parent.or_else(child)?.compartment?;
        Some(CablePlace::End { beside })
    }

    /// Conductance between a node and its parent, in siemens; 0 for a root.
    pub fn conductance(&self, node: usize) -> f64 {
        let Some(node) = self.morphology.nodes().get(node) else {
            return 0.0;
        };
        let resistance: f64 = (node.path.iter())
            .map(|(compartment, path)| {
                path * self.resistivity.get(*compartment).copied().unwrap_or(1.0)
            })
            .sum();
        match node.parent {
            Some(_) => 1.0 / resistance,
            None => 0.0,
        }
    }
}

/// A component that has another value of a parameter in each compartment.
#[derive(Debug, Clone)]
pub(crate) struct Varying {
    /// The type whose equations hold.
    pub kind: TypeId,
    /// The parameter.
    pub parameter: String,
    /// Its value in each compartment, in SI units.
    pub values: FxHashMap<usize, f64>,
}

/// What an instance of a cell stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CablePlace {
    /// A piece of membrane.
    Compartment(usize),
    /// A point without membrane, beside a compartment.
    End { beside: usize },
}

struct Reader<'m, 'd> {
    model: &'m Model<'d>,
    rules: &'m CableRules,
    span: Span,
    cell: String,
    errors: Vec<NetworkError>,
}

/// The groups of a shape, by name.
struct Groups<'d> {
    segments: HashMap<&'d str, Vec<usize>>,
    /// Names of all segments by id.
    ids: HashMap<i64, usize>,
    count: usize,
}

impl<'d> Reader<'_, 'd> {
    fn wrong(&mut self, problem: impl Into<String>, help: Option<String>, span: Span) {
        self.errors.push(NetworkError::BadMorphology {
            cell: self.cell.clone(),
            problem: problem.into(),
            help,
            span,
        });
    }

    fn plan(&mut self, cell: ComponentId, shape: ComponentId) -> Option<CablePlan> {
        let element = self.model.component(shape).element;
        self.span = element.name_span();
        // The segments.
        let elements: Vec<Element<'d>> = (element.children())
            .filter(|child| child.name() == self.rules.segment)
            .collect();
        let mut ids = HashMap::new();
        for (index, segment) in elements.iter().enumerate() {
            let Some(id) = self.integer(*segment, &self.rules.segment_id) else {
                continue;
            };
            if ids.insert(id, index).is_some() {
                self.wrong(
                    format!("there are two segments {id}"),
                    Some("give each segment an `id` of its own".to_owned()),
                    segment.name_span(),
                );
            }
        }
        let segments: Vec<Segment> = (elements.iter())
            .filter_map(|element| self.segment(*element, &ids))
            .collect();
        if segments.len() != elements.len() || !self.errors.is_empty() {
            return None;
        }
        // The groups, and those of them that are sections.
        let groups: Vec<Element<'d>> = (element.children())
            .filter(|child| child.name() == self.rules.group)
            .collect();
        let (groups, sections) = self.groups(&groups, &segments, ids);
        if !self.errors.is_empty() {
            return None;
        }
        let morphology = match Morphology::new(segments, sections) {
            Ok(morphology) => morphology,
            Err(errors) => {
                for error in errors {
                    let span = (error.segment())
                        .and_then(|segment| elements.get(segment))
                        .map_or(self.span, |element| element.name_span());
                    self.wrong(error.to_string(), None, span);
                }
                return None;
            }
        };
        let first = groups.ids.get(&0).copied().unwrap_or(0);
        let main = (morphology.node_at(first, 0.5))
            .and_then(|node| morphology.nodes().get(node)?.compartment)
            .unwrap_or(0);
        let mut plan = CablePlan {
            segments: groups.ids.clone(),
            covered: FxHashMap::default(),
            outside: FxHashSet::from_iter([shape]),
            densities: FxHashSet::default(),
            parts: FxHashMap::default(),
            varying: FxHashMap::default(),
            resistivity: vec![f64::NAN; morphology.compartments().len()],
            morphology,
            main,
        };
        let measures = self.measures(element);
        // What lies where.
        let parts: Vec<ComponentId> = (self.model.children(cell))
            .map(|(_, child)| child)
            .filter(|child| *child != shape)
            .collect();
        self.cover(&parts, &groups, &measures, &mut plan);
        if plan
            .resistivity
            .iter()
            .any(|value| value.is_nan() || *value <= 0.0)
            && plan.has_several()
        {
            self.wrong(
                "the cytoplasm of some segments has no resistivity",
                Some(format!(
                    "add a `{}` for all segments, such as `value=\"100 ohm_cm\"`",
                    self.rules.resistivity[0]
                )),
                self.span,
            );
        }
        Some(plan)
    }

    /// A number in an attribute; None, and an error, if it is missing or not a number.
    fn integer(&mut self, element: Element<'d>, attribute: &str) -> Option<i64> {
        let Some(found) = element.attribute(attribute) else {
            let name = element.name();
            self.wrong(
                format!("a `{name}` has no `{attribute}`"),
                Some(format!("add `{attribute}` with a whole number")),
                element.name_span(),
            );
            return None;
        };
        let number = found.value().trim().parse();
        if number.is_err() {
            self.wrong(
                format!("`{}` is not a whole number", found.value()),
                Some("segments are named by whole numbers".to_owned()),
                found.span(),
            );
        }
        number.ok()
    }

    /// The index of the segment that an attribute names.
    fn named(
        &mut self,
        element: Element<'d>,
        attribute: &str,
        ids: &HashMap<i64, usize>,
    ) -> Option<usize> {
        let id = self.integer(element, attribute)?;
        let found = ids.get(&id).copied();
        if found.is_none() {
            let span = (element.attribute(attribute))
                .map_or_else(|| element.name_span(), |attribute| attribute.span());
            self.wrong(
                format!("there is no segment {id}"),
                Some("name a segment of this morphology".to_owned()),
                span,
            );
        }
        found
    }

    fn segment(&mut self, element: Element<'d>, ids: &HashMap<i64, usize>) -> Option<Segment> {
        let rules = self.rules;
        let child = |name: &str| element.children().find(|child| child.name() == name);
        let id = self.integer(element, &rules.segment_id)?;
        let mut parent = None;
        let mut fraction = 1.0;
        if let Some(link) = child(&rules.parent) {
            parent = Some(self.named(link, &rules.parent_segment, ids)?);
            if link.attribute(&rules.parent_fraction).is_some() {
                fraction = self.number(link, &rules.parent_fraction)?;
            }
        }
        let proximal = match child(&rules.proximal) {
            Some(point) => Some(self.point(point)?),
            None => None,
        };
        let Some(distal) = child(&rules.distal) else {
            self.wrong(
                format!("segment {id} has no `{}`", rules.distal),
                Some(format!("add a `{}` with its far end", rules.distal)),
                element.name_span(),
            );
            return None;
        };
        Some(Segment {
            id,
            parent,
            fraction,
            proximal,
            distal: self.point(distal)?,
        })
    }

    fn number(&mut self, element: Element<'d>, attribute: &str) -> Option<f64> {
        let text = element.attribute(attribute);
        let number = text.and_then(|text| text.value().trim().parse::<f64>().ok());
        if number.is_none() {
            let span = text.map_or_else(|| element.name_span(), |text| text.span());
            self.wrong(
                format!("`{}` needs a number as its `{attribute}`", element.name()),
                None,
                span,
            );
        }
        number
    }

    fn point(&mut self, element: Element<'d>) -> Option<Point> {
        let unit = self.rules.length_unit;
        let [x, y, z, diameter] = &self.rules.coordinates;
        Some(Point {
            x: self.number(element, x)? * unit,
            y: self.number(element, y)? * unit,
            z: self.number(element, z)? * unit,
            diameter: self.number(element, diameter)? * unit,
        })
    }

    /// The segments of each group, and the sections.
    fn groups(
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

    /// Finds out which compartments each of the parts of a cell is in, and all parts inside them.
    fn cover(
        &mut self,
        parts: &[ComponentId],
        groups: &Groups<'d>,
        measures: &[Measure<'d>],
        plan: &mut CablePlan,
    ) {
        let rules = self.rules;
        let model = self.model;
        let mut unread: Vec<Vec<ComponentId>> = vec![parts.to_vec()];
        while let Some(siblings) = unread.pop() {
            for &part in &siblings {
                let children: Vec<ComponentId> =
                    model.children(part).map(|(_, child)| child).collect();
                if !children.is_empty() {
                    unread.push(children);
                }
                let kind = model.type_of_component(part);
                if (rules.density.iter()).any(|name| kind.parameters.contains_key(name.as_str())) {
                    plan.densities.insert(part);
                }
                if self.vary(part, groups, measures, plan) {
                    continue;
                }
                if let Some(segments) = self.segments_of(part, groups) {
                    let coverage = plan.morphology.coverage(&segments);
                    let covered = coverage
                        .into_iter()
                        .filter(|(_, share)| *share > LEAST_SHARE)
                        .map(|(compartment, share)| {
                            // What is all there has its value to the last bit.
                            let share = if share > 1.0 - LEAST_SHARE {
                                1.0
                            } else {
                                share
                            };
                            (compartment, share)
                        })
                        .collect();
                    plan.covered.insert(part, covered);
                }
                if (rules.counted.iter()).any(|name| kind.parameters.contains_key(name.as_str())) {
                    count(part, plan);
                }
            }
            for name in &rules.exclusive {
                self.keep_last(name, &siblings, plan);
            }
        }
    }

    /// The measures of all groups of a shape.
    fn measures(&self, shape: Element<'d>) -> Vec<Measure<'d>> {
        let [element, variable] = &self.rules.measure;
        let has = |measure: Element<'d>, [name, attribute]: &[String; 2]| {
            let mut children = measure.children();
            children.any(|child| child.name() == name && child.attribute(attribute).is_some())
        };
        let mut measures = Vec::new();
        for group in shape
            .children()
            .filter(|child| child.name() == self.rules.group)
        {
            for measure in group.children().filter(|child| child.name() == element) {
                let text = |name: &str| measure.attribute(name).map(|found| found.value());
                measures.push(Measure {
                    id: text("id").unwrap_or_default(),
                    group: group.attribute("id").map_or("", |id| id.value()),
                    variable: text(variable).unwrap_or("p"),
                    begins_at_zero: has(measure, &self.rules.begins_at_zero),
                    ends_at_one: has(measure, &self.rules.ends_at_one),
                });
            }
        }
        measures
    }

    /// Computes the values of a component that varies; says whether it does.
    fn vary(
        &mut self,
        part: ComponentId,
        groups: &Groups<'d>,
        measures: &[Measure<'d>],
        plan: &mut CablePlan,
    ) -> bool {
        let (model, rules) = (self.model, self.rules);
        let own = model.component(part).component_type;
        let rule = (rules.varying.iter())
            .find(|[from, _]| model.is_a(own, from))
            .and_then(|[_, to]| model.type_named(to));
        let Some(kind) = rule else {
            return false;
        };
        let element = model.component(part).element;
        let [name, parameter, group] = &rules.variable;
        let [formula_name, measure_name, formula_text] = &rules.formula;
        let variables: Vec<Element<'d>> = (element.children())
            .filter(|child| child.name() == name)
            .collect();
        for variable in variables {
            let formula = variable
                .children()
                .find(|child| child.name() == formula_name);
            let (Some(parameter), Some(formula)) = (variable.attribute(parameter), formula) else {
                continue;
            };
            // The group, the measure of the path in it, and the formula.
            let Some(segments) = variable
                .attribute(group)
                .and_then(|group| self.group_named(group, groups))
            else {
                continue;
            };
            let wanted = formula.attribute(measure_name);
            let measure = wanted.and_then(|wanted| {
                let mut named = measures.iter().filter(|found| found.id == wanted.value());
                let of_group = variable.attribute(group).map(|group| group.value());
                let own = named.clone().find(|found| Some(found.group) == of_group);
                own.or_else(|| named.next())
            });
            let text = formula.attribute(formula_text);
            let (Some(measure), Some(text)) = (measure, text) else {
                let span = wanted.map_or_else(|| formula.name_span(), |wanted| wanted.span());
                self.wrong("this names no measure of a group of the cell", None, span);
                continue;
            };
            let expression = match Expression::parse(text.value()) {
                Ok(expression) => expression,
                Err(error) => {
                    self.wrong(error.to_string(), None, text.span());
                    continue;
                }
            };
            let (smallest, largest) =
                (plan.morphology.distance_range(&segments)).unwrap_or((0.0, 0.0));
            let start = if measure.begins_at_zero {
                smallest
            } else {
                0.0
            };
            let unit = if measure.ends_at_one {
                largest - start
            } else {
                rules.length_unit
            };
            // The value in each compartment, as far as the group covers it.
            let mut covered = FxHashMap::default();
            let mut values = FxHashMap::default();
            for (compartment, share) in plan.morphology.coverage(&segments) {
                if share <= LEAST_SHARE {
                    continue;
                }
                let p = (plan.morphology.distance(compartment) - start) / unit;
                let lookup = &mut |name: &str| (name == measure.variable).then_some(p);
                match expression.evaluate(lookup) {
                    Ok(value) => {
                        covered.insert(compartment, 1.0);
                        values.insert(compartment, value * share.min(1.0));
                    }
                    Err(error) => {
                        self.wrong(error.to_string(), None, text.span());
                        break;
                    }
                }
            }
            plan.covered.insert(part, covered);
            plan.densities.insert(part);
            plan.varying.insert(
                part,
                Varying {
                    kind,
                    parameter: parameter.value().to_owned(),
                    values,
                },
            );
        }
        true
    }

    fn group_named(&mut self, group: Attribute<'d>, groups: &Groups<'d>) -> Option<Vec<usize>> {
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

    /// The segments that a component is about; None if it is everywhere.
    fn segments_of(&mut self, part: ComponentId, groups: &Groups<'d>) -> Option<Vec<usize>> {
        let element = self.model.component(part).element;
        if let Some(group) = element.attribute(&self.rules.covers_group) {
            return self.group_named(group, groups);
        }
        element.attribute(&self.rules.covers_segment)?;
        let attribute = self.rules.covers_segment.clone();
        let segment = self.named(element, &attribute, &groups.ids)?;
        (segment < groups.count).then(|| vec![segment])
    }

    /// Of the siblings of a type only the last holds in each compartment; it must cover most of it.
    fn keep_last(&mut self, name: &str, siblings: &[ComponentId], plan: &mut CablePlan) {
        let model = self.model;
        let rules = self.rules;
        let is_meant =
            |part: &&ComponentId| model.is_a(model.component(**part).component_type, name);
        let count = plan.morphology.compartments().len();
        let mut taken = vec![false; count];
        let meant: Vec<ComponentId> = siblings.iter().filter(is_meant).copied().collect();
        for &part in meant.iter().rev() {
            let covers = |compartment: &usize| match plan.covered.get(&part) {
                Some(covered) => covered.get(compartment).is_some_and(|share| *share >= 0.5),
                None => true,
            };
            let kept: Vec<usize> = (0..count)
                .filter(covers)
                .filter(|compartment| !std::mem::replace(&mut taken[*compartment], true))
                .collect();
            let [kind, parameter] = &rules.resistivity;
            if name == kind
                && let Some(value) = model.parameter(part, parameter)
            {
                for compartment in &kept {
                    plan.resistivity[*compartment] = value;
                }
            }
            let kept = kept.into_iter().map(|compartment| (compartment, 1.0));
            plan.covered.insert(part, kept.collect());
        }
    }
}

/// Gives each compartment its part of what a component counts, by the area that it covers there.
fn count(part: ComponentId, plan: &mut CablePlan) {
    let covered = plan.covered.get(&part);
    let areas: Vec<(usize, f64)> = (plan.morphology.compartments().iter().enumerate())
        .filter_map(|(number, compartment)| {
            let share = match covered {
                Some(covered) => *covered.get(&number)?,
                None => 1.0,
            };
            Some((number, share * compartment.area))
        })
        .collect();
    let whole: f64 = areas.iter().map(|(_, area)| area).sum();
    let parts = (areas.into_iter()).map(|(number, area)| (number, area / whole));
    plan.parts.insert(part, parts.collect());
}

/// A measure of the path from the root, which formulas use.
#[derive(Debug)]
struct Measure<'d> {
    id: &'d str,
    /// The group that it is in.
    group: &'d str,
    /// The name that formulas have for it.
    variable: &'d str,
    begins_at_zero: bool,
    ends_at_one: bool,
}

/// All members of each group: its own and those of the groups that it includes; None for a group that
/// includes itself.
fn resolve(own: &[Vec<usize>], included: &[Vec<usize>]) -> Vec<Option<Vec<usize>>> {
    let mut all: Vec<Option<Vec<usize>>> = vec![None; own.len()];
    let mut waiting: Vec<usize> = included.iter().map(Vec::len).collect();
    let mut includers: Vec<Vec<usize>> = vec![Vec::new(); own.len()];
    for (group, groups) in included.iter().enumerate() {
        for inner in groups {
            includers[*inner].push(group);
        }
    }
    let mut ready: Vec<usize> = (0..own.len())
        .filter(|group| waiting[*group] == 0)
        .collect();
    while let Some(group) = ready.pop() {
        let mut seen = FxHashSet::default();
        let mut members = Vec::new();
        let inner = included[group]
            .iter()
            .filter_map(|inner| all[*inner].as_ref());
        for member in own[group].iter().chain(inner.flatten()) {
            if seen.insert(*member) {
                members.push(*member);
            }
        }
        all[group] = Some(members);
        for includer in &includers[group] {
            waiting[*includer] -= 1;
            if waiting[*includer] == 0 {
                ready.push(*includer);
            }
        }
    }
    all
}
