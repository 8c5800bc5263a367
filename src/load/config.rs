//! homing.toml: what one process is told about itself. Not part of any generation.
//!
//! Owns: the defaults, the reading of every key, and the paths, which are relative to the file's own folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use crate::answer::{
    ConnectionLimits, CookieSecret, CookieSecrets, Networks, RateLimits, SubnetTrust, Transport,
    UDP_PAYLOAD_MAX,
};
use crate::diagnostic::{Diagnostic, Place, has_error};
use crate::geo::Position;
use crate::route::{Reader, Settings, Source, read_health, read_position};

use super::guard::Guard;
use super::limits::{read_rates, read_tcp};
use super::listen::{
    CertificateFiles, DNS_PAIR_KEYS, SAFETY_KEYS, read_address, read_addresses, read_dns_pair,
    read_safety,
};
use super::resolvers::{read_networks, read_subnet_trust};
use super::sandbox::{SandboxTerms, read_sandbox};
use super::terms::{Terms, read_geo};
use super::webhook::{Webhook, read_webhook};

/// The name of the file, looked for in the folder that is served.
pub const CONFIG_FILE: &str = "homing.toml";

/// Octets of the longest site name: it is answered as one label-sized text (RFC 5001 sets no bound).
const SITE_NAME_LEN_MAX: usize = 63;
/// Threads that answer UDP: a guess, above the largest machine's CPUs.
const CORE_COUNT_MAX: u32 = 1024;
/// The longest rest: more than a millisecond of it, and a client would feel it.
const REST_MICROS_MAX: u32 = 1_000;
/// Generations that may be kept: a guess, of what a start can read the manifests of within some seconds.
const GENERATION_COUNT_MAX: u32 = 100_000;
/// Octets that every client takes over UDP (RFC 1035 §4.2.1).
const UDP_PAYLOAD_MIN: u32 = 512;
/// Hexadecimal digits in a row that may be a piece of a secret: nothing else in the file has so many.
const SECRET_RUN_LEN: usize = 8;

/// The tables of the file. Those of the vantages within the server, the last two, `probe` reads.
const SECTIONS: [&str; 14] = [
    "tcp",
    "site",
    "listen",
    "files",
    "geo",
    "cookies",
    "rate_limit",
    "health",
    "guard",
    "history",
    "webhook",
    "sandbox",
    "probe",
    "extfile",
];

/// What one process is told about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it came from; none when the defaults hold.
    pub file: Option<PathBuf>,
    /// NSID, `id.server` and `hostname.bind`; 1 to 63 octets.
    pub site_name: String,
    /// Where this site is, for clients whose place is unknown.
    pub site_position: Option<Position>,
    /// Addresses that DNS is answered on, UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// Addresses that DNS is answered on within TLS (RFC 7858); none: it is not.
    pub dot: Vec<SocketAddr>,
    /// Addresses that DNS is answered on within HTTPS (RFC 8484); none: it is not.
    pub doh: Vec<SocketAddr>,
    /// Addresses that DNS is answered on within QUIC (RFC 9250); none: it is not.
    pub doq: Vec<SocketAddr>,
    /// The certificate of DNS within TLS, HTTPS and QUIC.
    pub dns_tls: Option<CertificateFiles>,
    /// Balancers that tell in whose name they ask (PROXY protocol, version 2).
    pub balancers: Networks,
    /// The address of the API.
    pub api: SocketAddr,
    /// The certificate of the API; none: it is served in the clear.
    pub api_tls: Option<CertificateFiles>,
    /// Threads that answer UDP, as written: 0 is one for each CPU. See [`Config::core_count`].
    pub cores: usize,
    /// How long a busy thread rests after a few answers, so that it meets more queries at once; 0 is never.
    pub rest: Duration,
    /// Whose client subnets decide answers.
    pub subnet_trust: SubnetTrust,
    /// The folder of zones and steering.
    pub zones: PathBuf,
    /// The folder of geography.
    pub geo: PathBuf,
    /// The folder that is ours.
    pub state: PathBuf,
    /// What DNS cookies are made with, read at start; none: a secret of this server's own. Sites that clients move
    /// between share one, so that a cookie of one is good at the others (RFC 9018 §5).
    pub cookies: Option<CookieSecrets>,
    /// Octets of the largest response over UDP to a client that shows no cookie of ours; none: as for all others.
    pub unproven_payload: Option<u16>,
    /// What connections are held to.
    pub tcp: ConnectionLimits,
    /// How many responses over UDP a network gets.
    pub rates: RateLimits,
    /// What pools inherit.
    pub health: Settings,
    /// What a new geo database has to meet.
    pub geo_terms: Terms,
    /// How much a change of files may take away.
    pub guard: Guard,
    /// How many states of files are kept.
    pub history: Bounds,
    /// Who is told of what happens; none: nobody.
    pub webhook: Option<Webhook>,
    /// What the process gives up once it has its sockets.
    pub sandbox: SandboxTerms,
}

