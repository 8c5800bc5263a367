//! One answer on its way: what it is made from, what has come of it, what it still owes.

use std::net::IpAddr;

use crate::number::PrefixLen;
use crate::route::Asker;
use crate::trace::ClientSource;
use crate::wire::{Rcode, Rtype, Writer};

use super::counters::Counters;
use super::exchange::{Account, ResponseClass};
use super::links::Links;
use super::opt::{Explanation, ZoneVersion};
use super::snapshot::Snapshot;
use super::suffix::Suffixes;
use super::template::{Anchors, Piece};

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
    /// Whether the version of the zone is wanted.
    pub wants_version: bool,
}

impl World<'_> {
    /// Whose address decides: the client's, if the query tells and the policy looks at places at all.
    pub(super) fn asker(&self, uses_place: bool) -> Asker {
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
    pub explanation: Option<Explanation>,
    /// The version of the first name's zone, if it is wanted.
    pub version: Option<ZoneVersion>,
    /// What answers the first name, and the keyed hash of where it stands.
    told: Account,
}

impl Resolution {
    /// An authoritative answer of this hash.
    pub fn authoritative(key: u64) -> Resolution {
        let told = Account::of(ResponseClass::Answer, key);
        Resolution { authoritative: true, told, ..Resolution::refusal(Rcode::NOERROR) }
    }

    /// A response code and nothing else.
    pub fn refusal(rcode: Rcode) -> Resolution {
        let (authoritative, truncated) = (false, false);
        let (scope, told) = (PrefixLen(0), Account::ERROR);
        let (explanation, version) = (None, None);
        Resolution { rcode, authoritative, truncated, scope, explanation, version, told }
    }

    /// Notes what answers the first name; what answers those that it leads to is not looked at.
    #[inline]
    pub fn tell(&mut self, class: ResponseClass, key: u64) {
        self.told = Account::of(class, key);
    }

    /// As [`Resolution::tell`], for records: the types of a name are told apart.
    #[inline]
    pub fn tell_records(&mut self, key: u64, qtype: Rtype) {
        self.tell(ResponseClass::Answer, key ^ apart(qtype));
    }

    /// Notes that the first name, of which records were told, owns none of the type; neither of any other.
    pub fn tell_nodata(&mut self, qtype: Rtype) {
        self.tell(ResponseClass::Nodata, self.told.key() ^ apart(qtype));
    }

    /// What a limit counts the response with.
    #[inline]
    pub fn account(&self) -> Account {
        match self.rcode {
            Rcode::NOERROR | Rcode::NXDOMAIN | Rcode::YXDOMAIN => self.told,
            _ => Account::ERROR,
        }
    }
}

/// What tells types apart: a factor that is odd keeps them so.
fn apart(qtype: Rtype) -> u64 {
    u64::from(qtype.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// What follows a step.
pub(super) enum Next {
    /// The answer is whole.
    Done,
    /// The name at this offset of the message is to be looked up in turn.
    Follow(usize),
}

/// Something did not fit into the message.
pub(super) struct Full;

/// Turns "it fits" into something that `?` understands.
pub(super) fn fits(written: bool) -> Result<(), Full> {
    if written { Ok(()) } else { Err(Full) }
}

/// One answer on its way.
pub(super) struct Chain<'c, 's, 'w> {
    /// What it is made from.
    pub world: &'c World<'s>,
    /// The type asked for.
    pub qtype: Rtype,
    /// The message.
    pub writer: &'c mut Writer<'w>,
    /// What has come of it so far.
    pub resolution: Resolution,
    /// The names passed so far.
    pub links: Links<'s>,
    /// What goes into the additional section, once the authority section is whole.
    pub additional: Option<Additional<'s>>,
}

/// Addresses that go with an RRset.
pub(super) struct Additional<'s> {
    /// The records.
    pub piece: Piece<'s>,
    /// Signatures over them, if they are wanted.
    pub signatures: Option<Piece<'s>>,
    /// RFC 9471 §3: a referral without its glue is truncated. Elsewhere addresses are a courtesy.
    pub is_glue: bool,
}

impl Chain<'_, '_, '_> {
    /// Where the suffix of `depth` labels owns records.
    pub(super) fn anchors<'n>(&self, name: &'n Suffixes, depth: usize) -> Anchors<'n> {
        Anchors { name, depth, is_exact: depth == name.label_count() }
    }
}
