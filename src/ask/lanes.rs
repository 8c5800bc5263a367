//! The address space walked once, along several divisions of it side by side.
//!
//! A lane is one division: where each of its runs begins, and the number of what holds there. Every address counts, none is
//! sampled.

use std::iter::Peekable;

use crate::geo::{PlaceId, Ranges, World, special_runs_v4};
use crate::number::ClassId;

use super::extent::{Range, Version};

/// What holds in a run of one lane; none where the lane has nothing to say.
pub(super) type Held = Option<u32>;

/// One division of the IPv4 space and of the IPv6 space. Each begins at 0, in order.
pub(super) struct Lane<'r> {
    v4: Starts<'r>,
    v6: Starts<'r>,
}

type Starts<'r> = Box<dyn Iterator<Item = (u128, Held)> + 'r>;

/// The places of `world`; [`place_at`] reads them.
pub(super) fn places(world: &World) -> Lane<'_> {
    let held = |(start, place): (u128, PlaceId)| (start, Some(place.0));
    Lane { v4: Box::new(world.runs_v4().map(held)), v6: Box::new(world.runs_v6().map(held)) }
}

/// The classes of `ranges`; no ranges are one class for all. [`class_at`] reads them.
pub(super) fn classes(ranges: Option<&Ranges>) -> Lane<'_> {
    let Some(ranges) = ranges else {
        let all = || Box::new(std::iter::once((0, Some(0))));
        return Lane { v4: all(), v6: all() };
    };
    let number = |class: ClassId| u32::from(class.0);
    let v4 = ranges.runs_v4().map(move |(start, class)| (start, Some(number(class))));
    let v6 = ranges.runs_v6().map(move |(start, class)| (start, class.map(number)));
    Lane { v4: Box::new(v4), v6: Box::new(v6) }
}

/// Where clients on the Internet have their addresses: 0 there, nothing elsewhere. IPv4 less what is special-purpose or
/// multicast; of IPv6 global unicast as far as it is handed out, 2000::/3 (RFC 4291 §2.4, registry of IANA).
pub(super) fn public() -> Lane<'static> {
    let v4 = special_runs_v4().into_iter();
    let v4 = v4.map(|(start, special)| (u128::from(start), (!special).then_some(0)));
    let v6 = [(0, None), (0b001 << 125, Some(0)), (0b010 << 125, None)];
    Lane { v4: Box::new(v4), v6: Box::new(v6.into_iter()) }
}

/// The place that a lane of places holds.
pub(super) fn place_at(held: Held) -> PlaceId {
    PlaceId(held.unwrap_or(0))
}

/// The class that a lane of classes holds; none for addresses that embed IPv4, which have the classes of these.
pub(super) fn class_at(held: Held) -> Option<ClassId> {
    held.and_then(|class| u16::try_from(class).ok()).map(ClassId)
}

/// Calls `each` for every longest run in which none of the lanes changes: all of IPv4, then all of IPv6, in order.
pub(super) fn walk<const N: usize>(lanes: [Lane<'_>; N], mut each: impl FnMut(Range, [Held; N])) {
    let (mut v4, mut v6) = (Vec::with_capacity(N), Vec::with_capacity(N));
    for lane in lanes {
        v4.push(lane.v4.peekable());
        v6.push(lane.v6.peekable());
    }
    for (version, lanes, end) in
        [(Version::V4, v4, u128::from(u32::MAX)), (Version::V6, v6, u128::MAX)]
    {
        run(lanes, end, |first, last, held| each(Range { version, first, last }, held));
    }
}

fn run<const N: usize>(
    mut lanes: Vec<Peekable<Starts<'_>>>,
    end: u128,
    mut each: impl FnMut(u128, u128, [Held; N]),
) {
    let mut held = [None; N];
    let mut at = 0;
    loop {
        let mut next = None;
        for (lane, held) in lanes.iter_mut().zip(&mut held) {
            while let Some((_, holds)) = lane.next_if(|it| it.0 <= at) {
                *held = holds;
            }
            let start = lane.peek().map(|it| it.0).filter(|&start| start <= end);
            next = match (next, start) {
                (Some(a), Some(b)) => Some(u128::min(a, b)),
                (a, b) => a.or(b),
            };
        }
        match next {
            Some(next) => {
                each(at, next - 1, held);
                at = next;
            }
            None => return each(at, end, held),
        }
    }
}
