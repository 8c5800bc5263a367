//! What knot.conf means: includes put in place, templates applied, zones taken, all else told.

use std::path::{Path, PathBuf};

use crate::zone::Name;

use super::colons::{Attribute, Section};
use super::foreign::{Foreign, ForeignZone, Wishes, reason, socket};
use super::include::{Server, attributes};
use super::scan::Word;
use super::texts::{Texts, folder_of};

/// Where zone files are, where the configuration does not tell: as the manual page says.
const STORAGE_DEFAULT: &str = "/var/lib/knot";
/// How a zone's file is called, where the configuration does not tell.
const FILE_DEFAULT: &str = "%s.zone";
/// The template of zones that name none.
const TEMPLATE_DEFAULT: &str = "default";

/// Reads the configuration at `path`.
pub fn read(texts: &mut Texts, path: &Path, file: usize, wishes: &Wishes) -> Foreign {
    let mut foreign = Foreign::default();
    let base = folder_of(path);
    let attributes = attributes(texts, &mut foreign, Server::Knot, &base, file, 0);
    let sections = sections(texts, &mut foreign, attributes);
    if foreign.is_refused() {
        return foreign;
    }
    let mut reading = Reading { texts, foreign: &mut foreign, sections: &sections, base, wishes };
    sections.iter().for_each(|section| reading.section(section));
    foreign.tell_gathered(texts, "knotd", "knotc zone-flush");
    foreign
}

/// A section of blocks becomes one section for each of its blocks.
fn sections(texts: &Texts, foreign: &mut Foreign, attributes: Vec<Attribute>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for attribute in attributes {
        let Attribute { spot, begins, .. } = attribute;
        if spot.column == 1 && !begins && attribute.values.is_empty() {
            sections.push(Section { name: attribute.key, spot, attributes: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            let what = format!("`{}` stands outside of any section", attribute.key);
            let help = "begin with `server:` or `zone:`; knotc conf-check tells more";
            foreign.strange(texts, spot, what, help);
            continue;
        };
        if begins && !section.attributes.is_empty() {
            let name = section.name.clone();
            sections.push(Section { name, spot, attributes: vec![attribute] });
        } else {
            section.attributes.push(attribute);
        }
    }
    sections
}

struct Reading<'t> {
    texts: &'t Texts,
    foreign: &'t mut Foreign,
    sections: &'t [Section],
    base: PathBuf,
    wishes: &'t Wishes,
}

impl Reading<'_> {
    fn section(&mut self, section: &Section) {
        match section.name.as_str() {
            "server" => section.attributes.iter().for_each(|attribute| self.server(attribute)),
            "template" => self.settings(section, "id"),
            "zone" => {
                self.settings(section, "domain");
                match section.last("domain").or_else(|| section.last("id")) {
                    Some(name) => self.zone(name, section),
                    None if section.attributes.is_empty() => {}
                    None => self.foreign.skip("?", "it has no domain", section.spot),
                }
            }
            _ if section.attributes.is_empty() => {}
            name => self.foreign.leave(name, reason(REASONS, name), section.spot),
        }
    }

    fn server(&mut self, attribute: &Attribute) {
        let key = attribute.key.as_str();
        let why = reason(REASONS, key);
        match key {
            "listen" => {
                for word in &attribute.values {
                    match socket(&word.text) {
                        Some(address) => self.foreign.listen.push(address),
                        None => self.foreign.leave(key, why, word.spot),
                    }
                }
            }
            "nsid" | "identity" => {
                let name = attribute.value().filter(|word| !word.text.starts_with("0x"));
                // Where both are set, NSID is what resolvers and monitors see.
                let is_known = key == "identity" && self.foreign.site_name.is_some();
                if !is_known && !name.is_some_and(|word| self.foreign.name_site(&word.text)) {
                    self.foreign.leave(key, why, attribute.spot);
                }
            }
            _ => self.foreign.leave(key, why, attribute.spot),
        }
    }

    /// What a zone or a template says besides where the file is.
    fn settings(&mut self, section: &Section, id: &str) {
        for attribute in &section.attributes {
            let key = attribute.key.as_str();
            if key != id && !matches!(key, "id" | "storage" | "file" | "template") {
                self.foreign.leave(key, reason(REASONS, key), attribute.spot);
            }
        }
    }

    fn zone(&mut self, name: &Word, section: &Section) {
        let Some(apex) = self.foreign.name(self.texts, name) else { return };
        if let Some(wanted) =
            section.last("template").filter(|word| self.template(&word.text).is_none())
        {
            let what = format!("there is no template `{}`", wanted.text);
            self.foreign.strange(self.texts, wanted.spot, what, "knotc conf-check tells more");
        }
        let find = |key: &str| self.find(section, key);
        let is_on =
            |key: &str| find(key).filter(|w| matches!(&*w.text, "on" | "true" | "yes" | "1"));
        let role = find("catalog-role").map_or("", |word| word.text.as_str());
        let why = match role {
            "interpret" => Some("it is a catalog, not a zone to serve; import its members' files"),
            "generate" => Some("it is a catalog that knotd generates"),
            _ if find("master").is_some() && !self.wishes.secondaries => {
                Some("it is a secondary; --secondaries takes the file that was last transferred")
            }
            _ => None,
        };
        if let Some(why) = why {
            return self.foreign.skip(&name.text, why, section.spot);
        }
        let storage = find("storage").map_or(STORAGE_DEFAULT, |word| word.text.as_str());
        let storage = self.texts.located(&self.base, storage);
        let file = find("file");
        let written = expand(file.map_or(FILE_DEFAULT, |word| word.text.as_str()), &apex);
        let signed = is_on("dnssec-signing").map(|word| word.spot);
        let stale = find("zonefile-sync").filter(|word| word.text == "-1").map(|word| word.spot);
        let modules = ["module", "global-module"].into_iter().filter_map(find);
        let limit = modules.into_iter().find(|word| word.text.starts_with("mod-queryacl"));
        let limit = limit.map(|word| word.spot);
        let path = self.texts.located(&storage, &written);
        // Where the file of many zones is named by a template, the zone itself is the place to look at.
        let spot = file.filter(|word| !word.text.contains('%')).map_or(name.spot, |word| word.spot);
        limit.into_iter().for_each(|spot| self.foreign.restricted.add(&name.text, spot));
        signed.into_iter().for_each(|spot| self.foreign.signed.add(&name.text, spot));
        stale.into_iter().for_each(|spot| self.foreign.stale.add(&name.text, spot));
        self.foreign.zones.push(ForeignZone { name: apex, file: path, spot, include_base: None });
    }

    /// A setting of a zone: its own, or that of its template. The default template is for zones that name none: knotd does
    /// not ask it for what another template leaves out.
    fn find<'s>(&'s self, section: &'s Section, key: &str) -> Option<&'s Word> {
        let template = section.last("template").map_or(TEMPLATE_DEFAULT, |word| &word.text);
        section.last(key).or_else(|| self.template(template)?.last(key))
    }

    fn template(&self, id: &str) -> Option<&Section> {
        let is_it =
            |s: &&Section| s.name == "template" && s.last("id").is_some_and(|w| w.text == id);
        self.sections.iter().find(is_it)
    }
}

