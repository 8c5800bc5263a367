//! DNS over HTTPS (RFC 8484), asked by other people's clients: the answers are those of TCP, and what is no query is told so.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;

use data_encoding::BASE64URL_NOPAD;

use super::dot;
use super::support::{Query, Response, Server, eventually, free_port};
use super::tls::Issued;

const MESSAGE: &str = "application/dns-message";

struct Site {
    server: Server,
    doh: SocketAddr,
    issued: Issued,
}

/// What curl got: status, version of HTTP, type, what it may be kept for, body.
struct Got {
    status: u16,
    version: String,
    content_type: String,
    kept: String,
    body: Vec<u8>,
}

impl Site {
    fn start(more: &str) -> Site {
        let (issued, doh) = (Issued::new(), free_port());
        let (server, _) = dot::start(&format!("doh = [\"{doh}\"]\n{more}"), &issued.pair());
        fs::write(server.path("ca.pem"), &issued.ca_pem).unwrap();
        Site { server, doh, issued }
    }

    fn curl(&self, path: &str, arguments: &[&str]) -> Got {
        let (body, kept) = (self.server.path("body"), self.server.path("head"));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "30", "--noproxy", "*", "--cacert"]);
        curl.arg(self.server.path("ca.pem"))
            .arg("--output")
            .arg(&body)
            .arg("--dump-header")
            .arg(&kept);
        curl.args(["--write-out", "%{http_code} %{http_version} %{content_type}"]).args(arguments);
        let done = curl.arg(format!("https://{}{path}", self.doh)).output().expect("curl");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let told = String::from_utf8(done.stdout).unwrap();
        let mut words = told.split(' ');
        let head = fs::read_to_string(&kept).unwrap().to_lowercase();
        let kept = head.lines().find_map(|line| line.strip_prefix("cache-control: "));
        Got {
            status: words.next().unwrap().parse().unwrap(),
            version: words.next().unwrap().to_owned(),
            content_type: words.next().unwrap().to_owned(),
            kept: kept.unwrap_or_default().to_owned(),
            body: fs::read(&body).unwrap_or_default(),
        }
    }

    fn get(&self, query: &Query, arguments: &[&str]) -> Got {
        let parameter = BASE64URL_NOPAD.encode(&query.to_wire());
        self.curl(&format!("/dns-query?dns={parameter}"), arguments)
    }

    fn post(&self, octets: &[u8], arguments: &[&str]) -> Got {
        let file = self.server.path("query");
        fs::write(&file, octets).unwrap();
        let (data, kind) = (format!("@{}", file.display()), format!("content-type: {MESSAGE}"));
        let all = [&["--data-binary", data.as_str(), "--header", &kind][..], arguments].concat();
        self.curl("/dns-query", &all)
    }
}

#[test]
fn curl_gets_and_posts_what_tcp_answers() {
    let site = Site::start("");
    for (question, kept) in [
        ("www.example.test A", "private, max-age=60"),
        ("missing.example.test A", "private, max-age=60"),
        ("example.test NS", "private, max-age=60"),
        ("elsewhere.example A", "private, max-age=0"),
    ] {
        let query = Query { id: 0, ..Query::new(question) };
        let wanted = site.server.tcp(&query).lines();
        for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
            for got in [site.get(&query, &[flag]), site.post(&query.to_wire(), &[flag])] {
                let told = (got.status, got.version.as_str(), got.content_type.as_str());
                assert_eq!(told, (200, version, MESSAGE), "{question}");
                assert_eq!(got.kept, kept, "{question}");
                assert_eq!(Response::read(&got.body).lines(), wanted);
            }
        }
    }
    assert_eq!(site.server.metric("homing_queries_total{transport=\"https\"}"), 16);
    let status = String::from_utf8(site.server.homing(&["status"]).stdout).unwrap();
    assert!(status.contains(&format!("over HTTPS  {}", site.doh)), "{status}");
}

#[test]
fn kdig_asks_over_https() {
    let site = Site::start("");
    let ca = site.server.path("ca.pem");
    let mut kdig = Command::new("kdig");
    kdig.arg(format!("@{}", site.doh.ip())).args(["-p", &site.doh.port().to_string()]);
    kdig.arg(format!("+tls-ca={}", ca.display())).arg("+padding");
    kdig.args(["+https", "+short", "www.example.test", "A"]);
    let Ok(done) = kdig.output() else {
        assert!(std::env::var_os("HOMING_REQUIRE_SERVERS").is_none(), "kdig is missing");
        eprintln!("no kdig on this machine: it is not asked");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "192.0.2.80", "{done:?}");
}

#[test]
fn what_is_no_query_is_told_so() {
    let site = Site::start("");
    let wire = Query::new("www.example.test A").to_wire();
    assert_eq!(site.curl("/", &[]).status, 404);
    assert_eq!(site.curl("/dns-query", &[]).status, 400);
    assert_eq!(site.curl("/dns-query?dns=%%%", &[]).status, 400);
    assert_eq!(site.curl("/dns-query?dns=AAAB", &[]).status, 400);
    assert_eq!(site.curl("/dns-query", &["--request", "DELETE"]).status, 405);
    assert_eq!(site.curl("/dns-query", &["--data-binary", "x"]).status, 415);
    // Over HTTP/2 the rest of it is taken back besides, which curl tells as an error of its own.
    assert_eq!(site.post(&[0; 70_000], &["--http1.1"]).status, 413);
    assert_eq!(site.post(&wire[..11], &[]).status, 400);
    // A response is no query.
    let response = [&wire[..2], &[wire[2] | 0x80], &wire[3..]].concat();
    let refused = site.post(&response, &[]);
    assert_eq!(refused.status, 400);
    assert!(refused.content_type.starts_with("text/plain"));
    assert_eq!(site.post(&wire, &[]).status, 200);
}

#[test]
fn who_keeps_it_waiting_is_let_go() {
    let site = Site::start("[tcp]\nidle = \"1s\"\n");
    let begun = |octets: &[u8]| {
        let mut client = dot::connect_for(b"http/1.1", site.doh, &site.issued);
        client.write_all(octets).unwrap();
        client.flush().unwrap();
        client
    };
    let head = b"POST /dns-query HTTP/1.1\r\nhost: x\r\ncontent-type: application/dns-message\r\n";
    let whole = [&head[..], b"content-length: 40\r\n\r\n123"].concat();
    let stalled = [begun(b""), begun(&head[..]), begun(&whole)];
    eventually("all have been let go", || {
        let open = site.server.metric("homing_tcp_connections_open");
        if open == 0 { Ok(()) } else { Err(open.to_string()) }
    });
    drop(stalled);
    assert_eq!(site.get(&Query::new("www.example.test A"), &[]).status, 200);
}
