//! Method: rules over four regions and a place in, the deciding rule and the order of the regions
//! out.

use super::*;

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
    let regions = [FRA, IAD, SYD, AMS].into_iter().enumerate();
    Classifier {
        regions: regions.map(|(index, at)| (RegionId(10 + index as u16), at)).collect(),
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
    let cuts = classifier.rules.iter().enumerate();
    let cut_rules: Vec<usize> =
        cuts.flat_map(|(index, rule)| rule.subnets.iter().map(move |_| index)).collect();
    let rule = classifier.deciding_rule(place, held, &cut_rules);
    let mut classes = Classes::new(classifier);
    let class = classes.class(rule, place);
    let found = &classes.list[usize::from(class.0)];
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

#[test]
fn distances_equal_those_of_the_haversine() {
    let points = [FRA, IAD, SYD, AMS, Position { latitude: 50.12, longitude: 8.68 }];
    for (a, b) in points.iter().flat_map(|a| points.iter().map(move |b| (*a, *b))) {
        let (fast, slow) = (f64::from(metres(vector(a), vector(b))), f64::from(a.distance_km(b)));
        assert!((fast / 1000.0 - slow).abs() < 0.01 + slow * 1e-5, "{fast} m, {slow} km");
    }
}

#[test]
fn orders_that_explode_are_told_apart_by_their_heads() {
    // 40 regions on a circle and places all over: far more orders than classes.
    let regions = (0..40u16).map(|i| {
        let angle = f32::from(i) * 9.0;
        let latitude = 50.0 * (angle * 3.0).to_radians().sin();
        (RegionId(i), Position { latitude, longitude: angle - 180.0 })
    });
    let classifier = Classifier { regions: regions.collect(), ..classifier(vec![rule(None)]) };
    let mut classes = Classes::new(&classifier);
    let mut worst = 0;
    for n in 0..6_000u32 {
        // A Weyl sequence over the globe.
        let (x, y) = (n.wrapping_mul(2_654_435_769), n.wrapping_mul(1_779_033_703));
        let place = at(
            x as f32 / u32::MAX as f32 * 180.0 - 90.0,
            y as f32 / u32::MAX as f32 * 360.0 - 180.0,
        );
        let class = classes.class(0, &place);
        let order = &classes.list[usize::from(class.0)].order;
        assert_eq!(order.len(), 40);
        let exact = classes.order(0, &place).0;
        assert_eq!(order[..HEAD_LEN], exact[..HEAD_LEN]);
        worst = worst.max(classes.list.len());
    }
    assert!((WHOLE_ORDERS_MAX..6_000).contains(&worst), "{worst} classes");
}
