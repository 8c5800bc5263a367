//! A long stream of reports, as curl sends it over HTTP/1.1 and HTTP/2: each batch is answered when it is settled, and what
//! was answered is durable. Needs curl, without which only CI insists.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use super::support::{Server, eventually, http_with};
use super::{EUROPE, FRA, IAD, door, server};

/// A curl that streams.
struct Sender {
    child: Child,
    input: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    seq: u64,
    /// Items that are settled, by the last answer.
    settled: u64,
}

fn report(subject: &str, status: &str, seq: u64) -> Value {
    json!({"vantage": "ams", "boot": 1, "seq": seq, "subject": subject, "status": status})
}

/// None where there is no curl.
fn sender(server: &Server, more: &[&str]) -> Option<Sender> {
    let mut command = Command::new("curl");
    // `.`: what arrives is sent and what is answered is printed, whichever comes first.
    command.args(["-sSN", "--no-progress-meter", "-X", "POST", "-T", "."]).args(more);
    command.args(["-H", "content-type: application/x-ndjson", "-H", "expect:"]);
    command.arg(format!("http://{}/v1/reports/stream", server.api));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("curl does not start: {error}");
            return None;
        }
        Err(error) => panic!("curl does not start: {error}"),
    };
    let answers = BufReader::new(child.stdout.take().unwrap());
    Some(Sender { input: child.stdin.take(), child, answers, seq: 0, settled: 0 })
}

impl Sender {
    fn send(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).unwrap();
    }

    fn say(&mut self, subject: &str, status: &str) {
        self.seq += 1;
        self.send(&format!("{}\n", report(subject, status, self.seq)));
    }

    /// The next line of the answer; none at its end.
    fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        let count = self.answers.read_line(&mut line).unwrap();
        (count > 0).then(|| serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}")))
    }

    /// Answers until so many items are settled: how many were taken, and what was refused.
    fn wait_settled(&mut self, items: u64) -> (u64, Vec<Value>) {
        let (mut taken, mut refused) = (0, Vec::new());
        while self.settled < items {
            let answer = self.answer().expect("an answer");
            assert_eq!(answer.get("end"), None, "{answer}");
            taken += answer["taken"].as_u64().unwrap();
            refused.extend(answer["refused"].as_array().cloned().unwrap_or_default());
            let now = answer["items"].as_u64().unwrap();
            assert!(now > self.settled, "{answer}");
            self.settled = now;
        }
        (taken, refused)
    }

    /// The line that says why the server ends it. Curl itself goes on until its input ends.
    fn wait_ended(&mut self) -> Value {
        let mut answers = std::iter::from_fn(|| self.answer());
        answers.find(|answer| answer.get("end").is_some()).expect("a last line")
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_answered_is_durable_over_each_version_of_http() {
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let mut server = server();
        let Some(mut sender) = sender(&server, &[version]) else { return };
        sender.say(FRA[0], "down");
        assert_eq!(sender.wait_settled(1), (1, Vec::new()), "{version}");
        sender.say(FRA[1], "down");
        // An empty line is none; a bad one harms no other; a last one needs no line feed.
        sender.send("\n\r\n{\"vantage\": \"ams\"}\nnonsense\n");
        sender.say(IAD[0], "up");
        let (taken, refused) = sender.wait_settled(5);
        let codes: Vec<_> = refused.iter().map(|one| (&one["index"], &one["code"])).collect();
        assert_eq!(codes, [(&json!(2), &json!("no-subject")), (&json!(3), &json!("bad-report"))]);
        assert_eq!(taken, 2, "{version}");
        server.wait_addresses("geo.example.test", EUROPE, &IAD);
        server.kill_and_restart();
        assert_eq!(server.addresses("geo.example.test", EUROPE), IAD, "{version}");
    }
}

#[test]
fn a_stream_ends_well_when_its_sender_ends_it() {
    let server = server();
    let Some(mut sender) = sender(&server, &[]) else { return };
    sender.say(FRA[0], "down");
    sender.send("{\"vantage\": \"ams\", \"boot\": 1, \"seq\": 9, \"heartbeat\": true}");
    sender.input = None;
    assert_eq!(sender.wait_settled(2), (2, Vec::new()));
    assert_eq!(sender.answer(), None, "no word of an end");
    assert!(sender.child.wait().unwrap().success());
}

