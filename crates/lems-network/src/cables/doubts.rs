//! What is legal in a cell with dendrites, and probably a mistake.

use lems_document::Span;

use super::{CablePlan, CableRules};
use crate::NetworkError;

/// A warning advises more compartments for a section if it should have more than this many times as many.
const FEW: f64 = 5.0;

impl CablePlan {
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
