//! The writer and the hub, the very code that serves, in every order in which their steps can happen: two publishers that
//! are as slow as they like, a rollback, an override that ends, a report. No answer goes back, none is empty, nothing that
//! was acknowledged is lost.

mod explore;
mod naive;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::LazyLock;

use arc_swap::ArcSwap;

use super::super::changefeed::Changefeed;
use super::super::hub::Owner as HubOwner;
use super::super::publication::Slots;
use super::super::reclaim::Reclaim;
use super::*;
use crate::answer::Snapshot;
use crate::health::{Action, Boot, Expiry, Identity, Report, Status, Subject, Tier};
use crate::history::Cause;
use crate::load::{Builder, Config, Parts, Removals, scan};
use crate::number::{ClassId, Digest, Generation};
use crate::route::{ChoiceAnswer, Family, PolicyTable};
use explore::{World, explore};

const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n";
const ZONE: &str =
    "$TTL 60\n@ SOA ns1 hostmaster 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n";
const ENDPOINT: &str = "fra/web/192.0.2.10";
const BEGUN: LogTime = LogTime(1_700_000_000_000);
const OVERRIDE_ENDS: LogTime = LogTime(BEGUN.0 + 60_000);

/// Three states of files, compiled: each has an endpoint that the others lack.
static FILES: LazyLock<Vec<Parts>> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("geo/regions.toml", REGIONS);
    write("zones/example.test.zone", ZONE);
    let config = Config::defaults(root.path());
    let mut builder = Builder::new(&config);
    let compiled = ["192.0.2.20", "192.0.2.21", "192.0.2.22"].map(|router| {
        let steering = format!(
            "[pools.web]\nfra = [\"192.0.2.10\", \"{router}\"]\niad = [\"198.51.100.10\"]\n\
             [policies.web]\npool = \"web\"\nttl = {{ min = 10, max = 60 }}\n\
             rules = [{{ regions = [\"fra\", \"iad\"] }}]\nunknown = [\"fra\", \"iad\"]\n\
             [routes.\"example.test\"]\n\"geo\" = \"web\"\n"
        );
        write("zones/example.test.toml", &steering);
        let scan = scan(&config);
        let built = builder.build(&scan, &scan.files, Removals::Settled);
        assert!(built.diagnostics.iter().all(|d| !d.is_error()), "{:?}", built.diagnostics);
        built.parts
    });
    compiled.into()
});

/// Two threads for all worlds: one frees what is retired, the other has nobody to tell.
static RECLAIM: LazyLock<Reclaim> = LazyLock::new(|| Reclaim::start().unwrap());
static TELLER: LazyLock<Teller> =
    LazyLock::new(|| Changefeed::start(State::default(), None).unwrap().1);

/// Two who publish, by the files that they have: one an edit, the other an edit and then a rollback to the first files.
const PUBLISHERS: [&[usize]; 2] = [&[1], &[2, 0]];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A publisher looks at what serves, and takes the next number.
    Look(usize),
    /// … and sends what it made. Anything may happen in between.
    Send(usize),
    /// A report arrives.
    Report,
    /// The override's time is over.
    Expire,
    /// The writer takes what waits.
    Write,
    /// The hub takes what is durable.
    Serve,
}

/// The writer and the hub without their threads: each turn of theirs is a step.
struct Served {
    writer: Owner,
    /// What waits for the writer, and its way there.
    orders: VecDeque<Order>,
    to_writer: (SyncSender<Order>, Receiver<Order>),
    hub: HubOwner,
    /// What waits for the hub, and where it comes from.
    batches: VecDeque<hub::Event>,
    from_writer: Receiver<hub::Event>,
    snapshots: Arc<ArcSwap<Snapshot>>,
    publishers: [Publisher; PUBLISHERS.len()],
    report: Option<oneshot::Receiver<Result<Fed, WriteError>>>,
    is_over: bool,
    folder: tempfile::TempDir,
}

#[derive(Default)]
struct Publisher {
    /// The number that it took for what it publishes next.
    number: Option<u64>,
    /// While it waits to be told.
    reply: Option<oneshot::Receiver<Result<(), WriteError>>>,
    /// What it was told of each: the number, and whether it was taken.
    told: Vec<(u64, bool)>,
}

fn publication(generation: u64, files: usize) -> Arc<Publication> {
    let parts = FILES[files].clone();
    let (slots, slot_names, blocks) = Slots::default().give(&parts.plans);
    Arc::new(Publication {
        generation: Generation(generation),
        published: BEGUN,
        parts,
        slots,
        slot_names,
        blocks,
        findings: Arc::default(),
        pin: None,
        cause: Cause::default(),
    })
}

fn report() -> Event {
    Event::Report(Report {
        vantage: "a".into(),
        identity: Identity::Claimed,
        boot: Boot(1),
        seq: 1,
        subject: Subject::parse(ENDPOINT).unwrap(),
        status: Status::Down,
        load: None,
        reason: None,
    })
}

