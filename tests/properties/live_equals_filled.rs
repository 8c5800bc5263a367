//! A table that was kept up with events is the one that is filled from nothing, however the events came in batches.

use homing::number::ClassId;
use homing::route::{Family, fill};
use proptest::prelude::*;

use crate::happenings::{Lived, any_course};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_table_kept_up_with_events_is_the_one_that_is_filled(
        course in any_course(),
        batch_len in 1..5usize,
    ) {
        let mut lived = Lived::new();
        for batch in course.chunks(batch_len) {
            for (wait, happening) in batch {
                lived.fold(*wait, happening);
            }
            lived.follow();
            let plans = lived.parts().plans.iter();
            for (plan, kept) in plans.zip(lived.tables()) {
                let filled = fill(plan, &lived.state);
                prop_assert_eq!(&*kept, &filled, "{}: {:?}", plan.name, batch);
                for class in (0..plan.class_count()).map(|class| ClassId(class as u16)) {
                    for (family, bucket) in [(Family::V4, 0), (Family::V4, 255), (Family::V6, 77)] {
                        let (is, should_be) =
                            (kept.choice(class, family, bucket), filled.choice(class, family, bucket));
                        prop_assert!(is.is_some());
                        prop_assert_eq!(is, should_be, "{}: {:?}", plan.name, batch);
                    }
                }
            }
        }
    }
}
