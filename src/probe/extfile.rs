//! Files in the form of gdnsd's extfile plugin (gdnsd-plugin-extfile(8)), which scripts write for it: `NAME => STATE[/TTL]`.
//!
//! Departs from gdnsd, where one bad line refuses the whole file: here it is named, and the rest is taken. The TTL is
//! checked, and not used: TTLs of answers follow from the log of events, so that all sites give the same.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::health::{Inventory, Member, Status, Subject};

/// Octets of one file. A guess: a hundred thousand lines of 160 octets.
pub const EXTFILE_LEN_MAX: usize = 16 * 1024 * 1024;
/// Lines of one file that speak of several endpoints. A guess: each is asked for each endpoint.
const PATTERN_COUNT_MAX: usize = 1_000;
/// Mistakes of one file that are told; what a file is that is none at all shows in fewer.
const TOLD_COUNT_MAX: usize = 50;
/// The largest TTL that gdnsd takes.
const TTL_MAX: u32 = 268_435_455;

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtfileEntry {
    /// Of what.
    pub subject: Subject,
    /// How it is.
    pub status: Status,
    place: Place,
}

/// A piece of the text, and where it begins.
struct Token<'t> {
    text: &'t str,
    line: u32,
    column: u32,
}

/// Reads a file, known as `path`: what its good lines say, in their order, and what is wrong with the others.
pub fn parse_extfile(path: &str, text: &str) -> (Vec<ExtfileEntry>, Vec<Diagnostic>) {
    let (mut entries, mut said, mut patterns) = (Vec::new(), Vec::new(), 0);
    for (number, line) in (1..).zip(text.lines()) {
        let tokens = tokens_of(line, number);
        // The braces of a hash may stand around everything (vscf).
        let mut rest = tokens.as_slice();
        while let Some((first, after)) = rest.split_first() {
            if matches!(first.text, "{" | "}" | ",") {
                rest = after;
                continue;
            }
            let read = read_entry(path, rest);
            match read {
                Ok(entry) => {
                    patterns +=
                        usize::from(entry.subject.address.is_none() || entry.subject.is_pattern());
                    if patterns <= PATTERN_COUNT_MAX {
                        entries.push(entry);
                    }
                    rest = rest.get(3..).unwrap_or_default();
                }
                Err(diagnostic) => {
                    said.push(diagnostic.excerpt_from(text.as_bytes()));
                    break;
                }
            }
        }
    }
    if patterns > PATTERN_COUNT_MAX {
        let what = format!("{patterns} lines speak of several endpoints");
        let help = format!("at most {PATTERN_COUNT_MAX}: name endpoints");
        said.push(bad(Place::file(path), what, &help));
    }
    said.truncate(TOLD_COUNT_MAX);
    (entries, said)
}

/// Quotes around a word are no part of it; `=>`, commas and braces part words, and so do spaces.
fn tokens_of(line: &str, number: u32) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = line.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = line.get(at..).unwrap_or_default();
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if first == '#' {
            break;
        }
        let (skip, len) = if rest.starts_with("=>") {
            (0, 2)
        } else if matches!(first, ',' | '{' | '}') {
            (0, 1)
        } else if first == '"' {
            (1, rest.get(1..).and_then(|r| r.find('"')).unwrap_or(rest.len() - 1))
        } else {
            let parts = |c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | '#' | '"');
            let end = rest.find(parts).unwrap_or(rest.len());
            (0, rest.find("=>").map_or(end, |arrow| arrow.min(end)))
        };
        let column = line.get(..at).map_or(0, |before| before.chars().count()) + 1;
        let text = rest.get(skip..skip + len).unwrap_or_default();
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        tokens.push(Token { text, line: number, column });
        at += 2 * skip + len;
    }
    tokens
}

