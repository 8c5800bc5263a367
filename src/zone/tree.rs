//! The slow, obvious lookup: answers by the book, one clause after the other. The fast catalog is
//! held equal to it.
//!
//! Owns:  the algorithm of RFC 1034 §4.3.2 with RFC 4592, RFC 6672, RFC 2308, RFC 8482, RFC 4035
//!        §3.1.
//! Never: is fast, compresses, truncates, or knows steering.

use std::collections::BTreeSet;

use crate::number::Ttl;
use crate::wire::{NAME_LEN_MAX, Name, Rcode, Record, Rtype};

use super::denial;
use super::rrset::{Node, Rrset, Zone};

/// CNAME and DNAME steps that one query follows.
const CHAIN_STEPS_MAX: usize = 12;

/// What the book says the answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeAnswer {
    /// The response code.
    pub rcode: Rcode,
    /// Whether AA is set.
    pub authoritative: bool,
    /// The answer section.
    pub answer: Vec<Record>,
    /// The authority section.
    pub authority: Vec<Record>,
    /// The additional section, without OPT.
    pub additional: Vec<Record>,
}

/// Answers a question of class IN from `zones`.
pub fn answer(zones: &[Zone], qname: &Name, qtype: Rtype, dnssec_ok: bool) -> TreeAnswer {
    let answer = TreeAnswer {
        rcode: Rcode::NOERROR,
        authoritative: false,
        answer: Vec::new(),
        authority: Vec::new(),
        additional: Vec::new(),
    };
    let mut walk = Walk { qtype, dnssec_ok, out: answer };
    let mut name = qname.clone();
    for step in 0..=CHAIN_STEPS_MAX {
        let Some(zone) = find_zone(zones, &name, qtype) else {
            if step == 0 {
                walk.out.rcode = Rcode::REFUSED;
            }
            break;
        };
        match walk.step(zone, &name, step) {
            Some(target) if step < CHAIN_STEPS_MAX => name = target,
            _ => break,
        }
    }
    walk.out
}

/// The zone with the longest apex that encloses `name`. DS belongs to the parent's side of a cut
/// (RFC 4035 §3.1.4.1).
fn find_zone<'z>(zones: &'z [Zone], name: &Name, qtype: Rtype) -> Option<&'z Zone> {
    let longest = |strictly: bool| {
        zones
            .iter()
            .filter(
                |z| if strictly { name.is_below(&z.apex) } else { name.is_at_or_below(&z.apex) },
            )
            .max_by_key(|z| z.apex.label_count())
    };
    let parent = if qtype == Rtype::DS { longest(true) } else { None };
    let closest = longest(false)?;
    match parent {
        // The parent's side is asked only where the parent knows of the cut.
        Some(parent) if closest.apex == *name && parent.rrset(name, Rtype::NS).is_some() => {
            Some(parent)
        }
        _ => Some(closest),
    }
}

struct Walk {
    qtype: Rtype,
    dnssec_ok: bool,
    out: TreeAnswer,
}

impl Walk {
    /// Answers for one name of the chain. The result is where the chain goes on.
    fn step(&mut self, zone: &Zone, name: &Name, step: usize) -> Option<Name> {
        for ancestor in ancestors(zone, name) {
            let Some(node) = zone.nodes.get(&ancestor) else { continue };
            let is_apex = ancestor == zone.apex;
            let own_ds = self.qtype == Rtype::DS && ancestor == *name;
            if !is_apex && !own_ds && node.rrset(Rtype::NS).is_some() {
                self.out.authoritative |= step > 0;
                self.refer(zone, &ancestor);
                return None;
            }
            if ancestor != *name
                && let Some(dname) = node.rrset(Rtype::DNAME)
            {
                self.out.authoritative = true;
                return self.follow_dname(zone, &ancestor, dname, name);
            }
        }
        self.out.authoritative = true;
        if let Some(node) = visible(zone, name) {
            return self.answer_from(zone, name, node, name);
        }
        if exists(zone, name) {
            self.negative(zone, Rcode::NOERROR);
            self.deny(denial::nodata(zone, name));
            return None;
        }
        let encloser = closest_encloser(zone, name)?;
        let source = encloser.prepend(b"*").ok()?;
        match visible(zone, &source) {
            Some(node) => self.answer_from(zone, name, node, &source),
            // RFC 4592 §2.2.2: an empty non-terminal may be the source of synthesis, of nothing.
            None if exists(zone, &source) => {
                self.negative(zone, Rcode::NOERROR);
                self.deny(denial::wildcard_nodata(zone, name, &encloser, &source));
                None
            }
            None => {
                self.negative(zone, Rcode::NXDOMAIN);
                self.deny(denial::nxdomain(zone, name, &encloser));
                None
            }
        }
    }

