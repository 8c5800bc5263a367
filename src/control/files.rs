//! Files into publications: looks when told, builds, keeps, has it written and published. A thread of its own.
//!
//! Owns: the builder, the files that serve, their generation. There is one builder, so no part's base ever moves under
//! it. While a pin stands there are two lines of files: those that serve, and the last good forms of those on the disk,
//! which go on as if they served, until `resume` has them serve.

mod fulfil;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::api::{DiagnosticBody, Reloaded};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::fileset::{File, FileSet, is_database};
use crate::history::Cause;
use crate::load::{Builder, Built, Config, Held, Motion, Parts, ReadAgain, Reader, Removals, Scan};
use crate::number::{Digest, Generation};

use super::candidate::Candidate;
use super::file_alarms;
use super::hub::{self, Hub};
use super::looks::{Crowd, Looks, Request, Schedule};
use super::past::{Last, Past, cause_of_files};
use super::picture;
use super::publication::{Findings, Pending, Pin, Publication, Slots};
use super::reclaim::Reclaim;
use super::touched::Told;
use super::watch::Watch;
use super::weights::Weigher;
use super::writer::{Clock, Writer};

/// Who asks for a look wants what was written just before; the watch may not know yet that its writer is done.
const SETTLE_MAX: Duration = Duration::from_millis(100);

/// The one who looks at the files.
pub struct Files {
    config: Config,
    builder: Builder,
    reader: Reader,
    /// What the watch tells of writers, and the reader leaves alone.
    motion: Motion,
    /// It began before the first look, so that nothing changes unseen.
    watch: Watch,
    /// What it hints to.
    looks: Looks,
    slots: Slots,
    past: Past,
    clock: Clock,
    candidate: Candidate,
    /// The last good form of each file of the disk: what serves, unless a pin stands.
    good: FileSet,
    /// What serves instead, and why.
    pinned: Option<(Pin, FileSet)>,
    generation: Generation,
    /// What brought it about.
    cause: Cause,
    /// Whether the next look publishes whatever it finds: the first does, and one after a build that led to nothing.
    owes: bool,
    /// Whether the last look took in all files.
    saw_all: bool,
    /// Whether files are being read as a whole beside the looks.
    reads_again: bool,
    findings: Arc<Findings>,
}

/// What a look takes in.
#[derive(Clone, Debug)]
pub enum View {
    /// All files.
    All(Removals),
    /// What the watch told of: of anything that may mean more, all files.
    At(BTreeSet<PathBuf>),
}

/// Where publications go, once the server runs.
pub struct Outlet {
    /// Makes them durable and has them served.
    pub writer: Writer,
    /// Is told what was found when nothing is published.
    pub hub: Hub,
    /// Knows how many old snapshots wait.
    pub reclaim: Reclaim,
    /// Counts whose clients ask.
    pub weigher: Weigher,
}

impl Outlet {
    /// Has `publication` written and served; false if the server ends, or serves a later one (the writer has said so).
    fn publish(&self, publication: Arc<Publication>) -> bool {
        // First, so that nothing is counted in a row that nobody looks at.
        self.weigher.follow(&publication);
        self.writer.publish(publication).is_ok()
    }
}

impl Files {
    /// Begins with the files that served last, as `past` kept them.
    pub fn new(
        config: &Config,
        past: Past,
        last: Option<Last>,
        clock: Clock,
        looks: Looks,
    ) -> Files {
        let last = last.map(|Last { generation, files, pinned }| match pinned {
            Some((pin, good)) => (generation, good, Some((pin, files))),
            None => (generation, files, None),
        });
        let (generation, good, pinned) = last.unwrap_or_default();
        let motion = Motion::default();
        let folders = [config.zones.as_path(), config.geo.as_path()];
        let watch = Watch::start(&folders, &config.state, motion.clone(), looks.clone());
        Files {
            builder: Builder::new(config),
            config: config.clone(),
            reader: Reader::new(motion.clone()),
            motion,
            watch,
            looks,
            slots: Slots::default(),
            past,
            clock,
            candidate: Candidate::open(config.state.clone()),
            good,
            pinned,
            generation,
            cause: cause_of_files(Generation(0)),
            owes: true,
            saw_all: true,
            reads_again: false,
            findings: Arc::default(),
        }
    }

