//! Rules as written: for whom, and which regions.

use crate::geo::{PlaceCode, Prefix, PrefixError};

use super::pool::WEIGHT_MAX;
use super::reader::{Reader, Span, Value};

/// The most rules of one policy. A guess: a longer list belongs into overrides.csv.
pub(super) const RULE_COUNT_MAX: usize = 256;
/// The most subnets, places or systems in one rule. A guess, as above.
const CONDITION_COUNT_MAX: usize = 10_000;

/// A name with where it stands.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name.
    pub name: Box<str>,
    /// Where it stands.
    pub span: Span,
}

/// One rule. Its conditions are ANDed, the values of each ORed; an empty condition is none.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it stands.
    pub span: Span,
    /// The client's address is in one of these.
    pub subnets: Vec<(Prefix, Span)>,
    /// The client's place is within one of these.
    pub places: Vec<(PlaceCode, Span)>,
    /// The client's address is announced by one of these.
    pub asns: Vec<(u32, Span)>,
    /// Where such clients go.
    pub wanted: Wanted,
    /// Whether they may go nowhere else.
    pub fence: bool,
}

/// The regions of a rule.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The pool's regions by nearness.
    Nearest,
    /// These, in this order.
    List(Vec<Named>),
    /// These, each with its share of the clients.
    Weighted(Vec<(Named, u32)>),
}

impl PartialEq for Named {
    fn eq(&self, other: &Named) -> bool {
        self.name == other.name
    }
}

impl Rule {
    /// The rule that a policy without rules has.
    pub fn nearest(span: Span) -> Rule {
        let (subnets, places, asns) = Default::default();
        Rule { span, subnets, places, asns, wanted: Wanted::Nearest, fence: false }
    }

    /// Whether it matches every client.
    pub fn is_unconditional(&self) -> bool {
        self.subnets.is_empty() && self.places.is_empty() && self.asns.is_empty()
    }
}

