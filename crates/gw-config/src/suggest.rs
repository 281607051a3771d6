//! "Did you mean": the nearest known word to a misspelt one.

/// The candidate closest to `word`, if it is close enough to be a likely slip of the fingers.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance where swapping two neighbours counts as one step.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(64).collect();
    let right: Vec<char> = right.chars().take(64).collect();
    let mut before_previous: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    for (row_index, left_char) in left.iter().enumerate() {
        let mut current = vec![row_index + 1];
        for (column, right_char) in right.iter().enumerate() {
            let substitution = at(&previous, column) + usize::from(left_char != right_char);
            let mut best = substitution.min(at(&previous, column + 1) + 1).min(at(&current, column) + 1);
            let swapped = row_index > 0
                && column > 0
                && left.get(row_index - 1) == Some(right_char)
                && right.get(column - 1) == Some(left_char);
            if swapped {
                best = best.min(at(&before_previous, column - 1) + 1);
            }
            current.push(best);
        }
        before_previous = std::mem::replace(&mut previous, current);
    }
    at(&previous, right.len())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_ignores_strangers() {
        let known = ["provider", "providers", "models", "listen"];
        for (word, expected) in [
            ("modles", Some("models")),
            ("provder", Some("provider")),
            ("lisen", Some("listen")),
            ("LISTEN", Some("listen")),
            ("redis", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
