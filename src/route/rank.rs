//! What comes first and what comes next: the region that answers a class of clients, and the one that would if that
//! region were gone. Cold; it runs the very decision that fills the rows.

use std::collections::HashMap;

use crate::number::{ClassId, RegionId};
use crate::reason::Reason;

use super::bucket::BUCKET_COUNT;
use super::decide::{Cell, Outcome, Verdicts, View, decide};
use super::plan::Plan;
use super::pool::Family;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answerer {
    /// The routers of a region.
    Region(RegionId),
    /// The default RRset of the zone file.
    Default,
    /// Nobody: no address of the family is permitted.
    Nodata,
    /// Nobody: the policy says SERVFAIL.
    Servfail,
}

/// What some clients of a class get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// How much of the class it is, in 256ths.
    pub share: u16,
    /// Who answers.
    pub first: Answerer,
    /// Why.
    pub reason: Reason,
    /// Why the region that is most preferred was passed over, if it was.
    pub passed: Option<Reason>,
    /// The region that would answer without the first one; none when none would, save as a last resort.
    pub second: Option<RegionId>,
    /// Why there is no second region, if there is none: what struck the others, or that there are no others to go to.
    pub alone: Option<Reason>,
}

/// Ranks the regions of one plan, as health stands.
pub struct Ranks<'p, V> {
    plan: &'p Plan,
    health: &'p V,
    view: View,
    /// Whether each bucket of a class may get the same.
    is_even: bool,
    /// The view without one region, by its index in the plan; those that were asked for.
    without: HashMap<u16, View>,
}

