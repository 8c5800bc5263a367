//! One thing that can be said of a file, by its stable short name: its story, for who meets it first.

use super::message::Severity;

/// It refuses its file.
pub const ERROR: &[Severity] = &[Severity::Error];
/// Its file serves.
pub const WARNING: &[Severity] = &[Severity::Warning];
/// Nothing has to be mended.
pub const NOTE: &[Severity] = &[Severity::Note];
/// An error where it would harm, else a warning.
pub const EITHER: &[Severity] = &[Severity::Error, Severity::Warning];

/// What a short name stands for. All texts are plain; an example may have several lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// The stable short name, such as `cname-and-other-data`.
    pub code: &'static str,
    /// How much it matters, the gravest first.
    pub severities: &'static [Severity],
    /// What is so, in one line.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The mistake, as it may stand in a file.
    pub wrong: &'static str,
    /// The same, mended.
    pub right: &'static str,
    /// Where it is written: a clause of an RFC, or of our own design.
    pub clause: &'static str,
}

impl Check {
    /// How much it matters at worst.
    pub fn severity(&self) -> Severity {
        self.severities.iter().copied().min().unwrap_or(Severity::Note)
    }
}
