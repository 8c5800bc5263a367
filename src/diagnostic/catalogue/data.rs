//! What a zone holds: records that contradict each other, or lead nowhere.

use super::super::check::{Check, ERROR, NOTE, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "below-cut",
        severities: WARNING,
        title: "a record lies below a delegation and is never served",
        why: "Below an NS record that is not the apex's, another zone begins and its servers \
            answer. Only the addresses of its name servers are given along, as glue; all else is \
            unreachable, and was probably meant for the other zone.",
        wrong: "lab       NS   ns1.lab\n\
            www.lab   TXT  \"hello\"",
        right: "lab       NS   ns1.lab\n\
            ns1.lab   A    192.0.2.53",
        clause: "RFC 1034 §4.2.1",
    },
    Check {
        code: "below-dname",
        severities: WARNING,
        title: "a record lies below a DNAME and is never served",
        why: "A DNAME gives the whole tree below its owner away: names there are answered from its \
            target, whatever the zone file holds.",
        wrong: "old      DNAME  new.example.net.\n\
            www.old  A      192.0.2.1",
        right: "old      DNAME  new.example.net.",
        clause: "RFC 6672 §2.4",
    },
    Check {
        code: "beside-cut",
        severities: WARNING,
        title: "a record stands at a delegation and is not served",
        why: "At a delegation the zone owns the NS records, DS, and what proves them; everything \
            else at that name belongs to the zone below, and queries for it are sent there.",
        wrong: "lab  NS   ns1.example.net.\n\
            lab  TXT  \"hello\"",
        right: "lab  NS   ns1.example.net.",
        clause: "RFC 1034 §4.2.1, RFC 4035 §2.6",
    },
    Check {
        code: "cname-and-other-data",
        severities: ERROR,
        title: "a name has a CNAME and other records",
        why: "A CNAME says that the name is another name; a resolver that holds one asks for \
            nothing else there. Whichever record it met first decided what it saw, so every \
            server refuses such a zone.",
        wrong: "www  CNAME  app.example.net.\n\
            www  A      192.0.2.1",
        right: "www  CNAME  app.example.net.",
        clause: "RFC 1034 §3.6.2, RFC 2181 §10.1",
    },
    Check {
        code: "cname-at-apex",
        severities: ERROR,
        title: "the apex of a zone has a CNAME",
        why: "The apex owns the SOA and the NS records, and a CNAME stands alone. Give the apex \
            addresses, route it, or use an HTTPS record in alias mode.",
        wrong: "@  CNAME  app.example.net.",
        right: "@  A      192.0.2.1",
        clause: "RFC 1034 §3.6.2",
    },
    Check {
        code: "cname-doubled",
        severities: ERROR,
        title: "a name has more than one CNAME",
        why: "A name can be an alias of one name only. Two CNAMEs are no way of sharing load: \
            resolvers refuse them or take either.",
        wrong: "www  CNAME  a.example.net.\n\
            www  CNAME  b.example.net.",
        right: "www  CNAME  a.example.net.",
        clause: "RFC 1034 §3.6.2, RFC 2181 §10.1",
    },
    Check {
        code: "cname-loop",
        severities: WARNING,
        title: "CNAMEs of this zone lead in a circle",
        why: "Whoever follows them never gets to an answer; resolvers give up with SERVFAIL.",
        wrong: "a  CNAME  b\n\
            b  CNAME  a",
        right: "a  CNAME  b\n\
            b  A      192.0.2.1",
        clause: "RFC 1034 §3.6.2",
    },
    Check {
        code: "cname-target-missing",
        severities: WARNING,
        title: "a CNAME points at a name of this zone that the zone file does not hold",
        why: "Queries for the alias end with NXDOMAIN. Most often the target was removed, \
            misspelt, or lacks the dot that would make it a name of another zone.",
        wrong: "www  CNAME  app.example.net",
        right: "www  CNAME  app.example.net.",
        clause: "RFC 1034 §3.6.2",
    },
    Check {
        code: "dname-beside-ns",
        severities: ERROR,
        title: "a delegation has a DNAME",
        why: "An NS record below the apex gives the name and all below it to another zone, a DNAME \
            gives all below it to another name. Both cannot be.",
        wrong: "old  NS     ns1.example.net.\n\
            old  DNAME  new.example.net.",
        right: "old  DNAME  new.example.net.",
        clause: "RFC 6672 §2.3",
    },
    Check {
        code: "dname-doubled",
        severities: ERROR,
        title: "a name has more than one DNAME",
        why: "A tree can be renamed to one target only.",
        wrong: "old  DNAME  a.example.net.\n\
            old  DNAME  b.example.net.",
        right: "old  DNAME  a.example.net.",
        clause: "RFC 6672 §2.4",
    },
    Check {
        code: "dot-missing",
        severities: WARNING,
        title: "a name holds the zone's name twice",
        why: "A name without a dot at its end is relative: the origin is put behind it. \
            `www.example.com` in the zone example.com is www.example.com.example.com., which is \
            almost never meant.",
        wrong: "www  CNAME  app.example.com",
        right: "www  CNAME  app.example.com.",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "duplicate-record",
        severities: NOTE,
        title: "the same record stands there twice",
        why: "An RRset is a set: the second is left out and nothing else changes.",
        wrong: "www  A  192.0.2.1\n\
            www  A  192.0.2.1",
        right: "www  A  192.0.2.1",
        clause: "RFC 2181 §5",
    },
    Check {
        code: "glue-missing",
        severities: WARNING,
        title: "a name server below its own delegation has no address here",
        why: "To ask that server one needs its address, and only that server could tell it. \
            Without glue the delegation does not work, unless another of its servers does.",
        wrong: "lab      NS  ns1.lab",
        right: "lab      NS  ns1.lab\n\
            ns1.lab  A   192.0.2.53",
        clause: "RFC 1034 §4.2.1, RFC 9471 §2",
    },
    Check {
        code: "glue-needless",
        severities: WARNING,
        title: "an address below a delegation is no name server's",
        why: "Addresses below a delegation are served only with an NS record that names them. This \
            one was left over when a name server was renamed, or belongs into the zone below.",
        wrong: "lab      NS  ns2.lab\n\
            ns1.lab  A   192.0.2.53",
        right: "lab      NS  ns2.lab\n\
            ns2.lab  A   192.0.2.53",
        clause: "RFC 1034 §4.2.1",
    },
    Check {
        code: "mx-null-beside-others",
        severities: WARNING,
        title: "a null MX stands beside other MX records",
        why: "`MX 0 .` says that the domain takes no mail at all. Beside a real mail server it \
            contradicts it; senders may choose either.",
        wrong: "@  MX  0 .\n\
            @  MX  10 mail",
        right: "@  MX  10 mail",
        clause: "RFC 7505 §3",
    },
    Check {
        code: "ns-missing",
        severities: WARNING,
        title: "the apex has no NS records",
        why: "They tell resolvers and secondaries who serves the zone, and they are what referrals \
            are checked against.",
        wrong: "@  SOA  ns1 hostmaster 1 7200 900 1209600 300",
        right: "@  SOA  ns1 hostmaster 1 7200 900 1209600 300\n\
            @  NS   ns1\n\
            @  NS   ns2.example.net.",
        clause: "RFC 1035 §5.2",
    },
    Check {
        code: "out-of-zone",
        severities: WARNING,
        title: "a record does not belong to the zone and is left out",
        why: "Its owner lies outside of the apex. A dot too many, or an $ORIGIN that was not set \
            back, are the usual reasons. Other servers leave it out as well.",
        wrong: "www.example.org.  A  192.0.2.1",
        right: "www               A  192.0.2.1",
        clause: "RFC 1035 §5.2",
    },
    Check {
        code: "owner-not-host-name",
        severities: WARNING,
        title: "a name with addresses is no host name",
        why: "Letters, digits and hyphens within: programs and certificates take nothing else for \
            the name of a host, and BIND refuses such a zone unless told otherwise. Service \
            names with an underscore own SRV or TXT, seldom addresses.",
        wrong: "my_host  A  192.0.2.1",
        right: "my-host  A  192.0.2.1",
        clause: "RFC 952, RFC 1123 §2.1",
    },
    Check {
        code: "ptr-in-reverse",
        severities: WARNING,
        title: "a PTR record points into the reverse tree",
        why: "The target is the name of a host. One that ends in in-addr.arpa or ip6.arpa most \
            often lacks its final dot.",
        wrong: "1  PTR  www.example.com",
        right: "1  PTR  www.example.com.",
        clause: "RFC 1035 §3.3.12, §5.1",
    },
    Check {
        code: "serial-not-raised",
        severities: WARNING,
        title: "the content of a zone changed and its serial did not",
        why: "Secondaries compare serials and nothing else: they keep the old zone until the \
            serial is raised. Who serves from files alone does not notice, until the day a \
            secondary is added.",
        wrong: "@  SOA  ns1 hostmaster 2026112301 ... ; and records that changed",
        right: "@  SOA  ns1 hostmaster 2026112302 ...",
        clause: "RFC 1034 §4.3.5, RFC 1982",
    },
    Check {
        code: "serial-went-back",
        severities: WARNING,
        title: "the serial of a zone went back",
        why: "Secondaries take a lower serial for an older zone and keep what they have. A step \
            forward of up to 2147483647 is a raise, even past 4294967295; anything else is a \
            step back. After a rollback this is expected: raise the serial beyond the highest \
            that was ever served.",
        wrong: "@  SOA  ns1 hostmaster 2026112301 ... ; after 2026112305",
        right: "@  SOA  ns1 hostmaster 2026112306 ...",
        clause: "RFC 1982 §3.2",
    },
    Check {
        code: "soa-doubled",
        severities: ERROR,
        title: "a zone has more than one SOA",
        why: "A zone is what one SOA begins. A second one at the apex leaves open which serial \
            counts; one below it begins another zone, which needs a file of its own.",
        wrong: "@  SOA  ns1 hostmaster 1 7200 900 1209600 300\n\
            @  SOA  ns1 hostmaster 2 7200 900 1209600 300",
        right: "@  SOA  ns1 hostmaster 2 7200 900 1209600 300",
        clause: "RFC 1035 §5.2",
    },
    Check {
        code: "soa-expire",
        severities: WARNING,
        title: "secondaries would drop the zone before they could renew it",
        why: "A secondary looks every refresh, then every retry, and stops to serve after expire. \
            With expire below refresh and retry together, one missed look takes the zone down. \
            Two to four weeks are usual.",
        wrong: "@  SOA  ns1 hostmaster 1 86400 7200 3600 300",
        right: "@  SOA  ns1 hostmaster 1 86400 7200 1209600 300",
        clause: "RFC 1912 §2.2",
    },
    Check {
        code: "soa-mail-address",
        severities: WARNING,
        title: "the mail address of the SOA is written with an at sign",
        why: "It is written as a domain name: the first label is what stands before the at sign. \
            As it is, the at sign is part of a label, and often the zone's own name follows \
            twice.",
        wrong: "@  SOA  ns1 hostmaster@example.com. 1 7200 900 1209600 300",
        right: "@  SOA  ns1 hostmaster.example.com. 1 7200 900 1209600 300",
        clause: "RFC 1035 §3.3.13, §8",
    },
    Check {
        code: "soa-missing",
        severities: ERROR,
        title: "a zone file has no SOA record",
        why: "The SOA gives the zone its name, its serial and the time for which a missing name is \
            remembered. Without it there is no zone.",
        wrong: "@  NS   ns1",
        right: "@  SOA  ns1 hostmaster 1 7200 900 1209600 300\n\
            @  NS   ns1",
        clause: "RFC 1035 §5.2",
    },
    Check {
        code: "soa-negative-ttl",
        severities: WARNING,
        title: "a missing name is remembered for more than a day",
        why: "The last number of the SOA is how long resolvers keep NXDOMAIN and NODATA: a name \
            asked for too early stays missing for so long after it was added. Minutes to three \
            hours are good.",
        wrong: "@  SOA  ns1 hostmaster 1 7200 900 1209600 604800",
        right: "@  SOA  ns1 hostmaster 1 7200 900 1209600 900",
        clause: "RFC 2308 §5",
    },
    Check {
        code: "soa-retry",
        severities: WARNING,
        title: "secondaries retry no sooner than they look anyway",
        why: "Retry is for the time after a failed look, and should be a fraction of refresh.",
        wrong: "@  SOA  ns1 hostmaster 1 3600 7200 1209600 300",
        right: "@  SOA  ns1 hostmaster 1 3600 600 1209600 300",
        clause: "RFC 1912 §2.2",
    },
    Check {
        code: "soa-unlike-file",
        severities: WARNING,
        title: "the SOA is neither at the origin nor at the name of the file",
        why: "The zone is the one that its SOA names, whatever the file is called. A slip there makes \
            another zone of it, and the right one is not served.",
        wrong: "exmaple.com.  SOA  ...     in zones/example.com.zone",
        right: "@             SOA  ...",
        clause: "RFC 1035 §5.2",
    },
    Check {
        code: "target-is-alias",
        severities: WARNING,
        title: "an NS, MX or SRV record points at a CNAME",
        why: "The target has to have addresses itself: many resolvers do not follow an alias to a \
            name server, and many mail servers none to an MX.",
        wrong: "@     MX     10 mail\n\
            mail  CNAME  mx.example.net.",
        right: "@     MX     10 mx.example.net.",
        clause: "RFC 2181 §10.3, RFC 2782",
    },
    Check {
        code: "target-looks-like-address",
        severities: WARNING,
        title: "a record that points at a name points at an address",
        why: "NS, MX, SRV, CNAME and PTR take a name. `192.0.2.1` is read as a name of five labels \
            below the origin, which does not exist.",
        wrong: "@     MX  10 192.0.2.1",
        right: "@     MX  10 mail\n\
            mail  A   192.0.2.1",
        clause: "RFC 1035 §3.3.9",
    },
    Check {
        code: "target-missing",
        severities: WARNING,
        title: "an NS, MX or SRV record points at a name of this zone without address",
        why: "Whoever follows it finds nothing: no name server, no mail server, no service.",
        wrong: "@      MX  10 mial\n\
            mail   A   192.0.2.25",
        right: "@      MX  10 mail\n\
            mail   A   192.0.2.25",
        clause: "RFC 1034 §3.6, RFC 2782",
    },
    Check {
        code: "ttl-long",
        severities: WARNING,
        title: "records may be kept for more than a week",
        why: "A mistake in them, or an address that has to change at once, stays in resolvers for \
            so long. Most of them cut such TTLs to a week or a day anyway.",
        wrong: "www  2592000  A  192.0.2.1",
        right: "www  3600     A  192.0.2.1",
        clause: "RFC 1912 §2.2, RFC 8767 §4",
    },
    Check {
        code: "ttl-mismatch",
        severities: WARNING,
        title: "records of one RRset have different TTLs",
        why: "Resolvers keep an RRset as a whole, and have to treat different TTLs as an error. \
            The smallest is served for all.",
        wrong: "www  300   A  192.0.2.1\n\
            www  3600  A  192.0.2.2",
        right: "www  300   A  192.0.2.1\n\
            www  300   A  192.0.2.2",
        clause: "RFC 2181 §5.2",
    },
    Check {
        code: "ttl-zero",
        severities: WARNING,
        title: "records may not be kept at all",
        why: "With TTL 0 every query comes here, and some resolvers handle it badly. A few seconds \
            do the same for a client and spare everybody the rest.",
        wrong: "www  0   A  192.0.2.1",
        right: "www  30  A  192.0.2.1",
        clause: "RFC 1035 §3.2.1, RFC 1912 §2.2",
    },
    Check {
        code: "wildcard-delegation",
        severities: WARNING,
        title: "a wildcard owns NS or DNAME records",
        why: "What a wildcard delegation means is not defined, and validators do not accept the \
            answers. Resolvers and servers differ.",
        wrong: "*.lab  NS  ns1.example.net.",
        right: "lab    NS  ns1.example.net.",
        clause: "RFC 4592 §4.2, §4.4",
    },
    Check {
        code: "wildcard-inner",
        severities: WARNING,
        title: "an asterisk stands within a name and matches only itself",
        why: "Only a leftmost asterisk is a wildcard. `*.*.apps` answers for names below the \
            literal `*.apps` alone, and `a.*.apps` for itself.",
        wrong: "*.*.apps  A  192.0.2.1",
        right: "*.apps    A  192.0.2.1",
        clause: "RFC 4592 §2.1.1",
    },
];
