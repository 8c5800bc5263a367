//! One HTTP request on a connection of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("no JSON, {e}: {}", self.body))
    }
}

/// Sends a request; none if nobody listens. A body is JSON.
pub fn http(api: SocketAddr, method: &str, path: &str, body: Option<&str>) -> Option<Reply> {
    http_with(api, method, path, "", body)
}

/// As [`http`], with more lines in the head, each with its end.
pub fn http_with(
    api: SocketAddr,
    method: &str,
    path: &str,
    lines: &str,
    body: Option<&str>,
) -> Option<Reply> {
    let mut stream = TcpStream::connect(api).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let body = body.unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\n{kind}{lines}");
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (headers, body) = text.split_once("\r\n\r\n")?;
    let status = headers.split(' ').nth(1)?.parse().ok()?;
    let headers = headers.to_ascii_lowercase();
    let body =
        if headers.contains("transfer-encoding: chunked") { join(body) } else { body.into() };
    Some(Reply { status, headers, body })
}

/// The chunks of a chunked body, joined (RFC 9112 §7.1).
fn join(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = rest.get(..size).filter(|c| !c.is_empty()) else { break };
        whole.push_str(chunk);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
