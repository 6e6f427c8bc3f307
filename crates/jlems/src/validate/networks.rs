//! Networks that are built, but not run.

use std::collections::HashSet;

use lems_document::{Document, SourceId};
use lems_model::{ComponentId, Model};
use lems_network::{Network, NetworkError};

use super::findings::Findings;
use crate::{Diagnostic, Options, prepare};

/// Builds what a model runs; of a model without a target, everything that nothing else refers to.
/// A path that begins at one of the `unrooted` places is doubtful, but not wrong.
pub(super) fn check(
    document: &Document,
    model: &Model<'_>,
    options: &Options,
    unrooted: &HashSet<(SourceId, u32)>,
    findings: &mut Findings,
) {
    if model.target.is_some() {
        match prepare(document, model, options) {
            Err(failure) => findings.errors.extend(once_per_cell(failure.into_errors())),
            Ok(runs) => {
                let warnings = runs.iter().flat_map(|run| run.warnings.iter());
                findings.warnings.extend(warnings.map(Diagnostic::from));
            }
        }
        return;
    }
    let used: HashSet<ComponentId> = model.referenced().collect();
    for &id in &model.top_level {
        let of_user = !document.source(model.span_of(id).source).embedded;
        if !of_user || used.contains(&id) {
            continue;
        }
        if let Err(failure) = options.limits.allow_network(document, model, id) {
            findings.errors.extend(failure.into_errors());
            continue;
        }
        let random = lems_math::JavaRandom::new(options.seed.unwrap_or_default());
        match Network::build_within(model, id, random, options.limits.most_instances(), None) {
            Ok(network) => {
                let found = network.warnings.into_inner();
                findings.warnings.extend(found.iter().map(Diagnostic::from));
            }
            Err(found) => {
                // What cannot be run may still be right, such as a cell of many segments.
                let matters = |error: &&NetworkError| {
                    use NetworkError::{NothingToRun, TooManyChildren};
                    !matches!(error, NothingToRun { .. } | TooManyChildren { .. })
                };
                for error in found.iter().filter(matters).map(Diagnostic::from) {
                    let is_unrooted = error
                        .span
                        .is_some_and(|span| unrooted.contains(&(span.source, span.start)));
                    let mut error = error;
                    if is_unrooted {
                        error.help = Some("write `../` before it".to_owned());
                    }
                    findings.add(!is_unrooted, error);
                }
            }
        }
    }
}

/// Of errors with one code at one place, such as those of two populations of the same cell, the first.
fn once_per_cell(errors: Vec<Diagnostic>) -> impl Iterator<Item = Diagnostic> {
    let mut seen = HashSet::new();
    errors
        .into_iter()
        .filter(move |error| error.span.is_none() || seen.insert((error.code, error.span)))
}
