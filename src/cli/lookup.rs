//! `homing geo lookup`: what is known of an address, by whom, and which regions that means.

use std::net::IpAddr;
use std::path::Path;

use crate::api::{GeoBody, GeoPolicy, GeoSource};
use crate::ask::{self, Scene};

use super::args::{Format, LookupArgs};
use super::check::{build, configuration};
use super::client::{Client, in_query};
use super::failure::Failure;
use super::paint::{Colour, Columns, Paint, distance, json, print};

/// Regions of an order that are named.
const REGION_COUNT: usize = 3;

/// Tells what is known of an address.
pub fn run(args: &LookupArgs) -> Result<u8, Failure> {
    let address: IpAddr = args.address.parse().map_err(|_| {
        let help = "write one such as 192.0.2.1 or 2001:db8::1";
        Failure::cannot_run(format!("{} is no address; {help}", args.address))
    })?;
    let body = match &args.server {
        Some(server) => {
            let path = format!("/v1/geo?address={}", in_query(&address.to_string()));
            Client::new(server).get(&path)?
        }
        None => of_files(&args.files, address)?,
    };
    match args.format {
        Format::Json => print(&json(&body)),
        Format::Human => print(&human(&body, Paint::for_stdout())),
    }
    Ok(0)
}

fn of_files(dir: &Path, address: IpAddr) -> Result<GeoBody, Failure> {
    let (config, said) = configuration(dir)?;
    let Some(config) = config else {
        let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(lines.join("\n")));
    };
    let built = build(&config);
    Ok(ask::look(&Scene::of_files(&built.parts), &built.serving, address))
}

fn human(body: &GeoBody, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.text(Colour::Bold, &body.address));
    let mut columns = Columns::default();
    let region = match body.place.region.as_str() {
        "" => String::new(),
        region => format!("; {region} goes first in nearest"),
    };
    let place = format!("{}{region}", body.place.words);
    columns.row([("place", Colour::Dim), (&place, Colour::Bold)]);
    columns.row([("prefix", Colour::Dim), (&body.prefix, Colour::Plain)]);
    out.push_str(&columns.render(paint));
    out.push_str("\nwhat each source says\n");
    out.push_str(&said(body, paint));
    for policy in &body.policies {
        out.push_str(&format!("\npolicy {}\n", paint.text(Colour::Bold, &policy.policy)));
        out.push_str(&meaning(policy, paint));
    }
    out
}

/// Every source with its word, and which of them holds.
fn said(body: &GeoBody, paint: Paint) -> String {
    let mut columns = Columns::default();
    for line in &body.overrides {
        let name = format!("geo/overrides.csv:{}", line.line);
        let (wins, colour) = match line.wins {
            true => ("holds: the longest prefix here", Colour::Green),
            false => ("a longer prefix holds", Colour::Dim),
        };
        columns.row([
            (&name, Colour::Plain),
            (&line.prefix, Colour::Plain),
            (&line.text, Colour::Plain),
            (wins, colour),
        ]);
    }
    let is_replaced = body.overrides.iter().any(|line| line.wins) && body.place.region.is_empty();
    for source in &body.sources {
        let (words, colour) = verdict(body, source, is_replaced);
        let place = if source.error.is_empty() { &source.place.words } else { &source.error };
        columns.row([
            (&source.database.name, Colour::Plain),
            (&source.prefix, Colour::Plain),
            (place, Colour::Plain),
            (words, colour),
        ]);
    }
    let mut out = columns.render(paint);
    for source in &body.sources {
        let database = &source.database;
        let built = match database.built.split_once('T') {
            Some((date, _)) => format!("built {date}"),
            None => "of unknown age".to_owned(),
        };
        let licence = match database.licence.as_str() {
            "" => "licence unknown",
            licence => licence,
        };
        let line = format!("  {}: {built}; {licence}\n", database.name);
        out.push_str(&paint.text(Colour::Dim, &line));
    }
    out
}

fn verdict(body: &GeoBody, source: &GeoSource, is_replaced: bool) -> (&'static str, Colour) {
    let tells_asn = source.place.asn.is_some() && source.place.asn == body.place.asn;
    match source {
        GeoSource { error, .. } if !error.is_empty() => ("cannot be read", Colour::Red),
        GeoSource { wins: true, .. } if body.sources.len() == 1 => ("holds", Colour::Green),
        GeoSource { wins: true, .. } => ("holds: knows most, or first of equals", Colour::Green),
        _ if is_replaced => ("overrides.csv stands above it", Colour::Dim),
        GeoSource { place, .. } if place.words == "place unknown" => ("knows nothing", Colour::Dim),
        _ if tells_asn => ("its autonomous system holds", Colour::Green),
        _ => ("another knows more", Colour::Dim),
    }
}

fn meaning(policy: &GeoPolicy, paint: Paint) -> String {
    let mut columns = Columns::default();
    let rule = format!("{} ({})", policy.rule, policy.at);
    columns.row([("rule", Colour::Dim), (&rule, Colour::Plain)]);
    let class = format!("{}, all of {} gets the same", policy.class, policy.scope);
    columns.row([("class", Colour::Dim), (&class, Colour::Plain)]);
    let region = |it: &crate::api::GeoRegion| match it.km {
        Some(km) => format!("{} {}", it.region, distance(km)),
        None => it.region.clone(),
    };
    let named: Vec<String> = policy.order.iter().take(REGION_COUNT).map(region).collect();
    let rest = match (policy.order.len().saturating_sub(REGION_COUNT), policy.fenced) {
        (0, true) => ", and nowhere else".to_owned(),
        (0, false) => String::new(),
        (left, true) => format!(", {left} more, and nowhere else"),
        (left, false) => format!(", {left} more"),
    };
    columns.row([("order", Colour::Dim), (&format!("{}{rest}", named.join(", ")), Colour::Plain)]);
    let answers = match (policy.a.as_str(), policy.aaaa.as_str()) {
        ("", "") => "nobody".to_owned(),
        (one, "") => format!("{one} (A)"),
        ("", one) => format!("{one} (AAAA)"),
        (a, aaaa) if a == aaaa => a.to_owned(),
        (a, aaaa) => format!("{a} (A), {aaaa} (AAAA)"),
    };
    columns.row([("answer", Colour::Dim), (&answers, Colour::Green)]);
    columns.render(paint)
}
