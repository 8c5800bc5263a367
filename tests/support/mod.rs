//! What the tests over the wire share: the real binary in a folder of its own, a small DNS client, a small HTTP client.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

mod dns;
mod http;
mod mmdb;
mod server;
mod steady;
mod steps;
mod stream;
mod vantage;

pub use dns::{Query, Response, ask, name_wire, tcp_exchange};
pub use http::{Reply, http, http_with};
pub use mmdb::{city_database, country_database};
pub use server::{Server, eventually, free_port, homing, within};
pub use steady::{Kept, beside};
pub use steps::Watched;
pub use stream::{SseEvent, Stream};
pub use vantage::{Endpoint, Vantage};
