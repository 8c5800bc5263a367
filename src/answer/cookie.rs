//! Server cookies: a client that shows one back has its address (RFC 7873), made as all who share a secret make them
//! (RFC 9018).
//!
//! Owns:  the secrets, the making, the checking.
//! Never: reads a clock, draws a random number, refuses a query: what a cookie is worth to limits is decided there.

use std::fmt;
use std::net::IpAddr;

use data_encoding::HEXLOWER_PERMISSIVE;
use siphasher::sip::SipHasher24;

use crate::wire::Cookie;

/// Octets of the cookie that we send: the client's 8 and our 16 (RFC 9018 §4).
pub const COOKIE_LEN: usize = 8 + SERVER_COOKIE_LEN;

const SERVER_COOKIE_LEN: usize = 16;

/// RFC 9018 §4.1.
const VERSION: u8 = 1;

/// Seconds that a cookie stays good, and seconds that another site's clock may be ahead (RFC 9018 §4.3).
const AGE_SECS_MAX: i32 = 3600;
const AHEAD_SECS_MAX: i32 = 300;

/// The age in seconds from which on a good cookie is replaced (RFC 9018 §4.3).
const RENEWAL_AGE_SECS: i32 = 1800;

/// What server cookies are made with. Never shown: its `Debug` form does not tell it.
#[derive(Clone, PartialEq, Eq)]
pub struct CookieSecret([u8; 16]);

/// The secret that makes cookies, and another that is good as well while a secret is being replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieSecrets {
    /// Makes new cookies.
    pub current: CookieSecret,
    /// Only checks: the one before, or the one to come (RFC 9018 §5).
    pub previous: Option<CookieSecret>,
}

/// The cookie of a response, and what the one of the request was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The client's cookie and ours.
    pub octets: [u8; COOKIE_LEN],
    /// Whether the client showed one of ours that is good: it has the address that it writes from.
    pub is_proven: bool,
}

/// What a server cookie of a request is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    /// Made here with the current secret, not long ago.
    Fresh,
    /// Good, and to be replaced.
    Ageing,
    /// Absent, forged, too old, or of another make.
    Nothing,
}

impl CookieSecret {
    /// The secret of these octets.
    pub const fn new(octets: [u8; 16]) -> CookieSecret {
        CookieSecret(octets)
    }

    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<CookieSecret> {
        let octets = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        octets.try_into().ok().map(CookieSecret)
    }

    /// The hash of RFC 9018 §4.4: `head` is version, reserved and timestamp as they stand in the cookie.
    fn hash(&self, client: [u8; 8], head: [u8; 8], address: IpAddr) -> [u8; 8] {
        let mut input = [0; 32];
        input[..8].copy_from_slice(&client);
        input[8..16].copy_from_slice(&head);
        let len = match address {
            IpAddr::V4(address) => {
                input[16..20].copy_from_slice(&address.octets());
                20
            }
            IpAddr::V6(address) => {
                input[16..].copy_from_slice(&address.octets());
                32
            }
        };
        SipHasher24::new_with_key(&self.0).hash(&input[..len]).to_le_bytes()
    }
}

impl fmt::Debug for CookieSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieSecret")
    }
}

impl CookieSecrets {
    /// The cookie for the response: as it came while it is fresh, else a new one.
    pub fn renew(&self, cookie: &Cookie<'_>, address: IpAddr, now_secs: u32) -> Renewed {
        let mut octets = [0; COOKIE_LEN];
        octets[..8].copy_from_slice(&cookie.client);
        let server = <&[u8; SERVER_COOKIE_LEN]>::try_from(cookie.server).ok();
        let worth = server.map(|server| self.worth(cookie.client, server, address, now_secs));
        if let (Some(server), Some(Worth::Fresh)) = (server, worth) {
            octets[8..].copy_from_slice(server);
        } else {
            let [a, b, c, d] = now_secs.to_be_bytes();
            let head = [VERSION, 0, 0, 0, a, b, c, d];
            octets[8..16].copy_from_slice(&head);
            octets[16..].copy_from_slice(&self.current.hash(cookie.client, head, address));
        }
        Renewed { octets, is_proven: matches!(worth, Some(Worth::Fresh | Worth::Ageing)) }
    }