#[test]
fn a_stream_is_ended_with_its_reason() {
    let mut server = server();
    let Some(mut long) = sender(&server, &[]) else { return };
    long.say(FRA[0], "down");
    long.send(&"x".repeat(20_000));
    let end = long.wait_ended();
    assert_eq!((&end["end"], &end["items"]), (&json!("line-too-long"), &json!(1)), "{end}");
    let secret = door::token(&server, "ams --vantage ams");
    let bearer = format!("authorization: Bearer {secret}");
    door::wait_known(&server, &secret);
    let mut revoked = sender(&server, &["-H", &bearer]).unwrap();
    let mut stopped = sender(&server, &["-H", &bearer, "--http2-prior-knowledge"]).unwrap();
    for sender in [&mut revoked, &mut stopped] {
        sender.seq += 10;
        sender.say(FRA[1], "down");
        sender.wait_settled(1);
    }
    server.signal("TERM");
    let end = stopped.wait_ended();
    assert_eq!((&end["end"], &end["items"]), (&json!("stopping"), &json!(1)), "{end}");
    assert!(server.wait_end().success());
    server.restart_unready();
    server.wait_ready();
    let mut revoked = sender(&server, &["-H", &bearer]).unwrap();
    revoked.seq = 100;
    revoked.say(FRA[1], "down");
    revoked.wait_settled(1);
    assert!(door::homing(&server, None, "token revoke ams").status.success());
    let end = revoked.wait_ended();
    assert_eq!((&end["end"], &end["items"]), (&json!("not-welcome"), &json!(1)), "{end}");
}

#[test]
fn one_that_is_too_fast_is_slowed_and_nothing_is_lost() {
    let server = server();
    let Some(mut sender) = sender(&server, &[]) else { return };
    // What is no report counts as well, and is all that this address may send at once.
    for len in [10_000, 2_000] {
        let nonsense = format!("[{}1]", "1,".repeat(len - 1));
        let send = || server.http("POST", "/v1/reports", Some(&nonsense)).status;
        let refused = (0..1_000).map(|_| send()).find(|status| *status != 422);
        assert_eq!(refused, Some(429), "{len} at once");
    }
    // Written beside the reading: a sender that reads no answers is not listened to.
    let mut input = sender.input.take().unwrap();
    let lines: String =
        (1..=20_000).map(|seq| format!("{}\n", report("fra/web", "up", seq))).collect();
    let writing = thread::spawn(move || input.write_all(lines.as_bytes()));
    assert_eq!(sender.wait_settled(20_000), (20_000, Vec::new()));
    writing.join().unwrap().unwrap();
    let metrics = server.http("GET", "/metrics", None).body;
    let limited = metrics.lines().find_map(|l| l.strip_prefix("homing_reports_limited_total "));
    assert!(limited.is_some_and(|count| count != "0"), "it sent more than may come at once");
}

#[test]
fn places_are_bounded_and_given_back() {
    let server = server();
    let open = || {
        let mut stream = TcpStream::connect(server.api).unwrap();
        let head = format!(
            "POST /v1/reports/stream HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-ndjson\r\n\
             transfer-encoding: chunked\r\n\r\n",
            server.api
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        (stream, line.split(' ').nth(1).unwrap().parse::<u16>().unwrap())
    };
    let streams: Vec<_> = (0..256).map(|_| open()).collect();
    assert!(streams.iter().all(|(_, status)| *status == 200));
    assert_eq!(open().1, 503);
    assert_eq!(server.http("GET", "/v1/status", None).status, 200, "others are served");
    drop(streams);
    eventually("a place is free", || match open().1 {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    let plain = "content-type: text/plain\r\n";
    let refused = http_with(server.api, "POST", "/v1/reports/stream", plain, None).unwrap();
    assert_eq!(refused.status, 415, "{refused:?}");
}
