//! The running server, from its start to its end.
//!
//! Read [`run`]: configuration, sockets, state, files, threads, the API, the wait for a signal, the end.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::alarm::Alarm;
use crate::answer::{Site as Answerer, Snapshot};
use crate::diagnostic::Diagnostic;
use crate::health::State;
use crate::history::Log;
use crate::load::{Config, Removals};
use crate::probe::Within;
use crate::serve::{self, BindError, Bounds, Serving, Sockets};

use super::alarms::Alarms;
use super::banner;
use super::certificate::{Certificate, Service};
use super::changefeed::Changefeed;
use super::cookies;
use super::desk::Desk;
use super::disk;
use super::facts::{Facts, epoch_millis};
use super::files::{Files, Outlet, View};
use super::floods;
use super::gate::Gate;
use super::hindsight::Hindsight;
use super::http;
use super::hub::{self, Hub};
use super::listeners::{inherit, listen_api, patiently};
use super::logs::{self, LogStyle};
use super::looks::{Looks, Request};
use super::metrics::{self, Metrics};
use super::past::Past;
use super::publication::Publication;
use super::ready::Ready;
use super::reclaim::Reclaim;
use super::sandbox::{self, Sandbox};
use super::signals::Signals;
use super::site::Site;
use super::supervisor;
use super::vantage::{inside, page};
use super::webhook;
use super::weights::Weigher;
use super::writer::{Clock, Writer};

/// How long what is in flight may take to finish when the server is told to end.
const END_MAX: Duration = Duration::from_secs(5);

/// The exit code of a process that an impatient operator interrupted a second time.
const EXIT_INTERRUPTED: u8 = 130;

/// The exit code when it cannot run.
const EXIT_CANNOT_RUN: u8 = 2;

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The folder to serve, or a configuration file.
    pub dir: Option<PathBuf>,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// How events are written.
    pub log: LogStyle,
}

/// Serves until a signal ends it, and gives the exit code: 0 after a clean end, 2 if it could not start.
pub fn run(options: &Options) -> u8 {
    logs::install(options.log);
    match start(options, sandbox::enter) {
        Ok(server) => server.wait(),
        Err(lines) => {
            eprintln!("homing: {lines}");
            EXIT_CANNOT_RUN
        }
    }
}

/// Everything that runs.
struct Server {
    runtime: tokio::runtime::Runtime,
    api: tokio::net::TcpListener,
    desk: Desk,
    serving: Arc<Serving>,
    threads: Threads,
}

struct Threads {
    looks: Looks,
    writer: Writer,
    hub: Hub,
    weigher: Weigher,
    files_thread: JoinHandle<()>,
    writer_thread: JoinHandle<()>,
    hub_thread: JoinHandle<()>,
    feed_thread: JoinHandle<()>,
    weigher_thread: JoinHandle<()>,
}

/// The state that was kept, and where it goes on.
struct Memory {
    log: Option<Log>,
    state: State,
    clock: Clock,
}

/// How what is not needed is given up.
type Enter = fn(&Config, &Within) -> Result<Sandbox, String>;

/// Everything that is ready to run, and does not yet.
struct Prepared {
    started: SystemTime,
    config: Config,
    within: Within,
    api: TcpListener,
    sockets: Sockets,
    sandbox: Sandbox,
    alarms: Alarms,
    memory: Memory,
    past: Past,
    files: Files,
    looks: (Looks, Receiver<Request>),
    publication: Arc<Publication>,
}

/// `enter` gives up what the process does not need.
fn start(options: &Options, enter: Enter) -> Result<Server, String> {
    let cold = metrics::install();
    let server = launch(prepare(options, enter)?, cold.clone())?;
    let entered = server.runtime.enter();
    page::keep_up(cold);
    webhook::start(&server.desk.config, &server.desk.feed, &server.desk.alarms);
    drop(entered);
    Ok(server)
}

