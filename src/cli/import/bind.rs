//! What named.conf means: includes put in place, views chosen, zones taken, all else told.

use std::path::{Path, PathBuf};

use super::braces::{Part, Statement, parse};
use super::foreign::{Foreign, ForeignZone, Wishes, reason};
use super::include::included;
use super::scan::{Spot, Word};
use super::texts::{Texts, folder_of};

/// Reads the configuration at `path`.
pub fn read(texts: &mut Texts, path: &Path, file: usize, wishes: &Wishes) -> Foreign {
    let base = folder_of(path);
    let mut whole = Whole { texts, foreign: Foreign::default(), directory: base };
    let statements = whole.open(file, 0);
    let Whole { texts, mut foreign, directory } = whole;
    if foreign.is_refused() {
        return foreign;
    }
    let mut reading = Reading { texts, foreign: &mut foreign, directory, wishes };
    reading.all(&statements);
    foreign.tell_gathered(texts, "named", "rndc sync -clean");
    foreign
}

/// All files of a configuration made into one.
struct Whole<'t> {
    texts: &'t mut Texts,
    foreign: Foreign,
    /// Where relative paths begin: named changes there as soon as it has read `directory`.
    directory: PathBuf,
}

impl Whole<'_> {
    /// The statements of file number `file`, includes in place.
    fn open(&mut self, file: usize, depth: usize) -> Vec<Statement> {
        match parse(self.texts.text(file), file) {
            Ok(statements) => self.expand(statements, "", depth),
            Err(slip) => {
                self.foreign.said.push(self.texts.slip(&slip));
                Vec::new()
            }
        }
    }

    fn expand(&mut self, statements: Vec<Statement>, within: &str, depth: usize) -> Vec<Statement> {
        let mut out = Vec::with_capacity(statements.len());
        for mut statement in statements {
            let keyword = statement.keyword();
            match (keyword.as_str(), statement.word(1)) {
                ("include", Some(pattern)) => {
                    let pattern = pattern.clone();
                    out.extend(self.include(&pattern, within, depth));
                    continue;
                }
                ("directory", Some(path)) if within == "options" => {
                    self.directory = self.texts.located(&self.directory, &path.text);
                }
                _ => {}
            }
            if matches!(keyword.as_str(), "options" | "view" | "zone") {
                for inner in statement.blocks_mut() {
                    *inner = self.expand(std::mem::take(inner), &keyword, depth);
                }
            }
            out.push(statement);
        }
        out
    }

    fn include(&mut self, pattern: &Word, within: &str, depth: usize) -> Vec<Statement> {
        let files = included(self.texts, &mut self.foreign, &self.directory, pattern, depth);
        let mut out = Vec::new();
        for (_, file) in files {
            match parse(self.texts.text(file), file) {
                Ok(inner) => out.extend(self.expand(inner, within, depth + 1)),
                Err(slip) => self.foreign.said.push(self.texts.slip(&slip)),
            }
        }
        out
    }
}

/// The meaning of the whole.
struct Reading<'t> {
    texts: &'t Texts,
    foreign: &'t mut Foreign,
    directory: PathBuf,
    wishes: &'t Wishes,
}

/// What holds for the zones of one scope, innermost first.
#[derive(Clone, Copy)]
struct Scope<'s> {
    view: &'s str,
    defaults: [&'s [Statement]; 2],
}