/// How much of the past is kept; the two newest generations are, whatever this says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Generations.
    pub generations: usize,
    /// What they take on the disk, in MiB.
    pub size_mib: u32,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { generations: 1000, size_mib: 4096 }
    }
}

impl Config {
    /// What holds without a homing.toml in `root`.
    pub fn defaults(root: &Path) -> Config {
        Config {
            file: None,
            site_name: "local".to_owned(),
            site_position: None,
            dns: vec![
                SocketAddr::from(([127, 0, 0, 1], 5300)),
                SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 5300)),
            ],
            dot: Vec::new(),
            doh: Vec::new(),
            doq: Vec::new(),
            dns_tls: None,
            balancers: Networks::default(),
            api: SocketAddr::from(([127, 0, 0, 1], 8053)),
            api_tls: None,
            cores: 0,
            rest: Duration::from_micros(100),
            subnet_trust: SubnetTrust::All,
            zones: root.join("zones"),
            geo: root.join("geo"),
            state: root.join("state"),
            cookies: None,
            unproven_payload: None,
            tcp: ConnectionLimits::default(),
            rates: RateLimits::default(),
            health: Settings::default(),
            geo_terms: Terms::default(),
            guard: Guard::default(),
            history: Bounds::default(),
            webhook: None,
            sandbox: SandboxTerms::default(),
        }
    }

    /// The configuration of the folder `root`: its homing.toml, or the defaults where there is none.
    pub fn find(root: &Path) -> Result<Config, Vec<Diagnostic>> {
        let path = root.join(CONFIG_FILE);
        match path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Config::defaults(root))
            }
            _ => Config::load(&path),
        }
    }

    /// Reads the file at `path`. Every mistake in it comes back at once.
    pub fn load(path: &Path) -> Result<Config, Vec<Diagnostic>> {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let what = format!("the configuration cannot be read: {error}");
            let said = Diagnostic::error("config-unreadable", Place::file(&shown), what);
            vec![said.help("give the file's path and let this user read it")]
        })?;
        let root = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut config = Config::parse(&shown, &bytes, root)?;
        config.file = Some(path.to_owned());
        Ok(config)
    }

    /// Reads `text`, which the operator knows as `shown`; paths in it are relative to `root`.
    pub fn parse(shown: &str, text: &[u8], root: &Path) -> Result<Config, Vec<Diagnostic>> {
        let source = Source::new(shown, text).map_err(|said| without_secrets(vec![said]))?;
        let mut reader = Reader::new(&source);
        let top = reader.top();
        let mut config = Config::defaults(root);
        reader.only_keys(&top, &SECTIONS, "homing.toml");
        let mut section = |key: &str, read: &mut dyn FnMut(&mut Reader<'_>, &DeTable<'_>)| {
            if let Some(value) = top.get(key)
                && let Some(table) = reader.table(value, &format!("`{key}`"))
            {
                read(&mut reader, table);
            }
        };
        section("site", &mut |reader, table| read_site(&mut config, reader, table));
        section("listen", &mut |reader, table| read_listen(&mut config, reader, table, root));
        section("files", &mut |reader, table| read_files(&mut config, reader, table, root));
        section("geo", &mut |reader, table| read_geo(&mut config.geo_terms, reader, table));
        section("cookies", &mut |reader, table| read_cookies(&mut config, reader, table));
        section("tcp", &mut |reader, table| read_tcp(&mut config.tcp, reader, table));
        section("rate_limit", &mut |reader, table| read_rates(&mut config.rates, reader, table));
        section("health", &mut |reader, table| {
            let patch = read_health(reader, table, "[health]");
            config.health = patch.over(&Settings::default());
        });
        section("guard", &mut |reader, table| read_guard(&mut config.guard, reader, table));
        section("history", &mut |reader, table| read_history(&mut config.history, reader, table));
        section("webhook", &mut |reader, table| config.webhook = read_webhook(reader, table, root));
        section("sandbox", &mut |reader, table| {
            read_sandbox(&mut config.sandbox, reader, table, root);
        });
        let said = without_secrets(reader.finish());
        if has_error(&said) { Err(said) } else { Ok(config) }
    }

    /// Where DNS is answered so that nobody between can read it.
    pub fn encrypted(&self) -> Vec<(Transport, SocketAddr)> {
        let of = |transport| move |&address: &SocketAddr| (transport, address);
        let dot = self.dot.iter().map(of(Transport::Tls));
        let doh = self.doh.iter().map(of(Transport::Https));
        dot.chain(doh).chain(self.doq.iter().map(of(Transport::Quic))).collect()
    }

    /// Threads that answer UDP: as written, or one for each CPU that this process may use.
    pub fn core_count(&self) -> usize {
        match self.cores {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            count => count,
        }
    }
}

