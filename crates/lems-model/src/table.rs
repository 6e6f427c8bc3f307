//! What declarations are kept as: tables by name, expressions with their places.

use std::ops::Range;

use indexmap::IndexMap;
use lems_document::{Attribute, Element, Span};
use lems_expression::Expression;
use rustc_hash::FxBuildHasher;

/// What a type declares, by name, in the order of declaration.
pub type Table<'d, V> = IndexMap<&'d str, V, FxBuildHasher>;

/// A parsed expression and where it stands.
#[derive(Debug, Clone)]
pub struct Formula<'d> {
    /// The tree.
    pub expression: Expression,
    /// The attribute that holds its text.
    pub source: Attribute<'d>,
}

impl Formula<'_> {
    /// Place of a byte range of the expression.
    pub fn span(&self, range: Range<usize>) -> Span {
        self.source.sub_span(range)
    }
}

/// The value of an attribute that names an element, for messages about the element.
pub(crate) fn place_of_name(element: Element<'_>, attribute: &str) -> Span {
    (element.attribute(attribute)).map_or_else(|| element.name_span(), Attribute::span)
}
