//! The webhook: a receiver that fails, comes back, and sees the server restarted is told everything in order.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::hmac;
use serde_json::Value;

use super::support::{Server, eventually};
use super::{FRA, REGIONS, STEERING, ZONE, report};

const SECRET: &str = "an octet for each of sixteen";

/// A letter: when it was signed, what it says.
#[derive(Clone, Debug)]
struct Letter {
    signature: String,
    body: String,
}

/// Answers each letter with the status that it was told to.
struct Receiver {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    letters: Arc<Mutex<Vec<Letter>>>,
}

impl Receiver {
    fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let status = Arc::new(AtomicU16::new(204));
        let letters = Arc::<Mutex<Vec<Letter>>>::default();
        let receiver =
            Receiver { address, status: Arc::clone(&status), letters: Arc::clone(&letters) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (status, letters) = (Arc::clone(&status), Arc::clone(&letters));
                std::thread::spawn(move || serve(stream, &status, &letters));
            }
        });
        receiver
    }

    fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What was taken.
    fn bodies(&self) -> Vec<Value> {
        let letters = self.letters.lock().unwrap().clone();
        letters.iter().map(|letter| serde_json::from_str(&letter.body).unwrap()).collect()
    }

    /// Waits until some letter has something in its `list` that is `wanted`.
    fn wait_told(&self, list: &str, wanted: impl Fn(&Value) -> bool) {
        eventually("the receiver is told", || {
            let bodies = self.bodies();
            let mut told = bodies.iter().filter_map(|body| body[list].as_array()).flatten();
            if told.any(&wanted) { Ok(()) } else { Err(format!("{bodies:#?}")) }
        });
    }
}