fn read_site(config: &mut Config, reader: &mut Reader<'_>, site: &DeTable<'_>) {
    reader.only_keys(site, &["name", "position"], "[site]");
    if let Some(value) = site.get("name")
        && let Some(name) = reader.text(value, "`name`")
    {
        if name.is_empty() || name.len() > SITE_NAME_LEN_MAX {
            let help = format!("1 to {SITE_NAME_LEN_MAX} octets");
            let what = format!("`name` has {} octets", name.len());
            reader.error("site-name", &value.span(), what, help);
        } else {
            config.site_name = name.to_owned();
        }
    }
    let position = site.get("position");
    config.site_position = position.and_then(|value| read_position(reader, value));
}

fn read_listen(config: &mut Config, reader: &mut Reader<'_>, listen: &DeTable<'_>, root: &Path) {
    const KEYS: [&str; 10] = [
        "dns",
        "dot",
        "doh",
        "doq",
        "proxy_protocol",
        "api",
        "cores",
        "rest_micros",
        "ecs",
        "ecs_trusted",
    ];
    let keys = [&KEYS[..], &SAFETY_KEYS, &DNS_PAIR_KEYS].concat();
    reader.only_keys(listen, &keys, "[listen]");
    let lists = [
        ("dns", &mut config.dns),
        ("dot", &mut config.dot),
        ("doh", &mut config.doh),
        ("doq", &mut config.doq),
    ];
    for (key, addresses) in lists {
        if let Some(value) = listen.get(key)
            && let Some(list) = reader.full_list(value, &format!("`{key}`"))
        {
            *addresses = read_addresses(reader, value, list, key);
        }
    }
    config.dns_tls = read_dns_pair(reader, listen, root);
    if let Some(value) = listen.get("proxy_protocol")
        && let Some(list) = reader.full_list(value, "`proxy_protocol`")
    {
        let networks = read_networks(reader, value, list, "proxy_protocol");
        config.balancers = Networks::of(&networks);
    }
    if let Some(value) = listen.get("api") {
        config.api = read_address(reader, value, "`api`").unwrap_or(config.api);
    }
    config.api_tls = read_safety(reader, listen, config.api, root);
    if let Some(value) = listen.get("cores") {
        let cores = reader.integer(value, "`cores`", 0, CORE_COUNT_MAX);
        config.cores = cores.map_or(config.cores, |count| count as usize);
    }
    if let Some(value) = listen.get("rest_micros") {
        let micros = reader.integer(value, "`rest_micros`", 0, REST_MICROS_MAX);
        config.rest = micros.map_or(config.rest, |micros| Duration::from_micros(micros.into()));
    }
    config.subnet_trust = read_subnet_trust(reader, listen);
}

fn read_files(config: &mut Config, reader: &mut Reader<'_>, files: &DeTable<'_>, root: &Path) {
    reader.only_keys(files, &["zones", "geo", "state"], "[files]");
    let folders =
        [("zones", &mut config.zones), ("geo", &mut config.geo), ("state", &mut config.state)];
    for (key, folder) in folders {
        let Some(value) = files.get(key) else { continue };
        match reader.text(value, &format!("`{key}`")) {
            Some("") => {
                let help = "`.` is the folder of this file";
                reader.error("folder-name", &value.span(), format!("`{key}` is empty"), help);
            }
            Some(path) => *folder = root.join(path),
            None => {}
        }
    }
}

