//! Several worlds into one: for each address the most specific knowledge of all.

use std::collections::HashMap;
use std::iter::Peekable;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::gazetteer;
use super::known::Known;
use super::layers::Layers;
use super::place::{Place, PlaceId};
use super::starts::{Address, List, Starts};
use super::world::{Places, World};

impl World {
    /// The most specific knowledge of all `worlds`: for each address the place known in most
    /// detail, the earlier one where two are equal, and the first known autonomous system beside
    /// it. Sources are kept in the order given.
    pub fn merge(worlds: Vec<World>) -> World {
        worlds.into_iter().reduce(merge_two).unwrap_or_else(World::unknown)
    }
}

fn merge_two(strong: World, weak: World) -> World {
    let ((strong, mut sources), (weak, others)) = (strong.into_parts(), weak.into_parts());
    let mut blend = Blend {
        details: [&strong.places, &weak.places].map(|places| places.iter().map(detail).collect()),
        weak: weak.places,
        places: Places::of(strong.places),
        known: HashMap::default(),
    };
    let v4 = blend.lists::<u32>(strong.v4.flat(), weak.v4.flat());
    let v6 = blend.lists::<u128>(strong.v6.flat(), weak.v6.flat());
    sources.extend(others);
    World::of(Known { v4, v6, places: blend.places.into_list() }, sources)
}

/// Places of two worlds into those of one. The ids of the stronger stay.
struct Blend {
    details: [Vec<u8>; 2],
    weak: Vec<Place>,
    places: Places,
    known: HashMap<(PlaceId, PlaceId), PlaceId, FixedState>,
}

impl Blend {
    /// A family that one of the two knows nothing of is taken from the other as it is: pairs of files are read so.
    fn lists<A: Address>(
        &mut self,
        strong: Arc<List<A::Key>>,
        weak: Arc<List<A::Key>>,
    ) -> Layers<A::Key> {
        if weak.is_unknown() {
            return Layers::of(strong);
        }
        if strong.is_unknown() {
            let weak = Arc::unwrap_or_clone(weak);
            return weak.with_places(|place| self.of(PlaceId(0), place)).into();
        }
        let mut starts = Starts::<A>::new();
        for (start, a, b) in Pairs::new(strong.iter(), weak.iter()) {
            starts.push_bits(start, self.of(a, b));
        }
        starts.into_list().into()
    }

    fn of(&mut self, a: PlaceId, b: PlaceId) -> PlaceId {
        if b == PlaceId(0) {
            return a;
        }
        if let Some(known) = self.known.get(&(a, b)) {
            return *known;
        }
        let [strong, weak] = [(0, a), (1, b)]
            .map(|(side, id)| self.details[side].get(id.0 as usize).copied().unwrap_or(0));
        let unknown = Place::default();
        let ours = self.places.get(a).unwrap_or(&unknown);
        let theirs = self.weak.get(b.0 as usize).unwrap_or(&unknown);
        let best = if weak > strong { theirs } else { ours };
        let place = Place { asn: ours.asn.or(theirs.asn), ..best.clone() };
        let id = self.places.id(place);
        self.known.insert((a, b), id);
        id
    }
}

/// How closely a place is known. A position that only stands in for its country or subdivision adds
/// nothing.
fn detail(place: &Place) -> u8 {
    let stand_in = || place.country.and_then(|c| gazetteer::place_centroid(c, place.subdivision));
    match place {
        Place { position: Some(_), .. } if place.position != stand_in() => 4,
        Place { subdivision: Some(_), .. } => 3,
        Place { country: Some(_), .. } => 2,
        Place { continent: Some(_), .. } => 1,
        _ => 0,
    }
}

/// Two lists of starts walked together: each start of either, with the places that hold from there.
struct Pairs<A: Iterator, B: Iterator> {
    a: Peekable<A>,
    b: Peekable<B>,
    holds: (PlaceId, PlaceId),
}

impl<A, B> Pairs<A, B>
where
    A: Iterator<Item = (u128, PlaceId)>,
    B: Iterator<Item = (u128, PlaceId)>,
{
    fn new(a: A, b: B) -> Pairs<A, B> {
        Pairs { a: a.peekable(), b: b.peekable(), holds: (PlaceId(0), PlaceId(0)) }
    }
}

impl<A, B> Iterator for Pairs<A, B>
where
    A: Iterator<Item = (u128, PlaceId)>,
    B: Iterator<Item = (u128, PlaceId)>,
{
    type Item = (u128, PlaceId, PlaceId);

    fn next(&mut self) -> Option<Self::Item> {
        let starts = [self.a.peek().map(|it| it.0), self.b.peek().map(|it| it.0)];
        let at = starts.into_iter().flatten().min()?;
        if let Some((_, place)) = self.a.next_if(|it| it.0 == at) {
            self.holds.0 = place;
        }
        if let Some((_, place)) = self.b.next_if(|it| it.0 == at) {
            self.holds.1 = place;
        }
        Some((at, self.holds.0, self.holds.1))
    }
}
