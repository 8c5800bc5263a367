//! Method: rules over four regions and a place in, the deciding rule and the order of the regions
//! out.

use super::*;

use proptest::prelude::*;

use crate::geo::{PlaceCode, PlaceId, Prefix};
use crate::number::RegionId;
use crate::route::classifier::{ClassRegion, ClassRule};

const FRA: Position = Position { latitude: 50.11, longitude: 8.68 };
const IAD: Position = Position { latitude: 38.95, longitude: -77.45 };
const SYD: Position = Position { latitude: -33.87, longitude: 151.2 };
const AMS: Position = Position { latitude: 52.31, longitude: 4.76 };

fn rule(listed: Option<&[u16]>) -> ClassRule {
    ClassRule {
        subnets: Vec::new(),
        places: Vec::new(),
        asns: Vec::new(),
        listed: listed.map(<[u16]>::to_vec),
        fence: false,
    }
}

fn classifier(rules: Vec<ClassRule>) -> Classifier {
    let regions = (10..).zip([FRA, IAD, SYD, AMS]);
    let regions = regions.map(|(id, at)| ClassRegion { id: RegionId(id), position: at, bias: 0 });
    Classifier {
        regions: regions.collect(),
        wants: vec![vec![true; 4]],
        rules,
        unknown_position: None,
        unknown: Vec::new(),
    }
}

fn at(latitude: f32, longitude: f32) -> Place {
    Place { position: Some(Position { latitude, longitude }), ..Place::default() }
}

#[track_caller]
fn check(classifier: &Classifier, place: &Place, held: &[usize], expected: (u16, &[u16])) {
    let rule = Proof::new(&classifier.rules).deciding_rule(place, held);
    let spot = Spot::of(rule, place);
    let mut spots = Spots::default();
    spots.add(spot, Extent::default());
    let classes = Classes::of(classifier, &spots);
    let found = &classes.list[usize::from(classes.class(&spot).0)];
    assert_eq!((found.rule, &*found.order), expected);
}

#[test]
fn nearest_goes_by_distance_and_an_override_goes_first_in_it_only() {
    let nearest = classifier(vec![rule(None)]);
    let (zurich, tokyo) = (at(47.37, 8.54), at(35.68, 139.69));
    check(&nearest, &zurich, &[], (0, &[0, 3, 1, 2]));
    check(&nearest, &tokyo, &[], (0, &[2, 3, 0, 1]));
    // Across the date line.
    check(&nearest, &at(-17.0, -179.0), &[], (0, &[2, 1, 3, 0]));
    let overridden = Place { region: Some(RegionId(12)), ..zurich.clone() };
    check(&nearest, &overridden, &[], (0, &[2, 0, 3, 1]));
    check(&classifier(vec![rule(Some(&[1]))]), &overridden, &[], (0, &[1, 0, 3, 2]));
    // A region that the pool does not hold changes nothing.
    let elsewhere = Place { region: Some(RegionId(3)), ..zurich };
    check(&nearest, &elsewhere, &[], (0, &[0, 3, 1, 2]));
}

#[test]
fn a_list_goes_first_and_without_a_fence_the_others_follow_by_nearness() {
    let zurich = at(47.37, 8.54);
    check(&classifier(vec![rule(Some(&[2]))]), &zurich, &[], (0, &[2, 0, 3, 1]));
    let fenced = ClassRule { fence: true, ..rule(Some(&[2, 1])) };
    check(&classifier(vec![fenced]), &zurich, &[], (0, &[2, 1]));
}

#[test]
fn unknown_places_are_taken_to_be_at_the_site_or_go_down_a_list() {
    let mut nearest = classifier(vec![rule(None)]);
    check(&nearest, &Place::default(), &[], (0, &[0, 1, 2, 3]));
    nearest.unknown_position = Some(SYD);
    check(&nearest, &Place::default(), &[], (0, &[2, 1, 0, 3]));
    nearest.unknown = vec![1, 3];
    check(&nearest, &Place::default(), &[], (0, &[1, 3, 2, 0]));
    check(&nearest, &at(47.37, 8.54), &[], (0, &[0, 3, 1, 2]));
}