impl Reading<'_> {
    fn all(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.is_whole(statement);
        }
        let options = block_of(statements, "options");
        options.iter().for_each(|option| self.option(option));
        let views: Vec<&Statement> = statements.iter().filter(|s| s.keyword() == "view").collect();
        for statement in statements {
            match statement.keyword().as_str() {
                "options" | "view" | "zone" => {}
                keyword => self.leave(keyword, statement.spot),
            }
        }
        let scope = Scope { view: "_default", defaults: [&[], options] };
        self.zones(statements, &scope, &views);
        match (views.as_slice(), &self.wishes.view) {
            ([], None) => {}
            ([], Some(wanted)) => {
                let spot = Spot { file: 0, line: 1, column: 1 };
                let what = format!("there is no view `{wanted}`, nor any other");
                let said = self.texts.error(spot, "foreign-view", what);
                self.foreign
                    .said
                    .push(said.consequence("nothing was written").help("leave --view out"));
            }
            (views, _) => self.views(views, options),
        }
    }

    /// Whether nothing follows the block of a statement: else a semicolon is missing, and a statement would be lost.
    fn is_whole(&mut self, statement: &Statement) {
        let keyword = statement.keyword();
        if matches!(keyword.as_str(), "options" | "view" | "zone") {
            let at = statement.parts.iter().position(|part| matches!(part, Part::Block(_)));
            match at.map(|at| statement.word(at + 1).map(|word| word.spot)) {
                Some(None) => {}
                Some(Some(spot)) => self.strange(spot, "a `;` is missing before this"),
                None => self.strange(statement.spot, "this statement has no block"),
            }
            let inner = statement.block().unwrap_or_default();
            if keyword != "zone" {
                inner.iter().for_each(|statement| self.is_whole(statement));
            }
        }
        if matches!(keyword.as_str(), "directory" | "type" | "file") && statement.parts.len() != 2 {
            self.strange(statement.spot, "this takes one value; is a `;` missing?");
        }
        if keyword == "zone" {
            let inner = statement.block().unwrap_or_default().iter();
            inner.filter(|s| s.keyword() != "zone").for_each(|s| self.is_whole(s));
        }
    }

    fn strange(&mut self, spot: Spot, what: &str) {
        self.foreign.strange(self.texts, spot, what, "named-checkconf tells more");
    }

    fn option(&mut self, option: &Statement) {
        match option.keyword().as_str() {
            "directory" => {}
            "listen-on" | "listen-on-v6" => self.listen(option),
            "server-id" => {
                let name = option.word(1).filter(|word| word.quoted);
                if !name.is_some_and(|word| self.foreign.name_site(&word.text)) {
                    let why = "write a name under [site] in homing.toml";
                    self.foreign.leave("server-id", why, option.spot);
                }
            }
            "allow-new-zones" => {
                let what = "zones that were added by rndc are not in this configuration";
                let said = self.texts.warning(option.spot, "foreign-added-zones", what);
                let help = "named-nzd2nzf writes them as statements; include that file";
                self.foreign.said.push(said.help(help));
            }
            keyword => self.leave(keyword, option.spot),
        }
    }

    fn listen(&mut self, option: &Statement) {
        let port = option.after("port").map_or("53", |word| word.text.as_str());
        for element in option.block().unwrap_or_default() {
            let Some(word) = element.word(0).filter(|_| element.parts.len() == 1) else { continue };
            let is_six = option.keyword() == "listen-on-v6";
            let address = match word.text.as_str() {
                "any" if is_six => "::",
                "any" => "0.0.0.0",
                "none" => continue,
                text => text,
            };
            match super::foreign::socket(&format!("{address}@{port}")) {
                Some(socket) => self.foreign.listen.push(socket),
                None => self.leave(&option.keyword(), option.spot),
            }
        }
    }

    fn views(&mut self, views: &[&Statement], options: &[Statement]) {
        let name = |view: &Statement| view.word(1).map_or(String::new(), |word| word.text.clone());
        let chosen = match (&self.wishes.view, views) {
            (Some(wanted), _) => views.iter().find(|view| name(view) == *wanted),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let Some(chosen) = chosen else {
            let names: Vec<String> = views.iter().map(|view| name(view)).collect();
            let what = match &self.wishes.view {
                Some(wanted) => {
                    format!("there is no view `{wanted}`; there are {}", names.join(", "))
                }
                None => format!("there are {} views: {}", names.len(), names.join(", ")),
            };
            let spot = views.first().map_or(Spot { file: 0, line: 0, column: 0 }, |view| view.spot);
            let said = self.texts.error(spot, "foreign-view", what);
            let said = said.consequence("nothing was written");
            self.foreign.said.push(
                said.help("a homing server answers everybody alike: choose one with --view NAME"),
            );
            return;
        };
        for view in views {
            self.leave("view", view.spot);
            let inner = view.block().unwrap_or_default();
            if view.spot == chosen.spot {
                let shown = name(view);
                let scope = Scope { view: &shown, defaults: [inner, options] };
                for statement in inner.iter().filter(|s| s.keyword() != "zone") {
                    self.leave(&statement.keyword(), statement.spot);
                }
                self.zones(inner, &scope, views);
            } else {
                for zone in inner.iter().filter(|s| s.keyword() == "zone") {
                    let shown = zone.word(1).map_or("", |word| &word.text);
                    self.foreign.skip(shown, format!("it is in view {}", name(view)), zone.spot);
                }
            }
        }
    }

    fn zones(&mut self, statements: &[Statement], scope: &Scope<'_>, views: &[&Statement]) {
        for statement in statements.iter().filter(|s| s.keyword() == "zone") {
            let Some(name) = statement.word(1) else {
                self.strange(statement.spot, "this zone has no name");
                continue;
            };
            let inner = statement.block().unwrap_or_default();
            match value_of(inner, "in-view").and_then(|view| in_view(views, &view.text, &name.text))
            {
                Some(zone) => self.zone(name, zone, scope),
                None => self.zone(name, statement, scope),
            }
        }
    }

    /// Takes the zone `name`, configured by `statement`.
    fn zone(&mut self, name: &Word, statement: &Statement, scope: &Scope<'_>) {
        let inner = statement.block().unwrap_or_default();
        let class = statement.word(2).map_or("IN", |word| word.text.as_str());
        if !class.eq_ignore_ascii_case("IN") {
            return self.foreign.skip(&name.text, format!("its class is {class}"), statement.spot);
        }
        let Some(apex) = self.foreign.name(self.texts, name) else { return };
        let kind =
            value_of(inner, "type").map_or("", |word| word.text.as_str()).to_ascii_lowercase();
        let is_secondary = matches!(kind.as_str(), "slave" | "secondary" | "mirror");
        let why = match kind.as_str() {
            "master" | "primary" => None,
            _ if is_secondary && self.wishes.secondaries => None,
            _ if is_secondary => {
                Some("it is a secondary; --secondaries takes the file that was last transferred")
            }
            "hint" => Some("it is the hints of a resolver"),
            "forward" | "stub" | "static-stub" => Some("it is a resolver's business"),
            "redirect" | "delegation-only" => Some("it is a resolver's business"),
            _ => Some("it has no type that is known"),
        };
        if let Some(why) = why {
            return self.foreign.skip(&name.text, why, statement.spot);
        }
        let Some(file) = value_of(inner, "file") else {
            return self.foreign.skip(&name.text, "it has no file", statement.spot);
        };
        for setting in inner {
            match setting.keyword().as_str() {
                "type" | "file" => {}
                "masterfile-format" => self.format(setting),
                keyword => self.leave(keyword, setting.spot),
            }
        }
        self.signing(name, inner, scope);
        self.access(name, inner, scope);
        let named = apex.to_string();
        let named = named.strip_suffix('.').filter(|n| !n.is_empty()).unwrap_or(".");
        let written =
            file.text.replace("$name", named).replace("$view", scope.view).replace("$type", &kind);
        let path = self.texts.located(&self.directory, &written);
        self.journal(name, &path, file.spot);
        let include_base = Some(self.directory.clone());
        self.foreign.zones.push(ForeignZone {
            name: apex,
            file: path,
            spot: file.spot,
            include_base,
        });
    }

    /// A format other than text is told where the file turns out to be in it.
    fn format(&mut self, setting: &Statement) {
        if setting.word(1).is_some_and(|word| word.text != "text") {
            self.leave("masterfile-format", setting.spot);
        }
    }

    /// A zone that named signs answers more than its file holds.
    fn signing(&mut self, name: &Word, inner: &[Statement], scope: &Scope<'_>) {
        let scopes = [inner, scope.defaults[0], scope.defaults[1]];
        let find = |key: &str| scopes.iter().find_map(|s| value_of(s, key));
        let policy = find("dnssec-policy").filter(|w| w.text != "none" && w.text != "insecure");
        let inline =
            find("inline-signing").filter(|w| matches!(w.text.as_str(), "yes" | "true" | "1"));
        let auto = find("auto-dnssec").filter(|w| w.text != "off");
        if let Some(word) = policy.or(inline).or(auto) {
            self.foreign.signed.add(&name.text, word.spot);
        }
    }

    /// A zone that not everybody may ask for.
    fn access(&mut self, name: &Word, inner: &[Statement], scope: &Scope<'_>) {
        let scopes = [inner, scope.defaults[0], scope.defaults[1]];
        let is_any = |list: &Statement| {
            let mut elements = list.block().unwrap_or_default().iter();
            elements.any(|element| element.word(0).is_some_and(|word| word.text == "any"))
        };
        let find =
            |key: &str| scopes.iter().find_map(|s| s.iter().rev().find(|s| s.keyword() == key));
        let limits = ["allow-query", "match-clients"].into_iter().filter_map(find);
        if let Some(limit) = limits.into_iter().find(|limit| !is_any(limit)) {
            self.foreign.restricted.add(&name.text, limit.spot);
        }
    }

    /// Dynamic updates and transfers stand in a journal until named writes them into the file.
    fn journal(&mut self, name: &Word, path: &Path, spot: Spot) {
        let mut journal = path.as_os_str().to_owned();
        journal.push(".jnl");
        if Path::new(&journal).is_file() {
            self.foreign.stale.add(&name.text, spot);
        }
    }

    fn leave(&mut self, keyword: &str, spot: Spot) {
        self.foreign.leave(keyword, reason(REASONS, keyword), spot);
    }
}