/// Puts the zone's name into a file's name: `%s` the whole, `%c[N]` and `%c[N-M]` its characters, `%l[N]` its labels from
/// the right. A slash in a name becomes an underscore, as knotd has it.
fn expand(pattern: &str, name: &Name) -> String {
    let full = name.to_string().to_ascii_lowercase();
    let shown = full.strip_suffix('.').unwrap_or(&full);
    let labels: Vec<&str> = shown.rsplit('.').filter(|label| !label.is_empty()).collect();
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (value, after) = match after.split_at_checked(1) {
            Some(("%", after)) => ("%".to_owned(), after),
            Some(("s", after)) => (shown.to_owned(), after),
            Some((kind @ ("c" | "l"), after)) => match range(after) {
                Some((from, to, after)) if kind == "c" => {
                    let count = (to + 1).saturating_sub(from);
                    (full.chars().skip(from).take(count).collect(), after)
                }
                Some((from, _, after)) => (labels.get(from).map_or("", |l| l).to_owned(), after),
                None => (String::new(), after),
            },
            _ => (String::new(), after),
        };
        out.push_str(&value.replace('/', "_"));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `[N]` or `[N-M]`, and what follows.
fn range(text: &str) -> Option<(usize, usize, &str)> {
    let (inner, after) = text.strip_prefix('[')?.split_once(']')?;
    let (from, to) = inner.split_once('-').unwrap_or((inner, inner));
    let (from, to): (u8, u8) = (from.parse().ok()?, to.parse().ok()?);
    Some((from.into(), to.into(), after))
}

const TRANSFERS: &str = "zones are not transferred; every site reads the same files";
const SIGNING: &str = "homing does not sign; sign the file before it is served";
const OPERATION: &str = "homing has its own: see homing.toml and the README";

/// Why a setting of knot.conf is not carried over, by its key.
const REASONS: &[(&str, &str)] = &[
    ("master notify* remote remotes key refresh-* retry-* expire-*", TRANSFERS),
    ("ixfr-* provide-ixfr default-master* ddns-master master-pin-tolerance", TRANSFERS),
    ("acl", "every client is answered alike; updates and transfers are not taken"),
    ("dnssec-* policy keystore submission dnskey-* ds-push zonemd-*", SIGNING),
    (
        "journal-* zonefile-* database serial-policy serial-modulo adjust-threads",
        "the file is what is served",
    ),
    ("catalog-*", "catalog zones are not read; import the members' files"),
    ("mod-rrl", "responses are not rate-limited"),
    ("mod-geoip", "steer the names with zones/NAME.toml instead"),
    ("module mod-*", "modules have no counterpart; steering is written in zones/NAME.toml"),
    ("semantic-checks", "homing check has its own checks"),
    ("nsid identity version", "site.name in homing.toml names this instance"),
    ("log control statistics xdp user rundir pidfile listen* udp-* tcp-*", OPERATION),
    ("background-* async-start edns-* remote-* quic-* socket-* automatic-acl", OPERATION),
    (
        "answer-rotation ecs edns-client-subnet",
        "homing answers in the order of the file, steered names by client subnet",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_gives_the_name_of_its_file() {
        let name = |text: &str| Name::parse(text, &Name::root()).unwrap();
        for (pattern, zone, expected) in [
            ("%s.zone", "Example.com.", "example.com.zone"),
            ("%c[0]/%c[0-1]/%s", "ab.c.", "a/ab/ab.c"),
            ("%c[9]x%c[3-9]", "ab.c.", "xc."),
            ("%l[0]/%l[1]/%l[5]%s", "www.example.com.", "com/example/www.example.com"),
            ("%s", "0/25.2.0.192.in-addr.arpa.", "0_25.2.0.192.in-addr.arpa"),
            ("root%s%%", ".", "root%"),
        ] {
            assert_eq!(expand(pattern, &name(zone)), expected, "{pattern} of {zone}");
        }
    }
}
