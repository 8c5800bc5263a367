//! Routes, and the zones that they are for.

use super::super::check::{Check, EITHER, ERROR, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "bad-owner",
        severities: ERROR,
        title: "what should be the owner name of a route is none",
        why: "Routes are written `@`, or as labels relative to their zone; the first may be an \
            asterisk.",
        wrong: "\"\" = \"web\"",
        right: "\"@\" = \"web\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "default-lacks-family",
        severities: WARNING,
        title: "the default RRset and the pool differ in family",
        why: "The pool answers with IPv4 or IPv6 addresses, and the zone file holds none of that \
            family at the routed name. Without steering, by another server or when the default \
            is served, clients of that family find nothing; the other way round, they get an \
            address that steering never gives them.",
        wrong: "fra = [\"192.0.2.10\", \"2001:db8::10\"]    # and in the zone file: www A 192.0.2.10",
        right: "www  A     192.0.2.10\n\
            www  AAAA  2001:db8::10",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "duplicate-route",
        severities: ERROR,
        title: "one owner name is routed twice",
        why: "A name has one policy. Names ignore case, so WWW and www are one.",
        wrong: "\"www\" = \"web\"\n\
            \"WWW\" = \"shop\"",
        right: "\"www\" = \"web\"",
        clause: "RFC 4343",
    },
    Check {
        code: "hints-of-routed-name",
        severities: WARNING,
        title: "address hints of an HTTPS or SVCB record would bypass the steering",
        why: "Clients use ipv4hint and ipv6hint instead of asking. Where the target is routed, the \
            record is served without them, so that the policy decides.",
        wrong: "@  HTTPS  1 www alpn=h2 ipv4hint=192.0.2.10    ; and www is routed",
        right: "@  HTTPS  1 www alpn=h2",
        clause: "zones/README.md, Steering files, RFC 9460 §7.3",
    },
    Check {
        code: "route-below-delegation",
        severities: ERROR,
        title: "a route is for a name that another zone answers for",
        why: "At and below an NS record that is not the apex's, queries are referred away: the \
            policy would never be asked. Route the name in the zone below.",
        wrong: "\"www.lab\" = \"web\"    # and in the zone file: lab NS ns1.lab",
        right: "[routes.\"lab.example.com\"]\n\
            \"www\" = \"web\"",
        clause: "zones/README.md, Steering files, RFC 1034 §4.2.1",
    },
    Check {
        code: "route-below-dname",
        severities: ERROR,
        title: "a route is for a name at or below a DNAME",
        why: "Names below a DNAME are answered from its target, and do not exist here.",
        wrong: "\"www.old\" = \"web\"    # and in the zone file: old DNAME new.example.net.",
        right: "\"www\" = \"web\"",
        clause: "zones/README.md, Steering files, RFC 6672 §2.4",
    },
    Check {
        code: "route-beside-cname",
        severities: ERROR,
        title: "a routed name has a CNAME",
        why: "A name with a CNAME owns no addresses, so that the policy has nowhere to answer. \
            Remove the CNAME, or route its target.",
        wrong: "\"www\" = \"web\"    # and in the zone file: www CNAME app",
        right: "\"app\" = \"web\"",
        clause: "RFC 1034 §3.6.2",
    },
    Check {
        code: "route-cname-and-other-data",
        severities: ERROR,
        title: "a name routed to host names owns other records",
        why: "A pool of host names answers with a CNAME, which stands alone. The zone file may \
            hold only the default RRset there: addresses, or one CNAME.",
        wrong: "\"www\" = \"lb\"    # and in the zone file: www TXT \"hello\"",
        right: "www  CNAME  lb.fra.example.net.",
        clause: "zones/README.md, Steering files, RFC 1034 §3.6.2",
    },
    Check {
        code: "route-cname-at-apex",
        severities: ERROR,
        title: "the apex is routed to host names",
        why: "The answer would be a CNAME at the apex, beside SOA and NS. Give the pool addresses.",
        wrong: "\"@\" = \"lb\"",
        right: "\"@\" = \"web\"",
        clause: "zones/README.md, Steering files, RFC 1034 §3.6.2",
    },
    Check {
        code: "route-defined-twice",
        severities: ERROR,
        title: "one owner name is routed twice",
        why: "Written in two ways or in two files, both lines are for one name of one zone.",
        wrong: "\"www\" = \"web\"                  # [routes.\"example.com\"] in a.toml\n\
            \"www.example.com.\" = \"shop\"    # [routes.\"example.com\"] in b.toml",
        right: "\"www\" = \"web\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "route-file-removed",
        severities: ERROR,
        title: "a steering file is gone whose names have no addresses otherwise",
        why: "A deleted file is often an accident, and the names that it routes would have no \
            answer left. To mean it, empty the file first, or give the names A or AAAA records.",
        wrong: "rm zones/example.com.toml",
        right: "www  A  192.0.2.10",
        clause: "README.md, Promises",
    },
    Check {
        code: "route-in-signed-zone",
        severities: ERROR,
        title: "a route is in a signed zone",
        why: "A steered answer would need a signature of ours, which cannot be made yet. The \
            default RRset is served, with the signatures of the file.",
        wrong: "\"www\" = \"web\"    # and the zone has DNSKEY and RRSIG",
        right: "the zone unsigned, or without the route",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "route-on-ns-target",
        severities: ERROR,
        title: "a name server of the zone is routed",
        why: "Resolvers hold its address from glue, from the parent and from answers, and compare: \
            it has to be the same everywhere.",
        wrong: "\"ns1\" = \"web\"",
        right: "ns1  A  192.0.2.53",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "route-outside-zone",
        severities: ERROR,
        title: "a route is for a name outside of its zone",
        why: "Owners are relative to the zone that the table names; a final dot makes them \
            absolute.",
        wrong: "\"www.example.org.\" = \"web\"    # in [routes.\"example.com\"]",
        right: "\"www\" = \"web\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "route-owner",
        severities: ERROR,
        title: "the owner of a route is no domain name",
        why: "Labels hold 1 to 63 octets and a name 255.",
        wrong: "\"www..shop\" = \"web\"",
        right: "\"www.shop\" = \"web\"",
        clause: "RFC 1035 §2.3.4",
    },
    Check {
        code: "route-removed",
        severities: WARNING,
        title: "a name is no longer routed and has no addresses otherwise",
        why: "Its line was removed, which is taken as meant; from now on the name has no address.",
        wrong: "\"www\" = \"web\"    # removed, and the zone file holds nothing for www",
        right: "www  A  192.0.2.10",
        clause: "README.md, Promises",
    },
    Check {
        code: "route-without-default",
        severities: EITHER,
        title: "a routed name has no addresses in the zone file",
        why: "With a default RRset any other server can serve the zone, and so can this one when \
            its steering is refused. Where the policy answers with it when all are down, it is \
            an error.",
        wrong: "\"www\" = \"web\"    # and the zone file holds nothing for www",
        right: "www  A  192.0.2.10",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "route-zone-unknown",
        severities: ERROR,
        title: "a route is for a zone that is not served",
        why: "Routes belong to the zone whose apex their table names.",
        wrong: "[routes.\"exmaple.com\"]",
        right: "[routes.\"example.com\"]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "wildcard-blocked",
        severities: WARNING,
        title: "names that exist hide from a routed wildcard",
        why: "A wildcard answers for names that do not exist. A name with records of its own, or \
            with something below it, does.",
        wrong: "\"*.apps\" = \"web\"    # and in the zone file: shop.apps TXT \"hello\"",
        right: "\"*.apps\"    = \"web\"\n\
            \"shop.apps\" = \"web\"",
        clause: "RFC 4592 §2.2.1",
    },
];
