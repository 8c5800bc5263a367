//! The table of types: a new record type is one row here, and one golden case.

use crate::wire::Rtype;

use Field::*;

/// One field of rdata, by how it is read and written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    /// A number of so many octets, for which words may stand.
    Number(usize, Vocabulary),
    /// A number of 32 bits in seconds, with TTL units allowed.
    Period,
    /// A type by mnemonic.
    Type,
    /// A domain name, never compressed here.
    Name,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A <character-string> (RFC 1035 §3.3).
    Text,
    /// None or one <character-string>.
    TextOrNone,
    /// One or more <character-string>s.
    Texts,
    /// The rest, as one string without a length octet (RFC 7553 §4.4, RFC 8659 §4.1.1).
    LongText,
    /// A property tag: a <character-string> of letters and digits (RFC 8659 §4.1).
    Tag,
    /// The rest, in hexadecimal; one octet at least.
    Hex,
    /// The rest, in base64; one octet at least.
    Base64,
    /// The rest, in base64; may be missing.
    Base64OrNone,
    /// The rest in base64, `-` when empty (draft-durand-doa-over-dns).
    Base64OrDash,
    /// A point in time (RFC 4034 §3.2).
    Time,
    /// A length octet and a salt in hexadecimal, `-` when empty (RFC 5155 §3.3).
    Salt,
    /// A length octet and a hash in base32hex (RFC 5155 §3.3).
    Hash,
    /// The types at a name (RFC 4034 §4.1.2); may be empty.
    Bitmap,
    /// The types at a name, as one plain bitmap (RFC 2535 §5.2).
    OldBitmap,
    /// Latitude, longitude, altitude, precisions (RFC 1876).
    Location,
    /// Address prefixes (RFC 3123).
    Prefixes,
    /// Protocol and ports (RFC 1035 §3.4.2).
    Services,
    /// So many octets, by hyphens (RFC 7043).
    Eui(usize),
    /// 64 bits as four hexadecimal groups (RFC 6742 §2.1).
    Locator,
    /// An NSAP address (RFC 1706).
    Nsap,
    /// An ATM address (af-dans-0152).
    Atm,
    /// Precedence, gateway type, algorithm, gateway (RFC 4025 §2.1).
    IpsecGateway,
    /// Prefix length, address suffix, prefix name (RFC 2874 §3.1).
    PrefixedAddress,
    /// Precedence, discovery bit, relay type, relay (RFC 8777 §4.2).
    AmtRelay,
    /// Host identity: algorithm, tag, key, rendezvous servers (RFC 8005 §5).
    HostIdentity,
    /// Service parameters (RFC 9460 §2.1), after priority and target.
    Parameters,
}

/// Words that may stand for numbers.
pub(super) type Vocabulary = &'static [(&'static str, u64)];

const U8: Field = Number(1, &[]);
const U16: Field = Number(2, &[]);
const U32: Field = Number(4, &[]);

/// DNS Security Algorithm Numbers (IANA).
const ALGORITHM: Field = Number(
    1,
    &[
        ("RSAMD5", 1),
        ("DH", 2),
        ("DSA", 3),
        ("RSASHA1", 5),
        ("DSA-NSEC3-SHA1", 6),
        ("DSANSEC3SHA1", 6),
        ("NSEC3DSA", 6),
        ("RSASHA1-NSEC3-SHA1", 7),
        ("NSEC3RSASHA1", 7),
        ("RSASHA256", 8),
        ("RSASHA512", 10),
        ("ECC-GOST", 12),
        ("ECCGOST", 12),
        ("ECDSAP256SHA256", 13),
        ("ECDSAP384SHA384", 14),
        ("ED25519", 15),
        ("ED448", 16),
        ("INDIRECT", 252),
        ("PRIVATEDNS", 253),
        ("PRIVATEOID", 254),
    ],
);
/// DS digest algorithms (IANA).
const DIGEST: Field = Number(
    1,
    &[
        ("SHA-1", 1),
        ("SHA1", 1),
        ("SHA-256", 2),
        ("SHA256", 2),
        ("GOST", 3),
        ("SHA-384", 4),
        ("SHA384", 4),
    ],
);
/// KEY protocol values (RFC 2535 §3.1.3).
const PROTOCOL: Field =
    Number(1, &[("NONE", 0), ("TLS", 1), ("EMAIL", 2), ("DNSSEC", 3), ("IPSEC", 4), ("ALL", 255)]);
/// CERT types (RFC 4398 §2.1).
const CERTIFICATE: Field = Number(
    2,
    &[
        ("PKIX", 1),
        ("SPKI", 2),
        ("PGP", 3),
        ("IPKIX", 4),
        ("ISPKI", 5),
        ("IPGP", 6),
        ("ACPKIX", 7),
        ("IACPKIX", 8),
        ("URI", 253),
        ("OID", 254),
    ],
);
/// DSYNC schemes (RFC 9859 §2.1).
const SCHEME: Field = Number(1, &[("NOTIFY", 1)]);

