//! The registries of DNS: types, classes, response codes, opcodes, with their mnemonics (IANA DNS Parameters).

use std::fmt;

/// An RR type or QTYPE.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rtype(pub u16);

/// An RR class or QCLASS.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u16);

/// A response code, extended by EDNS to 12 bits (RFC 6891 §6.1.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rcode(pub u16);

/// An opcode, 4 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opcode(pub u8);

macro_rules! mnemonics {
    ($kind:ident, $int:ty, $prefix:literal, $($name:ident = $number:literal $(as $text:literal)?),+ $(,)?) => {
        #[allow(missing_docs, reason = "each constant is the mnemonic of its registry")]
        impl $kind {
            $(pub const $name: $kind = $kind($number);)+

            /// The mnemonic of its registry, if it has one.
            pub const fn mnemonic(self) -> Option<&'static str> {
                match self {
                    $($kind::$name => Some(mnemonics!(@text $name $($text)?)),)+
                    _ => None,
                }
            }

            /// Reads a mnemonic in any case, or the generic form with a number.
            pub fn parse(text: &str) -> Option<$kind> {
                $(if text.eq_ignore_ascii_case(mnemonics!(@text $name $($text)?)) { return Some($kind::$name); })+
                let prefix = text.get(..$prefix.len())?;
                let digits = text.get($prefix.len()..)?;
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                (plain && prefix.eq_ignore_ascii_case($prefix)).then(|| digits.parse().ok().map($kind))?
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.mnemonic() {
                    Some(mnemonic) => f.write_str(mnemonic),
                    None => write!(f, concat!($prefix, "{}"), self.0),
                }
            }
        }

        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
    (@text $name:ident $text:literal) => { $text };
    (@text $name:ident) => { stringify!($name) };
}

mnemonics! { Rtype, u16, "TYPE",
    A = 1, NS = 2, MD = 3, MF = 4, CNAME = 5, SOA = 6, MB = 7, MG = 8, MR = 9, NULL = 10, WKS = 11, PTR = 12,
    HINFO = 13, MINFO = 14, MX = 15, TXT = 16, RP = 17, AFSDB = 18, X25 = 19, ISDN = 20, RT = 21, NSAP = 22,
    NSAP_PTR = 23 as "NSAP-PTR", SIG = 24, KEY = 25, PX = 26, GPOS = 27, AAAA = 28, LOC = 29, NXT = 30, EID = 31,
    NIMLOC = 32, SRV = 33, ATMA = 34, NAPTR = 35, KX = 36, CERT = 37, A6 = 38, DNAME = 39, SINK = 40, OPT = 41,
    APL = 42, DS = 43, SSHFP = 44, IPSECKEY = 45, RRSIG = 46, NSEC = 47, DNSKEY = 48, DHCID = 49, NSEC3 = 50,
    NSEC3PARAM = 51, TLSA = 52, SMIMEA = 53, HIP = 55, NINFO = 56, RKEY = 57, TALINK = 58, CDS = 59, CDNSKEY = 60,
    OPENPGPKEY = 61, CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65, DSYNC = 66, HHIT = 67, BRID = 68, SPF = 99,
    UINFO = 100, UID = 101, GID = 102, UNSPEC = 103, NID = 104, L32 = 105, L64 = 106, LP = 107, EUI48 = 108,
    EUI64 = 109, NXNAME = 128, TKEY = 249, TSIG = 250,
    IXFR = 251, AXFR = 252, MAILB = 253, MAILA = 254, ANY = 255, URI = 256, CAA = 257, AVC = 258, DOA = 259,
    AMTRELAY = 260, RESINFO = 261, WALLET = 262, CLA = 263, IPN = 264, TA = 32768, DLV = 32769,
}

mnemonics! { Class, u16, "CLASS", IN = 1, CH = 3, HS = 4, NONE = 254, ANY = 255 }

mnemonics! { Rcode, u16, "RCODE",
    NOERROR = 0, FORMERR = 1, SERVFAIL = 2, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5, YXDOMAIN = 6, YXRRSET = 7,
    NXRRSET = 8, NOTAUTH = 9, NOTZONE = 10, BADVERS = 16, BADCOOKIE = 23,
}

mnemonics! { Opcode, u8, "OPCODE", QUERY = 0, IQUERY = 1, STATUS = 2, NOTIFY = 4, UPDATE = 5, DSO = 6 }

impl Rtype {
    /// Whether it may only be asked for or describes a message, never stands in a zone (RFC 6895 §3.1).
    pub const fn is_meta(self) -> bool {
        self.0 == 0 || self.0 == Rtype::OPT.0 || (self.0 >= 128 && self.0 <= 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_read_and_write_in_any_case() {
        assert_eq!(Rtype::parse("nsap-ptr"), Some(Rtype::NSAP_PTR));
        assert_eq!(Rtype::NSAP_PTR.to_string(), "NSAP-PTR");
        assert_eq!(Rtype::parse("type65534"), Some(Rtype(65534)));
        assert_eq!(Rtype::parse("TYPE1"), Some(Rtype::A));
        assert_eq!(Rtype(65534).to_string(), "TYPE65534");
        for bad in ["", "TYPE", "TYPE65536", "TYPE+1", "TYPExyz", "é"] {
            assert_eq!(Rtype::parse(bad), None, "{bad}");
        }
    }
}
