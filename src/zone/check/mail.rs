//! Policies for mail, written in TXT records: SPF (RFC 7208) and DMARC (RFC 7489).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::report::Mark;
use super::super::rrset::Rrset;
use super::placed::{Placed, Remarks};

/// Terms that cost a DNS lookup, of which a record may cause ten (RFC 7208 §4.6.4).
const LOOKUP_COUNT_MAX: usize = 10;

/// Remarks on one TXT RRset.
pub fn check(placed: Placed<'_>, rrset: &Rrset, marks: &[Mark], remarks: &mut Remarks<'_, '_>) {
    let begin = |rdata: &[u8], word: &str| {
        let text = rdata.get(1..=word.len());
        text.is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()))
    };
    let starting = |word: &'static str| {
        rrset.rdata.iter().zip(marks).filter(move |(rdata, _)| begin(rdata, word))
    };
    let mut first = None;
    for (rdata, &mark) in starting("v=spf1") {
        let text = text(rdata);
        if text.get(6..7).is_some_and(|next| next != " ") {
            let help = "a blank stands after v=spf1 (RFC 7208 §4.5)";
            remarks.say(mark, "spf-syntax", help, || "the version is not v=spf1 alone".to_owned());
            continue;
        }
        if let Some(line) = first.replace(mark.token.line) {
            let help = "merge them into one (RFC 7208 §4.5)";
            remarks.say(mark, "spf-doubled", help, || {
                format!("{} has a second SPF record; another is at line {line}", placed.owner)
            });
        }
        spf(&text, mark, remarks);
    }
    if placed.owner.as_wire().get(1..7).is_some_and(|l| l.eq_ignore_ascii_case(b"_dmarc")) {
        let mut first = None;
        for (rdata, &mark) in starting("v=dmarc1") {
            if let Some(line) = first.replace(mark.token.line) {
                let help = "keep one of them (RFC 7489 §6.6.3)";
                remarks.say(mark, "dmarc-doubled", help, || {
                    format!("{} has a second DMARC record; another is at line {line}", placed.owner)
                });
            }
            if let Some(why) = dmarc_fault(&text(rdata)) {
                remarks.say(mark, "dmarc-syntax", "see RFC 7489 §6.3", || why);
            }
        }
    }
}

/// The strings of one record, joined without a blank (RFC 7208 §3.3).
fn text(rdata: &[u8]) -> String {
    let mut joined = Vec::with_capacity(rdata.len());
    let mut rest = rdata;
    while let Some((&len, after)) = rest.split_first() {
        let (string, more) = after.split_at_checked(usize::from(len)).unwrap_or((after, &[]));
        joined.extend_from_slice(string);
        rest = more;
    }
    String::from_utf8_lossy(&joined).into_owned()
}

fn spf(text: &str, mark: Mark, remarks: &mut Remarks<'_, '_>) {
    let (mut lookups, mut all, mut redirects) = (0, None, 0);
    for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
        let parsed = spf_term(term);
        if let (Some(all), false) = (all, matches!(parsed, Ok(Term::Modifier))) {
            let help = "put what is to count before it (RFC 7208 §5.1)";
            remarks.say(mark, "spf-after-all", help, || {
                format!("`{term}` stands after `{all}` and is never looked at")
            });
            return;
        }
        match parsed {
            Ok(Term::Lookup) => lookups += 1,
            Ok(Term::Redirect) => {
                lookups += 1;
                redirects += 1;
            }
            Ok(Term::All) => all = Some(term),
            Ok(Term::Modifier | Term::Other) => {}
            Err(why) => {
                let help = "one bad term spoils the whole record (RFC 7208 §4.6, §12)";
                remarks.say(mark, "spf-syntax", help, || format!("`{term}`: {why}"));
                return;
            }
        }
        if matches!(term, "all" | "+all") {
            let help = "end with -all or ~all (RFC 7208 §5.1)";
            remarks.say(mark, "spf-passes-all", help, || {
                format!("`{term}` lets every host of the Internet send mail")
            });
        }
    }
    if redirects > 1 {
        let help = "keep one of them (RFC 7208 §6)";
        remarks.say(mark, "spf-syntax", help, || "redirect= stands there twice".to_owned());
    }
    if lookups > LOOKUP_COUNT_MAX {
        let help = "name networks with ip4: and ip6: instead (RFC 7208 §4.6.4)";
        remarks.say(mark, "spf-lookups", help, || {
            format!("the record needs {lookups} lookups by itself, of {LOOKUP_COUNT_MAX} allowed")
        });
    }
}

