//! Trees of segments and what is where on them.

use std::collections::HashSet;

use lems_document::{Document, Span};
use lems_model::Model;
use lems_network::{CablePlan, NetworkError};

use super::findings::Findings;
use crate::{Diagnostic, cable_rules};

/// Reads the shapes of all cells as a run would. With `refused`, what is wrong is an error. It is left out if
/// another check has reported the same place.
pub(super) fn check(
    document: &Document,
    model: &Model<'_>,
    refused: bool,
    findings: &mut Findings,
) {
    let known = || findings.errors.iter().chain(&findings.warnings);
    let places: HashSet<Span> = known().filter_map(|found| found.span).collect();
    let lacking: HashSet<String> = known().filter_map(|found| lacked(&found.message)).collect();
    let rules = cable_rules();
    for cell in rules.cells(model) {
        if document.source(model.span_of(cell).source).embedded {
            continue;
        }
        let (wrong, found) = match CablePlan::of(model, rules, cell) {
            None => continue,
            // A shape alone may get its membrane from another file.
            Some(Ok(plan)) if plan.is_bare() => (false, plan.doubts),
            Some(Ok(plan)) if plan.lacks.is_empty() => (false, plan.doubts),
            Some(Ok(plan)) => (true, plan.lacks),
            Some(Err(errors)) => (true, errors),
        };
        let is_told = |one: &&NetworkError| {
            let lacked = lacked(&one.to_string());
            places.contains(&one.span()) || lacked.is_some_and(|what| lacking.contains(&what))
        };
        for one in found.iter().filter(|one| !is_told(one)) {
            findings.add(wrong && refused, Diagnostic::from(one));
        }
    }
}

/// What something has not, according to a message that ends with it.
fn lacked(message: &str) -> Option<String> {
    let (_, what) = message.rsplit_once("has no ")?;
    Some(what.to_owned())
}
