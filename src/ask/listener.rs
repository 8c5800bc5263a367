//! Listens to one answer being made, and keeps the steps.

use std::net::IpAddr;

use crate::number::{ClassId, PolicyId, PrefixLen, RegionId};
use crate::reason::Reason;
use crate::trace::{ClientSource, Step, Trace};
use crate::zone::{Name, Rtype};

/// A step, owned. See [`Step`] for what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Question(Name, Rtype),
    Zone(Name),
    NoZone,
    Exact,
    /// The wildcard's owner, relative to its zone.
    Wildcard(String),
    Delegation(Name),
    Cname(Name),
    Dname(Name),
    Nodata,
    Nxdomain,
    Routed(PolicyId),
    Client(IpAddr, ClientSource),
    Class(ClassId, PrefixLen),
    Choice {
        bucket: u8,
        region: Option<RegionId>,
        reason: Reason,
    },
}

/// Keeps every step.
#[derive(Default)]
pub(super) struct Listener {
    pub steps: Vec<Heard>,
}

impl Trace for Listener {
    fn step(&mut self, step: Step<'_>) {
        let name = |wire: &[u8]| Name::from_wire(wire).map_or(Name::root(), |(name, _)| name);
        self.steps.push(match step {
            Step::Question { name: asked, rtype } => Heard::Question(name(asked), Rtype(rtype)),
            Step::Zone { apex } => Heard::Zone(name(apex)),
            Step::NoZone => Heard::NoZone,
            Step::Exact => Heard::Exact,
            Step::Wildcard { source } => {
                // Relative to the zone: closed here so that it reads as a name.
                Heard::Wildcard(name(&[source, &[0]].concat()).to_string())
            }
            Step::Delegation { cut } => Heard::Delegation(name(cut)),
            Step::Cname { target } => Heard::Cname(name(target)),
            Step::Dname { owner } => Heard::Dname(name(owner)),
            Step::Nodata => Heard::Nodata,
            Step::Nxdomain => Heard::Nxdomain,
            Step::Routed { policy } => Heard::Routed(policy),
            Step::Client { address, source } => Heard::Client(address, source),
            Step::Class { class, scope } => Heard::Class(class, scope),
            Step::Choice { bucket, region, reason } => Heard::Choice { bucket, region, reason },
        });
    }
}
