//! What nsd.conf means: includes put in place, patterns applied, zones taken, all else told.

use std::path::{Path, PathBuf};

use crate::zone::Name;

use super::colons::{Attribute, Section};
use super::foreign::{Foreign, ForeignZone, Wishes, reason, socket};
use super::include::{Server, attributes};
use super::scan::{Spot, Word};
use super::texts::{Texts, folder_of};

/// How deep patterns nest.
const DEPTH_MAX: usize = 16;
/// Where zone files are, where the configuration does not tell: as the manual page says.
const ZONESDIR_DEFAULT: &str = "/etc/nsd";
/// Where `nsd-control addzone` keeps what it was told, where the configuration does not tell.
const ZONELIST_DEFAULT: &str = "/var/lib/nsd/zone.list";

const SECTIONS: [&str; 11] = [
    "server",
    "zone",
    "key",
    "pattern",
    "remote-control",
    "tls-auth",
    "dnstap",
    "verify",
    "xdp",
    "metrics",
    "cookie",
];

/// Reads the configuration at `path`.
pub fn read(texts: &mut Texts, path: &Path, file: usize, wishes: &Wishes) -> Foreign {
    let base = folder_of(path);
    let mut foreign = Foreign::default();
    let attributes = attributes(texts, &mut foreign, Server::Nsd, &base, file, 0);
    let sections = sections(texts, &mut foreign, attributes);
    if foreign.is_refused() {
        return foreign;
    }
    let server =
        |key: &str| sections.iter().rev().filter(|s| s.name == "server").find_map(|s| s.last(key));
    let zonesdir = match server("zonesdir").map_or(ZONESDIR_DEFAULT, |word| word.text.as_str()) {
        "" => base.clone(),
        written => texts.located(&base, written),
    };
    let list = server("zonelistfile").map_or(ZONELIST_DEFAULT, |word| word.text.as_str());
    let list = texts.located(&zonesdir, list);
    let added = if list.is_file() { texts.open(&list).ok() } else { None };
    let mut reading =
        Reading { texts, foreign: &mut foreign, sections: &sections, zonesdir, wishes };
    sections.iter().for_each(|section| reading.section(section));
    if let Some(added) = added {
        reading.added(added);
    }
    foreign.tell_gathered(texts, "nsd", "nsd-control write");
    foreign
}

fn sections(texts: &Texts, foreign: &mut Foreign, attributes: Vec<Attribute>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for attribute in attributes {
        if SECTIONS.contains(&attribute.key.as_str()) && attribute.values.is_empty() {
            let Attribute { key: name, spot, .. } = attribute;
            sections.push(Section { name, spot, attributes: Vec::new() });
            continue;
        }
        match sections.last_mut() {
            Some(section) => section.attributes.push(attribute),
            None => {
                let what = format!("`{}` stands outside of any section", attribute.key);
                let help = "begin with `server:` or `zone:`; nsd-checkconf tells more";
                foreign.strange(texts, attribute.spot, what, help);
            }
        }
    }
    sections
}

struct Reading<'t> {
    texts: &'t Texts,
    foreign: &'t mut Foreign,
    sections: &'t [Section],
    zonesdir: PathBuf,
    wishes: &'t Wishes,
}

impl Reading<'_> {
    fn section(&mut self, section: &Section) {
        match section.name.as_str() {
            "server" => section.attributes.iter().for_each(|attribute| self.server(attribute)),
            "pattern" => self.settings(section),
            "zone" => {
                self.settings(section);
                match section.last("name") {
                    Some(name) => self.zone(name, section, section.spot),
                    None => self.foreign.skip("?", "it has no name", section.spot),
                }
            }
            name => self.foreign.leave(name, reason(REASONS, name), section.spot),
        }
    }

    fn server(&mut self, attribute: &Attribute) {
        let text = attribute.value().map_or("", |word| word.text.as_str());
        let is_carried = match attribute.key.as_str() {
            "zonesdir" | "zonelistfile" => true,
            "ip-address" | "interface" => {
                let address = socket(text);
                let is_address = address.is_some();
                self.foreign.listen.extend(address);
                is_address
            }
            "identity" => self.foreign.name_site(text),
            "nsid" => text.strip_prefix("ascii_").is_some_and(|name| self.foreign.name_site(name)),
            _ => false,
        };
        if !is_carried {
            let key = attribute.key.as_str();
            self.foreign.leave(key, reason(REASONS, key), attribute.spot);
        }
    }

    /// What a zone or a pattern says besides where the file is.
    fn settings(&mut self, section: &Section) {
        for attribute in &section.attributes {
            let key = attribute.key.as_str();
            if !matches!(key, "name" | "zonefile" | "include-pattern") {
                self.foreign.leave(key, reason(REASONS, key), attribute.spot);
            }
        }
    }

    fn zone(&mut self, name: &Word, section: &Section, spot: Spot) {
        let Some(apex) = self.foreign.name(self.texts, name) else { return };
        let (mut settings, mut unknown) = (Vec::new(), Vec::new());
        applied(self.sections, section, 0, &mut settings, &mut unknown);
        for word in unknown {
            let what = format!("there is no pattern `{}`", word.text);
            self.foreign.strange(self.texts, word.spot, what, "nsd-checkconf tells more");
        }
        let is_secondary = settings.iter().any(|attribute| attribute.key == "request-xfr");
        if is_secondary && !self.wishes.secondaries {
            let why = "it is a secondary; --secondaries takes the file that was last transferred";
            return self.foreign.skip(&name.text, why, spot);
        }
        let file = settings.iter().rev().find(|attribute| attribute.key == "zonefile");
        let Some(file) = file.and_then(|file| file.value()).filter(|word| !word.text.is_empty())
        else {
            return self.foreign.skip(&name.text, "it has no file", spot);
        };
        let mut limits =
            settings.iter().filter(|attribute| attribute.key == "allow-query").peekable();
        let first = limits.peek().map(|limit| limit.spot);
        let is_any = limits.any(|limit| limit.value().is_some_and(|word| word.text == "0.0.0.0/0"));
        if let Some(spot) = first.filter(|_| !is_any) {
            self.foreign.restricted.add(&name.text, spot);
        }
        let path = self.texts.located(&self.zonesdir, &expand(&file.text, &apex));
        // Where the file of many zones is named by a pattern, the zone itself is the place to look at.
        let spot = if file.text.contains('%') { name.spot } else { file.spot };
        let include_base = Some(self.zonesdir.clone());
        self.foreign.zones.push(ForeignZone { name: apex, file: path, spot, include_base });
    }

    /// Zones that were added while the server ran: lines of `add NAME PATTERN`.
    fn added(&mut self, file: usize) {
        let text = self.texts.text(file).to_owned();
        for (line, text) in (1..).zip(text.lines()) {
            let words: Vec<&str> = text.split_whitespace().collect();
            let ["add", name, pattern] = words[..] else { continue };
            let spot = Spot { file, line, column: 5 };
            let word = |text: &str| Word { text: text.to_owned(), quoted: false, spot };
            let include = Attribute {
                key: "include-pattern".to_owned(),
                spot,
                values: vec![word(pattern)],
                begins: false,
            };
            let section = Section { name: "zone".to_owned(), spot, attributes: vec![include] };
            self.zone(&word(name), &section, spot);
        }
    }
}

