//! Looks at servers of our own, sound and not.

use std::future::Future;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::health::Member;
use crate::probe::parse_within;
use crate::probe::target::Targets;

const FOUND: &str = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nx-state: ok\r\n\
                     content-length: 12\r\n\r\nall is well\n";

/// Looks at an endpoint on `port` of loopback, by the lines of a `[probe]`.
async fn see(port: u16, lines: &str) -> Outcome {
    let text = format!("[probe]\nport = {port}\n{lines}\n");
    let within = parse_within("homing.toml", text.as_bytes(), "/".as_ref());
    let (_, probing) = within.unwrap().probing.unwrap();
    let mut targets = Targets::default();
    let (region, pool, address) = ("fra".into(), "web".into(), "127.0.0.1".into());
    targets.add(Member { region, pool, address }, &probing);
    look(&targets.finish()[0]).await.0
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Seen { status, reason: None } => status.word().to_owned(),
        Outcome::Seen { status, reason: Some(reason) } => format!("{}: {reason}", status.word()),
        Outcome::Unable(words) => format!("unable: {words}"),
    }
}

async fn check(port: u16, lines: &str, expected: &str) {
    let seen = shown(&see(port, lines).await);
    assert_eq!(seen, expected, "{lines}");
}

/// A server that gives each connection to `serve`.
async fn server<F>(serve: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    port
}

/// Reads a request, and gives it back in lower case, or the response to a request for it.
async fn respond<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, response: &str) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let Ok(octet) = stream.read_u8().await else { break };
        request.push(octet);
    }
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
    String::from_utf8_lossy(&request).to_ascii_lowercase()
}

async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_port_takes_a_connection_or_not() {
    let open = server(|_| async {}).await;
    check(open, "", "up").await;
    check(closed_port().await, "", "down: connection refused").await;
}

#[tokio::test]
async fn a_response_is_held_against_what_it_should_be() {
    let port = server(|stream| async {
        let _ = respond(stream, FOUND).await;
    })
    .await;
    let http = |lines: &str| format!("kind = \"http\"\n{lines}");
    for (lines, expected) in [
        ("", "up"),
        ("status = [200, \"300-303\"]", "up"),
        ("status = 200", "down: HTTP 302"),
        ("header = \"X-State: ok\"", "up"),
        ("header = \"x-state\"", "up"),
        ("header = \"x-state: bad\"", "down: header x-state is not as it should be"),
        ("header = \"x-other\"", "down: header x-other is not as it should be"),
        ("body = \"is well\"", "up"),
        ("body = \"is ill\"", "down: the text is not in the body"),
        ("method = \"HEAD\"", "up"),
        ("degraded = \"1ms\"\ninterval = \"20s\"", "up"),
    ] {
        // A machine may be slow: only a sound look is then degraded.
        let seen = shown(&see(port, &http(lines)).await);
        let is_slow = lines.contains("degraded") && seen.starts_with("degraded");
        assert!(seen == expected || is_slow, "{lines}: {seen}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_degraded_and_none_is_down() {
    let slow = server(|stream| async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let _ = respond(stream, "HTTP/1.0 200 OK\r\n\r\nok").await;
    })
    .await;
    check(slow, "kind = \"http\"\ndegraded = \"20ms\"", "degraded: it took longer than 20ms").await;
    check(slow, "kind = \"http\"\nbody = \"ok\"", "up").await;
    check(slow, "kind = \"http\"\ntimeout = \"30ms\"", "down: no answer within 30ms").await;
}

#[tokio::test]
async fn what_is_no_http_is_down() {
    let mute = server(|_| async {}).await;
    let seen = shown(&see(mute, "kind = \"http\"").await);
    assert!(
        ["down: connection closed too early", "down: connection reset"].contains(&&*seen),
        "{seen}"
    );
    let ssh = server(|mut stream| async move {
        let _ = stream.write_all(b"SSH-2.0-x\r\n").await;
        let _ = stream.read(&mut [0; 512]).await;
    })
    .await;
    check(ssh, "kind = \"http\"", "down: it answers, and not with HTTP").await;
    let endless = server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
    })
    .await;
    check(endless, "kind = \"http\"\nbody = \"y\"", "down: the text is not in the body").await;
}

