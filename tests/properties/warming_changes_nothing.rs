//! Memory is fetched for a batch before its answers are made: no answer is another for it, whatever the batch holds.

use homing::answer::{Transport, warm};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::world::{LARGE_NAME_COUNT, answer, core, large, query};

fn name(labels: &[String]) -> Vec<u8> {
    let labels = labels.iter().map(String::as_str).chain(["large", "test"]);
    let label = |label: &str| [&[label.len() as u8], label.as_bytes()].concat();
    labels.map(label).chain([vec![0]]).collect::<Vec<_>>().concat()
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let known = (0..LARGE_NAME_COUNT * 2).prop_map(|n| vec![format!("n{n}")]);
    let wild = "[a-z]{1,9}".prop_map(|label| vec![label, "wild".to_owned()]);
    let sound =
        prop_oneof![8 => known, 2 => wild].prop_map(|labels| query(0, &name(&labels), 1, 0, &[]));
    prop_oneof![9 => sound, 1 => vec(any::<u8>(), 0..60)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_batch_holds(requests in vec(request(), 0..80)) {
        let (mut cold, mut warmed) = (core(), core());
        warm(large(), requests.iter().map(Vec::as_slice), &mut warmed);
        let mut buffers = [vec![0; 2_000], vec![0; 2_000]];
        for request in &requests {
            let [one, other] = &mut buffers;
            let expected = answer(large(), request, Transport::Udp, &mut cold, one);
            let found = answer(large(), request, Transport::Udp, &mut warmed, other);
            prop_assert_eq!(found.len(), expected.len());
            prop_assert_eq!(&other[..found.len()], &one[..expected.len()]);
        }
    }
}
