//! Trees of segments and what is where on them.

use std::collections::HashSet;

use lems_document::{Document, Span};
use lems_model::Model;
use lems_network::CablePlan;

use super::findings::Findings;
use crate::{Diagnostic, cable_rules};

/// Reads the shapes of all cells as a run would. What is wrong with one is refused by `refused`, and
/// left out if another check has told of its place.
pub(super) fn check(
    document: &Document,
    model: &Model<'_>,
    refused: bool,
    findings: &mut Findings,
) {
    let known = findings.errors.iter().chain(&findings.warnings);
    let known: HashSet<Span> = known.filter_map(|found| found.span).collect();
    let rules = cable_rules();
    for cell in rules.cells(model) {
        if document.source(model.span_of(cell).source).embedded {
            continue;
        }
        let (wrong, found) = match CablePlan::of(model, &rules, cell) {
            None => continue,
            // A shape alone may get its membrane from another file.
            Some(Ok(plan)) if plan.is_bare() => (false, plan.doubts),
            Some(Ok(plan)) if plan.lacks.is_empty() => (false, plan.doubts),
            Some(Ok(plan)) => (true, plan.lacks),
            Some(Err(errors)) => (true, errors),
        };
        for one in found.iter().filter(|one| !known.contains(&one.span())) {
            findings.add(wrong && refused, Diagnostic::from(one));
        }
    }
}
