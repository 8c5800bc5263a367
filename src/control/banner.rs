//! What a person sees at start: where the server listens, what it loaded, and three lines to try. The lines are chosen by
//! asking the very tables that answer, so that they do what they promise.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use crate::health::{Boot, Event, Identity, Report, State, Status, Subject, Timed};
use crate::number::{PolicyId, RegionId, Revision};
use crate::route::{Asker, Family, Plan, PolicyTable, choose, fill};
use crate::trace::{ClientSource, Silent};

use super::desk::Desk;
use super::hub::View;
use super::picture;

/// Real networks, one on each continent: the first that the policy can place is used.
const SUBNETS: [&str; 6] = [
    "193.0.0.0/21",     // RIPE NCC, Amsterdam
    "192.149.252.0/24", // ARIN, Virginia
    "203.119.101.0/24", // APNIC, Brisbane
    "200.160.0.0/20",   // NIC.br, São Paulo
    "196.216.2.0/23",   // AFRINIC, Mauritius
    "133.11.0.0/16",    // University of Tokyo
];

/// Files named at start, of those that were refused.
const REFUSED_SHOWN_MAX: usize = 20;

/// Prints all of it on standard output; a reader that went away is no error.
pub fn print(view: &View, desk: &Desk, api: Option<SocketAddr>) {
    let mut text = loaded(view, desk);
    if let Some(api) = api {
        text.push_str(&format!("  API        {}\n", base(desk, api)));
        text.push_str(&refused(view));
        if let Some(tour) = Tour::choose(view) {
            text.push_str(&tour.lines(desk.facts.listen.first().copied(), &base(desk, api)));
        }
    }
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Where the API is asked.
fn base(desk: &Desk, api: SocketAddr) -> String {
    let scheme = if desk.config.api_tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{api}")
}

fn loaded(view: &View, desk: &Desk) -> String {
    let summary = &view.publication.parts.summary;
    let mut text = format!(
        "homing {} at site {}: generation {}, revision {}\n",
        env!("CARGO_PKG_VERSION"),
        desk.facts.site_name,
        view.snapshot.generation,
        view.snapshot.revision
    );
    if let Some(pin) = &view.publication.pin {
        let of = pin.of.map(|of| format!(", the files of {of}")).unwrap_or_default();
        text.push_str(&format!(
            "  pinned     {} ({}){of}: edits wait until homing resume\n",
            pin.why, pin.who
        ));
    }
    text.push_str(&format!(
        "  zones      {} with {} records, {} routed names\n",
        summary.zones, summary.records, summary.routes
    ));
    text.push_str(&format!(
        "  steering   {} policies, {} pools, {} endpoints in {} regions\n",
        summary.policies, summary.pools, summary.endpoints, summary.regions
    ));
    for database in picture::databases(view) {
        let age = match database.age_days {
            Some(days) => format!("{days} days old"),
            None => "age unknown".to_owned(),
        };
        let networks = database.networks;
        text.push_str(&format!("  geography  {}, {age}, {networks} networks\n", database.name));
    }
    let listen: Vec<String> = desk.facts.listen.iter().map(ToString::to_string).collect();
    text.push_str(&format!("  DNS        {} (UDP and TCP)\n", listen.join(" ")));
    let facts = &desk.facts;
    for (addresses, word) in [(&facts.dot, "TLS"), (&facts.doh, "HTTPS"), (&facts.doq, "QUIC")] {
        if !addresses.is_empty() {
            let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            text.push_str(&format!("             {} ({word})\n", shown.join(" ")));
        }
    }
    text
}

fn refused(view: &View) -> String {
    let mut text = String::new();
    for file in view.findings.refused.iter().take(REFUSED_SHOWN_MAX) {
        text.push_str(&format!("  refused    {}: {}\n", file.path, file.why));
    }
    let more = view.findings.refused.len().saturating_sub(REFUSED_SHOWN_MAX);
    if more > 0 {
        text.push_str(&format!("  refused    {more} more files; homing status names them\n"));
    }
    for name in &view.publication.parts.summary.broken {
        text.push_str(&format!("  broken     {name} was never loaded and answers SERVFAIL\n"));
    }
    text
}

/// A name to ask for, a client that asks, and a report that moves its answer.
struct Tour {
    name: String,
    subnet: &'static str,
    subject: String,
    from: String,
    to: String,
}

impl Tour {
    /// The first that does what it promises; none where no answer would move.
    fn choose(view: &View) -> Option<Tour> {
        // A policy that goes by nearness shows best what this is for, and a www is what people ask for.
        let mut examples: Vec<&(String, PolicyId)> =
            view.publication.parts.examples.iter().collect();
        let plan = |policy: PolicyId| view.publication.parts.plans.get(usize::from(policy.0));
        examples.sort_by_key(|(name, policy)| {
            let goes_by_place = plan(*policy).is_some_and(|plan| plan.uses_place());
            (!goes_by_place, !name.starts_with("www."))
        });
        examples.into_iter().find_map(|(name, policy)| {
            SUBNETS.iter().find_map(|subnet| Tour::try_out(view, name, *policy, subnet))
        })
    }

    fn try_out(view: &View, name: &str, policy: PolicyId, subnet: &'static str) -> Option<Tour> {
        let plan = view.publication.parts.plans.get(usize::from(policy.0))?;
        let table = view.snapshot.table.policies.get(usize::from(policy.0))?;
        let address: IpAddr = subnet.split('/').next()?.parse().ok()?;
        let from = region(plan, table, address)?;
        let from_name = plan.region_name(from)?;
        let subject = format!("{from_name}/{}", plan.pool);
        let after = reported_down(&view.health, &subject)?;
        let moved = fill(plan, &after);
        let to = region(plan, &moved, address).filter(|to| *to != from)?;
        Some(Tour {
            name: name.to_owned(),
            subnet,
            from: from_name.to_owned(),
            to: plan.region_name(to)?.to_owned(),
            subject,
        })
    }

    fn lines(&self, dns: Option<SocketAddr>, api: &str) -> String {
        let Some(dns) = dns else { return String::new() };
        let Tour { name, subnet, subject, from, to } = self;
        let (server, port) = (reachable(dns.ip()), dns.port());
        let name = name.trim_end_matches('.');
        let dig = format!("dig @{server} -p {port} {name} +subnet={subnet} +short");
        let report =
            format!("{{\"vantage\":\"me\",\"subject\":\"{subject}\",\"status\":\"down\"}}");
        format!(
            "\nTry: ask as a client near {from}; report {from} down; ask again, and {to} answers.\n\n\
             {dig}\n\
             curl -s {api}/v1/reports -H 'content-type: application/json' -d '{report}'\n\
             {dig}\n\n"
        )
    }
}

/// The region that answers the client at `address` with an IPv4 address.
fn region(plan: &Plan, table: &PolicyTable, address: IpAddr) -> Option<RegionId> {
    let asker = Asker { address, source: ClientSource::Subnet };
    choose(plan, table, Family::V4, asker, &mut Silent)?.choice.region
}

/// The state after one more report; nothing of it is kept.
fn reported_down(health: &State, subject: &str) -> Option<State> {
    let report = Report {
        vantage: "me".into(),
        identity: Identity::Claimed,
        boot: Boot(u64::MAX),
        seq: 0,
        subject: Subject::parse(subject).ok()?,
        status: Status::Down,
        load: None,
        reason: None,
    };
    let mut after = health.clone();
    let revision = Revision(health.revision().0.saturating_add(1));
    after.apply(&Timed { revision, at: health.now(), event: Event::Report(report) });
    Some(after)
}

/// Where a socket bound to `address` is reached from here: a wildcard by loopback.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}
