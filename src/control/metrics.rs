//! /metrics: what a monitoring system scrapes. Cold counters are kept by the `metrics` crate; those of queries by each
//! core, and summed here; the state is read when somebody looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::alarm::Alarm;
use crate::answer::{COUNTED_RCODES, COUNTED_TYPES, Counters};
use crate::api::tier_word;
use crate::diagnostic::Severity;
use crate::health::{LogTime, Tier};
use crate::serve::{Serving, TcpTotals, UdpTotals};

use super::alarms::Standing;
use super::exposition::{Exposition, Kind};
use super::facts::{Facts, epoch_millis};
use super::hub::View;
use super::sampling::Counted;

/// Seconds that a look at the files may take, as buckets.
const RELOAD_BUCKETS: [f64; 8] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0];

/// Seconds that a look at an endpoint may take, as buckets.
const LOOK_BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0];

/// Renders /metrics.
#[derive(Clone)]
pub struct Metrics {
    cold: PrometheusHandle,
    serving: Arc<Serving>,
}

/// What a scrape tells besides the view.
pub struct Local<'a> {
    /// What does not change.
    pub facts: &'a Facts,
    /// The alarms that stand.
    pub alarms: &'a Standing,
    /// Whether /readyz would say so.
    pub is_ready: bool,
    /// Whether this site is drained.
    pub is_drained: bool,
    /// Whose clients asked.
    pub counted: &'a Counted,
}

/// Starts counting what is cold; once a process. Counted before, nothing is lost but the count.
pub fn install() -> PrometheusHandle {
    let builder = PrometheusBuilder::new();
    // Not empty, so it is taken.
    let builder = builder.set_buckets(&RELOAD_BUCKETS).unwrap_or_default();
    let looks = Matcher::Full("homing_probe_look_seconds".to_owned());
    let builder = builder.set_buckets_for_metric(looks, &LOOK_BUCKETS).unwrap_or_default();
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // A second recorder in one process, as tests have it, counts nothing and harms nobody.
    let _ = metrics::set_global_recorder(recorder);
    describe();
    handle
}

/// The words of the cold counters. Every one of them exists from the start, so that rates are right.
fn describe() {
    metrics::describe_counter!("homing_reloads_total", "Looks at the files, by what came of them.");
    for result in ["published", "pending", "unchanged", "refused"] {
        metrics::counter!("homing_reloads_total", "result" => result).absolute(0);
    }
    metrics::describe_histogram!("homing_reload_seconds", "Time from a look to its outcome.");
    metrics::describe_counter!(
        "homing_publications_refused_total",
        "Generations that came after a later one and were not served; more than 0 is a fault."
    );
    metrics::counter!("homing_publications_refused_total").absolute(0);
    metrics::describe_counter!("homing_reports_received_total", "Reports and heartbeats received.");
    metrics::counter!("homing_reports_received_total").absolute(0);
    let help = "Items of the feed that came faster than their sender may.";
    metrics::describe_counter!("homing_reports_limited_total", help);
    metrics::counter!("homing_reports_limited_total").absolute(0);
    metrics::describe_counter!("homing_reports_refused_total", "Reports refused, by code.");
    metrics::describe_gauge!("homing_report_streams", "Streams of reports that are open.");
    metrics::gauge!("homing_report_streams").set(0.0);
    let help = "Requests that the API turned away, by code.";
    metrics::describe_counter!("homing_api_refused_total", help);
    for code in ["no-token", "invalid-token", "insufficient-scope"] {
        metrics::counter!("homing_api_refused_total", "code" => code).absolute(0);
    }
    metrics::describe_counter!("homing_log_errors_total", "Failed writes of the event log.");
    metrics::counter!("homing_log_errors_total").absolute(0);
}

impl Metrics {
    /// Renders `cold` counters, and those of `serving`.
    pub fn new(cold: PrometheusHandle, serving: Arc<Serving>) -> Metrics {
        Metrics { cold, serving }
    }

    /// Everything, in the text format of Prometheus.
    pub fn render(&self, view: &View, local: &Local<'_>) -> String {
        let mut text = Exposition::default();
        process(&mut text, local);
        queries(&mut text, self.serving.counters(), view);
        clients(&mut text, local.counted);
        udp(&mut text, &self.serving.udp_totals());
        tcp(&mut text, &self.serving.tcp_totals());
        state(&mut text, view);
        files(&mut text, view);
        endpoints(&mut text, view);
        operators(&mut text, view);
        let mut text = text.finish();
        text.push_str(&self.cold.render());
        text
    }
}

