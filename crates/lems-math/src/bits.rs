//! Access to the upper 32 bits of a number, because fdlibm defines its thresholds by them.

/// Upper half of the bits of `x`: sign, exponent and the first 20 bits of the fraction.
#[inline]
pub(crate) fn high_word(x: f64) -> u32 {
    (x.to_bits() >> 32) as u32
}

/// [`high_word`] of `|x|`.
#[inline]
pub(crate) fn magnitude_word(x: f64) -> u32 {
    high_word(x) & 0x7FFF_FFFF
}

/// `x` with the lower 32 bits cleared, so the product of two such numbers is exact.
#[inline(always)]
pub(crate) fn without_low_word(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & 0xFFFF_FFFF_0000_0000)
}

/// The smallest positive number with the upper half `word`.
#[inline]
pub(crate) const fn from_high_word(word: u32) -> f64 {
    f64::from_bits((word as u64) << 32)
}
