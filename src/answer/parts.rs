//! What a zone is laid out from, and how an RRset becomes pieces.

use crate::number::{PolicyId, Ttl};
use crate::wire::{Name, Rtype};

use super::template::PieceWriter;

/// One RRset to lay out. Rdata is in wire format, names uncompressed.
#[derive(Clone)]
pub struct RrsetParts<'a> {
    /// The type.
    pub rtype: Rtype,
    /// The TTL.
    pub ttl: Ttl,
    /// The rdata of its records.
    pub rdata: Vec<&'a [u8]>,
    /// The RRSIG records that cover it.
    pub signatures: Vec<&'a [u8]>,
    /// Addresses within the zone of what it points at: they go into the additional section. For the NS of a zone cut
    /// they are its glue (RFC 9499 §7).
    pub additional: Vec<Address<'a>>,
    /// RRSIG records over those addresses; glue has none.
    pub additional_signatures: Vec<Address<'a>>,
}

/// An address record of some RRset's target, or a signature over such.
#[derive(Clone)]
pub struct Address<'a> {
    /// Whose address.
    pub owner: Name,
    /// A, AAAA or RRSIG.
    pub rtype: Rtype,
    /// The TTL.
    pub ttl: Ttl,
    /// The rdata.
    pub rdata: &'a [u8],
}

/// One owner name to lay out.
pub struct NodeParts<'a> {
    /// Who owns it.
    pub owner: &'a Name,
    /// Its RRsets in order of type, RRSIG left to the RRsets that they cover.
    pub rrsets: Vec<RrsetParts<'a>>,
    /// The policy that routes it.
    pub policy: Option<PolicyId>,
}

/// Lays an RRset out, and behind it its signatures at the same TTL (RFC 4034 §3).
pub(super) fn lay<'a>(
    arena: &mut Vec<u8>,
    rrset: &RrsetParts<'_>,
    owner: &Name,
    piece: impl Fn() -> PieceWriter<'a>,
) {
    for (rtype, rdata) in [(rrset.rtype, &rrset.rdata), (Rtype::RRSIG, &rrset.signatures)] {
        if !rdata.is_empty() {
            let mut piece = piece();
            rdata.iter().for_each(|rdata| piece.record(owner, rtype, rrset.ttl, rdata));
            piece.finish(arena);
        }
    }
}

/// Lays addresses out behind the RRset that they go with; nothing where there are none.
pub(super) fn lay_additional(arena: &mut Vec<u8>, addresses: &[Address<'_>], apex: &Name) {
    if addresses.is_empty() {
        return;
    }
    let mut piece = PieceWriter::spelled(apex);
    addresses.iter().for_each(|a| piece.record(&a.owner, a.rtype, a.ttl, a.rdata));
    piece.finish(arena);
}