/// Sockets first, for without one there is nothing to start for; then the sandbox, what was kept, what the files say now.
fn prepare(options: &Options, enter: Enter) -> Result<Prepared, String> {
    let started = SystemTime::now();
    let config = configuration(options)?;
    let within = inside::read(&config).map_err(|said| lines(&said))?;
    let inherited = inherit(&config)?;
    let api = listen_api(config.api, &inherited)?;
    let encrypted = config.encrypted();
    let bind = || Sockets::bind(&config.dns, &encrypted, config.cores, &inherited);
    let sockets = patiently(bind, |e| matches!(e, BindError::InUse(..)));
    let sockets = sockets.map_err(|e| e.to_string())?;
    for skipped in sockets.skipped() {
        tracing::warn!(event = "address-skipped", "{skipped}");
    }
    let sandbox = enter(&config, &within)?;
    let alarms = Alarms::default();
    let mut memory = remember(&config.state, &alarms);
    let (past, last) =
        Past::open(&config, memory.state.generation(), memory.clock.now(), alarms.clone());
    if last.is_none() && !config.zones.is_dir() {
        return Err(format!(
            "{} is no folder, and nothing was served before; name the folder that holds zones/, \
             or write one: homing init",
            config.zones.display()
        ));
    }
    let (looks, requests) = Looks::channel();
    let mut files = Files::new(&config, past.clone(), last, memory.clock, looks.clone());
    let publication = files
        .look(&View::All(Removals::Wait))
        .ok_or("the first look at the files came to nothing; this is a fault of ours")?;
    log_first(&mut memory, &publication, &alarms);
    let looks = (looks, requests);
    Ok(Prepared {
        started,
        config,
        within,
        api,
        sockets,
        sandbox,
        alarms,
        memory,
        past,
        files,
        looks,
        publication,
    })
}

/// The certificate of DNS, for TLS, HTTPS and QUIC, where they are spoken.
fn certificates(config: &Config, alarms: &Alarms) -> [Option<Certificate>; 3] {
    let spoken =
        [(Service::Dot, &config.dot), (Service::Doh, &config.doh), (Service::Doq, &config.doq)];
    spoken.map(|(service, addresses)| {
        let files = config.dns_tls.clone().filter(|_| !addresses.is_empty())?;
        Some(Certificate::open(service, files, alarms.clone()))
    })
}

/// Starts the threads that answer.
fn answer_on(
    sockets: Sockets,
    config: &Config,
    [dot, doh, doq]: &[Option<Certificate>; 3],
    snapshots: Arc<ArcSwap<Snapshot>>,
) -> Result<Arc<Serving>, String> {
    let source =
        |it: &Option<Certificate>| it.as_ref().map(Certificate::source).unwrap_or_default();
    let bounds = Bounds {
        tcp: config.tcp,
        rates: config.rates.clone(),
        rest: config.rest,
        balancers: config.balancers.clone(),
        dot: source(dot),
        doh: source(doh),
        doq: source(doq),
    };
    let serving = serve::start(sockets, answerer(config), bounds, snapshots);
    serving.map(Arc::new).map_err(|e| e.to_string())
}

