//! The sections of each kind of answer: an RRset, a referral, an alias made from a DNAME, a negative answer.

use crate::number::Ttl;
use crate::wire::{NAME_LEN_MAX, Rcode, Rtype, Section};

use super::chain::{Additional, Chain, Full, Next, fits};
use super::denial::Absence;
use super::image::ZoneImage;
use super::node::{Node, RrsetRef};
use super::suffix::Suffixes;
use super::template::{Anchors, Piece};

impl<'s> Chain<'_, 's, '_> {
    pub(super) fn rrset(
        &mut self,
        rrset: &RrsetRef<'_>,
        section: Section,
        anchors: &Anchors<'_>,
    ) -> Result<(), Full> {
        fits(rrset.records.write(self.writer, section, anchors))?;
        match rrset.signatures {
            Some(signatures) if self.world.dnssec_ok => {
                fits(signatures.write(self.writer, section, anchors))
            }
            _ => Ok(()),
        }
    }

    /// RFC 2308 §3: the SOA, and where wanted the proof.
    pub(super) fn negative(
        &mut self,
        zone: &'s ZoneImage,
        name: &Suffixes,
        absence: Absence,
        ttl_max: Option<Ttl>,
    ) -> Result<Next, Full> {
        if self.links.is_first() && !matches!(absence, Absence::Nxdomain { .. }) {
            self.resolution.tell_nodata(self.qtype);
        }
        let Some(soa) = zone.negative() else { return Ok(Next::Done) };
        let anchors = self.anchors(name, name.label_count());
        self.soa(&soa, &anchors, ttl_max)?;
        if self.world.dnssec_ok
            && let Some(signatures) = soa.next()
        {
            self.soa(&signatures, &anchors, ttl_max)?;
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
        anchors: &Anchors<'_>,
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
    pub(super) fn referral(
        &mut self,
        zone: &'s ZoneImage,
        node: Node<'s>,
        name: &Suffixes,
        depth: usize,
    ) -> Result<Next, Full> {
        let anchors = self.anchors(name, depth);
        let Some(ns) = node.rrset(Rtype::NS) else { return Ok(Next::Done) };
        fits(ns.records.write(self.writer, Section::Authority, &anchors))?;
        if self.world.dnssec_ok {
            match (node.rrset(Rtype::DS), zone.denial()) {
                // A DS that nothing signs tells a validator nothing.
                (Some(ds), _) if ds.signatures.is_none() => {}
                (Some(ds), _) => self.rrset(&ds, Section::Authority, &anchors)?,
                (None, Some(denial)) => {
                    fits(denial.prove(name, Absence::Nodata { depth }, self.writer))?;
                }
                (None, None) => {}
            }
        }
        let is_glue = true;
        self.additional =
            ns.additional.map(|piece| Additional { piece, signatures: None, is_glue });
        Ok(Next::Done)
    }

    /// RFC 6672 §3.1: the DNAME, and a CNAME made from it.
    pub(super) fn dname(
        &mut self,
        node: Node<'s>,
        name: &Suffixes,
        depth: usize,
    ) -> Result<Next, Full> {
        let anchors = self.anchors(name, depth);
        let Some(dname) = node.rrset(Rtype::DNAME) else { return Ok(Next::Done) };
        if self.links.show(name.hash(depth)) {
            self.rrset(&dname, Section::Answer, &anchors)?;
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
