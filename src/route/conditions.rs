//! The conditions of all rules of a policy, found by what an address is: which rules match it, and which values of theirs.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::geo::{Place, PlaceCode, Prefix};

use super::classifier::ClassRule;
use super::rule::RULE_COUNT_MAX;

/// A set of rules, by their index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleSet([u64; RuleSet::WORD_COUNT]);

/// What a value of a condition is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Condition {
    /// The address.
    Subnets,
    /// The place.
    Places,
    /// The autonomous system.
    Asns,
}

/// One value of one condition of one rule, as the file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ValueId {
    /// Indexes the rules.
    pub(super) rule: u16,
    pub(super) condition: Condition,
    /// Indexes the condition's values, in the order of the file.
    pub(super) index: u16,
}

/// The conditions of all rules, by value.
pub(super) struct Conditions {
    /// Every subnet of any rule, once, and sorted: one within another comes after it.
    cuts: Vec<Prefix>,
    by_cut: Vec<Hits>,
    by_place: HashMap<PlaceKey, Hits, FixedState>,
    by_asn: HashMap<u32, Hits, FixedState>,
    /// The rules without such a condition, by [`Condition`].
    free: [RuleSet; 3],
}

/// Who has a value.
#[derive(Default)]
pub(super) struct Hits {
    pub(super) rules: RuleSet,
    pub(super) values: Vec<ValueId>,
}

/// What of an address the conditions look at. Addresses that agree in it match the same values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    continent: Option<[u8; 2]>,
    country: Option<[u8; 2]>,
    subdivision: Option<[u8; 3]>,
    asn: Option<u32>,
    innermost: Option<usize>,
}

/// A [`PlaceCode`] by what it is compared with: the most specific part decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum PlaceKey {
    Continent([u8; 2]),
    Country([u8; 2]),
    Subdivision([u8; 2], [u8; 3]),
}

impl RuleSet {
    const WORD_COUNT: usize = RULE_COUNT_MAX.div_ceil(64);

    /// Adds the rule at `index`.
    pub(super) fn insert(&mut self, index: u16) {
        if let Some(word) = self.0.get_mut(usize::from(index / 64)) {
            *word |= 1 << (index % 64);
        }
    }

