//! Why an answer is what it is. The query path itself answers, with somebody listening.

use std::net::IpAddr;
use std::sync::Arc;

use crate::answer::{Core, Exchange, Site, Transcript, Transport, respond};

use super::inquiry::Inquiry;
use super::listener::Listener;
use super::scene::Scene;
use super::words;

/// An answer and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The response, read back.
    pub response: Transcript,
    /// The steps and the accounts, as text for people.
    pub text: String,
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
        now_secs: 0,
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
