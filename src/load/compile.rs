//! A parsed zone laid out for answering: RRSIGs to the RRsets they cover, glue to the cuts that need it, routes to
//! their owners.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Address, ImagePatcher, ImageWriter, NodeParts, RrsetParts, Seed, ZoneImage};
use crate::number::PolicyId;
use crate::zone::{Name, PackedNode, PackedRrset, PackedZone, Rtype, Touched};

use super::hints;

/// Lays `zone` out. `routes` are its routed owners; `is_routed` tells of any name of any zone.
pub fn compile_zone(
    seed: &Seed,
    zone: &PackedZone,
    routes: &BTreeMap<Name, PolicyId>,
    is_routed: &dyn Fn(&Name) -> bool,
) -> ZoneImage {
    let mut writer = ImageWriter::new(seed, &zone.apex, zone.node_count() + routes.len());
    let layout = Layout { zone, routes, is_routed };
    let mut lay = |owner: &Name, node: PackedNode<'_>| {
        layout.lay(owner, node, |targets, parts| {
            targets.iter().for_each(|target| writer.points_at(target));
            writer.node(parts);
        });
    };
    // Routed names need not own anything in the file, and nodes have to come in canonical order.
    let mut extra = routes.keys().filter(|owner| zone.node(owner).is_none()).peekable();
    for (owner, node) in zone.nodes() {
        while let Some(routed) = extra.next_if(|routed| **routed < owner) {
            lay(routed, PackedNode::empty());
        }
        lay(&owner, node);
    }
    for routed in extra {
        lay(routed, PackedNode::empty());
    }
    writer.finish()
}

/// The image of `zone` made from that of the zone before `touched` owners changed; of all else, routes included, it has
/// to be the image that [`compile_zone`] makes. None where the change reaches further than its owners.
pub fn patch_zone(
    seed: &Seed,
    before: &ZoneImage,
    zone: &PackedZone,
    touched: &[Touched],
    routes: &BTreeMap<Name, PolicyId>,
    is_routed: &dyn Fn(&Name) -> bool,
) -> Option<ZoneImage> {
    let mut patcher = ImagePatcher::new(seed, before, zone.node_count() + routes.len())?;
    let layout = Layout { zone, routes, is_routed };
    let mut names: BTreeSet<Name> = BTreeSet::new();
    for Touched { owner, has_other_addresses, .. } in touched {
        // Its addresses stand in the answers of others.
        if *has_other_addresses && patcher.is_target(owner) {
            return None;
        }
        let exists = layout.exists(owner);
        if exists != patcher.has(owner) {
            // A route may have reached it, or reach it now, by a wildcard.
            if !routes.is_empty() {
                return None;
            }
            let mut above = owner.parent();
            while let Some(name) = above.filter(|name| name.is_at_or_below(&zone.apex)) {
                above = name.parent();
                names.insert(name);
            }
        }
        names.insert(owner.clone());
    }
    for name in &names {
        if !layout.exists(name) {
            patcher.remove(name);
            continue;
        }
        let (owner, node) = zone.find(name).unwrap_or((name.clone(), PackedNode::empty()));
        let has_wildcard = owner.prepend(b"*").is_ok_and(|wildcard| layout.exists(&wildcard));
        layout.lay(&owner, node, |targets, parts| {
            targets.iter().for_each(|target| patcher.points_at(target));
            patcher.node(parts, has_wildcard);
        });
    }
    patcher.finish(touched.iter().map(|touched| touched.more_records).sum())
}

struct Layout<'z> {
    zone: &'z PackedZone,
    routes: &'z BTreeMap<Name, PolicyId>,
    is_routed: &'z dyn Fn(&Name) -> bool,
}

impl Layout<'_> {
    /// Whether a name owns something or is routed, or one below it does (RFC 4592 §2.2.2).
    fn exists(&self, name: &Name) -> bool {
        let route = self.routes.range(name..).next();
        self.zone.exists(name) || route.is_some_and(|(owner, _)| owner.is_at_or_below(name))
    }

    /// Hands what `owner` is laid out from to `put`, with the names that its records point at.
    fn lay(&self, owner: &Name, node: PackedNode<'_>, put: impl FnOnce(&[Name], &NodeParts<'_>)) {
        let Layout { zone, is_routed, .. } = *self;
        let signatures = signatures(node);
        let hintless = without_hints(owner, node, is_routed);
        let covered = |rtype| signatures.get(&rtype).cloned().unwrap_or_default();
        let rrsets = node.rrsets().filter(|r| r.rtype != Rtype::RRSIG);
        let mut all_targets = Vec::new();
        let mut rrsets: Vec<RrsetParts<'_>> = rrsets
            .map(|r| {
                let rdata = hintless.get(&r.rtype);
                let rdata = rdata.map_or_else(|| r.rdata().collect(), |rdata| slices(rdata));
                // What a wildcard is asked for is data, not a cut (RFC 4592 §4.2).
                let is_cut = r.rtype == Rtype::NS && *owner != zone.apex && !owner.is_wildcard();
                let targets = targets(r, is_routed);
                let signed: &[Name] = if is_cut { &[] } else { &targets };
                let additional = targets.iter().flat_map(|t| addresses(zone, t)).collect();
                let additional_signatures =
                    signed.iter().flat_map(|t| over_addresses(zone, t)).collect();
                all_targets.extend(targets);
                RrsetParts {
                    rtype: r.rtype,
                    ttl: r.ttl,
                    rdata,
                    signatures: covered(r.rtype),
                    additional,
                    additional_signatures,
                }
            })
            .collect();
        // A signature that covers nothing is still the zone's, and answers a question for RRSIG.
        let rdata = orphans(node, &signatures);
        if let Some(all) = node.rrset(Rtype::RRSIG).filter(|_| !rdata.is_empty()) {
            let (rtype, ttl, signatures) = (Rtype::RRSIG, all.ttl, Vec::new());
            let (additional, additional_signatures) = (Vec::new(), Vec::new());
            let orphans =
                RrsetParts { rtype, ttl, rdata, signatures, additional, additional_signatures };
            rrsets.push(orphans);
        }
        all_targets.retain(|target| target.is_at_or_below(&zone.apex));
        let policy = self.routes.get(owner).copied();
        put(&all_targets, &NodeParts { owner, rrsets, policy });
    }
}

