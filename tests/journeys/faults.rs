//! Faults of the machine: killed between two steps, a full disk, a folder that cannot be written.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::support::{Query, Server, Watched, eventually};
use super::{REGIONS, report};

/// A zone whose records all tell one number: an answer of two of them is of one state, or of none.
fn zone(number: usize) -> String {
    let serial = number + 1;
    let mut text = format!(
        "$TTL 60\n@ SOA ns1 hostmaster {serial} 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n"
    );
    for name in ["first", "last"] {
        text.push_str(&format!("{name} TXT \"{number}\"\n"));
    }
    text
}

const BROKEN: &str = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 3600 1209600 60\n@ NS ns1\nns1 A no\n";
const PATH: &str = "zones/example.test.zone";

/// The number that is served; both records must tell the same.
fn served(server: &Server) -> Option<usize> {
    let text = |name: &str| {
        let found = server.udp(&Query::new(&format!("{name}.example.test TXT"))).rdata("TXT");
        found.first()?.trim_matches('"').parse().ok()
    };
    let (first, last): (Option<usize>, Option<usize>) = (text("first"), text("last"));
    if first == last { first } else { None }
}

fn generation(server: &Server) -> u64 {
    server.http("GET", "/v1/status", None).json()["generation"].as_u64().unwrap()
}

fn alarms(server: &Server) -> String {
    server.http("GET", "/v1/status", None).json()["alarms"].to_string()
}

fn reload(server: &Server) {
    assert_eq!(server.http("POST", "/v1/reload", Some("{}")).status, 200);
}

/// Every file below a folder, with its octets.
fn below(folder: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(below(&path)),
            // Gone since it was listed: not there.
            false => found.extend(entry.metadata().map(|m| (path.display().to_string(), m.len()))),
        }
    }
    found
}

/// Whether mounts can be made for one process alone. In CI they can, or this fails.
fn may_mount() -> bool {
    let tried = std::process::Command::new("unshare").args(["--mount", "true"]).output();
    let may = tried.is_ok_and(|output| output.status.success());
    assert!(may || std::env::var_os("CI").is_none(), "no mounts here: run as root");
    may
}

/// Each round publishes one edit and kills the server before one more of the changes that it makes in `state/`, from the
/// first to the last. Then the file is broken, so that what serves after the start is what was kept.
#[test]
fn killed_between_any_two_steps_of_a_publication() {
    let zero = zone(0);
    let files = [(PATH, zero.as_str()), ("geo/regions.toml", REGIONS)];
    let mut server = Server::start_mounted(&files, None);
    // So few that each publication also lets one go, once there are so many.
    let mut config = fs::OpenOptions::new().append(true).open(server.path("homing.toml")).unwrap();
    config.write_all(b"[history]\ngenerations = 2\n").unwrap();
    server.wait_ready();
    server.kill_and_restart();
    let (mut steps, mut newest) = (Vec::new(), generation(&server));
    for round in 1.. {
        let before = served(&server).expect("one state");
        let Some(watched) = Watched::begin(server.process(), &server.path("state")) else {
            assert!(std::env::var_os("CI").is_none(), "no ptrace here");
            return;
        };
        server.write(PATH, &zone(round));
        let manifests = server.path("state/generations/generations");
        let is_manifest = |(path, _): &(String, u64)| path.ends_with(".json");
        // What goes, goes after publishing, by a thread of its own: on a busy machine that takes a while.
        let is_pruned = || below(&manifests).iter().filter(|file| is_manifest(file)).count() <= 2;
        let killed_at = watched.kill_at(round, || served(&server) == Some(round) && is_pruned());
        fs::write(server.path(PATH), BROKEN).unwrap();
        server.restart_unready();
        server.wait_ready();
        let after = served(&server).expect("one state, whole");
        let told = format!("killed before step {round}, {killed_at:?}, of {steps:?}");
        assert!(after == before || after == round, "{told}: {after} serves");
        assert!(killed_at.is_some() || after == round, "{told}: published, and lost");
        assert!(generation(&server) >= newest, "{told}: a generation went back");
        newest = generation(&server);
        let litter = below(&server.path("state/generations"));
        assert!(litter.iter().all(|(path, _)| !path.ends_with(".part")), "{told}: {litter:?}");
        assert!(litter.len() < 12, "{told}: {litter:?}");
        match killed_at {
            Some(step) => steps.push(step),
            None => break,
        }
    }
    let told = steps.join("\n");
    println!("killed before each of {} steps:\n{told}", steps.len());
    for part in ["packs", "generations/generations", "log", "fsync", "rename", "unlink"] {
        assert!(told.contains(part), "no step of {part}:\n{told}");
    }
}

