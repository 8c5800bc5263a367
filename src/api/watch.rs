//! What happens, as it happens: the events of /v1/watch, of `homing watch` and of the webhook.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alarm::Alarm;
use crate::health::{Event, Expiry, Identity, Timed};

use super::alarm::{AlarmBody, alarm_body};
use super::health::timestamp;

/// One event of the log with all that came of it. Its place in the order is its `id` too: whoever has seen it resumes
/// after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WatchEvent {
    /// Its place in the log. Each revision is told once, none is left out.
    pub revision: u64,
    /// When it happened, in log time (RFC 3339).
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub what: WatchWhat,
    /// Endpoints that stand otherwise because of it, or because of the time that had passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turned: Vec<Turn>,
    /// How many more turned than are listed; /v1/health has all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub turned_more: usize,
    /// Alarms that it raised or cleared. They follow from the log alone, and are the same at every site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmChange>,
}

/// What happened: one closed list, told by `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WatchWhat {
    /// A state of files was published.
    Publication {
        /// Its number.
        generation: u64,
        /// The hash of its files.
        digest: String,
        /// What brought it about: `start`, `files`, `rollback`, `resume`, `accept`; empty where the log does not say.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        cause: String,
        /// Of a rollback, the generation whose files it has again; of an acceptance, the number that was accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<u64>,
        /// Who asked for it; empty when a file changed by itself.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        who: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// A vantage's word that was new. What only repeats is not in the log.
    Report {
        /// Who looked.
        vantage: String,
        /// Whether no token vouches for the name.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        claimed: bool,
        /// Of what.
        subject: String,
        /// What it saw: `up`, `degraded`, `down`.
        status: String,
        /// Load, in the unit of the region's capacity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        load: Option<f64>,
        /// Why, in its words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        because: String,
    },
    /// A vantage said again what it said last: all of it, or much.
    Heartbeat {
        /// Who.
        vantage: String,
    },
    /// An operator decided.
    Override {
        /// Of what.
        subject: String,
        /// `up`, `down`, `hold`, `accept`.
        action: String,
        /// When it ends (RFC 3339), or `never`.
        expires: String,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// An operator took a decision back.
    ClearOverride {
        /// Of what.
        subject: String,
        /// Who.
        who: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// An operator wishes a region empty.
    Drain {
        /// Which.
        region: String,
        /// How many 256ths of its clients it keeps in the end.
        to: u16,
        /// In which time, in milliseconds; left out where it is at once.
        #[serde(default, skip_serializing_if = "is_none")]
        over_millis: u64,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// … and wants it back.
    Undrain {
        /// Which.
        region: String,
        /// In which time, in milliseconds; left out where it is at once.
        #[serde(default, skip_serializing_if = "is_none")]
        over_millis: u64,
        /// Who.
        who: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// A deadline passed: a step of a drain, an override that ended, a word that grew old.
    Tick,
}

/// An endpoint that stands otherwise than before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Turn {
    /// The endpoint: region/pool/address.
    pub subject: String,
    /// How it could be used before: `up`, `degraded`, `down`, `overridden-down`.
    pub was: String,
    /// … and now; the same where only the evidence or the reason is another.
    pub status: String,
    /// The verdict, whatever overrides say.
    pub verdict: String,
    /// The reason's code.
    pub reason: String,
    /// The reason in words.
    pub because: String,
    /// `fresh`, `stale`, `frozen` or `never`.
    pub evidence: String,
}

/// An alarm that was raised, or cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlarmChange {
    /// `raised` or `cleared`.
    pub change: String,
    /// Which; of one that is cleared `words` are those of its kind.
    #[serde(flatten)]
    pub alarm: AlarmBody,
}

/// How a watch begins: an event `start` of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchStart {
    /// What follows comes after this revision.
    pub revision: u64,
    /// The alarms of this machine that stand. They are not in the log and have no revision: they are told whole whenever
    /// a watch begins, and each change as an event `alarm` without `id`.
    pub alarms: Vec<AlarmBody>,
}

/// How a watch ends: an event `end` of the stream. Nothing is lost: it resumes after `revision`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchEnd {
    /// `too-slow`, `stopping`, `not-welcome`, `too-old` or `unreadable`.
    pub code: String,
    /// What was the matter, and what to do.
    pub detail: String,
    /// The last revision that was told.
    pub revision: u64,
}

