//! Why an answer is what it is. The query path itself answers, with somebody listening.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::answer::{Core, Exchange, Site, Transcript, Transport, respond};
use crate::geo::Prefix;
use crate::number::PrefixLen;
use crate::zone::{Name, Rtype};

use super::listener::Listener;
use super::scene::Scene;
use super::words;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The name.
    pub name: Name,
    /// The type.
    pub rtype: Rtype,
    /// The client, as a client subnet would tell it; its address stands in for the resolver's too.
    pub client: Prefix,
}

/// Why an inquiry cannot be read, with the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InquiryError(String);

/// An answer and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The response, read back.
    pub response: Transcript,
    /// The steps and the accounts, as text for people.
    pub text: String,
}

impl Inquiry {
    /// Reads an inquiry as people write it: a name (the final dot may be missing), a type, an address or a subnet.
    pub fn read(name: &str, rtype: &str, client: &str) -> Result<Inquiry, InquiryError> {
        let absolute = if name.ends_with('.') { name.to_owned() } else { format!("{name}.") };
        let read = Name::parse(&absolute, &Name::root());
        let name = read.map_err(|e| InquiryError(format!("{name} is not a name: {e}")))?;
        let Some(rtype) = Rtype::parse(rtype) else {
            let text = format!("{rtype} is not a type; write A, AAAA, MX, … or TYPE and a number");
            return Err(InquiryError(text));
        };
        let client = read_client(client).ok_or_else(|| {
            let text = format!("{client} is neither an address nor a subnet such as 192.0.2.0/24");
            InquiryError(text)
        })?;
        Ok(Inquiry { name, rtype, client })
    }
}

fn read_client(text: &str) -> Option<Prefix> {
    let (address, len) = match text.split_once('/') {
        Some((address, len)) => (address.parse().ok()?, Some(len.parse().ok()?)),
        None => (text.parse::<IpAddr>().ok()?, None),
    };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let len = len.unwrap_or(bits);
    // Bits beyond the subnet are cut, as a resolver would cut them.
    (len <= bits).then(|| Prefix::around(address, PrefixLen(len)))
}

/// Answers the inquiry from the scene, and tells every step of it.
pub fn explain(scene: &Scene, inquiry: &Inquiry) -> Option<Explanation> {
    let mut listener = Listener::default();
    let mut response = vec![0; usize::from(u16::MAX)];
    let mut core = Core::new(Arc::new(Site::default()), Arc::default());
    let request = request(inquiry);
    let exchange = Exchange {
        request: &request,
        client: inquiry.client.address,
        transport: Transport::Tcp,
        response: &mut response,
    };
    let outcome = respond(&scene.snapshot, exchange, &mut core, &mut listener);
    let response = Transcript::read(response.get(..outcome.len)?)?;
    let text = words::tell(scene, inquiry, &listener.steps, &response);
    Some(Explanation { response, text })
}

/// The query that a resolver would send on the client's behalf (RFC 7871 §6).
fn request(inquiry: &Inquiry) -> Vec<u8> {
    let mut request = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    request.extend_from_slice(inquiry.name.as_wire());
    request.extend_from_slice(&inquiry.rtype.0.to_be_bytes());
    request.extend_from_slice(&[0, 1]);
    let (family, address) = match inquiry.client.address {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    let source = inquiry.client.len.0;
    let octets = &address[..usize::from(source).div_ceil(8)];
    let len = octets.len() as u8 + 4;
    // Root, OPT, payload 1232, version 0, no flags, and one option: client subnet.
    request.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, len + 4]);
    request.extend_from_slice(&[0, 8, 0, len, 0, family, source, 0]);
    request.extend_from_slice(octets);
    request
}

impl fmt::Display for InquiryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inquiries_read_as_people_write_them() {
        let inquiry = Inquiry::read("www.example.com", "aaaa", "192.0.2.77/24").unwrap();
        assert_eq!(inquiry.name.to_string(), "www.example.com.");
        assert_eq!(inquiry.rtype, Rtype::AAAA);
        assert_eq!(inquiry.client.to_string(), "192.0.2.0/24");
        for bad in
            [("a..b", "A", "::1"), ("a", "nosuch", "::1"), ("a", "A", "here"), ("a", "A", "::/129")]
        {
            assert!(Inquiry::read(bad.0, bad.1, bad.2).is_err(), "{bad:?}");
        }
    }
}
