//! probe.toml: what one `homing probe` is told. Who it is, whom it tells, and what it looks at.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hyper::Uri;
use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, Place, has_error};
use crate::health::{Member, Subject};
use crate::route::{Reader, Source, Value};

use super::settings::{Patch, Probing, check_whole, read_patch, read_probing};
use super::target::{Target, Targets};

/// Servers that one vantage may tell. A guess: above the sites of any anycast platform.
const RECEIVER_COUNT_MAX: usize = 1024;
/// Endpoints that one vantage may look at: ten times what a large platform has.
const ENDPOINT_COUNT_MAX: usize = 100_000;
/// Octets of a vantage's name, as the API takes it.
const NAME_LEN_MAX: usize = 200;

/// What one vantage is told.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Who looks.
    pub vantage: Box<str>,
    /// Who is told of it.
    pub receivers: Vec<Receiver>,
    /// Where /metrics is answered; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// How it looks.
    pub probing: Probing,
    /// What at.
    pub targets: Vec<Target>,
}

/// A server that is told what a vantage sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receiver {
    /// Its API, such as `https://ns1.example.net:8053`, without a slash at the end.
    pub url: Box<str>,
    /// The file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Certificates of the authorities that vouch for it; none: those that the system trusts.
    pub ca: Option<PathBuf>,
}

impl Receiver {
    /// The server at `url`, less a slash at its end; none where that is no scheme with a host, and perhaps a port.
    pub fn parse(url: &str) -> Option<Receiver> {
        let uri: Uri = url.parse().ok()?;
        let is_known = matches!(uri.scheme_str(), Some("http" | "https"));
        let is_bare = uri.path() == "/" && uri.query().is_none() && !url.contains(['@', '#']);
        let named = is_known && is_bare && uri.host().is_some_and(|host| !host.is_empty());
        let url = url.trim_end_matches('/').into();
        named.then_some(Receiver { url, token_file: None, ca: None })
    }
}

impl Assignment {
    /// Reads the file at `path`. Every mistake in it comes back at once; warnings beside what it says.
    pub fn load(path: &Path) -> Result<(Assignment, Vec<Diagnostic>), Vec<Diagnostic>> {
        let shown = path.display().to_string();
        let text =
            std::fs::read(path).map_err(|error| {
                let what = format!("the configuration cannot be read: {error}");
                let said = Diagnostic::error("config-unreadable", Place::file(&shown), what);
                vec![said.help(
                    "give the file's path and let this user read it: homing probe --config FILE",
                )]
            })?;
        let root = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Assignment::parse(&shown, &text, root)
    }

    /// Reads `text`, which the operator knows as `shown`; paths in it are relative to `root`.
    pub fn parse(
        shown: &str,
        text: &[u8],
        root: &Path,
    ) -> Result<(Assignment, Vec<Diagnostic>), Vec<Diagnostic>> {
        const KEYS: [&str; 7] =
            ["vantage", "servers", "token_file", "ca", "listen", "probe", "endpoints"];
        let source = Source::new(shown, text).map_err(|said| vec![said])?;
        let mut reader = Reader::new(&source);
        let top = reader.top();
        reader.only_keys(&top, &KEYS, "probe.toml");
        let vantage = read_vantage(&mut reader, &top);
        let receivers = read_receivers(&mut reader, &top, root);
        let listen = top.get("listen").and_then(|v| read_listen(&mut reader, v));
        let probe = top.get("probe").and_then(|value| reader.table(value, "`probe`"));
        let probing =
            probe.map(|table| read_probing(&mut reader, table, &[], root)).unwrap_or_default();
        let mut targets = Targets::default();
        read_endpoints(&mut reader, &top, root, &probing, &mut targets);
        let troubles = targets.troubles();
        let mut said = reader.finish();
        said.extend(troubles.into_iter().map(|words| {
            Diagnostic::warning("probe-trust", Place::file(shown), words)
                .consequence("nothing is known of the endpoints that are looked at with it")
                .help("let this user read the file, and have certificates in PEM in it")
        }));
        if has_error(&said) {
            return Err(said);
        }
        let targets = targets.finish();
        Ok((Assignment { vantage, receivers, listen, probing, targets }, said))
    }
}

/// What a missing key is told at: the beginning of the file.
const BEGIN: std::ops::Range<usize> = 0..0;

fn read_vantage(reader: &mut Reader<'_>, top: &DeTable<'_>) -> Box<str> {
    let Some(value) = top.get("vantage") else {
        let help = "vantage = \"ams-1\", as its token has it: homing token add ams-1 --vantage";
        reader.error("missing-key", &BEGIN, "probe.toml does not say who looks", help);
        return Box::default();
    };
    read_name(reader, value).unwrap_or_default()
}

