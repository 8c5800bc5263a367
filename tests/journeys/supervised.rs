//! Under a service manager: it opens the sockets, hears when the server is ready and that it lives, and its unit is strict.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};

use super::ZONE;
use super::support::{Query, Response, eventually, free_port, homing, tcp_exchange};

/// A folder to serve, with the addresses of DNS and of the API.
struct Place {
    root: tempfile::TempDir,
    dns: SocketAddr,
    api: SocketAddr,
}

impl Place {
    fn new() -> Place {
        let (root, dns, api) = (tempfile::tempdir().unwrap(), free_port(), free_port());
        let told = format!("[listen]\ndns = [\"{dns}\"]\napi = \"{api}\"\n");
        fs::create_dir(root.path().join("zones")).unwrap();
        fs::write(root.path().join("zones/example.test.zone"), ZONE).unwrap();
        fs::write(root.path().join("homing.toml"), told).unwrap();
        Place { root, dns, api }
    }

    /// Starts the server as a service manager does, with `fds` from number 3 on, and hears what it tells.
    fn start(&self, fds: &[BorrowedFd<'_>]) -> (Child, UnixDatagram) {
        let socket = self.root.path().join("notify");
        let _ = fs::remove_file(&socket);
        let heard = UnixDatagram::bind(&socket).unwrap();
        heard.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut line = format!("export LISTEN_PID=$$ LISTEN_FDS={}; exec \"$0\" serve", fds.len());
        for (number, fd) in fds.iter().enumerate() {
            fcntl_setfd(fd, FdFlags::empty()).unwrap();
            line.push_str(&format!(" {}<&{}", number + 3, fd.as_raw_fd()));
        }
        let log = fs::File::create(self.root.path().join("log")).unwrap();
        let mut command = Command::new("bash");
        command.args(["-c", &line, env!("CARGO_BIN_EXE_homing")]).current_dir(self.root.path());
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "400000");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        (command.spawn().unwrap(), heard)
    }
}

fn hear(heard: &UnixDatagram) -> String {
    let mut told = [0; 256];
    let len = heard.recv(&mut told).expect("a word");
    String::from_utf8_lossy(&told[..len]).trim().to_owned()
}

fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

#[test]
fn it_tells_that_it_is_ready_that_it_lives_and_that_it_ends() {
    let place = Place::new();
    let (mut child, heard) = place.start(&[]);
    assert_eq!(hear(&heard), "READY=1");
    assert_eq!(tcp_exchange(place.dns, &[Query::new("www.example.test A").to_wire()]).len(), 1);
    for _ in 0..3 {
        assert_eq!(hear(&heard), "WATCHDOG=1");
    }
    signal(&child, "TERM");
    eventually("it tells that it ends", || match hear(&heard).as_str() {
        "STOPPING=1" => Ok(()),
        other => Err(other.to_owned()),
    });
    assert!(child.wait().unwrap().success());
}

#[test]
fn sockets_that_are_handed_over_outlive_it_and_lose_nothing() {
    use std::os::fd::AsFd;
    let place = Place::new();
    let udp = UdpSocket::bind(place.dns).unwrap();
    let tcp = TcpListener::bind(place.dns).unwrap();
    let api = TcpListener::bind(place.api).unwrap();
    let fds = [udp.as_fd(), tcp.as_fd(), api.as_fd()];
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(place.dns).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let query = Query::new("www.example.test A");
    for _ in 0..2 {
        // Asked while nobody serves, and answered by who comes.
        client.send(&query.to_wire()).unwrap();
        let (mut child, heard) = place.start(&fds);
        let mut answer = [0; 1232];
        let len = client.recv(&mut answer).unwrap();
        assert_eq!(Response::read(&answer[..len]).rdata("A"), ["192.0.2.80"]);
        assert_eq!(hear(&heard), "READY=1");
        let answers = tcp_exchange(place.dns, &[query.to_wire()]);
        assert_eq!(Response::read(&answers[0]).rdata("A"), ["192.0.2.80"]);
        let url = format!("http://{}", place.api);
        let status = homing(place.root.path(), &["status", "--server", &url]);
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
        signal(&child, "TERM");
        assert!(child.wait().unwrap().success());
    }

    let stray = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut child, _heard) = place.start(&[stray.as_fd()]);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let log = fs::read_to_string(place.root.path().join("log")).unwrap();
    assert!(log.contains("take it out of the socket unit"), "{log}");
}

#[test]
fn the_unit_leaves_the_service_little_to_break() {
    let place = Place::new();
    let unit = |more: &[&str]| {
        let written = homing(place.root.path(), &[&["unit", "--user", "daemon"], more].concat());
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        String::from_utf8(written.stdout).unwrap()
    };
    assert!(unit(&["--socket"]).contains(&format!("ListenDatagram={}\n", place.dns)));
    let path = place.root.path().join("homing.service");
    fs::write(&path, unit(&[])).unwrap();
    let Some(score) = exposure(&path) else {
        assert!(std::env::var_os("HOMING_REQUIRE_SERVERS").is_none(), "systemd-analyze is missing");
        eprintln!("no systemd-analyze: the unit is not scored");
        return;
    };
    assert!(score < 2.0, "{score}");
}

/// What `systemd-analyze security` says of a unit: 0.0, safe, to 10.0. None: it is not on this machine.
fn exposure(unit: &Path) -> Option<f64> {
    let analyze = |arguments: &[&str]| {
        let done = Command::new("systemd-analyze").args(arguments).arg(unit).output().ok()?;
        Some(format!(
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        ))
    };
    let faults = analyze(&["verify", "--man=no"])?;
    assert!(!faults.contains("homing.service:"), "{faults}");
    let told = analyze(&["security", "--offline=true", "--no-pager"])?;
    let line = told.lines().find(|line| line.contains("Overall exposure level")).expect(&told);
    line.split(':').nth(1)?.split_whitespace().next()?.parse().ok()
}
