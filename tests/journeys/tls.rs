//! The API within TLS: who asks over it, what renews it, and what never goes without it.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use super::support::{Server, eventually};
use super::{REGIONS, STEERING, ZONE};

/// An authority, and a certificate of its for loopback, as PEM: certificate, key.
pub struct Issued {
    ca: rcgen::Issuer<'static, rcgen::KeyPair>,
    pub ca_pem: String,
}

impl Issued {
    pub fn new() -> Issued {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        // Another name than that of what it signs, which else counts as signed by itself.
        params.distinguished_name.push(rcgen::DnType::CommonName, "authority of a test");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_pem = params.self_signed(&key).unwrap().pem();
        Issued { ca: rcgen::Issuer::new(params, key), ca_pem }
    }

    pub fn pair(&self) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.ca).unwrap().pem(), key.serialize_pem())
    }
}

/// A server whose API is within TLS.
fn start(issued: &Issued, (certificate, key): &(String, String)) -> Server {
    let mut server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
        ("cert.pem", certificate),
        ("key.pem", key),
        ("ca.pem", &issued.ca_pem),
    ]);
    configure(&server, "api_certificate = \"cert.pem\"\napi_key = \"key.pem\"");
    server.signal("TERM");
    assert_eq!(server.wait_end().code(), Some(0));
    server.restart_unready();
    eventually("it has started again", || {
        let log = server.log();
        if log.contains("  API        https://") { Ok(()) } else { Err(log) }
    });
    server
}

/// Adds keys to `[listen]`, the last table of the file.
fn configure(server: &Server, keys: &str) {
    let base = std::fs::read_to_string(server.path("homing.toml")).unwrap();
    server.write("homing.toml", &format!("{base}{keys}\n"));
}

/// Runs a command that asks the server at `url` and believes the authority in `ca`.
fn homing(server: &Server, ca: &str, url: &str, command: &str) -> Output {
    let mut homing = Command::new(env!("CARGO_BIN_EXE_homing"));
    homing.args(command.split(' ')).args(["--server", url]).current_dir(server.path("."));
    homing.env_remove("HOMING_TOKEN").env("HOMING_CA", ca).stdin(Stdio::null());
    homing.output().unwrap()
}

/// The leaf that the server at `api` shows, and the protocol that was agreed on.
fn leaf(api: SocketAddr, ca_pem: &str) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = rustls::pki_types::ServerName::from(api.ip());
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = std::net::TcpStream::connect(api).map_err(|e| e.to_string())?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|e| e.to_string())?;
    }
    let leaf = connection.peer_certificates().unwrap()[0].to_vec();
    Ok((leaf, connection.alpn_protocol().map(<[u8]>::to_vec)))
}

#[test]
fn commands_ask_within_tls_and_a_renewed_certificate_serves_without_a_restart() {
    let issued = Issued::new();
    let (old, new) = (issued.pair(), issued.pair());
    let server = start(&issued, &old);
    let url = format!("https://{}", server.api);
    eventually("a command that trusts the authority is answered", || {
        let out = homing(&server, "ca.pem", &url, "status");
        if out.status.success() { Ok(()) } else { Err(format!("{out:?}\n{}", server.log())) }
    });
    let drained = homing(&server, "ca.pem", &url, "drain fra --why test");
    assert!(drained.status.success(), "{drained:?}");
    // Whoever trusts others does not ask, and whoever asks in the clear is not answered.
    let strange = homing(&server, "", &url, "status");
    let words = String::from_utf8_lossy(&strange.stderr).into_owned();
    assert!(strange.status.code() == Some(2) && words.contains("UnknownIssuer"), "{words}");
    let nobody = homing(&server, "nowhere.pem", &url, "status");
    let words = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(words.contains("no certificate can be read from nowhere.pem"), "{words}");
    assert!(crate::support::http(server.api, "GET", "/healthz", None).is_none());

    let (before, protocol) = leaf(server.api, &issued.ca_pem).unwrap();
    assert_eq!(protocol.as_deref(), Some(&b"h2"[..]));
    server.write("cert.pem", &new.0);
    server.write("key.pem", &new.1);
    eventually("the renewed certificate serves", || {
        let (now, _) = leaf(server.api, &issued.ca_pem)?;
        if now == before { Err("the old one serves".to_owned()) } else { Ok(()) }
    });
    // A key that fits none changes nothing, and is told.
    server.write("key.pem", &old.1);
    eventually("the alarm stands", || {
        let told = homing(&server, "ca.pem", &url, "status");
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        if text.contains("certificate-refused") { Ok(()) } else { Err(text) }
    });
    let (still, _) = leaf(server.api, &issued.ca_pem).unwrap();
    assert_ne!(still, before);
    let metrics = homing_metrics(&server, &url);
    assert!(metrics.contains("homing_api_handshakes_failed_total"), "{metrics}");
    let expiry = metrics.lines().find(|l| l.starts_with("homing_api_certificate_expires_"));
    let seconds: f64 = expiry.and_then(|l| l.split(' ').nth(1)).unwrap().parse().unwrap();
    assert!(seconds > 1.7e9, "{expiry:?}");
}

/// The metrics, over TLS.
fn homing_metrics(server: &Server, url: &str) -> String {
    let pem = std::fs::read(server.path("ca.pem")).unwrap();
    let root = ureq::tls::Certificate::from_pem(&pem).unwrap();
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::from(vec![root]));
    let agent = ureq::Agent::config_builder().tls_config(tls.build()).proxy(None).build();
    let mut reply = agent.new_agent().get(format!("{url}/metrics")).call().unwrap();
    reply.body_mut().read_to_string().unwrap()
}

#[test]
fn nothing_but_loopback_is_served_in_the_clear() {
    let mut server = super::server();
    let base = std::fs::read_to_string(server.path("homing.toml")).unwrap();
    let open = base.replace(&server.api.to_string(), &format!("0.0.0.0:{}", server.api.port()));
    server.write("homing.toml", &open);
    let checked = crate::support::homing(&server.path("."), &["check"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(said.contains("api-in-the-clear") && said.contains("api_insecure"), "{said}");
    let refused = crate::support::homing(&server.path("."), &["serve"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    // An operator may say that the network is safe; without a token nobody is admitted all the same.
    server.write("homing.toml", &format!("{open}api_insecure = true\n"));
    server.signal("TERM");
    server.wait_end();
    server.restart_unready();
    eventually("it asks for a token", || {
        let reply = crate::support::http(server.api, "GET", "/v1/status", None);
        let status = reply.map(|reply| reply.status);
        if status == Some(401) { Ok(()) } else { Err(format!("{status:?} {}", server.log())) }
    });
}

#[test]
fn a_bad_certificate_does_not_stop_dns() {
    let issued = Issued::new();
    let (certificate, key) = issued.pair();
    let server = start(&issued, &(certificate, "no key".to_owned()));
    server.wait_addresses("geo.example.test", super::EUROPE, &super::FRA);
    assert!(leaf(server.api, &issued.ca_pem).is_err());
    assert!(server.log().contains("certificate-refused"), "{}", server.log());
    server.write("key.pem", &key);
    eventually("the mended pair serves", || leaf(server.api, &issued.ca_pem));
}
