//! A step of a drain moves only its share of the clients, and an undrain moves exactly those back.

use homing::health::State;
use homing::health::{Member, Standing};
use homing::number::ClassId;
use homing::route::{Family, Plan, Verdicts, fill};
use proptest::prelude::*;

use crate::happenings::{Happening, Lived, any_course};

/// The state, but for one region that keeps another share.
struct Kept<'s>(&'s State, &'s str, u16);

impl Verdicts for Kept<'_> {
    fn standing(&self, member: &Member) -> Standing {
        self.0.standing(member)
    }

    fn keep(&self, region: &str) -> u16 {
        if region == self.1 { self.2 } else { self.0.keep(region) }
    }
}

/// Every class and bucket of `table` gets what it gets when `region` keeps all, if it is within the share that the region
/// keeps, and what it gets when the region is empty, if it is not.
fn holds_its_share(plan: &Plan, state: &State, region: &str) -> Result<(), TestCaseError> {
    let keep = state.keep(region);
    let table = fill(plan, state);
    let [all, none] = [256, 0].map(|keep| fill(plan, &Kept(state, region, keep)));
    let classes = (0..table.class_count()).map(|class| ClassId(class as u16));
    for (class, bucket) in classes.flat_map(|class| (0..=u8::MAX).map(move |it| (class, it))) {
        let like = if u16::from(bucket) < keep { &all } else { &none };
        for family in [Family::V4, Family::V6] {
            prop_assert_eq!(
                table.choice(class, family, bucket),
                like.choice(class, family, bucket),
                "{}: {:?}, bucket {}, keeps {}",
                plan.name,
                class,
                bucket,
                keep
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn each_step_moves_only_its_share_and_undrain_reverses_it(
        course in any_course(),
        region in prop::sample::select(vec!["fra", "iad", "sin"]),
        to in prop_oneof![Just(0), any::<u8>()],
        over_millis in prop::sample::select(vec![0, 90_000, 3_600_000]),
    ) {
        let mut lived = Lived::new();
        for (wait, happening) in &course {
            lived.take(*wait, happening);
        }
        // From here on only drains happen; what waits for its time has come to pass.
        lived.take(0, &Happening::Undrain(region, 0));
        lived.take(10_000_000, &Happening::Tick);
        let before = lived.tables();
        let mut keeps = vec![lived.state.keep(region)];
        for (wish, is_back) in [
            (Happening::Drain(region, to, over_millis), false),
            (Happening::Undrain(region, over_millis), true),
        ] {
            lived.take(0, &wish);
            loop {
                for plan in lived.parts().plans.iter() {
                    holds_its_share(plan, &lived.state, region)?;
                }
                let (last, keep) = (*keeps.last().unwrap(), lived.state.keep(region));
                prop_assert!(if is_back { keep >= last } else { keep <= last }, "{:?} {}", keeps, keep);
                keeps.push(keep);
                let Some(due) = lived.state.deadline() else { break };
                lived.take(due.millis_since(lived.state.now()), &Happening::Tick);
            }
            prop_assert_eq!(lived.state.keep(region), if is_back { 256 } else { u16::from(to) });
            prop_assert!(keeps.len() <= 22, "at most ten steps each way: {:?}", keeps);
        }
        prop_assert_eq!(lived.tables(), before, "as if it had never been");
    }
}
