//! A name and a type into sections: the walk along aliases (RFC 1034 §4.3.2), at most
//! [`CHAIN_LEN_MAX`](super::CHAIN_LEN_MAX) steps.

use crate::trace::{Step, Trace};
use crate::wire::{Rcode, Rtype, Section, Writer};

use super::catalog::Served;
use super::chain::{Additional, Chain, Full, Next, Resolution, World, fits};
use super::denial::Absence;
use super::exchange::ResponseClass;
use super::image::ZoneImage;
use super::links::{Links, Owed};
use super::lookup::{Found, look_up};
use super::node::{Node, NodeFlags};
use super::opt::{Explanation, ZoneVersion};
use super::suffix::Suffixes;
use super::template::Anchors;

/// Types that no answer to ANY shows while there is another.
const HIDDEN: [Rtype; 3] = [Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3];

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
                    trace.step(Step::Cname { target: name.name() });
                }
            }
        }
        let last = usize::from(name.at(name.label_count()));
        if self.pay(name)? > 0 {
            name.load(self.writer.message(), last, self.world.snapshot.catalog.seed());
        }
        let Some(additional) = self.additional.take() else { return Ok(()) };
        let anchors = self.anchors(name, name.label_count());
        let mut pieces = [Some(additional.piece), additional.signatures].into_iter().flatten();
        let written = pieces.all(|p| p.write(self.writer, Section::Additional, &anchors));
        fits(written || !additional.is_glue)
    }

    /// Writes the proofs owed for wildcards on the way, which takes `name` for each in turn. Gives their number.
    fn pay(&mut self, name: &mut Suffixes) -> Result<usize, Full> {
        let mut count = 0;
        for owed in self.links.owed() {
            count += 1;
            let seed = self.world.snapshot.catalog.seed();
            if let Some(denial) = owed.zone.denial()
                && name.load(self.writer.message(), owed.name_at, seed)
            {
                let absence = Absence::Wildcard { encloser: owed.encloser };
                fits(denial.prove(name, absence, self.writer))?;
            }
        }
        Ok(count)
    }

    fn step(&mut self, name: &Suffixes, trace: &mut impl Trace) -> Result<Next, Full> {
        let zone = match self.zone(name) {
            Some(Served::Zone(zone)) => zone,
            Some(Served::Broken(_)) => {
                // DESIGN rule 4: an alias of a sound zone is told all the same, and its target looked up by who asks.
                if self.links.is_first() {
                    self.resolution.rcode = Rcode::SERVFAIL;
                    self.resolution.explanation = Some(Explanation::NeverLoaded);
                }
                return Ok(Next::Done);
            }
            None => {
                trace.step(Step::NoZone);
                if self.links.is_first() {
                    self.resolution.rcode = Rcode::REFUSED;
                    self.resolution.explanation = Some(Explanation::NoZone);
                }
                return Ok(Next::Done);
            }
        };
        trace.step(Step::Zone { apex: zone.apex_folded() });
        let found = look_up(zone, self.world.snapshot.catalog.seed(), name, self.qtype);
        if self.links.is_first() {
            self.resolution.authoritative = !matches!(found, Found::Cut { .. });
            self.tell(&found, name);
            if self.world.wants_version {
                // A name has at most 127 labels.
                let (label_count, serial) = (zone.depth() as u8, zone.serial());
                self.resolution.version = Some(ZoneVersion { label_count, serial });
            }
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
                self.dname(node, name, depth)
            }
            Found::Absent { encloser } => {
                trace.step(Step::Nxdomain);
                self.resolution.rcode = Rcode::NXDOMAIN;
                self.negative(zone, name, Absence::Nxdomain { encloser }, None)
            }
        }
    }

    /// Notes what says the same as this, however it is asked for.
    #[inline]
    fn tell(&mut self, found: &Found<'_>, name: &Suffixes) {
        let (told, qtype) = (&mut self.resolution, self.qtype);
        match *found {
            Found::Exact { .. } => told.tell_records(name.hash(name.label_count()), qtype),
            // The asterisk's own hash is not at hand; that of its parent, turned, is nobody else's.
            Found::Wildcard { encloser, .. } => {
                told.tell_records(name.hash(encloser).rotate_left(1), qtype);
            }
            Found::Dname { depth, .. } => told.tell(ResponseClass::Answer, name.hash(depth)),
            Found::Cut { depth, .. } => told.tell(ResponseClass::Referral, name.hash(depth)),
            Found::Absent { encloser } => told.tell(ResponseClass::Nxdomain, name.hash(encloser)),
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
        let whole = name.label_count();
        let is_exact = encloser.is_none();
        let anchors = Anchors { is_exact, ..self.anchors(name, whole) };
        let mut rrset = node.rrset(self.qtype);
        let mut follows = false;
        match self.qtype {
            Rtype::RRSIG => {
                let signatures = node.rrsets().filter_map(|r| r.signatures);
                for piece in signatures.chain(rrset.map(|r| r.records)) {
                    fits(piece.write(self.writer, Section::Answer, &anchors))?;
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
            if rrset.rtype == Rtype::DNAME && !self.links.show(name.hash(name.label_count())) {
                return Ok(Next::Done);
            }
            self.rrset(&rrset, Section::Answer, &anchors)?;
            let is_glue = false;
            let signatures = rrset.additional_signatures.filter(|_| self.world.dnssec_ok);
            let additional = |piece| Additional { piece, signatures, is_glue };
            self.additional = rrset.additional.map(additional);
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
            self.links.owe(Owed { zone, encloser, name_at: usize::from(name.at(whole)) });
        }
        // The target stands behind the owner's pointer, type, class, TTL and length.
        Ok(if follows { Next::Follow(start + 12) } else { Next::Done })
    }
}