    /// Looks at the files, and makes a publication of them if they differ from what serves. The first look always
    /// makes one, at worst of what served last. While a pin stands nothing else is published.
    pub fn look(&mut self, view: &View) -> Option<Arc<Publication>> {
        self.saw_all = true;
        self.settle();
        let owes = std::mem::take(&mut self.owes);
        if owes && let Some((pin, files)) = &self.pinned {
            let Pin { generation, who, why, .. } = pin;
            tracing::warn!(event = "pinned", %generation, who, why, "until homing resume");
            // The disk is looked at when this serves.
            let files = files.clone();
            let built = self.builder.build(&Scan::from(files.clone()), &files, Removals::Settled);
            self.note(Findings::of(&built));
            return Some(self.publication(built.parts));
        }
        let begun = Instant::now();
        let glance = match view {
            View::All(_) => None,
            View::At(paths) => self.reader.glance(&self.config, paths),
        };
        self.saw_all = glance.is_none();
        let scan = glance.unwrap_or_else(|| self.reader.scan(&self.config));
        let removals = if let View::All(removals) = view { *removals } else { Removals::Wait };
        let built = self.build(&scan, removals);
        let is_new = built.serving != self.good;
        let publishes = self.pinned.is_none() && (owes || is_new || built.changed);
        self.count(&built, is_new, begun.elapsed());
        if publishes && (is_new || self.generation == Generation(0)) {
            self.keep(&built.serving, &cause_of_files(self.generation));
        }
        self.good = built.serving;
        publishes.then(|| self.publication(built.parts))
    }

    /// Lets go of the contents of databases that are kept: what was compiled of them serves, and they are large. They come
    /// back from where they are kept when another one beside them changes.
    fn let_go(&mut self) {
        // A look is frequent and zones may be many: only the folder of geography is gone through.
        let geo = self.serving().files.below("geo/");
        let here = geo.filter(|(path, file)| is_database(path) && !file.is_away());
        let here: Vec<(String, File)> = here.map(|(p, file)| (p.clone(), file.clone())).collect();
        for (path, file) in here.iter().filter(|(_, file)| self.past.holds(file.digest)) {
            let away = file.let_go(self.past.fetch(path, file.digest));
            let pinned = self.pinned.iter_mut().map(|(_, files)| files);
            for files in pinned.chain([&mut self.good]) {
                if files.get(path).is_some_and(|same| *same == away) {
                    files.files.insert(path.clone(), away.clone());
                }
            }
            self.reader.let_go(&away);
        }
    }

    /// Builds what the disk asks for, under the guard, and notes what is to be said of it.
    fn build(&mut self, scan: &Scan, removals: Removals) -> Built {
        let guard = Some(&self.config.guard);
        let built = self.builder.build_guarded(scan, &self.good, removals, guard);
        let mut findings = Findings::of(&built);
        let mut held = built.held.clone();
        held.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(key) = held_key(&held) {
            findings.hold(self.candidate.number(key, self.generation), held);
        }
        if let Some((pin, files)) = &self.pinned {
            findings.pend(pin, Pending::between(files, scan, &built));
        }
        self.note(findings);
        built
    }

    fn note(&mut self, mut findings: Findings) {
        findings.diagnostics.extend(self.restart_needed());
        let before = std::mem::replace(&mut self.findings, Arc::new(findings));
        self.tell(&before.diagnostics);
        file_alarms::looked(self.past.alarms(), &self.findings);
    }

    /// Keeps what serves, if the disk refused it before.
    fn settle(&mut self) {
        let settled = self.past.settle(self.serving(), self.generation);
        if settled != self.generation {
            self.generation = settled;
            self.pinned.iter_mut().for_each(|(pin, _)| pin.generation = settled);
            self.owes = true;
        }
    }

    fn keep(&mut self, files: &FileSet, cause: &Cause) {
        self.generation = self.past.keep(files, cause, self.clock.now());
        self.cause = cause.clone();
    }

