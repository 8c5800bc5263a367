//! How endpoints are looked at, as `[probe]` of homing.toml and of probe.toml write it. One definition.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use crate::route::{Reader, Value, in_file_order, read_duration};
use crate::wire::{Name, Rcode, Rtype};

/// How often an endpoint is looked at, unless it is told: the interval at which health expects a vantage.
const INTERVAL_MILLIS: u64 = 10_000;
/// How long a look may take, unless it is told: longer than any healthy router, shorter than the interval.
const TIMEOUT_MILLIS: u64 = 2_000;
/// Looks at once, unless it is told: below the 1,024 open files that most systems allow a process.
const CONCURRENCY: usize = 512;
/// The shortest interval. A guess: below it a vantage would be a load of its own.
const INTERVAL_MILLIS_MIN: u64 = 100;
/// The longest, as that of health.
const INTERVAL_MILLIS_MAX: u64 = 86_400_000;
/// Octets of a path, a host, a header or a text that is looked for.
const TEXT_LEN_MAX: usize = 1024;
/// Keys of one way of looking.
const KEYS: [&str; 16] = [
    "kind", "port", "path", "host", "method", "status", "header", "body", "timeout", "interval",
    "degraded", "verify", "ca", "name", "type", "rcode",
];

/// All that `[probe]` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Probing {
    /// How endpoints are looked at, unless their pool says otherwise.
    pub every: Patch,
    /// What pools set apart.
    pub pools: BTreeMap<Box<str>, Patch>,
    /// How often everything said is reaffirmed.
    pub heartbeat: Duration,
    /// Looks at once.
    pub concurrency: usize,
}

/// Some of the settings of a look; what is none is left as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    kind: Option<Kind>,
    port: Option<u16>,
    path: Option<Box<str>>,
    host: Option<Box<str>>,
    method: Option<Method>,
    status: Option<Box<[(u16, u16)]>>,
    header: Option<HeaderWish>,
    body: Option<Box<str>>,
    timeout_millis: Option<u64>,
    interval_millis: Option<u64>,
    degraded_millis: Option<u64>,
    verify: Option<bool>,
    ca: Option<PathBuf>,
    name: Option<Name>,
    rtype: Option<Rtype>,
    rcode: Option<Rcode>,
}

/// Kinds of looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Tcp,
    Http,
    Https,
    Dns,
}

/// The settings of a look, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is asked, and what is to be answered.
    pub check: Check,
    /// Where.
    pub port: u16,
    /// How long a look may take.
    pub timeout: Duration,
    /// How often the endpoint is looked at.
    pub interval: Duration,
    /// A good answer that takes longer than this is a degraded one.
    pub degraded: Option<Duration>,
}

/// What is asked, and what is to be answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// It takes a connection.
    Tcp,
    /// It answers a request.
    Http(HttpCheck),
    /// It answers a request over TLS.
    Https(HttpCheck, Trust),
    /// It answers a query over UDP.
    Dns(DnsCheck),
}

/// A request, and what is to be answered.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCheck {
    /// GET or HEAD.
    pub method: Method,
    /// With its query, if any.
    pub path: Box<str>,
    /// The Host, and the name that TLS asks for; none: the endpoint's own name or address.
    pub host: Option<Box<str>>,
    /// Response codes that are good: from, to.
    pub statuses: Box<[(u16, u16)]>,
    /// A header that is to be there.
    pub header: Option<HeaderWish>,
    /// A text that is to be in the body.
    pub body: Option<Box<str>>,
}

/// Methods that change nothing (RFC 9110 §9.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// With a body.
    Get,
    /// Without.
    Head,
}

/// A header that a response is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderWish {
    /// Its name, in lower case.
    pub name: Box<str>,
    /// Its value; none: any.
    pub value: Option<Box<str>>,
}