#[expect(clippy::result_large_err, reason = "once a bad line, and a box helps nobody")]
fn read_entry(path: &str, tokens: &[Token<'_>]) -> Result<ExtfileEntry, Diagnostic> {
    const FORM: &str = "192.0.2.1 => DOWN, or 192.0.2.1 => UP/60";
    let place = |token: &Token<'_>| Place::at(path, token.line, token.column);
    let Some(name) = tokens.first() else { return Err(bad(Place::file(path), "nothing", FORM)) };
    match tokens.get(1) {
        Some(arrow) if arrow.text == "=>" => {}
        other => {
            let what = format!("`{}` is not followed by =>", name.text);
            return Err(bad(place(other.unwrap_or(name)), what, FORM));
        }
    }
    let Some(value) = tokens.get(2) else {
        return Err(bad(place(name), format!("`{}` has no state", name.text), FORM));
    };
    // A bare word would be a region, and all of it.
    if !name.text.contains(['.', ':', '/']) {
        let help = "an address, a host name, or region/pool/address";
        return Err(bad(place(name), format!("`{}` is no endpoint", name.text), help));
    }
    let subject = Subject::parse(name.text)
        .map_err(|e| bad(place(name), format!("`{}` is no endpoint", name.text), e.0))?;
    let status = status_of(value.text).ok_or_else(|| {
        let help = format!("UP or DOWN, and perhaps a TTL from 0 to {TTL_MAX}: {FORM}");
        bad(place(value), format!("`{}` is no state", value.text), &help)
    })?;
    Ok(ExtfileEntry { subject, status, place: place(name) })
}

fn status_of(text: &str) -> Option<Status> {
    let (state, ttl) = text.split_once('/').map_or((text, None), |(state, ttl)| (state, Some(ttl)));
    if let Some(ttl) = ttl {
        let is_number = !ttl.is_empty() && ttl.bytes().all(|b| b.is_ascii_digit());
        ttl.parse().ok().filter(|ttl: &u32| is_number && *ttl <= TTL_MAX)?;
    }
    let words = [("UP", Status::Up), ("DOWN", Status::Down)];
    words.into_iter().find(|(word, _)| state.eq_ignore_ascii_case(word)).map(|(_, status)| status)
}

fn bad(place: Place, what: impl Into<String>, help: &str) -> Diagnostic {
    Diagnostic::error("extfile-line", place, what)
        .consequence("the line is passed over: of what it names nothing is said")
        .help(help)
}

/// What a file says of the endpoints of `inventory` in `pools` (all, if there are none), and which lines speak of none.
/// Where two lines speak of one endpoint, the later holds.
pub fn match_extfile<'i>(
    entries: &[ExtfileEntry],
    inventory: &'i Inventory,
    pools: &[Box<str>],
) -> (Vec<(&'i Member, Option<Status>)>, Vec<Diagnostic>) {
    let mut by_address: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut patterns = Vec::new();
    for (index, ExtfileEntry { subject, .. }) in entries.iter().enumerate() {
        match subject.address.as_deref().filter(|_| !subject.is_pattern()) {
            Some(address) => by_address.entry(address).or_default().push(index),
            None => patterns.push(index),
        }
    }
    let mut is_used = vec![false; entries.len()];
    let told = |member: &&Member| pools.is_empty() || pools.contains(&member.pool);
    let matched = inventory.members.iter().filter(told).map(|member| {
        let own = by_address.get(&*member.address).into_iter().flatten();
        let all = own.chain(&patterns).copied().filter(|index| {
            let covers = entries.get(*index).is_some_and(|entry| entry.subject.covers(member));
            if let Some(used) = is_used.get_mut(*index) {
                *used |= covers;
            }
            covers
        });
        let last = all.max().and_then(|index| entries.get(index));
        (member, last.map(|entry| entry.status))
    });
    let matched = matched.collect();
    let unused = entries.iter().zip(&is_used).filter(|(_, used)| !**used).take(TOLD_COUNT_MAX);
    let said = unused.map(|(entry, _)| {
        let what = format!("no endpoint is {}", entry.subject);
        Diagnostic::warning("extfile-unknown", entry.place.clone(), what)
            .consequence("nothing comes of the line")
            .help("a pool lists the endpoint under another name, or no longer")
    });
    (matched, said.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let (entries, said) = parse_extfile("ext1", text);
        let good = entries
            .iter()
            .map(|e| (e.place.line, format!("{} {} {}", e.place.line, e.subject, e.status.word())));
        let bad = said.iter().map(|d| (d.place.line, format!("{} {}", d.place, d.message)));
        let mut all: Vec<_> = good.chain(bad).collect();
        all.sort();
        all.into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn the_examples_of_the_manual_are_read() {
        let text = "# written by a script\n192.0.2.203 => UP/300\n192.0.2.204 => DOWN/242 # so\n\
            lb01.example.com. => UP/60\n 2001:DB8::1=>down\n\"lb02.example.com\" => \"UP\",\n\
            { fra/web/192.0.2.1 => DOWN, iad/*/192.0.2.2 => UP }\n";
        let expected = [
            "2 */*/192.0.2.203 up",
            "3 */*/192.0.2.204 down",
            "4 */*/lb01.example.com. up",
            "5 */*/2001:db8::1 down",
            "6 */*/lb02.example.com. up",
            "7 fra/web/192.0.2.1 down",
            "7 iad/*/192.0.2.2 up",
        ];
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_is_taken() {
        let text = "192.0.2.1 => UP\n192.0.2.2 = DOWN\nlb03 => UP/45\n192.0.2.4 => MAYBE\n\
            192.0.2.5 => UP/-1\n192.0.2.6 =>\n192.0.2.7 => UP/268435456\nab\u{e9}.1.2 => UP\n192.0.2.9 => DOWN\n";
        let expected = [
            "1 */*/192.0.2.1 up",
            "ext1:2:11 `192.0.2.2` is not followed by =>",
            "ext1:3:1 `lb03` is no endpoint",
            "ext1:4:14 `MAYBE` is no state",
            "ext1:5:14 `UP/-1` is no state",
            "ext1:6:1 `192.0.2.6` has no state",
            "ext1:7:14 `UP/268435456` is no state",
            "ext1:8:1 `ab\u{e9}.1.2` is no endpoint",
            "9 */*/192.0.2.9 down",
        ];
        assert_eq!(shown(text), expected);
        let (_, said) = parse_extfile("ext1", text);
        assert!(
            said[2].to_string().contains("  | 192.0.2.4 => MAYBE\n  |              ^"),
            "{}",
            said[2]
        );
    }

    #[test]
    fn the_last_line_on_an_endpoint_holds_and_one_on_none_is_told() {
        let member = |region: &str, pool: &str, n: u8| Member {
            region: region.into(),
            pool: pool.into(),
            address: format!("192.0.2.{n}").into(),
        };
        let members =
            vec![member("fra", "ns", 1), member("fra", "web", 1), member("iad", "web", 2)];
        let inventory = Inventory { members, ..Inventory::default() };
        let text = "192.0.2.1 => UP\niad/web => DOWN\n192.0.2.9 => UP\nfra/web/192.0.2.1 => DOWN\n";
        let (entries, said) = parse_extfile("ext1", text);
        assert_eq!(said, []);
        let told = |pools: &[Box<str>]| {
            let (matched, said) = match_extfile(&entries, &inventory, pools);
            let words: Vec<_> = matched.into_iter().map(|(_, status)| status).collect();
            (words, said.iter().map(|d| d.place.line).collect::<Vec<_>>())
        };
        let (up, down) = (Some(Status::Up), Some(Status::Down));
        assert_eq!(told(&[]), (vec![up, down, down], vec![3]));
        assert_eq!(told(&["ns".into()]), (vec![up], vec![2, 3, 4]));
    }
}
