//! The real binary, in a folder of its own, on ports of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use super::dns::{Query, Response, ask, tcp_exchange};
use super::http::{Reply, http};

/// How long anything may take that is expected to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. Dropped, it is killed.
pub struct Server {
    child: Child,
    root: tempfile::TempDir,
    /// What is mounted, for it alone, before it starts.
    mount: Option<String>,
    pub dns: SocketAddr,
    pub api: SocketAddr,
}

impl Server {
    /// Starts one with `files`, paths relative to its folder, and waits until it is ready.
    pub fn start(files: &[(&str, &str)]) -> Server {
        let server = Server::start_unready(files);
        server.wait_ready();
        server
    }

    /// Starts one that is told `more` of itself, tables of homing.toml, and waits until it is ready.
    pub fn start_told(more: &str, files: &[(&str, &str)]) -> Server {
        let server = Server::start_all(more, files, None);
        server.wait_ready();
        server
    }

    /// Starts one and does not wait.
    pub fn start_unready(files: &[(&str, &str)]) -> Server {
        Server::start_mounted(files, None)
    }

    /// Starts one that sees what a shell line mounts, and does not wait.
    pub fn start_mounted(files: &[(&str, &str)], mount: Option<&str>) -> Server {
        Server::start_all("", files, mount)
    }

    fn start_all(more: &str, files: &[(&str, &str)], mount: Option<&str>) -> Server {
        let root = tempfile::tempdir().unwrap();
        // A server that becomes another user finds its way.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (dns, api) = (free_port(), free_port());
        let config = format!(
            "[site]\nname = \"test\"\nposition = [50.11, 8.68]\n[listen]\ndns = [\"{dns}\"]\napi = \"{api}\"\n{more}"
        );
        for folder in ["zones", "geo"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("homing.toml"), config).unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mount = mount.map(str::to_owned);
        let child = spawn(root.path(), mount.as_deref());
        Server { child, root, mount, dns, api }
    }

    pub fn wait_ready(&self) {
        eventually("the server is ready", || {
            let reply = http(self.api, "GET", "/readyz", None);
            reply.filter(|r| r.status == 200).map(drop).ok_or_else(|| self.log())
        });
    }

    /// Kills it without a word, as `kill -9` does, and starts it again in the same folder.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.restart_unready();
        self.wait_ready();
    }

    /// Starts it again, once it has ended, and does not wait.
    pub fn restart_unready(&mut self) {
        self.child.wait().unwrap();
        self.child = spawn(self.root.path(), self.mount.as_deref());
    }

    /// What a shell line mounts for it when it starts again.
    pub fn mount(&mut self, mount: Option<&str>) {
        self.mount = mount.map(str::to_owned);
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// A path as the server sees it, mounts and all.
    pub fn path_within(&self, path: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.process()));
        root.join(self.path(path).strip_prefix("/").unwrap())
    }

    /// Sends a signal such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until it ends by itself.
    pub fn wait_end(&mut self) -> ExitStatus {
        eventually("the server ends", || {
            self.child.try_wait().unwrap().ok_or_else(|| "it runs on".to_string())
        })
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Puts a file in place as editors do: written beside, then renamed.
    pub fn write(&self, path: &str, text: &str) {
        let beside = self.path(".beside");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, self.path(path)).unwrap();
    }

    /// All it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Asks over UDP.
    pub fn udp(&self, query: &Query) -> Response {
        let bytes = ask(self.dns, &query.to_wire(), Duration::from_secs(5));
        let response = Response::read(&bytes.expect("an answer over UDP"));
        assert_eq!(response.id, query.id);
        response
    }

    /// Asks over TCP.
    pub fn tcp(&self, query: &Query) -> Response {
        let bytes = tcp_exchange(self.dns, &[query.to_wire()]);
        Response::read(bytes.first().expect("an answer over TCP"))
    }

    /// Asks `www.example.test A` over UDP and over TCP, which must agree unless truncated, and gives the lines.
    pub fn lines(&self, question: &str) -> Vec<String> {
        let query = Query::new(question);
        let (udp, tcp) = (self.udp(&query), self.tcp(&query));
        if udp.flags & 0x200 == 0 {
            assert_eq!(udp.bytes, tcp.bytes, "{question}: UDP and TCP differ");
        }
        tcp.lines()
    }

    /// The A records that a client in `subnet` gets.
    pub fn addresses(&self, name: &str, subnet: &str) -> Vec<String> {
        let mut found = self.udp(&Query::new(&format!("{name} A")).subnet(subnet)).rdata("A");
        found.sort();
        found
    }

    pub fn http(&self, method: &str, path: &str, body: Option<&str>) -> Reply {
        http(self.api, method, path, body).expect("the API answers")
    }

    /// A counter or a gauge of whole numbers, as it is scraped.
    pub fn metric(&self, name: &str) -> u64 {
        let page = self.http("GET", "/metrics", None).body;
        let line = page.lines().find(|line| line.starts_with(name)).expect("the metric");
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Waits until a client in `subnet` gets exactly `wanted`.
    pub fn wait_addresses(&self, name: &str, subnet: &str, wanted: &[&str]) {
        eventually(&format!("{name} for {subnet} is {wanted:?}"), || {
            let found = self.addresses(name, subnet);
            if found == wanted { Ok(()) } else { Err(format!("{found:?}\n{}", self.log())) }
        });
    }

    /// Runs a command of `homing` against this server.
    pub fn homing(&self, arguments: &[&str]) -> Output {
        let url = format!("http://{}", self.api);
        let mut all = arguments.to_vec();
        all.extend(["--server", &url]);
        homing(self.root.path(), &all)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the server said:\n{}", self.log());
        }
    }
}

fn spawn(root: &Path, mount: Option<&str>) -> Child {
    let log = fs::File::options().create(true).append(true).open(root.join("log")).unwrap();
    let binary = env!("CARGO_BIN_EXE_homing");
    let mut command = match mount {
        None => Command::new(binary),
        Some(mount) => {
            let mut command = Command::new("unshare");
            let line = format!("{mount} && exec \"$0\" \"$@\"");
            command.args(["--mount", "sh", "-c", &line, binary]);
            command
        }
    };
    command.args(["serve", "--config"]).arg(root.join("homing.toml")).current_dir(root);
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().expect("the binary starts")
}

/// Runs `homing` in `folder` to its end.
pub fn homing(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_homing"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.output().expect("the binary runs")
}

/// Polls until `attempt` succeeds, and panics with its last word when it takes too long.
pub fn eventually<T>(what: &str, attempt: impl FnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, attempt)
}

/// As [`eventually`], for what takes longer than most.
pub fn within<T>(
    patience: Duration,
    what: &str,
    mut attempt: impl FnMut() -> Result<T, String>,
) -> T {
    let begun = Instant::now();
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(word) if begun.elapsed() > patience => panic!("not in time: {what}\n{word}"),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// A port of loopback that is free for UDP and TCP.
pub fn free_port() -> SocketAddr {
    loop {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