#[test]
fn the_first_rule_whose_conditions_all_hold_decides() {
    let subnet = |text: &str| parse_subnet(text);
    let first = ClassRule {
        subnets: vec![subnet("10.0.0.0/8"), subnet("192.0.2.0/24")],
        asns: vec![64500],
        ..rule(Some(&[1]))
    };
    let second = ClassRule { places: vec![code("EU-CH"), code("OC")], ..rule(Some(&[2])) };
    let rules = classifier(vec![first, second, rule(None)]);
    let zurich = Place { continent: Some(*b"EU"), country: Some(*b"CH"), ..at(47.37, 8.54) };
    let from = |asn| Place { asn: Some(asn), ..zurich.clone() };
    check(&rules, &from(64500), &[1], (0, &[1, 0, 3, 2]));
    check(&rules, &from(64500), &[], (1, &[2, 0, 3, 1]));
    check(&rules, &from(64501), &[0], (1, &[2, 0, 3, 1]));
    check(&rules, &Place { country: Some(*b"DE"), ..zurich }, &[0, 1], (2, &[0, 3, 1, 2]));
}

fn parse_subnet(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

fn code(text: &str) -> PlaceCode {
    PlaceCode::parse(text).unwrap()
}

#[test]
fn whether_a_place_makes_a_difference() {
    let fenced = ClassRule { fence: true, ..rule(Some(&[2])) };
    assert!(classifier(vec![rule(None)]).uses_place());
    assert!(classifier(vec![rule(Some(&[0]))]).uses_place());
    assert!(!classifier(vec![rule(Some(&[0, 1, 2]))]).uses_place());
    assert!(!classifier(vec![fenced.clone()]).uses_place());
    let conditional = ClassRule { asns: vec![1], ..fenced.clone() };
    assert!(classifier(vec![conditional, fenced]).uses_place());
    let mut one = classifier(vec![rule(None)]);
    one.regions.truncate(1);
    assert!(!one.uses_place() && !one.uses_nearness());
}

/// 40 regions on a curve around the globe.
fn many_regions() -> Classifier {
    let regions = (0..40u16).map(|i| {
        let angle = f32::from(i) * 9.0;
        let latitude = 50.0 * (angle * 3.0).to_radians().sin();
        let position = Position { latitude, longitude: angle - 180.0 };
        ClassRegion { id: RegionId(i), position, bias: (i % 5) as i8 * 10 - 20 }
    });
    Classifier {
        regions: regions.collect(),
        wants: vec![vec![true; 40]],
        ..classifier(vec![rule(None)])
    }
}

/// Places all over the globe (a Weyl sequence).
fn everywhere(count: u32) -> impl Iterator<Item = Place> {
    (0..count).map(|n| {
        let (x, y) = (n.wrapping_mul(2_654_435_769), n.wrapping_mul(1_779_033_703));
        let part = |bits: u32| bits as f32 / u32::MAX as f32;
        at(part(x) * 180.0 - 90.0, part(y) * 360.0 - 180.0)
    })
}

fn spots(places: impl Iterator<Item = Place>) -> Spots {
    let mut spots = Spots::default();
    for (place, n) in places.zip(0..) {
        spots.add(Spot::of(0, &place), Extent { v4: n % 1000, v6: n });
    }
    spots
}

#[test]
fn a_class_is_exact_as_far_as_its_head_and_goes_on_as_its_largest_place_does() {
    let classifier = many_regions();
    let orders = Orders::new(&classifier);
    let spots = spots(everywhere(6_000));
    let classes = Classes::of(&classifier, &spots);
    assert!(classes.list.len() < 1_000, "{} classes", classes.list.len());
    let mut largest: HashMap<ClassId, (Extent, Spot)> = HashMap::new();
    for (spot, extent) in &spots.list {
        let class = classes.class(spot);
        let order = &classes.list[usize::from(class.0)].order;
        let exact = orders.whole(&classifier.rules[0], &spot.place());
        assert_eq!((order.len(), &order[..HEAD_LEN]), (40, &exact[..HEAD_LEN]));
        let known = largest.entry(class).or_insert((*extent, *spot));
        *known = (*known).max((*extent, *spot));
    }
    for (class, (extent, spot)) in largest {
        let ties = spots.list.iter().filter(|it| it.1 == extent && classes.class(&it.0) == class);
        if ties.count() == 1 {
            let exact = orders.whole(&classifier.rules[0], &spot.place());
            assert_eq!(classes.list[usize::from(class.0)].order, exact);
        }
    }
}

#[test]
fn classes_do_not_depend_on_the_order_in_which_addresses_are_met() {
    let classifier = many_regions();
    let places: Vec<Place> = everywhere(500).collect();
    let run = |order: &[u32]| {
        let starts = order.iter().zip(1u32..).map(|(&id, at)| (at << 16, PlaceId(id)));
        let starts = std::iter::once((0, PlaceId(0))).chain(starts);
        let known = [&[Place::default()], &places[..]].concat();
        let division = divide(&classifier, &World::of_runs(starts, [(0, PlaceId(0))], known));
        let class = |(place, at): (u32, u32)| {
            let address = std::net::IpAddr::V4((at << 16).into());
            (place, division.ranges.as_ref().unwrap().lookup(address).0)
        };
        let mut classes: Vec<_> = order.iter().copied().zip(1..).map(class).collect();
        classes.sort_unstable();
        (division.classes.to_vec(), classes)
    };
    let (forth, back): (Vec<u32>, Vec<u32>) = ((1..=500).collect(), (1..=500).rev().collect());
    // The last one reaches to the end of the space, and weighs more: it is the same in both.
    let forth = [forth, vec![500]].concat();
    let back = [back, vec![500]].concat();
    assert_eq!(run(&forth).0, run(&back).0);
}

#[test]
fn each_family_has_a_head_of_its_own() {
    let mut classifier = many_regions();
    // Every eighth region has IPv6.
    classifier.wants.push((0..40).map(|index| index % 8 == 0).collect());
    let orders = Orders::new(&classifier);
    let spots = spots(everywhere(2_000));
    let classes = Classes::of(&classifier, &spots);
    for (spot, _) in &spots.list {
        let order = &classes.list[usize::from(classes.class(spot).0)].order;
        let exact = orders.whole(&classifier.rules[0], &spot.place());
        let v6 = |order: &[u16]| -> Vec<u16> {
            order.iter().copied().filter(|index| index % 8 == 0).take(HEAD_LEN).collect()
        };
        assert_eq!((&order[..HEAD_LEN], v6(order)), (&exact[..HEAD_LEN], v6(&exact)));
    }
}

#[test]
fn behind_a_long_list_the_first_by_nearness_is_still_exact() {
    let mut classifier = many_regions();
    classifier.rules = vec![rule(Some(&[7, 3, 9, 21]))];
    let orders = Orders::new(&classifier);
    let spots = spots(everywhere(2_000));
    let classes = Classes::of(&classifier, &spots);
    assert!(classes.list.len() <= 36, "{} classes", classes.list.len());
    for (spot, _) in &spots.list {
        let order = &classes.list[usize::from(classes.class(spot).0)].order;
        let exact = orders.whole(&classifier.rules[0], &spot.place());
        assert_eq!(order[..5], exact[..5]);
    }
}

#[test]
fn a_bias_orders_by_the_distance_that_counts() {
    let mut nearest = classifier(vec![rule(None)]);
    let zurich = at(47.37, 8.54);
    check(&nearest, &zurich, &[], (0, &[0, 3, 1, 2]));
    // Amsterdam is twice as far as Frankfurt.
    nearest.regions[3].bias = 55;
    check(&nearest, &zurich, &[], (0, &[3, 0, 1, 2]));
    nearest.regions[3].bias = 0;
    nearest.regions[0].bias = -55;
    check(&nearest, &zurich, &[], (0, &[3, 0, 1, 2]));
    // The operator's own word, and what a rule lists, go first all the same.
    let overridden = Place { region: Some(RegionId(10)), ..zurich.clone() };
    check(&nearest, &overridden, &[], (0, &[0, 3, 1, 2]));
    nearest.rules = vec![rule(Some(&[1]))];
    check(&nearest, &zurich, &[], (0, &[1, 3, 0, 2]));
    // It holds for who is taken to be at the site, too.
    nearest.rules = vec![rule(None)];
    nearest.unknown_position = zurich.position;
    check(&nearest, &Place::default(), &[], (0, &[3, 0, 1, 2]));
}

/// Rules of all kinds over few places, subnets that cut each other, and unlisted space between them.
fn worlds() -> impl Strategy<Value = (World, Classifier)> {
    let start = prop_oneof![any::<u32>(), (0u32..1024).prop_map(|n| 0x0a00_0000 | n << 14)];
    let runs = prop::collection::btree_map(start, 0u32..6, 0..12);
    let subnets = prop::collection::vec((0u32..1024, 8u8..=32), 0..3);
    let written = (subnets, prop::collection::vec(0usize..4, 0..3), any::<bool>(), 0u16..5);
    let rules = prop::collection::vec(written, 0..5);
    (runs, rules, prop::option::of(0u16..4)).prop_map(|(runs, rules, unknown)| {
        let (ch, us) = (code("EU-CH").to_place(), code("NA-US").to_place());
        let overridden = Place { region: Some(RegionId(12)), ..ch.clone() };
        let asn = Place { asn: Some(7), ..us.clone() };
        let places = vec![Place::default(), ch, us, overridden, asn, code("OC-AU").to_place()];
        let v4 = runs.into_iter().map(|(start, id)| (start, PlaceId(id)));
        let v4 = std::iter::once((0, PlaceId(0))).chain(v4);
        let world = World::of_runs(v4, [(0, PlaceId(0))], places);
        let resolved =
            |(subnets, places, fence, first): (Vec<(u32, u8)>, Vec<usize>, bool, u16)| {
                let subnet = |(bits, len): (u32, u8)| {
                    let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 | bits << 14);
                    Prefix::around(address.into(), crate::number::PrefixLen(len))
                };
                let codes = ["EU", "EU-CH", "NA-US", "OC"];
                ClassRule {
                    subnets: subnets.into_iter().map(subnet).collect(),
                    places: places.iter().map(|&at| code(codes[at])).collect(),
                    asns: if first == 4 { vec![7] } else { Vec::new() },
                    listed: (first < 4).then(|| vec![first]),
                    fence: fence && first < 4,
                }
            };
        let rules = rules.into_iter().map(resolved).chain([rule(None)]).collect();
        let unknown = unknown.into_iter().collect();
        (world, Classifier { unknown, ..classifier(rules) })
    })
}

