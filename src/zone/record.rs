//! One entry into one record: owner, TTL and class in either order, type, rdata (RFC 1035 §5.1).

use crate::number::Ttl;
use crate::wire::{Class, Name, Rtype};

use super::assemble::Record;
use super::lexer::{Entry, Token};
use super::rdata::{self, Words, period, quoted_word, shown};
use super::report::Mark;
use super::state::{Found, Owner, State};

/// Records of one zone.
const RECORD_COUNT_MAX: usize = 100_000_000;
/// The TTL of records that nothing gives one: neither the record, nor `$TTL`, nor a record before,
/// nor a SOA.
const TTL_LAST_RESORT: Ttl = Ttl::from_secs(3_600);

/// Reads the record of `entry`, and keeps it unless it has a mistake.
pub(super) fn read(found: &mut Found<'_>, text: &[u8], entry: &Entry, state: &mut State) {
    let Some(&first) = entry.tokens.first() else { return };
    let mut tokens = entry.tokens.as_slice();
    if !entry.blank_owner {
        tokens = tokens.get(1..).unwrap_or_default();
        state.owner = Some(read_owner(found, text, first, state));
    }
    let Some(owner) = state.owner else {
        let message = "the line begins with white space, and no record before it gives the owner";
        let help = "write the owner name, or @ for the origin, in the first column";
        found.records.is_complete = false;
        return found.report.error_with_help(state.mark(first), "owner-missing", message, help);
    };
    let Some(head) = read_head(found, text, first, &mut tokens, state) else {
        found.records.is_complete = false;
        return;
    };
    let mut words = Words::new(text, tokens, head.token, &state.origin);
    let rdata = match rdata::parse(head.rtype, &mut words) {
        Ok(rdata) => rdata,
        Err(faults) => {
            found.records.is_complete = false;
            for fault in faults {
                found.report.fault(state.mark(fault.token), fault);
            }
            return;
        }
    };
    let ttl = decide_ttl(found, &head, &rdata, state, first);
    let Owner::Known(owner) = owner else { return };
    let mark = state.mark(first);
    if found.records.len() >= RECORD_COUNT_MAX {
        return found.report.error(mark, "too-many-records", "the zone has too many records");
    }
    if head.rtype == Rtype::SOA && found.records.owner_at(owner) != Some(&state.origin) {
        found.records.has_soa_off_origin = true;
    }
    found.records.push(Record { owner, rtype: head.rtype, ttl, rdata, mark });
}

/// What stands between owner and rdata.
struct Head {
    ttl: Option<(u32, Mark)>,
    rtype: Rtype,
    /// The token of the type.
    token: Token,
}

fn read_owner(found: &mut Found<'_>, text: &[u8], first: Token, state: &State) -> Owner {
    match Name::parse_bytes(first.bytes(text), &state.origin) {
        Ok(name) => Owner::Known(found.records.owner(name)),
        Err(why) => {
            found.records.is_complete = false;
            let message = format!("`{}` is not a domain name: {why}", shown(first.bytes(text)));
            found.report.error(state.mark(first), "bad-name", message);
            Owner::Bad
        }
    }
}

fn read_head(
    found: &mut Found<'_>,
    text: &[u8],
    first: Token,
    tokens: &mut &[Token],
    state: &State,
) -> Option<Head> {
    let (mut ttl, mut class) = (None, None);
    let mut last = first;
    while let Some((&token, rest)) = tokens.split_first() {
        *tokens = rest;
        last = token;
        let bytes = token.bytes(text);
        let mark = state.mark(token);
        if token.quoted {
            found.report.fault(mark, quoted_word(token, bytes));
            return None;
        }
        let word = std::str::from_utf8(bytes).unwrap_or_default();
        if let Some(rtype) = Rtype::parse(word) {
            check_type(found, rtype, word, mark)?;
            return Some(Head { ttl, rtype, token });
        } else if let Some(other) = Class::parse(word).filter(|_| class.is_none()) {
            class = Some(other);
            if other != Class::IN {
                let message = format!("class {other}; only IN is served");
                found.report.error(mark, "class-not-in", message);
                return None;
            }
        } else if let Some(secs) = period(bytes).filter(|_| ttl.is_none()) {
            ttl = Some((secs, mark));
        } else {
            let message = format!("`{}` is no type, class or TTL", shown(bytes));
            let help = "a record is: owner, TTL, class, type, data; an unknown type is TYPE12345";
            found.report.error_with_help(mark, "unknown-type", message, help);
            return None;
        }
    }
    found.report.error(state.mark(last), "field-missing", "the record ends before its type");
    None
}

fn check_type(found: &mut Found<'_>, rtype: Rtype, word: &str, mark: Mark) -> Option<()> {
    if !rtype.is_meta() {
        return Some(());
    }
    // Other servers load a meta type in its generic form, and can do nothing with it.
    if word.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("TYPE")) {
        let message = format!("{rtype} may be asked for but not served; the record is left out");
        found.report.warning(mark, "meta-type", message, "remove the record (RFC 6895 §3.1)");
    } else {
        let message = format!("{rtype} may be asked for but not stand in a zone (RFC 6895 §3.1)");
        found.report.error(mark, "meta-type", message);
    }
    None
}

/// RFC 2308 §4: the record's own TTL, else `$TTL`; RFC 1035 §5.1: else that of the record before.
fn decide_ttl(
    found: &mut Found<'_>,
    head: &Head,
    rdata: &[u8],
    state: &mut State,
    first: Token,
) -> Ttl {
    if let Some((secs, mark)) = head.ttl {
        let ttl = found.bounded_ttl(secs, mark);
        state.last_ttl = Some(ttl);
        return ttl;
    }
    if let Some(ttl) = state.default_ttl.or(state.last_ttl) {
        return ttl;
    }
    // A zone from before $TTL: its SOA's MINIMUM is the default from there on (RFC 1035 §3.3.13).
    let (ttl, whence) = match (head.rtype, rdata.last_chunk::<4>()) {
        (Rtype::SOA, Some(minimum)) => {
            let ttl = Ttl::from_secs(u32::from_be_bytes(*minimum));
            state.default_ttl = Some(ttl);
            (ttl, "the SOA's")
        }
        _ => (TTL_LAST_RESORT, "a default"),
    };
    let message = format!("no TTL is given; {whence} {} s are used", ttl.as_secs());
    found.report.warning(state.mark(first), "ttl-missing", message, "begin the file with $TTL");
    ttl
}
