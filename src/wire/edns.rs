//! EDNS: the OPT record of a request (RFC 6891) and the options that we understand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Octets of an OPT record without options: root owner, type, payload size, extended flags, rdata length.
pub const OPT_FIXED_LEN: usize = 11;

/// An option's number (IANA DNS EDNS0 Option Codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionCode(pub u16);

impl OptionCode {
    /// Name server identifier (RFC 5001).
    pub const NSID: OptionCode = OptionCode(3);
    /// Client subnet (RFC 7871).
    pub const CLIENT_SUBNET: OptionCode = OptionCode(8);
    /// DNS cookie (RFC 7873).
    pub const COOKIE: OptionCode = OptionCode(10);
    /// How long an idle connection stays open (RFC 7828).
    pub const TCP_KEEPALIVE: OptionCode = OptionCode(11);
    /// Octets that say nothing (RFC 7830).
    pub const PADDING: OptionCode = OptionCode(12);
    /// Extended DNS error (RFC 8914).
    pub const EXTENDED_ERROR: OptionCode = OptionCode(15);
    /// Version of a zone (RFC 9660).
    pub const ZONE_VERSION: OptionCode = OptionCode(19);
}

/// An extended error's info code (RFC 8914 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedError(pub u16);

impl ExtendedError {
    /// None of the others: the text tells.
    pub const OTHER: ExtendedError = ExtendedError(0);
    /// The server has not loaded the data yet.
    pub const NOT_READY: ExtendedError = ExtendedError(14);
    /// Not authoritative for the name.
    pub const NOT_AUTHORITATIVE: ExtendedError = ExtendedError(20);
}

/// The EDNS part of a query.
#[derive(Clone, Copy, Debug)]
pub struct Edns<'a> {
    /// The largest UDP payload that the requestor takes, at least 512 (RFC 6891 §6.2.3).
    pub payload: u16,
    /// Whether DNSSEC records are wanted (RFC 3225).
    pub dnssec_ok: bool,
    /// Whether the server's identifier is wanted.
    pub wants_nsid: bool,
    /// The client subnet.
    pub subnet: Option<ClientSubnet<'a>>,
    /// Whether a client subnet option is there that is not sound: a format error to a server that uses the option
    /// (RFC 7871 §7.2.1), nothing to one that does not (RFC 6891 §6.1.2).
    pub has_bad_subnet: bool,
    /// The cookie.
    pub cookie: Option<Cookie<'a>>,
    /// Whether the client asks how long an idle connection stays open.
    pub wants_keepalive: bool,
    /// Whether the client hides the length of what it says, and wants ours hidden.
    pub is_padded: bool,
    /// Whether the version of the zone is wanted.
    pub wants_zone_version: bool,
}

/// A client subnet option (RFC 7871 §6), found sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSubnet<'a> {
    /// Family, source, scope, address as they came: the response echoes all but the scope.
    pub option: &'a [u8],
    /// The length of the prefix.
    pub source: u8,
    /// The prefix's first address; none if the source is 0, which asks not to be looked up (RFC 7871 §7.1.2).
    pub address: Option<IpAddr>,
}

/// A cookie option (RFC 7873 §4), of a sound length. What the server cookie is worth is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// The client's own part, to be sent back to it.
    pub client: [u8; 8],
    /// What a server gave that client before, 8 to 32 octets; empty if it has none yet.
    pub server: &'a [u8],
}

/// Why the records of a request are not to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdnsError {
    /// The message itself is broken.
    Malformed,
    /// The OPT record or an option in it is broken.
    BadOption,
    /// An EDNS version that we do not speak.
    BadVersion,
}

const FLAG_DO: u16 = 0x8000;

impl<'a> Edns<'a> {
    /// Whether a client subnet option is there, sound or not.
    #[inline]
    pub fn tells_subnet(&self) -> bool {
        self.subnet.is_some() || self.has_bad_subnet
    }

    /// Leaves what a server reads that does not know the client subnet option.
    pub fn forget_subnet(&mut self) {
        (self.subnet, self.has_bad_subnet) = (None, false);
    }

