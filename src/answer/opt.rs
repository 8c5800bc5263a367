//! The OPT record of a response (RFC 6891 §6.2): what it takes, and its octets.

use crate::number::Serial;
use crate::reason::Reason;
use crate::wire::{Edns, ExtendedError, OPT_FIXED_LEN, OptionCode, Rcode, Section, Writer};

use super::cookie::COOKIE_LEN;
use super::exchange::{Exchange, Transport, UDP_PAYLOAD_MAX};

const FLAG_DO: u8 = 0x80;
const OPTION_HEAD_LEN: usize = 4;

/// Octets of a zone's version: labels of its apex, the kind of version, its serial (RFC 9660 §2).
const ZONE_VERSION_LEN: usize = 6;

/// Responses are padded to a multiple of this (RFC 8467 §4.1).
const PADDING_BLOCK_LEN: usize = 468;

/// Why, beyond the response code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// DESIGN rule 4.4: the zone never loaded; it answers as soon as it does.
    NeverLoaded,
    /// No zone here has the name.
    NoZone,
    /// A client gets less than it would on a better day.
    Less(Reason),
}

impl Explanation {
    /// The info code, and more for people: a code that `explain` or an alarm tells too.
    const fn words(self) -> (ExtendedError, &'static str) {
        match self {
            Explanation::NeverLoaded => (ExtendedError::NOT_READY, "zone-broken"),
            Explanation::NoZone => (ExtendedError::NOT_AUTHORITATIVE, ""),
            Explanation::Less(reason) => (ExtendedError::OTHER, reason.code()),
        }
    }
}

/// The version of the zone that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneVersion {
    /// Labels of its apex, the root not counted.
    pub label_count: u8,
    /// The serial of its SOA.
    pub serial: Serial,
}

/// What a response's OPT record says. Its size is known before the answer is written, so that room is kept for it.
#[derive(Clone, Copy)]
pub struct ResponseOpt<'a> {
    /// DO, copied from the query (RFC 3225 §3).
    pub dnssec_ok: bool,
    /// The server's identifier, if it was asked for.
    pub nsid: Option<&'a [u8]>,
    /// The client subnet option as it came; it is echoed with the scope.
    pub subnet: Option<&'a [u8]>,
    /// The client cookie and a server cookie, if cookies are spoken by both.
    pub cookie: Option<[u8; COOKIE_LEN]>,
    /// How long an idle connection stays open, in tenths of a second, if that was asked.
    pub idle_tenths: Option<u16>,
    /// Whether the version of the zone was asked for.
    pub wants_zone_version: bool,
    /// Whether its length is hidden.
    pub is_padded: bool,
    /// Whether any of the last three is asked for.
    has_rare: bool,
}

/// What is known of an answer when it is written.
#[derive(Clone, Copy, Default)]
pub struct Known {
    /// The scope of the answer (RFC 7871 §7.2.1).
    pub scope: u8,
    /// Why, beyond the response code.
    pub explanation: Option<Explanation>,
    /// The version of the zone that answers.
    pub version: Option<ZoneVersion>,
}

