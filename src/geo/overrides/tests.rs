//! Method: few lines by hand; many at random, held against an oracle that looks at every line for every address.

use super::*;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use crate::number::PrefixLen;

const REGIONS: [&str; 3] = ["fra", "iad", "EU"];

fn read(text: &str) -> Result<Overrides, Vec<String>> {
    let (overrides, diagnostics) = Overrides::parse("geo/overrides.csv", text.as_bytes(), &REGIONS);
    let say = |it: &Diagnostic| format!("{} {}", it.place, it.code);
    overrides.ok_or_else(|| diagnostics.iter().map(say).collect())
}

#[test]
fn all_mistakes_come_at_once_and_in_place() {
    let text = "# prefix,place,comment\n\n192.0.2.0/24,fra\n192.0.2.1/24,EU-DE,x\n\
                192.0.2.0/33,xx\n10.0.0.0/8, EU-US\n192.0.2.0/24,iad,again\n2001:db8::/32\n";
    let expected = [
        "geo/overrides.csv:4:1 override-host-bits",
        "geo/overrides.csv:5:1 override-prefix",
        "geo/overrides.csv:5:14 unknown-region",
        "geo/overrides.csv:6:13 unknown-place",
        "geo/overrides.csv:7:1 override-duplicate",
        "geo/overrides.csv:8:14 override-malformed",
    ];
    assert_eq!(read(text).unwrap_err(), expected);
}

#[test]
fn a_mistake_tells_how_to_mend_it() {
    let (_, diagnostics) = Overrides::parse("o.csv", b"192.0.2.1/24,EU-DE,x\n", &REGIONS);
    assert_eq!(
        diagnostics[0].to_string(),
        "o.csv:1:1: error[override-host-bits]: 192.0.2.1/24 has bits beyond its length\n  \
         | 192.0.2.1/24,EU-DE,x\n  | ^\n  help: write 192.0.2.0/24"
    );
}

#[test]
fn a_flood_of_mistakes_is_counted() {
    let (overrides, diagnostics) =
        Overrides::parse("o.csv", "x,y\n".repeat(5000).as_bytes(), &REGIONS);
    assert!(overrides.is_none());
    assert_eq!(diagnostics.len(), DIAGNOSTIC_COUNT_MAX + 1);
    assert!(diagnostics.last().unwrap().message.starts_with("9000 more"));
}

#[test]
fn the_longest_prefix_decides_and_a_region_keeps_the_place() {
    let text = "\u{feff}10.0.0.0/8,EU-DE\r\n10.1.0.0/16,iad,ours\r\n10.1.1.0/24,NA-US-CA\r\n\
                2001:db8::/32,AS-JP\n2002::/16,AS-JP\n";
    let overrides = read(text).unwrap();
    assert_eq!(overrides.len(), 5);
    let world = World::unknown().with_overrides(&overrides);
    for (address, country, region, len) in [
        ("9.255.255.255", None, None, 7),
        ("10.0.0.1", Some(b"DE"), None, 16),
        ("10.1.0.1", None, Some(1), 24),
        ("10.1.1.1", Some(b"US"), None, 24),
        ("10.2.0.0", Some(b"DE"), None, 15),
        ("11.0.0.0", None, None, 8),
        ("2001:db8::1", Some(b"JP"), None, 32),
        ("2002:a00::1", Some(b"DE"), None, 32),
    ] {
        let (place, prefix_len) = world.lookup(address.parse().unwrap());
        let got = (place.country, place.region.map(|id| id.0), prefix_len.0);
        assert_eq!(got, (country.copied(), region, len), "{address}");
    }
    let address = "10.1.1.1".parse().unwrap();
    assert_eq!(overrides.deciding(address).unwrap().to_string(), "10.1.1.0/24");
}

#[test]
fn a_region_is_added_to_what_the_database_knows() {
    let known = World::unknown().with_overrides(&read("10.0.0.0/8,EU-DE").unwrap());
    let world = known.with_overrides(&read("10.0.0.0/9,fra").unwrap());
    let place = world.lookup("10.0.0.1".parse().unwrap()).0;
    assert_eq!((place.country, place.region), (Some(*b"DE"), Some(RegionId(0))));
}

#[test]
fn a_line_without_effect_and_a_word_of_two_meanings_are_told() {
    let text = "10.0.0.0/8,EU-DE\n10.1.0.0/16,EU-DE\n10.1.1.0/24,fra\n10.1.1.0/25,fra\n\
                192.0.3.0/24,EU\n192.0.4.0/24,EU\n";
    let (overrides, said) = Overrides::parse("o.csv", text.as_bytes(), &REGIONS);
    assert_eq!(overrides.map(|it| it.len()), Some(6));
    let said: Vec<_> = said.iter().map(|it| (it.place.line, it.code, it.is_error())).collect();
    let redundant = "override-redundant";
    assert_eq!(
        said,
        [(2, redundant, false), (4, redundant, false), (5, "override-ambiguous", false)]
    );

    let many: String = (0..200).map(|n| format!("10.0.{n}.0/24,EU-DE\n")).collect();
    let text = format!("10.0.0.0/8,EU-DE\n{many}");
    let (_, said) = Overrides::parse("o.csv", text.as_bytes(), &REGIONS);
    assert_eq!(said.len(), REDUNDANT_COUNT_MAX + 1);
    assert!(said.last().unwrap().message.starts_with("100 more lines"));
}

