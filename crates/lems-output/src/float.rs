//! Numbers as `Float.toString` prints them.

use crate::decimal::Decimal;
use crate::steele_white;

/// Appends `value`, rounded to the nearest 32-bit float, as Java 17's `Float.toString` prints it:
/// `0.0`, `-0.0`, `0.001`, `9999999.0`, `1.0E7`, `1.4E-45`, `NaN`, `Infinity`.
pub fn write_java_float(value: f64, out: &mut Vec<u8>) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "jLEMS writes 32 bits, rounded to the nearest"
    )]
    let value = value as f32;
    let magnitude = value.abs();
    if (1e-3..1e7).contains(&magnitude) {
        return append_short(zmij::Buffer::new().format_finite(value).as_bytes(), out);
    }
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if magnitude.is_infinite() {
        out.extend_from_slice(b"Infinity");
    } else if magnitude == 0.0 {
        out.extend_from_slice(b"0.0");
    } else {
        java_digits(magnitude).write(out);
    }
}

/// Appends a text of a few bytes. A copy of a length that the compiler does not know is a call, which takes longer than
/// two copies of a known length: the beginning of the text and its end, which may overlap.
fn append_short(text: &[u8], out: &mut Vec<u8>) {
    match text.len() {
        8..=16 => append_overlapping::<8>(text, out),
        4..8 => append_overlapping::<4>(text, out),
        _ => out.extend_from_slice(text),
    }
}

/// Appends a text of `N` to `2 * N` bytes.
fn append_overlapping<const N: usize>(text: &[u8], out: &mut Vec<u8>) {
    if let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) {
        let end = out.len() + text.len();
        out.extend_from_slice(first);
        out.truncate(end - N);
        out.extend_from_slice(last);
    }
}

/// The digits that Java 17 gives to a number that it prints with an exponent. Java 19 gives the
/// shortest to all.
fn java_digits(value: f32) -> Decimal {
    const TWO_63: f32 = 9_223_372_036_854_775_808.0;
    if (1e7..TWO_63).contains(&value) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a number of this range is whole, and fits"
        )]
        let value = value as u64;
        large_integer(value)
    } else if may_not_be_shortest(value) {
        steele_white::generate(value)
    } else {
        shortest(value)
    }
}

/// The shortest digits that read back as `value`, and of these the closest to it.
fn shortest(value: f32) -> Decimal {
    Decimal::parse(zmij::Buffer::new().format_finite(value).as_bytes())
}

/// Integers are printed from their exact value, less the decimal digits that lie beyond the
/// binary precision; that often is one digit more than the shortest.
fn large_integer(value: u64) -> Decimal {
    let excess_bits = value.ilog2().saturating_sub(25);
    let dropped_digits = whole_digits(excess_bits);
    let unit = 10_u64.pow(dropped_digits);
    Decimal::of_integer((value + unit / 2) / unit, dropped_digits)
}

/// The number of decimal digits that a number of bits can represent, rounded down.
fn whole_digits(bits: u32) -> u32 {
    // The logarithm of 2 to five places.
    bits * 30_103 / 100_000
}

/// Holds for all subnormal numbers, all powers of two, and two exponents where 64 bits overflow. A
/// comparison with Java over all floats found no others that differ.
fn may_not_be_shortest(value: f32) -> bool {
    const FRACTION_BITS: u32 = 23;
    const OVERFLOWING: [u32; 2] = [127 + 82, 127 + 85];
    let bits = value.to_bits();
    let biased_exponent = bits >> FRACTION_BITS;
    let power_of_two = bits.trailing_zeros() >= FRACTION_BITS;
    power_of_two || biased_exponent == 0 || OVERFLOWING.contains(&biased_exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_worth_the_digits_of_their_power_of_two() {
        for bits in 0..64 {
            assert_eq!(whole_digits(bits), (1_u64 << bits).ilog10());
        }
    }
}