fn block_of<'s>(statements: &'s [Statement], keyword: &str) -> &'s [Statement] {
    let found = statements.iter().find(|statement| statement.keyword() == keyword);
    found.and_then(Statement::block).unwrap_or_default()
}

/// The value of the last statement `keyword`.
fn value_of<'s>(statements: &'s [Statement], keyword: &str) -> Option<&'s Word> {
    statements.iter().rev().find(|statement| statement.keyword() == keyword)?.word(1)
}

/// The zone `name` of another view.
fn in_view<'s>(views: &[&'s Statement], view: &str, name: &str) -> Option<&'s Statement> {
    let view = views.iter().find(|v| v.word(1).is_some_and(|word| word.text == view))?;
    view.block()?.iter().find(|zone| {
        zone.keyword() == "zone"
            && zone.word(1).is_some_and(|word| word.text.eq_ignore_ascii_case(name))
    })
}

const TRANSFERS: &str = "zones are not transferred; every site reads the same files";
const SIGNING: &str = "homing does not sign; sign the file before it is served";
const UPDATES: &str = "dynamic updates are not taken; the file is edited";
const ACCESS: &str = "every client is answered alike";
const RESOLVER: &str = "homing is authoritative only";
const OPERATION: &str = "homing has its own: see homing.toml and the README";

