//! Reduces angles to [-pi/4, pi/4] (fdlibm `e_rem_pio2.c`, `k_rem_pio2.c`).

use crate::bits::{from_high_word, magnitude_word};
use std::f64::consts::FRAC_PI_2;

/// An angle as `quadrant * pi/2 + angle + tail`.
pub(crate) struct Reduced {
    /// The number of quarter turns; only its value modulo 4 matters.
    pub(crate) quadrant: i32,
    /// The rest, with a magnitude of at most pi/4 (up to rounding).
    pub(crate) angle: f64,
    /// The part of the rest that is beyond the precision of `angle`.
    pub(crate) tail: f64,
}

impl Reduced {
    fn signed_as(self, x: f64) -> Self {
        if x < 0.0 {
            Self {
                quadrant: -self.quadrant,
                angle: -self.angle,
                tail: -self.tail,
            }
        } else {
            self
        }
    }
}

/// Reduces an angle of `x` radians; None for NaN and the infinities.
pub(crate) fn reduce(x: f64) -> Option<Reduced> {
    const PI_4_WORD: u32 = 0x3FE9_21FB;
    const THREE_PI_4_WORD: u32 = 0x4002_D97C;
    const MEDIUM_WORD: u32 = 0x4139_21FB;
    let word = magnitude_word(x);
    let magnitude = x.abs();
    if word <= PI_4_WORD {
        Some(Reduced {
            quadrant: 0,
            angle: x,
            tail: 0.0,
        })
    } else if !x.is_finite() {
        None
    } else if word < THREE_PI_4_WORD {
        Some(reduce_by_one(magnitude).signed_as(x))
    } else if word <= MEDIUM_WORD {
        Some(reduce_medium(magnitude).signed_as(x))
    } else {
        Some(reduce_large(magnitude).signed_as(x))
    }
}

/// pi/2 in pieces of 33 bits, each followed by the remainder below it.
const PI_2_A: f64 = f64::from_bits(0x3FF9_21FB_5440_0000);
const PI_2_A_TAIL: f64 = f64::from_bits(0x3DD0_B461_1A62_6331);
const PI_2_B: f64 = f64::from_bits(0x3DD0_B461_1A60_0000);
const PI_2_B_TAIL: f64 = f64::from_bits(0x3BA3_198A_2E03_7073);
const PI_2_C: f64 = f64::from_bits(0x3BA3_198A_2E00_0000);
const PI_2_C_TAIL: f64 = f64::from_bits(0x397B_839A_2520_49C1);
const TWO_OVER_PI: f64 = f64::from_bits(0x3FE4_5F30_6DC9_C883);

fn reduce_by_one(x: f64) -> Reduced {
    let close_to_pi_2 = magnitude_word(x) == magnitude_word(FRAC_PI_2);
    let (rest, rest_tail) = if close_to_pi_2 {
        (x - PI_2_A - PI_2_B, PI_2_B_TAIL)
    } else {
        (x - PI_2_A, PI_2_A_TAIL)
    };
    let angle = rest - rest_tail;
    Reduced {
        quadrant: 1,
        angle,
        tail: (rest - angle) - rest_tail,
    }
}

/// Reduces angles up to 2^19 * pi/2.
fn reduce_medium(x: f64) -> Reduced {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is meant to be dropped, and the rest is at most 2^19"
    )]
    let quadrant = (x * TWO_OVER_PI + 0.5) as i32;
    let n = f64::from(quadrant);
    let mut rest = x - n * PI_2_A;
    let mut rest_tail = n * PI_2_A_TAIL;
    let mut angle = rest - rest_tail;

    let surely_precise = quadrant < 32 && magnitude_word(x) != magnitude_word(n * FRAC_PI_2);
    if !surely_precise {
        for (piece, piece_tail, precise_bits) in
            [(PI_2_B, PI_2_B_TAIL, 16), (PI_2_C, PI_2_C_TAIL, 49)]
        {
            if exponent(x) - exponent(angle) <= precise_bits {
                break;
            }
            let before = rest;
            let step = n * piece;
            rest = before - step;
            rest_tail = n * piece_tail - ((before - rest) - step);
            angle = rest - rest_tail;
        }
    }
    Reduced {
        quadrant,
        angle,
        tail: (rest - angle) - rest_tail,
    }
}

