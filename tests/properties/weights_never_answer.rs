//! What a server counted is no input of what it answers: two with other counters, and other slots, give equal bytes.

use std::sync::atomic::Ordering;

use homing::answer::{Core, Snapshot, Transport};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{answer, core, everything, opt, query};

const NAMES: [&[u8]; 5] = [
    b"\x03geo\x07example\x04test\0",
    b"\x01x\x03geo\x07example\x04test\0",
    b"\x05togeo\x07example\x04test\0",
    b"\x03www\x07example\x04test\0",
    b"\x07missing\x07example\x04test\0",
];

fn request(name: &[u8], rtype: u16, subnet: [u8; 3]) -> Vec<u8> {
    let subnet = [&[0, 8, 0, 7, 0, 1, 24, 0][..], &subnet].concat();
    query(0, name, rtype, 1, &opt(0, &subnet))
}

fn bytes(snapshot: &Snapshot, request: &[u8], core: &mut Core) -> Vec<u8> {
    let mut response = vec![0; 65_535];
    let len = answer(snapshot, request, Transport::Udp, core, &mut response).len();
    response.truncate(len);
    response
}

/// What the classes of this core's clients add up to.
fn counted(core: &Core) -> u64 {
    core.counters.classes.iter().map(|slot| slot.load(Ordering::Relaxed)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn other_counters_give_the_same_answer(
        before in proptest::collection::vec(any::<[u8; 3]>(), 0..50),
        name in select(&NAMES[..]),
        rtype in select(&[1u16, 28, 255, 16][..]),
        subnet in any::<[u8; 3]>(),
    ) {
        let snapshot = everything();
        let (mut busy, mut fresh) = (core(), core());
        for subnet in &before {
            bytes(snapshot, &request(NAMES[0], 1, *subnet), &mut busy);
        }
        prop_assert_eq!(counted(&busy), before.len() as u64, "each steered answer counts once");
        // The other one was given no slots at all.
        let slotless = Snapshot { steered: Default::default(), ..snapshot.clone() };
        let request = request(name, rtype, subnet);
        let (one, other) = (bytes(snapshot, &request, &mut busy), bytes(&slotless, &request, &mut fresh));
        prop_assert_eq!(one, other);
    }
}

#[test]
fn a_class_counts_in_its_own_slot() {
    let snapshot = everything();
    let mut core = core();
    let mut slots = Vec::new();
    // Amsterdam, then California: other classes wherever nearness decides.
    for subnet in [[193, 0, 0], [17, 0, 0], [193, 0, 0]] {
        bytes(snapshot, &request(NAMES[0], 1, subnet), &mut core);
        let held = core.counters.classes.iter().map(|slot| slot.load(Ordering::Relaxed));
        slots.push(held.enumerate().filter(|(_, count)| *count > 0).collect::<Vec<_>>());
    }
    assert_eq!(slots.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 2]);
    assert_eq!(counted(&core), 3);
    assert!(slots[2].iter().all(|(slot, _)| *slot > 0), "{slots:?}");
}
