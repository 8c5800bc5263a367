//! The courier of one server: takes the mail there, again and again until it has arrived.
//!
//! Owns: the way to the server (TLS, token), the pauses between attempts. What waits meanwhile is the mail's to keep, and
//! is never more than one word for each endpoint.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::api::{Problem, RefusedLine, ReportLine, ReportsTaken};
use crate::health::Subject;
use crate::probe::{Mail, Receiver, Said, What};

use super::super::facts::epoch_millis;
use super::super::outbound::{Pauses, agent};

/// Words in one request. A guess: at 1,000 octets each, which is beyond the longest, they fit the body that a server takes.
const LETTER_LEN_MAX: usize = 1_000;

/// How long a request may take: a server that is slower is as good as none, and what waits goes on changing.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The first pause after a failure. It doubles with each further one.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// The longest: shorter than the interval at which health expects a vantage.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Octets of an answer that are read: a refusal of each word of a letter.
const ANSWER_LEN_MAX: u64 = 1024 * 1024;

/// Takes the mail of one vantage to one server.
pub struct Courier {
    vantage: Box<str>,
    boot: u64,
    receiver: Receiver,
    mail: Mail,
    agent: Option<ureq::Agent>,
    /// Where the server's log stood.
    revision: u64,
    pauses: Pauses,
    /// What was told of the way to the server last, so that it is told once.
    trouble: String,
    /// Codes of refusals that were told.
    refusals: BTreeSet<String>,
}

/// What a server answered: HTTP's status, and the body.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Courier {
    /// For `vantage`, whose numbers belong to `boot`.
    pub fn new(vantage: &str, boot: u64, receiver: Receiver, mail: Mail) -> Courier {
        Courier {
            vantage: vantage.into(),
            boot,
            receiver,
            mail,
            agent: None,
            revision: 0,
            pauses: Pauses::new(PAUSE_MIN, PAUSE_MAX),
            trouble: String::new(),
            refusals: BTreeSet::new(),
        }
    }

    /// Goes and comes back, until it is dropped.
    pub async fn carry(mut self) {
        loop {
            let letter = self.mail.next(LETTER_LEN_MAX).await;
            match self.deliver(&letter).await {
                Ok(taken) => self.note_arrival(&letter, &taken),
                Err(words) => {
                    self.note_failure(words);
                    tokio::time::sleep(self.pauses.next()).await;
                }
            }
            let server = self.receiver.url.to_string();
            metrics::gauge!("homing_probe_waiting", "server" => server)
                .set(self.mail.waiting() as f64);
        }
    }

    async fn deliver(&mut self, letter: &[Said]) -> Result<ReportsTaken, String> {
        let lines: Vec<ReportLine> = letter.iter().map(|said| self.line(said)).collect();
        let body = serde_json::to_string(&lines).map_err(|e| e.to_string())?;
        let (receiver, agent) = (self.receiver.clone(), self.agent.take());
        // Blocking, as the client is; there is one request at a time for each server.
        let sent = tokio::task::spawn_blocking(move || send(&receiver, agent, body)).await;
        let (agent, answer) = sent.map_err(|_| "a fault in homing itself".to_owned())??;
        let taken = read(&answer)?;
        // One that answers well is asked again on the same connection.
        self.agent = Some(agent);
        Ok(taken)
    }

    fn line(&self, said: &Said) -> ReportLine {
        let mut line = ReportLine {
            vantage: self.vantage.to_string(),
            boot: Some(self.boot),
            seq: Some(said.seq),
            heartbeat: false,
            subject: None,
            status: None,
            load: None,
            reason: None,
        };
        match &said.what {
            What::Heartbeat => line.heartbeat = true,
            What::Word { member, status, reason } => {
                line.subject = Some(Subject::of(member).to_string());
                line.status = Some(status.word().to_owned());
                line.reason = reason.as_deref().map(str::to_owned);
            }
        }
        line
    }

    fn note_arrival(&mut self, letter: &[Said], taken: &ReportsTaken) {
        let server = self.receiver.url.to_string();
        self.mail.arrived(letter);
        if !std::mem::take(&mut self.trouble).is_empty() {
            tracing::info!(event = "delivered-again", server);
        }
        self.pauses.begin_again();
        self.note_refusals(letter.len(), &taken.refused);
        if taken.revision < self.revision {
            // Its log is not the one that it had. Under a new boot it takes the words as new.
            tracing::warn!(event = "server-forgot", server, "all words are sent again");
            self.boot += 1;
            self.mail.begin_again();
        }
        self.revision = taken.revision;
        let now = epoch_millis(SystemTime::now()).0 as f64 / 1000.0;
        metrics::gauge!("homing_probe_delivered_timestamp_seconds", "server" => server.clone())
            .set(now);
        count(server, "taken");
    }

    fn note_refusals(&mut self, sent: usize, refused: &[RefusedLine]) {
        for line in refused {
            metrics::counter!("homing_probe_refused_total", "code" => line.code.clone())
                .increment(1);
        }
        // What comes twice is known; where all of it is, and nothing has arrived before, somebody else has this name.
        let all_known =
            refused.len() == sent && refused.iter().all(|line| line.code == "duplicate");
        for line in refused
            .iter()
            .filter(|line| line.code != "duplicate" || all_known && self.revision == 0)
        {
            if self.refusals.insert(line.code.clone()) {
                let (server, code) = (&self.receiver.url, &line.code);
                let message = &line.message;
                tracing::warn!(event = "word-refused", %server, code, message);
            }
        }
    }

    fn note_failure(&mut self, words: String) {
        let server = self.receiver.url.to_string();
        count(server.clone(), "failed");
        if self.trouble != words {
            tracing::warn!(event = "not-delivered", server, cause = words, "it is tried again");
            self.trouble = words;
        }
        // What stands there next may know nothing: an old word is a duplicate to one that does.
        self.mail.begin_again();
    }
}

