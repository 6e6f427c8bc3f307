//! Indices of 32 bits for the elements of lists and tables.
//!
//! An index that names an element of one kind of table is a type of its own, made with [`ids!`], and the
//! table is an [`IdVec`]: the compiler then refuses the index of another table.
//!
//! Tables of a network hold one index for each connection, so an index takes four bytes instead of eight.
//! Lists that grow with the model are checked where they grow, with [`next`]: a list that is too long is an
//! error for the user. Everywhere else [`narrow`] converts, and never wraps.

/// The index of the next element of a list with `length` elements, or `None` if 32 bits cannot hold it.
///
/// The last index is reserved: tables use it as a mark for "nothing here".
///
/// ```
/// assert_eq!(lems_index::next(7), Some(7));
/// assert_eq!(lems_index::next(u32::MAX as usize), None);
/// ```
pub fn next(length: usize) -> Option<u32> {
    u32::try_from(length)
        .ok()
        .filter(|index| *index != u32::MAX)
}

/// An index as 32 bits, for lists whose length was checked or cannot grow that far.
///
/// # Panics
///
/// If 32 bits cannot hold it. A wrapped index would name another element, and the results would be wrong
/// without a word.
#[track_caller]
#[inline]
pub fn narrow(index: usize) -> u32 {
    match u32::try_from(index) {
        Ok(narrowed) => narrowed,
        Err(_) => bug(&format!("the index {index} does not fit into 32 bits")),
    }
}

/// Stops because of a mistake in jlems-rs itself, where any value would be a wrong result.
///
/// # Panics
///
/// Always.
#[track_caller]
#[expect(clippy::panic, reason = "the alternative is a wrong number")]
pub fn bug(what: &str) -> ! {
    panic!("this is a bug in jlems-rs: {what}")
}

mod id_vec;
mod runs;

pub use id_vec::{Id, IdVec};
pub use runs::{Place, Runs};

#[cfg(test)]
mod tests {
    #[test]
    fn an_index_that_fits_is_itself() {
        assert_eq!(super::narrow(0), 0);
        assert_eq!(super::narrow(u32::MAX as usize), u32::MAX);
    }

    #[test]
    #[should_panic(expected = "bug in jlems-rs")]
    fn an_index_that_does_not_fit_does_not_wrap() {
        super::narrow(u32::MAX as usize + 1);
    }
}
