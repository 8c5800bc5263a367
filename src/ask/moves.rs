//! Which clients move from one region to another when one plan takes the place of another, or one state of health.
//!
//! The rows that queries look into are filled for both, by the code that fills them to serve; each bucket of each pair of
//! classes is compared, and counts with the addresses that have that pair.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::api::{CountryMove, Move};
use crate::health::State;
use crate::number::ClassId;
use crate::reason::Reason;
use crate::route::{BUCKET_COUNT, ChoiceAnswer, Family, Plan, PolicyTable, fill};

use super::extent::Extent;
use super::overlap::{Cell, Country, Overlap};

/// Prefixes that are named where no more than these move.
const PREFIX_COUNT_MAX: usize = 8;

/// From where, and to where: a region, or what stands in for one.
type Way = (String, String);

/// What moves one way: its addresses by country, and the cells that they came from.
#[derive(Default)]
struct Moving<'o> {
    countries: BTreeMap<Country, Extent>,
    cells: Vec<&'o Cell>,
}

/// A plan with its rows, as they were filled for some state of health.
#[derive(Clone, Copy)]
pub(super) struct Filled<'p> {
    pub(super) plan: &'p Plan,
    pub(super) table: &'p PolicyTable,
}

/// What one bucket of a class gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Got<'p> {
    /// A region by its name, or what stands in for one.
    pub(super) who: &'p str,
    /// Why; none where there is nothing.
    pub(super) reason: Reason,
    /// Whether it is an address at all.
    pub(super) is_address: bool,
}

/// What clients of a pair of classes got and get, each pair with its share of them.
pub(super) type Gets<'p> = Vec<((Got<'p>, Got<'p>), f64)>;

/// The moves from `old` to `new`, largest first, with every endpoint up. `overlap` lays the ranges of the two over each
/// other.
pub(super) fn moves(old: &Plan, new: &Plan, overlap: &Overlap) -> Vec<Move> {
    // A state that has seen no event: whatever a pool's `start` says, every endpoint counts as up.
    let health = State::default();
    let (old_table, new_table) = (fill(old, &health), fill(new, &health));
    let old = Filled { plan: old, table: &old_table };
    moves_between(old, Filled { plan: new, table: &new_table }, overlap)
}

/// The moves from the rows of `old` to those of `new`, largest first.
pub(super) fn moves_between(old: Filled<'_>, new: Filled<'_>, overlap: &Overlap) -> Vec<Move> {
    let [a, aaaa] =
        [Family::V4, Family::V6].map(|family| Sides { old, new, family }.moving(overlap));
    let mut moves = Vec::new();
    // Where no endpoint has a family, nobody expects a word of it.
    let [has_a, has_aaaa] = [Family::V4, Family::V6]
        .map(|family| old.plan.has_family(family) || new.plan.has_family(family));
    for (way, moving) in &a {
        let same = aaaa.get(way).is_some_and(|other| other.countries == moving.countries);
        moves.push(told(way, moving, (!same && has_aaaa).then_some("A"), overlap));
    }
    for (way, moving) in &aaaa {
        if a.get(way).is_none_or(|other| other.countries != moving.countries) {
            moves.push(told(way, moving, has_a.then_some("AAAA"), overlap));
        }
    }
    moves.sort_by(|a, b| size(b).total_cmp(&size(a)));
    moves
}

fn size(of: &Move) -> f64 {
    of.share.ipv4.unwrap_or(0.0) + of.share.ipv6.unwrap_or(0.0) / 1e3
}

/// Two plans with their rows, and the family that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Sides<'p> {
    pub(super) old: Filled<'p>,
    pub(super) new: Filled<'p>,
    pub(super) family: Family,
}

