//! Configurations of other servers, which `homing import` reads.

use super::super::check::{Check, ERROR, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "foreign-access",
        severities: WARNING,
        title: "the other server answers only some clients for a zone",
        why: "homing answers everybody for every zone it has. Where a zone was meant for a few \
            clients, its names would be in the open.",
        wrong: "zone \"corp.example\" { allow-query { internal; }; ... };",
        right: "leave the zone out, or let only those clients reach this server",
        clause: "RFC 1034 §4.3.1",
    },
    Check {
        code: "foreign-added-zones",
        severities: WARNING,
        title: "zones were added to BIND at run time and are not in its configuration",
        why: "With allow-new-zones, rndc addzone keeps zones in a database of named's own. \
            named-nzd2nzf writes them as statements, which the import then reads.",
        wrong: "allow-new-zones yes;",
        right: "include \"/var/lib/bind/_default.nzf\";",
        clause: "BIND 9 Administrator Reference Manual, allow-new-zones",
    },
    Check {
        code: "foreign-file",
        severities: ERROR,
        title: "a zone file of the other server cannot be read",
        why: "The zone is left out of the import, since half of it would be a wrong one. Absolute \
            paths begin at --root DIR.",
        wrong: "file \"/var/lib/bind/example.com.db\";    // readable for bind only",
        right: "sudo -u bind homing import bind /etc/bind/named.conf DIR",
        clause: "README.md, From other servers",
    },
    Check {
        code: "foreign-include",
        severities: ERROR,
        title: "an included file of the other server is not there, or may not be read",
        why: "What it holds was not imported, and nothing says what that was.",
        wrong: "include \"/etc/bind/zones.conf\";    // not there",
        right: "homing import bind --root /mnt/old /mnt/old/etc/bind/named.conf DIR",
        clause: "README.md, From other servers",
    },
    Check {
        code: "foreign-include-depth",
        severities: ERROR,
        title: "included files of the other server nest too deep",
        why: "They include each other in a circle, or nearly: nothing was written.",
        wrong: "include \"named.conf\";    // within named.conf",
        right: "each file included once",
        clause: "README.md, Promises",
    },
    Check {
        code: "foreign-journal",
        severities: WARNING,
        title: "the other server may answer more than its zone files hold",
        why: "Changes that came by transfer or by dynamic update stand in a journal until they are \
            written out. Have the server write them, and import again.",
        wrong: "a zone with allow-update, and a .jnl beside its file",
        right: "rndc sync -clean",
        clause: "README.md, From other servers",
    },
    Check {
        code: "foreign-raw",
        severities: ERROR,
        title: "a zone file of the other server is no text",
        why: "Raw and map formats are a server's own. named-compilezone makes text of them.",
        wrong: "masterfile-format raw;",
        right: "named-compilezone -f raw -F text -o example.com.zone example.com example.com.raw",
        clause: "BIND 9 Administrator Reference Manual, masterfile-format",
    },
    Check {
        code: "foreign-signing",
        severities: WARNING,
        title: "the other server signs these zones itself",
        why: "Their files are taken as they stand: without signatures, if the server keeps these \
            elsewhere. While the parent has a DS, serve the signed form, or remove the DS first \
            and wait for its TTL.",
        wrong: "dnssec-policy default;",
        right: "named-compilezone -j -f raw -F text ... of the signed file",
        clause: "RFC 6781 §4.3",
    },
    Check {
        code: "foreign-statement",
        severities: ERROR,
        title: "a statement of the other server has no sound meaning",
        why: "To go on would be a guess at what was meant: nothing was written.",
        wrong: "zone \"example.com\" { type primary; };    // without a file",
        right: "zone \"example.com\" { type primary; file \"example.com.db\"; };",
        clause: "README.md, From other servers",
    },
    Check {
        code: "foreign-syntax",
        severities: ERROR,
        title: "a configuration of the other server cannot be read",
        why: "A brace, a quote or a semicolon is missing: nothing was written.",
        wrong: "zone \"example.com\" { type primary; file \"a.db\" };",
        right: "zone \"example.com\" { type primary; file \"a.db\"; };",
        clause: "README.md, From other servers",
    },
    Check {
        code: "foreign-view",
        severities: ERROR,
        title: "the views of BIND leave open which zones are meant",
        why: "A folder holds one set of zones. --view NAME takes one view; where views were a way \
            of steering, routes are another.",
        wrong: "view \"inside\" { ... }; view \"outside\" { ... };",
        right: "homing import bind --view outside named.conf DIR",
        clause: "README.md, From other servers",
    },
    Check {
        code: "foreign-zone-name",
        severities: ERROR,
        title: "a zone of the other server has a name that cannot be taken",
        why: "It is no domain name, or too long for the name of a file.",
        wrong: "zone \"example..com\" { ... };",
        right: "zone \"example.com\" { ... };",
        clause: "RFC 1035 §2.3.4",
    },
    Check {
        code: "foreign-zone-twice",
        severities: ERROR,
        title: "the other server configures one zone twice",
        why: "Which of the two files was served depended on the server.",
        wrong: "zone \"example.com\" { file \"a.db\"; ... }; zone \"example.com\" { file \"b.db\"; \
            ... };",
        right: "zone \"example.com\" { file \"b.db\"; ... };",
        clause: "README.md, Files",
    },
];