fn slices(rdata: &[Box<[u8]>]) -> Vec<&[u8]> {
    rdata.iter().map(|rdata| &**rdata).collect()
}

/// RRSIG records by the type they cover, the first two octets of their rdata (RFC 4034 §3.1).
fn signatures(node: PackedNode<'_>) -> BTreeMap<Rtype, Vec<&[u8]>> {
    let mut by_type: BTreeMap<Rtype, Vec<&[u8]>> = BTreeMap::new();
    for rdata in node.rrset(Rtype::RRSIG).iter().flat_map(PackedRrset::rdata) {
        if let Some(covered) = rdata.first_chunk().map(|c| Rtype(u16::from_be_bytes(*c))) {
            by_type.entry(covered).or_default().push(rdata);
        }
    }
    by_type
}

fn orphans<'z>(node: PackedNode<'z>, signatures: &BTreeMap<Rtype, Vec<&'z [u8]>>) -> Vec<&'z [u8]> {
    let orphaned = signatures.iter().filter(|(covered, _)| node.rrset(**covered).is_none());
    orphaned.flat_map(|(_, rdata)| rdata.iter().copied()).collect()
}

/// The names that NS, MX and SRV records point at, whose addresses go along. Routed names are left out: whoever wants
/// those has to ask.
fn targets(rrset: PackedRrset<'_>, is_routed: &dyn Fn(&Name) -> bool) -> Vec<Name> {
    let before = match rrset.rtype {
        Rtype::NS => 0,
        Rtype::MX => 2,
        Rtype::SRV => 6,
        _ => return Vec::new(),
    };
    let target = |rdata: &[u8]| Some(Name::from_wire(rdata.get(before..)?).ok()?.0);
    let mut targets: Vec<Name> = rrset.rdata().filter_map(target).collect();
    targets.sort();
    targets.dedup();
    targets.retain(|target| !is_routed(target));
    targets
}

/// The address records of a name, if it lies in the zone.
fn addresses<'z>(zone: &'z PackedZone, target: &Name) -> Vec<Address<'z>> {
    let Some((owner, node)) = zone.find(target) else { return Vec::new() };
    let rrsets = [Rtype::A, Rtype::AAAA].into_iter().filter_map(|rtype| node.rrset(rtype));
    let records = rrsets.flat_map(|r| r.rdata().map(move |rdata| (r, rdata)));
    let address = |(r, rdata): (PackedRrset<'z>, &'z [u8])| {
        let (owner, rtype, ttl) = (owner.clone(), r.rtype, r.ttl);
        Address { owner, rtype, ttl, rdata }
    };
    records.map(address).collect()
}

/// The signatures over the addresses of a name.
fn over_addresses<'z>(zone: &'z PackedZone, target: &Name) -> Vec<Address<'z>> {
    let Some((owner, node)) = zone.find(target) else { return Vec::new() };
    let Some(signatures) = node.rrset(Rtype::RRSIG) else { return Vec::new() };
    let mut over = Vec::new();
    for covered in [Rtype::A, Rtype::AAAA].into_iter().filter_map(|rtype| node.rrset(rtype)) {
        let ours = signatures.rdata().filter(|r| r.starts_with(&covered.rtype.0.to_be_bytes()));
        let (rtype, ttl) = (Rtype::RRSIG, covered.ttl);
        over.extend(ours.map(|rdata| Address { owner: owner.clone(), rtype, ttl, rdata }));
    }
    over
}

/// SVCB and HTTPS records whose target is routed lose their address hints: those would bypass the policy.
fn without_hints(
    owner: &Name,
    node: PackedNode<'_>,
    is_routed: &dyn Fn(&Name) -> bool,
) -> BTreeMap<Rtype, Vec<Box<[u8]>>> {
    let mut changed = BTreeMap::new();
    for rrset in node.rrsets().filter(|rrset| hints::may_stand_in(rrset.rtype)) {
        let strip =
            |rdata: &[u8]| hints::strip(owner, rdata, is_routed).unwrap_or_else(|| rdata.into());
        changed.insert(rrset.rtype, rrset.rdata().map(strip).collect());
    }
    changed
}

#[cfg(test)]
mod tests;