enum Term {
    All,
    /// It costs a lookup.
    Lookup,
    Redirect,
    /// It stands anywhere.
    Modifier,
    Other,
}

/// What one term is (RFC 7208 §12).
fn spf_term(term: &str) -> Result<Term, String> {
    let end = term.find([':', '/', '=']).unwrap_or(term.len());
    let (name, value) = term.split_at_checked(end).unwrap_or((term, ""));
    if let Some(value) = value.strip_prefix('=') {
        return modifier(name, value);
    }
    let name = name.strip_prefix(['+', '-', '~', '?']).unwrap_or(name);
    let argument = value.strip_prefix(':');
    match (name.to_ascii_lowercase().as_str(), argument) {
        ("all", None) if value.is_empty() => Ok(Term::All),
        ("include" | "exists", Some(domain)) => domain_spec(domain).map(|()| Term::Lookup),
        ("include" | "exists", None) => Err("a domain is missing after it".to_owned()),
        ("a" | "mx", _) => {
            let (domain, len) = value.split_once('/').map_or((value, None), |(d, l)| (d, Some(l)));
            if let Some(domain) = domain.strip_prefix(':') {
                domain_spec(domain)?;
            }
            len.map_or(Ok(()), dual_length).map(|()| Term::Lookup)
        }
        ("ptr", Some(domain)) => domain_spec(domain).map(|()| Term::Lookup),
        ("ptr", None) if value.is_empty() => Ok(Term::Lookup),
        ("ip4", Some(network)) => {
            let (address, len) = split_length(network);
            let good = address.parse::<Ipv4Addr>().is_ok() && is_length(len, 32);
            good.then_some(Term::Other).ok_or_else(|| "it is no IPv4 network".to_owned())
        }
        ("ip6", Some(network)) => {
            let (address, len) = split_length(network);
            let good = address.parse::<Ipv6Addr>().is_ok() && is_length(len, 128);
            good.then_some(Term::Other).ok_or_else(|| "it is no IPv6 network".to_owned())
        }
        ("ip4" | "ip6", None) => Err("a network is missing after it".to_owned()),
        _ => Err("it is no mechanism of SPF".to_owned()),
    }
}

fn modifier(name: &str, value: &str) -> Result<Term, String> {
    match name.to_ascii_lowercase().as_str() {
        "redirect" => domain_spec(value).map(|()| Term::Redirect),
        "exp" => domain_spec(value).map(|()| Term::Modifier),
        // RFC 7208 §6: other modifiers are ignored, and have the name of one.
        name if name.starts_with(|c: char| c.is_ascii_alphabetic()) => Ok(Term::Modifier),
        _ => Err("it is no modifier of SPF".to_owned()),
    }
}

/// RFC 7208 §7.1: a name, in which macros may stand.
fn domain_spec(domain: &str) -> Result<(), String> {
    let is_plain = domain.bytes().all(|b| b.is_ascii_graphic());
    if domain.is_empty() || !is_plain {
        return Err("a domain is missing after it".to_owned());
    }
    let mut rest = domain;
    while let Some(at) = rest.find('%') {
        rest = rest.get(at + 1..).unwrap_or_default();
        rest = match rest.chars().next() {
            Some('%' | '_' | '-') => rest.get(1..).unwrap_or_default(),
            Some('{') if rest.contains('}') => rest.split_once('}').map_or("", |(_, after)| after),
            _ => return Err("a % begins no macro".to_owned()),
        };
    }
    Ok(())
}

fn split_length(network: &str) -> (&str, Option<&str>) {
    network.split_once('/').map_or((network, None), |(address, len)| (address, Some(len)))
}

fn is_length(len: Option<&str>, max: u8) -> bool {
    len.is_none_or(|len| len.parse::<u8>().is_ok_and(|len| len <= max))
}