/// Whose certificates are believed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Those that the system trusts.
    System,
    /// Those of the authorities in a PEM file.
    File(PathBuf),
    /// Any: the look says that something speaks TLS, and not who.
    Anybody,
}

/// A query, and what is to be answered.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsCheck {
    /// QNAME.
    pub name: Name,
    /// QTYPE.
    pub rtype: Rtype,
    /// The response code that is good.
    pub rcode: Rcode,
}

impl Check {
    /// Its kind, as files and metrics write it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Check::Tcp => "tcp",
            Check::Http(_) => "http",
            Check::Https(..) => "https",
            Check::Dns(_) => "dns",
        }
    }
}

impl Probing {
    /// How endpoints of `pool` are looked at; none: they are not.
    pub fn of_pool(&self, pool: &str) -> Option<Settings> {
        self.patch_of(pool).settings()
    }

    /// What holds for endpoints of `pool`, before one of them sets something apart.
    pub fn patch_of(&self, pool: &str) -> Patch {
        let own = self.pools.get(pool);
        own.map_or_else(|| self.every.clone(), |own| own.over(&self.every))
    }
}

impl Default for Probing {
    fn default() -> Probing {
        Probing {
            every: Patch::default(),
            pools: BTreeMap::new(),
            heartbeat: Duration::from_millis(INTERVAL_MILLIS),
            concurrency: CONCURRENCY,
        }
    }
}

impl Patch {
    /// `base`, with what this patch sets.
    pub fn over(&self, base: &Patch) -> Patch {
        let (own, base) = (self.clone(), base.clone());
        Patch {
            kind: own.kind.or(base.kind),
            port: own.port.or(base.port),
            path: own.path.or(base.path),
            host: own.host.or(base.host),
            method: own.method.or(base.method),
            status: own.status.or(base.status),
            header: own.header.or(base.header),
            body: own.body.or(base.body),
            timeout_millis: own.timeout_millis.or(base.timeout_millis),
            interval_millis: own.interval_millis.or(base.interval_millis),
            degraded_millis: own.degraded_millis.or(base.degraded_millis),
            verify: own.verify.or(base.verify),
            ca: own.ca.or(base.ca),
            name: own.name.or(base.name),
            rtype: own.rtype.or(base.rtype),
            rcode: own.rcode.or(base.rcode),
        }
    }

    /// The settings, with what nobody set as it is by default; none where nobody is to look.
    pub fn settings(self) -> Option<Settings> {
        let interval = self.interval_millis.unwrap_or(INTERVAL_MILLIS);
        let timeout = self.timeout_millis.unwrap_or(TIMEOUT_MILLIS).min(interval);
        let (port, degraded) = (self.port, self.degraded_millis);
        let (check, usual_port) = match self.kind.unwrap_or(Kind::Tcp) {
            Kind::None => return None,
            Kind::Tcp => (Check::Tcp, 443),
            Kind::Http => (Check::Http(self.http()), 80),
            Kind::Https => (Check::Https(self.http(), self.trust()), 443),
            Kind::Dns => {
                let rtype = self.rtype.unwrap_or(Rtype::SOA);
                let rcode = self.rcode.unwrap_or(Rcode::NOERROR);
                (Check::Dns(DnsCheck { name: self.name?, rtype, rcode }), 53)
            }
        };
        Some(Settings {
            check,
            port: port.unwrap_or(usual_port),
            timeout: Duration::from_millis(timeout),
            interval: Duration::from_millis(interval),
            degraded: degraded.map(Duration::from_millis),
        })
    }

    fn http(&self) -> HttpCheck {
        HttpCheck {
            method: self.method.unwrap_or(Method::Get),
            path: self.path.clone().unwrap_or_else(|| "/".into()),
            host: self.host.clone(),
            statuses: self.status.clone().unwrap_or_else(|| Box::new([(200, 399)])),
            header: self.header.clone(),
            body: self.body.clone(),
        }
    }

