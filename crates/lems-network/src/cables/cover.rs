//! Which compartments the parts of a cell are in.

use lems_model::ComponentId;
use rustc_hash::FxHashMap;

use crate::NetworkError;

use super::{groups::Groups, plan::CablePlan, read::Reader, varying::Measure};

/// A component that covers less of a compartment than this share of its area is not in it.
const LEAST_SHARE: f64 = 1e-9;

/// The compartments that some segments cover, with the share of each. What is all there has its value
/// to the last bit.
pub(super) fn coverage(plan: &CablePlan, segments: &[usize]) -> FxHashMap<usize, f64> {
    let coverage = plan.morphology.coverage(segments).into_iter();
    let covered = coverage.filter(|(_, share)| *share > LEAST_SHARE);
    covered
        .map(|(compartment, share)| match share > 1.0 - LEAST_SHARE {
            true => (compartment, 1.0),
            false => (compartment, share),
        })
        .collect()
}

impl<'d> Reader<'_, 'd> {
    /// Finds out which compartments each of the parts of a cell is in, and all parts inside them.
    pub(super) fn cover(
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
                    let covered = coverage(plan, &segments);
                    if covered.is_empty() {
                        self.is_nowhere(part, plan);
                    }
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

    /// The segments that a component is about; None if it is everywhere.
    fn segments_of(&mut self, part: ComponentId, groups: &Groups<'d>) -> Option<Vec<usize>> {
        let (element, rules) = (self.model.element(part), self.rules);
        if let Some(group) = element.attribute(&rules.covers_group) {
            return self.group_named(group, groups);
        }
        element.attribute(&rules.covers_segment)?;
        let segment = self.named(element, &rules.covers_segment, &groups.ids)?;
        Some(vec![segment])
    }

    /// Warns of a component that covers no membrane.
    fn is_nowhere(&self, part: ComponentId, plan: &mut CablePlan) {
        let element = self.model.element(part);
        let names = self.rules.coverings().into_iter();
        let mut places = names.filter_map(|name| element.attribute(name));
        if let Some(place) = places.next() {
            plan.doubts.push(NetworkError::CoversNothing {
                part: self.model.title(part),
                place: format!("{} `{}`", place.name(), place.value()),
                cell: self.cell.clone(),
                span: place.span(),
            });
        }
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
            // The two that say what the cable is made of.
            let cytoplasm = (&rules.resistivity, &mut plan.resistivity);
            let membrane = (&rules.specific_capacitance, &mut plan.capacitance);
            for ([kind, parameter], values) in [cytoplasm, membrane] {
                if name == kind
                    && let Some(value) = model.parameter(part, parameter)
                {
                    for compartment in &kept {
                        values[*compartment] = value;
                    }
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
