//! The eyes: vantages within the server ([`inside`]), and one that runs alone: `homing probe`, from its start to its end.
//!
//! Read [`look_out`]: probe.toml, signals, the page of metrics, the shift; then the wait for another file, or the end.

mod courier;
mod feeder;
mod follow;
pub mod inside;
pub mod page;
mod script;

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::diagnostic::{Diagnostic, Severity};
use crate::probe::{Assignment, Lookout, Mail, Receiver, Rota};

use super::facts::epoch_millis;
use super::logs::{self, LogStyle};
use super::metrics;
use super::signals::Signals;

use courier::Courier;
use follow::Follow;
use page::Page;

/// The exit code of a process that an impatient operator interrupted a second time.
const EXIT_INTERRUPTED: u8 = 130;

/// The exit code when it cannot run.
const EXIT_CANNOT_RUN: u8 = 2;

/// How long what was seen last may take to arrive when the vantage is told to end.
const END_MAX: Duration = Duration::from_secs(3);

/// How often it is asked whether all has arrived, then.
const END_GRAIN: Duration = Duration::from_millis(20);

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct VantageOptions {
    /// probe.toml, by whatever name.
    pub config: PathBuf,
    /// Servers that are told instead of those of the file.
    pub servers: Vec<String>,
    /// How events are written.
    pub log: LogStyle,
}

/// Looks out until a signal ends it, and gives the exit code: 0 after a clean end, 2 if it could not start.
pub fn look_out(options: &VantageOptions) -> u8 {
    logs::install(options.log);
    match start(options) {
        Ok(code) => code,
        Err(lines) => {
            eprintln!("homing: {lines}");
            EXIT_CANNOT_RUN
        }
    }
}

fn start(options: &VantageOptions) -> Result<u8, String> {
    // Before the file is read: what changes while it is read is read again.
    let follow = Follow::of(&options.config);
    let read = Assignment::load(&options.config).map_err(|said| lines(&said))?;
    let (assignment, said) = with_receivers(read, options)?;
    said.iter().for_each(tell);
    let cold = metrics::install();
    page::describe();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).thread_name("vantage").enable_all().build();
    let runtime = runtime.map_err(|e| format!("the system starts no thread: {e}"))?;
    let code = runtime.block_on(watch_out(options, assignment, follow, cold));
    // A letter that nobody takes must not keep the process.
    runtime.shutdown_background();
    code
}

async fn watch_out(
    options: &VantageOptions,
    assignment: Assignment,
    mut follow: Follow,
    cold: PrometheusHandle,
) -> Result<u8, String> {
    let unheard = |error| format!("no signal can be waited for: {error}");
    let mut signals = Signals::listen().map_err(unheard)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(unheard)?;
    let mut page = Page::open(assignment.listen, &cold).await?;
    page::keep_up(cold.clone());
    let mut shift = Shift::begin(&assignment);
    loop {
        let read = tokio::select! {
            name = signals.end() => {
                tracing::info!(event = "stopping", signal = name);
                break;
            }
            read = next_read(&mut follow, &mut hangup) => read,
        };
        match read.map_err(|said| lines(&said)).and_then(|read| with_receivers(read, options)) {
            Ok((next, said)) => {
                said.iter().for_each(tell);
                page.move_to(next.listen, &cold).await;
                shift = shift.go_on(&next);
                ::metrics::counter!("homing_probe_reloads_total", "result" => "taken").increment(1);
                tracing::info!(event = "reloaded", endpoints = next.targets.len());
            }
            Err(lines) => {
                ::metrics::counter!("homing_probe_reloads_total", "result" => "refused")
                    .increment(1);
                tracing::error!(
                    event = "file-error",
                    "{lines}\n  what it was told before holds on"
                );
            }
        }
    }
    tokio::select! {
        () = shift.end() => {
            tracing::info!(event = "stopped");
            Ok(0)
        }
        _ = signals.end() => Ok(EXIT_INTERRUPTED),
    }
}

type Read = Result<(Assignment, Vec<Diagnostic>), Vec<Diagnostic>>;

