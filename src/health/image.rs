//! The image: the whole state as bytes, which are its file format and what its digest is taken of.
//!
//! One form for each state: maps in order, numbers little endian, texts with their length before them, a byte before
//! what may be missing. What is derived is left out and built anew.

mod codec;

use crate::number::{Digest, Generation, Revision};
use crate::reason::Reason;

use super::cached::Cached;
use super::drain::{Drain, KEEP_ALL};
use super::event::{
    Action, Boot, Capacity, Expiry, Failback, Identity, Inventory, LogTime, Settings, Status,
};
use super::ledger::{Opinion, Vantage};
use super::shed::{Reading, Shed};
use super::state::{Endpoint, Override, State};
use super::subject::{Member, Subject};
use super::verdict::{Freshness, Standing, Tier};
use codec::{Coded, Positions, Reader, Writer};

pub use codec::ImageError;

/// The version of the rules of the fold. Any change to what events make of the state raises it.
pub const RULES_VERSION: u32 = 5;

/// The first bytes of an image, before the version of its format.
const MAGIC: &[u8; 7] = b"homing\0";

/// The version that is written.
const VERSION: u8 = 4;

/// The oldest version that is read: what a drain was before it could take time.
const VERSION_OLDEST: u8 = 2;

impl State {
    /// The whole state as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer { bytes: MAGIC.to_vec(), positions: Positions::Written };
        VERSION.put(&mut out);
        self.revision.put(&mut out);
        self.now.put(&mut out);
        self.put(&mut out);
        out.bytes
    }

    /// The state that `to_bytes` wrote, here or in an earlier version.
    pub fn from_bytes(bytes: &[u8]) -> Result<State, ImageError> {
        let known = VERSION_OLDEST..=VERSION;
        let head = bytes.strip_prefix(MAGIC).and_then(<[u8]>::split_first);
        let Some((&version, rest)) = head.filter(|(version, _)| known.contains(version)) else {
            return Err(ImageError { what: "not an image of this version", offset: 0 });
        };
        let mut reader = Reader { bytes: rest, offset: MAGIC.len() + 1, version };
        let (revision, now) = (Coded::take(&mut reader)?, LogTime::take(&mut reader)?);
        let mut state = State::take(&mut reader)?;
        if !reader.bytes.is_empty() {
            return Err(reader.error("bytes after the end"));
        }
        (state.revision, state.now) = (revision, now);
        state.derive();
        Ok(state)
    }

    /// The hash of the whole state, positions in the log and the time of the last event aside: of what is small, and
    /// of the hashes of the inventory, of each vantage's words, of each endpoint. Those are kept, so that it takes
    /// time in proportion to what changed since it was last asked for.
    pub fn digest(&self) -> Digest {
        let whole = |out: &mut Writer| {
            RULES_VERSION.put(out);
            self.generation.put(out);
            self.files.put(out);
            self.inventory_hash.get_or(|| hash_of(|out| self.inventory.put(out))).put(out);
            (self.vantages.len() as u64).put(out);
            for (name, vantage) in &self.vantages {
                name.put(out);
                (vantage.boot, vantage.seq).put(out);
                vantage.heard.put(out);
                vantage.words_hash.get_or(|| hash_of(|out| vantage.words.put(out))).put(out);
            }
            (self.endpoints.len() as u64).put(out);
            for (member, endpoint) in &self.endpoints {
                let hash = |out: &mut Writer| {
                    member.put(out);
                    endpoint.put(out);
                };
                endpoint.hash.get_or(|| hash_of(hash)).put(out);
            }
            self.overrides.put(out);
            self.drains.put(out);
            self.panics.put(out);
            self.loads.put(out);
            self.sheds.put(out);
            self.rests.put(out);
        };
        hash_of(whole)
    }
}

fn hash_of(put: impl FnOnce(&mut Writer)) -> Digest {
    let mut out = Writer { bytes: Vec::new(), positions: Positions::LeftOut };
    put(&mut out);
    Digest::of(&out.bytes)
}

impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