impl<'a> ResponseOpt<'a> {
    /// What answers the query's own OPT record, of `site` and with this cookie.
    pub fn of(
        edns: &Edns<'a>,
        site: &'a str,
        exchange: &Exchange<'_>,
        cookie: Option<[u8; COOKIE_LEN]>,
    ) -> ResponseOpt<'a> {
        // RFC 7828 §3.2.1: over UDP it is ignored; HTTPS and QUIC have words of their own (RFC 9250 §5.5.2).
        let lasts = matches!(exchange.transport, Transport::Tcp | Transport::Tls);
        let tells_idle = edns.wants_keepalive && lasts;
        // RFC 7830 §6: in the clear it would only make responses larger.
        let is_padded = edns.is_padded && exchange.transport.is_encrypted();
        ResponseOpt {
            dnssec_ok: edns.dnssec_ok,
            nsid: edns.wants_nsid.then_some(site.as_bytes()),
            subnet: edns.subnet.map(|s| s.option),
            cookie,
            idle_tenths: tells_idle.then_some(exchange.idle_tenths),
            wants_zone_version: edns.wants_zone_version,
            is_padded,
            has_rare: tells_idle | edns.wants_zone_version | is_padded,
        }
    }

    /// An OPT record that says nothing but that EDNS is spoken here.
    pub fn bare() -> ResponseOpt<'a> {
        ResponseOpt {
            dnssec_ok: false,
            nsid: None,
            subnet: None,
            cookie: None,
            idle_tenths: None,
            wants_zone_version: false,
            is_padded: false,
            has_rare: false,
        }
    }

    /// Octets to keep for it, an extended error included. The error's text and padding take what room is left.
    pub fn room(&self) -> usize {
        let cookie = self.cookie.as_ref().map(|cookie| &cookie[..]);
        let options = [self.nsid, self.subnet, cookie].into_iter().flatten();
        let options: usize = options.map(|data| OPTION_HEAD_LEN + data.len()).sum();
        // Who asks for one of them has room for both.
        let rare = if self.has_rare { 2 * OPTION_HEAD_LEN + 2 + ZONE_VERSION_LEN } else { 0 };
        OPT_FIXED_LEN + options + rare + OPTION_HEAD_LEN + 2
    }

    /// Writes the record. Invariant opt-has-room: [`ResponseOpt::room`] octets were kept.
    pub fn write(&self, writer: &mut Writer<'_>, rcode: Rcode, known: &Known) {
        let [size_high, size_low] = (UDP_PAYLOAD_MAX as u16).to_be_bytes();
        let flags = if self.dnssec_ok { FLAG_DO } else { 0 };
        let extended = (rcode.0 >> 4) as u8;
        writer.put(&[0, 0, 41, size_high, size_low, extended, 0, flags, 0]);
        let length_at = writer.len();
        writer.put(&[0, 0]);
        if let Some(nsid) = self.nsid {
            option(writer, OptionCode::NSID, nsid);
        }
        if let Some(subnet) = self.subnet {
            let start = writer.len();
            option(writer, OptionCode::CLIENT_SUBNET, subnet);
            // The last two of the first four octets are source and scope.
            let source = writer.word_at(start + OPTION_HEAD_LEN + 2) & 0xff00;
            writer.patch(start + OPTION_HEAD_LEN + 2, source | u16::from(known.scope));
        }
        if let Some(cookie) = &self.cookie {
            option(writer, OptionCode::COOKIE, cookie);
        }
        if self.has_rare || known.explanation.is_some() {
            self.write_rare(writer, known);
        }
        writer.patch(length_at, (writer.len() - length_at - 2) as u16);
        writer.count(Section::Additional, 1);
    }

    /// Options that few ask for, or few get.
    #[cold]
    #[inline(never)]
    fn write_rare(&self, writer: &mut Writer<'_>, known: &Known) {
        if let Some(tenths) = self.idle_tenths {
            option(writer, OptionCode::TCP_KEEPALIVE, &tenths.to_be_bytes());
        }
        if self.wants_zone_version
            && let Some(ZoneVersion { label_count, serial }) = known.version
        {
            let [a, b, c, d] = serial.0.to_be_bytes();
            // Kind 0 is the SOA's serial (RFC 9660 §3.3).
            option(writer, OptionCode::ZONE_VERSION, &[label_count, 0, a, b, c, d]);
        }
        if let Some(explanation) = known.explanation {
            explain(writer, explanation);
        }
        if self.is_padded {
            pad(writer);
        }
    }
}

fn option(writer: &mut Writer<'_>, code: OptionCode, data: &[u8]) {
    writer.put(&code.0.to_be_bytes());
    writer.put(&(data.len() as u16).to_be_bytes());
    writer.put(data);
}

/// The text goes along where it fits: nobody asks again over TCP for it.
fn explain(writer: &mut Writer<'_>, explanation: Explanation) {
    let (error, text) = explanation.words();
    let fits = writer.has_room(OPTION_HEAD_LEN + 2 + text.len());
    let text = if fits { text.as_bytes() } else { &[] };
    writer.put(&OptionCode::EXTENDED_ERROR.0.to_be_bytes());
    writer.put(&(2 + text.len() as u16).to_be_bytes());
    writer.put(&error.0.to_be_bytes());
    writer.put(text);
}

/// Makes the message as long as a multiple of the block, if that fits.
fn pad(writer: &mut Writer<'_>) {
    let bare = writer.len() + OPTION_HEAD_LEN;
    let count = bare.next_multiple_of(PADDING_BLOCK_LEN) - bare;
    if writer.has_room(OPTION_HEAD_LEN + count) {
        let zeros = [0; PADDING_BLOCK_LEN];
        option(writer, OptionCode::PADDING, zeros.get(..count).unwrap_or(&[]));
    }
}
