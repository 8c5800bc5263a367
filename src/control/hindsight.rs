//! What an answer would be from an earlier state: its files built again, beside what serves, one at a time.
//!
//! Never: publishes; it has a builder of its own, which is gone afterwards.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::{At, timestamp};
use crate::ask::Scene;
use crate::health::{LogTime, State};
use crate::history::{Restored, state_at};
use crate::load::{Builder, Config, Removals, Scan};
use crate::number::{Generation, Revision};

use super::past::Past;
use super::wish::Unmet;

/// Sees earlier states. A whole state of files is compiled for each look: as much memory again as what serves.
#[derive(Clone)]
pub struct Hindsight {
    config: Config,
    past: Past,
    free: Arc<Semaphore>,
}

/// An earlier state to ask about.
pub struct Earlier {
    /// What answers.
    pub scene: Scene,
    /// The generation.
    pub generation: Generation,
    /// The position in the log that the verdicts are of.
    pub revision: Revision,
    /// Which files and which verdicts these are, in words.
    pub words: String,
}

impl Hindsight {
    /// Sees what `past` keeps.
    pub fn new(config: Config, past: Past) -> Hindsight {
        Hindsight { config, past, free: Arc::new(Semaphore::new(1)) }
    }

    /// The right to look back; none while somebody else does.
    pub fn claim(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }

    /// The state of `at`; `health` is that of now. Takes as long as a start does.
    pub fn see(&self, at: At, health: &State) -> Result<Earlier, Unmet> {
        let (number, then) = match at {
            At::Generation(number) => (Generation(number), None),
            At::Time(time) => (self.past.at(time)?, Some(time)),
        };
        let Restored { entry, mut files, missing } = self.past.read(number)?;
        let health_then = then.and_then(|time| self.health_of(time));
        let verdicts = match (then, &health_then) {
            (None, _) => "verdicts, drains and overrides are those of now".to_owned(),
            (Some(_), None) => {
                "the log no longer tells of then: verdicts, drains and overrides are those of now"
                    .to_owned()
            }
            (Some(_), Some(then)) => {
                format!(
                    "verdicts, drains and overrides are those of then, revision {}",
                    then.revision()
                )
            }
        };
        let published = timestamp(LogTime(entry.time_millis));
        let mut words = format!("files of generation {number}, published {published}; {verdicts}");
        for path in missing {
            let now = self.past.database(&path);
            let instead = if now.is_some() { "the one of now" } else { "none" };
            words.push_str(&format!("; {path} of then is no longer kept: {instead} stands in"));
            files.files.extend(now.map(|file| (path, file)));
        }
        let health = health_then.unwrap_or_else(|| health.clone());
        let revision = health.revision();
        let mut builder = Builder::new(&self.config);
        let built = builder.build(&Scan::from(files.clone()), &files, Removals::Settled);
        let scene = Scene::with_health(&built.parts, number, health);
        Ok(Earlier { scene, generation: number, revision, words })
    }

    /// What health remembered at a time; none where the log does not tell.
    fn health_of(&self, time: LogTime) -> Option<State> {
        let state = state_at(&self.config.state, time);
        state.unwrap_or_else(|error| {
            tracing::warn!(event = "log-unreadable", %error, "an earlier state is not told");
            None
        })
    }
}
