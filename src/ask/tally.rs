//! All addresses, by the place where they are and the class that they have; then by what they get there.
//!
//! The walk over all runs only adds extents; places, of which there are far fewer, are measured once, after it.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use crate::geo::{Place, PlaceId, Position, Weights, World};
use crate::health::State;
use crate::number::{ClassId, RegionId};
use crate::reason::Reason;
use crate::route::{Answerer, Family, Plan, Rank, Ranks, Regions};

use super::extent::Extent;
use super::lanes::{class_at, classes, place_at, places, public, walk};
use super::overlap::{Country, Subdivision};

/// A region is far when it is this much farther than the nearest one of the pool, and more than twice as far. A guess:
/// 1,000 km are about ten milliseconds of a round trip.
const FAR_KM: f32 = 1000.0;
/// The side of a square of the map in degrees: what lies in one, and gets one region, is one point.
const SQUARE_DEGREES: f32 = 2.0;

/// Addresses, and how far they are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lot {
    /// How many.
    pub(super) extent: Extent,
    /// Those of which a distance is known, and these times the distance in km.
    measured: Extent,
    km: Extent,
}

/// What addresses of one country or subdivision get.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// All of them.
    pub(super) all: Extent,
    /// Who answers.
    pub(super) first: BTreeMap<Answerer, Lot>,
    /// Who would without the first region.
    pub(super) second: BTreeMap<RegionId, Lot>,
    /// What to look at, and why.
    pub(super) marks: BTreeMap<(Mark, &'static str), Extent>,
}

/// What an operator should look at, most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Nobody answers.
    Hole,
    /// No second region.
    Alone,
    /// The first region is far farther than the nearest of the pool.
    Far,
    /// The other type goes elsewhere.
    Differs,
}

/// Addresses that lie in one square of the map and get one region.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Point {
    pub(super) extent: Extent,
    /// The sums of latitude and longitude, each address counting.
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

/// The whole world.
#[derive(Default)]
pub(super) struct Tallies {
    /// By country and subdivision.
    pub(super) rows: BTreeMap<(Country, Subdivision), Tally>,
    /// By square and who answers.
    pub(super) points: Points,
}

type Points = BTreeMap<(i16, i16, Answerer), Point>;

/// What is counted: a plan over a world, for one type.
#[derive(Clone, Copy)]
pub(super) struct Subject<'s> {
    pub(super) plan: &'s Plan,
    pub(super) regions: &'s Regions,
    pub(super) world: &'s World,
    pub(super) health: &'s State,
    pub(super) family: Family,
}

impl Subject<'_> {
    /// Counts every address once.
    pub(super) fn tally(self, weights: &Weights) -> Tallies {
        let mut counter = Counter {
            subject: self,
            ranks: Ranks::new(self.plan, self.health),
            known: HashMap::default(),
            positions: self.plan.regions().filter_map(|it| self.position(it.0)).collect(),
            tallies: Tallies::default(),
        };
        for ((place, class), extent) in spots(self.world, self.plan) {
            counter.add(self.world.place(place), class, extent, weights);
        }
        counter.tallies
    }

    fn position(&self, region: RegionId) -> Option<Position> {
        self.regions.list.get(usize::from(region.0)).map(|region| region.position)
    }

    /// Whether the pool has both families, so that types can differ.
    fn has_both(&self) -> bool {
        self.plan.has_family(Family::V4) && self.plan.has_family(Family::V6)
    }
}

/// How many addresses are at one place and have one class.
type Spots = Vec<((PlaceId, ClassId), Extent)>;

