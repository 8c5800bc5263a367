//! Pools, policies and their rules.

use super::super::check::{Check, ERROR, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "asn-never-matched",
        severities: WARNING,
        title: "a rule names an autonomous system that no known address belongs to",
        why: "Which autonomous system an address belongs to is told by an ASN database. Without \
            one in geo/, or with a number that it does not list, the condition is never true.",
        wrong: "rules = [{ asns = [64500], regions = [\"fra\"] }]    # geo/ holds a country database \
            only",
        right: "geo/GeoLite2-ASN.mmdb beside it",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "bad-endpoint",
        severities: ERROR,
        title: "what should be an endpoint is neither an address nor a host name",
        why: "An endpoint is an IPv4 or IPv6 address as clients get it, or a host name with its \
            final dot. Leading zeros, ports and networks are none.",
        wrong: "fra = [\"192.0.2.010\"]",
        right: "fra = [\"192.0.2.10\"]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "bad-subnet",
        severities: ERROR,
        title: "what should be a subnet is none",
        why: "A subnet, in a rule or in a list of trusted resolvers, is an address and a length, \
            with no bit set beyond that length.",
        wrong: "{ subnets = [\"203.0.113.7/24\"], regions = [\"fra\"] }",
        right: "{ subnets = [\"203.0.113.0/24\"], regions = [\"fra\"] }",
        clause: "RFC 4632 §3.1",
    },
    Check {
        code: "bias-without-nearness",
        severities: WARNING,
        title: "a policy has a bias, and nearness orders none of its regions",
        why: "A bias makes a region seem nearer or farther. Where every rule lists all regions, or \
            stands behind a fence, nothing is measured and the bias changes nothing.",
        wrong: "rules = [{ regions = [\"fra\", \"iad\"] }]    # and the pool has no other\n\
            bias = { fra = 20 }",
        right: "rules = [{ regions = \"nearest\" }]\n\
            bias = { fra = 20 }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "duplicate-endpoint",
        severities: ERROR,
        title: "a pool holds one endpoint twice",
        why: "Its state is kept by region and address. To give it a larger share, give it a \
            weight.",
        wrong: "fra = [\"192.0.2.10\", \"192.0.2.10\"]",
        right: "fra = [{ address = \"192.0.2.10\", weight = 2 }]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "duplicate-policy",
        severities: ERROR,
        title: "two policies have one name",
        why: "Names of policies are global, so that a route can use the policy of another file. \
            The later path is refused.",
        wrong: "[policies.web] in a.toml and in b.toml",
        right: "[policies.web] and [policies.shop]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "duplicate-pool",
        severities: ERROR,
        title: "two pools have one name",
        why: "Names of pools are global: health reports and drains speak of region/pool/address. \
            The later path is refused.",
        wrong: "[pools.web] in a.toml and in b.toml",
        right: "[pools.web] and [pools.shop]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "duplicate-region",
        severities: ERROR,
        title: "a rule lists one region twice",
        why: "The second mention would change nothing, and with weights it would be unclear which \
            counts.",
        wrong: "regions = [\"fra\", \"iad\", \"fra\"]",
        right: "regions = [\"fra\", \"iad\"]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "empty-list",
        severities: ERROR,
        title: "a list is empty",
        why: "An empty list of regions, subnets or places would match nobody or answer with \
            nothing. Leave the key out to mean everybody.",
        wrong: "{ places = [], regions = [\"fra\"] }",
        right: "{ regions = [\"fra\"] }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "empty-pool",
        severities: ERROR,
        title: "a pool has no endpoint",
        why: "Policies that use it would have nothing to answer with.",
        wrong: "[pools.web]",
        right: "[pools.web]\n\
            fra = [\"192.0.2.10\"]",
        clause: "README.md, Promises",
    },
    Check {
        code: "fence-lacks-family",
        severities: WARNING,
        title: "a fence holds no endpoint of a family that the pool has",
        why: "Nothing overrides a fence: clients within it who ask for that family get NODATA, \
            though regions beyond it could answer.",
        wrong: "{ places = [\"EU-CH\"], regions = [\"fra\"], fence = true }    # only iad has IPv6",
        right: "fra = [\"192.0.2.10\", \"2001:db8:1::10\"]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "fence-without-list",
        severities: WARNING,
        title: "a fence stands around `nearest`",
        why: "A fence keeps clients within the regions of its rule. `nearest` holds all of the \
            pool, so that nothing is kept out.",
        wrong: "{ places = [\"EU-CH\"], regions = \"nearest\", fence = true }",
        right: "{ places = [\"EU-CH\"], regions = [\"fra\"], fence = true }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "fence-without-region",
        severities: ERROR,
        title: "a fence holds no region that the pool serves from",
        why: "Nothing overrides a fence: clients of that rule would never get an answer.",
        wrong: "{ places = [\"EU-CH\"], regions = [\"zrh\"], fence = true }    # the pool has fra \
            and iad",
        right: "{ places = [\"EU-CH\"], regions = [\"fra\"], fence = true }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "last-rule-has-condition",
        severities: ERROR,
        title: "the last rule of a policy has a condition",
        why: "Clients that no rule matches would get no answer. A policy ends with what holds for \
            everybody else.",
        wrong: "rules = [{ places = [\"EU\"], regions = [\"fra\"] }]",
        right: "rules = [{ places = [\"EU\"], regions = [\"fra\"] }, { regions = \"nearest\" }]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "missing-key",
        severities: ERROR,
        title: "a table lacks a key that it needs",
        why: "A rule needs `regions`, a weighted region `region` and `weight`, a weighted endpoint \
            `address`.",
        wrong: "{ places = [\"EU\"] }",
        right: "{ places = [\"EU\"], regions = [\"fra\"] }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "not-a-duration",
        severities: ERROR,
        title: "what should be a time span is none",
        why: "Numbers with units, the largest first: 250ms, 10s, 5m, 1h30m, 7d.",
        wrong: "interval = \"10 seconds\"",
        right: "interval = \"10s\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "out-of-range",
        severities: ERROR,
        title: "a number or a time is outside of its range",
        why: "Every setting has bounds within which it makes sense; the message names them.",
        wrong: "answers = 0",
        right: "answers = 2",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "place-never-matched",
        severities: WARNING,
        title: "a rule names a place that no known address is in",
        why: "The geo database does not tell such places apart, as a country database knows no \
            states, or the place has no addresses. The rule decides for nobody.",
        wrong: "{ places = [\"NA-US-CA\"], regions = [\"sjc\"] }    # geo/ holds a country database \
            only",
        right: "a city database in geo/, or { places = [\"NA-US\"], regions = [\"sjc\"] }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "policy-without-pool",
        severities: ERROR,
        title: "a policy names no pool",
        why: "A policy chooses among the endpoints of one pool.",
        wrong: "[policies.web]",
        right: "[policies.web]\n\
            pool = \"web\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "pool-mixes-kinds",
        severities: ERROR,
        title: "a pool holds addresses and host names",
        why: "An answer is addresses or one CNAME, never both. Make two pools.",
        wrong: "fra = [\"192.0.2.10\", \"lb.fra.example.net.\"]",
        right: "fra = [\"192.0.2.10\"]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "region-lacks-family",
        severities: WARNING,
        title: "a region of a pool has no endpoint of one family",
        why: "Clients who ask for that family go to the next region that has one, perhaps over an \
            ocean, while their other family stays near.",
        wrong: "fra = [\"192.0.2.10\"]\n\
            iad = [\"198.51.100.10\", \"2001:db8:2::10\"]",
        right: "fra = [\"192.0.2.10\", \"2001:db8:1::10\"]\n\
            iad = [\"198.51.100.10\", \"2001:db8:2::10\"]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "region-not-in-pool",
        severities: WARNING,
        title: "a rule names a region in which the pool has no endpoint",
        why: "The region is passed over: clients go to the next of the list.",
        wrong: "{ places = [\"EU\"], regions = [\"ber\", \"fra\"] }    # the pool has no ber",
        right: "{ places = [\"EU\"], regions = [\"fra\"] }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "rule-never-reached",
        severities: WARNING,
        title: "no client gets to a rule",
        why: "The first rule that matches decides. Of all addresses that the geo database knows \
            none is left for this one: the rules named take them, or none meets its conditions.",
        wrong: "rules = [{ regions = \"nearest\" }, { places = [\"EU\"], regions = [\"fra\"] }]",
        right: "rules = [{ places = [\"EU\"], regions = [\"fra\"] }, { regions = \"nearest\" }]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "subnet-never-matched",
        severities: WARNING,
        title: "a rule names a subnet that no client is in",
        why: "IPv6 forms of IPv4 addresses (6to4, mapped, NAT64) are looked up as the IPv4 address \
            that they hold.",
        wrong: "{ subnets = [\"::ffff:203.0.113.0/120\"], regions = [\"fra\"] }",
        right: "{ subnets = [\"203.0.113.0/24\"], regions = [\"fra\"] }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "toml-syntax",
        severities: ERROR,
        title: "a file is no TOML",
        why: "Quotes and brackets have to be closed, keys stand once. Text has to be UTF-8.",
        wrong: "fra = [\"192.0.2.10\"",
        right: "fra = [\"192.0.2.10\"]",
        clause: "TOML 1.0",
    },
    Check {
        code: "too-many-endpoints",
        severities: ERROR,
        title: "a pool or a region of it holds more endpoints than can be chosen among",
        why: "Tables are made for every choice; make several pools.",
        wrong: "one pool with 10,000 endpoints",
        right: "pools by purpose",
        clause: "README.md, Promises",
    },
    Check {
        code: "too-many-policies",
        severities: ERROR,
        title: "there are more policies than can be compiled",
        why: "A bound far above use. Names that are steered alike share a policy.",
        wrong: "a policy for each name",
        right: "one policy, and a route for each name",
        clause: "README.md, Promises",
    },
    Check {
        code: "too-many-rules",
        severities: ERROR,
        title: "a policy has more rules than can be compiled",
        why: "Long lists of networks belong into geo/overrides.csv, which is made for millions of \
            lines.",
        wrong: "rules = [{ subnets = [\"192.0.2.0/24\"], ... }, ... ]",
        right: "192.0.2.0/24,fra,in geo/overrides.csv",
        clause: "README.md, Promises",
    },
    Check {
        code: "too-many-values",
        severities: ERROR,
        title: "a condition lists more values than can be compiled",
        why: "Long lists of networks belong into geo/overrides.csv.",
        wrong: "subnets = [\"192.0.2.0/24\", ... ]",
        right: "192.0.2.0/24,fra,in geo/overrides.csv",
        clause: "README.md, Promises",
    },
    Check {
        code: "ttl-bounds",
        severities: ERROR,
        title: "the smallest TTL of a policy is above its largest",
        why: "The TTL of a steered answer is the time to the next possible change, held between \
            the two.",
        wrong: "ttl = { min = 60, max = 10 }",
        right: "ttl = { min = 10, max = 60 }",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "unknown-key",
        severities: ERROR,
        title: "a table holds a key that nothing reads",
        why: "A misspelt key would be a setting that silently does nothing.",
        wrong: "anwsers = 2",
        right: "answers = 2",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "unknown-place",
        severities: ERROR,
        title: "what should be a place is none",
        why: "Places are written as in octoDNS: a continent, a country in it, and a state of US or \
            CA: EU, EU-DE, NA-US-CA.",
        wrong: "{ places = [\"DE\"], regions = [\"fra\"] }",
        right: "{ places = [\"EU-DE\"], regions = [\"fra\"] }",
        clause: "ISO 3166-1, ISO 3166-2",
    },
    Check {
        code: "unknown-policy",
        severities: ERROR,
        title: "a route names a policy that no file defines",
        why: "Policy names are global under zones/ and compared letter by letter.",
        wrong: "\"www\" = \"wbe\"",
        right: "\"www\" = \"web\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "unknown-pool",
        severities: ERROR,
        title: "a policy names a pool that no file defines",
        why: "Pool names are global under zones/ and compared letter by letter.",
        wrong: "pool = \"wbe\"",
        right: "pool = \"web\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "unknown-region",
        severities: ERROR,
        title: "a region is named that geo/regions.toml does not define",
        why: "Where a region is, decides what is near. Define it, or mend the name.",
        wrong: "ber = [\"192.0.2.20\"]    # and regions.toml holds fra and iad",
        right: "[ber]\n\
            position = [52.52, 13.40]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "unknown-word",
        severities: ERROR,
        title: "a setting is none of the words that it may be",
        why: "The message names them.",
        wrong: "when_all_down = \"none\"",
        right: "when_all_down = \"nodata\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "unused-policy",
        severities: WARNING,
        title: "no route uses a policy",
        why: "It is compiled and never asked. A route was removed, or misses.",
        wrong: "[policies.web] without any \"...\" = \"web\"",
        right: "\"www\" = \"web\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "unused-pool",
        severities: WARNING,
        title: "no policy uses a pool",
        why: "Its endpoints are watched and never answered with.",
        wrong: "[pools.web] without any pool = \"web\"",
        right: "[policies.web]\n\
            pool = \"web\"",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "value-never-reached",
        severities: WARNING,
        title: "a rule decides for some clients, and for none because of one of its values",
        why: "All addresses of this subnet, place or system are taken by the rules named, or none \
            of them meets the other conditions of the rule.",
        wrong: "rules = [{ places = [\"EU\"], regions = [\"fra\"] },\n\
            \u{20}        { places = [\"NA\", \"EU-DE\"], regions = [\"iad\"] }, ...]",
        right: "rules = [{ places = [\"NA\", \"EU-DE\"], regions = [\"iad\"] },\n\
            \u{20}        { places = [\"EU\"], regions = [\"fra\"] }, ...]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "weights-all-zero",
        severities: ERROR,
        title: "all weights of a rule are 0",
        why: "Nobody would be sent anywhere.",
        wrong: "regions = [{ region = \"fra\", weight = 0 }]",
        right: "regions = [{ region = \"fra\", weight = 1 }]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "weights-mixed",
        severities: ERROR,
        title: "some regions of a rule have a weight and some have none",
        why: "A rule either orders its regions or splits clients between them.",
        wrong: "regions = [{ region = \"fra\", weight = 95 }, \"iad\"]",
        right: "regions = [{ region = \"fra\", weight = 95 }, { region = \"iad\", weight = 5 }]",
        clause: "zones/README.md, Steering files",
    },
    Check {
        code: "wrong-type",
        severities: ERROR,
        title: "a key has a value of another type",
        why: "A list where one value should stand, text where a number should.",
        wrong: "answers = \"2\"",
        right: "answers = 2",
        clause: "TOML 1.0",
    },
];