/// Waits until the file is another, or somebody says that it is.
async fn next_read(follow: &mut Follow, hangup: &mut Signal) -> Read {
    tokio::select! {
        () = follow.changed() => {}
        _ = hangup.recv() => {}
    }
    let path = follow.path().to_owned();
    let read = tokio::task::spawn_blocking(move || Assignment::load(&path)).await;
    // A reader that panicked has said so.
    read.unwrap_or_else(|_| Err(Vec::new()))
}

/// What was read, with the servers of the command line in place of its own.
fn with_receivers(
    (mut assignment, said): (Assignment, Vec<Diagnostic>),
    options: &VantageOptions,
) -> Result<(Assignment, Vec<Diagnostic>), String> {
    if !options.servers.is_empty() {
        // Those that the file knows keep their token and authorities.
        let own = std::mem::take(&mut assignment.receivers);
        for url in &options.servers {
            let asked = Receiver::parse(url).ok_or_else(|| {
                format!("--server {url}: the API of a server is http(s)://HOST:PORT")
            })?;
            let known = own.iter().find(|receiver| receiver.url == asked.url).cloned();
            assignment.receivers.push(known.unwrap_or(asked));
        }
    }
    if assignment.receivers.is_empty() {
        return Err(format!(
            "{} names nobody to tell: servers = [\"http://127.0.0.1:8053\"], or --server URL",
            options.config.display()
        ));
    }
    Ok((assignment, said))
}

/// The lookout and its couriers, for as long as the vantage has one name and one set of servers.
struct Shift {
    vantage: Box<str>,
    receivers: Vec<Receiver>,
    rota: watch::Sender<Arc<Rota>>,
    lookout: tokio::task::JoinHandle<()>,
    mails: Vec<Mail>,
    couriers: JoinSet<()>,
}

impl Shift {
    /// Call it within the runtime.
    fn begin(assignment: &Assignment) -> Shift {
        let mails: Vec<Mail> = assignment.receivers.iter().map(|_| Mail::default()).collect();
        let boot = epoch_millis(SystemTime::now()).0;
        let mut couriers = JoinSet::new();
        for (receiver, mail) in assignment.receivers.iter().zip(&mails) {
            let courier = Courier::new(&assignment.vantage, boot, receiver.clone(), mail.clone());
            couriers.spawn(courier.carry());
        }
        let (rota, followed) = watch::channel(Arc::new(rota_of(assignment)));
        let lookout = Lookout::new(&assignment.vantage, mails.clone());
        let lookout = tokio::spawn(lookout.keep(followed));
        let (endpoints, servers) = (assignment.targets.len(), assignment.receivers.len());
        let vantage = assignment.vantage.clone();
        tracing::info!(event = "looking-out", %vantage, endpoints, servers);
        Shift { vantage, receivers: assignment.receivers.clone(), rota, lookout, mails, couriers }
    }

    /// Goes on with another assignment. Under another name, or for other servers, it begins anew.
    fn go_on(self, next: &Assignment) -> Shift {
        if (&self.vantage, &self.receivers) != (&next.vantage, &next.receivers) {
            drop(self);
            return Shift::begin(next);
        }
        self.rota.send_replace(Arc::new(rota_of(next)));
        self
    }

    /// Ends: looks no more, and waits a little until all that was seen has arrived.
    async fn end(self) {
        let Shift { rota, lookout, mails, couriers, .. } = self;
        drop(rota);
        let arrived = async {
            let _ = lookout.await;
            while mails.iter().any(|mail| mail.waiting() > 0) {
                tokio::time::sleep(END_GRAIN).await;
            }
        };
        if tokio::time::timeout(END_MAX, arrived).await.is_err() {
            let waiting: usize = mails.iter().map(Mail::waiting).sum();
            tracing::warn!(event = "stop-late", waiting, "not all that was seen has arrived");
        }
        drop(couriers);
    }
}

fn rota_of(assignment: &Assignment) -> Rota {
    let Assignment { targets, probing, .. } = assignment;
    let (heartbeat, concurrency) = (probing.heartbeat, probing.concurrency);
    Rota { targets: targets.clone(), heartbeat, concurrency }
}

fn lines<D: Display>(said: &[D]) -> String {
    said.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn tell(said: &Diagnostic) {
    match said.severity {
        Severity::Error => tracing::error!(event = "file-error", "{said}"),
        Severity::Warning => tracing::warn!(event = "file-warning", "{said}"),
        Severity::Note => tracing::info!(event = "file-note", "{said}"),
    }
}
