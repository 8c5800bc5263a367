//! Method: steering text and a handful of verdicts in, and for each family the region, the reason
//! and the addresses out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use proptest::prelude::*;

use crate::diagnostic::has_error;
use crate::geo::World;
use crate::health::{Freshness, LogTime, Member, Settings, Standing, Status, Tier};
use crate::number::{ClassId, PrefixLen, Revision};
use crate::reason::Reason;
use crate::route::*;
use crate::trace::{ClientSource, Silent};

const REGIONS: &str = "fra = { position = [50.11, 8.68] }\niad = { position = [38.95, -77.45] }\n\
                       syd = { position = [-33.87, 151.2] }\n";
const POOL: &str = "[pools.web]\nfra = ['192.0.2.10', '2001:db8:1::10']\niad = ['198.51.100.10', '2001:db8:2::10']\n\
                    syd = ['203.0.113.10', '203.0.113.11', '203.0.113.12']\n[policies.web]\npool = 'web'\n";

/// A supposition about endpoints and regions.
#[derive(Clone, Debug, Default)]
struct Supposed {
    tiers: BTreeMap<Box<str>, Tier>,
    keeps: BTreeMap<Box<str>, u16>,
    steady_millis: Option<u64>,
}

impl Verdicts for Supposed {
    fn standing(&self, member: &Member) -> Standing {
        Standing {
            tier: self.tiers.get(&member.address).copied().unwrap_or(Tier::Up),
            verdict: Status::Up,
            reason: Reason::Quorum,
            since: LogTime(0),
            since_revision: Revision(0),
            freshness: Freshness::Fresh,
            next_change: None,
            steady_millis: self.steady_millis,
        }
    }

    fn keep(&self, region: &str) -> u16 {
        self.keeps.get(region).copied().unwrap_or(256)
    }
}

/// Reads `192.0.2.10=down 2001:db8::1=overridden fra=128`.
fn supposed(text: &str) -> Supposed {
    let mut supposed = Supposed::default();
    for (key, value) in text.split_whitespace().map(|pair| pair.split_once('=').unwrap()) {
        let tier = match value {
            "degraded" => Tier::Degraded,
            "down" => Tier::Down,
            "overridden" => Tier::OverriddenDown,
            keep => {
                supposed.keeps.insert(key.into(), keep.parse().unwrap());
                continue;
            }
        };
        supposed.tiers.insert(key.into(), tier);
    }
    supposed
}

fn world() -> World {
    World::unknown()
}

fn plan(steering: &str) -> std::sync::Arc<Plan> {
    let (steering, diagnostics) = parse_steering("zones/x.toml", steering.as_bytes());
    let steering = steering.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let regions = parse_regions("geo/regions.toml", REGIONS.as_bytes()).0.unwrap();
    let compiled = compile(&[steering], &regions, &world(), None, &Settings::default());
    assert!(!has_error(&compiled.diagnostics), "{:?}", compiled.diagnostics);
    compiled.plans[0].clone()
}

fn cell(table: &PolicyTable, family: Family, bucket: u8) -> Choice<'_> {
    table.choice(ClassId(0), family, bucket).unwrap()
}

/// The addresses of records, or the kind of answer.
fn addresses(answer: &ChoiceAnswer) -> Vec<String> {
    let ChoiceAnswer::Records { count, bytes } = answer else {
        return vec![format!("{answer:?}").to_lowercase()];
    };
    let (mut rest, mut found) = (&bytes[..], Vec::new());
    while let [0xc0, 0x0c, _, rtype, 0, 1, _, _, _, _, _, len, after @ ..] = rest {
        let (rdata, after) = after.split_at(usize::from(*len));
        found.push(match (rtype, rdata.len()) {
            (1, 4) => IpAddr::from(<[u8; 4]>::try_from(rdata).unwrap()).to_string(),
            (28, 16) => IpAddr::from(<[u8; 16]>::try_from(rdata).unwrap()).to_string(),
            _ => format!("type {rtype} {}", String::from_utf8_lossy(rdata)),
        });
        rest = after;
    }
    assert_eq!((rest.len(), usize::from(*count)), (0, found.len()));
    found
}

