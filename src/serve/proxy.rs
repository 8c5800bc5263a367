//! PROXY protocol version 2: who asks, as a balancer before us tells it.
//!
//! Owns:  the header before a packet, or before the first octet of a connection.
//! Never: believes anybody but the balancers that are listed; who asks whether one is listed is the caller.

use std::io;
use std::net::IpAddr;

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Octets before the addresses: a signature, version and command, family, and the length of the rest.
const FIXED_LEN: usize = 16;

/// The longest header that is read. Addresses take 36 octets, certificates of clients some hundreds. A guess.
const HEADER_LEN_MAX: usize = 2048;

/// The second version alone: the first is text, and of no packet.
const VERSION_2: ParseConfig = ParseConfig { include_tlvs: false, allow_v1: false, allow_v2: true };

/// Who asks by a packet from the balancer `peer`, and what. None where no sound header begins it.
///
/// A balancer that asks for itself, to see whether we live, says so and is who asks.
pub fn unwrap(packet: &[u8], peer: IpAddr) -> Option<(IpAddr, &[u8])> {
    let (header, len) = ProxyHeader::parse(packet, VERSION_2).ok()?;
    let client = header.proxied_address().map_or(peer, |told| told.source.ip());
    Some((client.to_canonical(), packet.get(len..)?))
}

/// Who asks over a connection from the balancer `peer`. Reads the header, and no octet behind it.
///
/// # Errors
///
/// As the stream; `InvalidData` where no sound header begins it.
pub async fn greet(stream: &mut (impl AsyncRead + Unpin), peer: IpAddr) -> io::Result<IpAddr> {
    let mut header = [0; HEADER_LEN_MAX];
    let (fixed, rest) = header.split_at_mut(FIXED_LEN);
    stream.read_exact(fixed).await?;
    // What is no header tells no length of one, and is not waited for.
    if let Err(Error::Invalid) = ProxyHeader::parse(fixed, VERSION_2) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let len = fixed.last_chunk().map_or(0, |len| usize::from(u16::from_be_bytes(*len)));
    let rest = rest.get_mut(..len).ok_or(io::ErrorKind::InvalidData)?;
    stream.read_exact(rest).await?;
    let whole = header.get(..FIXED_LEN + len).unwrap_or_default();
    match unwrap(whole, peer) {
        Some((client, [])) => Ok(client),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

    fn header(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let len = (addresses.len() as u16).to_be_bytes();
        [SIGNATURE, &[command, family], &len, addresses].concat()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    const V4: &[u8] = &[192, 0, 2, 7, 198, 51, 100, 1, 0x30, 0x39, 0, 53];

    #[test]
    fn the_source_of_the_header_asks_what_stands_behind_it() {
        let peer = ip("203.0.113.1");
        let over_udp = [&header(0x21, 0x12, V4)[..], b"query"].concat();
        assert_eq!(unwrap(&over_udp, peer), Some((ip("192.0.2.7"), &b"query"[..])));
        let v6: Vec<u8> = [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; 2].concat();
        let v6 = header(0x21, 0x22, &[&v6[..], &[0x30, 0x39, 0, 53]].concat());
        assert_eq!(unwrap(&v6, peer), Some((ip("2001:db8::1"), &b""[..])));
        // With more that it tells, which is passed over.
        let more = [V4, &[4, 0, 3, 1, 2, 3]].concat();
        assert_eq!(unwrap(&header(0x21, 0x12, &more), peer), Some((ip("192.0.2.7"), &b""[..])));
        // A balancer that asks for itself.
        assert_eq!(unwrap(&header(0x20, 0, &[]), peer), Some((peer, &b""[..])));
    }

    #[test]
    fn what_is_no_header_is_nobodys() {
        let peer = ip("203.0.113.1");
        let sound = header(0x21, 0x12, V4);
        for len in 0..sound.len() {
            assert_eq!(unwrap(&sound[..len], peer), None, "{len} octets");
        }
        let broken = [
            header(0x11, 0x12, V4),
            header(0x22, 0x12, V4),
            header(0x21, 0x12, &V4[..11]),
            header(0x21, 0x99, V4),
            b"PROXY TCP4 192.0.2.7 198.51.100.1 1 53\r\n".to_vec(),
            b"query".to_vec(),
        ];
        for broken in broken {
            assert_eq!(unwrap(&broken, peer), None, "{broken:?}");
        }
    }

    #[tokio::test]
    async fn of_a_connection_no_octet_behind_the_header_is_read() {
        let peer = ip("203.0.113.1");
        let octets = [&header(0x21, 0x11, V4)[..], b"\0\x1d..."].concat();
        let mut stream = &octets[..];
        assert_eq!(greet(&mut stream, peer).await.ok(), Some(ip("192.0.2.7")));
        assert_eq!(stream, b"\0\x1d...");
        let long = [SIGNATURE, &[0x21, 0x11], &2033u16.to_be_bytes(), &[0; 2033]].concat();
        assert!(greet(&mut &long[..], peer).await.is_err());
        assert!(greet(&mut &octets[..20], peer).await.is_err());
        // Not even the rest that it seems to announce is read.
        let mut query = &b"\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www..."[..];
        let error = greet(&mut query, peer).await.unwrap_err();
        assert_eq!((error.kind(), query.len()), (io::ErrorKind::InvalidData, 5));
    }
}
