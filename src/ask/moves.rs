//! Which clients move from one region to another when one plan takes the place of another, with every endpoint up.
//!
//! The rows that queries look into are filled for both plans, by the code that fills them to serve; each bucket of each
//! pair of classes is compared, and counts with the addresses that have that pair.

use std::collections::{BTreeMap, HashMap};

use crate::api::{CountryMove, Move};
use crate::health::State;
use crate::number::ClassId;
use crate::route::{BUCKET_COUNT, Cells, ChoiceAnswer, Family, Plan, PolicyTable, fill};

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

/// The moves from `old` to `new`, largest first. `overlap` lays the ranges of the two over each other.
pub(super) fn moves(old: &Plan, new: &Plan, overlap: &Overlap) -> Vec<Move> {
    // A state that has seen no event: whatever a pool's `start` says, every endpoint counts as up.
    let health = State::default();
    let (old_table, new_table) = (fill(old, &health), fill(new, &health));
    let sides = Sides { old: (old, &old_table), new: (new, &new_table) };
    let [a, aaaa] = [sides.moving(Type::A, overlap), sides.moving(Type::Aaaa, overlap)];
    let mut moves = Vec::new();
    // Where no endpoint has a family, nobody expects a word of it.
    let [has_a, has_aaaa] =
        [Family::V4, Family::V6].map(|family| old.has_family(family) || new.has_family(family));
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

#[derive(Clone, Copy)]
enum Type {
    A,
    Aaaa,
}

/// Two plans with their rows.
struct Sides<'p> {
    old: (&'p Plan, &'p PolicyTable),
    new: (&'p Plan, &'p PolicyTable),
}

impl Sides<'_> {
    fn moving<'o>(&self, rtype: Type, overlap: &'o Overlap) -> BTreeMap<Way, Moving<'o>> {
        let mut moving: BTreeMap<Way, Moving<'o>> = BTreeMap::new();
        let mut known: HashMap<(ClassId, ClassId), Vec<(Way, f64)>> = HashMap::new();
        let mut cells: Vec<_> = overlap.cells.iter().collect();
        cells.sort_unstable_by_key(|(key, _)| **key);
        for (&(country, old, new), cell) in cells {
            let ways = known.entry((old, new)).or_insert_with(|| self.ways(rtype, old, new));
            for (way, share) in ways {
                let moving = moving.entry(way.clone()).or_default();
                moving.countries.entry(country).or_default().add(cell.extent, *share);
                moving.cells.push(cell);
            }
        }
        moving
    }

    /// Where the clients of a pair of classes move, each way with its share of them.
    fn ways(&self, rtype: Type, old: ClassId, new: ClassId) -> Vec<(Way, f64)> {
        let mut counts: BTreeMap<Way, usize> = BTreeMap::new();
        let [old_cells, new_cells] =
            [(self.old.1, old), (self.new.1, new)].map(|(table, class)| {
                let row = table.rows.get(usize::from(class.0))?;
                Some(match rtype {
                    Type::A => &row.a,
                    Type::Aaaa => &row.aaaa,
                })
            });
        let Some((old_cells, new_cells)) = old_cells.zip(new_cells) else { return Vec::new() };
        for bucket in 0..BUCKET_COUNT {
            let from = answerer(self.old, old_cells, bucket);
            let to = answerer(self.new, new_cells, bucket);
            if from != to {
                *counts.entry((from.to_owned(), to.to_owned())).or_default() += 1;
            }
        }
        let share = |count: usize| count as f64 / BUCKET_COUNT as f64;
        counts.into_iter().map(|(way, count)| (way, share(count))).collect()
    }
}

/// Who answers a bucket: a region by its name, or what stands in for one.
fn answerer<'p>((plan, table): (&'p Plan, &PolicyTable), cells: &Cells, bucket: usize) -> &'p str {
    let index = match cells {
        Cells::One(index) => Some(*index),
        Cells::Many(cells) => cells.get(bucket).copied(),
    };
    let choice = index.and_then(|index| table.choices.get(usize::from(index)));
    let region = choice.and_then(|choice| plan.region_name(choice.region?));
    region.unwrap_or(match choice.map(|choice| &choice.answer) {
        Some(ChoiceAnswer::Default) => "the default RRset",
        Some(ChoiceAnswer::Servfail) => "SERVFAIL",
        Some(ChoiceAnswer::Nodata | ChoiceAnswer::Records { .. }) | None => "no address",
    })
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
