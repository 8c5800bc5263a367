//! Routes onto zones: which owner name is steered by which policy, and every refusal and warning between the two.
//!
//! Owns: DESIGN §5 *A route and its zone*.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::number::PolicyId;
use crate::route::{Plan, Route};
use crate::zone::{Name, PackedNode, PackedZone, Rtype};

use super::retreat::{Choice, Fault, Reach};
use super::steering::RoutedBefore;

/// Names told of one routed wildcard that they block.
const BLOCKER_COUNT_SHOWN: usize = 3;
/// Names looked at below one routed wildcard: enough to warn, whatever the zone's size.
const BLOCKER_COUNT_MAX: usize = 10_000;

/// The routed owners of one zone, with their policies.
pub(super) type Routed = BTreeMap<Name, PolicyId>;

/// A zone that is to be served, with the files that it is made of.
pub(super) struct Served {
    /// The zone.
    pub(super) zone: Arc<PackedZone>,
    /// Its file and what that includes.
    pub(super) files: Vec<String>,
    /// How many records it has.
    pub(super) record_count: usize,
}

/// What is known of the names that routes may be for.
pub(super) struct Zones<'z> {
    /// The zones that are served, by apex.
    pub(super) served: &'z BTreeMap<Name, Served>,
    /// Zones that were never loaded.
    pub(super) broken: &'z [Name],
    /// Files of zones that served and are gone, by apex.
    pub(super) gone: &'z BTreeMap<Name, String>,
}

/// The short name of what is said once: by the build that a route went with.
pub(super) const ROUTE_REMOVED: &str = "route-removed";

/// What came of the binding.
#[derive(Default)]
pub(super) struct Bindings {
    /// The routed names of each zone, by apex.
    pub(super) routed: BTreeMap<Name, Routed>,
    /// What cannot be published.
    pub(super) faults: Vec<Fault>,
    /// What can, with a word about it.
    pub(super) remarks: Vec<Diagnostic>,
}

/// Binds every route to its zone.
pub(super) fn bind<'r>(
    routes: impl Iterator<Item = &'r Route>,
    plans: &[Arc<Plan>],
    zones: &Zones<'_>,
) -> Bindings {
    let mut bindings = Bindings::default();
    let mut bound: HashMap<Name, &Route> = HashMap::new();
    // What a walk of the whole zone tells: the names of its servers, and whether it is signed. Once a zone.
    let mut walked: HashMap<&Name, (Vec<Name>, bool)> = HashMap::new();
    let mut wildcards = Vec::new();
    for route in routes {
        let Some(plan) = plans.get(usize::from(route.policy.0)) else { continue };
        let (served, owner) = match find(route, zones) {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(fault) => {
                bindings.faults.push(*fault);
                continue;
            }
        };
        let case = Case { route, plan, zone: &served.zone, owner: &owner };
        if let Some(first) = bound.get(&owner) {
            let what = format!("{owner} is routed already, at {}", first.place);
            let said = case.error("route-defined-twice", what).help("keep one of the two");
            let first = std::slice::from_ref(&first.place.file);
            bindings.faults.push(case.fault(said, first, Reach::Involved));
            continue;
        }
        bound.insert(owner.clone(), route);
        let walk = || (ns_targets(&served.zone), served.zone.is_signed());
        let (targets, is_signed) = walked.entry(&served.zone.apex).or_insert_with(walk);
        if let Some((said, reach)) = case.refusal(targets) {
            bindings.faults.push(case.fault(said, &served.files, reach));
            continue;
        }
        if *is_signed {
            signed(&case, served, &mut bindings);
            continue;
        }
        bindings.remarks.extend(case.without_default().or_else(|| case.unlike_default()));
        let routed = bindings.routed.entry(served.zone.apex.clone()).or_default();
        routed.insert(owner.clone(), route.policy);
        if owner.is_wildcard() {
            wildcards.push((route, served, owner));
        }
    }
    for (route, served, owner) in wildcards {
        bindings.remarks.extend(blockers(route, &served.zone, &owner, &bound));
    }
    bindings
}

