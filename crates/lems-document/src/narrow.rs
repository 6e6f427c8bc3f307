//! Places and counts as numbers of 32 bits, which keep spans and the tree small.

/// A place in a text, or a number of things in a document, in 32 bits.
///
/// The [`Limits`](crate::Limits) refuse every text and document that has more, whatever a caller
/// sets them to.
///
/// # Panics
/// The number needs more bits: a limit was not asked.
#[inline]
#[track_caller]
pub fn narrow(number: usize) -> u32 {
    let narrowed = u32::try_from(number);
    assert!(
        narrowed.is_ok(),
        "{number} does not fit into 32 bits, which a limit should have refused: this is a bug in jlems-rs"
    );
    narrowed.unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_the_same() {
        assert_eq!(narrow(0), 0);
        assert_eq!(narrow(u32::MAX as usize), u32::MAX);
    }

    #[test]
    #[should_panic(expected = "this is a bug in jlems-rs")]
    fn what_does_not_fit_does_not_wrap() {
        narrow(u32::MAX as usize + 1);
    }
}