    /// The file of authorities that it trusts, if it names one.
    pub fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    fn trust(&self) -> Trust {
        match (self.verify, &self.ca) {
            (Some(false), _) => Trust::Anybody,
            (_, Some(file)) => Trust::File(file.clone()),
            (_, None) => Trust::System,
        }
    }
}

/// Reads a `[probe]` table; paths in it are relative to `root`. It may have `more` keys, which are its caller's.
pub fn read_probing(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    more: &[&str],
    root: &Path,
) -> Probing {
    let mut probing = Probing::default();
    let more = [&["heartbeat", "concurrency", "pools"], more].concat();
    probing.every = read_patch(reader, table, "[probe]", &more, root);
    if let Some(value) = table.get("heartbeat") {
        let found = read_duration(reader, value, "`heartbeat`", INTERVAL_MILLIS_MIN, 86_400_000);
        probing.heartbeat = found.map_or(probing.heartbeat, Duration::from_millis);
    }
    if let Some(value) = table.get("concurrency") {
        let found = reader.integer(value, "`concurrency`", 1, 65_536);
        probing.concurrency = found.map_or(probing.concurrency, |count| count as usize);
    }
    let every = table.get("kind").or(table.get("timeout"));
    every.inspect(|value| check_whole(reader, value, &probing.every));
    let Some(pools) = table.get("pools").and_then(|value| reader.table(value, "`pools`")) else {
        return probing;
    };
    for (key, value) in in_file_order(pools) {
        let name = key.get_ref();
        let within = format!("[probe.pools.{name}]");
        let Some(pool) = reader.table(value, &within) else { continue };
        let own = read_patch(reader, pool, &within, &[], root);
        check_whole(reader, value, &own.over(&probing.every));
        probing.pools.insert(name.as_ref().into(), own);
    }
    probing
}

/// What only shows when all that holds for a look is known.
pub fn check_whole(reader: &mut Reader<'_>, value: &Value<'_>, patch: &Patch) {
    if patch.kind == Some(Kind::Dns) && patch.name.is_none() {
        let help = "name = \"health.example.com\"; type and rcode may stand beside it";
        let what = "a look of kind `dns` without a `name` to ask for";
        reader.error("missing-key", &value.span(), what, help);
    }
    let interval = patch.interval_millis.unwrap_or(INTERVAL_MILLIS);
    if patch.timeout_millis.is_some_and(|timeout| timeout > interval) {
        let help =
            "a look ends before the next begins: make the timeout shorter, or the interval longer";
        let what = "the timeout of a look is longer than its interval";
        reader.error("out-of-range", &value.span(), what, help);
    }
}

/// Reads the settings of a look that `table` has; it may have `more` keys, which are its caller's.
pub fn read_patch(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    within: &str,
    more: &[&str],
    root: &Path,
) -> Patch {
    const KINDS: [(&str, Kind); 5] = [
        ("tcp", Kind::Tcp),
        ("http", Kind::Http),
        ("https", Kind::Https),
        ("dns", Kind::Dns),
        ("none", Kind::None),
    ];
    const METHODS: [(&str, Method); 2] = [("GET", Method::Get), ("HEAD", Method::Head)];
    let known: Vec<&str> = more.iter().copied().chain(KEYS).collect();
    reader.only_keys(table, &known, within);
    let mut times = ["timeout", "interval", "degraded"].map(|key| {
        let min = if key == "interval" { INTERVAL_MILLIS_MIN } else { 1 };
        let value = table.get(key)?;
        read_duration(reader, value, &format!("`{key}`"), min, INTERVAL_MILLIS_MAX)
    });
    let port = table.get("port").and_then(|v| reader.integer(v, "`port`", 1, 65_535));
    let ca = table.get("ca").and_then(|v| read_line(reader, v, "`ca`"));
    Patch {
        kind: table.get("kind").and_then(|v| reader.word(v, "`kind`", &KINDS)),
        port: port.and_then(|port| u16::try_from(port).ok()),
        path: table.get("path").and_then(|v| read_path(reader, v)),
        host: table.get("host").and_then(|v| read_host(reader, v)),
        method: table.get("method").and_then(|v| reader.word(v, "`method`", &METHODS)),
        status: table.get("status").and_then(|v| read_statuses(reader, v)),
        header: table.get("header").and_then(|v| read_header(reader, v)),
        body: table.get("body").and_then(|v| read_line(reader, v, "`body`")).map(Into::into),
        timeout_millis: times[0].take(),
        interval_millis: times[1].take(),
        degraded_millis: times[2].take(),
        verify: table.get("verify").and_then(|v| reader.boolean(v, "`verify`")),
        ca: ca.map(|path| root.join(path)),
        name: table.get("name").and_then(|v| read_name(reader, v)),
        rtype: table.get("type").and_then(|v| read_code(reader, v, "type", Rtype::parse)),
        rcode: table.get("rcode").and_then(|v| read_code(reader, v, "rcode", Rcode::parse)),
    }
}

