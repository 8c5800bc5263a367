//! A line of the log: a checksum, then one event in JSON, so that `less` is enough to read what happened.
//!
//! These types are the file format; the events themselves know nothing of it.

use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::health::{
    Action, Boot, Capacity, Event, Expiry, Failback, Identity, Inventory, LogTime, Member, Origin,
    Report, Settings, Status, Subject, Timed, Words,
};
use crate::number::{Digest, Generation, Revision};

/// Octets before the JSON: the checksum (CRC-32C) in eight hexadecimal digits, and a space.
const PREFIX_OCTETS: usize = 9;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    revision: u64,
    at: u64,
    event: EventLine,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum EventLine {
    Files {
        generation: u64,
        digest: String,
        /// Left out where it is that of the last such event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inventory: Option<InventoryLine>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<OriginLine>,
    },
    Report {
        vantage: Box<str>,
        /// Whether nobody vouches for the name.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        claimed: bool,
        boot: u64,
        seq: u64,
        subject: String,
        status: StatusLine,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        load: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Box<str>>,
    },
    Heartbeat {
        vantage: Box<str>,
        boot: u64,
        seq: u64,
    },
    Reaffirmed {
        vantage: Box<str>,
        boot: u64,
        seq: u64,
        /// Of all that it said, only these; left out where it is all but some.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        only: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        except: Vec<String>,
    },
    Override {
        subject: String,
        action: ActionLine,
        /// None is for ever.
        expires: Option<u64>,
        why: Box<str>,
        who: Box<str>,
    },
    ClearOverride {
        subject: String,
        why: Box<str>,
        who: Box<str>,
    },
    Drain {
        region: Box<str>,
        keep: u8,
        #[serde(default, skip_serializing_if = "is_zero")]
        over_millis: u64,
        why: Box<str>,
        who: Box<str>,
    },
    Undrain {
        region: Box<str>,
        #[serde(default, skip_serializing_if = "is_zero")]
        over_millis: u64,
        why: Box<str>,
        who: Box<str>,
    },
    Tick,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StatusLine {
    Up,
    Degraded,
    Down,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ActionLine {
    Up,
    Down,
    Hold,
    Accept,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FailbackLine {
    AtOnce,
    AfterMillis(u64),
    ByHand,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginLine {
    kind: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    who: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    why: Box<str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InventoryLine {
    regions: Vec<Box<str>>,
    pools: BTreeMap<Box<str>, SettingsLine>,
    members: Vec<[Box<str>; 3]>,
    #[serde(default, skip_serializing_if = "is_zero")]
    ttl_max_millis: u64,
    /// By region: what it can take, its high mark, its low mark.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    capacities: BTreeMap<Box<str>, [f64; 3]>,
    /// By region and the next one: how much of it, in 65,536ths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    borders: BTreeMap<Box<str>, BTreeMap<Box<str>, u32>>,
}

// The shape that serde asks for.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsLine {
    quorum: u32,
    rise: u32,
    fall: u32,
    interval_millis: u64,
    hold_down_millis: u64,
    failback: FailbackLine,
    start: StatusLine,
    at_least: u32,
    max_down_share: f64,
}

/// The line of an event, with its line feed. `inventory` is that of the last `Files` before it.
pub(super) fn encode(timed: &Timed, inventory: &Arc<Inventory>) -> Result<Vec<u8>, String> {
    check(&timed.event)?;
    let line = Line {
        revision: timed.revision.0,
        at: timed.at.0,
        event: event_line(&timed.event, inventory),
    };
    let json = serde_json::to_vec(&line).map_err(|e| e.to_string())?;
    let mut bytes = format!("{:08x} ", crc32c::crc32c(&json)).into_bytes();
    bytes.extend_from_slice(&json);
    bytes.push(b'\n');
    Ok(bytes)
}

/// Refuses what would not read back as it is: JSON has no infinities, and a subject is written as text.
fn check(event: &Event) -> Result<(), String> {
    let (subjects, finite) = match event {
        Event::Files { inventory, .. } => {
            (&[][..], inventory.pools.values().all(|settings| settings.max_down_share.is_finite()))
        }
        Event::Report(report) => {
            (slice::from_ref(&report.subject), report.load.is_none_or(f64::is_finite))
        }
        Event::Override { subject, .. } | Event::ClearOverride { subject, .. } => {
            (slice::from_ref(subject), true)
        }
        Event::Reaffirmed { words, .. } => (words.listed(), true),
        Event::Heartbeat { .. } | Event::Drain { .. } | Event::Undrain { .. } | Event::Tick => {
            (&[][..], true)
        }
    };
    if !finite {
        return Err("a number in it is not finite".into());
    }
    match subjects.iter().find(|subject| !subject.is_canonical()) {
        Some(subject) => Err(format!("{subject:?} is not a subject")),
        None => Ok(()),
    }
}

/// The event of a line without its line feed.
pub(super) fn decode(line: &[u8], inventory: &Arc<Inventory>) -> Result<Timed, String> {
    let (prefix, json) = line.split_at_checked(PREFIX_OCTETS).ok_or("the line is too short")?;
    if prefix != format!("{:08x} ", crc32c::crc32c(json)).as_bytes() {
        return Err("the checksum does not match".into());
    }
    let line: Line = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    Ok(Timed {
        revision: Revision(line.revision),
        at: LogTime(line.at),
        event: event(line.event, inventory)?,
    })
}

fn event_line(event: &Event, last: &Arc<Inventory>) -> EventLine {
    match event {
        Event::Files { generation, digest, inventory, origin } => EventLine::Files {
            generation: generation.0,
            digest: digest.to_string(),
            inventory: (inventory != last).then(|| inventory_line(inventory)),
            origin: origin.as_deref().map(|origin| OriginLine {
                kind: origin.kind.clone(),
                of: origin.of.map(|of| of.0),
                who: origin.who.clone(),
                why: origin.why.clone(),
            }),
        },
        Event::Report(report) => EventLine::Report {
            vantage: report.vantage.clone(),
            claimed: report.identity == Identity::Claimed,
            boot: report.boot.0,
            seq: report.seq,
            subject: report.subject.to_string(),
            status: report.status.into(),
            load: report.load,
            reason: report.reason.clone(),
        },
        Event::Heartbeat { vantage, boot, seq } => {
            EventLine::Heartbeat { vantage: vantage.clone(), boot: boot.0, seq: *seq }
        }
        Event::Reaffirmed { vantage, boot, seq, words } => {
            reaffirmed_line(vantage, *boot, *seq, words)
        }
        Event::Override { subject, action, expiry, why, who } => EventLine::Override {
            subject: subject.to_string(),
            action: (*action).into(),
            expires: match expiry {
                Expiry::At(at) => Some(at.0),
                Expiry::Forever => None,
            },
            why: why.clone(),
            who: who.clone(),
        },
        Event::ClearOverride { subject, why, who } => EventLine::ClearOverride {
            subject: subject.to_string(),
            why: why.clone(),
            who: who.clone(),
        },
        Event::Drain { region, keep, over_millis, why, who } => EventLine::Drain {
            region: region.clone(),
            keep: *keep,
            over_millis: *over_millis,
            why: why.clone(),
            who: who.clone(),
        },
        Event::Undrain { region, over_millis, why, who } => EventLine::Undrain {
            region: region.clone(),
            over_millis: *over_millis,
            why: why.clone(),
            who: who.clone(),
        },
        Event::Tick => EventLine::Tick,
    }
}

fn reaffirmed_line(vantage: &str, boot: Boot, seq: u64, words: &Words) -> EventLine {
    let listed: Vec<String> = words.listed().iter().map(ToString::to_string).collect();
    let (only, except) = match words {
        Words::Only(_) => (Some(listed), Vec::new()),
        Words::AllBut(_) => (None, listed),
    };
    EventLine::Reaffirmed { vantage: vantage.into(), boot: boot.0, seq, only, except }
}

fn event(line: EventLine, last: &Arc<Inventory>) -> Result<Event, String> {
    let subject = |text: String| Subject::parse(&text).map_err(|e| format!("{text}: {e}"));
    Ok(match line {
        EventLine::Files { generation, digest, inventory: written, origin } => Event::Files {
            generation: Generation(generation),
            digest: Digest::parse(&digest).ok_or("a digest has 64 hexadecimal digits")?,
            inventory: written.map_or_else(|| Arc::clone(last), |i| Arc::new(inventory(i))),
            origin: origin.map(|OriginLine { kind, of, who, why }| {
                Box::new(Origin { kind, of: of.map(Generation), who, why })
            }),
        },
        EventLine::Report { vantage, claimed, boot, seq, subject: text, status, load, reason } => {
            let identity = if claimed { Identity::Claimed } else { Identity::Proven };
            let (boot, subject, status) = (Boot(boot), subject(text)?, status.into());
            Event::Report(Report { vantage, identity, boot, seq, subject, status, load, reason })
        }
        EventLine::Heartbeat { vantage, boot, seq } => {
            Event::Heartbeat { vantage, boot: Boot(boot), seq }
        }
        EventLine::Reaffirmed { vantage, boot, seq, only, except } => {
            let all = |texts: Vec<String>| -> Result<Box<[Subject]>, String> {
                texts.into_iter().map(subject).collect()
            };
            let words = match only {
                Some(_) if !except.is_empty() => return Err("both only and except".into()),
                Some(only) => Words::Only(all(only)?),
                None => Words::AllBut(all(except)?),
            };
            Event::Reaffirmed { vantage, boot: Boot(boot), seq, words }
        }
        EventLine::Override { subject: text, action, expires, why, who } => {
            let expiry = expires.map_or(Expiry::Forever, |at| Expiry::At(LogTime(at)));
            Event::Override { subject: subject(text)?, action: action.into(), expiry, why, who }
        }
        EventLine::ClearOverride { subject: text, why, who } => {
            Event::ClearOverride { subject: subject(text)?, why, who }
        }
        EventLine::Drain { region, keep, over_millis, why, who } => {
            Event::Drain { region, keep, over_millis, why, who }
        }
        EventLine::Undrain { region, over_millis, why, who } => {
            Event::Undrain { region, over_millis, why, who }
        }
        EventLine::Tick => Event::Tick,
    })
}

fn inventory_line(inventory: &Inventory) -> InventoryLine {
    let member = |m: &Member| [m.region.clone(), m.pool.clone(), m.address.clone()];
    let mut borders: BTreeMap<Box<str>, BTreeMap<Box<str>, u32>> = BTreeMap::new();
    for ((from, to), weight) in &inventory.borders {
        borders.entry(from.clone()).or_default().insert(to.clone(), *weight);
    }
    InventoryLine {
        regions: inventory.regions.clone(),
        pools: inventory.pools.iter().map(|(p, s)| (p.clone(), settings_line(s))).collect(),
        members: inventory.members.iter().map(member).collect(),
        ttl_max_millis: inventory.ttl_max_millis,
        capacities: inventory.capacities.iter().map(|(r, c)| (r.clone(), marks(c))).collect(),
        borders,
    }
}

const fn marks(capacity: &Capacity) -> [f64; 3] {
    [capacity.load, capacity.high, capacity.low]
}

fn inventory(line: InventoryLine) -> Inventory {
    let member = |[region, pool, address]: [Box<str>; 3]| Member { region, pool, address };
    Inventory {
        regions: line.regions,
        pools: line.pools.into_iter().map(|(pool, s)| (pool, settings(&s))).collect(),
        members: line.members.into_iter().map(member).collect(),
        ttl_max_millis: line.ttl_max_millis,
        capacities: line
            .capacities
            .into_iter()
            .map(|(region, [load, high, low])| (region, Capacity { load, high, low }))
            .collect(),
        borders: line
            .borders
            .into_iter()
            .flat_map(|(from, all)| all.into_iter().map(move |(to, w)| ((from.clone(), to), w)))
            .collect(),
    }
}

fn settings_line(settings: &Settings) -> SettingsLine {
    SettingsLine {
        quorum: settings.quorum,
        rise: settings.rise,
        fall: settings.fall,
        interval_millis: settings.interval_millis,
        hold_down_millis: settings.hold_down_millis,
        failback: match settings.failback {
            Failback::AtOnce => FailbackLine::AtOnce,
            Failback::AfterMillis(wait) => FailbackLine::AfterMillis(wait),
            Failback::ByHand => FailbackLine::ByHand,
        },
        start: settings.start.into(),
        at_least: settings.at_least,
        max_down_share: settings.max_down_share,
    }
}

fn settings(line: &SettingsLine) -> Settings {
    Settings {
        quorum: line.quorum,
        rise: line.rise,
        fall: line.fall,
        interval_millis: line.interval_millis,
        hold_down_millis: line.hold_down_millis,
        failback: match line.failback {
            FailbackLine::AtOnce => Failback::AtOnce,
            FailbackLine::AfterMillis(wait) => Failback::AfterMillis(wait),
            FailbackLine::ByHand => Failback::ByHand,
        },
        start: line.start.into(),
        at_least: line.at_least,
        max_down_share: line.max_down_share,
    }
}

impl From<Status> for StatusLine {
    fn from(status: Status) -> StatusLine {
        match status {
            Status::Up => StatusLine::Up,
            Status::Degraded => StatusLine::Degraded,
            Status::Down => StatusLine::Down,
        }
    }
}

impl From<StatusLine> for Status {
    fn from(line: StatusLine) -> Status {
        match line {
            StatusLine::Up => Status::Up,
            StatusLine::Degraded => Status::Degraded,
            StatusLine::Down => Status::Down,
        }
    }
}

impl From<Action> for ActionLine {
    fn from(action: Action) -> ActionLine {
        match action {
            Action::Up => ActionLine::Up,
            Action::Down => ActionLine::Down,
            Action::Hold => ActionLine::Hold,
            Action::Accept => ActionLine::Accept,
        }
    }
}

impl From<ActionLine> for Action {
    fn from(line: ActionLine) -> Action {
        match line {
            ActionLine::Up => Action::Up,
            ActionLine::Down => Action::Down,
            ActionLine::Hold => Action::Hold,
            ActionLine::Accept => Action::Accept,
        }
    }
}