fn shown(plan: &Plan, table: &PolicyTable, family: Family, bucket: u8) -> String {
    let choice = cell(table, family, bucket);
    let region = choice.region.and_then(|id| plan.region_name(id)).unwrap_or("-");
    format!("{region} {} {}", choice.reason, addresses(choice.answer).join(" "))
}

/// One policy with these lines, under these verdicts, gives these A and AAAA answers to bucket 200.
#[track_caller]
fn check(policy: &str, verdicts: &str, a: &str, aaaa: &str) {
    let plan = plan(&format!("{POOL}{policy}"));
    let verdicts = supposed(verdicts);
    let table = fill(&plan, &verdicts);
    assert_eq!(table.class_count(), plan.class_count());
    let answers = [Family::V4, Family::V6].map(|family| shown(&plan, &table, family, 200));
    assert_eq!(answers, [a, aaaa], "{policy}");
    for family in [Family::V4, Family::V6] {
        // The account tells the same story as the row.
        let accounts = account(&plan, ClassId(0), family, 200, &verdicts);
        let choice = cell(&table, family, 200);
        let taken = accounts.iter().find_map(|account| match account.fate {
            Fate::Taken(reason) => Some((account.region, reason)),
            Fate::Struck(_) | Fate::Behind => None,
        });
        assert_eq!(taken, choice.region.map(|region| (region, choice.reason)), "{policy}");
        assert_eq!(accounts.len(), 3);
    }
}

const LISTED: &str = "rules = [{ regions = ['fra', 'iad'] }]\n";

#[test]
fn the_first_region_with_an_eligible_endpoint_gives_all_the_addresses() {
    check(LISTED, "", "fra rule 192.0.2.10", "fra rule 2001:db8:1::10");
    check(LISTED, "192.0.2.10=down", "iad spill 198.51.100.10", "fra rule 2001:db8:1::10");
    let down = "192.0.2.10=down 198.51.100.10=down 203.0.113.11=down";
    check(LISTED, down, "syd spill 203.0.113.10 203.0.113.12", "fra rule 2001:db8:1::10");
}

#[test]
fn tiers_go_over_the_whole_order() {
    // Degraded anywhere comes behind up everywhere.
    check(LISTED, "192.0.2.10=degraded", "iad spill 198.51.100.10", "fra rule 2001:db8:1::10");
    let degraded = "192.0.2.10=degraded 198.51.100.10=degraded 203.0.113.10=down 203.0.113.11=down \
                    203.0.113.12=down";
    check(LISTED, degraded, "fra rule 192.0.2.10", "fra rule 2001:db8:1::10");
    // Drained but up comes behind degraded.
    let drained = format!("{degraded} fra=0");
    check(LISTED, &drained, "iad spill 198.51.100.10", "iad spill 2001:db8:2::10");
    let all_drained = "fra=0 iad=0 syd=0 198.51.100.10=degraded";
    check(LISTED, all_drained, "fra drained 192.0.2.10", "fra drained 2001:db8:1::10");
    check(
        LISTED,
        "fra=0 iad=0 syd=0 192.0.2.10=degraded 203.0.113.10=down 203.0.113.11=degraded \
         203.0.113.12=down",
        "iad drained 198.51.100.10",
        "fra drained 2001:db8:1::10",
    );
}

const V4_DOWN: &str =
    "192.0.2.10=down 198.51.100.10=down 203.0.113.10=down 203.0.113.11=down 203.0.113.12=down";

#[test]
fn when_all_are_down_the_policy_decides() {
    let v6 = "fra rule 2001:db8:1::10";
    let policy = |word: &str| format!("{LISTED}when_all_down = '{word}'\n");
    check(LISTED, V4_DOWN, "fra last-resort 192.0.2.10", v6);
    check(&policy("all"), V4_DOWN, "fra last-resort 192.0.2.10", v6);
    check(&policy("default"), V4_DOWN, "- default-rrset default", v6);
    check(&policy("nodata"), V4_DOWN, "- last-resort nodata", v6);
    check(&policy("servfail"), V4_DOWN, "- last-resort servfail", v6);
    // Drains still hold among those that are down, as if they were up.
    check(
        LISTED,
        &format!("{V4_DOWN} fra=0"),
        "iad last-resort 198.51.100.10",
        "iad spill 2001:db8:2::10",
    );
    // Overridden-down ones only if nothing else exists.
    let overridden = V4_DOWN.replacen("down", "overridden", 1);
    check(LISTED, &overridden, "iad last-resort 198.51.100.10", v6);
    let nothing = V4_DOWN.replace("down", "overridden");
    check(LISTED, &nothing, "fra last-resort 192.0.2.10", v6);
}

