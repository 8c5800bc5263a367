//! Who may speak to an open loopback API: a person or a program on this machine, and no web page that a browser on it
//! happens to show.

use axum::http::Uri;
use axum::http::header::{FORWARDED, HOST, HeaderMap, ORIGIN};

use super::problem::Refused;

/// Refuses what did not come straight from this machine, where no token is asked for.
pub fn guard(uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let host = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(HOST).and_then(|host| host.to_str().ok()),
    };
    if !host.is_some_and(is_loopback) {
        let detail = "the Host is not a loopback address; ask it as 127.0.0.1, [::1] or localhost";
        return Err(Refused::new(421, "host-not-loopback", detail));
    }
    let is_proxied = |name: &str| name.starts_with("x-forwarded-") || name == FORWARDED.as_str();
    if headers.keys().any(|name| is_proxied(name.as_str())) {
        let detail = "a proxy stands between; an API without tokens is for this machine alone";
        return Err(Refused::new(403, "forwarded", detail));
    }
    if headers.get(ORIGIN).is_some_and(|origin| !origin.to_str().is_ok_and(is_own_origin)) {
        let detail = "a web page from elsewhere asks; an API without tokens refuses it";
        return Err(Refused::new(403, "foreign-origin", detail));
    }
    Ok(())
}

/// Refuses what no request may be, whoever sends it.
pub fn sound(uri: &Uri) -> Result<(), Refused> {
    if !is_text(uri.path()) {
        let detail = "the path is no UTF-8 once its percent signs are read";
        return Err(Refused::new(400, "bad-path", detail));
    }
    Ok(())
}

/// Whether `host`, with or without a port, names this machine itself.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a path is UTF-8 once it is percent-decoded (RFC 3986 §2.1). A sign that begins no octet stands for itself.
fn is_text(path: &str) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (mut rest, mut decoded) = (path.as_bytes(), Vec::with_capacity(path.len()));
    while let Some((&first, after)) = rest.split_first() {
        let octet = match (first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(h, l)| h * 16 + l),
            _ => None,
        };
        decoded.push(octet.unwrap_or(first));
        rest = if octet.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    std::str::from_utf8(&decoded).is_ok()
}

fn is_own_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(is_loopback)
}

/// Whether a content type is JSON, one value or one a line.
pub fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/x-ndjson", "application/ndjson"]
        .iter()
        .any(|json| essence.eq_ignore_ascii_case(json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::{HeaderName, HeaderValue};

    fn check(headers: &[(&str, &str)], expected: Option<&str>) {
        let pair = |&(name, value): &(&str, &str)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        };
        let map: HeaderMap = headers.iter().map(pair).collect();
        let uri = Uri::from_static("/v1/status");
        let refused = guard(&uri, &map).err();
        assert_eq!(refused.as_ref().map(|r| r.problem.code.as_str()), expected, "{headers:?}");
    }

    #[test]
    fn only_this_machine_is_admitted() {
        for host in ["127.0.0.1:8053", "localhost", "[::1]:8053", "127.9.9.9", "LOCALHOST:1"] {
            check(&[("host", host)], None);
        }
        for host in ["example.com", "localhost.example.com", "192.0.2.1", "", "[::2]:8053"] {
            check(&[("host", host)], Some("host-not-loopback"));
        }
        check(&[], Some("host-not-loopback"));
    }

    #[test]
    fn pages_and_proxies_are_refused() {
        let host = ("host", "localhost");
        check(&[host, ("origin", "http://localhost:8053")], None);
        check(&[host, ("origin", "https://127.0.0.1:8053")], None);
        check(&[host, ("origin", "https://evil.example")], Some("foreign-origin"));
        check(&[host, ("origin", "null")], Some("foreign-origin"));
        check(&[host, ("forwarded", "for=192.0.2.1")], Some("forwarded"));
        check(&[host, ("x-forwarded-for", "192.0.2.1")], Some("forwarded"));
    }

    #[test]
    fn a_path_is_text() {
        for (path, expected) in
            [("/v1/health/fra%2Fweb", true), ("/%ff", false), ("/%c3%a9", true), ("/%f", true)]
        {
            assert_eq!(is_text(path), expected, "{path}");
        }
    }

    #[test]
    fn json_is_json_whatever_its_parameters() {
        for (kind, expected) in [
            ("application/json; charset=utf-8", true),
            ("application/x-ndjson", true),
            ("text/plain", false),
            ("", false),
        ] {
            assert_eq!(is_json(kind), expected, "{kind}");
        }
    }
}
