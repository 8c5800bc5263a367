//! The apex: name servers, and a SOA whose numbers make sense to secondaries and resolvers.

use crate::wire::{Name, Rtype};

use super::super::report::Mark;
use super::placed::{Placed, Remarks};

const DAY_SECS: u32 = 86_400;

/// Remarks on the apex.
pub fn check(placed: Placed<'_>, is_complete: bool, remarks: &mut Remarks<'_, '_>) {
    if let Some(mark) = placed.mark().filter(|_| is_complete && !placed.has(Rtype::NS)) {
        remarks.say(mark, "ns-missing", "name the servers of the zone (RFC 1035 §5.2)", || {
            format!("the apex {} has no NS records", placed.owner)
        });
    }
    if let Some((rrset, mark)) = placed.rrset(Rtype::SOA)
        && let Some(soa) = rrset.rdata.first().and_then(|rdata| Soa::read(rdata))
    {
        soa.check(rrset.ttl.as_secs(), mark, remarks);
    }
}

struct Soa {
    mail: Name,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
}

impl Soa {
    fn read(rdata: &[u8]) -> Option<Soa> {
        let (_, primary_len) = Name::from_wire(rdata).ok()?;
        let (mail, mail_len) = Name::from_wire(rdata.get(primary_len..)?).ok()?;
        let numbers = rdata.get(primary_len + mail_len..)?;
        let number = |index: usize| {
            let octets = numbers.get(4 * index..4 * index + 4)?;
            Some(u32::from_be_bytes(octets.try_into().ok()?))
        };
        let (refresh, retry) = (number(1)?, number(2)?);
        Some(Soa { mail, refresh, retry, expire: number(3)?, minimum: number(4)? })
    }

    fn check(&self, ttl: u32, mark: Mark, remarks: &mut Remarks<'_, '_>) {
        let Soa { refresh, retry, expire, minimum, .. } = *self;
        if self.mail.labels().next().is_some_and(|label| label.contains(&b'@')) {
            let help = "write the @ as a dot (RFC 1035 §8)";
            remarks.say(mark, "soa-mail-address", help, || {
                format!("the mail address {} holds an @", self.mail)
            });
        }
        if retry >= refresh {
            let help = "retry is a fraction of refresh (RFC 1912 §2.2)";
            remarks.say(mark, "soa-retry", help, || {
                format!("retry is {retry} s, and refresh no more than {refresh} s")
            });
        }
        if u64::from(expire) < u64::from(refresh) + u64::from(retry) {
            let help = "two to four weeks are usual (RFC 1912 §2.2)";
            remarks.say(mark, "soa-expire", help, || {
                format!(
                    "expire, {expire} s, is below refresh and retry together: one missed look \
                     takes a secondary down"
                )
            });
        }
        // RFC 2308 §5: the smaller of the two is what counts.
        let negative = minimum.min(ttl);
        if negative > DAY_SECS {
            let help = "minutes to three hours are good (RFC 2308 §5)";
            remarks.say(mark, "soa-negative-ttl", help, || {
                format!("a missing name is remembered for up to {negative} s")
            });
        }
    }
}
