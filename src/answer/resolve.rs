//! A name and a type into sections: the walk along aliases (RFC 1034 §4.3.2), at most [`CHAIN_LEN_MAX`] steps.

use std::net::IpAddr;

use crate::number::{PolicyId, PrefixLen, Ttl};
use crate::route::{Asker, ChoiceAnswer, Family, choose};
use crate::trace::{ClientSource, Step, Trace};
use crate::wire::{ExtendedError, NAME_LEN_MAX, Rcode, Rtype, Section, Writer};

use super::catalog::Served;
use super::counters::Counters;
use super::denial::Absence;
use super::image::ZoneImage;
use super::lookup::{Found, look_up};
use super::node::{Node, NodeFlags, RrsetRef};
use super::snapshot::Snapshot;
use super::suffix::Suffixes;
use super::template::{Anchors, Piece, write_pointed};

/// Most aliases that one answer follows. BIND stops after 16, Unbound after 11; a chain this long is a mistake.
pub const CHAIN_LEN_MAX: usize = 12;

/// Names looked up for one answer: the one asked for, and the target of each alias.
const NAME_COUNT_MAX: usize = CHAIN_LEN_MAX + 1;

/// Types that no answer to ANY shows while there is another.
const HIDDEN: [Rtype; 3] = [Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3];

/// What an answer is made from, the same along the whole chain.
pub(super) struct World<'s> {
    /// The state of the world.
    pub snapshot: &'s Snapshot,
    /// Where steered answers are counted.
    pub counters: &'s Counters,
    /// Where the query came from.
    pub resolver: IpAddr,
    /// The client subnet that it speaks for.
    pub subnet: Option<IpAddr>,
    /// Whether DNSSEC records are wanted.
    pub dnssec_ok: bool,
}

impl World<'_> {
    /// Whose address decides: the client's, if the query tells and the policy looks at places at all.
    fn asker(&self, uses_place: bool) -> Asker {
        match self.subnet.filter(|_| uses_place) {
            Some(address) => Asker { address, source: ClientSource::Subnet },
            None => Asker { address: self.resolver, source: ClientSource::Resolver },
        }
    }
}

/// What came of a question, beside the sections that are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolution {
    /// The response code.
    pub rcode: Rcode,
    /// AA: the first name of the chain is in a zone of ours, and not delegated.
    pub authoritative: bool,
    /// Something did not fit.
    pub truncated: bool,
    /// The longest scope of the routed names on the way (RFC 7871 §7.2.1).
    pub scope: PrefixLen,
    /// Why, beyond the response code.
    pub error: Option<ExtendedError>,
}

impl Resolution {
    /// An authoritative answer.
    pub fn authoritative() -> Resolution {
        Resolution { authoritative: true, ..Resolution::refusal(Rcode::NOERROR) }
    }

    /// A response code and nothing else.
    pub fn refusal(rcode: Rcode) -> Resolution {
        let (authoritative, truncated) = (false, false);
        Resolution { rcode, authoritative, truncated, scope: PrefixLen(0), error: None }
    }
}

/// What follows a step.
enum Next {
    /// The answer is whole.
    Done,
    /// The name at this offset of the message is to be looked up in turn.
    Follow(usize),
}

/// Something did not fit into the message.
struct Full;

/// Turns "it fits" into something that `?` understands.
fn fits(written: bool) -> Result<(), Full> {
    if written { Ok(()) } else { Err(Full) }
}

/// Writes the sections that answer `qtype` at `name`.
pub(super) fn resolve(
    world: &World<'_>,
    qtype: Rtype,
    name: &mut Suffixes,
    writer: &mut Writer<'_>,
    trace: &mut impl Trace,
) -> Resolution {
    trace.step(Step::Question { name: name.name(), rtype: qtype.0 });
    match qtype {
        // Transfers are not offered here (RFC 5936 §2.2.1).
        Rtype::AXFR | Rtype::IXFR => return Resolution::refusal(Rcode::REFUSED),
        // OPT is no data (RFC 6891 §6.1.1).
        Rtype::OPT => return Resolution::refusal(Rcode::FORMERR),
        _ => {}
    }
    let resolution = Resolution::refusal(Rcode::NOERROR);
    let links = Links::new();
    let mut chain = Chain { world, qtype, writer, resolution, links, additional: None };
    if chain.walk(name, trace).is_err() {
        chain.resolution.truncated = true;
    }
    chain.resolution
}

