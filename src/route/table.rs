//! The table: for each policy and class, what to answer. All that health ever changes.
//!
//! A query looks up, it does not decide: `choice = row[bucket & row.mask]`.

use std::net::IpAddr;
use std::sync::Arc;

use crate::number::{ClassId, PrefixLen, RegionId};
use crate::reason::Reason;
use crate::trace::{ClientSource, Trace};

use super::plan::Plan;

/// Buckets of the hash space that weights and shares divide.
pub const BUCKET_COUNT: usize = 256;

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
    /// By bucket.
    Many(Box<[u16; BUCKET_COUNT]>),
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
    /// Records ready to copy: owner C0 0C, type, class IN, TTL, rdata. For host-name pools, one CNAME with its target
    /// uncompressed.
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

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, type A.
    V4,
    /// IPv6, type AAAA.
    V6,
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
    /// The client's bucket.
    pub bucket: u8,
    /// The scope to answer to a client subnet: 0 where the policy uses no place.
    pub scope: PrefixLen,
}

/// Chooses for one query. Allocates nothing, locks nothing. None only where the table does not cover the plan, which
/// publication rules out.
pub fn choose<'t>(
    plan: &Plan,
    table: &'t PolicyTable,
    family: Family,
    asker: Asker,
    trace: &mut impl Trace,
) -> Option<Chosen<'t>> {
    let _ = (plan, table, family, asker, trace);
    todo!("the route room")
}
