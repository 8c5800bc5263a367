//! TLS of a look: who is believed, and the handshake with the name that is asked for (RFC 8446, RFC 6066 §3).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::fault::Fault;
use super::settings::Trust;

/// What handshakes are made with; an error says why none can be.
pub type Credence = Result<Arc<ClientConfig>, Arc<str>>;

/// Makes what handshakes need, once for each trust.
#[derive(Default)]
pub struct Credences {
    made: BTreeMap<Trust, Credence>,
}

impl Credences {
    /// What a handshake under `trust` needs.
    pub fn of(&mut self, trust: &Trust) -> Credence {
        if let Some(made) = self.made.get(trust) {
            return made.clone();
        }
        let made = make(trust).map(Arc::new).map_err(Arc::from);
        self.made.insert(trust.clone(), made.clone());
        made
    }

    /// Why none can be made, for each trust of which none can.
    pub fn troubles(&self) -> Vec<String> {
        self.made.values().filter_map(|made| made.as_ref().err()).map(|e| e.to_string()).collect()
    }
}

/// Shakes hands over `stream` with a server that is to be `host`.
pub async fn shake(
    stream: TcpStream,
    host: &str,
    credence: &Credence,
) -> Result<TlsStream<TcpStream>, Fault> {
    let config = credence.as_ref().map_err(|words| Fault::ours(words.as_ref()))?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        Fault::ours(format!("`{host}` is no name that TLS can ask for; set `host`"))
    })?;
    let connector = TlsConnector::from(Arc::clone(config));
    connector.connect(name, stream).await.map_err(|error| {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        inner.map_or_else(|| Fault::of(&error), |inner| Fault::theirs(words(inner)))
    })
}

/// The same words for the same cause: rustls tells times and names too.
fn words(error: &rustls::Error) -> String {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(bad) => {
            let words = match bad {
                Bad::Expired | Bad::ExpiredContext { .. } => "has expired",
                Bad::NotValidYet | Bad::NotValidYetContext { .. } => "is not valid yet",
                Bad::UnknownIssuer => "is of an unknown issuer",
                Bad::NotValidForName | Bad::NotValidForNameContext { .. } => "is for another name",
                Bad::Revoked => "is revoked",
                _ => return format!("its certificate is refused: {bad}"),
            };
            format!("its certificate {words}")
        }
        other => format!("TLS: {other}"),
    }
}

fn make(trust: &Trust) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let roots = match trust {
        Trust::System => system_roots()?,
        Trust::File(path) => roots_of(path)?,
        Trust::Anybody => {
            let verifier = Arc::new(Unverified(provider));
            let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
            return Ok(without_memory(builder.with_no_client_auth()));
        }
    };
    Ok(without_memory(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// Each look is a full handshake: a session that is resumed shows no certificate.
fn without_memory(mut config: ClientConfig) -> ClientConfig {
    config.resumption = rustls::client::Resumption::disabled();
    config
}

fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        true => Err("this machine trusts no certificate authority; set `ca`".to_owned()),
        false => Ok(roots),
    }
}

fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let failed =
        |cause: String| format!("no certificate can be read from {}: {cause}", path.display());
    let text = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|e| failed(e.to_string()))?;
        roots.add(certificate).map_err(|e| failed(e.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(failed("there is none in it".to_owned())),
        false => Ok(roots),
    }
}

/// Takes any certificate; that its holder has the key is still proven.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
