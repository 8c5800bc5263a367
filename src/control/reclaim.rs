//! Where old snapshots go: a list that drops each of them when nobody else holds it, on a thread of its own.
//!
//! Invariant hub-drops-last: whoever serves queries only ever lowers a count; the drop itself, which can take tens of
//! milliseconds, happens here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::answer::Snapshot;

/// How often the list is looked through while it holds something. A core refreshes within a second.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Takes retired snapshots.
#[derive(Clone, Debug)]
pub struct Reclaim {
    sender: Sender<Arc<Snapshot>>,
    waiting: Arc<AtomicUsize>,
}

impl Reclaim {
    /// Starts the thread. It ends when the last handle is gone and the list is empty, or at the end of the process.
    pub fn start() -> Result<Reclaim, std::io::Error> {
        let (sender, receiver) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&waiting);
        thread::Builder::new().name("reclaim".into()).spawn(move || reclaim(&receiver, &count))?;
        Ok(Reclaim { sender, waiting })
    }

    /// Retires a snapshot that was just replaced.
    pub fn retire(&self, snapshot: Arc<Snapshot>) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The thread outlives the process's work; without it the snapshot drops here, on the hub, not on a core.
        let _ = self.sender.send(snapshot);
    }

    /// How many retired snapshots somebody still holds.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

fn reclaim(receiver: &Receiver<Arc<Snapshot>>, waiting: &AtomicUsize) {
    let mut retired: Vec<Arc<Snapshot>> = Vec::new();
    loop {
        let next = if retired.is_empty() {
            receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            receiver.recv_timeout(LOOK_EVERY)
        };
        match next {
            Ok(snapshot) => retired.push(snapshot),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // With a count of one only this list holds it, and nobody can take another from it.
        retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        waiting.store(retired.len(), Ordering::Relaxed);
    }
}
