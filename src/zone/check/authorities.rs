//! Which authorities may issue certificates: CAA (RFC 8659).

use super::super::report::Mark;
use super::placed::Remarks;

/// The registered tags (IANA, Certification Authority Restriction Properties).
const TAGS: [&str; 7] =
    ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuevmc", "issuemail"];

/// Remarks on one CAA record.
pub fn check(rdata: &[u8], mark: Mark, remarks: &mut Remarks<'_, '_>) {
    let Some((&[flags, tag_len], rest)) = rdata.split_first_chunk() else { return };
    let Some((tag, value)) = rest.split_at_checked(usize::from(tag_len)) else { return };
    let tag = String::from_utf8_lossy(tag).to_ascii_lowercase();
    if flags & 0x7f != 0 {
        let help = "write 0, or 128 for critical (RFC 8659 §4.1)";
        remarks.say(mark, "caa-flags", help, || format!("flags {flags} mean nothing"));
    }
    if !TAGS.contains(&tag.as_str()) {
        let help = "issue, issuewild, issuemail, iodef, … (RFC 8659 §4.1.1)";
        remarks.say(mark, "caa-tag", help, || match flags & 0x80 {
            0 => format!("`{tag}` is no registered tag, and restricts nothing"),
            _ => format!("`{tag}` is no registered tag, and critical: nobody may issue"),
        });
    }
    let value = String::from_utf8_lossy(value);
    let fault = match tag.as_str() {
        "issue" | "issuewild" | "issuemail" | "issuevmc" => issuer_fault(&value),
        "iodef" => (!["mailto:", "http://", "https://"].iter().any(|s| value.starts_with(s)))
            .then_some("it is no mailto: or https: URL"),
        _ => None,
    };
    if let Some(why) = fault {
        remarks.say(mark, "caa-value", "see RFC 8659 §4.2 to §4.4", || {
            format!("the value of `{tag}` cannot be `{value}`: {why}")
        });
    }
}

/// RFC 8659 §4.2: a domain or nothing, then parameters, each behind a semicolon.
fn issuer_fault(value: &str) -> Option<&'static str> {
    let mut parts = value.split(';').map(str::trim);
    let domain = parts.next().unwrap_or_default();
    let is_label = |label: &str| {
        let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        !label.is_empty() && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    if !domain.is_empty() && !domain.split('.').all(is_label) {
        return Some("an authority is written as its domain");
    }
    let is_parameter = |part: &str| {
        part.split_once('=').is_some_and(|(name, value)| {
            let graphic = |b: u8| b.is_ascii_graphic() && b != b';';
            is_label(name.trim()) && value.trim().bytes().all(graphic)
        })
    };
    let bad = parts.filter(|part| !part.is_empty()).any(|part| !is_parameter(part));
    bad.then_some("after a semicolon stands name=value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_read_by_the_grammar() {
        for good in
            ["ca.test", ";", "", "ca.test; account=230123", "ca.test;validationmethods=dns-01; a=b"]
        {
            assert_eq!(issuer_fault(good), None, "{good}");
        }
        for bad in ["https://ca.test", "ca.test.", "ca.test account=1", "ca.test; account", "a_b"] {
            assert!(issuer_fault(bad).is_some(), "{bad}");
        }
    }
}
