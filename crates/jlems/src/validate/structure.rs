//! What a schema says of the files, beside what the model says.

use std::collections::HashSet;

use lems_document::{Limits, Source, SourceId, Span};
use lems_schema::{Schema, SchemaError};

use super::files::Reading;
use super::findings::Findings;
use crate::schemas;
use crate::{Code, Diagnostic};

/// What was held against a schema.
pub(super) struct Held {
    /// How many files.
    pub(super) number: usize,
    /// What is wrong.
    pub(super) found: Vec<Violation>,
}

/// What is wrong with a file by its schema.
pub(super) struct Violation {
    diagnostic: Diagnostic,
    /// Whether it is in the file that was asked for.
    is_asked_for: bool,
    /// The element in which others are expected, and those.
    expected: (String, Vec<String>),
}

/// Holds all files that the schema is for.
pub(super) fn hold(
    schema: &Schema,
    reading: &Reading<'_>,
    sources: &[Source],
    types: &HashSet<String>,
    limits: &Limits,
) -> Held {
    let mut held = Held {
        number: 0,
        found: Vec::new(),
    };
    for (id, source) in (0..).map(SourceId).zip(sources) {
        if !reading.is_own(source) {
            continue;
        }
        let Some(violations) = schemas::violations(schema, id, source, limits) else {
            continue;
        };
        held.number += 1;
        let is_asked_for = reading.is_asked_for(source);
        held.found
            .extend(violations.iter().map(|violation| Violation {
                diagnostic: tell(violation, types),
                is_asked_for,
                expected: expected(violation),
            }));
    }
    held
}

/// A violation as a message. If no schema could express the rule, the message says so.
fn tell(violation: &SchemaError, types: &HashSet<String>) -> Diagnostic {
    match violation {
        SchemaError::UnexpectedElement { name, span, .. } if types.contains(name) => {
            let message = format!("`{name}` is a type of the model, which the schema cannot know");
            let help =
                "it can be run all the same; a file of its own keeps those valid that include it";
            Diagnostic::new(
                Code::NOT_IN_SCHEMA,
                message,
                Some(*span),
                Some(help.to_owned()),
            )
        }
        _ => Diagnostic::from(violation),
    }
}

/// What could be in the place of what is wrong.
fn expected(violation: &SchemaError) -> (String, Vec<String>) {
    match violation {
        SchemaError::UnexpectedElement {
            parent, expected, ..
        }
        | SchemaError::MissingElement {
            parent, expected, ..
        } => (parent.clone(), expected.clone()),
        _ => Default::default(),
    }
}

/// Adds violations that reading the model did not report: as errors about the file itself, as warnings about an
/// included one.
pub(super) fn add(found: Vec<Violation>, sources: &[Source], findings: &mut Findings) {
    let told: Vec<(Span, Vec<String>)> = (findings.errors.iter())
        .filter_map(|error| Some((error.span?, names(&error.message))))
        .collect();
    for violation in found {
        let is_told = violation.diagnostic.span.is_some_and(|span| {
            let own = names(&violation.diagnostic.message);
            let (parent, expected) = &violation.expected;
            told.iter().any(|(other, names)| {
                let is_same = own.last() == names.last() && !own.is_empty();
                // A missing element was reported at the place where it should be.
                let is_missing = names.last().is_some_and(|last| expected.contains(last))
                    && names.first() == Some(parent);
                span == *other
                    || is_same && tag(sources, span) == tag(sources, *other)
                    || is_missing && span.source == other.source && other.start <= span.start
            })
        });
        if !is_told {
            findings.add(violation.is_asked_for, violation.diagnostic);
        }
    }
}

/// Where the tag begins that a place is in.
fn tag(sources: &[Source], span: Span) -> Option<(SourceId, usize)> {
    let source = sources.get(span.source.0 as usize)?;
    let before = source.text.get(..=span.start as usize)?;
    Some((span.source, before.rfind('<')?))
}

/// What a message names, such as an element and its attribute.
fn names(message: &str) -> Vec<String> {
    let parts = message.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}
