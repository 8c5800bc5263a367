//! One policy's decision for one client: the row that answered, told again by the code that filled it.

use std::net::IpAddr;

use crate::answer::Transcript;
use crate::api::{
    ExplainClient, ExplainEndpoint, ExplainRegion, ExplainRoute, ExplainScope, ExplainTtl,
    freshness_word, tier_word, timestamp,
};
use crate::fileset::FileSet;
use crate::health::{Action, Failback, Member};
use crate::number::{ClassId, PrefixLen, RegionId};
use crate::reason::Reason;
use crate::route::{
    ClassLegend, EndpointAccount, Family, Fate, Plan, RegionAccount, account, ttl_account,
};
use crate::trace::ClientSource;
use crate::zone::{Rtype, to_text};

use super::lookup::known_by;
use super::place::describe;
use super::scene::Scene;

/// What the steps of an answer said of one routed name.
pub(super) struct Routed<'s> {
    pub(super) scene: &'s Scene,
    pub(super) files: Option<&'s FileSet>,
    pub(super) response: &'s Transcript,
    pub(super) plan: &'s Plan,
    pub(super) rtype: Rtype,
    pub(super) client: (IpAddr, ClientSource),
    pub(super) class: ClassId,
    pub(super) scope: PrefixLen,
}

impl Routed<'_> {
    /// The decision, for what was chosen.
    pub(super) fn body(
        &self,
        bucket: u8,
        reason: Reason,
        region: Option<RegionId>,
    ) -> ExplainRoute {
        let legend = self.plan.class_legend(self.class);
        let reason = self.refine(reason, legend.as_ref());
        let family = if self.rtype == Rtype::AAAA { Family::V6 } else { Family::V4 };
        let accounts = account(self.plan, self.class, family, bucket, &*self.scene.health);
        let regions = accounts.iter().map(|it| self.region(it, legend.as_ref())).collect();
        ExplainRoute {
            policy: self.plan.name.to_string(),
            client: self.client_body(),
            scope: ExplainScope { len: self.scope.0, because: self.scope_words() },
            rule: legend.as_ref().map(|it| it.rule_text.to_owned()).unwrap_or_default(),
            rule_at: legend.as_ref().map(|it| it.rule_place.to_string()).unwrap_or_default(),
            fenced: legend.as_ref().is_some_and(|it| it.fenced),
            region: region.and_then(|id| self.plan.region_name(id)).map(str::to_owned),
            reason: reason.code().to_owned(),
            because: reason.text().to_owned(),
            bucket,
            regions,
            ttl: self.ttl(),
            next: self.next(&accounts),
        }
    }

    /// The table knows of no places: where the client's is unknown, it is not nearness that put a region first.
    fn refine(&self, reason: Reason, legend: Option<&ClassLegend<'_>>) -> Reason {
        let by_unknown = legend.is_some_and(|it| it.unknown && it.rule_text.contains("nearest"));
        if reason == Reason::Nearest && by_unknown { Reason::UnknownPlace } else { reason }
    }

    fn client_body(&self) -> ExplainClient {
        let (address, source) = self.client;
        let (prefix, database) = known_by(self.scene, self.files, address);
        let source = match source {
            ClientSource::Subnet => "subnet",
            ClientSource::Resolver => "resolver",
        };
        ExplainClient {
            address: address.to_string(),
            source: source.to_owned(),
            place: describe(self.scene.world.lookup(address).0),
            prefix: prefix.to_string(),
            database,
        }
    }

    fn scope_words(&self) -> String {
        let Some(ranges) = self.plan.ranges() else {
            return "no place matters to this policy: all get the same for their resolver".into();
        };
        let (_, found) = ranges.lookup(self.client.0);
        let len = found.0;
        match found == self.scope {
            true => format!("every address of the /{len} around it falls under the same rule"),
            false => format!("the /{len} around it is shared out, in pieces of this size"),
        }
    }

    fn region(&self, account: &RegionAccount, legend: Option<&ClassLegend<'_>>) -> ExplainRegion {
        let (fate, reason) = match account.fate {
            Fate::Taken(reason) => ("taken", self.refine(reason, legend)),
            Fate::Struck(reason) => ("struck", reason),
            Fate::Behind => ("behind", Reason::Behind),
        };
        let from = self.scene.world.lookup(self.client.0).0.position;
        let to = self.scene.regions.list.get(usize::from(account.region.0)).map(|it| it.position);
        let km = from.zip(to).map(|(from, to)| from.distance_km(to).round() as u32);
        let endpoint = |it| self.endpoint(account, it, reason);
        ExplainRegion {
            region: account.name.to_string(),
            fate: fate.to_owned(),
            reason: reason.code().to_owned(),
            because: match account.fate {
                Fate::Struck(Reason::Shed) => self.burden(&account.name),
                _ => reason.text().to_owned(),
            },
            distance_km: km,
            keep: account.keep,
            endpoints: account.endpoints.iter().map(endpoint).collect(),
        }
    }

    /// How busy a region is that sheds.
    fn burden(&self, region: &str) -> String {
        let health = &self.scene.health;
        let load = health.loads().into_iter().find(|load| load.region == region);
        let words = load.and_then(|load| {
            let told = load.load?;
            let percent = told / load.capacity.load.max(f64::MIN_POSITIVE) * 100.0;
            Some(format!(
                "it sheds these clients: its load is {told:.0} of {:.0} ({percent:.0} %)",
                load.capacity.load
            ))
        });
        words.unwrap_or_else(|| Reason::Shed.text().to_owned())
    }

    fn endpoint(
        &self,
        region: &RegionAccount,
        endpoint: &EndpointAccount,
        of_region: Reason,
    ) -> ExplainEndpoint {
        let choice = match region.fate {
            Fate::Taken(_) if self.is_sent(&endpoint.address) => Reason::Chosen,
            Fate::Taken(_) if endpoint.eligible => Reason::Spare,
            Fate::Taken(_) => Reason::Outranked,
            Fate::Struck(_) | Fate::Behind => of_region,
        };
        let standing = &endpoint.standing;
        let outlook = self.scene.health.outlook(&self.member(region, endpoint));
        ExplainEndpoint {
            address: endpoint.address.to_string(),
            choice: choice.code().to_owned(),
            weight: endpoint.weight,
            status: tier_word(standing.tier).to_owned(),
            reason: standing.reason.code().to_owned(),
            because: standing.reason.text().to_owned(),
            evidence: freshness_word(standing.freshness).to_owned(),
            next_change: outlook.and_then(|it| it.at).map(timestamp),
            next_reason: outlook.map(|it| it.by.code().to_owned()),
        }
    }

    fn member(&self, region: &RegionAccount, endpoint: &EndpointAccount) -> Member {
        Member {
            region: region.name.clone(),
            pool: self.plan.pool.clone(),
            address: endpoint.address.clone(),
        }
    }

    /// Whether the response, as it is sent, holds it.
    fn is_sent(&self, address: &str) -> bool {
        self.response.answer.iter().any(|record| {
            let may = matches!(record.rtype, Rtype::A | Rtype::AAAA | Rtype::CNAME);
            may && to_text(record.rtype, &record.rdata).eq_ignore_ascii_case(address)
        })
    }

    fn ttl(&self) -> ExplainTtl {
        let account = ttl_account(self.plan, &*self.scene.health);
        let outlook = account.first.and_then(|(member, _)| self.scene.health.outlook(member));
        ExplainTtl {
            secs: account.ttl.as_secs(),
            min_secs: account.min.as_secs(),
            max_secs: account.max.as_secs(),
            steady_millis: account.first.map(|(_, millis)| millis),
            endpoint: account.first.map(|(member, _)| member.to_string()),
            reason: outlook.map(|it| it.by.code().to_owned()),
        }
    }

    /// What a person could do: take back a drain or an override that struck something, or give the word that is waited
    /// for.
    fn next(&self, accounts: &[RegionAccount]) -> Vec<String> {
        let mut next = Vec::new();
        for region in accounts.iter().filter(|it| it.fate != Fate::Behind) {
            if matches!(region.fate, Fate::Struck(Reason::Drained)) {
                next.push(format!("homing undrain {}", region.name));
            }
            for endpoint in &region.endpoints {
                next.extend(self.next_of(&self.member(region, endpoint), endpoint));
            }
        }
        let mut told = std::collections::BTreeSet::new();
        next.retain(|command| told.insert(command.clone()));
        next
    }

    fn next_of(&self, member: &Member, endpoint: &EndpointAccount) -> Option<String> {
        let health = &self.scene.health;
        match endpoint.standing.reason {
            Reason::Overridden | Reason::Held => {
                let stands = |action| action != Action::Accept;
                let covers = health.overrides().filter(|it| it.subject.covers(member));
                let closest = covers.filter(|it| stands(it.action)).max_by_key(|it| it.since)?;
                // Parts that match anything may be left out at the end.
                let subject = closest.subject.to_string();
                Some(format!("homing override '{}' --clear", subject.trim_end_matches("/*")))
            }
            Reason::Panic => {
                Some(format!("homing override '*/{}' accept --why TEXT --expires 1h", member.pool))
            }
            Reason::AwaitsFailback
                if health.inventory().pools.get(&member.pool).map(|it| it.failback)
                    == Some(Failback::ByHand) =>
            {
                Some(format!("homing override {member} accept --why TEXT --expires 1m"))
            }
            _ => None,
        }
    }
}
