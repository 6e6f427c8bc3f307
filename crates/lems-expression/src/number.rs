//! Parses numbers as Java does.

/// The value of `text` as Java's `Double.parseDouble` reads it; None if Java refuses it.
///
/// Blanks around the number, a sign, `5.`, `.5`, `1e3`, `0x1p3`, one of the suffixes
/// `d D f F`, `NaN` and `Infinity` are accepted.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim_matches(|character| character <= ' ');
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match magnitude {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        _ => finite(magnitude)?,
    };
    Some(if negative { -value } else { value })
}

fn finite(text: &str) -> Option<f64> {
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => hexadecimal(digits),
        None => decimal(text),
    }
}

fn decimal(text: &str) -> Option<f64> {
    // Rust also accepts `inf`, `nan` and a second sign, but Java does not.
    let only_number_characters = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !only_number_characters || text.starts_with(['+', '-']) {
        return None;
    }
    text.parse().ok()
}

/// A number such as `1.8p3`: hexadecimal digits times a power of two.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // As many digits as fit; of the others it only matters whether they are all zero.
    let (mut bits, mut power) = (0_u64, exponent_of(exponent)?);
    let (mut is_full, mut is_more) = (false, false);
    let places = (whole.chars().map(|_| 0)).chain(fraction.chars().map(|_| 4));
    for (digit, place) in whole.chars().chain(fraction.chars()).zip(places) {
        let digit = u64::from(digit.to_digit(16)?);
        is_full |= bits >> 60 != 0;
        if is_full {
            is_more |= digit != 0;
            power += 4 - place;
        } else {
            bits = bits << 4 | digit;
            power -= place;
        }
    }
    Some(rounded(bits | u64::from(is_more), power))
}

/// The exponent behind the `p`. One that is far beyond all doubles stays so.
fn exponent_of(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(i64::from(i32::MAX));
    let size = size.min(i64::from(i32::MAX));
    Some(if negative { -size } else { size })
}

/// The double nearest to `bits` times two to the `power`, and of two that are equally near the even one.
fn rounded(bits: u64, power: i64) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    let shift = bits.leading_zeros();
    let (bits, power) = (bits << shift, power - i64::from(shift));
    // A double has 53 bits, of which none is worth less than the smallest number.
    let dropped = (-1074 - power).max(11);
    if power + dropped > 971 {
        return f64::INFINITY;
    }
    if dropped > 64 {
        return 0.0;
    }
    let unit = 1_u128 << dropped;
    let (kept, rest) = (u128::from(bits) / unit, u128::from(bits) % unit);
    let is_up = rest > unit / 2 || rest == unit / 2 && kept % 2 == 1;
    (kept + u128::from(is_up)) as f64 * power_of_two(power + dropped)
}

/// Two to a power from -1074 to 971.
fn power_of_two(power: i64) -> f64 {
    match u64::try_from(power + 1022) {
        Ok(above) => f64::from_bits((above + 1) << 52),
        Err(_) => f64::from_bits(1 << (power + 1074)),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_number, power_of_two};

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
            ("0x1p3", 8.0),
            ("0X1P3", 8.0),
            (" -0x1p3 ", -8.0),
            ("+0x1p+3", 8.0),
            ("0x1p-3", 0.125),
            ("0x1.8p1", 3.0),
            ("0x.8p1d", 1.0),
            ("0x1.p3F", 8.0),
            ("0xfFp0", 255.0),
            ("0x0p9999999999999999999999", 0.0),
            ("0x1p9999999999999999999999", f64::INFINITY),
            ("0x1p-9999999999999999999999", 0.0),
            ("0x1p1023", power_of_two(1023)),
            ("0x1p1024", f64::INFINITY),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1.fffffffffffff7p1023", f64::MAX),
            ("0x1.fffffffffffff8p1023", f64::INFINITY),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.0000000000000800000000001p0", 1.0 + f64::EPSILON),
            ("0x1.00000000000018p0", 1.0 + 2.0 * f64::EPSILON),
            ("0x1000000000000000000000p0", power_of_two(84)),
            ("0x0.000000000000000000001p0", power_of_two(-84)),
            ("0x1p-1022", f64::MIN_POSITIVE),
            ("0x1p-1074", f64::from_bits(1)),
            ("0x1.8p-1074", f64::from_bits(2)),
            ("0x1p-1075", 0.0),
            ("0x1.0000000000000001p-1075", f64::from_bits(1)),
            ("0x1p-1076", 0.0),
        ] {
            assert_eq!(parse_number(text), Some(value), "{text:?}");
        }
        assert!(parse_number("NaN").is_some_and(f64::is_nan));
        assert!(parse_number("-0").is_some_and(|value| value == 0.0 && value.is_sign_negative()));
    }

    #[test]
    fn refuses_what_java_refuses() {
        for text in [
            "",
            " ",
            "-",
            "+-5",
            "--5",
            "- 5",
            "1e",
            "1e V",
            "10mV",
            "0x10",
            "0xp1",
            "0x.p1",
            "0x1p",
            "0x1p+",
            "0x1p1.5",
            "0x1gp1",
            "0x1.2.3p1",
            "0x1p--1",
            "0x+1p1",
            ".",
            "inf",
            "nan",
            "infinity",
            "e5",
            "1dd",
            "1 2",
            "1,5",
            "d",
            "\u{a0}1",
        ] {
            assert_eq!(parse_number(text), None, "{text:?}");
        }
    }
}
