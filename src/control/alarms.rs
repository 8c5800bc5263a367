//! What is wrong with this machine: a log that cannot be written, a folder that is not ours. Shown in status, metrics,
//! log; cleared when it is mended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The alarms that stand, by a stable short name.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    standing: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Alarms {
    /// Raises an alarm, or words it anew. Logged once, when it is new.
    pub fn raise(&self, name: &'static str, words: impl Into<String>) {
        let words = words.into();
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.insert(name, words.clone()).is_none() {
            tracing::error!(event = "alarm", name, words);
        }
    }

    /// Takes an alarm down; nothing happens if it does not stand.
    pub fn clear(&self, name: &'static str) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.remove(name).is_some() {
            tracing::info!(event = "alarm-cleared", name);
        }
    }

    /// The alarms that stand: name and words.
    pub fn standing(&self) -> Vec<(&'static str, String)> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.iter().map(|(name, words)| (*name, words.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Alarms;

    #[test]
    fn an_alarm_stands_until_it_is_cleared() {
        let alarms = Alarms::default();
        alarms.raise("log-unwritable", "disk full");
        alarms.raise("log-unwritable", "disk still full");
        assert_eq!(alarms.standing(), [("log-unwritable", "disk still full".to_owned())]);
        alarms.clear("log-unwritable");
        assert!(alarms.standing().is_empty());
    }
}
