//! No sequence of events leaves a routed name without an answer, unless its policy says so.

use homing::answer::{Snapshot, Transport};
use homing::health::Tier;
use proptest::prelude::*;

use crate::happenings::{ALWAYS, Lived, NODATA, SERVFAIL, any_course};
use crate::world::{answer, core, opt, query};

/// Networks of Amsterdam, California, Sydney, and of nobody.
const SUBNETS: [[u8; 3]; 4] = [[193, 0, 0], [17, 0, 0], [1, 128, 0], [240, 0, 0]];

/// By type, whether an address is of its family.
const FAMILIES: [(u16, bool); 2] = [(1, false), (28, true)];

/// The response code and the number of answers.
fn ask(snapshot: &Snapshot, label: &[u8], rtype: u16, subnet: [u8; 3]) -> (u8, u16) {
    let name = [label, b"\x07example\x04test\0"].concat();
    let option = [&[0, 8, 0, 7, 0, 1, 24, 0][..], &subnet].concat();
    let request = query(0, &name, rtype, 1, &opt(0, &option));
    let mut response = vec![0; 65_535];
    let len = answer(snapshot, &request, Transport::Udp, &mut core(), &mut response).len();
    assert!(len >= 12, "no answer");
    (response[3] & 15, u16::from_be_bytes([response[6], response[7]]))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_routed_name_always_has_an_answer_unless_its_policy_says_so(course in any_course()) {
        let mut lived = Lived::new();
        for (wait, happening) in &course {
            lived.take(*wait, happening);
            let snapshot = lived.snapshot();
            for (rtype, is_v6) in FAMILIES {
                let usable = lived.state.members().any(|(member, standing)| {
                    &*member.pool == "web"
                        && member.address.contains(':') == is_v6
                        && matches!(standing.tier, Tier::Up | Tier::Degraded)
                });
                for subnet in SUBNETS {
                    for label in ALWAYS {
                        let (rcode, count) = ask(&snapshot, label, rtype, subnet);
                        prop_assert!(rcode == 0 && count > 0, "{happening:?}: {label:?} {rcode} {count}");
                    }
                    for (label, rcode_of_last_resort) in [(NODATA, 0), (SERVFAIL, 2)] {
                        let (rcode, count) = ask(&snapshot, label, rtype, subnet);
                        let expected = if usable { (0, true) } else { (rcode_of_last_resort, false) };
                        prop_assert_eq!((rcode, count > 0), expected, "{:?}: {:?}", happening, label);
                    }
                }
            }
        }
    }
}
