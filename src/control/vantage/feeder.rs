//! Takes the mail of a vantage within the server to the writer: the way that every report takes, less the network.

use std::time::Duration;

use crate::health::{Boot, Event, Identity, Report, Subject};
use crate::probe::{Mail, Said, What};

use super::super::writer::Writer;

/// Words in one feed: as much as the writer makes durable at once, and less than would make others wait. A guess.
const LETTER_LEN_MAX: usize = 1_000;

/// How soon it is tried again when the writer is busy, or cannot write.
const PAUSE: Duration = Duration::from_secs(1);

/// Feeds what one vantage says.
pub struct Feeder {
    vantage: Box<str>,
    boot: Boot,
    writer: Writer,
}

impl Feeder {
    /// For `vantage`, begun now.
    pub fn new(vantage: &str, writer: Writer) -> Feeder {
        // Log time never goes back, over restarts too, so that a later start is a later boot.
        let boot = Boot(writer.now().0);
        Feeder { vantage: vantage.into(), boot, writer }
    }

    /// Feeds what comes, until it is dropped.
    pub async fn carry(self, mail: Mail) {
        loop {
            let letter = mail.next(LETTER_LEN_MAX).await;
            let events = letter.iter().map(|said| self.event(said)).collect();
            match self.writer.feed(events).await {
                Ok(fed) => {
                    mail.arrived(&letter);
                    let count = u64::try_from(letter.len()).unwrap_or(u64::MAX);
                    metrics::counter!("homing_reports_received_total").increment(count);
                    for (_, refusal) in fed.refused {
                        metrics::counter!("homing_reports_refused_total", "code" => refusal.code)
                            .increment(1);
                        tracing::debug!(event = "word-refused", vantage = %self.vantage, %refusal);
                    }
                }
                // The writer has raised its alarm where there is one.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// The server vouches for its own vantages.
    fn event(&self, said: &Said) -> Event {
        let (vantage, boot, seq) = (self.vantage.clone(), self.boot, said.seq);
        match &said.what {
            What::Heartbeat => Event::Heartbeat { vantage, boot, seq },
            What::Word { member, status, reason } => Event::Report(Report {
                vantage,
                identity: Identity::Proven,
                boot,
                seq,
                subject: Subject::of(member),
                status: *status,
                load: None,
                reason: reason.clone(),
            }),
        }
    }
}
