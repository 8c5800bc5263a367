//! Words to the operator: one shape for every mistake in a file, rendered in one place.
//!
//! A diagnostic answers four questions: where, what is wrong, what the server did about it, how to mend it.

use std::fmt;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file is refused; its last good form serves on.
    Error,
    /// The file serves, and something in it is probably not what was meant.
    Warning,
    /// Worth knowing, nothing to mend.
    Note,
}

impl Severity {
    /// The word that stands before the short name.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A place in a file. Lines and columns count from 1; a column counts characters; 0 means the whole file or line.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Path as the operator knows it, such as `zones/example.com.zone`.
    pub file: String,
    /// Line from 1, 0 for the whole file.
    pub line: u32,
    /// Column from 1, 0 for the whole line.
    pub column: u32,
}

impl Place {
    /// The whole of `file`.
    pub fn file(file: impl Into<String>) -> Place {
        Place { file: file.into(), line: 0, column: 0 }
    }

    /// A point in `file`.
    pub fn at(file: impl Into<String>, line: u32, column: u32) -> Place {
        Place { file: file.into(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// One mistake or remark, worded once for check, log, API and dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The stable short name, such as `cname-and-other-data`.
    pub code: &'static str,
    /// Where it is.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What the server did about it; empty until the loader knows.
    pub consequence: String,
    /// How to mend it; may cite the clause.
    pub help: String,
    /// The source line at `place`, for a caret; empty when there is none.
    pub excerpt: String,
}

impl Diagnostic {
    /// An error: the file is refused.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, place, message)
    }

    /// A warning: the file serves.
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, place, message)
    }

    fn new(
        severity: Severity,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
    ) -> Diagnostic {
        let message = message.into();
        Diagnostic {
            severity,
            code,
            place,
            message,
            consequence: String::new(),
            help: String::new(),
            excerpt: String::new(),
        }
    }

    /// The same with `help`.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = help.into();
        self
    }

    /// The same with what the server did about it.
    pub fn consequence(mut self, consequence: impl Into<String>) -> Diagnostic {
        self.consequence = consequence.into();
        self
    }

    /// The same with the source line for the caret, taken out of the whole `text` of the file.
    pub fn excerpt_from(mut self, text: &[u8]) -> Diagnostic {
        if self.place.line > 0 {
            let line =
                text.split(|&b| b == b'\n').nth(self.place.line as usize - 1).unwrap_or_default();
            self.excerpt = String::from_utf8_lossy(line).trim_end().chars().take(200).collect();
        }
        self
    }

    /// Whether it refuses its file.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text =
            format!("{}: {}[{}]: {}", self.place, self.severity.word(), self.code, self.message);
        if !self.excerpt.is_empty() {
            text.push_str(&format!("\n  | {}", self.excerpt));
            text.push_str(&self.caret().map(|caret| format!("\n  | {caret}")).unwrap_or_default());
        }
        if !self.consequence.is_empty() {
            text.push_str(&format!("\n  {}", self.consequence));
        }
        if !self.help.is_empty() {
            text.push_str(&format!("\n  help: {}", self.help));
        }
        // A file, and so whatever quotes it, may hold what a terminal would obey.
        let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        f.write_str(&text.replace(obeyed, "\u{fffd}"))
    }
}

impl Diagnostic {
    /// The line below the excerpt; none where the excerpt was cut short before the column.
    fn caret(&self) -> Option<String> {
        let count = (self.place.column as usize).checked_sub(1)?;
        // A tab stays a tab, so that the caret stands under its column in any terminal.
        let before = self.excerpt.chars().take(count).map(|c| if c == '\t' { '\t' } else { ' ' });
        let pad: String = before.collect();
        (pad.len() == count).then(|| format!("{pad}^"))
    }
}

/// Whether any of them refuses a file.
pub fn has_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_answers_its_four_questions() {
        let text = b"$TTL 300\nwww\tIN CNAME app\nwww\tIN A 192.0.2.1\n";
        let shown = Diagnostic::error(
            "cname-and-other-data",
            Place::at("zones/a.zone", 3, 8),
            "www.a. has both",
        )
        .excerpt_from(text)
        .consequence("the zone was not loaded")
        .help("remove one of the two (RFC 1034 §3.6.2)")
        .to_string();
        assert_eq!(
            shown,
            "zones/a.zone:3:8: error[cname-and-other-data]: www.a. has both\n  | www\tIN A 192.0.2.1\n  |    \t   ^\n  \
             the zone was not loaded\n  help: remove one of the two (RFC 1034 §3.6.2)"
        );
    }

    #[test]
    fn excerpts_neither_command_a_terminal_nor_point_beyond_their_end() {
        let text = format!("a\u{1b}[2J\tTXT {} \\999\n", "word ".repeat(60));
        let at = |column| Diagnostic::error("x", Place::at("z", 1, column), "m");
        let shown = |column| at(column).excerpt_from(text.as_bytes()).to_string();
        assert!(shown(7).contains("\n  | a\u{fffd}[2J\tTXT word word"), "{}", shown(7));
        assert!(shown(7).ends_with("\n  |      \t^"), "{}", shown(7));
        assert_eq!(shown(320).lines().count(), 2, "{}", shown(320));
        let quoting = Diagnostic::error("x", Place::file("z"), "`$\u{1b}]0;` is no directive");
        assert_eq!(quoting.to_string(), "z: error[x]: `$\u{fffd}]0;` is no directive");
    }
}
