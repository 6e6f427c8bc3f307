/// The number `0.d1d2d3... * 10^exponent` with decimal digits, of which the first is not zero.
pub(crate) struct Decimal {
    /// As ASCII text; more than [`Decimal::MAX_DIGITS`] are never needed.
    digits: [u8; Decimal::MAX_DIGITS],
    count: usize,
    pub(crate) exponent: i32,
}

impl Decimal {
    const MAX_DIGITS: usize = 20;

    pub(crate) fn new() -> Self {
        Self {
            digits: [b'0'; Self::MAX_DIGITS],
            count: 0,
            exponent: 0,
        }
    }

    /// An integer times a power of ten.
    pub(crate) fn of_integer(value: u64, power: u32) -> Self {
        let mut decimal = Self::new();
        let count = value.checked_ilog10().map_or(0, |power| power + 1);
        let mut rest = value;
        for place in decimal.digits.iter_mut().take(count as usize).rev() {
            *place = ascii_digit(rest % 10);
            rest /= 10;
        }
        decimal.count = count as usize;
        decimal.exponent = (count + power) as i32;
        decimal
    }

    /// Reads a positive number such as `12.5`, `0.0012`, `1e-5`, `1.5e20`.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut decimal = Self::new();
        let mut point_seen = false;
        let mut bytes = text.iter();
        for &byte in bytes.by_ref() {
            match byte {
                b'.' => point_seen = true,
                b'e' => break,
                b'0' if decimal.count == 0 => decimal.exponent -= i32::from(point_seen),
                digit => {
                    decimal.push(digit);
                    decimal.exponent += i32::from(!point_seen);
                }
            }
        }
        let (mut magnitude, mut sign) = (0, 1);
        for &byte in bytes {
            match byte {
                b'-' => sign = -1,
                b'+' => {}
                digit => magnitude = magnitude * 10 + i32::from(digit - b'0'),
            }
        }
        decimal.exponent += sign * magnitude;
        decimal
    }

    /// Adds an ASCII digit at the end.
    pub(crate) fn push(&mut self, digit: u8) {
        if let Some(place) = self.digits.get_mut(self.count) {
            *place = digit;
            self.count += 1;
        }
    }

    pub(crate) fn ends_on_odd_digit(&self) -> bool {
        let last = self
            .count
            .checked_sub(1)
            .and_then(|place| self.digits.get(place));
        last.is_some_and(|digit| digit & 1 == 1)
    }

    /// Adds one to the last digit.
    pub(crate) fn round_up(&mut self) {
        let digits = self.digits.get_mut(..self.count).unwrap_or_default();
        for digit in digits.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        if let Some(first) = digits.first_mut() {
            *first = b'1';
        }
        self.exponent += 1;
    }

    /// Appends the number as Java does with an exponent: `1.0E7`, `1.25E-5`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let digits = self.digits();
        let (first, fraction) = digits.split_at_checked(1).unwrap_or((digits, &[]));
        out.extend_from_slice(first);
        out.push(b'.');
        out.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction });
        out.push(b'E');
        write_small_integer(self.exponent - 1, out);
    }

    /// The digits without zeros at the end.
    fn digits(&self) -> &[u8] {
        let digits = self.digits.get(..self.count).unwrap_or_default();
        let zeros = digits
            .iter()
            .rev()
            .take_while(|&&digit| digit == b'0')
            .count();
        digits.get(..self.count - zeros).unwrap_or_default()
    }
}

/// A number from 0 to 9 as ASCII text.
pub(crate) fn ascii_digit(number: impl TryInto<usize>) -> u8 {
    const DIGITS: &[u8; 10] = b"0123456789";
    let digit = number.try_into().ok().and_then(|at| DIGITS.get(at));
    assert!(
        digit.is_some(),
        "more than one digit in the place of one: this is a bug in jlems-rs"
    );
    digit.copied().unwrap_or_default()
}

/// Appends an integer of at most two digits.
fn write_small_integer(value: i32, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let magnitude = value.unsigned_abs();
    if magnitude >= 10 {
        out.push(ascii_digit(magnitude / 10));
    }
    out.push(ascii_digit(magnitude % 10));
}
