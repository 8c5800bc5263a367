//! What the files give alarm for: those that are refused, what the guard holds, a pin that stands.

use crate::alarm::Alarm;
use crate::fileset::is_database;

use super::alarms::{Alarms, Subject};
use super::publication::{Findings, Publication};

/// Files and zones that are named in an alarm; of the others the count is told.
const NAMED_COUNT: usize = 3;

/// Raises and clears what a look at the files gives.
pub fn looked(alarms: &Alarms, findings: &Findings) {
    let (databases, files): (Vec<_>, Vec<_>) =
        findings.refused.iter().map(|refused| &refused.path).partition(|path| is_database(path));
    let refused = |path: &String| {
        let words = format!("{path} is refused; the one before it serves, if there was one");
        (Subject::from(path.as_str()), words)
    };
    alarms.settle(Alarm::DatabaseRefused, databases.into_iter().map(refused).collect());
    let files: Vec<&str> = files.into_iter().map(String::as_str).collect();
    one(alarms, Alarm::FilesRefused, &files, "refused; last good forms serve");
    let held = findings.held.as_ref().map(|(number, held)| {
        let words = format!(
            "the guard holds {} zone(s) at their last good form; homing accept {number} lets go",
            held.len()
        );
        (Subject::default(), words)
    });
    alarms.settle(Alarm::ChangeHeld, held.into_iter().collect());
}

/// Raises and clears what a publication gives.
pub fn published(alarms: &Alarms, publication: &Publication) {
    let broken: Vec<&str> = publication.parts.summary.broken.iter().map(String::as_str).collect();
    one(alarms, Alarm::ZoneBroken, &broken, "never loaded; queries get SERVFAIL");
    let pin = publication.pin.as_ref().map(|pin| {
        let words = format!(
            "generation {} is pinned: {} ({}); back with: homing resume",
            pin.generation, pin.why, pin.who
        );
        (Subject::default(), words)
    });
    alarms.settle(Alarm::Pinned, pin.into_iter().collect());
}

/// One alarm for all that is listed; none if nothing is.
fn one(alarms: &Alarms, alarm: Alarm, list: &[&str], what: &str) {
    let named = list.iter().take(NAMED_COUNT).copied().collect::<Vec<&str>>().join(", ");
    let more = match list.len().saturating_sub(NAMED_COUNT) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match list.is_empty() {
        true => alarms.clear(alarm),
        false => alarms.raise(alarm, format!("{named}{more}: {what}")),
    }
}