#[test]
fn families_are_decided_separately_or_together() {
    let together = format!("{LISTED}families = 'together'\n");
    check(&together, "", "fra rule 192.0.2.10", "fra rule 2001:db8:1::10");
    check(&together, "192.0.2.10=down", "iad spill 198.51.100.10", "iad spill 2001:db8:2::10");
    // Where no region can serve both, each family takes what it finds.
    check(
        &together,
        "192.0.2.10=down 2001:db8:2::10=down",
        "iad spill 198.51.100.10",
        "fra rule 2001:db8:1::10",
    );
    // NODATA only when no permitted region has the family.
    let syd = "rules = [{ regions = ['syd', 'iad'] }]\n";
    check(syd, "", "syd rule 203.0.113.11 203.0.113.12", "iad spill 2001:db8:2::10");
}

#[test]
fn nothing_overrides_a_fence() {
    let fenced = |rest: &str| format!("rules = [{{ regions = ['fra'], fence = true }}]\n{rest}");
    let v6 = "fra rule 2001:db8:1::10";
    check(&fenced(""), "192.0.2.10=down", "fra last-resort 192.0.2.10", v6);
    check(&fenced(""), "192.0.2.10=overridden", "fra last-resort 192.0.2.10", v6);
    check(&fenced(""), "fra=0", "fra drained 192.0.2.10", "fra drained 2001:db8:1::10");
    let default = fenced("when_all_down = 'default'\n");
    check(&default, "192.0.2.10=down", "fra last-resort 192.0.2.10", v6);
    let syd = "rules = [{ regions = ['syd'], fence = true }]\nanswers = 1\n";
    let table = fill(&plan(&format!("{POOL}{syd}")), &supposed(""));
    assert_eq!(*cell(&table, Family::V6, 0).answer, ChoiceAnswer::Nodata);
    assert_eq!(cell(&table, Family::V6, 0).reason, Reason::LacksFamily);
}

#[test]
fn an_answer_is_a_window_in_the_ring_of_eligible_endpoints() {
    let plan = plan(&format!("{POOL}rules = [{{ regions = ['syd', 'fra'] }}]\n"));
    let seen = |verdicts: &str| {
        let table = fill(&plan, &supposed(verdicts));
        let all: std::collections::BTreeSet<_> =
            (0..=255).map(|b| addresses(cell(&table, Family::V4, b).answer).join(" ")).collect();
        all.into_iter().collect::<Vec<_>>()
    };
    let windows =
        ["203.0.113.10 203.0.113.11", "203.0.113.11 203.0.113.12", "203.0.113.12 203.0.113.10"];
    assert_eq!(seen(""), windows);
    // Both that are left fit: one answer for all, and so no longer scope.
    assert_eq!(seen("203.0.113.11=down"), ["203.0.113.10 203.0.113.12"]);
    let table = fill(&plan, &supposed("203.0.113.11=down"));
    let bucket = |n: u8| {
        let asker = Asker { address: [10, 0, n, 1].into(), source: ClientSource::Subnet };
        choose(&plan, &table, Family::V4, asker, &mut Silent).unwrap().bucket
    };
    assert!((0..=255).all(|n| bucket(n) == 0));
}

#[test]
fn weights_decide_which_endpoint_comes_first() {
    let steering = "[pools.p]\nfra = [{ address = '192.0.2.1', weight = 3 }, '192.0.2.2']\n[policies.p]\npool = 'p'\n";
    let table = fill(&plan(steering), &supposed(""));
    let first = |b| addresses(cell(&table, Family::V4, b).answer)[0] == "192.0.2.1";
    assert_eq!((0..=255).filter(|&b| first(b)).count(), 192);
}

