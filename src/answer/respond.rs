//! One query into one response: where every transport, `explain` and the tests come in.

use std::sync::Arc;

use crate::trace::{Silent, Trace};
use crate::wire::{
    Class, CookieQuery, Edns, Flags, Parsed, Query, Rcode, Rejected, Rtype, Writer, parse_query,
};

use super::chain::{Resolution, World};
use super::chaos;
use super::cookie::CookieSecrets;
use super::counters::Counters;
use super::exchange::{Exchange, Outcome, Site, Transport, UDP_PAYLOAD_MAX};
use super::opt::{Known, ResponseOpt};
use super::resolve::resolve;
use super::snapshot::Snapshot;
use super::suffix::{QNAME_AT, Suffixes};

/// The largest response over UDP to a client without EDNS (RFC 1035 §4.2.1).
const UDP_PAYLOAD_MIN: usize = 512;

/// What one core keeps: counters, and scratch memory that `respond` overwrites.
pub struct Core {
    /// What this server says of itself.
    pub site: Arc<Site>,
    /// This core's counters, shared with whoever sums them.
    pub counters: Arc<Counters>,
    pub(super) name: Suffixes,
}

impl Core {
    /// Memory for one core.
    pub fn new(site: Arc<Site>, counters: Arc<Counters>) -> Core {
        Core { site, counters, name: Suffixes::new() }
    }
}

/// Answers one request from one snapshot. No clock, no randomness, no I/O, no lock, no allocation; any bytes at all are
/// answered, refused or met with silence.
#[inline]
pub fn respond(
    snapshot: &Snapshot,
    exchange: Exchange<'_>,
    core: &mut Core,
    trace: &mut impl Trace,
) -> Outcome {
    let transport = exchange.transport;
    let outcome = match parse_query(exchange.request) {
        Parsed::Silence => Outcome::bare(0, Rcode::NOERROR, 0),
        Parsed::Rejected(rejected) => reject(&rejected, exchange.response),
        Parsed::Cookie(query) => give_cookie(&query, exchange, core),
        // RFC 9250 §5.5.2: over QUIC the option is an error of the connection, which ends on silence.
        Parsed::Query(query)
            if transport == Transport::Quic && query.edns.is_some_and(|e| e.wants_keepalive) =>
        {
            Outcome::bare(0, Rcode::NOERROR, 0)
        }
        Parsed::Query(mut query) => match read_subnet(&mut query.edns, &exchange, core) {
            Ok(()) => answer(snapshot, &query, exchange, core, trace),
            Err(rcode) => {
                let Query { id, flags, question, .. } = query;
                reject(&Rejected { id, flags, question, rcode, has_edns: true }, exchange.response)
            }
        },
    };
    core.counters.outcome(transport, &outcome);
    outcome
}

/// [`respond`] with nobody listening.
#[inline]
pub fn respond_quietly(snapshot: &Snapshot, exchange: Exchange<'_>, core: &mut Core) -> Outcome {
    respond(snapshot, exchange, core, &mut Silent)
}

/// A response code, and the question where it is sound.
fn reject(rejected: &Rejected<'_>, response: &mut [u8]) -> Outcome {
    let mut writer = Writer::new(response, UDP_PAYLOAD_MIN);
    let echoed = !rejected.question.is_empty() && writer.put(rejected.question);
    let opt_at = writer.len();
    if rejected.has_edns {
        ResponseOpt::bare().write(&mut writer, rejected.rcode, &Known::default());
    }
    let flags = Flags(rejected.flags.of_response().0 | rejected.rcode.0 & 0x0f);
    let len = writer.finish(rejected.id, flags, u16::from(echoed));
    Outcome::bare(len, rejected.rcode, len - opt_at)
}

/// Leaves of `edns` what this server reads of that client; a response code where a client subnet that is used is not sound.
///
/// RFC 7871 §7.2.1: who has not enabled the option ignores it, sound or not, and leaves it out of the response to say so;
/// who has rejects one that is not sound. A resolver that is not believed meets the former.
#[inline]
fn read_subnet(
    edns: &mut Option<Edns<'_>>,
    exchange: &Exchange<'_>,
    core: &Core,
) -> Result<(), Rcode> {
    let Some(told) = edns.as_mut().filter(|edns| edns.tells_subnet()) else { return Ok(()) };
    if core.site.subnet_trust.believes(exchange.client) {
        return if told.has_bad_subnet { Err(Rcode::FORMERR) } else { Ok(()) };
    }
    Counters::add(&core.counters.subnet_untrusted, 1);
    told.forget_subnet();
    Ok(())
}

/// A cookie, and no sections besides (RFC 7873 §5.4). To who does not speak cookies the query is malformed.
fn give_cookie(query: &CookieQuery<'_>, exchange: Exchange<'_>, core: &Core) -> Outcome {
    let CookieQuery { id, flags, edns, cookie } = query;
    let (site, mut edns) = (&core.site, Some(*edns));
    let read = read_subnet(&mut edns, &exchange, core);
    let (Some(secrets), Some(edns), Ok(())) = (&site.cookie_secrets, edns, read) else {
        let rcode = Rcode::FORMERR;
        let rejected = Rejected { id: *id, flags: *flags, question: &[], rcode, has_edns: true };
        return reject(&rejected, exchange.response);
    };
    let cookie = secrets.renew(cookie, exchange.client, exchange.now_secs);
    let opt = ResponseOpt::of(&edns, &site.name, &exchange, Some(cookie.octets));
    let mut writer = Writer::new(exchange.response, UDP_PAYLOAD_MIN);
    let opt_at = writer.len();
    opt.write(&mut writer, Rcode::NOERROR, &Known::default());
    let len = writer.finish(*id, flags.of_response(), 0);
    Outcome { proven: cookie.is_proven, ..Outcome::bare(len, Rcode::NOERROR, len - opt_at) }
}

