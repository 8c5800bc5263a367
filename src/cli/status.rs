//! `homing status`: what a server serves, and what it thinks of every endpoint, on one screen.

use crate::api::{
    AlarmBody, DatabaseBody, EndpointHealth, HeldZone, RegionBody, SandboxBody, StatusBody,
};

use super::args::{Format, StatusArgs};
use super::client::Client;
use super::evidence::{self, age};
use super::failure::Failure;
use super::paint::{Colour, Columns, Paint, print};
use super::weights;

/// Endpoints shown to people one by one; beyond, only those that are not up.
const ENDPOINT_COUNT_SHOWN: usize = 60;

/// Pending files shown to people one by one.
const PENDING_COUNT_SHOWN: usize = 10;

/// Held zones shown to people one by one.
const HELD_COUNT_SHOWN: usize = 10;

/// Prints the status.
pub fn run(args: &StatusArgs) -> Result<u8, Failure> {
    let status: StatusBody = Client::new(&args.server.server).get("/v1/status")?;
    match args.format {
        Format::Json => print(&format!("{}\n", serde_json::json!(status))),
        Format::Human => print(&human(&status, Paint::for_stdout())),
    }
    Ok(0)
}

fn human(status: &StatusBody, paint: Paint) -> String {
    let mut text = String::new();
    head(status, paint, &mut text);
    alarms(status, paint, &mut text);
    regions(status, paint, &mut text);
    endpoints(status, paint, &mut text);
    text.push_str(&evidence::vantages(status, paint));
    overrides(status, paint, &mut text);
    files(status, paint, &mut text);
    text
}

fn alarms(status: &StatusBody, paint: Paint, text: &mut String) {
    for AlarmBody { alarm, severity, words, help, .. } in &status.alarms {
        let colour = if severity == "critical" { Colour::Red } else { Colour::Yellow };
        text.push_str(&paint.text(colour, &format!("alarm: {alarm}: {words}\n")));
        text.push_str(&paint.text(Colour::Dim, &format!("  {help}\n")));
    }
}

fn head(status: &StatusBody, paint: Paint, text: &mut String) {
    let site = match status.site.drained {
        true => paint.text(Colour::Red, &format!("drained: {}", status.site.why)),
        false => paint.text(Colour::Green, "in service"),
    };
    text.push_str(&format!(
        "{} {} at site {}, {site}\n",
        paint.text(Colour::Bold, "homing"),
        status.version,
        status.site.name
    ));
    let mut columns = Columns::default();
    let dim = Colour::Dim;
    let plain = Colour::Plain;
    let now = &status.now;
    let at = |stamp: &str| match age(stamp, now) {
        Some(age) => format!("{age} ago ({})", when(stamp)),
        None => "never".to_owned(),
    };
    let generation = format!("{}, published {}", status.generation, at(&status.published));
    columns.row([("generation", dim), (&generation, plain)]);
    standing(status, &mut columns);
    let revision = format!("{}, last event {}", status.revision, at(&status.last_event));
    columns.row([("revision", dim), (&revision, plain)]);
    columns.row([("digest", dim), (&status.digest, plain)]);
    columns.row([("started", dim), (&at(&status.started), plain)]);
    listens(status, &mut columns);
    let served = format!(
        "{} zones, {} records, {} routed names",
        status.served.zones, status.served.records, status.served.routes
    );
    columns.row([("serves", dim), (&served, plain)]);
    for zone in &status.served.broken {
        let line = format!("{zone} was never loaded and answers SERVFAIL");
        columns.row([("refused", dim), (&line, Colour::Red)]);
    }
    for file in &status.waiting {
        let line = format!("{file} is gone; it serves until it has been quiet");
        columns.row([("waiting", dim), (&line, Colour::Yellow)]);
    }
    for database in &status.databases {
        columns.row([("geography", dim), (&database_line(database), plain)]);
    }
    if let Some((words, colour)) = evidence::age_of_all(status) {
        columns.row([("verdicts", dim), (&words, colour)]);
    }
    // A server of before said nothing of weights.
    if !status.weights.basis.is_empty() {
        columns.row([("weights", dim), (&weights::words(&status.weights), plain)]);
    }
    text.push_str(&columns.render(paint));
}

