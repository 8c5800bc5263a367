//! Presentation format into wire format.

use crate::wire::Rtype;

use super::table::{Field, fields};
use super::words::{Fault, Words};
use super::{address, bytes, dnssec, gateway, loc, number, string, svcb, write};

/// Octets of the longest rdata (RFC 1035 §3.2.1).
const RDATA_LEN_MAX: usize = 65_535;

/// Reads the rdata of a record of `rtype`: in the type's own format, or in the generic one (RFC
/// 3597 §5), which is then checked against the type. All its faults come at once.
pub fn parse(rtype: Rtype, words: &mut Words<'_>) -> Result<Box<[u8]>, Vec<Fault>> {
    let is_generic = words.peek().is_some_and(|w| !w.token.quoted && w.bytes == b"\\#");
    if is_generic {
        return parse_generic(rtype, words).map_err(|fault| vec![fault]);
    }
    let fields = own_format(rtype, words).map_err(|fault| vec![fault])?;
    let mut wire = Vec::with_capacity(32);
    let mut faults = Vec::new();
    for &field in fields {
        // After a fault, what is missing or too many is told only once the fault is mended.
        if !faults.is_empty() && words.is_empty() {
            break;
        }
        let fault =
            refuse_quotes(field, words).or_else(|| read_field(field, words, &mut wire).err());
        faults.extend(fault);
    }
    if faults.is_empty() {
        faults.extend(words.finish().err());
    }
    if wire.len() > RDATA_LEN_MAX {
        faults.push(words.fault("rdata-too-long", "the rdata is longer than 65535 octets"));
    }
    if faults.is_empty() { Ok(wire.into()) } else { Err(faults) }
}

/// The fault of a quoted word where no string stands (RFC 1035 §5.1), which is then passed over.
fn refuse_quotes(field: Field, words: &mut Words<'_>) -> Option<Fault> {
    let may_be_quoted = matches!(
        field,
        Field::Text
            | Field::TextOrNone
            | Field::Texts
            | Field::LongText
            | Field::Tag
            | Field::Parameters
    );
    let word = words.peek().filter(|word| word.token.quoted && !may_be_quoted)?;
    words.take();
    Some(word.needless_quotes())
}

fn parse_generic(rtype: Rtype, words: &mut Words<'_>) -> Result<Box<[u8]>, Fault> {
    let mut wire = Vec::new();
    let marker = words.expect("`\\#`")?;
    bytes::read_generic(words, &mut wire)?;
    words.finish()?;
    if !write::check(rtype, &wire) {
        return Err(marker.fault("bad-rdata", format!("the octets are no rdata of type {rtype}")));
    }
    Ok(wire.into())
}

/// The fields of `rtype`, or the fault of writing a type without any in a format of its own.
fn own_format(rtype: Rtype, words: &mut Words<'_>) -> Result<&'static [Field], Fault> {
    if let Some(fields) = fields(rtype) {
        return Ok(fields);
    }
    let word = words.expect("`\\#`")?;
    Err(Fault {
        help: "write `\\#`, the number of octets, and the octets in hexadecimal (RFC 3597 §5)",
        ..word.fault("generic-form-needed", format!("type {rtype} has only the generic form"))
    })
}

fn read_field(field: Field, words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    match field {
        Field::Number(octets, vocabulary) => number::read(octets, vocabulary, words, wire),
        Field::Period => number::read_period(words, wire),
        Field::Type => number::read_type(words, wire),
        Field::Name => {
            wire.extend_from_slice(words.name()?.as_wire());
            Ok(())
        }
        Field::Ipv4 => address::read_ipv4(words, wire),
        Field::Ipv6 => address::read_ipv6(words, wire),
        Field::Text => string::read(words, wire),
        Field::TextOrNone if words.is_empty() => Ok(()),
        Field::TextOrNone => string::read(words, wire),
        Field::Texts => string::read_all(words, wire),
        Field::LongText => string::read_long(words, wire),
        Field::Tag => string::read_tag(words, wire),
        Field::Hex => bytes::read_hex(words, wire),
        Field::Base64 => bytes::read_base64(words, wire),
        Field::Base64OrNone if words.is_empty() => Ok(()),
        Field::Base64OrNone => bytes::read_base64(words, wire),
        Field::Base64OrDash => bytes::read_base64_or_dash(words, wire),
        Field::Time => dnssec::read_time(words, wire),
        Field::Salt => dnssec::read_salt(words, wire),
        Field::Hash => dnssec::read_hash(words, wire),
        Field::Bitmap => dnssec::read_bitmap(words, wire),
        Field::OldBitmap => dnssec::read_old_bitmap(words, wire),
        Field::Location => loc::read(words, wire),
        Field::Prefixes => address::read_prefixes(words, wire),
        Field::Services => address::read_services(words, wire),
        Field::Eui(octets) => address::read_eui(octets, words, wire),
        Field::Locator => address::read_locator(words, wire),
        Field::Nsap => bytes::read_nsap(words, wire),
        Field::Atm => bytes::read_atm(words, wire),
        Field::IpsecGateway => gateway::read_ipsec(words, wire),
        Field::PrefixedAddress => gateway::read_prefixed(words, wire),
        Field::AmtRelay => gateway::read_amt(words, wire),
        Field::HostIdentity => gateway::read_host_identity(words, wire),
        Field::Parameters => svcb::read(words, wire),
    }
}