#[tokio::test]
async fn a_request_says_what_is_wanted_of_whom() {
    let (heard, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let port = server(move |stream| {
        let heard = heard.clone();
        async move {
            let _ = heard.send(respond(stream, "HTTP/1.1 204 No Content\r\n\r\n").await);
        }
    })
    .await;
    check(port, "kind = \"http\"\npath = \"/healthz?deep=1\"\nhost = \"www.example.com\"", "up")
        .await;
    let request = requests.recv().await.unwrap();
    assert!(
        request.starts_with("get /healthz?deep=1 http/1.1\r\nhost: www.example.com\r\n"),
        "{request}"
    );
    check(port, "kind = \"http\"", "up").await;
    let request = requests.recv().await.unwrap();
    assert!(request.contains(&format!("\r\nhost: 127.0.0.1:{port}\r\n")), "{request}");
}

#[tokio::test]
async fn a_certificate_is_verified_unless_it_is_not_to_be() {
    let issued = rcgen::generate_simple_self_signed(vec!["www.example.com".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, issued.cert.pem()).unwrap();
    let key =
        rustls_pki_types::PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let port = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let is_asked = stream.get_ref().1.server_name() == Some("www.example.com");
            let status = if is_asked { "200 OK" } else { "421 Misdirected Request" };
            let _ =
                respond(stream, &format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await;
        }
    })
    .await;
    let trusted = format!("kind = \"https\"\nca = {:?}\n", ca.to_str().unwrap());
    let host = "host = \"www.example.com\"\n";
    check(port, &format!("{trusted}{host}"), "up").await;
    check(
        port,
        &format!("{trusted}host = \"www.example.net\""),
        "down: its certificate is for another name",
    )
    .await;
    check(port, &format!("kind = \"https\"\nverify = false\n{host}"), "up").await;
    check(port, "kind = \"https\"\nverify = false", "down: HTTP 421").await;
    let strange = see(port, &format!("kind = \"https\"\n{host}")).await;
    let strange = shown(&strange);
    // A machine without any trusted authority cannot judge.
    assert!(
        strange.starts_with("down: its certificate is") || strange.starts_with("unable"),
        "{strange}"
    );
    let missing =
        shown(&see(port, &format!("kind = \"https\"\nca = \"/nowhere.pem\"\n{host}")).await);
    assert!(
        missing.starts_with("unable: no certificate can be read from /nowhere.pem"),
        "{missing}"
    );
    let plain = server(|stream| async {
        let _ = respond(stream, "HTTP/1.1 200 OK\r\n\r\n").await;
    })
    .await;
    let seen = shown(&see(plain, &format!("{trusted}{host}")).await);
    assert!(seen.starts_with("down: "), "{seen}");
}

#[tokio::test]
async fn a_name_server_answers_with_the_code_that_is_wanted() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        let mut count = 0;
        while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
            count += 1;
            // The first is lost on its way.
            if count == 1 {
                continue;
            }
            let forged = [&[buffer[0] ^ 1, buffer[1], 0x84, 0], &buffer[4..len]].concat();
            let _ = socket.send_to(&forged, from).await;
            buffer[2] = 0x84;
            buffer[3] = 3;
            let _ = socket.send_to(&buffer[..len], from).await;
        }
    });
    let asked = "kind = \"dns\"\nname = \"health.example.com\"\ntype = \"A\"\n";
    check(port, &format!("{asked}rcode = \"NXDOMAIN\""), "up").await;
    check(port, asked, "down: it answers NXDOMAIN, not NOERROR").await;
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    check(gone, asked, "down: connection refused").await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_says_nothing_of_its_endpoint() {
    let text = b"[probe]\nkind = \"tcp\"\n";
    let probing = parse_within("homing.toml", text, "/".as_ref()).unwrap().probing.map(|p| p.1);
    let mut targets = Targets::default();
    let (region, pool, address) = ("fra".into(), "web".into(), "nowhere.invalid.".into());
    targets.add(Member { region, pool, address }, &probing.unwrap());
    let target = &targets.finish()[0];
    assert!(matches!(look(target).await.0, Outcome::Unable(_)));
}
