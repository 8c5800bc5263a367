//! `homing` within somebody's hickory server: a request handler that answers as our own listeners do.
//!
//! Owns:  memory to answer in, as much as there were ever answers at once.
//! Never: sends octets of its own. hickory takes records only, so each response is read and written again, at hickory's
//!        cost: how names are compressed, and with it the length that padding fills, may differ; what is said may not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Header, HeaderCounts, Message, Metadata, ResponseCode};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;

use crate::answer::{Core, Counters, Exchange, Site, Snapshot, Transport, respond_quietly};

use super::clock;
use super::responder::fenced;

/// The longest response (RFC 1035 §4.2.2).
const RESPONSE_LEN_MAX: usize = 65_535;

/// Answers the requests of a hickory server from the newest snapshot.
///
/// Whoever embeds it makes the snapshots, and stores another whenever files or health changed; no request waits for that.
/// hickory's listeners have no bounds like ours: put rate limits and limits of connections before them.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use arc_swap::ArcSwap;
/// use hickory_server::Server;
/// use homing::answer::Site;
/// use homing::ask::Scene;
/// use homing::fileset::FileSet;
/// use homing::load::{Builder, Config, Removals, scan};
/// use homing::serve::HickoryHandler;
///
/// # async fn embed() -> std::io::Result<()> {
/// let config = Config::defaults("/srv/dns".as_ref());
/// let built = Builder::new(&config).build(&scan(&config), &FileSet::default(), Removals::Settled);
/// let snapshots = Arc::new(ArcSwap::new(Scene::of_files(&built.parts).snapshot));
///
/// let (site, idle) = (Arc::new(Site::default()), Duration::from_secs(30));
/// let mut server = Server::new(HickoryHandler::new(Arc::clone(&snapshots), site, idle));
/// server.register_listener(tokio::net::TcpListener::bind("127.0.0.1:5300").await?, idle, 4096);
/// # Ok(())
/// # }
/// ```
pub struct HickoryHandler {
    snapshots: Arc<ArcSwap<Snapshot>>,
    site: Arc<Site>,
    counters: Arc<Counters>,
    idle_tenths: u16,
    free: Mutex<Vec<Desk>>,
}

/// What one answer is made in.
struct Desk {
    core: Core,
    response: Box<[u8]>,
}

impl HickoryHandler {
    /// A handler that answers from the newest of `snapshots`, and speaks for `site`. `idle` is how long the listeners of
    /// the server bear with a connection on which nothing is asked: clients that want to know are told (RFC 7828), at
    /// most 6,553 seconds.
    pub fn new(
        snapshots: Arc<ArcSwap<Snapshot>>,
        site: Arc<Site>,
        idle: Duration,
    ) -> HickoryHandler {
        let idle_tenths = u16::try_from(idle.as_millis() / 100).unwrap_or(u16::MAX);
        let (counters, free) = (Arc::default(), Mutex::default());
        HickoryHandler { snapshots, site, counters, idle_tenths, free }
    }

    /// What was answered so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The response as we would send it; none where we would send nothing, or answering panicked.
    fn answer(&self, request: &Request) -> Option<Vec<u8>> {
        let mut desk = self.take_desk();
        let exchange = Exchange {
            request: request.as_slice(),
            client: request.src().ip(),
            transport: transport(request.protocol()),
            idle_tenths: self.idle_tenths,
            now_secs: clock::secs(clock::now()),
            response: &mut desk.response,
        };
        let snapshot = self.snapshots.load();
        let outcome = fenced(|| respond_quietly(&snapshot, exchange, &mut desk.core)).ok()?;
        let response = desk.response.get(..outcome.len())?.to_vec();
        self.free().push(desk);
        Some(response).filter(|response| !response.is_empty())
    }

    fn take_desk(&self) -> Desk {
        let new = || Desk {
            core: Core::new(Arc::clone(&self.site), Arc::clone(&self.counters)),
            response: vec![0; RESPONSE_LEN_MAX].into(),
        };
        self.free().pop().unwrap_or_else(new)
    }

    fn free(&self) -> MutexGuard<'_, Vec<Desk>> {
        // Nobody panics while it is held, and a list of free desks is sound in any case.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a request came. hickory has a variant for each only where it speaks it; the names are always the same.
fn transport(protocol: Protocol) -> Transport {
    match protocol.as_str() {
        "udp" => Transport::Udp,
        "tls" => Transport::Tls,
        "https" | "h3" => Transport::Https,
        "quic" => Transport::Quic,
        _ => Transport::Tcp,
    }
}

#[async_trait]
impl RequestHandler for HickoryHandler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut handle: R,
    ) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.response_code = ResponseCode::ServFail;
        let failed = ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() });
        let Some(octets) = self.answer(request) else { return failed };
        let mut builder = MessageResponseBuilder::from_message_request(request);
        let sent = match Message::from_vec(&octets) {
            Ok(Message { metadata, answers, authorities, additionals, edns, .. }) => {
                if let Some(edns) = &edns {
                    builder.edns(edns);
                }
                let none = std::iter::empty();
                let response = builder.build(metadata, &answers, &authorities, none, &additionals);
                handle.send_response(response).await
            }
            // Data that the zone holds and hickory does not read.
            Err(_) => {
                let response = builder.error_msg(&request.metadata, ResponseCode::ServFail);
                handle.send_response(response).await
            }
        };
        sent.unwrap_or(failed)
    }
}
