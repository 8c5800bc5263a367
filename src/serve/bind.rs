//! The sockets of the server, all bound before the first query is answered.
//!
//! Owns: which sockets there are, the ways in which binding fails, and the words for them.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use crate::answer::Transport;

use super::inherit::Inherited;
use super::socket::{Sharing, inherited_udp, quic, tcp, udp};

/// How often another port is tried when port 0 was asked for and UDP does not get the port that TCP
/// got.
const PORT_ATTEMPTS: usize = 16;

/// Every socket, bound: for each address one TCP listener, and one UDP socket a core.
#[derive(Debug)]
pub struct Sockets {
    pub(super) endpoints: Vec<Bound>,
    /// Listeners within TLS or HTTPS.
    pub(super) encrypted: Vec<(Transport, SocketAddr, TcpListener)>,
    /// Sockets for QUIC.
    pub(super) quic: Vec<(SocketAddr, UdpSocket)>,
    cores: usize,
    skipped: Vec<BindError>,
}

/// One address and its sockets.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) address: SocketAddr,
    pub(super) tcp: TcpListener,
    /// One a core.
    pub(super) udp: Vec<UdpSocket>,
}

/// Why DNS cannot be served. `Display` is one line for the operator: where, what, how to mend it.
#[derive(Debug)]
pub enum BindError {
    /// Another program has the address.
    InUse(SocketAddr, Transport),
    /// This process may not have the port.
    NotPermitted(SocketAddr, Transport),
    /// No interface of this machine has the address, or it has no IPv6 at all.
    NotHere(SocketAddr),
    /// Two listed addresses claim the same packets.
    Overlap(SocketAddr, SocketAddr),
    /// The list is empty.
    NoAddress,
    /// The system refused for another reason.
    Failed(SocketAddr, Transport, io::Error),
    /// The sockets are bound, and the system starts no thread to serve them.
    NoThread(io::Error),
}

