//! All that can be said of files, each once: `check --explain`, SARIF and the tests read it here.
//!
//! A code that a room emits and no list has, or the other way round, fails `tests/house.rs`.

mod data;
mod dnssec;
mod foreign;
mod geography;
mod mail;
mod routes;
mod server;
mod steering;
mod text;

use super::check::Check;

const SUBJECTS: [(&str, &[Check]); 9] = [
    ("Text of zone files", text::CHECKS),
    ("What a zone holds", data::CHECKS),
    ("Mail and certificates", mail::CHECKS),
    ("Signed zones", dnssec::CHECKS),
    ("Pools and policies", steering::CHECKS),
    ("Routes", routes::CHECKS),
    ("Geography", geography::CHECKS),
    ("Files and the server", server::CHECKS),
    ("Import from other servers", foreign::CHECKS),
];

/// All checks, by subject.
pub fn subjects() -> impl Iterator<Item = (&'static str, &'static [Check])> {
    SUBJECTS.into_iter()
}

/// The check called `code`.
pub fn find(code: &str) -> Option<&'static Check> {
    subjects().flat_map(|(_, checks)| checks).find(|check| check.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_code_is_told_once_and_whole() {
        let mut seen = BTreeSet::new();
        for check in subjects().flat_map(|(_, checks)| checks) {
            assert!(seen.insert(check.code), "{} is told twice", check.code);
            let texts = [check.title, check.why, check.wrong, check.right, check.clause];
            assert!(texts.iter().all(|text| !text.trim().is_empty()), "{check:?}");
            assert!(check.title.len() <= 90 && !check.title.ends_with('.'), "{check:?}");
            assert!(check.severities.is_sorted() && !check.severities.is_empty(), "{check:?}");
        }
        assert!(subjects().all(|(_, checks)| checks.is_sorted_by_key(|check| check.code)));
    }
}
