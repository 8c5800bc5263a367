//! Files into publications: looks when told, builds, keeps, has it written and published. A thread of its own.
//!
//! Owns: the builder, the files that serve, their generation. There is one builder, so no part's base ever moves under
//! it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::api::{DiagnosticBody, Reloaded};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::fileset::FileSet;
use crate::load::{Builder, Built, Config, Reader, Removals};
use crate::number::Generation;

use super::hub::{self, Hub};
use super::looks::{Looks, Request, Schedule};
use super::past::Past;
use super::publication::{Findings, Publication, Slots};
use super::reclaim::Reclaim;
use super::watch::Watch;
use super::writer::{Clock, Writer};

/// Old snapshots that may wait for their last reader before another publication of files follows.
const RETIRED_MAX: usize = 4;

/// How long a publication waits for them at most; a reader refreshes within a second.
const RETIRED_WAIT_MAX: Duration = Duration::from_secs(2);

/// The one who looks at the files.
pub struct Files {
    config: Config,
    builder: Builder,
    reader: Reader,
    slots: Slots,
    past: Past,
    clock: Clock,
    /// The files that serve: the last good form of each.
    serving: FileSet,
    generation: Generation,
    /// Whether anything was built yet.
    is_first: bool,
    findings: Arc<Findings>,
}

/// Where publications go, once the server runs.
pub struct Outlet {
    /// Makes them durable and has them served.
    pub writer: Writer,
    /// Is told what was found when nothing is published.
    pub hub: Hub,
    /// Knows how many old snapshots wait.
    pub reclaim: Reclaim,
}

impl Files {
    /// Begins with the files that served last, as `past` kept them.
    pub fn new(
        config: &Config,
        past: Past,
        newest: Option<(Generation, FileSet)>,
        clock: Clock,
    ) -> Files {
        let (generation, serving) = newest.unwrap_or_default();
        Files {
            builder: Builder::new(config),
            config: config.clone(),
            reader: Reader::default(),
            slots: Slots::default(),
            past,
            clock,
            serving,
            generation,
            is_first: true,
            findings: Arc::default(),
        }
    }

    /// Looks at the files, and makes a publication of them if they differ from what serves. The first look always
    /// makes one, at worst of what served last.
    pub fn look(&mut self, removals: Removals) -> Option<Arc<Publication>> {
        let begun = Instant::now();
        let scan = self.reader.scan(&self.config);
        let built = self.builder.build(&scan, &self.serving, removals);
        let mut findings = Findings::of(&built);
        findings.diagnostics.extend(self.restart_needed());
        let before = std::mem::replace(&mut self.findings, Arc::new(findings));
        let is_new = built.serving.digest() != self.serving.digest();
        let publishes = self.is_first || is_new || built.changed;
        count(&built, is_new, begun.elapsed());
        self.tell(&before.diagnostics);
        if !publishes {
            return None;
        }
        if is_new || self.generation == Generation(0) {
            self.generation = self.past.keep(&built.serving, self.generation, self.clock.now());
        }
        self.is_first = false;
        self.serving = built.serving;
        let (slots, slot_names) = self.slots.give(&built.parts.plans);
        Some(Arc::new(Publication {
            generation: self.generation,
            published: self.clock.now(),
            parts: built.parts,
            slots,
            slot_names,
            findings: Arc::clone(&self.findings),
        }))
    }

    /// Looks whenever it is asked or due, until it is told to stop.
    pub fn run(mut self, requests: &Receiver<Request>, outlet: &Outlet, looks: Looks) {
        let folders = [self.config.zones.as_path(), self.config.geo.as_path()];
        let mut watch = Watch::start(&folders, &self.config.state, looks);
        let mut schedule = Schedule::new(Instant::now());
        // What changed between the first look and the first watch, and what was gone at the first look.
        schedule.hint(Instant::now());
        loop {
            let wait = schedule.due().saturating_duration_since(Instant::now());
            let mut waiting: Vec<oneshot::Sender<Reloaded>> = Vec::new();
            match requests.recv_timeout(wait) {
                Ok(Request::Hint) => {
                    schedule.hint(Instant::now());
                    continue;
                }
                Ok(Request::Now(reply)) => waiting.push(reply),
                Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            // Who asked meanwhile is served by the same look.
            for request in requests.try_iter() {
                match request {
                    Request::Hint => {}
                    Request::Now(reply) => waiting.push(reply),
                    Request::Stop => return,
                }
            }
            watch.renew();
            if schedule.is_second_due(Instant::now()) {
                self.builder.forget_hasty();
            }
            let settled = schedule.is_removal_due(Instant::now());
            let removals = if settled { Removals::Settled } else { Removals::Wait };
            let before = self.generation;
            self.publish(removals, outlet);
            if !waiting.is_empty() && self.builder.is_hasty() {
                // Who asked is told all that is to be said, after the change serves.
                self.builder.forget_hasty();
                self.publish(removals, outlet);
            }
            schedule.looked(Instant::now(), !self.findings.waiting.is_empty());
            schedule.await_second(Instant::now(), self.builder.is_hasty());
            for reply in waiting {
                drop(reply.send(self.outcome(before)));
            }
        }
    }

    fn publish(&mut self, removals: Removals, outlet: &Outlet) {
        // While old snapshots pile up, changes of files wait and so coalesce; those of health do not.
        let until = Instant::now() + RETIRED_WAIT_MAX;
        while outlet.reclaim.waiting() > RETIRED_MAX && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let told = match self.fenced_look(removals) {
            Some(publication) => outlet.writer.publish(publication).is_ok(),
            None => outlet.hub.tell(hub::Event::Looked(Arc::clone(&self.findings))).is_ok(),
        };
        if !told {
            tracing::debug!(event = "look-untold", "the server ends");
        }
    }

    /// A look that a fault in our own code cannot end the thread with (DESIGN rule 7): what serves serves on, and the
    /// next look begins with a builder that knows nothing.
    fn fenced_look(&mut self, removals: Removals) -> Option<Arc<Publication>> {
        let looked = catch_unwind(AssertUnwindSafe(|| self.look(removals)));
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
        Reloaded {
            generation: self.generation.0,
            changed: self.generation != before,
            diagnostics: self.findings.diagnostics.iter().map(DiagnosticBody::from).collect(),
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
}

fn count(built: &Built, is_new: bool, took: Duration) {
    let result = match (is_new, built.refused.is_empty()) {
        (_, false) => "refused",
        (true, true) => "published",
        (false, true) => "unchanged",
    };
    metrics::counter!("homing_reloads_total", "result" => result).increment(1);
    metrics::histogram!("homing_reload_seconds").record(took.as_secs_f64());
    if is_new {
        let took_millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let summary = &built.parts.summary;
        let (zones, records, routes) = (summary.zones, summary.records, summary.routes);
        tracing::info!(event = "files-built", zones, records, routes, took_millis);
    }
}
