//! The weights that this server counts: a thread that looks at the counters of classes, and keeps what it makes of them.
//!
//! Never: an input of an answer. The disk may fail; then what was counted is this process's alone.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use crate::answer::Counters;
use crate::ask::{ClassAreas, Tally, WEIGHTS_FILE};

use super::facts::epoch_millis;
use super::publication::Publication;
use super::sampling::{Counted, Followed, Sampler};

/// How often the counters are looked at. A guess: nobody acts on weights that are younger.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How often what was counted is kept: a crash costs this much of a week.
const KEEP_EVERY: Duration = Duration::from_secs(60);

/// How long who asks waits for a look; then the one before has to do.
const LOOK_WAIT_MAX: Duration = Duration::from_millis(500);

/// Reaches the thread that counts.
#[derive(Clone)]
pub struct Weigher {
    words: Sender<Word>,
    counted: Arc<ArcSwap<Counted>>,
}

/// What the thread is told.
enum Word {
    /// These tables serve from now on.
    Follow(Vec<Followed>),
    /// Somebody wants to know.
    Look(oneshot::Sender<()>),
    /// The end: a last look, and what was counted is kept.
    Stop,
}

impl Weigher {
    /// Goes on with what `state` keeps, if there is a folder for it, and begins to look at the counters of `cores`.
    pub fn start(
        state: Option<&Path>,
        cores: Vec<Arc<Counters>>,
    ) -> io::Result<(Weigher, JoinHandle<()>)> {
        let kept = state.map(|state| Kept { path: state.join(WEIGHTS_FILE), is_failing: false });
        let clock = Clock { begun: Instant::now(), wall: SystemTime::now() };
        let mut tally = kept.as_ref().map(Kept::read).unwrap_or_default();
        tally.resume(clock.now_secs());
        let (words, received) = channel();
        let sampler = Sampler::new(tally);
        let counted = Arc::new(ArcSwap::from_pointee(sampler.counted().clone()));
        let counter = Counter { sampler, cores, kept, clock, counted: Arc::clone(&counted) };
        let thread = thread::Builder::new().name("weights".into());
        let thread = thread.spawn(move || counter.run(&received))?;
        Ok((Weigher { words, counted }, thread))
    }

    /// Tells of a publication, before it serves.
    pub fn follow(&self, publication: &Publication) {
        let world = &publication.parts.world;
        let tables = publication.blocks.iter().map(|block| Followed {
            first: block.first,
            len: block.len,
            areas: ClassAreas::new(world, &block.plan),
        });
        // Without the thread nothing is counted, which hurts no answer.
        let _ = self.words.send(Word::Follow(tables.collect()));
    }

    /// What was counted up to now, or to a moment ago where the thread is busy.
    pub async fn looked(&self) -> Arc<Counted> {
        let (reply, done) = oneshot::channel();
        if self.words.send(Word::Look(reply)).is_ok() {
            // Late or gone: the last look has to do.
            let _ = tokio::time::timeout(LOOK_WAIT_MAX, done).await;
        }
        self.counted()
    }

    /// What was counted up to the last look.
    pub fn counted(&self) -> Arc<Counted> {
        self.counted.load_full()
    }

    /// Has the thread look a last time, keep, and end.
    pub fn stop(&self) {
        let _ = self.words.send(Word::Stop);
    }
}

struct Counter {
    sampler: Sampler,
    cores: Vec<Arc<Counters>>,
    kept: Option<Kept>,
    clock: Clock,
    counted: Arc<ArcSwap<Counted>>,
}

impl Counter {
    fn run(mut self, words: &Receiver<Word>) {
        let mut look_at = Instant::now() + LOOK_EVERY;
        let mut keep_at = Instant::now() + KEEP_EVERY;
        loop {
            match words.recv_timeout(look_at.saturating_duration_since(Instant::now())) {
                Ok(Word::Follow(tables)) => {
                    self.sampler.follow(tables, held(&self.cores), self.clock.now_secs());
                }
                Ok(Word::Look(reply)) => {
                    self.look();
                    // Whoever asked may be gone by now.
                    let _ = reply.send(());
                }
                Err(RecvTimeoutError::Timeout) => {
                    look_at = Instant::now() + LOOK_EVERY;
                    self.look();
                }
                Ok(Word::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    self.look();
                    return self.keep();
                }
            }
            if Instant::now() >= keep_at {
                keep_at = Instant::now() + KEEP_EVERY;
                self.keep();
            }
        }
    }

    fn look(&mut self) {
        self.sampler.sample(held(&self.cores), self.clock.now_secs());
        self.counted.store(Arc::new(self.sampler.counted().clone()));
    }

