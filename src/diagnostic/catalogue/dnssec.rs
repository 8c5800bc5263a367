//! Zones that were signed before they came here.

use super::super::check::{Check, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "dnskey-missing",
        severities: WARNING,
        title: "a zone has signatures and no DNSKEY",
        why: "Validators need the key at the apex to check any signature. If the parent has a DS, \
            the whole zone fails; without, the signatures are of no use.",
        wrong: "a signed zone whose DNSKEY records were not copied along",
        right: "@  DNSKEY  257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d...",
        clause: "RFC 4035 §2.1",
    },
    Check {
        code: "dnssec-algorithm-weak",
        severities: WARNING,
        title: "a key or a DS uses an algorithm that validators drop",
        why: "Keys with RSA/MD5, DSA or SHA-1, and DS records with SHA-1, are treated as absent by \
            more and more validators: the zone is then insecure or fails. Roll over to algorithm \
            13 and digest 2.",
        wrong: "@  DNSKEY  257 3 5 AwEAAc...",
        right: "@  DNSKEY  257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d...",
        clause: "RFC 8624 §3.1, RFC 9905",
    },
    Check {
        code: "ds-without-delegation",
        severities: WARNING,
        title: "a DS record stands where no delegation is",
        why: "A DS belongs to the parent, beside the NS records of the delegation. At the apex it \
            belongs into the parent zone; elsewhere it means nothing.",
        wrong: "@    DS  2371 13 2 1F98...",
        right: "lab  NS  ns1.example.net.\n\
            lab  DS  2371 13 2 1F98...",
        clause: "RFC 4035 §2.4",
    },
    Check {
        code: "nsec-chain-broken",
        severities: WARNING,
        title: "an NSEC record does not point at the next name",
        why: "The chain runs through all authoritative names in canonical order and ends at the \
            apex. At a gap, validators reject the proof that a name does not exist, or accept \
            that one does not which does.",
        wrong: "a.example.com.  NSEC  c.example.com. A RRSIG NSEC  ; and b.example.com. exists",
        right: "a.example.com.  NSEC  b.example.com. A RRSIG NSEC",
        clause: "RFC 4035 §2.3",
    },
    Check {
        code: "nsec-missing",
        severities: WARNING,
        title: "an authoritative name has no NSEC record",
        why: "In a zone with an NSEC chain every authoritative name and every delegation has one: \
            a type that is not there cannot be denied without.",
        wrong: "a record added to a signed zone by hand",
        right: "the zone, signed again",
        clause: "RFC 4035 §2.3",
    },
    Check {
        code: "nsec-types-differ",
        severities: WARNING,
        title: "an NSEC record lists other types than the name has",
        why: "Validators believe the list: a type that it leaves out is denied with proof, and one \
            that is not there makes the answer bogus.",
        wrong: "www  NSEC  @ A RRSIG NSEC  ; and www has AAAA",
        right: "www  NSEC  @ A AAAA RRSIG NSEC",
        clause: "RFC 4034 §4.1.2",
    },
    Check {
        code: "nsec3-chain-broken",
        severities: WARNING,
        title: "an NSEC3 record does not point at the next hashed name",
        why: "The chain of a set of parameters is a ring through all its hashes in order. At a \
            gap, proofs that a name does not exist fail.",
        wrong: "an NSEC3 record removed or added by hand",
        right: "the zone, signed again",
        clause: "RFC 5155 §7.1",
    },
    Check {
        code: "nsec3-iterations",
        severities: WARNING,
        title: "NSEC3 hashes are computed over a hundred times",
        why: "More rounds protect nothing and cost every validator. Above 100 validators treat the \
            zone as unsigned or answer SERVFAIL. Use 0 and no salt.",
        wrong: "@  NSEC3PARAM  1 0 150 aabbccdd",
        right: "@  NSEC3PARAM  1 0 0 -",
        clause: "RFC 9276 §3.1, §3.2",
    },
    Check {
        code: "nsec3param-mismatch",
        severities: WARNING,
        title: "NSEC3PARAM and the NSEC3 records have different parameters",
        why: "NSEC3PARAM tells a server which chain to take its proofs from. Without NSEC3 records \
            of the same hash, iterations and salt there are none to give.",
        wrong: "@  NSEC3PARAM  1 0 0 -  ; and NSEC3 records with 10 iterations",
        right: "@  NSEC3PARAM  1 0 10 aabbccdd",
        clause: "RFC 5155 §4, §7.3",
    },
    Check {
        code: "rrsig-covers-nothing",
        severities: WARNING,
        title: "a signature covers a type that the name does not have",
        why: "The record was removed and its signature stayed, or the other way round. Validators \
            never see it.",
        wrong: "www  RRSIG  AAAA 13 3 3600 ...  ; and www has no AAAA",
        right: "the zone, signed again",
        clause: "RFC 4035 §2.2",
    },
    Check {
        code: "rrsig-labels",
        severities: WARNING,
        title: "the label count of a signature is not that of its owner",
        why: "It counts the labels of the owner without the root and without a leftmost asterisk. \
            A larger one is bogus; a smaller one claims that the record came from a wildcard.",
        wrong: "www.example.com.  RRSIG  A 13 2 3600 ...",
        right: "www.example.com.  RRSIG  A 13 3 3600 ...",
        clause: "RFC 4034 §3.1.3",
    },
    Check {
        code: "rrsig-missing",
        severities: WARNING,
        title: "records of a signed zone have no signature",
        why: "Validators reject them: behind a resolver that validates, the name answers SERVFAIL. \
            Records added after signing are the usual case.",
        wrong: "new  A  192.0.2.1    ; added by hand to a signed zone",
        right: "new  A      192.0.2.1\n\
            new  RRSIG  A 13 3 3600 20261201000000 20261101000000 2371 example.com. ...",
        clause: "RFC 4035 §2.2",
    },
    Check {
        code: "rrsig-original-ttl",
        severities: WARNING,
        title: "the TTL of signed records is not the one that was signed",
        why: "Validators restore the TTL from the signature before they check it, and cap what \
            they keep. A larger TTL in the zone is cut; a smaller one means that the zone was \
            edited after signing.",
        wrong: "www  7200  A  192.0.2.1  ; with RRSIG A 13 3 3600 ...",
        right: "www  3600  A  192.0.2.1",
        clause: "RFC 4034 §3.1.4",
    },
    Check {
        code: "rrsig-signer",
        severities: WARNING,
        title: "a signature names another signer than the zone",
        why: "The signer's name is the apex. Anything else is a signature of another zone, and \
            bogus here.",
        wrong: "www  RRSIG  A 13 3 3600 20261201000000 20261101000000 2371 example.net. ...",
        right: "www  RRSIG  A 13 3 3600 20261201000000 20261101000000 2371 example.com. ...",
        clause: "RFC 4035 §2.2",
    },
    Check {
        code: "rrsig-without-key",
        severities: WARNING,
        title: "signatures were made by a key that the zone does not publish",
        why: "No DNSKEY at the apex has their key tag and algorithm, so that nobody can check \
            them. During a rollover the old key stays until its signatures are gone.",
        wrong: "the old DNSKEY removed before the zone was signed anew",
        right: "both DNSKEY records, until the last old signature is gone",
        clause: "RFC 4035 §2.2, RFC 6781 §4.1",
    },
    Check {
        code: "signature-expired",
        severities: WARNING,
        title: "signatures have expired",
        why: "Validators reject what they cover: to them the zone is broken until it is signed \
            again. This is a warning, not an error, since the same files must serve at every \
            site, and without validation they still answer.",
        wrong: "an RRSIG that ended yesterday",
        right: "the zone, signed again; and a job that does so well before the end",
        clause: "RFC 4035 §5.3.1",
    },
    Check {
        code: "signature-expiring",
        severities: WARNING,
        title: "signatures expire within a week",
        why: "If nobody signs the zone again before, validators will reject it. A signer that runs \
            by itself renews earlier: see whether it still does.",
        wrong: "an RRSIG that ends in three days",
        right: "the zone, signed again",
        clause: "RFC 4035 §5.3.1, RFC 6781 §4.4.2",
    },
    Check {
        code: "signature-not-yet-valid",
        severities: WARNING,
        title: "signatures begin in the future",
        why: "Until then validators reject them. The clock or the time zone of the signer is the \
            usual reason.",
        wrong: "an RRSIG that begins tomorrow",
        right: "the zone signed with an inception of an hour ago",
        clause: "RFC 4035 §5.3.1",
    },
];