/// What stands between the files of the disk and what serves.
fn standing(status: &StatusBody, columns: &mut Columns) {
    let (dim, yellow) = (Colour::Dim, Colour::Yellow);
    if let Some(pin) = &status.pin {
        let of = pin.of.map(|of| format!("the files of {of}, ")).unwrap_or_default();
        let since =
            age(&pin.since, &status.now).map(|age| format!("{age} ago, ")).unwrap_or_default();
        let line = format!("{of}{since}{} ({}); back with: homing resume", pin.why, pin.who);
        columns.row([("pinned", dim), (&line, yellow)]);
    }
    if let Some(pending) = &status.pending {
        let sound = match pending.errors {
            0 => "sound".to_owned(),
            errors => format!("{errors} error(s)"),
        };
        let line = match pending.count {
            0 => "nothing: the disk holds what serves".to_owned(),
            count => format!("{count} file(s) of the disk, {sound}; not served while pinned"),
        };
        columns.row([("pending", dim), (&line, yellow)]);
        for file in pending.files.iter().take(PENDING_COUNT_SHOWN) {
            let refused = if file.refused { ", refused" } else { "" };
            let line = format!("{} {}{refused}", file.path, file.change);
            columns.row([("", dim), (&line, Colour::Plain)]);
        }
    }
    if let Some(held) = &status.held {
        for zone in held.zones.iter().take(HELD_COUNT_SHOWN) {
            let HeldZone { zone, names, removed, .. } = zone;
            let line = format!("{zone} would lose {removed} of its {names} names");
            columns.row([("held", dim), (&line, yellow)]);
        }
        let zones = if held.count == 1 { "it" } else { "all of them" };
        let line = match held.count.saturating_sub(HELD_COUNT_SHOWN) {
            0 => String::new(),
            more => format!("{more} more zones; "),
        };
        let accept = format!("homing accept {} --why TEXT", held.generation);
        columns.row([("", dim), (&format!("{line}{accept} serves {zones}"), Colour::Plain)]);
    }
}

fn regions(status: &StatusBody, paint: Paint, text: &mut String) {
    heading("regions", paint, text);
    let mut columns = Columns::default();
    for region in &status.regions {
        let of_region = || status.endpoints.iter().filter(|e| e.region == region.name);
        let up = of_region().filter(|e| e.status == "up").count();
        let count = of_region().count();
        let endpoints = format!("{up} of {count} endpoints up");
        let colour = if up == count { Colour::Green } else { Colour::Yellow };
        let share = |keep: u16| format!("{:.0} %", f64::from(keep) / 2.56);
        let state = match (&region.complete_by, region.keep) {
            (Some(by), keep) if region.to < 256 => {
                let (step, by) = (step(region, &status.now), when(by));
                format!("keeps {}{step}, at {} by {by}", share(keep), share(region.to))
            }
            (Some(by), keep) => {
                let (step, by) = (step(region, &status.now), when(by));
                format!("keeps {}{step}, filled again by {by}", share(keep))
            }
            (None, 256..) => String::new(),
            (None, 0) => "drained".to_owned(),
            (None, keep) => format!("drained to {}", share(keep)),
        };
        let drain = match state.is_empty() {
            true => state,
            false => format!("{state}: {} ({})", region.why, region.who),
        };
        let drain = if region.dangling { format!("dangling; {drain}") } else { drain };
        columns.row([
            (&region.name, Colour::Plain),
            (&endpoints, colour),
            (&drain, Colour::Yellow),
            (&load(region, &status.now), Colour::Dim),
        ]);
    }
    text.push_str(&columns.render(paint));
}

/// How busy a region is, and to whom it sheds.
fn load(region: &RegionBody, now: &str) -> String {
    let Some(of) = &region.load else { return String::new() };
    let mut text = match of.load {
        Some(load) if of.fresh => {
            let percent = if of.capacity > 0.0 { load / of.capacity * 100.0 } else { 100.0 };
            format!("load {load:.0} of {:.0} ({percent:.0} %)", of.capacity)
        }
        Some(load) => format!("load was {load:.0} of {:.0}, nobody tells it any more", of.capacity),
        None => format!("load unknown, of {:.0}", of.capacity),
    };
    for shed in &of.sheds {
        let percent = f64::from(shed.share) / 2.56;
        text.push_str(&format!("; sheds {percent:.0} % of the border to {}", shed.to));
    }
    if let Some(rests) = of.rests_until.as_deref().and_then(|at| age(now, at)) {
        text.push_str(&format!("; rests for {rests}"));
    }
    text
}

/// How long it is to the next step of a drain.
fn step(region: &RegionBody, now: &str) -> String {
    let left = region.next_step.as_deref().and_then(|at| age(now, at));
    left.map(|left| format!(", next step in {left}")).unwrap_or_default()
}

