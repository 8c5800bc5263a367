//! Whose client subnets decide answers: `ecs` and `ecs_trusted` of `[listen]`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::answer::{Networks, SubnetTrust};
use crate::geo::{Prefix, PrefixError};
use crate::route::Reader;

/// Networks that a list may hold: a guess, above those of all public resolvers.
const NETWORK_COUNT_MAX: usize = 10_000;

/// The list may stand there while another word holds, so that it is one word to change.
pub(super) fn read_subnet_trust(reader: &mut Reader<'_>, listen: &DeTable<'_>) -> SubnetTrust {
    const WORDS: [(&str, SubnetTrust); 2] = [("all", SubnetTrust::All), ("off", SubnetTrust::Off)];
    let list = listen.get("ecs_trusted").map(|value| read_resolvers(reader, value));
    let Some(value) = listen.get("ecs") else { return SubnetTrust::All };
    let Some(word) = reader.text(value, "`ecs`") else { return SubnetTrust::All };
    let known = WORDS.into_iter().find(|(known, _)| *known == word);
    match (known, word, list) {
        (Some((_, trust)), _, _) => trust,
        (None, "trusted", Some(resolvers)) => SubnetTrust::Trusted(Networks::of(&resolvers)),
        (None, "trusted", None) => {
            let what = "`ecs` trusts a list, and `ecs_trusted` is missing";
            let help = "list the networks of resolvers: ecs_trusted = [\"192.0.2.0/24\"]";
            reader.error("ecs-without-list", &value.span(), what, help);
            SubnetTrust::All
        }
        (None, word, _) => {
            let what = format!("`ecs` cannot be `{word}`");
            reader.error("unknown-word", &value.span(), what, "one of all, trusted, off");
            SubnetTrust::All
        }
    }
}

fn read_resolvers(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Vec<Prefix> {
    let list = reader.full_list(value, "`ecs_trusted`");
    list.map_or(Vec::new(), |list| read_networks(reader, value, list, "ecs_trusted"))
}

/// The networks in `list`, the value of `key`.
pub(super) fn read_networks(
    reader: &mut Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    list: &[Spanned<DeValue<'_>>],
    key: &str,
) -> Vec<Prefix> {
    if list.len() > NETWORK_COUNT_MAX {
        let what = format!("`{key}` lists {} networks", list.len());
        let help = format!("at most {NETWORK_COUNT_MAX}");
        reader.error("too-many-addresses", &value.span(), what, help);
    }
    let read = |value| {
        let text = reader.text(value, &format!("a network of `{key}`"))?;
        let help = match Prefix::parse(text) {
            Ok(prefix) => return Some(prefix),
            Err(PrefixError::Malformed) => "address/length, such as 192.0.2.0/24".to_owned(),
            Err(PrefixError::HostBits(prefix)) => format!("did you mean {prefix}?"),
        };
        reader.error("bad-subnet", &value.span(), format!("`{text}` is not a subnet"), help);
        None
    };
    list.iter().take(NETWORK_COUNT_MAX).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::Diagnostic;
    use crate::load::Config;

    fn trust(keys: &str) -> Result<SubnetTrust, Vec<Diagnostic>> {
        let text = format!("[listen]\n{keys}\n");
        let config = Config::parse("homing.toml", text.as_bytes(), Path::new("/srv"));
        config.map(|config| config.subnet_trust)
    }

    #[test]
    fn whose_subnets_are_believed_is_read_whole() {
        let list = "ecs_trusted = [\"192.0.2.0/24\", \"2001:db8::/32\"]";
        let networks = ["192.0.2.0/24", "2001:db8::/32"].map(|text| Prefix::parse(text).unwrap());
        for (keys, expected) in [
            (list.to_owned(), SubnetTrust::All),
            ("ecs = \"all\"".to_owned(), SubnetTrust::All),
            (format!("ecs = \"off\"\n{list}"), SubnetTrust::Off),
            (format!("ecs = \"trusted\"\n{list}"), SubnetTrust::Trusted(Networks::of(&networks))),
        ] {
            assert_eq!(trust(&keys), Ok(expected), "{keys}");
        }
        let many = vec!["\"192.0.2.1\""; NETWORK_COUNT_MAX + 1].join(",");
        for (keys, code, line, column) in [
            ("ecs = \"trusted\"", "ecs-without-list", 2, 7),
            ("ecs = \"trusted\"\necs_trusted = []", "empty-list", 3, 15),
            ("ecs = \"some\"", "unknown-word", 2, 7),
            ("ecs = true", "wrong-type", 2, 7),
            ("ecs_trusted = [\"192.0.2.1/24\"]", "bad-subnet", 2, 16),
            ("ecs_trusted = [\"::1\", \"any\"]", "bad-subnet", 2, 23),
            (&format!("ecs_trusted = [{many}]"), "too-many-addresses", 2, 15),
        ] {
            let said = trust(keys).unwrap_err();
            let found: Vec<_> =
                said.iter().map(|d| (d.code, d.place.line, d.place.column)).collect();
            assert_eq!(found, [(code, line, column)], "{keys}");
        }
    }
}
