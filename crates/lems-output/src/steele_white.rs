//! The digits of Java before 19 where they are not the shortest ones (JDK-4511638).
//!
//! `FloatingDecimal` generates digits by Steele and White's method (Steele & White 1990, How to
//! print floating-point numbers accurately): the number is `b / s` in units of the digit's place,
//! and digits follow one another until what is left is within `m / s`, half a unit in the last
//! binary place. Three things keep its digits from being the shortest: it takes the smaller of the
//! two half units for a power of two; it never stops at the first digit of a number with an exponent;
//! and its 64-bit arithmetic may overflow.

use crate::decimal::{Decimal, ascii_digit};

/// Digits of a positive finite number that is printed with an exponent and not an integer below 2^63.
pub(crate) fn generate(value: f32) -> Decimal {
    let number = Binary::of(value);
    let estimate = number.estimated_exponent();
    let scaled = Scaled::of(&number, estimate);
    scaled.generate(estimate)
}

/// `significand * 2^(exponent - bits + 1)` with an odd significand of `bits` bits.
struct Binary {
    significand: i128,
    bits: i32,
    exponent: i32,
    /// Bits of the significand that the format has room for at this exponent.
    precision: i32,
}

impl Binary {
    fn of(value: f32) -> Self {
        const FRACTION_BITS: u32 = 23;
        let bits = value.to_bits();
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        let biased = (bits >> FRACTION_BITS) as i32;
        let (significand, lowest) = if biased == 0 {
            (fraction, -149)
        } else {
            (fraction | 1 << FRACTION_BITS, biased - 150)
        };
        let precision = (u32::BITS - significand.leading_zeros()) as i32;
        let zeros = significand.trailing_zeros();
        Self {
            significand: i128::from(significand.checked_shr(zeros).unwrap_or(0)),
            bits: precision - zeros as i32,
            exponent: lowest + precision - 1,
            precision,
        }
    }

    /// The decimal exponent by a straight line instead of the logarithm: right or one too large.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the exponents of 32-bit floats have two digits"
    )]
    fn estimated_exponent(&self) -> i32 {
        let one_to_two = self.significand as f64 / (1_u64 << (self.bits - 1)) as f64;
        let logarithm = (one_to_two - 1.5) * 0.289529654
            + 0.176091259
            + f64::from(self.exponent) * std::f64::consts::LOG10_2;
        logarithm.floor() as i32
    }
}

/// The width of the arithmetic that Java chooses by the bits that the numbers need at most.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    Bits64,
    Unlimited,
}

impl Width {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Java's 64-bit numbers wrap, and its digits show it"
    )]
    fn wrap(self, value: i128) -> i128 {
        match self {
            Self::Bits64 => i128::from(value as i64),
            Self::Unlimited => value,
        }
    }
}

struct Scaled {
    b: i128,
    s: i128,
    m: i128,
    width: Width,
}

impl Scaled {
    fn of(number: &Binary, decimal_exponent: i32) -> Self {
        let fives_b = (-decimal_exponent).max(0);
        let fives_s = decimal_exponent.max(0);
        let below_point = (number.bits - number.exponent - 1).max(0);
        let twos_b = fives_b + below_point + number.exponent - (number.bits - 1);
        let twos_s = fives_s + below_point;
        let twos_m = fives_b + below_point + number.exponent
            - number.precision
            - i32::from(number.bits == 1);
        let common = twos_b.min(twos_s);
        let lacking = (common - twos_m).max(0);
        let shift = lacking - common;
        let (twos_b, twos_s, twos_m) = (twos_b + shift, twos_s + shift, twos_m + shift);

        let bits_b = number.bits + twos_b + bits_of_power_of_five(fives_b);
        let bits_ten_s = twos_s + 1 + bits_of_power_of_five(fives_s + 1);
        let width = match bits_b.max(bits_ten_s) {
            ..64 => Width::Bits64,
            _ => Width::Unlimited,
        };
        Self {
            b: (number.significand * power_of_five(fives_b)) << twos_b,
            s: power_of_five(fives_s) << twos_s,
            m: power_of_five(fives_b) << twos_m,
            width,
        }
    }

    fn generate(mut self, estimate: i32) -> Decimal {
        let mut exponent = estimate;
        let mut decimal = Decimal::new();
        let first = self.next_digit();
        let (_, rounds_up_to_one) = self.within_half_a_unit();
        if first == b'0' && !rounds_up_to_one {
            exponent -= 1;
        } else {
            decimal.push(first);
        }
        let (mut low, mut high) = (false, false);
        while !low && !high {
            decimal.push(self.next_digit());
            (low, high) = self.within_half_a_unit();
        }
        decimal.exponent = exponent + 1;
        if high && (!low || self.rounds_up(&decimal)) {
            decimal.round_up();
        }
        decimal
    }

    /// Whether what is left is more than half a unit of the last digit; a tie goes to the even digit.
    fn rounds_up(&self, decimal: &Decimal) -> bool {
        let beyond_middle = self.width.wrap(self.width.wrap(2 * self.b) - 10 * self.s);
        beyond_middle > 0 || (beyond_middle == 0 && decimal.ends_on_odd_digit())
    }

    /// The next digit as ASCII text.
    fn next_digit(&mut self) -> u8 {
        let digit = self.b / self.s;
        self.b = 10 * (self.b % self.s);
        self.m = self.width.wrap(10 * self.m);
        ascii_digit(digit)
    }

    /// Whether the digits so far, as they are and with the last one larger by one, are close enough.
    fn within_half_a_unit(&self) -> (bool, bool) {
        let ten_s = 10 * self.s;
        let upper = self.width.wrap(self.b + self.m);
        match self.width {
            Width::Unlimited => (self.b < self.m, upper >= ten_s),
            _ if self.m > 0 => (self.b < self.m, upper > ten_s),
            _ => (true, true),
        }
    }
}

/// Largest power that Java tabulates.
const TABULATED: i32 = 26;

fn bits_of_power_of_five(power: i32) -> i32 {
    match power {
        0 => 0,
        1..=TABULATED => (i128::BITS - power_of_five(power).leading_zeros()) as i32,
        _ => 3 * power,
    }
}

fn power_of_five(power: i32) -> i128 {
    5_i128.pow(power.unsigned_abs())
}
