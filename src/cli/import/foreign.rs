//! What another server's configuration says, in our words: whatever its grammar, it ends up as this.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, has_error};
use crate::zone::Name;

use super::scan::{Spot, Word};
use super::texts::Texts;

/// Zones that one warning names before it counts the rest.
const GATHERED_SHOWN: usize = 20;

/// What is asked of a reader besides the configuration itself.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The view whose zones are taken.
    pub view: Option<String>,
    /// Whether files of secondary zones are taken.
    pub secondaries: bool,
}

/// What a configuration says.
#[derive(Debug, Default)]
pub struct Foreign {
    /// Zones to be taken, in order.
    pub zones: Vec<ForeignZone>,
    /// Zones that are not, and why.
    pub skipped: Vec<Skipped>,
    /// Settings that have no counterpart.
    pub left: Vec<Left>,
    /// Addresses that it listens on, as ours would be written.
    pub listen: Vec<String>,
    /// The name that it gives its instances (NSID).
    pub site_name: Option<String>,
    /// Mistakes, and what needs an eye.
    pub said: Vec<Diagnostic>,
    /// Zones that the other server signs: their files hold no signatures.
    pub signed: Gathered,
    /// Zones that the other server may know better than their files do.
    pub stale: Gathered,
    /// Zones that the other server answers to some clients only.
    pub restricted: Gathered,
    /// Places of the zones so far, by name: a name is configured once.
    known: HashMap<Name, Spot>,
    /// Positions in `left`, by setting.
    left_index: HashMap<String, usize>,
}

/// A zone to be taken.
#[derive(Clone, Debug)]
pub struct ForeignZone {
    /// Its apex.
    pub name: Name,
    /// Its file, as this machine finds it.
    pub file: PathBuf,
    /// Where that file is named.
    pub spot: Spot,
    /// Where the paths of its `$INCLUDE`s begin; none: at the folder of the file that includes.
    pub include_base: Option<PathBuf>,
}

/// A zone that is not taken.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// As it was written.
    pub zone: String,
    /// Why.
    pub why: String,
    /// Where it is configured.
    pub spot: Spot,
}

/// A setting that has no counterpart.
#[derive(Clone, Debug)]
pub struct Left {
    /// Its key.
    pub what: String,
    /// Why, or what to do instead.
    pub why: &'static str,
    /// Where it stands first.
    pub spot: Spot,
    /// How often it stands.
    pub count: usize,
}

/// Zones with one and the same trait, told of together.
#[derive(Debug, Default)]
pub struct Gathered {
    first: Option<Spot>,
    zones: Vec<String>,
}

impl Gathered {
    /// Adds a zone, by its name and by the place that gives it the trait.
    pub fn add(&mut self, zone: &str, spot: Spot) {
        self.first.get_or_insert(spot);
        self.zones.push(zone.to_owned());
    }

    /// One warning about all of them, which begins with `what`.
    fn warning(
        &self,
        texts: &Texts,
        code: &'static str,
        what: &str,
        help: &str,
    ) -> Option<Diagnostic> {
        let shown = self.zones.iter().take(GATHERED_SHOWN).map(String::as_str);
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more = match self.zones.len().saturating_sub(GATHERED_SHOWN) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let warning = texts.warning(self.first?, code, format!("{what}: {shown}{more}"));
        Some(warning.help(help))
    }
}

impl Foreign {
    /// Says of the zones that were gathered what is to be said. `flush` is how that server brings its files up to date.
    pub fn tell_gathered(&mut self, texts: &Texts, server: &str, flush: &str) {
        let signs = format!("{server} signs these zones, and their files are taken as they stand");
        let stale = format!("{server} may answer more than the files of these zones hold");
        let some = format!(
            "{server} answers some clients only for these zones, and here everybody is answered"
        );
        let filter =
            "leave out what is not for everybody, or let only those clients reach this server";
        self.said.extend(self.restricted.warning(texts, "foreign-access", &some, filter));
        let flush = format!("run `{flush}` there, and import again with --force");
        self.said.extend(self.signed.warning(texts, "foreign-signing", &signs, SIGNING_HELP));
        self.said.extend(self.stale.warning(texts, "foreign-journal", &stale, &flush));
    }

    /// Notes a setting that has no counterpart; one line, however often it stands.
    pub fn leave(&mut self, what: &str, why: &'static str, spot: Spot) {
        let index = *self.left_index.entry(what.to_owned()).or_insert(self.left.len());
        match self.left.get_mut(index) {
            Some(left) => left.count += 1,
            None => self.left.push(Left { what: what.to_owned(), why, spot, count: 1 }),
        }
    }

    /// Refuses the import: what stands at `spot` is no sound configuration, and what it means would be a guess.
    pub fn strange(&mut self, texts: &Texts, spot: Spot, what: impl Into<String>, help: &str) {
        let said = texts.error(spot, "foreign-statement", what);
        self.said.push(said.consequence("nothing was written").help(help));
    }

    /// Notes a zone that is not taken.
    pub fn skip(&mut self, zone: &str, why: impl Into<String>, spot: Spot) {
        self.skipped.push(Skipped { zone: zone.to_owned(), why: why.into(), spot });
    }

    /// Reads the name of a zone; a name that is none, or that is there already, is said and gives nothing.
    pub fn name(&mut self, texts: &Texts, word: &Word) -> Option<Name> {
        let name = match Name::parse(&word.text, &Name::root()) {
            Ok(name) => name,
            Err(why) => {
                let what = format!("`{}` names no zone: {why}", word.text);
                self.said.push(texts.error(word.spot, "foreign-zone-name", what));
                return None;
            }
        };
        if let Some(first) = self.known.get(&name) {
            let what = format!("{name} is configured already, at {}", texts.place(*first));
            let said = texts.error(word.spot, "foreign-zone-twice", what);
            self.said.push(said.help("keep one of the two"));
            return None;
        }
        self.known.insert(name.clone(), word.spot);
        Some(name)
    }

    /// Takes a name for this instance, if it can be ours: 1 to 63 octets.
    pub fn name_site(&mut self, name: &str) -> bool {
        let fits = (1..=63).contains(&name.len());
        if fits {
            self.site_name = Some(name.to_owned());
        }
        fits
    }

    /// Whether anything refuses the whole import: what could not be read says nothing of what it holds.
    pub fn is_refused(&self) -> bool {
        let fatal =
            ["foreign-syntax", "foreign-statement", "foreign-view", "foreign-include-depth"];
        has_error(&self.said) && self.said.iter().any(|d| fatal.contains(&d.code))
    }
}

/// The first reason in `table` among whose keys, parted by spaces, is `key`: whole, or up to a `*`.
pub fn reason(table: &[(&str, &'static str)], key: &str) -> &'static str {
    let holds = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == pattern,
    };
    let found = table.iter().find(|(keys, _)| keys.split(' ').any(holds));
    found.map_or("it has no counterpart", |(_, why)| why)
}

/// How to bring over a zone that the other server signs itself.
const SIGNING_HELP: &str =
    "sign the file before it is served, or remove the DS from the parent zone first";

/// An address and a port as homing.toml has them; `@` or nothing before the port, which is 53 by default.
pub fn socket(text: &str) -> Option<String> {
    let (address, port) = text.split_once('@').unwrap_or((text, "53"));
    let port: u16 = port.parse().ok()?;
    let address: std::net::IpAddr = address.parse().ok()?;
    Some(std::net::SocketAddr::new(address, port).to_string())
}