fn spots(world: &World, plan: &Plan) -> Spots {
    // Nearly every place has one class: that is found by the place's number, what is left by both.
    let mut main: Vec<Option<(ClassId, Extent)>> = vec![None; world.places().len()];
    let mut rest: HashMap<(PlaceId, ClassId), Extent, FixedState> = HashMap::default();
    let lanes = [places(world), classes(plan.ranges().map(|ranges| &**ranges)), public()];
    walk(lanes, |range, [place, class, public]| {
        // Addresses that embed IPv4 have the classes of these, and count once.
        let (place, Some(class)) = (place_at(place), class_at(class)) else { return };
        if public.is_none() {
            return;
        }
        let Some(slot) = main.get_mut(place.0 as usize) else { return };
        let (known, extent) = slot.get_or_insert((class, Extent::default()));
        let extent = if *known == class { extent } else { rest.entry((place, class)).or_default() };
        extent.add(range.extent(), 1.0);
    });
    let main = (0..).map(PlaceId).zip(main);
    let main =
        main.filter_map(|(place, slot)| slot.map(|(class, extent)| ((place, class), extent)));
    let mut spots: Spots = main.chain(rest).collect();
    // Sums of floats depend on their order: it is the same each time.
    spots.sort_unstable_by_key(|(key, _)| *key);
    spots
}

/// What clients of one class get, and what of it the other type has otherwise.
struct Known {
    ranks: Vec<Rank>,
    fenced: bool,
    differs: bool,
}

struct Counter<'s> {
    subject: Subject<'s>,
    ranks: Ranks<'s, State>,
    known: HashMap<ClassId, Known, FixedState>,
    positions: Vec<Position>,
    tallies: Tallies,
}

impl Counter<'_> {
    fn add(&mut self, place: &Place, class: ClassId, extent: Extent, weights: &Weights) {
        let key = (place.country, place.subdivision.filter(|_| place.country.is_some()));
        // Who is nowhere weighs nothing; how many these are is to be told all the same.
        let factor = if key.0.is_some() { weights.factor(key.0, key.1) } else { 1.0 };
        let extent = extent.scaled(factor);
        let known = match self.known.entry(class) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(known(&self.subject, &mut self.ranks, class))
            }
        };
        let Tallies { rows, points } = &mut self.tallies;
        let tally = rows.entry(key).or_default();
        tally.all.add(extent, 1.0);
        if known.differs {
            let other = if self.subject.family == Family::V4 { "AAAA" } else { "A" };
            tally.mark(Mark::Differs, other, extent);
        }
        for rank in &known.ranks {
            let extent = extent.scaled(f64::from(rank.share) / 256.0);
            let km = |region: RegionId| {
                Some(place.position?.distance_km(self.subject.position(region)?))
            };
            let first = match rank.first {
                Answerer::Region(region) => km(region),
                _ => None,
            };
            tally.first.entry(rank.first).or_default().add(extent, first);
            if let Some(second) = rank.second {
                tally.second.entry(second).or_default().add(extent, km(second));
            }
            for (mark, why) in marks(rank, known, self.positions.len()) {
                tally.mark(mark, why, extent);
            }
            if is_far(place.position, first, &self.positions) {
                tally.mark(Mark::Far, why_far(rank, place), extent);
            }
            if let Some(position) = place.position.filter(|_| place.country.is_some()) {
                add_point(points, position, rank.first, extent);
            }
        }
    }
}

fn known(subject: &Subject<'_>, ranks: &mut Ranks<'_, State>, class: ClassId) -> Known {
    let own = ranks.of(class, subject.family);
    let other = match subject.family {
        Family::V4 => Family::V6,
        Family::V6 => Family::V4,
    };
    let firsts = |ranks: &[Rank]| {
        let mut firsts: Vec<_> = ranks.iter().map(|rank| (rank.first, rank.share)).collect();
        firsts.sort_unstable();
        firsts
    };
    let differs = subject.has_both() && firsts(&own) != firsts(&ranks.of(class, other));
    let legend = subject.plan.class_legend(class);
    Known { ranks: own, fenced: legend.is_some_and(|legend| legend.fenced), differs }
}

/// What is to be looked at, whatever the place.
fn marks(
    rank: &Rank,
    known: &Known,
    region_count: usize,
) -> impl Iterator<Item = (Mark, &'static str)> {
    let hole = match rank.first {
        Answerer::Region(_) => None,
        Answerer::Default => Some("default"),
        Answerer::Servfail => Some("servfail"),
        Answerer::Nodata if rank.reason == Reason::LacksFamily && known.fenced => Some("fence"),
        Answerer::Nodata if rank.reason == Reason::LacksFamily => Some("family"),
        Answerer::Nodata => Some("nodata"),
    };
    let alone = rank.alone.map(|reason| match reason {
        _ if region_count <= 1 => "pool",
        Reason::LacksFamily if known.fenced => "fence",
        Reason::LacksFamily => "family",
        _ => "verdict",
    });
    [(Mark::Hole, hole), (Mark::Alone, alone)].into_iter().filter_map(|(m, why)| Some((m, why?)))
}

