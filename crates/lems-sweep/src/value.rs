//! Values with units, as text.

/// The unit that all values of a parameter have; empty for plain numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit(pub String);

/// The number and the unit of a value such as `10 pF`.
pub fn parsed(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    // The longest beginning that is a number: `1e3 pF` has an exponent, `1eV` has a unit.
    let ends = (0..=text.len())
        .rev()
        .filter(|end| text.is_char_boundary(*end));
    let mut numbers = ends.filter_map(|end| {
        let (number, unit) = text.split_at(end);
        let is_plain = number.ends_with(|last: char| last.is_ascii_digit() || last == '.');
        is_plain.then(|| number.parse().ok().map(|number| (number, unit.trim())))?
    });
    numbers
        .next()
        .filter(|(number, _): &(f64, &str)| number.is_finite())
}

/// The number of a value such as `10 pF`.
pub fn number(text: &str) -> Option<f64> {
    parsed(text).map(|(number, _)| number)
}

/// A number with a unit, as a model has it.
pub fn printed(number: f64, unit: &str) -> String {
    match unit {
        "" => number.to_string(),
        unit => format!("{number} {unit}"),
    }
}

/// The unit that all values have, if they are numbers of one unit.
pub fn common_unit<'v>(values: impl IntoIterator<Item = &'v str>) -> Option<Unit> {
    let mut units = values.into_iter().map(|value| Some(parsed(value)?.1));
    let first = units.next()??;
    units
        .all(|unit| unit == Some(first))
        .then(|| Unit(first.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units() {
        for (text, expected) in [
            ("10 pF", Some((10.0, "pF"))),
            ("-1.5e-3mV", Some((-1.5e-3, "mV"))),
            ("1eV", Some((1.0, "eV"))),
            ("1e3", Some((1000.0, ""))),
            (" .5 ", Some((0.5, ""))),
            ("2µm", Some((2.0, "µm"))),
            ("cell", None),
            ("inf", None),
            ("nan", None),
            ("", None),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn only_numbers_of_one_unit_have_one() {
        assert_eq!(common_unit(["1 pF", "2pF"]), Some(Unit("pF".to_owned())));
        assert_eq!(common_unit(["1 pF", "2 nF"]), None);
        assert_eq!(common_unit(["1", "a"]), None);
        assert_eq!(common_unit([]), None);
    }
}