/// Why a statement of named.conf is not carried over, by its keyword.
const REASONS: &[(&str, &str)] = &[
    ("dnssec-validation dnssec-must-be-secure dnssec-accept-expired dnssec-lookaside", RESOLVER),
    ("allow-update update-policy journal max-journal-size ixfr-from-differences", UPDATES),
    ("serial-update-method", UPDATES),
    ("allow-transfer also-notify notify* allow-notify transfer* max-transfer*", TRANSFERS),
    ("min-transfer*", TRANSFERS),
    ("provide-ixfr request-* masters primaries server key ixfr* max-ixfr*", TRANSFERS),
    ("serial-query-rate", TRANSFERS),
    ("min-refresh* max-refresh* min-retry* max-retry* multi-master try-tcp-refresh", TRANSFERS),
    ("dnssec-policy inline-signing auto-dnssec key-directory dnssec-* sig-* dnskey-*", SIGNING),
    ("parental-* checkds update-check-ksk nsec3-* session-key* key-store", SIGNING),
    ("catalog-zones", "catalog zones are not read; import the members' files"),
    ("response-policy dlz dyndb plugin database", "it has no counterpart"),
    ("rate-limit", "responses are not rate-limited"),
    ("acl allow-query* blackhole match-* view sortlist no-case-compress", ACCESS),
    ("recursion allow-recursion* forward* dns64* max-cache* prefetch empty-*", RESOLVER),
    ("disable-empty-zone", RESOLVER),
    ("trust-anchors trusted-keys managed-keys validate-except qname-minimization root-*", RESOLVER),
    (
        "minimal-* auth-nxdomain rrset-order additional-from-*",
        "homing answers minimally, in the order of the file",
    ),
    (
        "check-* masterfile-* zero-no-soa-ttl*",
        "homing check has its own checks; zone files are text",
    ),
    ("logging controls statistics-* zone-statistics querylog pid-file dump-file", OPERATION),
    (
        "lock-file memstatistics* recursing-file secroots-file bindkeys-file version hostname",
        OPERATION,
    ),
    ("tls http* port user tcp-* edns-* max-udp-size", OPERATION),
];