fn endpoints(status: &StatusBody, paint: Paint, text: &mut String) {
    heading("endpoints", paint, text);
    let all = status.endpoints.len() <= ENDPOINT_COUNT_SHOWN;
    let mut columns = Columns::default();
    let shown = status.endpoints.iter().filter(|e| all || e.status != "up");
    for endpoint in shown.take(ENDPOINT_COUNT_SHOWN) {
        let subject = format!("{}/{}/{}", endpoint.region, endpoint.pool, endpoint.address);
        columns.row([
            (&subject, Colour::Plain),
            (&endpoint.status, colour_of(endpoint)),
            (&because(endpoint, &status.now), Colour::Dim),
        ]);
    }
    text.push_str(&columns.render(paint));
    if !all {
        let line = format!("  of {} endpoints, those not up are shown\n", status.endpoints.len());
        text.push_str(&paint.text(Colour::Dim, &line));
    }
}

fn overrides(status: &StatusBody, paint: Paint, text: &mut String) {
    if status.overrides.is_empty() {
        return;
    }
    heading("overrides", paint, text);
    let mut columns = Columns::default();
    for entry in &status.overrides {
        let expires = match entry.expires.as_str() {
            "never" => "forever".to_owned(),
            at => match age(&status.now, at) {
                Some(left) => format!("ends in {left}"),
                None => format!("until {}", when(at)),
            },
        };
        let why = format!("{} ({})", entry.why, entry.who);
        let dangling = if entry.dangling { "dangling" } else { "" };
        columns.row([
            (&entry.subject, Colour::Plain),
            (&entry.action, Colour::Yellow),
            (&expires, Colour::Plain),
            (&why, Colour::Dim),
            (dangling, Colour::Red),
        ]);
    }
    text.push_str(&columns.render(paint));
}

fn files(status: &StatusBody, paint: Paint, text: &mut String) {
    if status.diagnostics.is_empty() {
        return;
    }
    heading("files", paint, text);
    for diagnostic in &status.diagnostics {
        let colour = match diagnostic.severity.as_str() {
            "error" => Colour::Red,
            "warning" => Colour::Yellow,
            _ => Colour::Plain,
        };
        for (i, line) in diagnostic.text.lines().enumerate() {
            let line = if i == 0 { paint.text(colour, line) } else { line.to_owned() };
            text.push_str(&format!("  {line}\n"));
        }
    }
}

/// Where it is asked, and what its process gave up.
fn listens(status: &StatusBody, columns: &mut Columns) {
    let (dim, plain) = (Colour::Dim, Colour::Plain);
    columns.row([("listens", dim), (&status.served.listen.join(" "), plain)]);
    let encrypted = [
        ("over TLS", &status.served.dot),
        ("over HTTPS", &status.served.doh),
        ("over QUIC", &status.served.doq),
    ];
    for (word, addresses) in encrypted.into_iter().filter(|(_, addresses)| !addresses.is_empty()) {
        columns.row([(word, dim), (&addresses.join(" "), plain)]);
    }
    // A server of before said nothing of it.
    if !status.sandbox.user.is_empty() {
        let (words, colour) = sandbox(&status.sandbox);
        columns.row([("sandbox", dim), (&words, colour)]);
    }
}

/// What the process gave up; yellow where it could give up more.
fn sandbox(sandbox: &SandboxBody) -> (String, Colour) {
    let SandboxBody { user, capabilities, no_new_privileges, landlock, seccomp } = sandbox;
    let kept = if capabilities.is_empty() { "none".to_owned() } else { capabilities.join(" ") };
    let privileges = if *no_new_privileges { "no new privileges" } else { "may gain privileges" };
    let is_whole = capabilities.is_empty() && *no_new_privileges;
    let is_whole = is_whole && user != "root" && landlock == "on" && seccomp == "on";
    let words = format!(
        "user {user}, capabilities {kept}, {privileges}, landlock {landlock}, seccomp {seccomp}"
    );
    (words, if is_whole { Colour::Plain } else { Colour::Yellow })
}

fn heading(word: &str, paint: Paint, text: &mut String) {
    text.push_str(&paint.text(Colour::Bold, word));
    text.push('\n');
}

fn colour_of(endpoint: &EndpointHealth) -> Colour {
    match endpoint.status.as_str() {
        "up" => Colour::Green,
        "degraded" => Colour::Yellow,
        _ => Colour::Red,
    }
}

/// Why an endpoint stands as it does, within what is left of 80 columns.
fn because(endpoint: &EndpointHealth, now: &str) -> String {
    let mut parts = vec![endpoint.reason.clone()];
    if endpoint.evidence != "never" {
        parts.push(endpoint.evidence.clone());
    }
    // The start verdict stands since there are files: that says nothing.
    if endpoint.evidence != "never" || endpoint.status != endpoint.verdict {
        parts.extend(age(&endpoint.since, now).map(|age| format!("for {age}")));
    }
    parts.extend(evidence::next(endpoint, now));
    parts.join(", ")
}