fn read_guard(guard: &mut Guard, reader: &mut Reader<'_>, table: &DeTable<'_>) {
    reader.only_keys(table, &["max_removed_share", "min_removed"], "[guard]");
    if let Some(value) = table.get("max_removed_share") {
        let share = reader.number(value, "`max_removed_share`", 0.0, 1.0);
        guard.max_removed_share = share.unwrap_or(guard.max_removed_share);
    }
    if let Some(value) = table.get("min_removed") {
        let count = reader.integer(value, "`min_removed`", 0, u32::MAX);
        guard.min_removed = count.map_or(guard.min_removed, |count| count as usize);
    }
}

fn read_history(bounds: &mut Bounds, reader: &mut Reader<'_>, table: &DeTable<'_>) {
    reader.only_keys(table, &["generations", "size_mib"], "[history]");
    if let Some(value) = table.get("generations") {
        let count = reader.integer(value, "`generations`", 2, GENERATION_COUNT_MAX);
        bounds.generations = count.map_or(bounds.generations, |count| count as usize);
    }
    if let Some(value) = table.get("size_mib") {
        let size = reader.integer(value, "`size_mib`", 1, u32::MAX);
        bounds.size_mib = size.unwrap_or(bounds.size_mib);
    }
}

fn read_cookies(config: &mut Config, reader: &mut Reader<'_>, cookies: &DeTable<'_>) {
    const MOST: &str = "max_udp_without_cookie";
    reader.only_keys(cookies, &["secret", "previous", MOST], "[cookies]");
    if let Some(value) = cookies.get(MOST) {
        let max = UDP_PAYLOAD_MAX as u32;
        let octets = reader.integer(value, &format!("`{MOST}`"), UDP_PAYLOAD_MIN, max);
        // No more than `max`, which fits.
        config.unproven_payload = octets.map(|octets| octets as u16);
    }
    config.cookies = read_secrets(reader, cookies);
}

fn read_secrets(reader: &mut Reader<'_>, cookies: &DeTable<'_>) -> Option<CookieSecrets> {
    let mut secret = |key: &str| {
        let value = cookies.get(key)?;
        let text = reader.text(value, &format!("`{key}`"))?;
        let secret = CookieSecret::parse(text);
        if secret.is_none() {
            let help = "32 hexadecimal digits: openssl rand -hex 16";
            reader.error("cookie-secret", &value.span(), format!("`{key}` is no secret"), help);
        }
        secret
    };
    let (current, previous) = (secret("secret"), secret("previous"));
    if let (false, Some(value)) = (cookies.contains_key("secret"), cookies.get("previous")) {
        let help = "write the secret that makes cookies now as `secret`";
        reader.error("cookie-secret", &value.span(), "`previous` stands alone", help);
    }
    current.map(|current| CookieSecrets { current, previous })
}