impl Sockets {
    /// Binds every address for `cores` cores, 0 for one a CPU, and those that are `encrypted`. Port 0
    /// takes a free port, the same for UDP and TCP. What of them is `inherited` is not bound again.
    ///
    /// An address that this machine does not have is skipped, so that a machine without IPv6 serves
    /// IPv4; it is an error when nothing else binds. Every other failure refuses the whole.
    ///
    /// # Errors
    ///
    /// [`BindError`]; sockets bound until then are closed.
    pub fn bind(
        addresses: &[SocketAddr],
        encrypted: &[(Transport, SocketAddr)],
        cores: usize,
        inherited: &Inherited,
    ) -> Result<Sockets, BindError> {
        let cores = match cores {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            cores => cores,
        };
        // TLS and QUIC may have one port: one is of TCP, the other of UDP.
        for is_quic in [false, true] {
            let of_it = encrypted.iter().filter(|(by, _)| (*by == Transport::Quic) == is_quic);
            let of_it = of_it.map(|(_, address)| *address);
            let all: Vec<SocketAddr> = addresses.iter().copied().chain(of_it).collect();
            if let Some((one, other)) = overlap(&all) {
                return Err(BindError::Overlap(one, other));
            }
        }
        let mut sockets = Sockets {
            endpoints: Vec::new(),
            encrypted: Vec::new(),
            quic: Vec::new(),
            cores,
            skipped: Vec::new(),
        };
        for &address in addresses {
            match bind_one(address, cores, inherited) {
                Ok(bound) => sockets.endpoints.push(bound),
                Err(error @ BindError::NotHere(_)) => sockets.skipped.push(error),
                Err(error) => return Err(error),
            }
        }
        if sockets.endpoints.is_empty() {
            return Err(sockets.skipped.into_iter().next().unwrap_or(BindError::NoAddress));
        }
        for &(transport, address) in encrypted {
            match sockets.bind_encrypted(transport, address, inherited) {
                Ok(()) => {}
                Err(error @ BindError::NotHere(_)) => sockets.skipped.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(sockets)
    }

    fn bind_encrypted(
        &mut self,
        transport: Transport,
        address: SocketAddr,
        inherited: &Inherited,
    ) -> Result<(), BindError> {
        if transport != Transport::Quic {
            let (address, listener) = bind_stream(address, transport, inherited)?;
            self.encrypted.push((transport, address, listener));
            return Ok(());
        }
        let refused = |error| refusal(address, transport, error);
        let socket = match inherited.udp(address, 0).map_err(refused)? {
            Some(socket) => socket,
            None => quic(address).map_err(refused)?,
        };
        self.quic.push((socket.local_addr().map_err(refused)?, socket));
        Ok(())
    }

    /// The addresses bound within TLS, HTTPS and QUIC.
    pub fn encrypted_addresses(&self) -> Vec<(Transport, SocketAddr)> {
        let streams = self.encrypted.iter().map(|(transport, address, _)| (*transport, *address));
        streams.chain(self.quic.iter().map(|(address, _)| (Transport::Quic, *address))).collect()
    }

    /// The addresses bound, with the ports that stand for port 0, in the order given.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.endpoints.iter().map(|bound| bound.address).collect()
    }

    /// The addresses left out because this machine does not have them.
    pub fn skipped(&self) -> &[BindError] {
        &self.skipped
    }

    /// How many UDP sockets each address has.
    pub fn cores(&self) -> usize {
        self.cores
    }
}

/// Two addresses of which the system would bind only one: equal, or one a wildcard over the other.
fn overlap(addresses: &[SocketAddr]) -> Option<(SocketAddr, SocketAddr)> {
    addresses.iter().enumerate().find_map(|(index, &one)| {
        let other = addresses.iter().take(index).find(|other| {
            one.port() != 0
                && one.port() == other.port()
                && one.is_ipv4() == other.is_ipv4()
                && (one.ip() == other.ip()
                    || one.ip().is_unspecified()
                    || other.ip().is_unspecified())
        })?;
        Some((*other, one))
    })
}

fn bind_one(address: SocketAddr, cores: usize, inherited: &Inherited) -> Result<Bound, BindError> {
    let mut attempts = if address.port() == 0 { PORT_ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        match bind_once(address, cores, inherited) {
            Err(BindError::InUse(..)) if attempts > 0 => {}
            result => return result,
        }
    }
}

/// TCP first: it chooses the port where none is given, and refuses a second server (see [`tcp`]).
/// Then a UDP socket that shares with nobody, closed again, so that a stranger's SO_REUSEPORT
/// socket is found as well. What was handed over is nobody else's.
fn bind_once(address: SocketAddr, cores: usize, inherited: &Inherited) -> Result<Bound, BindError> {
    let (chosen, listener) = bind_stream(address, Transport::Tcp, inherited)?;
    let refused = |error| refusal(chosen, Transport::Udp, error);
    if inherited.udp(chosen, 0).map_err(refused)?.is_some() {
        let handed = |core| {
            let socket = inherited.udp(chosen, core)?.ok_or(io::ErrorKind::NotFound)?;
            inherited_udp(socket, chosen)
        };
        let sockets = (0..cores).map(handed).collect::<io::Result<Vec<UdpSocket>>>();
        return Ok(Bound { address: chosen, tcp: listener, udp: sockets.map_err(refused)? });
    }
    drop(udp(chosen, Sharing::Alone).map_err(refused)?);
    let sockets = (0..cores)
        .map(|_| udp(chosen, Sharing::AmongCores))
        .collect::<io::Result<Vec<UdpSocket>>>()
        .map_err(refused)?;
    Ok(Bound { address: chosen, tcp: listener, udp: sockets })
}

fn bind_stream(
    address: SocketAddr,
    transport: Transport,
    inherited: &Inherited,
) -> Result<(SocketAddr, TcpListener), BindError> {
    let refused = |error| refusal(address, transport, error);
    let listener = match inherited.tcp(address).map_err(refused)? {
        Some(listener) => {
            listener.set_nonblocking(true).map_err(refused)?;
            listener
        }
        None => tcp(address).map_err(refused)?,
    };
    let chosen = listener.local_addr().map_err(refused)?;
    Ok((chosen, listener))
}

fn refusal(address: SocketAddr, transport: Transport, error: io::Error) -> BindError {
    match error.raw_os_error() {
        Some(libc::EADDRINUSE) => BindError::InUse(address, transport),
        Some(libc::EACCES | libc::EPERM) => BindError::NotPermitted(address, transport),
        Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT) => BindError::NotHere(address),
        _ => BindError::Failed(address, transport, error),
    }
}

