//! Method: a world of a few ranges, one steering file, and what addresses get of it: class, scope, bucket, region.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use crate::geo::{Place, PlaceId, Position, World};
use crate::health::{Freshness, LogTime, Member, Settings, Standing, Status, Tier};
use crate::number::{PrefixLen, Revision};
use crate::reason::Reason;
use crate::route::*;
use crate::trace::{ClientSource, Silent, Step, Trace};

const REGIONS: &str = "fra = { position = [50.11, 8.68] }\niad = { position = [38.95, -77.45] }\n\
                       syd = { position = [-33.87, 151.2] }\n";

const STEERING: &str = "
[pools.web]
fra = ['192.0.2.10', '2001:db8:1::10']
iad = ['198.51.100.10', '2001:db8:2::10']
syd = ['203.0.113.10', '203.0.113.11', '2001:db8:3::10']
[policies.web]
pool = 'web'
answers = 1
rules = [
  { subnets = ['10.1.2.0/24', '2a00:1::/32'], regions = ['iad'], fence = true },
  { asns = [64500], regions = ['syd'] },
  { places = ['NA'], regions = [{ region = 'fra', weight = 50 }, { region = 'iad', weight = 50 }] },
  { regions = 'nearest' },
]
";

/// 0.0.0.0/8 unknown, 1/8 Zürich, 2/8 New York, 3/8 Tokyo, 4/8 an autonomous system of Zürich, 5.0.0.0 and above Zürich;
/// 2a00::/16 Zürich, 2b00::/16 New York, all else unknown.
fn world() -> World {
    let place = |continent: &[u8; 2], latitude, longitude| Place {
        continent: Some(*continent),
        position: Some(Position { latitude, longitude }),
        ..Place::default()
    };
    let zurich = place(b"EU", 47.37, 8.54);
    let asn = Place { asn: Some(64500), ..zurich.clone() };
    let places =
        vec![Place::default(), zurich, place(b"NA", 40.7, -74.0), place(b"AS", 35.7, 139.7), asn];
    let v4 = [0, 1, 2, 3, 4, 1].iter().enumerate().map(|(i, &id)| ((i as u32) << 24, PlaceId(id)));
    let v6 = [(0u128, 0), (0x2a00, 1), (0x2a01, 0), (0x2b00, 2), (0x2b01, 0)];
    let v6 = v6.iter().map(|&(start, id)| (start << 112, PlaceId(id)));
    World::of_runs(v4, v6, places)
}

fn compiled() -> std::sync::Arc<Plan> {
    let (steering, diagnostics) = parse_steering("zones/x.toml", STEERING.as_bytes());
    let steering = steering.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let regions = parse_regions("geo/regions.toml", REGIONS.as_bytes()).0.unwrap();
    let site = Some(Position { latitude: -37.8, longitude: 145.0 });
    let compiled = compile(&[steering], &regions, &world(), site, &Settings::default());
    let errors: Vec<_> = compiled.diagnostics.iter().filter(|d| d.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    compiled.plans[0].clone()
}

/// All up, but for the endpoints named.
struct Down(&'static [&'static str]);

impl Verdicts for Down {
    fn standing(&self, member: &Member) -> Standing {
        let down = self.0.contains(&&*member.address);
        Standing {
            tier: if down { Tier::Down } else { Tier::Up },
            verdict: Status::Up,
            reason: Reason::Quorum,
            since: LogTime(0),
            since_revision: Revision(0),
            freshness: Freshness::Fresh,
            next_change: None,
            steady_millis: None,
        }
    }

    fn keep(&self, _: &str) -> u16 {
        256
    }
}

fn asker(address: IpAddr) -> Asker {
    Asker { address, source: ClientSource::Subnet }
}

#[track_caller]
fn check(plan: &Plan, table: &PolicyTable, family: Family, address: &str, expected: &str) {
    let address = address.parse().unwrap();
    let chosen = choose(plan, table, family, asker(address), &mut Silent).unwrap();
    let region = chosen.choice.region.and_then(|id| plan.region_name(id)).unwrap_or("-");
    let found = format!("{region} {} /{}", chosen.choice.reason, chosen.scope.0);
    assert_eq!(found, expected, "{address}");
}

#[test]
fn the_place_of_the_address_decides_and_the_scope_tells_how_far() {
    let plan = compiled();
    let table = fill(&plan, &Down(&[]));
    for (address, expected) in [
        ("1.2.3.4", "fra nearest /8"),
        ("3.2.3.4", "syd nearest /20"), // Two endpoints to share: lengthened.
        ("4.2.3.4", "syd rule /20"),
        ("0.2.3.4", "syd nearest /20"), // Unknown: nearest to the site.
        ("10.1.2.3", "iad rule /24"),
        ("10.1.3.3", "fra nearest /24"),
        ("200.0.0.1", "fra nearest /1"),
        ("2a00:1::1", "iad rule /32"),
        ("2a00:2::1", "fra nearest /31"),
        // IPv6 forms of IPv4: mapped, 6to4.
        ("::ffff:1.2.3.4", "fra nearest /104"),
        ("2002:0102:0304::1", "fra nearest /24"),
        ("2002:0302:0304::1", "syd nearest /36"),
    ] {
        check(&plan, &table, Family::V4, address, expected);
    }
    check(&plan, &table, Family::V6, "3.2.3.4", "syd nearest /8");
    // A fence holds whatever happens; the nearest spills.
    let table = fill(&plan, &Down(&["198.51.100.10", "192.0.2.10"]));
    check(&plan, &table, Family::V4, "10.1.2.3", "iad last-resort /24");
    check(&plan, &table, Family::V4, "1.2.3.4", "syd spill /20");
}