/// A text that stands in a line of a request: not empty, not endless, without what would end the line.
fn read_line<'v>(reader: &mut Reader<'_>, value: &'v Value<'_>, what: &str) -> Option<&'v str> {
    let text = reader.text(value, what)?;
    if !text.is_empty() && text.len() <= TEXT_LEN_MAX && !text.contains(char::is_control) {
        return Some(text);
    }
    let help = format!("1 to {TEXT_LEN_MAX} octets on one line");
    reader.error("probe-text", &value.span(), format!("{what} cannot be sent or found"), help);
    None
}

fn read_path(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<str>> {
    let text = read_line(reader, value, "`path`")?;
    if text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
        return Some(text.into());
    }
    let help = "from the first slash: /healthz, what is not ASCII percent-encoded (RFC 3986 §3.3)";
    reader.error("probe-text", &value.span(), format!("`path` cannot be `{text}`"), help);
    None
}

fn read_host(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<str>> {
    let text = read_line(reader, value, "`host`")?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    if text.bytes().all(allowed) {
        return Some(text.trim_end_matches('.').into());
    }
    let help = "a host name or an address, without a scheme or a path";
    reader.error("probe-text", &value.span(), format!("`host` cannot be `{text}`"), help);
    None
}

/// One code, one range `200-399`, or a list of them.
fn read_statuses(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<[(u16, u16)]>> {
    match value.get_ref().as_array() {
        None => Some(Box::new([read_status(reader, value)?])),
        Some(_) => {
            let list = reader.full_list(value, "`status`")?;
            list.iter().map(|value| read_status(reader, value)).collect()
        }
    }
}

fn read_status(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<(u16, u16)> {
    let Some(text) = value.get_ref().as_str() else {
        let code = reader.integer(value, "`status`", 100, 599)?;
        let code = u16::try_from(code).ok()?;
        return Some((code, code));
    };
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let code = |text: &str| text.trim().parse().ok().filter(|code| (100..=599).contains(code));
    match (code(from), code(to)) {
        (Some(from), Some(to)) if from <= to => Some((from, to)),
        _ => {
            let help = "200, or \"200-399\", or a list of such";
            let what = format!("`{text}` is no response code and no range of them");
            reader.error("probe-text", &value.span(), what, help);
            None
        }
    }
}

/// `name` or `name: value`.
fn read_header(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<HeaderWish> {
    let text = read_line(reader, value, "`header`")?;
    let (name, wanted) = match text.split_once(':') {
        Some((name, wanted)) => (name, Some(wanted.trim().into())),
        None => (text, None),
    };
    // RFC 9110 §5.6.2: a token.
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !name.is_empty() && name.bytes().all(allowed) {
        return Some(HeaderWish { name: name.to_ascii_lowercase().into(), value: wanted });
    }
    let help = "\"x-healthy\" for its presence, or \"x-healthy: yes\" for its value";
    reader.error("probe-text", &value.span(), format!("`header` cannot be `{text}`"), help);
    None
}

fn read_name(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Name> {
    let text = reader.text(value, "`name`")?;
    match Name::parse(text, &Name::root()) {
        Ok(name) => Some(name),
        Err(error) => {
            let what = format!("`{text}` is no name to ask for: {error}");
            reader.error("probe-text", &value.span(), what, "name = \"health.example.com\"");
            None
        }
    }
}

fn read_code<T>(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let text = reader.text(value, &format!("`{key}`"))?;
    let found = parse(text);
    if found.is_none() {
        let help = "as the registries write it: A, SOA, TYPE65; NOERROR, NXDOMAIN";
        reader.error("unknown-word", &value.span(), format!("`{key}` cannot be `{text}`"), help);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;
    use crate::probe::parse_within;

    fn read(text: &str) -> (Option<Probing>, Vec<Diagnostic>) {
        match parse_within("homing.toml", text.as_bytes(), Path::new("/etc/homing")) {
            Ok(within) => (within.probing.map(|(_, probing)| probing), Vec::new()),
            Err(said) => (None, said),
        }
    }

    #[test]
    fn a_pool_sets_apart_what_it_says_and_no_more() {
        let text = "[site]\nname = \"a\"\n[probe]\nkind = \"http\"\npath = \"/healthz\"\ninterval = \"5s\"\n\
                    [probe.pools.web]\nkind = \"https\"\nhost = \"www.example.com\"\nca = \"ca.pem\"\n\
                    [probe.pools.ns]\nkind = \"dns\"\nname = \"example.com\"\n[probe.pools.old]\nkind = \"none\"\n";
        let (probing, said) = read(text);
        assert!(said.is_empty(), "{said:?}");
        let probing = probing.unwrap();
        let web = probing.of_pool("web").unwrap();
        let Check::Https(check, trust) = &web.check else { panic!("{web:?}") };
        assert_eq!((&*check.path, check.host.as_deref()), ("/healthz", Some("www.example.com")));
        assert_eq!(*trust, Trust::File("/etc/homing/ca.pem".into()));
        assert_eq!((web.port, web.interval.as_secs(), web.timeout.as_secs()), (443, 5, 2));
        let other = probing.of_pool("other").unwrap();
        assert!(matches!(&other.check, Check::Http(check) if *check.statuses == [(200, 399)]));
        assert_eq!(other.port, 80);
        let ns = probing.of_pool("ns").unwrap();
        assert!(matches!(&ns.check, Check::Dns(check) if check.rtype == Rtype::SOA), "{ns:?}");
        assert_eq!(probing.of_pool("old"), None);
        assert_eq!(read("[site]\n"), (None, Vec::new()));
    }

    #[test]
    fn every_mistake_is_told_where_it_stands() {
        let text = "[probe]\nkind = \"http\"\nprot = 80\npath = \"healthz\"\nstatus = \"2xx\"\nheader = \"a b: c\"\n\
                    host = \"http://a/\"\nport = 0\ninterval = \"1s\"\ntimeout = \"2s\"\n\
                    [probe.pools.ns]\nkind = \"dns\"\ntype = \"B\"\n";
        let (probing, said) = read(text);
        assert_eq!(probing, None);
        let found: Vec<_> = said.iter().map(|d| (d.place.line, d.code)).collect();
        let expected = [
            (2, "out-of-range"),
            (3, "unknown-key"),
            (4, "probe-text"),
            (5, "probe-text"),
            (6, "probe-text"),
            (7, "probe-text"),
            (8, "out-of-range"),
            (11, "missing-key"),
            (11, "out-of-range"),
            (13, "unknown-word"),
        ];
        assert_eq!(found, expected, "{said:#?}");
        assert_eq!(said[1].help, "did you mean `port`?");
    }
}