fn exponent(x: f64) -> i32 {
    (magnitude_word(x) >> 20) as i32
}

const DIGIT_BITS: i32 = 24;
const DIGIT_MASK: u64 = (1 << DIGIT_BITS) - 1;

/// The fraction of `x * 2/pi`, in digits of 24 bits, lowest first.
struct Turns {
    /// The integer part, modulo 8.
    quadrant: i32,
    /// Whether the fraction is to be subtracted from the quadrant instead of added.
    negative: bool,
    digits: Vec<u64>,
    /// The unit of the highest digit is 2 to this power.
    exponent: i32,
}

/// Reduces angles of any size. It multiplies by as many digits of 2/pi as affect the fraction, and
/// then multiplies the fraction by pi/2.
fn reduce_large(x: f64) -> Reduced {
    const TERMS: usize = 4;
    let mut turns = multiply_by_two_over_pi(x, TERMS);
    let all_lost = |digits: &[u64]| digits.iter().skip(TERMS).all(|&digit| digit == 0);
    if all_lost(&turns.digits) {
        let kept = turns.digits.iter().take(TERMS).rev();
        let lost = kept.take_while(|&&digit| digit == 0).count() + 1;
        turns = multiply_by_two_over_pi(x, TERMS + lost);
    }
    let (angle, tail) = turns.angle();
    Reduced {
        quadrant: turns.quadrant,
        angle,
        tail,
    }
}

/// `x * 2/pi`, computed from the digit of 2/pi at which the fraction begins, and `terms` more digits.
fn multiply_by_two_over_pi(x: f64, terms: usize) -> Turns {
    let significand = (x.to_bits() & 0x000F_FFFF_FFFF_FFFF) | 0x0010_0000_0000_0000;
    let x_digits = [
        significand >> 29,
        (significand >> 5) & DIGIT_MASK,
        (significand & 31) << 19,
    ];
    let x_exponent = exponent(x) - 1046;
    let skipped = (x_exponent - 3).max(0) / DIGIT_BITS;
    let top_exponent = x_exponent - DIGIT_BITS * (skipped + 1);

    let column = |i: usize| -> u64 {
        let index = skipped as usize + i;
        x_digits
            .iter()
            .enumerate()
            .filter_map(|(j, x_digit)| {
                let digit = TWO_OVER_PI_DIGITS.get(index.checked_sub(j)?)?;
                Some(x_digit * u64::from(*digit))
            })
            .sum()
    };
    let mut digits = Vec::with_capacity(terms + 2);
    let mut sum = 0;
    for i in (1..=terms).rev() {
        sum += column(i);
        digits.push(sum & DIGIT_MASK);
        sum >>= DIGIT_BITS;
    }
    sum += column(0);
    Turns::split(sum, digits, top_exponent)
}

impl Turns {
    /// Splits `top * 2^exponent + digits` into integer and fraction, such that the fraction is at most
    /// one half in either direction.
    fn split(top: u64, mut digits: Vec<u64>, exponent: i32) -> Self {
        let mut highest_bits = DIGIT_BITS;
        let mut quadrant = top;
        if exponent < 0 {
            highest_bits = -exponent;
            quadrant >>= highest_bits;
            digits.push(top & mask(highest_bits));
        } else if let Some(digit) = digits.last_mut() {
            highest_bits -= exponent;
            quadrant = (top << exponent) + (*digit >> highest_bits);
            *digit &= mask(highest_bits);
        }
        let highest = digits.last().copied().unwrap_or(0);
        let negative = highest >> (highest_bits - 1) != 0;
        if negative {
            quadrant += 1;
            negate(&mut digits, highest_bits);
        }
        if exponent >= 0 {
            digits.push(0);
        }
        Self {
            quadrant: (quadrant & 7) as i32,
            negative,
            digits,
            exponent,
        }
    }

