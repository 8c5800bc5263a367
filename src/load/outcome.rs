//! What the server did about each mistake, in words, and the order in which all is told.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::number::Serial;
use crate::zone::Name;

use super::bind::hint_warning;
use super::forms::{Form, is_zone_file};
use super::retreat::Choice;

/// `said` with what became of the file at its root, whose zone now serves with `serial`.
fn told(said: Diagnostic, path: &str, choice: &Choice<'_>, serial: Option<Serial>) -> Diagnostic {
    if !said.is_error() || !said.consequence.is_empty() {
        return said;
    }
    let serves = choice.files.get(path).is_some();
    let text = match (is_zone_file(path), serves, serial) {
        (true, true, Some(serial)) => {
            format!("the zone was not loaded; serial {} stays in service", serial.0)
        }
        (true, ..) => {
            "the file was refused; the zone is not served: queries get SERVFAIL (EDE 14)".to_owned()
        }
        (false, true, _) => {
            "the change was refused; the last good form of the file stays in service".to_owned()
        }
        (false, false, _) if path.starts_with("zones/") => {
            "the file was refused; the names that it routes get their default RRsets".to_owned()
        }
        (false, false, _) => "the file was refused; the server goes on without it".to_owned(),
    };
    said.consequence(text)
}

/// All that the faults of `choice` said, told. `forms` are those that serve of the files at their roots, in path order.
pub(super) fn all_told(choice: &Choice<'_>, forms: &[Arc<Form>]) -> Vec<Diagnostic> {
    let serial = |path: &str| {
        let at = forms.binary_search_by(|form| form.path.as_str().cmp(path)).ok()?;
        forms.get(at)?.zone.as_ref()?.serial()
    };
    let said = choice.said().iter();
    said.map(|(path, said)| told(said.clone(), path, choice, serial(path))).collect()
}

/// Two files hold one zone.
pub(super) fn apex_taken(path: &str, apex: &Name, first: &str) -> Diagnostic {
    let what = format!(
        "{first} holds {apex} already: of two files with one apex the later path is refused"
    );
    Diagnostic::error("apex-defined-twice", Place::file(path), what)
        .help("keep the zone in one file")
}

/// A warning for every record whose address hints are left out.
pub(super) fn hint_warnings<'f>(
    forms: impl Iterator<Item = &'f Arc<Form>>,
    is_routed: impl Fn(&Name) -> bool,
) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for form in forms.filter(|form| form.zone.is_some()) {
        for hinted in form.hinted.iter().filter(|h| is_routed(&h.target)) {
            said.push(hint_warning(&form.path, hinted.line, &hinted.owner, &hinted.target));
        }
    }
    said
}

/// In order of place, each thing said once.
pub(super) fn in_order(mut said: Vec<Diagnostic>) -> Vec<Diagnostic> {
    said.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
    said.dedup();
    said
}