#[test]
fn host_names_answer_one_cname_for_every_type() {
    let steering = "[pools.p]\nfra = ['LB.fra.example.net.']\niad = ['lb.iad.example.net.']\n[policies.p]\npool = 'p'\n\
                    rules = [{ regions = ['fra', 'iad'] }]";
    let plan = plan(steering);
    assert!(plan.answers_names());
    assert!(!plan.has_family(Family::V4) && !plan.has_family(Family::V6));
    let table = fill(&plan, &supposed("lb.fra.example.net.=down"));
    assert_eq!(cell(&table, Family::V4, 0), cell(&table, Family::V6, 0));
    assert_eq!(
        shown(&plan, &table, Family::V6, 0),
        "iad spill type 5 \u{2}lb\u{3}iad\u{7}example\u{3}net\0"
    );
}

#[test]
fn the_ttl_is_the_time_to_the_next_possible_change_within_bounds() {
    let plan = plan(&format!("{POOL}{LISTED}ttl = {{ min = 5, max = 30 }}\n"));
    for (steady, ttl) in [(None, 30), (Some(0), 5), (Some(7_999), 7), (Some(99_000), 30)] {
        let verdicts = Supposed { steady_millis: steady, ..Supposed::default() };
        let table = fill(&plan, &verdicts);
        let ChoiceAnswer::Records { bytes, .. } = cell(&table, Family::V4, 0).answer else {
            panic!("no records")
        };
        assert_eq!(bytes[6..10], u32::to_be_bytes(ttl), "{steady:?}");
    }
}

const WEIGHTED: &str = "rules = [{ regions = [{ region = 'fra', weight = 75 }, { region = 'iad', weight = 20 }, \
                        { region = 'syd', weight = 5 }] }]\nanswers = 1\n";

fn regions(plan: &Plan, verdicts: &Supposed) -> Vec<String> {
    let table = fill(plan, verdicts);
    let name = |b| shown(plan, &table, Family::V4, b).split(' ').next().unwrap().to_owned();
    (0..=255).map(name).collect()
}

#[test]
fn a_weighted_rule_splits_buckets_and_spills_by_weight() {
    let plan = plan(&format!("{POOL}{WEIGHTED}"));
    let count = |regions: &[String], name: &str| regions.iter().filter(|r| *r == name).count();
    let all = regions(&plan, &supposed(""));
    assert_eq!(["fra", "iad", "syd"].map(|name| count(&all, name)), [192, 51, 13]);
    let without = regions(&plan, &supposed("192.0.2.10=down"));
    assert_eq!(["fra", "iad", "syd"].map(|name| count(&without, name)), [0, 205, 51]);
    let kept = all.iter().zip(&without).all(|(was, is)| was == is || was == "fra");
    assert!(kept, "only the buckets of the region that left may move");
    let table = fill(&plan, &supposed(""));
    assert_eq!(cell(&table, Family::V4, 0).reason, Reason::Weighted);
    let legend = plan.class_legend(ClassId(0)).unwrap();
    assert_eq!(legend.shares.iter().map(|s| s.1).collect::<Vec<_>>(), [192, 51, 13]);
}

#[test]
fn a_policy_that_uses_no_place_hashes_the_network_of_the_asker() {
    let plan = plan(&format!("{POOL}{WEIGHTED}"));
    let table = fill(&plan, &supposed(""));
    let ask = |address: &str| {
        let asker = Asker { address: address.parse().unwrap(), source: ClientSource::Subnet };
        choose(&plan, &table, Family::V4, asker, &mut Silent).unwrap()
    };
    assert!(!plan.uses_place());
    assert_eq!(ask("192.0.2.1").scope, PrefixLen(0));
    assert_eq!(ask("192.0.2.1"), ask("192.0.2.200"));
    assert_eq!(ask("2001:db8:1::1"), ask("2001:db8:1:ffff::1"));
    let buckets: std::collections::BTreeSet<u8> =
        (0..=255).map(|n| ask(&format!("10.0.{n}.1")).bucket).collect();
    assert!(buckets.len() > 128, "{}", buckets.len());
}

/// The hash is published: these values never change under one rules version.
#[test]
fn buckets_are_fixed_for_ever() {
    for (address, len, expected) in BUCKETS {
        assert_eq!(bucket(address.parse().unwrap(), PrefixLen(len)), expected, "{address}/{len}");
    }
}