/// Reads `rules = [ … ]`.
pub fn read_rules(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<Rule> {
    let Some(list) = reader.full_list(value, "`rules`") else { return Vec::new() };
    if let Some(value) = list.get(RULE_COUNT_MAX) {
        let message = format!("more than {RULE_COUNT_MAX} rules");
        reader.error("too-many-rules", &value.span(), message, "use geo/overrides.csv");
    }
    let list = list.iter().take(RULE_COUNT_MAX);
    let before = reader.count();
    let rules: Vec<Rule> = list.filter_map(|value| read_rule(reader, value)).collect();
    if reader.count() > before {
        return rules;
    }
    if !rules.iter().any(Rule::is_unconditional)
        && let Some(last) = rules.last()
    {
        let help = "end with a rule without a condition, such as { regions = \"nearest\" }";
        let message = "the last rule has a condition: other clients would get no answer";
        reader.error("last-rule-has-condition", &last.span, message, help);
    }
    rules
}

fn read_rule(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Rule> {
    let table = reader.table(value, "a rule")?;
    reader.only_keys(table, &["subnets", "places", "asns", "regions", "fence"], "a rule");
    let subnets = read_values(reader, table.get("subnets"), "`subnets`", read_subnet);
    let places = read_values(reader, table.get("places"), "`places`", read_place);
    let asns = read_values(reader, table.get("asns"), "`asns`", |reader, value| {
        Some((reader.integer(value, "an AS number", 0, u32::MAX)?, value.span()))
    });
    let fence = table.get("fence").and_then(|value| reader.boolean(value, "`fence`"));
    let fence = fence.unwrap_or(false);
    let wanted = match table.get("regions") {
        Some(value) => read_wanted(reader, value)?,
        None => {
            let help = "\"nearest\", or a list of regions";
            reader.error("missing-key", &value.span(), "a rule without `regions`", help);
            return None;
        }
    };
    if fence && matches!(wanted, Wanted::Nearest) {
        let help = "list the regions that such clients may go to";
        let message = "a fence around `nearest` keeps nothing out";
        reader.warning("fence-without-list", &value.span(), message, help);
    }
    Some(Rule { span: value.span(), subnets, places, asns, wanted, fence })
}

fn read_values<T>(
    reader: &mut Reader<'_>,
    value: Option<&Value<'_>>,
    what: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Value<'_>) -> Option<T>,
) -> Vec<T> {
    let Some(list) = value.and_then(|value| reader.full_list(value, what)) else {
        return Vec::new();
    };
    if let Some(value) = list.get(CONDITION_COUNT_MAX) {
        let message = format!("more than {CONDITION_COUNT_MAX} values in {what}");
        reader.error("too-many-values", &value.span(), message, "use geo/overrides.csv");
    }
    let list = list.iter().take(CONDITION_COUNT_MAX);
    list.filter_map(|value| read(reader, value)).collect()
}

fn read_subnet(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<(Prefix, Span)> {
    let text = reader.text(value, "a subnet")?;
    match Prefix::parse(text) {
        Ok(prefix) => Some((prefix, value.span())),
        Err(error) => {
            let help = match error {
                PrefixError::Malformed => "address/length, such as 203.0.113.0/24".to_owned(),
                PrefixError::HostBits(prefix) => format!("did you mean {prefix}?"),
            };
            let message = format!("`{text}` is not a subnet");
            reader.error("bad-subnet", &value.span(), message, help);
            None
        }
    }
}

fn read_place(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<(PlaceCode, Span)> {
    let text = reader.text(value, "a place")?;
    match PlaceCode::parse(text) {
        Ok(code) => Some((code, value.span())),
        Err(error) => {
            let help = "a continent, country or state as in octoDNS: EU, EU-DE, NA-US-CA";
            let message = format!("`{text}` is not a place: {error}");
            reader.error("unknown-place", &value.span(), message, help);
            None
        }
    }
}

fn read_wanted(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Wanted> {
    if let Some(text) = value.get_ref().as_str() {
        if text != "nearest" {
            let help = "\"nearest\", or a list: [\"fra\", \"iad\"]";
            let message = format!("`regions` cannot be `{text}`");
            reader.error("unknown-word", &value.span(), message, help);
        }
        return Some(Wanted::Nearest);
    }
    let list = reader.full_list(value, "`regions`")?;
    let mut named: Vec<(Named, Option<u32>)> = Vec::new();
    for value in list {
        let Some(region) = read_weighted_region(reader, value) else { continue };
        if named.iter().any(|(other, _)| *other == region.0) {
            let message = format!("region `{}` is twice in one rule", region.0.name);
            reader.error("duplicate-region", &value.span(), message, "remove one of the two");
        }
        named.push(region);
    }
    let weighted = named.iter().filter(|(_, weight)| weight.is_some()).count();
    if weighted == 0 {
        return Some(Wanted::List(named.into_iter().map(|(region, _)| region).collect()));
    }
    if weighted < named.len() {
        let help = "give each region a weight, or none";
        reader.error("weights-mixed", &value.span(), "some regions have a weight", help);
    }
    let shares: Vec<_> = named.into_iter().map(|(r, w)| (r, w.unwrap_or(0))).collect();
    if shares.iter().all(|&(_, weight)| weight == 0) {
        let help = "give at least one region a weight above 0";
        reader.error("weights-all-zero", &value.span(), "all weights are 0", help);
    }
    Some(Wanted::Weighted(shares))
}

fn read_weighted_region(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
) -> Option<(Named, Option<u32>)> {
    let Some(table) = value.get_ref().as_table() else {
        let name = reader.text(value, "a region")?;
        return Some((Named { name: name.into(), span: value.span() }, None));
    };
    reader.only_keys(table, &["region", "weight"], "a weighted region");
    let (Some(region), Some(weight)) = (table.get("region"), table.get("weight")) else {
        let help = "{ region = \"fra\", weight = 95 }";
        let message = "a weighted region needs `region` and `weight`";
        reader.error("missing-key", &value.span(), message, help);
        return None;
    };
    let weight = reader.integer(weight, "`weight`", 0, WEIGHT_MAX)?;
    let name = reader.text(region, "a region")?;
    Some((Named { name: name.into(), span: region.span() }, Some(weight)))
}
