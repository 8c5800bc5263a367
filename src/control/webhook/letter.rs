//! What of an event is news to a receiver, and by what it knows who sends.

use ring::hmac;

use crate::api::{WatchEvent, WatchWhat};
use crate::load::News;

/// Octets of a secret, less white space around it: fewer could be tried out.
const SECRET_LEN_MIN: usize = 16;

/// Whether an event has something of what a receiver is told.
pub fn is_news(event: &WatchEvent, news: News) -> bool {
    let is_kind = match event.what {
        WatchWhat::Publication { .. } => news.publications,
        WatchWhat::Override { .. }
        | WatchWhat::ClearOverride { .. }
        | WatchWhat::Drain { .. }
        | WatchWhat::Undrain { .. } => news.decisions,
        // As such they are no news; what comes of them may be.
        WatchWhat::Report { .. } | WatchWhat::Heartbeat { .. } | WatchWhat::Tick => false,
    };
    let has_turned = event.turned_more > 0 || event.turned.iter().any(|t| t.was != t.status);
    is_kind || news.turns && has_turned || news.alarms && !event.alarms.is_empty()
}

/// The header `homing-signature`: `t=SECONDS,v1=HEX`, where HEX is the HMAC-SHA-256 (RFC 2104) of `SECONDS.BODY`. So a
/// letter that somebody kept is known by its age.
pub fn signature(secret: &[u8], at_secs: u64, body: &str) -> Result<String, String> {
    let secret = secret.trim_ascii();
    if secret.len() < SECRET_LEN_MIN {
        let count = secret.len();
        return Err(format!(
            "the secret has {count} octets, and at least {SECRET_LEN_MIN} are needed"
        ));
    }
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(format!("{at_secs}.").as_bytes());
    context.update(body.as_bytes());
    let hex = data_encoding::HEXLOWER.encode(context.sign().as_ref());
    Ok(format!("t={at_secs},v1={hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AlarmChange, Turn};

    const NONE: News = News { alarms: false, turns: false, decisions: false, publications: false };

    fn event(what: WatchWhat) -> WatchEvent {
        let (turned, alarms) = (Vec::new(), Vec::new());
        WatchEvent { revision: 1, at: String::new(), what, turned, turned_more: 0, alarms }
    }

    fn undrain() -> WatchWhat {
        let (region, who, why) = ("fra".to_owned(), String::new(), String::new());
        WatchWhat::Undrain { region, over_millis: 0, who, why }
    }

    #[test]
    fn news_is_what_one_asked_for() {
        let decisions = News { decisions: true, ..NONE };
        assert!(is_news(&event(undrain()), decisions));
        assert!(!is_news(&event(undrain()), News { decisions: false, ..News::ALL }));
        assert!(!is_news(&event(WatchWhat::Tick), News::ALL));
        let turn = |was: &str| Turn { was: was.into(), status: "down".into(), ..Turn::default() };
        let turned = |was| WatchEvent { turned: vec![turn(was)], ..event(WatchWhat::Tick) };
        assert!(is_news(&turned("up"), News { turns: true, ..NONE }));
        assert!(!is_news(&turned("down"), News::ALL), "it stands as before");
        assert!(!is_news(&turned("up"), decisions));
        let alarmed = WatchEvent { alarms: vec![AlarmChange::default()], ..event(WatchWhat::Tick) };
        assert!(is_news(&alarmed, News { alarms: true, ..NONE }));
        assert!(!is_news(&alarmed, News { alarms: false, ..News::ALL }));
    }

    #[test]
    fn a_signature_is_what_openssl_makes() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac 'a secret of some length'
        let made = signature(b" a secret of some length\n", 1_700_000_000, "{}").unwrap();
        let expected = "9008b8e96ac884fb56cbbbb39d8c4b578c2c6de7951cbcce7f1f18311f3cd9f2";
        assert_eq!(made, format!("t=1700000000,v1={expected}"));
        assert!(signature(b"short  ", 0, "").unwrap_err().contains("5 octets"));
    }
}
