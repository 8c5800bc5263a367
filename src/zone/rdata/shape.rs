//! The shape of rdata as text: what kind of word stands where, for those who lay text out and do not read it.

use crate::wire::Rtype;

use super::table::{Field, fields};

/// What a word of rdata is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number, a time, an address: as it stands.
    Plain,
    /// An IPv6 address.
    Ipv6,
    /// A time in seconds or in units.
    Period,
    /// The mnemonic of a type.
    Type,
    /// A domain name.
    Name,
    /// A character string.
    Text,
    /// A piece of hexadecimal or base64; pieces side by side are one.
    Blob,
    /// A service parameter, or a part of one.
    Parameter,
}

/// Where rdata that is too long for a line, or stands on several, is best broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// As a SOA: two names, then a number a line.
    Soa,
    /// So many words, then a word a line.
    Each(usize),
    /// So many words, then lines of a blob.
    Blob(usize),
    /// Anywhere between two words.
    Fill,
}

/// The shapes of `count` words of rdata of `rtype`; `is_generic` if they are of the generic form (RFC 3597 §5).
pub fn shapes(rtype: Rtype, is_generic: bool, count: usize) -> Vec<Shape> {
    let mut shapes = Vec::with_capacity(count);
    if is_generic {
        shapes.extend([Shape::Plain; 2]);
        shapes.resize(count, Shape::Blob);
        return shapes;
    }
    for &field in fields(rtype).unwrap_or_default() {
        let (one, rest) = of_field(field);
        shapes.extend_from_slice(one);
        if let Some(shape) = rest {
            shapes.resize(count.max(shapes.len()), shape);
        }
    }
    shapes.resize(count, Shape::Plain);
    shapes
}

/// How the rdata of `rtype` is broken over lines.
pub fn fold_of(rtype: Rtype, is_generic: bool) -> Fold {
    if is_generic {
        return Fold::Blob(2);
    }
    if rtype == Rtype::SOA {
        return Fold::Soa;
    }
    let mut before = 0;
    for &field in fields(rtype).unwrap_or_default() {
        let (one, rest) = of_field(field);
        match rest {
            Some(Shape::Text | Shape::Parameter) => return Fold::Each(before + one.len()),
            Some(Shape::Blob) => return Fold::Blob(before + one.len()),
            _ => before += one.len(),
        }
    }
    Fold::Fill
}

/// The words of a field: those that are always there, and what all the others are.
fn of_field(field: Field) -> (&'static [Shape], Option<Shape>) {
    use Shape::{Blob, Ipv6, Name, Parameter, Period, Plain, Text, Type};
    match field {
        Field::Period => (&[Period], None),
        Field::Type => (&[Type], None),
        Field::Name => (&[Name], None),
        Field::Ipv6 => (&[Ipv6], None),
        Field::Text | Field::TextOrNone | Field::LongText => (&[Text], None),
        Field::Texts => (&[], Some(Text)),
        Field::Hex | Field::Base64 | Field::Base64OrNone | Field::Base64OrDash => (&[], Some(Blob)),
        Field::Bitmap | Field::OldBitmap => (&[], Some(Type)),
        Field::Location | Field::Prefixes | Field::Services => (&[], Some(Plain)),
        Field::IpsecGateway | Field::AmtRelay => (&[Plain, Plain, Plain, Name], None),
        Field::PrefixedAddress => (&[Plain], Some(Name)),
        Field::HostIdentity => (&[Plain, Plain, Plain], Some(Name)),
        Field::Parameters => (&[], Some(Parameter)),
        Field::Number(..)
        | Field::Ipv4
        | Field::Tag
        | Field::Time
        | Field::Salt
        | Field::Hash
        | Field::Eui(_)
        | Field::Locator
        | Field::Nsap
        | Field::Atm => (&[Plain], None),
    }
}