/// Starts the threads, each with what it feeds.
fn launch(prepared: Prepared, cold: PrometheusHandle) -> Result<Server, String> {
    let Prepared { started, config, sockets, alarms, past, files, publication, .. } = prepared;
    let Memory { log, state, clock } = prepared.memory;
    // Another process may have the folder: what it counts is not to be written over.
    let kept = log.is_some().then_some(config.state.as_path());
    let reclaim = Reclaim::start().map_err(failed)?;
    let first = Arc::clone(&publication);
    let (hub, snapshots, hub_thread) =
        Hub::start(state.clone(), publication, reclaim.clone()).map_err(failed)?;
    let (feed, teller, feed_thread) = Changefeed::start(state.clone(), kept).map_err(failed)?;
    let (writer, writer_thread) =
        Writer::start(log, state, clock, hub.clone(), teller, alarms.clone()).map_err(failed)?;
    let certificates = certificates(&config, &alarms);
    let serving = answer_on(sockets, &config, &certificates, snapshots)?;
    let (weigher, weigher_thread) =
        Weigher::start(kept, serving.counters().to_vec()).map_err(failed)?;
    weigher.follow(&first);

    let outlet =
        Outlet { writer: writer.clone(), hub: hub.clone(), reclaim, weigher: weigher.clone() };
    let (looks, requests) = prepared.looks;
    let files_thread = spawn("files", move || files.run(&requests, &outlet))?;

    let runtime = runtime().map_err(failed)?;
    let entered = runtime.enter();
    let api = tokio::net::TcpListener::from_std(prepared.api).map_err(|e| e.to_string())?;
    look_after(&config, &serving, &certificates, &alarms);
    inside::keep(&config, prepared.within, hub.clone(), writer.clone());
    let desk = Desk {
        hub: hub.clone(),
        writer: writer.clone(),
        feed,
        looks: looks.clone(),
        weigher: weigher.clone(),
        ready: Ready::start(serving.addresses()),
        site: Site::open(config.state.clone(), alarms.clone()),
        metrics: Metrics::new(cold, Arc::clone(&serving)),
        facts: Arc::new(Facts::of(&config, &serving, started, prepared.sandbox)),
        hindsight: Hindsight::new(config.clone()),
        gate: Gate::start(&config, &alarms),
        config: Arc::new(config),
        past,
        alarms,
    };
    drop(entered);
    let threads = Threads {
        looks,
        writer,
        hub,
        weigher,
        files_thread,
        writer_thread,
        hub_thread,
        feed_thread,
        weigher_thread,
    };
    Ok(Server { runtime, api, desk, serving, threads })
}

/// Looks now and then at what may give alarm. Call it within the runtime.
fn look_after(
    config: &Config,
    serving: &Arc<Serving>,
    certificates: &[Option<Certificate>; 3],
    alarms: &Alarms,
) {
    disk::follow(config.state.clone(), alarms.clone());
    floods::follow(Arc::clone(serving), config.rates.log_only, alarms.clone());
    for certificate in certificates.iter().flatten() {
        certificate.follow();
    }
}

fn failed(error: std::io::Error) -> String {
    format!("the system starts no thread: {error}")
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, String> {
    thread::Builder::new().name(name.into()).spawn(body).map_err(failed)
}

/// What queries are answered with besides the snapshot.
fn answerer(config: &Config) -> Arc<Answerer> {
    Arc::new(Answerer {
        name: config.site_name.as_str().into(),
        cookie_secrets: cookies::secrets(config),
        subnet_trust: config.subnet_trust.clone(),
        unproven_payload: config.unproven_payload,
    })
}

/// Two threads: the API and the signals are all that runs on them.
fn runtime() -> Result<tokio::runtime::Runtime, std::io::Error> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("control").enable_all().build()
}

/// The configuration that the options name: a file, or that of a folder.
fn configuration(options: &Options) -> Result<Config, String> {
    let here = PathBuf::from(".");
    let place = options.config.as_ref().or(options.dir.as_ref()).unwrap_or(&here);
    let is_file = options.config.is_some() || place.is_file();
    if !is_file && !place.is_dir() {
        return Err(format!("{} is no folder and no file", place.display()));
    }
    let read = if is_file { Config::load(place) } else { Config::find(place) };
    read.map_err(|said| lines(&said))
}

