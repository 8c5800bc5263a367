//! homing.toml: what one process is told about itself. Not part of any generation.
//!
//! Owns: the defaults, the reading of every key, and the paths, which are relative to the file's own folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};
use crate::geo::Position;
use crate::route::Settings;

use super::keys::{Table, read_table};

/// The name of the file, looked for in the folder that is served.
pub const CONFIG_FILE: &str = "homing.toml";

/// Octets of the longest site name: it is answered as one label-sized text (RFC 5001 sets no bound).
const SITE_NAME_LEN_MAX: usize = 63;
/// Sockets that one process may be told to open: a guess, far above any machine's addresses.
const LISTEN_COUNT_MAX: usize = 256;
/// Threads that answer UDP: a guess, above the largest machine's CPUs.
const CORE_COUNT_MAX: usize = 1024;

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
    /// The address of the API.
    pub api: SocketAddr,
    /// Threads that answer UDP, as written: 0 is one for each CPU. See [`Config::core_count`].
    pub cores: usize,
    /// The folder of zones and steering.
    pub zones: PathBuf,
    /// The folder of geography.
    pub geo: PathBuf,
    /// The folder that is ours.
    pub state: PathBuf,
    /// What pools inherit.
    pub health: Settings,
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
            api: SocketAddr::from(([127, 0, 0, 1], 8053)),
            cores: 0,
            zones: root.join("zones"),
            geo: root.join("geo"),
            state: root.join("state"),
            health: Settings::default(),
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
        let unreadable = |why: String| {
            let what = format!("the configuration cannot be read: {why}");
            vec![
                Diagnostic::error("config-unreadable", Place::file(&shown), what)
                    .help("give the file's path and let this user read it"),
            ]
        };
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".into()))?;
        let root = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut config = Config::parse(&shown, &text, root)?;
        config.file = Some(path.to_owned());
        Ok(config)
    }

    /// Reads `text`, which the operator knows as `shown`; paths in it are relative to `root`.
    pub fn parse(shown: &str, text: &str, root: &Path) -> Result<Config, Vec<Diagnostic>> {
        let mut config = Config::defaults(root);
        let mut said = Vec::new();
        let mut top = read_table(shown, text, &mut said);
        if let Some(mut site) = top.section("site", &mut said) {
            read_site(&mut config, &mut site, &mut said);
        }
        if let Some(mut listen) = top.section("listen", &mut said) {
            read_listen(&mut config, &mut listen, &mut said);
        }
        if let Some(mut files) = top.section("files", &mut said) {
            read_files(&mut config, &mut files, root, &mut said);
        }
        if let Some(health) = top.section("health", &mut said) {
            config.health = super::keys::read_health(health, &mut said);
        }
        top.finish(&["site", "listen", "files", "health"], &mut said);
        if said.is_empty() { Ok(config) } else { Err(said) }
    }

    /// Threads that answer UDP: as written, or one for each CPU that this process may use.
    pub fn core_count(&self) -> usize {
        match self.cores {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            count => count,
        }
    }
}

fn read_site(config: &mut Config, site: &mut Table<'_>, said: &mut Vec<Diagnostic>) {
    site.take("name", said, |name: String| {
        if name.is_empty() || name.len() > SITE_NAME_LEN_MAX {
            return Err(format!("a site name has 1 to {SITE_NAME_LEN_MAX} octets"));
        }
        config.site_name = name;
        Ok(())
    });
    site.take("position", said, |[latitude, longitude]: [f64; 2]| {
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return Err("a position is [latitude, longitude] in degrees: \
                        -90 to 90, -180 to 180"
                .to_owned());
        }
        let position = Position { latitude: latitude as f32, longitude: longitude as f32 };
        config.site_position = Some(position);
        Ok(())
    });
    site.finish(&["name", "position"], said);
}

fn read_listen(config: &mut Config, listen: &mut Table<'_>, said: &mut Vec<Diagnostic>) {
    listen.take("dns", said, |addresses: Vec<String>| {
        if addresses.is_empty() || addresses.len() > LISTEN_COUNT_MAX {
            return Err(format!("give 1 to {LISTEN_COUNT_MAX} addresses"));
        }
        config.dns = addresses.iter().map(|a| socket_address(a)).collect::<Result<_, _>>()?;
        Ok(())
    });
    listen.take("api", said, |address: String| {
        config.api = socket_address(&address)?;
        Ok(())
    });
    listen.take("cores", said, |cores: usize| {
        if cores > CORE_COUNT_MAX {
            return Err(format!("at most {CORE_COUNT_MAX} cores; 0 is one for each CPU"));
        }
        config.cores = cores;
        Ok(())
    });
    listen.finish(&["dns", "api", "cores"], said);
}

fn read_files(config: &mut Config, files: &mut Table<'_>, root: &Path, said: &mut Vec<Diagnostic>) {
    let folders =
        [("zones", &mut config.zones), ("geo", &mut config.geo), ("state", &mut config.state)];
    for (key, folder) in folders {
        files.take(key, said, |path: String| {
            if path.is_empty() {
                return Err("a folder has a name; \".\" is this file's own".to_owned());
            }
            *folder = root.join(path);
            Ok(())
        });
    }
    files.finish(&["zones", "geo", "state"], said);
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no address with a port, such as 192.0.2.1:53 or [2001:db8::1]:53")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Vec<Diagnostic>> {
        Config::parse("homing.toml", text, Path::new("/srv/dns"))
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
             [listen]\ndns = [\"0.0.0.0:53\"]\napi = \"[::1]:80\"\ncores = 3\n\
             [files]\nzones = \"z\"\ngeo = \"/g\"\nstate = \"../s\"\n\
             [health]\nquorum = 2\ninterval = \"5s\"\nfailback = \"after 5m\"\n\
             start = \"down\"\nmax_down_share = 1\n",
        )
        .unwrap();
        assert_eq!((config.site_name.as_str(), config.core_count()), ("fra-1", 3));
        assert_eq!(config.zones, Path::new("/srv/dns/z"));
        assert_eq!(config.geo, Path::new("/g"));
        assert_eq!((config.health.quorum, config.health.interval_millis), (2, 5000));
        assert_eq!(config.health.max_down_share, 1.0);
    }

    #[test]
    fn each_mistake_is_named_where_it_stands() {
        let said = parse(
            "[site]\nnmae = \"x\"\nposition = [91, 0]\n[listen]\ndns = [\"nowhere\"]\n\
             cores = \"two\"\n[helth]\nquorum = 1\n",
        )
        .unwrap_err();
        let shown: Vec<(&str, u32, u32)> =
            said.iter().map(|d| (d.code, d.place.line, d.place.column)).collect();
        assert_eq!(
            shown,
            [
                ("value-refused", 3, 12),
                ("unknown-key", 2, 1),
                ("value-refused", 5, 7),
                ("value-refused", 6, 9),
                ("unknown-key", 7, 2),
            ]
        );
        assert!(said[1].help.contains("did you mean `name`"), "{}", said[1]);
        assert!(said[4].help.contains("did you mean `health`"), "{}", said[4]);
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_place() {
        let said = parse("[site]\nname = \n").unwrap_err();
        assert_eq!((said[0].code, said[0].place.line), ("toml-syntax", 2));
    }
}
