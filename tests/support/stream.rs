//! A stream of server-sent events, read as a browser reads it (WHATWG HTML §9.2.6).

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A stream that is open.
pub struct Stream {
    reader: BufReader<TcpStream>,
    pub status: u16,
    /// The last `id` that came: what `Last-Event-ID` would say.
    pub last_id: Option<u64>,
}

/// One event.
#[derive(Debug)]
pub struct SseEvent {
    /// Its name; empty where it has none.
    pub name: String,
    /// Whether it came with an `id`.
    pub has_id: bool,
    pub data: Value,
}

impl Stream {
    /// Opens it with more lines in the head, each with its end.
    pub fn open(api: SocketAddr, path: &str, lines: &str) -> Stream {
        let mut stream = TcpStream::connect(api).expect("the API listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // HTTP/1.0: no chunks between the lines.
        let head = format!("GET {path} HTTP/1.0\r\nhost: {api}\r\n{lines}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        let status = first.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        let mut line = String::from("x");
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        Stream { reader, status, last_id: None }
    }

    /// The next event; none at the end, also where it is cut off.
    pub fn next(&mut self) -> Option<SseEvent> {
        let (mut name, mut data, mut id) = (String::new(), String::new(), None);
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                if data.is_empty() {
                    continue;
                }
                self.last_id = id.or(self.last_id);
                let data = serde_json::from_str(&data).expect("data is JSON");
                return Some(SseEvent { name, has_id: id.is_some(), data });
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "data" => data.push_str(value),
                "id" => id = Some(value.parse().expect("an id is a revision")),
                _ => {}
            }
        }
    }
}
