//! The rings of NSEC3 records, one for each set of parameters (RFC 5155 §7.1).

use std::collections::BTreeMap;

use data_encoding::BASE32HEX_NOPAD;

use crate::wire::Rtype;

use super::super::super::report::Mark;
use super::super::super::rrset::Zone;
use super::super::placed::{Placed, Remarks};

/// RFC 9276 §3.2: what validators may treat as insecure or refuse.
const ITERATIONS_MAX: u16 = 100;

/// Hash algorithm, iterations and salt.
type Parameters = (u8, u16, Box<[u8]>);

/// The NSEC3 records of a zone, while it is walked.
pub struct Nsec3<'z> {
    zone: &'z Zone,
    rings: BTreeMap<Parameters, Vec<Link>>,
    wanted: BTreeMap<Parameters, Mark>,
}

struct Link {
    own: Vec<u8>,
    next: Box<[u8]>,
    mark: Mark,
}

impl<'z> Nsec3<'z> {
    pub fn new(zone: &'z Zone) -> Nsec3<'z> {
        Nsec3 { zone, rings: BTreeMap::new(), wanted: BTreeMap::new() }
    }

    /// Looks at one node.
    pub fn look(&mut self, placed: Placed<'z>) {
        for (rrset, marks) in placed.rrsets() {
            for (rdata, &mark) in rrset.rdata.iter().zip(marks) {
                match (rrset.rtype, read(rdata)) {
                    (Rtype::NSEC3PARAM, Some((parameters, _))) => {
                        self.wanted.insert(parameters, mark);
                    }
                    (Rtype::NSEC3, Some((parameters, rest))) => {
                        self.rings.entry(parameters).or_default().extend(link(placed, rest, mark));
                    }
                    _ => break,
                }
            }
        }
    }

    /// Tells where a ring is broken, or not the one that is wanted.
    pub fn tell(self, remarks: &mut Remarks<'_, '_>) {
        let places = self.rings.iter().filter_map(|(p, ring)| Some((p, ring.first()?.mark)));
        for (parameters, mark) in self.wanted.iter().map(|(p, &mark)| (p, mark)).chain(places) {
            let iterations = parameters.1;
            if iterations > ITERATIONS_MAX {
                let help = "use 0 iterations and no salt (RFC 9276 §3.1)";
                remarks.say(mark, "nsec3-iterations", help, || {
                    format!("hashes are computed {iterations} times over")
                });
            }
        }
        for (parameters, ring) in &self.rings {
            let marks = ring.first().filter(|_| !self.wanted.contains_key(parameters));
            if let Some(link) = marks {
                let help = "sign the zone again (RFC 5155 §4)";
                remarks.say(link.mark, "nsec3param-mismatch", help, || {
                    format!("no NSEC3PARAM of {} has the parameters of this NSEC3", self.zone.apex)
                });
            }
            closed(ring, remarks);
        }
        for (_, &mark) in self.wanted.iter().filter(|(p, _)| !self.rings.contains_key(*p)) {
            let help = "sign the zone again (RFC 5155 §4)";
            remarks.say(mark, "nsec3param-mismatch", help, || {
                "no NSEC3 record has the parameters of this NSEC3PARAM".to_owned()
            });
        }
    }
}

fn closed(ring: &[Link], remarks: &mut Remarks<'_, '_>) {
    // In canonical order, which is that of the hashes: the base32hex alphabet ascends (RFC 5155 §1.3).
    let following = ring.iter().skip(1).chain(ring.first());
    for (link, next) in ring.iter().zip(following) {
        if *link.next != *next.own {
            let help = "sign the zone again (RFC 5155 §7.1)";
            remarks.say(link.mark, "nsec3-chain-broken", help, || {
                let text = |hash: &[u8]| BASE32HEX_NOPAD.encode(hash).to_ascii_lowercase();
                let (own, points, next) = (text(&link.own), text(&link.next), text(&next.own));
                format!("the NSEC3 of {own} points at {points}, and the next hash is {next}")
            });
        }
    }
}

/// The parameters at the start of NSEC3 and NSEC3PARAM, flags left out, and what follows them.
fn read(rdata: &[u8]) -> Option<(Parameters, &[u8])> {
    let (&[hash, _, high, low, salt_len], rest) = rdata.split_first_chunk()?;
    let (salt, rest) = rest.split_at_checked(usize::from(salt_len))?;
    Some(((hash, u16::from_be_bytes([high, low]), salt.into()), rest))
}

fn link(placed: Placed<'_>, rest: &[u8], mark: Mark) -> Option<Link> {
    let label = placed.owner.labels().next()?.to_ascii_uppercase();
    let own = BASE32HEX_NOPAD.decode(&label).ok()?;
    let (&len, rest) = rest.split_first()?;
    Some(Link { own, next: rest.get(..usize::from(len))?.into(), mark })
}