/// One answer on its way.
struct Chain<'c, 's, 'w> {
    world: &'c World<'s>,
    qtype: Rtype,
    writer: &'c mut Writer<'w>,
    resolution: Resolution,
    links: Links<'s>,
    /// What goes into the additional section, once the authority section is whole.
    additional: Option<Additional<'s>>,
}

/// Addresses that go with an RRset.
struct Additional<'s> {
    piece: Piece<'s>,
    apex: u16,
    /// RFC 9471 §3: a referral without its glue is truncated. Elsewhere addresses are a courtesy.
    is_glue: bool,
}

/// The names passed so far, and the proofs that they owe: those go into the authority section, and so wait for the last
/// record of the answer section.
struct Links<'s> {
    seen: [u64; NAME_COUNT_MAX],
    dnames: [Option<Node<'s>>; NAME_COUNT_MAX],
    owed: [Option<Owed<'s>>; NAME_COUNT_MAX],
    count: usize,
}

/// A proof that a wildcard was right to answer for the name at `name_at`.
#[derive(Clone, Copy)]
struct Owed<'s> {
    zone: &'s ZoneImage,
    encloser: usize,
    name_at: usize,
}

impl<'s> Links<'s> {
    fn new() -> Links<'s> {
        let (dnames, owed) = ([None; NAME_COUNT_MAX], [None; NAME_COUNT_MAX]);
        Links { seen: [0; NAME_COUNT_MAX], dnames, owed, count: 0 }
    }

    /// Notes a name by its hash. False for one that was passed before, and past the bound.
    fn pass(&mut self, hash: u64) -> bool {
        if self.count == NAME_COUNT_MAX || self.seen[..self.count].contains(&hash) {
            return false;
        }
        self.seen[self.count] = hash;
        self.count += 1;
        true
    }

    /// Notes that a DNAME stands in the answer. False if it stood there before.
    fn show(&mut self, dname: Node<'s>) -> bool {
        if self.dnames.iter().flatten().any(|shown| shown.is(&dname)) {
            return false;
        }
        if let Some(slot) = self.dnames.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(dname);
        }
        true
    }

    fn owe(&mut self, owed: Owed<'s>) {
        if let Some(slot) = self.owed.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(owed);
        }
    }
}

impl<'s> Chain<'_, 's, '_> {
    fn walk(&mut self, name: &mut Suffixes, trace: &mut impl Trace) -> Result<(), Full> {
        while self.links.pass(name.hash(name.label_count())) {
            match self.step(name, trace)? {
                Next::Done => break,
                Next::Follow(at) => {
                    let seed = self.world.snapshot.catalog.seed();
                    if !name.load(self.writer.message(), at, seed) {
                        break;
                    }
                }
            }
        }
        self.pay(name)?;
        let Some(additional) = self.additional.take() else { return Ok(()) };
        let anchors = Anchors { owner: additional.apex, apex: additional.apex };
        let written = additional.piece.write(self.writer, Section::Additional, anchors);
        fits(written || !additional.is_glue)
    }

    /// Writes the proofs owed for wildcards on the way.
    fn pay(&mut self, name: &mut Suffixes) -> Result<(), Full> {
        for owed in self.links.owed.iter().map_while(|owed| *owed) {
            let seed = self.world.snapshot.catalog.seed();
            if let Some(denial) = owed.zone.denial()
                && name.load(self.writer.message(), owed.name_at, seed)
            {
                let absence = Absence::Wildcard { encloser: owed.encloser };
                fits(denial.prove(name, absence, self.writer))?;
            }
        }
        Ok(())
    }

    fn is_first(&self) -> bool {
        self.links.count == 1
    }

