//! Steering files as written: pools, policies, routes. All that can be said of one file without the
//! others.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::number::Ttl;

use super::pool::{Pool, read_pool};
use super::reader::{Key, Reader, Source, Span, Value, in_file_order};
use super::region::check_name;
use super::rule::{Named, Rule, read_rules};

/// The most addresses in one answer: 64 AAAA records fit a UDP answer of 1,232 octets only in part,
/// TCP carries the rest.
const ANSWERS_MAX: u32 = 64;
/// The largest TTL that a policy may ask for: a week, as long as an unused resolver entry lives at
/// most.
const TTL_SECS_MAX: u32 = 604_800;

/// One steering file, valid in itself.
#[derive(Clone, Debug, Default)]
pub struct Steering {
    /// Its path.
    pub path: String,
    pub(super) source: Source,
    pub(super) pools: Vec<Pool>,
    pub(super) policies: Vec<Policy>,
    pub(super) routes: Vec<RouteLine>,
}

/// A policy, as one file has it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: Box<str>,
    /// Where the name stands.
    pub span: Span,
    /// The pool it answers from.
    pub pool: Named,
    /// The smallest TTL.
    pub ttl_min: Ttl,
    /// The largest TTL.
    pub ttl_max: Ttl,
    /// Addresses in one answer.
    pub answers: u16,
    /// In order; the last has no condition.
    pub rules: Vec<Rule>,
    /// What `nearest` means for a client whose place is unknown.
    pub unknown: Unknown,
    /// What is answered when nothing is up.
    pub when_all_down: WhenAllDown,
    /// Whether A and AAAA choose their regions apart.
    pub families: Families,
    /// How much nearer regions seem than they are, −99 to 99; in file order.
    pub bias: Vec<(Named, i8)>,
}

/// What `nearest` means for a client whose place is unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum Unknown {
    /// Nearest to the site that answers.
    Site,
    /// These regions first.
    List(Vec<Named>),
}

/// What is answered when no endpoint is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhenAllDown {
    /// As if all were up.
    All,
    /// The zone file's own records.
    Default,
    /// No address.
    Nodata,
    /// SERVFAIL.
    Servfail,
}

/// Whether A and AAAA choose their regions apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Families {
    /// Each takes its first region.
    Separate,
    /// One region for both, as long as one has both.
    Together,
}

/// One line of `[routes."zone"]`.
#[derive(Clone, Debug)]
pub struct RouteLine {
    /// The zone, without its trailing dot; the root is `.`.
    pub zone: Box<str>,
    /// The owner as written.
    pub owner: Box<str>,
    /// Where it stands.
    pub span: Span,
    /// The policy's name.
    pub policy: Named,
}

impl Steering {
    /// Whether this file names a pool or a policy that `other` defines.
    pub fn refers_to(&self, other: &Steering) -> bool {
        let pool = |name: &str| other.pools.iter().any(|pool| *pool.name == *name);
        let policy = |name: &str| other.policies.iter().any(|policy| *policy.name == *name);
        self.policies.iter().any(|own| pool(&own.pool.name))
            || self.routes.iter().any(|line| policy(&line.policy.name))
    }

    /// The zone and the owner of each of its routes, both as written.
    pub fn owners(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes.iter().map(|line| (&*line.zone, &*line.owner))
    }
}

/// Reads one steering file: everything that can be said of it without the others.
pub fn parse_steering(path: &str, text: &[u8]) -> (Option<Steering>, Vec<Diagnostic>) {
    let source = match Source::new(path, text) {
        Ok(source) => source,
        Err(diagnostic) => return (None, vec![diagnostic]),
    };
    let mut reader = Reader::new(&source);
    let top = reader.top();
    reader.only_keys(&top, &["pools", "policies", "routes"], "a steering file");
    let pools = read_each(&mut reader, top.get("pools"), "`pools`", read_pool);
    let policies = read_each(&mut reader, top.get("policies"), "`policies`", read_policy);
    let routes = read_each(&mut reader, top.get("routes"), "`routes`", read_routes);
    let routes: Vec<RouteLine> = routes.into_iter().flatten().collect();
    check_owners_differ(&mut reader, &routes);
    let refused = reader.has_error();
    let diagnostics = reader.finish();
    if refused {
        return (None, diagnostics);
    }
    (Some(Steering { path: path.to_owned(), source, pools, policies, routes }), diagnostics)
}

/// Reads each entry of the table `value`, if there is one.
fn read_each<T>(
    reader: &mut Reader<'_>,
    value: Option<&Value<'_>>,
    what: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Key<'_>, &Value<'_>) -> Option<T>,
) -> Vec<T> {
    let Some(value) = value else { return Vec::new() };
    let Some(table) = reader.table(value, what) else { return Vec::new() };
    let entries = in_file_order(table);
    entries.into_iter().filter_map(|(key, value)| read(reader, key, value)).collect()
}

