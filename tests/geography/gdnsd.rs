//! Beside gdnsd: the same database, the same six regions, 100,000 random client subnets. Method: both servers run on
//! loopback and are asked for the same name with the same subnet; whatever differs is told with its cause, which is looked
//! for in the database itself.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::random::Random;
use crate::served::{ZONE, six};
use crate::support::{Query, Response, ask, eventually, free_port};
use crate::worlds::{SIX, database};

const SUBNET_COUNT: usize = 100_000;
/// How far apart two regions may be to count as equally near: gdnsd computes with other roundings.
const TIE_KM: f64 = 0.01;

/// gdnsd, running. Dropped, it is killed.
struct Gdnsd {
    child: Child,
    dns: SocketAddr,
    _root: tempfile::TempDir,
}

impl Gdnsd {
    fn start() -> Gdnsd {
        let root = tempfile::tempdir().unwrap();
        let dns = free_port();
        let at = |path: &str| root.path().join(path);
        for folder in ["zones", "geoip", "state"] {
            fs::create_dir(at(folder)).unwrap();
        }
        symlink(database("GeoLite2-City.mmdb"), at("geoip/city.mmdb")).unwrap();
        fs::write(at("zones/geo.test"), format!("{ZONE}w 60 DYNA geoip!r1\n")).unwrap();
        fs::write(at("config"), config(root.path(), dns)).unwrap();
        let mut command = Command::new("gdnsd");
        command.arg("-c").arg(root.path()).arg("start");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("gdnsd, of Debian's package of that name, is installed");
        let gdnsd = Gdnsd { child, dns, _root: root };
        let query = Query::new("w.geo.test A").to_wire();
        eventually("gdnsd answers", || {
            ask(dns, &query, Duration::from_millis(200)).map(drop).ok_or_else(String::new)
        });
        gdnsd
    }
}

impl Drop for Gdnsd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(root: &Path, dns: SocketAddr) -> String {
    let root = root.display();
    let names: Vec<&str> = SIX.iter().map(|region| region.0).collect();
    let positions: Vec<String> =
        SIX.iter().map(|(name, lat, lon)| format!("{name} => [ {lat}, {lon} ]")).collect();
    let addresses: Vec<String> =
        names.iter().zip(1..).map(|(name, n)| format!("{name} => 192.0.2.{n}")).collect();
    format!(
        "options => {{ listen => [ {dns} ], udp_threads => 1, tcp_threads => 1, run_dir => {root},
           state_dir => {root}/state, edns_client_subnet => true }}
         plugins => {{ geoip => {{
           maps => {{ m1 => {{ geoip2_db => city.mmdb, datacenters => [ {} ], auto_dc_coords => {{ {} }} }} }},
           resources => {{ r1 => {{ map => m1, service_types => up, dcmap => {{ {} }} }} }} }} }}\n",
        names.join(", "),
        positions.join(", "),
        addresses.join(", ")
    )
}

/// Asks a server for one client after another.
struct Asker {
    socket: UdpSocket,
    buffer: Vec<u8>,
}

impl Asker {
    fn new(server: SocketAddr) -> Asker {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Asker { socket, buffer: vec![0; 4096] }
    }

    /// The region, by its number in [`SIX`], and the scope.
    fn ask(&mut self, subnet: Ipv4Addr) -> (usize, u8) {
        let query = Query::new("w.geo.test A").subnet(&format!("{subnet}/24"));
        self.socket.send(&query.to_wire()).unwrap();
        let len = self.socket.recv(&mut self.buffer).expect("an answer");
        let response = Response::read(&self.buffer[..len]);
        let address: Ipv4Addr = response.rdata("A")[0].parse().unwrap();
        let option = response.option(8).expect("the subnet is echoed");
        (usize::from(address.octets()[3]) - 1, option[3])
    }
}

/// Why the two may differ for a client of `subnet`; none if they should not.
fn cause(
    reader: &maxminddb::Reader<Vec<u8>>,
    subnet: Ipv4Addr,
    ours: usize,
    theirs: usize,
) -> Option<&'static str> {
    #[derive(serde::Deserialize)]
    struct Location {
        latitude: Option<f64>,
        longitude: Option<f64>,
    }
    #[derive(serde::Deserialize)]
    struct Record {
        location: Option<Location>,
    }
    if crate::book::is_special(IpAddr::V4(subnet)) {
        return Some("special-purpose address: we go by no database");
    }
    let found = reader.lookup(IpAddr::V4(subnet)).unwrap().decode::<Record>().unwrap();
    let location = found.and_then(|record| record.location);
    let Some((lat, lon)) = location.and_then(|l| l.latitude.zip(l.longitude)) else {
        return Some("no position in the database: we take the country's centre, gdnsd its first");
    };
    if lat == 0.0 && lon == 0.0 {
        return Some("0, 0 stands for not known");
    }
    let km = |region: usize| crate::book::distance_km((lat, lon), (SIX[region].1, SIX[region].2));
    ((km(ours) - km(theirs)).abs() < TIE_KM).then_some("equally near")
}

#[test]
fn clients_get_the_region_that_gdnsd_gives_them_for_scopes_no_longer() {
    let (gdnsd, homing) = (Gdnsd::start(), six());
    let (mut rival, mut own) = (Asker::new(gdnsd.dns), Asker::new(homing.dns));
    let reader = maxminddb::Reader::open_readfile(database("GeoLite2-City.mmdb")).unwrap();
    let mut random = Random(7);
    let (mut scopes, mut same) = ([0u64; 2], 0);
    let mut causes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unexplained = Vec::new();
    for _ in 0..SUBNET_COUNT {
        // 1.0.0.0 to 223.255.255.0: what is below and above is no client's.
        let subnet =
            Ipv4Addr::from_bits((random.next() as u32 % 0xdf00_0000 + 0x0100_0000) & !0xff);
        let ((theirs, scope), (ours, own_scope)) = (rival.ask(subnet), own.ask(subnet));
        scopes[0] += u64::from(own_scope);
        scopes[1] += u64::from(scope);
        if ours == theirs {
            same += 1;
        } else if let Some(cause) = cause(&reader, subnet, ours, theirs) {
            *causes.entry(cause).or_default() += 1;
        } else {
            unexplained.push(format!("{subnet}/24: {} here, {} there", SIX[ours].0, SIX[theirs].0));
        }
    }
    let mean = |sum: u64| sum as f64 / SUBNET_COUNT as f64;
    println!("same region for {same} of {SUBNET_COUNT}; differences by cause: {causes:?}");
    println!("mean scope: homing /{:.2}, gdnsd /{:.2}", mean(scopes[0]), mean(scopes[1]));
    assert!(
        unexplained.is_empty(),
        "{} unexplained\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
    assert!(same * 1000 >= SUBNET_COUNT * 999, "{same} of {SUBNET_COUNT} the same");
    assert!(scopes[0] <= scopes[1], "scopes are longer than gdnsd's");
}