    /// Answers `name` from `node`, whose owner is `source`: the name itself, or the wildcard that
    /// covers it.
    fn answer_from(
        &mut self,
        zone: &Zone,
        name: &Name,
        node: &Node,
        source: &Name,
    ) -> Option<Name> {
        let is_wildcard = name != source;
        let cname = node.rrset(Rtype::CNAME).filter(|_| follows_cname(self.qtype));
        let found = match self.qtype {
            // RFC 8482 §4.1: ANY is answered with one RRset.
            Rtype::ANY => {
                let hidden = [Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3];
                node.rrsets.iter().find(|r| !hidden.contains(&r.rtype)).or(node.rrsets.first())
            }
            qtype => cname.or_else(|| node.rrset(qtype)),
        };
        let Some(rrset) = found else {
            self.negative(zone, Rcode::NOERROR);
            let encloser = source.parent().filter(|_| is_wildcard);
            self.deny(match encloser {
                Some(encloser) => denial::wildcard_nodata(zone, name, &encloser, source),
                None => denial::nodata(zone, name),
            });
            return None;
        };
        let seen = self.out.answer.iter().any(|r| r.owner == *name && r.rtype == rrset.rtype);
        if seen {
            // A chain that comes back to where it was has been told already.
            return None;
        }
        self.out.answer.extend(with_signatures(node, rrset, name, rrset.ttl, self.dnssec_ok));
        self.out.additional = addresses_of_targets(zone, rrset, self.dnssec_ok);
        if let Some(encloser) = source.parent().filter(|_| is_wildcard) {
            self.deny(denial::wildcard_answer(zone, name, &encloser));
        }
        let target = cname?.rdata.first()?;
        Name::from_wire(target).ok().map(|(target, _)| target)
    }

    /// RFC 6672 §3.1: the DNAME, and a CNAME made from it with its TTL.
    fn follow_dname(
        &mut self,
        zone: &Zone,
        owner: &Name,
        dname: &Rrset,
        name: &Name,
    ) -> Option<Name> {
        let node = zone.nodes.get(owner)?;
        let told = self.out.answer.iter().any(|r| r.owner == *owner && r.rtype == Rtype::DNAME);
        if !told {
            let records = with_signatures(node, dname, owner, dname.ttl, self.dnssec_ok);
            self.out.answer.extend(records);
        }
        let (target, _) = Name::from_wire(dname.rdata.first()?).ok()?;
        let Some(renamed) = rename(name, owner, &target) else {
            self.out.rcode = Rcode::YXDOMAIN;
            return None;
        };
        let seen = self.out.answer.iter().any(|r| r.owner == *name && r.rtype == Rtype::CNAME);
        if seen {
            return None;
        }
        self.out.answer.push(Record {
            owner: name.clone(),
            rtype: Rtype::CNAME,
            ttl: dname.ttl,
            rdata: renamed.as_wire().into(),
        });
        follows_cname(self.qtype).then_some(renamed)
    }

    /// A referral (RFC 1034 §4.3.2 step 3b), with DS or the proof that there is none (RFC 4035
    /// §3.1.4).
    fn refer(&mut self, zone: &Zone, cut: &Name) {
        let Some(node) = zone.nodes.get(cut) else { return };
        let Some(ns) = node.rrset(Rtype::NS) else { return };
        self.out.authority.extend(with_signatures(node, ns, cut, ns.ttl, false));
        match node.rrset(Rtype::DS) {
            // A DS that nothing signs tells a validator nothing.
            Some(ds) if self.dnssec_ok && is_signed(node, Rtype::DS) => {
                self.out.authority.extend(with_signatures(node, ds, cut, ds.ttl, true));
            }
            Some(_) => {}
            None => self.deny(denial::nodata(zone, cut)),
        }
        self.out.additional = addresses_of_targets(zone, ns, false);
    }

    /// A negative answer: the SOA, at the smaller of its TTL and its MINIMUM (RFC 2308 §3).
    fn negative(&mut self, zone: &Zone, rcode: Rcode) {
        self.out.rcode = rcode;
        let Some(apex) = zone.nodes.get(&zone.apex) else { return };
        let Some(soa) = apex.rrset(Rtype::SOA) else { return };
        let minimum = soa.rdata.first().and_then(|rdata| rdata.last_chunk::<4>());
        let minimum = minimum.map_or(soa.ttl, |m| Ttl::from_secs(u32::from_be_bytes(*m)));
        let ttl = soa.ttl.min(minimum);
        self.out.authority.extend(with_signatures(apex, soa, &zone.apex, ttl, self.dnssec_ok));
    }

    /// Adds NSEC or NSEC3 RRsets with their signatures, each once.
    fn deny(&mut self, proof: Vec<(&Name, &Node, &Rrset)>) {
        if !self.dnssec_ok {
            return;
        }
        for (owner, node, rrset) in proof {
            let told = |r: &Record| r.owner == *owner && r.rtype == rrset.rtype;
            if !self.out.authority.iter().any(told) {
                self.out.authority.extend(with_signatures(node, rrset, owner, rrset.ttl, true));
            }
        }
    }
}

/// Whether a CNAME answers for this type (RFC 1034 §3.6.2; RFC 4035 §2.5: RRSIG and NSEC stand
/// beside it).
fn follows_cname(qtype: Rtype) -> bool {
    ![Rtype::CNAME, Rtype::ANY, Rtype::RRSIG, Rtype::NSEC].contains(&qtype)
}

