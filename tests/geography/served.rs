//! The server with six regions and a city database.

use std::os::unix::fs::symlink;

use crate::support::{Server, eventually};
use crate::worlds::{SIX, database};

/// The apex of a zone, whatever its origin.
pub const ZONE: &str =
    "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 60\n@ NS ns1\nns1 A 192.0.2.53\n";

/// The server, ready, steering `w.geo.test` among [`SIX`] by GeoLite2 City.
pub fn six() -> Server {
    let regions: String = SIX
        .iter()
        .map(|(name, lat, lon)| format!("[{name}]\nposition = [{lat:?}, {lon:?}]\n"))
        .collect();
    let pool: String = SIX
        .iter()
        .zip(1..)
        .map(|((name, ..), n)| format!("{name} = [\"192.0.2.{n}\"]\n"))
        .collect();
    // gdnsd gives who is nowhere the first of its datacenters.
    let steering = format!(
        "[pools.r1]\n{pool}[policies.r1]\npool = \"r1\"\nrules = [{{ regions = \"nearest\" }}]\n\
         unknown = [\"{}\"]\n[routes.\"geo.test\"]\n\"w\" = \"r1\"\n",
        SIX[0].0
    );
    let server = Server::start_unready(&[
        ("zones/geo.test.zone", &format!("{ZONE}w A 192.0.2.1\n")),
        ("zones/geo.test.toml", &steering),
        ("geo/regions.toml", &regions),
    ]);
    symlink(database("GeoLite2-City.mmdb"), server.path("geo/GeoLite2-City.mmdb")).unwrap();
    server.wait_ready();
    eventually("the database serves", || {
        let status = server.http("GET", "/v1/status", None).body;
        if status.contains("geo/GeoLite2-City.mmdb") { Ok(()) } else { Err(status) }
    });
    server
}
