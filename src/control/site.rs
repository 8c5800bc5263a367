//! Whether this site is drained: one small file in `state/`, so that it survives a restart.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::alarm::Alarm;

use super::alarms::{Alarms, Subject};

/// The file's name within `state/`.
const FILE: &str = "site.json";

/// An operator's wish that this site be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteDrain {
    /// Whether it is drained.
    pub drained: bool,
    /// Why.
    #[serde(default)]
    pub why: String,
    /// Who.
    #[serde(default)]
    pub who: String,
}

/// The wish as it stands, and where it is kept.
#[derive(Clone, Debug)]
pub struct Site {
    path: PathBuf,
    alarms: Alarms,
    drain: Arc<Mutex<SiteDrain>>,
}

impl Site {
    /// Reads the wish from `state`. None is kept: not drained. One that makes no sense is said, and means not drained.
    pub fn open(state: PathBuf, alarms: Alarms) -> Site {
        let path = state.join(FILE);
        let read = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| e.to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(SiteDrain::default()),
            Err(error) => Err(error.to_string()),
        };
        let drain = read.unwrap_or_else(|error| {
            let file = path.display();
            tracing::error!(event = "site-drain-unreadable", %file, error, "taken as not drained");
            SiteDrain::default()
        });
        let site = Site { path, alarms, drain: Arc::new(Mutex::new(drain)) };
        site.tell(&site.drain());
        site
    }

    /// The wish as it stands.
    pub fn drain(&self) -> SiteDrain {
        self.drain.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the wish: durable first, then in force. Blocks on the disk.
    pub fn set(&self, drain: SiteDrain) -> Result<(), io::Error> {
        let mut held = self.drain.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.path.parent().ok_or(ErrorKind::InvalidInput)?;
        fs::create_dir_all(folder)?;
        let fresh = self.path.with_extension("json.new");
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(&drain)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        File::open(folder)?.sync_all()?;
        self.tell(&drain);
        *held = drain;
        Ok(())
    }

    fn tell(&self, drain: &SiteDrain) {
        let words = format!("this site is drained: {} ({})", drain.why, drain.who);
        let wish = drain.drained.then(|| (Subject::default(), words));
        self.alarms.settle(Alarm::SiteDrained, wish.into_iter().collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let site = Site::open(state.clone(), Alarms::default());
        assert!(!site.drain().drained && site.alarms.standing().is_empty());
        let wish = SiteDrain { drained: true, why: "fibre cut".into(), who: "ana".into() };
        site.set(wish.clone()).unwrap();
        assert_eq!(site.alarms.standing().len(), 1);
        assert_eq!(Site::open(state.clone(), Alarms::default()).drain(), wish);
        fs::write(state.join(FILE), "{").unwrap();
        assert!(!Site::open(state, Alarms::default()).drain().drained);
    }
}
