//! Views: what the state tells of itself, for status, API and explain.

use std::sync::Arc;

use crate::number::{Digest, Generation, Revision};

use super::event::{Action, Boot, Expiry, Identity, Inventory, LogTime, Status};
use super::state::State;
use super::subject::{Member, Subject};
use super::verdict::Standing;

/// What one vantage says of one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence<'s> {
    /// Who.
    pub vantage: &'s str,
    /// Whether that is certain.
    pub identity: Identity,
    /// Its last word.
    pub word: Status,
    /// What it holds after `rise` and `fall`; none before its first opinion.
    pub opinion: Option<Status>,
    /// Rounds in a row with this word.
    pub streak: u32,
    /// When it last said or reaffirmed it.
    pub heard: LogTime,
    /// Whether it still counts.
    pub fresh: bool,
    /// Why, in its own words.
    pub reason: Option<&'s str>,
    /// The load that it reported.
    pub load: Option<f64>,
}

/// An override that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct OverrideView<'s> {
    /// Of what.
    pub subject: &'s Subject,
    /// What.
    pub action: Action,
    /// How long.
    pub expiry: Expiry,
    /// Why.
    pub why: &'s str,
    /// Who.
    pub who: &'s str,
    /// Since when.
    pub since: LogTime,
    /// By which event.
    pub since_revision: Revision,
    /// Whether it covers no endpoint in the files.
    pub dangling: bool,
}

/// A drain that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct DrainView<'s> {
    /// Which region.
    pub region: &'s str,
    /// The share of clients that it keeps now, in 256ths.
    pub keep: u16,
    /// … and in the end; 256 where it is being filled again.
    pub to: u16,
    /// When the next one is due; none after the last.
    pub next_step: Option<LogTime>,
    /// When the last one is, or was.
    pub complete_by: LogTime,
    /// Why.
    pub why: &'s str,
    /// Who.
    pub who: &'s str,
    /// Since when.
    pub since: LogTime,
    /// By which event.
    pub since_revision: Revision,
    /// Whether the files no longer know the region.
    pub dangling: bool,
}

/// A vantage that is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct VantageView<'s> {
    /// Its name.
    pub name: &'s str,
    /// Its boot.
    pub boot: Boot,
    /// Its last sequence number.
    pub seq: u64,
    /// When it last spoke.
    pub heard: LogTime,
    /// Its words on subjects that name more than one endpoint, or none that is known.
    pub words: usize,
}

impl State {
    /// Log time: that of the last event.
    pub fn now(&self) -> LogTime {
        self.now
    }

    /// The last event that was folded; 0 before the first.
    pub fn revision(&self) -> Revision {
        self.revision.unwrap_or_default()
    }

    /// The last published state of files.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The digest of its files.
    pub fn files_digest(&self) -> Digest {
        self.files
    }

    /// The endpoints of its files.
    pub fn inventory(&self) -> &Arc<Inventory> {
        &self.inventory
    }

    /// The endpoints in the files, each with its standing, in order.
    pub fn members(&self) -> impl Iterator<Item = (&Member, &Standing)> {
        let present = self.endpoints.iter().filter(|(_, endpoint)| endpoint.gone.is_none());
        present.map(|(member, endpoint)| (&**member, &endpoint.standing))
    }

    /// The endpoints in the files that `subject` covers, each with its standing, in order.
    pub fn members_of<'s>(
        &'s self,
        subject: &'s Subject,
    ) -> impl Iterator<Item = (&'s Member, &'s Standing)> {
        self.members().filter(move |(member, _)| subject.covers(member))
    }

    /// What the vantages say of an endpoint, in the order of their names.
    pub fn evidence(&self, member: &Member) -> Vec<Evidence<'_>> {
        let stale_millis = self.settings(&member.pool).stale_millis();
        let opinions = self.endpoints.get(member).into_iter().flat_map(|e| &e.opinions);
        let evidence = opinions.map(|(vantage, opinion)| Evidence {
            vantage,
            identity: opinion.identity,
            word: opinion.word,
            opinion: opinion.held,
            streak: opinion.streak,
            heard: opinion.at,
            fresh: opinion.is_fresh(self.now, stale_millis),
            reason: opinion.reason.as_deref(),
            load: opinion.load,
        });
        evidence.collect()
    }

    /// The overrides that stand, by subject.
    pub fn overrides(&self) -> impl Iterator<Item = OverrideView<'_>> {
        self.overrides.iter().map(|(subject, decision)| OverrideView {
            subject,
            action: decision.action,
            expiry: decision.expiry,
            why: &decision.why,
            who: &decision.who,
            since: decision.since,
            since_revision: decision.revision,
            dangling: !self.is_in_files(subject),
        })
    }

    /// Whether the files hold an endpoint that `subject` covers.
    fn is_in_files(&self, subject: &Subject) -> bool {
        let members = &self.inventory.members;
        match subject.exact() {
            Some(member) => members.binary_search(&member).is_ok(),
            None => members.iter().any(|member| subject.covers(member)),
        }
    }

    /// The drains that stand, by region.
    pub fn drains(&self) -> impl Iterator<Item = DrainView<'_>> {
        self.drains.iter().map(|(region, drain)| DrainView {
            region,
            keep: drain.keep,
            to: drain.to,
            next_step: drain.due(),
            complete_by: drain.complete_by(),
            why: &drain.why,
            who: &drain.who,
            since: drain.since,
            since_revision: drain.revision,
            dangling: !self.inventory.regions.contains(region),
        })
    }

    /// The pools in panic, and since when.
    pub fn panics(&self) -> impl Iterator<Item = (&str, LogTime)> {
        self.panics.iter().map(|(pool, since)| (&**pool, *since))
    }

    /// The vantages that are remembered, by name.
    pub fn vantages(&self) -> impl Iterator<Item = VantageView<'_>> {
        self.vantages.iter().map(|(name, vantage)| VantageView {
            name,
            boot: vantage.boot,
            seq: vantage.seq,
            heard: vantage.heard,
            words: vantage.words.len(),
        })
    }
}