/// Where the operator changes what is listened on.
const SETTING: &str = "`dns`, `dot`, `doh` or `doq` in [listen] of homing.toml";

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot serve DNS")?;
        match self {
            BindError::InUse(address, transport) => write!(
                f,
                " on {address} ({}): another program has this address; stop it (`ss -lntup` names \
                 it) or change {SETTING}",
                word(*transport)
            ),
            BindError::NotPermitted(address, transport) => write!(
                f,
                " on {address} ({}): this user may not bind port {}; grant CAP_NET_BIND_SERVICE \
                 or change {SETTING}",
                word(*transport),
                address.port()
            ),
            BindError::NotHere(address) => write!(
                f,
                " on {address}: this machine does not have this address; add it to an interface \
                 or remove it from {SETTING}"
            ),
            BindError::Overlap(one, other) => write!(
                f,
                " on both {one} and {other}: they claim the same packets; remove one of them from \
                 {SETTING}"
            ),
            BindError::NoAddress => write!(f, ": no address is given; list one under {SETTING}"),
            BindError::Failed(address, transport, error) => {
                write!(f, " on {address} ({}): {error}", word(*transport))
            }
            BindError::NoThread(error) => write!(
                f,
                ": the system starts no thread ({error}); raise its limits or lower `cores` in \
                 [listen] of homing.toml"
            ),
        }
    }
}

fn word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::Tls => "TLS",
        Transport::Https => "HTTPS",
        Transport::Quic => "QUIC",
    }
}

impl std::error::Error for BindError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn port_0_is_one_port_for_both_transports_and_every_core() {
        let sockets =
            Sockets::bind(&[at("127.0.0.1:0")], &[], 3, &Inherited::default()).expect("bound");
        let bound = &sockets.endpoints[0];
        assert_ne!(bound.address.port(), 0);
        assert_eq!(bound.udp.len(), 3);
        for socket in &bound.udp {
            assert_eq!(socket.local_addr().expect("address"), bound.address);
        }
        assert_eq!(bound.tcp.local_addr().expect("address"), bound.address);
    }

    #[test]
    fn a_second_server_is_told_that_the_address_is_in_use() {
        let first =
            Sockets::bind(&[at("127.0.0.1:0")], &[], 1, &Inherited::default()).expect("bound");
        let address = first.addresses()[0];
        let error = Sockets::bind(&[address], &[], 1, &Inherited::default()).expect_err("in use");
        assert!(matches!(error, BindError::InUse(a, Transport::Tcp) if a == address), "{error}");
        assert!(error.to_string().contains(&address.to_string()));
        assert!(!error.to_string().contains('\n'));
    }

    #[test]
    fn a_stranger_that_shares_its_udp_port_is_found() {
        let probe = tcp(at("127.0.0.1:0")).expect("a free port");
        let address = probe.local_addr().expect("address");
        drop(probe);
        let stranger = udp(address, Sharing::AmongCores).expect("bound");
        let error = Sockets::bind(&[address], &[], 1, &Inherited::default()).expect_err("in use");
        assert!(matches!(error, BindError::InUse(_, Transport::Udp)), "{error}");
        drop(stranger);
    }

    #[test]
    fn an_address_of_another_machine_is_skipped_unless_it_is_the_only_one() {
        // RFC 5737: documentation addresses are on no interface.
        let elsewhere = at("192.0.2.1:0");
        let sockets = Sockets::bind(&[elsewhere, at("127.0.0.1:0")], &[], 1, &Inherited::default())
            .expect("bound");
        assert_eq!(sockets.addresses().len(), 1);
        assert!(matches!(sockets.skipped(), [BindError::NotHere(a)] if *a == elsewhere));
        assert!(matches!(
            Sockets::bind(&[elsewhere], &[], 1, &Inherited::default()),
            Err(BindError::NotHere(_))
        ));
        assert!(matches!(
            Sockets::bind(&[], &[], 1, &Inherited::default()),
            Err(BindError::NoAddress)
        ));
    }

    #[test]
    fn overlapping_addresses_are_refused_before_anything_is_bound() {
        let cases = [
            ("127.0.0.1:53", "127.0.0.1:53", true),
            ("0.0.0.0:53", "127.0.0.1:53", true),
            ("127.0.0.1:53", "0.0.0.0:53", true),
            ("0.0.0.0:53", "[::]:53", false),
            ("127.0.0.1:53", "127.0.0.1:54", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ];
        for (one, other, expected) in cases {
            assert_eq!(overlap(&[at(one), at(other)]).is_some(), expected, "{one} {other}");
        }
    }
}
