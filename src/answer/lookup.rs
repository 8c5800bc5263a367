//! A name in a zone: which node answers for it (RFC 1034 §4.3.2, RFC 4592 §3.3.1, RFC 6672 §3.2).

use crate::wire::{NAME_LEN_MAX, Rtype};

use super::image::ZoneImage;
use super::node::{Node, NodeFlags};
use super::suffix::{Seed, Suffixes};

/// What became of a name.
#[derive(Clone, Copy)]
pub enum Found<'z> {
    /// The name exists.
    Exact {
        /// Its node.
        node: Node<'z>,
    },
    /// The name does not exist, but a wildcard is the source of synthesis.
    Wildcard {
        /// The wildcard's node.
        node: Node<'z>,
        /// Labels of the closest encloser.
        encloser: usize,
    },
    /// The name is at or below a zone cut.
    Cut {
        /// The owner of the NS RRset.
        node: Node<'z>,
        /// Its labels.
        depth: usize,
    },
    /// The name is below a DNAME.
    Dname {
        /// The owner of the DNAME.
        node: Node<'z>,
        /// Its labels.
        depth: usize,
    },
    /// The name does not exist.
    Absent {
        /// Labels of the closest encloser.
        encloser: usize,
    },
}

/// Looks `name` up in the zone that encloses it: one probe for the name, one for its parent, one for each halving of the
/// depth between, and at most two more.
pub fn look_up<'z>(zone: &'z ZoneImage, seed: &Seed, name: &Suffixes, qtype: Rtype) -> Found<'z> {
    let whole = name.label_count();
    let Some((node, depth)) = closest(zone, name) else {
        return Found::Absent { encloser: zone.depth() };
    };
    // What lies under a cut or a DNAME is occluded, whatever the file says of it (RFC 6672 §2.4).
    if let Some(depth) = node.occluder()
        && let Some(node) = zone.node(name, depth)
    {
        let is_cut = node.has(NodeFlags::CUT);
        return if is_cut { Found::Cut { node, depth } } else { Found::Dname { node, depth } };
    }
    // RFC 4035 §3.1.4.1: the parent's side of a cut owns the DS RRset.
    if node.has(NodeFlags::CUT) && !(depth == whole && qtype == Rtype::DS) {
        return Found::Cut { node, depth };
    }
    if depth == whole {
        return Found::Exact { node };
    }
    if node.has(NodeFlags::DNAME) {
        return Found::Dname { node, depth };
    }
    // Random names below a name without a wildcard are what floods are made of: those cost no further probe.
    if node.has(NodeFlags::HAS_WILDCARD)
        && let Some(node) = wildcard(zone, seed, name, depth)
    {
        return Found::Wildcard { node, encloser: depth };
    }
    Found::Absent { encloser: depth }
}

/// The deepest existing node at or above the name, and its labels.
///
/// Empty non-terminals are stored, so a name exists only if its parent does: after a miss and a look at the parent, the
/// depths between are searched by halves.
fn closest<'z>(zone: &'z ZoneImage, name: &Suffixes) -> Option<(Node<'z>, usize)> {
    let whole = name.label_count();
    for depth in [whole, whole.saturating_sub(1).max(zone.depth())] {
        if let Some(node) = zone.node(name, depth) {
            return Some((node, depth));
        }
    }
    let (mut low, mut high) = (zone.depth(), whole.saturating_sub(1));
    let mut found = (zone.node(name, low)?, low);
    while high - low > 1 {
        let middle = low.midpoint(high);
        match zone.node(name, middle) {
            Some(node) => (found, low) = ((node, middle), middle),
            None => high = middle,
        }
    }
    Some(found)
}

/// The child `*` of the closest encloser.
fn wildcard<'z>(
    zone: &'z ZoneImage,
    seed: &Seed,
    name: &Suffixes,
    depth: usize,
) -> Option<Node<'z>> {
    const ASTERISK: &[u8] = b"\x01*";
    let encloser = name.relative(depth, zone.depth());
    let mut owner = [0; NAME_LEN_MAX + ASTERISK.len()];
    owner[..ASTERISK.len()].copy_from_slice(ASTERISK);
    let owner = owner.get_mut(..ASTERISK.len() + encloser.len())?;
    owner[ASTERISK.len()..].copy_from_slice(encloser);
    zone.find(seed.extend(name.hash(depth), ASTERISK), owner)
}
