//! `homing probe --check`: every mistake of a probe.toml, and what it would look at.

use crate::diagnostic::{Diagnostic, Severity};
use crate::probe::Assignment;

use super::args::ProbeArgs;
use super::failure::{EXIT_CANNOT_RUN, EXIT_REFUSED, Failure};
use super::paint::print;

/// Exits 0 without errors, 1 with, 2 when there is no file to check.
pub fn check(args: &ProbeArgs) -> Result<u8, Failure> {
    let (text, code) = match Assignment::load(&args.config) {
        Ok((assignment, said)) => {
            let (endpoints, servers) = (assignment.targets.len(), assignment.receivers.len());
            let vantage = &assignment.vantage;
            let outcome = format!(
                "{vantage} would look at {} and tell {}",
                counted(endpoints, "endpoint"),
                counted(servers, "server")
            );
            (told(&said, &outcome), 0)
        }
        Err(said) => {
            let unread = said.iter().any(|d| d.code == "config-unreadable");
            let code = if unread { EXIT_CANNOT_RUN } else { EXIT_REFUSED };
            (told(&said, "it would not be taken"), code)
        }
    };
    print(&text);
    Ok(code)
}

fn told(said: &[Diagnostic], outcome: &str) -> String {
    let mut text: String = said.iter().map(|said| format!("{said}\n\n")).collect();
    let count = |severity| said.iter().filter(|d| d.severity == severity).count();
    let found = match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => "no mistakes".to_owned(),
        (errors, warnings) => {
            format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"))
        }
    };
    text.push_str(&format!("{found}: {outcome}\n"));
    text
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