impl World for Served {
    type Step = Step;

    fn begin() -> Served {
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.unwrap();
        let (mut log, _) = Log::open(folder.path()).unwrap();
        let mut state = State::default();
        let first = publication(1, 0);
        let override_ = Event::Override {
            subject: Subject::parse(ENDPOINT).unwrap(),
            action: Action::Down,
            expiry: Expiry::At(OVERRIDE_ENDS),
            why: "works".into(),
            who: "ana".into(),
        };
        let begun = log.append(vec![(BEGUN, first.event()), (BEGUN, override_)]).unwrap();
        begun.iter().for_each(|timed| drop(state.apply(timed)));
        let hub = HubOwner::new(state.clone(), first, RECLAIM.clone());
        let (to_hub, from_writer) = Hub::channel();
        let clock = Clock::start(BEGUN, BEGUN);
        let alarms = Alarms::default();
        Served {
            writer: Owner::new(Some(log), state, clock, to_hub, TELLER.clone(), alarms),
            orders: VecDeque::new(),
            to_writer: sync_channel(16),
            snapshots: hub.snapshots(),
            hub,
            batches: VecDeque::new(),
            from_writer,
            publishers: Default::default(),
            report: None,
            is_over: false,
            folder,
        }
    }

    fn enabled(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (who, publisher) in self.publishers.iter().enumerate() {
            let is_over = publisher.told.len() == PUBLISHERS[who].len();
            match publisher {
                _ if is_over => {}
                Publisher { number: None, .. } => steps.push(Step::Look(who)),
                Publisher { reply: None, .. } => steps.push(Step::Send(who)),
                Publisher { reply: Some(_), .. } => {}
            }
        }
        steps.extend(self.report.is_none().then_some(Step::Report));
        steps.extend((!self.is_over).then_some(Step::Expire));
        let is_due = self.writer.ahead.deadline().is_some_and(|at| at <= self.writer.clock.now());
        steps.extend((!self.orders.is_empty() || is_due).then_some(Step::Write));
        steps.extend((!self.batches.is_empty()).then_some(Step::Serve));
        steps
    }

    fn step(&mut self, step: Step) -> Result<(), String> {
        let before = self.snapshots.load_full();
        match step {
            Step::Look(who) => self.publishers[who].number = Some(before.generation.0 + 1),
            Step::Send(who) => {
                let (reply, told) = oneshot::channel();
                let number = self.publishers[who].number.unwrap_or_default();
                let files = PUBLISHERS[who][self.publishers[who].told.len()];
                let publication = publication(number, files);
                self.publishers[who].reply = Some(told);
                self.orders.push_back(Order::Publish(publication, reply));
            }
            Step::Report => {
                let (reply, told) = oneshot::channel();
                self.report = Some(told);
                self.orders.push_back(Order::Feed(vec![report()], reply));
            }
            Step::Expire => {
                self.is_over = true;
                self.writer.clock = Clock::start(OVERRIDE_ENDS, OVERRIDE_ENDS);
            }
            Step::Write => {
                let (sender, receiver) = &self.to_writer;
                for order in self.orders.drain(..) {
                    assert!(sender.try_send(order).is_ok(), "there is room");
                }
                assert!(self.writer.turn(receiver).is_continue(), "nobody ends it");
                // A batch ends with a publication: what came after it waits on.
                self.orders.extend(receiver.try_iter());
                self.batches.extend(self.from_writer.try_iter());
            }
            Step::Serve => {
                let batch = self.batches.pop_front().ok_or("a batch is lost")?;
                let _ = self.hub.take(batch);
            }
        }
        self.check(&before)
    }

    fn key(&self) -> String {
        let (snapshot, ahead) = (self.snapshots.load_full(), &self.writer.ahead);
        let publishers = self.publishers.iter().map(|p| (p.number, p.reply.is_some(), &p.told));
        let publishers: Vec<_> = publishers.collect();
        let reported = self.report.is_some();
        format!(
            "{publishers:?} {reported} {} {:?} {:?} {} {} {} {} {}",
            self.is_over,
            self.orders.iter().map(kind).collect::<Vec<_>>(),
            self.batches.iter().map(size).collect::<Vec<_>>(),
            snapshot.digest,
            snapshot.generation,
            ahead.digest(),
            ahead.generation(),
            ahead.revision(),
        )
    }

