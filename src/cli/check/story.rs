//! `homing check --explain`: the story of one check, or the names of all.

use crate::diagnostic::{Check, Severity, find, subjects, words_like};

use super::super::failure::Failure;
use super::super::paint::{Colour, Columns, Paint};

/// Columns of a paragraph.
const WIDTH: usize = 76;

/// The story of the check called `name`; of all, their names.
pub fn explain(name: &str, paint: Paint) -> Result<String, Failure> {
    if name == "list" {
        return Ok(list(paint));
    }
    find(name).map(|check| story(check, paint)).ok_or_else(|| {
        let known: Vec<&str> =
            subjects().flat_map(|(_, checks)| checks).map(|check| check.code).collect();
        let near = words_like(name, &known).join(", ");
        let offer = if near.is_empty() { String::new() } else { format!("did you mean {near}? ") };
        let help = "homing check --explain names all";
        Failure::cannot_run(format!("there is no check `{name}`; {offer}{help}"))
    })
}

fn list(paint: Paint) -> String {
    let mut text = String::new();
    for (subject, checks) in subjects() {
        let mut columns = Columns::default();
        for check in checks {
            columns.row([(check.code, Colour::of(check.severity())), (check.title, Colour::Plain)]);
        }
        text.push_str(&format!(
            "{}\n{}\n",
            paint.text(Colour::Bold, subject),
            columns.render(paint)
        ));
    }
    text.push_str("homing check --explain NAME tells the story of one\n");
    text
}

fn story(check: &Check, paint: Paint) -> String {
    let severities: Vec<&str> = check.severities.iter().map(|severity| severity.word()).collect();
    let severity = paint.text(Colour::of(check.severity()), &severities.join(" or "));
    let code = paint.text(Colour::Bold, check.code);
    let mut text = format!("{code} ({severity}): {}\n\n", check.title);
    for line in folded(check.why) {
        text.push_str(&format!("  {line}\n"));
    }
    let examples = [("as it may stand there", check.wrong), ("mended", check.right)];
    for ((what, example), colour) in examples.into_iter().zip([Colour::Red, Colour::Green]) {
        text.push_str(&format!("\n  {}\n", paint.text(Colour::Dim, what)));
        for line in example.lines() {
            text.push_str(&format!("    {}\n", paint.text(colour, line)));
        }
    }
    let what_it_does = match check.severity() {
        Severity::Error => "an error refuses its file; the last good form of it serves on",
        Severity::Warning => "a warning refuses nothing; --deny-warnings makes check fail for it",
        Severity::Note => "a note is worth knowing and fails nothing",
    };
    text.push_str(&format!("\n  {what_it_does}\n  {}\n", paint.text(Colour::Dim, check.clause)));
    text
}

/// A paragraph in lines, broken at blanks.
fn folded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_answers_what_why_and_how() {
        let told = explain("spf-doubled", Paint::plain()).unwrap();
        assert!(
            told.starts_with("spf-doubled (warning): a domain has two SPF records\n"),
            "{told}"
        );
        for part in ["permanent error", "v=spf1 mx -all", "mended", "RFC 7208 §4.5"] {
            assert!(told.contains(part), "{told}");
        }
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    }

    #[test]
    fn an_unknown_name_is_met_with_those_like_it() {
        let failure = explain("spf-dubled", Paint::plain()).unwrap_err();
        assert!(failure.line.contains("did you mean spf-doubled"), "{}", failure.line);
        assert_eq!(failure.code, 2);
        assert!(!explain("xyz", Paint::plain()).unwrap_err().line.contains("did you mean"));
        let all = explain("list", Paint::plain()).unwrap();
        assert!(all.contains("\nSigned zones\n  dnskey-missing "), "{all}");
    }
}
