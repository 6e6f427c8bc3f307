//! Dimensions, units, and quantities such as `10 mV`.

use lems_document::{Attribute, nearest};
use lems_expression::{Dimension, parse_number};

use crate::{ModelError, Table, types::Quantity};

/// Dimensions by name.
pub type Dimensions<'d> = Table<'d, Dimension>;

/// A `Unit` element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// Exponents of the SI base units.
    pub dimension: Dimension,
    /// Power of ten.
    pub power: i32,
    /// Factor.
    pub scale: f64,
    /// Added before scaling.
    pub offset: f64,
}

/// Units by symbol.
pub type Units<'d> = Table<'d, Unit>;

impl Unit {
    /// The unit of pure numbers, which every document has under the name `none`.
    pub(crate) const ONE: Unit = Unit {
        dimension: Dimension::NONE,
        power: 0,
        scale: 1.0,
        offset: 0.0,
    };

    /// The SI value of `number` of this unit, rounded as jLEMS rounds it.
    pub fn to_si(&self, number: f64) -> f64 {
        ((number + self.offset) * self.scale) * power_of_ten(self.power)
    }
}

/// The double nearest to ten to the `power`.
fn power_of_ten(power: i32) -> f64 {
    const NEGATIVE: [f64; 25] = [
        1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13,
        1e-14, 1e-15, 1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22, 1e-23, 1e-24,
    ];
    let known = usize::try_from(power.saturating_neg()).ok();
    let known = known.and_then(|place| NEGATIVE.get(place));
    known.map_or_else(
        || format!("1e{power}").parse().unwrap_or(f64::NAN),
        |value| *value,
    )
}

/// Reads `10 mV`, `1e-3V` or a bare number. A suffix that is a unit is one, even where Java would
/// read it as a number's type (`1F` is one farad).
pub(crate) fn parse_quantity(
    attribute: Attribute<'_>,
    units: &Units<'_>,
) -> Result<Quantity, ModelError> {
    let text = attribute
        .value()
        .trim_matches(|letter: char| letter.is_whitespace() || letter <= ' ');
    let split = split_quantity(text);
    if let Some((number, symbol)) = split
        && let (Some(number), Some(unit)) = (parse_number(number), units.get(symbol))
    {
        return Ok(Quantity {
            value: unit.to_si(number),
            dimension: unit.dimension,
        });
    }
    if let Some(value) = parse_number(text) {
        return Ok(Quantity {
            value: Unit::ONE.to_si(value),
            dimension: Dimension::NONE,
        });
    }
    match split {
        Some((number, symbol)) if parse_number(number).is_some() => Err(ModelError::UnknownUnit {
            symbol: symbol.to_owned(),
            suggestion: near_unit(symbol, units),
            span: attribute.part_span(symbol),
        }),
        _ => Err(ModelError::BadQuantity {
            text: attribute.value().to_owned(),
            span: attribute.span(),
        }),
    }
}

/// A warning for a number that became infinite and was not written so.
pub(crate) fn too_large(attribute: Attribute<'_>, quantity: Quantity) -> Option<ModelError> {
    let text = attribute.value().trim();
    let is_meant = text.trim_start_matches(['+', '-']).starts_with(['I', 'i']);
    (quantity.value.is_infinite() && !is_meant).then(|| ModelError::HugeQuantity {
        text: text.to_owned(),
        span: attribute.span(),
    })
}

/// The unit that may be meant; `u` stands for the Greek letter in NeuroML.
fn near_unit(symbol: &str, units: &Units<'_>) -> Option<String> {
    let latin = symbol.replace(['\u{b5}', '\u{3bc}'], "u");
    let wanted: Vec<char> = bare(&latin).collect();
    let is_wanted = |unit: &&&str| bare(unit).eq(wanted.iter().copied());
    let written_otherwise = units.keys().find(is_wanted);
    (written_otherwise.copied())
        .or_else(|| nearest(&latin, units.keys().copied()))
        .map(str::to_owned)
}

/// `mS_per_cm2`, `mS_cm2` and `mS/cm2` alike.
fn bare(symbol: &str) -> impl Iterator<Item = char> {
    let letters = symbol.split("per").flat_map(str::chars);
    letters.filter(|c| c.is_alphanumeric())
}

