//! Suggestions for misspelt names.

/// The candidate that `name` is most likely a misspelling of.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name: Vec<char> = name.chars().take(40).flat_map(char::to_lowercase).collect();
    let allowed = (name.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= allowed && distance < name.len())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The edit distance (Levenshtein) between two words.
fn distance(left: &[char], right: &str) -> usize {
    let mut row: Vec<usize> = (0..=left.len()).collect();
    for (line, expected) in right.chars().enumerate() {
        let mut diagonal = line;
        let mut beside = line + 1;
        if let Some(first) = row.first_mut() {
            *first = beside;
        }
        for (cell, &character) in row.iter_mut().skip(1).zip(left) {
            let replaced = diagonal + usize::from(character != expected);
            diagonal = *cell;
            beside = replaced.min(*cell + 1).min(beside + 1);
            *cell = beside;
        }
    }
    row.last().copied().unwrap_or(0)
}