fn process(text: &mut Exposition, local: &Local<'_>) {
    let started = seconds(epoch_millis(local.facts.started));
    let site = local.facts.site_name.as_str();
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("site", site)];
    text.family("homing_build_info", Kind::Gauge, "Version and site of this server.")
        .sample(&labels, 1);
    let help = "When the process started, in seconds of the Unix epoch.";
    text.single("homing_start_time_seconds", Kind::Gauge, help, started);
    let help = "1 if /readyz says ready.";
    text.single("homing_ready", Kind::Gauge, help, u8::from(local.is_ready));
    let help = "1 if an operator drained this site.";
    text.single("homing_site_drained", Kind::Gauge, help, u8::from(local.is_drained));
    text.family("homing_alarm", Kind::Gauge, "1 for each alarm that stands, 0 for the others.");
    for alarm in Alarm::ALL {
        let stands = local.alarms.keys().any(|(standing, _)| *standing == alarm);
        text.sample(
            &[("alarm", alarm.code()), ("severity", alarm.severity().word())],
            u8::from(stands),
        );
    }
}

fn queries(text: &mut Exposition, cores: &[Arc<Counters>], view: &View) {
    let sum = |pick: &dyn Fn(&Counters) -> &AtomicU64| {
        cores.iter().map(|c| pick(c).load(Ordering::Relaxed)).fold(0u64, u64::wrapping_add)
    };
    text.family("homing_queries_total", Kind::Counter, "Requests received, by transport.")
        .sample(&[("transport", "udp")], sum(&|c| &c.udp))
        .sample(&[("transport", "tcp")], sum(&|c| &c.tcp))
        .sample(&[("transport", "tls")], sum(&|c| &c.tls))
        .sample(&[("transport", "https")], sum(&|c| &c.https))
        .sample(&[("transport", "quic")], sum(&|c| &c.quic));
    text.family("homing_responses_total", Kind::Counter, "Responses, by response code.");
    for (i, rcode) in COUNTED_RCODES.iter().enumerate() {
        let count = sum(&|c| c.rcodes.get(i).unwrap_or(&c.silent));
        text.sample(&[("rcode", &rcode.to_string())], count);
    }
    text.family("homing_queries_by_type_total", Kind::Counter, "Queries, by type asked for.");
    for i in 0..=COUNTED_TYPES.len() {
        let name = COUNTED_TYPES.get(i).map_or("other".to_owned(), ToString::to_string);
        text.sample(&[("type", &name)], sum(&|c| c.types.get(i).unwrap_or(&c.silent)));
    }
    let help = "Requests met with silence: responses, and what is no message at all.";
    text.single("homing_queries_silent_total", Kind::Counter, help, sum(&|c| &c.silent));
    let help = "Responses truncated, to be asked again over TCP.";
    text.single("homing_responses_truncated_total", Kind::Counter, help, sum(&|c| &c.truncated));
    let help = "Queries with a client subnet (RFC 7871).";
    text.single("homing_queries_subnet_total", Kind::Counter, help, sum(&|c| &c.with_subnet));
    let help = "Queries whose client subnet was passed over: see `ecs` in homing.toml.";
    let count = sum(&|c| &c.subnet_untrusted);
    text.single("homing_queries_subnet_untrusted_total", Kind::Counter, help, count);
    let help = "Queries that asked for DNSSEC records.";
    text.single("homing_queries_dnssec_ok_total", Kind::Counter, help, sum(&|c| &c.with_dnssec_ok));
    let help = "Steered answers, by policy and region; an empty region is the zone's own data.";
    text.family("homing_steered_answers_total", Kind::Counter, help);
    for (name, slot) in view.publication.slot_names.iter().zip(1..) {
        let count = sum(&|c| c.steered.get::<usize>(slot).unwrap_or(&c.silent));
        let region = name.region.as_deref().unwrap_or_default();
        text.sample(&[("policy", &name.policy), ("region", region)], count);
    }
}

/// Countries are those of ISO 3166: no query makes up one more.
fn clients(text: &mut Exposition, counted: &Counted) {
    let help =
        "Steered answers, by country of the client as its class tells; an empty one is not known.";
    text.family("homing_queries_by_country_total", Kind::Counter, help);
    for (country, count) in &counted.by_country {
        let country = country.map(|code| String::from_utf8_lossy(&code).into_owned());
        text.sample(&[("country", &country.unwrap_or_default())], count.round());
    }
    let help = "Queries that the server's own weights stand for, the older the less.";
    text.single("homing_weights_queries", Kind::Gauge, help, counted.tally.queries().round());
}