fn lines(said: &[Diagnostic]) -> String {
    said.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Opens the log. If it cannot be, files serve all the same, and an alarm says why reports are refused.
fn remember(state: &Path, alarms: &Alarms) -> Memory {
    // Asked when the clock starts, and not before: opening a log takes a while, and log time would lag by it.
    let wall = || epoch_millis(SystemTime::now());
    match Log::open(state) {
        Ok((log, replay)) => {
            for note in &replay.notes {
                tracing::warn!(event = "log-noted", "{note}");
            }
            let clock = Clock::start(log.last_time(), wall());
            Memory { log: Some(log), state: replay.state, clock }
        }
        Err(error) => {
            let words = format!("{error}; files serve, reports and decisions are refused");
            alarms.raise(Alarm::LogUnopened, words);
            let state = State::default();
            Memory { log: None, clock: Clock::start(state.now(), wall()), state }
        }
    }
}

/// Writes the first generation before anything serves, so that the first snapshot has its endpoints.
fn log_first(memory: &mut Memory, publication: &Publication, alarms: &Alarms) {
    let event = publication.event();
    if publication.is_known_to(&memory.state) {
        return;
    }
    let at = memory.clock.now();
    let written = match memory.log.as_mut() {
        Some(log) => log.append(vec![(at, event)]).map_err(|e| e.to_string()),
        None => Ok(vec![publication.unlogged(&memory.state, at)]),
    };
    match written {
        Ok(events) => events.iter().for_each(|timed| drop(memory.state.apply(timed))),
        // The writer tries again with the next publication.
        Err(cause) => alarms.raise(Alarm::LogUnwritable, cause),
    }
}

impl Server {
    /// Serves until a signal, then ends in order: the API, DNS, the files, the log.
    fn wait(self) -> u8 {
        let Server { runtime, api, desk, serving, threads } = self;
        let (stop, stopped) = watch::channel(false);
        let api_address = api.local_addr().ok();
        let code = runtime.block_on(async {
            let signals = signals(desk.looks.clone());
            let mut until = stopped.clone();
            let feed = desk.feed.clone();
            let stop_api = async move {
                // An error means that the sender is gone, which is an end as well.
                let _ = until.wait_for(|is_over| *is_over).await;
                // Those who watch would wait for ever.
                feed.end();
            };
            let served = tokio::spawn(http::serve(api, desk.clone(), stop_api));
            if let Ok(view) = desk.hub.view().await {
                banner::print(&view, &desk, api_address);
            }
            supervisor::tell(desk.ready.clone(), desk.hub.clone(), Arc::clone(&serving));
            let mut signals = match signals {
                Ok(signals) => signals,
                Err(error) => {
                    eprintln!("homing: no signal can be waited for: {error}");
                    return EXIT_CANNOT_RUN;
                }
            };
            let name = signals.end().await;
            tracing::info!(event = "stopping", signal = name);
            supervisor::stopping();
            let _ = stop.send(true);
            let ended = async {
                let _ = tokio::time::timeout(END_MAX, served).await;
                let _ = tokio::task::spawn_blocking(move || threads.end(&serving)).await;
            };
            tokio::select! {
                () = ended => 0,
                _ = signals.end() => EXIT_INTERRUPTED,
            }
        });
        runtime.shutdown_background();
        if code == 0 {
            tracing::info!(event = "stopped");
        }
        code
    }
}

impl Threads {
    /// Ends DNS, then the threads in the order in which they feed each other. One that panicked has said so.
    fn end(self, serving: &Serving) {
        if !serving.stop(END_MAX) {
            tracing::warn!(event = "stop-late", "some threads of DNS did not end in time");
        }
        self.looks.stop();
        let _ = self.files_thread.join();
        self.writer.stop();
        let _ = self.writer_thread.join();
        let _ = self.hub.tell(hub::Event::Stop);
        let _ = self.hub_thread.join();
        let _ = self.feed_thread.join();
        self.weigher.stop();
        let _ = self.weigher_thread.join();
    }
}

/// Begins to listen to signals. SIGHUP has the files looked at, as it does with every name server.
fn signals(looks: Looks) -> Result<Signals, std::io::Error> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let Some(outcome) = looks.now() else { continue };
            if let Ok(outcome) = outcome.await {
                let (generation, changed) = (outcome.generation, outcome.changed);
                let errors = outcome.diagnostics.iter().filter(|d| d.severity == "error").count();
                tracing::info!(event = "reloaded", generation, changed, errors);
            }
        }
    });
    Signals::listen()
}

#[cfg(test)]
mod tests;
