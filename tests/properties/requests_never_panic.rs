//! Any bytes at all are answered well or met with silence.

use homing::answer::{Outcome, Transcript, Transport, UDP_PAYLOAD_MAX};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::world::{answer, core, everything, opt, query};

const NAMES: [&[u8]; 8] = [
    b"\x03www\x07example\x04test\0",
    b"\x03GEO\x07eXample\x04test\0",
    b"\x01x\x03geo\x07example\x04test\0",
    b"\x01x\x02dn\x07example\x04test\0",
    b"\x01x\x04wild\x07example\x04test\0",
    b"\x01x\x05deleg\x07example\x04test\0",
    b"\x03big\x07example\x04test\0",
    b"\0",
];

/// Answers and judges: a response is well-formed, carries the ID, and fits; a response is never answered.
fn judge(request: &[u8], transport: Transport) -> Result<Outcome, TestCaseError> {
    let mut response = vec![0; 65_535];
    let outcome = answer(everything(), request, transport, &mut core(), &mut response);
    let is_query = request.len() >= 12 && request[2] & 0x80 == 0;
    prop_assert!(outcome.is_empty() || is_query, "answered what is no query");
    if !outcome.is_empty() {
        let response = &response[..outcome.len()];
        prop_assert_eq!(&response[..2], &request[..2], "the ID comes back");
        prop_assert!(response[2] & 0x80 != 0, "QR is set");
        prop_assert!(Transcript::read(response).is_some(), "well-formed: {:02x?}", response);
        if transport == Transport::Udp {
            prop_assert!(response.len() <= UDP_PAYLOAD_MAX, "{} octets", response.len());
        }
    }
    Ok(outcome)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_no_kind(request in vec(any::<u8>(), 0..600)) {
        judge(&request, Transport::Udp)?;
        judge(&request, Transport::Tcp)?;
    }

    #[test]
    fn queries_with_a_few_octets_changed(
        name in select(&NAMES[..]),
        rtype in prop_oneof![select(vec![1_u16, 2, 5, 6, 16, 28, 41, 255]), any::<u16>()],
        options in vec(any::<u8>(), 0..40),
        changes in vec((any::<Index>(), any::<u8>()), 0..6),
        cut in any::<Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut request = query(0, name, rtype, 1, &opt(0x8000, &options));
        for (index, octet) in changes {
            let at = index.index(request.len());
            request[at] = octet;
        }
        if is_cut {
            request.truncate(cut.index(request.len()));
        }
        judge(&request, Transport::Udp)?;
        judge(&request, Transport::Tcp)?;
    }

    #[test]
    fn sound_queries_are_always_answered(
        name in select(&NAMES[..]),
        rtype in any::<u16>(),
        source in 0_u8..=32,
        address in any::<u32>(),
    ) {
        let address = if source == 0 { 0 } else { address & (u32::MAX << (32 - source)) };
        let octets = &address.to_be_bytes()[..usize::from(source).div_ceil(8)];
        let mut option = vec![0, 8, 0, 4 + octets.len() as u8, 0, 1, source, 0];
        option.extend(octets);
        let outcome = judge(&query(0, name, rtype, 1, &opt(0, &option)), Transport::Udp)?;
        prop_assert!(!outcome.is_empty());
    }
}
