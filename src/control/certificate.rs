//! The certificates of the API and of DNS within TLS, each with its key: read at the start and whenever its files change, so
//! that a renewed one serves new connections and no connection is cut.
//!
//! Owns: the pair in force, the look at its files once a second. A pair that is refused changes nothing, and an alarm
//! stands. Before the first good one no handshake is made: DNS serves all the same.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::alarm::Alarm;
use crate::load::CertificateFiles;

use super::alarms::Alarms;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Octets of a file that are read at most. A guess: a long chain is 20 kB.
const FILE_LEN_MAX: u64 = 1024 * 1024;

/// What is served with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The API.
    Api,
    /// DNS within TLS.
    Dot,
    /// DNS within HTTPS.
    Doh,
    /// DNS within QUIC.
    Doq,
}

impl Service {
    /// What is offered within TLS, the better first (RFC 7301; RFC 7858 §3.1 leaves it open, IANA names `dot`).
    fn protocols(self) -> Vec<Vec<u8>> {
        let protocols: &[&[u8]] = match self {
            Service::Api | Service::Doh => &[b"h2", b"http/1.1"],
            Service::Dot => &[b"dot"],
            Service::Doq => &[b"doq"],
        };
        protocols.iter().map(|protocol| protocol.to_vec()).collect()
    }

    /// What its alarm is of.
    const fn subject(self) -> &'static str {
        match self {
            Service::Api => "api",
            Service::Dot => "dot",
            Service::Doh => "doh",
            Service::Doq => "doq",
        }
    }

    fn tell_end(self, secs: i64) {
        let gauge = match self {
            Service::Api => metrics::gauge!("homing_api_certificate_expires_timestamp_seconds"),
            Service::Dot => metrics::gauge!("homing_dot_certificate_expires_timestamp_seconds"),
            Service::Doh => metrics::gauge!("homing_doh_certificate_expires_timestamp_seconds"),
            Service::Doq => metrics::gauge!("homing_doq_certificate_expires_timestamp_seconds"),
        };
        gauge.set(secs as f64);
    }
}

/// The certificate in force.
#[derive(Clone)]
pub struct Certificate {
    service: Service,
    files: Arc<CertificateFiles>,
    alarms: Alarms,
    /// None before the first good pair.
    served: Arc<ArcSwapOption<ServerConfig>>,
    seen: Arc<Mutex<Seen>>,
}

/// What the last look found.
#[derive(Default)]
struct Seen {
    signature: Option<[Signature; 2]>,
    /// Whether that pair was refused once: its second file may have been about to come.
    in_doubt: bool,
}

/// What tells one state of a file from another: its device, inode, length, and when it changed.
type Signature = (u64, u64, u64, i64, i64);

impl Certificate {
    /// Reads the pair.
    pub fn open(service: Service, files: CertificateFiles, alarms: Alarms) -> Certificate {
        let (files, served, seen) = (Arc::new(files), Arc::default(), Arc::default());
        let certificate = Certificate { service, files, alarms, served, seen };
        certificate.lock().in_doubt = true;
        certificate.look();
        certificate
    }

