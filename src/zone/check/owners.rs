//! Owner names that are probably not what was meant.

use crate::wire::{Name, Rtype};

use super::placed::{Placed, Remarks};

/// Remarks on one owner name.
pub fn check(apex: &Name, placed: Placed<'_>, remarks: &mut Remarks<'_, '_>) {
    let (owner, Some(mark)) = (placed.owner, placed.mark()) else { return };
    if holds_apex_twice(owner.as_wire(), apex) {
        remarks.say(mark, "dot-missing", DOT_HELP, || format!("{owner} holds {apex} twice"));
    }
    let own = owner.as_wire();
    let own = own.get(..own.len() - apex.as_wire().len()).unwrap_or_default();
    // Quick, since it is asked of every name: an asterisk is rare.
    if own.contains(&b'*') {
        wildcard(apex, placed, remarks);
    }
    if !is_host_name(own)
        && let Some((rrset, mark)) = placed.rrset(Rtype::A).or_else(|| placed.rrset(Rtype::AAAA))
    {
        let help = "use letters, digits and hyphens within (RFC 952, RFC 1123 §2.1)";
        remarks.say(mark, "owner-not-host-name", help, || {
            format!("{owner} has {} records and is no host name", rrset.rtype)
        });
    }
}

/// How to mend a name without its dot.
pub const DOT_HELP: &str = "is the dot missing at its end? (RFC 1035 §5.1)";

/// Whether a name in wire format lies below `apex` with the labels of `apex` before it again. An apex of one label may
/// well stand in a name twice.
pub fn holds_apex_twice(name: &[u8], apex: &Name) -> bool {
    let apex = apex.as_wire();
    let Some(labels) = apex.get(..apex.len() - 1) else { return false };
    let Some(above) = name.len().checked_sub(apex.len()) else { return false };
    let Some(start) = above.checked_sub(labels.len()) else { return false };
    let is_twice = name.get(start..above).is_some_and(|own| own.eq_ignore_ascii_case(labels));
    is_twice && labels.get(1 + usize::from(labels.first().copied().unwrap_or(0))).is_some()
}

fn wildcard(apex: &Name, placed: Placed<'_>, remarks: &mut Remarks<'_, '_>) {
    let (owner, Some(mark)) = (placed.owner, placed.mark()) else { return };
    let own = owner.labels().take(owner.label_count() - apex.label_count());
    if own.skip(1).any(|label| label == b"*") {
        let help = "only a leftmost asterisk is a wildcard (RFC 4592 §2.1.1)";
        remarks.say(mark, "wildcard-inner", help, || {
            format!("the inner asterisk of {owner} matches only itself")
        });
    }
    let hides = placed.rrset(Rtype::NS).or_else(|| placed.rrset(Rtype::DNAME));
    if let Some((rrset, mark)) = hides.filter(|_| owner.is_wildcard()) {
        let help = "name what is delegated (RFC 4592 §4.2, §4.4)";
        remarks.say(mark, "wildcard-delegation", help, || {
            format!("{owner} has {} records: what that means is not defined", rrset.rtype)
        });
    }
}

/// RFC 1123 §2.1, for labels in wire format; a leftmost asterisk stands for labels that may be any.
fn is_host_name(labels: &[u8]) -> bool {
    let mut rest = labels.strip_prefix(b"\x01*").unwrap_or(labels);
    while let Some((&len, after)) = rest.split_first() {
        let Some((label, above)) = after.split_at_checked(usize::from(len)) else { return true };
        let is_edge = label.first() == Some(&b'-') || label.last() == Some(&b'-');
        if is_edge || !label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
            return false;
        }
        rest = above;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apex_is_found_twice_only_label_by_label() {
        let name = |text: &str| Name::parse(text, &Name::root()).unwrap();
        for (owner, apex, expected) in [
            ("www.a.test.A.test.", "a.test.", true),
            ("a.test.a.test.", "a.test.", true),
            ("www.a.test.", "a.test.", false),
            ("a.test.", "a.test.", false),
            ("com.com.", "com.", false),
            ("x.", ".", false),
        ] {
            let found = holds_apex_twice(name(owner).as_wire(), &name(apex));
            assert_eq!(found, expected, "{owner} {apex}");
        }
    }
}
