//! Words that somebody may have meant.

/// How many are offered where one is not enough.
const OFFER_COUNT_MAX: usize = 5;

/// The one of `known` that `word` was probably meant to be: at most two letters away, and half of
/// them.
pub fn nearest_word<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let scored = known.iter().map(|&candidate| (edit_distance(word, candidate), candidate));
    let near = |&(distance, _): &(usize, &str)| distance <= 2 && distance * 2 <= word.len();
    scored.min().filter(near).map(|(_, candidate)| candidate)
}

/// Letters to insert, remove or replace to make one word of the other (Levenshtein). Words over 64
/// octets are far.
fn edit_distance(a: &str, b: &str) -> usize {
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut last = i + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(b.bytes()) {
            let replaced = diagonal + usize::from(left != right);
            diagonal = *cell;
            last = replaced.min(last + 1).min(*cell + 1);
            *cell = last;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Those of `known` that `word` may stand for: the nearest first, then those that share a part with it. A few at most.
pub fn words_like<'k>(word: &str, known: &[&'k str]) -> Vec<&'k str> {
    let parts = |word: &'_ str| word.split('-').map(str::to_owned).collect::<Vec<_>>();
    let own = parts(word);
    let shared = |candidate: &str| parts(candidate).iter().filter(|p| own.contains(p)).count();
    let mut scored: Vec<(usize, usize, &str)> = known
        .iter()
        .map(|&candidate| (shared(candidate), edit_distance(word, candidate), candidate))
        .filter(|&(shared, distance, _)| shared > 0 || distance <= 2 && distance * 2 <= word.len())
        .collect();
    scored.sort_by_key(|&(shared, distance, candidate)| {
        (distance > 2, std::cmp::Reverse(shared), distance, candidate)
    });
    scored.into_iter().take(OFFER_COUNT_MAX).map(|(.., candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_two_letters_away_are_offered() {
        for (word, expected) in [
            ("qourum", Some("quorum")),
            ("answer", Some("answers")),
            ("subnet", Some("subnets")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest_word(word, &["quorum", "answers", "subnets"]), expected, "{word}");
        }
    }

    #[test]
    fn words_that_share_a_part_are_offered_too() {
        let known = ["spf-syntax", "spf-doubled", "glue-missing", "target-missing", "more"];
        for (word, expected) in [
            ("spf", &["spf-syntax", "spf-doubled"][..]),
            ("glue-mising", &["glue-missing"]),
            ("missing-glue", &["glue-missing", "target-missing"]),
            ("colour", &[]),
        ] {
            assert_eq!(words_like(word, &known), expected, "{word}");
        }
    }
}
