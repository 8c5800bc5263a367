//! Any octets as a geo database: it is refused with a reason, or every address can be looked up in it.

#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use homing::geo::World;
use libfuzzer_sys::fuzz_target;

#[path = "../support/mmdb.rs"]
mod database;

// What the last octet of an input chooses: its octets alone, or put over those of a sound database, at a place that the two
// before it name. No random octets pass for a database otherwise.
fuzz_target!(|input: &[u8]| {
    let sound = match input.split_last_chunk::<3>() {
        Some((_, [_, _, 1])) => {
            database::country_database(&[("192.0.2.0/24", "DE"), ("2001:db8::/32", "AU")], 1_700_000_000)
        }
        Some((_, [_, _, 2])) => database::city_database(&[("192.0.2.0/24", "DE", 50.0, 8.0)], 1_700_000_000),
        _ => return judge(input),
    };
    let Some((patch, [high, low, _])) = input.split_last_chunk::<3>() else { return };
    let mut octets = sound;
    let at = usize::from(u16::from_be_bytes([*high, *low])) % octets.len();
    let len = patch.len().min(octets.len() - at);
    octets[at..at + len].copy_from_slice(&patch[..len]);
    judge(&octets);
});

fn judge(octets: &[u8]) {
    match World::from_mmdb("x.mmdb", octets) {
        Err(said) => assert!(!said.to_string().contains('\u{1b}'), "a terminal would obey"),
        Ok(world) => {
            for n in 0..=u8::MAX {
                let v4 = Ipv4Addr::from([n, 0, 2, 1]);
                let v6 = Ipv6Addr::from(u128::from(n) << 120 | 1);
                for address in [IpAddr::V4(v4), IpAddr::V6(v6)] {
                    world.lookup(address);
                }
            }
        }
    }
}
