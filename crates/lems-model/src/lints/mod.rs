//! Lints: what is legal in a model, but probably a mistake. Each lint has a file.

mod unused;

use lems_document::Document;

use crate::{Model, ModelError};

/// Looks at a model that was read without errors, and gives warnings.
type Lint = fn(&Document, &Model<'_>) -> Vec<ModelError>;

/// All lints, in the order of their warnings.
const LINTS: [Lint; 1] = [unused::never_attached];

/// What the lints say about a model.
pub(crate) fn warnings(document: &Document, model: &Model<'_>) -> Vec<ModelError> {
    let lints = LINTS.iter();
    lints.flat_map(|lint| lint(document, model)).collect()
}
