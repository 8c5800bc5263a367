//! Whom a client of an API believes: the authorities of the system, or those of a file.

use std::path::Path;
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// TLS that believes who the certificates in the PEM file `ca` vouch for; without one, whom the system believes. Says in
/// words which file cannot be read, and why.
pub fn trust(ca: Option<&Path>) -> Result<TlsConfig, String> {
    let roots = ca.map_or_else(|| Ok(system_roots()), roots_of)?;
    Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build())
}

fn system_roots() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs().certs;
    found.iter().map(|der| Certificate::from_der(der.as_ref()).to_owned()).collect()
}

fn roots_of(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let failed =
        |cause: String| format!("no certificate can be read from {}: {cause}", path.display());
    let text = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
    let mut roots = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item.map_err(|e| failed(e.to_string()))? {
            roots.push(certificate);
        }
    }
    if roots.is_empty() { Err(failed("there is none in it".to_owned())) } else { Ok(roots) }
}