    pub(super) fn contains(&self, index: u16) -> bool {
        self.0.get(usize::from(index / 64)).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Its rules, the first of the policy first.
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> {
        let words = self.0.into_iter().zip(0u16..);
        words.flat_map(|(word, at)| {
            let rest = |word: &u64| Some(word & word.wrapping_sub(1));
            let words = std::iter::successors(Some(word), rest).take_while(|word| *word != 0);
            words.map(move |word| at * 64 + word.trailing_zeros() as u16)
        })
    }

    fn or(self, other: RuleSet) -> RuleSet {
        RuleSet(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    fn and(self, other: RuleSet) -> RuleSet {
        RuleSet(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }
}

impl Conditions {
    pub(super) fn new(rules: &[ClassRule]) -> Conditions {
        let mut cuts: Vec<Prefix> = rules.iter().flat_map(|rule| &rule.subnets).copied().collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut conditions = Conditions {
            by_cut: cuts.iter().map(|_| Hits::default()).collect(),
            cuts,
            by_place: HashMap::default(),
            by_asn: HashMap::default(),
            free: Default::default(),
        };
        (0..).zip(rules).for_each(|(index, rule)| conditions.add(index, rule));
        conditions
    }

    fn add(&mut self, rule: u16, of: &ClassRule) {
        let id = |condition, index| ValueId { rule, condition, index };
        for (index, subnet) in (0..).zip(&of.subnets) {
            let hits = self.cuts.binary_search(subnet).ok().and_then(|at| self.by_cut.get_mut(at));
            if let Some(hits) = hits {
                hits.add(id(Condition::Subnets, index));
            }
        }
        for (index, code) in (0..).zip(&of.places) {
            let hits = self.by_place.entry(PlaceKey::of(code)).or_default();
            hits.add(id(Condition::Places, index));
        }
        for (index, &asn) in (0..).zip(&of.asns) {
            self.by_asn.entry(asn).or_default().add(id(Condition::Asns, index));
        }
        let is_free = [of.subnets.is_empty(), of.places.is_empty(), of.asns.is_empty()];
        for (free, is_free) in self.free.iter_mut().zip(is_free) {
            if is_free {
                free.insert(rule);
            }
        }
    }

    /// Every subnet of any rule, once. What holds an address is told by indexes of it, in order.
    pub(super) fn cuts(&self) -> &[Prefix] {
        &self.cuts
    }

    /// What the conditions see of an address at `place` that the cuts `held` hold.
    pub(super) fn kind(&self, place: &Place, held: &[usize]) -> Kind {
        Kind {
            continent: place.continent,
            country: place.country,
            subdivision: place.subdivision,
            asn: place.asn.filter(|asn| self.by_asn.contains_key(asn)),
            // Cuts nest, and are sorted: the innermost tells which others hold it.
            innermost: held.iter().max().copied(),
        }
    }

    /// The rules that match an address at `place` that the cuts `held` hold.
    pub(super) fn matching(&self, place: &Place, held: &[usize]) -> RuleSet {
        let [by_subnet, by_place, by_asn] = self.free;
        let rules = |hits: &mut dyn Iterator<Item = &Hits>, free: RuleSet| {
            hits.fold(free, |rules, hits| rules.or(hits.rules))
        };
        let by_subnet = rules(&mut self.cut_hits(held), by_subnet);
        let by_place = rules(&mut self.place_hits(place), by_place);
        let by_asn = rules(&mut self.asn_hits(place), by_asn);
        by_subnet.and(by_place).and(by_asn)
    }

    /// The values that an address at `place` that the cuts `held` hold is in.
    pub(super) fn hits(&self, place: &Place, held: &[usize]) -> impl Iterator<Item = &Hits> {
        self.cut_hits(held).chain(self.place_hits(place)).chain(self.asn_hits(place))
    }

    fn cut_hits(&self, held: &[usize]) -> impl Iterator<Item = &Hits> {
        held.iter().filter_map(|&cut| self.by_cut.get(cut))
    }

    fn place_hits(&self, place: &Place) -> impl Iterator<Item = &Hits> {
        let keys = [
            place.continent.map(PlaceKey::Continent),
            place.country.map(PlaceKey::Country),
            place.country.zip(place.subdivision).map(|(c, s)| PlaceKey::Subdivision(c, s)),
        ];
        keys.into_iter().flatten().filter_map(|key| self.by_place.get(&key))
    }

    fn asn_hits(&self, place: &Place) -> impl Iterator<Item = &Hits> {
        place.asn.and_then(|asn| self.by_asn.get(&asn)).into_iter()
    }
}

impl Hits {
    fn add(&mut self, value: ValueId) {
        self.rules.insert(value.rule);
        self.values.push(value);
    }
}

impl PlaceKey {
    fn of(code: &PlaceCode) -> PlaceKey {
        match (code.country, code.subdivision) {
            (None, _) => PlaceKey::Continent(code.continent),
            (Some(country), None) => PlaceKey::Country(country),
            (Some(country), Some(part)) => PlaceKey::Subdivision(country, part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CODES: [&str; 6] = ["EU", "EU-DE", "EU-GB-ENG", "NA-US", "NA-US-CA", "AS-TR"];
    const CUTS: [&str; 4] = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24", "2001:db8::/32"];

    fn rule() -> impl Strategy<Value = ClassRule> {
        let some = |count: usize| prop::collection::vec(0..count, 0..3);
        (some(CUTS.len()), some(CODES.len()), some(3)).prop_map(|(cuts, codes, asns)| ClassRule {
            subnets: cuts.into_iter().map(|at| Prefix::parse(CUTS[at]).unwrap()).collect(),
            places: codes.into_iter().map(|at| PlaceCode::parse(CODES[at]).unwrap()).collect(),
            asns: asns.into_iter().map(|asn| asn as u32).collect(),
            listed: None,
            fence: false,
        })
    }

    proptest! {
        /// Against the rules by the book, one after another.
        #[test]
        fn rules_match_by_the_book(
            rules in prop::collection::vec(rule(), 1..140),
            code in 0usize..7,
            asn in 0u32..4,
            address in 0usize..5,
        ) {
            let addresses = ["10.2.0.1", "10.1.0.1", "192.0.2.1", "2001:db8::1", "8.8.8.8"];
            let address = addresses[address].parse().unwrap();
            let known = CODES.get(code).map(|code| PlaceCode::parse(code).unwrap().to_place());
            let place = Place { asn: (asn > 0).then_some(asn), ..known.unwrap_or_default() };
            let conditions = Conditions::new(&rules);
            let held: Vec<usize> = (0..conditions.cuts().len())
                .filter(|&at| conditions.cuts()[at].contains(address))
                .collect();
            let by_the_book = |rule: &ClassRule| {
                (rule.subnets.is_empty() || rule.subnets.iter().any(|it| it.contains(address)))
                    && (rule.places.is_empty() || rule.places.iter().any(|it| it.matches(&place)))
                    && (rule.asns.is_empty() || rule.asns.iter().any(|it| Some(*it) == place.asn))
            };
            let expected: Vec<u16> =
                (0..).zip(&rules).filter(|(_, rule)| by_the_book(rule)).map(|it| it.0).collect();
            let found = conditions.matching(&place, &held);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
            prop_assert!((0..rules.len() as u16).all(|at| found.contains(at)
                == found.iter().any(|other| other == at)));
        }
    }
}
