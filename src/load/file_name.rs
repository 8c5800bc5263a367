//! The file name that a zone's name gives (DESIGN §3): the inverse of how a file name gives an origin.

use crate::zone::Name;

/// Octets of the longest file name that common file systems take.
const FILE_NAME_LEN_MAX: usize = 255;

/// The name of the file of the zone `apex`, such as `example.com.zone`: in lower case, what may not stand in a file name
/// percent-encoded. None if it would be too long for a file system.
pub fn zone_file_name(apex: &Name) -> Option<String> {
    let shown = apex.to_string().to_ascii_lowercase();
    let Some(stem) = shown.strip_suffix('.').filter(|stem| !stem.is_empty()) else {
        return Some("root.zone".to_owned());
    };
    let mut name = String::with_capacity(stem.len() + 5);
    // A zone that is called `root` is not the root, and what begins with `readme` is a note to the reader.
    let first_label = stem.split('.').next().unwrap_or_default();
    let is_taken = stem == "root" || first_label == "readme";
    for (index, byte) in stem.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if is_plain && !(is_taken && index == 0) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name.push_str(".zone");
    (name.len() <= FILE_NAME_LEN_MAX).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::forms::origin;
    use super::*;

    #[test]
    fn a_file_name_leads_back_to_its_zone() {
        for (zone, expected) in [
            ("example.com.", "example.com.zone"),
            ("Example.COM.", "example.com.zone"),
            (".", "root.zone"),
            ("root.", "%72oot.zone"),
            ("root.test.", "root.test.zone"),
            ("readme.test.", "%72eadme.test.zone"),
            ("0/25.2.0.192.in-addr.arpa.", "0%2F25.2.0.192.in-addr.arpa.zone"),
            ("a\\.b.test.", "a%5C.b.test.zone"),
            ("_tcp.a-b.", "_tcp.a-b.zone"),
        ] {
            let name = Name::parse(zone, &Name::root()).unwrap();
            let file = zone_file_name(&name).unwrap();
            assert_eq!(file, expected);
            assert_eq!(origin(&format!("zones/{file}")).unwrap(), name);
        }
        let long = format!("{0}.{0}.{0}.test.", "\\255".repeat(60));
        assert_eq!(zone_file_name(&Name::parse(&long, &Name::root()).unwrap()), None);
    }
}