impl<'p, V: Verdicts> Ranks<'p, V> {
    /// The ranks of `plan` under `health`.
    pub fn new(plan: &'p Plan, health: &'p V) -> Ranks<'p, V> {
        let view = View::new(plan, health);
        Ranks { plan, health, is_even: view.is_even(), view, without: HashMap::new() }
    }

    /// What clients of `class` get for `family`; for every family the same where the pool holds host names. Shares add up
    /// to 256. Empty if there is no such class.
    pub fn of(&mut self, class: ClassId, family: Family) -> Vec<Rank> {
        let plan = self.plan;
        let Some(class) = plan.classes.get(usize::from(class.0)) else { return Vec::new() };
        let side = if plan.names { 0 } else { family.index() };
        let shares = plan.rule_of(class).is_some_and(|rule| rule.shares.is_some());
        let (last, each) =
            if shares || !self.is_even { (u8::MAX, 1) } else { (0, BUCKET_COUNT as u16) };
        let mut ranks: Vec<Rank> = Vec::new();
        for bucket in 0..=last {
            let rank = self.rank(Cell { class, side, bucket }, each);
            match ranks.iter_mut().find(|known| Rank { share: each, ..**known } == rank) {
                Some(known) => known.share += each,
                None => ranks.push(rank),
            }
        }
        ranks
    }

    fn rank(&mut self, cell: Cell<'_>, share: u16) -> Rank {
        let mut passed = None;
        // The first pass asks for what is best, so its reason is the one worth telling.
        let outcome = decide(self.plan, &self.view, cell, &mut |_, reason| {
            passed.get_or_insert(reason);
        });
        let (first, reason) = match outcome {
            Outcome::Region(index, reason) => (self.answerer(index), reason),
            Outcome::Default => (Answerer::Default, Reason::DefaultRrset),
            Outcome::Nodata(reason) => (Answerer::Nodata, reason),
            Outcome::Servfail => (Answerer::Servfail, Reason::LastResort),
        };
        let (second, alone) = match outcome {
            Outcome::Region(index, _) => match self.second(cell, index) {
                Ok(region) => (Some(region), None),
                Err(reason) => (None, Some(reason)),
            },
            Outcome::Default | Outcome::Nodata(_) | Outcome::Servfail => (None, None),
        };
        Rank { share, first, reason, passed, second, alone }
    }

    fn second(&mut self, cell: Cell<'_>, gone: u16) -> Result<RegionId, Reason> {
        let (plan, health) = (self.plan, self.health);
        let view = self.without.entry(gone).or_insert_with(|| {
            let mut view = View::new(plan, health);
            if let Some(region) = view.regions.get_mut(usize::from(gone)) {
                region.best = Default::default();
            }
            view
        });
        let mut struck = Reason::LacksFamily;
        let outcome = decide(plan, view, cell, &mut |region, reason| {
            // One that has the family and may not serve tells more than one that has it not.
            if region != gone && struck == Reason::LacksFamily {
                struck = reason;
            }
        });
        match outcome {
            Outcome::Region(index, reason) if reason != Reason::LastResort => {
                match self.answerer(index) {
                    Answerer::Region(id) => Ok(id),
                    Answerer::Default | Answerer::Nodata | Answerer::Servfail => Err(struck),
                }
            }
            _ => Err(struck),
        }
    }

    fn answerer(&self, index: u16) -> Answerer {
        let region = self.plan.regions.get(usize::from(index));
        region.map_or(Answerer::Nodata, |region| Answerer::Region(region.id))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::geo::World;
    use crate::health::{Freshness, LogTime, Member, Settings, Standing, Status, Tier};
    use crate::number::Revision;
    use crate::route::{PolicyTable, compile, fill, parse_regions, parse_steering};

    const REGIONS: &str = "fra = { position = [50.11, 8.68] }\niad = { position = [38.95, -77.45] }\n\
                           syd = { position = [-33.87, 151.2] }\n";
    const STEERING: &str = "
[pools.web]
fra = ['192.0.2.10', '2001:db8:1::10']
iad = ['198.51.100.10', '2001:db8:2::10']
syd = ['203.0.113.10']
[policies.web]
pool = 'web'
unknown = ['syd']
rules = [
  { subnets = ['10.0.0.0/8'], regions = ['syd'], fence = true },
  { subnets = ['11.0.0.0/8'], regions = [{ region = 'fra', weight = 3 }, { region = 'iad', weight = 1 }] },
  { regions = 'nearest' },
]
";

    /// One address is down, and one region keeps so many buckets.
    struct Supposed(&'static str, (&'static str, u16));

    impl Verdicts for Supposed {
        fn standing(&self, member: &Member) -> Standing {
            Standing {
                tier: if &*member.address == self.0 { Tier::Down } else { Tier::Up },
                verdict: Status::Up,
                reason: Reason::Quorum,
                since: LogTime(0),
                since_revision: Revision(0),
                freshness: Freshness::Fresh,
                next_change: None,
                steady_millis: None,
            }
        }

        fn keep(&self, region: &str) -> u16 {
            if region == self.1.0 { self.1.1 } else { 256 }
        }
    }

    fn plan() -> std::sync::Arc<Plan> {
        let steering = parse_steering("zones/x.toml", STEERING.as_bytes()).0.unwrap();
        let regions = parse_regions("geo/regions.toml", REGIONS.as_bytes()).0.unwrap();
        let world = World::unknown();
        compile(&[steering], &regions, &world, None, &Settings::default()).plans[0].clone()
    }

    /// `fra 192 iad, iad 64 fra`: who is first, for how many buckets, and who is second.
    fn told(address: &str, family: Family, health: &Supposed) -> String {
        let plan = plan();
        let class = plan.ranges().unwrap().lookup(address.parse().unwrap()).0;
        let ranks = Ranks::new(&plan, health).of(class, family);
        let words = ranks.iter().map(|rank| {
            let first = match rank.first {
                Answerer::Region(id) => plan.region_name(id).unwrap(),
                _ => "nobody",
            };
            let second = match (rank.second, rank.alone) {
                (Some(id), None) => plan.region_name(id).unwrap(),
                (None, Some(reason)) => reason.code(),
                (None, None) => "nobody",
                (Some(_), Some(_)) => panic!("both"),
            };
            format!("{first} {} {second}", rank.share)
        });
        words.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_second_region_is_who_answers_without_the_first() {
        let well = Supposed("", ("", 256));
        let fra_down = Supposed("192.0.2.10", ("", 256));
        let iad_down = Supposed("2001:db8:2::10", ("", 256));
        let half = Supposed("", ("syd", 128));
        for (address, family, health, expected) in [
            // Outside the rules nothing is known of the place: `unknown` decides.
            ("12.0.0.1", Family::V4, &well, "syd 256 fra"),
            ("12.0.0.1", Family::V6, &well, "fra 256 iad"),
            ("12.0.0.1", Family::V4, &half, "syd 128 fra, fra 128 iad"),
            ("12.0.0.1", Family::V6, &iad_down, "fra 256 all-down"),
            ("10.0.0.1", Family::V4, &well, "syd 256 lacks-family"),
            ("10.0.0.1", Family::V6, &well, "nobody 256 nobody"),
            ("11.0.0.1", Family::V4, &well, "fra 192 iad, iad 64 fra"),
            // One share spills over, one is weighted: each has a reason of its own.
            ("11.0.0.1", Family::V4, &fra_down, "iad 192 syd, iad 64 syd"),
        ] {
            assert_eq!(told(address, family, health), expected, "{address} {family:?}");
        }
    }

    /// How many buckets each region answers, by the table that queries look into.
    fn buckets(
        table: &PolicyTable,
        class: ClassId,
        family: Family,
    ) -> BTreeMap<Option<RegionId>, u16> {
        let mut counts = BTreeMap::new();
        for bucket in 0..=u8::MAX {
            *counts.entry(table.choice(class, family, bucket).unwrap().region).or_default() += 1;
        }
        counts
    }

    #[test]
    fn who_is_first_is_who_answers_bucket_for_bucket() {
        let plan = plan();
        for health in [Supposed("", ("", 256)), Supposed("192.0.2.10", ("syd", 77))] {
            let table = fill(&plan, &health);
            let mut ranks = Ranks::new(&plan, &health);
            let classes = (0..table.class_count()).map(|class| ClassId(class as u16));
            let both = |class| [(class, Family::V4), (class, Family::V6)];
            for (class, family) in classes.flat_map(both) {
                let mut counts: BTreeMap<Option<RegionId>, u16> = BTreeMap::new();
                for rank in ranks.of(class, family) {
                    let region = match rank.first {
                        Answerer::Region(id) => Some(id),
                        _ => None,
                    };
                    *counts.entry(region).or_default() += rank.share;
                }
                assert_eq!(counts, buckets(&table, class, family), "{class:?} {family:?}");
            }
        }
    }
}
