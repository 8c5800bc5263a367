//! When to look at the files: hints, requests and quiet times into moments. Pure but for the channel.
//!
//! Owns:  the waiting times between a change of a file and the look at it.
//! Never: looks itself.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::api::{PublishedBody, Reloaded};
use crate::load::ReadAgain;

use super::touched::{Told, Touched};
use super::wish::{Unmet, Wished};

/// Changes within this time of one another are one change.
const QUIET: Duration = Duration::from_millis(75);

/// A look waits at most this long for quiet: a folder that is always written is looked at all the same.
const UNQUIET_MAX: Duration = Duration::from_secs(1);

/// The removal of a file takes effect after this much quiet (DESIGN rule 4.5).
const REMOVAL_QUIET: Duration = Duration::from_secs(5);

/// After this much quiet, a file of which only a change was read is read as a whole, for what else is to be said of it.
const SECOND_QUIET: Duration = Duration::from_secs(2);

/// How often the files are swept for changes that no hint told of.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Where there are so many files that a look at all of them takes long, sweeps take no more than this part of the time.
const SWEEP_PART: u32 = 50;

/// Old snapshots that may wait for their last reader before another look follows.
const RETIRED_MAX: usize = 4;

/// How long a look waits for them at most; a reader refreshes within a second.
const RETIRED_WAIT_MAX: Duration = Duration::from_secs(2);

/// How soon they are counted again.
const RETIRED_AGAIN: Duration = Duration::from_millis(10);

/// Requests that may wait. A hint beyond them changes nothing: a look is due anyway.
const QUEUE_LEN: usize = 256;

/// What somebody asks of the one who looks.
pub enum Request {
    /// Something may have changed.
    Hint,
    /// Look now, and tell what came of it.
    Now(oneshot::Sender<Reloaded>),
    /// Do what an operator wishes, at once.
    Fulfil(Box<Wished>, oneshot::Sender<Result<PublishedBody, Unmet>>),
    /// Files that were to be read as a whole were.
    ReadAgain(Box<ReadAgain>),
    /// The end.
    Stop,
}

/// Asks for looks.
#[derive(Clone, Debug)]
pub struct Looks {
    sender: SyncSender<Request>,
    /// What hints told of.
    touched: Touched,
}

impl Looks {
    /// A way to ask for looks, and where the requests arrive.
    pub fn channel() -> (Looks, Receiver<Request>) {
        let (sender, receiver) = sync_channel(QUEUE_LEN);
        (Looks { sender, touched: Touched::default() }, receiver)
    }

    /// What was hinted at since this was asked last.
    pub fn take_touched(&self) -> Told {
        self.touched.take()
    }

    /// Something may have changed, nobody knows where. Never blocks.
    pub fn hint(&self) {
        self.touched.anywhere();
        self.send_hint();
    }

    /// Something changed at these paths. Never blocks.
    pub fn hint_at(&self, paths: impl IntoIterator<Item = PathBuf>) {
        self.touched.at(paths);
        self.send_hint();
    }

    fn send_hint(&self) {
        // Full: enough of them wait already. Disconnected: the server ends.
        let _ = self.sender.try_send(Request::Hint);
    }

    /// Has the files looked at now; the outcome arrives when it is served or refused. None if too many ask.
    pub fn now(&self) -> Option<oneshot::Receiver<Reloaded>> {
        let (reply, outcome) = oneshot::channel();
        match self.sender.try_send(Request::Now(reply)) {
            Ok(()) => Some(outcome),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => None,
        }
    }

    /// Has a wish fulfilled; the outcome arrives when it is served or not met. None if too many ask.
    pub fn fulfil(
        &self,
        wished: Wished,
    ) -> Option<oneshot::Receiver<Result<PublishedBody, Unmet>>> {
        let (reply, outcome) = oneshot::channel();
        let request = Request::Fulfil(Box::new(wished), reply);
        self.sender.try_send(request).ok().map(|()| outcome)
    }

    /// Gives what was read as a whole.
    pub fn read_again(&self, read: ReadAgain) {
        // Disconnected: the server ends.
        let _ = self.sender.send(Request::ReadAgain(Box::new(read)));
    }

    /// Ends whoever looks.
    pub fn stop(&self) {
        let _ = self.sender.send(Request::Stop);
    }
}

/// When the next look is due.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    hinted_first: Option<Instant>,
    hinted_last: Option<Instant>,
    removal_at: Option<Instant>,
    second_at: Option<Instant>,
    sweep_at: Instant,
}

impl Schedule {
    /// After a first look at `now`.
    pub fn new(now: Instant) -> Schedule {
        let (hinted_first, hinted_last) = (None, None);
        let (removal_at, second_at) = (None, None);
        let sweep_at = now + SWEEP_EVERY;
        Schedule { hinted_first, hinted_last, removal_at, second_at, sweep_at }
    }

    /// Takes a hint at `now`.
    pub fn hint(&mut self, now: Instant) {
        self.hinted_first.get_or_insert(now);
        self.hinted_last = Some(now);
        // A removal waits for quiet, and this was none.
        self.removal_at = self.removal_at.map(|_| now + REMOVAL_QUIET);
    }

    /// When to look next.
    pub fn due(&self) -> Instant {
        let hinted = self.hinted_last.zip(self.hinted_first);
        let hinted = hinted.map(|(last, first)| (last + QUIET).min(first + UNQUIET_MAX));
        [hinted, self.removal_at, self.second_at]
            .into_iter()
            .flatten()
            .fold(self.sweep_at, Instant::min)
    }

