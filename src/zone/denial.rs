//! Proofs that a name or a type does not exist, from the NSEC (RFC 4035 §3.1.3) or NSEC3 (RFC 5155
//! §7.2) of a zone.

use data_encoding::BASE32HEX_NOPAD;
use sha1::{Digest as _, Sha1};

use crate::wire::{Name, Rtype};

use super::rrset::{Node, Rrset, Zone};

/// Iterations of the hash that are computed; more are refused by validators anyway (RFC 9276 §3.2).
const ITERATIONS_MAX: u16 = 500;

/// The RRsets of a proof, with their owners and nodes.
pub(super) type Proof<'z> = Vec<(&'z Name, &'z Node, &'z Rrset)>;

/// `name` exists, or is a cut, and lacks the type.
pub(super) fn nodata<'z>(zone: &'z Zone, name: &Name) -> Proof<'z> {
    match Chain::of(zone) {
        Chain::None => Vec::new(),
        Chain::Nsec => nsec_at_or_before(zone, name).into_iter().collect(),
        Chain::Nsec3(chain) => match chain.matching(name) {
            Some(found) => vec![found],
            // RFC 5155 §7.2.4: an unsigned delegation under opt-out has no NSEC3 of its own.
            None => chain.closest_encloser_proof(name),
        },
    }
}

/// `name` does not exist below `encloser`, and no wildcard does.
pub(super) fn nxdomain<'z>(zone: &'z Zone, name: &Name, encloser: &Name) -> Proof<'z> {
    let wildcard = encloser.prepend(b"*").ok();
    match Chain::of(zone) {
        Chain::None => Vec::new(),
        Chain::Nsec => {
            let names = [Some(name), wildcard.as_ref()];
            names.into_iter().flatten().filter_map(|n| nsec_at_or_before(zone, n)).collect()
        }
        Chain::Nsec3(chain) => {
            let mut proof = chain.closest_encloser_proof(name);
            // Under opt-out the encloser that can be proved may lie above the one that exists.
            let provable = chain.provable_encloser(name);
            let wildcard = provable.and_then(|n| n.prepend(b"*").ok());
            proof.extend(wildcard.and_then(|w| chain.covering(&w)));
            proof
        }
    }
}

/// `name` does not exist below `encloser`, so that the wildcard there may answer.
pub(super) fn wildcard_answer<'z>(zone: &'z Zone, name: &Name, encloser: &Name) -> Proof<'z> {
    match Chain::of(zone) {
        Chain::None => Vec::new(),
        Chain::Nsec => nsec_at_or_before(zone, name).into_iter().collect(),
        Chain::Nsec3(chain) => {
            let next = next_closer(name, encloser);
            next.and_then(|n| chain.covering(&n)).into_iter().collect()
        }
    }
}

/// `name` does not exist below `encloser`, and the wildcard `source` lacks the type.
pub(super) fn wildcard_nodata<'z>(
    zone: &'z Zone,
    name: &Name,
    encloser: &Name,
    source: &Name,
) -> Proof<'z> {
    let mut proof = wildcard_answer(zone, name, encloser);
    match Chain::of(zone) {
        Chain::None => {}
        Chain::Nsec => proof.extend(nsec_at_or_before(zone, source)),
        Chain::Nsec3(chain) => {
            proof.extend(chain.matching(encloser));
            proof.extend(chain.matching(source));
        }
    }
    proof
}

enum Chain<'z> {
    None,
    Nsec,
    Nsec3(Nsec3<'z>),
}

/// One chain of NSEC3 records.
struct Nsec3<'z> {
    zone: &'z Zone,
    iterations: u16,
    salt: &'z [u8],
}

impl<'z> Chain<'z> {
    fn of(zone: &'z Zone) -> Chain<'z> {
        if zone.rrset(&zone.apex, Rtype::NSEC).is_some() {
            return Chain::Nsec;
        }
        let parameters = zone.rrset(&zone.apex, Rtype::NSEC3PARAM);
        let chains = parameters.into_iter().flat_map(|r| &r.rdata);
        let chain = chains.filter_map(|rdata| Nsec3::of(zone, rdata)).next();
        chain.map_or(Chain::None, Chain::Nsec3)
    }
}

/// The NSEC at `name`, or else the one whose gap it lies in.
fn nsec_at_or_before<'z>(zone: &'z Zone, name: &Name) -> Option<(&'z Name, &'z Node, &'z Rrset)> {
    let before = zone.nodes.range(..=name).rev();
    before.filter_map(|(owner, node)| Some((owner, node, node.rrset(Rtype::NSEC)?))).next()
}

