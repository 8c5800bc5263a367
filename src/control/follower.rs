//! A follower: one who is told everything after a revision, from the log first, then as it happens.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::history::{Backlog, Earlier, LogError};
use crate::number::Revision;

use super::changefeed::{After, Changefeed, Told};
use super::witness::Witness;

/// Events that are handed over at once.
const BATCH_LEN_MAX: usize = 64;

/// Follows the changefeed from a position of its own.
pub struct Follower {
    feed: Changefeed,
    told: watch::Receiver<Revision>,
    position: Revision,
    /// What is under way from the log.
    past: Option<Past>,
}

/// Earlier events, read and told again.
struct Past {
    witness: Witness,
    /// Told, and not handed over.
    ready: std::vec::IntoIter<Arc<Told>>,
    _turn: OwnedSemaphorePermit,
}

/// Why there is no going on from a position.
#[derive(Debug)]
pub enum Lost {
    /// The log no longer tells what came after it; the oldest revision after which it does, if any.
    TooOld(Option<Revision>),
    /// The log cannot be read, and why.
    Unreadable(String),
}

impl Follower {
    /// Follows from `position`: what comes after it is told.
    pub fn new(feed: Changefeed, position: Revision) -> Follower {
        Follower { told: feed.told(), feed, position, past: None }
    }

    /// What comes next, at most some dozens of events; nothing if nothing has happened since. Waits for the disk only.
    /// Not to be cancelled: what was read would be read again.
    pub async fn take(&mut self) -> Result<Vec<Arc<Told>>, Lost> {
        loop {
            let batch: Vec<Arc<Told>> = match &mut self.past {
                Some(past) => past.ready.by_ref().take(BATCH_LEN_MAX).collect(),
                None => Vec::new(),
            };
            if let Some(last) = batch.last() {
                self.position = last.revision();
                return Ok(batch);
            }
            if let After::Here(batch) = self.feed.after(self.position, BATCH_LEN_MAX) {
                self.past = None;
                self.position = batch.last().map_or(self.position, |last| last.revision());
                return Ok(batch);
            }
            self.read().await?;
        }
    }

    /// Waits until something may have happened. May be cancelled.
    pub async fn changed(&mut self) {
        let position = self.position;
        // Without a feed the server ends, and whoever follows hears that.
        let _ = self.told.wait_for(|told| *told > position).await;
    }

    /// Reads the next piece of the log. Its turn is kept until the newest events are reached.
    async fn read(&mut self) -> Result<(), Lost> {
        let Some(state) = self.feed.log().map(std::path::Path::to_owned) else {
            return Err(Lost::Unreadable("there is no event log; status says why".to_owned()));
        };
        let (past, position) = (self.past.take(), self.position);
        let turn = match past {
            Some(past) => Ok(past),
            None => Err(self.feed.readers().acquire_owned().await.map_err(unreadable)?),
        };
        // As far as it was told: all of that is durable.
        let until = *self.told.borrow();
        let read = tokio::task::spawn_blocking(move || {
            let backlog = Backlog::of(&state);
            let mut past = match turn {
                Ok(past) => past,
                Err(turn) => Past::begin(&backlog, position, turn)?,
            };
            past.read_on(&backlog, until)?;
            Ok::<Past, Lost>(past)
        });
        self.past = Some(read.await.map_err(unreadable)??);
        Ok(())
    }
}

impl Past {
    fn begin(
        backlog: &Backlog,
        position: Revision,
        turn: OwnedSemaphorePermit,
    ) -> Result<Past, Lost> {
        match backlog.state_after(position) {
            Ok(Earlier::Kept(state)) => {
                let ready = Vec::new().into_iter();
                Ok(Past { witness: Witness::of(*state), ready, _turn: turn })
            }
            Ok(Earlier::Gone(oldest)) => Err(Lost::TooOld(oldest)),
            Err(error) => Err(Lost::from(error)),
        }
    }

    fn read_on(&mut self, backlog: &Backlog, until: Revision) -> Result<(), Lost> {
        let events = backlog.after(self.witness.state(), until)?.ok_or(Lost::TooOld(None))?;
        let told = events.iter().map(|timed| Arc::new(Told::new(self.witness.see(timed))));
        self.ready = told.collect::<Vec<_>>().into_iter();
        Ok(())
    }
}

fn unreadable(error: impl std::fmt::Display) -> Lost {
    Lost::Unreadable(error.to_string())
}

impl From<LogError> for Lost {
    fn from(error: LogError) -> Lost {
        unreadable(error)
    }
}
