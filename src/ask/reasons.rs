//! One policy's decision as text for a terminal: 80 columns, codes on the lines and their words once below.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::api::{ExplainEndpoint, ExplainRegion, ExplainRoute, ExplainTtl};
use crate::number::{ClassId, RegionId};
use crate::reason::Reason;
use crate::route::Plan;

/// Columns of a terminal that nobody widened.
const COLUMNS: usize = 80;

/// The width of what stands before the words of a step.
const MARGIN: usize = 12;

/// The decision in text; the plan gives what is only for people.
pub(super) fn text(route: &ExplainRoute, plan: &Plan, class: ClassId) -> String {
    let mut text = String::new();
    let client = &route.client;
    let whose = match client.source.as_str() {
        "subnet" => "the client's subnet",
        _ => "the resolver's address: no place matters here",
    };
    line(&mut text, "client", &format!("{} ({whose})", client.address));
    line(&mut text, "place", &client.place);
    line(&mut text, "known", &format!("{} as one place, by {}", client.prefix, client.database));
    line(&mut text, "scope", &format!("/{}: {}", route.scope.len, route.scope.because));
    line(&mut text, "rule", &route.rule);
    line(&mut text, "", &format!("at {}", route.rule_at));
    order(&mut text, plan, class, route.fenced);
    let region = route.region.as_deref().unwrap_or("no region");
    let (code, because, bucket) = (&route.reason, &route.because, route.bucket);
    line(&mut text, "choice", &format!("{region}: {because} ({code}; bucket {bucket} of 256)"));
    line(&mut text, "ttl", &ttl(&route.ttl));
    regions(&mut text, &route.regions);
    legend(&mut text, route);
    if !route.next.is_empty() {
        text.push_str("\n  what you can do\n");
        for command in &route.next {
            let _ = writeln!(text, "    {command}");
        }
    }
    text
}

/// A step, its words broken at spaces where the terminal ends.
fn line(text: &mut String, subject: &str, words: &str) {
    let mut shown = format!("  {subject:<9} ");
    let mut width = MARGIN;
    for (index, word) in words.split(' ').enumerate() {
        let len = word.chars().count();
        if index > 0 && width + 1 + len > COLUMNS {
            let _ = write!(shown, "\n{:MARGIN$}", "");
            width = MARGIN;
        } else if index > 0 {
            shown.push(' ');
            width += 1;
        }
        shown.push_str(word);
        width += len;
    }
    let _ = writeln!(text, "{}", shown.trim_end());
}

fn order(text: &mut String, plan: &Plan, class: ClassId, fenced: bool) {
    let Some(legend) = plan.class_legend(class) else { return };
    let name = |region: RegionId| plan.region_name(region).unwrap_or("?");
    let order: Vec<&str> = legend.order.iter().map(|region| name(*region)).collect();
    let fenced = if fenced { ", and nowhere else" } else { "" };
    line(text, "order", &format!("{}{fenced}", order.join(", ")));
    let bias = |(region, bias): &(RegionId, i8)| {
        let left = f64::from(100 - bias.unsigned_abs()) / 100.0;
        let sign = if *bias < 0 { "÷" } else { "×" };
        format!("{} {bias} (distance {sign} {left})", name(*region))
    };
    let biased: Vec<String> = legend.bias.iter().map(bias).collect();
    if !biased.is_empty() {
        line(text, "bias", &biased.join(", "));
    }
}

/// How the TTL came about.
fn ttl(ttl: &ExplainTtl) -> String {
    let ExplainTtl { secs, min_secs, max_secs, .. } = ttl;
    let bounds = format!("`ttl` of the policy: {min_secs} to {max_secs} s");
    let Some((millis, endpoint)) = ttl.steady_millis.zip(ttl.endpoint.as_ref()) else {
        return format!("{secs} s: nothing changes by time or by rounds of vantages; {bounds}");
    };
    let by = ttl.reason.as_deref().unwrap_or("?");
    let steady = seconds(millis);
    format!("{secs} s: {endpoint} could change {steady} after its last event ({by}); {bounds}")
}

/// Milliseconds as seconds, without a fraction that is none.
fn seconds(millis: u64) -> String {
    match millis % 1000 {
        0 => format!("{} s", millis / 1000),
        _ => format!("{:.1} s", millis as f64 / 1000.0),
    }
}

fn regions(text: &mut String, regions: &[ExplainRegion]) {
    if regions.is_empty() {
        return;
    }
    text.push_str("\n  regions, in the order in which they were looked at\n");
    // Endpoints of regions that nobody looked at are of no interest to people.
    let is_shown = |region: &&ExplainRegion| region.fate != "behind";
    let endpoints = regions.iter().filter(is_shown).flat_map(|region| &region.endpoints);
    let width = endpoints.map(|it| it.address.len()).max().unwrap_or(0).clamp(12, 39);
    for region in regions {
        let km = region.distance_km.map(|km| format!("{km} km")).unwrap_or_default();
        let keep = match region.keep {
            256 => String::new(),
            keep => format!("keeps {keep}/256 of its clients"),
        };
        let reason = match (region.fate == region.reason, keep.is_empty()) {
            (true, _) => String::new(),
            (false, true) => region.reason.clone(),
            (false, false) => format!("{}, ", region.reason),
        };
        let line = format!("    {:<8} {:<7} {km:>8}  {reason}{keep}", region.region, region.fate);
        let _ = writeln!(text, "{}", line.trim_end());
        if region.fate == "struck" && region.reason == Reason::Shed.code() {
            let _ = writeln!(text, "      {}", region.because);
        }
        if is_shown(&region) {
            region.endpoints.iter().for_each(|it| text.push_str(&endpoint(it, width)));
        }
    }
}

fn endpoint(endpoint: &ExplainEndpoint, width: usize) -> String {
    let evidence = match endpoint.evidence.as_str() {
        "never" => String::new(),
        evidence => format!(", {evidence}"),
    };
    let ExplainEndpoint { address, choice, status, reason, .. } = endpoint;
    format!("      {address:<width$} {choice:<15} {status}: {reason}{evidence}\n")
}

/// The words of every code that is shown.
fn legend(text: &mut String, route: &ExplainRoute) {
    let mut codes: BTreeSet<&str> = BTreeSet::from([route.reason.as_str()]);
    codes.extend(route.ttl.reason.as_deref());
    for region in &route.regions {
        codes.insert(&region.reason);
        if region.fate != "behind" {
            let endpoints = &region.endpoints;
            codes.extend(endpoints.iter().flat_map(|it| [it.choice.as_str(), it.reason.as_str()]));
        }
    }
    text.push_str("\n  codes\n");
    for reason in Reason::ALL.into_iter().filter(|reason| codes.contains(reason.code())) {
        let _ = writeln!(text, "    {:<16} {}", reason.code(), reason.text());
    }
}
