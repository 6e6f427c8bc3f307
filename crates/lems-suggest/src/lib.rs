//! Suggestions for misspelt names.
//!
//! [`nearest`] finds the name that was probably meant. It looks at a limited number of candidates for each document,
//! so that a document with thousands of errors is read fast.

use std::cell::Cell;

/// Number of characters that are compared; the rest of a longer name is ignored.
const COMPARED: usize = 64;
/// Largest number of candidates for one name, so that thousands of errors in a large file are cheap.
const CANDIDATES: usize = 3_000;
/// Largest number of candidates for all suggestions about one document: thousands of errors usually
/// have one cause, which the first suggestions show.
const CANDIDATES_IN_ALL: usize = 100 * CANDIDATES;

thread_local! {
    static CANDIDATES_LEFT: Cell<usize> = const { Cell::new(CANDIDATES_IN_ALL) };
}

/// Allows the full number of candidates again, for a new document.
pub fn begin_suggestions() {
    CANDIDATES_LEFT.set(CANDIDATES_IN_ALL);
}

/// The candidate that `name` is most likely a misspelling of; None if none is similar.
///
/// A candidate that differs only in upper and lower case wins. Otherwise it is the one with the
/// smallest edit distance, which may be at most a third of the length of the name; a swap of
/// neighbours counts as one edit. Of equal candidates the first one wins. After very many errors
/// about one document, there are no more suggestions.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut search = Search::default();
    let wanted: Vec<char> = folded(name).collect();
    let mut most = (wanted.len() / 3).max(1).min(wanted.len().checked_sub(1)?);
    let mut best = None;
    for candidate in candidates.into_iter().take(CANDIDATES) {
        CANDIDATES_LEFT.set(CANDIDATES_LEFT.get().checked_sub(1)?);
        search.candidate.clear();
        search.candidate.extend(folded(candidate));
        match search.distance(&wanted, most) {
            Some(0) => return Some(candidate),
            Some(distance) => (most, best) = (distance - 1, Some(candidate)),
            None => {}
        }
    }
    best
}

fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars().flat_map(char::to_lowercase).take(COMPARED)
}

/// Rows of the table of edit distances, reused for each candidate.
#[derive(Default)]
struct Search {
    candidate: Vec<char>,
    before_last: Vec<usize>,
    last: Vec<usize>,
    current: Vec<usize>,
}

impl Search {
    /// The edit distance between a name and the candidate; None if it is larger than `most`.
    fn distance(&mut self, left: &[char], most: usize) -> Option<usize> {
        let right = &self.candidate;
        if left.len().abs_diff(right.len()) > most {
            return None;
        }
        self.last.clear();
        self.last.extend(0..=right.len());
        for (row, &from) in left.iter().enumerate() {
            let (before_last, last) = (&self.before_last, &self.last);
            self.current.clear();
            self.current.push(row + 1);
            let mut least = row + 1;
            for (column, &to) in right.iter().enumerate() {
                let mut edits = (last[column] + usize::from(from != to))
                    .min(last[column + 1] + 1)
                    .min(self.current[column] + 1);
                let swapped =
                    row > 0 && column > 0 && left[row - 1] == to && right[column - 1] == from;
                if swapped {
                    edits = edits.min(before_last[column - 1] + 1);
                }
                least = least.min(edits);
                self.current.push(edits);
            }
            // A swap looks back two rows, so the search can succeed even if a row exceeds `most` by one.
            if least > most + 1 {
                return None;
            }
            std::mem::swap(&mut self.before_last, &mut self.last);
            std::mem::swap(&mut self.last, &mut self.current);
        }
        self.last.last().copied().filter(|edits| *edits <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::{CANDIDATES_IN_ALL, begin_suggestions, nearest};

    #[test]
    fn after_very_many_errors_nothing_is_suggested_until_another_document_begins() {
        let names = ["tau", "rest", "gbase"];
        for _ in 0..CANDIDATES_IN_ALL {
            nearest("tua", names);
        }
        assert_eq!(nearest("tua", names), None);
        begin_suggestions();
        assert_eq!(nearest("tua", names), Some("tau"));
    }

    #[test]
    fn suggests_what_is_near() {
        let names = ["tauDecay", "tauRise", "gbase", "erev"];
        assert_eq!(nearest("tauDecy", names), Some("tauDecay"));
        assert_eq!(nearest("taudecay", names), Some("tauDecay"));
        assert_eq!(nearest("tuaRise", names), Some("tauRise"));
        assert_eq!(nearest("gBaes", names), Some("gbase"));
        assert_eq!(nearest("weight", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("é", ["É"]), Some("É"));
    }

    #[test]
    fn prefers_equality_up_to_case_and_then_the_first() {
        assert_eq!(nearest("cells", ["cell", "Cells"]), Some("Cells"));
        assert_eq!(nearest("cellx", ["cella", "cellb"]), Some("cella"));
    }

    #[test]
    fn very_long_names_are_compared_in_bounded_time() {
        let long = "x".repeat(1_000_000);
        assert_eq!(nearest(&long, [long.as_str()]), Some(long.as_str()));
    }
}