impl<'p> Sides<'p> {
    fn moving<'o>(&self, overlap: &'o Overlap) -> BTreeMap<Way, Moving<'o>> {
        let mut moving: BTreeMap<Way, Moving<'o>> = BTreeMap::new();
        self.each(overlap, |country, cell, gets| {
            for ((from, to), share) in gets.iter().filter(|((from, to), _)| from.who != to.who) {
                let moving = moving.entry((from.who.to_owned(), to.who.to_owned())).or_default();
                moving.countries.entry(country).or_default().add(cell.extent, *share);
                // One cell may move the same way for several reasons.
                if moving.cells.last().is_none_or(|last| !std::ptr::eq(*last, cell)) {
                    moving.cells.push(cell);
                }
            }
        });
        moving
    }

    /// Calls `each` with every cell of the overlap, and what its clients got and get.
    pub(super) fn each<'o>(
        &self,
        overlap: &'o Overlap,
        mut each: impl FnMut(Country, &'o Cell, &Gets<'p>),
    ) {
        let mut known: HashMap<(ClassId, ClassId), Gets<'p>> = HashMap::new();
        let mut cells: Vec<_> = overlap.cells.iter().collect();
        // Sums of floats depend on their order: it is the same each time.
        cells.sort_unstable_by_key(|(key, _)| **key);
        for (&(country, old, new), cell) in cells {
            let gets = known.entry((old, new)).or_insert_with(|| self.gets(old, new));
            each(country, cell, gets);
        }
    }

    fn gets(&self, old: ClassId, new: ClassId) -> Gets<'p> {
        let mut counts: BTreeMap<(Got<'p>, Got<'p>), usize> = BTreeMap::new();
        for bucket in 0..=u8::MAX {
            let got = |side: &Filled<'p>, class| side.got(class, self.family, bucket);
            let Some(pair) = got(&self.old, old).zip(got(&self.new, new)) else { continue };
            *counts.entry(pair).or_default() += 1;
        }
        let share = |count: usize| count as f64 / BUCKET_COUNT as f64;
        counts.into_iter().map(|(pair, count)| (pair, share(count))).collect()
    }
}

impl<'p> Filled<'p> {
    /// Whether every client gets the same from both.
    pub(super) fn is_same(self, other: Filled<'_>) -> bool {
        let has_same_ranges = match (self.plan.ranges(), other.plan.ranges()) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new) || old.is_same(new),
            (old, new) => old.is_none() && new.is_none(),
        };
        self.table == other.table && has_same_ranges
    }

    fn got(&self, class: ClassId, family: Family, bucket: u8) -> Option<Got<'p>> {
        let choice = self.table.choice(class, family, bucket)?;
        let region = choice.region.and_then(|region| self.plan.region_name(region));
        let who = region.unwrap_or(match choice.answer {
            ChoiceAnswer::Default => "the default RRset",
            ChoiceAnswer::Servfail => "SERVFAIL",
            ChoiceAnswer::Nodata | ChoiceAnswer::Records { .. } => "no address",
        });
        let is_address =
            matches!(choice.answer, ChoiceAnswer::Records { .. } | ChoiceAnswer::Default);
        Some(Got { who, reason: choice.reason, is_address })
    }
}

fn told(way: &Way, moving: &Moving<'_>, rtype: Option<&str>, overlap: &Overlap) -> Move {
    let mut all = Extent::default();
    let known = overlap.countries.iter().filter(|(country, _)| country.is_some());
    known.for_each(|(_, extent)| all.add(*extent, 1.0));
    let mut moved = Extent::default();
    let mut countries = Vec::new();
    for (country, extent) in &moving.countries {
        let Some(code) = country else { continue };
        moved.add(*extent, 1.0);
        let whole = overlap.countries.get(country).copied().unwrap_or_default();
        let country = String::from_utf8_lossy(code).into_owned();
        let queries = extent.weight_of(all);
        countries.push(CountryMove { country, share: extent.share_of(whole), queries });
    }
    // Stable: equal shares stay in the order of their codes.
    let size = |of: &CountryMove| of.share.ipv4.or(of.share.ipv6).unwrap_or(0.0);
    countries.sort_by(|a, b| size(b).total_cmp(&size(a)));
    Move {
        rtype: rtype.map(str::to_owned),
        from: way.0.clone(),
        to: way.1.clone(),
        share: moved.share_of(all),
        queries: moved.weight_of(all),
        countries,
        unknown: moving.countries.contains_key(&None),
        prefixes: prefixes(&moving.cells).unwrap_or_default(),
    }
}

/// The prefixes that move, where they are few enough to be named.
fn prefixes(cells: &[&Cell]) -> Option<Vec<String>> {
    let ranges = cells.iter().flat_map(|cell| &cell.ranges);
    let mut prefixes = Vec::new();
    for range in ranges {
        prefixes.extend(range.prefixes(PREFIX_COUNT_MAX)?);
        if prefixes.len() > PREFIX_COUNT_MAX {
            return None;
        }
    }
    prefixes.sort();
    Some(prefixes.iter().map(ToString::to_string).collect())
}