// The shape that serde asks for.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

// The shape that serde asks for.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_none(millis: &u64) -> bool {
    *millis == 0
}

/// An alarm that was raised with `words`, or cleared.
pub fn alarm_change(alarm: Alarm, subject: &str, raised: Option<&str>) -> AlarmChange {
    let change = if raised.is_some() { "raised" } else { "cleared" };
    let alarm = alarm_body(alarm, subject, raised.unwrap_or_else(|| alarm.text()));
    AlarmChange { change: change.to_owned(), alarm }
}

/// The event as JSON, with nothing of what came of it.
pub fn watch_event(timed: &Timed) -> WatchEvent {
    let (revision, at) = (timed.revision.0, timestamp(timed.at));
    let what = what(&timed.event);
    WatchEvent { revision, at, what, turned: Vec::new(), turned_more: 0, alarms: Vec::new() }
}

fn what(event: &Event) -> WatchWhat {
    let text = |text: &str| text.to_owned();
    match event {
        Event::Files { generation, digest, origin, .. } => {
            let origin = origin.as_deref().cloned().unwrap_or_default();
            WatchWhat::Publication {
                generation: generation.0,
                digest: digest.to_string(),
                cause: origin.kind.into(),
                of: origin.of.map(|of| of.0),
                who: origin.who.into(),
                why: origin.why.into(),
            }
        }
        Event::Report(report) => WatchWhat::Report {
            vantage: text(&report.vantage),
            claimed: report.identity == Identity::Claimed,
            subject: report.subject.to_string(),
            status: text(report.status.word()),
            load: report.load,
            because: text(report.reason.as_deref().unwrap_or_default()),
        },
        Event::Heartbeat { vantage, .. } | Event::Reaffirmed { vantage, .. } => {
            WatchWhat::Heartbeat { vantage: text(vantage) }
        }
        Event::Override { subject, action, expiry, why, who } => WatchWhat::Override {
            subject: subject.to_string(),
            action: text(action.word()),
            expires: match expiry {
                Expiry::At(at) => timestamp(*at),
                Expiry::Forever => text("never"),
            },
            who: text(who),
            why: text(why),
        },
        Event::ClearOverride { subject, why, who } => WatchWhat::ClearOverride {
            subject: subject.to_string(),
            who: text(who),
            why: text(why),
        },
        Event::Drain { region, keep, over_millis, why, who } => WatchWhat::Drain {
            region: text(region),
            to: u16::from(*keep),
            over_millis: *over_millis,
            who: text(who),
            why: text(why),
        },
        Event::Undrain { region, over_millis, why, who } => WatchWhat::Undrain {
            region: text(region),
            over_millis: *over_millis,
            who: text(who),
            why: text(why),
        },
        Event::Tick => WatchWhat::Tick,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::LogTime;
    use crate::number::Revision;

    #[test]
    fn an_event_reads_as_one_object_and_back() {
        let event = Event::Drain {
            region: "fra".into(),
            keep: 64,
            over_millis: 0,
            why: "works".into(),
            who: "ana".into(),
        };
        let timed = Timed { revision: Revision(7), at: LogTime(1_700_000_000_000), event };
        let mut told = watch_event(&timed);
        told.alarms.push(alarm_change(Alarm::Panic, "web", Some("too much")));
        let text = serde_json::to_string(&told).unwrap();
        let head = concat!(
            r#"{"revision":7,"at":"2023-11-14T22:13:20Z","kind":"drain","region":"fra","to":64,"#,
            r#""who":"ana","why":"works","alarms":[{"change":"raised","alarm":"panic","#
        );
        assert!(text.starts_with(head), "{text}");
        assert_eq!(serde_json::from_str::<WatchEvent>(&text).unwrap(), told);
        let tick = watch_event(&Timed { event: Event::Tick, ..timed });
        let text = serde_json::to_string(&tick).unwrap();
        assert_eq!(text, r#"{"revision":7,"at":"2023-11-14T22:13:20Z","kind":"tick"}"#);
        assert_eq!(serde_json::from_str::<WatchEvent>(&text).unwrap(), tick);
    }
}
