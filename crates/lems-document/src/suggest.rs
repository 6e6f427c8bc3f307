//! Near-name suggestions.

/// Longer names are compared by this many characters only.
const COMPARED: usize = 64;

/// The candidate that `name` is most likely a misspelling of, None if none is near.
///
/// One that differs only in upper and lower case wins; otherwise the one with the
/// smallest edit distance, counting a swap of neighbours as one edit, of at most a
/// third of the length; the first of several.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(name);
    let allowed = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &folded(candidate)), candidate))
        .filter(|&(distance, _)| distance <= allowed && distance < wanted.len())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

fn folded(name: &str) -> Vec<char> {
    name.chars()
        .flat_map(char::to_lowercase)
        .take(COMPARED)
        .collect()
}

fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, &from) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &to) in right.iter().enumerate() {
            let mut best = (last[column] + usize::from(from != to))
                .min(last[column + 1] + 1)
                .min(current[column] + 1);
            let swapped = row > 0 && column > 0 && left[row - 1] == to && right[column - 1] == from;
            if swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

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
