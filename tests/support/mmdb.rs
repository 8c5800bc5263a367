//! Tiny databases in the MaxMind DB format, as its specification describes them.

use std::net::IpAddr;

/// What a record of a node says.
#[derive(Clone, Copy)]
enum Child {
    Nothing,
    Node(usize),
    Data(usize),
}

/// A database of one family that knows the country of some networks, built at a time of the Unix epoch.
pub fn country_database<'n>(networks: &[(&'n str, &str)], built_epoch_secs: u64) -> Vec<u8> {
    let record =
        |(prefix, country): &(&'n str, &str)| (*prefix, map(&[("country_code", text(country))]));
    database(&networks.iter().map(record).collect::<Vec<_>>(), built_epoch_secs)
}

/// The same, with the latitude and longitude of each.
pub fn city_database<'n>(networks: &[(&'n str, &str, f64, f64)], built_epoch_secs: u64) -> Vec<u8> {
    let record = |&(prefix, country, latitude, longitude): &(&'n str, &str, f64, f64)| {
        let fields = [
            ("country_code", text(country)),
            ("latitude", double(latitude)),
            ("longitude", double(longitude)),
        ];
        (prefix, map(&fields))
    };
    database(&networks.iter().map(record).collect::<Vec<_>>(), built_epoch_secs)
}

fn database(networks: &[(&str, Vec<u8>)], built_epoch_secs: u64) -> Vec<u8> {
    let is_v4 = networks.iter().all(|(prefix, _)| prefix.contains('.'));
    let (mut nodes, mut data) = (vec![[Child::Nothing; 2]], Vec::new());
    for (prefix, record) in networks {
        let (address, len) = prefix.split_once('/').unwrap();
        let bits = match address.parse().unwrap() {
            IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
            IpAddr::V6(v6) => v6.to_bits(),
        };
        put(&mut nodes, bits, len.parse().unwrap(), Child::Data(data.len()));
        data.extend_from_slice(record);
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for child in nodes.iter().flatten() {
        let number = match *child {
            Child::Nothing => count,
            Child::Node(node) => node,
            Child::Data(offset) => count + 16 + offset,
        };
        out.extend_from_slice(&(number as u32).to_be_bytes());
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let uint16 = |number: u16| [&[0xa2][..], &number.to_be_bytes()].concat();
    out.extend(map(&[
        ("binary_format_major_version", uint16(2)),
        ("binary_format_minor_version", uint16(0)),
        ("build_epoch", [&[0x08, 0x02][..], &built_epoch_secs.to_be_bytes()].concat()),
        ("database_type", text("Tiny")),
        ("description", map(&[])),
        ("ip_version", uint16(if is_v4 { 4 } else { 6 })),
        ("languages", vec![0x00, 0x04]),
        ("node_count", [&[0xc4][..], &(count as u32).to_be_bytes()].concat()),
        ("record_size", uint16(32)),
    ]));
    out
}

fn put(nodes: &mut Vec<[Child; 2]>, bits: u128, len: u32, child: Child) {
    let mut node = 0;
    for depth in 0..len {
        let side = (bits >> (127 - depth) & 1) as usize;
        if depth + 1 == len {
            nodes[node][side] = child;
        } else if let Child::Node(next) = nodes[node][side] {
            node = next;
        } else {
            nodes.push([Child::Nothing; 2]);
            nodes[node][side] = Child::Node(nodes.len() - 1);
            node = nodes.len() - 1;
        }
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

fn double(number: f64) -> Vec<u8> {
    [&[0x68][..], &number.to_be_bytes()].concat()
}

fn text(text: &str) -> Vec<u8> {
    assert!(text.len() < 29, "longer texts have another head");
    [&[0x40 | text.len() as u8], text.as_bytes()].concat()
}
