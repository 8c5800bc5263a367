//! `homing import`: what it prints and writes, to the letter, and what it refuses.

use std::fs;
use std::path::Path;

use crate::support::homing;
use crate::{files, fixture, golden};

/// Imports `configuration` of the fixture `name`, and holds all that is printed and written against a transcript.
fn check(
    name: &str,
    configuration: &str,
    more: &[&str],
    transcript: &str,
    code: i32,
) -> tempfile::TempDir {
    let root = fixture(name);
    let mut arguments = vec!["import", configuration, "--root", ".", "--into", "dns"];
    arguments.extend(more);
    let run = homing(root.path(), &arguments);
    let printed = String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(code), "{printed}");
    // What `check` says at the end is `check`'s own matter.
    let end = printed.find(" written to dns\n").map_or(printed.len(), |at| at + 16);
    let mut found = format!("$ homing {}\n{}", arguments.join(" "), &printed[..end]);
    let dns = root.path().join("dns");
    if dns.is_dir() {
        found.push_str(&format!("\n$ find dns -type f\n{}\n", files(&dns).join("\n")));
        let text = fs::read_to_string(dns.join("homing.toml")).unwrap();
        found.push_str(&format!("\n$ cat dns/homing.toml\n{text}"));
        found.push_str("\n$ grep -ri '^$INCLUDE' dns/zones\n");
        for file in files(&dns.join("zones")) {
            let text = fs::read(dns.join("zones").join(&file)).unwrap();
            let text = String::from_utf8_lossy(&text);
            for line in text.lines().filter(|line| line.starts_with("$INCLUDE")) {
                found.push_str(&format!("dns/zones/{file}:{line}\n"));
            }
        }
    }
    golden(transcript, &found);
    root
}

fn same(root: &Path, source: &str, target: &str) {
    let read = |path: &str| fs::read(root.join(path)).unwrap();
    assert_eq!(read(source), read(target), "{source} and {target}");
}

#[test]
fn named_conf() {
    let root = check("bind", "etc/bind/named.conf", &[], "import-bind.txt", 1);
    // Byte for byte: line ends, a missing last one, comments.
    same(
        root.path(),
        "etc/bind/zones/db.0-25.2.0.192",
        "dns/zones/0%2F25.2.0.192.in-addr.arpa.zone",
    );
    same(root.path(), "var/cache/bind/example.net.db", "dns/zones/example.net.zone");
    same(root.path(), "etc/bind/zones/spf.inc", "dns/zones/included/spf.inc");
}

#[test]
fn views_are_chosen() {
    check("bind", "etc/bind/views.conf", &[], "import-views.txt", 1);
    check("bind", "etc/bind/views.conf", &["--view", "outside"], "import-view.txt", 0);
}

#[test]
fn nsd_conf() {
    let root = check("nsd", "etc/nsd/nsd.conf", &[], "import-nsd.txt", 0);
    same(root.path(), "etc/nsd/zones/e/example.org", "dns/zones/example.org.zone");
}

#[test]
fn knot_conf() {
    let root = check("knot", "etc/knot/knot.conf", &[], "import-knot.txt", 0);
    same(root.path(), "var/lib/knot/e/example.com.zone", "dns/zones/example.com.zone");
}