    fn step(&mut self, name: &Suffixes, trace: &mut impl Trace) -> Result<Next, Full> {
        let zone = match self.zone(name) {
            Some(Served::Zone(zone)) => zone,
            Some(Served::Broken(_)) => {
                self.resolution.rcode = Rcode::SERVFAIL;
                self.resolution.error = Some(ExtendedError::NOT_READY);
                return Ok(Next::Done);
            }
            None => {
                trace.step(Step::NoZone);
                if self.is_first() {
                    self.resolution.rcode = Rcode::REFUSED;
                    self.resolution.error = Some(ExtendedError::NOT_AUTHORITATIVE);
                }
                return Ok(Next::Done);
            }
        };
        trace.step(Step::Zone { apex: zone.apex_folded() });
        let found = look_up(zone, self.world.snapshot.catalog.seed(), name, self.qtype);
        if self.is_first() {
            self.resolution.authoritative = !matches!(found, Found::Cut { .. });
        }
        match found {
            Found::Exact { node } => self.node(zone, node, name, None, trace),
            Found::Wildcard { node, encloser } => {
                trace.step(Step::Wildcard { source: node.owner() });
                self.node(zone, node, name, Some(encloser), trace)
            }
            Found::Cut { node, depth } => {
                trace.step(Step::Delegation { cut: name.suffix(depth) });
                self.referral(zone, node, name, depth)
            }
            Found::Dname { node, depth } => {
                trace.step(Step::Dname { owner: name.suffix(depth) });
                self.dname(zone, node, name, depth)
            }
            Found::Absent { encloser } => {
                trace.step(Step::Nxdomain);
                self.resolution.rcode = Rcode::NXDOMAIN;
                self.negative(zone, name, Absence::Nxdomain { encloser }, None)
            }
        }
    }

