//! The licences of databases that are well known, to be shown beside them.

/// The licence of a database that we know by its path or the type it declares; empty for others.
pub(super) fn licence(path: &str, database_type: &str) -> &'static str {
    const LICENCES: [(&str, &str); 6] = [
        ("geo-whois-asn-country", "CC BY 4.0, by the Number Resource Organization (nro.net)"),
        ("iptoasn", "PDDL 1.0, by iptoasn.com"),
        ("dbip", "CC BY 4.0, IP Geolocation by DB-IP (db-ip.com)"),
        ("geolite2", "GeoLite2 End User License Agreement, by MaxMind (maxmind.com)"),
        ("geoip2", "commercial, by MaxMind (maxmind.com)"),
        ("ipinfo", "by IPinfo (ipinfo.io), see its terms"),
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let names = [name, database_type].map(|it| it.to_ascii_lowercase().replace("db-ip", "dbip"));
    let known = LICENCES.iter().find(|(part, _)| names.iter().any(|name| name.contains(part)));
    known.map_or("", |(_, licence)| licence)
}
