//! Why an answer is what it is. The query path itself answers, with somebody listening.

use std::net::IpAddr;
use std::sync::Arc;

use crate::answer::{Core, Exchange, Site, Transcript, Transport, respond};
use crate::api::{ExplainBody, ExplainRoute};
use crate::fileset::FileSet;

use super::inquiry::Inquiry;
use super::listener::{Heard, Listener};
use super::scene::Scene;
use super::words;

/// An answer and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The response, read back.
    pub response: Transcript,
    /// How each policy on the way decided, in order.
    pub routes: Vec<ExplainRoute>,
    /// The steps and the accounts, as text for people.
    pub text: String,
}

/// Answers the inquiry from the scene, and tells every step of it.
pub fn explain(scene: &Scene, inquiry: &Inquiry) -> Option<Explanation> {
    explain_with(scene, None, inquiry)
}

/// The same, with the files of the scene at hand: they tell which of several databases knows the client.
pub fn explain_with(
    scene: &Scene,
    files: Option<&FileSet>,
    inquiry: &Inquiry,
) -> Option<Explanation> {
    let (response, steps) = Resolver::default().ask(scene, inquiry)?;
    let (text, routes) = words::tell(scene, files, inquiry, &steps, &response);
    Some(Explanation { response, routes, text })
}

impl Explanation {
    /// The explanation as the API has it; what it is asked of is not in it.
    pub fn body(self, inquiry: &Inquiry) -> ExplainBody {
        ExplainBody {
            name: inquiry.name.to_string(),
            rtype: inquiry.rtype.to_string(),
            client: inquiry.client.to_string(),
            response: words::response_body(&self.response),
            routes: self.routes,
            text: self.text,
            ..ExplainBody::default()
        }
    }
}

/// Asks scenes as a resolver asks a server, and hears the steps of the answer.
pub(super) struct Resolver {
    core: Core,
    response: Vec<u8>,
}

impl Default for Resolver {
    fn default() -> Resolver {
        let core = Core::new(Arc::new(Site::default()), Arc::default());
        Resolver { core, response: vec![0; usize::from(u16::MAX)] }
    }
}

impl Resolver {
    /// The response, read back, and its steps; none where it cannot be read.
    pub(super) fn ask(
        &mut self,
        scene: &Scene,
        inquiry: &Inquiry,
    ) -> Option<(Transcript, Vec<Heard>)> {
        let mut listener = Listener::default();
        let request = request(inquiry);
        let exchange = Exchange {
            request: &request,
            client: inquiry.client.address,
            transport: Transport::Tcp,
            idle_tenths: 0,
            now_secs: 0,
            response: &mut self.response,
        };
        let outcome = respond(&scene.snapshot, exchange, &mut self.core, &mut listener);
        let response = Transcript::read(self.response.get(..outcome.len())?)?;
        Some((response, listener.steps))
    }
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
