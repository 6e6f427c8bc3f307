//! Values as a program has them that was written by a converter.

use std::sync::Arc;

use lems_expression::Dimension;

use crate::{ComponentId, Model, types::ParameterKind};

/// How a converter writes the values of parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Digits {
    /// Names of dimensions, with what an SI value is multiplied by; other dimensions have SI units.
    pub units: Vec<(String, f64)>,
    /// Types whose components, with all in them, have the digits of single precision. Others have six.
    pub single: Vec<String>,
    /// Values that the program has instead: type, parameter, and value in SI units.
    pub replaced: Vec<(String, String, f64)>,
}

/// The significant digits of a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    /// As many as a number of single precision needs.
    Single,
    /// Six.
    Six,
}

impl<'d> Model<'d> {
    /// The model with all parameters as the program for which a converter writes them would read them: rounded
    /// to decimals, in the units of that program.
    #[must_use]
    pub fn with_digits(&self, digits: &Digits) -> Model<'d> {
        let mut model = self.clone();
        let factor = |dimension: Option<Dimension>| {
            let is_it = |(name, _): &&(String, f64)| {
                let known = self.dimensions.get(name.as_str());
                known.is_some() && known.copied() == dimension
            };
            let unit = digits.units.iter().find(is_it);
            unit.map_or(1.0, |(_, factor)| *factor)
        };
        for (first, component) in model.components.records_mut() {
            let precision = self.precision(first, digits);
            let own_type = component.component_type;
            let of_row = |number: usize| {
                let parameters = &self.type_of(own_type).parameters;
                parameters.get_index(number % parameters.len())
            };
            for (number, value) in component.parameters.iter_mut().enumerate() {
                let Some((name, parameter)) = of_row(number) else {
                    continue;
                };
                let replaced = digits.replaced.iter().find(|(wanted, parameter, _)| {
                    parameter == name && self.is_a(own_type, wanted)
                });
                *value = match replaced {
                    Some((_, _, value)) => *value,
                    None => rounded(*value, factor(parameter.dimension), precision),
                };
            }
        }
        for kind in Arc::make_mut(&mut model.types).values_mut() {
            for parameter in kind.parameters.values_mut() {
                let factor = factor(parameter.dimension);
                if let ParameterKind::Default(quantity) = &mut parameter.kind {
                    quantity.value = rounded(quantity.value, factor, Precision::Single);
                }
            }
        }
        model
    }

    /// The precision of the values of a component.
    fn precision(&self, id: ComponentId, digits: &Digits) -> Precision {
        let mut current = Some(id);
        while let Some(id) = current {
            let component = self.component(id);
            let is_single = |name: &String| self.is_a(component.component_type, name);
            if digits.single.iter().any(is_single) {
                return Precision::Single;
            }
            current = component.parent;
        }
        Precision::Six
    }
}

/// An SI value after it was multiplied by a factor that has single precision, was written as a decimal of
/// single precision, perhaps with six digits, and was read again.
fn rounded(value: f64, factor: f64, precision: Precision) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "to lose precision is the purpose"
    )]
    let single = |number: f64| number as f32;
    let decimal = single(value * f64::from(single(factor))).to_string();
    let read = |decimal: String| decimal.parse::<f64>().ok();
    let number = match precision {
        Precision::Single => read(decimal),
        Precision::Six => read(decimal).and_then(|number| read(format!("{number:.5e}"))),
    };
    match number {
        Some(number) if number.is_finite() => number / factor,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::{Precision, rounded};

    #[test]
    fn a_number_with_few_digits_is_itself_if_its_unit_has_them_too() {
        let single = |value, factor| rounded(value, factor, Precision::Single);
        assert_eq!(single(-0.065, 1e3), -0.065);
        assert_eq!(single(70.0, 1e-3), 70.0);
        // 3 times the single nearest to 1e-4.
        assert_eq!(single(3.0, 1e-4), 2.9999999);
        assert_eq!(single(9.000000000000001e-10, 1e9), 9e-10);
        assert_eq!(single(0.123456789, 1.0), 0.12345679);
        assert_eq!(single(f64::INFINITY, 1e3), f64::INFINITY);
        let six = |value, factor| rounded(value, factor, Precision::Six);
        assert_eq!(six(1.5381716487226926, 1.0), 1.53817);
        assert!((six(3.0, 1e-4) - 3.0).abs() < 1e-15);
    }
}
