//! Events: all that ever changes the state of health, in one ordered log.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::number::{Digest, Generation, Revision};

use super::subject::{Member, Subject};

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

/// Whether a report's vantage is who it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// A token that is bound to the vantage came with the report: it counts for itself.
    #[default]
    Proven,
    /// Nobody vouches for the name. All such names together count as one vantage for quorum: whoever can send one
    /// name can send many.
    Claimed,
}

/// What one vantage says of one subject, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Who looked.
    pub vantage: Box<str>,
    /// Whether that is certain.
    pub identity: Identity,
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

/// Which endpoints the files know: what health needs of a published state of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// Names of the regions, in the order of regions.toml.
    pub regions: Vec<Box<str>>,
    /// Settings by pool.
    pub pools: BTreeMap<Box<str>, Settings>,
    /// Endpoints, sorted.
    pub members: Vec<Member>,
    /// How long a resolver may keep a steered answer, in milliseconds: the largest `ttl.max` of all policies.
    pub ttl_max_millis: u64,
    /// What regions can take, by name; those that do not say are left out, and neither shed nor take.
    pub capacities: BTreeMap<Box<str>, Capacity>,
    /// The borders between them: of the clients of the first region, those whose next is the second, in 65,536ths.
    pub borders: BTreeMap<(Box<str>, Box<str>), u32>,
}

/// What a region can take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// In the unit that reports use; 0 or more.
    pub load: f64,
    /// The share of it above which clients are shed; above `low`, at most 1.
    pub high: f64,
    /// The share of it below which they are taken back; above 0.
    pub low: f64,
}

/// What brought a publication about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `start`, `files`, `rollback`, `resume`, `accept`.
    pub kind: Box<str>,
    /// Of a rollback, the generation whose files it has again; of an acceptance, the number that was accepted.
    pub of: Option<Generation>,
    /// Who asked for it; empty when a file changed by itself.
    pub who: Box<str>,
    /// Why.
    pub why: Box<str>,
}

/// Some of the words of one vantage. An endpoint's own word is named by the subject that means it alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Words {
    /// All that it said in this boot, these apart.
    AllBut(Box<[Subject]>),
    /// Those that are on these, or on endpoints that these cover.
    Only(Box<[Subject]>),
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
        /// What brought it about, for who reads the log; none in a log of before. The state does not remember it.
        origin: Option<Box<Origin>>,
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
    /// A vantage said these of its words again, and held them before: a round for each. Whoever writes the log makes one of
    /// many reports, so that it grows with what changes and not with what is repeated.
    Reaffirmed {
        /// Who.
        vantage: Box<str>,
        /// Its boot.
        boot: Boot,
        /// The last sequence number that was heard of it.
        seq: u64,
        /// Which of its words.
        words: Words,
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
        /// In which time, in milliseconds; 0 is at once.
        over_millis: u64,
        /// Why.
        why: Box<str>,
        /// Who.
        who: Box<str>,
    },
    /// … and wants it back.
    Undrain {
        /// Which.
        region: Box<str>,
        /// In which time, in milliseconds; 0 is at once.
        over_millis: u64,
        /// Why.
        why: Box<str>,
        /// Who.
        who: Box<str>,
    },
    /// A deadline has passed and no later event came. Carries only its time.
    Tick,
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

    /// The status that `word` names.
    pub fn parse(word: &str) -> Option<Status> {
        [Status::Up, Status::Degraded, Status::Down].into_iter().find(|s| s.word() == word)
    }

    /// Whether it speaks against the endpoint. A degraded endpoint still serves, so it counts with those that are up.
    pub const fn is_down(self) -> bool {
        matches!(self, Status::Down)
    }
}

impl Words {
    /// Whether what is listed is what is left out.
    pub const fn is_all(&self) -> bool {
        matches!(self, Words::AllBut(_))
    }

    /// The subjects that it lists.
    pub const fn listed(&self) -> &[Subject] {
        let (Words::AllBut(subjects) | Words::Only(subjects)) = self;
        subjects
    }
}

impl Action {
    /// The word that overrides are given with.
    pub const fn word(self) -> &'static str {
        match self {
            Action::Up => "up",
            Action::Down => "down",
            Action::Hold => "hold",
            Action::Accept => "accept",
        }
    }

    /// The action that `word` names.
    pub fn parse(word: &str) -> Option<Action> {
        let all = [Action::Up, Action::Down, Action::Hold, Action::Accept];
        all.into_iter().find(|a| a.word() == word)
    }
}

impl Settings {
    /// How long a vantage's word is fresh, in milliseconds: three of its intervals.
    pub const fn stale_millis(&self) -> u64 {
        let interval = if self.interval_millis == 0 { 1 } else { self.interval_millis };
        interval.saturating_mul(3)
    }
}