    /// Looks at the files from now on, for as long as the runtime lives. Call it within the runtime.
    pub fn follow(&self) {
        let looked = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let looks = looked.clone();
                // A task that panicked has said so; the next one may do better.
                let _ = tokio::task::spawn_blocking(move || looks.look()).await;
            }
        });
    }

    /// Where what is in force is found, for who serves with it.
    pub fn source(&self) -> Arc<ArcSwapOption<ServerConfig>> {
        Arc::clone(&self.served)
    }

    /// What a new connection is served with.
    pub fn served(&self) -> Option<Arc<ServerConfig>> {
        self.served.load_full()
    }

    /// Reads the pair if it is another than before. Blocks on the disk.
    ///
    /// Whoever renews writes one file after the other: a pair that does not fit is given until the next look.
    pub fn look(&self) {
        let mut seen = self.lock();
        let signature = signature(&self.files);
        if signature.is_some() && seen.signature == signature && !seen.in_doubt {
            return;
        }
        match read(self.service, &self.files) {
            Ok(config) => {
                self.served.store(Some(Arc::new(config)));
                self.alarms.clear_of(Alarm::CertificateRefused, self.service.subject());
                tracing::info!(event = "certificate-read", file = %self.files.certificate.display());
                seen.in_doubt = false;
            }
            Err(words) if seen.in_doubt => {
                self.alarms.raise_of(Alarm::CertificateRefused, self.service.subject(), words);
                // A file that is not there has no signature, and is looked for again.
                seen.in_doubt = signature.is_none();
            }
            Err(_) => seen.in_doubt = true,
        }
        seen.signature = signature;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signature(files: &CertificateFiles) -> Option<[Signature; 2]> {
    let of = |path: &Path| {
        // Of what a link leads to: renewals move links.
        let found = fs::metadata(path).ok()?;
        Some((found.dev(), found.ino(), found.size(), found.ctime(), found.ctime_nsec()))
    };
    Some([of(&files.certificate)?, of(&files.key)?])
}

/// The pair as TLS serves it; in words why it cannot.
fn read(service: Service, files: &CertificateFiles) -> Result<ServerConfig, String> {
    let CertificateFiles { certificate, key } = files;
    let bad = |path: &Path, cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
    let text = contents(certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|e| bad(certificate, &e))?;
    if chain.is_empty() {
        return Err(bad(certificate, &"there is no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_slice(&contents(key)?);
    let secret = secret.map_err(|e| match e {
        rustls_pki_types::pem::Error::NoItemsFound => bad(key, &"there is no private key in it"),
        e => bad(key, &e),
    })?;
    let leaf = chain.first().cloned();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let built = builder.with_no_client_auth().with_single_cert(chain, secret);
    let mut config = built.map_err(|e| match e {
        rustls::Error::InconsistentKeys(_) => {
            bad(key, &format!("it is not the key of {}", certificate.display()))
        }
        e => bad(certificate, &e),
    })?;
    leaf.iter().for_each(|leaf| service.tell_end(end(leaf)));
    config.alpn_protocols = service.protocols();
    Ok(config)
}

/// When the certificate ends, in seconds of the Unix epoch; 0 where it does not say so in a way that is known.
fn end(leaf: &CertificateDer<'_>) -> i64 {
    x509_parser::parse_x509_certificate(leaf)
        .map_or(0, |(_, certificate)| certificate.validity().not_after.timestamp())
}

fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
    let found = fs::metadata(path).map_err(|e| failed(&e))?;
    if !found.is_file() || found.len() > FILE_LEN_MAX {
        return Err(failed(&format!("no file of at most {FILE_LEN_MAX} octets")));
    }
    fs::read(path).map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, part: &str, text: &str) {
        fs::write(folder.join(format!("{part}.new")), text).unwrap();
        fs::rename(folder.join(format!("{part}.new")), folder.join(part)).unwrap();
    }

    fn pair() -> (String, String) {
        let issued = rcgen::generate_simple_self_signed(["ns1.example.net".to_owned()]).unwrap();
        (issued.cert.pem(), issued.signing_key.serialize_pem())
    }

    fn open(folder: &Path) -> (Certificate, Alarms) {
        let alarms = Alarms::default();
        let files = CertificateFiles { certificate: folder.join("cert"), key: folder.join("key") };
        (Certificate::open(Service::Api, files, alarms.clone()), alarms)
    }

    fn words(alarms: &Alarms) -> String {
        alarms.standing().values().cloned().collect()
    }

    #[test]
    fn a_renewed_pair_takes_the_place_of_the_old_and_half_of_one_waits() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (pair(), pair());
        write(folder.path(), "cert", &first.0);
        write(folder.path(), "key", &first.1);
        let (certificate, alarms) = open(folder.path());
        let served = certificate.served().unwrap();
        assert_eq!(served.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        let is_same =
            |other: &Arc<ServerConfig>| Arc::ptr_eq(other, &certificate.served().unwrap());
        certificate.look();
        assert!(is_same(&served), "nothing changed");
        write(folder.path(), "cert", &second.0);
        certificate.look();
        assert!(is_same(&served) && words(&alarms).is_empty(), "the key may be about to come");
        write(folder.path(), "key", &second.1);
        certificate.look();
        assert!(!is_same(&served) && words(&alarms).is_empty());
        let served = certificate.served().unwrap();
        write(folder.path(), "key", &first.1);
        certificate.look();
        certificate.look();
        assert!(is_same(&served), "the good pair serves on");
        assert!(words(&alarms).contains("it is not the key of"), "{}", words(&alarms));
        write(folder.path(), "key", &second.1);
        certificate.look();
        assert!(words(&alarms).is_empty());
    }

    #[test]
    fn without_a_good_pair_there_is_an_alarm_until_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, alarms) = open(folder.path());
        assert!(certificate.served().is_none());
        assert!(words(&alarms).contains("cert: No such file"), "{}", words(&alarms));
        let (cert, key) = pair();
        for (part, text, expected) in [
            ("cert", "hello", "cert: there is no certificate in it"),
            ("cert", &*cert, "key: No such file"),
            ("key", &*cert, "key: there is no private key in it"),
            ("cert", "-----BEGIN CERTIFICATE-----\n", "cert: "),
        ] {
            write(folder.path(), part, text);
            certificate.look();
            certificate.look();
            assert!(words(&alarms).contains(expected), "{expected}: {}", words(&alarms));
        }
        write(folder.path(), "cert", &cert);
        write(folder.path(), "key", &key);
        certificate.look();
        assert!(certificate.served().is_some() && words(&alarms).is_empty());
    }
}
