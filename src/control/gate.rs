//! The gate: what stands between whoever asks and the rest of the API. Who may ask, how much, and behind which certificate.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::load::Config;

use super::access::Access;
use super::alarms::Alarms;
use super::certificate::{Certificate, Service};
use super::measure::Measure;

/// Streams of reports at once. A guess: half of the connections, so that others find room.
const STREAM_COUNT_MAX: usize = 256;

/// What a request has to pass.
#[derive(Clone)]
pub struct Gate {
    /// Who may ask what.
    pub access: Access,
    /// Counts items of the feed, by who sends them.
    pub items: Measure,
    /// Counts wrong tokens, by who sends them.
    pub wrong: Measure,
    /// Places of streams of reports.
    pub streams: Arc<Semaphore>,
    /// What it is encrypted with; none: it is served in the clear.
    pub certificate: Option<Certificate>,
}

impl Gate {
    /// Opens it with the tokens of the folder `state` and the certificate that `config` names; both are followed for as long
    /// as the runtime lives. Call it within the runtime.
    pub fn start(config: &Config, alarms: &Alarms) -> Gate {
        let open = |files| Certificate::open(Service::Api, files, alarms.clone());
        let certificate = config.api_tls.clone().map(open);
        certificate.iter().for_each(Certificate::follow);
        Gate {
            access: Access::start(config.state.clone(), alarms.clone()),
            items: Measure::of_items(),
            wrong: Measure::of_wrong_tokens(),
            streams: Arc::new(Semaphore::new(STREAM_COUNT_MAX)),
            certificate,
        }
    }
}
