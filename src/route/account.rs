//! The account of one row: why each region was taken or struck. Cold; it runs the very decision
//! that filled the row.

use crate::health::Standing;
use crate::number::{ClassId, RegionId};
use crate::reason::Reason;

use super::decide::{Cell, Outcome, RegionView, Verdicts, View, decide, walk};
use super::plan::{Plan, PlanRegion};
use super::pool::Family;

/// What became of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It answers.
    Taken(Reason),
    /// It was passed over.
    Struck(Reason),
    /// A region before it was taken.
    Behind,
}

/// One region of the pool, for one client.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionAccount {
    /// Which.
    pub region: RegionId,
    /// Its name.
    pub name: Box<str>,
    /// What became of it.
    pub fate: Fate,
    /// How many 256ths of its clients it keeps.
    pub keep: u16,
    /// Its endpoints of the family, in file order.
    pub endpoints: Vec<EndpointAccount>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointAccount {
    /// Its address, or its host name.
    pub address: Box<str>,
    /// How often it comes first, against the others of the region.
    pub weight: u32,
    /// What health says of it.
    pub standing: Standing,
    /// Whether it may stand in an answer if its region is taken.
    pub eligible: bool,
}

/// Tells how the regions fared for `bucket` of `class`, in the order in which they were looked at;
/// regions that a fence keeps out come last. Empty if there is no such class.
pub fn account(
    plan: &Plan,
    class: ClassId,
    family: Family,
    bucket: u8,
    health: &impl Verdicts,
) -> Vec<RegionAccount> {
    let Some(class) = plan.classes.get(usize::from(class.0)) else { return Vec::new() };
    let side = if plan.names { 0 } else { family.index() };
    let view = View::new(plan, health);
    let mut struck: Vec<(u16, Reason)> = Vec::new();
    let cell = Cell { class, side, bucket };
    let outcome = decide(plan, &view, cell, &mut |region, reason| {
        // The first pass asks for what is best, so its reason is the one worth telling.
        if !struck.iter().any(|&(other, _)| other == region) {
            struck.push((region, reason));
        }
    });
    let fate = |region: u16| match outcome {
        Outcome::Region(taken, reason) if taken == region => Fate::Taken(reason),
        _ => match struck.iter().find(|&&(other, _)| other == region) {
            Some(&(_, reason)) => Fate::Struck(reason),
            None => Fate::Behind,
        },
    };
    let mut accounts = Vec::new();
    let permitted: Vec<u16> = walk(plan, class, bucket).collect();
    let mut tell = |index: u16, fate: Fate| {
        let region = plan.regions.get(usize::from(index)).zip(view.region(index));
        accounts.extend(region.and_then(|region| region_account(region, health, side, fate)));
    };
    for &region in &permitted {
        tell(region, fate(region));
    }
    for region in (0..plan.regions.len() as u16).filter(|region| !permitted.contains(region)) {
        tell(region, Fate::Struck(Reason::Fenced));
    }
    accounts
}

fn region_account(
    (region, view): (&PlanRegion, &RegionView),
    health: &impl Verdicts,
    side: usize,
    fate: Fate,
) -> Option<RegionAccount> {
    let best = *view.best.get(side)?;
    let endpoints = region.side(side).iter().map(|endpoint| {
        let standing = health.standing(&endpoint.member);
        EndpointAccount {
            address: endpoint.member.address.clone(),
            weight: endpoint.weight,
            eligible: Some(standing.tier) == best,
            standing,
        }
    });
    Some(RegionAccount {
        region: region.id,
        name: region.name.clone(),
        fate,
        keep: view.keep,
        endpoints: endpoints.collect(),
    })
}
