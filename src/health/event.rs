//! Events: all that ever changes the state of health, in one ordered log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::number::{Digest, Generation, Revision};

/// Time as events carry it: milliseconds of the Unix epoch. Never goes back within a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogTime(pub u64);

impl LogTime {
    /// This time, `millis` later.
    pub const fn plus_millis(self, millis: u64) -> LogTime {
        LogTime(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this time; 0 if it is not earlier.
    pub const fn millis_since(self, earlier: LogTime) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// An event, the time it carries, and its place in the order.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// Its place in the log.
    pub revision: Revision,
    /// Log time: never before that of an earlier event.
    pub at: LogTime,
    /// What happened.
    pub event: Event,
}

/// What a vantage observed of an endpoint, or what we decided of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It serves.
    Up,
    /// It serves, but not well.
    Degraded,
    /// It does not serve.
    Down,
}

/// How often a vantage was started; a higher one begins a new sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Boot(pub u64);

/// `region/pool/address`; a part that is none matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The region's name.
    pub region: Option<Box<str>>,
    /// The pool's name.
    pub pool: Option<Box<str>>,
    /// The endpoint's address, or its host name.
    pub address: Option<Box<str>>,
}

/// Why a text is not a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectError(pub &'static str);

/// What one vantage says of one subject, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Who looked.
    pub vantage: Box<str>,
    /// Its boot.
    pub boot: Boot,
    /// Its sequence number within the boot; (boot, seq) only grows.
    pub seq: u64,
    /// Of what.
    pub subject: Subject,
    /// What it saw.
    pub status: Status,
    /// Load, in the unit of the region's capacity.
    pub load: Option<f64>,
    /// Why, in the vantage's words; at most 200 octets.
    pub reason: Option<Box<str>>,
}

/// What an operator decides instead of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Treat as up.
    Up,
    /// Treat as down.
    Down,
    /// Freeze the verdict.
    Hold,
    /// Believe the feed: ends a panic of a pool.
    Accept,
}

/// How long a decision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Until this log time.
    At(LogTime),
    /// Until it is cleared.
    Forever,
}

/// When a pool's endpoint that a quorum calls up again turns up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failback {
    /// As soon as the quorum stands.
    AtOnce,
    /// When the quorum has stood this many milliseconds.
    AfterMillis(u64),
    /// When an operator says so, with an override `up` or `accept`.
    ByHand,
}

/// The health settings of one pool; see `[health]` of homing.toml for their meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Fresh vantages that must hold an opinion, from 1.
    pub quorum: u32,
    /// Rounds of one vantage before its opinion turns up, from 1.
    pub rise: u32,
    /// … and down.
    pub fall: u32,
    /// How often a vantage is expected, in milliseconds; its word is stale after three.
    pub interval_millis: u64,
    /// Shortest time between two turns of a verdict, in milliseconds.
    pub hold_down_millis: u64,
    /// When a recovered endpoint returns.
    pub failback: Failback,
    /// The verdict of an endpoint never reported on.
    pub start: Status,
    /// Regions of the pool that must stay eligible.
    pub at_least: u32,
    /// More of the pool than this share turning down within 60 s is disbelieved; 0 to 1.
    pub max_down_share: f64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            quorum: 1,
            rise: 2,
            fall: 1,
            interval_millis: 10_000,
            hold_down_millis: 0,
            failback: Failback::AtOnce,
            start: Status::Up,
            at_least: 1,
            max_down_share: 0.5,
        }
    }
}

/// An endpoint in a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// The region's name.
    pub region: Box<str>,
    /// The pool's name.
    pub pool: Box<str>,
    /// An IP address in its canonical text, or a host name in lower case with a trailing dot.
    pub address: Box<str>,
}

/// Which endpoints the files know: what health needs of a published state of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// Names of the regions, in the order of regions.toml.
    pub regions: Vec<Box<str>>,
    /// Settings by pool.
    pub pools: BTreeMap<Box<str>, Settings>,
    /// Endpoints, sorted.
    pub members: Vec<Member>,
}

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A state of files was published. It carries what health needs of it, so that a log replays by itself.
    Files {
        /// Its number.
        generation: Generation,
        /// The digest of the files.
        digest: Digest,
        /// Their endpoints.
        inventory: Arc<Inventory>,
    },
    /// A vantage's word on a subject.
    Report(Report),
    /// A vantage reaffirms all its last words: a round for each.
    Heartbeat {
        /// Who.
        vantage: Box<str>,
        /// Its boot.
        boot: Boot,
        /// Its sequence number.
        seq: u64,
    },
    /// An operator decides.
    Override {
        /// Of what.
        subject: Subject,
        /// What.
        action: Action,
        /// How long.
        expiry: Expiry,
        /// Why.
        why: Box<str>,
        /// Who.
        who: Box<str>,
    },
    /// An operator takes a decision back.
    ClearOverride {
        /// Of what.
        subject: Subject,
        /// Why.
        why: Box<str>,
        /// Who.
        who: Box<str>,
    },
    /// An operator wishes a region empty.
    Drain {
        /// Which.
        region: Box<str>,
        /// The share of clients to keep, in 256ths; 0 empties it.
        keep: u8,
        /// Why.
        why: Box<str>,
        /// Who.
        who: Box<str>,
    },
    /// … and wants it back.
    Undrain {
        /// Which.
        region: Box<str>,
        /// Why.
        why: Box<str>,
        /// Who.
        who: Box<str>,
    },
    /// A deadline has passed and no later event came. Carries only its time.
    Tick,
}

impl Subject {
    /// Reads `region/pool/address`: any part may be `*`, trailing parts may be omitted; a bare address or host name
    /// (with a dot or a colon in it) means it in every pool. IP addresses are made canonical, host names lower case.
    pub fn parse(text: &str) -> Result<Subject, SubjectError> {
        let _ = text;
        todo!("the health room")
    }

    /// Whether it speaks of `member`.
    pub fn covers(&self, member: &Member) -> bool {
        let part =
            |pattern: &Option<Box<str>>, text: &str| pattern.as_deref().is_none_or(|p| p == text);
        part(&self.region, &member.region)
            && part(&self.pool, &member.pool)
            && part(&self.address, &member.address)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |p: &Option<Box<str>>| p.as_deref().unwrap_or("*").to_owned();
        write!(f, "{}/{}/{}", part(&self.region), part(&self.pool), part(&self.address))
    }
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Status {
    /// The word that reports and answers use.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Up => "up",
            Status::Degraded => "degraded",
            Status::Down => "down",
        }
    }
}
