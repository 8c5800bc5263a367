//! A look at a name server: it answers a query over UDP (RFC 1035 §4.2.1).

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::wire::{Class, HEADER_LEN, Rcode};

use super::fault::Fault;
use super::settings::DnsCheck;

/// Octets of an answer that are read: no EDNS is sent, so that more would be wrong (RFC 1035 §4.2.1).
const ANSWER_LEN_MAX: usize = 512;

/// How long a datagram may take before it is held lost, and sent again. A guess: beyond most round trips.
const RESEND_AFTER: Duration = Duration::from_millis(700);

/// Asks until there is an answer. Whoever calls sets a bound to that.
pub async fn ask(to: SocketAddr, check: &DnsCheck) -> Result<(), Fault> {
    let from: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Connected, so that the kernel drops what others send, and tells when the port is closed.
    let socket = UdpSocket::bind((from, 0)).await.map_err(|e| Fault::of(&e))?;
    socket.connect(to).await.map_err(|e| Fault::of(&e))?;
    let query = query(check, random_id());
    loop {
        socket.send(&query).await.map_err(|e| Fault::of(&e))?;
        match tokio::time::timeout(RESEND_AFTER, answer(&socket, &query)).await {
            Ok(rcode) => return judge(rcode?, check.rcode),
            Err(_) => continue,
        }
    }
}

fn judge(found: Rcode, wanted: Rcode) -> Result<(), Fault> {
    match found == wanted {
        true => Ok(()),
        false => Err(Fault::theirs(format!("it answers {found}, not {wanted}"))),
    }
}

async fn answer(socket: &UdpSocket, query: &[u8]) -> Result<Rcode, Fault> {
    let mut buffer = [0; ANSWER_LEN_MAX];
    loop {
        let len = socket.recv(&mut buffer).await.map_err(|e| Fault::of(&e))?;
        if let Some(rcode) = rcode_of(buffer.get(..len).unwrap_or_default(), query) {
            return Ok(rcode);
        }
    }
}

/// The response code, if `message` answers `query`: its ID, and its question in any case. A server that cannot read a query
/// may leave the question out.
fn rcode_of(message: &[u8], query: &[u8]) -> Option<Rcode> {
    let (header, rest) = message.split_at_checked(HEADER_LEN)?;
    let (asked, question) = query.split_at_checked(HEADER_LEN)?;
    let is_response = header[2] & 0x80 != 0 && header[..2] == asked[..2];
    let has_question = header[4..6] != [0, 0];
    let echoed = rest.get(..question.len()).is_some_and(|q| q.eq_ignore_ascii_case(question));
    (is_response && (echoed || !has_question)).then(|| Rcode(u16::from(header[3] & 0x0f)))
}

fn query(check: &DnsCheck, id: u16) -> Vec<u8> {
    let mut message = vec![0; HEADER_LEN];
    message[..2].copy_from_slice(&id.to_be_bytes());
    message[5] = 1;
    message.extend_from_slice(check.name.as_wire());
    message.extend_from_slice(&check.rtype.0.to_be_bytes());
    message.extend_from_slice(&Class::IN.0.to_be_bytes());
    message
}

/// An ID that nobody foresees (RFC 5452 §9.2): the standard library keys its maps with such numbers.
fn random_id() -> u16 {
    u16::try_from(RandomState::new().hash_one(0) & 0xffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Name, Rtype};

    #[test]
    fn only_an_answer_to_the_question_is_one() {
        let name = Name::parse("Health.example.com", &Name::root()).unwrap();
        let check = DnsCheck { name, rtype: Rtype::A, rcode: Rcode::NOERROR };
        let query = query(&check, 0xabcd);
        let answer = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut message = query.to_ascii_lowercase();
            message[..2].copy_from_slice(&query[..2]);
            message[2] = 0x84;
            message[3] = 3;
            change(&mut message);
            rcode_of(&message, &query)
        };
        assert_eq!(answer(&|_| ()), Some(Rcode::NXDOMAIN));
        assert_eq!(answer(&|m| m[1] ^= 1), None, "another ID");
        assert_eq!(answer(&|m| m[2] = 0), None, "a query");
        assert_eq!(answer(&|m| m[14] ^= 1), None, "another name");
        assert_eq!(answer(&|m| m.truncate(13)), None, "cut short");
        assert_eq!(answer(&|m| m.truncate(11)), None, "no header");
        assert_eq!(
            answer(&|m| {
                m[5] = 0;
                m.truncate(12);
            }),
            Some(Rcode::NXDOMAIN),
            "no question"
        );
    }
}