/// Takes the line away from what would show it, where it may hold a secret: misspelt and misplaced ones, too.
fn without_secrets(mut said: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_digits = |word: &[u8]| word.len() >= SECRET_RUN_LEN;
    for diagnostic in &mut said {
        let line = diagnostic.excerpt.as_bytes();
        if line.split(|octet| !octet.is_ascii_hexdigit()).any(is_digits) {
            diagnostic.excerpt.clear();
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Vec<Diagnostic>> {
        Config::parse("homing.toml", text.as_bytes(), Path::new("/srv/dns"))
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        let config = parse("").unwrap();
        assert_eq!(config, Config::defaults(Path::new("/srv/dns")));
        assert_eq!(config.dns[1].to_string(), "[::1]:5300");
        assert_eq!(config.state, Path::new("/srv/dns/state"));
        assert!(config.core_count() >= 1);
    }

    #[test]
    fn every_key_is_read() {
        let config = parse(
            "[site]\nname = \"fra-1\"\nposition = [50.11, 8.68]\n\
             [listen]\ndns = [\"0.0.0.0:53\"]\napi = \"[::1]:80\"\ncores = 3\nrest_micros = 0\n\
             [files]\nzones = \"z\"\ngeo = \"/g\"\nstate = \"../s\"\n\
             [health]\nquorum = 2\ninterval = \"5s\"\nfailback = \"after 5m\"\n\
             start = \"down\"\nmax_down_share = 1\n\
             [geo]\nmin_share = 0\nmin_networks = 1000\nmax_age = \"400d\"\n\
             [guard]\nmax_removed_share = 0.9\nmin_removed = 100\n\
             [history]\ngenerations = 20\nsize_mib = 64\n",
        )
        .unwrap();
        assert_eq!((config.site_name.as_str(), config.core_count()), ("fra-1", 3));
        assert!(config.rest.is_zero());
        assert_eq!(config.zones, Path::new("/srv/dns/z"));
        assert_eq!(config.geo, Path::new("/g"));
        assert_eq!((config.health.quorum, config.health.interval_millis), (2, 5000));
        assert_eq!(config.health.max_down_share, 1.0);
        let terms = Terms { min_share: 0.0, min_networks: 1000, max_age_secs: Some(400 * 86_400) };
        assert_eq!(config.geo_terms, terms);
        assert_eq!(config.guard, Guard { max_removed_share: 0.9, min_removed: 100 });
        assert_eq!(config.history, Bounds { generations: 20, size_mib: 64 });
    }

    #[test]
    fn what_others_listen_with_is_read() {
        let config = parse(
            "[listen]\ndot = [\"192.0.2.1:853\"]\ndns_certificate = \"tls/c\"\ndns_key = \"/k\"\n\
             proxy_protocol = [\"192.0.2.0/24\"]\n[cookies]\nmax_udp_without_cookie = 512\n",
        )
        .unwrap();
        assert_eq!(config.dot[0].to_string(), "192.0.2.1:853");
        let files = CertificateFiles { certificate: "/srv/dns/tls/c".into(), key: "/k".into() };
        assert_eq!(config.dns_tls, Some(files));
        assert!(config.balancers.contains("192.0.2.200".parse().unwrap()));
        assert_eq!(config.unproven_payload, Some(512));
        let said = parse("[listen]\ndot = [\"192.0.2.1:853\"]\nproxy_protocol = [\"here\"]\n");
        let codes: Vec<&str> = said.unwrap_err().iter().map(|one| one.code).collect();
        assert!(codes.contains(&"dot-without-certificate") && codes.contains(&"bad-subnet"));
        let said = parse("[cookies]\nmax_udp_without_cookie = 100\n").unwrap_err();
        assert_eq!(said[0].code, "out-of-range");
    }

    #[test]
    fn each_mistake_is_named_where_it_stands() {
        let said = parse(
            "[site]\nnmae = \"x\"\nposition = [91, 0]\n[listen]\ndns = [\"nowhere\"]\n\
             cores = \"two\"\n[helth]\nquorum = 1\n",
        )
        .unwrap_err();
        let mut shown: Vec<(u32, u32, &str)> =
            said.iter().map(|d| (d.place.line, d.place.column, d.code)).collect();
        shown.sort();
        assert_eq!(
            shown,
            [
                (2, 1, "unknown-key"),
                (3, 13, "out-of-range"),
                (5, 8, "not-an-address"),
                (6, 9, "wrong-type"),
                (7, 2, "unknown-key"),
            ]
        );
        let helps: Vec<&str> = said.iter().map(|d| d.help.as_str()).collect();
        assert!(helps.contains(&"did you mean `name`?"), "{helps:?}");
        assert!(helps.contains(&"did you mean `health`?"), "{helps:?}");
    }

    #[test]
    fn cookie_secrets_are_32_digits() {
        let digits = "000102030405060708090a0b0c0d0e0f";
        let config = parse(&format!("[cookies]\nsecret = \"{digits}\"\n")).unwrap();
        let current = CookieSecret::new(std::array::from_fn(|octet| octet as u8));
        assert_eq!(config.cookies, Some(CookieSecrets { current, previous: None }));
        let said = parse(&format!("[cookies]\nsecret = \"{}\"\n", &digits[1..])).unwrap_err();
        assert_eq!(
            (said[0].code, said[0].place.line, said[0].place.column),
            ("cookie-secret", 2, 10)
        );
        let said = parse(&format!("[cookies]\nprevious = \"{digits}\"\n")).unwrap_err();
        assert_eq!(said[0].message, "`previous` stands alone");
        for misspelt in ["[cookies]\nsecret = ", "[cookeis]\nsecret = ", "[cookies]\nsecrte = "] {
            for value in [format!("\"{digits}0\""), format!("\"{digits}"), digits.to_owned()] {
                let said = parse(&format!("{misspelt}{value}\n")).unwrap_err();
                let said = said.iter().map(ToString::to_string).collect::<String>();
                assert!(!said.contains("0405"), "{said}");
            }
        }
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_place() {
        let said = parse("[site]\nname = \n").unwrap_err();
        assert_eq!((said[0].code, said[0].place.line), ("toml-syntax", 2));
    }
}