fn is_signed(node: &Node, rtype: Rtype) -> bool {
    let covered = rtype.0.to_be_bytes();
    node.rrset(Rtype::RRSIG).is_some_and(|r| r.rdata.iter().any(|d| d.starts_with(&covered)))
}

/// From the apex down to `name`.
fn ancestors(zone: &Zone, name: &Name) -> Vec<Name> {
    let up = std::iter::successors(Some(name.clone()), Name::parent);
    let mut all: Vec<Name> = up.take_while(|n| n.is_at_or_below(&zone.apex)).collect();
    all.reverse();
    all
}

/// Whether a name exists: it or a name below it owns something (RFC 4592 §2.2).
pub(super) fn exists(zone: &Zone, name: &Name) -> bool {
    // In canonical order all below a name follow it directly.
    let mut below = zone.nodes.range(name..).take_while(|(owner, _)| owner.is_at_or_below(name));
    below.any(|(_, node)| is_visible(node))
}

/// The node of `name`, if it is one that queries see.
fn visible<'z>(zone: &'z Zone, name: &Name) -> Option<&'z Node> {
    zone.nodes.get(name).filter(|node| is_visible(node))
}

/// RFC 5155 §7.2.8: an owner of nothing but NSEC3 and its signature does not exist to queries.
fn is_visible(node: &Node) -> bool {
    node.rrsets.iter().any(|r| ![Rtype::NSEC3, Rtype::RRSIG].contains(&r.rtype))
        || node.rrset(Rtype::NSEC3).is_none()
}

/// The longest ancestor that exists (RFC 4592 §3.3.1).
fn closest_encloser(zone: &Zone, name: &Name) -> Option<Name> {
    ancestors(zone, name).into_iter().rev().find(|ancestor| exists(zone, ancestor))
}

/// `name` with its suffix `owner` replaced by `target`; none where it gets too long.
fn rename(name: &Name, owner: &Name, target: &Name) -> Option<Name> {
    let kept = name.as_wire().len() - owner.as_wire().len();
    let wire = [name.as_wire().get(..kept)?, target.as_wire()].concat();
    let (renamed, _) = Name::from_wire(&wire).ok()?;
    (wire.len() <= NAME_LEN_MAX).then_some(renamed)
}

/// The addresses, within the zone, of the names that an RRset points at: the glue of a cut, a courtesy elsewhere.
fn addresses_of_targets(zone: &Zone, rrset: &Rrset, dnssec_ok: bool) -> Vec<Record> {
    let before = match rrset.rtype {
        Rtype::NS => 0,
        Rtype::MX => 2,
        Rtype::SRV => 6,
        _ => return Vec::new(),
    };
    let target = |rdata: &[u8]| Some(Name::from_wire(rdata.get(before..)?).ok()?.0);
    let targets: BTreeSet<Name> = rrset.rdata.iter().filter_map(|rdata| target(rdata)).collect();
    let mut records = Vec::new();
    for (target, node) in targets.iter().filter_map(|t| zone.nodes.get_key_value(t)) {
        for rrset in [Rtype::A, Rtype::AAAA].iter().filter_map(|&rtype| node.rrset(rtype)) {
            records.extend(with_signatures(node, rrset, target, rrset.ttl, dnssec_ok));
        }
    }
    records
}

/// The records of `rrset` under `owner`, and the signatures over them that `node` holds.
fn with_signatures(
    node: &Node,
    rrset: &Rrset,
    owner: &Name,
    ttl: Ttl,
    dnssec_ok: bool,
) -> Vec<Record> {
    let record = |rtype: Rtype, rdata: &[u8]| Record {
        owner: owner.clone(),
        rtype,
        ttl,
        rdata: rdata.into(),
    };
    if rrset.rtype == Rtype::RRSIG {
        return rrset.rdata.iter().map(|r| signature(node, rrset, owner, r)).collect();
    }
    let mut records: Vec<Record> = rrset.rdata.iter().map(|r| record(rrset.rtype, r)).collect();
    if dnssec_ok {
        let covered = rrset.rtype.0.to_be_bytes();
        let signatures = node.rrset(Rtype::RRSIG).into_iter().flat_map(|r| &r.rdata);
        let ours = signatures.filter(|rdata| rdata.starts_with(&covered));
        // RFC 4034 §3: a signature has the TTL of what it covers.
        records.extend(ours.map(|rdata| record(Rtype::RRSIG, rdata)));
    }
    records
}

/// A signature that was asked for has the TTL of what it covers too.
fn signature(node: &Node, signatures: &Rrset, owner: &Name, rdata: &[u8]) -> Record {
    let covers = |r: &&Rrset| rdata.starts_with(&r.rtype.0.to_be_bytes());
    let ttl = node.rrsets.iter().find(covers).map_or(signatures.ttl, |covered| covered.ttl);
    Record { owner: owner.clone(), rtype: Rtype::RRSIG, ttl, rdata: rdata.into() }
}

#[cfg(test)]
mod tests;