    /// Whether a file that is gone at `now` has been gone long enough.
    pub fn is_removal_due(&self, now: Instant) -> bool {
        self.removal_at.is_some_and(|at| at <= now)
    }

    /// Whether it has been quiet long enough at `now` to read changed files as a whole.
    pub fn is_second_due(&self, now: Instant) -> bool {
        self.second_at.is_some_and(|at| at <= now)
    }

    /// After the look at `now`, `is_hasty` tells that only the changes of some file were read.
    pub fn await_second(&mut self, now: Instant, is_hasty: bool) {
        self.second_at = is_hasty.then_some(now + SECOND_QUIET);
    }

    /// Whether a look at all files is due at `now`, hints or not.
    pub fn is_sweep_due(&self, now: Instant) -> bool {
        self.sweep_at <= now
    }

    /// A look at all files was taken until `now`, and took so long.
    pub fn swept(&mut self, now: Instant, took: Duration) {
        self.sweep_at = now + SWEEP_EVERY.max(took * SWEEP_PART);
    }

    /// A look was taken at `now`; `awaits_removal` if files were gone that still serve.
    pub fn looked(&mut self, now: Instant, awaits_removal: bool) {
        (self.hinted_first, self.hinted_last) = (None, None);
        self.removal_at = match awaits_removal {
            true => Some(self.removal_at.filter(|at| *at > now).unwrap_or(now + REMOVAL_QUIET)),
            false => None,
        };
    }
}

/// Puts looks off while old snapshots pile up, so that changes of files coalesce. Those of health do not wait for it, nor
/// do wishes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crowd {
    since: Option<Instant>,
}

impl Crowd {
    /// Until when a look that is `due` is put off at `now`, with so many old snapshots `retired`; none if it is not.
    pub fn puts_off(&mut self, due: Instant, retired: usize, now: Instant) -> Option<Instant> {
        if due > now || retired <= RETIRED_MAX {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(now);
        let is_long = now >= since + RETIRED_WAIT_MAX;
        (!is_long).then_some(now + RETIRED_AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn changes_close_together_are_one() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        assert_eq!(schedule.due(), start + SWEEP_EVERY);
        schedule.hint(start);
        schedule.hint(start + millis(50));
        assert_eq!(schedule.due(), start + millis(50) + QUIET);
        schedule.looked(start + millis(130), false);
        assert_eq!(schedule.due(), start + SWEEP_EVERY, "a glance puts off no sweep");
        schedule.swept(start + millis(130), millis(10));
        assert_eq!(schedule.due(), start + millis(130) + SWEEP_EVERY);
        assert!(!schedule.is_sweep_due(start + SWEEP_EVERY));
        assert!(schedule.is_sweep_due(start + millis(130) + SWEEP_EVERY));
        schedule.swept(start, millis(2000));
        assert_eq!(schedule.due(), start + millis(2000) * SWEEP_PART, "a part of the time");
    }

    #[test]
    fn a_folder_that_is_never_quiet_is_looked_at_within_a_second() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        for i in 0..40 {
            schedule.hint(start + millis(i * 50));
        }
        assert_eq!(schedule.due(), start + UNQUIET_MAX);
    }

    #[test]
    fn a_second_look_follows_the_last_change() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.hint(start);
        schedule.looked(start + QUIET, false);
        schedule.await_second(start + QUIET, true);
        assert_eq!(schedule.due(), start + QUIET + SECOND_QUIET);
        schedule.hint(start + millis(1000));
        schedule.looked(start + millis(1075), false);
        schedule.await_second(start + millis(1075), true);
        assert!(!schedule.is_second_due(start + QUIET + SECOND_QUIET));
        assert!(schedule.is_second_due(start + millis(1075) + SECOND_QUIET));
        schedule.await_second(start + millis(4000), false);
        assert!(!schedule.is_second_due(start + millis(9000)));
    }

    #[test]
    fn looks_wait_a_while_for_old_snapshots_to_go() {
        let start = Instant::now();
        let mut crowd = Crowd::default();
        assert_eq!(crowd.puts_off(start + millis(1), 9, start), None, "it is not due");
        assert_eq!(crowd.puts_off(start, 9, start), Some(start + RETIRED_AGAIN));
        assert_eq!(crowd.puts_off(start, RETIRED_MAX, start + millis(10)), None, "they went");
        let again = start + millis(20);
        assert_eq!(crowd.puts_off(start, 9, again), Some(again + RETIRED_AGAIN));
        assert!(crowd.puts_off(start, 9, again + RETIRED_WAIT_MAX - millis(1)).is_some());
        assert_eq!(crowd.puts_off(start, 9, again + RETIRED_WAIT_MAX), None, "long enough");
    }

    #[test]
    fn a_removal_waits_for_quiet() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.hint(start);
        schedule.looked(start + QUIET, true);
        let removal = start + QUIET + REMOVAL_QUIET;
        assert_eq!(schedule.due(), removal);
        assert!(!schedule.is_removal_due(removal - millis(1)));
        assert!(schedule.is_removal_due(removal));
        // Another change in between: quiet begins again.
        schedule.hint(start + millis(2000));
        schedule.looked(start + millis(2075), true);
        assert_eq!(schedule.due(), start + millis(2000) + REMOVAL_QUIET);
        // Back again, or gone: nothing waits any more.
        schedule.looked(start + millis(7000), false);
        assert!(!schedule.is_removal_due(start + millis(60_000)));
    }
}
