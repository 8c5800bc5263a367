//! The real servers, each on a port of its own with a configuration of the fixtures, asked beside ours.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::support::{Query, Response, Server, ask, eventually, free_port, homing};
use crate::{files, fixture};

/// Whether `program` is installed. Where it has to be, a missing one fails the test.
pub fn has(program: &str) -> bool {
    let found = find(program).is_some();
    let required = std::env::var_os("HOMING_REQUIRE_SERVERS").is_some();
    assert!(found || !required, "{program} is not installed");
    if !found {
        eprintln!("{program} is not installed: left out");
    }
    found
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Runs `program` to its end, and asserts that it is content.
pub fn content(program: &str, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(find(program).unwrap());
    let out = command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{program} {arguments:?}: {said}");
    out
}

/// A running server of another kind. Dropped, it is killed.
struct Other {
    child: Child,
    address: SocketAddr,
}

impl Other {
    fn start(program: &str, root: &Path, arguments: &[&str], address: SocketAddr) -> Other {
        let log = fs::File::create(root.join("log")).unwrap();
        let mut command = Command::new(find(program).unwrap());
        command.args(arguments).current_dir(root).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let other = Other { child, address };
        let query = Query::new("example.com SOA").to_wire();
        eventually(&format!("{program} answers"), || {
            let answer = ask(address, &query, Duration::from_millis(200));
            let answer = answer.map(|bytes| Response::read(&bytes)).filter(|r| r.rcode == 0);
            answer.map(drop).ok_or_else(|| fs::read_to_string(root.join("log")).unwrap())
        });
        other
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Asked kindly first: knotd and nsd have children.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..100 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has the absolute paths in the file `path` of a fixture begin at `root`.
fn anchor(root: &Path, path: &str) {
    let path = root.join(path);
    let mut text = fs::read_to_string(&path).unwrap();
    for folder in ["/etc/", "/var/", "/run/"] {
        for before in ["\"", "INCLUDE "] {
            let anchored = format!("{before}{}{folder}", root.display());
            text = text.replace(&format!("{before}{folder}"), &anchored);
        }
    }
    fs::write(path, text).unwrap();
}

/// Replaces the first of each pair by the second in a file of a fixture.
fn change(root: &Path, path: &str, changes: &[(&str, &str)]) {
    let path = root.join(path);
    let mut text = fs::read_to_string(&path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} in {}", path.display());
        text = text.replace(from, to);
    }
    fs::write(path, text).unwrap();
}

/// Every question that the zones answer, and some that they do not.
fn questions(folder: &Path) -> BTreeSet<String> {
    let out = homing(folder, &["export", "--flatten", "dns", "--into", "flat"]);
    assert!(out.status.success(), "{out:?}");
    let mut questions = BTreeSet::new();
    for file in files(&folder.join("flat")) {
        let text = fs::read_to_string(folder.join("flat").join(&file)).unwrap();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let (owner, rtype) = (fields[0], fields[3]);
            let owner = owner.replace("*.", "x.y.");
            questions.insert(format!("{owner} {rtype}"));
            questions.insert(format!("{owner} TXT"));
            questions.insert(format!("nowhere.{owner} A"));
        }
    }
    assert!(questions.len() > 30, "{questions:?}");
    questions
}

/// What counts of an answer: everything; but what stands beside an answer is each server's own business.
fn essence(bytes: &[u8]) -> Vec<String> {
    let response = Response::read(bytes);
    let is_positive = !response.answer.is_empty();
    let beside = |line: &String| {
        is_positive && (line.starts_with("authority ") || line.starts_with("additional "))
    };
    let lines = response.lines().into_iter().filter(|line| !beside(line));
    lines.map(|line| line.to_ascii_lowercase()).collect()
}

/// Imports `configuration`, serves the outcome, and asks both servers everything.
fn compare(root: &Path, configuration: &str, other: &Other, leave_out: &[&str]) {
    let out = homing(root, &["import", configuration, "--into", "dns"]);
    let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    assert!(homing(root, &["check", "dns"]).status.success(), "{said}");
    let zones = files(&root.join("dns/zones"));
    let read = |path: &String| fs::read_to_string(root.join("dns/zones").join(path)).unwrap();
    let texts: Vec<(String, String)> =
        zones.iter().map(|p| (format!("zones/{p}"), read(p))).collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let ours = Server::start(&texts);
    let mut asked = 0;
    for question in questions(root) {
        if leave_out.iter().any(|part| question.contains(part)) {
            continue;
        }
        let query = Query::new(&question).to_wire();
        let answer = |address| ask(address, &query, Duration::from_secs(5)).expect("an answer");
        let (theirs, ours) = (essence(&answer(other.address)), essence(&answer(ours.dns)));
        assert_eq!(theirs, ours, "{question}: theirs, ours");
        asked += 1;
    }
    assert!(asked > 30, "{asked}");
}

#[test]
fn named_and_homing_answer_alike() {
    if !(has("named") && has("named-checkconf")) {
        return;
    }
    let root = fixture("bind");
    let address = free_port();
    let port = format!("port {}", address.port());
    for file in files(&root.path().join("etc/bind")) {
        anchor(root.path(), &format!("etc/bind/{file}"));
    }
    change(root.path(), "etc/bind/named.conf.options", &[("port 53", &port)]);
    content("named-checkconf", root.path(), &["etc/bind/named.conf"]);
    content("named-checkconf", root.path(), &["etc/bind/views.conf"]);
    // So that it needs no folder of the system's.
    fs::create_dir_all(root.path().join("var/log/named")).unwrap();
    let quiet = "controls { };\noptions {\n\tpid-file none;\n\tsession-keyfile none;\n\tlisten-on-v6 { none; };";
    let changes = [("options {", quiet), ("\tlisten-on-v6 { ::1; };\n", "")];
    change(root.path(), "etc/bind/named.conf.options", &changes);
    let other = Other::start("named", root.path(), &["-g", "-c", "etc/bind/named.conf"], address);
    // Signed by named: its file is taken without signatures, and the import says so.
    compare(root.path(), "etc/bind/named.conf", &other, &["signed.example"]);
}

#[test]
fn nsd_and_homing_answer_alike() {
    if !(has("nsd") && has("nsd-checkconf")) {
        return;
    }
    let root = fixture("nsd");
    let address = free_port();
    let conf = "etc/nsd/nsd.conf";
    anchor(root.path(), conf);
    content("nsd-checkconf", root.path(), &[conf]);
    let dir = root.path().display();
    let quiet = format!(
        "server:\n\tusername: \"\"\n\tport: {}\n\tdatabase: \"\"\n\tpidfile: \"{dir}/pid\"\n\txfrdfile: \"{dir}/xfrd\"\n\
         \txfrdir: \"{dir}\"\n\tserver-count: 1",
        address.port()
    );
    let changes =
        [("server:\n\tserver-count: 2", quiet.as_str()), ("\tip-address: 2001:db8::53@5353\n", "")];
    change(root.path(), conf, &changes);
    let other = Other::start("nsd", root.path(), &["-d", "-c", conf], address);
    compare(root.path(), conf, &other, &[]);
}

#[test]
fn knotd_and_homing_answer_alike() {
    if !(has("knotd") && has("knotc")) {
        return;
    }
    let root = fixture("knot");
    let address = free_port();
    let conf = "etc/knot/knot.conf";
    anchor(root.path(), conf);
    anchor(root.path(), "etc/knot/zones.d/zones.conf");
    fs::create_dir_all(root.path().join("run/knot")).unwrap();
    content("knotc", root.path(), &["-c", conf, "conf-check"]);
    let listen = format!("[ 127.0.0.1@{} ]", address.port());
    let changes = [
        ("[ 127.0.0.1@53, ::1@53 ]", listen.as_str()),
        ("    user: knot:knot\n", ""),
        ("target: syslog", "target: stderr"),
    ];
    change(root.path(), conf, &changes);
    let other = Other::start("knotd", root.path(), &["-c", conf], address);
    compare(root.path(), conf, &other, &["signed.example"]);
    // The template of the zone says nothing of `file`; that of the default template is not for it.
    let query = Query::new("www.signed.example A").to_wire();
    let answer = ask(other.address, &query, Duration::from_secs(5)).expect("an answer");
    assert_eq!(Response::read(&answer).rdata("A"), ["192.0.2.87"]);
}