impl<'z> Nsec3<'z> {
    /// The chain that an NSEC3PARAM names: hash 1 (SHA-1) and flags 0 only (RFC 5155 §4.1.2).
    fn of(zone: &'z Zone, parameters: &'z [u8]) -> Option<Nsec3<'z>> {
        let (&[1, 0, high, low, salt_len], salt) = parameters.split_first_chunk()? else {
            return None;
        };
        let iterations = u16::from_be_bytes([high, low]);
        let whole = salt.len() == usize::from(salt_len) && iterations <= ITERATIONS_MAX;
        whole.then_some(Nsec3 { zone, iterations, salt })
    }

    /// RFC 5155 §5: the owner that `name` has in the chain.
    fn hashed_owner(&self, name: &Name) -> Option<Name> {
        let salted = |octets: &[u8]| Sha1::new().chain_update(octets).chain_update(self.salt);
        let mut hash = salted(&name.to_folded()).finalize();
        for _ in 0..self.iterations {
            hash = salted(&hash).finalize();
        }
        self.zone.apex.prepend(BASE32HEX_NOPAD.encode(&hash).as_bytes()).ok()
    }

    fn of_chain(
        &self,
        (owner, node): (&'z Name, &'z Node),
    ) -> Option<(&'z Name, &'z Node, &'z Rrset)> {
        let rrset = node.rrset(Rtype::NSEC3)?;
        let in_chain = owner.label_count() == self.zone.apex.label_count() + 1;
        in_chain.then_some((owner, node, rrset))
    }

    fn matching(&self, name: &Name) -> Option<(&'z Name, &'z Node, &'z Rrset)> {
        let owner = self.hashed_owner(name)?;
        self.of_chain(self.zone.nodes.get_key_value(&owner)?)
    }

    /// The NSEC3 whose gap holds `name`; the last one's gap reaches around to the first.
    fn covering(&self, name: &Name) -> Option<(&'z Name, &'z Node, &'z Rrset)> {
        let owner = self.hashed_owner(name)?;
        let chain = |node| self.of_chain(node);
        let before = self.zone.nodes.range(..&owner).rev().find_map(chain);
        before.or_else(|| self.zone.nodes.iter().rev().find_map(chain))
    }

    /// The closest ancestor of `name`, or itself, that the chain shows to exist.
    fn provable_encloser(&self, name: &Name) -> Option<Name> {
        std::iter::successors(Some(name.clone()), Name::parent)
            .take_while(|n| n.is_at_or_below(&self.zone.apex))
            .find(|n| self.matching(n).is_some())
    }

    /// RFC 5155 §7.2.1: the closest provable encloser exists, the next closer name does not.
    fn closest_encloser_proof(&self, name: &Name) -> Proof<'z> {
        let Some(encloser) = self.provable_encloser(name) else { return Vec::new() };
        let next = next_closer(name, &encloser);
        let covering = next.and_then(|n| self.covering(&n));
        self.matching(&encloser).into_iter().chain(covering).collect()
    }
}

/// The name one label longer than `encloser` on the way to `name` (RFC 5155 §1.3).
fn next_closer(name: &Name, encloser: &Name) -> Option<Name> {
    let count = name.label_count().checked_sub(encloser.label_count() + 1)?;
    let mut next = name.clone();
    for _ in 0..count {
        next = next.parent()?;
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::*;

    // RFC 5155 appendix A.
    #[test]
    fn owners_are_hashed() {
        let name = |text: &str| Name::parse(text, &Name::root()).unwrap();
        let text = b"@ 60 SOA . . 1 2 3 4 60\n NS .\n NSEC3PARAM 1 0 12 aabbccdd\n";
        let parsed = parse("z", text, &name("example."), &|_, _| Err(String::new()));
        let zone = parsed.zone.unwrap();
        let Chain::Nsec3(chain) = Chain::of(&zone) else { panic!("no chain") };
        for (owner, hash) in [
            ("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("*.W.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
        ] {
            assert_eq!(chain.hashed_owner(&name(owner)), Some(name(&format!("{hash}.example."))));
        }
        let next = next_closer(&name("a.b.c.example."), &name("example."));
        assert_eq!(next, Some(name("c.example.")));
        assert_eq!(next_closer(&name("example."), &name("example.")), None);
    }
}
