//! The steps of an answer in words.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::answer::{Record, Served, Transcript};
use crate::api::{ExplainResponse, ExplainRoute};
use crate::fileset::FileSet;
use crate::number::{ClassId, PolicyId, PrefixLen};
use crate::route::Plan;
use crate::trace::ClientSource;
use crate::zone::{Name, Rtype, to_text};

use super::inquiry::Inquiry;
use super::listener::Heard;
use super::reasons;
use super::routed::Routed;
use super::scene::Scene;

/// Tells what was asked, each step, how each region fared, and the answer; and how each policy decided, as a body.
pub(super) fn tell(
    scene: &Scene,
    files: Option<&FileSet>,
    inquiry: &Inquiry,
    steps: &[Heard],
    response: &Transcript,
) -> (String, Vec<ExplainRoute>) {
    let mut text = format!("{} {} for {}\n\n", inquiry.name, inquiry.rtype, inquiry.client);
    let mut story = Story {
        scene,
        files,
        response,
        rtype: inquiry.rtype,
        policy: None,
        client: None,
        scope: PrefixLen(0),
        class: ClassId(0),
        routes: Vec::new(),
        text: String::new(),
    };
    steps.iter().for_each(|step| story.step(step));
    text.push_str(&story.text);
    answer(&mut text, &response_body(response));
    (text, story.routes)
}

/// The steps so far: a later one needs what an earlier one said.
struct Story<'s> {
    scene: &'s Scene,
    files: Option<&'s FileSet>,
    response: &'s Transcript,
    rtype: Rtype,
    policy: Option<PolicyId>,
    client: Option<(IpAddr, ClientSource)>,
    scope: PrefixLen,
    class: ClassId,
    routes: Vec<ExplainRoute>,
    text: String,
}

impl<'s> Story<'s> {
    fn line(&mut self, subject: &str, words: impl AsRef<str>) {
        let _ = writeln!(self.text, "  {subject:<9} {}", words.as_ref());
    }

    fn step(&mut self, step: &Heard) {
        match step {
            Heard::Question(..) => {}
            Heard::Zone(apex) => self.line("zone", self.zone(apex)),
            Heard::NoZone => self.line("zone", "none of ours encloses the name"),
            Heard::Exact => self.line("name", "exists"),
            Heard::Wildcard(source) => {
                let words = format!("does not exist; {source} of the zone answers (RFC 4592)");
                self.line("name", words);
            }
            Heard::Delegation(cut) => self.line("name", format!("is delegated at {cut}")),
            Heard::Cname(target) => self.line("alias", format!("goes on at {target}")),
            Heard::Dname(owner) => self.line("alias", format!("the DNAME at {owner} renames it")),
            Heard::Nodata => self.line("type", "the name owns no records of it"),
            Heard::Nxdomain => self.line("name", "does not exist, and no wildcard covers it"),
            Heard::Routed(policy) => {
                self.policy = Some(*policy);
                let name = self.plan().map_or("?".into(), |plan| plan.name.to_string());
                self.line("route", format!("policy {name}"));
            }
            Heard::Client(address, source) => self.client = Some((*address, *source)),
            Heard::Class(class, scope) => (self.class, self.scope) = (*class, *scope),
            Heard::Choice { bucket, reason, region } => {
                let Some((plan, client)) = self.plan().zip(self.client) else { return };
                let routed = Routed {
                    scene: self.scene,
                    files: self.files,
                    response: self.response,
                    plan,
                    rtype: self.rtype,
                    client,
                    class: self.class,
                    scope: self.scope,
                };
                let route = routed.body(*bucket, *reason, *region);
                self.text.push_str(&reasons::text(&route, plan, self.class));
                self.routes.push(route);
            }
        }
    }

    fn plan(&self) -> Option<&'s Plan> {
        let plan = self.scene.snapshot.plans.get(usize::from(self.policy?.0))?;
        Some(plan)
    }

    fn zone(&self, apex: &Name) -> String {
        let zones = self.scene.snapshot.catalog.zones();
        let served = zones.into_iter().find_map(|served| match served {
            Served::Zone(zone) if zone.apex() == apex => Some(zone.serial().0),
            _ => None,
        });
        served.map_or(apex.to_string(), |serial| format!("{apex} with serial {serial}"))
    }
}

fn answer(text: &mut String, response: &ExplainResponse) {
    let aa = if response.authoritative { ", authoritative" } else { "" };
    let scope = response.scope.map(|scope| format!(", scope /{scope}")).unwrap_or_default();
    let _ = writeln!(text, "\nanswer: {}{aa}{scope}", response.rcode);
    for line in &response.answer {
        let _ = writeln!(text, "  {line}");
    }
    for (section, lines) in
        [("authority", &response.authority), ("additional", &response.additional)]
    {
        for line in lines {
            let _ = writeln!(text, "  {section}: {line}");
        }
    }
}

/// A response as the API has it.
pub(super) fn response_body(response: &Transcript) -> ExplainResponse {
    let lines = |records: &[Record]| records.iter().map(line).collect();
    ExplainResponse {
        rcode: response.rcode.to_string(),
        authoritative: response.authoritative,
        scope: response.scope.map(|scope| scope.0),
        answer: lines(&response.answer),
        authority: lines(&response.authority),
        additional: lines(&response.additional),
    }
}

/// A record on one line.
pub(super) fn line(record: &Record) -> String {
    let rdata = to_text(record.rtype, &record.rdata);
    format!("{} {} {} {rdata}", record.owner, record.ttl.as_secs(), record.rtype)
}