    /// The zone that answers. RFC 4035 §3.1.4.1: DS belongs to the parent's side of a cut, if we serve that.
    fn zone(&self, name: &Suffixes) -> Option<&'s Served> {
        let catalog = &self.world.snapshot.catalog;
        let depth = name.label_count();
        let closest = catalog.find(name, depth);
        if self.qtype == Rtype::DS && depth > 0 && closest.is_some_and(|s| s.apex() == name.name())
        {
            let parent = catalog.find(name, depth - 1);
            if let Some(Served::Zone(zone)) = parent
                && zone.node(name, depth).is_some_and(|node| node.has(NodeFlags::CUT))
            {
                return parent;
            }
        }
        closest
    }

    fn anchors(&self, zone: &ZoneImage, name: &Suffixes) -> Anchors {
        Anchors { owner: name.at(name.label_count()), apex: name.at(zone.depth()) }
    }

    /// A node that answers for the name: itself, or as the source of synthesis.
    fn node(
        &mut self,
        zone: &'s ZoneImage,
        node: Node<'s>,
        name: &Suffixes,
        encloser: Option<usize>,
        trace: &mut impl Trace,
    ) -> Result<Next, Full> {
        if encloser.is_none() {
            trace.step(Step::Exact);
        }
        if let Some(policy) = node.policy()
            && let Some(next) = self.steer(policy, zone, node, name, trace)?
        {
            return Ok(next);
        }
        self.own(zone, node, name, encloser, trace)
    }

    /// The node's own records.
    fn own(
        &mut self,
        zone: &'s ZoneImage,
        node: Node<'s>,
        name: &Suffixes,
        encloser: Option<usize>,
        trace: &mut impl Trace,
    ) -> Result<Next, Full> {
        let start = self.writer.len();
        let anchors = self.anchors(zone, name);
        let mut rrset = node.rrset(self.qtype);
        let mut follows = false;
        match self.qtype {
            Rtype::RRSIG => {
                let signatures = node.rrsets().filter_map(|r| r.signatures);
                for piece in signatures.chain(rrset.map(|r| r.records)) {
                    fits(piece.write(self.writer, Section::Answer, anchors))?;
                }
                rrset = None;
            }
            // RFC 8482 §4.1: one RRset is enough of an answer.
            Rtype::ANY => rrset = node.rrsets().find(|r| !HIDDEN.contains(&r.rtype)),
            _ if rrset.is_none() => {
                rrset = node.rrset(Rtype::CNAME);
                follows = rrset.is_some();
            }
            _ => {}
        }
        if let Some(rrset) = rrset {
            // A chain may come back to a DNAME that it has shown.
            if rrset.rtype == Rtype::DNAME && !self.links.show(node) {
                return Ok(Next::Done);
            }
            self.rrset(&rrset, Section::Answer, anchors)?;
            let (apex, is_glue) = (anchors.apex, false);
            self.additional = rrset.additional.map(|piece| Additional { piece, apex, is_glue });
        }
        if self.writer.len() == start {
            trace.step(Step::Nodata);
            let absence = match encloser {
                None => Absence::Nodata { depth: name.label_count() },
                Some(encloser) => Absence::WildcardNodata { encloser },
            };
            return self.negative(zone, name, absence, None);
        }
        if let (Some(encloser), true) = (encloser, self.world.dnssec_ok) {
            self.links.owe(Owed { zone, encloser, name_at: usize::from(anchors.owner) });
        }
        // The target stands behind the owner's pointer, type, class, TTL and length.
        Ok(if follows { Next::Follow(start + 12) } else { Next::Done })
    }

    fn rrset(
        &mut self,
        rrset: &RrsetRef<'_>,
        section: Section,
        anchors: Anchors,
    ) -> Result<(), Full> {
        fits(rrset.records.write(self.writer, section, anchors))?;
        match rrset.signatures {
            Some(signatures) if self.world.dnssec_ok => {
                fits(signatures.write(self.writer, section, anchors))
            }
            _ => Ok(()),
        }
    }

    /// A routed name. None where the policy leaves the question to the zone file.
    fn steer(
        &mut self,
        policy: PolicyId,
        zone: &'s ZoneImage,
        node: Node<'s>,
        name: &Suffixes,
        trace: &mut impl Trace,
    ) -> Result<Option<Next>, Full> {
        let snapshot = self.world.snapshot;
        let at = usize::from(policy.0);
        // By table-covers-plan both are there; without them the zone file's own records serve.
        let (Some(plan), Some(table)) = (snapshot.plans.get(at), snapshot.table.policies.get(at))
        else {
            return Ok(None);
        };
        let family = match self.qtype {
            _ if plan.answers_names() => Family::V4,
            Rtype::A | Rtype::ANY => Family::V4,
            Rtype::AAAA => Family::V6,
            _ => return Ok(None),
        };
        trace.step(Step::Routed { policy });
        let asker = self.world.asker(plan.uses_place());
        let Some(chosen) = choose(plan, table, family, asker, trace) else {
            return Ok(None);
        };
        self.resolution.scope = self.resolution.scope.max(chosen.scope);
        self.world.counters.steered(snapshot.steered.slot(policy, chosen.choice.region));
        let start = self.writer.len();
        match &chosen.choice.answer {
            ChoiceAnswer::Default => {
                let owns = node.rrset(self.qtype).or(node.rrset(Rtype::CNAME)).is_some();
                if owns { Ok(None) } else { self.steered_nodata(zone, name, policy).map(Some) }
            }
            ChoiceAnswer::Nodata => self.steered_nodata(zone, name, policy).map(Some),
            ChoiceAnswer::Servfail => {
                self.resolution.rcode = Rcode::SERVFAIL;
                Ok(Some(Next::Done))
            }
            ChoiceAnswer::Records { count, bytes } => {
                let owner = self.anchors(zone, name).owner;
                fits(write_pointed(bytes, *count, self.writer, Section::Answer, owner))?;
                let ends = matches!(self.qtype, Rtype::CNAME | Rtype::ANY);
                let follows = plan.answers_names() && !ends;
                Ok(Some(if follows { Next::Follow(start + 12) } else { Next::Done }))
            }
        }
    }

    /// A family that no region has now may have one soon: the SOA lives no longer than a steered answer may.
    fn steered_nodata(
        &mut self,
        zone: &'s ZoneImage,
        name: &Suffixes,
        policy: PolicyId,
    ) -> Result<Next, Full> {
        let plan = self.world.snapshot.plans.get(usize::from(policy.0));
        let absence = Absence::Nodata { depth: name.label_count() };
        self.negative(zone, name, absence, plan.map(|plan| plan.ttl_bounds().0))
    }

    /// RFC 2308 §3: the SOA, and where wanted the proof.
    fn negative(
        &mut self,
        zone: &'s ZoneImage,
        name: &Suffixes,
        absence: Absence,
        ttl_max: Option<Ttl>,
    ) -> Result<Next, Full> {
        let Some(soa) = zone.negative() else { return Ok(Next::Done) };
        let anchors = self.anchors(zone, name);
        self.soa(&soa, anchors, ttl_max)?;
        if self.world.dnssec_ok
            && let Some(signatures) = soa.next()
        {
            self.soa(&signatures, anchors, ttl_max)?;
        }
        if self.world.dnssec_ok
            && let Some(denial) = zone.denial()
        {
            fits(denial.prove(name, absence, self.writer))?;
        }
        Ok(Next::Done)
    }

    fn soa(
        &mut self,
        piece: &Piece<'_>,
        anchors: Anchors,
        ttl_max: Option<Ttl>,
    ) -> Result<(), Full> {
        let start = self.writer.len();
        fits(piece.write(self.writer, Section::Authority, anchors))?;
        if let Some(max) = ttl_max {
            piece.limit_ttl(self.writer, start, max);
        }
        Ok(())
    }

    /// RFC 1034 §4.3.2 step 3b; RFC 4035 §3.1.4: DS, or the proof that there is none.
    fn referral(
        &mut self,
        zone: &'s ZoneImage,
        node: Node<'s>,
        name: &Suffixes,
        depth: usize,
    ) -> Result<Next, Full> {
        let anchors = Anchors { owner: name.at(depth), apex: name.at(zone.depth()) };
        let Some(ns) = node.rrset(Rtype::NS) else { return Ok(Next::Done) };
        fits(ns.records.write(self.writer, Section::Authority, anchors))?;
        if self.world.dnssec_ok {
            match (node.rrset(Rtype::DS), zone.denial()) {
                // A DS that nothing signs tells a validator nothing.
                (Some(ds), _) if ds.signatures.is_none() => {}
                (Some(ds), _) => self.rrset(&ds, Section::Authority, anchors)?,
                (None, Some(denial)) => {
                    fits(denial.prove(name, Absence::Nodata { depth }, self.writer))?;
                }
                (None, None) => {}
            }
        }
        let (apex, is_glue) = (anchors.apex, true);
        self.additional = ns.additional.map(|piece| Additional { piece, apex, is_glue });
        Ok(Next::Done)
    }

    /// RFC 6672 §3.1: the DNAME, and a CNAME made from it.
    fn dname(
        &mut self,
        zone: &'s ZoneImage,
        node: Node<'s>,
        name: &Suffixes,
        depth: usize,
    ) -> Result<Next, Full> {
        let anchors = Anchors { owner: name.at(depth), apex: name.at(zone.depth()) };
        let Some(dname) = node.rrset(Rtype::DNAME) else { return Ok(Next::Done) };
        if self.links.show(node) {
            self.rrset(&dname, Section::Answer, anchors)?;
        }
        // Pointer, type, class, TTL, length, and then the target, which is never compressed.
        let Some((head, target)) = dname.records.octets().split_first_chunk::<12>() else {
            return Ok(Next::Done);
        };
        let length = usize::from(u16::from_be_bytes([head[10], head[11]]));
        let Some(target) = target.get(..length) else { return Ok(Next::Done) };
        let prefix = name.relative(name.label_count(), depth);
        let len = prefix.len() + target.len();
        if len > NAME_LEN_MAX {
            self.resolution.rcode = Rcode::YXDOMAIN;
            return Ok(Next::Done);
        }
        let start = self.writer.len();
        let owner = 0xc000 | name.at(name.label_count());
        let ttl = [head[6], head[7], head[8], head[9]];
        let written = self.writer.put(&owner.to_be_bytes())
            && self.writer.put(&[0, Rtype::CNAME.0 as u8, 0, 1])
            && self.writer.put(&ttl)
            && self.writer.put(&(len as u16).to_be_bytes())
            && self.writer.put(prefix)
            && self.writer.put(target);
        fits(written)?;
        self.writer.count(Section::Answer, 1);
        let ends = matches!(self.qtype, Rtype::CNAME | Rtype::ANY);
        Ok(if ends { Next::Done } else { Next::Follow(start + 12) })
    }
}
