//! Where things are: regions, overrides and databases.

use super::super::check::{Check, EITHER, ERROR, WARNING};

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
        code: "geo-database-future",
        severities: WARNING,
        title: "a geo database says that it was built in the future",
        why: "Its date is more than a day ahead of this machine's clock. One of the two is wrong, \
            and [geo] max_age cannot tell how old the database is.",
        wrong: "a database of tomorrow week",
        right: "date -u; then fetch the database again",
        clause: "README.md, homing.toml",
    },
    Check {
        code: "geo-database-lost",
        severities: ERROR,
        title: "a geo database that serves cannot be read again",
        why: "What was compiled of it serves, and its content is not held in memory. To compile it \
            anew beside a changed one it is read from the disk or from state/, and is in neither.",
        wrong: "geo/city-ipv6.mmdb and state/ removed, then geo/city-ipv4.mmdb replaced",
        right: "geo/city-ipv6.mmdb put back",
        clause: "geo/README.md",
    },
    Check {
        code: "geo-database-old",
        severities: EITHER,
        title: "a geo database is older than [geo] max_age allows",
        why: "Addresses move. A new or changed file that is too old is refused; one that serves \
            already is never taken away by the clock, and is warned of.",
        wrong: "max_age = \"60d\", and a database of last year",
        right: "the database fetched again, by a timer",
        clause: "README.md, homing.toml",
    },
    Check {
        code: "geo-database-shrunk",
        severities: ERROR,
        title: "a geo database lists far fewer networks than the one that it would replace",
        why: "A download that was cut, or a file of another kind, would have most clients stand \
            nowhere. The one that served before serves on. To take it all the same, remove the file, \
            wait until it serves no more (five quiet seconds), and put the new one there.",
        wrong: "geo/city.mmdb with 1,000 networks in the place of one with 3,000,000",
        right: "[geo]\n\
            min_share = 0.5",
        clause: "README.md, homing.toml",
    },
    Check {
        code: "geo-database-small",
        severities: ERROR,
        title: "a geo database lists fewer networks than [geo] min_networks asks for",
        why: "What is so small is not the whole file.",
        wrong: "min_networks = 100000, and a test database",
        right: "the whole database, or a lower min_networks",
        clause: "README.md, homing.toml",
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
        code: "geo-table-address",
        severities: ERROR,
        title: "a line of a flat geo database has no addresses of its family",
        why: "The first two columns are the first and the last address of a range, as text or as \
            numbers, of the family that the file's name tells.",
        wrong: "2001:db8::,2001:db8::1,DE in geo/country-ipv4.csv",
        right: "192.0.2.0,192.0.2.255,DE",
        clause: "geo/README.md",
    },
    Check {
        code: "geo-table-malformed",
        severities: ERROR,
        title: "a line of a flat geo database cannot be read",
        why: "It lacks columns, is no UTF-8 text, or opens a quotation that it does not end. The \
            table that served before serves on.",
        wrong: "192.0.2.0,192.0.2.255",
        right: "192.0.2.0,192.0.2.255,DE",
        clause: "geo/README.md, RFC 4180 §2",
    },
    Check {
        code: "geo-table-order",
        severities: ERROR,
        title: "the ranges of a flat geo database are not in order",
        why: "Each begins where the one above it does, or later, and none ends before it begins. What \
            is in another order is another kind of file, or was put together wrongly.",
        wrong: "193.0.2.0,193.0.2.255,DE\n\
            193.0.0.0,193.0.0.255,FR",
        right: "193.0.0.0,193.0.0.255,FR\n\
            193.0.2.0,193.0.2.255,DE",
        clause: "geo/README.md",
    },
    Check {
        code: "geo-table-too-many",
        severities: ERROR,
        title: "a flat geo database has more mistakes than are told",
        why: "The first thousand are told one by one. Most often the file is no table of ranges.",
        wrong: "an HTML error page saved as geo/country-ipv4.csv",
        right: "the table fetched again",
        clause: "README.md, Promises",
    },
    Check {
        code: "mark-without-capacity",
        severities: ERROR,
        title: "a region has a mark and no capacity",
        why: "`high` and `low` are shares of `capacity`, in the unit that load reports use.",
        wrong: "[fra]\n\
            position = [50.11, 8.68]\n\
            high = 0.9",
        right: "[fra]\n\
            position = [50.11, 8.68]\n\
            capacity = 40000\n\
            high = 0.9",
        clause: "geo/README.md",
    },
    Check {
        code: "marks-crossed",
        severities: ERROR,
        title: "the low mark of a region is not below its high mark",
        why: "Above `high` a region sheds clients and below `low` it takes them back. Between the two \
            nothing moves, so that nothing swings.",
        wrong: "high = 0.6\n\
            low = 0.8",
        right: "high = 0.8\n\
            low = 0.6",
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
        code: "override-ambiguous",
        severities: WARNING,
        title: "a word in overrides.csv is the name of a region and the code of a place",
        why: "The region is taken: the operator's own name is the nearer one. Two meanings of one \
            word mislead the next reader.",
        wrong: "192.0.2.0/24,EU,office, where a region is called EU",
        right: "a region called eu-1, and 192.0.2.0/24,EU,office",
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
        code: "override-redundant",
        severities: WARNING,
        title: "a line of overrides.csv changes nothing",
        why: "The longest prefix decides, and the next wider one says the same. Either the line can \
            go, or one of the two does not say what was meant.",
        wrong: "192.0.2.0/24,EU-DE,office\n\
            192.0.2.128/25,EU-DE,lab",
        right: "192.0.2.0/24,EU-DE,office and lab",
        clause: "geo/README.md",
    },
    Check {
        code: "override-too-long",
        severities: ERROR,
        title: "overrides.csv has more prefixes than are taken",
        why: "A million; a table of such a size is a database, and is better kept as one.",
        wrong: "every customer's every address",
        right: "neighbours joined, or a database in geo/",
        clause: "README.md, Promises",
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