    fn worth(
        &self,
        client: [u8; 8],
        server: &[u8; SERVER_COOKIE_LEN],
        address: IpAddr,
        now_secs: u32,
    ) -> Worth {
        let [version, r0, r1, r2, t0, t1, t2, t3, hash @ ..] = *server;
        // RFC 9018 §4.3: serial arithmetic, so that the clock may wrap.
        let age = now_secs.wrapping_sub(u32::from_be_bytes([t0, t1, t2, t3])) as i32;
        if version != VERSION || !(-AHEAD_SECS_MAX..=AGE_SECS_MAX).contains(&age) {
            return Worth::Nothing;
        }
        let head = [version, r0, r1, r2, t0, t1, t2, t3];
        let made_with = |secret: &CookieSecret| is_same(secret.hash(client, head, address), hash);
        if made_with(&self.current) {
            if age < RENEWAL_AGE_SECS { Worth::Fresh } else { Worth::Ageing }
        } else if self.previous.as_ref().is_some_and(made_with) {
            Worth::Ageing
        } else {
            Worth::Nothing
        }
    }
}

/// Compares in a time that does not tell where they differ: all octets are compared as one number.
fn is_same(ours: [u8; 8], theirs: [u8; 8]) -> bool {
    u64::from_ne_bytes(ours) ^ u64::from_ne_bytes(theirs) == 0
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    // RFC 9018 Appendix A: what it is about, secret, client address, client cookie, server cookie.
    const VECTORS: [(&str, &str, &str, &str, &str); 6] = [
        (
            "A.1, a new client",
            "e5e973e5a6b2a43f48e7dc849e37bfcf",
            "198.51.100.100",
            "2464c4abcf10c957",
            "010000005cf79f111f8130c3eee29480",
        ),
        (
            "A.2, the same client later",
            "e5e973e5a6b2a43f48e7dc849e37bfcf",
            "198.51.100.100",
            "2464c4abcf10c957",
            "010000005cf7a871d4a564a1442aca77",
        ),
        (
            "A.3, reserved bits set",
            "e5e973e5a6b2a43f48e7dc849e37bfcf",
            "203.0.113.203",
            "fc93fc62807ddb86",
            "01abcdef5cf78f71a314227b6679ebf5",
        ),
        (
            "A.3, the reply",
            "e5e973e5a6b2a43f48e7dc849e37bfcf",
            "203.0.113.203",
            "fc93fc62807ddb86",
            "010000005cf7a9acf73a7810aca2381e",
        ),
        (
            "A.4, the old secret",
            "dd3bdf9344b678b185a6f5cb60fca715",
            "2001:db8:220:1:59de:d0f4:8769:82b8",
            "22681ab97d52c298",
            "010000005cf7c57926556bd0934c72f8",
        ),
        (
            "A.4, the new secret",
            "445536bcd2513298075a5d379663c962",
            "2001:db8:220:1:59de:d0f4:8769:82b8",
            "22681ab97d52c298",
            "010000005cf7c609a6bb79d16625507a",
        ),
    ];

    fn octets<const LEN: usize>(hex: &str) -> [u8; LEN] {
        HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
    }

    struct Vector {
        about: &'static str,
        secrets: CookieSecrets,
        address: IpAddr,
        client: [u8; 8],
        server: [u8; 16],
        made_secs: u32,
    }

    impl Vector {
        fn renew(&self, server: &[u8], now_secs: u32) -> [u8; COOKIE_LEN] {
            self.renewed(server, now_secs).octets
        }

        fn renewed(&self, server: &[u8], now_secs: u32) -> Renewed {
            self.secrets.renew(&Cookie { client: self.client, server }, self.address, now_secs)
        }

        fn worth(&self, now_secs: u32) -> Worth {
            self.secrets.worth(self.client, &self.server, self.address, now_secs)
        }
    }

    fn vectors() -> Vec<Vector> {
        let read = |(about, secret, address, client, server): (_, &str, &str, &str, &str)| Vector {
            about,
            secrets: CookieSecrets { current: CookieSecret(octets(secret)), previous: None },
            address: address.parse().unwrap(),
            client: octets(client),
            server: octets(server),
            made_secs: u32::from_be_bytes(octets(&server[8..16])),
        };
        VECTORS.into_iter().map(read).collect()
    }

    #[test]
    fn cookies_are_those_of_rfc_9018_appendix_a() {
        for vector in vectors() {
            // The one with reserved bits set is not of our making, but good.
            assert_eq!(vector.worth(vector.made_secs), Worth::Fresh, "{}", vector.about);
            if vector.server[1] == 0 {
                let expected = [&vector.client[..], &vector.server].concat();
                assert_eq!(vector.renew(&[], vector.made_secs)[..], expected, "{}", vector.about);
            }
        }
    }

    // RFC 9018 §4.3, across the end of the clock's range as well.
    #[test]
    fn a_cookie_is_good_for_an_hour_and_renewed_after_half_of_it() {
        let mut vector = vectors().remove(0);
        for made in [vector.made_secs, 0, u32::MAX - 100] {
            vector.server = octets(&HEXLOWER.encode(&vector.renew(&[], made)[8..]));
            for (age, worth) in [
                (-301, Worth::Nothing),
                (-300, Worth::Fresh),
                (0, Worth::Fresh),
                (1799, Worth::Fresh),
                (1800, Worth::Ageing),
                (3600, Worth::Ageing),
                (3601, Worth::Nothing),
                (i32::MAX, Worth::Nothing),
                (i32::MIN, Worth::Nothing),
            ] {
                let now = made.wrapping_add_signed(age);
                assert_eq!(vector.worth(now), worth, "{age}");
                let is_echoed = vector.renew(&vector.server, now)[8..] == vector.server;
                assert_eq!(is_echoed, worth == Worth::Fresh || age == 0, "{age}");
                let is_proven = vector.renewed(&vector.server, now).is_proven;
                assert_eq!(is_proven, worth != Worth::Nothing, "{age}");
            }
        }
    }

    // RFC 9018 §5 and Appendix A.4.
    #[test]
    fn a_cookie_of_the_previous_secret_is_good_and_replaced() {
        let mut vectors = vectors();
        let (new, mut old) = (vectors.pop().unwrap(), vectors.pop().unwrap());
        let previous = std::mem::replace(&mut old.secrets, new.secrets);
        assert_eq!(old.worth(new.made_secs), Worth::Nothing);
        old.secrets.previous = Some(previous.current);
        assert_eq!(old.worth(new.made_secs), Worth::Ageing);
        assert_eq!(old.renew(&old.server, new.made_secs)[8..], new.server);
    }

    #[test]
    fn a_cookie_of_another_client_version_or_length_is_worth_nothing() {
        let vector = vectors().remove(0);
        let now = vector.made_secs + 10;
        let fresh = vector.renew(&[], now);
        for octet in 0..16 {
            let mut forged = vector.server;
            forged[octet] ^= 1;
            assert_eq!(vector.renew(&forged, now), fresh, "octet {octet}");
        }
        for other in [&vector.server[..8], &[&vector.server[..], &[0]].concat(), &[1; 32]] {
            assert_eq!(vector.renew(other, now), fresh, "{other:?}");
        }
        let cookie = Cookie { client: vector.client, server: &vector.server };
        let elsewhere = vector.secrets.renew(&cookie, IpAddr::from([198, 51, 100, 101]), now);
        assert_ne!(elsewhere.octets[8..], vector.server);
        assert!(!elsewhere.is_proven);
        let cookie = Cookie { client: [7; 8], ..cookie };
        assert!(!vector.secrets.renew(&cookie, vector.address, now).is_proven);
    }

    #[test]
    fn a_secret_is_32_digits_and_not_shown() {
        let digits = "E5e973e5a6b2a43f48e7dc849e37bfcf";
        let secret = CookieSecret::new(octets(&digits.to_ascii_lowercase()));
        assert_eq!(CookieSecret::parse(digits), Some(secret));
        for bad in
            ["", "e5", &digits[1..], &format!("{digits}00"), "g5e973e5a6b2a43f48e7dc849e37bfcf"]
        {
            assert_eq!(CookieSecret::parse(bad), None, "{bad}");
        }
        assert_eq!(format!("{:?}", CookieSecret::new([42; 16])), "CookieSecret");
    }
}
