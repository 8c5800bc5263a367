//! `homing probe`, the real binary, and endpoints that it may look at.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::http::{Reply, http};
use super::server::{eventually, free_port};

/// A vantage that runs. Dropped, it is killed.
pub struct Vantage {
    child: Child,
    root: tempfile::TempDir,
    pub page: SocketAddr,
}

impl Vantage {
    /// Starts one named `test` that tells `servers`. `rest` is what its file says besides.
    pub fn start(servers: &[SocketAddr], rest: &str) -> Vantage {
        let root = tempfile::tempdir().unwrap();
        let page = free_port();
        let path = root.path().join("probe.toml");
        fs::write(&path, Vantage::text(page, servers, rest)).unwrap();
        let log = fs::File::create(root.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_homing"));
        command.args(["probe", "--config"]).arg(&path).current_dir(root.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Vantage { child: command.spawn().expect("the binary starts"), root, page }
    }

    fn text(page: SocketAddr, servers: &[SocketAddr], rest: &str) -> String {
        let urls: Vec<String> = servers.iter().map(|api| format!("\"http://{api}\"")).collect();
        format!("vantage = \"test\"\nservers = [{}]\nlisten = \"{page}\"\n{rest}", urls.join(", "))
    }

    /// Has its file say something else.
    pub fn rewrite(&self, servers: &[SocketAddr], rest: &str) {
        let beside = self.root.path().join(".beside");
        fs::write(&beside, Vantage::text(self.page, servers, rest)).unwrap();
        fs::rename(beside, self.path()).unwrap();
    }

    pub fn path(&self) -> PathBuf {
        self.root.path().join("probe.toml")
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it counts.
    pub fn metrics(&self) -> String {
        let page = http(self.page, "GET", "/metrics", None);
        page.map(|reply: Reply| reply.body).unwrap_or_default()
    }

    /// All it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.root.path().join("log")).unwrap_or_default()
    }

    /// Waits until it has said `words`.
    pub fn wait_said(&self, words: &str) {
        eventually(&format!("the vantage says {words:?}"), || {
            let log = self.log();
            if log.contains(words) { Ok(()) } else { Err(log) }
        });
    }

    /// Sends a signal such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until it ends by itself.
    pub fn wait_end(&mut self) -> ExitStatus {
        eventually("the vantage ends", || {
            self.child.try_wait().unwrap().ok_or_else(|| "it runs on".to_string())
        })
    }
}

impl Drop for Vantage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the vantage said:\n{}", self.log());
        }
    }
}

/// Something that takes connections on loopback and answers each with HTTP 200. Dropped, it takes none.
pub struct Endpoint {
    pub address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    pub fn start() -> Endpoint {
        Endpoint::start_at("127.0.0.1:0".parse().unwrap())
    }

    /// The same place, again.
    pub fn start_at(address: SocketAddr) -> Endpoint {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((mut stream, _)) => {
                        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                        // A look that only connects is gone already.
                        let _ = stream.write_all(answer.as_bytes());
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Endpoint { address, is_over, thread: Some(thread) }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
