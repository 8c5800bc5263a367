//! What an answer would be from an earlier state: its files built again, beside what serves, one at a time.
//!
//! Never: publishes; it has a builder of its own, which is gone afterwards.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::{At, timestamp};
use crate::ask::Scene;
use crate::fileset::FileSet;
use crate::health::{LogTime, State};
use crate::history::{Archive, Restored, StoreError, state_at};
use crate::load::{Builder, Config, Removals, Scan};
use crate::number::{Generation, Revision};

use super::wish::Unmet;

/// Sees earlier states. A whole state of files is compiled for each look: as much memory again as what serves.
#[derive(Clone)]
pub struct Hindsight {
    config: Config,
    free: Arc<Semaphore>,
}

/// An earlier state to ask about.
pub struct Earlier {
    /// What answers.
    pub scene: Scene,
    /// Its files, as far as they tell who knows a client.
    pub files: Option<FileSet>,
    /// The generation.
    pub generation: Generation,
    /// The position in the log that the verdicts are of.
    pub revision: Revision,
    /// Which files and which verdicts these are, in words.
    pub words: String,
    /// The hash of the whole state; empty of an earlier one, whose digest nobody kept.
    pub digest: String,
}

impl Hindsight {
    /// Sees what the state folder of `config` keeps.
    pub fn new(config: Config) -> Hindsight {
        Hindsight { config, free: Arc::new(Semaphore::new(1)) }
    }

    /// The right to look back; none while somebody else does.
    pub fn claim(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }

    /// The state of `at`; `health` is that of now. Takes as long as a start does.
    pub fn see(&self, at: At, health: &State) -> Result<Earlier, Unmet> {
        let archive = Archive::open(&self.config.state).map_err(|error| unreadable(&error))?;
        let (number, then) = match at {
            At::Generation(number) => (Generation(number), None),
            At::Time(time) => (served_at(&archive, time)?, Some(time)),
        };
        if archive.entry(number).is_none() {
            return Err(Unmet::Unknown(Some(number), range(&archive)));
        }
        let restored = archive.read(number).map_err(|error| unreadable(&error))?;
        let Restored { entry, mut files, missing } = restored;
        let health_then = then.and_then(|time| self.health_of(time));
        let published = timestamp(LogTime(entry.time_millis));
        let mut words = format!(
            "files of generation {number}, published {published}; {}",
            whose_verdicts(then, health_then.as_ref())
        );
        let newest = || archive.read(archive.list().next()?.generation).ok();
        let now = if missing.is_empty() { None } else { newest() };
        for path in missing {
            let database = now.as_ref().and_then(|now| now.files.get(&path));
            let instead = if database.is_some() { "the one of now" } else { "none" };
            words.push_str(&format!("; {path} of then is no longer kept: {instead} stands in"));
            files.files.extend(database.map(|file| (path, file.clone())));
        }
        let health = health_then.unwrap_or_else(|| health.clone());
        let revision = health.revision();
        let mut builder = Builder::new(&self.config);
        let built = builder.build(&Scan::from(files.clone()), &files, Removals::Settled);
        let scene = Scene::with_health(&built.parts, number, health);
        let (files, digest) = (Some(files), String::new());
        Ok(Earlier { scene, files, generation: number, revision, words, digest })
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

fn whose_verdicts(then: Option<LogTime>, told: Option<&State>) -> String {
    let all = "verdicts, drains and overrides";
    match (then, told) {
        (None, _) => format!("{all} are those of now"),
        (Some(_), Some(then)) => format!("{all} are those of then, revision {}", then.revision()),
        (Some(_), None) => format!("the log no longer tells of then: {all} are those of now"),
    }
}

fn served_at(archive: &Archive, time: LogTime) -> Result<Generation, Unmet> {
    let oldest = || archive.list().next_back().map(|entry| LogTime(entry.time_millis));
    let entry = archive.at(time.0).ok_or_else(|| Unmet::Before(time, oldest()))?;
    Ok(entry.generation)
}

fn range(archive: &Archive) -> Option<(Generation, Generation)> {
    let mut list = archive.list().map(|entry| entry.generation);
    let newest = list.next()?;
    Some((list.next_back().unwrap_or(newest), newest))
}

fn unreadable(error: &StoreError) -> Unmet {
    Unmet::Unreadable(error.to_string())
}