fn read_policy(reader: &mut Reader<'_>, key: &Key<'_>, value: &Value<'_>) -> Option<Policy> {
    const KEYS: [&str; 8] =
        ["pool", "ttl", "answers", "rules", "unknown", "when_all_down", "families", "bias"];
    const WHEN_ALL_DOWN: [(&str, WhenAllDown); 4] = [
        ("all", WhenAllDown::All),
        ("default", WhenAllDown::Default),
        ("nodata", WhenAllDown::Nodata),
        ("servfail", WhenAllDown::Servfail),
    ];
    const FAMILIES: [(&str, Families); 2] =
        [("separate", Families::Separate), ("together", Families::Together)];
    let name = key.get_ref();
    let within = format!("policy `{name}`");
    check_name(reader, key, "policy");
    let table = reader.table(value, &within)?;
    reader.only_keys(table, &KEYS, &within);
    let pool = table.get("pool").and_then(|value| read_named(reader, value, "`pool`"));
    if table.get("pool").is_none() {
        let message = format!("{within} names no pool");
        reader.error("policy-without-pool", &key.span(), message, "add `pool = \"…\"`");
    }
    let (ttl_min, ttl_max) = table.get("ttl").map_or((10, 60), |value| read_ttl(reader, value));
    let answers = table.get("answers");
    let answers = answers.and_then(|v| reader.integer(v, "`answers`", 1, ANSWERS_MAX));
    let rules = match table.get("rules") {
        Some(value) => read_rules(reader, value),
        None => vec![Rule::nearest(key.span())],
    };
    let unknown = table.get("unknown").and_then(|value| read_unknown(reader, value));
    let when_all_down = table.get("when_all_down");
    let when_all_down =
        when_all_down.and_then(|v| reader.word(v, "`when_all_down`", &WHEN_ALL_DOWN));
    let families = table.get("families");
    let families = families.and_then(|value| reader.word(value, "`families`", &FAMILIES));
    let bias = table.get("bias").map(|value| read_bias(reader, value)).unwrap_or_default();
    Some(Policy {
        name: name.as_ref().into(),
        span: key.span(),
        pool: pool?,
        ttl_min: Ttl::from_secs(ttl_min),
        ttl_max: Ttl::from_secs(ttl_max),
        // Two, so that a client has somewhere to go before its resolver asks again.
        answers: answers.unwrap_or(2) as u16,
        rules,
        unknown: unknown.unwrap_or(Unknown::Site),
        when_all_down: when_all_down.unwrap_or(WhenAllDown::All),
        families: families.unwrap_or(Families::Separate),
        bias,
    })
}

fn read_named(reader: &mut Reader<'_>, value: &Value<'_>, what: &str) -> Option<Named> {
    let text = reader.text(value, what)?;
    Some(Named { name: text.into(), span: value.span() })
}

fn read_ttl(reader: &mut Reader<'_>, value: &Value<'_>) -> (u32, u32) {
    let Some(table) = reader.table(value, "`ttl`") else { return (10, 60) };
    reader.only_keys(table, &["min", "max"], "`ttl`");
    let mut bound = |key: &str| {
        let value = table.get(key)?;
        reader.integer(value, &format!("`ttl.{key}`"), 0, TTL_SECS_MAX)
    };
    let (min, max) = (bound("min"), bound("max"));
    let (low, high) = match (min, max) {
        (Some(min), Some(max)) => (min, max),
        (Some(min), None) => (min, min.max(60)),
        (None, Some(max)) => (max.min(10), max),
        (None, None) => (10, 60),
    };
    if low > high {
        let message = format!("`ttl.min` {low} is above `ttl.max` {high}");
        reader.error("ttl-bounds", &value.span(), message, "seconds, min ≤ max");
    }
    (low, high)
}

fn read_unknown(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Unknown> {
    if let Some(text) = value.get_ref().as_str() {
        if text != "site" {
            let message = format!("`unknown` cannot be `{text}`");
            let help = "\"site\", or a list of regions";
            reader.error("unknown-word", &value.span(), message, help);
        }
        return Some(Unknown::Site);
    }
    let list = reader.full_list(value, "`unknown`")?;
    let names = list.iter().filter_map(|value| read_named(reader, value, "a region"));
    Some(Unknown::List(names.collect()))
}

fn read_bias(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<(Named, i8)> {
    let Some(table) = reader.table(value, "`bias`") else { return Vec::new() };
    let mut read = |(key, value): (&Key<'_>, &Value<'_>)| {
        let name = key.get_ref();
        let bias = reader.whole(value, &format!("the bias of `{name}`"), -99..=99)?;
        Some((Named { name: name.as_ref().into(), span: key.span() }, i8::try_from(bias).ok()?))
    };
    in_file_order(table).into_iter().filter_map(&mut read).collect()
}

fn read_routes(
    reader: &mut Reader<'_>,
    key: &Key<'_>,
    value: &Value<'_>,
) -> Option<Vec<RouteLine>> {
    let written = key.get_ref();
    let zone = written.strip_suffix('.').filter(|zone| !zone.is_empty()).unwrap_or(written);
    let table = reader.table(value, &format!("routes of `{written}`"))?;
    let mut lines = Vec::new();
    for (key, value) in in_file_order(table) {
        let owner = key.get_ref();
        if owner.is_empty() || owner.len() > 1024 || zone.is_empty() || zone.len() > 1024 {
            let help = "`@`, or labels relative to the zone; the first may be `*`";
            reader.error("bad-owner", &key.span(), "not an owner name", help);
            continue;
        }
        if let Some(policy) = read_named(reader, value, &format!("the policy of `{owner}`")) {
            let owner = owner.as_ref().into();
            lines.push(RouteLine { zone: zone.into(), owner, span: key.span(), policy });
        }
    }
    Some(lines)
}

impl RouteLine {
    /// What tells one owner from another: names ignore case (RFC 4343).
    pub fn key(&self) -> (String, String) {
        (self.zone.to_ascii_lowercase(), self.owner.to_ascii_lowercase())
    }
}

/// TOML refuses a key twice; keys that differ in case only are one owner name to DNS.
fn check_owners_differ(reader: &mut Reader<'_>, routes: &[RouteLine]) {
    let mut seen = BTreeMap::new();
    for line in routes {
        if seen.insert(line.key(), ()).is_some() {
            let message = format!("`{}` of zone `{}` is routed twice", line.owner, line.zone);
            let help = "owner names ignore case (RFC 4343): remove one of the two";
            reader.error("duplicate-route", &line.span, message, help);
        }
    }
}

#[cfg(test)]
mod tests;