/// Number and unit: at the first blank, else where the longest number ends.
fn split_quantity(text: &str) -> Option<(&str, &str)> {
    let end = match text.find(' ') {
        Some(blank) => blank,
        None => number_length(text),
    };
    let (number, symbol) = (text.get(..end)?, text.get(end..)?.trim());
    (!number.is_empty() && !symbol.is_empty()).then_some((number, symbol))
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-');
    let mut exponent_seen = false;
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        let exponent = matches!(byte, b'e' | b'E')
            && !exponent_seen
            && bytes.get(end + 1).is_some_and(is_digit);
        if !is_digit(byte) && !exponent {
            break;
        }
        exponent_seen |= exponent;
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use lems_document::{Document, IncludeOptions, MemorySources};

    use super::*;

    #[test]
    fn splits_where_the_number_ends() {
        for (text, expected) in [
            ("10mV", Some(("10", "mV"))),
            ("10  mV", Some(("10", "mV"))),
            ("1e3mV", Some(("1e3", "mV"))),
            ("1E+3 mV", Some(("1E+3", "mV"))),
            ("2e", Some(("2", "e"))),
            ("5E3E3", Some(("5E3", "E3"))),
            (".5mV", Some((".5", "mV"))),
            ("1.5e-3 V", Some(("1.5e-3", "V"))),
            ("-2.5e+3V", Some(("-2.5e+3", "V"))),
            ("1eV", Some(("1", "eV"))),
            ("7", None),
            ("7 ", None),
            ("mV", None),
            (" mV", None),
            ("", None),
        ] {
            assert_eq!(split_quantity(text), expected, "{text}");
        }
    }

    #[test]
    fn a_unit_written_otherwise_is_near() {
        let units = Units::from_iter(["mS_per_cm2", "uS", "per_ms"].map(|unit| (unit, Unit::ONE)));
        for (symbol, near) in [
            ("mS_cm2", Some("mS_per_cm2")),
            ("mS/cm2", Some("mS_per_cm2")),
            ("/ms", Some("per_ms")),
            ("\u{b5}S", Some("uS")),
            ("furlong", None),
        ] {
            assert_eq!(near_unit(symbol, &units).as_deref(), near, "{symbol}");
        }
    }

    #[test]
    fn si_values_round_left_to_right() {
        let millivolt = Unit {
            dimension: Dimension::NONE,
            power: -3,
            scale: 1.0,
            offset: 0.0,
        };
        assert_eq!(millivolt.to_si(-60.0), -60.0 * 0.001);
        let celsius = Unit {
            power: 0,
            offset: 273.15,
            ..millivolt
        };
        assert_eq!(celsius.to_si(20.0), 293.15);
        let minute = Unit {
            scale: 60.0,
            offset: 1.0,
            ..millivolt
        };
        assert_eq!(minute.to_si(2.0), (3.0 * 60.0) * 0.001);
    }

    /// Reads the value of an attribute, with a few units only.
    fn quantity(text: &str) -> Result<(f64, i32), String> {
        let file = format!("<Lems><x q=\"{text}\"/></Lems>");
        let sources = MemorySources::from([("model.xml", file.as_str())]);
        let options = IncludeOptions::default();
        let document = Document::load("model.xml", &sources, &options).unwrap();
        let unit = |power| Unit {
            dimension: Dimension {
                i: 1,
                ..Dimension::NONE
            },
            power,
            ..Unit::ONE
        };
        let units = [("uA", -6), ("F", 0), ("A", 0), ("MA", 6)];
        let units = units.map(|(symbol, power)| (symbol, unit(power)));
        let units = Units::from_iter(units);
        let root = document.roots().next().unwrap();
        let attribute = root.attributes().next().unwrap();
        match parse_quantity(attribute, &units) {
            Ok(quantity) => Ok((quantity.value, quantity.dimension.i)),
            Err(ModelError::UnknownUnit {
                symbol, suggestion, ..
            }) => Err(format!("{symbol}: {}", suggestion.unwrap_or_default())),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn quantities_have_the_dimension_of_their_unit() {
        for (text, value) in [
            ("2 A", (2.0, 1)),
            (" 3uA ", (3.0 * 1e-6, 1)),
            ("1F", (1.0, 1)),
            ("-4e1", (-40.0, 0)),
            ("5d", (5.0, 0)),
            ("Infinity A", (f64::INFINITY, 1)),
            ("Infinity", (f64::INFINITY, 0)),
        ] {
            assert_eq!(quantity(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn wrong_quantities_are_told_apart() {
        for (text, error) in [
            ("3 \u{b5}A", "\u{b5}A: uA"),
            ("3 \u{3bc}A", "\u{3bc}A: uA"),
            ("3 furlong", "furlong: "),
            ("A", "`A` is not a quantity"),
            ("x A", "`x A` is not a quantity"),
            ("InfinityA", "`InfinityA` is not a quantity"),
        ] {
            let found = quantity(text).unwrap_err();
            assert!(found.contains(error), "{text}: {found}");
        }
    }
}
