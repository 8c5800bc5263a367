//! The table: for each policy and class, what to answer. All that health ever changes.
//!
//! A query looks up, it does not decide: `choice = row[bucket & row.mask]`.

use std::net::IpAddr;
use std::sync::Arc;

use crate::geo::embedded_v4;
use crate::number::{ClassId, PrefixLen, RegionId};
use crate::reason::Reason;
use crate::trace::{ClientSource, Step, Trace};

use super::bucket::{BUCKET_COUNT, bucket};
use super::plan::Plan;
use super::pool::Family;

/// The rows of every policy; a `PolicyId` indexes them. One changed policy costs one `Arc`.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By policy.
    pub policies: Box<[Arc<PolicyTable>]>,
}

/// The rows of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyTable {
    /// By class.
    pub rows: Box<[Row]>,
    /// Every answer that any row can choose.
    pub choices: Box<[Choice]>,
}

/// What one class of clients gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// For type A; for every type where the pool holds host names.
    pub a: Cells,
    /// For type AAAA.
    pub aaaa: Cells,
}

/// Indexes into `choices`: one for all clients, or one for each bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cells {
    /// The row neither weighs nor shares.
    One(u16),
    /// By bucket. Rows that agree share one.
    Many(Arc<[u16; BUCKET_COUNT]>),
}

/// One possible answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The region that answers; none where the zone's own data does.
    pub region: Option<RegionId>,
    /// Why this region.
    pub reason: Reason,
    /// The answer itself.
    pub answer: ChoiceAnswer,
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
    pub choice: &'t Choice,
    /// The class of the client.
    pub class: ClassId,
    /// The client's bucket; 0 where the row neither weighs nor shares.
    pub bucket: u8,
    /// The scope to answer to a client subnet: 0 where the policy uses no place, and where the
    /// address is the resolver's.
    pub scope: PrefixLen,
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
    let row = table.rows.get(usize::from(class.0))?;
    let cells = match family {
        Family::V4 => &row.a,
        Family::V6 => &row.aaaa,
    };
    let (cell, bucket, scope) = match cells {
        Cells::One(cell) => (*cell, 0, found),
        Cells::Many(cells) => {
            let cut = if plan.uses_place() {
                lengthened(asker.address, found)
            } else {
                resolver_cut(asker.address)
            };
            let bucket = bucket(asker.address, cut);
            (*cells.get(usize::from(bucket))?, bucket, if plan.uses_place() { cut } else { found })
        }
    };
    trace.step(Step::Class { class, scope });
    let choice = table.choices.get(usize::from(cell))?;
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
