//! `[webhook]`: who is told of what happens, and of what.
//!
//! Never: reads the secret or a certificate; who sends does, with each letter.

use std::path::{Path, PathBuf};

use hyper::Uri;
use toml::de::DeTable;

use crate::route::{Reader, Value};

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where letters go, `http` or `https`.
    pub url: Box<str>,
    /// The file whose text signs them; none: they are not signed.
    pub secret_file: Option<PathBuf>,
    /// Certificates of the authorities that vouch for the receiver; none: those that the system trusts.
    pub ca: Option<PathBuf>,
    /// What is told.
    pub news: News,
}

/// Kinds of news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Alarms that are raised or cleared.
    pub alarms: bool,
    /// Endpoints that stand otherwise than before.
    pub turns: bool,
    /// Overrides, drains, and what takes them back.
    pub decisions: bool,
    /// States of files that serve.
    pub publications: bool,
}

impl News {
    /// All of it.
    pub const ALL: News = News { alarms: true, turns: true, decisions: true, publications: true };
}

/// Reads the table; none if it does not say where to.
pub(super) fn read_webhook(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    root: &Path,
) -> Option<Webhook> {
    reader.only_keys(table, &["url", "secret_file", "ca", "only"], "[webhook]");
    let news = table.get("only").map_or(News::ALL, |value| read_news(reader, value));
    let secret_file = read_path(reader, table, "secret_file", root);
    let ca = read_path(reader, table, "ca", root);
    let Some(value) = table.get("url") else {
        let help = "url = \"https://alerts.example.net/homing\"";
        let key = ["secret_file", "ca", "only"].iter().find_map(|key| table.get(*key));
        let span = key.map_or(0..0, Value::span);
        reader.error("missing-key", &span, "[webhook] without `url`", help);
        return None;
    };
    let text = reader.text(value, "`url`")?;
    if !is_receiver(text) {
        let what = format!("`{text}` is no address of a receiver");
        let help = "http or https, a host and a path: https://alerts.example.net/homing";
        reader.error("webhook-url", &value.span(), what, help);
        return None;
    }
    Some(Webhook { url: text.into(), secret_file, ca, news })
}

fn is_receiver(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let is_known = matches!(uri.scheme_str(), Some("http" | "https"));
    is_known && uri.host().is_some_and(|host| !host.is_empty()) && !text.contains(['@', '#'])
}

fn read_news(reader: &mut Reader<'_>, value: &Value<'_>) -> News {
    let mut news = News::default();
    for value in reader.full_list(value, "`only`").into_iter().flatten() {
        match reader.text(value, "a word of `only`") {
            Some("alarms") => news.alarms = true,
            Some("turns") => news.turns = true,
            Some("decisions") => news.decisions = true,
            Some("publications") => news.publications = true,
            Some(word) => {
                let help = "some of alarms, turns, decisions, publications";
                let what = format!("`only` cannot have `{word}`");
                reader.error("unknown-word", &value.span(), what, help);
            }
            None => {}
        }
    }
    news
}

fn read_path(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    key: &str,
    root: &Path,
) -> Option<PathBuf> {
    let value = table.get(key)?;
    let text = reader.text(value, &format!("`{key}`"))?;
    if text.is_empty() {
        let help = "a path, relative to the folder of this file";
        reader.error("folder-name", &value.span(), format!("`{key}` is empty"), help);
        return None;
    }
    Some(root.join(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Config;

    fn read(keys: &str) -> Result<Option<Webhook>, Vec<(&'static str, u32)>> {
        let text = format!("[webhook]\n{keys}\n");
        let config = Config::parse("homing.toml", text.as_bytes(), Path::new("/srv"));
        let codes = |said: Vec<crate::diagnostic::Diagnostic>| {
            said.iter().map(|d| (d.code, d.place.line)).collect()
        };
        config.map(|config| config.webhook).map_err(codes)
    }

    #[test]
    fn a_receiver_is_told_everything_unless_it_asks_for_less() {
        let all = Webhook {
            url: "https://alerts.example.net/homing?site=fra".into(),
            secret_file: Some("/srv/secret".into()),
            ca: None,
            news: News::ALL,
        };
        let url = "url = \"https://alerts.example.net/homing?site=fra\"\nsecret_file = \"secret\"";
        assert_eq!(read(url), Ok(Some(all.clone())));
        let news = News { alarms: true, decisions: true, ..News::default() };
        let less = read(&format!("{url}\nonly = [\"alarms\", \"decisions\"]"));
        assert_eq!(less, Ok(Some(Webhook { news, ..all })));
    }

    #[test]
    fn mistakes_are_told_at_once_with_their_lines() {
        let urls =
            ["", "alerts.example.net", "ftp://a/", "https://", "https://a@b/", "http://a/#b"];
        for url in urls {
            let said = read(&format!("url = \"{url}\""));
            assert_eq!(said, Err(vec![("webhook-url", 2)]), "{url}");
        }
        assert_eq!(read("ca = \"ca.pem\""), Err(vec![("missing-key", 2)]));
        let said = read("url = \"http://a/\"\nsecret_file = \"\"\nonly = [\"alarm\"]\nto = 1");
        let codes = [("unknown-key", 5), ("unknown-word", 4), ("folder-name", 3)];
        let mut expected = codes.to_vec();
        let mut said = said.unwrap_err();
        said.sort_unstable();
        expected.sort_unstable();
        assert_eq!(said, expected);
        assert!(read("url = \"http://a/\"\nonly = []").is_err(), "nothing at all is a mistake");
    }
}
