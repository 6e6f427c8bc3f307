//! Texts and units as descriptions show them.

use lems_document::{Attribute, Element};
use lems_expression::Dimension;
use lems_model::Model;

/// The first sentence of a text: up to a full stop before a capital.
pub fn first_sentence(text: &str) -> &str {
    let ends = text.match_indices(". ").map(|(at, _)| at + 1);
    let mut ends = ends.filter(|&end| {
        let next = text.get(end + 1..).and_then(|rest| rest.chars().next());
        next.is_some_and(char::is_uppercase)
    });
    ends.next().and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The SI unit of a dimension: the symbol of the model's own, else base units; None for numbers.
pub fn si_unit(model: &Model<'_>, dimension: Dimension) -> Option<String> {
    let base_units = || (!dimension.is_none()).then(|| dimension.to_string());
    unit_of(model, dimension, 1.0).or_else(base_units)
}

/// Symbol of the model's unit of a dimension that is `scale` in SI units; None for numbers.
pub(crate) fn unit_of(model: &Model<'_>, dimension: Dimension, scale: f64) -> Option<String> {
    let mut units = model.units.iter().filter(|(_, unit)| {
        let is_of_it = unit.dimension == dimension && !dimension.is_none();
        is_of_it && unit.to_si(1.0) == scale && unit.offset == 0.0
    });
    units.next().map(|(symbol, _)| (*symbol).to_owned())
}

pub(super) fn word<'d>(element: Element<'d>, name: &str) -> Option<&'d str> {
    element.attribute(name).map(Attribute::value)
}

/// The `description` of an element as one line.
pub(super) fn description(element: Element<'_>) -> String {
    one_line(word(element, "description").unwrap_or_default())
}

/// A text with its line breaks and runs of blanks as single blanks.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
