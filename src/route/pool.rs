//! Pools as written: endpoints by region.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::reader::{Key, Reader, Span, Value, in_file_order};
use super::region::check_name;
use super::settings::{HealthPatch, read_health};

/// The most endpoints of one pool in one region: buckets could not tell more apart.
pub const REGION_ENDPOINTS_MAX: usize = 256;
/// The most endpoints of one pool, so that its table's choices keep 16-bit indexes (see `fill`).
pub const POOL_ENDPOINTS_MAX: usize = 4096;
/// The largest weight. A guess; more would not show in 256 buckets.
pub const WEIGHT_MAX: u32 = 1000;

/// A pool, as one file has it.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name.
    pub name: Box<str>,
    /// Where the name stands.
    pub span: Span,
    /// Its endpoints by region, in file order.
    pub regions: Vec<PoolRegion>,
    /// What it sets apart from `[health]` of homing.toml.
    pub health: HealthPatch,
}

/// A pool's endpoints in one region.
#[derive(Clone, Debug)]
pub struct PoolRegion {
    /// The region's name.
    pub region: Box<str>,
    /// Where the name stands.
    pub span: Span,
    /// In file order; never empty.
    pub endpoints: Vec<Endpoint>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What is answered.
    pub target: Target,
    /// How often it comes first, against the other endpoints of the region; 1 to 1000.
    pub weight: u32,
}

/// What an endpoint is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// An address: the answer is A or AAAA.
    Address(IpAddr),
    /// A host name: the answer is a CNAME.
    Name {
        /// In lower case, with the trailing dot.
        text: Box<str>,
        /// In uncompressed wire format (RFC 1035 §3.1).
        wire: Box<[u8]>,
    },
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, type A.
    V4,
    /// IPv6, type AAAA.
    V6,
}

impl Family {
    /// 0 for IPv4, 1 for IPv6.
    pub const fn index(self) -> usize {
        match self {
            Family::V4 => 0,
            Family::V6 => 1,
        }
    }
}

impl Target {
    /// The text that health knows it by: a canonical address, or a name in lower case with a
    /// trailing dot.
    pub fn text(&self) -> Box<str> {
        match self {
            Target::Address(address) => address.to_string().into(),
            Target::Name { text, .. } => text.clone(),
        }
    }

    /// Whether it is a host name.
    pub fn is_name(&self) -> bool {
        matches!(self, Target::Name { .. })
    }

    /// Reads an address, or a host name that ends in a dot.
    fn parse(text: &str) -> Result<Target, &'static str> {
        if let Ok(address) = text.parse() {
            return check_address(address).map(Target::Address);
        }
        let Some(labels) = text.strip_suffix('.') else {
            return Err("an IPv4 or IPv6 address, or a host name that ends with a dot");
        };
        let text = labels.to_ascii_lowercase();
        let mut wire = Vec::with_capacity(text.len() + 2);
        for label in text.split('.') {
            // RFC 1123 §2.1, and the underscore that some providers put into targets.
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            if label.is_empty() || label.len() > 63 || !label.bytes().all(allowed) {
                return Err("a label of a host name is 1 to 63 letters, digits and hyphens");
            }
            wire.push(label.len() as u8);
            wire.extend_from_slice(label.as_bytes());
        }
        wire.push(0);
        if wire.len() > 255 {
            return Err("a host name has at most 255 octets (RFC 1035 §3.1)");
        }
        Ok(Target::Name { text: (text + ".").into(), wire: wire.into() })
    }
}

fn check_address(address: IpAddr) -> Result<IpAddr, &'static str> {
    let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    if mapped {
        return Err("write an IPv4 address as such, not mapped into IPv6");
    }
    if address.is_unspecified() || address.is_multicast() || broadcast {
        return Err("an endpoint is the address of one host");
    }
    Ok(address)
}