    fn keep(&mut self) {
        let tally = &self.sampler.counted().tally;
        if let Some(kept) = self.kept.as_mut().filter(|_| tally.since_secs().is_some()) {
            kept.write(tally);
        }
    }
}

/// What a slot holds, over all cores.
fn held(cores: &[Arc<Counters>]) -> impl Fn(usize) -> u64 {
    |slot| {
        let slots = cores.iter().filter_map(|core| core.classes.get(slot));
        slots.map(|slot| slot.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

/// The time of day, in even steps: a clock that is set while the process lives does not age what was counted.
struct Clock {
    begun: Instant,
    wall: SystemTime,
}

impl Clock {
    fn now_secs(&self) -> u64 {
        epoch_millis(self.wall).0 / 1000 + self.begun.elapsed().as_secs()
    }
}

/// The file in `state/`.
struct Kept {
    path: PathBuf,
    /// Whether the disk refused it last time, and it was said.
    is_failing: bool,
}

impl Kept {
    /// What was kept. A file that makes no sense is said and set aside; counting begins anew.
    fn read(&self) -> Tally {
        let mut bytes = Vec::new();
        let len_max = Tally::TEXT_LEN_MAX as u64;
        let read = File::open(&self.path).and_then(|f| f.take(len_max).read_to_end(&mut bytes));
        let file = self.path.display();
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Tally::default(),
            Err(error) => {
                tracing::warn!(event = "weights-unreadable", %file, %error, "counted anew");
                return Tally::default();
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        Tally::parse(&text).unwrap_or_else(|error| {
            let aside = self.path.with_extension("broken");
            let moved = fs::rename(&self.path, &aside);
            let aside = if moved.is_ok() { aside } else { self.path.clone() };
            let aside = aside.display();
            tracing::warn!(event = "weights-broken", %file, %error, %aside, "counted anew");
            Tally::default()
        })
    }

    /// Keeps `tally`, whole or not at all. Said once while the disk refuses it.
    fn write(&mut self, tally: &Tally) {
        let outcome = self.replace(tally.to_text().as_bytes());
        match outcome {
            Ok(()) => self.is_failing = false,
            Err(error) => {
                let was_failing = std::mem::replace(&mut self.is_failing, true);
                if !was_failing {
                    let file = self.path.display();
                    tracing::warn!(event = "weights-unkept", %file, %error, "a restart loses them");
                }
            }
        }
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let fresh = self.path.with_extension("new");
        let written = File::create(&fresh).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, &self.path)
        });
        if written.is_err() {
            // A full disk is the likely cause: what was begun gives its room back.
            let _ = fs::remove_file(&fresh);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally() -> Tally {
        let body = crate::api::PlacesBody {
            places: vec![crate::api::PlaceQueries { place: "EU-DE".into(), queries: 12_345.0 }],
            ..crate::api::PlacesBody::default()
        };
        crate::ask::tally_of(&body)
    }

    fn kept(state: &Path) -> Kept {
        Kept { path: state.join(WEIGHTS_FILE), is_failing: false }
    }

    #[test]
    fn what_was_counted_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        assert_eq!(kept(&state).read(), Tally::default());
        kept(&state).write(&tally());
        assert_eq!(kept(&state).read(), tally());
        let left: Vec<_> = fs::read_dir(&state).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, [WEIGHTS_FILE]);
    }

    #[test]
    fn a_broken_file_is_set_aside_and_counting_begins_anew() {
        let whole = tally().to_text();
        let huge = "x".repeat(Tally::TEXT_LEN_MAX + 100);
        let half = &whole[..whole.len() / 2];
        let newer = whole.replace("weights 1", "weights 9");
        for text in ["", half, &newer, &huge] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(WEIGHTS_FILE);
            fs::write(&path, text).unwrap();
            let mut kept = kept(folder.path());
            assert_eq!(kept.read(), Tally::default());
            assert!(!path.exists());
            assert_eq!(fs::read_to_string(path.with_extension("broken")).unwrap(), text);
            kept.write(&tally());
            assert_eq!(kept.read(), tally());
        }
    }

    #[test]
    fn a_disk_that_refuses_is_said_once_and_harms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        // A folder stands where the file should: neither read nor replaced, whoever runs the test.
        let path = folder.path().join(WEIGHTS_FILE);
        fs::create_dir_all(path.join("in")).unwrap();
        let mut kept = kept(folder.path());
        assert_eq!(kept.read(), Tally::default());
        kept.write(&tally());
        assert!(kept.is_failing);
        assert!(!path.with_extension("new").exists());
        fs::remove_dir_all(&path).unwrap();
        kept.write(&tally());
        assert!(!kept.is_failing);
    }
}
