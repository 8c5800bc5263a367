//! The OPT record of a response (RFC 6891 §6.2): what it takes, and its octets.

use crate::wire::{Edns, ExtendedError, OPT_FIXED_LEN, OptionCode, Rcode, Section, Writer};

use super::cookie::COOKIE_LEN;
use super::exchange::UDP_PAYLOAD_MAX;

const FLAG_DO: u8 = 0x80;
const OPTION_HEAD_LEN: usize = 4;

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
    /// Why, beyond the response code.
    pub error: Option<ExtendedError>,
}

impl<'a> ResponseOpt<'a> {
    /// What answers the query's own OPT record, of `site` and with this cookie.
    pub fn of(edns: &Edns<'a>, site: &'a str, cookie: Option<[u8; COOKIE_LEN]>) -> ResponseOpt<'a> {
        ResponseOpt {
            dnssec_ok: edns.dnssec_ok,
            nsid: edns.wants_nsid.then_some(site.as_bytes()),
            subnet: edns.subnet.map(|s| s.option),
            cookie,
            error: None,
        }
    }

    /// An OPT record that says nothing but that EDNS is spoken here.
    pub fn bare() -> ResponseOpt<'a> {
        ResponseOpt { dnssec_ok: false, nsid: None, subnet: None, cookie: None, error: None }
    }

    /// Octets to keep for it, an extended error included.
    pub fn room(&self) -> usize {
        let cookie = self.cookie.as_ref().map(|cookie| &cookie[..]);
        let options = [self.nsid, self.subnet, cookie].into_iter().flatten();
        let options: usize = options.map(|data| OPTION_HEAD_LEN + data.len()).sum();
        OPT_FIXED_LEN + options + OPTION_HEAD_LEN + 2
    }

    /// Writes the record. Invariant opt-has-room: [`ResponseOpt::room`] octets were kept.
    pub fn write(&self, writer: &mut Writer<'_>, rcode: Rcode, scope: u8) {
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
            writer.patch(start + OPTION_HEAD_LEN + 2, source | u16::from(scope));
        }
        if let Some(cookie) = &self.cookie {
            option(writer, OptionCode::COOKIE, cookie);
        }
        if let Some(error) = self.error {
            option(writer, OptionCode::EXTENDED_ERROR, &error.0.to_be_bytes());
        }
        writer.patch(length_at, (writer.len() - length_at - 2) as u16);
        writer.count(Section::Additional, 1);
    }
}

fn option(writer: &mut Writer<'_>, code: OptionCode, data: &[u8]) {
    writer.put(&code.0.to_be_bytes());
    writer.put(&(data.len() as u16).to_be_bytes());
    writer.put(data);
}
