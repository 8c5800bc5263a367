//! The image: the whole state as bytes, which are its file format and what its digest is taken of.
//!
//! One form for each state: maps in order, numbers little endian, texts with their length before them, a byte before
//! what may be missing. What is derived is left out and built anew.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::number::{Digest, Generation, Revision};
use crate::reason::Reason;

use super::cached::Cached;
use super::drain::Drain;
use super::event::{
    Action, Boot, Border, Capacity, Expiry, Failback, Identity, Inventory, LogTime, Settings,
    Status,
};
use super::ledger::{Opinion, Vantage};
use super::state::{Endpoint, Override, State};
use super::subject::{Member, Subject};
use super::verdict::{Freshness, Standing, Tier};

/// The version of the rules of the fold. Any change to what events make of the state raises it.
pub const RULES_VERSION: u32 = 3;

/// The first bytes of an image; the last is the version of its format.
const MAGIC: &[u8; 8] = b"homing\0\x03";

/// Why bytes are not an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageError {
    /// What is wrong.
    pub what: &'static str,
    /// At which byte.
    pub offset: usize,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.offset)
    }
}

/// Something that has one form in bytes.
trait Coded: Sized {
    fn put(&self, out: &mut Writer);
    fn take(bytes: &mut Reader<'_>) -> Result<Self, ImageError>;
}

/// Whether positions in the log are written. The digest leaves them out: it tells what the state is, not how many
/// events without effect came by.
#[derive(Clone, Copy, PartialEq)]
enum Positions {
    Written,
    LeftOut,
}

struct Writer {
    bytes: Vec<u8>,
    positions: Positions,
}

struct Reader<'b> {
    bytes: &'b [u8],
    offset: usize,
}

impl State {
    /// The whole state as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer { bytes: MAGIC.to_vec(), positions: Positions::Written };
        self.revision.put(&mut out);
        self.now.put(&mut out);
        self.put(&mut out);
        out.bytes
    }

    /// The state that `to_bytes` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<State, ImageError> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err(ImageError { what: "not an image of this version", offset: 0 });
        };
        let mut reader = Reader { bytes: rest, offset: MAGIC.len() };
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

impl Reader<'_> {
    fn error(&self, what: &'static str) -> ImageError {
        ImageError { what, offset: self.offset }
    }

    fn octets(&mut self, count: usize) -> Result<&[u8], ImageError> {
        let Some((head, rest)) = self.bytes.split_at_checked(count) else {
            return Err(self.error("the end comes too early"));
        };
        self.bytes = rest;
        self.offset += count;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ImageError> {
        let error = self.error("the end comes too early");
        self.octets(N)?.try_into().map_err(|_| error)
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

/// Writes a number or a flag in little endian.
macro_rules! coded_numbers {
    ($($name:ty),+) => {$(
        impl Coded for $name {
            fn put(&self, out: &mut Writer) {
                out.bytes.extend_from_slice(&self.to_le_bytes());
            }
            fn take(bytes: &mut Reader<'_>) -> Result<Self, ImageError> {
                Ok(Self::from_le_bytes(bytes.array()?))
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

coded_numbers!(u8, u16, u32, u64);

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
    Override { action, expiry, why, who, since, revision }
    Drain { keep, from, to, step, steps, step_millis, why, who, since, revision }
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
    Capacity { capacity, high, low }
    Border { from, to, share }
    Inventory { regions, pools, members, ttl_max_millis, capacities, borders }
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

impl Coded for bool {
    fn put(&self, out: &mut Writer) {
        out.bytes.push(u8::from(*self));
    }
    fn take(bytes: &mut Reader<'_>) -> Result<bool, ImageError> {
        match u8::take(bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(bytes.error("neither yes nor no")),
        }
    }
}

impl Coded for f64 {
    fn put(&self, out: &mut Writer) {
        self.to_bits().put(out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<f64, ImageError> {
        u64::take(bytes).map(f64::from_bits)
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

impl Coded for Box<str> {
    fn put(&self, out: &mut Writer) {
        (self.len() as u64).put(out);
        out.bytes.extend_from_slice(self.as_bytes());
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Box<str>, ImageError> {
        let len = usize::try_from(u64::take(bytes)?).unwrap_or(usize::MAX);
        let error = bytes.error("a text that is not UTF-8");
        match std::str::from_utf8(bytes.octets(len)?) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(error),
        }
    }
}

impl<T: Coded> Coded for Option<T> {
    fn put(&self, out: &mut Writer) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Option<T>, ImageError> {
        if bool::take(bytes)? { T::take(bytes).map(Some) } else { Ok(None) }
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<(A, B), ImageError> {
        Ok((A::take(bytes)?, B::take(bytes)?))
    }
}

impl<T: Coded> Coded for Arc<T> {
    fn put(&self, out: &mut Writer) {
        T::put(self, out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Arc<T>, ImageError> {
        T::take(bytes).map(Arc::new)
    }
}

impl<T: Coded> Coded for Vec<T> {
    fn put(&self, out: &mut Writer) {
        (self.len() as u64).put(out);
        for value in self {
            value.put(out);
        }
    }
    // Nothing is reserved: a count that lies runs into the end of the bytes.
    fn take(bytes: &mut Reader<'_>) -> Result<Vec<T>, ImageError> {
        (0..u64::take(bytes)?).map(|_| T::take(bytes)).collect()
    }
}

impl<K: Coded + Ord, V: Coded> Coded for BTreeMap<K, V> {
    fn put(&self, out: &mut Writer) {
        (self.len() as u64).put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }
    fn take(bytes: &mut Reader<'_>) -> Result<BTreeMap<K, V>, ImageError> {
        (0..u64::take(bytes)?).map(|_| <(K, V)>::take(bytes)).collect()
    }
}
