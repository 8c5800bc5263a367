//! The steps of one answer, told while it is made.
//!
//! Owns:  the steps and the listener's trait. On the query path the listener is [`Silent`], a zero-sized type, and
//!        every step compiles to nothing; `explain` listens to the very same code.
//! Never: formats, allocates, or names things: steps carry ids and borrowed bytes, a legend gives them words.

use std::net::IpAddr;

use crate::number::{ClassId, PolicyId, PrefixLen, RegionId};
use crate::reason::Reason;

/// Something that listens to the steps of an answer.
pub trait Trace {
    /// Takes one step. Called in the order in which decisions fall.
    fn step(&mut self, step: Step<'_>);
}

/// Nobody listens.
pub struct Silent;

impl Trace for Silent {
    #[inline(always)]
    fn step(&mut self, _: Step<'_>) {}
}

/// How the names of the chain were found. Names are in wire format, folded to lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// What was asked: owner name and type.
    Question {
        /// The name asked for.
        name: &'a [u8],
        /// The type's number.
        rtype: u16,
    },
    /// The closest zone that encloses the name.
    Zone {
        /// Its apex.
        apex: &'a [u8],
    },
    /// No zone of ours encloses the name.
    NoZone,
    /// The name exists and owns something that answers.
    Exact,
    /// The name does not exist; this wildcard is the source of synthesis (RFC 4592 §3.3.1).
    Wildcard {
        /// The wildcard's owner name.
        source: &'a [u8],
    },
    /// The name is at or below a delegation.
    Delegation {
        /// The owner of the NS RRset.
        cut: &'a [u8],
    },
    /// The name is an alias.
    Cname {
        /// Where it points.
        target: &'a [u8],
    },
    /// The name lies below a DNAME (RFC 6672).
    Dname {
        /// The owner of the DNAME.
        owner: &'a [u8],
    },
    /// The name exists without that type (RFC 2308 §2.2).
    Nodata,
    /// The name does not exist (RFC 2308 §2.1).
    Nxdomain,
    /// The name is routed by a policy.
    Routed {
        /// The policy.
        policy: PolicyId,
    },
    /// Whose place decides.
    Client {
        /// The address that is looked up.
        address: IpAddr,
        /// Where it came from.
        source: ClientSource,
    },
    /// What the address was classed as.
    Class {
        /// The class.
        class: ClassId,
        /// The prefix in which every address has this class.
        scope: PrefixLen,
    },
    /// What was chosen.
    Choice {
        /// The client's bucket in the hash space, 0 to 255.
        bucket: u8,
        /// The region that answers; none where the zone's own data does.
        region: Option<RegionId>,
        /// Why this region.
        reason: Reason,
    },
}

/// Where a client's address came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientSource {
    /// The client subnet option of the query (RFC 7871).
    Subnet,
    /// The resolver's own address.
    Resolver,
}
