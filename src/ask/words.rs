//! The steps of an answer in words.

use std::fmt::Write as _;

use crate::answer::{Record, Served, Transcript};
use crate::geo::{Place, country_name};
use crate::health::{Freshness, Tier};
use crate::number::{ClassId, PolicyId, RegionId};
use crate::reason::Reason;
use crate::route::{Family, Fate, Plan, RegionAccount, account};
use crate::trace::ClientSource;
use crate::zone::{Name, Rtype, to_text};

use super::inquiry::Inquiry;
use super::listener::Heard;
use super::scene::Scene;

/// Tells what was asked, each step, how each region fared, and the answer.
pub(super) fn tell(
    scene: &Scene,
    inquiry: &Inquiry,
    steps: &[Heard],
    response: &Transcript,
) -> String {
    let mut text = format!("{} {} for {}\n\n", inquiry.name, inquiry.rtype, inquiry.client);
    let mut story = Story {
        scene,
        rtype: inquiry.rtype,
        policy: None,
        class: None,
        by_unknown: false,
        text: String::new(),
    };
    steps.iter().for_each(|step| story.step(step));
    text.push_str(&story.text);
    answer(&mut text, response);
    text
}

/// The steps so far: a later one needs what an earlier one said.
struct Story<'s> {
    scene: &'s Scene,
    rtype: Rtype,
    policy: Option<PolicyId>,
    class: Option<ClassId>,
    /// Whether the policy's `unknown` put the regions in order.
    by_unknown: bool,
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
            Heard::Client(address, source) => {
                let (place, _) = self.scene.world.lookup(*address);
                let whose = match source {
                    ClientSource::Subnet => "the client's subnet",
                    // A subnet is only looked at where the policy looks at places.
                    ClientSource::Resolver => "the resolver's address: no place matters here",
                };
                self.line("client", format!("{address} ({whose}): {}", describe(place)));
            }
            Heard::Class(class, scope) => {
                self.class = Some(*class);
                self.line("scope", format!("all of /{} around it gets the same", scope.0));
                self.rule(*class);
            }
            Heard::Choice { bucket, reason, region } => self.choice(*bucket, *reason, *region),
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

    fn rule(&mut self, class: ClassId) {
        let Some(plan) = self.plan() else { return };
        let Some(legend) = plan.class_legend(class) else { return };
        let name = |region| plan.region_name(region).unwrap_or("?");
        let order: Vec<&str> = legend.order.iter().map(|region| name(*region)).collect();
        self.line("rule", format!("{} ({})", legend.rule_text, legend.rule_place));
        self.by_unknown = legend.unknown && legend.rule_text.contains("nearest");
        if self.by_unknown {
            self.line("", "the place is unknown: the policy's `unknown` decides");
        }
        let fenced = if legend.fenced { ", and nowhere else" } else { "" };
        self.line("order", format!("{}{fenced}", order.join(", ")));
        let bias = |(region, bias): &(RegionId, i8)| {
            let left = f64::from(100 - bias.unsigned_abs()) / 100.0;
            let sign = if *bias < 0 { "÷" } else { "×" };
            format!("{} {bias} (distance {sign} {left})", name(*region))
        };
        let biased: Vec<String> = legend.bias.iter().map(bias).collect();
        if !biased.is_empty() {
            self.line("bias", biased.join(", "));
        }
    }

    fn choice(&mut self, bucket: u8, reason: Reason, region: Option<RegionId>) {
        let Some(plan) = self.plan() else { return };
        let name = region.and_then(|region| plan.region_name(region)).unwrap_or("no region");
        let why = match reason {
            Reason::Nearest if self.by_unknown => {
                "the first region of `unknown` that has an eligible endpoint"
            }
            _ => reason.text(),
        };
        self.line("choice", format!("{name}: {why} (bucket {bucket} of 256)"));
        let family = if self.rtype == Rtype::AAAA { Family::V6 } else { Family::V4 };
        let class = self.class.unwrap_or(ClassId(0));
        let accounts = account(plan, class, family, bucket, &*self.scene.health);
        if !accounts.is_empty() {
            self.text.push_str("\n  regions, in the order in which they were looked at\n");
        }
        accounts.iter().for_each(|account| self.region(account));
    }

    fn region(&mut self, account: &RegionAccount) {
        let (fate, reason) = match account.fate {
            Fate::Taken(reason) => ("taken", reason.text()),
            Fate::Struck(reason) => ("struck", reason.text()),
            Fate::Behind => ("behind", "a region before it answers"),
        };
        let keep = match account.keep {
            256 => String::new(),
            keep => format!("; keeps {}/256 of its clients", keep),
        };
        let _ = writeln!(self.text, "    {:<8} {fate:<7} {reason}{keep}", account.name);
        // Endpoints of regions that nobody looked at are of no interest.
        if account.fate == Fate::Behind {
            return;
        }
        for endpoint in &account.endpoints {
            let standing = &endpoint.standing;
            let _ = writeln!(
                self.text,
                "      {:<24} {:<15} {}{}",
                endpoint.address,
                tier(standing.tier),
                standing.reason.text(),
                freshness(standing.freshness),
            );
        }
    }
}

fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Up => "up",
        Tier::Degraded => "degraded",
        Tier::Down => "down",
        Tier::OverriddenDown => "overridden down",
    }
}

fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh | Freshness::Never => "",
        Freshness::Stale => " (stale: some vantages are missing)",
        Freshness::Frozen => " (frozen: nobody reports any more)",
    }
}

/// A place in words.
pub(super) fn describe(place: &Place) -> String {
    let code = |code: &[u8]| String::from_utf8_lossy(code).trim_end_matches('\0').to_owned();
    let country = place.country.map(|c| match country_name(c) {
        Some(name) => format!("{} ({name})", code(&c)),
        None => code(&c),
    });
    let parts = [
        place.continent.map(|c| code(&c)),
        country,
        place.subdivision.map(|s| code(&s)),
        place.position.map(|p| format!("at {:.2}, {:.2}", p.latitude, p.longitude)),
        place.asn.map(|asn| format!("AS{asn}")),
        place.region.map(|_| "a region of the operator's choice".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "place unknown".to_owned() } else { parts.join(", ") }
}

fn answer(text: &mut String, response: &Transcript) {
    let aa = if response.authoritative { ", authoritative" } else { "" };
    let scope = response.scope.map(|s| format!(", scope /{}", s.0)).unwrap_or_default();
    let _ = writeln!(text, "\nanswer: {}{aa}{scope}", response.rcode);
    for record in &response.answer {
        let _ = writeln!(text, "  {}", line(record));
    }
    for record in &response.authority {
        let _ = writeln!(text, "  authority: {}", line(record));
    }
    for record in &response.additional {
        let _ = writeln!(text, "  additional: {}", line(record));
    }
}

fn line(record: &Record) -> String {
    let rdata = to_text(record.rtype, &record.rdata);
    format!("{} {} {} {rdata}", record.owner, record.ttl.as_secs(), record.rtype)
}