    /// Reads an OPT record: the six octets of its class and TTL, and its rdata.
    pub(super) fn parse(fixed: [u8; 6], rdata: &'a [u8]) -> Result<Edns<'a>, EdnsError> {
        let [size_high, size_low, _, version, flags_high, flags_low] = fixed;
        if version != 0 {
            return Err(EdnsError::BadVersion);
        }
        let mut edns = Edns {
            payload: u16::from_be_bytes([size_high, size_low]).max(512),
            dnssec_ok: u16::from_be_bytes([flags_high, flags_low]) & FLAG_DO != 0,
            wants_nsid: false,
            subnet: None,
            has_bad_subnet: false,
            cookie: None,
            wants_keepalive: false,
            is_padded: false,
            wants_zone_version: false,
        };
        let mut rest = rdata;
        // Bounded by the rdata: an option takes four octets at least.
        while !rest.is_empty() {
            let (head, after) = rest.split_first_chunk::<4>().ok_or(EdnsError::BadOption)?;
            let len = u16::from_be_bytes([head[2], head[3]]) as usize;
            let (data, after) = after.split_at_checked(len).ok_or(EdnsError::BadOption)?;
            edns.take(OptionCode(u16::from_be_bytes([head[0], head[1]])), data)?;
            rest = after;
        }
        Ok(edns)
    }

    fn take(&mut self, code: OptionCode, data: &'a [u8]) -> Result<(), EdnsError> {
        match code {
            OptionCode::NSID => self.wants_nsid = true,
            OptionCode::CLIENT_SUBNET => {
                self.subnet = ClientSubnet::parse(data);
                self.has_bad_subnet |= self.subnet.is_none();
            }
            // RFC 7873 §5.2: of several cookies the first counts.
            OptionCode::COOKIE if self.cookie.is_none() => {
                self.cookie = Some(Cookie::parse(data).ok_or(EdnsError::BadOption)?);
            }
            OptionCode::TCP_KEEPALIVE => self.wants_keepalive = true,
            OptionCode::PADDING => self.is_padded = true,
            // RFC 9660 §3.1: a client sends it empty.
            OptionCode::ZONE_VERSION if data.is_empty() => self.wants_zone_version = true,
            OptionCode::ZONE_VERSION => return Err(EdnsError::BadOption),
            // RFC 6891 §6.1.2: options that are not understood are ignored.
            _ => {}
        }
        Ok(())
    }
}

impl<'a> ClientSubnet<'a> {
    /// Reads the option's data. None where RFC 7871 §6 or §7.1.2 asks for FORMERR: an unknown family, a source beyond
    /// the family, a scope that is set, more or fewer octets than the source needs, or bits set beyond it.
    fn parse(option: &'a [u8]) -> Option<ClientSubnet<'a>> {
        let ([family_high, family, source, scope], address) = option.split_first_chunk::<4>()?;
        let family = u16::from_be_bytes([*family_high, *family]);
        let bits: u8 = match family {
            1 => 32,
            2 => 128,
            // Some clients write family 0 for "do not look me up"; there is nothing in it to get wrong.
            0 => 0,
            _ => return None,
        };
        let octets = usize::from(*source).div_ceil(8);
        if *source > bits || *scope != 0 || address.len() != octets {
            return None;
        }
        let mut full = [0; 16];
        full.get_mut(..octets)?.copy_from_slice(address);
        let spare = octets * 8 - usize::from(*source);
        if address.last().is_some_and(|last| u16::from(*last) & ((1 << spare) - 1) != 0) {
            return None;
        }
        let address = match (family, source) {
            (_, 0) => None,
            (1, _) => Some(IpAddr::V4(Ipv4Addr::new(full[0], full[1], full[2], full[3]))),
            _ => Some(IpAddr::V6(Ipv6Addr::from(full))),
        };
        Some(ClientSubnet { option, source: *source, address })
    }
}

impl<'a> Cookie<'a> {
    /// Reads the option's data. None where RFC 7873 §5.2.2 asks for FORMERR: a client cookie cut short, or a server
    /// cookie of fewer than 8 or more than 32 octets.
    fn parse(option: &'a [u8]) -> Option<Cookie<'a>> {
        let (client, server) = option.split_first_chunk::<8>()?;
        matches!(server.len(), 0 | 8..=32).then_some(Cookie { client: *client, server })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(option: &[u8]) -> Option<Option<IpAddr>> {
        ClientSubnet::parse(option).map(|s| s.address)
    }

    #[test]
    fn a_subnet_is_read_whole_or_not_at_all() {
        assert_eq!(subnet(b"\0\x01\x18\0\xc0\0\x02"), Some("192.0.2.0".parse().ok()));
        assert_eq!(subnet(b"\0\x01\x1b\0\xc0\0\x02\xe0"), Some("192.0.2.224".parse().ok()));
        assert_eq!(
            subnet(b"\0\x02\x38\0\x20\x01\x0d\xb8\0\x01\0"),
            Some("2001:db8:1::".parse().ok())
        );
        for silent in [&b"\0\x01\0\0"[..], b"\0\x02\0\0", b"\0\0\0\0"] {
            assert_eq!(subnet(silent), Some(None), "{silent:?}");
        }
    }

    // RFC 7871 §6 and §7.1.2.
    #[test]
    fn a_subnet_with_any_fault_is_a_format_error() {
        let faults: [&[u8]; 12] = [
            b"",
            b"\0",
            b"\0\x01\x21\0\xc0\0\x02\0\0", // source over 32
            b"\0\x01\x20\0\xc0\0\x02",     // too few octets
            b"\0\x01\x18\0\xc0\0\x02\x01", // too many
            b"\0\x01\x1f\0\xc0\0\x02\x01", // a bit beyond the source
            b"\0\x01\x18\x01\xc0\0\x02",   // scope set
            b"\0\x03\x08\0\x01",           // unknown family
            b"\0\x2a\0\0",
            b"\0\0\x08\0\x01", // no family, yet an address
            b"\0\x02\x81\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\0\x02\x80\0\x20\x01",
        ];
        for fault in faults {
            assert_eq!(subnet(fault), None, "{fault:?}");
        }
    }

    // RFC 7873 §5.2.2.
    #[test]
    fn a_cookie_is_8_octets_or_16_to_40() {
        for len in 0..=48 {
            let option: Vec<u8> = (0..len).collect();
            let is_sound = len == 8 || (16..=40).contains(&len);
            let cookie = Cookie::parse(&option);
            assert_eq!(cookie.is_some(), is_sound, "{len}");
            if let Some(cookie) = cookie {
                assert_eq!([&cookie.client[..], cookie.server].concat(), option);
            }
        }
    }

    // RFC 7873 §5.2: the first counts, and the others are not even looked at.
    #[test]
    fn of_several_cookies_the_first_counts() {
        let rdata = b"\0\x0a\0\x0812345678\0\x0a\0\x01x";
        let edns = Edns::parse([2, 0, 0, 0, 0, 0], rdata).ok().and_then(|e| e.cookie);
        assert_eq!(edns, Some(Cookie { client: *b"12345678", server: b"" }));
        assert_eq!(
            Edns::parse([2, 0, 0, 0, 0, 0], b"\0\x0a\0\x01x").err(),
            Some(EdnsError::BadOption)
        );
    }

    // RFC 7871 §7.2.1: whether it matters is for whoever knows if the option is used.
    #[test]
    fn a_subnet_with_a_fault_spoils_the_sound_one_beside_it() {
        let rdata = b"\0\x08\0\x01x\0\x08\0\x07\0\x01\x18\0\xc0\0\x02";
        let mut edns = Edns::parse([2, 0, 0, 0, 0, 0], rdata).unwrap();
        assert!(edns.has_bad_subnet && edns.tells_subnet());
        edns.forget_subnet();
        assert!(!edns.tells_subnet());
        let sound = Edns::parse([2, 0, 0, 0, 0, 0], rdata.get(5..).unwrap()).unwrap();
        assert!(!sound.has_bad_subnet && sound.tells_subnet());
    }

    #[test]
    fn options_are_bounded_by_their_record() {
        let parse =
            |rdata| Edns::parse([2, 0, 0, 0, 0x80, 0], rdata).map(|e| (e.payload, e.dnssec_ok));
        assert_eq!(parse(b"\0\x64\0\x02ab"), Ok((512, true)));
        assert_eq!(parse(b"\0\x03\0\x32"), Err(EdnsError::BadOption));
        assert_eq!(parse(b"\0"), Err(EdnsError::BadOption));
        assert_eq!(Edns::parse([0, 100, 0, 0, 0, 0], b"").map(|e| e.payload), Ok(512));
        assert_eq!(Edns::parse([2, 0, 0, 1, 0, 0], b"\0").err(), Some(EdnsError::BadVersion));
    }
}
