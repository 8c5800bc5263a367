//! How a command asks a running server: JSON over HTTP, in the clear or within TLS, a token and whom to trust from the
//! environment, one clear line when it fails.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Method, Request};

use crate::api::{Problem, trust};

/// Octets of an answer that are read at most.
const ANSWER_LEN_MAX: u64 = 256 * 1024 * 1024;

/// Asks one server.
pub struct Client {
    /// Or why it cannot be told whom to trust.
    agent: Result<ureq::Agent, String>,
    base: String,
    token: Option<String>,
}

/// What a server answered.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no good answer.
#[derive(Debug)]
pub enum ClientError {
    /// Nobody answers there.
    Unreachable {
        /// The server asked.
        base: String,
        /// The cause.
        cause: String,
    },
    /// Nobody can be trusted to be the server.
    Distrust(String),
    /// The server refused, and says why.
    Refused(Box<Problem>),
    /// The answer makes no sense: not a server of ours, or another version.
    Strange(String),
}

impl Client {
    /// Asks the server at `base`, such as `http://127.0.0.1:8053`. A whole answer may take a minute: a reload compiles.
    pub fn new(base: &str) -> Client {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let base = base.trim_end_matches('/').to_owned();
        let agent = agent(&base, set("HOMING_CA").as_deref().map(Path::new));
        Client { agent, base, token: set("HOMING_TOKEN") }
    }

    /// GET, and the body as `T`.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read(&self.send(Method::GET, path, None)?)
    }

    /// GET, and the body as it is.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let answer = self.send(Method::GET, path, None)?;
        if (200..300).contains(&answer.status) { Ok(answer.body) } else { Err(refusal(&answer)) }
    }

    /// A write with a JSON body, and the answer as `T`.
    pub fn send_json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_string(body).map_err(|e| ClientError::Strange(e.to_string()))?;
        read(&self.send(method, path, Some(body))?)
    }

    /// DELETE, and the answer as `T`.
    pub fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read(&self.send(Method::DELETE, path, None)?)
    }

    /// GET of a body without an end, such as /v1/watch: read it as it comes. Silence of `silence` is its end.
    pub fn stream(&self, path: &str, silence: Duration) -> Result<impl Read + use<>, ClientError> {
        let agent = self.agent.as_ref().map_err(|why| ClientError::Distrust(why.clone()))?;
        let mut request = agent.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let lasting = request.config().timeout_global(None).timeout_per_read(Some(silence)).build();
        let mut response = lasting.call().map_err(|e| self.unreachable(e))?;
        if response.status() != 200 {
            let reader = response.body_mut().with_config().limit(ANSWER_LEN_MAX);
            let body = reader.read_to_vec().map_err(|e| ClientError::Strange(e.to_string()))?;
            return Err(refusal(&Answer { status: response.status().as_u16(), body }));
        }
        Ok(response.into_body().into_reader())
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Answer, ClientError> {
        let agent = self.agent.as_ref().map_err(|why| ClientError::Distrust(why.clone()))?;
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let sent = match body {
            None => agent.run(request.body(()).map_err(|e| self.unreachable(e))?),
            Some(body) => {
                let request = request.header("content-type", "application/json");
                agent.run(request.body(body).map_err(|e| self.unreachable(e))?)
            }
        };
        let mut response = sent.map_err(|e| self.unreachable(e))?;
        let reader = response.body_mut().with_config().limit(ANSWER_LEN_MAX);
        let body = reader.read_to_vec().map_err(|e| ClientError::Strange(e.to_string()))?;
        Ok(Answer { status: response.status().as_u16(), body })
    }

    fn unreachable(&self, cause: impl fmt::Display) -> ClientError {
        ClientError::Unreachable { base: self.base.clone(), cause: cause.to_string() }
    }
}

/// The authorities of the system are read only where they are needed: there may be hundreds.
fn agent(base: &str, ca: Option<&Path>) -> Result<ureq::Agent, String> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_global(Some(Duration::from_secs(60)))
        .user_agent(concat!("homing/", env!("CARGO_PKG_VERSION")));
    if base.starts_with("https:") {
        config = config.tls_config(trust(ca)?);
    }
    Ok(config.build().new_agent())
}

/// `text` as one or more segments of a path: what a path may hold stays (RFC 3986 §3.3).
pub fn in_path(text: &str) -> String {
    escape(text, b"-._~/:*@!$'(),")
}

/// `text` as a value in a query.
pub fn in_query(text: &str) -> String {
    escape(text, b"-._~/:*")
}

fn escape(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, ClientError> {
    if (200..300).contains(&answer.status) {
        return serde_json::from_slice(&answer.body).map_err(|e| {
            ClientError::Strange(format!("the answer is not what it should be: {e}"))
        });
    }
    Err(refusal(answer))
}

fn refusal(answer: &Answer) -> ClientError {
    match serde_json::from_slice::<Problem>(&answer.body) {
        Ok(problem) => ClientError::Refused(Box::new(problem)),
        Err(_) => ClientError::Strange(format!("the server answers HTTP {}", answer.status)),
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Unreachable { base, cause } => {
                write!(f, "no server answers at {base}: {cause}; is it running? (--server URL)")
            }
            ClientError::Distrust(why) => write!(f, "{why} (HOMING_CA)"),
            ClientError::Refused(problem) => write!(f, "{}: {}", problem.code, problem.detail),
            ClientError::Strange(what) => f.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_stays_readable_in_a_path() {
        assert_eq!(in_path("fra/*/2001:db8::1"), "fra/*/2001:db8::1");
        assert_eq!(in_path("a b?c#d%"), "a%20b%3Fc%23d%25");
        assert_eq!(in_query("a&b=c+d"), "a%26b%3Dc%2Bd");
    }

    #[test]
    fn a_refusal_is_the_problem_of_the_server() {
        let problem = Problem::new(422, "unknown-region", "there is no region xyz");
        let body = serde_json::to_vec(&problem).unwrap();
        let error = read::<Problem>(&Answer { status: 422, body }).unwrap_err();
        assert_eq!(error.to_string(), "unknown-region: there is no region xyz");
    }
}
