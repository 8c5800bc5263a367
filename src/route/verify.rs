//! What was proved of a policy, in words: where it stands, why it decides for nobody, how to mend it.

use crate::diagnostic::Diagnostic;
use crate::geo::embedded_v4;

use super::conditions::{Condition, RuleSet, ValueId};
use super::policy::Policy;
use super::proof::{Finding, Never};
use super::reader::{Source, Span};
use super::rule::Rule;

/// Findings of one policy that are told one by one: nobody mends more at once.
const TOLD_COUNT_MAX: usize = 100;

/// A warning for each finding of `policy`, whose file is `source`; the last of many tells how many more there are.
pub(super) fn tell(source: &Source, policy: &Policy, findings: &[Finding]) -> Vec<Diagnostic> {
    let left_out = findings.len().saturating_sub(TOLD_COUNT_MAX);
    let told = findings.iter().take(TOLD_COUNT_MAX);
    let mut told: Vec<Diagnostic> =
        told.filter_map(|finding| tell_one(source, policy, finding)).collect();
    if let Some(last) = told.last_mut().filter(|_| left_out > 0) {
        last.message += &format!("; {left_out} more of this policy decide for nobody");
    }
    told
}

fn tell_one(source: &Source, policy: &Policy, finding: &Finding) -> Option<Diagnostic> {
    match finding {
        Finding::Rule(index, never) => {
            let rule = policy.rules.get(usize::from(*index))?;
            Some(tell_rule(source, rule, *never))
        }
        Finding::Value(value, never) => {
            let rule = policy.rules.get(usize::from(value.rule))?;
            tell_value(source, rule, *value, *never)
        }
        Finding::NoAsns(index) => {
            let rule = policy.rules.get(usize::from(*index))?;
            let (_, span) = rule.asns.first()?;
            let message = "the geo database knows no autonomous system: this rule never matches";
            let said = source.warning("asn-never-matched", span, message);
            Some(said.help("add an ASN database to geo/"))
        }
    }
}

fn tell_rule(source: &Source, rule: &Rule, never: Never) -> Diagnostic {
    let (message, help) = match never {
        Never::Taken(takers) => (
            format!("no client reaches this rule: {} all that it matches", taken_by(&takers)),
            "the first rule that matches decides: move this one up, or remove it",
        ),
        Never::Met | Never::Joined => (
            "no known address meets all conditions of this rule".to_owned(),
            "all conditions of a rule have to hold; `homing geo lookup` tells what is known",
        ),
    };
    source.warning("rule-never-reached", &rule.span, message).help(help)
}

fn tell_value(source: &Source, rule: &Rule, value: ValueId, never: Never) -> Option<Diagnostic> {
    let span = span_of(rule, value)?;
    let text = source.quote(span);
    let (message, help) = match never {
        Never::Met => return unmet(source, rule, value),
        Never::Joined => (
            format!("no known address in {text} meets the other conditions of this rule"),
            "remove it here, or make a rule of its own for it",
        ),
        Never::Taken(takers) => (
            format!("{text} decides for nobody here: {} all of it", taken_by(&takers)),
            "the first rule that matches decides: move it up, or remove it",
        ),
    };
    Some(source.warning("value-never-reached", span, message).help(help))
}

fn unmet(source: &Source, rule: &Rule, value: ValueId) -> Option<Diagnostic> {
    let span = span_of(rule, value)?;
    let text = source.quote(span);
    let (code, message, help) = match value.condition {
        Condition::Subnets => {
            let (subnet, _) = rule.subnets.get(usize::from(value.index))?;
            let is_embedding = embedded_v4(subnet.address).is_some();
            let help = match is_embedding {
                true => "IPv6 forms of IPv4 are looked up as IPv4: write the IPv4 subnet",
                false => "remove it",
            };
            ("subnet-never-matched", format!("no client is ever in {text}"), help)
        }
        Condition::Places => (
            "place-never-matched",
            format!("no known address is in {text}"),
            "the geo database does not tell such places; see `homing geo lookup`",
        ),
        Condition::Asns => (
            "asn-never-matched",
            format!("no known address is announced by AS{text}"),
            "the ASN database does not list it; see `homing geo lookup`",
        ),
    };
    Some(source.warning(code, span, message).help(help))
}

fn span_of(rule: &Rule, value: ValueId) -> Option<&Span> {
    let index = usize::from(value.index);
    match value.condition {
        Condition::Subnets => rule.subnets.get(index).map(|it| &it.1),
        Condition::Places => rule.places.get(index).map(|it| &it.1),
        Condition::Asns => rule.asns.get(index).map(|it| &it.1),
    }
}

/// Rules count from 1, as people count.
fn taken_by(takers: &RuleSet) -> String {
    let numbers: Vec<String> = takers.iter().map(|index| (index + 1).to_string()).collect();
    match numbers.as_slice() {
        [one] => format!("rule {one} takes"),
        [firsts @ .., last] => format!("rules {} and {last} take", firsts.join(", ")),
        [] => "earlier rules take".to_owned(),
    }
}
