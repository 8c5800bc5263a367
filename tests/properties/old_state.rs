//! Old state is dropped by the thread that is there for it, never by one that answers: freeing a large zone takes
//! milliseconds, and whoever waits for an answer would wait for that.
//!
//! Method: a whole server in this process. The allocator tells which thread gave back memory in large pieces.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use homing::control::{LogStyle, Options, run};

use crate::allocation::{LARGE_LEN, large_released};
use crate::support::{Query, ask, eventually, free_port, tcp_exchange};

const NAME_COUNT: usize = 10_000;
const CHANGE_COUNT: u8 = 8;

fn write_zone(zones: &Path, version: u8) {
    let mut text =
        format!("$TTL 60\n@ SOA ns1 h {version} 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n");
    for n in 0..NAME_COUNT {
        writeln!(text, "host-with-a-name-of-some-length-{n} A 198.51.100.{version}").unwrap();
    }
    fs::write(zones.join(".new"), text).unwrap();
    fs::rename(zones.join(".new"), zones.join("old.test.zone")).unwrap();
}

/// Octets given back in large pieces by the threads whose names begin like this.
fn released_by(name: &str) -> u64 {
    let of_thread = |(thread, octets): (i32, u64)| {
        let comm = fs::read_to_string(format!("/proc/self/task/{thread}/comm")).unwrap_or_default();
        comm.starts_with(name).then_some(octets)
    };
    large_released().filter_map(of_thread).sum()
}

#[test]
fn no_thread_that_answers_drops_old_state() {
    let folder = tempfile::tempdir().unwrap();
    let zones = folder.path().join("zones");
    fs::create_dir(&zones).unwrap();
    write_zone(&zones, 1);
    let (dns, api) = (free_port(), free_port());
    let config = folder.path().join("homing.toml");
    let text =
        format!("[site]\nname = \"t\"\n[listen]\ndns = [\"{dns}\"]\napi = \"{api}\"\ncores = 1\n");
    fs::write(&config, text).unwrap();
    let options = Options { dir: None, config: Some(config), log: LogStyle::default() };
    // It ends with the process.
    std::thread::spawn(move || run(&options));
    let serves = |version: u8| {
        eventually("the change is served over UDP and TCP", || {
            let query = Query::new("host-with-a-name-of-some-length-77.old.test A").to_wire();
            let udp = ask(dns, &query, Duration::from_millis(200)).ok_or("no answer")?;
            let tcp = tcp_exchange(dns, &[query]);
            let is_new = |response: &[u8]| response.ends_with(&[198, 51, 100, version]);
            let both = is_new(&udp) && tcp.iter().all(|response| is_new(response));
            if both { Ok(()) } else { Err("not yet".to_owned()) }
        });
    };
    serves(1);
    let before = ["udp", "tcp"].map(released_by);
    for version in 2..2 + CHANGE_COUNT {
        write_zone(&zones, version);
        serves(version);
    }
    // Of each name some 60 octets were laid out, most of them in large pieces.
    let least = u64::from(CHANGE_COUNT - 2) * NAME_COUNT as u64 * 40;
    eventually("old state is dropped by the thread for it", || {
        let released = released_by("reclaim");
        if released > least { Ok(()) } else { Err(format!("{released} of {least} octets")) }
    });
    let after = ["udp", "tcp"].map(released_by);
    assert_eq!(before, after, "pieces of {LARGE_LEN} octets and more, given back by udp and tcp");
}
