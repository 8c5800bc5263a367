//! What can be proved of a policy over all addresses that are known: which rules decide for nobody, which values of their
//! conditions, and who takes their clients.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use crate::geo::Place;

use super::classifier::ClassRule;
use super::conditions::{Condition, Conditions, Kind, RuleSet, ValueId};

/// Something that decides for nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// A whole rule, by its index.
    Rule(u16, Never),
    /// One value; its rule decides for others.
    Value(ValueId, Never),
    /// No address of the world has an autonomous system, and this rule asks for one.
    NoAsns(u16),
}

/// Why something decides for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Never {
    /// No known address is in it.
    Met,
    /// Some are, and none of them meets the other conditions.
    Joined,
    /// Some meet all conditions, and these rules, which come first, take all of them.
    Taken(RuleSet),
}

/// The deciding rule of every kind of address, and what was seen on the way.
pub(super) struct Proof {
    conditions: Conditions,
    rule_count: usize,
    /// The deciding rule, once it was asked for.
    deciders: HashMap<Kind, u16, FixedState>,
    knows_asns: bool,
    decides: RuleSet,
    matched: RuleSet,
    /// By rule: who decided for what it matched.
    takers: Vec<RuleSet>,
    /// Values that some address is in.
    values: HashMap<ValueId, Seen, FixedState>,
}

/// What was seen of a value.
#[derive(Clone, Copy, Default)]
struct Seen {
    matched: bool,
    decides: bool,
    takers: RuleSet,
}

impl Proof {
    /// Nothing is seen yet.
    pub(super) fn new(rules: &[ClassRule]) -> Proof {
        Proof {
            conditions: Conditions::new(rules),
            rule_count: rules.len(),
            deciders: HashMap::default(),
            knows_asns: false,
            decides: RuleSet::default(),
            matched: RuleSet::default(),
            takers: vec![RuleSet::default(); rules.len()],
            values: HashMap::default(),
        }
    }

    /// The conditions.
    pub(super) fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// The first rule that matches an address at `place` that the cuts `held` hold; the last matches always. Each kind of
    /// address is looked at once.
    pub(super) fn deciding_rule(&mut self, place: &Place, held: &[usize]) -> u16 {
        self.knows_asns |= place.asn.is_some();
        let kind = self.conditions.kind(place, held);
        if let Some(&known) = self.deciders.get(&kind) {
            return known;
        }
        let matching = self.conditions.matching(place, held);
        let last = self.rule_count.saturating_sub(1) as u16;
        let decider = matching.iter().next().unwrap_or(last);
        self.deciders.insert(kind, decider);
        self.see(matching, decider, place, held);
        decider
    }

    fn see(&mut self, matching: RuleSet, decider: u16, place: &Place, held: &[usize]) {
        self.decides.insert(decider);
        for rule in matching.iter() {
            self.matched.insert(rule);
            if let Some(takers) = self.takers.get_mut(usize::from(rule)) {
                takers.insert(decider);
            }
        }
        for &value in self.conditions.hits(place, held).flat_map(|hits| &hits.values) {
            let seen = self.values.entry(value).or_default();
            if matching.contains(value.rule) {
                seen.matched = true;
                seen.decides |= value.rule == decider;
                seen.takers.insert(decider);
            }
        }
    }

    /// What decides for nobody, of all addresses that were asked about, in the order of the file.
    pub(super) fn findings(&self, rules: &[ClassRule]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut unconditional = None;
        for (index, rule) in (0..).zip(rules) {
            self.judge(index, rule, unconditional, &mut findings);
            if rule.is_unconditional() {
                unconditional = unconditional.or(Some(index));
            }
        }
        findings
    }

    fn judge(&self, rule: u16, of: &ClassRule, before: Option<u16>, findings: &mut Vec<Finding>) {
        let takers = || self.takers.get(usize::from(rule)).copied().unwrap_or_default();
        if let Some(first) = before {
            let mut takers = takers();
            // It takes all, be there any such address or not.
            takers.insert(first);
            return findings.push(Finding::Rule(rule, Never::Taken(takers)));
        }
        // A policy ends with what holds for everybody else, even if nobody is left.
        if of.is_unconditional() {
            return;
        }
        let mut values = self.values_of(rule, of);
        let decides = self.decides.contains(rule);
        let nowhere = |condition| {
            let mut of_it = values.iter().filter(|(value, _)| value.condition == condition);
            let is_met = of_it.clone().any(|(_, never)| *never != Some(Never::Met));
            of_it.next().is_some() && !is_met
        };
        let [no_subnet, no_place, no_asn] =
            [Condition::Subnets, Condition::Places, Condition::Asns].map(nowhere);
        if no_asn && !self.knows_asns {
            findings.push(Finding::NoAsns(rule));
            values.retain(|value, _| value.condition != Condition::Asns);
        }
        match (decides, self.matched.contains(rule)) {
            (true, _) => {}
            (false, true) => findings.push(Finding::Rule(rule, Never::Taken(takers()))),
            // That no value of a condition is met says as much.
            (false, false) if no_subnet || no_place || no_asn => {}
            (false, false) => findings.push(Finding::Rule(rule, Never::Joined)),
        }
        // Of a rule that decides for nobody, values are told that have a fault of their own.
        let told = |never: &Never| decides || *never == Never::Met;
        let values = values.into_iter().filter_map(|(value, never)| Some((value, never?)));
        findings.extend(
            values.filter(|(_, never)| told(never)).map(|(value, n)| Finding::Value(value, n)),
        );
    }

    /// The values of a rule, with why they decide for nobody; none for those that do.
    fn values_of(&self, rule: u16, of: &ClassRule) -> BTreeMap<ValueId, Option<Never>> {
        let counts = [
            (Condition::Subnets, of.subnets.len()),
            (Condition::Places, of.places.len()),
            (Condition::Asns, of.asns.len()),
        ];
        let ids = counts.into_iter().flat_map(|(condition, count)| {
            (0..count as u16).map(move |index| ValueId { rule, condition, index })
        });
        let never = |value: &ValueId| match self.values.get(value) {
            None => Some(Never::Met),
            Some(Seen { matched: false, .. }) => Some(Never::Joined),
            Some(Seen { decides: false, takers, .. }) => Some(Never::Taken(*takers)),
            Some(_) => None,
        };
        ids.map(|value| (value, never(&value))).collect()
    }
}
