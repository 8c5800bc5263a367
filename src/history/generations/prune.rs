//! What is let go: the oldest generations, geo databases but the last few, and the objects that nothing leads to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::fileset::is_database;
use crate::history::durable::{StoreError, remove, sync_folder};
use crate::number::{Digest, Generation};

use super::archive::Archive;
use super::manifest;
use super::pack::FRAME_LEN;
use super::tree::Reach;

/// Geo databases kept, by content; older generations are read without theirs.
pub(super) const DATABASE_COUNT_MAX: usize = 3;
/// Generations that stay whatever the limits say: the one that serves, and the one before it.
pub(super) const GENERATION_COUNT_MIN: usize = 2;
/// A pack is written anew without what nothing needs, once that is one part in so many.
const WASTE_PART: u64 = 4;
/// Packs kept side by side: beyond it the smallest are made one.
const PACK_COUNT_MAX: usize = 512;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Generations, at least two.
    pub count: usize,
    /// Octets on the disk, but for the two newest generations, which stay.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { count: 1000, bytes: 4 << 30 }
    }
}

/// What the generations that stay lead to.
#[derive(Default)]
struct Live {
    objects: HashSet<Digest>,
    /// Octets in packs.
    bytes: u64,
    databases: Vec<Digest>,
    /// Generations that are to go.
    gone: Vec<Generation>,
    /// Generations that prove damaged.
    damaged: BTreeMap<Generation, StoreError>,
}

/// What one generation adds to that.
#[derive(Default)]
struct Reached {
    objects: HashSet<Digest>,
    bytes: u64,
    databases: Vec<Digest>,
}

impl Reached {
    /// Whether a database stays: all of the newest generation do, and of older ones as many as there is room for.
    fn takes_database(&mut self, digest: Digest, is_newest: bool, live: &Live) -> bool {
        if live.databases.contains(&digest) || self.databases.contains(&digest) {
            return true;
        }
        let count = live.databases.len() + self.databases.len();
        let takes = is_newest || count < DATABASE_COUNT_MAX;
        self.databases.extend(takes.then_some(digest));
        takes
    }
}

impl Archive {
    /// Lets go of what is beyond `limits`, and of what nothing leads to. What proves damaged on the way is told, and
    /// nothing is collected beside it: it may lead to what we cannot know of.
    pub(super) fn prune(&mut self, limits: Limits) -> Result<(), StoreError> {
        let live = self.live(limits);
        // Oldest first: a manifest that does not go leaves no gap behind it.
        for generation in live.gone.iter().rev() {
            remove(&manifest::path_of(&self.manifests(), *generation))?;
            self.entries.remove(generation);
            self.damaged.remove(generation);
        }
        if !live.gone.is_empty() {
            sync_folder(&self.manifests())?;
        }
        // One whose manifest is whole is damaged as long as what it leads to is.
        self.damaged.retain(|generation, _| !self.entries.contains_key(generation));
        self.damaged.extend(live.damaged);
        match self.damaged.is_empty() {
            true => self.collect(&live.objects),
            false => Ok(()),
        }
    }

    /// Walks from the newest generation to the oldest, until the limits are met. What is shared weighs once.
    fn live(&self, limits: Limits) -> Live {
        let mut live = Live::default();
        // What packs carry along for a while must have room as well.
        let bytes_max = limits.bytes - limits.bytes / WASTE_PART;
        let numbers: BTreeSet<Generation> =
            self.entries.keys().chain(self.damaged.keys()).copied().collect();
        let (mut kept, mut whole) = (0, 0);
        for generation in numbers.into_iter().rev() {
            let has_room = |more: u64, live: &Live| {
                live.gone.is_empty() && kept < limits.count && live.bytes + more <= bytes_max
            };
            let must_stay = whole < GENERATION_COUNT_MIN;
            if !must_stay && !has_room(0, &live) {
                live.gone.push(generation);
                continue;
            }
            let root = self.entries.get(&generation).map(|entry| entry.root);
            match root.flatten().map(|root| self.reach(root, whole == 0, &live)) {
                Some(Ok(more)) if must_stay || has_room(more.bytes, &live) => {
                    live.objects.extend(more.objects);
                    live.databases.extend(more.databases);
                    live.bytes += more.bytes;
                    (kept, whole) = (kept + 1, whole + 1);
                }
                Some(Ok(_)) => live.gone.push(generation),
                Some(Err(error)) => {
                    live.damaged.insert(generation, error);
                    kept += 1;
                }
                None => kept += 1,
            }
        }
        live
    }

    fn reach(&self, root: Digest, is_newest: bool, live: &Live) -> Result<Reached, StoreError> {
        let mut more = Reached::default();
        self.trees().walk(root, |reach| {
            let digest = match reach {
                Reach::Content(path, digest) if is_database(path) => {
                    if !more.takes_database(digest, is_newest, live) {
                        return false;
                    }
                    digest
                }
                Reach::Object(digest) | Reach::Content(_, digest) => digest,
            };
            let is_new = !live.objects.contains(&digest) && more.objects.insert(digest);
            if is_new && let Some(location) = self.packs.locate(digest) {
                more.bytes += location.weight();
            }
            is_new
        })?;
        Ok(more)
    }

    /// Removes packs that nothing needs, and writes those anew that carry too much along, or are too many.
    fn collect(&mut self, live: &HashSet<Digest>) -> Result<(), StoreError> {
        let mut needed: HashMap<u64, u64> = HashMap::new();
        for location in live.iter().filter_map(|digest| self.packs.locate(*digest)) {
            *needed.entry(location.pack).or_default() += location.weight();
        }
        let (mut victims, mut sound) = (Vec::new(), Vec::new());
        for (&pack, &len) in self.packs.lens() {
            match needed.get(&pack) {
                Some(used) if len <= used + used / (WASTE_PART - 1) + FRAME_LEN => {
                    sound.push((len, pack));
                }
                _ => victims.push(pack),
            }
        }
        if sound.len() > PACK_COUNT_MAX {
            sound.sort_unstable();
            sound.truncate(sound.len() - PACK_COUNT_MAX / 4);
            victims.extend(sound.iter().map(|(_, pack)| *pack));
        }
        self.rewrite(&victims, live)?;
        self.packs.remove_damaged()
    }

    /// Writes what is needed of `victims` into new packs, a bounded part at a time, and removes them. One that has a
    /// damaged object stays as it is.
    fn rewrite(&mut self, victims: &[u64], live: &HashSet<Digest>) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for part in self.packs.parts(victims, live) {
            match self.packs.copy(&part.objects) {
                Ok(()) => part.packs.iter().try_for_each(|pack| self.packs.remove(*pack))?,
                Err(damaged @ StoreError::Damaged(..)) => outcome = Err(damaged),
                Err(error) => return Err(error),
            }
        }
        outcome
    }
}