fn count(server: String, result: &'static str) {
    metrics::counter!("homing_probe_deliveries_total", "server" => server, "result" => result)
        .increment(1);
}

fn send(
    receiver: &Receiver,
    agent: Option<ureq::Agent>,
    body: String,
) -> Result<(ureq::Agent, Answer), String> {
    let new = || self::agent(receiver.ca.as_deref(), "homing-probe", TIMEOUT);
    let agent = agent.map_or_else(new, Ok)?;
    let url = format!("{}/v1/reports", receiver.url);
    let mut request = agent.post(url).header("content-type", "application/json");
    if let Some(token) = token_of(receiver)? {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut response = request.send(body).map_err(|e| e.to_string())?;
    let status = response.status().as_u16();
    let reader = response.body_mut().with_config().limit(ANSWER_LEN_MAX);
    let body = reader.read_to_vec().map_err(|e| e.to_string())?;
    Ok((agent, Answer { status, body }))
}

/// Read with each letter, so that a token may be changed under a vantage that runs.
fn token_of(receiver: &Receiver) -> Result<Option<String>, String> {
    let text = match &receiver.token_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| format!("the token cannot be read from {}: {e}", path.display()))?,
        None => std::env::var("HOMING_TOKEN").unwrap_or_default(),
    };
    let token = text.trim();
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("the token is none: one word is expected".to_owned());
    }
    Ok(Some(token.to_owned()).filter(|token| !token.is_empty()))
}

/// What was taken. That each word was refused for good is an answer as well; nothing else is.
fn read(answer: &Answer) -> Result<ReportsTaken, String> {
    if answer.status == 202 {
        return serde_json::from_slice(&answer.body)
            .map_err(|e| format!("the answer is not of a server of ours: {e}"));
    }
    match serde_json::from_slice::<Problem>(&answer.body) {
        Ok(problem) if answer.status == 422 => {
            Ok(ReportsTaken { refused: problem.refused, ..ReportsTaken::default() })
        }
        Ok(problem) => Err(format!("{}: {}", problem.code, problem.detail)),
        Err(_) => Err(format!("it answers HTTP {}", answer.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(status: u16, body: &str) -> Result<ReportsTaken, String> {
        read(&Answer { status, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn only_what_was_taken_or_refused_for_good_has_arrived() {
        let taken = read_of(202, r#"{"revision": 7, "taken": 2}"#).unwrap();
        assert_eq!((taken.revision, taken.taken), (7, 2));
        let refused = r#"[{"index": 0, "code": "not-your-vantage", "message": "m"}]"#;
        let problem = |status: u16| {
            format!(
                r#"{{"type":"about:blank","title":"t","status":{status},"detail":"d","code":"c","refused":{refused}}}"#
            )
        };
        assert_eq!(read_of(422, &problem(422)).unwrap().refused.len(), 1);
        assert_eq!(read_of(503, &problem(503)), Err("c: d".to_owned()));
        assert_eq!(read_of(502, "<html>"), Err("it answers HTTP 502".to_owned()));
        assert!(read_of(202, "hello").is_err());
    }
}