proptest! {
    /// Method: at the edges of every range the table is held against the rules by the book, one after another, and the
    /// order against one made for that address alone; what the proof says of rules against all that was decided.
    #[test]
    fn every_range_has_the_class_that_the_book_gives((world, classifier) in worlds()) {
        let division = divide(&classifier, &world);
        let orders = Orders::new(&classifier);
        let by_the_book = |address: std::net::IpAddr| {
            let place = world.lookup(address).0;
            let matches = |rule: &ClassRule| {
                (rule.subnets.is_empty() || rule.subnets.iter().any(|it| it.contains(address)))
                    && (rule.places.is_empty() || rule.places.iter().any(|it| it.matches(place)))
                    && (rule.asns.is_empty() || place.asn.is_some_and(|asn| rule.asns.contains(&asn)))
            };
            classifier.rules.iter().position(matches).unwrap() as u16
        };
        let cuts = classifier.rules.iter().flat_map(|rule| &rule.subnets);
        let cuts = cuts.map(Prefix::bounds).flat_map(|(first, last)| [first, last + 1]);
        let edges: std::collections::BTreeSet<u128> =
            world.runs_v4().map(|run| run.0).chain(cuts).collect();
        let edges = edges.iter().flat_map(|&at| [at.saturating_sub(1), at]);
        let mut deciding = std::collections::BTreeSet::new();
        for address in edges.filter(|at| *at <= u128::from(u32::MAX)) {
            let address = std::net::IpAddr::V4((address as u32).into());
            let rule = by_the_book(address);
            deciding.insert(rule);
            let Some(ranges) = &division.ranges else { continue };
            let class = &division.classes[usize::from(ranges.lookup(address).0.0)];
            prop_assert_eq!(class.rule, rule);
            let exact = orders.whole(&classifier.rules[usize::from(rule)], world.lookup(address).0);
            let sure = exact.len().min(HEAD_LEN);
            prop_assert_eq!(&class.order[..sure], &exact[..sure]);
            prop_assert!(!class.order.is_empty());
        }
        // IPv6 is one unknown place, in which no rule with a subnet, a place or a system matches.
        deciding.insert(by_the_book("2001:db8::1".parse().unwrap()));
        let told: Vec<u16> = division.findings.iter().filter_map(|finding| match finding {
            Finding::Rule(rule, _) | Finding::NoAsns(rule) => Some(*rule),
            Finding::Value(value, crate::route::proof::Never::Met) => Some(value.rule),
            Finding::Value(..) => None,
        }).collect();
        for (rule, of) in (0..).zip(&classifier.rules) {
            let is_told = told.contains(&rule);
            let is_idle = !deciding.contains(&rule) && !of.is_unconditional();
            prop_assert!(!is_idle || is_told, "rule {} decides for nobody", rule);
            let whole = division.findings.iter().any(|it| matches!(it, Finding::Rule(at, _) if *at == rule));
            prop_assert!(!whole || is_idle || of.is_unconditional(), "rule {} decides", rule);
        }
    }
}
