//! Wire format into presentation format, and thereby the check that octets are rdata of their type.

use crate::wire::Rtype;

use super::line::{Line, Wire};
use super::table::{Field, fields};
use super::{address, bytes, dnssec, gateway, loc, number, string, svcb};

/// The rdata in presentation format, names absolute; in the generic form (RFC 3597 §5) where the
/// type is unknown or the octets are none of it.
pub fn to_text(rtype: Rtype, rdata: &[u8]) -> String {
    let mut line = Line::default();
    match fields(rtype) {
        Some(fields) if write_fields(fields, rdata, &mut line).is_some() => line.into_text(),
        _ => bytes::to_generic(rdata),
    }
}

/// Whether the octets are rdata of `rtype`. Of a type without a format here, any are.
pub fn check(rtype: Rtype, rdata: &[u8]) -> bool {
    match fields(rtype) {
        Some(fields) => write_fields(fields, rdata, &mut Line::default()).is_some(),
        None => true,
    }
}

/// The rdata with the names in it folded to lower case: two records are one if these are equal.
pub fn fold(rtype: Rtype, rdata: &[u8]) -> Vec<u8> {
    let mut out = rdata.to_vec();
    let mut wire = Wire::new(rdata);
    let mut sink = Line::default();
    for &field in fields(rtype).unwrap_or_default() {
        let start = rdata.len() - wire.len();
        if write_field(field, &mut wire, &mut sink).is_none() {
            break;
        }
        let end = rdata.len() - wire.len();
        if let (Field::Name, Some(name)) = (field, out.get_mut(start..end)) {
            // Length octets are below 64 and so no letters.
            name.make_ascii_lowercase();
        }
    }
    out
}

fn write_fields(fields: &[Field], rdata: &[u8], line: &mut Line) -> Option<()> {
    let mut wire = Wire::new(rdata);
    for &field in fields {
        write_field(field, &mut wire, line)?;
    }
    wire.is_empty().then_some(())
}

fn write_field(field: Field, wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    match field {
        Field::Number(octets, _) => line.word(wire.number(octets)?),
        Field::Period => line.word(wire.number(4)?),
        Field::Type => line.word(Rtype(wire.number(2)? as u16)),
        Field::Name => line.word(wire.name()?),
        Field::Ipv4 => address::write_ipv4(wire, line)?,
        Field::Ipv6 => address::write_ipv6(wire, line)?,
        Field::Text => string::write(wire, line)?,
        Field::TextOrNone if wire.is_empty() => {}
        Field::TextOrNone => string::write(wire, line)?,
        Field::Texts => string::write_all(wire, line)?,
        Field::LongText => string::write_long(wire, line),
        Field::Tag => string::write_tag(wire, line)?,
        Field::Hex => bytes::write_hex(wire, line)?,
        Field::Base64 => bytes::write_base64(wire, line)?,
        Field::Base64OrNone if wire.is_empty() => {}
        Field::Base64OrNone => bytes::write_base64(wire, line)?,
        Field::Base64OrDash if wire.is_empty() => line.word("-"),
        Field::Base64OrDash => bytes::write_base64(wire, line)?,
        Field::Time => line.word(number::Time(wire.number(4)? as u32)),
        Field::Salt => dnssec::write_salt(wire, line)?,
        Field::Hash => dnssec::write_hash(wire, line)?,
        Field::Bitmap => dnssec::write_bitmap(wire, line)?,
        Field::OldBitmap => dnssec::write_old_bitmap(wire, line)?,
        Field::Location => loc::write(wire, line)?,
        Field::Prefixes => address::write_prefixes(wire, line)?,
        Field::Services => address::write_services(wire, line)?,
        Field::Eui(octets) => address::write_eui(octets, wire, line)?,
        Field::Locator => address::write_locator(wire, line)?,
        Field::Nsap => bytes::write_nsap(wire, line)?,
        Field::Atm => bytes::write_atm(wire, line)?,
        Field::IpsecGateway => gateway::write_ipsec(wire, line)?,
        Field::PrefixedAddress => gateway::write_prefixed(wire, line)?,
        Field::AmtRelay => gateway::write_amt(wire, line)?,
        Field::HostIdentity => gateway::write_host_identity(wire, line)?,
        Field::Parameters => svcb::write(wire, line)?,
    }
    Some(())
}