fn answer(
    snapshot: &Snapshot,
    query: &Query<'_>,
    exchange: Exchange<'_>,
    core: &mut Core,
    trace: &mut impl Trace,
) -> Outcome {
    let Core { site, counters, name } = core;
    let edns = query.edns.as_ref();
    let subnet = edns.and_then(|e| e.subnet);
    let dnssec_ok = edns.is_some_and(|e| e.dnssec_ok);
    counters.query(query.qtype, subnet.is_some(), dnssec_ok);

    let spoken = edns.and_then(|e| e.cookie.as_ref()).zip(site.cookie_secrets.as_ref());
    let renew = |(cookie, secrets): (_, &CookieSecrets)| {
        secrets.renew(cookie, exchange.client, exchange.now_secs)
    };
    let renewed = spoken.map(renew);
    let proven = renewed.is_some_and(|renewed| renewed.is_proven);
    let cookie = renewed.map(|renewed| renewed.octets);
    let opt = edns.map(|edns| ResponseOpt::of(edns, &site.name, &exchange, cookie));
    let room = opt.map_or(0, |opt| opt.room());
    let unproven = site.unproven_payload.filter(|_| !proven);
    let mut writer = Writer::new(exchange.response, limit(exchange.transport, query, unproven));
    writer.reserve(room);
    let question_end = put_question(&mut writer, query);
    let is_sound = name.load(writer.message(), usize::from(QNAME_AT), snapshot.catalog.seed());
    let resolution = match query.qclass {
        _ if !is_sound => Resolution::refusal(Rcode::FORMERR),
        Class::CH => chaos(snapshot, site, query.qtype, name, &mut writer),
        Class::IN | Class::ANY => {
            let (resolver, subnet) = (exchange.client, subnet.and_then(|s| s.address));
            let wants_version = opt.is_some_and(|opt| opt.wants_zone_version);
            let world = World { snapshot, counters, resolver, subnet, dnssec_ok, wants_version };
            resolve(&world, query.qtype, name, &mut writer, trace)
        }
        _ => Resolution::refusal(Rcode::REFUSED),
    };
    if resolution.truncated {
        writer.cut(question_end);
    }
    writer.release(room);
    let opt_at = writer.len();
    if let Some(opt) = opt {
        // RFC 7871 §7.1.2: a subnet of length 0 asks not to be looked up, and gets scope 0.
        let scope = if subnet.is_some_and(|s| s.source > 0) { resolution.scope.0 } else { 0 };
        let Resolution { explanation, version, .. } = resolution;
        opt.write(&mut writer, resolution.rcode, &Known { scope, explanation, version });
    }
    let opt_len = (writer.len() - opt_at) as u16;
    Outcome { proven, opt_len, ..finish(writer, query, &resolution) }
}

/// Octets that the response may have; over UDP no more than `unproven` says, if it says so.
fn limit(transport: Transport, query: &Query<'_>, unproven: Option<u16>) -> usize {
    let most = unproven.map_or(UDP_PAYLOAD_MAX, usize::from);
    match (transport, &query.edns) {
        (Transport::Tcp | Transport::Tls | Transport::Https | Transport::Quic, _) => {
            usize::from(u16::MAX)
        }
        (Transport::Udp, Some(edns)) => usize::from(edns.payload).min(most),
        (Transport::Udp, None) => UDP_PAYLOAD_MIN,
    }
}

fn put_question(writer: &mut Writer<'_>, query: &Query<'_>) -> usize {
    writer.put(query.question);
    writer.len()
}

fn chaos(
    snapshot: &Snapshot,
    site: &Site,
    qtype: Rtype,
    name: &Suffixes,
    writer: &mut Writer<'_>,
) -> Resolution {
    let is_text = qtype == Rtype::TXT || qtype == Rtype::ANY;
    match is_text.then(|| chaos::answer(snapshot, site, name.name(), writer)).flatten() {
        Some(()) => Resolution::authoritative(name.hash(0)),
        None => Resolution::refusal(Rcode::REFUSED),
    }
}

fn finish(writer: Writer<'_>, query: &Query<'_>, resolution: &Resolution) -> Outcome {
    let mut flags = query.flags.of_response().0 | resolution.rcode.0 & 0x0f;
    if resolution.authoritative {
        flags |= Flags::AA;
    }
    if resolution.truncated {
        flags |= Flags::TC;
    }
    let len = writer.finish(query.id, Flags(flags), 1);
    let (truncated, account) = (resolution.truncated, resolution.account());
    Outcome { truncated, account, ..Outcome::bare(len, resolution.rcode, 0) }
}

#[cfg(test)]
mod tests;
