//! One look at one endpoint: what was seen, or why nothing could be.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::health::Status;

use super::fault::Fault;
use super::settings::Check;
use super::target::{Place, Target};
use super::{dns, http, tcp, tls};

/// What came of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint was seen.
    Seen {
        /// How it is.
        status: Status,
        /// Why, where it is not up. The same words for the same cause.
        reason: Option<Box<str>>,
    },
    /// It could not be looked at, by no fault of its own: nothing is known of it.
    Unable(Box<str>),
}

/// Looks at an endpoint, and tells what came of it and how long it took.
pub async fn look(target: &Target) -> (Outcome, Duration) {
    let settings = &target.settings;
    let begun = Instant::now();
    let asked = tokio::time::timeout(settings.timeout, ask(target)).await;
    let took = begun.elapsed();
    let late = || Fault::theirs(format!("no answer within {}", shown(settings.timeout)));
    let outcome = match asked.unwrap_or_else(|_| Err(late())) {
        Ok(()) => on_time(took, settings.degraded),
        Err(Fault::Theirs(words)) => seen(Status::Down, Some(words)),
        Err(Fault::Ours(words)) => Outcome::Unable(words.into()),
    };
    (outcome, took)
}

fn on_time(took: Duration, degraded: Option<Duration>) -> Outcome {
    match degraded.filter(|degraded| took > *degraded) {
        Some(degraded) => {
            seen(Status::Degraded, Some(format!("it took longer than {}", shown(degraded))))
        }
        None => seen(Status::Up, None),
    }
}

fn seen(status: Status, words: Option<String>) -> Outcome {
    Outcome::Seen { status, reason: words.map(Into::into) }
}

async fn ask(target: &Target) -> Result<(), Fault> {
    let to = find(target).await?;
    match &target.settings.check {
        Check::Tcp => tcp::connect(to).await.map(drop),
        Check::Http(check) => {
            let host = authority(target, check.host.as_deref(), 80);
            http::ask(tcp::connect(to).await?, check, &host).await
        }
        Check::Https(check, _) => {
            let missing = || Err("no certificates were read".into());
            let credence = target.credence.clone().unwrap_or_else(missing);
            let name = target.host(check.host.as_deref().map(without_port));
            let stream = tls::shake(tcp::connect(to).await?, &name, &credence).await?;
            let host = authority(target, check.host.as_deref(), 443);
            http::ask(stream, check, &host).await
        }
        Check::Dns(check) => dns::ask(to, check).await,
    }
}

/// The Host that a request is for (RFC 9110 §7.2): as it is set, else as the endpoint is reached.
fn authority(target: &Target, host: Option<&str>, usual_port: u16) -> String {
    let port = target.settings.port;
    match (host, &target.place) {
        (Some(host), _) => host.to_owned(),
        (None, Place::Address(address)) if port != usual_port => {
            SocketAddr::new(*address, port).to_string()
        }
        (None, Place::Address(std::net::IpAddr::V6(address))) => format!("[{address}]"),
        (None, _) if port != usual_port => format!("{}:{port}", target.host(None)),
        (None, _) => target.host(None),
    }
}

/// A host without its port: `name:8443` and `[::1]:8443` have one, `::1` has none.
fn without_port(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or(host),
        None => host,
    }
}

async fn find(target: &Target) -> Result<SocketAddr, Fault> {
    let port = target.settings.port;
    let name = match &target.place {
        Place::Address(address) => return Ok(SocketAddr::new(*address, port)),
        Place::Name(name) => name,
    };
    // A resolver that fails is nearer to us than to the endpoint: it is not known how that is.
    let found = tokio::net::lookup_host((name.as_ref(), port)).await;
    let mut found = found.map_err(|e| Fault::ours(format!("{name} does not resolve: {e}")))?;
    found.next().ok_or_else(|| Fault::ours(format!("{name} has no address")))
}

/// A duration as it is written in a file.
fn shown(time: Duration) -> String {
    let millis = time.as_millis();
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

#[cfg(test)]
mod tests;