/// `24`, `/64` or `24//64`: the lengths for both families.
fn dual_length(len: &str) -> Result<(), String> {
    let (v4, v6) = match len.strip_prefix('/') {
        Some(v6) => (None, Some(v6)),
        None => len.split_once("//").map_or((Some(len), None), |(v4, v6)| (Some(v4), Some(v6))),
    };
    let good = is_length(v4, 32) && is_length(v6, 128);
    good.then_some(()).ok_or_else(|| "the length after it is none".to_owned())
}

/// What is wrong with a DMARC record (RFC 7489 §6.3).
fn dmarc_fault(text: &str) -> Option<String> {
    let mut tags = text.split(';').map(str::trim).filter(|tag| !tag.is_empty());
    let version = tags.next().and_then(|tag| tag.split_once('='));
    if version.is_none_or(|(name, value)| name.trim() != "v" || value.trim() != "DMARC1") {
        return Some("the record does not begin with v=DMARC1, in capitals".to_owned());
    }
    let mut policy = false;
    for tag in tags {
        let Some((name, value)) = tag.split_once('=') else {
            return Some(format!("`{tag}` is no tag with a value"));
        };
        let (name, value) = (name.trim(), value.trim());
        policy |= name == "p";
        if !is_dmarc_value(name, value) {
            return Some(format!("the value of `{name}` cannot be `{value}`"));
        }
    }
    (!policy).then(|| "there is no policy: p= is missing".to_owned())
}

fn is_dmarc_value(name: &str, value: &str) -> bool {
    let one_of = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    let is_uri = |uri: &str| uri.trim().split_once(':').is_some_and(|(_, rest)| !rest.is_empty());
    match name {
        "p" | "sp" | "np" => one_of(&["none", "quarantine", "reject"]),
        "adkim" | "aspf" => one_of(&["r", "s"]),
        "pct" => value.parse::<u8>().is_ok_and(|share| share <= 100),
        "ri" => value.parse::<u32>().is_ok(),
        "fo" => value.split(':').all(|word| ["0", "1", "d", "s"].contains(&word.trim())),
        "rua" | "ruf" => value.split(',').all(is_uri),
        // RFC 7489 §6.3: unknown tags are ignored.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spf_terms_are_read_by_the_grammar() {
        for good in [
            "all",
            "-all",
            "mx",
            "a",
            "a/24",
            "a//64",
            "mx:b.test/24//64",
            "include:_spf.b.test",
            "ip4:192.0.2.0/24",
            "ip6:2001:db8::/32",
            "ip6:2001:db8::1",
            "exists:%{i}._spf.%{d2}",
            "redirect=_spf.b.test",
            "exp=why.b.test",
            "ptr",
            "ptr:b.test",
            "x-new=1",
            "?A:b.test",
            "exists:%{l1r-}._spf.%%.b.test",
        ] {
            assert!(spf_term(good).is_ok(), "{good}");
        }
        for bad in [
            "ipv4:192.0.2.0/24",
            "ip4:192.0.2.0/33",
            "ip4:192.0.2",
            "ip4",
            "include",
            "include:",
            "all:b.test",
            "a/x",
            "mx//129",
            "ip6:192.0.2.1",
            "v=",
            "=x",
            "-",
            "include;b.test",
            "exists:%x.b.test",
            "redirect=",
        ] {
            // `v=` is a modifier by its name.
            assert_eq!(spf_term(bad).is_err(), bad != "v=", "{bad}");
        }
    }

    #[test]
    fn dmarc_tags_are_read_by_the_grammar() {
        for good in [
            "v=DMARC1; p=none",
            "v=DMARC1;p=reject;rua=mailto:a@b.test,mailto:c@d.test!10m;pct=100;fo=1:d;",
            "v=DMARC1 ; p = quarantine ; sp=none; adkim=s; aspf=r; ri=3600; x=y",
        ] {
            assert_eq!(dmarc_fault(good), None, "{good}");
        }
        for bad in [
            "v=dmarc1; p=none",
            "v=DMARC1",
            "v=DMARC1; policy=reject",
            "v=DMARC1; p=block",
            "v=DMARC1; p=none; pct=101",
            "v=DMARC1; p=none; rua=a@b.test",
            "v=DMARC1; p=none; aspf",
        ] {
            assert!(dmarc_fault(bad).is_some(), "{bad}");
        }
    }
}
