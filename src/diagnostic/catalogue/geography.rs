//! Where things are: regions, overrides and databases.

use super::super::check::{Check, ERROR, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "geo-database-broken",
        severities: ERROR,
        title: "a geo database cannot be read",
        why: "It was cut while it was fetched, or is no MaxMind database. The one that served \
            before serves on.",
        wrong: "an HTML error page saved as geo/city.mmdb",
        right: "the database fetched again, its checksum compared",
        clause: "MaxMind DB File Format 2.0",
    },
    Check {
        code: "geo-database-useless",
        severities: ERROR,
        title: "a geo database tells nothing that steering uses",
        why: "Countries, positions or autonomous systems are needed; connection types or \
            anonymizers tell none.",
        wrong: "geo/GeoIP2-Connection-Type.mmdb",
        right: "geo/GeoLite2-City.mmdb",
        clause: "geo/README.md",
    },
    Check {
        code: "geo-not-redistributable",
        severities: ERROR,
        title: "a database may not be passed on inside of a program",
        why: "`homing geo build` makes a table that is carried along. This database's licence \
            forbids that; as a file in geo/ it may be used.",
        wrong: "homing geo build GeoLite2-City.mmdb builtin.bin",
        right: "cp GeoLite2-City.mmdb geo/",
        clause: "geo/README.md",
    },
    Check {
        code: "not-a-position",
        severities: ERROR,
        title: "what should be a position is none",
        why: "Latitude and longitude in degrees, north and east positive.",
        wrong: "position = [50.11]",
        right: "position = [50.11, 8.68]",
        clause: "geo/README.md",
    },
    Check {
        code: "override-duplicate",
        severities: ERROR,
        title: "a prefix stands twice in overrides.csv",
        why: "The longest prefix decides, and of two equal ones neither does.",
        wrong: "192.0.2.0/24,EU-DE,office\n\
            192.0.2.0/24,fra,lab",
        right: "192.0.2.0/24,fra,lab",
        clause: "geo/README.md",
    },
    Check {
        code: "override-host-bits",
        severities: ERROR,
        title: "a prefix in overrides.csv has bits set beyond its length",
        why: "Either the address or the length is not what was meant.",
        wrong: "192.0.2.1/24,EU-DE,office",
        right: "192.0.2.0/24,EU-DE,office",
        clause: "RFC 4632 §3.1",
    },
    Check {
        code: "override-malformed",
        severities: ERROR,
        title: "a line of overrides.csv lacks its second column, or is no text",
        why: "A line is prefix, place or region, and a comment, with commas between them.",
        wrong: "192.0.2.0/24 EU-DE",
        right: "192.0.2.0/24,EU-DE,office",
        clause: "geo/README.md",
    },
    Check {
        code: "override-prefix",
        severities: ERROR,
        title: "the first column of overrides.csv is no prefix",
        why: "An address and a length.",
        wrong: "198.51.100.0/33,fra,too long",
        right: "198.51.100.0/24,fra,office",
        clause: "RFC 4632 §3.1, RFC 4291 §2.3",
    },
    Check {
        code: "override-too-many",
        severities: ERROR,
        title: "overrides.csv has more mistakes than are told",
        why: "The first thousand are told one by one. Mend them first: most often one cause makes \
            them all.",
        wrong: "a file with other columns",
        right: "prefix,place-or-region,comment",
        clause: "README.md, Promises",
    },
    Check {
        code: "region-without-position",
        severities: ERROR,
        title: "a region has no position",
        why: "What is near is computed from it.",
        wrong: "[fra]",
        right: "[fra]\n\
            position = [50.11, 8.68]",
        clause: "geo/README.md",
    },
    Check {
        code: "site-without-position",
        severities: WARNING,
        title: "the site has no position, and clients of unknown place would be sent by it",
        why: "Addresses that no database lists go to the region nearest to the answering site. \
            Without its position they get the order of regions.toml.",
        wrong: "[site] without position",
        right: "[site]\n\
            position = [50.11, 8.68]",
        clause: "geo/README.md",
    },
    Check {
        code: "too-many-regions",
        severities: ERROR,
        title: "there are more regions than can be compiled",
        why: "A bound far above use.",
        wrong: "a region for each router",
        right: "a region for each location, with its routers in pools",
        clause: "README.md, Promises",
    },
    Check {
        code: "weight-duplicate",
        severities: ERROR,
        title: "a place stands twice in weights.csv",
        why: "Each line stands for what of its place has no line of its own; of two equal ones \
            neither does.",
        wrong: "EU-DE,10,before\n\
            EU-DE,12,after",
        right: "EU-DE,12,after",
        clause: "geo/README.md",
    },
    Check {
        code: "weight-malformed",
        severities: ERROR,
        title: "a line of weights.csv has no weight",
        why: "Lines are place, weight, comment, with commas between.",
        wrong: "EU-DE;10",
        right: "EU-DE,10,Germany",
        clause: "geo/README.md",
    },
    Check {
        code: "weight-number",
        severities: ERROR,
        title: "what should be a weight is none",
        why: "A weight is a number that is not negative, with a point and no other separators. The \
            unit is free: only ratios count.",
        wrong: "EU-DE,1 200",
        right: "EU-DE,1200",
        clause: "geo/README.md",
    },
    Check {
        code: "weights-none",
        severities: ERROR,
        title: "no place of weights.csv weighs anything",
        why: "Shares of nothing cannot be told. Without the file the server's own queries count, \
            or addresses.",
        wrong: "a file of comments alone",
        right: "*,1",
        clause: "geo/README.md",
    },
    Check {
        code: "weights-too-many",
        severities: ERROR,
        title: "weights.csv has more lines, or mistakes, than are read",
        why: "A bound of twice what ISO 3166-2 lists.",
        wrong: "a line for each city",
        right: "a line for each country, and for subdivisions of the largest",
        clause: "README.md, Promises",
    },
];
