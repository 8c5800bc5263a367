//! The table: for each policy and class, what to answer. All that health ever changes.
//!
//! A query looks up, it does not decide: class and bucket to a decision, region and bucket to records. The first half is
//! the same for all policies that are alike, and they share it; the second is a policy's own, however many classes it has.

use std::net::IpAddr;
use std::sync::Arc;

use crate::geo::embedded_v4;
use crate::number::{ClassId, PrefixLen, RegionId};
use crate::reason::Reason;
use crate::trace::{ClientSource, Step, Trace};

use super::bucket::{BUCKET_COUNT, bucket};
use super::decide::Outcome;
use super::plan::Plan;
use super::pool::Family;

/// The rows of every policy; a `PolicyId` indexes them. One changed policy costs one `Arc`.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By policy.
    pub policies: Box<[Arc<PolicyTable>]>,
}

/// What one policy answers. Two are equal where everybody gets the same of both.
#[derive(Clone, Debug)]
pub struct PolicyTable {
    /// What is decided. Policies that are alike share it.
    pub(super) rows: Arc<Rows>,
    /// What regions give, by the plan's order of them.
    pub(super) regions: Arc<[RegionAnswers]>,
}

/// The decisions for every class.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rows {
    /// By class.
    pub(super) by_class: Box<[Row]>,
    /// What the cells of rows index: each once.
    pub(super) decisions: Box<[Decision]>,
}

/// What one class of clients gets: indexes of decisions, by [`Family`]; the same twice where the pool holds host names.
pub(super) type Row = [Cells; 2];

/// What some clients get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Decision {
    /// Of which endpoints: an index of `sides`.
    pub(super) side: u8,
    pub(super) outcome: Outcome,
}

/// What one region of a policy gives, by [`Family`]; host names are in the first.
#[derive(Clone, Debug)]
pub(super) struct RegionAnswers {
    pub(super) id: RegionId,
    pub(super) sides: [Arc<Windows>; 2],
}

/// The answers that one region's endpoints of one family give: windows of the ring of those that are eligible.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Windows {
    /// Indexes of answers.
    pub(super) cells: Cells,
    pub(super) answers: Box<[ChoiceAnswer]>,
}

/// One index for all clients, or one for each bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cells {
    /// Nothing is weighed or shared.
    One(u16),
    /// By bucket. Cells that agree share one.
    Many(Arc<[u16; BUCKET_COUNT]>),
}

/// What a bucket of a class gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice<'t> {
    /// The region that answers; none where the zone's own data does.
    pub region: Option<RegionId>,
    /// Why this region.
    pub reason: Reason,
    /// The answer itself.
    pub answer: &'t ChoiceAnswer,
}

/// What to put into the answer section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChoiceAnswer {
    /// Records ready to copy: owner C0 0C, type, class IN, TTL, rdata. For host-name pools, one
    /// CNAME with its target uncompressed.
    Records {
        /// How many.
        count: u16,
        /// Their bytes.
        bytes: Box<[u8]>,
    },
    /// The default RRset of the zone file.
    Default,
    /// No address of this family.
    Nodata,
    /// The policy says `servfail`.
    Servfail,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The address that is looked up.
    pub address: IpAddr,
    /// Where it came from.
    pub source: ClientSource,
}

/// What came of a choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen<'t> {
    /// What to answer.
    pub choice: Choice<'t>,
    /// The class of the client.
    pub class: ClassId,
    /// The client's bucket; 0 where the row neither weighs nor shares.
    pub bucket: u8,
    /// The scope to answer to a client subnet: 0 where the policy uses no place, and where the
    /// address is the resolver's.
    pub scope: PrefixLen,
}

impl Cells {
    fn at(&self, bucket: u8) -> u16 {
        match self {
            Cells::One(cell) => *cell,
            Cells::Many(cells) => cells.get(usize::from(bucket)).copied().unwrap_or_default(),
        }
    }
}

impl PolicyTable {
    /// How many classes it has a row for.
    pub fn class_count(&self) -> usize {
        self.rows.by_class.len()
    }

