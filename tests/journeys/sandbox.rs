//! What the process gives up once it has its sockets, seen from outside.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use super::ZONE;
use super::support::{Query, Server, eventually, homing};

const NOBODY: u32 = 65_534;
const FILES: [(&str, &str); 1] = [("zones/example.test.zone", ZONE)];

/// The line of each thread's /proc status.
fn of_threads(server: &Server, field: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.process())).unwrap();
    let line = |task: fs::DirEntry| {
        let status = fs::read_to_string(task.path().join("status")).unwrap();
        let mut words =
            status.lines().find(|line| line.starts_with(field)).unwrap().split_whitespace();
        words.nth(1).unwrap().to_owned()
    };
    tasks.map(|task| line(task.unwrap())).collect()
}

fn status(server: &Server) -> Value {
    let told = server.homing(&["status", "--format", "json"]);
    serde_json::from_slice(&told.stdout).unwrap()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn it_becomes_a_user_without_capabilities_and_its_state_is_its_own() {
    if !is_root() {
        eprintln!("only root can become another user: not looked at");
        return;
    }
    let server = Server::start_told("[sandbox]\nuser = \"nobody\"\n", &FILES);
    assert_eq!(server.tcp(&Query::new("www.example.test A")).rdata("A"), ["192.0.2.80"]);
    let all = |field: &str, wanted: &str| {
        let found = of_threads(&server, field);
        assert!(found.len() > 5 && found.iter().all(|it| it == wanted), "{field} {found:?}");
    };
    all("Uid:", "65534");
    all("Gid:", "65534");
    all("CapPrm:", "0000000000000000");
    all("CapEff:", "0000000000000000");
    all("NoNewPrivs:", "1");
    all("Seccomp:", "2");
    let told = &status(&server)["sandbox"];
    let wanted = json!({
        "user": "nobody", "capabilities": [], "no_new_privileges": true, "landlock": "on", "seccomp": "on",
    });
    assert_eq!(*told, wanted);
    let human = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
    assert!(
        human.contains("sandbox     user nobody, capabilities none, no new privileges"),
        "{human}"
    );
    all_are_private(&server.path("state"));
}

/// Whether nobody else may look into `folder`, and all in it are the user's.
fn all_are_private(folder: &Path) {
    let found = fs::metadata(folder).unwrap();
    assert_eq!((found.mode() & 0o777, found.uid()), (0o700, NOBODY), "{}", folder.display());
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            all_are_private(&entry.path());
        } else {
            let found = entry.metadata().unwrap();
            let shown = entry.path();
            assert_eq!((found.mode() & 0o777, found.uid()), (0o600, NOBODY), "{}", shown.display());
        }
    }
}

#[test]
fn a_start_that_cannot_keep_its_word_ends_and_says_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("zones")).unwrap();
    let start = |user: &str| {
        let told = format!(
            "[listen]\ndns = [\"127.0.0.1:0\"]\napi = \"127.0.0.1:0\"\n[sandbox]\nuser = \"{user}\"\n"
        );
        fs::write(folder.path().join("homing.toml"), told).unwrap();
        let ended = homing(folder.path(), &["serve"]);
        assert_eq!(ended.status.code(), Some(2));
        String::from_utf8(ended.stderr).unwrap()
    };
    let unknown = start("noone-of-this-name");
    assert!(unknown.contains("useradd --system"), "{unknown}");
    if is_root() {
        fs::create_dir(folder.path().join("state")).unwrap();
        let of_root = start("nobody");
        assert!(of_root.contains("chown -R nobody:"), "{of_root}");
    }
}

#[test]
fn nothing_is_written_beside_state_nor_read_beside_what_is_configured() {
    let elsewhere = tempfile::tempdir().unwrap();
    let zone = elsewhere.path().join("linked.zone");
    fs::write(&zone, ZONE).unwrap();
    let link = |server: &Server| symlink(&zone, server.path("zones/linked.test.zone")).unwrap();
    let server = Server::start_told("", &FILES);
    link(&server);
    eventually("the file is refused, with what to do", || {
        let told = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
        let is_told = told.contains("ermission denied") && told.contains("[sandbox]");
        if is_told { Ok(()) } else { Err(told) }
    });
    // Where it is listed it serves.
    let more = format!("[sandbox]\nread = [{:?}]\n", elsewhere.path().display().to_string());
    let server = Server::start_told(&more, &FILES);
    link(&server);
    eventually("the linked zone is served", || {
        let found = server.udp(&Query::new("www.linked.test A")).rdata("A");
        if found == ["192.0.2.80"] { Ok(()) } else { Err(format!("{found:?}")) }
    });
    // What is behind a link out of state/ stays as it is.
    let generations = server.path("state/generations");
    fs::remove_dir_all(&generations).unwrap();
    symlink(elsewhere.path(), &generations).unwrap();
    server.write("zones/example.test.zone", &ZONE.replace("192.0.2.80", "192.0.2.81"));
    eventually("the alarm stands", || {
        let told = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
        if told.contains("generations-unwritable") { Ok(()) } else { Err(told) }
    });
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    assert_eq!(fs::metadata(&zone).unwrap().permissions().mode() & 0o022, 0);
}