/// Names that lose their route and hold no address of their own (DESIGN rule 5). Where the route's file is gone, that is
/// refused: a deleted file is often an accident. Where somebody removed the line, it is meant, and a warning.
pub(super) fn unbound(
    before: &[RoutedBefore],
    choice: &Choice<'_>,
    zones: &Zones<'_>,
    bindings: &mut Bindings,
) {
    for route in before {
        let apex = Name::parse(&route.zone, &Name::root()).ok();
        let Some(served) = apex.and_then(|apex| zones.served.get(&apex)) else { continue };
        let Ok(owner) = Name::parse(&route.owner, &served.zone.apex) else { continue };
        let routed = bindings.routed.get(&served.zone.apex);
        let node = served.zone.node(&owner);
        let addresses = [Rtype::A, Rtype::AAAA, Rtype::CNAME];
        if routed.is_some_and(|routed| routed.contains_key(&owner))
            || node.is_some_and(|node| addresses.iter().any(|&rtype| node.rrset(rtype).is_some()))
        {
            continue;
        }
        let place = Place::file(&route.file);
        let what =
            format!("{owner} is no longer routed, and the zone file holds no address for it");
        if choice.files.get(&route.file).is_some() {
            let said = Diagnostic::warning(ROUTE_REMOVED, place, what);
            bindings.remarks.push(said.help("to keep it answered, give it A or AAAA records"));
            continue;
        }
        let help = "to remove it, empty the file first, or give the name A or AAAA records";
        bindings.faults.push(Fault {
            primary: route.file.clone(),
            involved: vec![route.file.clone()],
            reach: Reach::Involved,
            route: None,
            said: vec![Diagnostic::error("route-file-removed", place, what).help(help)],
        });
    }
}

/// Whether `name` is routed: itself, or by the wildcard that it would be synthesized from (RFC 4592 §2.1).
pub(super) fn is_routed(name: &Name, bindings: &Bindings, zones: &Zones<'_>) -> bool {
    let Some(served) = enclosing(name, zones) else { return false };
    let Some(routed) = bindings.routed.get(&served.zone.apex) else { return false };
    if routed.contains_key(name) {
        return true;
    }
    let mut below = name.clone();
    while let Some(above) = below.parent() {
        if served.zone.exists(&below) || !above.is_at_or_below(&served.zone.apex) {
            return false;
        }
        if above.prepend(b"*").is_ok_and(|wildcard| routed.contains_key(&wildcard)) {
            return true;
        }
        below = above;
    }
    false
}

fn enclosing<'z>(name: &Name, zones: &Zones<'z>) -> Option<&'z Served> {
    let mut at = Some(name.clone());
    while let Some(apex) = at {
        if let Some(served) = zones.served.get(&apex) {
            return Some(served);
        }
        at = apex.parent();
    }
    None
}

/// The zone and the owner of a route; nothing when its zone was never loaded and so answers nothing anyway.
fn find<'z>(route: &Route, zones: &Zones<'z>) -> Result<Option<(&'z Served, Name)>, Box<Fault>> {
    let refuse =
        |said: Diagnostic, files: &[String]| Box::new(fault(route, said, files, Reach::Involved));
    let error = |code, what: String| Diagnostic::error(code, route.place.clone(), what);
    let apex = Name::parse(&route.zone, &Name::root()).map_err(|why| {
        let what = format!("`{}` names no zone: {why}", route.zone);
        refuse(error("route-zone-unknown", what), &[])
    })?;
    let Some(served) = zones.served.get(&apex) else {
        if zones.broken.contains(&apex) {
            return Ok(None);
        }
        let said = error("route-zone-unknown", format!("no zone {apex} is served"))
            .help("name a zone by the owner of its SOA, or remove its routes with it");
        let gone: Vec<String> = zones.gone.get(&apex).cloned().into_iter().collect();
        return Err(refuse(said, &gone));
    };
    let owner = Name::parse(&route.owner, &apex).map_err(|why| {
        let what = format!("`{}` is no owner name: {why}", route.owner);
        refuse(error("route-owner", what), &[])
    })?;
    if !owner.is_at_or_below(&apex) {
        let said = error("route-outside-zone", format!("{owner} lies outside {apex}"))
            .help("write it relative to the zone, without a dot at its end");
        return Err(refuse(said, &[]));
    }
    Ok(Some((served, owner)))
}

/// Signed zones serve as they stand: a steered answer would need a signature of ours.
fn signed(case: &Case<'_>, served: &Served, bindings: &mut Bindings) {
    let what = format!("{} lies in a signed zone: its answers cannot be steered yet", case.owner);
    let said = case.error("route-in-signed-zone", what);
    if !case.has_default() {
        // Rule 5: the change would leave the name without an address.
        let said = said.help("give the name A or AAAA records in the zone file");
        return bindings.faults.push(case.fault(said, &served.files, Reach::Steering));
    }
    let said = said
        .consequence("the route was not loaded; the default RRset serves")
        .help("serve the zone unsigned, or remove the route");
    bindings.remarks.push(said);
}