/// Reads `[pools.X]`.
pub fn read_pool(reader: &mut Reader<'_>, key: &Key<'_>, value: &Value<'_>) -> Option<Pool> {
    let name = key.get_ref();
    check_name(reader, key, "pool");
    let table = reader.table(value, &format!("pool `{name}`"))?;
    let before = reader.count();
    let mut health = HealthPatch::default();
    let mut regions: Vec<PoolRegion> = Vec::new();
    let mut seen = BTreeSet::new();
    for (key, value) in in_file_order(table) {
        if key.get_ref() == "health" {
            if let Some(table) = reader.table(value, "`health`") {
                health = read_health(reader, table, &format!("[pools.{name}.health]"));
            }
        } else if let Some(region) = read_pool_region(reader, key, value, &mut seen) {
            regions.push(region);
        }
    }
    if regions.is_empty() && reader.count() == before {
        let help = "list endpoints by region: fra = [\"192.0.2.10\"]";
        reader.error("empty-pool", &key.span(), format!("pool `{name}` has no endpoint"), help);
    }
    let targets = || regions.iter().flat_map(|region| &region.endpoints);
    if targets().any(|e| e.target.is_name()) && targets().any(|e| !e.target.is_name()) {
        let message = format!("pool `{name}` mixes addresses and host names");
        let help = "an answer is either addresses or one CNAME: make two pools";
        reader.error("pool-mixes-kinds", &key.span(), message, help);
    }
    if targets().count() > POOL_ENDPOINTS_MAX {
        let message = format!("pool `{name}` has more than {POOL_ENDPOINTS_MAX} endpoints");
        reader.error("too-many-endpoints", &key.span(), message, "make several pools");
    }
    Some(Pool { name: name.as_ref().into(), span: key.span(), regions, health })
}

fn read_pool_region(
    reader: &mut Reader<'_>,
    key: &Key<'_>,
    value: &Value<'_>,
    seen: &mut BTreeSet<Target>,
) -> Option<PoolRegion> {
    let name = key.get_ref();
    check_name(reader, key, "region");
    let list = reader.full_list(value, &format!("region `{name}`"))?;
    if let Some(value) = list.get(REGION_ENDPOINTS_MAX) {
        let message = format!("more than {REGION_ENDPOINTS_MAX} endpoints in region `{name}`");
        reader.error("too-many-endpoints", &value.span(), message, "make several pools");
    }
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for value in list.iter().take(REGION_ENDPOINTS_MAX) {
        let Some(endpoint) = read_endpoint(reader, value) else { continue };
        if !seen.insert(endpoint.target.clone()) {
            let message = format!("{} is twice in one pool", endpoint.target.text());
            let help = "remove one of the two; a weight makes it come first more often";
            reader.error("duplicate-endpoint", &value.span(), message, help);
        } else {
            endpoints.push(endpoint);
        }
    }
    let found = PoolRegion { region: name.as_ref().into(), span: key.span(), endpoints };
    (!found.endpoints.is_empty()).then_some(found)
}

fn read_endpoint(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Endpoint> {
    let (address, weight) = match value.get_ref().as_table() {
        None => (value, 1),
        Some(table) => {
            reader.only_keys(table, &["address", "weight"], "an endpoint");
            let weight = match table.get("weight") {
                Some(value) => reader.integer(value, "`weight`", 1, WEIGHT_MAX)?,
                None => 1,
            };
            let Some(address) = table.get("address") else {
                let help = "{ address = \"192.0.2.10\", weight = 3 }";
                reader.error("missing-key", &value.span(), "an endpoint without `address`", help);
                return None;
            };
            (address, weight)
        }
    };
    let text = reader.text(address, "an endpoint")?;
    match Target::parse(text) {
        Ok(target) => Some(Endpoint { target, weight }),
        Err(help) => {
            let message = format!("`{text}` cannot be an endpoint");
            reader.error("bad-endpoint", &address.span(), message, help);
            None
        }
    }
}
