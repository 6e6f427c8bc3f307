//! Parses numbers as Java does.

/// The value of `text` as Java's `Double.parseDouble` reads it; None if Java refuses it.
///
/// Blanks around the number, a sign, `5.`, `.5`, `1e3`, one of the suffixes
/// `d D f F`, `NaN` and `Infinity` are accepted; hexadecimal numbers are not.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim_matches(|character| character <= ' ');
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match magnitude {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        _ => decimal(magnitude)?,
    };
    Some(if negative { -value } else { value })
}

fn decimal(text: &str) -> Option<f64> {
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    // Rust also accepts `inf`, `nan` and a second sign, but Java does not.
    let only_number_characters = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !only_number_characters || text.starts_with(['+', '-']) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse_number;

    #[test]
    fn reads_what_java_reads() {
        for (text, value) in [
            ("1", 1.0),
            (" 1 ", 1.0),
            ("\t1\n", 1.0),
            ("+5", 5.0),
            ("-5", -5.0),
            ("5.", 5.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1E+3", 1000.0),
            ("1e-3", 0.001),
            ("1d", 1.0),
            ("1F", 1.0),
            ("1.e2D", 100.0),
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e999", f64::INFINITY),
        ] {
            assert_eq!(parse_number(text), Some(value), "{text:?}");
        }
        assert!(parse_number("NaN").is_some_and(f64::is_nan));
        assert!(parse_number("-0").is_some_and(|value| value == 0.0 && value.is_sign_negative()));
    }

    #[test]
    fn refuses_what_java_refuses() {
        for text in [
            "", " ", "-", "+-5", "--5", "- 5", "1e", "1e V", "10mV", "0x10", ".", "inf", "nan",
            "infinity", "e5", "1dd", "1 2", "1,5", "d", "\u{a0}1",
        ] {
            assert_eq!(parse_number(text), None, "{text:?}");
        }
    }
}