fn udp(text: &mut Exposition, totals: &UdpTotals) {
    text.family("homing_udp_packets_total", Kind::Counter, "UDP packets, by what became of them.")
        .sample(&[("event", "received")], totals.received)
        .sample(&[("event", "sent")], totals.sent)
        .sample(&[("event", "send-dropped")], totals.send_dropped)
        .sample(&[("event", "oversized")], totals.oversized)
        .sample(&[("event", "unanswerable")], totals.unanswerable)
        .sample(&[("event", "proxy-refused")], totals.proxy_refused)
        .sample(&[("event", "panic")], totals.panics);
    let help = "Responses over their network's limit, by what became of them: see `rate_limit` in homing.toml.";
    text.family("homing_responses_rate_limited_total", Kind::Counter, help)
        .sample(&[("action", "dropped")], totals.limited_dropped)
        .sample(&[("action", "truncated")], totals.limited_truncated)
        .sample(&[("action", "leaked")], totals.limited_leaked)
        .sample(&[("action", "watched")], totals.limited_watched);
    let help = "Batches received; packets received by it is the mean length of a batch.";
    text.single("homing_udp_batches_total", Kind::Counter, help, totals.batches);
    let help = "Failed receives over UDP.";
    text.single("homing_udp_receive_errors_total", Kind::Counter, help, totals.receive_errors);
}

fn tcp(text: &mut Exposition, totals: &TcpTotals) {
    let help = "TCP connections open now.";
    text.single("homing_tcp_connections_open", Kind::Gauge, help, totals.open);
    let help = "TCP connections, by what became of them.";
    text.family("homing_tcp_connections_total", Kind::Counter, help)
        .sample(&[("event", "accepted")], totals.accepted)
        .sample(&[("event", "refused-full")], totals.refused_full)
        .sample(&[("event", "refused-client")], totals.refused_client)
        .sample(&[("event", "evicted")], totals.evicted)
        .sample(&[("event", "timed-out-read")], totals.timed_out_read)
        .sample(&[("event", "timed-out-write")], totals.timed_out_write)
        .sample(&[("event", "malformed")], totals.malformed)
        .sample(&[("event", "proxy-refused")], totals.proxy_refused)
        .sample(&[("event", "handshake-failed")], totals.handshakes_failed)
        .sample(&[("event", "handshake-timed-out")], totals.handshakes_timed_out)
        .sample(&[("event", "exhausted")], totals.exhausted)
        .sample(&[("event", "outlived")], totals.outlived)
        .sample(&[("event", "failed")], totals.failed)
        .sample(&[("event", "accept-error")], totals.accept_errors)
        .sample(&[("event", "panic")], totals.panics);
    text.family("homing_tcp_messages_total", Kind::Counter, "DNS messages over TCP.")
        .sample(&[("event", "received")], totals.received)
        .sample(&[("event", "sent")], totals.sent);
}

fn state(text: &mut Exposition, view: &View) {
    let gauge = Kind::Gauge;
    let snapshot = &view.snapshot;
    let help = "The published state of files.";
    text.single("homing_generation", gauge, help, snapshot.generation);
    let help = "The position in the event log.";
    text.single("homing_revision", gauge, help, snapshot.revision);
    let help = "Changes with the state: equal at two sites that give equal answers.";
    text.family("homing_state_info", gauge, help)
        .sample(&[("digest", &snapshot.digest.to_string())], 1);
    let help = "When the generation was published, in seconds of the Unix epoch.";
    let published = seconds(view.publication.published);
    text.single("homing_generation_published_timestamp_seconds", gauge, help, published);
    let help = "Log time of the last event, in seconds of the Unix epoch.";
    let last = seconds(view.health.now());
    text.single("homing_last_event_timestamp_seconds", gauge, help, last);
    let help = "Old snapshots that some thread still holds.";
    text.single("homing_snapshots_retired", gauge, help, view.retired);
}

