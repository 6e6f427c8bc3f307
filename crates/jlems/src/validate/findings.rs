//! What the checks have found so far.

use lems_document::Span;

use crate::{Code, Diagnostic};

/// What was found.
#[derive(Default)]
pub(super) struct Findings {
    /// What makes a file invalid.
    pub(super) errors: Vec<Diagnostic>,
    /// What is doubtful.
    pub(super) warnings: Vec<Diagnostic>,
}

impl Findings {
    /// Keeps an error, or a warning if a file is not refused for it.
    pub(super) fn add(&mut self, refused: bool, found: Diagnostic) {
        match refused {
            true => self.errors.push(found),
            false => self.warnings.push(found.as_warning()),
        }
    }

    /// Turns mistakes into errors, even those that jLEMS accepts. (`jnml -validate` accepts them in a NeuroML
    /// file.)
    pub(super) fn refuse_mistakes(&mut self) {
        let mistakes = self.warnings.extract_if(.., |one| one.code.is_mistake());
        self.errors.extend(mistakes.map(Diagnostic::into_error));
    }
}

/// A rule that a file breaks.
pub(super) fn wrong(message: String, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(Code::MISFIT, message, Some(span), help)
}