fn is_far(place: Option<Position>, first: Option<f32>, regions: &[Position]) -> bool {
    let Some((place, first)) = place.zip(first).filter(|(_, first)| *first > FAR_KM) else {
        return false;
    };
    let all = regions.iter().map(|region| place.distance_km(*region));
    let nearest = all.fold(f32::MAX, f32::min);
    first > nearest + FAR_KM && first > 2.0 * nearest
}

fn why_far(rank: &Rank, place: &Place) -> &'static str {
    match (rank.reason, rank.passed) {
        (Reason::Rule, _) => "rule",
        (Reason::Weighted, _) => "weight",
        (_, Some(Reason::LacksFamily)) => "family",
        (_, Some(Reason::Drained)) => "drain",
        (_, Some(Reason::Shed)) => "load",
        (_, Some(Reason::OverriddenDown)) => "overridden",
        (_, Some(_)) => "verdict",
        (_, None) if place.region.is_some() => "override",
        (_, None) => "bias",
    }
}

impl Tally {
    fn mark(&mut self, mark: Mark, why: &'static str, extent: Extent) {
        self.marks.entry((mark, why)).or_default().add(extent, 1.0);
    }

    /// Adds all of `other`.
    pub(super) fn merge(&mut self, other: &Tally) {
        self.all.add(other.all, 1.0);
        other.first.iter().for_each(|(key, lot)| self.first.entry(*key).or_default().merge(lot));
        other.second.iter().for_each(|(key, lot)| self.second.entry(*key).or_default().merge(lot));
        for (key, extent) in &other.marks {
            self.marks.entry(*key).or_default().add(*extent, 1.0);
        }
    }

    /// Who answers most of it.
    pub(super) fn main(&self) -> Option<Answerer> {
        let size = |lot: &Lot| (lot.extent.v4, lot.extent.v6);
        let most = self
            .first
            .iter()
            .max_by(|a, b| size(a.1).partial_cmp(&size(b.1)).unwrap_or(b.0.cmp(a.0)));
        most.map(|(answerer, _)| *answerer)
    }
}

impl Lot {
    fn add(&mut self, extent: Extent, km: Option<f32>) {
        self.extent.add(extent, 1.0);
        if let Some(km) = km {
            self.measured.add(extent, 1.0);
            self.km.add(extent, f64::from(km));
        }
    }

    /// Adds all of `other`.
    pub(super) fn merge(&mut self, other: &Lot) {
        self.extent.add(other.extent, 1.0);
        self.measured.add(other.measured, 1.0);
        self.km.add(other.km, 1.0);
    }

    /// How far they are on average, in km: those of IPv4, or of IPv6 where there are no others.
    pub(super) fn km(&self) -> Option<u32> {
        let mean = |km: f64, of: f64| (of > 0.0).then(|| (km / of).round() as u32);
        mean(self.km.v4, self.measured.v4).or_else(|| mean(self.km.v6, self.measured.v6))
    }
}

fn add_point(points: &mut Points, at: Position, answerer: Answerer, extent: Extent) {
    let square = |degrees: f32| (degrees / SQUARE_DEGREES).floor() as i16;
    let point = points.entry((square(at.latitude), square(at.longitude), answerer)).or_default();
    point.extent.add(extent, 1.0);
    let count = point_count(extent);
    point.latitude += f64::from(at.latitude) * count;
    point.longitude += f64::from(at.longitude) * count;
}

/// What addresses count where both families are to be one number: IPv6 decides only where there is no IPv4.
pub(super) fn point_count(extent: Extent) -> f64 {
    extent.v4 + extent.v6 / f64::from(u32::MAX)
}