/// One route and the node that it is for.
struct Case<'c> {
    route: &'c Route,
    plan: &'c Plan,
    zone: &'c PackedZone,
    owner: &'c Name,
}

impl Case<'_> {
    /// Why this owner may not be routed at all, and whether the pools and policies of other files have a part in it.
    fn refusal(&self, ns_targets: &[Name]) -> Option<(Diagnostic, Reach)> {
        let by_zone = self.under_a_cut().or_else(|| self.is_ns_target(ns_targets));
        let by_plan = || self.beside_others().or_else(|| self.lacks_needed_default());
        by_zone
            .map(|said| (said, Reach::Involved))
            .or_else(|| by_plan().map(|said| (said, Reach::Steering)))
    }

    fn under_a_cut(&self) -> Option<Diagnostic> {
        let mut at = Some(self.owner.clone());
        while let Some(name) = at.filter(|name| name.is_at_or_below(&self.zone.apex)) {
            let node = self.zone.node(&name);
            let has = |rtype| node.is_some_and(|n| n.rrset(rtype).is_some());
            if has(Rtype::NS) && name != self.zone.apex {
                let what = format!("{} lies at or below the delegation {name}", self.owner);
                let help = "the zone below the cut decides about it; route it there";
                return Some(self.error("route-below-delegation", what).help(help));
            }
            if has(Rtype::DNAME) {
                let what = format!("{} lies at or below the DNAME at {name}", self.owner);
                let help = "a name below a DNAME does not exist (RFC 6672 §2.4)";
                return Some(self.error("route-below-dname", what).help(help));
            }
            at = name.parent();
        }
        None
    }

    fn beside_others(&self) -> Option<Diagnostic> {
        let node = self.zone.node(self.owner);
        let cname = node.and_then(|n| n.rrset(Rtype::CNAME));
        if !self.plan.answers_names() {
            cname?;
            let what = format!("{} has a CNAME and cannot own addresses", self.owner);
            let help = "remove the CNAME, or route the name that it points to (RFC 1034 §3.6.2)";
            return Some(self.error("route-beside-cname", what).help(help));
        }
        if *self.owner == self.zone.apex {
            let what = format!("{} is an apex, and its pool would answer a CNAME", self.owner);
            let help = "an apex owns SOA and NS: give the pool addresses (RFC 1034 §3.6.2)";
            return Some(self.error("route-cname-at-apex", what).help(help));
        }
        let allowed = [Rtype::A, Rtype::AAAA, Rtype::CNAME];
        let other = node?.rrsets().find(|r| !allowed.contains(&r.rtype))?;
        let what = format!("{} owns {} beside its pool's CNAME", self.owner, other.rtype);
        let help = "such a name owns A and AAAA or one CNAME, its default RRset, and nothing else";
        Some(self.error("route-cname-and-other-data", what).help(help))
    }

    fn is_ns_target(&self, ns_targets: &[Name]) -> Option<Diagnostic> {
        let synthesized = |target: &Name| {
            self.owner.is_wildcard()
                && self.owner.parent().is_some_and(|parent| target.is_below(&parent))
                && !self.zone.exists(target)
        };
        let target = ns_targets.iter().find(|t| *t == self.owner || synthesized(t))?;
        let what = format!("{target} is a name server of this zone: its address cannot be steered");
        let help = "name servers keep their addresses, in glue and everywhere";
        Some(self.error("route-on-ns-target", what).help(help))
    }

    fn lacks_needed_default(&self) -> Option<Diagnostic> {
        if self.has_default() || !self.plan.uses_default_rrset() {
            return None;
        }
        let what = format!(
            "{} has no default RRset, and policy `{}` answers with it when all are down",
            self.owner, self.plan.name
        );
        let help = "give the name A or AAAA records in the zone file, or change `when_all_down`";
        Some(self.error("route-without-default", what).help(help))
    }

    fn without_default(&self) -> Option<Diagnostic> {
        if self.has_default() {
            return None;
        }
        let what = format!("{} has no default RRset in the zone file", self.owner);
        let help = "give it A or AAAA records: any other server can then serve the zone, and this \
                    one too without its steering";
        let place = self.route.place.clone();
        Some(Diagnostic::warning("route-without-default", place, what).help(help))
    }

    /// A default RRset of other families than the pool's: one of the two leaves clients without an answer.
    fn unlike_default(&self) -> Option<Diagnostic> {
        let node = self.zone.node(self.owner)?;
        let types = [Rtype::A, Rtype::AAAA];
        let default = types.map(|rtype| node.rrset(rtype).is_some());
        let pool = self.plan.families();
        if self.plan.answers_names() || default == pool {
            return None;
        }
        let (owner, pool_name) = (self.owner, &self.plan.pool);
        let lacking = types.iter().zip(pool.iter().zip(&default));
        let lacks = |pool: bool, default: bool| {
            let mut found = lacking.clone().filter(|(_, has)| *has == (&pool, &default));
            found.next().map(|(rtype, _)| *rtype)
        };
        let (what, help) = match (lacks(true, false), lacks(false, true)) {
            (Some(rtype), _) => (
                format!("{owner} has no {rtype} in the zone file, and pool `{pool_name}` has"),
                format!("give it {rtype} records: without steering such clients find nothing"),
            ),
            (None, rtype) => {
                let rtype = rtype?;
                (
                    format!(
                        "{owner} has {rtype} in the zone file, and pool `{pool_name}` has none"
                    ),
                    format!("the {rtype} records are not served while it is routed"),
                )
            }
        };
        let place = self.route.place.clone();
        Some(Diagnostic::warning("default-lacks-family", place, what).help(help))
    }

    /// Whether the zone file holds addresses here, or a CNAME where the pool holds host names.
    fn has_default(&self) -> bool {
        let node = self.zone.node(self.owner);
        let has = |rtype| node.is_some_and(|n| n.rrset(rtype).is_some());
        has(Rtype::A) || has(Rtype::AAAA) || (self.plan.answers_names() && has(Rtype::CNAME))
    }

    fn error(&self, code: &'static str, what: String) -> Diagnostic {
        Diagnostic::error(code, self.route.place.clone(), what)
    }

    fn fault(&self, said: Diagnostic, files: &[String], reach: Reach) -> Fault {
        fault(self.route, said, files, reach)
    }
}

