//! Reads the shape of a cell from its elements.

use lems_document::{Attribute, Element, Span};
use lems_model::{ComponentId, Model};
use lems_morphology::{Morphology, MorphologyError, Point, Segment};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    CableRules,
    plan::{CablePlan, SectionName},
};
use crate::NetworkError;

impl CablePlan {
    /// Reads a cell component; None if it has no shape.
    ///
    /// # Errors
    /// Trees that are none, groups and segments that are not there.
    pub fn of(
        model: &Model<'_>,
        rules: &CableRules,
        cell: ComponentId,
    ) -> Option<Result<CablePlan, Vec<NetworkError>>> {
        CablePlan::displaced(model, rules, cell, [0.0; 3])
    }

    /// Reads a cell component; None if it has no shape. The coordinates of a place, in the unit of the points, are
    /// added to all points before these are rounded to single precision.
    ///
    /// # Errors
    /// Those of [`CablePlan::of`].
    pub(crate) fn displaced(
        model: &Model<'_>,
        rules: &CableRules,
        cell: ComponentId,
        displacement: [f64; 3],
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
            displacement,
            span: model.span_of(cell),
            cell: model.title(cell),
            errors: Vec::new(),
            missing: Vec::new(),
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
        segments(model, rules, cell).count()
    }

    /// The names of the segments of a cell component, in their order.
    pub fn segment_names<'d>(
        model: &Model<'d>,
        rules: &CableRules,
        cell: ComponentId,
    ) -> Vec<Option<&'d str>> {
        let name = |segment: Element<'d>| segment.attribute("name").map(|name| name.value());
        segments(model, rules, cell).map(name).collect()
    }
}

/// The elements of the segments of a cell component.
fn segments<'m, 'd>(
    model: &'m Model<'d>,
    rules: &'m CableRules,
    cell: ComponentId,
) -> impl Iterator<Item = Element<'d>> + use<'m, 'd> {
    let shapes = (model.children(cell))
        .filter(|(_, child)| model.is_a(model.component(*child).component_type, &rules.morphology));
    let children = shapes.flat_map(|(_, shape)| model.element(shape).children());
    children.filter(|child| child.name() == rules.segment)
}

/// Number of errors after which messages suggest no names, because looking for them takes time.
const MANY_ERRORS: usize = 100;

/// Reads one cell, and collects what is wrong with it.
pub(super) struct Reader<'m, 'd> {
    pub model: &'m Model<'d>,
    pub rules: &'m CableRules,
    displacement: [f64; 3],
    span: Span,
    pub cell: String,
    errors: Vec<NetworkError>,
    /// Segments that groups name, and that are not there.
    missing: Vec<(i64, Span)>,
}