const BUCKETS: [(&str, u8, u8); 6] = [
    ("192.0.2.0", 24, 21),
    ("192.0.2.77", 24, 21),
    ("192.0.2.0", 25, 160),
    ("0.0.0.0", 0, 244),
    ("2001:db8::", 48, 128),
    ("::", 0, 120),
];

fn verdicts() -> impl Strategy<Value = Supposed> {
    let addresses = [
        "192.0.2.10",
        "2001:db8:1::10",
        "198.51.100.10",
        "2001:db8:2::10",
        "203.0.113.10",
        "203.0.113.11",
        "203.0.113.12",
    ];
    let tier = prop::sample::select(vec![
        Tier::Up,
        Tier::Up,
        Tier::Degraded,
        Tier::Down,
        Tier::OverriddenDown,
    ]);
    let tiers = prop::collection::vec(tier, addresses.len());
    let keeps = prop::collection::vec(prop_oneof![Just(256u16), Just(0), 0u16..=256], 3);
    (tiers, keeps).prop_map(move |(tiers, keeps)| Supposed {
        tiers: addresses.iter().map(|&a| a.into()).zip(tiers).collect(),
        keeps: ["fra", "iad", "syd"].iter().map(|&r| r.into()).zip(keeps).collect(),
        steady_millis: None,
    })
}

fn policies() -> impl Strategy<Value = String> {
    let rules = prop::sample::select(vec![
        LISTED.to_owned(),
        WEIGHTED.replace("answers = 1\n", ""),
        "rules = [{ regions = ['syd', 'iad'], fence = true }]\n".to_owned(),
        "rules = [{ regions = ['syd', 'iad'] }]\n".to_owned(),
    ]);
    let families = prop::sample::select(vec!["separate", "together"]);
    (rules, families, 1u8..4).prop_map(|(rules, families, answers)| {
        format!("{POOL}{rules}families = '{families}'\nanswers = {answers}\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn rows_keep_their_laws(policy in policies(), verdicts in verdicts()) {
        let plan = plan(&policy);
        let table = fill(&plan, &verdicts);
        // Same input, same bytes; and the table covers the plan.
        prop_assert_eq!(&table, &fill(&plan, &verdicts));
        prop_assert_eq!(table.class_count(), plan.class_count());
        for family in [Family::V4, Family::V6] {
            for bucket in [0, 1, 77, 128, 255] {
                let choice = cell(&table, family, bucket);
                let region = choice.region.and_then(|id| plan.region_name(id));
                let found = addresses(choice.answer);
                // Everybody gets an answer, all of one region, and never across a fence.
                prop_assert!(region.is_some(), "{:?}", choice);
                let of_region = |address: &String| plan.members().any(|member| {
                    *member.address == **address && Some(&*member.region) == region
                });
                prop_assert!(!found.is_empty() && found.iter().all(of_region), "{:?}", found);
                if policy.contains("fence") {
                    prop_assert!(region != Some("fra"));
                }
                let accounts = account(&plan, ClassId(0), family, bucket, &verdicts);
                let taken = accounts.iter().find(|a| matches!(a.fate, Fate::Taken(_)));
                prop_assert_eq!(taken.map(|account| &*account.name), region);
            }
        }
    }

    #[test]
    fn a_drain_only_adds_movers_and_undrain_reverses_it(
        policy in policies(), verdicts in verdicts(), steps in prop::collection::vec(0u16..=256, 1..5),
    ) {
        let plan = plan(&policy);
        let step = |keep: u16| {
            let mut verdicts = verdicts.clone();
            verdicts.keeps.insert("syd".into(), keep);
            regions(&plan, &verdicts)
        };
        let mut steps = steps;
        steps.sort_unstable_by(|a, b| b.cmp(a));
        let whole = step(256);
        let mut last = whole.clone();
        let mut moved = vec![false; 256];
        for keep in steps {
            let next = step(keep);
            for (bucket, (was, is)) in last.iter().zip(&next).enumerate() {
                if was != is {
                    prop_assert!(was == "syd" && !moved[bucket], "{bucket}: {was} to {is}");
                    moved[bucket] = true;
                }
            }
            last = next;
        }
        prop_assert_eq!(step(256), whole);
    }
}
