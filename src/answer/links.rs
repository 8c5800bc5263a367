//! The names that one answer has passed, and the proofs that they owe.

use super::image::ZoneImage;

/// Most aliases that one answer follows. BIND stops after 16, Unbound after 11; a chain this long is a mistake.
pub const CHAIN_LEN_MAX: usize = 12;

/// Names looked up for one answer: the one asked for, and the target of each alias.
const NAME_COUNT_MAX: usize = CHAIN_LEN_MAX + 1;

/// The names passed so far, and the proofs that they owe: those go into the authority section, and so wait for the last
/// record of the answer section.
pub(super) struct Links<'s> {
    seen: [u64; NAME_COUNT_MAX],
    dnames: [u64; NAME_COUNT_MAX],
    dname_count: usize,
    owed: [Option<Owed<'s>>; NAME_COUNT_MAX],
    count: usize,
}

/// A proof that a wildcard was right to answer for the name at `name_at`.
#[derive(Clone, Copy)]
pub(super) struct Owed<'s> {
    /// Its zone.
    pub zone: &'s ZoneImage,
    /// Labels of the closest encloser.
    pub encloser: usize,
    /// Where the name stands in the message.
    pub name_at: usize,
}

impl<'s> Links<'s> {
    /// Nothing passed yet.
    pub(super) fn new() -> Links<'s> {
        let none = [0; NAME_COUNT_MAX];
        let owed = [None; NAME_COUNT_MAX];
        Links { seen: none, dnames: none, dname_count: 0, owed, count: 0 }
    }

    /// Notes a name by its hash. False for one that was passed before, and past the bound.
    pub(super) fn pass(&mut self, hash: u64) -> bool {
        if self.count == NAME_COUNT_MAX || self.seen[..self.count].contains(&hash) {
            return false;
        }
        self.seen[self.count] = hash;
        self.count += 1;
        true
    }

    /// Notes, by the hash of its owner, that a DNAME stands in the answer. False if it stood there before.
    pub(super) fn show(&mut self, hash: u64) -> bool {
        if self.dnames[..self.dname_count].contains(&hash) {
            return false;
        }
        if let Some(slot) = self.dnames.get_mut(self.dname_count) {
            *slot = hash;
            self.dname_count += 1;
        }
        true
    }

    /// Notes a proof to be given.
    pub(super) fn owe(&mut self, owed: Owed<'s>) {
        if let Some(slot) = self.owed.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(owed);
        }
    }

    /// Whether only the first name was passed.
    pub(super) fn is_first(&self) -> bool {
        self.count == 1
    }

    /// The proofs owed, in the order of the chain.
    pub(super) fn owed(&self) -> impl Iterator<Item = Owed<'s>> + use<'s> {
        self.owed.into_iter().flatten()
    }
}
