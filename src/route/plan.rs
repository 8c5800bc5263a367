//! Plans: a policy compiled. For each class of clients, the regions in order.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::geo::{Position, World};
use crate::health::Inventory;
use crate::number::{PolicyId, Ttl};

use super::policy::{Regions, Steering};

/// One policy, compiled. Static: verdicts are in the table.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The policy's name.
    pub name: Box<str>,
}

/// An owner name bound to a policy, as one line of a steering file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The zone's name as written, without the trailing dot.
    pub zone: Box<str>,
    /// The owner as written: `@`, or labels relative to the zone; the first may be `*`.
    pub owner: Box<str>,
    /// The policy.
    pub policy: PolicyId,
    /// Where the line stands.
    pub place: Place,
}

/// All steering, compiled together.
pub struct Compiled {
    /// The plans; a `PolicyId` indexes them.
    pub plans: Arc<[Arc<Plan>]>,
    /// The routes of all files.
    pub routes: Vec<Route>,
    /// What health needs to know.
    pub inventory: Arc<Inventory>,
    /// What is wrong between the files: each error names the file that is to be refused.
    pub diagnostics: Vec<Diagnostic>,
}

impl Plan {
    /// Whether the pool holds host names, and so every answer is one CNAME.
    pub fn answers_names(&self) -> bool {
        todo!("the route room")
    }

    /// Whether `when_all_down` or a fence could ask for the zone file's own records.
    pub fn uses_default_rrset(&self) -> bool {
        todo!("the route room")
    }

    /// The bounds of the TTL: `ttl.min` and `ttl.max`.
    pub fn ttl_bounds(&self) -> (Ttl, Ttl) {
        todo!("the route room")
    }
}

/// Compiles all steering. `site` is the position of this site, for clients whose place is unknown.
pub fn compile(
    files: &[Steering],
    regions: &Regions,
    world: &World,
    site: Option<Position>,
    health: &crate::health::Settings,
) -> Compiled {
    let _ = (files, regions, world, site, health);
    todo!("the route room")
}