/// The attributes of a section, with those of the patterns that it includes, in order; and the patterns that there are not.
fn applied<'s>(
    sections: &'s [Section],
    section: &'s Section,
    depth: usize,
    out: &mut Vec<&'s Attribute>,
    unknown: &mut Vec<&'s Word>,
) {
    for attribute in &section.attributes {
        let wanted = attribute.value().filter(|_| attribute.key == "include-pattern");
        let Some(wanted) = wanted.filter(|_| depth < DEPTH_MAX) else {
            out.push(attribute);
            continue;
        };
        let is_wanted = |s: &&Section| {
            s.name == "pattern" && s.last("name").is_some_and(|name| name.text == wanted.text)
        };
        match sections.iter().find(is_wanted) {
            Some(pattern) => applied(sections, pattern, depth + 1, out, unknown),
            None => unknown.push(wanted),
        }
    }
}

/// Puts the zone's name into a file's name: `%s` the whole, `%1` to `%3` its characters, `%z`, `%y`, `%x` its labels from
/// the right. What it does not have is a dot.
fn expand(pattern: &str, name: &Name) -> String {
    let shown = name.to_string().to_ascii_lowercase();
    let shown = shown.strip_suffix('.').filter(|text| !text.is_empty()).unwrap_or(".");
    let labels: Vec<&str> = shown.rsplit('.').collect();
    let mut out = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let label =
            |index: usize| labels.get(index).copied().filter(|l| !l.is_empty()).unwrap_or(".");
        match rest.next() {
            Some('s') => out.push_str(shown),
            Some(digit @ '1'..='3') => {
                let index = digit.to_digit(10).map_or(0, |digit| digit as usize - 1);
                out.push(shown.chars().nth(index).unwrap_or('.'));
            }
            Some('z') => out.push_str(label(0)),
            Some('y') => out.push_str(label(1)),
            Some('x') => out.push_str(label(2)),
            other => {
                out.push('%');
                out.extend(other);
            }
        }
    }
    out
}

const TRANSFERS: &str = "zones are not transferred; every site reads the same files";
const ACCESS: &str = "every client is answered alike";
const OPERATION: &str = "homing has its own: see homing.toml and the README";

/// Why an attribute of nsd.conf is not carried over, by its key.
const REASONS: &[(&str, &str)] = &[
    (
        "provide-xfr request-xfr notify* allow-notify outgoing-interface allow-axfr-fallback",
        TRANSFERS,
    ),
    ("max-refresh-time min-refresh-time max-retry-time min-retry-time min-expire-time", TRANSFERS),
    ("size-limit-xfr store-ixfr ixfr-* create-ixfr key tls-auth xfrd* multi-*", TRANSFERS),
    ("allow-query answer-cookie cookie*", ACCESS),
    ("rrl-*", "responses are not rate-limited"),
    ("verify* verifier*", "homing check has its own checks"),
    ("catalog*", "catalog zones are not read; import the members' files"),
    (
        "minimal-responses round-robin confine-to-zone refuse-any",
        "homing answers minimally, in the order of the file",
    ),
    (
        "hide-identity hide-version version nsid identity",
        "site.name in homing.toml names this instance",
    ),
    ("server* cpu-affinity tcp-* ipv4-* ipv6-* do-ip4 do-ip6 port reuseport", OPERATION),
    ("ip-* interface verbosity log* pidfile username chroot database statistics", OPERATION),
    ("remote-control dnstap xdp metrics debug-mode zonestats zonefiles-* tls-* send-*", OPERATION),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_gives_the_name_of_its_file() {
        let name = |text: &str| Name::parse(text, &Name::root()).unwrap();
        for (pattern, zone, expected) in [
            ("%s.zone", "Example.com.", "example.com.zone"),
            ("%1/%2/%3/%s", "ab.c.", "a/b/./ab.c"),
            ("%z/%y/%x/%s", "www.example.com.", "com/example/www/www.example.com"),
            ("%z/%y", "com.", "com/."),
            ("%s", ".", "."),
            ("100%", "a.", "100%"),
        ] {
            assert_eq!(expand(pattern, &name(zone)), expected, "{pattern} of {zone}");
        }
    }
}
