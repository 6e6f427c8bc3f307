//! Reads the shape of a cell from its elements.

use std::collections::HashMap;

use lems_document::{Element, Span};
use lems_model::{ComponentId, Model};
use lems_morphology::{Morphology, Point, Segment};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{CableRules, plan::CablePlan};
use crate::NetworkError;

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
}

/// Reads one cell, and collects what is wrong with it.
pub(super) struct Reader<'m, 'd> {
    pub model: &'m Model<'d>,
    pub rules: &'m CableRules,
    span: Span,
    cell: String,
    errors: Vec<NetworkError>,
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
    pub(super) fn named(
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

    pub(super) fn number(&mut self, element: Element<'d>, attribute: &str) -> Option<f64> {
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
}
