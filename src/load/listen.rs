//! What makes an API safe that others reach: TLS, or the operator's word that the network is; and DNS within TLS. Keys of
//! `[listen]`.
//!
//! Owns:  the rule that no API but loopback's is served in the clear.
//! Never: reads a certificate; who serves does, again and again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::route::Reader;

/// The keys that are read here.
pub(super) const SAFETY_KEYS: [&str; 3] = ["api_certificate", "api_key", "api_insecure"];

/// The keys of what DNS within TLS is served with.
pub(super) const DNS_PAIR_KEYS: [&str; 2] = ["dns_certificate", "dns_key"];

/// Sockets that one process may be told to open: a guess, far above any machine's addresses.
const LISTEN_COUNT_MAX: usize = 256;

/// Where a certificate lies, and its key; both are PEM (RFC 7468).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, then those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Whether nobody but this machine reaches `address`.
pub fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Reads what the API at `api` is kept safe with; none: nothing but the machine's own border.
pub(super) fn read_safety(
    reader: &mut Reader<'_>,
    listen: &DeTable<'_>,
    api: SocketAddr,
    root: &Path,
) -> Option<CertificateFiles> {
    let files = read_pair(reader, listen, ["api_certificate", "api_key"], root);
    let insecure =
        listen.get("api_insecure").and_then(|value| reader.boolean(value, "`api_insecure`"));
    let is_shown = SAFETY_KEYS[..2].iter().any(|key| listen.contains_key(*key));
    if let Some(value) = listen.get("api")
        && !is_local(api)
        && !is_shown
        && insecure != Some(true)
    {
        let what = format!("the API at {api} would be in the clear where others reach it");
        let help = "set api_certificate and api_key; or api_insecure = true where the network itself keeps \
                    secrets; or api = \"127.0.0.1:8053\"";
        reader.error("api-in-the-clear", &value.span(), what, help);
    }
    files
}

/// Reads what DNS within TLS and HTTPS is served with: needed where `dot`, `doh` or `doq` is there.
pub(super) fn read_dns_pair(
    reader: &mut Reader<'_>,
    listen: &DeTable<'_>,
    root: &Path,
) -> Option<CertificateFiles> {
    let files = read_pair(reader, listen, DNS_PAIR_KEYS, root);
    let is_shown = DNS_PAIR_KEYS.iter().any(|key| listen.contains_key(*key));
    for key in ["dot", "doh", "doq"] {
        if let Some(value) = listen.get(key).filter(|_| !is_shown) {
            let help = "set dns_certificate and dns_key";
            let what = format!("`{key}` needs a certificate");
            reader.error("dot-without-certificate", &value.span(), what, help);
        }
    }
    files
}

/// Reads the names of a certificate's file and of its key's.
fn read_pair(
    reader: &mut Reader<'_>,
    listen: &DeTable<'_>,
    keys: [&str; 2],
    root: &Path,
) -> Option<CertificateFiles> {
    let mut path = |key: &str| {
        let text = reader.text(listen.get(key)?, &format!("`{key}`"))?;
        Some(root.join(text))
    };
    let [certificate, key] = keys;
    let files = (path(certificate), path(key));
    for (key, other) in [(certificate, key), (key, certificate)] {
        if let (Some(value), false) = (listen.get(key), listen.contains_key(other)) {
            let what = format!("`{key}` stands without `{other}`");
            let help = format!("name the file of the other as `{other}`");
            reader.error("certificate-without-key", &value.span(), what, help);
        }
    }
    match files {
        (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
        _ => None,
    }
}

/// The addresses in `list`, the value of `key`.
pub(super) fn read_addresses(
    reader: &mut Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    list: &[Spanned<DeValue<'_>>],
    key: &str,
) -> Vec<SocketAddr> {
    if list.len() > LISTEN_COUNT_MAX {
        let what = format!("`{key}` lists {} addresses", list.len());
        let help = format!("at most {LISTEN_COUNT_MAX}");
        reader.error("too-many-addresses", &value.span(), what, help);
    }
    let list = list.iter().take(LISTEN_COUNT_MAX);
    list.filter_map(|value| read_address(reader, value, &format!("`{key}`"))).collect()
}

/// An address with a port, which `what` names.
pub(super) fn read_address(
    reader: &mut Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    what: &str,
) -> Option<SocketAddr> {
    let text = reader.text(value, what)?;
    let address = text.parse().ok();
    if address.is_none() {
        let help = "an address with a port: 192.0.2.1:53, [2001:db8::1]:53";
        let message = format!("{what}: `{text}` is not an address with a port");
        reader.error("not-an-address", &value.span(), message, help);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Config;

    fn read(keys: &str) -> Result<Option<CertificateFiles>, Vec<(&'static str, u32)>> {
        let text = format!("[listen]\n{keys}\n");
        let config = Config::parse("homing.toml", text.as_bytes(), Path::new("/srv"));
        let codes = |said: Vec<crate::diagnostic::Diagnostic>| {
            said.iter().map(|d| (d.code, d.place.line)).collect()
        };
        config.map(|config| config.api_tls).map_err(codes)
    }

    #[test]
    fn only_loopback_is_served_in_the_clear_unless_somebody_says_so() {
        let pair = "api_certificate = \"tls/cert.pem\"\napi_key = \"/etc/key.pem\"";
        let files = CertificateFiles {
            certificate: "/srv/tls/cert.pem".into(),
            key: "/etc/key.pem".into(),
        };
        assert_eq!(read("api = \"127.0.0.2:1\""), Ok(None));
        assert_eq!(read("api = \"[::ffff:127.0.0.1]:1\""), Ok(None));
        assert_eq!(read(pair), Ok(Some(files.clone())));
        assert_eq!(read(&format!("api = \"0.0.0.0:1\"\n{pair}")), Ok(Some(files)));
        assert_eq!(read("api = \"[::]:1\"\napi_insecure = true"), Ok(None));
        for safe in ["", "api_insecure = false"] {
            let said = read(&format!("api = \"192.0.2.1:1\"\n{safe}"));
            assert_eq!(said, Err(vec![("api-in-the-clear", 2)]));
        }
    }

    #[test]
    fn a_pair_is_two() {
        assert_eq!(read("api_key = \"k\""), Err(vec![("certificate-without-key", 2)]));
        let said = read("api = \"192.0.2.1:1\"\napi_certificate = \"c\"");
        assert_eq!(said, Err(vec![("certificate-without-key", 3)]));
        assert_eq!(read("api_insecure = \"yes\""), Err(vec![("wrong-type", 2)]));
    }
}
