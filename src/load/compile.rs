//! A parsed zone laid out for answering: RRSIGs to the RRsets they cover, glue to the cuts that need it, routes to
//! their owners.

use std::collections::BTreeMap;

use crate::answer::{Address, ImageWriter, NodeParts, RrsetParts, Seed, ZoneImage};
use crate::number::PolicyId;
use crate::zone::{Name, Node, Rrset, Rtype, Zone};

use super::hints;

/// Lays `zone` out. `routes` are its routed owners; `is_routed` tells of any name of any zone.
pub fn compile_zone(
    seed: &Seed,
    zone: &Zone,
    routes: &BTreeMap<Name, PolicyId>,
    is_routed: &dyn Fn(&Name) -> bool,
) -> ZoneImage {
    let writer = ImageWriter::new(seed, &zone.apex, zone.nodes.len() + routes.len());
    let mut layout = Layout { writer, zone, routes, is_routed };
    let unrouted = Node::default();
    // Routed names need not own anything in the file, and nodes have to come in canonical order.
    let mut extra = routes.keys().filter(|owner| !zone.nodes.contains_key(owner)).peekable();
    for (owner, node) in &zone.nodes {
        while let Some(routed) = extra.next_if(|routed| *routed < owner) {
            layout.lay(routed, &unrouted);
        }
        layout.lay(owner, node);
    }
    for routed in extra {
        layout.lay(routed, &unrouted);
    }
    layout.writer.finish()
}

struct Layout<'z, 's> {
    writer: ImageWriter<'s>,
    zone: &'z Zone,
    routes: &'z BTreeMap<Name, PolicyId>,
    is_routed: &'z dyn Fn(&Name) -> bool,
}

impl Layout<'_, '_> {
    fn lay(&mut self, owner: &Name, node: &Node) {
        let Layout { zone, is_routed, .. } = *self;
        let signatures = signatures(node);
        let hintless = without_hints(owner, node, is_routed);
        let covered = |rtype| signatures.get(&rtype).map_or(&[][..], |s| s.as_slice());
        let rrsets = node.rrsets.iter().filter(|r| r.rtype != Rtype::RRSIG);
        let mut rrsets: Vec<RrsetParts<'_>> = rrsets
            .map(|r| {
                let rdata = hintless.get(&r.rtype).map_or(r.rdata.as_slice(), |rdata| rdata);
                let is_cut = r.rtype == Rtype::NS && *owner != zone.apex;
                let targets = targets(r, is_routed);
                let signed: &[Name] = if is_cut { &[] } else { &targets };
                RrsetParts {
                    rtype: r.rtype,
                    ttl: r.ttl,
                    rdata,
                    signatures: covered(r.rtype),
                    additional: targets.iter().flat_map(|t| addresses(zone, t)).collect(),
                    additional_signatures: signed
                        .iter()
                        .flat_map(|t| over_addresses(zone, t))
                        .collect(),
                }
            })
            .collect();
        // A signature that covers nothing is still the zone's, and answers a question for RRSIG.
        let orphans = orphans(node, &signatures);
        if let Some(all) = node.rrset(Rtype::RRSIG).filter(|_| !orphans.is_empty()) {
            let (rtype, ttl, signatures) = (Rtype::RRSIG, all.ttl, &[][..]);
            let (additional, additional_signatures) = (Vec::new(), Vec::new());
            let rdata = &orphans;
            let orphans =
                RrsetParts { rtype, ttl, rdata, signatures, additional, additional_signatures };
            rrsets.push(orphans);
        }
        self.writer.node(&NodeParts { owner, rrsets, policy: self.routes.get(owner).copied() });
    }
}

type Rdatas = Vec<Box<[u8]>>;

/// RRSIG records by the type they cover, the first two octets of their rdata (RFC 4034 §3.1).
fn signatures(node: &Node) -> BTreeMap<Rtype, Rdatas> {
    let mut by_type: BTreeMap<Rtype, Rdatas> = BTreeMap::new();
    for rdata in node.rrset(Rtype::RRSIG).iter().flat_map(|r| &r.rdata) {
        if let Some(covered) = rdata.first_chunk().map(|c| Rtype(u16::from_be_bytes(*c))) {
            by_type.entry(covered).or_default().push(rdata.clone());
        }
    }
    by_type
}

fn orphans(node: &Node, signatures: &BTreeMap<Rtype, Rdatas>) -> Rdatas {
    let orphaned = signatures.iter().filter(|(covered, _)| node.rrset(**covered).is_none());
    orphaned.flat_map(|(_, rdata)| rdata.clone()).collect()
}

/// The names that NS, MX and SRV records point at, whose addresses go along. Routed names are left out: whoever wants
/// those has to ask.
fn targets(rrset: &Rrset, is_routed: &dyn Fn(&Name) -> bool) -> Vec<Name> {
    let before = match rrset.rtype {
        Rtype::NS => 0,
        Rtype::MX => 2,
        Rtype::SRV => 6,
        _ => return Vec::new(),
    };
    let target = |rdata: &[u8]| Some(Name::from_wire(rdata.get(before..)?).ok()?.0);
    let mut targets: Vec<Name> = rrset.rdata.iter().filter_map(|r| target(r)).collect();
    targets.sort();
    targets.dedup();
    targets.retain(|target| !is_routed(target));
    targets
}

/// The address records of a name, if it lies in the zone.
fn addresses<'z>(zone: &'z Zone, target: &Name) -> Vec<Address<'z>> {
    let Some((owner, node)) = zone.nodes.get_key_value(target) else { return Vec::new() };
    let rrsets = [Rtype::A, Rtype::AAAA].into_iter().filter_map(|rtype| node.rrset(rtype));
    let records = rrsets.flat_map(|r| r.rdata.iter().map(move |rdata| (r, rdata)));
    records.map(|(r, rdata)| Address { owner, rtype: r.rtype, ttl: r.ttl, rdata }).collect()
}

/// The signatures over the addresses of a name.
fn over_addresses<'z>(zone: &'z Zone, target: &Name) -> Vec<Address<'z>> {
    let Some((owner, node)) = zone.nodes.get_key_value(target) else { return Vec::new() };
    let Some(signatures) = node.rrset(Rtype::RRSIG) else { return Vec::new() };
    let mut over = Vec::new();
    for covered in [Rtype::A, Rtype::AAAA].into_iter().filter_map(|rtype| node.rrset(rtype)) {
        let ours =
            signatures.rdata.iter().filter(|r| r.starts_with(&covered.rtype.0.to_be_bytes()));
        let (rtype, ttl) = (Rtype::RRSIG, covered.ttl);
        over.extend(ours.map(|rdata| Address { owner, rtype, ttl, rdata }));
    }
    over
}

/// SVCB and HTTPS records whose target is routed lose their address hints: those would bypass the policy.
fn without_hints(
    owner: &Name,
    node: &Node,
    is_routed: &dyn Fn(&Name) -> bool,
) -> BTreeMap<Rtype, Rdatas> {
    let mut changed = BTreeMap::new();
    for rrset in &node.rrsets {
        if !hints::may_stand_in(rrset.rtype) {
            continue;
        }
        let strip =
            |rdata: &[u8]| hints::strip(owner, rdata, is_routed).unwrap_or_else(|| rdata.into());
        changed.insert(rrset.rtype, rrset.rdata.iter().map(|rdata| strip(rdata)).collect());
    }
    changed
}
