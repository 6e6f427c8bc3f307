//! Values as a program has them that holds numbers in single precision.

use lems_expression::Dimension;

use crate::{Model, types::ParameterKind};

impl<'d> Model<'d> {
    /// The model with the values of all parameters as a program reads them that a converter has written: in
    /// units of that program, as the decimals that single precision has. `units` are the names of
    /// dimensions with what an SI value is multiplied by; other dimensions have SI units. `replaced` are
    /// values that the program has instead: type, parameter, and value in SI units.
    #[must_use]
    pub fn in_single_precision(
        &self,
        units: &[(String, f64)],
        replaced: &[(String, String, f64)],
    ) -> Model<'d> {
        let mut model = self.clone();
        let factor = |dimension: Option<Dimension>| {
            let is_it = |(name, _): &&(String, f64)| {
                let known = self.dimensions.get(name.as_str());
                known.is_some() && known.copied() == dimension
            };
            units.iter().find(is_it).map_or(1.0, |(_, factor)| *factor)
        };
        for component in &mut model.components {
            let kind = self.type_of(component.component_type);
            let parameters = kind.parameters.values();
            for (value, parameter) in component.parameters.iter_mut().zip(parameters) {
                *value = rounded(*value, factor(parameter.dimension));
            }
        }
        for kind in model.types.values_mut() {
            for parameter in kind.parameters.values_mut() {
                let factor = factor(parameter.dimension);
                if let ParameterKind::Default(quantity) = &mut parameter.kind {
                    quantity.value = rounded(quantity.value, factor);
                }
            }
        }
        for (kind, name, value) in replaced {
            for component in &mut model.components {
                let own = component.component_type;
                if self.is_a(own, kind)
                    && let Some(number) = self.type_of(own).parameters.get_index_of(name.as_str())
                    && let Some(slot) = component.parameters.get_mut(number)
                {
                    *slot = *value;
                }
            }
        }
        model
    }
}

/// An SI value after it was multiplied by a factor and written as a decimal, in single precision; and
/// then read again.
fn rounded(value: f64, factor: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "to lose precision is the purpose"
    )]
    let (single, factor_of_single) = (value as f32, factor as f32);
    let decimal = (single * factor_of_single).to_string();
    match decimal.parse::<f64>() {
        Ok(number) if number.is_finite() => number / factor,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn a_number_with_few_digits_is_itself_if_its_unit_has_them_too() {
        assert_eq!(rounded(-0.065, 1e3), -0.065);
        assert_eq!(rounded(70.0, 1e-3), 70.0);
        // 3 times the single nearest to 1e-4.
        assert_eq!(rounded(3.0, 1e-4), 2.9999999);
        assert_eq!(rounded(0.123456789, 1.0), 0.12345679);
        assert_eq!(rounded(f64::INFINITY, 1e3), f64::INFINITY);
    }
}