    /// The fraction times pi/2, and the part of it that is beyond the precision of one number.
    fn angle(&self) -> (f64, f64) {
        let (digits, exponent) = self.significant_digits();
        let mut unit = power_of_two(exponent);
        let mut parts = Vec::with_capacity(digits.len());
        for &digit in digits.iter().rev() {
            parts.push(digit as f64 * unit);
            unit /= (1_u64 << DIGIT_BITS) as f64;
        }
        // `parts` has the highest part first. Terms of the product with equal weight are summed first.
        let products: Vec<f64> = (0..parts.len())
            .map(|weight| {
                let from_low = parts.iter().take(weight + 1).rev();
                PI_2_DIGITS
                    .iter()
                    .zip(from_low)
                    .fold(0.0, |sum, (a, b)| sum + a * b)
            })
            .collect();
        let sum = products
            .iter()
            .rev()
            .fold(0.0, |sum, product| sum + product);
        let highest = products.first().copied().unwrap_or(0.0);
        let rest = products
            .iter()
            .skip(1)
            .fold(highest - sum, |rest, product| rest + product);
        if self.negative {
            (-sum, -rest)
        } else {
            (sum, rest)
        }
    }

    /// The digits without leading zeros, each of at most 24 bits, and the exponent of the highest one.
    fn significant_digits(&self) -> (Vec<u64>, i32) {
        let mut digits = self.digits.clone();
        let mut exponent = self.exponent;
        while digits.last() == Some(&0) {
            digits.pop();
            exponent -= DIGIT_BITS;
        }
        if let Some(highest) = digits.last_mut()
            && *highest > DIGIT_MASK
        {
            let above = *highest >> DIGIT_BITS;
            *highest &= DIGIT_MASK;
            digits.push(above);
            exponent += DIGIT_BITS;
        }
        (digits, exponent)
    }
}

/// Replaces the fraction by one minus the fraction. Its highest digit has `highest_bits` bits.
fn negate(digits: &mut [u64], highest_bits: i32) {
    let highest = digits.len().saturating_sub(1);
    let mut borrow = 0;
    for (place, digit) in digits.iter_mut().enumerate() {
        let bits = if place == highest {
            highest_bits
        } else {
            DIGIT_BITS
        };
        let negated = (1 << bits) - *digit - borrow;
        *digit = negated & mask(bits);
        borrow = u64::from(negated == *digit);
    }
}

fn mask(bits: i32) -> u64 {
    (1 << bits) - 1
}

fn power_of_two(exponent: i32) -> f64 {
    from_high_word(((exponent + 1023) as u32) << 20)
}

/// pi/2 in pieces of 24 bits.
const PI_2_DIGITS: [f64; 5] = [
    f64::from_bits(0x3FF9_21FB_4000_0000),
    f64::from_bits(0x3E74_442D_0000_0000),
    f64::from_bits(0x3CF8_4698_8000_0000),
    f64::from_bits(0x3B78_CC51_6000_0000),
    f64::from_bits(0x39F0_1B83_8000_0000),
];

/// 2/pi in digits of 24 bits; the first has the weight 2^-24.
const TWO_OVER_PI_DIGITS: [u32; 66] = [
    0xA2F983, 0x6E4E44, 0x1529FC, 0x2757D1, 0xF534DD, 0xC0DB62, 0x95993C, 0x439041, 0xFE5163,
    0xABDEBB, 0xC561B7, 0x246E3A, 0x424DD2, 0xE00649, 0x2EEA09, 0xD1921C, 0xFE1DEB, 0x1CB129,
    0xA73EE8, 0x8235F5, 0x2EBB44, 0x84E99C, 0x7026B4, 0x5F7E41, 0x3991D6, 0x398353, 0x39F49C,
    0x845F8B, 0xBDF928, 0x3B1FF8, 0x97FFDE, 0x05980F, 0xEF2F11, 0x8B5A0A, 0x6D1F6D, 0x367ECF,
    0x27CB09, 0xB74F46, 0x3F669E, 0x5FEA2D, 0x7527BA, 0xC7EBE5, 0xF17B3D, 0x0739F7, 0x8A5292,
    0xEA6BFB, 0x5FB11F, 0x8D5D08, 0x560330, 0x46FC7B, 0x6BABF0, 0xCFBC20, 0x9AF436, 0x1DA9E3,
    0x91615E, 0xE61B08, 0x659985, 0x5F14A0, 0x68408D, 0xFFD880, 0x4D7327, 0x310606, 0x1556CA,
    0x73A8C9, 0x60E27B, 0xC08C6B,
];
