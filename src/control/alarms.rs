//! What is wrong with this machine and its files: a log that cannot be written, a file that is refused. Shown in status,
//! metrics, log and watch; cleared when it is mended. What is wrong with endpoints follows from the log: see `concerns`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::alarm::{Alarm, Severity};

/// Changes that a slow listener may lie behind. A guess: alarms are few.
const CHANGE_COUNT_MAX: usize = 256;

/// What an alarm is of: a pool, a file, a vantage; empty where there is but one.
pub type Subject = Box<str>;

/// Alarms that stand, with their words.
pub type Standing = BTreeMap<(Alarm, Subject), String>;

/// An alarm was raised, or cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub alarm: Alarm,
    /// Of what.
    pub subject: Subject,
    /// Its words; none when it is cleared.
    pub raised: Option<String>,
}

/// The alarms of this server.
#[derive(Clone, Debug)]
pub struct Alarms {
    standing: Arc<Mutex<Standing>>,
    changes: broadcast::Sender<Change>,
}

impl Default for Alarms {
    fn default() -> Alarms {
        Alarms { standing: Arc::default(), changes: broadcast::channel(CHANGE_COUNT_MAX).0 }
    }
}

impl Alarms {
    /// Raises an alarm, or words it anew. Logged once, when it is new.
    pub fn raise(&self, alarm: Alarm, words: impl Into<String>) {
        self.insert(&mut self.lock(), alarm, "", words.into());
    }

    /// As [`Alarms::raise`], of one subject of several.
    pub fn raise_of(&self, alarm: Alarm, subject: &str, words: impl Into<String>) {
        self.insert(&mut self.lock(), alarm, subject, words.into());
    }

    /// Takes the alarm of one subject down; nothing happens if it does not stand.
    pub fn clear_of(&self, alarm: Alarm, subject: &str) {
        if self.lock().remove(&(alarm, subject.into())).is_some() {
            self.tell(Change { alarm, subject: subject.into(), raised: None });
        }
    }

    /// Takes an alarm down; nothing happens if it does not stand.
    pub fn clear(&self, alarm: Alarm) {
        self.settle(alarm, Vec::new());
    }

    /// Has exactly these stand of one alarm, each of its own subject.
    pub fn settle(&self, alarm: Alarm, wanted: Vec<(Subject, String)>) {
        let mut standing = self.lock();
        let of = |subject: &Subject| wanted.iter().any(|(wanted, _)| wanted == subject);
        let gone: Vec<_> =
            standing.keys().filter(|(a, s)| *a == alarm && !of(s)).cloned().collect();
        for (alarm, subject) in gone {
            standing.remove(&(alarm, subject.clone()));
            self.tell(Change { alarm, subject, raised: None });
        }
        for (subject, words) in wanted {
            self.insert(&mut standing, alarm, &subject, words);
        }
    }

    /// The alarms that stand.
    pub fn standing(&self) -> Standing {
        self.lock().clone()
    }

    /// The alarms that stand, and every change from then on.
    pub fn follow(&self) -> (Standing, broadcast::Receiver<Change>) {
        let standing = self.lock();
        (standing.clone(), self.changes.subscribe())
    }

    fn insert(&self, standing: &mut Standing, alarm: Alarm, subject: &str, words: String) {
        if standing.insert((alarm, subject.into()), words.clone()).is_none() {
            self.tell(Change { alarm, subject: subject.into(), raised: Some(words) });
        }
    }

    fn tell(&self, change: Change) {
        change.log();
        // Nobody may listen.
        let _ = self.changes.send(change);
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Change {
    /// Writes it to the log of this process.
    pub fn log(&self) {
        let Change { alarm, subject, raised } = self;
        let (name, severity) = (alarm.code(), alarm.severity());
        match raised {
            Some(words) if severity == Severity::Info => {
                tracing::info!(event = "alarm", name, %subject, words);
            }
            Some(words) => tracing::error!(event = "alarm", name, %subject, words),
            None => tracing::info!(event = "alarm-cleared", name, %subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(alarms: &Alarms) -> Vec<String> {
        let standing = alarms.standing();
        standing.iter().map(|((a, s), words)| format!("{a} {s} {words}")).collect()
    }

    #[test]
    fn an_alarm_stands_until_it_is_cleared() {
        let alarms = Alarms::default();
        alarms.raise(Alarm::LogUnwritable, "disk full");
        let (standing, mut changes) = alarms.follow();
        assert_eq!(standing.len(), 1);
        alarms.raise(Alarm::LogUnwritable, "disk still full");
        assert_eq!(codes(&alarms), ["log-unwritable  disk still full"]);
        alarms.clear(Alarm::LogUnwritable);
        alarms.clear(Alarm::LogUnwritable);
        assert!(codes(&alarms).is_empty());
        assert_eq!(changes.try_recv().map(|change| change.raised), Ok(None));
        assert!(changes.try_recv().is_err(), "told once");
    }

    #[test]
    fn alarms_of_several_subjects_come_and_go_each_by_itself() {
        let alarms = Alarms::default();
        let two = vec![("a".into(), "1".to_owned()), ("b".into(), "2".to_owned())];
        alarms.settle(Alarm::DatabaseRefused, two);
        let (_, mut changes) = alarms.follow();
        alarms.settle(Alarm::DatabaseRefused, vec![("b".into(), "3".to_owned())]);
        assert_eq!(codes(&alarms), ["database-refused b 3"]);
        assert_eq!(changes.try_recv().map(|change| change.subject), Ok("a".into()));
        assert!(changes.try_recv().is_err(), "b stood before");
    }
}
