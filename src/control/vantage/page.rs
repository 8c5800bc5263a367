//! /metrics of a vantage that runs alone, and the words of all that it counts.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::http;

/// How often what histograms hold is summed up. Else each look would be remembered until somebody scrapes.
const SUM_EVERY: Duration = Duration::from_secs(5);

/// The page, while it is answered.
pub struct Page {
    address: Option<SocketAddr>,
    /// Dropped, it is answered no more.
    _served: JoinSet<()>,
}

impl Page {
    /// Answers on `address`, if there is one.
    pub async fn open(
        address: Option<SocketAddr>,
        cold: &PrometheusHandle,
    ) -> Result<Page, String> {
        let mut served = JoinSet::new();
        let Some(listen) = address else { return Ok(Page { address, _served: served }) };
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            format!(
                "/metrics cannot be answered on {listen}: {error}; change `listen` of probe.toml"
            )
        })?;
        let cold = cold.clone();
        let text = [(CONTENT_TYPE, "text/plain; version=0.0.4")];
        let router = Router::new()
            .route("/metrics", get(move || std::future::ready((text, cold.render()))))
            .route("/healthz", get(|| std::future::ready("ok\n")));
        served.spawn(http::serve_router(listener, router, None, std::future::pending()));
        Ok(Page { address, _served: served })
    }

    /// Answers on another address, if it is one; the old page stays where that cannot be.
    pub async fn move_to(&mut self, address: Option<SocketAddr>, cold: &PrometheusHandle) {
        if self.address == address {
            return;
        }
        match Page::open(address, cold).await {
            Ok(page) => *self = page,
            Err(words) => tracing::error!(event = "page-not-moved", "{words}"),
        }
    }
}

/// Sums up what histograms hold, from now on. Call it within the runtime.
pub fn keep_up(cold: PrometheusHandle) {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SUM_EVERY).await;
            cold.run_upkeep();
        }
    });
}

/// The words of what a vantage counts.
pub fn describe() {
    let counters = [
        ("homing_probe_looks_total", "Looks at endpoints, by kind and by what came of them."),
        ("homing_probe_looks_late_total", "Looks that began more than a second after their turn."),
        ("homing_probe_deliveries_total", "Requests to a server, by what came of them."),
        ("homing_probe_refused_total", "Words that a server refused, by code."),
        ("homing_probe_reloads_total", "Readings of the changed file, by what came of them."),
    ];
    for (name, help) in counters {
        metrics::describe_counter!(name, help);
    }
    metrics::counter!("homing_probe_looks_late_total").absolute(0);
    let gauges = [
        ("homing_probe_endpoints", "Endpoints that are looked at."),
        ("homing_probe_looks_under_way", "Looks under way."),
        ("homing_probe_words", "Endpoints, by the last word on them."),
        ("homing_probe_waiting", "Words that have not arrived at a server."),
        ("homing_probe_delivered_timestamp_seconds", "When a server last took what it was sent."),
    ];
    for (name, help) in gauges {
        metrics::describe_gauge!(name, help);
    }
    metrics::describe_histogram!("homing_probe_look_seconds", "Time that looks took, by kind.");
}