    /// Whoever was told that it is so finds it so, after a restart too.
    fn end(&mut self) -> Result<(), String> {
        let snapshot = self.snapshots.load_full();
        if self.publishers.iter().any(|publisher| publisher.number.is_some()) {
            return Err("a publisher was told nothing".into());
        }
        let told = self.publishers.iter().flat_map(|publisher| &publisher.told);
        let last = told.filter(|(_, is_taken)| *is_taken).map(|(number, _)| *number).max();
        if last != Some(snapshot.generation.0) {
            return Err("what serves is not the last that was taken".into());
        }
        let fed = self.report.as_mut().and_then(|told| told.try_recv().ok());
        if !matches!(fed, Some(Ok(Fed { taken: 1, .. }))) {
            return Err("the report was not acknowledged".into());
        }
        self.writer.log = None;
        let (_, replay) = Log::open(self.folder.path()).map_err(|e| e.to_string())?;
        let health = &self.hub.view().health;
        if replay.state.digest() != health.digest()
            || replay.state.generation() != snapshot.generation
        {
            return Err("a restart remembers something else".into());
        }
        let member = Subject::parse(ENDPOINT).unwrap().exact().unwrap();
        match health.standing(&member).tier {
            Tier::Down => Ok(()),
            other => Err(format!("the override is over, the report holds, and it is {other:?}")),
        }
    }
}

/// What of an order the future depends on.
fn kind(order: &Order) -> Option<(Generation, Digest)> {
    match order {
        Order::Publish(publication, _) => {
            Some((publication.generation, publication.parts.files_digest))
        }
        _ => None,
    }
}

/// … and of a batch: the events follow from the state ahead.
fn size(batch: &hub::Event) -> usize {
    match batch {
        hub::Event::Folded { events, .. } => events.len(),
        _ => 0,
    }
}

impl Served {
    /// What serves is whole, and no older than before; who was told that its files serve sees that they do.
    fn check(&mut self, before: &Snapshot) -> Result<(), String> {
        let now = self.snapshots.load_full();
        if now.generation < before.generation || now.revision < before.revision {
            return Err("backwards".into());
        }
        if now.generation == before.generation && !Arc::ptr_eq(&now.plans, &before.plans) {
            return Err("one number for two states of files".into());
        }
        for publisher in &mut self.publishers {
            let Some(Ok(told)) = publisher.reply.as_mut().map(oneshot::Receiver::try_recv) else {
                continue;
            };
            let number = publisher.number.take().unwrap_or_default();
            publisher.reply = None;
            publisher.told.push((number, told.is_ok()));
            if told.is_ok() && number > now.generation.0 {
                return Err("acknowledged before it serves".into());
            }
        }
        if is_whole(&now) { Ok(()) } else { Err("empty".into()) }
    }
}

/// Whether each class of clients of each policy gets addresses, and of the plans that serve.
fn is_whole(snapshot: &Snapshot) -> bool {
    let policies = &snapshot.table.policies;
    let has_addresses = |policy: &PolicyTable, class: usize, bucket: u8| {
        let choice = policy.choice(ClassId(class as u16), Family::V4, bucket);
        choice.is_some_and(|it| matches!(it.answer, ChoiceAnswer::Records { count: 1.., .. }))
    };
    let is_whole = |policy: &PolicyTable| {
        let count = policy.class_count();
        let mut cells = (0..count).flat_map(|class| (0..=u8::MAX).map(move |it| (class, it)));
        count > 0 && cells.all(|(class, bucket)| has_addresses(policy, class, bucket))
    };
    policies.len() == 1 && policies.iter().all(|policy| is_whole(policy))
}

#[test]
fn in_every_order_nothing_goes_back_nothing_is_empty_nothing_is_lost() {
    let found = explore::<Served>();
    println!("{} states, {} ends", found.states, found.ends);
    assert!(found.broken.is_empty(), "{found:#?}");
    assert!(found.states > 1_000 && found.ends > 10, "{found:?}");
}

/// One publisher looked long ago; another published twice since. Then the first one comes.
#[test]
fn a_delayed_writer_applies_an_older_plan_and_cleanup_then_empties_the_record() {
    // Where each checks first and applies then, and cleans up what is old, it happens.
    let found = explore::<naive::Naive>();
    let broken: Vec<&str> = found.broken.keys().map(String::as_str).collect();
    assert_eq!(broken, ["backwards", "empty"], "the search finds what is there: {found:#?}");
    // Here it does not.
    let mut world = Served::begin();
    let taken = [Step::Look(1), Step::Send(1), Step::Write, Step::Serve];
    let late = [Step::Send(0), Step::Write];
    for step in [&[Step::Look(0)][..], &taken, &taken, &late].concat() {
        world.step(step).unwrap();
    }
    let [slow, other] = &world.publishers;
    assert_eq!((&slow.told[..], &other.told[..]), (&[(2, false)][..], &[(2, true), (3, true)][..]));
    assert_eq!(world.snapshots.load().generation, Generation(3));
    let alarms = world.writer.alarms.standing();
    assert!(alarms.keys().any(|(alarm, _)| *alarm == Alarm::PublicationRefused));
}