    fn publication(&mut self, parts: Parts) -> Arc<Publication> {
        let (slots, slot_names, blocks) = self.slots.give(&parts.plans);
        let publication = Publication {
            generation: self.generation,
            published: self.clock.now(),
            parts,
            slots,
            slot_names,
            blocks,
            findings: Arc::clone(&self.findings),
            pin: self.pinned.as_ref().map(|(pin, _)| pin.clone()),
            cause: self.cause.clone(),
        };
        file_alarms::published(self.past.alarms(), &publication);
        Arc::new(publication)
    }

    /// Looks whenever it is asked or due, until it is told to stop.
    pub fn run(mut self, requests: &Receiver<Request>, outlet: &Outlet) {
        let mut schedule = Schedule::new(Instant::now());
        // What was gone at the first look.
        schedule.looked(Instant::now(), !self.findings.waiting.is_empty());
        schedule.await_second(Instant::now(), self.builder.is_hasty());
        if self.pinned.is_some() {
            // Of a pin, the first look took in nothing of the disk.
            self.looks.hint();
        }
        // Who asked meanwhile is served by the same look.
        let mut waiting: Vec<oneshot::Sender<Reloaded>> = Vec::new();
        let mut crowd = Crowd::default();
        loop {
            let now = Instant::now();
            let due = if waiting.is_empty() { schedule.due() } else { now };
            let put_off = crowd.puts_off(due, outlet.reclaim.waiting(), now);
            let until = put_off.unwrap_or(due);
            match requests.recv_timeout(until.saturating_duration_since(now)) {
                Ok(Request::Hint) => schedule.hint(Instant::now()),
                Ok(Request::Now(reply)) => waiting.push(reply),
                Ok(Request::Fulfil(wished, reply)) => {
                    drop(reply.send(self.fulfil(&wished, outlet)));
                    // Under a pin, what the disk holds is another matter than before.
                    schedule.hint(Instant::now());
                }
                Ok(Request::ReadAgain(read)) => self.take_whole(*read, outlet),
                Err(RecvTimeoutError::Timeout) if put_off.is_some() => {}
                Err(RecvTimeoutError::Timeout)
                    if waiting.is_empty() && schedule.is_second_due(Instant::now()) =>
                {
                    let begun = self.begin_second_reading();
                    schedule.await_second(Instant::now(), !begun);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.watch.renew();
                    if !waiting.is_empty() {
                        self.motion.settle(SETTLE_MAX);
                    }
                    let before = self.generation;
                    self.look_now(&mut schedule, !waiting.is_empty(), outlet);
                    schedule.looked(Instant::now(), !self.findings.waiting.is_empty());
                    schedule.await_second(Instant::now(), self.builder.is_hasty());
                    for reply in waiting.drain(..) {
                        drop(reply.send(self.outcome(before)));
                    }
                }
                Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Looks at what may have changed; at all files where somebody `asked`.
    fn look_now(&mut self, schedule: &mut Schedule, asked: bool, outlet: &Outlet) {
        let now = Instant::now();
        let settled = schedule.is_removal_due(now);
        let all = View::All(if settled { Removals::Settled } else { Removals::Wait });
        let view = match self.looks.take_touched() {
            Told::Paths(paths) if !settled && !schedule.is_sweep_due(now) => View::At(paths),
            _ => all.clone(),
        };
        self.publish(&view, outlet);
        if asked && (!self.saw_all || self.builder.is_hasty()) {
            // Who asked is told all that is to be said, after the change serves.
            let read = self.builder.second_reading().read();
            self.builder.take_whole(read);
            self.publish(&all, outlet);
        }
        if self.saw_all {
            schedule.swept(Instant::now(), now.elapsed());
        }
    }

    /// Has files of which only a change was read be read as a whole. False if that cannot begin now.
    fn begin_second_reading(&mut self) -> bool {
        if self.reads_again {
            return false;
        }
        let (reading, looks) = (self.builder.second_reading(), self.looks.clone());
        if reading.is_empty() {
            return true;
        }
        let thread = thread::Builder::new().name("second".into());
        // It ends by itself; what it gives is for a state of files that may be gone by then.
        // A fault of ours in it (rule 7) gives nothing, and the next reading can begin.
        let read = move || catch_unwind(AssertUnwindSafe(|| reading.read())).unwrap_or_default();
        self.reads_again = thread.spawn(move || looks.read_again(read())).is_ok();
        self.reads_again
    }

    /// Has what else is to be said of files that were read as a whole be said.
    fn take_whole(&mut self, read: ReadAgain, outlet: &Outlet) {
        self.reads_again = false;
        if self.builder.take_whole(read) {
            self.publish(&View::At(BTreeSet::new()), outlet);
        }
    }

    fn publish(&mut self, view: &View, outlet: &Outlet) {
        let told = match self.fenced_look(view) {
            Some(publication) => outlet.publish(publication),
            None => outlet.hub.tell(hub::Event::Looked(Arc::clone(&self.findings))).is_ok(),
        };
        // After it serves, for who published waits for no disk twice.
        self.let_go();
        if !told {
            tracing::debug!(event = "look-untold", "the server ends");
        }
    }

    /// A look that a fault in our own code cannot end the thread with (DESIGN rule 7): what serves serves on, and the
    /// next look begins with a builder that knows nothing.
    fn fenced_look(&mut self, view: &View) -> Option<Arc<Publication>> {
        let looked = catch_unwind(AssertUnwindSafe(|| self.look(view)));
        looked.unwrap_or_else(|_| {
            self.builder = Builder::new(&self.config);
            let words = "a fault in homing itself ended the look at the files";
            let diagnostic = Diagnostic::error("internal", Place::file("zones"), words)
                .consequence("what served before serves on")
                .help("please report it with the files; homing check shows whether it comes again");
            tracing::error!(event = "file-error", "{diagnostic}");
            let mut findings = Findings::clone(&self.findings);
            findings.diagnostics.retain(|d| d.code != diagnostic.code);
            findings.diagnostics.push(diagnostic);
            self.findings = Arc::new(findings);
            None
        })
    }

    fn outcome(&self, before: Generation) -> Reloaded {
        let findings = &self.findings;
        Reloaded {
            generation: self.generation.0,
            changed: self.generation != before,
            pin: self.pinned.as_ref().map(|(pin, _)| picture::pin(pin)),
            pending: picture::pending(findings),
            held: picture::held(findings),
            diagnostics: findings.diagnostics.iter().map(DiagnosticBody::from).collect(),
        }
    }

    /// Logs what this look found, and the one before had not.
    fn tell(&self, known: &[Diagnostic]) {
        for diagnostic in self.findings.diagnostics.iter().filter(|d| !known.contains(d)) {
            match diagnostic.severity {
                Severity::Error => tracing::error!(event = "file-error", "{diagnostic}"),
                Severity::Warning => tracing::warn!(event = "file-warning", "{diagnostic}"),
                Severity::Note => tracing::info!(event = "file-note", "{diagnostic}"),
            }
        }
    }

    /// homing.toml is read at start only: a change of it is shown.
    fn restart_needed(&self) -> Option<Diagnostic> {
        let file = self.config.file.as_ref()?;
        let shown = file.display().to_string();
        match Config::load(file) {
            Ok(now) if now == self.config => None,
            Ok(_) => Some(
                Diagnostic::warning("restart-needed", Place::file(shown), "it has changed")
                    .consequence("the server goes on as it was started")
                    .help("restart the server to have it read"),
            ),
            Err(mut said) => (!said.is_empty()).then(|| {
                said.swap_remove(0).consequence("the server goes on; it would not start again")
            }),
        }
    }

    fn count(&self, built: &Built, is_new: bool, took: Duration) {
        let result = match (is_new, built.refused.is_empty()) {
            (_, false) => "refused",
            (true, true) if self.pinned.is_some() => "pending",
            (true, true) => "published",
            (false, true) => "unchanged",
        };
        metrics::counter!("homing_reloads_total", "result" => result).increment(1);
        metrics::histogram!("homing_reload_seconds").record(took.as_secs_f64());
        if is_new {
            let took_millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let summary = &built.parts.summary;
            let (zones, records, routes) = (summary.zones, summary.records, summary.routes);
            let served = self.pinned.is_none();
            tracing::info!(event = "files-built", zones, records, routes, took_millis, served);
        }
    }
}

/// The hash of all that is held; none when nothing is.
fn held_key(held: &[Held]) -> Option<Digest> {
    let parts = held.iter().map(|held| (held.path.as_str(), held.key));
    (!held.is_empty()).then(|| Digest::of_parts(parts))
}
