//! Short names of diagnostics: what a room can say stands in the catalogue, and what stands there can be said.

use std::collections::BTreeSet;

use crate::source::{Source, Tree};

/// Where files are judged. In other rooms words of this form are metrics, events and problems of the API.
const ROOMS: [&str; 11] = [
    "src/zone/",
    "src/route/",
    "src/geo/",
    "src/load/",
    "src/probe/assignment.rs",
    "src/probe/extfile.rs",
    "src/probe/settings.rs",
    "src/probe/within.rs",
    "src/history/generations",
    "src/control/files.rs",
    "src/cli/fmt.rs",
];
/// Words of the same form that are none: keys, licences, services, salts.
const NO_CODES: [&str; 7] = [
    "db-ip",
    "ftp-data",
    "geo-whois-asn-country",
    "homing-c",
    "kebab-case",
    "no-default-alpn",
    "tls-supported-groups",
];
/// Codes of configurations of other servers, whose own words have the same form, begin so.
const FOREIGN: &str = "foreign-";
const CATALOGUE: &str = "src/diagnostic/catalogue/";

/// What is said and stands nowhere, and what stands there and is never said.
pub fn faults(tree: &Tree) -> Vec<String> {
    let sources: Vec<Source> = tree.iter().map(|(path, text)| Source::read(path, text)).collect();
    let (mut told, mut faults) = (BTreeSet::new(), Vec::new());
    for source in sources.iter().filter(|s| s.path.starts_with(CATALOGUE)) {
        let codes = source.lines.iter().filter_map(|line| line.trim().strip_prefix("code: \""));
        told.extend(codes.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    let mut said = BTreeSet::new();
    for source in sources.iter().filter(|s| s.path.starts_with("src/") && !s.is_test) {
        if source.path.starts_with("src/diagnostic/") {
            continue;
        }
        let judges = ROOMS.iter().any(|room| source.path.starts_with(room));
        for (index, line) in source.lines.iter().take(source.len).enumerate() {
            for word in words(line) {
                let is_code = is_kebab(word) && !NO_CODES.contains(&word);
                let imports = source.path.starts_with("src/cli/import");
                let judges = judges || imports && word.starts_with(FOREIGN);
                if judges && is_code && !told.contains(word) {
                    faults.push(format!(
                        "{}:{}: `{word}` is in no list of {CATALOGUE}\n  mend: give it its story there; \
                         if it is no code of a diagnostic, name it in tests/house/codes.rs",
                        source.path,
                        index + 1
                    ));
                }
                said.insert(word.to_owned());
            }
        }
    }
    let never = told.difference(&said);
    faults.extend(
        never.map(|code| format!("{CATALOGUE}: `{code}` is never said\n  mend: remove it")),
    );
    faults
}

/// The texts within quotes of one line of code; events and comments are passed over.
fn words(line: &str) -> Vec<&str> {
    if line.trim_start().starts_with("//") {
        return Vec::new();
    }
    let parts: Vec<&str> = line.split('"').collect();
    let quoted = parts.chunks(2).filter(|pair| !pair[0].ends_with("event = "));
    quoted.filter_map(|pair| pair.get(1).copied()).collect()
}

fn is_kebab(word: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    word.contains('-') && word.split('-').all(is_part)
}
