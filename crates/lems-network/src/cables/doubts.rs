//! What is legal in a cell with dendrites, and probably a mistake.

use std::collections::BTreeSet;

use lems_document::Span;
use lems_model::{ComponentId, Model};
use rustc_hash::FxHashMap;

use super::{CablePlan, CableRules};
use crate::NetworkError;

/// A warning advises more compartments for a section if it should have more than this many times as many.
const FEW: f64 = 5.0;

/// How much more than the whole of a compartment densities of one channel may cover by rounding.
const ROUNDING: f64 = 1e-6;

impl CablePlan {
    /// Warns of densities of one channel that cover the same membrane: once, however many there are.
    pub(super) fn find_overlaps(&mut self, model: &Model<'_>, cell: &str) {
        let mut densities: Vec<ComponentId> = self.densities.iter().copied().collect();
        densities.sort_unstable();
        // How much of a compartment the densities of a channel cover, and the last of them.
        let mut covered: FxHashMap<(ComponentId, usize), (f64, ComponentId)> = FxHashMap::default();
        let mut compartments = BTreeSet::new();
        let mut first = None;
        for density in densities {
            let Some((_, channel)) = model.references(density).first() else {
                continue;
            };
            for compartment in 0..self.morphology.compartments().len() {
                let share = self.share_in(density, compartment);
                if share == 0.0 {
                    continue;
                }
                let known = covered.entry((*channel, compartment));
                let (sum, before) = known.or_insert((0.0, density));
                *sum += share;
                if *sum > 1.0 + ROUNDING {
                    compartments.insert(compartment);
                    first.get_or_insert((*channel, *before, density));
                }
                *before = density;
            }
        }
        if let Some((channel, one, other)) = first {
            self.doubts.push(NetworkError::Overlap {
                cell: cell.to_owned(),
                channel: model.title(channel),
                densities: [model.title(one), model.title(other)],
                compartments: compartments.len(),
                span: model.span_of(other),
            });
        }
    }

    /// Warns of segments in no section, if there are sections, and of compartments that are too long:
    /// once each, however many there are.
    pub(super) fn find_doubts(&mut self, rules: &CableRules, cell: &str, span: Span) {
        let declared = self.sections.iter().filter(|section| section.declared);
        let mut others = self.sections.iter().filter(|section| !section.declared);
        if declared.count() > 0
            && let Some(first) = others.next()
        {
            self.doubts.push(NetworkError::OutsideSections {
                cell: cell.to_owned(),
                segments: 1 + others.count(),
                first: first.name.clone(),
                span: first.span,
            });
        }
        let advised = self.advised_divisions();
        let of_sections = self
            .morphology
            .sections()
            .iter()
            .zip(advised)
            .zip(&self.sections);
        let mut long = Vec::new();
        for ((section, advised), name) in of_sections {
            let Some(advised) = advised else { continue };
            let ratio = advised as f64 / section.divisions as f64;
            if ratio > FEW {
                long.push((ratio, advised, name));
            }
        }
        let sections = long.len();
        let worst = long
            .into_iter()
            .max_by(|left, right| left.0.total_cmp(&right.0));
        if let Some((ratio, advised, name)) = worst {
            let [element, key, wanted, value] = &rules.divisions;
            self.doubts.push(NetworkError::LongCompartments {
                cell: cell.to_owned(),
                section: name.name.clone(),
                sections,
                lengths: (ratio * 0.1 * 10.0).round() / 10.0,
                divisions: format!("<{element} {key}=\"{wanted}\" {value}=\"{advised}\"/>"),
                declared: name.declared,
                span: if name.declared { name.span } else { span },
            });
        }
    }
}