fn fault(route: &Route, said: Diagnostic, files: &[String], reach: Reach) -> Fault {
    let primary = route.place.file.clone();
    let involved = std::iter::once(&primary).chain(files).cloned().collect();
    Fault { primary, involved, reach, route: Some(route.place.clone()), said: vec![said] }
}

fn ns_targets(zone: &PackedZone) -> Vec<Name> {
    let rrsets = zone.nodes().filter_map(|(_, node)| node.rrset(Rtype::NS));
    let rdata = rrsets.flat_map(|rrset| rrset.rdata());
    let mut names: Vec<Name> = rdata
        .filter_map(|rdata| Some(Name::from_wire(rdata).ok()?.0))
        .filter(|name| name.is_at_or_below(&zone.apex))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A warning about names that a routed wildcard does not reach, because they exist (RFC 4592 §2.2.1).
fn blockers(
    route: &Route,
    zone: &PackedZone,
    wildcard: &Name,
    bound: &HashMap<Name, &Route>,
) -> Option<Diagnostic> {
    let parent = wildcard.parent()?;
    let depth = parent.label_count() + 1;
    let below = zone.nodes_from(&parent).take_while(|(owner, _)| owner.is_at_or_below(&parent));
    let mut blocking: Vec<Name> = Vec::new();
    for (owner, node) in below.take(BLOCKER_COUNT_MAX) {
        // The child of the wildcard's parent that `owner` is, or makes exist as an empty non-terminal.
        let mut child = owner.clone();
        while child.label_count() > depth {
            child = child.parent()?;
        }
        if child == parent || child.is_wildcard() || bound.contains_key(&child) || is_cut(node) {
            continue;
        }
        if blocking.last() != Some(&child) {
            blocking.push(child);
        }
    }
    let shown: Vec<String> =
        blocking.iter().take(BLOCKER_COUNT_SHOWN).map(Name::to_string).collect();
    if shown.is_empty() {
        return None;
    }
    let more = match blocking.len() - shown.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let what = format!("{wildcard} does not reach {}{more}: they exist", shown.join(", "));
    let said = Diagnostic::warning("wildcard-blocked", route.place.clone(), what);
    Some(said.help("a name that exists is not synthesized (RFC 4592 §2.2.1); route it by itself"))
}

/// A delegation is another zone's business, and nobody expects a wildcard to reach into it.
fn is_cut(node: PackedNode<'_>) -> bool {
    node.rrset(Rtype::NS).is_some()
}

/// A warning for a record whose address hints are left out.
pub(super) fn hint_warning(file: &str, line: u32, owner: &Name, target: &Name) -> Diagnostic {
    let what = format!("{owner}: ipv4hint and ipv6hint are left out, for {target} is steered");
    Diagnostic::warning("hints-of-routed-name", Place::at(file, line, 0), what)
        .consequence("the record is served without them")
        .help("remove them from the zone file")
}