/// Writes and reads a struct as its fields, in the order given.
macro_rules! coded_fields {
    ($($name:ty { $($field:ident),+ $(,)? })+) => {$(
        impl Coded for $name {
            fn put(&self, out: &mut Writer) {
                $(self.$field.put(out);)+
            }
            fn take(bytes: &mut Reader<'_>) -> Result<Self, ImageError> {
                $(let $field = Coded::take(bytes)?;)+
                Ok(Self { $($field),+ })
            }
        }
    )+};
}

/// Writes one of a closed list as its place in a list that only ever grows at its end.
macro_rules! coded_choices {
    ($($name:ty [ $($variant:path),+ $(,)? ])+) => {$(
        impl Coded for $name {
            fn put(&self, out: &mut Writer) {
                let all = [$($variant),+];
                let place = all.iter().position(|v| v == self).unwrap_or(all.len());
                out.bytes.push(place as u8);
            }
            fn take(bytes: &mut Reader<'_>) -> Result<Self, ImageError> {
                let place = u8::take(bytes)?;
                let found = [$($variant),+].into_iter().nth(usize::from(place));
                found.ok_or_else(|| bytes.error("not one of the list"))
            }
        }
    )+};
}

coded_choices! {
    Identity [Identity::Proven, Identity::Claimed]
    Status [Status::Up, Status::Degraded, Status::Down]
    Action [Action::Up, Action::Down, Action::Hold, Action::Accept]
    Tier [Tier::Up, Tier::Degraded, Tier::Down, Tier::OverriddenDown]
    Freshness [Freshness::Fresh, Freshness::Stale, Freshness::Frozen, Freshness::Never]
}

coded_fields! {
    Member { region, pool, address }
    Subject { region, pool, address }
    Opinion { word, held, streak, side, at, identity, said, reason, load }
    Vantage { boot, seq, heard, words, words_hash }
    Capacity { load, high, low }
    Reading { load, at }
    Shed { share, since, revision }
    Override { action, expiry, why, who, since, revision }
    Standing {
        tier, verdict, reason, since, since_revision, freshness, next_change, steady_millis,
    }
    Endpoint {
        opinions, reported, verdict, turned, wish, recovering, gone, standing, due, opined_down,
        hash,
    }
    Settings {
        quorum, rise, fall, interval_millis, hold_down_millis, failback, start, at_least,
        max_down_share,
    }
}

impl Coded for Inventory {
    fn put(&self, out: &mut Writer) {
        self.regions.put(out);
        self.pools.put(out);
        self.members.put(out);
        self.ttl_max_millis.put(out);
        self.capacities.put(out);
        self.borders.put(out);
    }

    fn take(bytes: &mut Reader<'_>) -> Result<Inventory, ImageError> {
        Ok(Inventory {
            regions: Coded::take(bytes)?,
            pools: Coded::take(bytes)?,
            members: Coded::take(bytes)?,
            // The next publication of files tells it.
            ttl_max_millis: bytes.since(3)?,
            capacities: bytes.since(4)?,
            borders: bytes.since(4)?,
        })
    }
}

impl Coded for Drain {
    fn put(&self, out: &mut Writer) {
        self.keep.put(out);
        (self.from, self.to).put(out);
        (self.step, self.steps).put(out);
        self.step_millis.put(out);
        self.why.put(out);
        self.who.put(out);
        self.since.put(out);
        self.revision.put(out);
    }

    fn take(bytes: &mut Reader<'_>) -> Result<Drain, ImageError> {
        let (keep, (from, to), (step, steps), step_millis) = match bytes.version {
            // A drain was made at once.
            ..3 => {
                let keep = u16::from(u8::take(bytes)?);
                (keep, (KEEP_ALL, keep), (1, 1), 0)
            }
            _ => {
                (Coded::take(bytes)?, Coded::take(bytes)?, Coded::take(bytes)?, Coded::take(bytes)?)
            }
        };
        let (why, who) = (Coded::take(bytes)?, Coded::take(bytes)?);
        let (since, revision) = (Coded::take(bytes)?, Coded::take(bytes)?);
        Ok(Drain { keep, from, to, step, steps, step_millis, why, who, since, revision })
    }
}

impl Coded for State {
    fn put(&self, out: &mut Writer) {
        self.generation.put(out);
        self.files.put(out);
        self.inventory.put(out);
        self.vantages.put(out);
        self.endpoints.put(out);
        self.overrides.put(out);
        self.drains.put(out);
        self.panics.put(out);
        self.loads.put(out);
        self.sheds.put(out);
        self.rests.put(out);
    }

