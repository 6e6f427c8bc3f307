//! Numbers as messages show them.

/// A number without the last digits, which conversion to SI units and the sum of many steps blur.
pub fn rounded(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}