const DELEGATION_SIGNER: &[Field] = &[U16, ALGORITHM, DIGEST, Hex];
const KEY: &[Field] = &[U16, PROTOCOL, ALGORITHM, Base64];
/// RFC 2535 §3.1.2: flags may say that there is no key.
const OLD_KEY: &[Field] = &[U16, PROTOCOL, ALGORITHM, Base64OrNone];
const SIGNATURE: &[Field] = &[Type, ALGORITHM, U8, Period, Time, Time, U16, Name, Base64];

/// The fields of a type's rdata; none for a type that only the generic form can write (RFC 3597
/// §5).
#[rustfmt::skip]
pub(super) const fn fields(rtype: Rtype) -> Option<&'static [Field]> {
    Some(match rtype {
        Rtype::A => &[Ipv4],
        Rtype::NS | Rtype::CNAME | Rtype::DNAME | Rtype::PTR | Rtype::NSAP_PTR => &[Name],
        Rtype::MD | Rtype::MF | Rtype::MB | Rtype::MG | Rtype::MR => &[Name],
        Rtype::SOA => &[Name, Name, U32, Period, Period, Period, Period],
        Rtype::WKS => &[Ipv4, Services],
        Rtype::HINFO => &[Text, Text],
        Rtype::MINFO | Rtype::RP | Rtype::TALINK => &[Name, Name],
        Rtype::MX | Rtype::AFSDB | Rtype::RT | Rtype::KX | Rtype::LP => &[U16, Name],
        Rtype::TXT | Rtype::SPF | Rtype::NINFO | Rtype::AVC => &[Texts],
        Rtype::RESINFO | Rtype::WALLET | Rtype::CLA => &[Texts],
        Rtype::X25 => &[Text],
        Rtype::ISDN => &[Text, TextOrNone],
        Rtype::NSAP => &[Nsap],
        Rtype::SIG | Rtype::RRSIG => SIGNATURE,
        Rtype::DNSKEY | Rtype::CDNSKEY | Rtype::RKEY => KEY,
        Rtype::KEY => OLD_KEY,
        Rtype::PX => &[U16, Name, Name],
        Rtype::GPOS => &[Text, Text, Text],
        Rtype::AAAA => &[Ipv6],
        Rtype::LOC => &[Location],
        Rtype::NXT => &[Name, OldBitmap],
        Rtype::EID | Rtype::NIMLOC => &[Hex],
        Rtype::SRV => &[U16, U16, U16, Name],
        Rtype::ATMA => &[Atm],
        Rtype::NAPTR => &[U16, U16, Text, Text, Text, Name],
        Rtype::CERT => &[CERTIFICATE, U16, ALGORITHM, Base64],
        Rtype::A6 => &[PrefixedAddress],
        Rtype::SINK => &[U8, U8, U8, Base64],
        Rtype::APL => &[Prefixes],
        Rtype::DS | Rtype::CDS | Rtype::DLV | Rtype::TA => DELEGATION_SIGNER,
        Rtype::SSHFP => &[U8, U8, Hex],
        Rtype::IPSECKEY => &[IpsecGateway, Base64OrNone],
        Rtype::NSEC => &[Name, Bitmap],
        Rtype::DHCID | Rtype::OPENPGPKEY | Rtype::HHIT | Rtype::BRID => &[Base64],
        Rtype::NSEC3 => &[U8, U8, U16, Salt, Hash, Bitmap],
        Rtype::NSEC3PARAM => &[U8, U8, U16, Salt],
        Rtype::TLSA | Rtype::SMIMEA => &[U8, U8, U8, Hex],
        Rtype::HIP => &[HostIdentity],
        Rtype::CSYNC => &[U32, U16, Bitmap],
        Rtype::ZONEMD => &[U32, U8, U8, Hex],
        Rtype::SVCB | Rtype::HTTPS => &[U16, Name, Parameters],
        Rtype::DSYNC => &[Type, SCHEME, U16, Name],
        Rtype::NID | Rtype::L64 => &[U16, Locator],
        Rtype::L32 => &[U16, Ipv4],
        Rtype::EUI48 => &[Eui(6)],
        Rtype::EUI64 => &[Eui(8)],
        Rtype::URI => &[U16, U16, LongText],
        Rtype::CAA => &[U8, Tag, LongText],
        Rtype::DOA => &[U32, U32, U8, Text, Base64OrDash],
        Rtype::AMTRELAY => &[AmtRelay],
        Rtype::IPN => &[Number(8, &[])],
        _ => return None,
    })
}