#[test]
fn a_weighted_row_divides_the_hash_space_and_lengthens_short_scopes() {
    let plan = compiled();
    let table = fill(&plan, &Down(&[]));
    let ask =
        |address: IpAddr| choose(&plan, &table, Family::V4, asker(address), &mut Silent).unwrap();
    let mut in_fra = 0;
    for network in 0..4096u32 {
        let address =
            |host: u32| IpAddr::V4(Ipv4Addr::from_bits(0x0200_0000 | network << 12 | host));
        let chosen = ask(address(1));
        assert_eq!(chosen.scope, PrefixLen(20));
        assert_eq!(chosen.choice.reason, Reason::Weighted);
        assert_eq!(chosen, ask(address(0xfff)));
        in_fra +=
            u32::from(chosen.choice.region.and_then(|id| plan.region_name(id)) == Some("fra"));
    }
    assert!((1900..2200).contains(&in_fra), "{in_fra} of 4096");
    let v6 = ask("2b00::1".parse().unwrap());
    assert_eq!(v6.scope, PrefixLen(36));
}

#[test]
fn the_resolvers_own_address_is_looked_up_and_no_scope_answered() {
    let plan = compiled();
    let table = fill(&plan, &Down(&[]));
    let address: IpAddr = "2.0.0.1".parse().unwrap();
    let subnet = choose(&plan, &table, Family::V4, asker(address), &mut Silent).unwrap();
    let resolver = Asker { address, source: ClientSource::Resolver };
    let resolver = choose(&plan, &table, Family::V4, resolver, &mut Silent).unwrap();
    assert_eq!(resolver, Chosen { scope: PrefixLen(0), ..subnet });
}

#[test]
fn the_steps_are_told_in_order() {
    struct Listener(Vec<String>);
    impl Trace for Listener {
        fn step(&mut self, step: Step<'_>) {
            let text = format!("{step:?}");
            self.0.push(text.split_once(' ').map_or(text.clone(), |(word, _)| word.to_owned()));
        }
    }
    let plan = compiled();
    let table = fill(&plan, &Down(&[]));
    let mut listener = Listener(Vec::new());
    let chosen =
        choose(&plan, &table, Family::V4, asker("10.1.2.3".parse().unwrap()), &mut listener);
    assert_eq!(listener.0, ["Client", "Class", "Choice"]);
    let legend = plan.class_legend(chosen.unwrap().class).unwrap();
    assert_eq!(legend.rule, 0);
    assert_eq!(legend.rule_place.to_string(), "zones/x.toml:10:3");
    assert!(legend.fenced && legend.rule_text.starts_with("{ subnets = ['10.1.2.0/24'"));
}

#[test]
fn a_table_that_does_not_cover_the_plan_gives_nothing() {
    let asker = asker("1.2.3.4".parse().unwrap());
    let policy = fill(&compiled(), &Down(&[]));
    let rows = super::Rows { by_class: [].into(), decisions: policy.rows.decisions.clone() };
    let table = PolicyTable { rows: rows.into(), ..policy };
    assert!(choose(&compiled(), &table, Family::V4, asker, &mut Silent).is_none());
}

#[test]
fn policies_that_divide_the_world_alike_share_their_ranges() {
    let twice = format!(
        "{STEERING}[pools.b]\niad = ['192.0.2.1']\nsyd = ['192.0.2.2']\nfra = ['192.0.2.3']\n{}",
        STEERING
            .split_once("[policies.web]")
            .unwrap()
            .1
            .replace("pool = 'web'", "[policies.b]\npool = 'b'")
    );
    let steering = parse_steering("zones/x.toml", twice.as_bytes()).0.unwrap();
    let regions = parse_regions("geo/regions.toml", REGIONS.as_bytes()).0.unwrap();
    let plans = compile(&[steering], &regions, &world(), None, &Settings::default()).plans;
    let ranges: Vec<_> = plans.iter().filter_map(|plan| plan.ranges()).collect();
    assert!(std::sync::Arc::ptr_eq(ranges[0], ranges[1]));
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0u32..=0x0bff_ffff).prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<[u16; 8]>().prop_map(|mut parts| {
            parts[0] = [0x2a00, 0x2b00, 0x2002, 0x2001, parts[0]][usize::from(parts[0] % 5)];
            IpAddr::V6(Ipv6Addr::from(parts))
        }),
    ]
}

static PLAN: std::sync::LazyLock<std::sync::Arc<Plan>> = std::sync::LazyLock::new(compiled);

proptest! {
    #[test]
    fn all_addresses_of_one_scope_get_one_answer(address in addresses(), noise in any::<u128>()) {
        for down in [&[][..], &["203.0.113.10"], &["192.0.2.10", "198.51.100.10"]] {
            let table = fill(&PLAN, &Down(down));
            prop_assert_eq!(table.class_count(), PLAN.class_count());
            for family in [Family::V4, Family::V6] {
                let chosen = choose(&PLAN, &table, family, asker(address), &mut Silent).unwrap();
                let len = u32::from(chosen.scope.0);
                let neighbour = match address {
                    IpAddr::V4(v4) => {
                        let noise = (noise as u32).checked_shr(len).unwrap_or(0);
                        IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() ^ noise))
                    }
                    IpAddr::V6(v6) => {
                        let noise = noise.checked_shr(len).unwrap_or(0);
                        IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() ^ noise))
                    }
                };
                let other = choose(&PLAN, &table, family, asker(neighbour), &mut Silent).unwrap();
                prop_assert_eq!(chosen, other);
            }
        }
    }
}
