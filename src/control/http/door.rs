//! The door: who a request comes from, and whether that may be asked. Bearer tokens (RFC 6750); an open loopback API has its
//! guard instead.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::health::Subject;
use crate::history::Verb;
use crate::load::is_local;

use super::super::access::{Access, Caller, Denied, Share};
use super::super::desk::Desk;
use super::guard::{guard, sound};
use super::problem::Refused;

/// Where a request comes from; the listener puts it there.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Lets a request pass with its [`Caller`], or refuses it.
pub async fn pass(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    // Without one all are strangers, and one.
    let peer = peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let admitted = admit(&desk, peer, uri, headers)
        .and_then(|caller| allow(caller, verb_of(method, uri.path())))
        .and_then(|caller| sound(uri).map(|()| caller));
    match admitted {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refused) => {
            let code = refused.problem.code.clone();
            metrics::counter!("homing_api_refused_total", "code" => code).increment(1);
            refused.into_response()
        }
    }
}

/// What a path asks; none: what everybody may know. A path that is not listed is as dear as the dearest.
pub fn verb_of(method: &Method, path: &str) -> Option<Verb> {
    match path {
        "/healthz" | "/readyz" => None,
        "/v1/reports" | "/v1/reports/stream" => Some(Verb::Report),
        // It asks what would be, and changes nothing.
        "/v1/whatif" => Some(Verb::Read),
        path if path.starts_with("/v1/overrides/") => Some(Verb::Override),
        path if path.starts_with("/v1/regions/") => Some(Verb::Drain),
        path if path.starts_with("/v1/site/") => Some(Verb::Site),
        _ if matches!(*method, Method::GET | Method::HEAD) => Some(Verb::Read),
        _ => Some(Verb::Files),
    }
}

/// Who asks.
fn admit(desk: &Desk, peer: IpAddr, uri: &Uri, headers: &HeaderMap) -> Result<Caller, Refused> {
    let access: &Access = &desk.gate.access;
    if access.is_open() && is_local(desk.config.api) {
        return guard(uri, headers).map(|()| access.anybody(peer));
    }
    if matches!(uri.path(), "/healthz" | "/readyz") {
        return Ok(access.anybody(peer));
    }
    // A token that holds is never slowed by those that do not: it is looked at first.
    access.admit(secret(headers)?, peer).map_err(|denied| {
        let measured = match denied {
            Denied::NoToken => Ok(()),
            Denied::Invalid | Denied::Expired => {
                desk.gate.wrong.take(&Share::of(peer), 1, Instant::now())
            }
        };
        match measured {
            Ok(()) => turned_away(denied),
            Err(wait) => {
                let detail = "too many wrong tokens from this address";
                Refused::too_much("too-many-wrong-tokens", detail, wait)
            }
        }
    })
}

/// The secret that a request brings (RFC 6750 §2.1). Another scheme is none that we know.
fn secret(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let malformed = || {
        let detail = "one line `Authorization: Bearer TOKEN` is expected";
        let challenge = "Bearer realm=\"homing\", error=\"invalid_request\"";
        Refused::new(400, "bad-authorization", detail).with(WWW_AUTHENTICATE, challenge)
    };
    if all.next().is_some() {
        return Err(malformed());
    }
    let text = first.to_str().map_err(|_| malformed())?;
    match text.trim().split_once(' ') {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Some(secret.trim_start()))
        }
        _ if text.trim().eq_ignore_ascii_case("bearer") => Err(malformed()),
        _ => Ok(None),
    }
}

/// Why somebody is not admitted, as RFC 6750 §3 has it told.
pub fn turned_away(denied: Denied) -> Refused {
    let (code, detail) = match denied {
        Denied::NoToken => {
            let detail =
                "a token is needed: Authorization: Bearer TOKEN (homing token add makes one)";
            // RFC 6750 §3.1: who brought nothing is told nothing.
            return Refused::new(401, "no-token", detail)
                .with(WWW_AUTHENTICATE, "Bearer realm=\"homing\"");
        }
        Denied::Invalid => ("invalid-token", "the token is none of ours, or was revoked"),
        Denied::Expired => ("invalid-token", "the token has expired"),
    };
    let challenge =
        format!("Bearer realm=\"homing\", error=\"invalid_token\", error_description=\"{detail}\"");
    Refused::new(401, code, detail).with(WWW_AUTHENTICATE, &challenge)
}

fn allow(caller: Caller, verb: Option<Verb>) -> Result<Caller, Refused> {
    match verb {
        Some(verb) if !caller.may(verb) => {
            let word = verb.word();
            let detail = format!("this token is not good for {word}");
            let challenge =
                format!("Bearer realm=\"homing\", error=\"insufficient_scope\", scope=\"{word}\"");
            let refused = Refused::new(403, "insufficient-scope", detail);
            Err(refused.with(WWW_AUTHENTICATE, &challenge))
        }
        _ => Ok(caller),
    }
}

/// The caller's token is not good for `subject`.
pub fn out_of_reach(subject: &Subject) -> Refused {
    let detail = format!("this token is not good for {subject}");
    let challenge = "Bearer realm=\"homing\", error=\"insufficient_scope\"";
    Refused::new(403, "out-of-reach", detail).with(WWW_AUTHENTICATE, challenge)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Refused> {
        // The door lets nobody pass without.
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.ok_or_else(|| Refused::new(500, "internal", "a fault in homing itself"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn each_path_has_its_verb_and_an_unknown_one_the_dearest() {
        for (method, path, verb) in [
            (Method::GET, "/healthz", None),
            (Method::POST, "/v1/reports", Some(Verb::Report)),
            (Method::GET, "/v1/status", Some(Verb::Read)),
            (Method::GET, "/metrics", Some(Verb::Read)),
            (Method::POST, "/v1/whatif", Some(Verb::Read)),
            (Method::DELETE, "/v1/overrides/fra", Some(Verb::Override)),
            (Method::POST, "/v1/regions/fra/drain", Some(Verb::Drain)),
            (Method::POST, "/v1/site/drain", Some(Verb::Site)),
            (Method::POST, "/v1/rollback", Some(Verb::Files)),
            (Method::POST, "/v1/something/new", Some(Verb::Files)),
            (Method::POST, "/healthz/", Some(Verb::Files)),
        ] {
            assert_eq!(verb_of(&method, path), verb, "{method} {path}");
        }
    }

    #[test]
    fn a_secret_is_read_as_rfc_6750_2_1_has_it() {
        let read = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(AUTHORIZATION, HeaderValue::from_static(line));
            }
            secret(&headers).map(|s| s.map(str::to_owned)).map_err(|r| r.problem.status)
        };
        assert_eq!(read(&["Bearer x.y"]), Ok(Some("x.y".to_owned())));
        assert_eq!(read(&["bearer  x"]), Ok(Some("x".to_owned())));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Basic YTpi"]), Ok(None));
        assert_eq!(read(&["Bearer"]), Err(400));
        assert_eq!(read(&["Bearer x", "Bearer y"]), Err(400));
    }
}