/// The name of a vantage, as the API takes it.
pub fn read_name(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<str>> {
    let name = reader.text(value, "`vantage`")?;
    if name.is_empty() || name.len() > NAME_LEN_MAX || !name.bytes().all(|b| b.is_ascii_graphic()) {
        let help = format!("1 to {NAME_LEN_MAX} printable ASCII characters, no space");
        let what = format!("`{name}` is no name of a vantage");
        reader.error("probe-text", &value.span(), what, help);
        return None;
    }
    Some(name.into())
}

/// Each server is a URL, or a table of one with a token and certificates of its own.
fn read_receivers(reader: &mut Reader<'_>, top: &DeTable<'_>, root: &Path) -> Vec<Receiver> {
    let (token_file, ca) =
        (read_file(reader, top, "token_file", root), read_file(reader, top, "ca", root));
    let Some(value) = top.get("servers") else { return Vec::new() };
    let Some(list) = reader.full_list(value, "`servers`") else { return Vec::new() };
    if list.len() > RECEIVER_COUNT_MAX {
        let what = format!("`servers` lists {} servers", list.len());
        let help = format!("at most {RECEIVER_COUNT_MAX}");
        reader.error("out-of-range", &value.span(), what, help);
    }
    let read = |value: &Value<'_>| {
        let Some(table) = value.get_ref().as_table() else {
            let receiver = read_url(reader, value)?;
            return Some(Receiver { token_file: token_file.clone(), ca: ca.clone(), ..receiver });
        };
        reader.only_keys(table, &["url", "token_file", "ca"], "a server");
        let Some(url) = table.get("url") else {
            let help = "{ url = \"https://ns1.example.net:8053\", token_file = \"token\" }";
            reader.error("missing-key", &value.span(), "a server without `url`", help);
            return None;
        };
        let receiver = read_url(reader, url)?;
        let own_token = read_file(reader, table, "token_file", root);
        let own_ca = read_file(reader, table, "ca", root);
        let (token_file, ca) = (own_token.or(token_file.clone()), own_ca.or(ca.clone()));
        Some(Receiver { token_file, ca, ..receiver })
    };
    list.iter().take(RECEIVER_COUNT_MAX).filter_map(read).collect()
}

fn read_url(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Receiver> {
    let text = reader.text(value, "a server")?;
    let found = Receiver::parse(text);
    if found.is_none() {
        let help = "the API of a server: https://ns1.example.net:8053, http://127.0.0.1:8053";
        reader.error("probe-text", &value.span(), format!("`{text}` is no server"), help);
    }
    found
}

fn read_file(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    key: &str,
    root: &Path,
) -> Option<PathBuf> {
    let value = table.get(key)?;
    let text = reader.text(value, &format!("`{key}`"))?;
    if text.is_empty() {
        let help = "a path, relative to the folder of this file";
        reader.error("probe-text", &value.span(), format!("`{key}` is empty"), help);
        return None;
    }
    Some(root.join(text))
}

fn read_listen(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<SocketAddr> {
    let text = reader.text(value, "`listen`")?;
    let address = text.parse().ok();
    if address.is_none() {
        let what = format!("`listen`: `{text}` is not an address with a port");
        let help = "where /metrics is answered: 127.0.0.1:9153";
        reader.error("not-an-address", &value.span(), what, help);
    }
    address
}

fn read_endpoints(
    reader: &mut Reader<'_>,
    top: &DeTable<'_>,
    root: &Path,
    probing: &Probing,
    targets: &mut Targets,
) {
    let Some(value) = top.get("endpoints") else {
        let help = "[[endpoints]]\nsubjects = [\"fra/web/192.0.2.10\"]";
        reader.error("missing-key", &BEGIN, "probe.toml does not say what to look at", help);
        return;
    };
    let Some(list) = reader.full_list(value, "`endpoints`") else { return };
    let mut known = BTreeSet::new();
    for value in list {
        let Some(table) = reader.table(value, "an item of `endpoints`") else { continue };
        let own = read_patch(reader, table, "[[endpoints]]", &["subjects", "at"], root);
        let at = table.get("at").and_then(|value| read_at(reader, value));
        let Some(subjects) = table.get("subjects") else {
            let help = "subjects = [\"fra/web/192.0.2.10\"]";
            reader.error("missing-key", &value.span(), "[[endpoints]] without `subjects`", help);
            continue;
        };
        let Some(subjects) = reader.full_list(subjects, "`subjects`") else { continue };
        let mut pools = BTreeSet::new();
        for subject in subjects {
            let Some(member) = read_member(reader, subject, &mut known) else { continue };
            if pools.insert(member.pool.clone()) {
                check_whole(reader, value, &own.over(&probing.patch_of(&member.pool)));
            }
            match (at, &own) {
                (None, own) if *own == Patch::default() => targets.add(member, probing),
                (at, own) => targets.add_apart(member, at, own, probing),
            }
        }
    }
}

/// Another place than the endpoint's own: an address, or a host name that is resolved with each look.
fn read_at<'v>(reader: &mut Reader<'_>, value: &'v Value<'_>) -> Option<&'v str> {
    let text = reader.text(value, "`at`")?;
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    if !text.is_empty() && text.bytes().all(is_host) {
        return Some(text);
    }
    let help = "an address or a host name, without a port: `port` says that";
    reader.error("probe-text", &value.span(), format!("`at` cannot be `{text}`"), help);
    None
}

fn read_member(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    known: &mut BTreeSet<Member>,
) -> Option<Member> {
    let text = reader.text(value, "a subject")?;
    let member = Subject::parse(text).map(|subject| subject.exact());
    let (what, help) = match member {
        Ok(Some(_)) if known.len() >= ENDPOINT_COUNT_MAX => {
            (format!("`{text}` is one endpoint too many"), format!("at most {ENDPOINT_COUNT_MAX}"))
        }
        Ok(Some(member)) if known.insert(member.clone()) => return Some(member),
        Ok(Some(_)) => (format!("`{text}` is listed twice"), "remove one of the two".to_owned()),
        Ok(None) => (
            format!("`{text}` is not one endpoint"),
            "region/pool/address, each in full: fra/web/192.0.2.10".to_owned(),
        ),
        Err(error) => (format!("`{text}` is no subject"), error.to_string()),
    };
    reader.error("probe-endpoint", &value.span(), what, help);
    None
}

#[cfg(test)]
mod tests;
