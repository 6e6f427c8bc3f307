//! Errors and warnings for machines.

use jlems::{Diagnostic, Severity};
use lems_document::Source;
use serde::Serialize;

/// A diagnostic with its place in lines and columns, both from 1.
#[derive(Debug, Serialize)]
pub struct Message {
    severity: &'static str,
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Debug, Serialize)]
struct Place {
    file: String,
    line: usize,
    column: usize,
}

/// Largest number of messages in output for machines. More would be of no use.
const MOST: usize = 1000;

impl Message {
    /// All of them, up to a thousand, with places in `sources`.
    pub fn all(diagnostics: &[Diagnostic], sources: &[Source]) -> Vec<Message> {
        let message = |diagnostic| Message::of(diagnostic, sources);
        diagnostics.iter().take(MOST).map(message).collect()
    }

    fn of(diagnostic: &Diagnostic, sources: &[Source]) -> Message {
        let place = diagnostic.span.and_then(|span| {
            let source = sources.get(span.source.0 as usize)?;
            let (line, column) = source.line_column(span.start);
            let file = source.name.clone();
            Some(Place { file, line, column })
        });
        Message {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: diagnostic.code.label(diagnostic.severity),
            message: [
                std::slice::from_ref(&diagnostic.message),
                &diagnostic.causes,
            ]
            .concat()
            .join("\n"),
            place,
            help: diagnostic.help.clone(),
        }
    }
}