    fn take(bytes: &mut Reader<'_>) -> Result<State, ImageError> {
        Ok(State {
            generation: Coded::take(bytes)?,
            files: Coded::take(bytes)?,
            inventory: Coded::take(bytes)?,
            vantages: Coded::take(bytes)?,
            endpoints: Coded::take(bytes)?,
            overrides: Coded::take(bytes)?,
            drains: Coded::take(bytes)?,
            panics: Coded::take(bytes)?,
            loads: bytes.since(4)?,
            sheds: bytes.since(4)?,
            rests: bytes.since(4)?,
            ..State::default()
        })
    }
}

/// Not written: it follows from what is.
impl Coded for Cached {
    fn put(&self, _: &mut Writer) {}
    fn take(_: &mut Reader<'_>) -> Result<Cached, ImageError> {
        Ok(Cached::default())
    }
}

impl Coded for LogTime {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<LogTime, ImageError> {
        u64::take(bytes).map(LogTime)
    }
}

impl Coded for Boot {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Boot, ImageError> {
        u64::take(bytes).map(Boot)
    }
}

impl Coded for Generation {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Generation, ImageError> {
        u64::take(bytes).map(Generation)
    }
}

impl Coded for Revision {
    fn put(&self, out: &mut Writer) {
        if out.positions == Positions::Written {
            self.0.put(out);
        }
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Revision, ImageError> {
        u64::take(bytes).map(Revision)
    }
}

impl Coded for Digest {
    fn put(&self, out: &mut Writer) {
        out.bytes.extend_from_slice(&self.0);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Digest, ImageError> {
        bytes.array().map(Digest)
    }
}

impl Coded for Reason {
    fn put(&self, out: &mut Writer) {
        Box::<str>::from(self.code()).put(out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Reason, ImageError> {
        let code = Box::<str>::take(bytes)?;
        let found = Reason::ALL.into_iter().find(|reason| reason.code() == &*code);
        found.ok_or_else(|| bytes.error("not a reason"))
    }
}

impl Coded for Expiry {
    fn put(&self, out: &mut Writer) {
        match self {
            Expiry::At(at) => Some(*at).put(out),
            Expiry::Forever => None::<LogTime>.put(out),
        }
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Expiry, ImageError> {
        let at: Option<LogTime> = Coded::take(bytes)?;
        Ok(at.map_or(Expiry::Forever, Expiry::At))
    }
}

impl Coded for Failback {
    fn put(&self, out: &mut Writer) {
        match self {
            Failback::AtOnce => 0u8.put(out),
            Failback::ByHand => 1u8.put(out),
            Failback::AfterMillis(wait) => (2u8, *wait).put(out),
        }
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Failback, ImageError> {
        match u8::take(bytes)? {
            0 => Ok(Failback::AtOnce),
            1 => Ok(Failback::ByHand),
            2 => u64::take(bytes).map(Failback::AfterMillis),
            _ => Err(bytes.error("not a failback")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by the version before: what was decided then stands, and an upgrade loses nothing.
    #[test]
    fn an_image_of_the_version_before_is_read() {
        let bytes = include_bytes!("../../tests/golden/health-image-2.bin");
        let state = State::from_bytes(bytes).expect("an image of version 2");
        assert_eq!((state.keep("fra"), state.keep("iad"), state.keep("sin")), (128, 0, 256));
        assert_eq!(state.keep_in_the_end("fra"), 128);
        assert_eq!(state.drains().filter(|drain| drain.next_step.is_some()).count(), 0);
        let overrides: Vec<String> = state.overrides().map(|o| o.subject.to_string()).collect();
        assert_eq!(overrides, ["fra/api/*"]);
        assert_eq!(state.vantages().count(), 2);
        assert_eq!(State::from_bytes(&state.to_bytes()).as_ref(), Ok(&state));
        let mut newer = bytes.to_vec();
        newer[MAGIC.len()] = VERSION + 1;
        assert!(State::from_bytes(&newer).is_err(), "a newer one is refused");
    }
}
