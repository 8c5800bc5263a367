//! What the fold promises. A world of two regions and two pools is told events; laws run over random histories of it.

mod decisions;
mod histories;
mod laws;
mod verdicts;

use std::sync::Arc;

use super::super::{
    Action, Boot, Event, Expiry, Identity, Inventory, LogTime, Member, Report, Settings, Standing,
    State, Status, Subject, Tier, Timed,
};
use super::Changes;
use crate::number::{Digest, Generation, Revision};
use crate::reason::Reason;

const SECOND: u64 = 1000;

fn member(text: &str) -> Member {
    Subject::parse(text).ok().and_then(|s| s.exact()).expect("region/pool/address")
}

fn inventory(settings: Settings, members: &[&str]) -> Arc<Inventory> {
    let mut members: Vec<Member> = members.iter().map(|m| member(m)).collect();
    members.sort();
    let pools = members.iter().map(|m| (m.pool.clone(), settings)).collect();
    let regions = vec!["fra".into(), "iad".into()];
    Arc::new(Inventory { regions, pools, members, ..Inventory::default() })
}

const MEMBERS: [&str; 6] = [
    "fra/web/192.0.2.10",
    "fra/web/192.0.2.11",
    "iad/web/198.51.100.10",
    "iad/web/198.51.100.11",
    "fra/api/192.0.2.10",
    "iad/api/198.51.100.20",
];

/// A state, and the time and the numbers that the next event takes.
struct World {
    state: State,
    at: u64,
    revision: u64,
    seq: u64,
}

impl World {
    fn new(settings: Settings) -> World {
        let mut world = World { state: State::default(), at: 0, revision: 0, seq: 0 };
        world.files(1, inventory(settings, &MEMBERS));
        world
    }

    fn tell(&mut self, event: Event) -> Changes {
        self.revision += 1;
        let revision = Revision(self.revision);
        self.state.apply(&Timed { revision, at: LogTime(self.at), event })
    }

    fn files(&mut self, generation: u64, inventory: Arc<Inventory>) {
        let generation = Generation(generation);
        self.tell(Event::Files { generation, digest: Digest::default(), inventory, origin: None });
    }

    fn wait(&mut self, secs: u64) -> &mut World {
        self.at += secs * SECOND;
        self
    }

    fn tick(&mut self) -> Changes {
        self.tell(Event::Tick)
    }

    fn report(&mut self, vantage: &str, subject: &str, status: Status) -> Changes {
        self.seq += 1;
        self.tell(report(vantage, self.seq, subject, status))
    }

    fn heartbeat(&mut self, vantage: &str) -> Changes {
        self.seq += 1;
        let (vantage, boot, seq) = (vantage.into(), Boot(1), self.seq);
        self.tell(Event::Heartbeat { vantage, boot, seq })
    }

    fn order(&mut self, subject: &str, action: Action, expiry: Expiry) {
        self.tell(order(subject, action, expiry));
    }

    fn standing(&self, text: &str) -> Standing {
        self.state.standing(&member(text))
    }

    /// Tier and reason of an endpoint.
    fn tells(&self, text: &str) -> (Tier, Reason) {
        let standing = self.standing(text);
        (standing.tier, standing.reason)
    }
}

/// A `~` before the name: nobody vouches for it.
fn report(vantage: &str, seq: u64, subject: &str, status: Status) -> Event {
    Event::Report(Report {
        vantage: vantage.into(),
        identity: if vantage.starts_with('~') { Identity::Claimed } else { Identity::Proven },
        boot: Boot(1),
        seq,
        subject: Subject::parse(subject).expect("a subject"),
        status,
        load: None,
        reason: None,
    })
}

fn order(subject: &str, action: Action, expiry: Expiry) -> Event {
    let subject = Subject::parse(subject).expect("a subject");
    Event::Override { subject, action, expiry, why: "test".into(), who: "me".into() }
}

fn drain(region: &str, keep: u8) -> Event {
    drain_over(region, keep, 0)
}

fn drain_over(region: &str, keep: u8, over_millis: u64) -> Event {
    let (why, who) = ("test".into(), "me".into());
    Event::Drain { region: region.into(), keep, over_millis, why, who }
}

fn undrain(region: &str, over_millis: u64) -> Event {
    Event::Undrain { region: region.into(), over_millis, why: "".into(), who: "".into() }
}

const FRA: &str = "fra/web/192.0.2.10";
