//! NEURON's units for densities: mV, ms, mA, cm, K and mM.
//!
//! With them conductances are in S, permeabilities in cm/ms and charges per amount in C/mol, and every
//! equation of quantities holds as it is written: no factors are needed.

use lems_expression::Dimension;

/// The power of ten that the unit of a dimension is in SI units: -3 for mV.
pub(crate) fn power_of_ten(dimension: Dimension) -> i32 {
    let Dimension { m, l, t, i, n, .. } = dimension;
    // The unit of mass is what makes the unit of voltage, kg m2 s-3 A-1, a millivolt; that of the amount of
    // substance is what makes a concentration of one of them in a cubic centimetre a mol/m3.
    -11 * m - 2 * l - 3 * t - 3 * i - 6 * n
}

/// The unit of a dimension as NMODL writes units, such as `S/cm2`; 1 for pure numbers.
pub(crate) fn unit(dimension: Option<Dimension>) -> String {
    let Some(Dimension {
        m,
        l,
        t,
        i,
        k,
        n,
        j,
    }) = dimension
    else {
        return "1".to_owned();
    };
    // Exponents of volt, ampere, second, centimetre, kelvin, concentration, candela.
    let (volts, mut amperes, seconds) = (m, i + m, t + 3 * m);
    let (length, concentration) = (l - 2 * m + 3 * n, n);
    let (mut volts, mut siemens) = (volts, 0);
    while amperes > 0 && volts < 0 {
        (amperes, volts, siemens) = (amperes - 1, volts + 1, siemens + 1);
    }
    let all = [
        ("mV", volts),
        ("mA", amperes),
        ("S", siemens),
        ("mM", concentration),
        ("cm", length),
        ("K", k),
        ("cd", j),
        ("ms", seconds),
    ];
    let part = |sign: i32, between: &str| {
        let powers = all.iter().filter(move |(_, power)| power * sign > 0);
        let texts: Vec<String> = powers
            .map(|(name, power)| match power.abs() {
                1 => (*name).to_owned(),
                power => format!("{name}{power}"),
            })
            .collect();
        texts.join(between)
    };
    let (above, below) = (part(1, "-"), part(-1, "/"));
    match (above.is_empty(), below.is_empty()) {
        (true, true) => "1".to_owned(),
        (true, false) => format!("/{below}"),
        (false, true) => above,
        (false, false) => format!("{above}/{below}"),
    }
}

/// A value in SI units as one in the units of its dimension, as NMODL writes numbers: its shortest digits with
/// another exponent, without what the conversion to SI units has left in the last digit.
pub(crate) fn number(value: f64, dimension: Option<Dimension>) -> String {
    let shift = -dimension.map_or(0, power_of_ten);
    if !value.is_finite() {
        // NMODL has no name for it.
        return if value > 0.0 { "1e300" } else { "-1e300" }.to_owned();
    }
    let exact = format!("{value:e}");
    let rounded = format!("{value:.14e}");
    let digits = |text: &str| {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mantissa = match mantissa.contains('.') {
            true => mantissa.trim_end_matches('0').trim_end_matches('.'),
            false => mantissa,
        };
        (mantissa.to_owned(), exponent.parse::<i32>().unwrap_or(0))
    };
    let (exact, rounded) = (digits(&exact), digits(&rounded));
    let (mantissa, exponent) = match rounded.0.len() + 2 < exact.0.len() {
        true => rounded,
        false => exact,
    };
    decimal(&mantissa, exponent + shift)
}

/// A number as a decimal, or with an exponent if it has many zeros.
fn decimal(mantissa: &str, exponent: i32) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if digits == "0" {
        return "0".to_owned();
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let text = match exponent {
        -4..=-1 => {
            let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
            format!("0.{}{digits}", "0".repeat(zeros))
        }
        0..=6 if count <= exponent + 1 => {
            let zeros = usize::try_from(exponent + 1 - count).unwrap_or(0);
            format!("{digits}{}", "0".repeat(zeros))
        }
        0..=6 => {
            let (whole, rest) = digits.split_at(usize::try_from(exponent + 1).unwrap_or(1));
            format!("{whole}.{rest}")
        }
        _ => format!("{mantissa}e{exponent}"),
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLTAGE: Dimension = Dimension {
        m: 1,
        l: 2,
        t: -3,
        i: -1,
        ..Dimension::NONE
    };
    const CONDUCTANCE_DENSITY: Dimension = Dimension {
        m: -1,
        l: -4,
        t: 3,
        i: 2,
        ..Dimension::NONE
    };
    const CHARGE_PER_MOLE: Dimension = Dimension {
        t: 1,
        i: 1,
        n: -1,
        ..Dimension::NONE
    };
    const CONCENTRATION: Dimension = Dimension {
        l: -3,
        n: 1,
        ..Dimension::NONE
    };

    #[test]
    fn units_are_those_of_densities() {
        assert_eq!(
            (unit(Some(VOLTAGE)).as_str(), power_of_ten(VOLTAGE)),
            ("mV", -3)
        );
        assert_eq!(
            (
                unit(Some(CONDUCTANCE_DENSITY)).as_str(),
                power_of_ten(CONDUCTANCE_DENSITY)
            ),
            ("S/cm2", 4)
        );
        assert_eq!(power_of_ten(CHARGE_PER_MOLE), 0);
        assert_eq!(
            (
                unit(Some(CONCENTRATION)).as_str(),
                power_of_ten(CONCENTRATION)
            ),
            ("mM", 0)
        );
        assert_eq!(
            unit(Some(Dimension {
                t: -1,
                ..Dimension::NONE
            })),
            "/ms"
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(number(-0.065, Some(VOLTAGE)), "-65");
        assert_eq!(number(-0.018000000000000002, Some(VOLTAGE)), "-18");
        assert_eq!(number(1200.0, Some(CONDUCTANCE_DENSITY)), "0.12");
        assert_eq!(number(96485.3, Some(CHARGE_PER_MOLE)), "96485.3");
        assert_eq!(number(5e-5, Some(CONCENTRATION)), "5e-5");
        assert_eq!(number(0.0, None), "0");
        assert_eq!(number(1.0 / 3.0, None), "0.3333333333333333");
    }
}
