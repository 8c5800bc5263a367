//! Happenings: events of every kind, in any order, on a world with a routed name for each kind of policy.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use homing::answer::Snapshot;
use homing::fileset::{File, FileSet};
use homing::health::{
    Action, Boot, Changes, Event, Expiry, Identity, LogTime, Report, State, Status, Subject, Timed,
};
use homing::load::{Builder, Config, Parts, Removals, Scan};
use homing::number::{Digest, Generation, Revision};
use homing::route::{LiveTable, PolicyTable};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::REGIONS;

/// What may happen. An operator forces what would be refused: nobody asks here.
#[derive(Clone, Debug)]
pub enum Happening {
    Report(&'static str, &'static str, Status),
    Heartbeat(&'static str),
    /// For so many milliseconds, or until it is cleared.
    Override(&'static str, Action, Option<u64>),
    Clear(&'static str),
    /// To so many 256ths, within so many milliseconds.
    Drain(&'static str, u8, u64),
    Undrain(&'static str, u64),
    /// One of the states of files, under the next number: an edit, or a rollback.
    Publish(usize),
    /// … under an old number.
    PublishLate(usize),
    Tick,
}

/// What happens, each after some milliseconds.
pub type Course = Vec<(u64, Happening)>;

/// The names that `files` route, by what they do when all is down.
pub const ALWAYS: [&[u8]; 5] =
    [b"\x03all", b"\x08weighted", b"\x06fenced", b"\x08together", b"\x07default"];
pub const NODATA: &[u8] = b"\x06nodata";
pub const SERVFAIL: &[u8] = b"\x08servfail";

const POOL: &str = r#"
[pools.web]
fra = ["192.0.2.10", "192.0.2.11", "2001:db8:1::10"]
iad = [{ address = "198.51.100.10", weight = 3 }, "198.51.100.11", "2001:db8:2::10"]
sin = ["203.0.113.10", "2001:db8:3::10"]
"#;
/// An edit: another address, a region less, and a quorum.
const OTHER_POOL: &str = r#"
[pools.web]
fra = ["192.0.2.77", "2001:db8:1::77"]
sin = ["203.0.113.10", "2001:db8:3::10"]
[pools.web.health]
quorum = 2
fall = 2
hold_down = "20s"
failback = "by hand"
max_down_share = 1.0
"#;
/// Two of them decide alike, of endpoints of their own.
const POLICIES: &str = r#"
[pools.spare]
fra = ["192.0.2.20", "2001:db8:1::20"]
iad = ["198.51.100.20", "2001:db8:2::20"]
sin = ["203.0.113.20", "2001:db8:3::20"]
[policies.alike]
pool = "spare"
rules = [{ regions = "nearest" }]
[policies.all]
pool = "web"
answers = 2
rules = [{ regions = "nearest" }]
[policies.weighted]
pool = "web"
rules = [{ regions = [{ region = "fra", weight = 70 }, { region = "sin", weight = 30 }] }]
[policies.fenced]
pool = "web"
rules = [{ places = ["EU"], regions = ["fra"], fence = true }, { regions = "nearest" }]
[policies.together]
pool = "web"
families = "together"
rules = [{ regions = "nearest" }]
[policies.default]
pool = "web"
rules = [{ regions = "nearest" }]
when_all_down = "default"
[policies.nodata]
pool = "web"
rules = [{ regions = "nearest" }]
when_all_down = "nodata"
[policies.servfail]
pool = "web"
rules = [{ regions = "nearest" }]
when_all_down = "servfail"
"#;

const PLACES: &str = "1.128.0.0,1.159.255.255,AU\n17.0.0.0,17.255.255.255,US\n\
    193.0.0.0,193.255.255.255,NL\n";

const STATUSES: [Status; 4] = [Status::Up, Status::Degraded, Status::Down, Status::Down];
const ACTIONS: [Action; 4] = [Action::Up, Action::Down, Action::Hold, Action::Accept];
const SUBJECTS: [&str; 10] = [
    "*",
    "fra",
    "sin",
    "iad/web",
    "*/spare",
    "203.0.113.20",
    "192.0.2.10",
    "fra/web/192.0.2.77",
    "2001:db8:3::10",
    "x/y/::1",
];

/// The states of files that there may be, made into parts once.
pub fn files() -> &'static [Parts] {
    static FILES: OnceLock<Vec<Parts>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut builder = Builder::new(&Config::defaults(Path::new(".")));
        let mut built = |pool: &str| {
            let parts = builder.build(&scan(pool), &FileSet::default(), Removals::Wait);
            assert!(parts.refused.is_empty(), "{:#?}", parts.refused);
            parts.parts
        };
        vec![built(POOL), built(OTHER_POOL)]
    })
}

fn scan(pool: &str) -> Scan {
    let mut zone =
        "$TTL 60\n@ SOA ns1 host 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n".to_owned();
    let mut routes = "[routes.\"example.test\"]\n".to_owned();
    for name in ALWAYS.into_iter().chain([NODATA, SERVFAIL]) {
        let name = std::str::from_utf8(&name[1..]).expect("a label");
        zone.push_str(&format!("{name} A 192.0.2.200\n{name} AAAA 2001:db8::200\n"));
        routes.push_str(&format!("{name} = \"{name}\"\n"));
    }
    let steering = format!("{pool}{POLICIES}{routes}");
    let mut set = FileSet::default();
    for (path, text) in [
        ("zones/example.test.zone", zone.as_str()),
        ("zones/example.test.toml", &steering),
        ("geo/regions.toml", REGIONS),
        // Much smaller than what is built in.
        ("geo/places-ipv4.csv", PLACES),
    ] {
        set.files.insert(path.to_owned(), File::new(text.as_bytes()));
    }
    Scan::from(set)
}

pub fn any_course() -> impl Strategy<Value = Course> {
    let vantage = || select(vec!["a", "b", "c"]);
    let region = || select(vec!["fra", "iad", "sin"]);
    let over = || select(vec![0, 0, 90_000, 600_000]);
    let happening = prop_oneof![
        8 => (vantage(), select(&SUBJECTS[..]), select(&STATUSES[..]))
            .prop_map(|(vantage, subject, status)| Happening::Report(vantage, subject, status)),
        3 => vantage().prop_map(Happening::Heartbeat),
        4 => (select(&SUBJECTS[..]), select(&ACTIONS[..]), prop::option::of(1..90_000u64))
            .prop_map(|(subject, action, span)| Happening::Override(subject, action, span)),
        1 => select(&SUBJECTS[..]).prop_map(Happening::Clear),
        3 => (region(), prop_oneof![Just(0), any::<u8>()], over())
            .prop_map(|(region, keep, over)| Happening::Drain(region, keep, over)),
        1 => (region(), over()).prop_map(|(region, over)| Happening::Undrain(region, over)),
        2 => (0..2usize).prop_map(Happening::Publish),
        1 => (0..2usize).prop_map(Happening::PublishLate),
        1 => Just(Happening::Tick),
    ];
    let wait = prop_oneof![Just(0), 1..3000u64, Just(10_000), Just(31_000), Just(700_000)];
    prop::collection::vec((wait, happening), 0..30)
}

/// What all that happened has come to.
pub struct Lived {
    pub state: State,
    table: LiveTable,
    /// What the table has yet to follow.
    changes: Vec<Changes>,
    serving: usize,
    generation: u64,
    revision: u64,
    at: u64,
}

impl Lived {
    /// The first state of files, and nothing said.
    pub fn new() -> Lived {
        let (state, changes) = (State::default(), Vec::new());
        let table = LiveTable::new(&files()[0].plans, &state);
        let mut lived =
            Lived { state, table, changes, serving: 0, generation: 0, revision: 0, at: 0 };
        lived.take(0, &Happening::Publish(0));
        lived
    }

    /// It happens, and the table follows.
    pub fn take(&mut self, wait: u64, happening: &Happening) {
        self.fold(wait, happening);
        self.follow();
    }

    /// The table follows all that was folded since it last did, as that of a server does.
    pub fn follow(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        if Arc::ptr_eq(self.table.plans(), &self.parts().plans) {
            self.table.follow(&changes, &self.state);
        } else {
            self.table = LiveTable::new(&self.parts().plans, &self.state);
        }
    }

    /// It happens; the table is as it was.
    pub fn fold(&mut self, wait: u64, happening: &Happening) {
        self.at += wait;
        let subject = |text| Subject::parse(text).expect("a subject");
        let (why, who) = (Box::<str>::from("test"), Box::<str>::from("me"));
        let (boot, seq) = (Boot(1), self.revision);
        let event = match *happening {
            Happening::Report(vantage, of, status) => Event::Report(Report {
                vantage: vantage.into(),
                identity: Identity::Proven,
                boot,
                seq,
                subject: subject(of),
                status,
                load: None,
                reason: None,
            }),
            Happening::Heartbeat(vantage) => {
                Event::Heartbeat { vantage: vantage.into(), boot, seq }
            }
            Happening::Override(of, action, span) => {
                let expiry =
                    span.map_or(Expiry::Forever, |span| Expiry::At(LogTime(self.at + span)));
                Event::Override { subject: subject(of), action, expiry, why, who }
            }
            Happening::Clear(of) => Event::ClearOverride { subject: subject(of), why, who },
            Happening::Drain(region, keep, over_millis) => {
                Event::Drain { region: region.into(), keep, over_millis, why, who }
            }
            Happening::Undrain(region, over_millis) => {
                Event::Undrain { region: region.into(), over_millis, why, who }
            }
            Happening::Publish(which) => {
                (self.generation, self.serving) = (self.generation + 1, which);
                self.files(self.generation, which)
            }
            Happening::PublishLate(which) => self.files(self.generation - 1, which),
            Happening::Tick => Event::Tick,
        };
        self.tell(event);
    }

    fn files(&self, generation: u64, which: usize) -> Event {
        let inventory = Arc::clone(&files()[which].inventory);
        let digest = Digest::of(&[which as u8]);
        Event::Files { generation: Generation(generation), digest, inventory, origin: None }
    }

    fn tell(&mut self, event: Event) {
        self.revision += 1;
        let (revision, at) = (Revision(self.revision), LogTime(self.at));
        self.changes.push(self.state.apply(&Timed { revision, at, event }));
    }

    pub fn parts(&self) -> &'static Parts {
        &files()[self.serving]
    }

    pub fn tables(&self) -> Vec<Arc<PolicyTable>> {
        self.table.table().policies.into()
    }

    pub fn snapshot(&self) -> Snapshot {
        let parts = self.parts();
        Snapshot {
            generation: self.state.generation(),
            revision: self.state.revision(),
            digest: self.state.digest(),
            catalog: Arc::clone(&parts.catalog),
            plans: Arc::clone(&parts.plans),
            table: self.table.table(),
            steered: Arc::default(),
        }
    }
}
