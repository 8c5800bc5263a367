//! Any octets as a zone file: reading ends without a panic, with a zone or with a reason that says where; and what a zone
//! holds, written down plainly, is read as the same zone.

#![no_main]

use std::sync::Arc;

use homing::wire::Name;
use homing::zone::{self, Zone};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if generates_many(text) {
        return;
    }
    let include = |path: &str, _: &str| match path {
        "self" => Ok((path.to_owned(), Arc::from(text))),
        "host" => Ok((path.to_owned(), Arc::from(&b"host A 192.0.2.1\n$ORIGIN sub\n$TTL 5\n"[..]))),
        _ => Err("no such file".to_owned()),
    };
    let origin = Name::parse("example.", &Name::root()).unwrap();
    let parsed = zone::parse("z", text, &origin, &include);
    let lines = text.split(|&b| b == b'\n' || b == b'\r').count() as u32;
    for said in &parsed.diagnostics {
        assert!(said.place.file != "z" || said.place.line <= lines, "{said} of {lines} lines");
        assert!(!said.to_string().contains('\u{1b}'), "a terminal would obey");
    }
    let refused = parsed.diagnostics.iter().any(|d| d.is_error());
    assert_eq!(parsed.zone.is_none(), refused);
    if let Some(zone) = parsed.zone {
        let again = zone::parse("z", plainly(&zone).as_bytes(), &origin, &include);
        let again = again.zone.unwrap_or_else(|| panic!("{}", plainly(&zone)));
        assert_eq!(plainly(&zone), plainly(&again));
    }
});

/// One record a line, nothing left to defaults.
fn plainly(zone: &Zone) -> String {
    let mut text = String::new();
    for (owner, node) in &zone.nodes {
        for rrset in &node.rrsets {
            for rdata in &rrset.rdata {
                let rdata = zone::to_text(rrset.rtype, rdata);
                let ttl = rrset.ttl.as_secs();
                text.push_str(&format!("{owner} {ttl} IN {} {rdata}\n", rrset.rtype));
            }
        }
    }
    text
}

/// Whether a `$GENERATE` may stand for more than some hundred records: within the bounds, and slow.
fn generates_many(text: &[u8]) -> bool {
    let generates = text.windows(9).any(|w| w.eq_ignore_ascii_case(b"$GENERATE"));
    let digits = |w: &[u8]| w.iter().all(u8::is_ascii_digit);
    generates && text.windows(4).any(digits)
}
