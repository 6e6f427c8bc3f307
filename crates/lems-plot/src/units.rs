//! Writes units in the usual notation.

/// SI units that can have a prefix, as models spell them.
const PREFIXED: [&str; 13] = [
    "V", "A", "s", "S", "F", "ohm", "Hz", "m", "C", "J", "W", "N", "Pa",
];
const PREFIXES: [(&str, f64); 9] = [
    ("G", 1e9),
    ("M", 1e6),
    ("k", 1e3),
    ("", 1.0),
    ("m", 1e-3),
    ("µ", 1e-6),
    ("n", 1e-9),
    ("p", 1e-12),
    ("f", 1e-15),
];

/// The unit in which a value has few digits, and the number by which values are divided for it.
pub fn fitting_unit(unit: &str, largest: f64) -> (String, f64) {
    if !PREFIXED.contains(&unit) {
        return (written(unit), 1.0);
    }
    // A time that is the sum of many steps is not exactly the round number that is meant.
    let fits = |(_, size): &&(&str, f64)| largest * (1.0 + 1e-6) >= *size;
    let prefix = match PREFIXES.iter().find(fits) {
        Some(prefix) if largest.is_finite() => *prefix,
        _ if largest > 0.0 && largest.is_finite() => ("f", 1e-15),
        _ => ("", 1.0),
    };
    (format!("{}{unit}", prefix.0), prefix.1)
}

/// The unit of time with this number of seconds.
pub fn time_unit(seconds: f64) -> String {
    let same = |(_, size): &&(&str, f64)| *size == seconds;
    match PREFIXES.iter().find(same) {
        Some((prefix, _)) if seconds <= 1.0 => format!("{prefix}s"),
        _ => format!("({seconds} s)"),
    }
}

/// The notation of a LEMS symbol, which has words instead of signs: `mol_per_m3`.
fn written(symbol: &str) -> String {
    let fraction = match symbol.strip_prefix("per_") {
        Some(below) => format!("1/{below}"),
        None => symbol.to_owned(),
    };
    let fraction = fraction.replace("_per_", "/").replace('_', " ");
    let mut letters = fraction.chars().peekable();
    let mut text = String::new();
    let mut last = ' ';
    while let Some(letter) = letters.next() {
        let is_exponent = last.is_alphabetic() && letters.peek().is_none_or(|l| !l.is_numeric());
        text.push(match letter {
            '2' if is_exponent => '²',
            '3' if is_exponent => '³',
            other => other,
        });
        last = letter;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_fit() {
        let unit = |unit, largest| fitting_unit(unit, largest).0;
        assert_eq!(unit("V", 0.07), "mV");
        assert_eq!(unit("A", 2e-10), "pA");
        assert_eq!(unit("s", 10.0), "s");
        assert_eq!(unit("S", 1e-20), "fS");
        assert_eq!(unit("s", 0.999_999_999), "s");
        assert_eq!(unit("V", 0.0), "V");
        assert_eq!(unit("V", f64::INFINITY), "V");
        assert_eq!(unit("mV", 1e-5), "mV");
        assert_eq!(unit("mol_per_m3", 1e-5), "mol/m³");
        assert_eq!(unit("per_s", 1e5), "1/s");
        assert_eq!(unit("m2 kg s-3", 1.0), "m² kg s-3");
        assert_eq!(fitting_unit("V", 0.07).1, 1e-3);
        assert_eq!(time_unit(1e-3), "ms");
        assert_eq!(time_unit(60.0), "(60 s)");
    }
}