fn serve(stream: TcpStream, status: &AtomicU16, letters: &Mutex<Vec<Letter>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    let mut stream = BufReader::new(stream);
    while let Some(letter) = read(&mut stream) {
        let status = status.load(Ordering::SeqCst);
        if status < 300 {
            letters.lock().unwrap().push(letter);
        }
        answer(stream.get_mut(), status);
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Letter> {
    let (mut length, mut signature) = (0, String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "homing-signature" => value.clone_into(&mut signature),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Letter { signature, body: String::from_utf8(body).unwrap() })
}

fn answer(stream: &mut TcpStream, status: u16) {
    let _ =
        stream.write_all(format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n").as_bytes());
}

fn is_signed(letter: &Letter) -> bool {
    let (at, made) = letter.signature.split_once(",v1=").unwrap();
    let signed = format!("{}.{}", at.trim_start_matches("t="), letter.body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let made = data_encoding::HEXLOWER.decode(made.as_bytes()).unwrap();
    hmac::verify(&key, signed.as_bytes(), &made).is_ok()
}

/// A server whose webhook is `receiver`, with `more` in the table.
fn server(receiver: &Receiver, more: &str) -> Server {
    let mut server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
        ("secret", SECRET),
    ]);
    let base = fs::read_to_string(server.path("homing.toml")).unwrap();
    let url = format!("http://{}/homing", receiver.address);
    let table = format!("{base}[webhook]\nurl = \"{url}\"\nsecret_file = \"secret\"\n{more}");
    server.write("homing.toml", &table);
    server.kill_and_restart();
    server
}

fn revisions(bodies: &[Value]) -> Vec<u64> {
    let events = bodies.iter().filter_map(|body| body["events"].as_array()).flatten();
    events.map(|event| event["revision"].as_u64().unwrap()).collect()
}

fn is_down(event: &Value) -> bool {
    let turned = event["turned"].as_array().into_iter().flatten();
    turned
        .into_iter()
        .any(|turn| turn["subject"] == "fra/web/192.0.2.10" && turn["status"] == "down")
}

#[test]
fn a_receiver_that_was_away_is_told_everything_in_order() {
    let receiver = Receiver::start();
    let mut server = server(&receiver, "");
    eventually("the server says that it begins", || match receiver.bodies().first() {
        Some(body) if body["begins"] == true && body["site"].is_string() => Ok(()),
        other => Err(format!("{other:?}")),
    });
    report(&server, 1, "down", &FRA);
    receiver.wait_told("events", is_down);
    // It is away; what happens meanwhile is not lost, not over a kill either.
    receiver.answer_with(503);
    let hold = ["override", "iad/web", "hold", "--why", "works", "--forever"];
    assert!(server.homing(&hold).status.success());
    server.kill_and_restart();
    assert!(server.homing(&["drain", "sin", "--why", "works"]).status.success());
    eventually("a letter fails", || {
        let metrics = server.http("GET", "/metrics", None).body;
        let failed = "homing_webhook_deliveries_total{result=\"failed\"} ";
        match metrics.lines().find_map(|line| line.strip_prefix(failed)) {
            Some(count) if count != "0" => Ok(()),
            _ => Err(metrics),
        }
    });
    receiver.answer_with(204);
    receiver.wait_told("events", |event| event["kind"] == "override" && event["why"] == "works");
    receiver.wait_told("events", |event| event["kind"] == "drain" && event["region"] == "sin");
    let bodies = receiver.bodies();
    let told = revisions(&bodies);
    assert!(told.is_sorted_by(|a, b| a < b), "each once, for no answer was lost: {told:?}");
    assert!(bodies.iter().all(|body| body.get("gap").is_none()), "{bodies:?}");
    assert!(receiver.letters.lock().unwrap().iter().all(is_signed));
    // What it was told is not told again.
    eventually("its place is kept", || {
        let kept = fs::read_to_string(server.path("state/webhook.json")).unwrap_or_default();
        let last = format!("{{\"revision\": {}}}\n", told.last().unwrap());
        if kept == last { Ok(()) } else { Err(kept) }
    });
    server.kill_and_restart();
    report(&server, 11, "up", &FRA);
    report(&server, 21, "up", &FRA);
    let is_up = |event: &Value| {
        let turned = event["turned"].as_array().into_iter().flatten();
        turned.into_iter().any(|turn| turn["was"] == "down" && turn["status"] == "up")
    };
    receiver.wait_told("events", is_up);
    let again = revisions(&receiver.bodies());
    assert_eq!(again[..told.len()], told);
    assert!(again.is_sorted_by(|a, b| a < b), "{again:?}");
}

#[test]
fn one_that_asks_for_alarms_hears_of_nothing_else_and_when_they_end() {
    let receiver = Receiver::start();
    let server = server(&receiver, "only = [\"alarms\"]\n");
    report(&server, 1, "down", &FRA);
    server.write("zones/example.test.zone", "$TTL 60\n@ SOA broken\n");
    let is = |change: &'static str| {
        move |alarm: &Value| alarm["alarm"] == "files-refused" && alarm["change"] == change
    };
    receiver.wait_told("alarms", is("raised"));
    server.write("zones/example.test.zone", ZONE);
    receiver.wait_told("alarms", is("cleared"));
    let told = receiver.bodies();
    assert!(revisions(&told).is_empty(), "no event of the log has an alarm: {told:?}");
    // A receiver that refuses for long gives alarm itself; it does not hear of that.
    fs::remove_file(server.path("secret")).unwrap();
    server.write("zones/example.test.zone", "$TTL 60\n@ SOA broken\n");
    eventually("the alarm says why", || {
        let status = server.http("GET", "/v1/status", None).body;
        let is_told = status.contains("webhook-failing") && status.contains("cannot be read");
        if is_told { Ok(()) } else { Err(status) }
    });
    server.write("secret", SECRET);
    receiver.wait_told("alarms", is("raised"));
    eventually("the alarm ends", || {
        let status = server.http("GET", "/v1/status", None).body;
        if status.contains("webhook-failing") { Err(status) } else { Ok(()) }
    });
    assert!(!format!("{:?}", receiver.bodies()).contains("webhook-failing"));
}
