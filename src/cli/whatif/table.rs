//! What would be, as a table for people: within 80 columns where names are short.

use crate::api::{
    WhatifAnswer, WhatifBody, WhatifClient, WhatifEndpoint, WhatifPolicy, WhatifRegion, WhatifType,
};

use super::super::changes::Extent;
use super::super::movement;
use super::super::paint::{Colour, Columns, Paint, counted, percent};

/// Endpoints that a terminal shows.
const ENDPOINTS_SHOWN: usize = 8;

/// All of it.
pub fn text(body: &WhatifBody, extent: Extent, paint: Paint) -> String {
    let mut page = Page { body, extent, paint, out: String::new() };
    page.head();
    for policy in &body.policies {
        page.policy(policy);
    }
    page.loads();
    page.rest();
    page.clients();
    page.out
}

struct Page<'b> {
    body: &'b WhatifBody,
    extent: Extent,
    paint: Paint,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, colour: Colour, text: &str) {
        self.out.push_str(&self.paint.text(colour, text));
        self.out.push('\n');
    }

    fn head(&mut self) {
        let body = self.body;
        let what = if body.supposed.is_empty() { "nothing changed" } else { "" };
        self.line(Colour::Bold, &format!("what if {what}{}?", body.supposed.join(", and ")));
        self.line(Colour::Dim, &format!("of {}; asking changes nothing", body.of));
        for refusal in &body.refused {
            let line = format!("refused: {}: {}", refusal.supposed, refusal.detail);
            self.line(Colour::Red, &line);
        }
        for pool in &body.panics {
            let line = format!("panic: too much of pool {pool} would turn down; nothing would");
            self.line(Colour::Red, &line);
        }
        self.endpoints("stays", &body.unmoved);
    }

    /// Those that would be as they are, or not as was supposed.
    fn endpoints(&mut self, verb: &str, endpoints: &[WhatifEndpoint]) {
        let shown = self.extent.limit(ENDPOINTS_SHOWN);
        for of in endpoints.iter().take(shown) {
            let line = format!("{verb}: {} {}, {}", of.subject, of.after, of.reason);
            self.line(Colour::Yellow, &line);
        }
        let left = endpoints.len().saturating_sub(shown);
        if left > 0 {
            self.line(Colour::Yellow, &format!("{verb}: {}", counted(left, "more endpoint")));
        }
    }

    fn policy(&mut self, policy: &WhatifPolicy) {
        self.out.push('\n');
        for of in &policy.types {
            let rtype = of.rtype.as_deref().filter(|_| policy.types.len() > 1);
            let rtype = rtype.map(|rtype| format!(", type {rtype}")).unwrap_or_default();
            let moved = match of.moved.size() {
                moved if moved > 0.0 => format!("{} of clients move", percent(moved)),
                _ => "no client moves".to_owned(),
            };
            self.line(Colour::Bold, &format!("policy {}{rtype}: {moved}", policy.policy));
            self.regions(of);
            self.warnings(of);
        }
        if policy.moves.is_empty() {
            return;
        }
        movement::moves(&policy.moves, self.extent, self.paint, &mut self.out);
        let line = format!("  resolvers follow within {} s", policy.ttl_max);
        self.line(Colour::Dim, &line);
    }

    fn regions(&mut self, of: &WhatifType) {
        let mut columns = Columns::default();
        let dim = Colour::Dim;
        columns.row([("region", dim), ("before", dim), ("after", dim), ("", dim)]);
        let sizes = |of: &WhatifRegion| (of.clients.before.size(), of.clients.after.size());
        // Regions that the policy never sends anybody to are of no interest.
        for region in of.regions.iter().filter(|region| sizes(region) != (0.0, 0.0)) {
            let (before, after) = sizes(region);
            let (change, colour) = match after - before {
                more if more > 5e-7 => (format!("+{}", percent(more)), Colour::Yellow),
                less if less < -5e-7 => (format!("-{}", percent(-less)), Colour::Yellow),
                _ => (String::new(), Colour::Plain),
            };
            columns.row([
                (&region.region, Colour::Plain),
                (&percent(before), Colour::Plain),
                (&percent(after), Colour::Plain),
                (&change, colour),
            ]);
        }
        self.out.push_str(&columns.render(self.paint));
    }

    fn warnings(&mut self, of: &WhatifType) {
        let (before, after) = (of.last_resort.before.size(), of.last_resort.after.size());
        if before > 0.0 || after > 0.0 {
            let line = format!(
                "  last resort, for nothing is up: {} of clients, now {}",
                percent(after),
                percent(before)
            );
            self.line(Colour::Red, &line);
        }
        let lost = of.lost.size();
        if lost > 0.0 {
            let line = format!("  no address of this type any more: {} of clients", percent(lost));
            self.line(Colour::Red, &line);
        }
    }

    /// Of no interest where nobody moves.
    fn loads(&mut self) {
        if self.body.loads.is_empty() || self.body.policies.is_empty() {
            return;
        }
        self.out.push('\n');
        self.line(Colour::Bold, "load, carried along by the clients that move");
        let mut columns = Columns::default();
        let dim = Colour::Dim;
        columns.row([
            ("region", dim),
            ("before", dim),
            ("after", dim),
            ("capacity", dim),
            ("", dim),
        ]);
        let number = |of: Option<f64>| of.map_or("unknown".to_owned(), |load| format!("{load:.0}"));
        for of in &self.body.loads {
            let (used, colour) = match of.after.map(|after| (after, after / of.capacity)) {
                Some((after, used)) if after > 0.0 && used > of.high => {
                    (format!("{}, over its high mark", percent(used)), Colour::Red)
                }
                Some((_, used)) if used.is_finite() => (percent(used), Colour::Plain),
                _ => (String::new(), Colour::Plain),
            };
            columns.row([
                (&of.region, Colour::Plain),
                (&number(of.before), Colour::Plain),
                (&number(of.after), Colour::Plain),
                (&of.capacity.to_string(), Colour::Plain),
                (&used, colour),
            ]);
        }
        self.out.push_str(&columns.render(self.paint));
    }

    fn rest(&mut self) {
        let body = self.body;
        let unchanged = body.unchanged.len();
        if body.policies.is_empty() && unchanged > 0 {
            self.out.push('\n');
            self.line(Colour::Bold, "no client moves");
        } else if unchanged > 0 {
            let policies = if unchanged == 1 { "policy" } else { "policies" };
            let line = format!("no client of {unchanged} more {policies} moves");
            self.line(Colour::Dim, &line);
        }
        if !body.left_out.is_empty() {
            let line = format!("not compared, for there are many: {}", body.left_out.join(", "));
            self.line(Colour::Yellow, &line);
        }
        if !body.policies.is_empty() {
            let by = match body.weights.as_str() {
                "published" => "queries, as geo/weights.csv has them",
                "queries" => "the server's own queries",
                _ => "announced IPv4 addresses",
            };
            self.line(Colour::Dim, &format!("shares are of {by}"));
        }
    }

    fn clients(&mut self) {
        let body = self.body;
        for WhatifClient { client, before, after } in &body.clients {
            self.out.push('\n');
            self.line(Colour::Bold, &format!("client {client}"));
            let mut columns = Columns::default();
            let dim = Colour::Dim;
            columns.row([("before", dim), (&answer(before), Colour::Plain)]);
            let colour = if before == after { Colour::Plain } else { Colour::Yellow };
            columns.row([("after", dim), (&answer(after), colour)]);
            self.out.push_str(&columns.render(self.paint));
        }
    }
}

fn answer(of: &WhatifAnswer) -> String {
    // The owner is what was asked for.
    let short = |record: &String| record.split_once(' ').map_or("", |(_, rest)| rest).to_owned();
    let records: Vec<String> = of.answer.iter().map(short).collect();
    let records = if records.is_empty() { of.rcode.clone() } else { records.join(", ") };
    match (&of.region, &of.reason) {
        (Some(region), Some(reason)) => format!("{region} ({reason}): {records}"),
        (None, Some(reason)) => format!("no region ({reason}): {records}"),
        _ => records,
    }
}