impl<'d> Reader<'_, 'd> {
    pub(super) fn wrong(&mut self, problem: impl Into<String>, help: Option<String>, span: Span) {
        self.errors.push(NetworkError::BadMorphology {
            cell: self.cell.clone(),
            problem: problem.into(),
            help,
            span,
        });
    }

    /// Whether there are so many errors that new ones suggest no names.
    pub(super) fn has_many_errors(&self) -> bool {
        self.errors.len() >= MANY_ERRORS
    }

    fn plan(&mut self, cell: ComponentId, shape: ComponentId) -> Option<CablePlan> {
        let element = self.model.element(shape);
        self.span = element.name_span();
        // The segments.
        let elements: Vec<Element<'d>> = (element.children())
            .filter(|child| child.name() == self.rules.segment)
            .collect();
        let mut ids = FxHashMap::default();
        for (index, segment) in elements.iter().enumerate() {
            let Some(id) = self.integer(*segment, &self.rules.segment_id) else {
                continue;
            };
            if ids.insert(id, index).is_some() {
                self.wrong(
                    format!("there are two segments {id}"),
                    Some("give each segment an `id` of its own".to_owned()),
                    self.attribute_span(*segment, &self.rules.segment_id),
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
        let group_elements: Vec<Element<'d>> = (element.children())
            .filter(|child| child.name() == self.rules.group)
            .collect();
        let (groups, sections, declared) = self.groups(&group_elements, &segments, ids);
        if !self.errors.is_empty() {
            return None;
        }
        let morphology = match Morphology::new(segments, sections) {
            Ok(morphology) => morphology,
            Err(errors) => {
                for error in errors.into_iter().take(MANY_ERRORS) {
                    let span = self.place_of(&error, &elements, &group_elements, &declared);
                    self.wrong(error.to_string(), Some(error.help().to_owned()), span);
                }
                return None;
            }
        };
        let first = groups.ids.get(&0).copied().unwrap_or(0);
        let main = (morphology.node_at(first, 0.5))
            .and_then(|node| morphology.nodes().get(node)?.compartment)
            .unwrap_or(0);
        let sections = self.section_names(&morphology, declared, &elements);
        let mut plan = CablePlan {
            sections,
            groups: groups.in_order(),
            doubts: Vec::new(),
            lacks: Vec::new(),
            segments: groups.ids.clone(),
            covered: FxHashMap::default(),
            outside: FxHashSet::from_iter([shape]),
            densities: FxHashSet::default(),
            parts: FxHashMap::default(),
            varying: FxHashMap::default(),
            resistivity: vec![f64::NAN; morphology.compartments().len()],
            capacitance: vec![f64::NAN; morphology.compartments().len()],
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
        self.complete(element, &mut plan);
        plan.find_doubts(self.rules, &self.cell, self.span);
        plan.find_overlaps(self.model, &self.cell);
        if let Some((first, span)) = self.missing.first() {
            plan.doubts.push(NetworkError::MissingMembers {
                cell: self.cell.clone(),
                segments: self.missing.len(),
                first: *first,
                span: *span,
            });
        }
        Some(plan)
    }

    /// Finds out whether cytoplasm and membrane are known everywhere, if there are several compartments.
    fn complete(&self, shape: Element<'d>, plan: &mut CablePlan) {
        if !plan.has_several() {
            return;
        }
        let rules = self.rules;
        let wanted = [
            (
                &rules.resistivity,
                &plan.resistivity,
                "cytoplasm",
                "100 ohm_cm",
            ),
            (
                &rules.specific_capacitance,
                &plan.capacitance,
                "membrane",
                "1 uF_per_cm2",
            ),
        ];
        let mut problems = Vec::new();
        for ([element, attribute], values, what, example) in wanted {
            // A number that is not positive stands in an element, which is the place of the mistake.
            let Some(compartment) = values
                .iter()
                .position(|value| value.is_nan() || *value <= 0.0)
            else {
                continue;
            };
            let segment = plan.first_segment(compartment);
            let value = values.get(compartment).copied().unwrap_or(f64::NAN);
            let problem = match value.is_nan() {
                true => format!("the {what} of segment {segment} has no `{element}`"),
                false => format!(
                    "the {what} of segment {segment} has the `{element}` {value}, which is not positive"
                ),
            };
            let help =
                format!("give one to all segments, as in `<{element} {attribute}=\"{example}\"/>`");
            problems.push((problem, help));
        }
        let span = shape.name_span();
        let lacks = problems
            .into_iter()
            .map(|(problem, help)| NetworkError::BadMorphology {
                cell: self.cell.clone(),
                problem,
                help: Some(help),
                span,
            });
        plan.lacks = lacks.collect();
    }

    /// What an error is about: an attribute if there is one, or else a segment.
    fn place_of(
        &self,
        error: &MorphologyError,
        segments: &[Element<'d>],
        groups: &[Element<'d>],
        sections: &[SectionName],
    ) -> Span {
        use MorphologyError::*;
        let rules = self.rules;
        let segment = error.segment().and_then(|segment| segments.get(segment));
        let Some(segment) = segment else {
            let section = error.section().and_then(|section| sections.get(section));
            return section.map_or(self.span, |section| section.span);
        };
        let child = |name: &str| segment.children().find(|child| child.name() == name);
        let is_number = |attribute: &Attribute<'_>, is_meant: &dyn Fn(f64) -> bool| {
            attribute.value().trim().parse::<f64>().is_ok_and(is_meant)
        };
        let diameter = rules.coordinates.last().map_or("", String::as_str);
        // A coordinate of one of the ends, of which that is true.
        let coordinate = |name: &str, is_meant: &dyn Fn(f64) -> bool| {
            let ends = [&rules.proximal, &rules.distal].into_iter();
            let attributes = ends.filter_map(|end| child(end)?.attribute(name));
            { attributes }.find(|attribute| is_number(attribute, is_meant))
        };
        let parent = |attribute: &str| child(&rules.parent)?.attribute(attribute);
        let unit = rules.length_unit;
        let attribute = match error {
            WrongFraction { .. } | NotAtEnd { .. } => parent(&rules.parent_fraction),
            Loop { .. } => parent(&rules.parent_segment),
            NotFinite { what, .. } => coordinate(what, &|value| !(value * unit).is_finite()),
            NegativeDiameter { .. } => coordinate(diameter, &|value| value < 0.0),
            ZeroDiameter { .. } => coordinate(diameter, &|value| value == 0.0),
            OutOfRange { value: given, .. } => {
                coordinate(diameter, &|value| value * unit == *given)
            }
            NotConsecutive { section, .. }
            | InTwoSections {
                second: section, ..
            } => {
                let group = sections.get(*section).map(|section| section.span);
                group.and_then(|group| self.member(groups, group, segment))
            }
            _ => None,
        };
        attribute.map_or_else(|| segment.name_span(), |attribute| attribute.span())
    }

    /// Where the group at a place names a segment by itself.
    fn member(
        &self,
        groups: &[Element<'d>],
        group: Span,
        segment: &Element<'d>,
    ) -> Option<Attribute<'d>> {
        let [name, attribute] = &self.rules.member;
        let id = segment.attribute(&self.rules.segment_id)?.value().trim();
        let group = groups.iter().find(|found| found.name_span() == group)?;
        let members = group.children().filter(|child| child.name() == name);
        { members }
            .filter_map(|member| member.attribute(attribute))
            .find(|found| found.value().trim() == id)
    }

    /// The names of the declared sections, and those of the segments in no other section.
    fn section_names(
        &self,
        morphology: &Morphology,
        declared: Vec<SectionName>,
        segments: &[Element<'d>],
    ) -> Vec<SectionName> {
        let mut names = declared;
        for section in morphology.sections().iter().skip(names.len()) {
            let first = section.segments.first().copied();
            let element = first.and_then(|first| segments.get(first));
            let id = first.and_then(|first| morphology.segments().get(first));
            names.push(SectionName {
                name: format!(
                    "{} {}",
                    self.rules.segment,
                    id.map_or(0, |segment| segment.id)
                ),
                declared: false,
                span: element.map_or(self.span, |element| element.name_span()),
            });
        }
        names
    }

    /// The number in an attribute. If it is missing or not a number, adds an error and gives None.
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
    pub(super) fn named(
        &mut self,
        element: Element<'d>,
        attribute: &str,
        ids: &FxHashMap<i64, usize>,
    ) -> Option<usize> {
        self.segment_or(element, attribute, ids, &mut |reader, id, span| {
            reader.wrong(
                format!("there is no segment {id}"),
                Some("name a segment of this morphology".to_owned()),
                span,
            );
        })
    }

    /// The segment that an element of a group names. One that is not there is left out.
    pub(super) fn member_named(
        &mut self,
        element: Element<'d>,
        attribute: &str,
        ids: &FxHashMap<i64, usize>,
    ) -> Option<usize> {
        self.segment_or(element, attribute, ids, &mut |reader, id, span| {
            reader.missing.push((id, span));
        })
    }

    /// The segment that an element names; if it is not there, `missing` gets its id and place.
    fn segment_or(
        &mut self,
        element: Element<'d>,
        attribute: &str,
        ids: &FxHashMap<i64, usize>,
        missing: &mut dyn FnMut(&mut Self, i64, Span),
    ) -> Option<usize> {
        let id = self.integer(element, attribute)?;
        let found = ids.get(&id).copied();
        if found.is_none() {
            let span = self.attribute_span(element, attribute);
            missing(self, id, span);
        }
        found
    }

    /// Where an attribute is, or else its element.
    pub(super) fn attribute_span(&self, element: Element<'d>, attribute: &str) -> Span {
        let found = element.attribute(attribute);
        found.map_or_else(|| element.name_span(), |found| found.span())
    }

    fn segment(&mut self, element: Element<'d>, ids: &FxHashMap<i64, usize>) -> Option<Segment> {
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

    pub(super) fn number(&mut self, element: Element<'d>, attribute: &str) -> Option<f64> {
        let text = element.attribute(attribute);
        let number = text.and_then(|text| text.value().trim().parse::<f64>().ok());
        if number.is_none() {
            let span = text.map_or_else(|| element.name_span(), |text| text.span());
            self.wrong(
                format!("`{}` needs a number as its `{attribute}`", element.name()),
                Some(format!("write a number, as in `{attribute}=\"1\"`")),
                span,
            );
        }
        number
    }

    fn point(&mut self, element: Element<'d>) -> Option<Point> {
        let rules = self.rules;
        let single = |number: f64| match rules.single_precision {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "to lose precision is the purpose"
            )]
            true => f64::from(number as f32),
            false => number,
        };
        let [x, y, z, diameter] = &rules.coordinates;
        let [dx, dy, dz] = self.displacement;
        let mut length = |attribute: &str, displacement: f64| {
            let number = single(self.number(element, attribute)?);
            Some(single(number + displacement) * rules.length_unit)
        };
        Some(Point {
            x: length(x, dx)?,
            y: length(y, dy)?,
            z: length(z, dz)?,
            diameter: length(diameter, 0.0)?,
        })
    }
}
