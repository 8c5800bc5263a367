//! The ranges of one family with others laid over them: what databases say, and the operator's word above it.
//!
//! What is below is shared with the world that it came from: a change of the operator's costs no copy of a database.

use std::sync::Arc;

use super::place::PlaceId;
use super::starts::{Key, List, Starts};

/// A whole address space: a range ends where the next begins, and the first begins at 0.
#[derive(Clone, Debug)]
pub(super) struct Layers<K> {
    below: Arc<List<K>>,
    /// Ranges of which something else is said, and between them [`SAME`].
    above: Option<Arc<List<K>>>,
}

/// Where nothing is said above, what is below holds.
pub(super) const SAME: PlaceId = PlaceId(u32::MAX);

impl<K: Key> From<List<K>> for Layers<K> {
    fn from(list: List<K>) -> Layers<K> {
        Layers { below: Arc::new(list), above: None }
    }
}

impl<K: Key> Layers<K> {
    /// The same ranges in one list; where nothing is above, they are that already.
    pub(super) fn flat(self) -> Arc<List<K>> {
        if self.above.is_none() {
            return self.below;
        }
        let mut starts = Starts::<K::Address>::new();
        self.iter().for_each(|(start, place)| starts.push_bits(start, place));
        Arc::new(starts.into_list())
    }

    /// These ranges, and nothing above them.
    pub(super) fn of(list: Arc<List<K>>) -> Layers<K> {
        Layers { below: list, above: None }
    }

    /// The same ranges below others.
    pub(super) fn under(below: Arc<List<K>>, above: List<K>) -> Layers<K> {
        Layers { below, above: Some(Arc::new(above)) }
    }

    /// Every start, in order, with the place that holds from there; neighbours differ.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u128, PlaceId)> + '_ {
        let mut below = self.below.iter().peekable();
        let mut above = self.above.iter().flat_map(|list| list.iter()).peekable();
        let (mut holds, mut last) = ((PlaceId(0), SAME), None);
        std::iter::from_fn(move || {
            loop {
                let starts = [below.peek().map(|it| it.0), above.peek().map(|it| it.0)];
                let at = starts.into_iter().flatten().min()?;
                if let Some((_, place)) = below.next_if(|it| it.0 == at) {
                    holds.0 = place;
                }
                if let Some((_, place)) = above.next_if(|it| it.0 == at) {
                    holds.1 = place;
                }
                let place = if holds.1 == SAME { holds.0 } else { holds.1 };
                if last.replace(place) != Some(place) {
                    return Some((at, place));
                }
            }
        })
    }

    /// The place of `address`, and the length of the shortest prefix around it that lies in its range.
    pub(super) fn find(&self, address: u128) -> (PlaceId, u8) {
        let (place, mut first, mut beyond) = self.piece(address);
        // Pieces of both layers may tell of one place.
        while let Some((same, more, _)) = first.checked_sub(1).map(|before| self.piece(before))
            && same == place
        {
            first = more;
        }
        while let Some((same, _, more)) = beyond.map(|beyond| self.piece(beyond))
            && same == place
        {
            beyond = more;
        }
        let shared = |outside: u128| (address ^ outside).leading_zeros() + K::WIDTH - 127;
        let before = first.checked_sub(1).map(shared);
        (place, before.max(beyond.map(shared)).unwrap_or(0) as u8)
    }

    /// The place of `address`, and where the range of either layer that it lies in begins, and the next one.
    fn piece(&self, address: u128) -> (PlaceId, u128, Option<u128>) {
        let below = self.below.range(address);
        let Some(above) = self.above.as_ref().map(|list| list.range(address)) else { return below };
        if above.0 != SAME {
            return above;
        }
        let beyond = [below.2, above.2].into_iter().flatten().min();
        (below.0, below.1.max(above.1), beyond)
    }
}