/// A database on one line, with its licence where that is known: some ask to be named wherever they are used.
pub fn database_line(database: &DatabaseBody) -> String {
    let age = match database.age_days {
        None => "age unknown".to_owned(),
        Some(1) => "1 day old".to_owned(),
        Some(days) => format!("{days} days old"),
    };
    let licence = match database.licence.as_str() {
        "" => String::new(),
        licence => format!("; {licence}"),
    };
    format!("{}, {age}, {} networks{licence}", database.name, database.networks)
}

/// A timestamp without its fraction and with a space, as people read it.
fn when(stamp: &str) -> String {
    let whole = stamp.split('.').next().unwrap_or(stamp).trim_end_matches('Z');
    if whole.is_empty() { "never".to_owned() } else { format!("{}Z", whole.replace('T', " ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{HeldBody, PendingBody, PendingFile, PinBody, SiteBody};

    #[test]
    fn a_status_fits_a_terminal() {
        let endpoint = EndpointHealth {
            region: "fra".to_owned(),
            pool: "web".to_owned(),
            address: "2001:db8:1:2::10".to_owned(),
            status: "overridden-down".to_owned(),
            reason: "overridden".to_owned(),
            evidence: "fresh".to_owned(),
            since: "2026-11-21T10:00:00.123Z".to_owned(),
            next_change: Some("2026-11-21T11:31:30Z".to_owned()),
            next_reason: Some("expires".to_owned()),
            ..EndpointHealth::default()
        };
        let status = StatusBody {
            version: "0.1.0".to_owned(),
            site: SiteBody { name: "local".to_owned(), ..SiteBody::default() },
            generation: 3,
            now: "2026-11-21T11:30:00Z".to_owned(),
            waiting: vec!["zones/gone.zone".to_owned()],
            published: "2026-11-21T11:29:01Z".to_owned(),
            digest: "0".repeat(64),
            regions: vec![RegionBody {
                name: "fra".to_owned(),
                keep: 256,
                ..RegionBody::default()
            }],
            endpoints: vec![endpoint],
            ..StatusBody::default()
        };
        let text = human(&status, Paint::plain());
        assert!(text.starts_with("homing 0.1.0 at site local, in service\n"), "{text}");
        assert!(text.contains("  fra  0 of 1 endpoints up\n"), "{text}");
        assert!(text.contains("overridden, fresh, for 90 min, expires in 90 s\n"), "{text}");
        assert!(text.contains("3, published 59 s ago (2026-11-21 11:29:01Z)\n"), "{text}");
        assert!(text.contains("zones/gone.zone is gone"), "{text}");
    }

    #[test]
    fn what_stands_between_the_files_and_the_answers_is_told() {
        let pin = PinBody {
            of: Some(41),
            who: "ana".to_owned(),
            why: "bad push".to_owned(),
            since: "2026-11-21T11:28:00Z".to_owned(),
            ..PinBody::default()
        };
        let file = PendingFile {
            path: "zones/a.zone".to_owned(),
            change: "changed".to_owned(),
            refused: true,
        };
        let zone =
            HeldZone { zone: "b.".to_owned(), names: 20, removed: 16, ..HeldZone::default() };
        let status = StatusBody {
            now: "2026-11-21T11:30:00Z".to_owned(),
            pin: Some(pin),
            pending: Some(PendingBody { count: 3, errors: 1, files: vec![file] }),
            held: Some(HeldBody { generation: 44, count: 1, zones: vec![zone] }),
            ..StatusBody::default()
        };
        let text = human(&status, Paint::plain());
        for line in [
            "pinned      the files of 41, 2 min ago, bad push (ana); back with: homing resume\n",
            "pending     3 file(s) of the disk, 1 error(s); not served while pinned\n",
            "            zones/a.zone changed, refused\n",
            "held        b. would lose 16 of its 20 names\n",
            "            homing accept 44 --why TEXT serves it\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_time_reads_well() {
        assert_eq!(when("2026-11-21T10:00:00.123Z"), "2026-11-21 10:00:00Z");
        assert_eq!(when(""), "never");
        let noon = "2026-11-21T12:00:00Z";
        for (from, shown) in [
            ("2026-11-21T11:59:59.9Z", Some("1 s")),
            ("2026-11-21T11:50:00Z", Some("10 min")),
            ("2026-11-20T12:00:00Z", Some("24 h")),
            ("2026-11-01T12:00:00Z", Some("20 d")),
            ("2026-11-21T12:00:05Z", None),
            ("", None),
        ] {
            assert_eq!(age(from, noon).as_deref(), shown, "{from}");
        }
    }
}