    /// What `bucket` of `class` gets for `family`. None only for a class that is not there.
    pub fn choice(&self, class: ClassId, family: Family, bucket: u8) -> Option<Choice<'_>> {
        self.of_bucket(self.cells(class, family)?, bucket)
    }

    fn cells(&self, class: ClassId, family: Family) -> Option<&Cells> {
        self.rows.by_class.get(usize::from(class.0))?.get(family.index())
    }

    /// What every bucket gets; none where they differ.
    fn of_all(&self, cells: &Cells) -> Option<Choice<'_>> {
        let one = |cells: &Cells| match cells {
            Cells::One(cell) => Some(*cell),
            Cells::Many(_) => None,
        };
        self.decided(one(cells)?, one)
    }

    fn of_bucket(&self, cells: &Cells, bucket: u8) -> Option<Choice<'_>> {
        self.decided(cells.at(bucket), |cells| Some(cells.at(bucket)))
    }

    /// What the decision at `index` comes to, where `pick` picks among the answers of its region.
    fn decided(&self, index: u16, pick: impl Fn(&Cells) -> Option<u16>) -> Option<Choice<'_>> {
        let decision = *self.rows.decisions.get(usize::from(index))?;
        let (region, reason, answer) = match decision.outcome {
            Outcome::Region(_, reason) => {
                let (id, windows) = self.windows(decision)?;
                let answer = windows.answers.get(usize::from(pick(&windows.cells)?))?;
                (Some(id), reason, answer)
            }
            Outcome::Default => (None, Reason::DefaultRrset, &ChoiceAnswer::Default),
            Outcome::Nodata(reason) => (None, reason, &ChoiceAnswer::Nodata),
            Outcome::Servfail => (None, Reason::LastResort, &ChoiceAnswer::Servfail),
        };
        Some(Choice { region, reason, answer })
    }

    fn windows(&self, decision: Decision) -> Option<(RegionId, &Windows)> {
        let Outcome::Region(region, _) = decision.outcome else { return None };
        let region = self.regions.get(usize::from(region))?;
        Some((region.id, region.sides.get(usize::from(decision.side))?))
    }
}

impl PartialEq for PolicyTable {
    fn eq(&self, other: &PolicyTable) -> bool {
        // What a region would give that nobody is sent to makes no difference.
        let is_same = |decision: &Decision| self.windows(*decision) == other.windows(*decision);
        self.rows == other.rows && self.rows.decisions.iter().all(is_same)
    }
}

/// Chooses for one query. Allocates nothing, locks nothing. None only where the table does not
/// cover the plan, which publication rules out.
///
/// The scope is the shortest prefix around the address in which every address has its class. Where
/// the row weighs or shares, one shorter than /20 (IPv4) or /36 (IPv6) is lengthened to that, so
/// that a share has buckets to fall into. The bucket is that of the scope prefix, so all addresses
/// of one scope get one answer.
pub fn choose<'t>(
    plan: &Plan,
    table: &'t PolicyTable,
    family: Family,
    asker: Asker,
    trace: &mut impl Trace,
) -> Option<Chosen<'t>> {
    trace.step(Step::Client { address: asker.address, source: asker.source });
    let (class, found) = match plan.ranges() {
        Some(ranges) => ranges.lookup(asker.address),
        None => (ClassId(0), PrefixLen(0)),
    };
    // By table-covers-plan.
    let cells = table.cells(class, family)?;
    let (choice, bucket, scope) = match table.of_all(cells) {
        Some(choice) => (choice, 0, found),
        None => {
            let uses_place = plan.uses_place();
            let cut = match uses_place {
                true => lengthened(asker.address, found),
                false => resolver_cut(asker.address),
            };
            let bucket = bucket(asker.address, cut);
            (table.of_bucket(cells, bucket)?, bucket, if uses_place { cut } else { found })
        }
    };
    trace.step(Step::Class { class, scope });
    trace.step(Step::Choice { bucket, region: choice.region, reason: choice.reason });
    let scope = if asker.source == ClientSource::Subnet { scope } else { PrefixLen(0) };
    Some(Chosen { choice, class, bucket, scope })
}

/// The scope where a row weighs or shares: at least /20 of an IPv4 address, wherever it stands, or
/// /36 of an IPv6 one.
fn lengthened(address: IpAddr, scope: PrefixLen) -> PrefixLen {
    let least = match address {
        IpAddr::V4(_) => 20,
        IpAddr::V6(_) => embedded_v4(address).map_or(36, |(_, before)| before.saturating_add(20)),
    };
    PrefixLen(scope.0.max(least))
}

/// How much of a resolver's address counts where the policy uses no place.
const fn resolver_cut(address: IpAddr) -> PrefixLen {
    match address {
        IpAddr::V4(_) => PrefixLen(24),
        IpAddr::V6(_) => PrefixLen(48),
    }
}

#[cfg(test)]
mod tests;