#[test]
fn a_full_disk_serves_what_is_edited_and_recovers_by_itself() {
    if !may_mount() {
        return;
    }
    let mount = "mkdir -p state && mount -t tmpfs -o size=3m none state";
    let zero = zone(0);
    let files = [(PATH, zero.as_str()), ("geo/regions.toml", REGIONS)];
    let server = Server::start_mounted(&files, Some(mount));
    server.wait_ready();
    assert_eq!(served(&server), Some(0));
    // Filled to the last octet.
    let filler = server.path_within("state/filler");
    let mut file = fs::File::create(&filler).unwrap();
    for len in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![7; len]).is_ok() {}
    }
    drop(file);
    server.write(PATH, &zone(1));
    reload(&server);
    assert_eq!(served(&server), Some(1));
    let unkept = generation(&server);
    assert!(alarms(&server).contains("generations-unwritable"), "{}", alarms(&server));
    let metrics = server.http("GET", "/metrics", None).body;
    assert!(
        metrics.contains("homing_alarm{alarm=\"generations-unwritable\",severity=\"warning\"} 1"),
        "{metrics}"
    );
    let line = |seq: usize| {
        format!(
            "{{\"vantage\":\"v{seq}\",\"boot\":1,\"seq\":1,\"subject\":\"fra/web\",\"status\":\"down\"}}"
        )
    };
    // The last page of the log may have room for some.
    let refused = (0..500).map(line).find(|line| {
        let status = server.http("POST", "/v1/reports", Some(line)).status;
        assert!([202, 503].contains(&status), "{status}");
        status == 503
    });
    assert!(refused.is_some(), "500 reports went onto a full disk");
    assert_eq!(server.http("GET", "/readyz", None).status, 200);
    // Mended, the next look keeps what serves, under the number that it serves by.
    fs::remove_file(filler).unwrap();
    reload(&server);
    assert!(!alarms(&server).contains("generations-unwritable"), "{}", alarms(&server));
    let listed = server.http("GET", "/v1/generations", None).json();
    assert_eq!(listed["generations"][0]["generation"].as_u64(), Some(unkept), "{listed}");
    assert_eq!(generation(&server), unkept);
    report(&server, 1, "up", &["fra/web"]);
    assert!(!alarms(&server).contains("unwritable"), "{}", alarms(&server));
    assert_eq!(served(&server), Some(1));
}

#[test]
fn a_state_folder_that_cannot_be_written_is_read() {
    if !may_mount() {
        return;
    }
    let zero = zone(0);
    let mut server = Server::start(&[(PATH, &zero), ("geo/regions.toml", REGIONS)]);
    server.write(PATH, &zone(1));
    reload(&server);
    let newest = generation(&server);
    server.signal("TERM");
    server.wait_end();
    // What is on the disk is broken now: its last good form comes from the folder.
    fs::write(server.path(PATH), BROKEN).unwrap();
    server.mount(Some("mount --bind state state && mount -o remount,bind,ro state"));
    server.restart_unready();
    server.wait_ready();
    assert_eq!((served(&server), generation(&server)), (Some(1), newest));
    let said = alarms(&server);
    assert!(said.contains("generations-unwritable") && said.contains("log-un"), "{said}");
    let listed = server.http("GET", "/v1/generations", None).json();
    assert_eq!(listed["generations"].as_array().unwrap().len(), 2, "{listed}");
    let line =
        "{\"vantage\":\"v\",\"boot\":1,\"seq\":1,\"subject\":\"fra/web\",\"status\":\"down\"}";
    assert_eq!(server.http("POST", "/v1/reports", Some(line)).status, 503);
    // An edit serves, and is kept as soon as the folder can be written.
    server.write(PATH, &zone(2));
    reload(&server);
    assert_eq!((served(&server), generation(&server)), (Some(2), newest + 1));
    let process = server.process().to_string();
    let remount = ["--mount", "--target", &process, "mount", "-o", "remount,bind,rw"];
    let state = server.path("state");
    let mended = std::process::Command::new("nsenter").args(remount).arg(state).status();
    assert!(mended.unwrap().success());
    eventually("the generation is kept", || {
        reload(&server);
        let listed = server.http("GET", "/v1/generations", None).json();
        let kept = listed["generations"][0]["generation"].as_u64();
        if kept == Some(newest + 1) { Ok(()) } else { Err(listed.to_string()) }
    });
    assert!(!alarms(&server).contains("generations-unwritable"), "{}", alarms(&server));
}