#[test]
fn what_cannot_be_read_is_refused_and_nothing_is_written() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| fs::write(root.path().join(path), text).unwrap();
    let import = |arguments: &[&str]| {
        let mut all = vec!["import"];
        all.extend(arguments);
        all.extend(["--into", "dns"]);
        let run = homing(root.path(), &all);
        let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
        assert!(!said.contains("panicked"), "{said}");
        (run.status.code().unwrap(), said.into_owned())
    };
    for (text, place) in [
        (
            "zone \"a.test\" { type master; file \"a\"; }\nzone \"b.test\" { type master; file \"b\"; };\n",
            "named.conf:2:1: error[foreign-statement]",
        ),
        (
            "zone \"a.test\" {\n type master\n file \"a\"; };\n",
            "named.conf:2:2: error[foreign-statement]",
        ),
        ("zone \"a.test\" {\n type master; };\n}", "named.conf:3:1: error[foreign-syntax]"),
        ("options { /* };", "named.conf:1:11: error[foreign-syntax]"),
        ("include \"named.conf\";", "named.conf:1:9: error[foreign-include-depth]"),
    ] {
        write("named.conf", text);
        let (code, said) = import(&["named.conf"]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(place), "{place} in {said}");
        assert!(!root.path().join("dns").exists(), "{text}");
    }
    for (name, text, place) in [
        (
            "nsd.conf",
            "zone:\n name: a.test\n include-pattern: none\n",
            "nsd.conf:3:19: error[foreign-statement]",
        ),
        ("nsd.conf", "name: a.test\n", "nsd.conf:1:1: error[foreign-statement]"),
        (
            "knot.conf",
            "zone:\n - domain: a.test\n   template: none\n",
            "knot.conf:3:14: error[foreign-statement]",
        ),
        (
            "knot.conf",
            "zone:\n - domain: a.test\n - domain: A.test.\n",
            "knot.conf:3:12: error[foreign-zone-twice]",
        ),
        ("knot.conf", "zone:\n - domain a.test\n", "knot.conf:2:4: error[foreign-syntax]"),
    ] {
        write(name, text);
        let (code, said) = import(&[name]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(place), "{place} in {said}");
        assert!(!root.path().join("dns").exists(), "{text}");
    }
    assert_eq!(import(&["knot.conf", "--view", "x"]).0, 2);
    write("odd.conf", "include: x\n");
    let (code, said) = import(&["odd.conf"]);
    assert_eq!((code, said.contains("homing import bind|nsd|knot odd.conf")), (2, true), "{said}");
    assert_eq!(import(&["dance", "odd.conf"]).0, 2);
    assert_eq!(import(&["nowhere.conf"]).0, 2);
    let (code, said) = import(&["knot", "odd.conf"]);
    assert_eq!((code, said.contains("error[foreign-include]")), (1, true), "{said}");
    assert!(!root.path().join("dns").exists());
}

#[test]
fn what_is_there_stays_unless_forced() {
    let root = fixture("nsd");
    let import = |more: &[&str]| {
        let mut all = vec!["import", "nsd", "etc/nsd/nsd.conf", "--root", ".", "--into", "dns"];
        all.extend(more);
        homing(root.path(), &all)
    };
    let zone = root.path().join("dns/zones/example.org.zone");
    fs::create_dir_all(zone.parent().unwrap()).unwrap();
    fs::write(&zone, "mine").unwrap();
    fs::write(root.path().join("dns/homing.toml"), "# mine\n").unwrap();
    let run = import(&[]);
    assert_eq!(run.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&run.stderr)
            .contains("dns/zones/example.org.zone exists and differs")
    );
    assert_eq!(files(&root.path().join("dns")), ["homing.toml", "zones/example.org.zone"]);
    assert_eq!(import(&["--force"]).status.code(), Some(0));
    assert!(fs::read_to_string(&zone).unwrap().starts_with("$TTL 300"));
    assert_eq!(fs::read_to_string(root.path().join("dns/homing.toml")).unwrap(), "# mine\n");
    // Once more: all as it was.
    let again = import(&[]);
    assert_eq!(again.status.code(), Some(0));
    assert!(
        String::from_utf8_lossy(&again.stdout)
            .contains("0 files written to dns, 7 files as they were")
    );
}

#[test]
fn secondaries_come_along_when_asked_for() {
    let root = fixture("nsd");
    let text = fs::read(root.path().join("etc/nsd/zones/added.zone")).unwrap();
    fs::write(root.path().join("etc/nsd/zones/secondary.example.zone"), text).unwrap();
    let arguments = ["import", "etc/nsd/nsd.conf", "--root", ".", "--into", "dns", "--secondaries"];
    assert_eq!(homing(root.path(), &arguments).status.code(), Some(0));
    assert!(root.path().join("dns/zones/secondary.example.zone").is_file());
}

/// DNSControl is packaged neither by Debian nor on PyPI or npm: a file in the shape that it writes stands for it.
#[test]
fn what_dnscontrol_writes_is_served_as_it_is() {
    let root = fixture("dnscontrol");
    let run = homing(root.path(), &["check"]);
    let said = String::from_utf8_lossy(&run.stdout);
    assert_eq!(run.status.code(), Some(0), "{said}");
    assert!(!said.contains("warning["), "{said}");
}