fn files(text: &mut Exposition, view: &View) {
    let gauge = Kind::Gauge;
    let summary = &view.publication.parts.summary;
    text.single("homing_zones", gauge, "Zones served.", summary.zones);
    let help = "Zones that were never loaded and answer SERVFAIL.";
    text.single("homing_zones_broken", gauge, help, summary.broken.len());
    text.single("homing_records", gauge, "Records in the zones.", summary.records);
    text.single("homing_routes", gauge, "Routed names.", summary.routes);
    let help = "Files refused; the last good form of each serves.";
    text.single("homing_files_refused", gauge, help, view.findings.refused.len());
    let help = "1 if the generation is pinned: it serves whatever the files say.";
    text.single("homing_pinned", gauge, help, u8::from(view.publication.pin.is_some()));
    let pending = view.findings.pending.as_ref().map_or(0, |pending| pending.count);
    let help = "Files on the disk that differ from the pinned generation.";
    text.single("homing_files_pending", gauge, help, pending);
    let held = view.findings.held.as_ref().map_or(0, |(_, held)| held.len());
    let help = "Zones that the guard holds at their last good form.";
    text.single("homing_zones_held", gauge, help, held);
    text.family("homing_file_diagnostics", gauge, "What is to be said of the files, by severity.");
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        text.sample(&[("severity", severity.word())], view.findings.count(severity));
    }
    let sources = || view.publication.parts.sources.iter().filter(|s| s.built_epoch_secs > 0);
    let now = epoch_millis(SystemTime::now()).0 / 1000;
    text.family("homing_geo_database_age_seconds", gauge, "Age of each geo database.");
    for source in sources() {
        let age = now.saturating_sub(source.built_epoch_secs);
        text.sample(&[("name", &source.name)], age);
    }
}

fn endpoints(text: &mut Exposition, view: &View) {
    let gauge = Kind::Gauge;
    let help = "1 if the endpoint may be answered with: up or degraded, after overrides.";
    text.family("homing_endpoint_up", gauge, help);
    for (member, standing) in view.health.members() {
        let labels =
            [("region", &*member.region), ("pool", &*member.pool), ("address", &*member.address)];
        let is_up = matches!(standing.tier, Tier::Up | Tier::Degraded);
        text.sample(&labels, u8::from(is_up));
    }
    let help = "1 for the status and the reason of each endpoint that are in force.";
    text.family("homing_endpoint_status", gauge, help);
    for (member, standing) in view.health.members() {
        let labels = [
            ("region", &*member.region),
            ("pool", &*member.pool),
            ("address", &*member.address),
            ("status", tier_word(standing.tier)),
            ("verdict", standing.verdict.word()),
            ("reason", standing.reason.code()),
        ];
        text.sample(&labels, 1);
    }
    let help = "When each vantage last spoke, in seconds of the Unix epoch.";
    text.family("homing_vantage_heard_timestamp_seconds", gauge, help);
    for vantage in view.health.vantages() {
        text.sample(&[("vantage", vantage.name)], seconds(vantage.heard));
    }
    text.family("homing_pool_panic", gauge, "1 for each pool in panic.");
    for (pool, _) in view.health.panics() {
        text.sample(&[("pool", pool)], 1);
    }
}

fn operators(text: &mut Exposition, view: &View) {
    let gauge = Kind::Gauge;
    let overrides = || view.health.overrides();
    text.single("homing_overrides", gauge, "Overrides that stand.", overrides().count());
    let dangling = overrides().filter(|o| o.dangling).count();
    let help = "Overrides of something that the files no longer know.";
    text.single("homing_overrides_dangling", gauge, help, dangling);
    let help = "The share of its clients that each region keeps: 1 when it is not drained.";
    text.family("homing_region_keep_ratio", gauge, help);
    for region in &view.health.inventory().regions {
        let keep = f64::from(view.health.keep(region)) / 256.0;
        text.sample(&[("region", region)], keep);
    }
    loads(text, view);
}

fn loads(text: &mut Exposition, view: &View) {
    let (gauge, loads) = (Kind::Gauge, view.health.loads());
    let help = "What each region can take, in the unit of its load.";
    text.family("homing_region_capacity", gauge, help);
    for load in &loads {
        text.sample(&[("region", load.region)], load.capacity.load);
    }
    let help =
        "The load of each region, as its vantages tell it, smoothed; none while nobody does.";
    text.family("homing_region_load", gauge, help);
    for load in loads.iter().filter(|load| load.fresh) {
        text.sample(&[("region", load.region)], load.load.unwrap_or_default());
    }
    let help = "The share of the clients between two regions that the first sheds to the second.";
    text.family("homing_region_shed_ratio", gauge, help);
    for load in &loads {
        for (to, share) in &load.sheds {
            text.sample(&[("region", load.region), ("to", to)], f64::from(*share) / 256.0);
        }
    }
}

fn seconds(at: LogTime) -> f64 {
    at.0 as f64 / 1000.0
}
