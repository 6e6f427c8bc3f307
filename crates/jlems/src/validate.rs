//! Checks of a model that is not run.

mod cells;
mod files;
mod findings;
mod ids;
mod networks;
mod references;
mod rules;
mod structure;

use std::collections::HashSet;

use lems_document::{Document, Source, SourceReader, Span};
use lems_model::{Model, ModelError};
use lems_schema::Schema;

use crate::{Code, Diagnostic, Failure, Options, Severity, read_model};
use files::Reading;
use findings::Findings;

/// What is wrong with a file and all that it includes: errors, then warnings.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What the places of the diagnostics are in.
    pub sources: Vec<Source>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// How many of the files were checked against a schema.
    pub held: usize,
}

impl Verdict {
    /// Number of diagnostics of that severity.
    pub fn count(&self, severity: Severity) -> usize {
        let found = self.diagnostics.iter();
        found.filter(|other| other.severity == severity).count()
    }
}

/// Checks a LEMS file, or a NeuroML file without anything to run, as far as that goes without
/// running it: XML, definitions, components, references, units, equations, networks, recordings.
///
/// A NeuroML file is part of a model: what may come with the file that includes it, types and
/// components, is not wrong to be missing.
///
/// With a schema, it and all that it includes are also held against that: all but the files of
/// the language, LEMS or NeuroML, that the schema is not for. What an included file does against
/// the schema is a warning.
pub fn validate(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    schema: Option<&Schema>,
) -> Verdict {
    let mut reading = Reading::of(path, reader, options);
    let (sources, mut findings, types) = match reading.document(options) {
        Ok((document, missing)) => {
            let is_asked_for = |span: Span| reading.is_asked_for(document.source(span.source));
            let mut findings = model(&document, reading.is_neuroml, &is_asked_for, options);
            if !reading.is_neuroml {
                findings.refuse_mistakes();
            }
            let is_missing = |one: &Diagnostic| missing.iter().any(|other| other.span == one.span);
            findings.warnings.retain(|one| !is_missing(one));
            missing.into_iter().for_each(|one| findings.add(false, one));
            (document.sources().to_vec(), findings, types_of(&document))
        }
        Err(failure) => {
            let findings = Findings {
                errors: failure.diagnostics,
                ..Findings::default()
            };
            (failure.sources, findings, HashSet::new())
        }
    };
    let limits = &options.limits.document;
    // A file of another language is not held against the rules of this one.
    let is_foreign = findings
        .errors
        .iter()
        .any(|error| error.code == Code::OTHER_LANGUAGE);
    let held = schema.filter(|_| !is_foreign).map(|schema| {
        let held = structure::hold(schema, &reading, &sources, &types, limits);
        structure::add(held.found, &sources, &mut findings);
        held.number
    });
    Verdict {
        diagnostics: in_order(findings),
        sources,
        held: held.unwrap_or_default(),
    }
}

/// All errors, then all warnings, without repetitions. What is an error is not repeated as a warning.
fn in_order(findings: Findings) -> Vec<Diagnostic> {
    let wrong: HashSet<Option<Span>> = findings.errors.iter().map(|error| error.span).collect();
    let is_new = |warning: &Diagnostic| warning.span.is_none() || !wrong.contains(&warning.span);
    let warnings = findings.warnings.into_iter().filter(is_new);
    let warnings = warnings.map(Diagnostic::as_warning);
    let mut diagnostics: Vec<Diagnostic> = findings.errors.into_iter().chain(warnings).collect();
    let mut seen = HashSet::new();
    diagnostics.retain(|diagnostic| seen.insert((diagnostic.span, diagnostic.message.clone())));
    diagnostics
}

/// The names of the types that the user's files define.
fn types_of(document: &Document) -> HashSet<String> {
    let own = document.roots().filter(|root| !root.is_embedded());
    own.filter(|root| root.name() == "ComponentType")
        .filter_map(|root| Some(root.attribute("name")?.value().to_owned()))
        .collect()
}

fn model(
    document: &Document,
    is_neuroml: bool,
    is_asked_for: &dyn Fn(Span) -> bool,
    options: &Options,
) -> Findings {
    let mut findings = Findings::default();
    let warnings = document.warnings().iter().map(Diagnostic::from);
    warnings.for_each(|warning| findings.add(false, warning));
    rules::check(document, is_neuroml, is_asked_for, &mut findings);
    match read_model(document) {
        Err(failure) => {
            for error in failure.into_errors() {
                let may_come = is_neuroml && COMES_WITH_OTHERS.contains(&error.code.0);
                findings.add(!may_come, error);
            }
        }
        Ok(model) => of_model(document, &model, is_neuroml, options, &mut findings),
    }
    findings
}

/// Unknown types, components and siblings: the file that includes this one may have them.
const COMES_WITH_OTHERS: [u16; 3] = [212, 219, 228];

fn of_model(
    document: &Document,
    model: &Model<'_>,
    is_neuroml: bool,
    options: &Options,
    findings: &mut Findings,
) {
    ids::same_ids(model, findings);
    let of_user = |span: Span| !document.source(span.source).embedded;
    let unusual = ids::unusual_ids(model);
    let unusual = unusual.filter(|doubt| doubt.span.is_some_and(of_user));
    unusual.for_each(|doubt| findings.add(false, doubt));
    for warning in (model.warnings.iter()).filter(|warning| of_user(warning.span())) {
        // Readers of NeuroML may use what these types do not: only a slip is an error.
        let is_slip = matches!(
            warning,
            ModelError::UnknownAttribute {
                suggestion: Some(_),
                ..
            }
        );
        findings.add(is_slip, Diagnostic::from(warning));
    }
    let unrooted = match is_neuroml {
        true => references::unrooted(document),
        false => HashSet::new(),
    };
    networks::check(document, model, options, &unrooted, findings);
    // `jnml -validate` reads less of a shape, and what it passes must stay valid. If the file is run, the run
    // reports its cells.
    let refused = !is_neuroml && model.target.is_none();
    cells::check(document, model, refused, findings);
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Verdict {
        Verdict {
            sources: failure.sources,
            diagnostics: failure.diagnostics,
            held: 0,
        }
    }
}