#[test]
fn more_lines_than_are_taken_refuse_the_file() {
    let text = b"10.0.0.0/8,fra\n\n# three\n11.0.0.0/8,fra\n12.0.0.0/8,fra\n13.0.0.0/8,fra\n";
    let (overrides, said) = parse("o.csv", text, &REGIONS, 3);
    assert!(overrides.is_none());
    assert_eq!((said[0].code, said[0].place.line), ("override-too-long", 6));
    assert!(parse("o.csv", &text[..text.len() - 15], &REGIONS, 3).0.is_some());
}

/// Prefixes that nest and meet often: few bits vary, within a /64 too.
fn prefixes() -> impl Strategy<Value = Vec<(Prefix, usize)>> {
    let v4 = (0u32..64, 24u8..=32).prop_map(|(low, len)| {
        Prefix::around(IpAddr::V4(Ipv4Addr::from_bits(0xc100_0200 | low << 2)), PrefixLen(len))
    });
    let v6 = (0u128..4, 0u128..8, 60u8..=67).prop_map(|(high, low, len)| {
        let bits = 0x2a00 << 112 | high << 64 | low << 61;
        Prefix::around(IpAddr::V6(Ipv6Addr::from_bits(bits)), PrefixLen(len))
    });
    prop::collection::vec((prop_oneof![v4, v6], 0..WORDS.len()), 0..24)
}

const WORDS: [&str; 5] = ["EU-DE", "AS-JP", "NA-US-CA", "fra", "iad"];

fn overrides_of(lines: &[(Prefix, usize)]) -> (Overrides, Vec<(Prefix, usize)>) {
    let mut lines = lines.to_vec();
    lines.sort();
    lines.dedup_by_key(|line| line.0);
    let text: String =
        lines.iter().map(|(prefix, word)| format!("{prefix},{}\n", WORDS[*word])).collect();
    (read(&text).unwrap(), lines)
}

proptest! {
    #[test]
    fn lines_decide_as_by_the_book(below in prefixes(), above in prefixes()) {
        let ((below, _), (above, lines)) = (overrides_of(&below), overrides_of(&above));
        let base = World::unknown().with_overrides(&below);
        let world = base.with_overrides(&above);
        let (v4, v6): (Vec<_>, Vec<_>) = (world.runs_v4().collect(), world.runs_v6().collect());
        for runs in [&v4, &v6] {
            prop_assert!(runs[0].0 == 0 && runs.is_sorted_by(|a, b| a.0 < b.0 && a.1 != b.1));
        }
        let addresses = (0..256u32).map(|low| IpAddr::V4(Ipv4Addr::from_bits(0xc100_0200 | low)));
        let addresses = addresses.chain((0..64u128).map(|part| {
            let bits = 0x2a00 << 112 | (part >> 3) << 64 | (part & 7) << 61;
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }));
        for address in addresses {
            let holding = lines.iter().filter(|line| line.0.contains(address));
            let deciding = holding.max_by_key(|line| line.0.len);
            prop_assert_eq!(above.deciding(address), deciding.map(|line| line.0));
            let known = base.lookup(address).0.clone();
            let expected = match deciding.map(|line| WORDS[line.1]) {
                None => known,
                Some(region @ ("fra" | "iad")) => {
                    Place { region: Some(RegionId(u16::from(region == "iad"))), ..known }
                }
                Some(code) => PlaceCode::parse(code).unwrap().to_place(),
            };
            let (place, len) = world.lookup(address);
            prop_assert_eq!(place, &expected, "{}", address);
            // The runs say the same, and the prefix is the longest block within the address's run.
            let (bits, runs, width) = match address {
                IpAddr::V4(it) => (u128::from(it.to_bits()), &v4, 32),
                IpAddr::V6(it) => (it.to_bits(), &v6, 128),
            };
            let next = runs.partition_point(|run| run.0 <= bits);
            prop_assert_eq!(world.place(runs[next - 1].1), &expected);
            let last = runs.get(next).map_or(if width == 32 { LAST_V4 } else { LAST_V6 }, |it| it.0 - 1);
            let (first, end) = Prefix::around(address, len).bounds();
            prop_assert!(runs[next - 1].0 <= first && end <= last);
            let wider = len.0.checked_sub(1).map(|len| Prefix::around(address, PrefixLen(len)).bounds());
            prop_assert!(wider.is_none_or(|(first, end)| first < runs[next - 1].0 || last < end));
        }
    }
}
